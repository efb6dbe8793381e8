// The session's file becomes the blob: synced, then one transaction moves its name from acr.upload to
// acr.blob, or to acr.garbage when another file holds these bytes already (docs/architecture.md).
#include "rp/data/upload.h"

#include "base/arena.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "rp/data/content.h"
#include "rp/data/content_route.h"
#include "rp/data/registry_known.h"
#include "rp/data/registry_row.h"
#include "rp/data/upload_reserve.h"

// The decision, with the rows of the registry and of the repository $2 held, in this order.
static const struct db_statement publish_decide = {
    "publish_decide", "select " REGISTRY_PUSH_COLUMNS ", p.id" REGISTRY_FROM_HELD
                      " left join lateral (select id from acr.repository where registry_id = r.id"
                      " and name = $2 and deleted_at is null for key share) p on true"};
// The repository's row is held by now; what its lock says is read after that. $5: the size that is all of the
// session's, or null where that was settled before.
static const struct db_statement publish_take = {
    "publish_take", "delete from acr.upload where id = $1 and registry_id = $2 and repository = $4"
                    " and ($5::bigint is null or put_from is null or put_from >= $5::bigint)"
                    " returning (select p.write_enabled from acr.repository p where p.id = $3)"};
static const struct db_statement publish_blob = {
    "publish_blob",
    "with b as (insert into acr.blob as b (registry_id, digest, size, file) values ($1, $2, $3, $4)"
    " on conflict (registry_id, digest) do update set touched = clock_timestamp(), promised = true"
    " returning b.registry_id, b.digest, b.file, b.lost),"
    " l as (insert into acr.blob_link (repository_id, registry_id, digest)"
    " select $5::bigint, b.registry_id, b.digest from b on conflict (repository_id, digest) do nothing)"
    " select b.file, b.lost from b"};
static const struct db_statement publish_replace = {
    "publish_replace",
    "update acr.blob set file = $3, size = $4, lost = false where registry_id = $1 and digest = $2"};
static const struct db_statement publish_garbage = {
    "publish_garbage", "insert into acr.garbage (file, size) values ($1, $2) on conflict (file) do nothing"};

// Another's file holds the blob: ours goes, unless theirs is not there as the row says, or was found lost.
static void settle(struct upload *upload, struct text winner, bool lost)
{
    struct registry_call *call = &upload->call;
    const char *file = text_cstr(call->arena, winner);
    int64_t size = store_size(upload->file), theirs = -1;
    enum store_fault fault = store_stat(file, &theirs);
    if (fault == STORE_OK && theirs == size && !lost) {
        DB_RUN(call->tx, &publish_garbage, db_string(upload->state.id), db_int(size));
        return;
    }
    log_error("store.blob_damaged", "file", file, "digest", text_cstr(call->arena, upload->digest), "size",
              log_number(theirs), "expected", log_number(size));
    DB_RUN(call->tx, &publish_replace, db_int(call->registry.id), db_text(upload->digest),
           db_string(upload->state.id), db_int(size));
    DB_RUN(call->tx, &publish_garbage, db_string(file), db_int(theirs > 0 ? theirs : 0));
}

// Decides, and holds the repository, made where it is not there yet. 0: refused, the answer is filled; or the
// transaction failed.
static int64_t hold_repository(struct registry_call *call)
{
    const struct db_value name = db_text(call->repository);
    const struct db_result *row = registry_admit_by(call, ACCESS_PUSH, &publish_decide, &name, 1);
    if (row == NULL)
        return 0;
    if (!db_is_null(row, 0, REGISTRY_COLUMN_COUNT))
        return db_get_int(row, 0, REGISTRY_COLUMN_COUNT);
    return repository_find(call->tx, call->registry.id, call->repository, true);
}

// A statement whose connection was lost is run again although it may have been committed (db_act): then the
// session is over because this very request published it.
static const struct db_statement publish_done = {
    "publish_done",
    "select 1 from acr.blob b where b.file = $1::uuid and b.registry_id = $2 and b.digest = $3"};

