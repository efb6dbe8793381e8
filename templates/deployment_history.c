// How many records a scope keeps (arm-templates 6, "History"): a group's oldest go by themselves when there
// are more than 775, down to 750, as far as the one whose request it is may delete them.
#include "templates/deployment.h"
#include "templates/deployment_errors.h"

#include "arm/resource_id.h"
#include "base/arena.h"

static const struct db_statement count_rows = {
    "deployment_count", "select count(*) from arm.deployment d where d.subscription_id = $1::uuid and "
                        "coalesce(d.group_id, 0) = $2"};
// Those that run, those that are nested in one that runs, and those that one that runs would go back to,
// stay.
static const struct db_statement remove_oldest = {
    "deployment_remove_oldest",
    "delete from arm.deployment where id in (select d.id from arm.deployment d where d.subscription_id = "
    "$1::uuid "
    "and coalesce(d.group_id, 0) = $2 and d.state not in ('Accepted', 'Running') and not exists (select from "
    "arm.deployment r where r.id = d.root_id and r.state in ('Accepted', 'Running')) and not exists (select "
    "from arm.deployment b where b.subscription_id = $1::uuid and b.group_id = d.group_id and b.state in "
    "('Accepted', 'Running') and lower(b.on_error_name) = d.name_key) and d.name_key <> coalesce($4, '') "
    "order by d.changed_at, d.id limit $3 for update skip locked)"};

static int64_t history(struct arm_call *call)
{
    return db_get_int(DB_RUN(call->tx, &count_rows, db_text(call->subscription_id), db_int(call->group_id)),
                      0, 0);
}

// A lock of the group, of its subscription or of all: also one that only forbids deletions.
static bool locked(struct arm_call *call, struct text scope)
{
    for (size_t i = 1; i <= scope.length && rbac_any_lock(call->snapshot); i++) {
        if (i < scope.length && scope.base[i] != '/')
            continue;
        const struct rbac_lock *lock = rbac_lock_at(call->snapshot, text_slice(scope, 0, i));
        if (lock && lock->scope.base)
            return true;
    }
    return false;
}

// `kept`: a name that stays; absent: none.
static int64_t groomed(struct arm_call *call, struct text kept)
{
    int64_t count = history(call);
    if (count <= DEPLOYMENT_GROOM_ABOVE || call->group_id == 0)
        return count;
    struct text scope = resource_id_of_group(call->arena, call->subscription_id, call->group_stored);
    if (!arm_may(call, DEPLOYMENT_TYPE "/delete", scope) || locked(call, scope))
        return count;
    const struct db_result *gone = DB_RUN(call->tx, &remove_oldest, db_text(call->subscription_id),
                                          db_int(call->group_id), db_int(count - DEPLOYMENT_GROOM_TO),
                                          db_text(kept.base ? text_lower(call->arena, kept) : TEXT_NONE));
    return count - (int64_t)db_affected(gone);
}

void deployment_groom(struct arm_call *call)
{
    groomed(call, TEXT_NONE);
}

bool deployment_room(struct arm_call *call, const struct deployment *deployment)
{
    int64_t count = groomed(call, deployment->on_error_name);
    if (count < DEPLOYMENT_QUOTA)
        return true;
    arm_fail(call, DEPLOYMENT_QUOTA_EXCEEDED, TEXT_ARG(deployment->name), DEPLOYMENT_QUOTA, (long long)count);
    return false;
}
