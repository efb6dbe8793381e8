// Where a 202's URLs point (arm-core 1.8, 2.1): /subscriptions/{s}/operationresults/{token} answers 202 while
// the job goes on and then what the synchronous call would have answered; …/operationStatuses/{id} answers
// 200 with a status in every state.
#include "arm/asynchronous.h"
#include "arm/door_parts.h"
#include "arm/types.h"

#include "base/arena.h"
#include "base/clock.h"

#define ACTION "Microsoft.Resources/subscriptions/operationresults/read"

// The job that the token names; false when it is no token of ours.
static bool job_of_token(struct arm_call *call, struct text token, struct text *job)
{
    struct text json;
    if (token.length > 512 || !text_unbase64url(call->arena, token, &json))
        return false;
    json_t *object = json_loadb(json.base, json.length, JSON_REJECT_DUPLICATES, NULL);
    struct text id = text_of(json_string_value(json_object_get(object, "jobId")));
    bool sound = id.base && uuid_is(id);
    *job = sound ? text_copy(call->arena, id) : TEXT_NONE;
    json_decref(object);
    return sound;
}

// Releases before this one named who started it in the payload.
static bool started_by_caller(const struct arm_call *call, const struct job_status *status)
{
    if (status->started_by.base)
        return text_is(status->started_by, call->caller->object_id);
    json_t *payload = json_loadb(status->payload.base, status->payload.length, 0, NULL);
    struct text starter = text_of(json_string_value(json_object_get(payload, "objectId")));
    bool own = starter.base && text_is(starter, call->caller->object_id);
    json_decref(payload);
    return own;
}

// Who started it may ask, also when what gave him the right went with the group; others need the right where
// it happens.
static bool may_ask(const struct arm_call *call, const struct job_status *status)
{
    struct text scope = status->scope;
    if (!scope.base)
        scope = text_of(arena_printf(call->arena, "/subscriptions/%.*s", TEXT_ARG(call->subscription_id)));
    return started_by_caller(call, status) || arm_may(call, ACTION, scope);
}

// False after 404: absent, another subscription's, or not for this caller are told alike.
static bool find_operation(struct arm_call *call, struct text asked, struct text id,
                           struct job_status *status)
{
    if (id.base && job_find(call->tx, id, status) &&
        text_equal_nocase(status->subscription, call->subscription_id) && may_ask(call, status))
        return true;
    arm_fail(call, ARM_OPERATION_NOT_FOUND, TEXT_ARG(asked));
    return false;
}

// Polls carry the api-version of the call that was accepted, which may be any type's.
static bool version_known(struct arm_call *call)
{
    struct text version = text_of(call->api_version);
    for (size_t i = 0; i < arm_type_count(); i++) {
        const struct arm_type *type = arm_type_at(i);
        if (version_in(type->all_versions ? type->all_versions : type->versions, version))
            return true;
    }
    arm_fail(call, ARM_INVALID_API_VERSION, TEXT_ARG(version),
             version_list(call->arena, versions_resources, ","));
    return false;
}

static json_t *result_of(const struct job_status *status)
{
    const struct text *result = &status->result;
    return result->base ? json_loadb(result->base, result->length, JSON_REJECT_DUPLICATES, NULL) : NULL;
}

static const char *member(struct arm_call *call, const json_t *object, const char *name, const char *fallback)
{
    const char *value = json_string_value(json_object_get(object, name));
    return value ? arena_strdup(call->arena, value) : fallback;
}

static void fail_of_result(struct arm_call *call, const json_t *result)
{
    const json_t *error = json_object_get(result, "error");
    json_int_t status = json_integer_value(json_object_get(result, "httpStatus"));
    enum arm_origin origin = json_is_true(json_object_get(result, "provider")) ? FROM_PROVIDER : FROM_GATEWAY;
    // Without a status the job was given up; releases before this one left code and message alone.
    int http_status = status >= 400 && status <= 599 ? (int)status : 409;
    error = error ? error : result;
    arm_fail(call, http_status, member(call, error, "code", "Conflict"), origin, "%s",
             member(call, error, "message", "The operation failed."));
    const char *target = member(call, error, "target", NULL);
    if (target)
        arm_fail_target(call, target);
    size_t i;
    const json_t *detail;
    json_array_foreach(json_object_get(error, "details"), i, detail)
        arm_fail_detail(call, member(call, detail, "code", "Conflict"), member(call, detail, "target", NULL),
                        member(call, detail, "message", ""));
}

// A member's JSON text in the arena; absent when it is not there.
static struct text json_of(struct arm_call *call, const json_t *value)
{
    if (!value)
        return TEXT_NONE;
    char *dumped = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    struct text json = text_copy(call->arena, text_of(dumped));
    free(dumped);
    return json;
}

static void answer_of_result(struct arm_call *call, const json_t *result)
{
    json_int_t status = json_integer_value(json_object_get(result, "httpStatus"));
    struct text body = json_of(call, json_object_get(result, "body"));
    int http_status = status >= 200 && status <= 299 ? (int)status : 200;
    if (body.base)
        arm_reply(call, http_status, body);
    else
        arm_reply_empty(call, http_status);
}

static void reply_result(struct arm_call *call, struct text id, const struct job_status *status)
{
    json_t *result = result_of(status);
    if (text_is(status->state, "Succeeded")) {
        answer_of_result(call, result);
    } else if (text_is(status->state, "Failed")) {
        fail_of_result(call, result);
    } else {
        arm_poll_headers(call, text_cstr(call->arena, text_lower(call->arena, id)), ARM_BY_LOCATION);
        http_set_header_string(call->answer, "Retry-After", "1");
        arm_reply_empty(call, 202);
    }
    json_decref(result);
}

