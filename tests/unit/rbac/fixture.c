// The tests' site on its private cluster.
#include "fixture.h"

#include "base/arena.h"
#include "base/site.h"
#include "support/private_cluster.h"

#include <stdio.h>
#include <stdlib.h>

static struct arena *arena;
static struct config config = {.region = "local",
                               .domain = "azurestack.external",
                               .log_level = "error",
                               .tenant_id = "11111111-0000-4000-8000-000000000000"};
static struct site here;

static void die(const char *why)
{
    fprintf(stderr, "fixture: %s\n", why);
    exit(2);
}

struct db_target fixture_target(void)
{
    return (struct db_target){config.database, "azsacr test", 5000};
}

void fixture_start(void)
{
    arena = arena_new();
    private_cluster_make(&config, "rbac");
    here.config = &config;
    const char *why = NULL;
    here.master_key = master_key_load(arena_printf(arena, "%s/master.key", config.state), true, arena, &why);
    if (!here.master_key)
        die(why);
    site_set(&here);
}

void fixture_stop(void)
{
    private_cluster_remove(&config);
    arena_free(arena);
}

void fixture_commit(bool (*run)(struct db_transaction *tx, void *argument), void *argument)
{
    struct db_target target = fixture_target();
    struct db_connection *connection = db_connection_new(&target);
    ck_assert_int_eq(db_transact(connection, run, argument), DB_COMMITTED);
    db_connection_free(connection);
}

static const struct db_statement empty = {
    "fixture_empty",
    "truncate rbac.principal, rbac.secret, rbac.role_assignment, rbac.role_definition, rbac.signing_key, "
    "rbac.delta,"
    " rbac.device_code, arm.subscription cascade",
};

static bool run_empty(struct db_transaction *tx, void *argument)
{
    (void)argument;
    DB_RUN0(tx, &empty);
    return true;
}

void fixture_reset(void)
{
    fixture_commit(run_empty, NULL);
}

void fixture_sql(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    private_cluster_sql(config.database, format, arguments);
    va_end(arguments);
}

long fixture_number(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    long number = private_cluster_sql(config.database, format, arguments);
    va_end(arguments);
    return number;
}
