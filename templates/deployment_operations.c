// The operations of a deployment: the graph's nodes as rows, and what is shown of those that began
// (arm-templates 7.3).
#include "templates/deployment.h"
#include "templates/deployment_errors.h"
#include "templates/hash.h"
#include "templates/type_versions.h"

#include "arm/resource.h"
#include "base/arena.h"
#include "base/clock.h"

#include <stdio.h>

enum { NODES_AT_ONCE = 200, BYTES_AT_ONCE = 256 * 1024 };

static const struct db_statement insert = {
    "deployment_operations_insert",
    "insert into arm.deployment_operation (deployment_id, ordinal, kind, state, target, type, name, "
    "api_version, "
    "alone, depends_on, body) select $1, n.o, n.k, n.s, n.t, n.y, n.n, n.v, n.a, "
    "coalesce((select array_agg(x::integer) from json_array_elements_text(n.d) x), '{}'), decode(n.b, "
    "'base64') "
    "from json_to_recordset($2::json) as n (o integer, k text, s text, t text, y text, n text, v text, a "
    "boolean, d json, b text)"};

// What is shown: the row, its nested deployment's fate aside.
#define COLUMNS                                                                                              \
    "o.ordinal, o.kind, o.state, o.target, o.type, o.name, o.tracking_id, o.request_id, o.status, "          \
    "o.message, "                                                                                            \
    "o.request, o.response, " DEPLOYMENT_MICROSECONDS("o.started_at") ", " DEPLOYMENT_MICROSECONDS(          \
        "coalesce(o.ended_at, clock_timestamp())") ", " DEPLOYMENT_MICROSECONDS("coalesce(o.ended_at, "      \
                                                                                "o.started_at)")
enum {
    ORDINAL,
    KIND,
    STATE,
    TARGET,
    TYPE,
    NAME,
    TRACKING,
    REQUEST_ID,
    STATUS,
    MESSAGE,
    REQUEST,
    RESPONSE,
    STARTED,
    ENDED,
    TIMESTAMP
};
// The newest first, the outputs last (arm-templates 7.3).
static const struct db_statement list = {
    "deployment_operations_list",
    "select " COLUMNS
    " from arm.deployment_operation o where o.deployment_id = $1 and o.started_at is not null "
    "and (o.kind = 'EvaluateDeploymentOutput', -" DEPLOYMENT_MICROSECONDS(
        "coalesce(o.ended_at, o.started_at)") ", "
                                              "-o.ordinal) > ($2, $3::bigint, $4::integer) "
                                              "order by o.kind = 'EvaluateDeploymentOutput', "
                                              "-" DEPLOYMENT_MICROSECONDS(
                                                  "coalesce(o.ended_at, o.started_at)") ", -o.ordinal limit "
                                                                                        "$5"};
static const struct db_statement all = {
    "deployment_operations_all",
    "select " COLUMNS
    " from arm.deployment_operation o where o.deployment_id = $1 and o.started_at is not null"};

// ---- made

static void write_dependencies(struct buffer *b, const struct plan *plan, const struct plan_node *node)
{
    json_key(b, "d");
    json_begin_array(b);
    for (size_t i = 0; i < node->dependency_count; i++)
        if (plan->nodes[node->dependencies[i].node].deployed)
            json_int(b, (int64_t)node->dependencies[i].node);
    json_end_array(b);
}

static void write_node(struct buffer *b, const struct deployment *d, const struct plan *plan, size_t ordinal)
{
    const struct plan_node *node = &plan->nodes[ordinal];
    json_begin_object(b);
    json_key_int(b, "o", (int64_t)ordinal);
    json_key_string(b, "k", node->existing ? "Read" : "Create"); // never begun and never shown
    json_key_string(b, "s", node->existing ? "Succeeded" : "Waiting");
    json_key_text(b, "t", node->id);
    json_key_text(b, "y", node->written_type);
    json_key_text(b, "n", node->written_name);
    json_key_text(b, "v", node->api_version);
    json_key_bool(b, "a", !type_goes_with_others(node->type));
    write_dependencies(b, plan, node);
    if (node->body) {
        char place[32];
        snprintf(place, sizeof place, "body/%zu", ordinal);
        struct text sealed = deployment_sealed(b->arena, d->id, place, value_to_json(b->arena, node->body));
        json_key_text(b, "b", text_base64(b->arena, sealed.base, sealed.length));
    }
    json_end_object(b);
}

