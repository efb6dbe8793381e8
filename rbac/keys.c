// Signing keys: made, sealed into the database, opened, rotated; and the public half of them as JWKS (RFC
// 7517).
#include "rbac/keys.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/site.h"
#include "rbac/snapshot.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#define PURPOSE "signing-key"
// A key that signs for longer than this is replaced at the next start.
static const int64_t SIGNING_AGE = INT64_C(90) * 24 * 3600 * 1000000;

static const struct db_statement lock_keys = {"rbac_keys_lock",
                                              "lock table rbac.signing_key in share row exclusive mode"};
static const struct db_statement select_signing = {
    "rbac_keys_signing",
    "select kid, (extract(epoch from created_at) * 1000000)::bigint from rbac.signing_key "
    "where use = $1 and retired_at is null order by created_at desc, kid"};
static const struct db_statement retire_keys = {"rbac_keys_retire",
                                                "update rbac.signing_key set retired_at = clock_timestamp() "
                                                "where use = $1 and retired_at is null returning kid"};
static const struct db_statement insert_key = {"rbac_keys_insert",
                                               "insert into rbac.signing_key (kid, use, sealed, created_at) "
                                               "values ($1, $2, $3, clock_timestamp())"};
static const struct db_statement drop_keys = {
    "rbac_keys_drop",
    "delete from rbac.signing_key where retired_at < clock_timestamp() - interval '1 day' returning kid"};

static struct text sealed_where(struct arena *arena, struct text kid)
{
    return text_of(arena_printf(arena, "rbac.signing_key/%.*s", TEXT_ARG(kid)));
}

static char *private_pem(EVP_PKEY *pkey)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (!bio)
        return NULL;
    char *pem = NULL;
    if (PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) == 1) {
        char *bytes = NULL;
        long length = BIO_get_mem_data(bio, &bytes);
        pem = xmalloc((size_t)length + 1);
        memcpy(pem, bytes, (size_t)length);
        pem[length] = '\0';
        OPENSSL_cleanse(bytes, (size_t)length);
    }
    BIO_free(bio);
    return pem;
}

// Takes an RSA key of at least 2,048 bits out of its PKCS#8 DER.
static bool open_rsa(struct rbac_key *key, struct text der)
{
    const unsigned char *at = (const unsigned char *)der.base;
    EVP_PKEY *pkey = d2i_AutoPrivateKey(NULL, &at, (long)der.length);
    key->pkey = pkey;
    if (!pkey || EVP_PKEY_get_base_id(pkey) != EVP_PKEY_RSA || EVP_PKEY_get_bits(pkey) < 2048)
        return false;
    key->pem = private_pem(pkey);
    return key->pem != NULL;
}

static bool open_plain(struct rbac_key *key, struct text plain)
{
    if (strcmp(key->use, "sign-in") == 0)
        return open_rsa(key, plain);
    if (strcmp(key->use, "registry") != 0 || plain.length != sizeof key->secret)
        return false;
    memcpy(key->secret, plain.base, sizeof key->secret);
    return true;
}

struct rbac_key *rbac_key_open(struct text kid, struct text use, struct text sealed, bool retired,
                               int64_t created_at)
{
    struct rbac_key *key = xcalloc(1, sizeof *key);
    if (kid.length == 0 || kid.length >= sizeof key->kid || use.length >= sizeof key->use || !sealed.base) {
        rbac_key_free(key);
        return NULL;
    }
    memcpy(key->kid, kid.base, kid.length);
    memcpy(key->use, use.base, use.length);
    key->retired = retired;
    key->created_at = created_at;
    struct arena *arena = arena_new();
    struct text plain;
    bool opened =
        master_key_open(site()->master_key, arena, PURPOSE, sealed_where(arena, kid).base, sealed, &plain);
    if (opened) {
        opened = open_plain(key, plain);
        OPENSSL_cleanse((void *)(uintptr_t)plain.base, plain.length);
    }
    arena_free(arena);
    if (opened)
        return key;
    log_error("signing-key.unusable", "kid", key->kid, "use", key->use);
    rbac_key_free(key);
    return NULL;
}

void rbac_key_free(struct rbac_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pkey);
    if (key->pem)
        OPENSSL_cleanse(key->pem, strlen(key->pem));
    free(key->pem);
    OPENSSL_cleanse(key, sizeof *key);
    free(key);
}

