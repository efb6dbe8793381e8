// Digests, MACs, scrypt and random bytes over OpenSSL 3. Sealing is in seal.c.
#include "base/crypto.h"

#include "base/arena.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

// A broken OpenSSL has no recovering half either.
static void must(bool ok)
{
    if (!ok) {
        fputs("azsacrd: the cryptographic library failed\n", stderr);
        abort();
    }
}

void crypto_random(void *bytes, size_t length)
{
    must(RAND_bytes(bytes, (int)length) == 1);
}

bool crypto_equal(struct text a, struct text b)
{
    return a.length == b.length && (a.length == 0 || CRYPTO_memcmp(a.base, b.base, a.length) == 0);
}

char *crypto_random_password(struct arena *arena, size_t length)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *password = arena_alloc(arena, length + 1);
    crypto_random(password, length);
    for (size_t i = 0; i < length; i++)
        password[i] = alphabet[(unsigned char)password[i] & 63];
    return password;
}

struct algorithm {
    const char *prefix;
    size_t hex_length;
    const EVP_MD *(*function)(void);
};

static const struct algorithm algorithms[] = {
    [DIGEST_SHA256] = {"sha256:", 64, EVP_sha256},
    [DIGEST_SHA512] = {"sha512:", 128, EVP_sha512},
};

bool digest_parse(struct text digest, enum digest_algorithm *algorithm)
{
    for (int a = DIGEST_SHA256; a <= DIGEST_SHA512; a++) {
        if (!text_starts(digest, algorithms[a].prefix))
            continue;
        struct text hex = text_slice(digest, strlen(algorithms[a].prefix), digest.length);
        if (hex.length != algorithms[a].hex_length)
            return false;
        for (size_t i = 0; i < hex.length; i++) {
            char c = hex.base[i];
            if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
                return false;
        }
        *algorithm = (enum digest_algorithm)a;
        return true;
    }
    return false;
}

struct digest {
    enum digest_algorithm algorithm;
    EVP_MD_CTX *context;
};

struct digest *digest_begin(enum digest_algorithm algorithm)
{
    struct digest *d = xmalloc(sizeof *d);
    d->algorithm = algorithm;
    d->context = EVP_MD_CTX_new();
    must(d->context != NULL && EVP_DigestInit_ex(d->context, algorithms[algorithm].function(), NULL) == 1);
    return d;
}

void digest_add(struct digest *digest, const void *bytes, size_t length)
{
    must(EVP_DigestUpdate(digest->context, bytes, length) == 1);
}

struct digest *digest_copy(const struct digest *digest)
{
    struct digest *d = xmalloc(sizeof *d);
    d->algorithm = digest->algorithm;
    d->context = EVP_MD_CTX_new();
    must(d->context != NULL && EVP_MD_CTX_copy_ex(d->context, digest->context) == 1);
    return d;
}

struct text digest_end(struct digest *digest, struct arena *arena)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    must(EVP_DigestFinal_ex(digest->context, hash, &length) == 1);
    char *text =
        arena_printf(arena, "%s%s", algorithms[digest->algorithm].prefix, text_hex(arena, hash, length).base);
    digest_drop(digest);
    return text_of(text);
}

void digest_drop(struct digest *digest)
{
    if (digest == NULL)
        return;
    EVP_MD_CTX_free(digest->context);
    free(digest);
}

struct text digest_of(struct arena *arena, enum digest_algorithm algorithm, struct text bytes)
{
    struct digest *d = digest_begin(algorithm);
    digest_add(d, bytes.base, bytes.length);
    return digest_end(d, arena);
}

static EVP_MD *sha256;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

// Looked up once: each EVP_sha256() is searched for anew when it is used.
static void fetch_sha256(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    must(sha256 != NULL);
}

void crypto_sha256(struct text bytes, unsigned char hash[32])
{
    pthread_once(&sha256_once, fetch_sha256);
    must(EVP_Digest(bytes.base ? bytes.base : "", bytes.length, hash, NULL, sha256, NULL) == 1);
}

void crypto_sha1(struct text bytes, unsigned char hash[20])
{
    must(EVP_Digest(bytes.base ? bytes.base : "", bytes.length, hash, NULL, EVP_sha1(), NULL) == 1);
}

void crypto_hmac_sha256(struct text key, struct text bytes, unsigned char mac[32])
{
    unsigned length = 32;
    must(HMAC(EVP_sha256(), key.base ? key.base : "", (int)key.length,
              (const unsigned char *)(bytes.base ? bytes.base : ""), bytes.length, mac, &length) != NULL);
}

enum { SCRYPT_SLOTS = 2, SCRYPT_WAITING = 2 };
static sem_t scrypt_slots;
static atomic_int scrypt_callers;
static pthread_once_t scrypt_once = PTHREAD_ONCE_INIT;

static void scrypt_start(void)
{
    sem_init(&scrypt_slots, 0, SCRYPT_SLOTS);
}

void crypto_scrypt(struct text password, struct text salt, unsigned char hash[32])
{
    pthread_once(&scrypt_once, scrypt_start);
    while (sem_wait(&scrypt_slots) != 0) {
    }
    int ok = EVP_PBE_scrypt(password.base ? password.base : "", password.length,
                            (const unsigned char *)salt.base, salt.length, 1 << 14, 8, 1, 64 << 20, hash, 32);
    sem_post(&scrypt_slots);
    must(ok == 1);
}

bool crypto_scrypt_soon(struct text password, struct text salt, unsigned char hash[32])
{
    bool taken = atomic_fetch_add(&scrypt_callers, 1) < SCRYPT_SLOTS + SCRYPT_WAITING;
    if (taken)
        crypto_scrypt(password, salt, hash);
    atomic_fetch_sub(&scrypt_callers, 1);
    return taken;
}
