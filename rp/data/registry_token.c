// Makes and checks registry tokens. Nothing but HS256 is ever read, nothing is parsed before its MAC was
// compared, and no time of a change is compared with iat: stamps do that.
#include "rp/data/registry_token.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "rbac/keys.h"
#include "rp/data/registry_row.h"
#include "rp/data/token_cache.h"

#include <jansson.h>
#include <stdlib.h>

enum { TOKEN_LIMIT = 16384, HEADER_LIMIT = 512, GRANT_LIMIT = 64, BACKDATED_SECONDS = 900 };

static const struct {
    const char *word;
    enum registry_access access;
} repository_actions[] = {
    {"pull", ACCESS_PULL},
    {"push", ACCESS_PUSH},
    {"delete", ACCESS_DELETE},
    {"metadata_read", ACCESS_METADATA_READ},
    {"metadata_write", ACCESS_METADATA_WRITE},
};
enum { REPOSITORY_ACTIONS = sizeof repository_actions / sizeof repository_actions[0] };

unsigned registry_access_of_action(struct text type, struct text name, struct text action)
{
    if (text_is(type, "registry"))
        return text_is(name, "catalog") && text_is(action, "*") ? ACCESS_CATALOG : 0;
    if (!text_is(type, "repository"))
        return 0;
    unsigned all = 0;
    for (size_t i = 0; i < REPOSITORY_ACTIONS; i++) {
        if (text_is(action, repository_actions[i].word))
            return repository_actions[i].access;
        all |= repository_actions[i].access;
    }
    return text_is(action, "*") ? all : 0;
}

static void write_access(struct buffer *out, const struct registry_grant *grants, size_t count)
{
    json_key(out, "access");
    json_begin_array(out);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(out);
        json_key_text(out, "Type", grants[i].type);
        json_key_text(out, "Name", grants[i].name);
        json_key(out, "Actions");
        json_begin_array(out);
        if (grants[i].access & ACCESS_CATALOG)
            json_text(out, TEXT("*"));
        for (size_t k = 0; k < REPOSITORY_ACTIONS; k++)
            if (grants[i].access & repository_actions[k].access)
                json_text(out, text_of(repository_actions[k].word));
        json_end_array(out);
        json_end_object(out);
    }
    json_end_array(out);
}

// What the bearer may do at the registry when the token is made; for readers, we decide anew each time.
static void write_permissions(struct buffer *out, const struct registry_call *call)
{
    json_key(out, "permissions");
    json_begin_object(out);
    json_key(out, "Actions");
    json_begin_array(out);
    if (registry_may(call, ACCESS_PULL))
        json_text(out, TEXT("read"));
    if (registry_may(call, ACCESS_PUSH))
        json_text(out, TEXT("write"));
    if (registry_may(call, ACCESS_DELETE))
        json_text(out, TEXT("delete"));
    json_end_array(out);
    json_key_raw(out, "NotActions", TEXT("null"));
    json_end_object(out);
    json_key_raw(out, "roles", TEXT("[]"));
}

static void write_subject(struct buffer *out, const struct registry_call *call)
{
    const struct registry_identity *identity = &call->identity;
    switch (identity->kind) {
    case IDENTITY_PRINCIPAL:
        json_key_string(out, "sub", identity->caller.object_id);
        json_key_string(out, "idtyp", "principal");
        json_key_int(out, "stamp", identity->caller.stamp);
        break;
    case IDENTITY_ADMIN:
        json_key_text(out, "sub", call->registry.name);
        json_key_string(out, "idtyp", "admin");
        json_key_int(out, "password", identity->admin_password);
        json_key_int(out, "stamp",
                     identity->admin_password == 2 ? call->registry.password2_stamp
                                                   : call->registry.password_stamp);
        break;
    case IDENTITY_ANONYMOUS:
    case IDENTITY_NONE:
        json_key_string(out, "sub", "");
        json_key_string(out, "idtyp", "anonymous");
        break;
    }
}

