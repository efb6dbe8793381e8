// Making the site's certificate authority and the edge's certificate with OpenSSL.
#include "base/certificate.h"

#include "base/arena.h"
#include "base/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CA_DAYS = 3650, EDGE_DAYS = 825, RENEW_SECONDS = 30 * 86400 };

static bool save(const char *path, mode_t mode, bool (*write_it)(FILE *, void *), void *object)
{
    char temporary[4096];
    if (snprintf(temporary, sizeof temporary, "%s.new", path) >= (int)sizeof temporary)
        return false;
    unlink(temporary);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file == NULL)
        return false;
    bool ok = write_it(file, object) && fflush(file) == 0 && fsync(fileno(file)) == 0;
    ok = fclose(file) == 0 && ok;
    return ok && rename(temporary, path) == 0;
}

static bool write_key(FILE *file, void *key)
{
    return PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1;
}

struct chain {
    X509 *leaf, *issuer;
};

static bool write_chain(FILE *file, void *object)
{
    const struct chain *chain = object;
    return PEM_write_X509(file, chain->leaf) == 1 &&
           (chain->issuer == NULL || PEM_write_X509(file, chain->issuer) == 1);
}

static X509 *read_certificate(const char *path)
{
    FILE *file = fopen(path, "re");
    X509 *certificate = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    if (file != NULL)
        fclose(file);
    return certificate;
}

static EVP_PKEY *read_key(const char *path)
{
    FILE *file = fopen(path, "re");
    EVP_PKEY *key = file ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
    if (file != NULL)
        fclose(file);
    return key;
}

static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool ok = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

static bool name_it(X509_NAME *name, const char *common_name)
{
    return X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)"azsacr", -1, -1, 0) ==
               1 &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name, -1, -1,
                                      0) == 1;
}

// An unsigned certificate for `key`: random serial, valid from an hour ago (clocks of a site differ).
static X509 *certificate_for(EVP_PKEY *key, const char *common_name, int days)
{
    unsigned char serial[16];
    crypto_random(serial, sizeof serial);
    serial[0] &= 0x7f;
    X509 *c = X509_new();
    BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
    bool ok = c != NULL && number != NULL && X509_set_version(c, X509_VERSION_3) == 1 &&
              BN_to_ASN1_INTEGER(number, X509_get_serialNumber(c)) != NULL &&
              X509_gmtime_adj(X509_getm_notBefore(c), -3600) != NULL &&
              X509_time_adj_ex(X509_getm_notAfter(c), days, 0, NULL) != NULL &&
              X509_set_pubkey(c, key) == 1 && name_it(X509_get_subject_name(c), common_name);
    BN_free(number);
    if (!ok) {
        X509_free(c);
        return NULL;
    }
    return c;
}

static bool make_authority(const char *pem, const char *key_path)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *c = key ? certificate_for(key, "azsacr site CA", CA_DAYS) : NULL;
    struct chain chain = {c, NULL};
    bool ok = c != NULL && X509_set_issuer_name(c, X509_get_subject_name(c)) == 1 &&
              add_extension(c, c, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
              add_extension(c, c, NID_key_usage, "critical,keyCertSign,cRLSign") &&
              add_extension(c, c, NID_subject_key_identifier, "hash") &&
              X509_sign(c, key, EVP_sha256()) > 0 && save(key_path, 0600, write_key, key) &&
              save(pem, 0644, write_chain, &chain);
    X509_free(c);
    EVP_PKEY_free(key);
    return ok;
}

static const char *alternative_names(struct arena *arena, const char *const *names, size_t count)
{
    const char *list = "";
    for (size_t i = 0; i < count; i++)
        list = arena_printf(arena, "%s%sDNS:%s", list, i ? "," : "", names[i]);
    return list;
}

static bool make_edge(X509 *authority, EVP_PKEY *authority_key, const char *pem, const char *key_path,
                      const char *common_name, const char *names)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *c = key ? certificate_for(key, common_name, EDGE_DAYS) : NULL;
    struct chain chain = {c, authority};
    bool ok = c != NULL && X509_set_issuer_name(c, X509_get_subject_name(authority)) == 1 &&
              add_extension(c, authority, NID_basic_constraints, "critical,CA:FALSE") &&
              add_extension(c, authority, NID_key_usage, "critical,digitalSignature") &&
              add_extension(c, authority, NID_ext_key_usage, "serverAuth") &&
              add_extension(c, authority, NID_subject_key_identifier, "hash") &&
              add_extension(c, authority, NID_authority_key_identifier, "keyid") &&
              add_extension(c, authority, NID_subject_alt_name, names) &&
              X509_sign(c, authority_key, EVP_sha256()) > 0 && save(key_path, 0600, write_key, key) &&
              save(pem, 0644, write_chain, &chain);
    X509_free(c);
    EVP_PKEY_free(key);
    return ok;
}

