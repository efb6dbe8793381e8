// The tests' private cluster: prepared, started and stopped as azsacrd does it.
#include "fixture.h"

#include "base/arena.h"
#include "base/site.h"
#include "db/cluster.h"
#include "db/migrate.h"

#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
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

void fixture_sleep(unsigned milliseconds)
{
    struct timespec t = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    nanosleep(&t, NULL);
}

struct db_target fixture_target(void)
{
    return (struct db_target){config.database, "azsacr test", 5000};
}

static void start_server(void)
{
    // A session of its own: Check ends all processes of a test's group.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", 0, 0);
    posix_spawn_file_actions_addopen(&actions, 1, arena_printf(arena, "%s/server.log", config.state), 02101,
                                     0644);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    const char *const *argv = cluster_command(&config, arena);
    pid_t pid;
    if (posix_spawn(&pid, argv[0], &actions, &attributes, (char *const *)argv, environ) != 0)
        die("the server cannot be started");
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    for (int i = 0; i < 500 && !cluster_ready(&config); i++)
        fixture_sleep(20);
    if (!cluster_ready(&config))
        die("the server does not answer");
}

void fixture_start(void)
{
    arena = arena_new();
    char *directory = arena_strdup(arena, "/tmp/azsacr-unit-rbac-XXXXXX");
    if (mkdtemp(directory) == NULL)
        die("no directory");
    config.state = directory;
    config.runtime = arena_printf(arena, "%s/run", directory);
    const char *why = NULL;
    if (!cluster_prepare(&config, arena, &why))
        die(why);
    const char *local = arena_printf(arena, "%s/pgdata/local.conf", directory); // throw-away data
    FILE *file = fopen(local, "w");
    if (file == NULL || fputs("fsync = off\n", file) < 0 || fclose(file) != 0 || chmod(local, 0644) != 0)
        die("local.conf");
    start_server();
    if (!cluster_create_database(&config, arena, &why))
        die(why);
    config.database = cluster_conninfo(&config, arena);
    if (!db_migrate(config.database, arena, &why))
        die(why);
    here.config = &config;
    here.master_key = master_key_load(arena_printf(arena, "%s/master.key", directory), true, arena, &why);
    if (!here.master_key)
        die(why);
    site_set(&here);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}

void fixture_stop(void)
{
    pid_t pid = cluster_postmaster(&config);
    if (pid > 0)
        kill(pid, SIGINT);
    for (int i = 0; i < 500 && cluster_postmaster(&config) != 0; i++)
        fixture_sleep(20);
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    nftw(config.state, remove_one, 16, FTW_DEPTH | FTW_PHYS);
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

struct one_statement {
    struct db_statement statement;
    long number;
};

static bool run_one(struct db_transaction *tx, void *argument)
{
    struct one_statement *one = argument;
    const struct db_result *rows = DB_RUN0(tx, &one->statement);
    one->number = db_rows(rows) > 0 ? (long)db_get_int(rows, 0, 0) : -1;
    return true;
}

static long run_format(const char *format, va_list arguments)
{
    char sql[4096];
    vsnprintf(sql, sizeof sql, format, arguments);
    struct one_statement one = {.statement = {"fixture_one", sql}}; // a session of its own: the name is free
    fixture_commit(run_one, &one);
    return one.number;
}

void fixture_sql(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    run_format(format, arguments);
    va_end(arguments);
}

long fixture_number(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    long number = run_format(format, arguments);
    va_end(arguments);
    return number;
}
