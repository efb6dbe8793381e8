// The private cluster's life, and statements behind the back of what is tested.
#include "support/private_cluster.h"

#include "base/arena.h"
#include "db/cluster.h"
#include "db/migrate.h"

#include <ftw.h>
#include <libpq-fe.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
static struct arena *arena;

void sleep_milliseconds(unsigned milliseconds)
{
    struct timespec t = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    nanosleep(&t, NULL);
}

static void give_up(const struct config *config, const char *why)
{
    fprintf(stderr, "private cluster: %s\n", why);
    private_cluster_stop(config);
    exit(2);
}

void private_cluster_start(const struct config *config)
{
    // A session of its own: Check ends all processes of a test's group.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", 0, 0);
    const char *log = arena_printf(arena, "%s/server.log", config->state);
    posix_spawn_file_actions_addopen(&actions, 1, log, 02101, 0644);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    const char *const *argv = cluster_command(config, arena);
    pid_t pid;
    if (posix_spawn(&pid, argv[0], &actions, &attributes, (char *const *)argv, environ) != 0)
        give_up(config, "the server cannot be started");
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    for (int i = 0; i < 500 && !cluster_ready(config); i++)
        sleep_milliseconds(20);
    if (!cluster_ready(config))
        give_up(config, "the server does not answer");
}

void private_cluster_stop(const struct config *config)
{
    pid_t pid = cluster_postmaster(config);
    if (pid > 0)
        kill(pid, SIGINT);
    for (int i = 0; i < 500 && cluster_postmaster(config) != 0; i++)
        sleep_milliseconds(20);
}

// The data are thrown away: nothing waits for the disk.
static bool skip_fsync(const char *directory)
{
    const char *local = arena_printf(arena, "%s/pgdata/local.conf", directory);
    FILE *file = fopen(local, "w");
    if (file == NULL)
        return false;
    bool written = fputs("fsync = off\n", file) >= 0;
    return fclose(file) == 0 && written && chmod(local, 0644) == 0;
}

void private_cluster_make(struct config *config, const char *name)
{
    arena = arena_new();
    char *directory = arena_printf(arena, "/tmp/azsacr-unit-%s-XXXXXX", name);
    if (mkdtemp(directory) == NULL) {
        perror(directory);
        exit(2);
    }
    config->state = directory;
    config->runtime = arena_printf(arena, "%s/run", directory);
    const char *why = NULL;
    if (!cluster_prepare(config, arena, &why))
        give_up(config, why);
    if (!skip_fsync(directory))
        give_up(config, "local.conf cannot be written");
    private_cluster_start(config);
    if (!cluster_create_database(config, arena, &why))
        give_up(config, why);
    config->database = cluster_conninfo(config, arena);
    if (!db_migrate(config->database, arena, &why))
        give_up(config, why);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}

void private_cluster_remove(const struct config *config)
{
    private_cluster_stop(config);
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    nftw(config->state, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    arena_free(arena);
}

long private_cluster_sql(const char *conninfo, const char *format, va_list arguments)
{
    char *sql = NULL;
    if (vasprintf(&sql, format, arguments) < 0)
        abort();
    PGconn *pg = PQconnectdb(conninfo);
    PGresult *result = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        fprintf(stderr, "%s: %s", sql, PQerrorMessage(pg));
        abort();
    }
    long number = PQntuples(result) > 0 ? strtol(PQgetvalue(result, 0, 0), NULL, 10) : -1;
    PQclear(result);
    PQfinish(pg);
    free(sql);
    return number;
}
