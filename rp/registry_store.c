// Writes acr.registry: the row that names a login server, holds its sealed credentials and its settings.
#include "rp/registry_store.h"

#include "base/arena.h"
#include "base/crypto.h"
#include "rp/data/content.h"

enum { PASSWORD_LENGTH = 32, RID_BYTES = 16 };

// Two creators of one name: the second waits for the first's commit and then finds it taken.
static const struct db_statement insert_statement = {
    "registry_insert",
    "insert into acr.registry (id, rid, login_key, admin_enabled, password, password2, quarantine_status, "
    "trust_status, retention_days, retention_status) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
    "on conflict (login_key) do nothing returning " REGISTRY_MICROSECONDS("retention_updated_at")};
static const struct db_statement usage_insert_statement = {
    "registry_usage_insert", "insert into acr.registry_usage (registry_id) values ($1)"};
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

bool registry_rows_insert(struct arm_call *call, int64_t id, struct text name,
                          struct registry_settings *settings)
{
    const struct db_result *row =
        DB_RUN(call->tx, &insert_statement, db_int(id), db_text(new_rid(call->arena)),
               db_text(text_lower(call->arena, name)), db_bool(settings->admin_enabled),
               db_bytes(registry_password_new(call->arena, id, "password")),
               db_bytes(registry_password_new(call->arena, id, "password2")),
               db_text(settings->quarantine_status), db_text(settings->trust_status),
               db_int(settings->retention_days), db_text(settings->retention_status));
    if (db_rows(row) == 0)
        return db_failed(call->tx); // a failed statement is the opener's to tell
    settings->retention_updated_at = db_get_int(row, 0, 0);
    DB_RUN(call->tx, &usage_insert_statement, db_int(id));
    return true;
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
