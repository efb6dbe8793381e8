// Attacks on tokens, one by one (RFC 8725, and what libjwt 1.10.2 lets pass), and the same tokens unharmed.
#include "rbac/jwt.h"

#include "base/arena.h"
#include "base/crypto.h"

#include <check.h>
#include <jwt.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>

Suite *suite_jwt(void);

static struct arena *arena;
static struct rbac_key rsa, other, hmac;

static char *pem_of(EVP_PKEY *pkey, bool private)
{
    BIO *bio = BIO_new(BIO_s_mem());
    ck_assert(private ? PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL)
                      : PEM_write_bio_PUBKEY(bio, pkey));
    char *bytes;
    long length = BIO_get_mem_data(bio, &bytes);
    char *pem = arena_strndup(arena, bytes, (size_t)length);
    BIO_free(bio);
    return pem;
}

static void setup(void)
{
    arena = arena_new();
    rsa = (struct rbac_key){.kid = "key-1", .use = "sign-in", .pkey = EVP_RSA_gen(2048)};
    rsa.pem = pem_of(rsa.pkey, true);
    other = (struct rbac_key){.kid = "key-1", .use = "sign-in", .pkey = EVP_RSA_gen(2048)};
    other.pem = pem_of(other.pkey, true);
    hmac = (struct rbac_key){.kid = "key-h", .use = "registry"};
    memset(hmac.secret, 7, sizeof hmac.secret);
}

static void teardown(void)
{
    EVP_PKEY_free(rsa.pkey);
    EVP_PKEY_free(other.pkey);
    arena_free(arena);
}

static const char claims_text[] = "{\"aud\":\"https://a/\",\"exp\":1900000000,\"iss\":\"i\"}";

static struct text encoded(const char *json)
{
    return text_base64url(arena, json, strlen(json));
}

static struct text joined(struct text header, struct text payload, struct text signature)
{
    char *token =
        arena_printf(arena, "%.*s.%.*s.%.*s", TEXT_ARG(header), TEXT_ARG(payload), TEXT_ARG(signature));
    return text_of(token);
}

static struct text rs256(struct text input, EVP_PKEY *pkey)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t length = 0;
    ck_assert(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, pkey) == 1);
    ck_assert(EVP_DigestSign(context, NULL, &length, (const unsigned char *)input.base, input.length) == 1);
    unsigned char *bytes = arena_alloc(arena, length);
    ck_assert(EVP_DigestSign(context, bytes, &length, (const unsigned char *)input.base, input.length) == 1);
    EVP_MD_CTX_free(context);
    return text_base64url(arena, bytes, length);
}

// A token of that header and payload, well signed by `rsa`.
static struct text signed_token(const char *header, const char *payload)
{
    struct text first = encoded(header), second = encoded(payload);
    struct text input = text_of(arena_printf(arena, "%.*s.%.*s", TEXT_ARG(first), TEXT_ARG(second)));
    return joined(first, second, rs256(input, rsa.pkey));
}

static bool accepted(struct text token, const struct rbac_key *key)
{
    struct jwt_parts parts;
    return jwt_split(arena, token, &parts) && jwt_signature_good(&parts, key) &&
           jwt_claims(arena, &parts) != NULL;
}

static const char good_header[] = "{\"alg\":\"RS256\",\"kid\":\"key-1\",\"typ\":\"JWT\"}";

START_TEST(good)
{
    ck_assert(accepted(signed_token(good_header, claims_text), &rsa));
}
END_TEST

START_TEST(libjwt_agrees)
{
    jwt_t *jwt = NULL;
    ck_assert_int_eq(jwt_new(&jwt), 0);
    ck_assert_int_eq(jwt_add_header(jwt, "kid", "key-1"), 0);
    ck_assert_int_eq(jwt_add_grants_json(jwt, claims_text), 0);
    ck_assert_int_eq(jwt_set_alg(jwt, JWT_ALG_RS256, (unsigned char *)rsa.pem, (int)strlen(rsa.pem)), 0);
    char *token = jwt_encode_str(jwt);
    ck_assert(accepted(text_of(token), &rsa));
    ck_assert(!accepted(text_of(token), &other));
    free(token);
    jwt_free(jwt);
}
END_TEST

START_TEST(unsigned_tokens)
{
    struct text payload = encoded(claims_text);
    const char *const headers[] = {"{\"alg\":\"none\",\"kid\":\"key-1\",\"typ\":\"JWT\"}",
                                   "{\"alg\":\"None\",\"kid\":\"key-1\",\"typ\":\"JWT\"}",
                                   "{\"alg\":\"\",\"kid\":\"key-1\",\"typ\":\"JWT\"}",
                                   "{\"kid\":\"key-1\",\"typ\":\"JWT\"}"};
    for (size_t i = 0; i < 4; i++) {
        ck_assert(!accepted(joined(encoded(headers[i]), payload, TEXT("")), &rsa));
        ck_assert(!accepted(joined(encoded(headers[i]), payload, TEXT("AA")), &rsa));
        ck_assert(!accepted(signed_token(headers[i], claims_text), &rsa));
    }
    ck_assert(!accepted(joined(encoded(good_header), payload, TEXT("")), &rsa));
}
END_TEST

