// The check of the store: every row's file, then every file's row.
#include "rp/data/check_parts.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "rp/data/store.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 1 << 18, AT_ONCE = 256, TELL_US = 5000000, NAP_US = 200000 };

bool check_transact(struct check *check, bool (*run)(struct db_transaction *tx, void *argument),
                    void *argument)
{
    if (db_transact(check->connection, run, argument) != DB_COMMITTED)
        check->failed = true;
    return !check->failed;
}

int64_t store_findings(const struct store_report *r)
{
    return r->missing + r->wrong_size + r->corrupt + r->orphans + r->doubled + r->usage + r->flags +
           r->counts;
}

// ---- the pace

static void tell(struct check *check)
{
    int64_t now = clock_monotonic();
    if (check->options->progress == NULL || now - check->told_at < TELL_US)
        return;
    check->told_at = now;
    const struct store_report *r = check->report;
    fprintf(check->options->progress, "checked: %lld of %lld blobs, ", (long long)r->blobs,
            (long long)check->total_blobs);
    if (check->options->deep)
        fprintf(check->options->progress, "%lld of %lld MiB read, ", (long long)(check->read >> 20),
                (long long)(check->total_bytes >> 20));
    fprintf(check->options->progress, "%lld files, %lld findings\n", (long long)r->files,
            (long long)store_findings(r));
    fflush(check->options->progress);
}

// Waits until what was read is no more than the rate allows since the beginning.
static void keep_pace(struct check *check, int64_t bytes)
{
    int64_t rate = check->options->rate;
    check->read += bytes;
    while (rate > 0) {
        int64_t elapsed = clock_monotonic() - check->read_since;
        int64_t due = (int64_t)((double)check->read / (double)rate * 1e6);
        if (due <= elapsed)
            break;
        usleep((useconds_t)(due - elapsed < NAP_US ? due - elapsed : NAP_US));
        tell(check);
    }
    tell(check);
}

bool check_digest_fits(struct check *check, const char *file, const char *digest, int64_t size)
{
    enum digest_algorithm algorithm;
    struct store_file *open;
    if (!digest_parse(text_of(digest), &algorithm) || store_open_published(file, &open) != STORE_OK)
        return false;
    struct digest *running = digest_begin(algorithm);
    char *piece = xmalloc(PIECE);
    int64_t at = 0;
    for (ssize_t count; at < size && (count = store_read(open, at, piece, PIECE)) > 0; at += count) {
        digest_add(running, piece, (size_t)count);
        keep_pace(check, count);
    }
    free(piece);
    store_end(open);
    struct arena *arena = arena_new();
    bool fits = text_is(digest_end(running, arena), digest);
    arena_free(arena);
    return fits;
}

// ---- rows against files

static const struct db_statement check_totals = {
    "check_totals", "select count(*), coalesce(sum(size), 0)::bigint from acr.blob"};
static const struct db_statement check_blobs = {
    "check_blobs", "select file, digest, size, registry_id, lost from acr.blob where file > $1::uuid"
                   " order by file limit $2"};
static const struct db_statement check_again = {"check_again",
                                                "select 1 from acr.blob where file = $1 and digest = $2"};

static bool totals_run(struct db_transaction *tx, void *argument)
{
    struct check *check = argument;
    const struct db_result *row = DB_RUN0(tx, &check_totals);
    check->total_blobs = db_get_int(row, 0, 0);
    check->total_bytes = db_get_int(row, 0, 1);
    return true;
}

struct page {
    char after[37]; // the last file of the page before
    struct blob_row blobs[AT_ONCE];
    size_t count;
};

static bool page_run(struct db_transaction *tx, void *argument)
{
    struct page *page = argument;
    const struct db_result *rows = DB_RUN(tx, &check_blobs, db_string(page->after), db_int(AT_ONCE));
    page->count = 0;
    for (size_t i = 0; i < db_rows(rows); i++) {
        struct blob_row *blob = &page->blobs[page->count++];
        *blob = (struct blob_row){.size = db_get_int(rows, i, 2),
                                  .registry_id = db_get_int(rows, i, 3),
                                  .lost = db_get_bool(rows, i, 4)};
        snprintf(blob->file, sizeof blob->file, "%s", db_get(rows, i, 0).base);
        snprintf(blob->digest, sizeof blob->digest, "%s", db_get(rows, i, 1).base);
    }
    return true;
}

struct again {
    const struct blob_row *blob;
    bool stands;
};

static bool again_run(struct db_transaction *tx, void *argument)
{
    struct again *again = argument;
    again->stands =
        db_rows(DB_RUN(tx, &check_again, db_string(again->blob->file), db_string(again->blob->digest))) == 1;
    return true;
}

// Only what still stands: the blob may have been swept while we looked at its file.
static void report_blob(struct check *check, const struct blob_row *blob, const char *problem,
                        int64_t *counter)
{
    struct again again = {.blob = blob};
    if (!check_transact(check, again_run, &again) || !again.stands)
        return;
    ++*counter;
    fprintf(check->options->out, "%s: %s of registry row %lld, file %s\n", problem, blob->digest,
            (long long)blob->registry_id, blob->file);
    if (check->options->repair)
        check_mend_blob(check, blob);
}

