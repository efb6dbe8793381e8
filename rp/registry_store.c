// Writes acr.registry: the row that names a login server, holds its sealed credentials and its settings.
#include "rp/registry_store.h"

#include "base/arena.h"
#include "base/crypto.h"
#include "rp/data/content.h"

#include <string.h>

enum { PASSWORD_LENGTH = 32, RID_BYTES = 16 };

// Two creators of one name: the second waits for the first's commit and then finds it taken.
#define CREATE(condition)                                                                                    \
    ARM_RESOURCE_CREATE                                                                                      \
    ", r as (insert into acr.registry (id, rid, login_key, admin_enabled, password, password2, "             \
    "quarantine_status, trust_status, retention_days, retention_status, retention_updated_at, created_at) "  \
    "select e.id, $18, $7, $19::boolean, $20::bytea, $21::bytea, $22, $23, $24::integer, "                   \
    "$25, " ARM_RESOURCE_CREATE_TIME ", " ARM_RESOURCE_CREATE_TIME " from e " condition                      \
    "on conflict (login_key) do nothing returning id) "
static const struct db_statement create_statement = {
    "registry_create", CREATE("") "select (select count(*) from e), (select count(*) from r)"};
static const struct db_statement create_at_commit_statement = {
    "registry_create_at_commit",
    CREATE("where not exists (select from acr.subscription_quota q where q.subscription_id = $3::uuid "
           "and q.registries is not null) ") "select case when exists (select from r) then 0 else "
                                             "azsacr.again() end"};
// The quota's row is held: creators of one subscription follow each other, where it limits their number.
static const struct db_statement quota_statement = {
    "registry_number_quota", "select registries from acr.subscription_quota"
                             " where subscription_id = $1 and registries is not null for update"};
static const struct db_statement number_statement = {
    "registry_number",
    "select count(*) from arm.resource where subscription_id = $1 and type_key = '" REGISTRY_TYPE_KEY "'"};
static const struct db_statement update_statement = {
    "registry_update",
    "update acr.registry r set "
    "password_stamp = password_stamp + case when admin_enabled <> $2 then 1 else 0 end, "
    "password2_stamp = password2_stamp + case when admin_enabled <> $2 then 1 else 0 end, "
    "admin_enabled = $2, quarantine_status = $3, trust_status = $4, retention_days = $5, retention_status = "
    "$6, "
    "retention_updated_at = case when $7 then clock_timestamp() else retention_updated_at end "
    "where id = $1 returning " REGISTRY_MICROSECONDS("retention_updated_at")};
static const struct db_statement delete_statement = {"registry_delete",
                                                     "delete from acr.registry where id = $1"};

struct text registry_password_new(struct arena *arena, int64_t id, const char *column)
{
    const char *where = arena_printf(arena, "acr.registry/%lld/%s", (long long)id, column);
    return master_key_seal(site()->master_key, arena, "registry-password", where,
                           text_of(crypto_random_password(arena, PASSWORD_LENGTH)));
}

static struct text new_rid(struct arena *arena)
{
    unsigned char bytes[RID_BYTES];
    crypto_random(bytes, sizeof bytes);
    return text_hex(arena, bytes, sizeof bytes);
}

static bool number_allowed(struct db_transaction *tx, struct text subscription_id)
{
    const struct db_result *quota = DB_RUN(tx, &quota_statement, db_text(subscription_id));
    if (db_rows(quota) == 0)
        return true;
    const struct db_result *number = DB_RUN(tx, &number_statement, db_text(subscription_id));
    return db_rows(number) == 0 || db_get_int(number, 0, 0) < db_get_int(quota, 0, 0);
}

enum registry_made registry_rows_create(struct arm_call *call, struct registry_resource *registry)
{
    enum { COUNT = ARM_RESOURCE_CREATE_VALUES + 8 };
    struct db_value values[COUNT];
    struct registry_settings *settings = &registry->settings;
    if (!arm_resource_new_id(call))
        return REGISTRY_NOT_MADE;
    arm_resource_create_values(call, &registry->envelope, values);
    settings->retention_updated_at = registry->envelope.created_at;
    struct db_value own[] = {
        db_text(new_rid(call->arena)),
        db_bool(settings->admin_enabled),
        db_bytes(registry_password_new(call->arena, registry->envelope.id, "password")),
        db_bytes(registry_password_new(call->arena, registry->envelope.id, "password2")),
        db_text(settings->quarantine_status),
        db_text(settings->trust_status),
        db_int(settings->retention_days),
        db_text(settings->retention_status),
    };
    memcpy(values + ARM_RESOURCE_CREATE_VALUES, own, sizeof own);
    if (db_defer(call->tx, &create_at_commit_statement, values, COUNT))
        return REGISTRY_MADE;
    if (!number_allowed(call->tx, call->subscription_id))
        return REGISTRY_OVER_QUOTA;
    const struct db_result *made = db_run(call->tx, &create_statement, values, COUNT);
    if (db_get_int(made, 0, 1) == 1)
        return REGISTRY_MADE;
    if (db_get_int(made, 0, 0) == 1)
        return REGISTRY_NAME_TAKEN;
    db_retry(call->tx);
    return REGISTRY_NOT_MADE;
}

void registry_rows_update(struct arm_call *call, int64_t id, bool policies,
                          struct registry_settings *settings)
{
    const struct db_result *row =
        DB_RUN(call->tx, &update_statement, db_int(id), db_bool(settings->admin_enabled),
               db_text(settings->quarantine_status), db_text(settings->trust_status),
               db_int(settings->retention_days), db_text(settings->retention_status), db_bool(policies));
    settings->retention_updated_at = db_get_int(row, 0, 0);
}

void registry_rows_delete(struct db_transaction *tx, int64_t id)
{
    DB_RUN(tx, &delete_statement, db_int(id));
    registry_content_drop(tx, id);
}
