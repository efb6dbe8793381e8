// One event as clients read it: members in the order of arm-core 2.7, every {value, localizedValue} in
// English.
#include "arm/activity_row.h"

#include "arm/types.h"
#include "base/arena.h"
#include "base/clock.h"

#include <inttypes.h>

// .NET counts tenths of microseconds since the year 1.
#define TICKS_AT_EPOCH INT64_C(621355968000000000)

struct writer {
    struct buffer *b;
    const struct arm_call *call;
    const struct activity_event *event;
};

static struct text column(const struct activity_event *event, enum activity_column which)
{
    return db_get(event->rows, event->row, which);
}

static int status_code(const struct activity_event *event)
{
    return (int)db_get_int(event->rows, event->row, ACTIVITY_STATUS);
}

const char *activity_status_of(const struct activity_event *event)
{
    int status = status_code(event);
    if (event->kind == ACTIVITY_BEGIN)
        return "Started";
    if (status == 202)
        return "Accepted";
    return status < 400 ? "Succeeded" : "Failed";
}

const char *activity_level_of(const struct activity_event *event)
{
    return event->kind == ACTIVITY_END && status_code(event) >= 400 ? "Error" : "Informational";
}

struct text activity_type_of(const struct activity_event *event)
{
    struct text action = column(event, ACTIVITY_ACTION);
    ptrdiff_t slash = text_rfind(action, '/');
    struct text type = text_slice(action, 0, slash < 0 ? action.length : (size_t)slash);
    // …/registries/listCredentials/action is about registries, {namespace}/register/action about no type.
    slash = text_rfind(type, '/');
    if (text_is(column(event, ACTIVITY_METHOD), "POST") && slash >= 0)
        type = text_slice(type, 0, (size_t)slash);
    return type;
}

struct text activity_group_of(const struct activity_event *event)
{
    static const char word[] = "/resourcegroups/";
    struct text scope = column(event, ACTIVITY_SCOPE);
    for (size_t i = 0; i + sizeof word - 1 <= scope.length; i++) {
        if (!text_starts_nocase(text_slice(scope, i, scope.length), word))
            continue;
        struct text group = text_slice(scope, i + sizeof word - 1, scope.length);
        ptrdiff_t end = text_find(group, '/');
        return end < 0 ? group : text_slice(group, 0, (size_t)end);
    }
    return TEXT("");
}

static void write_localized(struct buffer *b, const char *key, struct text value, struct text shown)
{
    json_key(b, key);
    json_begin_object(b);
    json_key_text(b, "value", value);
    json_key_text(b, "localizedValue", shown);
    json_end_object(b);
}

// "Create Registry" for an action, where a table says so; its name otherwise.
static struct text display_of(struct text action)
{
    for (size_t i = 0; i < arm_type_count(); i++)
        for (const struct arm_operation *o = arm_type_at(i)->operations; o && o->http.path; o++)
            if (o->action && o->display && text_is_nocase(action, o->action))
                return text_of(o->display);
    return action;
}

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "NoContent"},
        {400, "BadRequest"},
        {403, "Forbidden"},
        {404, "NotFound"},
        {405, "MethodNotAllowed"},
        {409, "Conflict"},
        {412, "PreconditionFailed"},
        {413, "RequestEntityTooLarge"},
        {415, "UnsupportedMediaType"},
        {500, "InternalServerError"},
        {503, "ServiceUnavailable"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return status < 400 ? "OK" : "BadRequest";
}

// ---- members

static void write_authorization(const struct writer *w, const char *key)
{
    json_key(w->b, key);
    json_begin_object(w->b);
    json_key_text(w->b, "action", column(w->event, ACTIVITY_ACTION));
    json_key_text(w->b, "scope", column(w->event, ACTIVITY_SCOPE));
    json_end_object(w->b);
}

static void write_caller(const struct writer *w, const char *key)
{
    json_key_text(w->b, key, column(w->event, ACTIVITY_CALLER));
}

static void write_channels(const struct writer *w, const char *key)
{
    json_key_string(w->b, key, "Operation");
}

