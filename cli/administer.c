// azsacrd migrate, check, keys rotate: the operator's smaller commands.
#include "cli/commands.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "cli/options.h"
#include "cli/site.h"
#include "db/database.h"
#include "rbac/keys.h"
#include "rbac/snapshot.h"
#include "rp/data/check.h"
#include "rp/data/store.h"

#include <stdio.h>
#include <string.h>

int command_migrate(int argc, char **argv)
{
    struct option options[] = {{"state", false, "the state directory", NULL}, {NULL, false, NULL, NULL}};
    if (options_parse("migrate", NULL, argc, argv, options) != 0)
        return 2;
    struct arena *arena = arena_new();
    const char *why = NULL;
    struct config *config = configure(arena, options[0].value, NULL, NULL, NULL);
    bool ok = config != NULL && site_database(config, 30, arena, &why);
    if (ok)
        puts("the schema is up to date");
    else if (why != NULL)
        fprintf(stderr, "azsacrd: %s\n", why);
    arena_free(arena);
    return ok ? 0 : 1;
}

static const struct db_statement connections = {
    "check_connections",
    "select current_setting('max_connections')::bigint, current_setting('server_version_num')::bigint,"
    " (select count(*) from pg_stat_replication), current_setting('synchronous_standby_names')",
};

struct findings {
    const struct config *config;
    int count;
};

static void finding(struct findings *findings, const char *text)
{
    printf("- %s\n", text);
    findings->count++;
}

static bool check_database(struct db_transaction *tx, void *argument)
{
    struct findings *f = argument;
    const struct db_result *r = DB_RUN0(tx, &connections);
    if (db_rows(r) != 1)
        return false;
    const struct config *c = f->config;
    int64_t ours = c->loops + c->request_workers + c->job_workers + c->receiver_connections + 5;
    if (db_get_int(r, 0, 1) < 150000)
        finding(f, "the database is older than PostgreSQL 15: upgrade it");
    if (ours > db_get_int(r, 0, 0) - 5)
        finding(f,
                "max_connections is too small for the pools of one serve: raise it or lower request_workers");
    if (db_get_int(r, 0, 2) > 0 && db_get(r, 0, 3).length == 0)
        finding(
            f,
            "a standby exists without synchronous_standby_names: a failover could lose a revocation that was "
            "acknowledged");
    return true;
}

// Prints a line for each finding and then the totals.
static void check_blobs(struct findings *findings, bool deep, struct arena *arena)
{
    struct db_target target = {site_conninfo(findings->config, arena), "azsacr check", 60000};
    struct store_report r;
    const char *why = NULL;
    if (!store_open(findings->config->store, &why, arena) ||
        !store_check(&target, deep, stdout, &r, arena, &why)) {
        finding(findings, why ? why : "the store cannot be read");
        return;
    }
    printf("store: %lld files with %lld bytes; rows: %lld blobs, %lld uploads, %lld garbage\n",
           (long long)r.files, (long long)r.bytes, (long long)r.blobs, (long long)r.uploads,
           (long long)r.garbage);
    if (r.missing + r.wrong_size + r.doubled + r.corrupt > 0)
        finding(findings,
                arena_printf(arena,
                             "blobs whose file is missing: %lld, of another size: %lld, shared by two rows: "
                             "%lld, with another digest: %lld; restore those files, or push the images again",
                             (long long)r.missing, (long long)r.wrong_size, (long long)r.doubled,
                             (long long)r.corrupt));
    if (r.orphans > 0)
        finding(findings,
                arena_printf(arena, "files that no row names: %lld with %lld bytes; they take space only",
                             (long long)r.orphans, (long long)r.orphan_bytes));
}

int command_check(int argc, char **argv)
{
    struct option options[] = {
        {"state", false, "the state directory", NULL},
        {"store", true, "compare the blobs' rows with their files, too", NULL},
        {"deep", true, "with --store: read every file and compare its digest", NULL},
        {NULL, false, NULL, NULL},
    };
    if (options_parse("check", NULL, argc, argv, options) != 0)
        return 2;
    struct arena *arena = arena_new();
    struct config *config = configure(arena, options[0].value, NULL, NULL, NULL);
    struct findings findings = {.config = config};
    int status = 1;
    if (config != NULL) {
        struct db_target target = {site_conninfo(config, arena), "azsacr check", 10000};
        struct db_connection *connection = db_connection_new(&target);
        bool answers = db_transact(connection, check_database, &findings) == DB_COMMITTED;
        if (!answers)
            finding(&findings, "the database does not answer: is the site running, is `database` right?");
        db_connection_free(connection);
        if (answers && (options[1].value != NULL || options[2].value != NULL))
            check_blobs(&findings, options[2].value != NULL, arena);
        if (findings.count == 0)
            puts("nothing is wrong");
        status = findings.count == 0 ? 0 : 1;
    }
    arena_free(arena);
    return status;
}

static bool rotate(struct db_transaction *tx, void *argument)
{
    (void)argument;
    rbac_keys_rotate(tx, "sign-in");
    rbac_keys_rotate(tx, "registry");
    return true;
}

int command_keys(int argc, char **argv)
{
    struct option options[] = {{"state", false, "the state directory", NULL}, {NULL, false, NULL, NULL}};
    int left = options_parse("keys", "rotate", argc, argv, options);
    if (left < 0)
        return 2;
    if (left != 1 || strcmp(argv[0], "rotate") != 0) {
        options_usage(stderr, "keys", "rotate");
        return 2;
    }
    struct arena *arena = arena_new();
    struct config *config = configure(arena, options[0].value, NULL, NULL, NULL);
    struct site_session *session = config ? site_session_open(config, arena) : NULL;
    bool ok = session != NULL && db_transact(site_session_connection(session), rotate, NULL) == DB_COMMITTED;
    if (session != NULL)
        site_session_close(session);
    puts(ok ? "new keys sign from now on; tokens of the old ones stay good until they expire"
            : "the keys were not rotated");
    arena_free(arena);
    return ok ? 0 : 1;
}
