// What must exist before a handler runs: the subscription in the caller's tenant, enabled for a write; the
// group. The registration is in registration.c.
#include "arm/door_parts.h"
#include "arm/locks.h"
#include "arm/move.h"
#include "arm/resource.h"

#include "base/arena.h"

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

static const struct db_result *looked(const struct arm_call *call)
{
    return ((const struct door_call *)call)->look;
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
        values[2] = db_text(text_lower(arena, text_of(call->type->namespace_name)));
    if (group && call->type->tracked && call->request->method == HTTP_PUT &&
        door_path_name(arena, call->request, &name)) {
        values[3] = db_text(text_lower(arena, TEXT_JOIN(arena, text_of(call->type->namespace_name), TEXT("/"),
                                                        text_of(call->type->name))));
        values[4] = db_text(text_lower(arena, name));
        values[5] = db_bool(true);
    }
    const struct db_result *row = db_run(call->tx, &look, values, sizeof values / sizeof values[0]);
    ((struct door_call *)call)->look = row;
    call->new_id = db_get_int(row, 0, NEW_ID);
    call->new_at = db_get_int(row, 0, NOW);
    return rbac_version_of(row, &call->version);
}

bool door_group(struct arm_call *call)
{
    if (!wants_group(call))
        return true;
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
    return door_group_unmoved(call, db_get(row, 0, GROUP_MOVED_BY));
}

struct text door_looked_registration(const struct arm_call *call)
{
    return wants_registration(call) ? db_get(looked(call), 0, REGISTRATION) : TEXT_NONE;
}
