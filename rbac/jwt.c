// Reading compact JWTs: strict on every byte, because one token must have exactly one spelling.
#include "rbac/jwt.h"

#include "base/arena.h"
#include "base/crypto.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>

// Decoded, and the same again when encoded: no padding, no junk, no stray bits at the end.
static bool decode_segment(struct arena *arena, struct text segment, struct text *bytes)
{
    if (segment.length == 0 || !text_unbase64url(arena, segment, bytes))
        return false;
    return text_equal(text_base64url(arena, bytes->base, bytes->length), segment);
}

static void free_json(void *tree)
{
    json_decref(tree);
}

static const json_t *parse_object(struct arena *arena, struct text bytes)
{
    json_t *tree = json_loadb(bytes.base, bytes.length, JSON_REJECT_DUPLICATES, NULL);
    if (!tree)
        return NULL;
    arena_on_free(arena, free_json, tree);
    return json_is_object(tree) ? tree : NULL;
}

static bool copy_member(const json_t *object, const char *name, char *to, size_t size)
{
    struct text value = jwt_string(object, name);
    if (!value.base || value.length == 0 || value.length >= size)
        return false;
    memcpy(to, value.base, value.length);
    to[value.length] = '\0';
    return true;
}

static bool read_header(struct arena *arena, struct text segment, struct jwt_parts *parts)
{
    struct text bytes;
    if (!decode_segment(arena, segment, &bytes))
        return false;
    const json_t *header = parse_object(arena, bytes);
    // "crit" names extensions that a reader must understand; we understand none (RFC 7515 4.1.11).
    if (!header || json_object_get(header, "crit"))
        return false;
    if (!text_is(jwt_string(header, "typ"), "JWT"))
        return false;
    if (!copy_member(header, "kid", parts->kid, sizeof parts->kid) ||
        !copy_member(header, "alg", parts->alg, sizeof parts->alg))
        return false;
    return strcmp(parts->alg, "RS256") == 0 || strcmp(parts->alg, "HS256") == 0;
}

bool jwt_split(struct arena *arena, struct text token, struct jwt_parts *parts)
{
    *parts = (struct jwt_parts){0};
    if (!token.base || token.length < 5 || token.length > JWT_LENGTH_LIMIT)
        return false;
    ptrdiff_t first = text_find(token, '.');
    ptrdiff_t last = text_rfind(token, '.');
    if (first <= 0 || last <= first + 1)
        return false;
    struct text payload = text_slice(token, (size_t)first + 1, (size_t)last);
    if (text_find(payload, '.') >= 0)
        return false;
    if (!read_header(arena, text_slice(token, 0, (size_t)first), parts))
        return false;
    parts->signed_part = text_slice(token, 0, (size_t)last);
    parts->payload = payload;
    return decode_segment(arena, text_slice(token, (size_t)last + 1, token.length), &parts->signature);
}

static bool rs256_good(const struct jwt_parts *parts, EVP_PKEY *pkey)
{
    if (!pkey || EVP_PKEY_get_base_id(pkey) != EVP_PKEY_RSA)
        return false;
    if (parts->signature.length != (size_t)EVP_PKEY_get_size(pkey))
        return false;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context)
        return false;
    EVP_PKEY_CTX *pkey_context = NULL; // the digest context's own
    bool good =
        EVP_DigestVerifyInit(context, &pkey_context, EVP_sha256(), NULL, pkey) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(pkey_context, RSA_PKCS1_PADDING) == 1 &&
        EVP_DigestVerify(context, (const unsigned char *)parts->signature.base, parts->signature.length,
                         (const unsigned char *)parts->signed_part.base, parts->signed_part.length) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

static bool hs256_good(const struct jwt_parts *parts, const struct rbac_key *key)
{
    unsigned char mac[32];
    crypto_hmac_sha256((struct text){(const char *)key->secret, sizeof key->secret}, parts->signed_part, mac);
    return crypto_equal((struct text){(const char *)mac, sizeof mac}, parts->signature);
}

bool jwt_signature_good(const struct jwt_parts *parts, const struct rbac_key *key)
{
    if (!key || strcmp(key->kid, parts->kid) != 0)
        return false;
    // The key says which algorithm, never the token: else a public key's text would serve as an HMAC secret.
    if (strcmp(key->use, "sign-in") == 0)
        return strcmp(parts->alg, "RS256") == 0 && rs256_good(parts, key->pkey);
    if (strcmp(key->use, "registry") == 0)
        return strcmp(parts->alg, "HS256") == 0 && hs256_good(parts, key);
    return false;
}

const json_t *jwt_claims(struct arena *arena, const struct jwt_parts *parts)
{
    struct text bytes;
    if (!decode_segment(arena, parts->payload, &bytes))
        return NULL;
    return parse_object(arena, bytes);
}

struct text jwt_string(const json_t *claims, const char *name)
{
    const json_t *value = json_object_get(claims, name);
    if (!json_is_string(value))
        return TEXT_NONE;
    return (struct text){json_string_value(value), json_string_length(value)};
}

bool jwt_time(const json_t *claims, const char *name, int64_t *microseconds)
{
    const json_t *value = json_object_get(claims, name);
    if (!json_is_number(value))
        return false;
    double seconds = json_number_value(value);
    if (!(seconds > 0 && seconds < 1e11)) // the year 5138: beyond it something is wrong
        return false;
    *microseconds = (int64_t)(seconds * 1e6);
    return true;
}

bool jwt_audience_is_one_of(struct text audience, const char *const *audiences)
{
    if (!audience.base || audience.length == 0)
        return false;
    for (; *audiences; audiences++) {
        struct text one = text_of(*audiences);
        struct text longer = one.length > audience.length ? one : audience;
        struct text shorter = one.length > audience.length ? audience : one;
        if (text_equal(longer, shorter))
            return true;
        if (longer.length == shorter.length + 1 && longer.base[longer.length - 1] == '/' &&
            text_equal(text_slice(longer, 0, shorter.length), shorter))
            return true;
    }
    return false;
}

bool jwt_audience(const json_t *claims, const char *const *audiences, struct text *claimed)
{
    *claimed = TEXT_NONE;
    const json_t *aud = json_object_get(claims, "aud");
    if (json_is_string(aud)) {
        *claimed = (struct text){json_string_value(aud), json_string_length(aud)};
        return jwt_audience_is_one_of(*claimed, audiences);
    }
    size_t index;
    const json_t *one;
    json_array_foreach(aud, index, one)
    {
        if (!json_is_string(one))
            return false;
        struct text audience = {json_string_value(one), json_string_length(one)};
        if (!claimed->base)
            *claimed = audience;
        if (jwt_audience_is_one_of(audience, audiences)) {
            *claimed = audience;
            return true;
        }
    }
    return false;
}
