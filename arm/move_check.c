// What stands against a move in the database: groups, resources, names, registrations, locks. The request and
// its job ask the same.
#include "arm/move.h"

#include "arm/locks.h"
#include "arm/move_errors.h"
#include "arm/provider.h"
#include "arm/resource_id.h"
#include "arm/types.h"

#include "base/arena.h"

static const struct db_statement lock_groups = {
    "arm_move_lock_groups",
    "select g.id, g.subscription_id, g.name, g.state, g.moved_by from arm.resource_group g "
    "where g.id in ($1, $2) order by g.id for update"};
#define NAMED "(select e.value::bigint from json_array_elements_text($2::json) e)"
static const struct db_statement rows_of = {
    "arm_move_rows",
    "select r.id, r.type, r.name, r.state from arm.resource r where r.group_id = $1 and r.id in " NAMED
    " order by r.id for update of r"};
static const struct db_statement names_taken = {
    "arm_move_names_taken",
    "select r.type, r.name from arm.resource r join arm.resource t on t.group_id = $3 and t.type_key = "
    "r.type_key and t.name_key = r.name_key where r.group_id = $1 and r.id in " NAMED
    " order by r.id limit 20"};
static const struct db_statement job_goes_on = {
    "arm_move_goes_on",
    "select 1 from azsacr.job j where j.id = $1::uuid and j.state in ('Pending', 'Running')"};

bool move_lock_groups(struct db_transaction *tx, struct arena *arena, struct move *move)
{
    const struct db_result *rows = DB_RUN(tx, &lock_groups, db_int(move->source.id), db_int(move->target.id));
    struct move_group *groups[] = {&move->source, &move->target};
    for (size_t g = 0; g < 2; g++) {
        int64_t id = groups[g]->id;
        *groups[g] = (struct move_group){0};
        for (size_t i = 0; i < db_rows(rows); i++)
            if (db_get_int(rows, i, 0) == id)
                *groups[g] = (struct move_group){
                    .id = id,
                    .subscription_id = text_copy(arena, db_get(rows, i, 1)),
                    .name = text_copy(arena, db_get(rows, i, 2)),
                    .deleting = text_is(db_get(rows, i, 3), "Deleting"),
                    .moved_by = db_is_null(rows, i, 4) ? NULL : text_cstr(arena, db_get(rows, i, 4))};
    }
    return move->source.id != 0 && move->target.id != 0;
}

const struct db_result *move_rows(struct db_transaction *tx, const struct move *move)
{
    return DB_RUN(tx, &rows_of, db_int(move->source.id), db_text(move->resources));
}

bool move_none_in_progress(struct arm_call *call, const struct move_group *group, const char *own)
{
    if (!group->moved_by || (own && strcmp(group->moved_by, own) == 0) ||
        db_rows(DB_RUN(call->tx, &job_goes_on, db_string(group->moved_by))) == 0)
        return true;
    arm_fail(call, ARM_MOVE_IN_PROGRESS, TEXT_ARG(group->name));
    return false;
}

// Reads and actions go on: the resources themselves are not frozen.
bool door_group_unmoved(struct arm_call *call, struct text moved_by)
{
    if (!moved_by.base || !(call->request->method & (HTTP_PUT | HTTP_PATCH | HTTP_DELETE)))
        return true;
    struct move_group group = {.name = call->group_stored, .moved_by = text_cstr(call->arena, moved_by)};
    return move_none_in_progress(call, &group, NULL);
}

static bool group_stays(struct arm_call *call, const struct move_group *group)
{
    if (group->deleting)
        arm_fail(call, ARM_RESOURCE_GROUP_BEING_DELETED, TEXT_ARG(group->name));
    return !call->failed;
}

static struct text old_id(struct arm_call *call, const struct move *move, const struct db_result *rows,
                          size_t i)
{
    return resource_id_build(call->arena, move->source.subscription_id, move->source.name, db_get(rows, i, 1),
                             db_get(rows, i, 2));
}

static bool still_there(struct arm_call *call, const struct move *move, const struct db_result *rows)
{
    if (db_rows(rows) == move->count)
        return true;
    arm_fail(call, 404, "ResourceNotFound", FROM_GATEWAY,
             "A resource of the move was deleted meanwhile: '%zu' of '%zu' are left under resource group "
             "'%.*s'.",
             db_rows(rows), move->count, TEXT_ARG(move->source.name));
    return false;
}