// A few at a time: bodies are written, sealed and encoded, and a whole template's would be large.
void deployment_operations_make(struct arm_call *call, const struct deployment *d, const struct plan *plan)
{
    // What the Complete mode leaves alone, in this template or in one around it.
    bool existing_matters = d->parent_id != 0 || text_is(d->mode, "Complete");
    for (size_t i = 0; i < plan->node_count;) {
        struct arena *arena = arena_new();
        struct buffer b = buffer_new(arena);
        size_t count = 0;
        json_begin_array(&b);
        for (; i < plan->node_count && count < NODES_AT_ONCE && b.length < BYTES_AT_ONCE; i++)
            if (plan->nodes[i].deployed || (plan->nodes[i].existing && existing_matters)) {
                write_node(&b, d, plan, i);
                count++;
            }
        json_end_array(&b);
        if (count > 0)
            DB_RUN(call->tx, &insert, db_int(d->id), db_text(buffer_done(&b)));
        arena_free(arena);
    }
}

// ---- shown

struct text deployment_operation_id(struct arena *arena, struct text target, const char *kind)
{
    struct text lower = text_lower(arena, TEXT_JOIN(arena, target, TEXT("|"), text_of(kind)));
    return text_of(arena_printf(arena, "%016llX", (unsigned long long)murmur64(lower)));
}

static struct text id_of(struct arena *arena, const struct deployment *d, const struct db_result *rows,
                         size_t row)
{
    struct text kind = db_get(rows, row, KIND), target = db_get(rows, row, TARGET);
    if (text_is(kind, "EvaluateDeploymentOutput"))
        return d->sequence;
    if (!target.base)
        target = deployment_id_of(arena, d);
    return deployment_operation_id(arena, target, text_cstr(arena, kind));
}

// The names that .NET has for HTTP's statuses.
static const char *status_name(int64_t status)
{
    static const struct {
        int64_t status;
        const char *name;
    } names[] = {{200, "OK"},
                 {201, "Created"},
                 {202, "Accepted"},
                 {204, "NoContent"},
                 {400, "BadRequest"},
                 {401, "Unauthorized"},
                 {403, "Forbidden"},
                 {404, "NotFound"},
                 {405, "MethodNotAllowed"},
                 {409, "Conflict"},
                 {412, "PreconditionFailed"},
                 {413, "RequestEntityTooLarge"},
                 {429, "TooManyRequests"},
                 {500, "InternalServerError"},
                 {503, "ServiceUnavailable"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].status == status)
            return names[i].name;
    return status >= 500 ? "InternalServerError" : status >= 400 ? "BadRequest" : "OK";
}

static void write_target(struct buffer *b, const struct db_result *rows, size_t row)
{
    if (db_is_null(rows, row, TARGET))
        return;
    json_key(b, "targetResource");
    json_begin_object(b);
    json_key_text(b, "id", db_get(rows, row, TARGET));
    json_key_text(b, "resourceType", db_get(rows, row, TYPE));
    json_key_text(b, "resourceName", db_get(rows, row, NAME));
    json_end_object(b);
}

static void write_content(struct buffer *b, const char *key, struct text json)
{
    if (!json.base)
        return;
    json_key(b, key);
    json_begin_object(b);
    json_key_raw(b, "content", json);
    json_end_object(b);
}

