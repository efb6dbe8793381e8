// The Complete mode's end (arm-templates 6.6): what the group has and the template has not is deleted, by the
// caller's own requests, a few in a step.
#include "templates/deployment_run.h"
#include "templates/type_versions.h"

#include "arm/resource_id.h"
#include "arm/types.h"
#include "base/arena.h"
#include "base/clock.h"
#include "db/database.h"

enum { DELETIONS_A_STEP = 16 };

// Of the group, but what the template deployed or has as existing, and what stands below one that goes. A
// child goes only where its parent stays. Tokens and scope maps stay.
static const struct db_statement absent = {
    "deployment_absent",
    DEPLOYMENT_MADE(
        "$2::bigint") ", gone as (select r.type, r.type_key, r.name, r.name_key from "
                      "arm.resource r join arm.resource_group g on g.id = r.group_id where r.group_id = $1 "
                      "and "
                      "r.type_key !~ '/(tokens|scopemaps)$' and not exists (select from made m where "
                      "lower(m.y) = r.type_key and lower(m.n) = r.name_key and starts_with(lower(m.t), "
                      "'/subscriptions/' || "
                      "r.subscription_id || '/resourcegroups/' || g.name_key || '/providers/'))) "
                      "select x.type, x.name from gone x where not exists (select from gone p where "
                      "left(x.type_key, length(p.type_key) + 1) = p.type_key || '/' and "
                      "left(x.name_key, length(p.name_key) + 1) = p.name_key || '/') "
                      "and not exists (select from arm.deployment_operation o where o.deployment_id = $2 and "
                      "o.kind = 'Delete' "
                      "and o.state = 'Failed' and lower(o.type) = x.type_key and lower(o.name) = x.name_key) "
                      "order by x.type_key, x.name_key limit $3"};
static const struct db_statement any_failed = {"deployment_cleanup_failed",
                                               "select exists (select from arm.deployment_operation o where "
                                               "o.deployment_id = $1 and o.kind = 'Delete' and "
                                               "o.state = 'Failed')"};

// The version that the type's own document lists first, which serves every verb.
static struct text version_of(struct text full)
{
    ptrdiff_t slash = text_find(full, '/');
    const struct arm_type *type = slash < 0 ? NULL
                                            : arm_type_find(text_slice(full, 0, (size_t)slash),
                                                            text_slice(full, (size_t)slash + 1, full.length));
    return text_of(type ? type->versions[0] : "2019-10-01");
}

// False: it is to be tried again later.
static bool delete_absent(struct deployment_run *run, struct text type, struct text name)
{
    const struct deployment *d = &run->deployment;
    struct text id = resource_id_build(run->arena, d->subscription_id, d->group, type, name);
    struct http_answer answer;
    int64_t started = clock_monotonic();
    deployment_run_request(run, HTTP_DELETE, type_target(run->arena, id, version_of(type)), TEXT_NONE, NULL,
                           &answer);
    if (answer.status >= 500 || answer.status == 429)
        return false;
    struct deployment_operation done = {.kind = "Delete",
                                        .state = answer.status < 300 ? "Succeeded" : "Failed",
                                        .target = id,
                                        .type = type,
                                        .name = name,
                                        .status = answer.status,
                                        .took = clock_monotonic() - started};
    if (answer.status >= 300) {
        struct buffer b = buffer_new(run->arena);
        json_begin_object(&b);
        json_key_raw(&b, "error", deployment_error_of(run->arena, answer.status, answer.body));
        json_end_object(&b);
        done.message = buffer_done(&b);
    }
    deployment_operation_add(run, &done);
    return true;
}

enum deployment_cleanup deployment_cleanup(struct deployment_run *run)
{
    const struct deployment *d = &run->deployment;
    const struct db_result *rows =
        DB_RUN(run->tx, &absent, db_int(d->group_id), db_int(d->id), db_int(DELETIONS_A_STEP));
    for (size_t i = 0; i < db_rows(rows) && !db_notes(run->tx); i++)
        if (!delete_absent(run, db_get(rows, i, 0), db_get(rows, i, 1)))
            return CLEANUP_LATER;
    if (db_rows(rows) > 0)
        return CLEANUP_SOME;
    return db_get_bool(DB_RUN(run->tx, &any_failed, db_int(d->id)), 0, 0) ? CLEANUP_FAILED : CLEANUP_DONE;
}
