// One request on an upload session: what it asks for, its bytes as they come, and its end. The session's file
// lock is held from the headers to the answer; no database connection is held while bytes are read.
#include "rp/data/upload.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "base/site.h"
#include "rp/data/content_route.h"
#include "rp/data/reply.h"
#include "rp/data/upload_reserve.h"
#include "rp/data/upload_sizes.h"

#include <stdlib.h>

// Garbage is left alone for a second at least (sweep.c).
enum { POOL_WAIT_MS = 30000, READ_PIECE = 1 << 18, MADE_RECENTLY_US = 500000 };

// ---- failures

void upload_fail_quota(struct registry_call *call, const struct upload_limit *limit)
{
    struct upload_bound bound = upload_limit_bound(limit);
    fail_disallowed(call,
                    arena_printf(call->arena,
                                 bound.stamp
                                     ? "The storage limit of all registries together, %lld bytes, is reached"
                                     : "The registry's storage limit of %lld bytes is reached",
                                 (long long)bound.bytes));
}

void upload_fail_disk(struct registry_call *call)
{
    fail_disallowed(call, "The store's free space is at its low-water mark");
}

void upload_fail_crowded(struct registry_call *call)
{
    registry_fail(call, 429, "TOOMANYREQUESTS", TEXT_NONE,
                  "the registry has %d unfinished uploads: finish or cancel some; one that nobody touches "
                  "ends by itself",
                  UPLOAD_SESSIONS_MAX);
    http_set_header_string(call->answer, "Retry-After", "10");
}

void upload_fail_unknown(struct registry_call *call)
{
    registry_fail(call, 404, "BLOB_UPLOAD_UNKNOWN", TEXT_NONE, "blob upload unknown to registry");
}

void upload_fail_internal(struct registry_call *call)
{
    registry_fail(call, 500, "UNKNOWN", TEXT_NONE, "internal error; correlation id %s",
                  call->request->correlation_id);
}

static void fail_busy(struct registry_call *call)
{
    registry_fail(call, 503, "UNAVAILABLE", TEXT_NONE, "the registry is busy; try again");
    http_set_header_string(call->answer, "Retry-After", "1");
}

static void fail_read_only(struct registry_call *call)
{
    registry_fail(call, 503, "UNAVAILABLE", TEXT_NONE,
                  "the registry's store is read-only: its operator has to look after the disk");
    http_set_header_string(call->answer, "Retry-After", "30");
}

static void fail_store(struct upload *upload, enum store_fault fault)
{
    struct registry_call *call = &upload->call;
    if (fault == STORE_FULL)
        upload_fail_disk(call);
    else if (fault == STORE_ABSENT)
        upload_fail_unknown(call);
    else if (fault == STORE_BUSY)
        registry_fail(call, 409, "BLOB_UPLOAD_INVALID", TEXT_NONE,
                      "another request is writing to this upload; try again");
    else if (fault == STORE_READ_ONLY)
        fail_read_only(call);
    else
        upload_fail_internal(call);
}

// ---- transactions

struct run {
    struct upload *upload;
    bool (*run)(struct upload *upload);
};

static bool run_in(struct db_transaction *tx, void *argument)
{
    struct run *run = argument;
    struct registry_call *call = &run->upload->call;
    call->tx = tx;
    call->failed = false;
    http_answer_reset(call->answer);
    return run->run(run->upload) && !call->failed;
}

typedef enum db_outcome opener(struct db_connection *connection, bool (*run)(struct db_transaction *, void *),
                               void *argument);

static bool run_by(opener *transact, struct upload *upload, bool (*run)(struct upload *upload))
{
    struct registry_call *call = &upload->call;
    struct db_connection *connection = db_pool_take(upload->pool, POOL_WAIT_MS);
    struct run argument = {upload, run};
    enum db_outcome outcome = connection ? transact(connection, run_in, &argument) : DB_UNAVAILABLE;
    db_pool_give(upload->pool, connection);
    call->tx = NULL;
    if (outcome == DB_COMMITTED)
        return true;
    if (outcome == DB_ROLLED_BACK && call->answer->status != 0)
        return false;
    call->failed = false;
    if (outcome == DB_FAILED)
        upload_fail_internal(call);
    else
        fail_busy(call);
    return false;
}

