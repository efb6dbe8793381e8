// An upload session's row: made by its first body, found again by each request, touched while it lives. The
// row is committed before its file is created, so at every moment exactly one row names each file.
#include "rp/data/upload.h"

#include "base/arena.h"
#include "base/clock.h"
#include "rp/data/content.h"
#include "rp/data/content_route.h"
#include "rp/data/registry_known.h"
#include "rp/data/registry_row.h"
#include "rp/data/upload_reserve.h"

enum session_column {
    SESSION_REGISTRY = REGISTRY_COLUMN_COUNT,
    SESSION_REPOSITORY,
    SESSION_PUT_FROM,
    SESSION_SPENT,    // the id's file belongs to a blob already, or is on its way out
    SESSION_SHUT,     // the repository takes no pushes
    SESSION_SIZE,     // as it was written down last
    SESSION_RESERVED, // the id is granted: its bytes may be there without a row of their own
};
// The decision, and the session of the id $3 in the repository $2.
static const struct db_statement session_find = {
    "upload_session_find",
    "select " REGISTRY_PUSH_COLUMNS ", u.registry_id, u.repository, u.put_from,"
    " u.id is null and (exists (select 1 from acr.blob b where b.file = $3::uuid)"
    " or exists (select 1 from acr.garbage g where g.file = $3::uuid)),"
    " exists (select 1 from acr.repository p where p.registry_id = r.id and p.name = $2"
    " and p.deleted_at is null and not p.write_enabled), u.size,"
    " exists (select 1 from acr.upload_reserved s where s.id = $3::uuid)" REGISTRY_FROM_HELD
    " left join acr.upload u on u.id = $3::uuid"};
// The file's name moves to the row from its reservation, where it had one.
static const struct db_statement session_make = {
    "upload_session_make", "with u as (insert into acr.upload (id, registry_id, repository, put_from)"
                           " values ($1, $2, $3, $4) on conflict (id) do nothing returning id)"
                           " delete from acr.upload_reserved r using u where r.id = u.id"};

// NULL: refused, the answer is filled.
static const struct db_result *admit_to_session(struct upload *upload)
{
    struct registry_call *call = &upload->call;
    const struct db_value values[] = {db_text(call->repository), db_string(upload->state.id)};
    return registry_admit_by(call, ACCESS_PUSH, &session_find, values, 2);
}

static int64_t stated_size(const struct upload *upload)
{
    return upload->length > 0 ? upload->length : 0;
}

bool upload_state_fits(const struct upload *upload)
{
    return upload->state_given && text_equal(upload->state.rid, upload->call.registry.rid) &&
           text_equal(upload->state.repository, upload->call.repository);
}

// Whether a session without a row may go on: for an hour after its POST, and as long as its id is reserved,
// however long its first body took.
static bool may_go_on(const struct upload *upload, const struct db_result *row)
{
    return upload_state_fits(upload) && !db_get_bool(row, 0, SESSION_SPENT) &&
           (upload_state_fresh(&upload->state) || db_get_bool(row, 0, SESSION_RESERVED));
}

static bool is_ours(const struct upload *upload, const struct db_result *row)
{
    return db_get_int(row, 0, SESSION_REGISTRY) == upload->call.registry.id &&
           text_equal(db_get(row, 0, SESSION_REPOSITORY), upload->call.repository);
}

static const struct db_statement session_published = {
    "upload_session_published",
    "select 1 from acr.blob b join acr.blob_link l on l.registry_id = b.registry_id and l.digest = b.digest"
    " join acr.repository p on p.id = l.repository_id and p.deleted_at is null"
    " where b.registry_id = $1 and b.digest = $2 and p.name = $3 and not b.lost"};

// A closing PUT sent again because its answer was lost, with the bytes that it brought or without: the
// session is over, and what it was to make is there. In whose file does not matter: ours may have given way.
static bool is_published(struct upload *upload)
{
    struct registry_call *call = &upload->call;
    if (upload->kind != UPLOAD_CLOSE || !upload_state_fits(upload))
        return false;
    return db_rows(DB_RUN(call->tx, &session_published, db_int(call->registry.id), db_text(upload->digest),
                          db_text(call->repository))) == 1;
}

static const struct db_statement commit_lightly = {"upload_commit_lightly",
                                                   "select set_config('synchronous_commit', 'off', true)"};

void upload_commit_lightly(struct db_transaction *tx)
{
    DB_RUN0(tx, &commit_lightly);
}

