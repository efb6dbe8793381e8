// azsacrd check: what is wrong with the configuration, the database and, where asked, the blobs.
#include "cli/commands.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "cli/options.h"
#include "cli/site.h"
#include "db/database.h"
#include "rp/data/check.h"
#include "rp/data/store.h"

#include <stdio.h>

enum { STATE, STORE, DEEP, RATE_OPTION, REPAIR, END };
// A sum over a large registry takes its time.
enum { STATEMENT_MS = 600000, RATE = 64 << 20 };

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
static void check_blobs(struct findings *findings, const struct store_check_options *options,
                        struct arena *arena)
{
    struct db_target target = {site_conninfo(findings->config, arena), "azsacr check", STATEMENT_MS};
    struct store_report r;
    const char *why = NULL;
    if (!store_open(findings->config->store, &why, arena) ||
        !store_check(&target, options, &r, arena, &why)) {
        finding(findings, why ? why : "the store cannot be read");
        return;
    }
    printf("store: %lld files with %lld bytes; rows: %lld blobs, %lld uploads, %lld garbage\n",
           (long long)r.files, (long long)r.bytes, (long long)r.blobs, (long long)r.uploads,
           (long long)r.garbage);
    if (options->repair && store_findings(&r) > 0) {
        printf("of %lld findings %lld are mended\n", (long long)store_findings(&r), (long long)r.mended);
        if (r.mended == store_findings(&r))
            return;
    }
    if (r.missing + r.wrong_size + r.corrupt > 0)
        finding(findings,
                arena_printf(arena,
                             "blobs whose file is missing: %lld, of another size: %lld, with another digest: "
                             "%lld; restore those files, or push the images again",
                             (long long)r.missing, (long long)r.wrong_size, (long long)r.corrupt));
    if (r.lost > 0)
        finding(findings, arena_printf(arena,
                                       "of these %lld are unknown to clients from now on, so that they push "
                                       "them again",
                                       (long long)r.lost));
    if (options->repair)
        return;
    if (r.orphans + r.doubled > 0)
        finding(
            findings,
            arena_printf(arena,
                         "files that no row names: %lld with %lld bytes, which take space only; that more "
                         "than one row names: %lld",
                         (long long)r.orphans, (long long)r.orphan_bytes, (long long)r.doubled));
    if (r.usage + r.flags + r.counts > 0)
        finding(findings, arena_printf(arena,
                                       "registries whose usage is wrong: %lld, blobs' marks: %lld, "
                                       "repositories' counts: %lld",
                                       (long long)r.usage, (long long)r.flags, (long long)r.counts));
    if (store_findings(&r) > 0)
        puts("azsacrd check --repair mends what can be mended");
}

// Which look at the blobs is asked for; false after printing what is wrong.
static bool read_options(const struct option *options, struct store_check_options *check)
{
    *check = (struct store_check_options){.deep = options[DEEP].value != NULL,
                                          .repair = options[REPAIR].value != NULL,
                                          .rate = RATE,
                                          .out = stdout,
                                          .progress = stderr};
    const char *rate = options[RATE_OPTION].value;
    if (rate == NULL || config_size(text_of(rate), &check->rate))
        return true;
    fprintf(stderr, "azsacrd check: --rate is bytes a second, or a number with K, M or G; 0: no limit\n");
    return false;
}

static struct option options[] = {
    [STATE] = {"state", false, "the state directory", NULL},
    [STORE] = {"store", true, "compare the blobs' rows with their files, and the sums with what they sum",
               NULL},
    [DEEP] = {"deep", true, "the same, and read every file and compare its digest", NULL},
    [RATE_OPTION] = {"rate", false, "with --deep: bytes a second to read at most (64M; 0: no limit)", NULL},
    [REPAIR] = {"repair", true, "the same as --store, and mend what can be mended", NULL},
    [END] = {NULL, false, NULL, NULL},
};

int command_check(int argc, char **argv)
{
    struct store_check_options check;
    if (options_parse("check", NULL, argc, argv, options) != 0 || !read_options(options, &check))
        return 2;
    struct arena *arena = arena_new();
    struct config *config = configure(arena, options[STATE].value, NULL, NULL, NULL);
    struct findings findings = {.config = config};
    int status = 1;
    if (config != NULL) {
        struct db_target target = {site_conninfo(config, arena), "azsacr check", 10000};
        struct db_connection *connection = db_connection_new(&target);
        bool answers = db_transact(connection, check_database, &findings) == DB_COMMITTED;
        if (!answers)
            finding(&findings, "the database does not answer: is the site running, is `database` right?");
        db_connection_free(connection);
        if (answers && (options[STORE].value != NULL || check.deep || check.repair))
            check_blobs(&findings, &check, arena);
        if (findings.count == 0)
            puts("nothing is wrong");
        status = findings.count == 0 ? 0 : 1;
    }
    arena_free(arena);
    return status;
}
