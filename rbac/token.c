// Bearer tokens of the sign-in service: who the caller is, at the snapshot at hand.
#include "rbac/token.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "rbac/audience.h"
#include "rbac/jwt.h"
#include "rbac/verified.h"

// Clocks of other machines may run behind ours by this much; an expiry is exact, so that nothing outlives it.
static const int64_t NOT_BEFORE_SKEW = INT64_C(300) * 1000000;

static struct rbac_verdict refuse(enum rbac_fault fault)
{
    return (struct rbac_verdict){.fault = fault};
}

static struct rbac_verdict refuse_claim(struct arena *arena, enum rbac_fault fault, struct text claimed)
{
    return (struct rbac_verdict){.fault = fault,
                                 .claimed = text_cstr(arena, claimed.base ? claimed : TEXT(""))};
}

// The principal as it is now: there, enabled, and with the stamp that the token was made under.
static struct rbac_verdict judge_principal(const struct rbac_snapshot *snapshot, struct arena *arena,
                                           const struct verified *one)
{
    const struct rbac_principal *principal = rbac_principal_by_id(snapshot, text_of(one->object_id));
    if (!principal || !principal->enabled || principal->stamp != one->stamp)
        return refuse(RBAC_REVOKED);
    struct rbac_verdict verdict = {.fault = RBAC_OK};
    struct rbac_caller *caller = &verdict.caller;
    memcpy(caller->object_id, principal->object_id, sizeof caller->object_id);
    memcpy(caller->tenant_id, principal->tenant_id, sizeof caller->tenant_id);
    caller->user = principal->user;
    caller->name = arena_strdup(arena, principal->name);
    caller->app_id = arena_strdup(arena, one->app_id);
    caller->expires_at = one->expires_at;
    caller->stamp = principal->stamp;
    return verdict;
}

static struct rbac_verdict judge_expired(int64_t expires_at)
{
    return (struct rbac_verdict){.fault = RBAC_EXPIRED, .expired_at = expires_at};
}

static struct rbac_verdict judge_hit(const struct rbac_snapshot *snapshot, struct arena *arena,
                                     const struct verified *one, const char *const *audiences)
{
    // The key may have been dropped since; what it signed counts no more.
    if (!rbac_key_find(snapshot, "sign-in", one->kid))
        return refuse(RBAC_MALFORMED);
    if (!jwt_audience_is_one_of(text_of(one->audience), audiences))
        return refuse_claim(arena, RBAC_AUDIENCE, text_of(one->audience));
    if (one->expires_at <= clock_wall())
        return judge_expired(one->expires_at);
    return judge_principal(snapshot, arena, one);
}

static bool copy_uuid(const json_t *claims, const char *name, char uuid[37])
{
    struct text value = jwt_string(claims, name);
    if (!uuid_is(value))
        return false;
    memcpy(uuid, value.base, 36);
    uuid[36] = '\0';
    return true;
}

// What the claims say of the principal. False: not a token that we made as an access token.
static bool read_claims(const json_t *claims, struct verified *one)
{
    const json_t *stamp = json_object_get(claims, "stamp");
    if (!json_is_integer(stamp) || !copy_uuid(claims, "oid", one->object_id))
        return false;
    one->stamp = json_integer_value(stamp);
    if (json_object_get(claims, "appid") && !copy_uuid(claims, "appid", one->app_id))
        return false;
    return true;
}

static bool tenant_fits(const struct rbac_snapshot *snapshot, const json_t *claims,
                        const struct verified *one)
{
    const struct rbac_principal *principal = rbac_principal_by_id(snapshot, text_of(one->object_id));
    return !principal || text_is_nocase(jwt_string(claims, "tid"), principal->tenant_id);
}

static struct rbac_verdict judge_claims(const struct rbac_snapshot *snapshot, struct arena *arena,
                                        const json_t *claims, const char *const *audiences,
                                        struct verified *one)
{
    struct text issuer = jwt_string(claims, "iss");
    if (!text_is(issuer, rbac_access_issuer()))
        return refuse_claim(arena, RBAC_ISSUER, issuer);
    struct text audience;
    if (!jwt_audience(claims, audiences, &audience))
        return refuse_claim(arena, RBAC_AUDIENCE, audience);
    if (!jwt_time(claims, "exp", &one->expires_at) || !read_claims(claims, one))
        return refuse(RBAC_MALFORMED);
    int64_t now = clock_wall(), not_before = 0;
    if (one->expires_at <= now)
        return judge_expired(one->expires_at);
    if (json_object_get(claims, "nbf") && !jwt_time(claims, "nbf", &not_before))
        return refuse(RBAC_MALFORMED);
    if (not_before > now + NOT_BEFORE_SKEW)
        return refuse(RBAC_NOT_YET);
    if (!tenant_fits(snapshot, claims, one))
        return refuse(RBAC_MALFORMED);
    if (audience.length < sizeof one->audience && json_is_string(json_object_get(claims, "aud"))) {
        memcpy(one->audience, audience.base, audience.length);
        one->audience[audience.length] = '\0';
    }
    return judge_principal(snapshot, arena, one);
}

struct rbac_verdict rbac_verify_token(const struct rbac_snapshot *snapshot, struct arena *arena,
                                      struct text token, const char *const *audiences)
{
    if (!token.base || token.length == 0)
        return refuse(RBAC_MISSING);
    if (token.length > JWT_LENGTH_LIMIT)
        return refuse(RBAC_MALFORMED);
    struct verified one = {0};
    crypto_sha256(token, one.hash);
    struct verified hit;
    if (verified_find(one.hash, &hit))
        return judge_hit(snapshot, arena, &hit, audiences);
    struct jwt_parts parts;
    if (!jwt_split(arena, token, &parts))
        return refuse(RBAC_MALFORMED);
    if (!jwt_signature_good(&parts, rbac_key_find(snapshot, "sign-in", parts.kid)))
        return refuse(RBAC_MALFORMED);
    const json_t *claims = jwt_claims(arena, &parts);
    if (!claims)
        return refuse(RBAC_MALFORMED);
    memcpy(one.kid, parts.kid, sizeof one.kid);
    struct rbac_verdict verdict = judge_claims(snapshot, arena, claims, audiences, &one);
    if (verdict.fault == RBAC_OK && one.audience[0])
        verified_add(&one);
    return verdict;
}

void rbac_caller_write(struct buffer *json, const struct rbac_caller *caller)
{
    json_begin_object(json);
    json_key_string(json, "objectId", caller->object_id);
    json_key_string(json, "tenantId", caller->tenant_id);
    json_key_bool(json, "user", caller->user);
    json_key_string(json, "name", caller->name);
    json_key_string(json, "appId", caller->app_id ? caller->app_id : "");
    json_key_int(json, "stamp", caller->stamp);
    json_end_object(json);
}
