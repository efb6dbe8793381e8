// The master key: its file, the purpose keys derived from it, and AES-256-GCM sealing.
#include "base/crypto.h"

#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/core_names.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PURPOSES = 16, PURPOSE_LENGTH = 48 };
enum {
    KEY_SIZE = 32,
    ID_SIZE = 4,
    NONCE_SIZE = 12,
    TAG_SIZE = 16,
    OVERHEAD = ID_SIZE + NONCE_SIZE + TAG_SIZE
};

struct master_key {
    unsigned char bytes[KEY_SIZE];
    unsigned char id[ID_SIZE];
    // Keys derived before: a purpose is a literal of the program, and there are few.
    pthread_mutex_t mutex;
    size_t derived_count;
    struct {
        char purpose[PURPOSE_LENGTH];
        unsigned char bytes[KEY_SIZE];
    } derived[PURPOSES];
};

static bool write_new(const char *path, const unsigned char *bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool ok = write(fd, bytes, KEY_SIZE) == KEY_SIZE && fsync(fd) == 0;
    close(fd);
    if (!ok)
        unlink(path);
    return ok;
}

static const char *read_key(const char *path, unsigned char *bytes, struct arena *arena)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return arena_printf(arena, "the master key %s cannot be read: %s", path, strerror(errno));
    struct stat st;
    const char *why = NULL;
    if (fstat(fd, &st) != 0 || st.st_size != KEY_SIZE || read(fd, bytes, KEY_SIZE) != KEY_SIZE)
        why = arena_printf(arena, "the master key %s is not %d bytes long", path, KEY_SIZE);
    else if ((st.st_mode & 077) != 0)
        why = arena_printf(arena, "the master key %s may be read by others: chmod 600 it", path);
    close(fd);
    return why;
}

static void derive(const unsigned char *bytes, const char *purpose, unsigned char *derived, size_t length)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t) "SHA256", 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)bytes, KEY_SIZE),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)purpose, strlen(purpose)),
        OSSL_PARAM_construct_end(),
    };
    if (context == NULL || EVP_KDF_derive(context, derived, length, parameters) != 1)
        abort();
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
}

struct master_key *master_key_load(const char *path, bool create, struct arena *arena, const char **why)
{
    struct master_key *key = xcalloc(1, sizeof *key);
    pthread_mutex_init(&key->mutex, NULL);
    if (create && access(path, F_OK) != 0) {
        crypto_random(key->bytes, KEY_SIZE);
        if (!write_new(path, key->bytes) && errno != EEXIST) {
            *why = arena_printf(arena, "the master key %s cannot be made: %s", path, strerror(errno));
            master_key_free(key);
            return NULL;
        }
    }
    *why = read_key(path, key->bytes, arena);
    if (*why != NULL) {
        master_key_free(key);
        return NULL;
    }
    derive(key->bytes, "key-id", key->id, ID_SIZE);
    return key;
}

void master_key_free(struct master_key *key)
{
    if (key == NULL)
        return;
    pthread_mutex_destroy(&key->mutex);
    OPENSSL_cleanse(key, sizeof *key);
    free(key);
}

static bool known(const struct master_key *key, const char *purpose, unsigned char derived[32])
{
    for (size_t i = 0; i < key->derived_count; i++) {
        if (strcmp(key->derived[i].purpose, purpose) == 0) {
            memcpy(derived, key->derived[i].bytes, KEY_SIZE);
            return true;
        }
    }
    return false;
}

void master_key_derive(const struct master_key *key, const char *purpose, unsigned char derived[32])
{
    struct master_key *memory = (struct master_key *)(uintptr_t)key; // only what it remembers changes
    pthread_mutex_lock(&memory->mutex);
    if (!known(memory, purpose, derived)) {
        derive(key->bytes, purpose, derived, KEY_SIZE);
        if (memory->derived_count < PURPOSES && strlen(purpose) < PURPOSE_LENGTH) {
            size_t i = memory->derived_count++;
            snprintf(memory->derived[i].purpose, PURPOSE_LENGTH, "%s", purpose);
            memcpy(memory->derived[i].bytes, derived, KEY_SIZE);
        }
    }
    pthread_mutex_unlock(&memory->mutex);
}

struct text master_key_id(const struct master_key *key, struct arena *arena)
{
    return text_hex(arena, key->id, ID_SIZE);
}

struct text master_key_seal(const struct master_key *key, struct arena *arena, const char *purpose,
                            const char *where, struct text plain)
{
    unsigned char derived[KEY_SIZE];
    master_key_derive(key, purpose, derived);
    unsigned char *sealed = arena_alloc(arena, plain.length + OVERHEAD);
    unsigned char *nonce = sealed + ID_SIZE, *out = nonce + NONCE_SIZE;
    memcpy(sealed, key->id, ID_SIZE);
    crypto_random(nonce, NONCE_SIZE);
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int n = 0;
    bool ok = c != NULL && EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, derived, nonce) == 1 &&
              EVP_EncryptUpdate(c, NULL, &n, (const unsigned char *)where, (int)strlen(where)) == 1 &&
              EVP_EncryptUpdate(c, out, &n, (const unsigned char *)(plain.base ? plain.base : ""),
                                (int)plain.length) == 1 &&
              EVP_EncryptFinal_ex(c, out + plain.length, &n) == 1 &&
              EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, out + plain.length) == 1;
    EVP_CIPHER_CTX_free(c);
    OPENSSL_cleanse(derived, sizeof derived);
    if (!ok)
        abort();
    return (struct text){(const char *)sealed, plain.length + OVERHEAD};
}

bool master_key_open(const struct master_key *key, struct arena *arena, const char *purpose,
                     const char *where, struct text sealed, struct text *plain)
{
    if (sealed.length < OVERHEAD || memcmp(sealed.base, key->id, ID_SIZE) != 0)
        return false;
    unsigned char derived[KEY_SIZE];
    master_key_derive(key, purpose, derived);
    const unsigned char *nonce = (const unsigned char *)sealed.base + ID_SIZE, *in = nonce + NONCE_SIZE;
    size_t length = sealed.length - OVERHEAD;
    unsigned char *out = arena_alloc(arena, length + 1);
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int n = 0;
    bool ok = c != NULL && EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, derived, nonce) == 1 &&
              EVP_DecryptUpdate(c, NULL, &n, (const unsigned char *)where, (int)strlen(where)) == 1 &&
              EVP_DecryptUpdate(c, out, &n, in, (int)length) == 1 &&
              EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, (void *)(uintptr_t)(in + length)) == 1 &&
              EVP_DecryptFinal_ex(c, out + length, &n) == 1;
    EVP_CIPHER_CTX_free(c);
    OPENSSL_cleanse(derived, sizeof derived);
    if (ok)
        *plain = (struct text){(const char *)out, length};
    return ok;
}
