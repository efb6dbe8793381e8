// The graph's nodes that are ready, run in a step: each is the caller's own request, made in the step's
// transaction, so that what it did and that it was done are committed together or not at all.
#include "templates/deployment_links.h"
#include "templates/deployment_run.h"
#include "templates/type_versions.h"

#include "arm/errors.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/failpoint.h"

#include <stdio.h>

enum { TRIES = 5, MESSAGE_LIMIT = 64 * 1024 };

static const struct db_statement take = {
    "deployment_nodes_take",
    "select o.ordinal, o.target, o.type, o.api_version, o.alone, o.body, o.tries from "
    "arm.deployment_operation o "
    "where o.deployment_id = $1 and o.state = 'Waiting' and not exists (select from arm.deployment_operation "
    "w where "
    "w.deployment_id = $1 and w.ordinal = any(o.depends_on) and w.state <> 'Succeeded') "
    "order by o.ordinal limit $2 for update of o skip locked"};
enum { ORDINAL, TARGET, TYPE, API_VERSION, ALONE, BODY, TRIED };
static const struct db_statement settle = {
    "deployment_nodes_settle",
    "update arm.deployment_operation o set state = n.s, status = n.c, message = n.m, request = n.q, response "
    "= n.r, "
    "child_id = n.d, request_id = n.i, tries = n.t, tracking_id = gen_random_uuid(), "
    "body = case when n.s = 'Waiting' then o.body end, "
    "started_at = case when n.s <> 'Waiting' then clock_timestamp() - n.b * interval '1 microsecond' end, "
    "ended_at = case when n.s in ('Succeeded', 'Failed') then clock_timestamp() - n.e * interval '1 "
    "microsecond' end "
    "from json_to_recordset($2::json) as n (o integer, s text, c integer, m json, q json, r json, d bigint, "
    "i text, "
    "t integer, b bigint, e bigint) where o.deployment_id = $1 and o.ordinal = n.o"};
// What the run itself did.
static const struct db_statement add = {
    "deployment_operation_add",
    "insert into arm.deployment_operation (deployment_id, ordinal, kind, state, target, type, name, "
    "tracking_id, status, "
    "message, started_at, ended_at) select $1, coalesce(max(o.ordinal) + 1, 0), $2, $3, $4, $5, $6, "
    "gen_random_uuid(), "
    "$7, $8::json, clock_timestamp() - $9::bigint * interval '1 microsecond', clock_timestamp() "
    "from arm.deployment_operation o where o.deployment_id = $1"};

struct node {
    int64_t ordinal, tries;
    struct text target, type, api_version, body;
    bool hidden; // its body may hold what a list*() answered
    // Of its request.
    const char *state;
    struct http_answer answer;
    int64_t child, started, ended;
    bool awaits; // links that its template has
};

// ---- its body

static void fail(struct deployment_run *run, struct node *node, int status, struct text error)
{
    struct buffer b = buffer_new(run->arena);
    json_begin_object(&b);
    json_key_raw(&b, "error", error);
    json_end_object(&b);
    node->answer = (struct http_answer){.status = status, .body = buffer_done(&b)};
}

// A body that is known only now. False: the node failed.
static bool make_body(struct deployment_run *run, struct node *node)
{
    struct plan_error error = {0};
    struct plan *plan = deployment_run_plan(run, &error);
    struct plan_run reads = deployment_run_reads(run);
    const struct value *body = NULL;
    if (plan && (size_t)node->ordinal < plan->node_count)
        body = plan_body(plan, &plan->nodes[node->ordinal], &reads, run->arena, &error);
    if (body) {
        const struct plan_node *planned = &plan->nodes[node->ordinal];
        for (size_t i = 0; i < planned->read_count; i++)
            node->hidden = node->hidden || planned->reads[i].action.base;
        deployment_note_made(run, body);
        node->body = value_to_json(run->arena, body);
        return true;
    }
    fail(
        run, node, 400,
        deployment_error_json(run->arena, error.code ? error.code : "InvalidTemplate",
                              error.message ? error.message : "The template changed while it was deployed."));
    return false;
}

static bool open_body(struct deployment_run *run, struct node *node, struct text sealed)
{
    char place[32];
    if (!sealed.base)
        return make_body(run, node);
    snprintf(place, sizeof place, "body/%lld", (long long)node->ordinal);
    node->body = deployment_opened_text(run->arena, run->deployment.id, place, sealed);
    if (node->body.base)
        return true;
    fail(run, node, 500,
         deployment_error_json(run->arena, "InternalServerError", "The resource's body is gone."));
    return false;
}

// ---- its request

static bool is_deployment(const struct node *node)
{
    return text_is_nocase(node->type, DEPLOYMENT_TYPE);
}

static void judge(struct node *node)
{
    int status = node->answer.status;
    bool later = node->awaits || ((status >= 500 || status == 429) && ++node->tries < TRIES);
    if (later)
        node->state = "Waiting";
    else if (status < 300)
        node->state = is_deployment(node) ? "Running" : "Succeeded";
    else
        node->state = "Failed";
}