// The classic: HS256 under the text of the public key.
START_TEST(public_key_as_secret)
{
    struct text first = encoded("{\"alg\":\"HS256\",\"kid\":\"key-1\",\"typ\":\"JWT\"}"),
                second = encoded(claims_text);
    struct text input = text_of(arena_printf(arena, "%.*s.%.*s", TEXT_ARG(first), TEXT_ARG(second)));
    unsigned char mac[32];
    crypto_hmac_sha256(text_of(pem_of(rsa.pkey, false)), input, mac);
    ck_assert(!accepted(joined(first, second, text_base64url(arena, mac, 32)), &rsa));
    unsigned char zero[32] = {0}; // the registry key that a sign-in key does not have
    crypto_hmac_sha256((struct text){(char *)zero, 32}, input, mac);
    ck_assert(!accepted(joined(first, second, text_base64url(arena, mac, 32)), &rsa));
}
END_TEST

START_TEST(registry_tokens)
{
    struct text first = encoded("{\"alg\":\"HS256\",\"kid\":\"key-h\",\"typ\":\"JWT\"}"),
                second = encoded(claims_text);
    struct text input = text_of(arena_printf(arena, "%.*s.%.*s", TEXT_ARG(first), TEXT_ARG(second)));
    unsigned char mac[32];
    crypto_hmac_sha256((struct text){(char *)hmac.secret, 32}, input, mac);
    ck_assert(accepted(joined(first, second, text_base64url(arena, mac, 32)), &hmac));
    ck_assert(!accepted(joined(first, second, text_base64url(arena, mac, 31)), &hmac));
    ck_assert(!accepted(joined(first, second, text_base64url(arena, mac, 32)), &rsa));
}
END_TEST

START_TEST(headers)
{
    const char *const bad[] = {
        "{\"alg\":\"RS256\",\"alg\":\"RS256\",\"kid\":\"key-1\",\"typ\":\"JWT\"}",
        "{\"alg\":\"RS256\",\"kid\":\"key-1\",\"kid\":\"key-1\",\"typ\":\"JWT\"}",
        "{\"alg\":\"RS256\",\"kid\":\"key-1\",\"typ\":\"JWT\",\"crit\":[\"exp\"]}",
        "{\"alg\":\"RS256\",\"kid\":\"key-1\",\"typ\":\"JWT\",\"crit\":null}",
        "{\"alg\":\"RS256\",\"kid\":\"key-1\",\"typ\":\"at+jwt\"}",
        "{\"alg\":\"RS256\",\"kid\":\"key-1\"}",
        "{\"alg\":\"RS256\",\"typ\":\"JWT\"}",
        "{\"alg\":\"RS256\",\"kid\":7,\"typ\":\"JWT\"}",
        "{\"alg\":\"RS256\",\"kid\":\"key-2\",\"typ\":\"JWT\"}",
        "{\"alg\":\"rs256\",\"kid\":\"key-1\",\"typ\":\"JWT\"}",
        "{\"alg\":\"RS512\",\"kid\":\"key-1\",\"typ\":\"JWT\"}",
        "[\"RS256\"]",
        "{\"alg\":\"RS256\",\"kid\":\"key-1\",\"typ\":\"JWT\"} x",
        "",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!accepted(signed_token(bad[i], claims_text), &rsa), "%s", bad[i]);
}
END_TEST

