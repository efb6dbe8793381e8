// The check of the store: every row's file, then every file's row.
#include "rp/data/check.h"

#include "base/arena.h"
#include "base/crypto.h"
#include "rp/data/store.h"

#include <stdlib.h>
#include <unistd.h>

enum { PAGE = 1000, PIECE = 1 << 18, FILES_AT_ONCE = 256 };

struct check {
    struct db_connection *connection;
    struct store_report *report;
    FILE *out;
    bool deep, failed;
    char after[37]; // the blob rows' files, in order
    size_t rows;
    // Files whose names are being asked for.
    char ids[FILES_AT_ONCE][37];
    int64_t sizes[FILES_AT_ONCE];
    bool known[FILES_AT_ONCE];
    size_t count;
};

// ---- rows against files

static const struct db_statement check_blobs = {
    "check_blobs",
    "select file, digest, size, registry_id from acr.blob where file > $1::uuid order by file limit $2"};
static const struct db_statement check_again = {"check_again",
                                                "select 1 from acr.blob where file = $1 and digest = $2"};

// Read without the store's session lock: a published file is never written again.
static bool digest_fits(const char *id, int64_t size, struct text stated, struct arena *arena)
{
    enum digest_algorithm algorithm;
    struct store_file *file;
    if (!digest_parse(stated, &algorithm) || store_begin(id, false, &file) != STORE_OK)
        return false;
    struct digest *running = digest_begin(algorithm);
    char *piece = xmalloc(PIECE);
    int64_t at = 0;
    for (ssize_t count; at < size && (count = store_read(file, at, piece, PIECE)) > 0; at += count)
        digest_add(running, piece, (size_t)count);
    free(piece);
    store_end(file);
    return text_equal(digest_end(running, arena), stated);
}

static void report_blob(struct check *check, struct db_transaction *tx, const struct db_result *row, size_t i,
                        const char *problem, int64_t *counter)
{
    struct text file = db_get(row, i, 0), digest = db_get(row, i, 1);
    if (db_rows(DB_RUN(tx, &check_again, db_text(file), db_text(digest))) == 0)
        return; // swept while we looked
    ++*counter;
    fprintf(check->out, "%s: %.*s of registry row %lld, file %.*s\n", problem, TEXT_ARG(digest),
            (long long)db_get_int(row, i, 3), TEXT_ARG(file));
}

static void check_blob(struct check *check, struct db_transaction *tx, const struct db_result *rows, size_t i)
{
    const char *id = text_cstr(db_arena(tx), db_get(rows, i, 0));
    int64_t stated = db_get_int(rows, i, 2), size = -1;
    check->report->blobs++;
    if (store_stat(id, &size) != STORE_OK)
        report_blob(check, tx, rows, i, "missing file", &check->report->missing);
    else if (size != stated)
        report_blob(check, tx, rows, i, "file of wrong size", &check->report->wrong_size);
    else if (check->deep && !digest_fits(id, size, db_get(rows, i, 1), db_arena(tx)))
        report_blob(check, tx, rows, i, "file with wrong digest", &check->report->corrupt);
}

static bool blobs_page(struct db_transaction *tx, void *argument)
{
    struct check *check = argument;
    const struct db_result *rows =
        DB_RUN(tx, &check_blobs, db_string(check->after), db_int(check->deep ? 1 : PAGE));
    check->rows = db_rows(rows);
    for (size_t i = 0; i < check->rows; i++)
        check_blob(check, tx, rows, i);
    if (check->rows > 0)
        memcpy(check->after, db_get(rows, check->rows - 1, 0).base, sizeof check->after - 1);
    return true;
}

static bool check_rows(struct check *check)
{
    memcpy(check->after, "00000000-0000-0000-0000-000000000000", sizeof check->after);
    do {
        struct store_report before = *check->report;
        if (db_transact(check->connection, blobs_page, check) != DB_COMMITTED) {
            *check->report = before;
            return false;
        }
    } while (check->rows > 0);
    return true;
}

static const struct db_statement check_counts = {
    "check_counts", "select (select count(*) from acr.upload), (select count(*) from acr.garbage),"
                    " (select count(*) from (select f.file from (select file from acr.blob union all select "
                    "file from acr.garbage"
                    " union all select id from acr.upload) f group by f.file having count(*) > 1) d)"};

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
    if (check->count == FILES_AT_ONCE)
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