// The private part of a new key, as it goes under the seal. Absent: OpenSSL could not make one.
static struct text new_private_part(struct arena *arena, const char *use)
{
    if (strcmp(use, "registry") == 0) {
        char *secret = arena_alloc(arena, 32);
        crypto_random(secret, 32);
        return (struct text){secret, 32};
    }
    EVP_PKEY *pkey = EVP_RSA_gen(2048);
    PKCS8_PRIV_KEY_INFO *info = pkey ? EVP_PKEY2PKCS8(pkey) : NULL;
    unsigned char *der = NULL;
    int length = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;
    struct text plain = TEXT_NONE;
    if (length > 0) {
        plain = (struct text){arena_strndup(arena, (const char *)der, (size_t)length), (size_t)length};
        OPENSSL_clear_free(der, (size_t)length);
    }
    PKCS8_PRIV_KEY_INFO_free(info);
    EVP_PKEY_free(pkey);
    return plain;
}

static void make_key(struct db_transaction *tx, const char *use)
{
    struct arena *arena = db_arena(tx);
    char kid[37];
    uuid_random(kid);
    struct text plain = new_private_part(arena, use);
    if (!plain.base) {
        log_error("signing-key.not-made", "use", use);
        return;
    }
    struct text sealed =
        master_key_seal(site()->master_key, arena, PURPOSE, sealed_where(arena, text_of(kid)).base, plain);
    OPENSSL_cleanse((void *)(uintptr_t)plain.base, plain.length);
    DB_RUN(tx, &insert_key, db_string(kid), db_string(use), db_bytes(sealed));
    rbac_changed(tx, "key", text_of(kid));
    log_info("signing-key.made", "kid", kid, "use", use);
}

static void note_rows(struct db_transaction *tx, const struct db_result *result)
{
    for (size_t row = 0; row < db_rows(result); row++)
        rbac_changed(tx, "key", db_get(result, row, 0));
}

static void replace_key(struct db_transaction *tx, const char *use)
{
    note_rows(tx, DB_RUN(tx, &retire_keys, db_string(use)));
    make_key(tx, use);
}

static void ensure_use(struct db_transaction *tx, const char *use)
{
    const struct db_result *signing = DB_RUN(tx, &select_signing, db_string(use));
    if (db_failed(tx))
        return;
    if (db_rows(signing) == 0)
        make_key(tx, use);
    else if (clock_wall() - db_get_int(signing, 0, 1) > SIGNING_AGE)
        replace_key(tx, use);
}

void rbac_keys_ensure(struct db_transaction *tx)
{
    // Two replicas that start at once must not both make the first key.
    DB_RUN0(tx, &lock_keys);
    note_rows(tx, DB_RUN0(tx, &drop_keys));
    ensure_use(tx, "sign-in");
    ensure_use(tx, "registry");
}

void rbac_keys_rotate(struct db_transaction *tx, const char *use)
{
    DB_RUN0(tx, &lock_keys);
    note_rows(tx, DB_RUN0(tx, &drop_keys));
    replace_key(tx, use);
}

static void write_number(struct buffer *out, const char *name, const EVP_PKEY *pkey, const char *parameter)
{
    BIGNUM *number = NULL;
    if (EVP_PKEY_get_bn_param(pkey, parameter, &number) != 1)
        return;
    int length = BN_num_bytes(number);
    unsigned char *bytes = arena_alloc(out->arena, (size_t)length);
    BN_bn2bin(number, bytes);
    BN_free(number);
    json_key_text(out, name, text_base64url(out->arena, bytes, (size_t)length));
}

struct text rbac_jwks(struct arena *arena, const struct rbac_snapshot *snapshot)
{
    struct buffer out = buffer_new(arena);
    json_begin_object(&out);
    json_key(&out, "keys");
    json_begin_array(&out);
    for (size_t i = 0; i < rbac_key_count(snapshot); i++) {
        const struct rbac_key *key = rbac_key_at(snapshot, i);
        if (strcmp(key->use, "sign-in") != 0)
            continue; // registry keys are secrets
        json_begin_object(&out);
        json_key_string(&out, "kty", "RSA");
        json_key_string(&out, "use", "sig");
        json_key_string(&out, "alg", "RS256");
        json_key_string(&out, "kid", key->kid);
        write_number(&out, "n", key->pkey, OSSL_PKEY_PARAM_RSA_N);
        write_number(&out, "e", key->pkey, OSSL_PKEY_PARAM_RSA_E);
        json_end_object(&out);
    }
    json_end_array(&out);
    json_end_object(&out);
    return buffer_done(&out);
}
