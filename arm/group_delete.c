// DELETE of a resource group and its job (arm-core 2.1): a few resources a step, children before parents,
// each with the assignments at and below it; then the group's assignments and its row.
#include "arm/group_delete.h"

#include "arm/door.h"
#include "arm/errors.h"
#include "arm/resource_id.h"
#include "base/arena.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "rbac/roles.h"

enum { RESOURCES_A_STEP = 20 };

// Creators hold the row `for key share` and read its state in that statement: this waits for them.
static const struct db_statement group_lock = {
    "arm_group_delete_lock", "select g.id, g.name, g.state from arm.resource_group g "
                             "where g.subscription_id = $1::uuid and g.name_key = $2 for update"};
static const struct db_statement group_mark = {
    "arm_group_mark",
    "update arm.resource_group set state = 'Deleting', changed_at = clock_timestamp() where id = $1"};
static const struct db_statement job_running = {
    "arm_group_job", "select j.id from azsacr.job j where j.kind = '" GROUP_DELETE_JOB "' and j.state in "
                     "('Pending', 'Running') and j.subscription_id = $1::uuid and j.payload->>'group' = $2"};

static const char *job_of(struct arm_call *call, int64_t group_id)
{
    const char *group = arena_printf(call->arena, "%lld", (long long)group_id);
    const struct db_result *running =
        DB_RUN(call->tx, &job_running, db_text(call->subscription_id), db_string(group));
    if (db_rows(running) > 0) // asked again while it goes on
        return text_cstr(call->arena, db_get(running, 0, 0));
    struct buffer b = buffer_new(call->arena);
    json_begin_object(&b);
    json_key_string(&b, "group", group);
    json_key_string(&b, "objectId", call->caller->object_id);
    json_end_object(&b);
    const char *subscription = text_cstr(call->arena, call->subscription_id);
    return job_create(call->tx, GROUP_DELETE_JOB, subscription, buffer_done(&b), 0);
}

void group_delete(struct arm_call *call)
{
    const struct db_result *row = DB_RUN(call->tx, &group_lock, db_text(call->subscription_id),
                                         db_text(text_lower(call->arena, call->group)));
    if (db_rows(row) == 0) {
        arm_fail(call, ARM_RESOURCE_GROUP_NOT_FOUND, TEXT_ARG(call->group));
        return;
    }
    int64_t id = db_get_int(row, 0, 0);
    DB_RUN(call->tx, &group_mark, db_int(id));
    const char *job = job_of(call, id);
    if (!job || db_failed(call->tx))
        return;
    const char *path = operation_result_path(call->arena, call->subscription_id, job, call->api_version);
    http_set_header_string(call->answer, "Location", arm_url(call, path));
    arm_reply_empty(call, 202);
}

static const struct db_statement group_of_job = {
    "arm_group_of_job",
    "select g.subscription_id, g.name from arm.resource_group g where g.id = $1 for update"};
// Children stand behind their parents in "registry/hook": those with more slashes go first.
static const struct db_statement resources_of_group = {
    "arm_group_resources",
    "select r.id, r.type, r.name from arm.resource r where r.group_id = $1 "
    "order by length(r.name) - length(replace(r.name, '/', '')) desc, r.id limit $2 for update"};
static const struct db_statement resource_remove = {"arm_group_resource_remove",
                                                    "delete from arm.resource where id = $1"};
static const struct db_statement group_remove = {"arm_group_remove",
                                                 "delete from arm.resource_group where id = $1"};

static bool group_id_of(const struct job *job, int64_t *id)
{
    json_t *payload = json_loadb(job->payload.base, job->payload.length, 0, NULL);
    bool sound = text_to_int64(text_of(json_string_value(json_object_get(payload, "group"))), id);
    json_decref(payload);
    return sound;
}

static void delete_resource(struct db_transaction *tx, struct arena *arena, struct text scope, int64_t id,
                            struct text type_name)
{
    ptrdiff_t slash = text_find(type_name, '/');
    const struct arm_type *type =
        slash < 0 ? NULL
                  : arm_type_find(text_slice(type_name, 0, (size_t)slash),
                                  text_slice(type_name, (size_t)slash + 1, type_name.length));
    if (type && type->delete_row)
        type->delete_row(tx, id, scope);
    else
        log_error("group_delete.type_unknown", "type", text_cstr(arena, type_name));
    assignments_delete_below(tx, scope);
    DB_RUN(tx, &resource_remove, db_int(id));
}

enum job_verdict group_delete_step(struct db_transaction *tx, struct job_step *step)
{
    int64_t id;
    step->result = TEXT("{}");
    if (!group_id_of(step->job, &id)) {
        step->result =
            TEXT("{\"code\":\"InternalServerError\",\"message\":\"The job's payload is malformed.\"}");
        return JOB_FAILED;
    }
    const struct db_result *group = DB_RUN(tx, &group_of_job, db_int(id));
    if (db_rows(group) == 0)
        return JOB_DONE; // an earlier step's commit was not seen
    const struct db_result *resources = DB_RUN(tx, &resources_of_group, db_int(id), db_int(RESOURCES_A_STEP));
    struct text subscription = db_get(group, 0, 0), name = db_get(group, 0, 1);
    for (size_t i = 0; i < db_rows(resources); i++)
        delete_resource(tx, step->arena,
                        resource_id_build(step->arena, subscription, name, db_get(resources, i, 1),
                                          db_get(resources, i, 2)),
                        db_get_int(resources, i, 0), db_get(resources, i, 1));
    failpoint("group-delete.step");
    if (db_rows(resources) == RESOURCES_A_STEP)
        return JOB_AGAIN;
    assignments_delete_below(tx, resource_id_of_group(step->arena, subscription, name));
    DB_RUN(tx, &group_remove, db_int(id));
    return JOB_DONE;
}

const struct job_kind arm_job_kinds[] = {{GROUP_DELETE_JOB, group_delete_step}, {NULL, NULL}};
