// Tokens of the sign-in service. The one file that knows libjwt.
#include "rbac/mint.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/log.h"
#include "base/site.h"
#include "rbac/audience.h"
#include "rbac/jwt.h"
#include "rbac/keys.h"

#include <jwt.h>
#include <stdlib.h>

#define REFRESH_PURPOSE "refresh-token"
#define REFRESH_WHERE "sign-in/refresh-token"
enum { REFRESH_LENGTH_LIMIT = 4096 };

static const char *sign(struct arena *arena, const struct rbac_key *key, const char *claims)
{
    jwt_t *jwt = NULL;
    const char *copy = NULL;
    if (jwt_new(&jwt) != 0)
        return NULL;
    if (jwt_add_header(jwt, "kid", key->kid) == 0 && jwt_add_grants_json(jwt, claims) == 0 &&
        jwt_set_alg(jwt, JWT_ALG_RS256, (const unsigned char *)key->pem, (int)strlen(key->pem)) == 0) {
        char *encoded = jwt_encode_str(jwt);
        copy = encoded ? arena_strdup(arena, encoded) : NULL;
        free(encoded);
    }
    jwt_free(jwt);
    return copy;
}

static const char *sign_claims(struct arena *arena, const struct rbac_snapshot *snapshot,
                               struct buffer *claims)
{
    const struct rbac_key *key = rbac_key_find(snapshot, "sign-in", NULL);
    if (!key || !key->pem) {
        log_error("sign-in.no-key");
        return NULL;
    }
    return sign(arena, key, text_cstr(arena, buffer_done(claims)));
}

int64_t mint_access_seconds(void)
{
    enum { HOUR = 3600 };
#ifdef AZSACR_FAILPOINTS
    int64_t seconds;
    const char *set = getenv("AZSACR_ACCESS_SECONDS");
    if (set && text_to_int64(text_of(set), &seconds) && seconds > 0 && seconds < HOUR)
        return seconds;
#endif
    return HOUR;
}

static void write_times(struct buffer *out, int64_t now)
{
    json_key_int(out, "iat", now);
    json_key_int(out, "nbf", now);
    json_key_int(out, "exp", now + mint_access_seconds());
}

static void write_user_names(struct buffer *out, const struct rbac_principal *principal)
{
    json_key_string(out, "upn", principal->name);
    json_key_string(out, "unique_name", principal->name);
    json_key_string(out, "name", principal->display_name);
}

const char *mint_access_token(struct arena *arena, const struct rbac_snapshot *snapshot,
                              const struct mint_request *request)
{
    const struct rbac_principal *principal = request->principal;
    char unique[37];
    uuid_random(unique);
    struct buffer out = buffer_new(arena);
    json_begin_object(&out);
    json_key_text(&out, "aud", request->audience);
    json_key_string(&out, "iss", rbac_access_issuer());
    write_times(&out, request->now);
    json_key_string(&out, "appid", request->client_id);
    json_key_string(&out, "appidacr", principal->user ? "0" : "1");
    json_key_string(&out, "idtyp", principal->user ? "user" : "app");
    json_key_string(&out, "oid", principal->object_id);
    json_key_string(&out, "sub", principal->object_id);
    json_key_string(&out, "tid", principal->tenant_id);
    if (principal->user) {
        write_user_names(&out, principal);
        json_key_string(&out, "scp", "user_impersonation");
    }
    json_key_int(&out, "stamp", principal->stamp);
    json_key_string(&out, "uti", unique);
    json_key_string(&out, "ver", "1.0");
    json_end_object(&out);
    return sign_claims(arena, snapshot, &out);
}

const char *mint_id_token(struct arena *arena, const struct rbac_snapshot *snapshot,
                          const struct mint_request *request)
{
    const struct rbac_principal *principal = request->principal;
    struct buffer out = buffer_new(arena);
    json_begin_object(&out);
    json_key_string(&out, "aud", request->client_id);
    json_key_string(&out, "iss", request->issuer);
    write_times(&out, request->now);
    json_key_string(&out, "oid", principal->object_id);
    json_key_string(&out, "sub", principal->object_id);
    json_key_string(&out, "tid", principal->tenant_id);
    write_user_names(&out, principal);
    json_key_string(&out, "preferred_username", principal->name);
    json_key_string(&out, "ver", "1.0");
    json_end_object(&out);
    return sign_claims(arena, snapshot, &out);
}

struct text mint_refresh_token(struct arena *arena, const struct mint_request *request)
{
    struct buffer out = buffer_new(arena);
    json_begin_object(&out);
    json_key_string(&out, "oid", request->principal->object_id);
    json_key_int(&out, "stamp", request->principal->stamp);
    json_key_string(&out, "client", request->client_id);
    json_key_text(&out, "aud", request->audience);
    json_key_int(&out, "exp", request->now + MINT_REFRESH_SECONDS);
    json_end_object(&out);
    struct text sealed =
        master_key_seal(site()->master_key, arena, REFRESH_PURPOSE, REFRESH_WHERE, buffer_done(&out));
    return text_base64url(arena, sealed.base, sealed.length);
}

static void free_json(void *tree)
{
    json_decref(tree);
}

bool mint_open_refresh_token(struct arena *arena, struct text sealed, struct refresh_token *token)
{
    *token = (struct refresh_token){0};
    struct text bytes, plain;
    if (sealed.length == 0 || sealed.length > REFRESH_LENGTH_LIMIT ||
        !text_unbase64url(arena, sealed, &bytes) ||
        !text_equal(text_base64url(arena, bytes.base, bytes.length), sealed) ||
        !master_key_open(site()->master_key, arena, REFRESH_PURPOSE, REFRESH_WHERE, bytes, &plain))
        return false;
    json_t *tree = json_loadb(plain.base, plain.length, JSON_REJECT_DUPLICATES, NULL);
    if (!tree)
        return false;
    arena_on_free(arena, free_json, tree);
    struct text object_id = jwt_string(tree, "oid"), client_id = jwt_string(tree, "client");
    token->audience = jwt_string(tree, "aud");
    if (!uuid_is(object_id) || !client_id.base || !token->audience.base)
        return false;
    memcpy(token->object_id, object_id.base, 36);
    token->client_id = client_id.base;
    token->stamp = json_integer_value(json_object_get(tree, "stamp"));
    token->expires_at = json_integer_value(json_object_get(tree, "exp"));
    return true;
}
