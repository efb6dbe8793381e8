// How secrets of principals are kept: random ones as a keyed SHA-256, chosen ones by scrypt
// (docs/architecture.md).
#pragma once
#include "base/text.h"
#include "db/database.h"

enum { SECRET_LENGTH_LIMIT = 1024, CHOSEN_LENGTH_LEAST = 8 };

// HMAC-SHA-256 of the secret, bound to its owner, under the master key's purpose "secret-hash".
void secret_hash_random(const char *object_id, struct text secret, unsigned char hash[32]);
// Replaces all secrets of the principal. The transaction's arena holds the random one.
const char *secret_replace_random(struct db_transaction *tx, const char *object_id);
void secret_replace_chosen(struct db_transaction *tx, const char *object_id, struct text password);