static void check_blob(struct check *check, const struct blob_row *blob)
{
    struct store_report *report = check->report;
    // What was marked lost is believed to be there again only once it was read.
    bool read = check->options->deep || (blob->lost && check->options->repair);
    int64_t size = -1;
    report->blobs++;
    if (store_stat(blob->file, &size) != STORE_OK)
        report_blob(check, blob, "missing file", &report->missing);
    else if (size != blob->size)
        report_blob(check, blob, "file of wrong size", &report->wrong_size);
    else if (read && !check_digest_fits(check, blob->file, blob->digest, blob->size))
        report_blob(check, blob, "file with wrong digest", &report->corrupt);
    else if (read && blob->lost && check->options->repair)
        check_unmark_lost(check, blob);
    tell(check);
}

// A page is read in a transaction of its own; files are looked at outside it, for that may take long.
static void check_rows(struct check *check)
{
    struct page *page = xcalloc(1, sizeof *page);
    snprintf(page->after, sizeof page->after, "00000000-0000-0000-0000-000000000000");
    do {
        if (!check_transact(check, page_run, page))
            break;
        for (size_t i = 0; i < page->count && !check->failed; i++)
            check_blob(check, &page->blobs[i]);
        if (page->count > 0)
            memcpy(page->after, page->blobs[page->count - 1].file, sizeof page->after);
    } while (page->count > 0 && !check->failed);
    free(page);
}

static const struct db_statement check_counts = {
    "check_counts", "select (select count(*) from acr.upload), (select count(*) from acr.garbage),"
                    " (select count(*) from (select f.file from (select file from acr.blob union all select "
                    "file from acr.garbage"
                    " union all select id from acr.upload union all select id from acr.upload_reserved) f "
                    "group by f.file having count(*) > 1) d)"};

static bool counts_run(struct db_transaction *tx, void *argument)
{
    struct check *check = argument;
    const struct db_result *row = DB_RUN0(tx, &check_counts);
    check->report->uploads = db_get_int(row, 0, 0);
    check->report->garbage = db_get_int(row, 0, 1);
    check->report->doubled = db_get_int(row, 0, 2);
    return true;
}

static void check_doubled(struct check *check)
{
    if (!check_transact(check, counts_run, check) || check->report->doubled == 0)
        return;
    fprintf(check->options->out, "files that more than one row names: %lld\n",
            (long long)check->report->doubled);
    if (check->options->repair)
        check_mend_doubled(check);
}

// ---- files against rows

// One statement: a file's row moves from one table to the next while we look.
static const struct db_statement check_named = {
    "check_named", "select 1 where exists (select 1 from acr.blob where file = $1)"
                   " or exists (select 1 from acr.upload where id = $1)"
                   " or exists (select 1 from acr.upload_reserved where id = $1)"
                   " or exists (select 1 from acr.garbage where file = $1)"};

struct walk {
    struct check *check;
    char ids[AT_ONCE][37];
    bool known[AT_ONCE];
    size_t count;
};

static bool names_run(struct db_transaction *tx, void *argument)
{
    struct walk *walk = argument;
    for (size_t i = 0; i < walk->count && !db_failed(tx); i++)
        walk->known[i] = db_rows(DB_RUN(tx, &check_named, db_string(walk->ids[i]))) == 1;
    return true;
}

// A file without a row at one look may have been removed with its row since: it must be there still.
static void judge_files(struct walk *walk)
{
    struct check *check = walk->check;
    if (walk->count > 0)
        check_transact(check, names_run, walk);
    for (size_t i = 0; i < walk->count && !check->failed; i++) {
        int64_t size;
        if (walk->known[i] || store_stat(walk->ids[i], &size) != STORE_OK)
            continue;
        check->report->orphans++;
        check->report->orphan_bytes += size;
        fprintf(check->options->out, "file that no row names: %s, %lld bytes\n", walk->ids[i],
                (long long)size);
        if (check->options->repair)
            check_mend_orphan(check, walk->ids[i], size);
    }
    walk->count = 0;
}

static bool see_file(const char *id, int64_t size, void *argument)
{
    struct walk *walk = argument;
    walk->check->report->files++;
    walk->check->report->bytes += size;
    memcpy(walk->ids[walk->count], id, sizeof walk->ids[0]);
    walk->count++;
    if (walk->count == AT_ONCE)
        judge_files(walk);
    tell(walk->check);
    return !walk->check->failed;
}

static void check_files(struct check *check)
{
    struct walk *walk = xcalloc(1, sizeof *walk);
    walk->check = check;
    store_enumerate(see_file, walk);
    judge_files(walk);
    free(walk);
}

bool store_check(const struct db_target *target, const struct store_check_options *options,
                 struct store_report *report, struct arena *arena, const char **why)
{
    *report = (struct store_report){0};
    struct check *check = ARENA_NEW(arena, struct check);
    *check = (struct check){.connection = db_connection_new(target),
                            .options = options,
                            .report = report,
                            .read_since = clock_monotonic(),
                            .told_at = clock_monotonic()};
    if (check_transact(check, totals_run, check))
        check_rows(check);
    if (!check->failed)
        check_doubled(check);
    if (!check->failed)
        check_files(check);
    if (!check->failed)
        check_sums(check);
    db_connection_free(check->connection);
    if (!check->failed)
        return true;
    *why = "the database cannot be read";
    return false;
}