bool upload_transact(struct upload *upload, bool (*run)(struct upload *upload))
{
    return run_by(db_transact, upload, run);
}

bool upload_look(struct upload *upload, bool (*run)(struct upload *upload))
{
    return run_by(db_look, upload, run);
}

bool upload_act(struct upload *upload, bool (*run)(struct upload *upload))
{
    return run_by(db_act, upload, run);
}

// ---- the beginning

static void release(struct upload *upload)
{
    if (upload->granted)
        upload_reserve_keep(upload->state.id, upload->call.registry.id, upload->call.repository);
    upload->granted = false;
    store_end(upload->file);
    upload->file = NULL;
    if (upload->limit)
        upload_limit_give(upload->limit, upload->held);
    upload->held = 0;
    if (upload->hash.digest)
        digest_drop(upload->hash.digest);
    if (upload->hash_at_start.digest)
        digest_drop(upload->hash_at_start.digest);
    upload->hash = upload->hash_at_start = (struct upload_hash){0};
}

// The same, and the running digest stays for the next request. What the session holds from now on counts by
// its row; what this request brought, by itself until here.
static void let_go(struct upload *upload)
{
    if (upload->kind == UPLOAD_APPEND)
        upload_size_note(upload->state.id, store_size(upload->file));
    upload_hash_keep(upload->state.id, upload->hash);
    upload->hash.digest = NULL;
    release(upload);
}

// Back to what the session was when this request began; its answer is filled.
static void go_back(struct upload *upload)
{
    if (upload->file) {
        store_truncate(upload->file, upload->start);
        upload_size_note(upload->state.id, upload->start);
        upload_hash_keep(upload->state.id, upload->hash_at_start);
        upload->hash_at_start.digest = NULL;
        if (upload->kind == UPLOAD_WHOLE)
            upload_session_drop(upload); // its Location was never told to anyone
    }
    upload->refused = true;
    release(upload);
}

static void take_hash(struct upload *upload)
{
    upload->hash = upload_hash_take(upload->state.id, upload->start);
    if (upload->hash.digest == NULL && upload->start == 0) {
        enum digest_algorithm algorithm = upload->digest.base ? upload->algorithm : DIGEST_SHA256;
        upload->hash = (struct upload_hash){.digest = digest_begin(algorithm),
                                            .algorithm = algorithm,
                                            .named_at = store_named_at(upload->file)};
    } else {
        store_set_named_at(upload->file, upload->hash.named_at);
    }
    upload->hash_at_start = upload->hash;
    if (upload->hash.digest)
        upload->hash_at_start.digest = digest_copy(upload->hash.digest);
}

static bool limit_run(struct upload *upload)
{
    upload_limit_renew(upload->call.tx, upload->limit);
    return true;
}

// Holds what the session has that no sum counts yet, where that and the stated length fit.
static bool try_room(struct upload *upload)
{
    int64_t stated = upload->length > 0 ? upload->length : 0;
    int64_t own = upload->start > upload->recorded ? upload->start - upload->recorded : 0;
    if (!upload_limit_take(upload->limit, own))
        return false;
    if (upload->has_body && upload_limit_room(upload->limit) < stated) {
        upload_limit_give(upload->limit, own);
        return false;
    }
    upload->held = own;
    return true;
}

static bool take_room(struct upload *upload)
{
    upload_size_forget(upload->state.id); // this request holds it from here on
    bool fits = try_room(upload);
    // What is refused for is read anew first: others may have deleted since.
    if (!fits && upload->has_body) {
        if (!upload_look(upload, limit_run))
            return false;
        fits = try_room(upload);
    }
    if (!fits && upload->has_body) {
        upload_fail_quota(&upload->call, upload->limit);
        return false;
    }
    if (upload->has_body && store_low_water()) {
        upload_fail_disk(&upload->call);
        return false;
    }
    return true;
}

// The file of a session whose row was made, or whose id was granted, a moment ago. Nobody was at the file
// before, and whoever took the row away meanwhile left the file's name as garbage, which rests longer than
// this moment: the row needs no second look.
static bool make_file(struct upload *upload)
{
    if (upload->made_at == 0 || site()->config->store_grace < 1 ||
        !store_make(upload->state.id, &upload->file))
        return false;
    if (clock_monotonic() - upload->made_at < MADE_RECENTLY_US)
        return true;
    store_end(upload->file);
    upload->file = NULL;
    return false;
}

