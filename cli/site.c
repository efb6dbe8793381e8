// Directories, certificates, database and master key of a site.
#include "cli/site.h"

#include "base/arena.h"
#include "base/certificate.h"
#include "base/site.h"
#include "cli/edge.h"
#include "db/cluster.h"
#include "db/cluster_files.h"
#include "db/database.h"
#include "db/migrate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bool make_directory(const char *path, mode_t mode, struct arena *arena, const char **why)
{
    // Parents as mkdir -p would make them.
    char *copy = arena_strdup(arena, path);
    for (char *p = copy + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        mkdir(copy, 0755);
        *p = '/';
    }
    if ((mkdir(path, mode) != 0 && errno != EEXIST) || chmod(path, mode) != 0) {
        *why = arena_printf(arena, "the directory %s cannot be made: %s", path, strerror(errno));
        return false;
    }
    return true;
}

bool site_directories(const struct config *config, struct arena *arena, const char **why)
{
    int group = edge_group();
    const struct {
        const char *path;
        mode_t mode;
        bool edge; // the edge's workers enter it
    } directories[] = {
        {config->state, 0711, false},
        {config->runtime, 0711, false},
        {config->store, 02750, true},
        // A renamed log is opened anew by the workers themselves.
        {arena_printf(arena, "%s/log", config->state), 0750, true},
        {arena_printf(arena, "%s/tls", config->state), 0755, false},
        {arena_printf(arena, "%s/keys", config->state), 0700, false},
        {arena_printf(arena, "%s/secrets", config->state), 0700, false},
    };
    for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++) {
        if (!make_directory(directories[i].path, directories[i].mode, arena, why))
            return false;
        if (directories[i].edge && group >= 0 &&
            (chown(directories[i].path, (uid_t)-1, (gid_t)group) != 0 ||
             chmod(directories[i].path, directories[i].mode) != 0)) {
            *why = arena_printf(arena, "%s: %s", directories[i].path, strerror(errno));
            return false;
        }
    }
    return true;
}

bool site_certificates(const struct config *config, struct arena *arena, const char **why)
{
    const char *names[] = {config->host_management, config->host_admin,
                           config->host_adfs,       config->host_graph,
                           config->host_portal,     arena_printf(arena, "*.%s", config->suffix)};
    const char *directory = arena_printf(arena, "%s/tls", config->state);
    // One at a time: replicas that share the directory must not each make an authority.
    int lock = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = lock >= 0 && flock(lock, LOCK_EX) == 0;
    if (ok)
        ok = certificate_ensure(directory, names, sizeof names / sizeof names[0], arena, why);
    else
        *why = arena_printf(arena, "%s cannot be locked: %s", directory, strerror(errno));
    if (lock >= 0)
        close(lock);
    return ok;
}

const char *site_conninfo(const struct config *config, struct arena *arena)
{
    return config->database ? config->database : cluster_conninfo(config, arena);
}

bool site_database(const struct config *config, unsigned seconds, struct arena *arena, const char **why)
{
    const char *conninfo = site_conninfo(config, arena);
    for (unsigned i = 0;; i++) {
        if (db_migrate(conninfo, arena, why))
            return true;
        if (i >= seconds * 2)
            return false;
        nanosleep(&(struct timespec){0, 500000000}, NULL);
    }
}

static const struct db_statement check_value = {
    "master_key_check",
    "insert into azsacr.setting (name, value) values ('master_key', $1) "
    "on conflict (name) do update set value = azsacr.setting.value returning value",
};

static const struct db_statement check_value_exists = {
    "master_key_known",
    "select 1 from azsacr.setting where name = 'master_key'",
};

struct key_check {
    struct text id;
    bool equal, known;
};

static bool look_for_check(struct db_transaction *tx, void *argument)
{
    struct key_check *check = argument;
    check->known = db_rows(DB_RUN0(tx, &check_value_exists)) > 0;
    return true;
}

static bool compare_key(struct db_transaction *tx, void *argument)
{
    struct key_check *check = argument;
    const struct db_result *r = DB_RUN(tx, &check_value, db_text(check->id));
    check->equal = db_rows(r) == 1 && text_equal(db_get(r, 0, 0), check->id);
    return check->equal;
}

struct master_key *site_master_key(const struct config *config, struct arena *arena, const char **why)
{
    const char *path = arena_printf(arena, "%s/keys/master.key", config->state);
    struct db_target target = {site_conninfo(config, arena), "azsacr start", 10000};
    struct db_connection *connection = db_connection_new(&target);
    struct key_check check = {0};
    // A database that knows a key has no use for a new one: a missing file is said so, not papered over.
    enum db_outcome outcome = db_transact(connection, look_for_check, &check);
    struct master_key *key = NULL;
    if (outcome == DB_COMMITTED && (key = master_key_load(path, !check.known, arena, why)) != NULL) {
        check.id = master_key_id(key, arena);
        outcome = db_transact(connection, compare_key, &check);
    }
    db_connection_free(connection);
    if (key == NULL && outcome == DB_COMMITTED)
        return NULL;
    if (outcome == DB_COMMITTED)
        return key;
    *why = outcome == DB_ROLLED_BACK && !check.equal
               ? arena_printf(arena, "the master key %s is not the one this database was made with", path)
               : "the database did not answer when the master key was checked: is it running, is `database` "
                 "right?";
    master_key_free(key);
    return NULL;
}

bool site_write_secret(const char *path, const char *secret)
{
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool ok = dprintf(fd, "%s\n", secret) > 0 && fsync(fd) == 0;
    return close(fd) == 0 && ok;
}

struct site_session {
    struct site site;
    struct db_connection *connection;
};

// Whether the private cluster runs is seen by its socket at once, and said in the operator's words.
static bool cluster_is_there(const struct config *config, struct arena *arena)
{
    const char *socket = arena_printf(arena, "%s/.s.PGSQL.5432", cluster_sockets(config, arena));
    if (config->database != NULL || access(socket, F_OK) == 0)
        return true;
    fprintf(stderr,
            "azsacrd: no site runs on %s (%s: %m); start it, or say by --state DIR which one is meant\n",
            config->state, socket);
    return false;
}

struct site_session *site_session_open(struct config *config, struct arena *arena)
{
    if (!cluster_is_there(config, arena))
        return NULL;
    const char *why = NULL;
    struct master_key *key = site_master_key(config, arena, &why);
    struct site_session *session = key ? ARENA_NEW(arena, struct site_session) : NULL;
    if (session == NULL) {
        fprintf(stderr, "azsacrd: %s\n", why);
        return NULL;
    }
    session->site = (struct site){config, key};
    site_set(&session->site);
    if (!site_first_start(config, arena, &why)) {
        fprintf(stderr, "azsacrd: %s\n", why);
        master_key_free(key);
        return NULL;
    }
    struct db_target target = {site_conninfo(config, arena), "azsacr command", 10000};
    session->connection = db_connection_new(&target);
    return session;
}

struct db_connection *site_session_connection(struct site_session *session)
{
    return session->connection;
}

void site_session_close(struct site_session *session)
{
    db_connection_free(session->connection);
    master_key_free((struct master_key *)(uintptr_t)session->site.master_key);
}