// A sample name for a wildcard, so that X509_check_host can judge it.
static bool covers(X509 *certificate, const char *name, struct arena *arena)
{
    if (name[0] == '*')
        name = arena_printf(arena, "x%s", name + 1);
    return X509_check_host(certificate, name, 0, 0, NULL) == 1;
}

// Signed by the authority where its key is at hand, good for `left` seconds more, for every name.
static bool edge_is_good(const char *pem, const char *key_path, EVP_PKEY *authority_key, time_t left,
                         const char *const *names, size_t count, struct arena *arena)
{
    X509 *c = read_certificate(pem);
    EVP_PKEY *key = read_key(key_path);
    time_t limit = time(NULL) + left;
    bool good = c != NULL && key != NULL && X509_check_private_key(c, key) == 1 &&
                (authority_key == NULL || X509_verify(c, authority_key) == 1) &&
                X509_cmp_time(X509_get0_notAfter(c), &limit) > 0;
    for (size_t i = 0; good && i < count; i++)
        good = covers(c, names[i], arena);
    X509_free(c);
    EVP_PKEY_free(key);
    return good;
}

// An authority whose key is kept elsewhere: nothing is made here, the operator's own certificate is only
// judged.
static bool given_certificate(const char *ca, const char *edge, const char *edge_key,
                              const char *const *names, size_t count, struct arena *arena, const char **why)
{
    X509 *authority = read_certificate(ca);
    bool ok = authority != NULL;
    X509_free(authority);
    if (!ok)
        *why = arena_printf(arena, "%s cannot be read as PEM", ca);
    else if (!edge_is_good(edge, edge_key, NULL, 0, names, count, arena)) {
        ok = false;
        *why = arena_printf(
            arena,
            "%s has no key here, so the certificate must be yours: %s with %s must be PEM, belong "
            "together, not be expired, and cover %s",
            ca, edge, edge_key, alternative_names(arena, names, count));
    }
    return ok;
}

bool certificate_ensure(const char *directory, const char *const *names, size_t count, struct arena *arena,
                        const char **why)
{
    const char *ca = arena_printf(arena, "%s/ca.pem", directory),
               *ca_key = arena_printf(arena, "%s/ca.key", directory);
    const char *edge = arena_printf(arena, "%s/edge.pem", directory);
    const char *edge_key = arena_printf(arena, "%s/edge.key", directory);
    if (access(ca, F_OK) != 0 && !make_authority(ca, ca_key)) {
        *why = arena_printf(arena, "the certificate authority cannot be made in %s: %s", directory,
                            strerror(errno));
        return false;
    }
    if (access(ca_key, F_OK) != 0)
        return given_certificate(ca, edge, edge_key, names, count, arena, why);
    X509 *authority = read_certificate(ca);
    EVP_PKEY *key = read_key(ca_key);
    bool ok = authority != NULL && key != NULL;
    if (!ok)
        *why = arena_printf(arena, "%s or %s cannot be read as PEM", ca, ca_key);
    else if (!edge_is_good(edge, edge_key, key, RENEW_SECONDS, names, count, arena)) {
        ok = make_edge(authority, key, edge, edge_key, names[0], alternative_names(arena, names, count));
        if (!ok)
            *why = arena_printf(arena, "the edge's certificate cannot be made in %s: %s", directory,
                                strerror(errno));
    }
    X509_free(authority);
    EVP_PKEY_free(key);
    return ok;
}

struct text certificate_fingerprint(const char *path, struct arena *arena)
{
    X509 *c = read_certificate(path);
    unsigned char hash[32];
    unsigned length = 0;
    struct text text = TEXT("");
    if (c != NULL && X509_digest(c, EVP_sha256(), hash, &length) == 1) {
        char *out = arena_alloc(arena, (size_t)length * 3 + 1);
        for (unsigned i = 0; i < length; i++)
            snprintf(out + (size_t)i * 3, 4, "%02X%s", hash[i], i + 1 < length ? ":" : "");
        text = text_of(out);
    }
    X509_free(c);
    return text;
}