static void run_node(struct deployment_run *run, struct node *node, const struct db_result *rows, size_t row,
                     const char *job)
{
    const struct deployment *d = &run->deployment;
    *node = (struct node){.ordinal = db_get_int(rows, row, ORDINAL),
                          .tries = db_get_int(rows, row, TRIED),
                          .target = db_get(rows, row, TARGET),
                          .type = db_get(rows, row, TYPE),
                          .api_version = db_get(rows, row, API_VERSION),
                          .started = clock_monotonic()};
    bool alone = db_get_bool(rows, row, ALONE);
    if (open_body(run, node, db_get_bytes(rows, row, BODY, run->arena))) {
        struct deployment_purpose purpose = {.parent_id = d->id,
                                             .root_id = d->root_id,
                                             .depth = d->depth + 1,
                                             .like_job = job,
                                             .links_root = d->root_id,
                                             .link = run->link};
        run->inner.confidential = node->hidden || deployment_has_secrets(run);
        run->inner.hopeful = !alone && db_may_defer(run->tx);
        deployment_run_request(run, HTTP_PUT, type_target(run->arena, node->target, node->api_version),
                               node->body, is_deployment(node) ? &purpose : NULL, &node->answer);
        run->inner.hopeful = false;
        node->child = purpose.made;
        node->awaits = purpose.awaited != NULL;
        if (node->awaits)
            deployment_links_postpone(purpose.awaited, d->root_id, d->job_id);
    }
    judge(node);
    node->ended = clock_monotonic();
    failpoint("deployment.node");
}

// ---- what came of it

struct text deployment_error_of(struct arena *arena, int status, struct text body)
{
    json_t *json = json_loadb(body.base, body.length, 0, NULL);
    json_t *error = json_object_get(json, "error");
    struct text made = TEXT_NONE;
    if (json_is_string(json_object_get(error, "code"))) {
        char *dump = json_dumps(error, JSON_COMPACT);
        made = text_copy(arena, text_of(dump));
        free(dump);
    }
    json_decref(json);
    if (made.base)
        return made;
    struct text shown = body.length > MESSAGE_LIMIT ? text_slice(body, 0, MESSAGE_LIMIT) : body;
    return deployment_error_json(arena,
                                 status == 404   ? "NotFound"
                                 : status >= 500 ? "InternalServerError"
                                                 : "BadRequest",
                                 text_cstr(arena, shown));
}

static void write_debug(struct buffer *b, const char *key, struct deployment_run *run, struct text body)
{
    struct text shown = deployment_shown(run, body, true);
    if (shown.base)
        json_key_raw(b, key, shown);
}

static void write_message(struct buffer *b, struct deployment_run *run, const struct node *node)
{
    struct text body = node->answer.body;
    struct text error = deployment_error_of(b->arena, node->answer.status, body);
    json_key(b, "m");
    json_begin_object(b);
    if (text_ends(body, "\"status\":\"Failed\"}"))
        json_key_string(b, "status", "Failed");
    json_key_raw(b, "error", deployment_shown(run, error, false));
    json_end_object(b);
}

static void write_result(struct buffer *b, struct deployment_run *run, const struct node *node)
{
    int64_t now = clock_monotonic();
    bool requests = text_search(run->deployment.debug, TEXT("request")) >= 0;
    bool responses = text_search(run->deployment.debug, TEXT("response")) >= 0;
    json_begin_object(b);
    json_key_int(b, "o", node->ordinal);
    json_key_string(b, "s", node->state);
    json_key_int(b, "c", node->answer.status);
    if (strcmp(node->state, "Failed") == 0)
        write_message(b, run, node);
    if (requests && !node->hidden)
        write_debug(b, "q", run, node->body);
    if (responses && node->answer.status < 300)
        write_debug(b, "r", run, node->answer.body);
    if (node->child != 0)
        json_key_int(b, "d", node->child);
    for (size_t i = 0; i < node->answer.header_count; i++)
        if (text_is_nocase(node->answer.headers[i].name, "x-ms-request-id"))
            json_key_text(b, "i", node->answer.headers[i].value);
    json_key_int(b, "t", node->tries);
    json_key_int(b, "b", now - node->started);
    json_key_int(b, "e", now - node->ended);
    json_end_object(b);
}

enum deployment_progress deployment_nodes_run(struct deployment_run *run, size_t limit)
{
    const struct db_result *rows = DB_RUN(run->tx, &take, db_int(run->deployment.id), db_int((int64_t)limit));
    struct buffer results = buffer_new(run->arena);
    const char *job = text_cstr(run->arena, run->deployment.job_id);
    enum deployment_progress progress = PROGRESS_SOME;
    size_t count = db_rows(rows), done = 0;
    bool stop = false;
    if (count == 0)
        return PROGRESS_NONE;
    json_begin_array(&results);
    while (!stop && done < count && !db_failed(run->tx)) {
        struct node node;
        bool alone = db_get_bool(rows, done, ALONE);
        if (alone && done > 0)
            break;
        run_node(run, &node, rows, done++, job);
        write_result(&results, run, &node);
        if (strcmp(node.state, "Waiting") == 0)
            progress = node.awaits ? PROGRESS_LINKS : PROGRESS_LATER;
        // Who has noted a change of rights has locked their version: nothing that waits may follow it.
        stop = alone || db_notes(run->tx) || progress != PROGRESS_SOME;
    }
    json_end_array(&results);
    DB_RUN(run->tx, &settle, db_int(run->deployment.id), db_text(buffer_done(&results)));
    return progress == PROGRESS_SOME && (count == limit || done < count) ? PROGRESS_LIMIT : progress;
}

void deployment_operation_add(struct deployment_run *run, const struct deployment_operation *o)
{
    DB_RUN(run->tx, &add, db_int(run->deployment.id), db_string(o->kind), db_string(o->state),
           db_text(o->target), db_text(o->type), db_text(o->name), o->status ? db_int(o->status) : db_null(),
           db_text(o->message), db_int(o->took));
}