static void write_operation(struct buffer *b, const struct deployment *d, const struct db_result *rows,
                            size_t row)
{
    struct arena *arena = b->arena;
    struct text id = id_of(arena, d, rows, row), state = db_get(rows, row, STATE);
    int64_t started = db_get_int(rows, row, STARTED);
    json_begin_object(b);
    json_key_text(b, "id", TEXT_JOIN(arena, deployment_id_of(arena, d), TEXT("/operations/"), id));
    json_key_text(b, "operationId", id);
    json_key(b, "properties");
    json_begin_object(b);
    json_key_text(b, "provisioningOperation", db_get(rows, row, KIND));
    json_key_text(b, "provisioningState", state);
    json_key_text(b, "timestamp", clock_iso(arena, db_get_int(rows, row, TIMESTAMP), "Z"));
    json_key_text(b, "duration", deployment_duration(arena, db_get_int(rows, row, ENDED) - started));
    json_key_text(b, "trackingId", db_get(rows, row, TRACKING));
    if (!db_is_null(rows, row, REQUEST_ID))
        json_key_text(b, "serviceRequestId", db_get(rows, row, REQUEST_ID));
    if (!db_is_null(rows, row, STATUS))
        json_key_string(b, "statusCode", status_name(db_get_int(rows, row, STATUS)));
    if (!db_is_null(rows, row, MESSAGE))
        json_key_raw(b, "statusMessage", db_get(rows, row, MESSAGE));
    write_content(b, "request", db_get(rows, row, REQUEST));
    write_content(b, "response", db_get(rows, row, RESPONSE));
    write_target(b, rows, row);
    json_end_object(b);
    json_end_object(b);
}

// A page ends at "LAST MICROSECONDS ORDINAL" of its last row.
struct position {
    bool outputs;
    int64_t time, ordinal; // as the order has them: negative
};

static bool read_position(struct arm_call *call, struct text token, struct position *p)
{
    int outputs = 0;
    long long time = 0, ordinal = 0;
    char rest;
    *p = (struct position){false, INT64_MIN, INT32_MIN};
    if (!token.base)
        return true;
    if (sscanf(text_cstr(call->arena, token), "%d %lld %lld%c", &outputs, &time, &ordinal, &rest) != 3 ||
        ordinal > 0 || ordinal < INT32_MIN || outputs < 0 || outputs > 1) {
        arm_fail(call, ARM_INVALID_SKIP_TOKEN);
        return false;
    }
    *p = (struct position){outputs == 1, time, ordinal};
    return true;
}

void deployment_operations_list(struct arm_call *call)
{
    struct deployment d;
    struct position p;
    struct text token;
    size_t top;
    if (!deployment_of_route(call, &d) || !arm_page_of_query(call, &top, &token) ||
        !read_position(call, token, &p))
        return;
    const struct db_result *rows = DB_RUN(call->tx, &list, db_int(d.id), db_bool(p.outputs), db_int(p.time),
                                          db_int(p.ordinal), db_int((int64_t)top));
    struct buffer b = buffer_new(call->arena);
    json_begin_object(&b);
    json_key(&b, "value");
    json_begin_array(&b);
    for (size_t i = 0; i < db_rows(rows); i++)
        write_operation(&b, &d, rows, i);
    json_end_array(&b);
    if (db_rows(rows) == top) {
        const char *last = arena_printf(
            call->arena, "%d %lld %lld", text_is(db_get(rows, top - 1, KIND), "EvaluateDeploymentOutput"),
            (long long)-db_get_int(rows, top - 1, TIMESTAMP), (long long)-db_get_int(rows, top - 1, ORDINAL));
        json_key_string(&b, "nextLink", arm_next_link(call, text_of(last)));
    }
    json_end_object(&b);
    arm_reply(call, 200, buffer_done(&b));
}

void deployment_operation_get(struct arm_call *call)
{
    struct deployment d;
    struct text wanted = http_parameter(&call->route, "operation");
    if (!deployment_of_route(call, &d))
        return;
    const struct db_result *rows = DB_RUN(call->tx, &all, db_int(d.id));
    for (size_t i = 0; i < db_rows(rows); i++) {
        if (!text_equal_nocase(id_of(call->arena, &d, rows, i), wanted))
            continue;
        struct buffer b = buffer_new(call->arena);
        write_operation(&b, &d, rows, i);
        arm_reply(call, 200, buffer_done(&b));
        return;
    }
    arm_fail(call, DEPLOYMENT_OPERATION_NOT_FOUND, TEXT_ARG(wanted));
}