int64_t registry_token_seconds(const struct registry_call *call, enum registry_token_kind kind)
{
    int64_t seconds = kind == TOKEN_REFRESH ? REFRESH_TOKEN_SECONDS : ACCESS_TOKEN_SECONDS;
    int64_t left = (call->identity.caller.expires_at - clock_wall()) / 1000000;
    return call->identity.narrows && left < seconds ? left : seconds;
}

static struct text claims_of(const struct registry_call *call, enum registry_token_kind kind,
                             const struct registry_grant *grants, size_t grant_count)
{
    int64_t now = clock_wall() / 1000000;
    char jti[37];
    uuid_random(jti);
    struct buffer out = buffer_new(call->arena);
    json_begin_object(&out);
    json_key_string(&out, "jti", jti);
    write_subject(&out, call);
    json_key_int(&out, "nbf", now - BACKDATED_SECONDS);
    json_key_int(&out, "exp", now + registry_token_seconds(call, kind));
    json_key_int(&out, "iat", now - BACKDATED_SECONDS);
    json_key_string(&out, "iss", "Azure Container Registry");
    json_key_text(&out, "aud", registry_login_server(call->arena, call->registry.login_key));
    json_key_string(&out, "version", "1.0");
    json_key_text(&out, "rid", call->registry.rid);
    json_key_string(&out, "grant_type", kind == TOKEN_REFRESH ? "refresh_token" : "access_token");
    if (call->identity.kind == IDENTITY_PRINCIPAL) {
        json_key_string(&out, "appid", call->identity.caller.app_id ? call->identity.caller.app_id : "");
        json_key_string(&out, "tenant", call->identity.caller.tenant_id);
    }
    write_permissions(&out, call);
    if (kind == TOKEN_ACCESS)
        write_access(&out, grants, grant_count);
    json_end_object(&out);
    return buffer_done(&out);
}

struct text registry_token_mint(const struct registry_call *call, enum registry_token_kind kind,
                                const struct registry_grant *grants, size_t grant_count)
{
    const struct rbac_key *key = rbac_key_find(call->snapshot, "registry", NULL);
    if (!key)
        return TEXT_NONE;
    struct buffer head = buffer_new(call->arena);
    json_begin_object(&head);
    json_key_string(&head, "alg", "HS256");
    json_key_string(&head, "typ", "JWT");
    json_key_string(&head, "kid", key->kid);
    json_end_object(&head);
    struct text header = buffer_done(&head), claims = claims_of(call, kind, grants, grant_count);

    struct buffer token = buffer_new(call->arena);
    buffer_text(&token, text_base64url(call->arena, header.base, header.length));
    buffer_char(&token, '.');
    buffer_text(&token, text_base64url(call->arena, claims.base, claims.length));
    unsigned char mac[32];
    crypto_hmac_sha256((struct text){(const char *)key->secret, sizeof key->secret}, buffer_done(&token),
                       mac);
    buffer_char(&token, '.');
    buffer_text(&token, text_base64url(call->arena, mac, sizeof mac));
    return buffer_done(&token);
}

static void drop_json(void *json)
{
    json_decref(json);
}

// A base64url part as a JSON object that lives as long as the arena, or NULL.
static json_t *part_object(struct arena *arena, struct text part)
{
    struct text bytes;
    if (!text_unbase64url(arena, part, &bytes))
        return NULL;
    json_t *object = json_loadb(bytes.base, bytes.length, JSON_REJECT_DUPLICATES, NULL);
    if (!object)
        return NULL;
    arena_on_free(arena, drop_json, object);
    return json_is_object(object) ? object : NULL;
}

static struct text claim_text(const json_t *object, const char *name)
{
    const json_t *member = json_object_get(object, name);
    return json_is_string(member) ? (struct text){json_string_value(member), json_string_length(member)}
                                  : TEXT_NONE;
}

