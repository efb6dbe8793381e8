// The directory's writing side: users and service principals, as `azsacrd user|sp` and the first start change
// them.
#include "rbac/directory.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "rbac/secret.h"
#include "rbac/snapshot.h"

static const struct db_statement insert_user = {
    "directory_insert_user", "insert into rbac.principal (object_id, tenant_id, kind, display_name, upn) "
                             "values ($1::uuid, $2::uuid, 'User', $3, $4) on conflict do nothing"};
static const struct db_statement insert_service_principal = {
    "directory_insert_sp",
    "insert into rbac.principal (object_id, tenant_id, kind, display_name, app_id) "
    "values ($1::uuid, $2::uuid, 'ServicePrincipal', $3, $4::uuid) on conflict do nothing"};
// A name is a upn, an app id or an object id; `for update` keeps two changes of one principal apart.
static const struct db_statement find_by_upn = {
    "directory_by_upn",
    "select object_id, kind from rbac.principal where lower(upn) = lower($1) and upn is not null "
    "for update"};
static const struct db_statement find_by_id = {
    "directory_by_id",
    "select object_id, kind from rbac.principal where object_id = $1::uuid or app_id = $1::uuid "
    "for update"};
static const struct db_statement raise_stamp = {
    "directory_raise_stamp", "update rbac.principal set stamp = stamp + 1 where object_id = $1::uuid"};
static const struct db_statement set_enabled = {
    "directory_set_enabled",
    "update rbac.principal set enabled = $2, stamp = stamp + case when enabled = $2 then 0 else 1 end "
    "where object_id = $1::uuid"};
static const struct db_statement delete_codes = {"directory_delete_codes",
                                                 "delete from rbac.device_code where object_id = $1::uuid"};
static const struct db_statement delete_secrets = {"directory_delete_secrets",
                                                   "delete from rbac.secret where object_id = $1::uuid"};
static const struct db_statement delete_assignments = {
    "directory_delete_assignments",
    "delete from rbac.role_assignment where principal_id = $1::uuid returning scope_key, id"};
static const struct db_statement delete_principal = {"directory_delete_principal",
                                                     "delete from rbac.principal where object_id = $1::uuid"};
static const struct db_statement list_principals = {
    "directory_list", "select object_id, display_name, coalesce(upn, app_id::text), enabled, "
                      "(extract(epoch from created_at) * 1000000)::bigint, tenant_id from rbac.principal "
                      "where kind = $1 order by lower(display_name), object_id"};
static const struct db_statement insert_assignment = {
    "directory_assign",
    "insert into rbac.role_assignment (id, scope, scope_key, principal_id, principal_type, "
    "role_definition_id) values ($1::uuid, $2, $3, $4::uuid, $5, $6::uuid) "
    "on conflict do nothing"};

static bool printable(struct text t, size_t least, size_t most)
{
    if (!t.base || t.length < least || t.length > most || !text_is_utf8(t))
        return false;
    for (size_t i = 0; i < t.length; i++)
        if ((unsigned char)t.base[i] < ' ' || t.base[i] == 0x7f)
            return false;
    return true;
}

// "name@domain" of letters, digits and . _ - ' + only, as Microsoft Entra allows user principal names.
static bool upn_is(struct text upn)
{
    ptrdiff_t at = text_find(upn, '@');
    if (upn.length > 113 || at <= 0 || at > 64 || (size_t)at + 1 >= upn.length || text_rfind(upn, '@') != at)
        return false;
    for (size_t i = 0; i < upn.length; i++) {
        unsigned char c = (unsigned char)upn.base[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && !strchr("._-'+@", c))
            return false;
    }
    return true;
}

static bool password_fits(struct text password, const char **why)
{
    if (password.base && password.length >= CHOSEN_LENGTH_LEAST && password.length <= SECRET_LENGTH_LIMIT &&
        text_is_utf8(password))
        return true;
    *why = "a password has 8 to 1024 bytes of UTF-8";
    return false;
}

const char *directory_add_user(struct db_transaction *tx, const char *tenant_id, const char *upn,
                               const char *display_name, struct text password, const char **why)
{
    if (!upn || !upn_is(text_of(upn))) {
        *why = "a user's name has the form name@domain, of letters, digits and . _ - ' +";
        return NULL;
    }
    const char *shown = display_name ? display_name : upn;
    if (!printable(text_of(shown), 1, 256)) {
        *why = "a display name has 1 to 256 bytes and no control characters";
        return NULL;
    }
    if (!password_fits(password, why))
        return NULL;
    char *object_id = arena_alloc(db_arena(tx), 37);
    uuid_random(object_id);
    const struct db_result *result = DB_RUN(tx, &insert_user, db_string(object_id), db_string(tenant_id),
                                            db_string(shown), db_string(upn));
    if (db_failed(tx) || db_affected(result) == 0) {
        *why = db_failed(tx) ? "the database refused it"
                             : arena_printf(db_arena(tx), "the user %s exists already", upn);
        return NULL;
    }
    secret_replace_chosen(tx, object_id, password);
    rbac_changed(tx, "principal", text_of(object_id));
    return object_id;
}

