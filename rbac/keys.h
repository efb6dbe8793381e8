// Signing keys: RS256 of the sign-in service, HS256 of registry tokens; sealed in the database, rotated.
#pragma once
#include "base/text.h"
#include "db/database.h"

#include <stdbool.h>

struct arena;
struct rbac_key {
    char kid[65];
    char use[16];             // "sign-in", "registry"
    bool retired;             // verifies, signs no more
    int64_t created_at;       // microseconds
    void *pkey;               // EVP_PKEY * of a sign-in key
    char *pem;                // private PEM of a sign-in key, for libjwt's minting
    unsigned char secret[32]; // of a registry key
};
// Opens a row of rbac.signing_key; NULL when it cannot be opened. Free with rbac_key_free.
struct rbac_key *rbac_key_open(struct text kid, struct text use, struct text sealed, bool retired,
                               int64_t created_at);
void rbac_key_free(struct rbac_key *key);
// Makes the first key of each use where there is none, and rotates: retires the signing key, makes a new one;
// drops keys retired more than a day ago. In the caller's transaction; notes the change.
void rbac_keys_ensure(struct db_transaction *tx);
void rbac_keys_rotate(struct db_transaction *tx, const char *use);
// {"keys":[…]} of the sign-in keys.
struct rbac_snapshot;
struct text rbac_jwks(struct arena *arena, const struct rbac_snapshot *snapshot);