// The key that a token's header names, or NULL: HS256 and nothing else.
static const struct rbac_key *key_of(struct registry_call *call, struct text head)
{
    json_t *header = part_object(call->arena, head);
    if (!header || !text_is(claim_text(header, "alg"), "HS256") || json_object_get(header, "crit"))
        return NULL;
    struct text kid = claim_text(header, "kid");
    if (kid.length == 0 || kid.length > 64 || memchr(kid.base, 0, kid.length))
        return NULL;
    return rbac_key_find(call->snapshot, "registry", text_cstr(call->arena, kid));
}

static bool is_signed(struct registry_call *call, struct text stated, struct text signature,
                      const struct rbac_key *key)
{
    struct text given;
    unsigned char mac[32];
    if (!text_unbase64url(call->arena, signature, &given))
        return false;
    crypto_hmac_sha256((struct text){(const char *)key->secret, sizeof key->secret}, stated, mac);
    return crypto_equal(given, (struct text){(const char *)mac, sizeof mac});
}

// The claims of a token whose signature is right, or NULL.
static json_t *verified_claims(struct registry_call *call, struct text token)
{
    if (token.length > TOKEN_LIMIT)
        return NULL;
    unsigned char name[32];
    crypto_sha256(token, name);
    json_t *claims = token_cache_find(name, call->snapshot);
    if (claims != NULL) {
        arena_on_free(call->arena, drop_json, claims);
        return claims;
    }
    ptrdiff_t first = text_find(token, '.'), last = text_rfind(token, '.');
    if (first <= 0 || last <= first || first > HEADER_LIMIT)
        return NULL;
    struct text part = text_slice(token, (size_t)first + 1, (size_t)last);
    if (text_find(part, '.') >= 0)
        return NULL;
    const struct rbac_key *key = key_of(call, text_slice(token, 0, (size_t)first));
    if (!key || !is_signed(call, text_slice(token, 0, (size_t)last),
                           text_slice(token, (size_t)last + 1, token.length), key))
        return NULL;
    claims = part_object(call->arena, part);
    if (claims != NULL)
        token_cache_keep(name, key, claims);
    return claims;
}

// When the request's headers came. An upload may outlast its token: expiry is judged when it begins, rights
// when it is written (docs/architecture.md).
static int64_t arrival(const struct http_request *request)
{
    int64_t now = clock_wall(), waited = request->started > 0 ? clock_monotonic() - request->started : 0;
    return waited > 0 ? now - waited : now;
}

// Issuer, audience, row and times.
static bool claims_fit(struct registry_call *call, const json_t *claims)
{
    const json_t *exp = json_object_get(claims, "exp"), *nbf = json_object_get(claims, "nbf");
    if (!json_is_integer(exp) || !json_is_integer(nbf))
        return false;
    int64_t at = arrival(call->request), expires = json_integer_value(exp);
    if (expires < 0 || expires > INT64_MAX / 1000000 || at >= expires * 1000000 ||
        at / 1000000 < json_integer_value(nbf))
        return false;
    return text_is(claim_text(claims, "iss"), "Azure Container Registry") &&
           text_is(claim_text(claims, "version"), "1.0") &&
           text_equal(claim_text(claims, "aud"),
                      registry_login_server(call->arena, call->registry.login_key)) &&
           text_equal(claim_text(claims, "rid"), call->registry.rid);
}

