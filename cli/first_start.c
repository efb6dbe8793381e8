// What the first start makes, in one transaction, and every later start finds: safe to be run by several
// replicas at once, and again after a crash at any point.
#include "cli/site.h"

#include "base/arena.h"
#include "db/database.h"
#include "rbac/directory.h"
#include "rbac/keys.h"
#include "rbac/roles.h"
#include "rbac/snapshot.h"

#include <stdio.h>

#define OPERATOR_NAME "operator"

static const struct db_statement serialise = {
    "first_start_lock",
    "select pg_advisory_xact_lock(7305001)::text",
};
static const struct db_statement setting_get = {
    "setting_get",
    "select value from azsacr.setting where name = $1",
};
static const struct db_statement setting_put = {
    "setting_put",
    "insert into azsacr.setting (name, value) values ($1, $2) on conflict (name) do update set value = "
    "excluded.value",
};
static const struct db_statement subscription_add = {
    "first_start_subscription_add",
    "insert into arm.subscription (subscription_id, tenant_id, display_name, operator) values ($1, $2, $3, "
    "$4)",
};

struct first_start {
    struct config *config;
    struct arena *arena;
    const char *why;
    const char *tenant_id;
};

// The setting's value; made as a fresh UUID where it is absent.
static const char *uuid_setting(struct db_transaction *tx, struct arena *arena, const char *name, bool *made)
{
    const struct db_result *r = DB_RUN(tx, &setting_get, db_string(name));
    *made = db_rows(r) == 0;
    if (!*made)
        return text_cstr(arena, db_get(r, 0, 0));
    char *uuid = arena_alloc(arena, 37);
    uuid_random(uuid);
    DB_RUN(tx, &setting_put, db_string(name), db_string(uuid));
    return uuid;
}

static const char *subscription(struct db_transaction *tx, struct first_start *start, const char *setting,
                                const char *display_name, bool operator_owned)
{
    bool made = false;
    const char *id = uuid_setting(tx, start->arena, setting, &made);
    if (made) {
        DB_RUN(tx, &subscription_add, db_string(id), db_string(start->tenant_id), db_string(display_name),
               db_bool(operator_owned));
        rbac_changed(tx, "subscription", text_of(id));
    }
    return id;
}

// The operator's user and service principal, both Owner of the subscriptions. Secrets go to their files
// before the commit: a crash between the two leaves files that the next start writes anew.
static bool operator_accounts(struct db_transaction *tx, struct first_start *start,
                              const char *const *subscriptions)
{
    struct arena *arena = start->arena;
    const struct config *config = start->config;
    if (db_rows(DB_RUN(tx, &setting_get, db_string("operator_app_id"))) > 0)
        return true;
    const char *upn = arena_printf(arena, OPERATOR_NAME "@%s.%s", config->region, config->domain);
    const char *password = crypto_random_password(arena, 24), *app_id = NULL, *secret = NULL;
    const char *user =
        directory_add_user(tx, start->tenant_id, upn, "Operator", text_of(password), &start->why);
    const char *principal = user == NULL
                                ? NULL
                                : directory_add_service_principal(tx, start->tenant_id, "azsacr operator",
                                                                  &app_id, &secret, &start->why);
    if (principal == NULL)
        return false;
    for (size_t i = 0; subscriptions[i] != NULL; i++) {
        struct text scope = text_of(arena_printf(arena, "/subscriptions/%s", subscriptions[i]));
        directory_assign(tx, user, "User", ROLE_OWNER, scope);
        directory_assign(tx, principal, "ServicePrincipal", ROLE_OWNER, scope);
    }
    DB_RUN(tx, &setting_put, db_string("operator_upn"), db_string(upn));
    DB_RUN(tx, &setting_put, db_string("operator_user_id"), db_string(user));
    DB_RUN(tx, &setting_put, db_string("operator_principal_id"), db_string(principal));
    DB_RUN(tx, &setting_put, db_string("operator_app_id"), db_string(app_id));
    const char *password_file = arena_printf(arena, "%s/secrets/operator-password", config->state);
    const char *secret_file = arena_printf(arena, "%s/secrets/operator-secret", config->state);
    if (db_failed(tx) ||
        (site_write_secret(password_file, password) && site_write_secret(secret_file, secret)))
        return true;
    start->why = "the operator's secret files cannot be written";
    return false;
}

static bool prepare(struct db_transaction *tx, void *argument)
{
    struct first_start *start = argument;
    bool made = false;
    DB_RUN0(tx, &serialise);
    start->tenant_id = uuid_setting(tx, start->arena, "tenant_id", &made);
    roles_ensure_builtin(tx);
    rbac_keys_ensure(tx);
    const char *subscriptions[3] = {
        subscription(tx, start, "subscription_id", "Default Subscription", false),
        subscription(tx, start, "operator_subscription_id", "Default Provider Subscription", true), NULL};
    return operator_accounts(tx, start, subscriptions);
}

bool site_first_start(struct config *config, struct arena *arena, const char **why)
{
    struct first_start start = {.config = config, .arena = arena};
    struct db_target target = {site_conninfo(config, arena), "azsacr start", 10000};
    struct db_connection *connection = db_connection_new(&target);
    rbac_install_hook();
    enum db_outcome outcome = db_transact(connection, prepare, &start);
    db_connection_free(connection);
    if (outcome != DB_COMMITTED) {
        *why = start.why ? start.why : "the database refused the first start's rows; its log says why";
        return false;
    }
    config->tenant_id = start.tenant_id;
    config_derive(arena, config);
    return true;
}