static bool settled(struct arm_call *call, const struct move *move, const struct db_result *rows)
{
    for (size_t i = 0; i < db_rows(rows); i++) {
        if (text_is(db_get(rows, i, 3), "Succeeded"))
            continue;
        arm_fail(call, ARM_MOVE_VALIDATION_FAILED);
        struct text id = old_id(call, move, rows, i);
        arm_fail_detail(
            call, "MoveCannotProceedWithResourcesNotInSucceededState", text_cstr(call->arena, id),
            arena_printf(call->arena,
                         "The resource '%.*s' is in the provisioning state '%.*s'; only resources "
                         "in the state 'Succeeded' are moved.",
                         TEXT_ARG(id), TEXT_ARG(db_get(rows, i, 3))));
    }
    return !call->failed;
}

static bool names_free(struct arm_call *call, const struct move *move)
{
    const struct db_result *taken = DB_RUN(call->tx, &names_taken, db_int(move->source.id),
                                           db_text(move->resources), db_int(move->target.id));
    for (size_t i = 0; i < db_rows(taken); i++) {
        struct text id = resource_id_build(call->arena, move->target.subscription_id, move->target.name,
                                           db_get(taken, i, 0), db_get(taken, i, 1));
        arm_fail(call, ARM_MOVE_VALIDATION_FAILED);
        arm_fail_detail(call, "ResourceAlreadyExists", text_cstr(call->arena, id),
                        arena_printf(call->arena, "The resource '%.*s' exists in the target resource group.",
                                     TEXT_ARG(id)));
    }
    return !call->failed;
}

static bool registered(struct arm_call *call, const struct move *move, const struct db_result *rows)
{
    if (text_equal(move->source.subscription_id, move->target.subscription_id))
        return true;
    struct arm_call there = {
        .arena = call->arena, .tx = call->tx, .subscription_id = move->target.subscription_id};
    const char *last = "";
    arm_locks_hold(call->tx, there.subscription_id); // against an unregistering
    for (size_t i = 0; i < db_rows(rows) && !call->failed; i++) {
        struct text type = db_get(rows, i, 1);
        const char *name;
        ptrdiff_t slash = text_find(type, '/');
        if (slash < 0 || !arm_namespace_known(text_slice(type, 0, (size_t)slash), &name) ||
            strcmp(name, last) == 0)
            continue;
        last = name;
        if (strcmp(registration_state(&there, name), "Registered") == 0)
            continue;
        arm_fail(call, ARM_MISSING_REGISTRATION, name);
        arm_fail_detail(call, call->failure->code, name, call->failure->message);
    }
    return !call->failed;
}

// What is deleted with the old id, its role assignments too, a lock may hold; and the target takes nothing
// while it is read-only.
static bool unlocked(struct arm_call *call, const struct move *move, const struct db_result *rows)
{
    for (size_t i = 0; i < db_rows(rows); i++) {
        struct text id = old_id(call, move, rows, i);
        struct text locked =
            arm_locks_against_delete(call->tx, call->arena, move->source.subscription_id, id);
        if (!locked.base)
            continue;
        arm_fail(call, ARM_SCOPE_LOCKED, TEXT_ARG(id), "delete", TEXT_ARG(locked));
        return false;
    }
    struct text target = resource_id_of_group(call->arena, move->target.subscription_id, move->target.name);
    struct text locked = arm_locks_against_write(call->tx, call->arena, move->target.subscription_id, target);
    if (locked.base)
        arm_fail(call, ARM_SCOPE_LOCKED, TEXT_ARG(target), "write", TEXT_ARG(locked));
    return !call->failed;
}

bool move_acceptable(struct arm_call *call, const struct move *move)
{
    if (!group_stays(call, &move->source) || !group_stays(call, &move->target))
        return false;
    const struct db_result *rows = move_rows(call->tx, move);
    return still_there(call, move, rows) && settled(call, move, rows) && registered(call, move, rows) &&
           unlocked(call, move, rows) && names_free(call, move);
}