static void write_claims(const struct writer *w, const char *key)
{
    const struct config *config = site()->config;
    struct buffer *b = w->b;
    struct text app = column(w->event, ACTIVITY_APP), caller = column(w->event, ACTIVITY_CALLER);
    json_key(b, key);
    json_begin_object(b);
    json_key_string(b, "aud", config->audience);
    json_key_format(b, "iss", "%s/adfs", config->url_adfs);
    if (app.length > 0)
        json_key_text(b, "appid", app);
    json_key_text(b, "ipaddr", column(w->event, ACTIVITY_ADDRESS));
    if (db_get_bool(w->event->rows, w->event->row, ACTIVITY_IS_USER)) {
        json_key_text(b, "name", caller);
        json_key_text(b, "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name", caller);
        json_key_text(b, "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn", caller);
    }
    json_key_text(b, "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier",
                  column(w->event, ACTIVITY_OBJECT));
    json_key_text(b, "http://schemas.microsoft.com/identity/claims/objectidentifier",
                  column(w->event, ACTIVITY_OBJECT));
    json_key_string(b, "http://schemas.microsoft.com/identity/claims/tenantid", w->call->caller->tenant_id);
    json_key_string(b, "ver", "1.0");
    json_end_object(b);
}

static void write_correlation(const struct writer *w, const char *key)
{
    json_key_text(w->b, key, column(w->event, ACTIVITY_CORRELATION));
}

static void write_description(const struct writer *w, const char *key)
{
    json_key_string(w->b, key, "");
}

// Of its own for each event: the row's number before the operation's id, and which of the two it is.
static struct text data_id(const struct writer *w)
{
    struct text operation = column(w->event, ACTIVITY_OPERATION);
    size_t rest = operation.length == 36 ? 27 : 0;
    return text_of(arena_printf(w->call->arena, "%08" PRIx32 "%.*s%c", (uint32_t)w->event->id, (int)rest,
                                rest ? operation.base + 8 : "",
                                w->event->kind == ACTIVITY_BEGIN ? 'b' : 'e'));
}

static void write_data_id(const struct writer *w, const char *key)
{
    json_key_text(w->b, key, data_id(w));
}

static void write_event_name(const struct writer *w, const char *key)
{
    if (w->event->kind == ACTIVITY_BEGIN)
        write_localized(w->b, key, TEXT("BeginRequest"), TEXT("Begin request"));
    else
        write_localized(w->b, key, TEXT("EndRequest"), TEXT("End request"));
}

static void write_category(const struct writer *w, const char *key)
{
    write_localized(w->b, key, TEXT("Administrative"), TEXT("Administrative"));
}

static void write_http_request(const struct writer *w, const char *key)
{
    struct text id = column(w->event, ACTIVITY_CLIENT_REQUEST);
    json_key(w->b, key);
    json_begin_object(w->b);
    json_key_text(w->b, "clientRequestId", id.base ? id : column(w->event, ACTIVITY_CORRELATION));
    json_key_text(w->b, "clientIpAddress", column(w->event, ACTIVITY_ADDRESS));
    json_key_text(w->b, "method", column(w->event, ACTIVITY_METHOD));
    json_end_object(w->b);
}

static void write_id(const struct writer *w, const char *key)
{
    json_key_format(w->b, key, "%.*s/events/%.*s/ticks/%" PRId64, TEXT_ARG(column(w->event, ACTIVITY_SCOPE)),
                    TEXT_ARG(data_id(w)), TICKS_AT_EPOCH + w->event->time * 10);
}

static void write_level(const struct writer *w, const char *key)
{
    json_key_string(w->b, key, activity_level_of(w->event));
}

static void write_group(const struct writer *w, const char *key)
{
    json_key_text(w->b, key, activity_group_of(w->event));
}

static void write_provider(const struct writer *w, const char *key)
{
    struct text name = column(w->event, ACTIVITY_ACTION);
    ptrdiff_t slash = text_find(name, '/');
    name.length = slash < 0 ? name.length : (size_t)slash;
    write_localized(w->b, key, name, name);
}

static void write_resource_id(const struct writer *w, const char *key)
{
    json_key_text(w->b, key, column(w->event, ACTIVITY_SCOPE));
}

static void write_resource_type(const struct writer *w, const char *key)
{
    struct text type = activity_type_of(w->event);
    write_localized(w->b, key, type, type);
}

static void write_operation_id(const struct writer *w, const char *key)
{
    json_key_text(w->b, key, column(w->event, ACTIVITY_OPERATION));
}

static void write_operation_name(const struct writer *w, const char *key)
{
    struct text action = column(w->event, ACTIVITY_ACTION);
    write_localized(w->b, key, action, display_of(action));
}

static void write_status_message(const struct writer *w)
{
    struct buffer error = buffer_new(w->call->arena);
    struct text message = column(w->event, ACTIVITY_MESSAGE);
    json_begin_object(&error);
    json_key(&error, "error");
    json_begin_object(&error);
    json_key_text(&error, "code", column(w->event, ACTIVITY_CODE));
    if (message.base)
        json_key_text(&error, "message", message);
    json_end_object(&error);
    json_end_object(&error);
    json_key_text(w->b, "statusMessage", buffer_done(&error));
}