// Without a row: the file of a session whose id was reserved.
static bool open_granted(struct upload *upload)
{
    if (!upload_session_granted(upload))
        return false;
    failpoint("upload.before_create");
    upload->granted = make_file(upload);
    if (!upload->granted) {
        upload_reserve_forget(upload->state.id);
        upload->made_at = 0;
    }
    return upload->granted;
}

// Row, file, lock, row again.
static bool open_by_row(struct upload *upload)
{
    if (!upload_session_open(upload))
        return false;
    if (upload->published)
        return true;
    failpoint("upload.before_create");
    if (make_file(upload))
        return true;
    enum store_fault fault = store_begin(upload->state.id, true, &upload->file);
    if (fault != STORE_OK) {
        fail_store(upload, fault);
        return false;
    }
    if (upload_session_hold(upload))
        return true;
    release(upload);
    return false;
}

// Opens the session for bytes.
static bool open_session(struct upload *upload)
{
    if (!open_granted(upload) && !open_by_row(upload))
        return false;
    if (upload->published)
        return true;
    take_hash(upload);
    if (upload_range_fits(upload) && take_room(upload))
        return true;
    go_back(upload);
    return false;
}

// A PUT that brings no more bytes: what it needs is decided in the transaction that publishes.
static bool has_all(const struct upload *upload)
{
    return upload->kind == UPLOAD_CLOSE && !upload->has_body;
}

bool upload_begin(struct upload *upload, struct db_pool *pool, const struct http_request *request,
                  struct http_answer *answer, int64_t length, bool has_body)
{
    *upload = (struct upload){.pool = pool, .length = length, .has_body = has_body};
    upload->call = (struct registry_call){.arena = request->arena, .request = request, .answer = answer};
    if (!upload_read_route(upload) || !upload_read_digest(upload) || !upload_read_range(upload)) {
        upload->refused = true;
        return false;
    }
    if (!upload_read_session(upload)) {
        upload_fail_unknown(&upload->call);
        upload->refused = true;
        return false;
    }
    bool bytes =
        upload->kind == UPLOAD_WHOLE || upload->kind == UPLOAD_APPEND || upload->kind == UPLOAD_CLOSE;
    upload->refused = bytes && !has_all(upload) && !open_session(upload);
    return !upload->refused;
}

// ---- the bytes

static bool range_allows(const struct upload *upload, size_t length)
{
    return upload->range_from < 0 || store_size(upload->file) + (int64_t)length <= upload->range_to + 1;
}

// As in take_room.
static bool take_from_limit(struct upload *upload, int64_t length)
{
    if (upload_limit_take(upload->limit, length))
        return true;
    if (!upload_look(upload, limit_run))
        return false;
    if (upload_limit_take(upload->limit, length))
        return true;
    upload_fail_quota(&upload->call, upload->limit);
    return false;
}

bool upload_take(struct upload *upload, const void *bytes, size_t length)
{
    if (upload->refused)
        return false;
    if (upload->file == NULL)
        return true; // the body of a request that has no use for one
    enum store_fault fault = STORE_OK;
    if (!range_allows(upload, length))
        registry_fail(&upload->call, 400, "SIZE_INVALID", TEXT_NONE,
                      "the body is longer than its Content-Range");
    else if (take_from_limit(upload, (int64_t)length)) {
        upload->held += (int64_t)length;
        fault = store_append(upload->file, bytes, length);
        if (fault != STORE_OK)
            fail_store(upload, fault);
    }
    if (upload->call.failed) {
        go_back(upload);
        return false;
    }
    if (upload->hash.digest) {
        digest_add(upload->hash.digest, bytes, length);
        upload->hash.offset += (int64_t)length;
    }
    return true;
}

// ---- the end

static void reply_appended(struct upload *upload)
{
    registry_reply_empty(&upload->call, 202);
    upload_set_place(upload, store_size(upload->file));
}

static void finish_append(struct upload *upload)
{
    reply_appended(upload);
    let_go(upload);
    upload_session_reserve(upload); // for the uploads after this one
}

