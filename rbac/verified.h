// What was verified a moment ago: a bounded, thread-safe table of successes. Only rbac/token.c and
// rbac/password.c use it, and they judge every hit anew against the snapshot at hand: an entry saves the
// arithmetic, not the decision.
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct verified {
    unsigned char hash[32]; // SHA-256 of a token, or a keyed hash of a name's password
    char kid[65];           // key that signed the token; "" for passwords
    char object_id[37];
    char app_id[37];    // client application of the token
    char audience[201]; // "aud" of the token; "" for passwords
    int64_t expires_at; // wall microseconds
    int64_t stamp;      // the principal's, as it was
};

bool verified_find(const unsigned char hash[32], struct verified *found);
// Drops the least recently used of the few places the hash may stand in.
void verified_add(const struct verified *one);