static bool is_done(struct upload *upload)
{
    struct registry_call *call = &upload->call;
    return !upload->at_once && db_rows(DB_RUN(call->tx, &publish_done, db_string(upload->state.id),
                                              db_int(call->registry.id), db_text(upload->digest))) == 1;
}

// Lock order: registry, repository, upload, blob, link.
static bool publish_run(struct upload *upload)
{
    struct registry_call *call = &upload->call;
    int64_t size = store_size(upload->file);
    upload->missed = false;
    int64_t repository = hold_repository(call);
    if (repository == 0)
        return false;
    const struct db_result *taken =
        DB_RUN(call->tx, &publish_take, db_string(upload->state.id), db_int(call->registry.id),
               db_int(repository), db_text(call->repository), upload->at_once ? db_int(size) : db_null());
    if (db_rows(taken) == 0) {
        if (is_done(upload))
            return true;
        upload->missed = upload->at_once && !db_failed(call->tx);
        upload_fail_unknown(call);
        return false;
    }
    if (!db_get_bool(taken, 0, 0)) {
        fail_repository_locked(call, "writeEnabled");
        return false;
    }
    failpoint("publish.before_blob");
    const struct db_result *blob =
        DB_RUN(call->tx, &publish_blob, db_int(call->registry.id), db_text(upload->digest), db_int(size),
               db_string(upload->state.id), db_int(repository));
    if (db_rows(blob) == 0)
        return false;
    if (!text_is(db_get(blob, 0, 0), upload->state.id))
        settle(upload, db_get(blob, 0, 0), db_get_bool(blob, 0, 1));
    failpoint("publish.before_commit");
    return registry_still_admitted(call);
}

// All of it in one round trip, for the case that all is as it mostly is
// (db/migrations/0025_publish_again.sql).
static const struct db_statement publish_at_once = {
    "publish_at_once", "select acr.publish($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"};

static bool at_once_run(struct upload *upload)
{
    struct registry_call *call = &upload->call;
    upload->missed = true;
    // A session belongs to the registry that opened it.
    if (!registry_admit_known(call, ACCESS_PUSH) || (upload->state_given && !upload_state_fits(upload)))
        return true;
    const struct db_result *done =
        DB_RUN(call->tx, &publish_at_once, REGISTRY_PROOF_VALUES(call), db_text(call->repository),
               db_string(upload->state.id), db_text(upload->digest), db_int(store_size(upload->file)),
               db_bool(upload->at_once));
    upload->missed = db_rows(done) == 1 && !db_get_bool(done, 0, 0);
    if (db_rows(done) == 0 || upload->missed)
        registry_forget(call); // a run after this one takes the long way
    return db_rows(done) == 1;
}

// What at_once_run leaves undone is done statement by statement: that makes the repository, settles which
// file holds the blob, says what is wrong.
static bool publish_rows(struct upload *upload)
{
    // In a test that stops between its statements nothing else is done.
    if (!failpoint_is_set("publish.before_blob") && !failpoint_is_set("publish.before_commit")) {
        if (!upload_act(upload, at_once_run))
            return false;
        if (!upload->missed)
            return true;
    }
    return upload_transact(upload, publish_run);
}

void upload_reply_created(struct registry_call *call, struct text digest)
{
    registry_reply_empty(call, 201);
    http_set_header_string(
        call->answer, "Location",
        arena_printf(call->arena, "/v2/%.*s/blobs/%.*s", TEXT_ARG(call->repository), TEXT_ARG(digest)));
    http_set_header(call->answer, "Docker-Content-Digest", digest);
}

bool upload_publish(struct upload *upload)
{
    failpoint("publish.before_sync");
    if (store_sync(upload->file) != STORE_OK) {
        // After a failed sync nobody can say what the disk holds: the session ends.
        upload_fail_internal(&upload->call);
        upload_session_drop(upload);
        return false;
    }
    failpoint("publish.before_transaction");
    if (!publish_rows(upload))
        return false;
    failpoint("publish.after_commit");
    upload_limit_add(upload->call.registry.id, store_size(upload->file));
    upload_reserve_forget(upload->state.id);
    upload_reply_created(&upload->call, upload->digest);
    return true;
}