static void operation_result_get(struct arm_call *call)
{
    struct text token = http_parameter(&call->route, "token"), id = TEXT_NONE;
    struct job_status status;
    if (!version_known(call) || (!job_of_token(call, token, &id) && !uuid_is(token)))
        arm_fail(call, ARM_OPERATION_NOT_FOUND, TEXT_ARG(token));
    else if (find_operation(call, token, id.base ? id : token, &status))
        reply_result(call, id.base ? id : token, &status);
}

static const char *word_of(const struct job_status *status)
{
    if (text_is(status->state, "Succeeded"))
        return "Succeeded";
    if (text_is(status->state, "Failed"))
        return "Failed";
    return status->begun ? "Running" : "Accepted";
}

static void write_status(struct arm_call *call, struct buffer *b, struct text id,
                         const struct job_status *status, const json_t *result)
{
    struct text namespace_name = http_parameter(&call->route, "namespace");
    const char *canonical = "Microsoft.Resources", *word = word_of(status);
    arm_namespace_known(namespace_name, &canonical);
    bool succeeded = strcmp(word, "Succeeded") == 0, failed = strcmp(word, "Failed") == 0;
    json_begin_object(b);
    json_key_format(b, "id", "/subscriptions/%.*s/providers/%s/locations/%s/operationStatuses/%.*s",
                    TEXT_ARG(call->subscription_id), canonical, site()->config->region, TEXT_ARG(id));
    json_key_text(b, "name", id);
    json_key_string(b, "status", word);
    json_key_text(b, "startTime", clock_iso7(call->arena, status->created_at));
    if (succeeded || failed)
        json_key_text(b, "endTime", clock_iso7(call->arena, status->finished_at));
    json_int_t percent = json_integer_value(json_object_get(result, "percentComplete"));
    json_key_int(b, "percentComplete", succeeded ? 100 : percent);
    struct text body = json_of(call, json_object_get(result, "body"));
    if (succeeded && body.base)
        json_key_raw(b, "properties", body);
    if (failed) {
        fail_of_result(call, result); // words it; the poll itself is no failure
        struct arm_failure failure = *call->failure;
        failure.origin = FROM_GATEWAY;
        struct text envelope = arm_failure_body(call->arena, &failure);
        call->failed = false;
        call->failure = NULL;
        json_key_raw(b, "error", text_slice(envelope, sizeof "{\"error\":" - 1, envelope.length - 1));
    }
    json_end_object(b);
}

static void operation_status_get(struct arm_call *call)
{
    struct text id = text_lower(call->arena, http_parameter(&call->route, "id"));
    struct text namespace_name = http_parameter(&call->route, "namespace");
    struct job_status status;
    const char *canonical;
    if (!arm_namespace_known(namespace_name, &canonical)) {
        arm_fail(call, ARM_INVALID_NAMESPACE, TEXT_ARG(namespace_name));
        return;
    }
    bool here =
        uuid_is(id) && text_is_nocase(http_parameter(&call->route, "location"), site()->config->region);
    if (!version_known(call) || !find_operation(call, id, here ? id : TEXT_NONE, &status))
        return;
    json_t *result = result_of(&status);
    struct buffer b = buffer_new(call->arena);
    write_status(call, &b, id, &status, result);
    json_decref(result);
    if (!text_is(status.state, "Succeeded") && !text_is(status.state, "Failed"))
        http_set_header_string(call->answer, "Retry-After", "1");
    arm_reply(call, 200, buffer_done(&b));
}

static const struct arm_operation operations[] = {
    {.http = {HTTP_GET, "/subscriptions/{subscription}/operationresults/{token}", "OperationResults_Get"},
     .action = ACTION,
     .flags = ARM_NO_DECISION | ARM_GATEWAY | ARM_ANY_VERSION,
     .handle = operation_result_get,
     .display = "Get Operation Result",
     .description = "Get the subscription operation results."},
    {.http = {0}},
};
// The provider's own spelling of the same.
static const struct arm_operation statuses[] = {
    {.http =
         {HTTP_GET,
          "/subscriptions/{subscription}/providers/{namespace}/locations/{location}/operationStatuses/{id}",
          "OperationStatuses_Get"},
     .action = ACTION,
     .flags = ARM_NO_DECISION | ARM_GATEWAY | ARM_ANY_VERSION,
     .handle = operation_status_get},
    {.http = {HTTP_GET,
              "/subscriptions/{subscription}/providers/{namespace}/locations/{location}/operationResults/"
              "{token}",
              "OperationResults_GetAtLocation"},
     .action = ACTION,
     .flags = ARM_NO_DECISION | ARM_GATEWAY | ARM_ANY_VERSION,
     .handle = operation_result_get},
    {.http = {0}},
};

const struct arm_type operation_results_type = {.namespace_name = "Microsoft.Resources",
                                                .name = "subscriptions/operationresults",
                                                .resource_display = "Operation Results",
                                                .versions = versions_resources,
                                                .arm_owned = true,
                                                .operations = operations};
const struct arm_type operation_statuses_type = {.namespace_name = "Microsoft.Resources",
                                                 .name = "locations/operationStatuses",
                                                 .resource_display = "Operation Statuses",
                                                 .versions = versions_resources,
                                                 .arm_owned = true,
                                                 .operations = statuses};
