// DELETE of a resource group (arm-core 2.1): marks it and makes the job, or points at the one that runs. The
// right is decided here, once: the job acts for who asked, also when that right goes with the group.
#include "arm/group_delete.h"

#include "arm/asynchronous.h"
#include "arm/move.h"
#include "base/arena.h"

// Creators hold the row `for key share` and read its state in that statement: this waits for them.
static const struct db_statement group_lock = {
    "arm_group_delete_lock", "select g.id, g.state, g.name, g.moved_by from arm.resource_group g "
                             "where g.subscription_id = $1::uuid and g.name_key = $2 for update"};
static const struct db_statement group_mark = {
    "arm_group_mark",
    "update arm.resource_group set state = 'Deleting', changed_at = clock_timestamp() where id = $1"};
static const struct db_statement job_running = {
    "arm_group_job", "select j.id from azsacr.job j where j.kind = '" GROUP_DELETE_JOB "' and j.state in "
                     "('Pending', 'Running') and j.subscription_id = $1::uuid and j.payload->>'group' = $2"};

static struct text payload_of(struct arm_call *call, const char *group)
{
    struct buffer b = buffer_new(call->arena);
    json_begin_object(&b);
    json_key_string(&b, "group", group);
    json_key_string(&b, "objectId", call->caller->object_id); // the release before this one looks for it here
    json_end_object(&b);
    return buffer_done(&b);
}

void group_delete(struct arm_call *call)
{
    const struct db_result *row = DB_RUN(call->tx, &group_lock, db_text(call->subscription_id),
                                         db_text(text_lower(call->arena, call->group)));
    if (db_rows(row) == 0) {
        arm_fail(call, ARM_RESOURCE_GROUP_NOT_FOUND, TEXT_ARG(call->group));
        return;
    }
    call->group_stored = text_copy(call->arena, db_get(row, 0, 2));
    if (!door_group_unmoved(call, db_get(row, 0, 3)))
        return;
    int64_t id = db_get_int(row, 0, 0);
    const char *group = arena_printf(call->arena, "%lld", (long long)id);
    if (text_is(db_get(row, 0, 1), "Deleting")) { // asked again while it goes on
        const struct db_result *running =
            DB_RUN(call->tx, &job_running, db_text(call->subscription_id), db_string(group));
        if (db_rows(running) > 0) {
            arm_poll_headers(call, text_cstr(call->arena, db_get(running, 0, 0)), ARM_BY_LOCATION);
            arm_reply_empty(call, 202);
            return;
        }
    }
    DB_RUN(call->tx, &group_mark, db_int(id));
    arm_accept(call, GROUP_DELETE_JOB, payload_of(call, group), ARM_BY_LOCATION);
}
