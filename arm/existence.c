// What must exist before a handler runs: the subscription in the caller's tenant, enabled for a write; the
// group. The registration is in registration.c.
#include "arm/door_parts.h"
#include "arm/move.h"

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

static const struct db_statement group_find = {
    "arm_group_find", "select g.id, g.name, g.location, g.state, g.moved_by from arm.resource_group g "
                      "where g.subscription_id = $1::uuid and g.name_key = $2"};

bool door_group(struct arm_call *call)
{
    unsigned flags = call->operation->flags;
    if (!call->group.base || (flags & ARM_NO_GROUP_CHECK))
        return true;
    const struct db_result *row = DB_RUN(call->tx, &group_find, db_text(call->subscription_id),
                                         db_text(text_lower(call->arena, call->group)));
    if (db_rows(row) == 0) {
        arm_fail(call, ARM_RESOURCE_GROUP_NOT_FOUND, TEXT_ARG(call->group));
        return false;
    }
    call->group_id = db_get_int(row, 0, 0);
    call->group_stored = text_copy(call->arena, db_get(row, 0, 1));
    call->group_location = text_copy(call->arena, db_get(row, 0, 2));
    if (door_writes(call) && !(flags & ARM_DELETING_OK) && text_is(db_get(row, 0, 3), "Deleting")) {
        arm_fail(call, ARM_RESOURCE_GROUP_BEING_DELETED, TEXT_ARG(call->group_stored));
        return false;
    }
    return door_group_unmoved(call, db_get(row, 0, 4));
}
