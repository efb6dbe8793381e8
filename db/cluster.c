// The private PostgreSQL cluster: made once, complete or not at all, reached over one socket directory by
// users of this machine that the map permits. cluster_files.c writes its configuration.
#include "db/cluster.h"
#include "db/cluster_files.h"
#include "db/session.h"

#include "base/arena.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *cluster_data(const struct config *config, struct arena *arena)
{
    return arena_printf(arena, "%s/pgdata", config->state);
}

const char *cluster_sockets(const struct config *config, struct arena *arena)
{
    return arena_printf(arena, "%s/pg", config->runtime);
}

// A value of a conninfo: quoted, with ' and \ escaped.
static const char *quoted(struct arena *arena, const char *value)
{
    char *out = arena_alloc(arena, strlen(value) * 2 + 3), *at = out;
    *at++ = '\'';
    for (; *value != '\0'; value++) {
        if (*value == '\'' || *value == '\\')
            *at++ = '\\';
        *at++ = *value;
    }
    *at = '\'';
    return out;
}

static const char *conninfo_of(const struct config *config, struct arena *arena, const char *user,
                               const char *database)
{
    return arena_printf(arena, "host=%s port=5432 user=%s dbname=%s",
                        quoted(arena, cluster_sockets(config, arena)), user, database);
}

const char *cluster_conninfo(const struct config *config, struct arena *arena)
{
    return conninfo_of(config, arena, "azsacr", "azsacr");
}

// The first line of a small file, NULL when there is none.
static const char *first_line(struct arena *arena, const char *path)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return NULL;
    char line[256];
    const char *copy =
        fgets(line, sizeof line, file) ? arena_strndup(arena, line, strcspn(line, "\n")) : NULL;
    fclose(file);
    return copy;
}

static bool is_program(const char *directory, struct arena *arena)
{
    return directory != NULL && access(arena_printf(arena, "%s/postgres", directory), X_OK) == 0;
}

// The highest version that Debian's packages installed.
static const char *newest_installed(struct arena *arena)
{
    glob_t found;
    const char *best = NULL;
    long best_version = 0;
    if (glob("/usr/lib/postgresql/*/bin/postgres", 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            long version = strtol(found.gl_pathv[i] + strlen("/usr/lib/postgresql/"), NULL, 10);
            if (version <= best_version)
                continue;
            best_version = version;
            best = arena_printf(arena, "/usr/lib/postgresql/%ld/bin", version);
        }
    }
    globfree(&found);
    return best;
}

static const char *on_path(struct arena *arena)
{
    const char *path = getenv("PATH");
    for (const char *at = path; at != NULL && *at != '\0';) {
        size_t length = strcspn(at, ":");
        const char *directory = arena_strndup(arena, at, length);
        if (length > 0 && is_program(directory, arena))
            return directory;
        at += length;
        at += *at == ':';
    }
    return NULL;
}

// Where postgres and initdb are: of the version that made the cluster, where there is one.
static const char *programs(const struct config *config, struct arena *arena)
{
    const char *version =
        first_line(arena, arena_printf(arena, "%s/PG_VERSION", cluster_data(config, arena)));
    if (version != NULL) {
        const char *own = arena_printf(arena, "/usr/lib/postgresql/%s/bin", version);
        return is_program(own, arena) ? own : on_path(arena);
    }
    const char *newest = newest_installed(arena);
    return newest != NULL ? newest : on_path(arena);
}

// Room for setpriv's words before a command's own; PostgreSQL refuses to run as root.
static size_t begin_command(const char **argv)
{
    size_t n = 0;
    if (geteuid() != 0)
        return 0;
    argv[n++] = "/usr/bin/setpriv";
    argv[n++] = "--reuid=postgres";
    argv[n++] = "--regid=postgres";
    argv[n++] = "--init-groups";
    argv[n++] = "--reset-env";
    argv[n++] = "--";
    return n;
}

static bool run_initdb(const char *bin, const char *directory, struct arena *arena, const char **why)
{
    const char *argv[16] = {NULL};
    size_t n = begin_command(argv);
    argv[n++] = arena_printf(arena, "%s/initdb", bin);
    argv[n++] = arena_printf(arena, "--pgdata=%s", directory);
    argv[n++] = "--username=postgres";
    argv[n++] = "--encoding=UTF8";
    argv[n++] = "--locale=C";
    argv[n++] = "--auth=peer";
    argv[n++] = "--data-checksums";
    const char *output = NULL;
    if (cluster_run(argv, arena, &output))
        return true;
    *why = arena_printf(arena, "initdb failed: %s", session_message(arena, output));
    return false;
}