static bool fill_principal(struct registry_call *call, const json_t *claims, int64_t stamp,
                           struct registry_identity *identity)
{
    const struct rbac_principal *principal = rbac_principal_by_id(call->snapshot, claim_text(claims, "sub"));
    if (!principal || !principal->enabled || principal->stamp != stamp)
        return false;
    struct rbac_caller *caller = &identity->caller;
    *caller = (struct rbac_caller){.user = principal->user, .stamp = principal->stamp};
    memcpy(caller->object_id, principal->object_id, sizeof caller->object_id);
    memcpy(caller->tenant_id, principal->tenant_id, sizeof caller->tenant_id);
    caller->name = arena_strdup(call->arena, principal->name);
    struct text app_id = claim_text(claims, "appid");
    caller->app_id = app_id.base ? text_cstr(call->arena, app_id) : "";
    caller->expires_at = json_integer_value(json_object_get(claims, "exp")) * 1000000;
    identity->kind = IDENTITY_PRINCIPAL;
    return true;
}

static bool fill_admin(struct registry_call *call, const json_t *claims, int64_t stamp,
                       struct registry_identity *identity)
{
    const json_t *which = json_object_get(claims, "password");
    int64_t number = json_is_integer(which) ? json_integer_value(which) : 0;
    if (!call->registry.admin_enabled || (number != 1 && number != 2) ||
        stamp != (number == 2 ? call->registry.password2_stamp : call->registry.password_stamp))
        return false;
    identity->kind = IDENTITY_ADMIN;
    identity->admin_password = (int)number;
    identity->caller.name = text_cstr(call->arena, call->registry.name);
    identity->caller.expires_at = json_integer_value(json_object_get(claims, "exp")) * 1000000;
    return true;
}

static bool fill_subject(struct registry_call *call, const json_t *claims, struct registry_identity *identity)
{
    struct text type = claim_text(claims, "idtyp");
    if (text_is(type, "anonymous")) {
        identity->kind = IDENTITY_ANONYMOUS;
        identity->caller.expires_at = json_integer_value(json_object_get(claims, "exp")) * 1000000;
        return true;
    }
    const json_t *stamp = json_object_get(claims, "stamp");
    if (!json_is_integer(stamp))
        return false;
    if (text_is(type, "principal"))
        return fill_principal(call, claims, json_integer_value(stamp), identity);
    return text_is(type, "admin") && fill_admin(call, claims, json_integer_value(stamp), identity);
}

// The `access` claim. What is not understood grants nothing.
static void fill_grants(struct registry_call *call, const json_t *access, struct registry_identity *identity)
{
    size_t count = json_is_array(access) ? json_array_size(access) : 0;
    if (count > GRANT_LIMIT)
        count = GRANT_LIMIT;
    struct registry_grant *grants = ARENA_ARRAY(call->arena, struct registry_grant, count + 1);
    for (size_t i = 0; i < count; i++) {
        const json_t *entry = json_array_get(access, i), *actions = json_object_get(entry, "Actions");
        grants[i].type = claim_text(entry, "Type");
        grants[i].name = claim_text(entry, "Name");
        for (size_t k = 0; k < json_array_size(actions); k++) {
            const json_t *word = json_array_get(actions, k);
            if (json_is_string(word))
                grants[i].access |= registry_access_of_action(
                    grants[i].type, grants[i].name,
                    (struct text){json_string_value(word), json_string_length(word)});
        }
    }
    identity->narrows = true;
    identity->grants = grants;
    identity->grant_count = count;
}

bool registry_token_verify(struct registry_call *call, struct text token, unsigned kinds,
                           enum registry_token_kind *kind)
{
    json_t *claims = verified_claims(call, token);
    if (!claims || !claims_fit(call, claims))
        return false;
    struct text grant_type = claim_text(claims, "grant_type");
    enum registry_token_kind found = text_is(grant_type, "refresh_token")  ? TOKEN_REFRESH
                                     : text_is(grant_type, "access_token") ? TOKEN_ACCESS
                                                                           : 0;
    if (!(kinds & found))
        return false;
    struct registry_identity identity = {.narrowed = ~0u};
    if (!fill_subject(call, claims, &identity))
        return false;
    if (found == TOKEN_ACCESS)
        fill_grants(call, json_object_get(claims, "access"), &identity);
    call->identity = identity;
    if (kind)
        *kind = found;
    return true;
}
