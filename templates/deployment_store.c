// The rows of deployments: found, read, and what is sealed in them.
#include "templates/deployment.h"
#include "templates/deployment_errors.h"
#include "templates/reader.h"

#include "arm/resource_id.h"
#include "base/arena.h"

static const struct db_statement find = {
    "deployment_find",
    "select " DEPLOYMENT_COLUMNS DEPLOYMENT_FROM
    "where d.subscription_id = $1::uuid and coalesce(d.group_id, 0) = $2 and d.name_key = $3"};
static const struct db_statement get = {"deployment_get",
                                        "select " DEPLOYMENT_COLUMNS DEPLOYMENT_FROM "where d.id = $1"};

void deployment_read(const struct db_result *rows, size_t row, struct deployment *d)
{
    *d = (struct deployment){
        .id = db_get_int(rows, row, 0),
        .group_id = db_get_int(rows, row, 1),
        .subscription_id = db_get(rows, row, 2),
        .group = db_get(rows, row, 3),
        .name = db_get(rows, row, 4),
        .location = db_get(rows, row, 5),
        .tags = db_get(rows, row, 6),
        .state = db_get(rows, row, 7),
        .mode = db_get(rows, row, 8),
        .debug = db_get(rows, row, 9),
        .sequence = db_get(rows, row, 10),
        .correlation_id = db_get(rows, row, 11),
        .template_hash = db_get(rows, row, 12),
        .template_link = db_get(rows, row, 13),
        .parameters = db_get(rows, row, 14),
        .providers = db_get(rows, row, 15),
        .dependencies = db_get(rows, row, 16),
        .outputs = db_get(rows, row, 17),
        .output_resources = db_get(rows, row, 18),
        .error = db_get(rows, row, 19),
        .on_error_type = db_get(rows, row, 20),
        .on_error_name = db_get(rows, row, 21),
        .on_error_state = db_get(rows, row, 22),
        .job_id = db_get(rows, row, 23),
        .parent_id = db_get_int(rows, row, 24),
        .root_id = db_get_int(rows, row, 25),
        .depth = db_get_int(rows, row, 26),
        .created_at = db_get_int(rows, row, 27),
        .changed_at = db_get_int(rows, row, 28),
        .parameters_link = db_get(rows, row, 29),
    };
}

bool deployment_find(struct arm_call *call, struct text name, struct deployment *deployment)
{
    const struct db_result *rows = DB_RUN(call->tx, &find, db_text(call->subscription_id),
                                          db_int(call->group_id), db_text(text_lower(call->arena, name)));
    if (db_rows(rows) == 0)
        return false;
    deployment_read(rows, 0, deployment);
    return true;
}

bool deployment_of_route(struct arm_call *call, struct deployment *deployment)
{
    struct text name = http_parameter(&call->route, "deployment");
    if (deployment_find(call, name, deployment))
        return true;
    arm_fail(call, DEPLOYMENT_NOT_FOUND, TEXT_ARG(name));
    return false;
}

bool deployment_get(struct db_transaction *tx, int64_t id, struct deployment *deployment)
{
    const struct db_result *rows = DB_RUN(tx, &get, db_int(id));
    if (db_rows(rows) == 0)
        return false;
    deployment_read(rows, 0, deployment);
    return true;
}

bool deployment_active(const struct deployment *deployment)
{
    return text_is(deployment->state, "Accepted") || text_is(deployment->state, "Running");
}

struct text deployment_scope_path(struct arena *arena, const struct deployment *d)
{
    if (d->group.base)
        return resource_id_of_group(arena, d->subscription_id, d->group);
    return TEXT_JOIN(arena, TEXT("/subscriptions/"), d->subscription_id);
}

struct text deployment_id_of(struct arena *arena, const struct deployment *d)
{
    return TEXT_JOIN(arena, deployment_scope_path(arena, d), TEXT("/providers/" DEPLOYMENT_TYPE "/"),
                     d->name);
}

static const char *place(struct arena *arena, int64_t id, const char *column)
{
    return arena_printf(arena, "arm.deployment/%lld/%s", (long long)id, column);
}

struct text deployment_sealed(struct arena *arena, int64_t id, const char *column, struct text plain)
{
    return master_key_seal(site()->master_key, arena, "deployment", place(arena, id, column), plain);
}

const struct value *deployment_json(struct arena *arena, struct text json)
{
    // What we wrote ourselves was within the reader's limits before something was put around it.
    const struct reader_limits limits = {.depth = 160, .values = 1000000};
    struct reader_error error;
    return json.base ? reader_read(arena, json, &limits, &error) : NULL;
}

struct text deployment_opened_text(struct arena *arena, int64_t id, const char *column, struct text sealed)
{
    struct text plain;
    bool sound = sealed.base && master_key_open(site()->master_key, arena, "deployment",
                                                place(arena, id, column), sealed, &plain);
    return sound ? plain : TEXT_NONE;
}

const struct value *deployment_opened(struct arena *arena, int64_t id, const char *column, struct text sealed)
{
    return deployment_json(arena, deployment_opened_text(arena, id, column, sealed));
}