START_TEST(payloads)
{
    const char *const bad[] = {
        "{\"aud\":\"a\",\"aud\":\"b\"}", "[]", "\"x\"", "{", "", "{\"a\":\"\\u0000\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!accepted(signed_token(good_header, bad[i]), &rsa), "%s", bad[i]);
}
END_TEST

// One token has one spelling: no padding, no junk, no other alphabet, no stray bits.
START_TEST(spellings)
{
    struct text token = signed_token(good_header, claims_text);
    const char *t = text_cstr(arena, token);
    ck_assert(!accepted(text_of(arena_printf(arena, "%s=", t)), &rsa));
    ck_assert(!accepted(text_of(arena_printf(arena, "%s\n", t)), &rsa));
    ck_assert(!accepted(text_of(arena_printf(arena, " %s", t)), &rsa));
    ck_assert(!accepted(text_of(arena_printf(arena, "%s.", t)), &rsa));
    ck_assert(!accepted(text_of(arena_printf(arena, ".%s", t)), &rsa));
    ck_assert(!accepted(text_of(arena_printf(arena, "%s.x", t)), &rsa));
    ck_assert(!accepted(TEXT(".."), &rsa));
    ck_assert(!accepted(TEXT(""), &rsa));
    ck_assert(!accepted(TEXT_NONE, &rsa));
    // 256 bytes leave four unused bits in the last letter of the signature.
    char *stray = arena_strdup(arena, t);
    char *last = stray + strlen(stray) - 1;
    for (const char *c = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/"; *c; c++) {
        if (*c == t[strlen(t) - 1])
            continue;
        *last = *c;
        ck_assert(!accepted(text_of(stray), &rsa));
    }
}
END_TEST

START_TEST(every_byte_counts)
{
    struct text token = signed_token(good_header, claims_text);
    for (size_t i = 0; i < token.length; i++) {
        char *changed = text_cstr(arena, token);
        changed[i] ^= 1;
        ck_assert_msg(!accepted(text_of(changed), &rsa), "byte %zu", i);
        ck_assert(!accepted((struct text){token.base, i}, &rsa));
    }
}
END_TEST

START_TEST(too_long)
{
    char *long_claims = arena_alloc(arena, 20000);
    memset(long_claims, 'a', 19990);
    memcpy(long_claims, "{\"x\":\"", 6);
    strcpy(long_claims + 19980, "\"}");
    ck_assert(!accepted(signed_token(good_header, long_claims), &rsa));
}
END_TEST

static const json_t *claims_of(const char *text)
{
    struct jwt_parts parts;
    ck_assert(jwt_split(arena, signed_token(good_header, text), &parts));
    return jwt_claims(arena, &parts);
}

START_TEST(audiences)
{
    const char *const ours[] = {"https://a", "https://b/x/", NULL};
    struct text claimed;
    ck_assert(jwt_audience(claims_of("{\"aud\":\"https://a\"}"), ours, &claimed));
    ck_assert(jwt_audience(claims_of("{\"aud\":\"https://a/\"}"), ours, &claimed));
    ck_assert(jwt_audience(claims_of("{\"aud\":\"https://b/x\"}"), ours, &claimed));
    ck_assert(jwt_audience(claims_of("{\"aud\":[\"n\",\"https://b/x/\"]}"), ours, &claimed));
    ck_assert(text_is(claimed, "https://b/x/"));
    const char *const bad[] = {"{\"aud\":\"https://a//\"}",
                               "{\"aud\":\"https://A\"}",
                               "{\"aud\":\"https://a.evil\"}",
                               "{\"aud\":\"\"}",
                               "{\"aud\":\"/\"}",
                               "{\"aud\":[]}",
                               "{\"aud\":7}",
                               "{}",
                               "{\"aud\":[\"n\"]}",
                               "{\"aud\":[7,\"https://a\"]}",
                               "{\"aud\":{\"a\":\"https://a\"}}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!jwt_audience(claims_of(bad[i]), ours, &claimed), "%s", bad[i]);
    jwt_audience(claims_of("{\"aud\":[\"n\"]}"), ours, &claimed);
    ck_assert(text_is(claimed, "n"));
}
END_TEST

START_TEST(times)
{
    int64_t at = 0;
    ck_assert(jwt_time(claims_of("{\"exp\":1500000000}"), "exp", &at) && at == 1500000000000000);
    ck_assert(jwt_time(claims_of("{\"exp\":1.5e9}"), "exp", &at) && at == 1500000000000000);
    ck_assert(jwt_time(claims_of("{\"exp\":1500000000.5}"), "exp", &at) && at == 1500000000500000);
    const char *const bad[] = {"{}",
                               "{\"exp\":\"1500000000\"}",
                               "{\"exp\":-1}",
                               "{\"exp\":1e300}",
                               "{\"exp\":null}",
                               "{\"exp\":9223372036854775807}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!jwt_time(claims_of(bad[i]), "exp", &at), "%s", bad[i]);
}
END_TEST

Suite *suite_jwt(void)
{
    Suite *suite = suite_create("jwt");
    TCase *tests = tcase_create("jwt");
    tcase_set_timeout(tests, 30);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, good);
    tcase_add_test(tests, libjwt_agrees);
    tcase_add_test(tests, unsigned_tokens);
    tcase_add_test(tests, public_key_as_secret);
    tcase_add_test(tests, registry_tokens);
    tcase_add_test(tests, headers);
    tcase_add_test(tests, payloads);
    tcase_add_test(tests, spellings);
    tcase_add_test(tests, every_byte_counts);
    tcase_add_test(tests, too_long);
    tcase_add_test(tests, audiences);
    tcase_add_test(tests, times);
    suite_add_tcase(suite, tests);
    return suite;
}
