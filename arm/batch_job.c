// The rest of a batch that took long, as a job: a step for each request, in whose transaction the answer is
// kept with what was done for it, so that no request runs twice. The job's row holds requests and answers
// sealed: both may have secrets in them. It has no token: the caller is looked up anew for each request.
#include "arm/batch.h"
#include "arm/errors.h"
#include "arm/types.h"

#include "base/arena.h"
#include "base/site.h"

#include <stdio.h>

enum { ANSWERS_LIMIT = 20 };
static const char purpose[] = "batch";

static struct text sealed(struct arena *arena, const char *where, struct text plain)
{
    struct text bytes = master_key_seal(site()->master_key, arena, purpose, where, plain);
    struct buffer b = buffer_new(arena);
    json_begin_object(&b);
    json_key_text(&b, "sealed", text_base64(arena, bytes.base, bytes.length));
    json_end_object(&b);
    return buffer_done(&b);
}

static void drop_json(void *json)
{
    json_decref(json);
}

// The JSON that was sealed; NULL when it was not so. Lives as long as the arena.
static json_t *opened(struct arena *arena, const char *where, struct text column)
{
    json_t *outer = column.base ? json_loadb(column.base, column.length, 0, NULL) : NULL, *inner = NULL;
    const char *text = json_string_value(json_object_get(outer, "sealed"));
    struct text bytes, plain;
    if (text && text_unbase64(arena, text_of(text), &bytes) &&
        master_key_open(site()->master_key, arena, purpose, where, bytes, &plain))
        inner = json_loadb(plain.base, plain.length, 0, NULL);
    json_decref(outer);
    if (inner)
        arena_on_free(arena, drop_json, inner);
    return inner;
}

static void write_items(struct buffer *b, const struct batch *batch, size_t from)
{
    json_key(b, "requests");
    json_begin_array(b);
    for (size_t i = from; i < batch->count; i++) {
        const struct batch_item *item = &batch->items[i];
        json_begin_object(b);
        json_key_text(b, "method", item->method);
        json_key_text(b, "name", item->name);
        json_key_text(b, "url", item->url);
        json_key_text(b, "command", item->command);
        json_key_text(b, "content", item->content);
        json_end_object(b);
    }
    json_end_array(b);
}

static struct text payload_of(struct arm_call *call, const struct arm_inner *inner, const struct batch *batch,
                              const struct text *answers, size_t done)
{
    struct buffer b = buffer_new(call->arena);
    json_begin_object(&b);
    json_key_text(&b, "host", inner->host);
    json_key_text(&b, "authority", inner->authority);
    json_key_text(&b, "client", inner->client_address);
    json_key_string(&b, "correlation", inner->correlation_id);
    json_key(&b, "caller");
    rbac_caller_write(&b, call->caller);
    write_items(&b, batch, done);
    json_key(&b, "answers");
    json_begin_array(&b);
    for (size_t i = 0; i < done; i++)
        json_text(&b, answers[i]);
    json_end_array(&b);
    json_end_object(&b);
    return sealed(call->arena, "payload", buffer_done(&b));
}

struct making {
    struct arm_call *call;
    struct text payload;
    const char *job;
};

static bool make_job(struct db_transaction *tx, void *argument)
{
    struct making *making = argument;
    struct job_origin origin = {making->call->caller->object_id, TEXT("/")};
    const char *id = job_create_for(tx, BATCH_JOB, NULL, &origin, making->payload, 0);
    making->job = arena_strdup(making->call->arena, id); // the transaction's memory ends with it
    return *making->job != '\0';
}

const char *batch_continue(struct arm_call *call, const struct arm_inner *inner, const struct batch *batch,
                           const struct text *answers, size_t done, struct db_connection *connection)
{
    struct making making = {call, payload_of(call, inner, batch, answers, done), NULL};
    return db_transact(connection, make_job, &making) == DB_COMMITTED ? making.job : NULL;
}

// ---- a step

static struct text text_member(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return (struct text){json_string_value(value), json_string_length(value)};
}

