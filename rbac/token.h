// Who: bearer tokens of the sign-in service, verified by hand over OpenSSL, cached; names with secrets.
#pragma once
#include "rbac/snapshot.h"

struct rbac_caller {
    char object_id[37], tenant_id[37];
    bool user;
    const char *name;   // upn or app id, as 403 messages name the caller
    const char *app_id; // the client application ("04b07795-…" for az users), may be ""
    int64_t expires_at; // wall microseconds; 0: does not expire by itself (Basic)
    int64_t stamp;
};

struct buffer;

enum rbac_fault {
    RBAC_OK,
    RBAC_MISSING,   // no credentials
    RBAC_MALFORMED, // not a token of ours, bad signature, unknown or retired-and-dropped key
    RBAC_EXPIRED,
    RBAC_NOT_YET,
    RBAC_AUDIENCE, // `claimed` holds the aud
    RBAC_ISSUER,   // `claimed` holds the iss
    RBAC_REVOKED,  // the principal is gone, disabled, or its stamp moved on
    RBAC_BUSY,     // too many passwords are being checked: not judged
};

struct rbac_verdict {
    enum rbac_fault fault;
    struct rbac_caller caller;
    const char *claimed; // of RBAC_AUDIENCE and RBAC_ISSUER
    int64_t expired_at;  // of RBAC_EXPIRED
};

// `audiences` ends with NULL; each counts with and without a trailing slash. Strings live in the arena.
struct rbac_verdict rbac_verify_token(const struct rbac_snapshot *snapshot, struct arena *arena,
                                      struct text token, const char *const *audiences);

// A user's upn with password, or an app id with a secret. In a worker: reads the secret rows and may run
// scrypt. A success is cached under a keyed hash of name, password and the principal's stamp.
struct rbac_verdict rbac_verify_password(const struct rbac_snapshot *snapshot, struct db_transaction *tx,
                                         struct arena *arena, struct text name, struct text password);
// The same from the cache only; RBAC_MISSING when it is not there. Never blocks.
struct rbac_verdict rbac_verify_password_cached(const struct rbac_snapshot *snapshot, struct arena *arena,
                                                struct text name, struct text password);
// The caller as an object, for work that goes on after the request: objectId, tenantId, user, name, appId,
// stamp.
void rbac_caller_write(struct buffer *json, const struct rbac_caller *caller);
// The audiences that ARM, Graph and the registry accept (decisions 24), NULL-ended.
const char *const *rbac_audiences_arm(void);
const char *const *rbac_audiences_graph(void);
const char *const *rbac_audiences_registry(void);