static void write_properties(const struct writer *w, const char *key)
{
    struct buffer *b = w->b;
    struct text request = column(w->event, ACTIVITY_REQUEST_BODY);
    struct text response = column(w->event, ACTIVITY_RESPONSE_BODY);
    json_key(b, key);
    json_begin_object(b);
    if (w->event->kind == ACTIVITY_BEGIN) {
        if (request.base)
            json_key_text(b, "requestbody", request); // all lower case: az reads it so
    } else {
        json_key_string(b, "statusCode", reason_of(status_code(w->event)));
        json_key_text(b, "serviceRequestId", column(w->event, ACTIVITY_OPERATION));
        if (status_code(w->event) >= 400)
            write_status_message(w);
        if (response.base)
            json_key_text(b, "responseBody", response);
    }
    json_key_string(b, "eventCategory", "Administrative");
    json_key_text(b, "entity", column(w->event, ACTIVITY_SCOPE));
    json_key_text(b, "message", column(w->event, ACTIVITY_ACTION));
    json_end_object(b);
}

static void write_status(const struct writer *w, const char *key)
{
    struct text status = text_of(activity_status_of(w->event));
    write_localized(w->b, key, status, status);
}

static void write_sub_status(const struct writer *w, const char *key)
{
    int status = status_code(w->event);
    const char *reason = reason_of(status);
    if (w->event->kind == ACTIVITY_BEGIN)
        write_localized(w->b, key, TEXT(""), TEXT(""));
    else
        write_localized(w->b, key, text_of(reason),
                        text_of(arena_printf(w->call->arena, "%s (HTTP Status Code: %d)", reason, status)));
}

static void write_event_time(const struct writer *w, const char *key)
{
    json_key_text(w->b, key, clock_iso7(w->call->arena, w->event->time));
}

static void write_submission_time(const struct writer *w, const char *key)
{
    json_key_text(w->b, key, clock_iso7(w->call->arena, w->event->submitted));
}

static void write_subscription(const struct writer *w, const char *key)
{
    struct text id = w->call->subscription_id;
    json_key_text(w->b, key, id.base ? id : TEXT(""));
}

static void write_tenant(const struct writer *w, const char *key)
{
    json_key_string(w->b, key, w->call->caller->tenant_id);
}

// In the order of an answer.
static const struct {
    const char *name;
    void (*write)(const struct writer *w, const char *key);
} members[] = {
    {"authorization", write_authorization},
    {"caller", write_caller},
    {"channels", write_channels},
    {"claims", write_claims},
    {"correlationId", write_correlation},
    {"description", write_description},
    {"eventDataId", write_data_id},
    {"eventName", write_event_name},
    {"category", write_category},
    {"httpRequest", write_http_request},
    {"id", write_id},
    {"level", write_level},
    {"resourceGroupName", write_group},
    {"resourceProviderName", write_provider},
    {"resourceId", write_resource_id},
    {"resourceType", write_resource_type},
    {"operationId", write_operation_id},
    {"operationName", write_operation_name},
    {"properties", write_properties},
    {"status", write_status},
    {"subStatus", write_sub_status},
    {"eventTimestamp", write_event_time},
    {"submissionTimestamp", write_submission_time},
    {"subscriptionId", write_subscription},
    {"tenantId", write_tenant},
};
enum { MEMBERS = sizeof members / sizeof members[0] };

bool activity_select_parse(struct text expression, uint64_t *select)
{
    *select = 0;
    struct text rest = text_trim(expression);
    while (rest.length > 0) {
        ptrdiff_t comma = text_find(rest, ',');
        size_t end = comma < 0 ? rest.length : (size_t)comma, i = 0;
        struct text name = text_trim(text_slice(rest, 0, end));
        while (i < MEMBERS && !text_is_nocase(name, members[i].name))
            i++;
        if (i == MEMBERS)
            return false;
        *select |= UINT64_C(1) << i;
        rest = comma < 0 ? TEXT("") : text_slice(rest, end + 1, rest.length);
    }
    return true;
}

void activity_write_event(struct buffer *b, const struct arm_call *call, const struct activity_event *event,
                          uint64_t select)
{
    struct writer w = {b, call, event};
    json_begin_object(b);
    for (size_t i = 0; i < MEMBERS; i++)
        if (select == 0 || (select >> i & 1))
            members[i].write(&w, members[i].name);
    json_end_object(b);
}