static void read_caller(const json_t *json, struct rbac_caller *caller)
{
    snprintf(caller->object_id, sizeof caller->object_id, "%s", text_member(json, "objectId").base);
    snprintf(caller->tenant_id, sizeof caller->tenant_id, "%s", text_member(json, "tenantId").base);
    caller->user = json_is_true(json_object_get(json, "user"));
    caller->name = text_member(json, "name").base;
    caller->app_id = text_member(json, "appId").base;
    caller->stamp = json_integer_value(json_object_get(json, "stamp"));
}

static size_t read_texts(const json_t *array, struct text *texts, size_t count)
{
    for (size_t i = 0; i < json_array_size(array) && count < ANSWERS_LIMIT; i++) {
        const json_t *value = json_array_get(array, i);
        texts[count++] = (struct text){json_string_value(value), json_string_length(value)};
    }
    return count;
}

// The answers so far, one of each request.
static struct text keep(struct arena *arena, const struct text *answers, size_t count)
{
    struct buffer b = buffer_new(arena);
    json_begin_array(&b);
    for (size_t i = 0; i < count; i++)
        json_text(&b, answers[i]);
    json_end_array(&b);
    return sealed(arena, "answers", buffer_done(&b));
}

enum job_verdict batch_step(struct db_transaction *tx, struct job_step *step)
{
    struct arena *arena = step->arena;
    json_t *payload = opened(arena, "payload", step->job->payload);
    if (!payload) {
        step->result = TEXT("{}");
        return JOB_FAILED;
    }
    struct text answers[ANSWERS_LIMIT + 1];
    json_t *before = opened(arena, "answers", step->job->result);
    const json_t *first = json_object_get(payload, "answers"),
                 *requests = json_object_get(payload, "requests");
    size_t count = before ? read_texts(before, answers, 0) : read_texts(first, answers, 0);
    const json_t *request = json_array_get(requests, count - json_array_size(first));
    if (request) {
        struct rbac_caller *caller = ARENA_NEW(arena, struct rbac_caller);
        read_caller(json_object_get(payload, "caller"), caller);
        struct arm_inner inner = {.arena = arena,
                                  .host = text_member(payload, "host"),
                                  .authority = text_member(payload, "authority"),
                                  .client_address = text_member(payload, "client"),
                                  .correlation_id = text_member(payload, "correlation").base,
                                  .caller = caller};
        struct batch_item item = {text_member(request, "method"), text_member(request, "name"),
                                  text_member(request, "url"), text_member(request, "command"),
                                  text_member(request, "content")};
        answers[count++] = batch_answer(&inner, &item, NULL, tx);
    }
    step->result = keep(arena, answers, count);
    return count < json_array_size(first) + json_array_size(requests) ? JOB_AGAIN : JOB_DONE;
}

// ---- its answers

void batch_result_get(struct arm_call *call)
{
    struct text id = http_parameter(&call->route, "operation");
    struct job_status status;
    if (!uuid_is(id) || !job_find(call->tx, id, &status) || !text_is(status.kind, BATCH_JOB) ||
        !text_equal_nocase(status.started_by, text_of(call->caller->object_id))) {
        arm_fail(call, ARM_OPERATION_NOT_FOUND, TEXT_ARG(id));
        return;
    }
    json_t *answers = opened(call->arena, "answers", status.result);
    if (text_is(status.state, "Failed")) {
        arm_fail(call, ARM_BATCH_CUT, json_array_size(answers));
    } else if (text_is(status.state, "Succeeded")) {
        struct text texts[ANSWERS_LIMIT + 1];
        size_t count = read_texts(answers, texts, 0);
        arm_reply(call, 200, batch_responses(call->arena, texts, count));
    } else {
        const char *path =
            arena_printf(call->arena, "/batch/%.*s?api-version=%s", TEXT_ARG(id), call->api_version);
        http_set_header_string(call->answer, "Location", arm_url(call, path));
        http_set_header_string(call->answer, "Retry-After", "1");
        arm_reply_empty(call, 202);
    }
}
