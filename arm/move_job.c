// The job of a move: one step, one transaction, so that all of the resources move or none. Content,
// credentials, usage and login server belong to a resource's row and stay with it; grants at and below the
// old id go (decisions 4), since somebody may make that id again.
#include "arm/move.h"

#include "arm/asynchronous.h"
#include "arm/move_errors.h"
#include "arm/resource_id.h"
#include "base/arena.h"
#include "base/failpoint.h"
#include "rbac/roles.h"

#define NAMED "(select e.value::bigint from json_array_elements_text($2::json) e)"
// Children carry their parents' names in front of their own.
static const struct db_statement move_children = {
    "arm_move_children",
    "update arm.resource c set group_id = $3, subscription_id = $4::uuid, changed_at = clock_timestamp() "
    "from arm.resource p where p.group_id = $1 and p.id in " NAMED " and c.group_id = $1 "
    "and strpos(c.name_key, '/') > 0 and split_part(c.name_key, '/', 1) = p.name_key "
    "and starts_with(c.type_key, p.type_key || '/')"};
static const struct db_statement move_parents = {
    "arm_move_parents",
    "update arm.resource p set group_id = $3, subscription_id = $4::uuid, changed_at = clock_timestamp() "
    "where p.group_id = $1 and p.id in " NAMED};
static const struct db_statement release_groups = {
    "arm_move_release",
    "update arm.resource_group set moved_by = null where id in ($1, $2) and moved_by = $3::uuid"};

static bool read_payload(struct arena *arena, const struct job *job, struct move *move)
{
    json_t *payload = json_loadb(job->payload.base, job->payload.length, 0, NULL);
    const json_t *resources = json_object_get(payload, "resources");
    move->source.id = json_integer_value(json_object_get(payload, "source"));
    move->target.id = json_integer_value(json_object_get(payload, "target"));
    move->only_validate = json_is_true(json_object_get(payload, "validate"));
    move->count = json_array_size(resources);
    char *text = json_dumps(resources, JSON_COMPACT);
    bool sound = text && move->count > 0;
    move->resources = sound ? text_copy(arena, text_of(text)) : TEXT("[]");
    free(text);
    json_decref(payload);
    return sound;
}

static void move_all(struct db_transaction *tx, struct arena *arena, const struct move *move)
{
    const struct db_result *rows = move_rows(tx, move);
    for (size_t i = 0; i < db_rows(rows); i++)
        assignments_delete_below(tx, resource_id_build(arena, move->source.subscription_id, move->source.name,
                                                       db_get(rows, i, 1), db_get(rows, i, 2)));
    struct db_value values[] = {db_int(move->source.id), db_text(move->resources), db_int(move->target.id),
                                db_text(move->target.subscription_id)};
    db_run(tx, &move_children, values, 4);
    db_run(tx, &move_parents, values, 4);
}

static bool groups_there(struct arm_call *call, struct move *move)
{
    int64_t source = move->source.id;
    if (move_lock_groups(call->tx, call->arena, move))
        return true;
    arm_fail(call, 404, "ResourceGroupNotFound", FROM_GATEWAY,
             "The %s resource group of the move was deleted meanwhile.",
             source != 0 && move->source.id == 0 ? "source" : "target");
    return false;
}

enum job_verdict move_step(struct db_transaction *tx, struct job_step *step)
{
    // The checks are those of the request; what they need of a call is this.
    struct arm_call call = {.arena = step->arena, .tx = tx};
    struct move move = {0};
    int64_t source, target;
    if (!read_payload(step->arena, step->job, &move))
        arm_fail(&call, 500, "InternalServerError", FROM_GATEWAY, "The job's payload is malformed.");
    source = move.source.id;
    target = move.target.id;
    bool sound = !call.failed && groups_there(&call, &move) &&
                 move_none_in_progress(&call, &move.source, step->job->id) &&
                 move_none_in_progress(&call, &move.target, step->job->id) && move_acceptable(&call, &move);
    if (sound && !move.only_validate)
        move_all(tx, step->arena, &move);
    failpoint("move.step");
    DB_RUN(tx, &release_groups, db_int(source), db_int(target), db_string(step->job->id));
    if (!sound) {
        step->result = arm_job_failure(step->arena, call.failure);
        return JOB_REFUSED;
    }
    step->result = arm_job_answer(step->arena, 204, TEXT_NONE);
    return JOB_DONE;
}
