// Digests, MACs, sealing and randomness: the one file of base/ that knows OpenSSL, beside certificate.h.
#pragma once
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

struct arena;

void crypto_random(void *bytes, size_t length);
// Compares without telling by its time where the difference is. Unequal lengths are unequal.
bool crypto_equal(struct text a, struct text b);
// A random password of `length` characters of the base64 alphabet (A-Za-z0-9+/), in the arena.
char *crypto_random_password(struct arena *arena, size_t length);

// Digests as OCI names them: "sha256:<64 hex>" and "sha512:<128 hex>", lower case.
enum digest_algorithm { DIGEST_SHA256, DIGEST_SHA512 };
bool digest_parse(struct text digest, enum digest_algorithm *algorithm); // false: not a digest we know
struct digest;                                                           // one running computation
struct digest *digest_begin(enum digest_algorithm algorithm);
void digest_add(struct digest *digest, const void *bytes, size_t length);
struct digest *digest_copy(const struct digest *digest); // to go back to, when a write fails
// Ends and frees it; the text is "sha256:…" in the arena.
struct text digest_end(struct digest *digest, struct arena *arena);
void digest_drop(struct digest *digest);
struct text digest_of(struct arena *arena, enum digest_algorithm algorithm, struct text bytes);
void crypto_sha256(struct text bytes, unsigned char hash[32]);
// For names only that a standard derives with it (UUIDs of version 5): it protects nothing.
void crypto_sha1(struct text bytes, unsigned char hash[20]);
void crypto_hmac_sha256(struct text key, struct text bytes, unsigned char mac[32]);

// scrypt, N = 2^14, r = 8, p = 1: for secrets that a person chose. At most two run at a time in the process.
void crypto_scrypt(struct text password, struct text salt, unsigned char hash[32]);
// The same for who answers a stranger: false at once when as many wait already as run. Else a flood of wrong
// passwords would hold every worker there is.
bool crypto_scrypt_soon(struct text password, struct text salt, unsigned char hash[32]);

// The site's master key, 32 bytes of a 0600 file, from which each purpose has its own key by HKDF.
struct master_key;
// Reads STATE's key file; makes it where it is absent and `create` is set. NULL with *why in the arena.
struct master_key *master_key_load(const char *path, bool create, struct arena *arena, const char **why);
void master_key_free(struct master_key *key);
// The purpose's own key ("registry-token", "secret-hash", …).
void master_key_derive(const struct master_key *key, const char *purpose, unsigned char derived[32]);
// AES-256-GCM under the purpose's key with a fresh nonce; `where` ("acr.registry/42/password") is bound to it
// as associated data. The sealed form is bytes: key id, nonce, ciphertext, tag.
struct text master_key_seal(const struct master_key *key, struct arena *arena, const char *purpose,
                            const char *where, struct text plain);
// False when it was not sealed so, by this key, for this place.
bool master_key_open(const struct master_key *key, struct arena *arena, const char *purpose,
                     const char *where, struct text sealed, struct text *plain);
// Eight hex digits that tell one master key from another, for the check value in the database.
struct text master_key_id(const struct master_key *key, struct arena *arena);