static bool make_cluster(const struct config *config, const char *bin, struct arena *arena, const char **why)
{
    const char *data = cluster_data(config, arena);
    const char *new = arena_printf(arena, "%s.new", data);
    // What an earlier start left half made.
    if (!cluster_remove_tree(new, arena, why) || !cluster_make_directory(new, 0700, arena, why) ||
        !run_initdb(bin, new, arena, why) || !cluster_write_files(config, new, arena, why))
        return false;
    if (rename(new, data) != 0) {
        *why = arena_printf(arena, "%s cannot be renamed: %s", new, strerror(errno));
        return false;
    }
    int fd = open(config->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    log_info("cluster.made", "directory", data);
    return true;
}

bool cluster_prepare(const struct config *config, struct arena *arena, const char **why)
{
    const char *bin = programs(config, arena);
    if (bin == NULL) {
        *why = "no PostgreSQL is installed (Debian: apt-get install postgresql-15), or not the version that "
               "made "
               "the cluster";
        return false;
    }
    if (!cluster_make_reachable(config->state, arena, why) ||
        !cluster_make_reachable(config->runtime, arena, why) ||
        !cluster_make_directory(cluster_sockets(config, arena), 0755, arena, why))
        return false;
    const char *data = cluster_data(config, arena);
    if (access(arena_printf(arena, "%s/PG_VERSION", data), F_OK) == 0)
        return cluster_write_files(config, data, arena, why);
    return make_cluster(config, bin, arena, why);
}

const char *const *cluster_command(const struct config *config, struct arena *arena)
{
    const char *bin = programs(config, arena);
    const char **argv = ARENA_ARRAY(arena, const char *, 16);
    size_t n = begin_command(argv);
    argv[n++] = arena_printf(arena, "%s/postgres", bin ? bin : "/usr/lib/postgresql/15/bin");
    argv[n++] = "-D";
    argv[n++] = cluster_data(config, arena);
    return argv;
}

bool cluster_ready(const struct config *config)
{
    struct arena *arena = arena_new();
    bool ready = PQping(conninfo_of(config, arena, "postgres", "postgres")) == PQPING_OK;
    arena_free(arena);
    return ready;
}

static bool create_when_absent(PGconn *pg, const char *test, const char *create, struct arena *arena,
                               const char **why)
{
    PGresult *found = PQexec(pg, test);
    bool good = PQresultStatus(found) == PGRES_TUPLES_OK;
    bool absent = good && PQntuples(found) == 0;
    PQclear(found);
    if (absent) {
        PGresult *made = PQexec(pg, create);
        good = PQresultStatus(made) == PGRES_COMMAND_OK;
        PQclear(made);
    }
    if (!good)
        *why = arena_printf(arena, "%s: %s", create, session_message(arena, PQerrorMessage(pg)));
    return good;
}

bool cluster_create_database(const struct config *config, struct arena *arena, const char **why)
{
    PGconn *pg = PQconnectdb(conninfo_of(config, arena, "postgres", "postgres"));
    bool good = PQstatus(pg) == CONNECTION_OK;
    if (!good)
        *why = arena_printf(arena, "the private cluster cannot be reached: %s",
                            session_message(arena, PQerrorMessage(pg)));
    good = good &&
           create_when_absent(pg, "select from pg_roles where rolname = 'azsacr'", "create role azsacr login",
                              arena, why) &&
           create_when_absent(pg, "select from pg_database where datname = 'azsacr'",
                              "create database azsacr owner azsacr", arena, why);
    PQfinish(pg);
    return good;
}

pid_t cluster_postmaster(const struct config *config)
{
    struct arena *arena = arena_new();
    const char *data = cluster_data(config, arena);
    const char *line = first_line(arena, arena_printf(arena, "%s/postmaster.pid", data));
    int64_t number = 0;
    struct stat own, its;
    // The number may have gone to another process: a postmaster works in its data directory.
    bool runs = line != NULL && text_to_int64(text_of(line), &number) && number > 1 && number <= INT32_MAX &&
                stat(data, &own) == 0 &&
                stat(arena_printf(arena, "/proc/%" PRId64 "/cwd", number), &its) == 0 &&
                own.st_dev == its.st_dev && own.st_ino == its.st_ino;
    arena_free(arena);
    return runs ? (pid_t)number : 0;
}
