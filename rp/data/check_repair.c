// Mending what the check finds. Every step is conditional on the row being as it was found, so that a push, a
// delete or a sweep beside it wins.
#include "rp/data/check_parts.h"

#include "base/arena.h"
#include "rp/data/store.h"

#include <string.h>

enum { SOURCES = 8, IMAGES = 5 };

// ---- a blob whose file is not what its row says

// Files of other registries that should have the same bytes.
static const struct db_statement sources_statement = {
    "check_sources",
    "select file, size from acr.blob where digest = $1 and file <> $2 and not lost limit $3"};
// The new file's row before the file (docs/store.md); nobody else knows its id.
static const struct db_statement prepare_statement = {
    "check_prepare", "insert into acr.upload (id, registry_id, repository) values ($1, $2, '')"};
static const struct db_statement replace_statement = {
    "check_replace", "with u as (delete from acr.upload where id = $4 returning id),"
                     " b as (update acr.blob set file = u.id, size = $5, lost = false from u"
                     "   where registry_id = $1 and digest = $2 and file = $3 returning file)"
                     " insert into acr.garbage (file) select $3::uuid from b on conflict (file) do nothing"};
static const struct db_statement give_up_statement = {
    "check_give_up", "with u as (delete from acr.upload where id = $1 returning id)"
                     " insert into acr.garbage (file) select id from u on conflict (file) do nothing"};
static const struct db_statement mark_statement = {
    "check_mark_lost",
    "update acr.blob set lost = true where registry_id = $1 and digest = $2 and file = $3"};
static const struct db_statement unmark_statement = {
    "check_unmark_lost",
    "update acr.blob set lost = false where registry_id = $1 and digest = $2 and file = $3 and lost"};
static const struct db_statement images_statement = {
    "check_images", "select e.name, p.name, m.digest, count(*) over () from acr.manifest_ref f"
                    " join acr.manifest m on m.id = f.manifest_id"
                    " join acr.repository p on p.id = m.repository_id and p.deleted_at is null"
                    " join arm.resource e on e.id = f.registry_id"
                    " where f.registry_id = $1 and f.digest = $2 order by p.name, m.digest limit $3"};

struct source {
    char file[37];
    int64_t size;
};

struct mend {
    const struct blob_row *blob;
    struct source sources[SOURCES];
    size_t count;
    const struct source *source;
    char fresh[37];
    bool done;
    FILE *out;
};

static bool sources_run(struct db_transaction *tx, void *argument)
{
    struct mend *mend = argument;
    const struct db_result *rows = DB_RUN(tx, &sources_statement, db_string(mend->blob->digest),
                                          db_string(mend->blob->file), db_int(SOURCES));
    mend->count = 0;
    for (size_t i = 0; i < db_rows(rows); i++) {
        struct source *source = &mend->sources[mend->count++];
        snprintf(source->file, sizeof source->file, "%s", db_get(rows, i, 0).base);
        source->size = db_get_int(rows, i, 1);
    }
    return true;
}

static bool prepare_run(struct db_transaction *tx, void *argument)
{
    struct mend *mend = argument;
    DB_RUN(tx, &prepare_statement, db_string(mend->fresh), db_int(mend->blob->registry_id));
    return true;
}

static bool replace_run(struct db_transaction *tx, void *argument)
{
    struct mend *mend = argument;
    const struct db_result *done =
        DB_RUN(tx, &replace_statement, db_int(mend->blob->registry_id), db_string(mend->blob->digest),
               db_string(mend->blob->file), db_string(mend->fresh), db_int(mend->source->size));
    mend->done = db_affected(done) == 1;
    return mend->done;
}

static bool give_up_run(struct db_transaction *tx, void *argument)
{
    struct mend *mend = argument;
    DB_RUN(tx, &give_up_statement, db_string(mend->fresh));
    return true;
}

// Another name for the source's bytes takes the place of the file.
static bool take_source(struct check *check, struct mend *mend)
{
    if (!check_digest_fits(check, mend->source->file, mend->blob->digest, mend->source->size))
        return false;
    store_new_id(mend->fresh);
    if (!check_transact(check, prepare_run, mend))
        return false;
    mend->done = false;
    if (store_link(mend->source->file, mend->fresh) == STORE_OK)
        db_transact(check->connection, replace_run, mend);
    if (!mend->done)
        check_transact(check, give_up_run, mend);
    return mend->done;
}

