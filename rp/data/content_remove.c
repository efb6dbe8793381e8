// What follows a repository's or a registry's deletion: jobs that remove its rows by the old ids, a few
// hundred a step. All of it is invisible already, so the steps change no usage, and there is no hurry.
#include "rp/data/content.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "rp/data/store.h"

#include <jansson.h>

// A number that the planner sees: for a parameter it assumes a tenth of the table, and reads all of an index
// for it.
#define ROWS_A_STEP "200"
enum { BUDGET = 200, HELD_WAIT_MS = 100 };

// In the order that the foreign keys allow. $1: the repository.
static const struct db_statement repository_statements[] = {
    {"content_drop_tags",
     "delete from acr.tag where (repository_id, name) in"
     " (select repository_id, name from acr.tag where repository_id = $1 limit " ROWS_A_STEP ")"},
    {"content_drop_refs",
     "delete from acr.manifest_ref where (manifest_id, digest) in"
     " (select manifest_id, digest from acr.manifest_ref where repository_id = $1 limit " ROWS_A_STEP ")"},
    {"content_drop_children",
     "delete from acr.manifest_child where (manifest_id, digest) in"
     " (select manifest_id, digest from acr.manifest_child where repository_id = $1 limit " ROWS_A_STEP ")"},
    {"content_drop_manifests",
     "delete from acr.manifest where id in"
     " (select id from acr.manifest where repository_id = $1 limit " ROWS_A_STEP ")"},
    {"content_drop_links", "delete from acr.blob_link where (repository_id, digest) in"
                           " (select repository_id, digest from acr.blob_link where repository_id = $1 order "
                           "by digest limit " ROWS_A_STEP ")"},
};
// A push that waited for the repository's deletion still holds the dead row, and may now wait for the mutex
// that the job has: so the job does not wait for it. Whether the row is gone, and whether it was there.
static const struct db_statement repository_row_statement = {
    "content_drop_repository",
    "with gone as (delete from acr.repository where id in (select id from acr.repository where id = $1"
    " for update skip locked) returning id) select exists (select 1 from gone),"
    " exists (select 1 from acr.repository where id = $1)"};

// Removes about *budget rows of a repository: done when nothing of it is left.
static enum job_verdict remove_repository_rows(struct db_transaction *tx, struct job_step *step,
                                               int64_t repository_id, int64_t *budget)
{
    for (size_t i = 0; i < sizeof repository_statements / sizeof *repository_statements; i++) {
        // Until one finds nothing: the sweep may take links away beside us, so a short count alone says
        // little.
        for (int64_t removed = 1; removed > 0;) {
            removed = (int64_t)db_affected(DB_RUN(tx, &repository_statements[i], db_int(repository_id)));
            *budget -= removed;
            if (*budget <= 0 || db_failed(tx))
                return JOB_AGAIN;
        }
    }
    const struct db_result *row = DB_RUN(tx, &repository_row_statement, db_int(repository_id));
    if (db_rows(row) == 0)
        return JOB_AGAIN;
    bool gone = db_get_bool(row, 0, 0);
    *budget -= gone;
    step->wait_ms = HELD_WAIT_MS;
    return gone || !db_get_bool(row, 0, 1) ? JOB_DONE : JOB_WAIT;
}

static bool payload_id(const struct job_step *step, const char *key, int64_t *id)
{
    struct text payload = step->job->payload;
    json_t *root =
        payload.base ? json_loadb(payload.base, payload.length, JSON_REJECT_DUPLICATES, NULL) : NULL;
    json_t *member = json_object_get(root, key);
    bool good = json_is_integer(member);
    if (good)
        *id = json_integer_value(member);
    json_decref(root);
    return good;
}

static enum job_verdict fail_payload(struct job_step *step)
{
    step->result = TEXT("{\"error\":\"the job's payload names no id\"}");
    return JOB_FAILED;
}

static const struct db_statement repository_registry_statement = {
    "content_drop_registry_of", "select registry_id from acr.repository where id = $1"};

enum job_verdict content_remove_repository(struct db_transaction *tx, struct job_step *step)
{
    int64_t repository_id, budget = BUDGET;
    step->gently = !store_low_water();
    if (!payload_id(step, "repositoryId", &repository_id))
        return fail_payload(step);
    const struct db_result *registry = DB_RUN(tx, &repository_registry_statement, db_int(repository_id));
    if (db_rows(registry) == 0)
        return JOB_DONE; // the registry's own removal was faster
    usage_lock(tx, db_get_int(registry, 0, 0));
    return remove_repository_rows(tx, step, repository_id, &budget);
}

static const struct db_statement registry_next_statement = {
    "content_drop_next_repository",
    "(select id from acr.repository where registry_id = $1 and deleted_at is not null limit 1) union all"
    " (select id from acr.repository where registry_id = $1 and deleted_at is null limit 1) limit 1"};
// Files are given to garbage in the statement that takes their row away: each always has exactly one row
// naming it.
static const struct db_statement registry_files_statements[] = {
    {"content_drop_uploads",
     "with gone as (delete from acr.upload where id in"
     " (select id from acr.upload where registry_id = $1 limit " ROWS_A_STEP ") returning id)"
     " insert into acr.garbage (file) select id from gone"},
    {"content_drop_blobs",
     "with gone as (delete from acr.blob where (registry_id, digest) in"
     " (select registry_id, digest from acr.blob where registry_id = $1 order by digest limit " ROWS_A_STEP
     ")"
     " returning file, size)"
     " insert into acr.garbage (file, size) select file, size from gone"},
};
static const struct db_statement registry_usage_statement = {
    "content_drop_usage", "delete from acr.registry_usage where registry_id = $1"};

enum job_verdict content_remove_registry(struct db_transaction *tx, struct job_step *step)
{
    int64_t registry_id, budget = BUDGET;
    step->gently = !store_low_water();
    if (!payload_id(step, "registryId", &registry_id))
        return fail_payload(step);
    usage_lock(tx, registry_id);
    for (;;) {
        const struct db_result *next = DB_RUN(tx, &registry_next_statement, db_int(registry_id));
        if (db_rows(next) == 0)
            break;
        enum job_verdict verdict = remove_repository_rows(tx, step, db_get_int(next, 0, 0), &budget);
        if (verdict != JOB_DONE)
            return verdict;
    }
    for (size_t i = 0; i < sizeof registry_files_statements / sizeof *registry_files_statements; i++) {
        if (budget <= 0 || db_failed(tx))
            return JOB_AGAIN;
        budget -= (int64_t)db_affected(DB_RUN(tx, &registry_files_statements[i], db_int(registry_id)));
    }
    if (budget <= 0 || db_failed(tx))
        return JOB_AGAIN;
    DB_RUN(tx, &registry_usage_statement, db_int(registry_id));
    return JOB_DONE;
}

const struct job_kind content_job_kinds[] = {
    {"acr.repository.remove", content_remove_repository},
    {"acr.registry.remove", content_remove_registry},
    {NULL, NULL},
};

// Nothing counts any more from the commit on: the stamp's limit does not wait for the job.
static const struct db_statement registry_uncounted_statement = {
    "content_drop_uncounted", "update acr.registry_usage set live_bytes = 0 where registry_id = $1"};

void registry_content_drop(struct db_transaction *tx, int64_t registry_id)
{
    DB_RUN(tx, &registry_uncounted_statement, db_int(registry_id));
    struct buffer payload = buffer_new(db_arena(tx));
    json_begin_object(&payload);
    json_key_int(&payload, "registryId", registry_id);
    json_end_object(&payload);
    job_create(tx, "acr.registry.remove", NULL, buffer_done(&payload), 0);
}
