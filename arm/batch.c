// POST /batch (decisions 48): the body's requests one after the other, each through the door on its own,
// under the caller's rights and from the caller's buckets. What takes longer than a client likes to wait goes
// on as a job (batch_job.c).
#include "arm/batch.h"
#include "arm/errors.h"
#include "arm/resource.h"
#include "arm/types.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/failpoint.h"

enum { REQUESTS_LIMIT = 20, PATIENCE = 10 * 1000 * 1000, COMMAND_LIMIT = 1024 }; // microseconds

// ---- the body

static struct text shown(struct text value)
{
    return value.length > 200 ? text_slice(value, 0, 200) : value;
}

// Refuses a member that this knows nothing of.
static bool only_known(struct arm_call *call, const json_t *object, const char *path,
                       const char *const *known)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        size_t i = 0;
        while (known[i] && !text_is_nocase(text_of(key), known[i]))
            i++;
        if (!known[i]) {
            arm_fail(call, ARM_BATCH_MEMBER, TEXT_ARG(shown(text_of(key))), path);
            return false;
        }
    }
    return true;
}

static bool text_member(struct arm_call *call, const json_t *object, const char *name, const char *path,
                        struct text *value)
{
    json_t *json = arm_member_nocase(object, name);
    *value = TEXT_NONE;
    if (json && !json_is_string(json)) {
        arm_fail_content(call, TEXT("…"), "System.String", arena_printf(call->arena, "%s.%s", path, name));
        return false;
    }
    if (json)
        *value = (struct text){json_string_value(json), json_string_length(json)};
    return true;
}

static bool read_command(struct arm_call *call, const json_t *object, const char *path, struct text *command)
{
    static const char *const known[] = {"commandName", NULL};
    json_t *details = arm_member_nocase(object, "requestHeaderDetails");
    *command = TEXT_NONE;
    if (!details)
        return true;
    if (!json_is_object(details)) {
        arm_fail_content(call, TEXT("…"), "System.Object", path);
        return false;
    }
    path = arena_printf(call->arena, "%s.requestHeaderDetails", path);
    if (!only_known(call, details, path, known) || !text_member(call, details, "commandName", path, command))
        return false;
    // It becomes a header: what would not fit into one is not passed on.
    for (size_t i = 0; i < command->length; i++)
        if ((unsigned char)command->base[i] < 0x20 || command->length > COMMAND_LIMIT)
            *command = TEXT_NONE;
    return true;
}

