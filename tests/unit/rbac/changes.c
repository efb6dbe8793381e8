// The statements of changes.h.
#include "changes.h"
#include "fixture.h"

#include "base/arena.h"
#include "rbac/snapshot.h"

static const struct db_statement put_principal = {
    "t_put_principal",
    "insert into rbac.principal (object_id, tenant_id, kind, display_name, upn, enabled)"
    " values ($1::uuid, '11111111-0000-4000-8000-000000000000', 'User', 'x', $2, $3)"
    " on conflict (object_id) do update set upn = excluded.upn, enabled = excluded.enabled,"
    " stamp = rbac.principal.stamp + 1",
};
static const struct db_statement delete_principal = {"t_delete_principal",
                                                     "delete from rbac.principal where object_id = $1::uuid"};
static const struct db_statement put_assignment = {
    "t_put_assignment",
    "insert into rbac.role_assignment (id, scope, scope_key, principal_id, principal_type, "
    "role_definition_id)"
    " values ($1::uuid, $2, lower($2), $3::uuid, 'User', $4::uuid) on conflict do nothing returning id",
};
static const struct db_statement delete_assignment = {
    "t_delete_assignment", "delete from rbac.role_assignment where scope_key = lower($1) and id = $2::uuid"};
static const struct db_statement upsert_role = {
    "t_upsert_role",
    "insert into rbac.role_definition (id, role_name, type, permissions, assignable_scopes)"
    " values ($1::uuid, $1, 'CustomRole', $2::json, '[]')"
    " on conflict (id) do update set permissions = excluded.permissions",
};
static const struct db_statement put_subscription = {
    "t_put_subscription",
    "insert into arm.subscription (subscription_id, tenant_id, display_name)"
    " values ($1::uuid, '11111111-0000-4000-8000-000000000000', 's') on conflict do nothing",
};

static const struct db_statement upsert_lock = {
    "t_put_lock",
    "insert into arm.lock (scope, scope_key, name, name_key, level, created_by, changed_by)"
    " values ($1, lower($1), $2, lower($2), case when $3 then 'ReadOnly' else 'CanNotDelete' end, '{}', '{}')"
    " on conflict (scope_key, name_key) do update set level = excluded.level",
};
static const struct db_statement delete_lock = {
    "t_delete_lock", "delete from arm.lock where scope_key = lower($1) and name_key = lower($2)"};

static void note_assignment(struct db_transaction *tx, const char *scope, const char *id)
{
    struct arena *arena = db_arena(tx);
    struct text key = text_lower(arena, text_of(scope));
    rbac_changed(tx, "assignment", text_of(arena_printf(arena, "%.*s %s", TEXT_ARG(key), id)));
}

void add_principal(struct db_transaction *tx, const char *object_id, const char *upn, bool enabled)
{
    DB_RUN(tx, &put_principal, db_string(object_id), db_string(upn), db_bool(enabled));
    rbac_changed(tx, "principal", text_of(object_id));
}

void remove_principal(struct db_transaction *tx, const char *object_id)
{
    DB_RUN(tx, &delete_principal, db_string(object_id));
    rbac_changed(tx, "principal", text_of(object_id));
}

void add_assignment(struct db_transaction *tx, const char *scope, const char *id, const char *principal_id,
                    const char *role)
{
    const struct db_result *made = DB_RUN(tx, &put_assignment, db_string(id), db_string(scope),
                                          db_string(principal_id), db_string(role));
    if (db_rows(made) > 0)
        note_assignment(tx, scope, id);
}

void remove_assignment(struct db_transaction *tx, const char *scope, const char *id)
{
    DB_RUN(tx, &delete_assignment, db_string(scope), db_string(id));
    note_assignment(tx, scope, id);
}

void put_role(struct db_transaction *tx, const char *id, const char *permissions)
{
    DB_RUN(tx, &upsert_role, db_string(id), db_string(permissions));
    rbac_changed(tx, "definition", text_of(id));
}

void add_subscription(struct db_transaction *tx, const char *id)
{
    DB_RUN(tx, &put_subscription, db_string(id));
    rbac_changed(tx, "subscription", text_of(id));
}

static void note_lock(struct db_transaction *tx, const char *scope)
{
    rbac_changed(tx, "lock", text_lower(db_arena(tx), text_of(scope)));
}

void put_lock(struct db_transaction *tx, const char *scope, const char *name, bool read_only)
{
    DB_RUN(tx, &upsert_lock, db_string(scope), db_string(name), db_bool(read_only));
    note_lock(tx, scope);
}

void remove_lock(struct db_transaction *tx, const char *scope, const char *name)
{
    DB_RUN(tx, &delete_lock, db_string(scope), db_string(name));
    note_lock(tx, scope);
}
