// Compact JWTs, read by hand over OpenSSL: split, check the signature under a key already chosen, then the
// claims. Nothing of the payload is looked at before its signature is known to be good (RFC 8725, RFC 7515,
// RFC 7519).
#pragma once
#include "rbac/keys.h"

#include <jansson.h>
#include <stdbool.h>

struct arena;

enum { JWT_LENGTH_LIMIT = 16 * 1024 };

struct jwt_parts {
    struct text signed_part; // header.payload, as sent
    struct text payload;     // still base64url
    struct text signature;   // decoded
    char alg[8];             // "RS256" or "HS256"
    char kid[65];
};

// False unless `token` is three canonical base64url segments whose header is {"alg","typ":"JWT","kid",…}
// without doubled members and without "crit". The parts borrow `token` and the arena.
bool jwt_split(struct arena *arena, struct text token, struct jwt_parts *parts);
// Whether the signature is good under exactly this key: RS256 for a sign-in key, HS256 for a registry key,
// and the header must say the same. A key of one use never checks a token of the other's algorithm.
bool jwt_signature_good(const struct jwt_parts *parts, const struct rbac_key *key);
// The payload, freed with the arena. NULL: not a JSON object without doubled members.
const json_t *jwt_claims(struct arena *arena, const struct jwt_parts *parts);

// A string member without NUL, or TEXT_NONE.
struct text jwt_string(const json_t *claims, const char *name);
// A NumericDate (whole or with a fraction) in microseconds; false when absent or out of any sensible range.
bool jwt_time(const json_t *claims, const char *name, int64_t *microseconds);
// Whether "aud" (a string, or an array with one that fits) names one of `audiences` (NULL-ended), each with
// and without a trailing slash. *claimed is the string that fitted, else the first one there was.
bool jwt_audience(const json_t *claims, const char *const *audiences, struct text *claimed);
// One audience against a list, with and without a trailing slash.
bool jwt_audience_is_one_of(struct text audience, const char *const *audiences);