static bool repository_is_open(struct registry_call *call, const struct db_result *row)
{
    if (!db_get_bool(row, 0, SESSION_SHUT))
        return true;
    fail_repository_locked(call, "writeEnabled");
    return false;
}

// Makes the row where the session has had no body yet, or had one and no row of its own (upload_reserve.h).
// put_from 0 says that a request's bytes are not the session's; that of a session's PUT is written by the
// hold.
static bool find_or_make(struct upload *upload, const struct db_result *row)
{
    struct registry_call *call = &upload->call;
    const char *id = upload->state.id;
    if (!repository_is_open(call, row))
        return false;
    if (!db_is_null(row, 0, SESSION_REGISTRY)) {
        if (is_ours(upload, row) && (!upload->state_given || upload_state_fits(upload))) {
            upload_commit_lightly(call->tx); // it wrote nothing but row locks
            upload->recorded = db_get_int(row, 0, SESSION_SIZE);
            return true;
        }
    } else if (upload->kind == UPLOAD_WHOLE || may_go_on(upload, row)) {
        struct db_value put_from = upload->kind == UPLOAD_WHOLE ? db_int(0) : db_null();
        DB_RUN(call->tx, &session_make, db_string(id), db_int(call->registry.id), db_text(call->repository),
               put_from);
        return true;
    }
    upload->published = is_published(upload);
    if (!upload->published)
        upload_fail_unknown(call);
    return upload->published;
}

static bool open_run(struct upload *upload)
{
    struct registry_call *call = &upload->call;
    const struct db_result *row = admit_to_session(upload);
    if (row == NULL || !find_or_make(upload, row))
        return false;
    int64_t needed = stated_size(upload) + (upload->length < 0);
    upload->limit = upload_limit_read(call->tx, call->registry.id, call->registry.quota, needed);
    if (upload->has_body && upload_limit_room(upload->limit) < needed) {
        upload_fail_quota(call, upload->limit);
        return false;
    }
    bool is_new =
        db_is_null(row, 0, SESSION_REGISTRY) && !upload->published && !upload_reserve_has(upload->state.id);
    if (is_new && upload_limit_crowded(upload->limit))
        upload_fail_crowded(call);
    return !call->failed;
}

// The first body of a session that nothing is wrong with, in one round trip. Without a hold on the registry:
// the session of one that is deleted meanwhile is dropped by the sweep, and no blob comes of it.
static const struct db_statement session_make_at_once = {
    "upload_session_make_at_once",
    "with u as (insert into acr.upload (id, registry_id, repository) select $7::uuid, r.id, $8::text"
    " from rbac.version v, acr.registry r, arm.resource e where " REGISTRY_PROOF
    " and coalesce(" REGISTRY_QUOTA ", $10::bigint) = $9::bigint"
    " and not exists (select 1 from acr.blob b where b.file = $7::uuid)"
    " and not exists (select 1 from acr.garbage g where g.file = $7::uuid)"
    " and not exists (select 1 from acr.repository p where p.registry_id = r.id and p.name = $8::text"
    " and p.deleted_at is null and not p.write_enabled) on conflict (id) do nothing returning id),"
    " gone as (delete from acr.upload_reserved r using u where r.id = u.id) select 1 from u"};

static bool make_at_once_run(struct upload *upload)
{
    struct registry_call *call = &upload->call;
    int64_t began = clock_monotonic();
    upload->missed = true;
    if (!registry_admit_known(call, ACCESS_PUSH) || !upload_state_fits(upload))
        return true;
    upload->limit = upload_limit_known(call->registry.id, call->registry.quota);
    if (upload->limit == NULL || upload_limit_room(upload->limit) < stated_size(upload) + 1)
        return true;
    upload->missed =
        db_rows(DB_RUN(call->tx, &session_make_at_once, REGISTRY_PROOF_VALUES(call),
                       db_string(upload->state.id), db_text(call->repository), db_int(call->registry.quota),
                       db_int(site()->config->registry_quota))) == 0;
    if (!upload->missed)
        upload->made_at = began;
    return !db_failed(call->tx);
}

static bool is_first(const struct upload *upload)
{
    return upload->kind == UPLOAD_APPEND && upload->has_body && upload->range_from <= 0 &&
           upload->state_given && upload_state_fresh(&upload->state);
}

// Whether this process has seen the access data change since the POST.
static bool has_moved_on(const struct registry_call *call)
{
    const struct rbac_snapshot *snapshot = rbac_snapshot_try(&call->version);
    if (snapshot != NULL)
        rbac_snapshot_release(snapshot);
    return snapshot == NULL;
}

