// One data-plane request in a handler's hands: which registry, who asks, what they may.
#pragma once
#include "base/buffer.h"
#include "base/site.h"
#include "db/database.h"
#include "http/operation.h"
#include "rbac/snapshot.h"
#include "rbac/token.h"

struct registry_call;

// What a route needs, as token scopes say it (data-plane.md 1.5); the RBAC actions behind each are
// decisions 9.
enum registry_access {
    ACCESS_NONE = 0, // no decision (the oauth2 routes decide for themselves)
    ACCESS_BASE = 1, // /v2/: a valid credential of who may do anything at this registry
    ACCESS_CATALOG = 2,
    ACCESS_PULL = 4,
    ACCESS_PUSH = 8, // push and pull
    ACCESS_METADATA_READ = 16,
    ACCESS_METADATA_WRITE = 32,
    ACCESS_DELETE = 64,
};

struct registry_read {
    const struct db_statement *statement; // REGISTRY_COLUMNS first (rp/data/registry_row.h), then its own
    // Fills the values behind $1 (the registry's login key): `values` is $2, *count comes as 0; false: work
    // lane.
    bool (*prepare)(struct registry_call *call, struct db_value *values, size_t *count);
    // Own columns start at REGISTRY_COLUMN_COUNT. Rights are judged already. False: work lane.
    bool (*answer)(struct registry_call *call, const struct db_result *result);
    const struct db_statement *many; // NULL, or as in struct db_query
    // NULL, or the same with REGISTRY_KNOWN_COLUMNS first and own columns at REGISTRY_KNOWN_COLUMN_COUNT, for
    // a registry that this process read within the last second. Its `prepare` is not used.
    const struct registry_read *known;
};

struct registry_operation {
    struct http_operation http;
    enum registry_access access;
    const struct registry_read *read; // NULL: work lane
    // In the door's transaction (work lane). Answers by registry_reply… or registry_fail; a failure rolls
    // back.
    void (*handle)(struct registry_call *call);
};

// The registry a host names, as every deciding statement brings it.
struct registry {
    int64_t id;
    struct text rid, name, login_key;
    struct text resource_id; // "/subscriptions/…/registries/name", the RBAC scope
    bool admin_enabled;
    struct text password, password2; // sealed
    int64_t password_stamp, password2_stamp;
    int64_t quota;    // bytes
    int64_t group_id; // where it lies: a move changes resource_id
};

enum registry_identity_kind {
    IDENTITY_NONE,
    IDENTITY_PRINCIPAL,
    IDENTITY_ADMIN,
    IDENTITY_ANONYMOUS, // the weak token of SDKs that sign in with nothing: known, and may do nothing
};
struct registry_grant { // one element of a token's `access` claim
    struct text type, name;
    unsigned access; // enum registry_access bits
};
struct registry_identity {
    enum registry_identity_kind kind;
    struct rbac_caller caller; // IDENTITY_PRINCIPAL; for the admin user: name only
    int admin_password;        // 1 or 2, which one was used
    // A registry access token narrows: what its `access` claim allows for the repository asked for; ~0u: no
    // narrowing.
    unsigned narrowed;
    bool narrows; // an access token: `grants` is all it is good for
    const struct registry_grant *grants;
    size_t grant_count;
};

struct registry_call {
    struct arena *arena;
    const struct http_request *request;
    struct http_answer *answer;
    struct http_route route;
    const struct registry_operation *operation;
    struct text repository; // of the path, or absent
    struct registry registry;
    struct registry_identity identity;
    struct rbac_version version;          // what it was decided with
    const struct rbac_snapshot *snapshot; // NULL after registry_admit: nothing more is decided then
    struct db_transaction *tx;            // NULL on the read lane
    bool failed;
};

// Whether the identity has that access to this registry now (snapshot), and its token does not narrow it
// away.
bool registry_may(const struct registry_call *call, enum registry_access access);

// The same for another repository of this registry (the source of a mount).
bool registry_may_in(const struct registry_call *call, struct text repository, enum registry_access access);

void registry_reply(struct registry_call *call, int status, const char *content_type, struct text body);
void registry_reply_json(struct registry_call *call, int status, struct text json);
void registry_reply_empty(struct registry_call *call, int status);
// {"errors":[{"code","message","detail"?}]}; `detail` is JSON or absent. Rolls back; the first failure
// stands.
void registry_fail(struct registry_call *call, int status, const char *code, struct text detail,
                   const char *format, ...) __attribute__((format(printf, 5, 6)));
// The 401 with its challenge for what the operation needs (insufficient_scope when the caller is known but
// too weak).
void registry_challenge(struct registry_call *call);

// Registered tables: each file of rp/data/ that serves routes has one; ended by a row whose http.path is
// NULL.
extern const struct registry_operation registry_base_operations[]; // base.c: /v2/
extern const struct registry_operation
    registry_oauth_operations[]; // oauth.c: /oauth2/exchange, /oauth2/token
extern const struct registry_operation registry_manifest_operations[]; // manifests.c
extern const struct registry_operation registry_tag_operations[];      // tags.c, catalog.c …
extern const struct registry_operation registry_catalog_operations[];
extern const struct registry_operation registry_acr_operations[];         // acr.c: /acr/v1
extern const struct registry_operation registry_usage_operations[];       // usage_list.c: /acr/v1/_usage
extern const struct registry_operation registry_not_offered_operations[]; // not_offered.c
extern const struct registry_operation registry_referrer_operations[];
extern const struct registry_operation
    registry_blob_operations[]; // blobs.c: HEAD, GET, DELETE, mount and POST of uploads

// The host's dispatch and refusal, for *.azsacr.<region>.<domain>.
void registry_dispatch(struct http_exchange *exchange);
void registry_refuse(struct http_exchange *exchange, int status, const char *why);
void registry_data_start(void); // registers routes and read statements, once

// For threads that are not the lanes' (the receiver): finds the registry of the request's host, who asks and
// whether they have `access`, inside the caller's transaction; fills call->registry and ->identity. False:
// the answer is filled. Set before: arena, request, answer, tx, repository. Where `access` writes, the
// registry's row is locked for key share.
bool registry_admit(struct registry_call *call, enum registry_access access);
// The same by a deciding statement of the caller's, whose row (own columns start at REGISTRY_COLUMN_COUNT) it
// answers; NULL: refused, the answer is filled. $1 is the login key, `values` (at most three) are $2 and on.
// A write's statement holds the registry itself (REGISTRY_FROM_HELD).
const struct db_result *registry_admit_by(struct registry_call *call, enum registry_access access,
                                          const struct db_statement *statement, const struct db_value *values,
                                          size_t count);
// Before the commit of a write, after the last statement that can wait: whether what was decided still holds.
// False: the transaction was asked to run again (db_retry); leave it at once. The door does it for its own
// handlers.
bool registry_still_admitted(struct registry_call *call);

// Names (OCI distribution 1.1): the reason a repository, tag or digest is refused, or NULL when it is good.
const char *repository_name_fault(struct text name);
const char *tag_name_fault(struct text tag);
