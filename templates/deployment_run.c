// What a step of a run works with: the caller, the plan, and the reads of reference() and list*().
#include "templates/deployment_run.h"
#include "templates/deployment_cache.h"
#include "templates/deployment_links.h"
#include "templates/reader.h"
#include "templates/type_versions.h"
#include "templates/value_secret.h"

#include "arm/resource_id.h"
#include "base/arena.h"

#include <stdio.h>

enum { SNAPSHOT_LIMIT_MS = 2000 };

static const struct db_statement get_input = {"deployment_input",
                                              "select d.input from arm.deployment d where d.id = $1"};
static const struct db_statement get_both = {
    "deployment_input_and_template", "select d.input, d.template from arm.deployment d where d.id = $1"};

static bool id_of(const struct job *job, int64_t *id)
{
    json_t *payload = json_loadb(job->payload.base, job->payload.length, 0, NULL);
    bool sound = text_to_int64(text_of(json_string_value(json_object_get(payload, "deployment"))), id);
    json_decref(payload);
    return sound;
}

static void put(char *to, size_t size, struct text value)
{
    snprintf(to, size, "%.*s", TEXT_ARG(value));
}

static const struct rbac_caller *caller_of(struct arena *arena, const struct value *json)
{
    struct rbac_caller *caller = ARENA_NEW(arena, struct rbac_caller);
    const struct value *user = VALUE_FIND(json, "user"), *stamp = VALUE_FIND(json, "stamp");
    put(caller->object_id, sizeof caller->object_id, value_text(VALUE_FIND(json, "objectId")));
    put(caller->tenant_id, sizeof caller->tenant_id, value_text(VALUE_FIND(json, "tenantId")));
    caller->user = value_is(user, VALUE_BOOLEAN) && user->boolean;
    caller->name = text_cstr(arena, value_text(VALUE_FIND(json, "name")));
    caller->app_id = text_cstr(arena, value_text(VALUE_FIND(json, "appId")));
    caller->stamp = value_is(stamp, VALUE_INTEGER) ? stamp->integer : 0;
    return caller;
}

// What relative links start at, as the input has it.
static const struct link *link_of(struct arena *arena, const struct value *input)
{
    const struct value *written = VALUE_FIND(input, "link");
    struct link *link = ARENA_NEW(arena, struct link);
    const char *why;
    return written && link_read(arena, written, NULL, link, &why) ? link : NULL;
}

bool deployment_run_begin(struct deployment_run *run, struct db_transaction *tx, struct job_step *step)
{
    int64_t id;
    *run = (struct deployment_run){.tx = tx, .arena = step->arena};
    if (!id_of(step->job, &id) || !deployment_get(tx, id, &run->deployment))
        return false;
    const struct db_result *row = DB_RUN(tx, &get_input, db_int(id));
    if (db_is_null(row, 0, 0))
        return true;
    run->input = deployment_opened(run->arena, id, "input", db_get_bytes(row, 0, 0, run->arena));
    run->link = link_of(run->arena, run->input);
    run->inner = (struct arm_inner){
        .arena = run->arena,
        .host = value_text(VALUE_FIND(run->input, "host")),
        .authority = value_text(VALUE_FIND(run->input, "authority")),
        .client_address = value_text(VALUE_FIND(run->input, "client")),
        .correlation_id = text_cstr(run->arena, run->deployment.correlation_id),
        .caller = caller_of(run->arena, VALUE_FIND(run->input, "caller")),
        .counted = true,
    };
    return true;
}

void deployment_run_end(struct deployment_run *run)
{
    if (run->cached)
        deployment_cache_release(run->cached);
    run->cached = NULL;
    run->plan = NULL;
}

// ---- the plan

static struct plan *remake(struct deployment_run *run, struct arena *arena, struct plan_error *error)
{
    const struct deployment *d = &run->deployment;
    const struct db_result *row = DB_RUN(run->tx, &get_both, db_int(d->id));
    const struct value *input = deployment_opened(arena, d->id, "input", db_get_bytes(row, 0, 0, run->arena));
    const struct value *template =
        deployment_opened(arena, d->id, "template", db_get_bytes(row, 0, 1, run->arena));
    if (!template || !input) {
        *error = (struct plan_error){.code = "InternalServerError",
                                     .message = "The deployment's template is gone."};
        return NULL;
    }
    struct deployment_site *where = ARENA_NEW(arena, struct deployment_site);
    struct deployment *copy = ARENA_NEW(arena, struct deployment);
    *copy = (struct deployment){.subscription_id = text_copy(arena, d->subscription_id),
                                .group = d->group.base ? text_copy(arena, d->group) : TEXT_NONE,
                                .name = text_copy(arena, d->name),
                                .location = d->location.base ? text_copy(arena, d->location) : TEXT_NONE,
                                .mode = text_copy(arena, d->mode)};
    deployment_site_fill(where, copy, VALUE_FIND(input, "site"), VALUE_FIND(input, "properties"));
    where->plan.template_link = deployment_json(arena, text_copy(arena, d->template_link));
    where->plan.link = link_of(arena, input);
    where->links = deployment_links_of(arena, d->root_id);
    struct rbac_version now;
    const struct rbac_snapshot *snapshot =
        rbac_version_read(run->tx, &now) ? rbac_snapshot_wait(&now, SNAPSHOT_LIMIT_MS) : NULL;
    if (!snapshot) {
        db_retry(run->tx);
        *error = (struct plan_error){.code = "InternalServerError", .message = "The rights cannot be read."};
        return NULL;
    }
    deployment_site_use(&(struct deployment_view){run->tx, snapshot, run->inner.caller->object_id});
    struct plan *plan = plan_make(arena, &where->plan, template, VALUE_FIND(input, "parameters"),
                                  VALUE_FIND(input, "bound"), error);
    rbac_snapshot_release(snapshot);
    return plan;
}

