// The tests' private cluster: prepared, started and stopped as azsacrd does it.
#include "fixture.h"

#include "base/arena.h"
#include "db/migrate.h"
#include "db/session.h"

#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
static struct arena *arena;
static struct config config;

static void die(const char *why)
{
    fprintf(stderr, "fixture: %s\n", why);
    fixture_stop_server();
    exit(2);
}

void fixture_sleep(unsigned milliseconds)
{
    struct timespec t = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    nanosleep(&t, NULL);
}

const struct config *fixture_config(void)
{
    return &config;
}

const char *fixture_conninfo(void)
{
    return config.database;
}

struct db_target fixture_target(void)
{
    return (struct db_target){config.database, "azsacr test", 5000};
}

void fixture_start_server(void)
{
    // A session of its own: Check ends all processes of a test's group.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", 0, 0);
    const char *log = arena_printf(arena, "%s/server.log", config.state);
    posix_spawn_file_actions_addopen(&actions, 1, log, 02101, 0644);
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

void fixture_stop_server(void)
{
    pid_t pid = cluster_postmaster(&config);
    if (pid > 0)
        kill(pid, SIGINT);
    for (int i = 0; i < 500 && cluster_postmaster(&config) != 0; i++)
        fixture_sleep(20);
}

void fixture_start(void)
{
    arena = arena_new();
    char *directory = arena_strdup(arena, "/tmp/azsacr-unit-db-XXXXXX");
    if (mkdtemp(directory) == NULL)
        die("no directory");
    config.state = directory;
    config.runtime = arena_printf(arena, "%s/run", directory);
    const char *why = NULL;
    if (!cluster_prepare(&config, arena, &why))
        die(why);
    // Throw-away data.
    const char *local = arena_printf(arena, "%s/pgdata/local.conf", directory);
    FILE *file = fopen(local, "w");
    if (file == NULL || fputs("fsync = off\n", file) < 0 || fclose(file) != 0)
        die("local.conf");
    if (chmod(local, 0644) != 0)
        die("local.conf's mode");
    fixture_start_server();
    if (!cluster_create_database(&config, arena, &why))
        die(why);
    config.database = cluster_conninfo(&config, arena);
    if (!db_migrate(config.database, arena, &why))
        die(why);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}

void fixture_stop(void)
{
    fixture_stop_server();
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    nftw(config.state, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    arena_free(arena);
}

static PGresult *run(const char *conninfo, const char *sql)
{
    PGconn *pg = PQconnectdb(conninfo);
    PGresult *result = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(result);
    ck_assert_msg(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK, "%s: %s", sql, PQerrorMessage(pg));
    PQfinish(pg);
    return result;
}

void fixture_sql(const char *format, ...)
{
    char sql[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sql, sizeof sql, format, arguments);
    va_end(arguments);
    PQclear(run(config.database, sql));
}

void fixture_admin_sql(const char *sql)
{
    char conninfo[512];
    snprintf(conninfo, sizeof conninfo, "host=%s/pg port=5432 user=postgres dbname=azsacr", config.runtime);
    PQclear(run(conninfo, sql));
}

long fixture_number(const char *format, ...)
{
    char sql[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sql, sizeof sql, format, arguments);
    va_end(arguments);
    PGresult *result = run(config.database, sql);
    long number = PQntuples(result) > 0 ? strtol(PQgetvalue(result, 0, 0), NULL, 10) : -1;
    PQclear(result);
    return number;
}
