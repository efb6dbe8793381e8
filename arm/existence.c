// What must exist before a handler runs: the subscription in the caller's tenant, enabled for a write; the
// group. The registration is in registration.c.
#include "arm/door_parts.h"
#include "arm/locks.h"
#include "arm/move.h"
#include "arm/provider.h"
#include "arm/resource.h"
#include "arm/seen_groups.h"

#include "base/arena.h"
#include "base/clock.h"

#include <stdio.h>

bool door_writes(const struct arm_call *call)
{
    if (call->operation && (call->operation->flags & ARM_READ_COUNT))
        return false;
    return (call->request->method & (HTTP_PUT | HTTP_PATCH | HTTP_POST | HTTP_DELETE)) != 0;
}

bool door_subscription(struct arm_call *call)
{
    struct text id = call->subscription_id;
    if (!id.base)
        return true;
    if (!uuid_is(id)) {
        arm_fail(call, ARM_INVALID_SUBSCRIPTION_ID, TEXT_ARG(id));
        return false;
    }
    const struct rbac_subscription *subscription = rbac_subscription_by_id(call->snapshot, id);
    if (!subscription)
        arm_fail(call, ARM_SUBSCRIPTION_NOT_FOUND, TEXT_ARG(id));
    else if (strcmp(subscription->tenant_id, call->caller->tenant_id) != 0)
        door_fail_tenant(call, subscription->tenant_id);
    return !call->failed;
}

// After the rights: who may not write there learns nothing of the subscription's state.
bool door_subscription_writable(struct arm_call *call)
{
    if (!call->subscription_id.base || !door_writes(call))
        return true;
    const struct rbac_subscription *subscription =
        rbac_subscription_by_id(call->snapshot, call->subscription_id);
    if (!subscription)
        arm_fail(call, ARM_SUBSCRIPTION_NOT_FOUND, TEXT_ARG(call->subscription_id));
    else if (!subscription->enabled)
        arm_fail(call, ARM_SUBSCRIPTION_DISABLED, TEXT_ARG(call->subscription_id));
    return !call->failed;
}

// One look at all that the door and a PUT's handler ask first. Later columns are null where they were not
// asked for or are not there; a resource that is not there is given an id for the row that may come, and its
// group's lock is shared. Advisory locks of a null are none. "only" tells the planner that there is one
// version; subqueries and not joins, for they start in less time and look a resource up by all of its key,
// however few there are.
static const struct db_statement look = {
    "arm_door_look",
    "select " RBAC_VERSION_COLUMNS ", g.id, g.name, g.location, g.state, g.moved_by, "
    "(select p.state from arm.provider_registration p where p.subscription_id = $1::uuid and "
    "p.namespace_key = $3), "
    "g.new_id, (date_part('epoch', clock_timestamp()) * 1000000)::bigint, "
    "pg_advisory_xact_lock_shared(" ARM_LOCKS_KEY("$7") ")::text, " ARM_GROUP_SHARED(
        "case when g.new_id is not null then g.id end") "::text "
                                                        "from rbac.version v left join (select g.id, g.name, "
                                                        "g.location, g.state, g.moved_by, "
                                                        "case when $6 and not exists (select from "
                                                        "arm.resource e where e.group_id = g.id and "
                                                        "e.type_key = $4 "
                                                        "and e.name_key = $5) then "
                                                        "nextval('arm.resource_id_seq') end as new_id from "
                                                        "arm.resource_group g "
                                                        "where g.subscription_id = $1::uuid and g.name_key = "
                                                        "$2) g on true where v.\"only\""};
enum column {
    GROUP_ID = 2,
    GROUP_NAME,
    GROUP_LOCATION,
    GROUP_STATE,
    GROUP_MOVED_BY,
    REGISTRATION,
    NEW_ID,
    NOW
};

static bool wants_group(const struct arm_call *call)
{
    return call->group.base && !(call->operation->flags & ARM_NO_GROUP_CHECK);
}

static bool wants_registration(const struct arm_call *call)
{
    return !call->type->arm_owned && call->subscription_id.base && door_writes(call) &&
           !(call->operation->flags & ARM_UNREGISTERED_OK);
}

static struct text namespace_key(const struct arm_call *call)
{
    return text_lower(call->arena, text_of(call->type->namespace_name));
}

static const struct db_result *looked(const struct arm_call *call)
{
    return ((const struct door_call *)call)->look;
}

// In place of a look, for the create of a resource in a group that was seen a moment ago: the locks as the
// look takes them. That the group and the registration are as they were, and that there is no such resource,
// is the create's own to see (ARM_RESOURCE_CREATE): a statement sees nothing of whom it waited for.
static const struct db_statement enter = {"arm_door_enter",
                                          "select pg_advisory_xact_lock_shared(" ARM_LOCKS_KEY(
                                              "$1") ")::text, " ARM_GROUP_SHARED("$2::bigint") "::text"};