struct plan *deployment_run_plan(struct deployment_run *run, struct plan_error *error)
{
    if (run->plan)
        return run->plan;
    run->cached = deployment_cache_take(run->deployment.id);
    if (!run->cached) {
        struct arena *arena = arena_new();
        struct plan *plan = remake(run, arena, error);
        if (!plan) {
            error->message = arena_strdup(run->arena, error->message);
            error->code = arena_strdup(run->arena, error->code);
            error->path = TEXT_NONE;
            arena_free(arena);
            return NULL;
        }
        run->cached = deployment_cache_put(run->deployment.id, arena, plan);
    }
    run->plan = deployment_cache_plan(run->cached);
    return run->plan;
}

// ---- requests

void deployment_run_request(struct deployment_run *run, enum http_method method, struct text target,
                            struct text body, const struct deployment_purpose *purpose,
                            struct http_answer *answer)
{
    struct arm_inner inner = run->inner;
    struct arm_inner_request request = {.method = method, .target = target, .body = body};
    inner.purpose = purpose;
    arm_inner_within(&inner, &request, run->tx, answer);
}

struct text deployment_error_json(struct arena *arena, const char *code, const char *message)
{
    struct buffer b = buffer_new(arena);
    json_begin_object(&b);
    json_key_string(&b, "code", code);
    json_key_string(&b, "message", message);
    json_end_object(&b);
    return buffer_done(&b);
}

static const struct value *answered(struct arena *arena, const struct http_answer *answer,
                                    struct expression_error *error)
{
    struct reader_error unreadable;
    const struct value *body =
        answer->body.length > 0 ? reader_read(arena, answer->body, NULL, &unreadable) : NULL;
    if (answer->status < 300 && body)
        return body;
    const struct value *failure = VALUE_FIND(body, "error");
    struct text code = value_text(VALUE_FIND(failure, "code")),
                message = value_text(VALUE_FIND(failure, "message"));
    error->code = code.base ? text_cstr(arena, code) : "InvalidTemplate";
    error->message = message.base
                         ? text_cstr(arena, message)
                         : arena_printf(arena, "The resource answered with status %d.", answer->status);
    return NULL;
}

// The type that an id is of: a version of ours is judged as those of resources are.
static bool served(struct arena *arena, struct text id, struct text api_version,
                   struct expression_error *error)
{
    struct resource_id parsed;
    struct type_failure failure;
    if (!resource_id_parse(arena, id, &parsed) || !parsed.type.base)
        return true;
    struct text type = TEXT_JOIN(arena, parsed.namespace_name, TEXT("/"), parsed.type);
    if (type_served(arena, type, api_version, TEXT_NONE, &failure))
        return true;
    error->code = failure.code;
    error->message = failure.message;
    return false;
}

static const struct value *get(void *context, struct arena *arena, struct text id, struct text api_version,
                               struct expression_error *error)
{
    struct http_answer answer;
    if (!served(arena, id, api_version, error))
        return NULL;
    deployment_run_request(context, HTTP_GET, type_target(arena, id, api_version), TEXT_NONE, NULL, &answer);
    return answered(arena, &answer, error);
}

static const struct value *post(void *context, struct arena *arena, struct text id, struct text action,
                                struct text api_version, const struct value *body,
                                struct expression_error *error)
{
    struct http_answer answer;
    if (!served(arena, id, api_version, error))
        return NULL;
    struct text target = type_target(arena, TEXT_JOIN(arena, id, TEXT("/"), action), api_version);
    struct text sent = body ? value_to_json(arena, body) : TEXT_NONE;
    deployment_run_request(context, HTTP_POST, target, sent, NULL, &answer);
    if (answer.status == 405) // some of these are asked for by GET
        deployment_run_request(context, HTTP_GET, target, TEXT_NONE, NULL, &answer);
    const struct value *listed = answered(arena, &answer, error);
    if (!listed)
        return NULL;
    deployment_note_listed(context, listed);
    return value_answer_as_secret(arena, listed);
}

struct plan_run deployment_run_reads(struct deployment_run *run)
{
    return (struct plan_run){.context = run, .get = get, .post = post};
}