bool upload_session_granted(struct upload *upload)
{
    struct registry_call *call = &upload->call;
    if (!is_first(upload) || !registry_recall(call) || !upload_state_fits(upload) || has_moved_on(call))
        return false;
    upload->limit = upload_limit_known(call->registry.id, call->registry.quota);
    if (upload->limit == NULL || upload_limit_room(upload->limit) < stated_size(upload) + 1)
        return false;
    upload->made_at =
        upload_reserve_claim(upload->state.id, http_header(call->request, "authorization", NULL));
    return upload->made_at != 0;
}

bool upload_session_open(struct upload *upload)
{
    bool first = is_first(upload);
    if (first && !upload_act(upload, make_at_once_run))
        return false;
    if (first && !upload->missed)
        return true;
    return upload_transact(upload, open_run);
}

// $2: a PUT with a body, $3: the file's size. What a PUT adds is the session's only once it is published, so
// the size before it is written down before its first byte. Any other change here may be lost in a crash, so
// its commit does not wait for the disk.
static const struct db_statement session_hold = {
    "upload_session_hold",
    "update acr.upload set touched = clock_timestamp(),"
    " put_from = case when $2::boolean then least(put_from, $3::bigint) else put_from end"
    " where id = $1 and not exists (select 1 from acr.blob b where b.file = $1)"
    " and not exists (select 1 from acr.garbage g where g.file = $1) returning put_from,"
    " case when not $2::boolean then set_config('synchronous_commit', 'off', true) end"};
static const struct db_statement session_clear = {"upload_session_clear",
                                                  "update acr.upload set put_from = null where id = $1"};
// The net for a file made between the row's end and our lock: nobody else names it.
static const struct db_statement session_orphan = {
    "upload_session_orphan", "insert into acr.garbage (file) select $1::uuid"
                             " where not exists (select 1 from acr.blob b where b.file = $1)"
                             " and not exists (select 1 from acr.upload u where u.id = $1)"
                             " on conflict (file) do nothing"};
static const struct db_statement session_twice = {
    "upload_session_twice", "delete from acr.upload u where u.id = $1"
                            " and (exists (select 1 from acr.blob b where b.file = u.id)"
                            " or exists (select 1 from acr.garbage g where g.file = u.id))"};

// Whether the row is the file's and needs no change: touched within the minute, and nothing to write down.
static const struct db_statement session_stands = {
    "upload_session_stands", "select 1 from acr.upload u where u.id = $1 and u.put_from is null"
                             " and u.touched > clock_timestamp() - interval '1 minute'"
                             " and not exists (select 1 from acr.blob b where b.file = u.id)"
                             " and not exists (select 1 from acr.garbage g where g.file = u.id)"};

static bool is_put(const struct upload *upload)
{
    return upload->has_body && upload->kind != UPLOAD_APPEND;
}

static bool stand_run(struct upload *upload)
{
    const struct db_result *row = DB_RUN(upload->call.tx, &session_stands, db_string(upload->state.id));
    upload->start = db_rows(row) == 1 ? store_size(upload->file) : -1;
    return true;
}

static bool hold_run(struct upload *upload)
{
    struct registry_call *call = &upload->call;
    const char *id = upload->state.id;
    bool put = is_put(upload);
    const struct db_result *row =
        DB_RUN(call->tx, &session_hold, db_string(id), db_bool(put), db_int(store_size(upload->file)));
    upload->start = -1;
    if (db_rows(row) == 1) {
        int64_t size = store_size(upload->file);
        upload->put_cut = !db_is_null(row, 0, 0);
        upload->start = upload->put_cut && db_get_int(row, 0, 0) < size ? db_get_int(row, 0, 0) : size;
        return true;
    }
    DB_RUN(call->tx, &session_twice, db_string(id));
    DB_RUN(call->tx, &session_orphan, db_string(id));
    return true;
}

static bool clear_run(struct upload *upload)
{
    DB_RUN(upload->call.tx, &session_clear, db_string(upload->state.id));
    return true;
}

