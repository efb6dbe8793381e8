// What must exist before a handler runs: the subscription in the caller's tenant, the group, the
// registration.
#include "arm/door_parts.h"

#include "base/arena.h"

static bool writes(const struct arm_call *call)
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
    else if (!subscription->enabled && (call->request->method & ~(unsigned)(HTTP_GET | HTTP_HEAD)))
        arm_fail(call, ARM_SUBSCRIPTION_DISABLED, TEXT_ARG(id));
    return !call->failed;
}

static const struct db_statement group_find = {
    "arm_group_find", "select g.id, g.name, g.location, g.state from arm.resource_group g "
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
    if (writes(call) && !(flags & ARM_DELETING_OK) && text_is(db_get(row, 0, 3), "Deleting")) {
        arm_fail(call, ARM_RESOURCE_GROUP_BEING_DELETED, TEXT_ARG(call->group_stored));
        return false;
    }
    return true;
}

static const struct db_statement registration_find = {
    "arm_registration_find", "select r.state from arm.provider_registration r "
                             "where r.subscription_id = $1::uuid and r.namespace_key = $2"};

bool door_registration(struct arm_call *call)
{
    const struct arm_type *type = call->type;
    if (type->arm_owned || !call->subscription_id.base || !writes(call) ||
        (call->operation->flags & ARM_UNREGISTERED_OK))
        return true;
    struct text key = text_lower(call->arena, text_of(type->namespace_name));
    const struct db_result *row =
        DB_RUN(call->tx, &registration_find, db_text(call->subscription_id), db_text(key));
    if (db_rows(row) == 0 || !text_is(db_get(row, 0, 0), "Unregistered"))
        return true;
    arm_fail(call, ARM_MISSING_REGISTRATION, type->namespace_name);
    arm_fail_detail(call, call->failure->code, type->namespace_name, call->failure->message);
    return false;
}