// The digest of the whole file: what was hashed as it came, when that covers the file; else read again.
static bool digest_of_file(struct upload *upload, struct text *digest)
{
    struct arena *arena = upload->call.arena;
    int64_t size = store_size(upload->file);
    if (upload->hash.digest && upload->hash.algorithm == upload->algorithm && upload->hash.offset == size) {
        *digest = digest_end(digest_copy(upload->hash.digest), arena);
        return true;
    }
    struct digest *running = digest_begin(upload->algorithm);
    char *piece = xmalloc(READ_PIECE);
    int64_t offset = 0;
    for (ssize_t count; offset < size; offset += count) {
        count = store_read(upload->file, offset, piece, READ_PIECE);
        if (count <= 0)
            break;
        digest_add(running, piece, (size_t)count);
    }
    free(piece);
    *digest = digest_end(running, arena);
    return offset == size;
}

static void finish_close(struct upload *upload)
{
    struct text digest;
    if (!digest_of_file(upload, &digest)) {
        upload_fail_internal(&upload->call);
        go_back(upload);
        return;
    }
    if (!text_equal(digest, upload->digest)) {
        registry_fail(&upload->call, 400, "DIGEST_INVALID", TEXT_NONE,
                      "provided digest did not match uploaded content");
        go_back(upload);
        return;
    }
    // Whether a commit whose answer was lost took place is not known: from here on the file is not cut. Where
    // the row still is an upload's, its put_from tells the next request how much of the file is the
    // session's.
    if (!upload_publish(upload) && upload->kind == UPLOAD_WHOLE)
        upload_session_drop(upload);
    release(upload);
}

// Takes the file with its lock and its running digest, where both are at hand and the digest is the one asked
// for. Nothing is answered from this: access is not decided yet.
static bool take_all(struct upload *upload)
{
    if (!upload->state_given || !text_equal(upload->state.repository, upload->call.repository) ||
        store_try(upload->state.id, &upload->file) != STORE_OK)
        return false;
    upload->start = store_size(upload->file);
    upload->hash = upload_hash_take(upload->state.id, upload->start);
    store_set_named_at(upload->file, upload->hash.named_at);
    struct text digest;
    if (upload->hash.digest && upload->hash.algorithm == upload->algorithm &&
        digest_of_file(upload, &digest) && text_equal(digest, upload->digest))
        return true;
    let_go(upload);
    return false;
}

// False: not answered, for something is not as it should be; the long way finds out what.
static bool close_at_once(struct upload *upload)
{
    if (!take_all(upload))
        return false;
    upload->at_once = true;
    bool published = upload_publish(upload);
    upload->at_once = false;
    if (published)
        release(upload);
    else
        let_go(upload);
    return !upload->missed;
}

static bool start_run(struct upload *upload)
{
    if (!registry_admit(&upload->call, ACCESS_PUSH))
        return false;
    upload_start(&upload->call);
    return !upload->call.failed && registry_still_admitted(&upload->call);
}

void upload_finish(struct upload *upload)
{
    if (upload->refused)
        return;
    if (has_all(upload)) {
        if (close_at_once(upload))
            return;
        upload->refused = !open_session(upload);
        if (upload->refused)
            return;
    }
    if (upload->file && upload->range_from >= 0 && upload->has_body &&
        store_size(upload->file) != upload->range_to + 1) {
        registry_fail(&upload->call, 400, "SIZE_INVALID", TEXT_NONE,
                      "the body is shorter than its Content-Range");
        go_back(upload);
        return;
    }
    if (upload->published) {
        upload_reply_created(&upload->call, upload->digest);
        return;
    }
    switch (upload->kind) {
    case UPLOAD_START:
        upload_transact(upload, start_run);
        break;
    case UPLOAD_APPEND:
        finish_append(upload);
        break;
    case UPLOAD_WHOLE:
    case UPLOAD_CLOSE:
        finish_close(upload);
        break;
    case UPLOAD_STATUS:
        upload_session_status(upload);
        break;
    case UPLOAD_CANCEL:
        upload_session_cancel(upload);
        break;
    }
}

void upload_abandon(struct upload *upload)
{
    if (upload->file == NULL)
        return;
    if (upload->kind != UPLOAD_APPEND) {
        go_back(upload);
        return;
    }
    // The bytes of a cut PATCH are the session's: it resumes at that offset (decisions 29).
    upload->refused = true;
    let_go(upload);
}
