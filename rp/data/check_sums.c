// The sums that the database keeps against what they sum: usage, blobs' marks, repositories' counts. Each is
// compared in one statement, which sees one moment; mended under the registry's mutex.
#include "rp/data/check_parts.h"

#include "base/arena.h"
#include "rp/data/content.h"

#define LIVE_BYTES                                                                                           \
    "((select coalesce(sum(b.size), 0) from acr.blob b where b.registry_id = $1 and exists ("                \
    "   select 1 from acr.manifest_ref f join acr.repository p on p.id = f.repository_id"                    \
    "   and p.deleted_at is null where f.registry_id = b.registry_id and f.digest = b.digest))"              \
    " + (select coalesce(sum(octet_length(m.content)), 0) from acr.repository p"                             \
    "   join acr.manifest m on m.repository_id = p.id"                                                       \
    "   where p.registry_id = $1 and p.deleted_at is null))::bigint"
#define REFERRED                                                                                             \
    "exists (select 1 from acr.manifest_ref f where f.registry_id = b.registry_id and f.digest = b.digest)"
#define MANIFESTS "(select count(*) from acr.manifest m where m.repository_id = p.id)"
#define TAGS "(select count(*) from acr.tag t where t.repository_id = p.id)"
#define MISCOUNTED                                                                                           \
    "p.registry_id = $1 and p.deleted_at is null and (p.manifest_count <> " MANIFESTS                        \
    " or p.tag_count <> " TAGS ")"

static const struct db_statement next_statement = {
    "check_next_registry", "select r.id, e.name from acr.registry r join arm.resource e on e.id = r.id"
                           " where r.id > $1 order by r.id limit 1"};
static const struct db_statement usage_statement = {
    "check_usage", "select live_bytes, " LIVE_BYTES " from acr.registry_usage where registry_id = $1"};
static const struct db_statement flags_statement = {
    "check_flags", "select count(*) from acr.blob b where b.registry_id = $1 and b.referenced <> " REFERRED};
static const struct db_statement counts_statement = {
    "check_repository_counts", "select count(*) from acr.repository p where " MISCOUNTED};
static const struct db_statement mend_usage = {
    "check_mend_usage", "update acr.registry_usage set live_bytes = " LIVE_BYTES " where registry_id = $1"};
static const struct db_statement mend_flags = {"check_mend_flags",
                                               "update acr.blob b set referenced = not b.referenced,"
                                               " ever_referenced = b.ever_referenced or not b.referenced"
                                               " where b.registry_id = $1 and b.referenced <> " REFERRED};
static const struct db_statement mend_counts = {"check_mend_counts",
                                                "update acr.repository p set manifest_count = " MANIFESTS
                                                ", tag_count = " TAGS " where " MISCOUNTED};

struct sums {
    struct check *check;
    int64_t registry; // looked at last
    char name[64];
    bool more, wrong;
};

static bool look_run(struct db_transaction *tx, void *argument)
{
    struct sums *sums = argument;
    struct store_report *report = sums->check->report;
    FILE *out = sums->check->options->out;
    const struct db_result *next = DB_RUN(tx, &next_statement, db_int(sums->registry));
    sums->more = db_rows(next) == 1;
    sums->wrong = false;
    if (!sums->more)
        return true;
    struct db_value id = db_int(db_get_int(next, 0, 0));
    snprintf(sums->name, sizeof sums->name, "%.*s", TEXT_ARG(db_get(next, 0, 1)));
    const struct db_result *usage = DB_RUN(tx, &usage_statement, id);
    const struct db_result *flags = DB_RUN(tx, &flags_statement, id);
    const struct db_result *counts = DB_RUN(tx, &counts_statement, id);
    if (db_failed(tx))
        return false;
    sums->registry = id.number;
    if (db_rows(usage) == 1 && db_get_int(usage, 0, 0) != db_get_int(usage, 0, 1)) {
        fprintf(out, "usage of %s: %lld bytes, but its images have %lld\n", sums->name,
                (long long)db_get_int(usage, 0, 0), (long long)db_get_int(usage, 0, 1));
        report->usage++;
        sums->wrong = true;
    }
    if (db_get_int(flags, 0, 0) > 0) {
        fprintf(out, "blobs of %s that are wrongly marked as referred to, or not: %lld\n", sums->name,
                (long long)db_get_int(flags, 0, 0));
        report->flags += db_get_int(flags, 0, 0);
        sums->wrong = true;
    }
    if (db_get_int(counts, 0, 0) > 0) {
        fprintf(out, "repositories of %s with wrong counts: %lld\n", sums->name,
                (long long)db_get_int(counts, 0, 0));
        report->counts += db_get_int(counts, 0, 0);
        sums->wrong = true;
    }
    return true;
}

// Repositories come before the mutex, as for who pushes into one or deletes it.
static const struct db_statement mend_hold = {
    "check_mend_hold", "select id from acr.repository where registry_id = $1 order by id for key share"};

static bool mend_run(struct db_transaction *tx, void *argument)
{
    struct sums *sums = argument;
    struct db_value id = db_int(sums->registry);
    DB_RUN(tx, &mend_hold, id);
    usage_lock(tx, sums->registry);
    DB_RUN(tx, &mend_flags, id);
    DB_RUN(tx, &mend_counts, id);
    DB_RUN(tx, &mend_usage, id);
    return true;
}

void check_sums(struct check *check)
{
    struct sums sums = {.check = check};
    int64_t before = 0;
    do {
        if (!check_transact(check, look_run, &sums))
            return;
        int64_t found = check->report->usage + check->report->flags + check->report->counts;
        if (sums.wrong && check->options->repair && check_transact(check, mend_run, &sums))
            check->report->mended += found - before;
        before = found;
    } while (sums.more);
}