static bool read_item(struct arm_call *call, const json_t *object, size_t index, struct batch_item *item)
{
    static const char *const known[] = {"httpMethod", "name", "url", "requestHeaderDetails", "content", NULL};
    const char *path = arena_printf(call->arena, "requests[%zu]", index);
    if (!json_is_object(object)) {
        arm_fail_content(call, TEXT("…"), "System.Object", path);
        return false;
    }
    if (!only_known(call, object, path, known) ||
        !text_member(call, object, "httpMethod", path, &item->method) ||
        !text_member(call, object, "name", path, &item->name) ||
        !text_member(call, object, "url", path, &item->url) ||
        !read_command(call, object, path, &item->command))
        return false;
    if (item->url.length == 0 || item->method.length == 0) {
        arm_fail(call, ARM_BATCH_REQUIRED, item->url.length == 0 ? "url" : "httpMethod", path);
        return false;
    }
    if (!item->name.base) {
        char *name = arena_alloc(call->arena, 37);
        uuid_random(name);
        item->name = text_of(name);
    }
    json_t *content = arm_member_nocase(object, "content");
    char *dump = content ? json_dumps(content, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    item->content = dump ? text_copy(call->arena, text_of(dump)) : TEXT_NONE;
    free(dump);
    return true;
}

static bool read_batch(struct arm_call *call, struct batch *batch)
{
    static const char *const known[] = {"requests", NULL};
    json_t *requests = arm_member_nocase(call->body, "requests");
    if (!only_known(call, call->body, "", known))
        return false;
    if (!json_is_array(requests) || json_array_size(requests) == 0) {
        arm_fail(call, ARM_BATCH_REQUIRED, "requests", "");
        return false;
    }
    batch->count = json_array_size(requests);
    if (batch->count > REQUESTS_LIMIT) {
        arm_fail(call, ARM_BATCH_TOO_MANY, batch->count);
        return false;
    }
    batch->items = ARENA_ARRAY(call->arena, struct batch_item, batch->count);
    for (size_t i = 0; i < batch->count; i++)
        if (!read_item(call, json_array_get(requests, i), i, &batch->items[i]))
            return false;
    return true;
}

// ---- one request

// The path and query of a URL on our own host; false with *why for anything else.
static bool read_url(const struct arm_inner *inner, struct text url, struct text *target, const char **why)
{
    *target = url;
    ptrdiff_t colon = text_search(url, TEXT("://"));
    ptrdiff_t slash = text_find(url, '/'), mark = text_find(url, '?');
    bool absolute = colon > 0 && slash > colon && (mark < 0 || mark > colon);
    if (absolute) {
        struct text rest = text_slice(url, (size_t)colon + 3, url.length);
        size_t end = 0;
        while (end < rest.length && rest.base[end] != '/' && rest.base[end] != '?')
            end++;
        struct text authority = text_slice(rest, 0, end), plain = authority;
        if (text_ends(authority, ":443")) // said though it is the scheme's own
            plain = text_slice(authority, 0, authority.length - 4);
        if (!text_starts_nocase(url, "https://") || (!text_equal_nocase(authority, inner->authority) &&
                                                     !text_equal_nocase(plain, inner->authority))) {
            *why = "its URL is not of this host";
            return false;
        }
        *target = text_slice(rest, end, rest.length);
    }
    if (target->length == 0 || target->base[0] != '/') // "subscriptions/…", "?…"
        *target = TEXT_JOIN(inner->arena, TEXT("/"), *target);
    return true;
}

// As the door will read it: escaped letters and slashes are what they stand for.
static bool is_batch(struct arena *arena, struct text target)
{
    size_t start = 0, end = 0;
    while (end < target.length && target.base[end] != '?' && target.base[end] != '#')
        end++;
    struct text path = text_slice(target, 0, end), decoded;
    if (!text_percent_decode(arena, path, false, &decoded))
        return false; // malformed, whatever it is
    while (start < decoded.length && decoded.base[start] == '/')
        start++;
    for (end = start; end < decoded.length && decoded.base[end] != '/';)
        end++;
    return text_is_nocase(text_slice(decoded, start, end), "batch");
}

static unsigned method_of(struct text name)
{
    static const enum http_method known[] = {HTTP_GET,  HTTP_HEAD,  HTTP_PUT,
                                             HTTP_POST, HTTP_PATCH, HTTP_DELETE};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (text_is_nocase(name, http_method_name(known[i])))
            return known[i];
    return 0;
}

static void refuse(struct arena *arena, struct http_answer *answer, const char *why)
{
    struct arm_call call = {.arena = arena};
    arm_fail(&call, ARM_BATCH_ITEM, why);
    http_answer_reset(answer);
    answer->status = call.failure->status;
    answer->body = arm_failure_body(arena, call.failure);
    http_set_header_string(answer, "x-ms-failure-cause", "gateway");
    http_set_header_string(answer, "Content-Type", "application/json; charset=utf-8");
}

static void perform(const struct arm_inner *inner, const struct batch_item *item,
                    struct db_connection *connection, struct db_transaction *tx, struct http_answer *answer)
{
    const char *why = NULL;
    struct text target;
    unsigned method = method_of(item->method);
    struct http_field headers[] = {{TEXT("commandname"), item->command}};
    if (!method)
        why = "its httpMethod is none of GET, HEAD, PUT, POST, PATCH and DELETE";
    else if (read_url(inner, item->url, &target, &why) && is_batch(inner->arena, target))
        why = "a batch cannot be part of a batch";
    if (why) {
        refuse(inner->arena, answer, why);
        return;
    }
    struct arm_inner_request request = {.method = (enum http_method)method,
                                        .target = target,
                                        .headers = headers,
                                        .header_count = item->command.base ? 1 : 0,
                                        .body = item->content};
    if (tx)
        arm_inner_within(inner, &request, tx, answer);
    else
        arm_inner_run(inner, &request, connection, answer);
    if (method == HTTP_HEAD || answer->status == 204)
        answer->body = TEXT("");
}

static bool is_json(struct text body)
{
    json_t *json = json_loadb(body.base, body.length, JSON_DECODE_ANY, NULL);
    bool sound = json != NULL;
    json_decref(json);
    return sound;
}

struct text batch_answer(const struct arm_inner *inner, const struct batch_item *item,
                         struct db_connection *connection, struct db_transaction *tx)
{
    struct http_answer *answer = ARENA_NEW(inner->arena, struct http_answer);
    perform(inner, item, connection, tx, answer);
    struct buffer b = buffer_new(inner->arena);
    json_begin_object(&b);
    json_key_text(&b, "name", item->name);
    json_key_int(&b, "httpStatusCode", answer->status);
    json_key(&b, "headers");
    json_begin_object(&b);
    for (size_t i = 0; i < answer->header_count; i++) {
        json_key_of(&b, answer->headers[i].name);
        json_text(&b, answer->headers[i].value);
    }
    json_end_object(&b);
    if (answer->body.length > 0) {
        json_key(&b, "content");
        if (is_json(answer->body))
            json_raw(&b, answer->body);
        else
            json_text(&b, answer->body);
    }
    json_key_int(&b, "contentLength", (int64_t)answer->body.length);
    json_end_object(&b);
    return buffer_done(&b);
}

struct text batch_responses(struct arena *arena, const struct text *answers, size_t count)
{
    struct buffer b = buffer_new(arena);
    json_begin_object(&b);
    json_key(&b, "responses");
    json_begin_array(&b);
    for (size_t i = 0; i < count; i++)
        json_raw(&b, answers[i]);
    json_end_array(&b);
    json_end_object(&b);
    return buffer_done(&b);
}

// ---- the operation

// After the door's transaction has ended: each request has its own.
static void run_batch(struct arm_call *call, struct db_connection *connection)
{
    struct batch batch;
    struct arm_inner inner = arm_inner_of(call);
    struct text answers[REQUESTS_LIMIT];
    int64_t until = clock_monotonic() + PATIENCE;
    size_t done = 0;
    if (!read_batch(call, &batch))
        return;
    while (done < batch.count && clock_monotonic() < until) {
        answers[done] = batch_answer(&inner, &batch.items[done], connection, NULL);
        done++;
        failpoint("batch.request");
    }
    if (done == batch.count) {
        arm_reply(call, 200, batch_responses(call->arena, answers, done));
        return;
    }
    const char *job = batch_continue(call, &inner, &batch, answers, done, connection);
    if (!job) {
        arm_fail(call, ARM_BATCH_CUT, done);
        return;
    }
    const char *path = arena_printf(call->arena, "/batch/%s?api-version=%s", job, call->api_version);
    http_set_header_string(call->answer, "Location", arm_url(call, path));
    arm_reply_empty(call, 202);
}

static void batch_post(struct arm_call *call)
{
    struct batch batch;
    if (!read_batch(call, &batch))
        return;
    call->after = run_batch;
    arm_reply_empty(call, 200);
}

static const struct arm_operation operations[] = {
    {.http = {HTTP_POST, "/batch", "Batch_Run"},
     .action = "Microsoft.Resources/batch/action",
     .flags = ARM_NO_DECISION | ARM_GATEWAY | ARM_READ_COUNT | ARM_NEEDS_BODY,
     .handle = batch_post,
     .display = "Run a batch of requests",
     .description = "Runs several requests in one, each under the caller's rights."},
    {.http = {HTTP_GET, "/batch/{operation}", "Batch_GetResult"},
     .action = "Microsoft.Resources/batch/read",
     .flags = ARM_NO_DECISION | ARM_GATEWAY,
     .handle = batch_result_get,
     .display = "Get the answers of a batch",
     .description = "Gets the answers of a batch that took long."},
    {.http = {0}},
};

static const char *const versions[] = {"2021-04-01", "2020-06-01", "2015-11-01", NULL};

const struct arm_type batch_type = {.namespace_name = "Microsoft.Resources",
                                    .name = "batch",
                                    .resource_display = "Batch",
                                    .versions = versions,
                                    .arm_owned = true,
                                    .operations = operations};
