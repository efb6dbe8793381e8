// Making what the sign-in service hands out: access and id tokens (signed by libjwt) and refresh tokens
// (sealed).
#pragma once
#include "rbac/snapshot.h"

struct arena;
enum { MINT_REFRESH_SECONDS = 90 * 24 * 3600 };
// How long an access or id token is good for: 3600 s; test builds can set less.
int64_t mint_access_seconds(void);

struct mint_request {
    const struct rbac_principal *principal;
    const char *client_id; // the client application; a service principal's own app id
    struct text audience;  // "aud", verbatim as it was asked for
    const char *issuer;    // of the id token: the issuer of the document that was used
    int64_t now;           // seconds
};

// NULL: there is no key that signs.
const char *mint_access_token(struct arena *arena, const struct rbac_snapshot *snapshot,
                              const struct mint_request *request);
const char *mint_id_token(struct arena *arena, const struct rbac_snapshot *snapshot,
                          const struct mint_request *request);

// A refresh token keeps no row: it is sealed by the master key and counts while the principal's stamp is the
// same.
struct refresh_token {
    char object_id[37];
    int64_t stamp;
    const char *client_id;
    struct text audience; // what it was first issued for
    int64_t expires_at;   // seconds
};
struct text mint_refresh_token(struct arena *arena, const struct mint_request *request);
// False: not sealed by us.
bool mint_open_refresh_token(struct arena *arena, struct text sealed, struct refresh_token *token);
