// Tokens whose signature was found right lately, with their claims: a client shows the same one again and
// again, and parsing it is a tenth of a pull's work. What the claims are worth (times, host, row, rights) is
// decided each time.
#pragma once
#include "rbac/keys.h"
#include "rbac/snapshot.h"

#include <jansson.h>

// The claims of that very token, signed with a key that is still there and the same; a reference for the
// caller. NULL: not known. `name` is the token's SHA-256.
json_t *token_cache_find(const unsigned char name[32], const struct rbac_snapshot *snapshot);
// After the signature was found right.
void token_cache_keep(const unsigned char name[32], const struct rbac_key *key, json_t *claims);
