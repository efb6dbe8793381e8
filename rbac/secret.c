// Writing the secrets of principals.
#include "rbac/secret.h"

#include "base/arena.h"
#include "base/crypto.h"
#include "base/site.h"

// 40 characters of the base64 alphabet: 240 bits.
enum { RANDOM_LENGTH = 40, SALT_LENGTH = 16 };

static const struct db_statement delete_secrets = {"secret_delete",
                                                   "delete from rbac.secret where object_id = $1::uuid"};
static const struct db_statement insert_secret = {
    "secret_insert", "insert into rbac.secret (object_id, kind, salt, hash) values ($1::uuid, $2, $3, $4)"};

void secret_hash_random(const char *object_id, struct text secret, unsigned char hash[32])
{
    unsigned char key[32];
    master_key_derive(site()->master_key, "secret-hash", key);
    struct arena *arena = arena_new();
    // The owner's id has a fixed length, so owner and secret cannot be divided in two ways.
    char *bound = arena_alloc(arena, 36 + secret.length);
    memcpy(bound, object_id, 36);
    if (secret.length > 0)
        memcpy(bound + 36, secret.base, secret.length);
    crypto_hmac_sha256((struct text){(const char *)key, sizeof key}, (struct text){bound, 36 + secret.length},
                       hash);
    explicit_bzero(bound, 36 + secret.length);
    explicit_bzero(key, sizeof key);
    arena_free(arena);
}

const char *secret_replace_random(struct db_transaction *tx, const char *object_id)
{
    // A secret goes through shells, forms and URLs: the URL-safe half of the alphabet.
    char *secret = crypto_random_password(db_arena(tx), RANDOM_LENGTH);
    for (char *at = secret; *at; at++)
        *at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
    if (secret[0] == '-') // az would take it for an option
        secret[0] = '_';
    unsigned char hash[32];
    secret_hash_random(object_id, text_of(secret), hash);
    DB_RUN(tx, &delete_secrets, db_string(object_id));
    DB_RUN(tx, &insert_secret, db_string(object_id), db_string("random"), db_null(),
           db_bytes((struct text){(const char *)hash, sizeof hash}));
    return secret;
}

void secret_replace_chosen(struct db_transaction *tx, const char *object_id, struct text password)
{
    unsigned char salt[SALT_LENGTH], hash[32];
    crypto_random(salt, sizeof salt);
    struct text salted = {(const char *)salt, sizeof salt};
    crypto_scrypt(password, salted, hash);
    DB_RUN(tx, &delete_secrets, db_string(object_id));
    DB_RUN(tx, &insert_secret, db_string(object_id), db_string("chosen"), db_bytes(salted),
           db_bytes((struct text){(const char *)hash, sizeof hash}));
}