const char *directory_add_service_principal(struct db_transaction *tx, const char *tenant_id,
                                            const char *display_name, const char **app_id,
                                            const char **secret, const char **why)
{
    if (!printable(text_of(display_name), 1, 256)) {
        *why = "a display name has 1 to 256 bytes and no control characters";
        return NULL;
    }
    if (*app_id && !uuid_is(text_of(*app_id))) {
        *why = "an app id is a UUID";
        return NULL;
    }
    char *object_id = arena_alloc(db_arena(tx), 37);
    uuid_random(object_id);
    char *app = arena_alloc(db_arena(tx), 37);
    if (*app_id)
        memcpy(app, text_lower(db_arena(tx), text_of(*app_id)).base, 36);
    else
        uuid_random(app);
    const struct db_result *result = DB_RUN(tx, &insert_service_principal, db_string(object_id),
                                            db_string(tenant_id), db_string(display_name), db_string(app));
    if (db_failed(tx) || db_affected(result) == 0) {
        *why = db_failed(tx) ? "the database refused it"
                             : arena_printf(db_arena(tx), "the app id %s exists already", app);
        return NULL;
    }
    *app_id = app;
    *secret = secret_replace_random(tx, object_id);
    rbac_changed(tx, "principal", text_of(object_id));
    return object_id;
}

struct found {
    const char *object_id;
    bool user;
};

static bool find(struct db_transaction *tx, struct text name, struct found *found, const char **why)
{
    const struct db_result *result =
        uuid_is(name) ? DB_RUN(tx, &find_by_id, db_text(name)) : DB_RUN(tx, &find_by_upn, db_text(name));
    if (db_rows(result) != 1) {
        *why = db_failed(tx) ? "the database refused it"
                             : arena_printf(db_arena(tx), "there is no user or service principal '%.*s'",
                                            TEXT_ARG(name));
        return false;
    }
    found->object_id = text_cstr(db_arena(tx), db_get(result, 0, 0));
    found->user = text_is(db_get(result, 0, 1), "User");
    return true;
}

bool directory_set_password(struct db_transaction *tx, struct text name, struct text password,
                            const char **secret, const char **why)
{
    struct found found;
    if (!find(tx, name, &found, why))
        return false;
    if (found.user && !password.base) {
        *why = "a user needs a password";
        return false;
    }
    if (password.base && !password_fits(password, why))
        return false;
    if (password.base)
        secret_replace_chosen(tx, found.object_id, password);
    else
        *secret = secret_replace_random(tx, found.object_id);
    DB_RUN(tx, &raise_stamp, db_string(found.object_id));
    // What was approved with the old password must not be redeemed under the new one.
    DB_RUN(tx, &delete_codes, db_string(found.object_id));
    rbac_changed(tx, "principal", text_of(found.object_id));
    return true;
}

bool directory_remove(struct db_transaction *tx, struct text name, const char **why)
{
    struct found found;
    if (!find(tx, name, &found, why))
        return false;
    struct db_value id = db_string(found.object_id);
    DB_RUN(tx, &delete_codes, id);
    DB_RUN(tx, &delete_secrets, id);
    const struct db_result *gone = DB_RUN(tx, &delete_assignments, id);
    for (size_t row = 0; row < db_rows(gone); row++)
        rbac_changed(tx, "assignment",
                     text_of(arena_printf(db_arena(tx), "%.*s %.*s", TEXT_ARG(db_get(gone, row, 0)),
                                          TEXT_ARG(db_get(gone, row, 1)))));
    DB_RUN(tx, &delete_principal, id);
    rbac_changed(tx, "principal", text_of(found.object_id));
    return true;
}

bool directory_set_enabled(struct db_transaction *tx, struct text name, bool enabled, const char **why)
{
    struct found found;
    if (!find(tx, name, &found, why))
        return false;
    DB_RUN(tx, &set_enabled, db_string(found.object_id), db_bool(enabled));
    if (!enabled)
        DB_RUN(tx, &delete_codes, db_string(found.object_id));
    rbac_changed(tx, "principal", text_of(found.object_id));
    return true;
}

struct text directory_list(struct db_transaction *tx, const char *kind)
{
    bool users = strcmp(kind, "User") == 0;
    const struct db_result *rows = DB_RUN(tx, &list_principals, db_string(kind));
    struct buffer out = buffer_new(db_arena(tx));
    json_begin_array(&out);
    for (size_t row = 0; row < db_rows(rows); row++) {
        json_begin_object(&out);
        json_key_text(&out, "objectId", db_get(rows, row, 0));
        json_key_text(&out, "displayName", db_get(rows, row, 1));
        json_key_text(&out, users ? "userPrincipalName" : "appId", db_get(rows, row, 2));
        json_key_bool(&out, "enabled", db_get_bool(rows, row, 3));
        json_key_text(&out, "createdAt", clock_iso(db_arena(tx), db_get_int(rows, row, 4), "Z"));
        json_key_text(&out, "tenantId", db_get(rows, row, 5));
        json_end_object(&out);
    }
    json_end_array(&out);
    return buffer_done(&out);
}

void directory_assign(struct db_transaction *tx, const char *object_id, const char *principal_type,
                      const char *role_definition_id, struct text scope)
{
    struct arena *arena = db_arena(tx);
    while (scope.length > 1 && scope.base[scope.length - 1] == '/')
        scope.length--;
    struct text scope_key = text_lower(arena, scope);
    char *id = arena_alloc(arena, 37);
    uuid_random(id);
    const struct db_result *result =
        DB_RUN(tx, &insert_assignment, db_string(id), db_text(scope), db_text(scope_key),
               db_string(object_id), db_string(principal_type), db_string(role_definition_id));
    if (db_affected(result) == 0)
        return; // the same grant stands already
    rbac_changed(tx, "assignment", text_of(arena_printf(arena, "%.*s %s", TEXT_ARG(scope_key), id)));
}