// Takes for granted that there is no such resource. False: have a look.
static bool assume(struct arm_call *call, const struct db_value *values)
{
    struct door_call *door = (struct door_call *)call;
    struct seen_group *seen = ARENA_NEW(call->arena, struct seen_group);
    const struct rbac_snapshot *snapshot = rbac_snapshot_at_hand();
    if (!snapshot)
        return false;
    call->version = *rbac_snapshot_version(snapshot);
    rbac_snapshot_release(snapshot);
    if (!seen_group_find(call->subscription_id, values[1].text, namespace_key(call), seen) ||
        !DB_DEFER(call->tx, &enter, values[6], db_int(seen->id)))
        return false;
    call->new_id = seen_group_new_id();
    call->new_at = seen->database_time + clock_monotonic() - seen->at;
    door->seen = call->new_id != 0 ? seen : NULL;
    return door->seen != NULL;
}

static void put(char *to, size_t size, struct text t)
{
    snprintf(to, size, "%.*s", TEXT_ARG(t));
}

// What the look of a PUT found, for those that come after it.
static void remember(const struct arm_call *call, const struct db_value *values, const struct db_result *row)
{
    struct text state = door_looked_registration(call);
    if (db_is_null(row, 0, GROUP_ID))
        return;
    if (call->new_id == 0) {
        seen_group_forget(call->subscription_id, values[1].text);
        return;
    }
    if (text_is(db_get(row, 0, GROUP_STATE), "Deleting") || !db_is_null(row, 0, GROUP_MOVED_BY) ||
        (wants_registration(call) &&
         !text_is(state.base ? state : text_of(registration_initial()), "Registered")))
        return;
    struct seen_group seen = {
        .id = db_get_int(row, 0, GROUP_ID), .at = clock_monotonic(), .database_time = call->new_at};
    put(seen.subscription_id, sizeof seen.subscription_id, call->subscription_id);
    put(seen.namespace_key, sizeof seen.namespace_key, namespace_key(call));
    put(seen.key, sizeof seen.key, values[1].text);
    put(seen.name, sizeof seen.name, db_get(row, 0, GROUP_NAME));
    put(seen.location, sizeof seen.location, db_get(row, 0, GROUP_LOCATION));
    seen_group_remember(&seen, call->new_id);
}

bool door_look(struct arm_call *call)
{
    struct arena *arena = call->arena;
    struct text locked = arm_locks_matter(call) ? call->subscription_id : TEXT_NONE;
    struct db_value values[] = {db_null(), db_null(),      db_null(),      db_null(),
                                db_null(), db_bool(false), db_text(locked)};
    bool group = call->operation && uuid_is(call->subscription_id) && wants_group(call);
    bool registration = call->operation && uuid_is(call->subscription_id) && wants_registration(call);
    struct text name;
    if (!group && !registration)
        return arm_locks_enter(call->tx, locked, &call->version);
    values[0] = db_text(call->subscription_id);
    if (group)
        values[1] = db_text(text_lower(arena, call->group));
    if (registration)
        values[2] = db_text(namespace_key(call));
    if (group && call->type->tracked && call->request->method == HTTP_PUT &&
        door_path_name(arena, call->request, &name)) {
        values[3] = db_text(text_lower(arena, TEXT_JOIN(arena, text_of(call->type->namespace_name), TEXT("/"),
                                                        text_of(call->type->name))));
        values[4] = db_text(text_lower(arena, name));
        values[5] = db_bool(true);
        if (assume(call, values))
            return true;
    }
    const struct db_result *row = db_run(call->tx, &look, values, sizeof values / sizeof values[0]);
    ((struct door_call *)call)->look = row;
    call->new_id = db_get_int(row, 0, NEW_ID);
    call->new_at = db_get_int(row, 0, NOW);
    if (values[5].number && !call->trial)
        remember(call, values, row);
    return rbac_version_of(row, &call->version);
}

bool door_group(struct arm_call *call)
{
    if (!wants_group(call))
        return true;
    const struct seen_group *seen = ((const struct door_call *)call)->seen;
    if (seen) {
        call->group_id = seen->id;
        call->group_stored = text_of(seen->name);
        call->group_location = text_of(seen->location);
        call->group_moved_by = TEXT_NONE;
        return true;
    }
    const struct db_result *row = looked(call);
    if (db_is_null(row, 0, GROUP_ID)) {
        arm_fail(call, ARM_RESOURCE_GROUP_NOT_FOUND, TEXT_ARG(call->group));
        return false;
    }
    call->group_id = db_get_int(row, 0, GROUP_ID);
    call->group_stored = text_copy(call->arena, db_get(row, 0, GROUP_NAME));
    call->group_location = text_copy(call->arena, db_get(row, 0, GROUP_LOCATION));
    if (door_writes(call) && !(call->operation->flags & ARM_DELETING_OK) &&
        text_is(db_get(row, 0, GROUP_STATE), "Deleting")) {
        arm_fail(call, ARM_RESOURCE_GROUP_BEING_DELETED, TEXT_ARG(call->group_stored));
        return false;
    }
    call->group_moved_by = db_is_null(row, 0, GROUP_MOVED_BY)
                               ? TEXT_NONE
                               : text_copy(call->arena, db_get(row, 0, GROUP_MOVED_BY));
    return door_group_unmoved(call, call->group_moved_by);
}

struct text door_looked_registration(const struct arm_call *call)
{
    if (((const struct door_call *)call)->seen)
        return TEXT("Registered");
    return wants_registration(call) ? db_get(looked(call), 0, REGISTRATION) : TEXT_NONE;
}