static bool mark_run(struct db_transaction *tx, void *argument)
{
    struct mend *mend = argument;
    const struct blob_row *blob = mend->blob;
    struct db_value registry = db_int(blob->registry_id), digest = db_string(blob->digest);
    mend->done = db_affected(DB_RUN(tx, &mark_statement, registry, digest, db_string(blob->file))) == 1;
    if (!mend->done)
        return true;
    const struct db_result *images = DB_RUN(tx, &images_statement, registry, digest, db_int(IMAGES));
    for (size_t i = 0; i < db_rows(images); i++)
        fprintf(mend->out, "  needed by %.*s %.*s@%.*s\n", TEXT_ARG(db_get(images, i, 0)),
                TEXT_ARG(db_get(images, i, 1)), TEXT_ARG(db_get(images, i, 2)));
    if (db_rows(images) > 0 && db_get_int(images, 0, 3) > IMAGES)
        fprintf(mend->out, "  and %lld more\n", (long long)db_get_int(images, 0, 3) - IMAGES);
    return true;
}

void check_mend_blob(struct check *check, const struct blob_row *blob)
{
    struct mend mend = {.blob = blob, .out = check->options->out};
    if (!check_transact(check, sources_run, &mend))
        return;
    for (size_t i = 0; i < mend.count && !mend.done && !check->failed; i++) {
        mend.source = &mend.sources[i];
        if (take_source(check, &mend)) {
            fprintf(mend.out, "  mended from file %s of another registry\n", mend.source->file);
            check->report->mended++;
        }
    }
    if (mend.done || check->failed || !check_transact(check, mark_run, &mend) || !mend.done)
        return;
    check->report->lost++;
    fprintf(mend.out, "  lost: no other registry has it; clients that push it again mend it\n");
}

static bool unmark_run(struct db_transaction *tx, void *argument)
{
    struct mend *mend = argument;
    const struct blob_row *blob = mend->blob;
    mend->done = db_affected(DB_RUN(tx, &unmark_statement, db_int(blob->registry_id), db_string(blob->digest),
                                    db_string(blob->file))) == 1;
    return true;
}

void check_unmark_lost(struct check *check, const struct blob_row *blob)
{
    struct mend mend = {.blob = blob};
    if (check_transact(check, unmark_run, &mend) && mend.done)
        fprintf(check->options->out, "there again: %s of registry row %lld, file %s\n", blob->digest,
                (long long)blob->registry_id, blob->file);
}

// ---- rows and files that do not belong to each other

// A blob's row stands; the others that name its file do not, and of the rest the garbage's does.
static const struct db_statement doubled_uploads = {
    "check_doubled_uploads",
    "delete from acr.upload u where exists (select 1 from acr.blob b where b.file = u.id)"
    " or exists (select 1 from acr.garbage g where g.file = u.id)"};
static const struct db_statement doubled_reserved = {
    "check_doubled_reserved",
    "delete from acr.upload_reserved u where exists (select 1 from acr.blob b where b.file = u.id)"
    " or exists (select 1 from acr.garbage g where g.file = u.id)"
    " or exists (select 1 from acr.upload s where s.id = u.id)"};
static const struct db_statement doubled_garbage = {
    "check_doubled_garbage",
    "delete from acr.garbage g where exists (select 1 from acr.blob b where b.file = g.file)"};

static bool doubled_run(struct db_transaction *tx, void *argument)
{
    struct check *check = argument;
    DB_RUN0(tx, &doubled_garbage);
    DB_RUN0(tx, &doubled_uploads);
    DB_RUN0(tx, &doubled_reserved);
    check->report->mended += check->report->doubled;
    return true;
}

void check_mend_doubled(struct check *check)
{
    check_transact(check, doubled_run, check);
}

static const struct db_statement orphan_statement = {
    "check_orphan", "insert into acr.garbage (file, size) select $1::uuid, $2"
                    " where not exists (select 1 from acr.blob b where b.file = $1)"
                    " and not exists (select 1 from acr.upload u where u.id = $1)"
                    " and not exists (select 1 from acr.upload_reserved u where u.id = $1)"
                    " on conflict (file) do nothing"};

struct orphan {
    const char *file;
    int64_t size;
};

static bool orphan_run(struct db_transaction *tx, void *argument)
{
    const struct orphan *orphan = argument;
    DB_RUN(tx, &orphan_statement, db_string(orphan->file), db_int(orphan->size));
    return true;
}

void check_mend_orphan(struct check *check, const char *file, int64_t size)
{
    struct orphan orphan = {file, size};
    if (check_transact(check, orphan_run, &orphan))
        check->report->mended++; // the sweep removes it
}
