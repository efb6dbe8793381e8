// One request on an upload session, as the receiver hears it: headers, pieces of the body, the end. Knows no
// HTTP library. The rules are OCI distribution 1.1 (pushing blobs) and decisions 29 and 46.
#pragma once
#include "db/workers.h"
#include "rp/data/call.h"
#include "rp/data/store.h"
#include "rp/data/upload_hash.h"
#include "rp/data/upload_limit.h"
#include "rp/data/upload_state.h"

enum upload_kind {
    UPLOAD_START,  // POST without a digest: an empty session, or a mount
    UPLOAD_WHOLE,  // POST with a digest: the whole blob in one request
    UPLOAD_APPEND, // PATCH
    UPLOAD_CLOSE,  // PUT, perhaps with the last bytes
    UPLOAD_STATUS, // GET
    UPLOAD_CANCEL, // DELETE
};

enum { UPLOAD_LENGTH_UNKNOWN = -1 };

struct upload {
    struct registry_call call;
    struct db_pool *pool;
    enum upload_kind kind;
    struct upload_state state; // the session: id, registry, repository
    bool state_given;          // its Location's `_state` came and was ours
    struct text digest;        // of PUT and POST
    enum digest_algorithm algorithm;
    bool has_body;
    int64_t length;               // Content-Length, or UPLOAD_LENGTH_UNKNOWN
    int64_t range_from, range_to; // Content-Range; -1: none
    struct store_file *file;      // open and locked between begin and the end
    int64_t start;                // the session's size when this request began
    int64_t made_at; // monotonic, before the statement that made the session's row, or when it was granted
                     // with its id reserved; 0: neither
    bool granted;    // its POST decided, a moment ago: the file's name is a reservation, and no row was made
    bool put_cut;    // an earlier PUT wrote down where its bytes began
    struct upload_hash hash, hash_at_start;
    struct upload_limit *limit;
    int64_t held;     // bytes taken from the limit
    int64_t recorded; // of `start`: what counts by the session's row already
    bool published;   // an earlier PUT did it; only its answer was lost
    bool at_once;     // closing without a look at the session before: its row must be as is expected,
    bool missed;      // or nothing is done
    bool refused;     // the answer is filled; what still comes is discarded
};

// `call` needs arena, request and answer. False: refused from the headers, the answer is filled.
bool upload_begin(struct upload *upload, struct db_pool *pool, const struct http_request *request,
                  struct http_answer *answer, int64_t length, bool has_body);
// The next piece. False: refused in mid-body, the answer is filled, the file is as it was when the request
// began.
bool upload_take(struct upload *upload, const void *bytes, size_t length);
// The body is complete: acts and fills the answer. The session's lock is released when this returns.
void upload_finish(struct upload *upload);
// The client went away in mid-body.
void upload_abandon(struct upload *upload);

// Between the files of the upload:
// Runs it with a connection of the pool, held for this transaction only; call.tx is set, answer and failure
// are new at each run. True: committed. False: the answer is filled.
bool upload_transact(struct upload *upload, bool (*run)(struct upload *upload));
// The same for one statement that only reads.
bool upload_look(struct upload *upload, bool (*run)(struct upload *upload));
// The same for one statement that is a transaction of its own (db_act).
bool upload_act(struct upload *upload, bool (*run)(struct upload *upload));
// For a transaction whose loss in a crash of the database would lose nothing: it need not wait for the disk.
void upload_commit_lightly(struct db_transaction *tx);
// Fails with REGISTRY_DISALLOWED_OPERATION, naming what the limit is.
void upload_fail_quota(struct registry_call *call, const struct upload_limit *limit);
void upload_fail_disk(struct registry_call *call);
void upload_fail_unknown(struct registry_call *call); // 404 BLOB_UPLOAD_UNKNOWN
// The registry has as many sessions as it may.
void upload_fail_crowded(struct registry_call *call);
void upload_fail_internal(struct registry_call *call);

// upload_request.c: what the headers ask for. False: the answer is filled (upload_read_session: the session
// is not known).
bool upload_read_route(struct upload *upload);   // path, repository, kind
bool upload_read_digest(struct upload *upload);  // of PUT and POST
bool upload_read_range(struct upload *upload);   // Content-Range
bool upload_read_session(struct upload *upload); // id and `_state`
// Where a session is and how far: Location, Range and Docker-Upload-Uuid of its answer.
void upload_set_place(struct upload *upload, int64_t size);
// The range against the session's offset and the stated length.
bool upload_range_fits(struct upload *upload);

// upload_session.c: the session's row.
// Whether the request's `_state` is of this registry and repository.
bool upload_state_fits(const struct upload *upload);
// Decides access, finds or makes the row, reads the limits. Commits before any file is made.
bool upload_session_open(struct upload *upload);
// The first bytes after a POST of the same caller, which decided a moment ago: what that needs, from memory.
// False: nothing is answered, the session is to be opened.
bool upload_session_granted(struct upload *upload);
// With the file locked: the row once more, touched; cuts the file back to what the session's size is.
bool upload_session_hold(struct upload *upload);
// Reserves ids where more are wanted; nothing is answered.
void upload_session_reserve(struct upload *upload);
// GET and DELETE.
void upload_session_status(struct upload *upload);
void upload_session_cancel(struct upload *upload);
// The session's row becomes garbage; nothing is answered.
void upload_session_drop(struct upload *upload);

// publish.c: the session's file becomes the blob. The lock is held; false: the answer is filled.
bool upload_publish(struct upload *upload);
void upload_reply_created(struct registry_call *call, struct text digest); // 201 with the blob's Location

// blobs.c: POST without a body, in the call's transaction.
void upload_start(struct registry_call *call);
