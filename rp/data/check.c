// The check of the store: every row's file, then every file's row.
#include "rp/data/check.h"

#include "base/arena.h"
#include "base/crypto.h"
#include "rp/data/store.h"

#include <stdlib.h>
#include <unistd.h>

enum { PIECE = 1 << 18, AT_ONCE = 256, DIGEST_LENGTH = 7 + 128 };

struct blob_row {
    char file[37], digest[DIGEST_LENGTH + 1];
    int64_t size, registry_id;
};

struct check {
    struct db_connection *connection;
    struct store_report *report;
    FILE *out;
    bool deep, failed;
    char after[37]; // the last file of the page before
    // One page of rows, or of files whose rows are being asked for.
    struct blob_row blobs[AT_ONCE];
    char ids[AT_ONCE][37];
    bool known[AT_ONCE];
    size_t count;
};

// ---- rows against files

static const struct db_statement check_blobs = {
    "check_blobs",
    "select file, digest, size, registry_id from acr.blob where file > $1::uuid order by file limit $2"};
static const struct db_statement check_again = {"check_again",
                                                "select 1 from acr.blob where file = $1 and digest = $2"};

static bool blobs_page(struct db_transaction *tx, void *argument)
{
    struct check *check = argument;
    const struct db_result *rows = DB_RUN(tx, &check_blobs, db_string(check->after), db_int(AT_ONCE));
    check->count = 0;
    for (size_t i = 0; i < db_rows(rows); i++) {
        struct blob_row *blob = &check->blobs[check->count++];
        *blob = (struct blob_row){.size = db_get_int(rows, i, 2), .registry_id = db_get_int(rows, i, 3)};
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
    if (db_transact(check->connection, again_run, &again) != DB_COMMITTED)
        check->failed = true;
    if (!again.stands)
        return;
    ++*counter;
    fprintf(check->out, "%s: %s of registry row %lld, file %s\n", problem, blob->digest,
            (long long)blob->registry_id, blob->file);
}

static bool digest_fits(const struct blob_row *blob)
{
    enum digest_algorithm algorithm;
    struct store_file *file;
    if (!digest_parse(text_of(blob->digest), &algorithm) || store_begin(blob->file, false, &file) != STORE_OK)
        return false;
    struct digest *running = digest_begin(algorithm);
    char *piece = xmalloc(PIECE);
    int64_t at = 0;
    for (ssize_t count; at < blob->size && (count = store_read(file, at, piece, PIECE)) > 0; at += count)
        digest_add(running, piece, (size_t)count);
    free(piece);
    store_end(file);
    struct arena *arena = arena_new();
    bool fits = text_is(digest_end(running, arena), blob->digest);
    arena_free(arena);
    return fits;
}

static void check_blob(struct check *check, const struct blob_row *blob)
{
    struct store_report *report = check->report;
    int64_t size = -1;
    report->blobs++;
    if (store_stat(blob->file, &size) != STORE_OK)
        report_blob(check, blob, "missing file", &report->missing);
    else if (size != blob->size)
        report_blob(check, blob, "file of wrong size", &report->wrong_size);
    else if (check->deep && !digest_fits(blob))
        report_blob(check, blob, "file with wrong digest", &report->corrupt);
}

// A page is read in a transaction of its own; files are looked at outside it, for that may take long.
static bool check_rows(struct check *check)
{
    snprintf(check->after, sizeof check->after, "00000000-0000-0000-0000-000000000000");
    do {
        if (db_transact(check->connection, blobs_page, check) != DB_COMMITTED)
            return false;
        for (size_t i = 0; i < check->count && !check->failed; i++)
            check_blob(check, &check->blobs[i]);
        if (check->count > 0)
            memcpy(check->after, check->blobs[check->count - 1].file, sizeof check->after);
    } while (check->count > 0 && !check->failed);
    check->count = 0;
    return !check->failed;
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
    if (check->report->doubled > 0)
        fprintf(check->out, "files that more than one row names: %lld\n", (long long)check->report->doubled);
    return true;
}

// ---- files against rows

static const struct db_statement check_named = {
    "check_named", "select 1 where exists (select 1 from acr.blob where file = $1)"
                   " or exists (select 1 from acr.upload where id = $1)"
                   " or exists (select 1 from acr.upload_reserved where id = $1)"
                   " or exists (select 1 from acr.garbage where file = $1)"};

static bool names_run(struct db_transaction *tx, void *argument)
{
    struct check *check = argument;
    for (size_t i = 0; i < check->count && !db_failed(tx); i++)
        check->known[i] = db_rows(DB_RUN(tx, &check_named, db_string(check->ids[i]))) == 1;
    return true;
}

// A file without a row at one look may have been removed with its row since: it must be there still.
static void judge_files(struct check *check)
{
    if (check->count == 0)
        return;
    if (db_transact(check->connection, names_run, check) != DB_COMMITTED)
        check->failed = true;
    for (size_t i = 0; i < check->count && !check->failed; i++) {
        int64_t size;
        if (check->known[i] || store_stat(check->ids[i], &size) != STORE_OK)
            continue;
        check->report->orphans++;
        check->report->orphan_bytes += size;
        fprintf(check->out, "file that no row names: %s, %lld bytes\n", check->ids[i], (long long)size);
    }
    check->count = 0;
}

static bool see_file(const char *id, int64_t size, void *argument)
{
    struct check *check = argument;
    check->report->files++;
    check->report->bytes += size;
    memcpy(check->ids[check->count], id, sizeof check->ids[0]);
    check->count++;
    if (check->count == AT_ONCE)
        judge_files(check);
    return !check->failed;
}

bool store_check(const struct db_target *target, bool deep, FILE *out, struct store_report *report,
                 struct arena *arena, const char **why)
{
    *report = (struct store_report){0};
    struct check *check = arena_alloc(arena, sizeof *check);
    *check =
        (struct check){.connection = db_connection_new(target), .report = report, .out = out, .deep = deep};
    bool read = check_rows(check) && db_transact(check->connection, counts_run, check) == DB_COMMITTED;
    if (read) {
        store_enumerate(see_file, check);
        judge_files(check);
    }
    db_connection_free(check->connection);
    if (read && !check->failed)
        return true;
    *why = "the database cannot be read";
    return false;
}
