// The registry fixture with what uploads need beside it: a master key, an admin user who may push, the access
// snapshot, a pool; and requests on sessions as the receiver hands them over, body in pieces.
#pragma once
#include "base/arena.h"
#include "rp/data/store_driver.h"
#include "rp/data/upload.h"
#include "rp/registry_fixture.h"

// The cluster, unchecked; then in each test, in its own process, the threads and connections.
void upload_fixture_start(void);
void upload_fixture_stop(void);
void upload_fixture_enter(void);
void upload_fixture_leave(void);
// Whether bodies come without a stated length from now on.
void upload_fixture_chunked(bool wanted);
struct db_pool *upload_fixture_pool(void);
const char *upload_fixture_authorization(void); // "Basic …" of the admin user
struct db_target upload_fixture_target(void);

// What one request was answered; free with sent_free.
struct sent {
    struct arena *arena;
    struct http_request request;
    struct http_answer answer;
    struct upload upload;
};
// Method, target, an optional Content-Range, a body (NULL: none) given in pieces of at most `piece` bytes.
struct sent *send_pieces(const char *method, const char *target, const char *range, struct text body,
                         size_t piece);
struct sent *send_text(const char *method, const char *target, const char *range, const char *body);
// The same up to the last piece; then the client goes away.
void send_and_vanish(const char *method, const char *target, struct text body);
const char *sent_header(const struct sent *sent, const char *name); // "" when absent
void sent_free(struct sent *sent);
// POST, then its Location; and with "&digest=…" behind it. In `arena`.
const char *session_new(struct arena *arena, const char *repository);
const char *with_digest(struct arena *arena, const char *location, struct text bytes);
struct text digest_text(struct arena *arena, struct text bytes);
// Sends, checks the status, gives the answer's Range (or Location, as asked).
const char *sent_expect(struct arena *arena, int status, const char *header, const char *method,
                        const char *target, const char *range, const char *body);
// Of "/v2/<repository>/blobs/uploads/<id>?…".
const char *session_id_of(struct arena *arena, const char *location);
// The store that the tests of this case run on; and of which it may be changed for one test: a copy.
void upload_fixture_run_on(const struct store_driver *driver);
struct store_driver *upload_fixture_changed_store(void);
