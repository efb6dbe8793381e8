// The running digests of sessions between their requests: a bounded table of this process. Losing an entry
// costs a re-hash of the file, nothing else.
#pragma once
#include "base/crypto.h"

#include <stdint.h>

struct upload_hash {
    struct digest *digest; // NULL: none
    enum digest_algorithm algorithm;
    int64_t offset;   // how many bytes of the file it has seen
    int64_t named_at; // store_named_at of the file
};

// Keeps it (owning the digest) until it is taken or pushed out by younger ones.
void upload_hash_keep(const char *id, struct upload_hash hash);
// The session's, removed from the table; only when it has seen exactly `offset` bytes.
struct upload_hash upload_hash_take(const char *id, int64_t offset);