bool upload_session_hold(struct upload *upload)
{
    if (!is_put(upload)) {
        if (!upload_look(upload, stand_run))
            return false;
        if (upload->start >= 0)
            return true;
    }
    if (!upload_transact(upload, hold_run))
        return false;
    if (upload->start < 0) {
        upload_fail_unknown(&upload->call);
        return false;
    }
    if (upload->start < store_size(upload->file) && store_truncate(upload->file, upload->start) != STORE_OK) {
        upload_fail_internal(&upload->call);
        return false;
    }
    // What an earlier PUT left is gone; from here on the file's size is the session's again.
    return upload->kind != UPLOAD_APPEND || !upload->put_cut || upload_transact(upload, clear_run);
}

static const struct db_statement session_unreserve = {"upload_session_unreserve",
                                                      "delete from acr.upload_reserved where id = $1"};
// In a statement after that one: whoever moves the reservation to a row (upload_reserve_write) has ended by
// then. $3: whether there was one.
static const struct db_statement session_drop = {
    "upload_session_drop",
    "with u as (delete from acr.upload where id = $1 returning id)"
    " insert into acr.garbage (file, size) select $1::uuid, $2::bigint"
    " where ($3::boolean or exists (select 1 from u))"
    " and not exists (select 1 from acr.blob b where b.file = $1) on conflict (file) do nothing"};

static bool drop_run(struct upload *upload)
{
    struct db_transaction *tx = upload->call.tx;
    struct db_value id = db_string(upload->state.id);
    int64_t size = upload->file ? store_size(upload->file) : 0;
    bool reserved = db_affected(DB_RUN(tx, &session_unreserve, id)) > 0;
    DB_RUN(tx, &session_drop, id, db_int(size), db_bool(reserved));
    return true;
}

// The answer that the caller gives stays, whatever becomes of this.
static bool run_unanswered(struct upload *upload, bool (*run)(struct upload *upload))
{
    struct http_answer answer = *upload->call.answer;
    bool refused = upload->call.failed;
    bool committed = upload_transact(upload, run);
    *upload->call.answer = answer;
    upload->call.failed = refused;
    return committed;
}

void upload_session_drop(struct upload *upload)
{
    run_unanswered(upload, drop_run); // or the sweep drops what is left
    upload_reserve_forget(upload->state.id);
}

static bool reserve_run(struct upload *upload)
{
    return upload_reserve_run(upload->call.tx);
}

void upload_session_reserve(struct upload *upload)
{
    if (upload_reserve_begin())
        upload_reserve_end(run_unanswered(upload, reserve_run));
}

// GET and DELETE look at the row; the size is the file's, or what it was before a PUT that never ended.
static bool look(struct upload *upload, bool *has_row, int64_t *put_from)
{
    struct registry_call *call = &upload->call;
    const struct db_result *row = admit_to_session(upload);
    if (row == NULL)
        return false;
    *has_row = !db_is_null(row, 0, SESSION_REGISTRY);
    *put_from = *has_row && !db_is_null(row, 0, SESSION_PUT_FROM) ? db_get_int(row, 0, SESSION_PUT_FROM) : -1;
    bool known = *has_row ? is_ours(upload, row) && (!upload->state_given || upload_state_fits(upload))
                          : may_go_on(upload, row);
    if (!known)
        upload_fail_unknown(call);
    return known;
}

static bool status_run(struct upload *upload)
{
    bool has_row;
    int64_t put_from, size;
    if (!look(upload, &has_row, &put_from))
        return false;
    if (store_stat(upload->state.id, &size) != STORE_OK)
        size = 0;
    upload->start = put_from >= 0 && put_from < size ? put_from : size;
    return true;
}

void upload_session_status(struct upload *upload)
{
    struct registry_call *call = &upload->call;
    if (!upload_transact(upload, status_run))
        return;
    registry_reply_empty(call, 204);
    upload_set_place(upload, upload->start);
}

static bool cancel_run(struct upload *upload)
{
    bool has_row;
    int64_t put_from;
    if (!look(upload, &has_row, &put_from))
        return false;
    // A session that never had a row gets one first, which waits for a publish of it that is on its way; what
    // is dropped leaves the id behind as garbage for a while, so that its `_state` is spent.
    if (!has_row)
        DB_RUN(upload->call.tx, &session_make, db_string(upload->state.id), db_int(upload->call.registry.id),
               db_text(upload->call.repository), db_null());
    return drop_run(upload);
}

void upload_session_cancel(struct upload *upload)
{
    if (!upload_transact(upload, cancel_run))
        return;
    upload_reserve_forget(upload->state.id);
    registry_reply_empty(&upload->call, 204);
    http_set_header_string(&upload->call.answer[0], "Docker-Upload-Uuid", upload->state.id);
}
