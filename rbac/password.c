// Names with secrets: a user's password, a service principal's secret; and the memory of what was right just
// now.
#include "rbac/token.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "rbac/secret.h"
#include "rbac/verified.h"

#include <pthread.h>

// A success is believed this long without asking the secret's row again. Removing or changing a secret raises
// the principal's stamp, which ends it at once; only an expiry is bounded by this.
static const int64_t CACHE_TTL = INT64_C(300) * 1000000;

static const struct db_statement select_secrets = {
    "password_secrets", "select kind, salt, hash, (extract(epoch from expires_at) * 1000000)::bigint "
                        "from rbac.secret where object_id = $1::uuid order by created_at desc limit 8"};

// The cache's key lives as long as the process and is written nowhere.
static unsigned char cache_key[32];
static pthread_once_t cache_key_once = PTHREAD_ONCE_INIT;

static void make_cache_key(void)
{
    crypto_random(cache_key, sizeof cache_key);
}

static void cache_hash(const struct rbac_principal *principal, struct text password, unsigned char hash[32])
{
    pthread_once(&cache_key_once, make_cache_key);
    struct arena *arena = arena_new();
    char *bytes = arena_alloc(arena, 44 + password.length);
    memcpy(bytes, principal->object_id, 36);
    memcpy(bytes + 36, &principal->stamp, 8);
    if (password.length > 0)
        memcpy(bytes + 44, password.base, password.length);
    crypto_hmac_sha256((struct text){(const char *)cache_key, sizeof cache_key},
                       (struct text){bytes, 44 + password.length}, hash);
    explicit_bzero(bytes, 44 + password.length);
    arena_free(arena);
}

static struct rbac_verdict refuse(enum rbac_fault fault)
{
    return (struct rbac_verdict){.fault = fault};
}

static struct rbac_verdict accept(struct arena *arena, const struct rbac_principal *principal)
{
    if (!principal->enabled)
        return refuse(RBAC_REVOKED);
    struct rbac_verdict verdict = {.fault = RBAC_OK};
    struct rbac_caller *caller = &verdict.caller;
    memcpy(caller->object_id, principal->object_id, sizeof caller->object_id);
    memcpy(caller->tenant_id, principal->tenant_id, sizeof caller->tenant_id);
    caller->user = principal->user;
    caller->name = arena_strdup(arena, principal->name);
    caller->app_id = arena_strdup(arena, principal->app_id);
    caller->stamp = principal->stamp;
    return verdict;
}

static bool plausible(struct text name, struct text password)
{
    return name.base && password.base && name.length > 0 && name.length <= 256 && password.length > 0 &&
           password.length <= SECRET_LENGTH_LIMIT;
}

static bool cached(const struct rbac_principal *principal, const unsigned char hash[32])
{
    struct verified hit;
    return verified_find(hash, &hit) && hit.kid[0] == '\0' && hit.stamp == principal->stamp &&
           strcmp(hit.object_id, principal->object_id) == 0 && hit.expires_at > clock_wall();
}

static void remember(const struct rbac_principal *principal, const unsigned char hash[32], int64_t expires_at)
{
    struct verified one = {.expires_at = clock_wall() + CACHE_TTL, .stamp = principal->stamp};
    if (expires_at != 0 && expires_at < one.expires_at)
        one.expires_at = expires_at;
    memcpy(one.hash, hash, sizeof one.hash);
    memcpy(one.object_id, principal->object_id, sizeof one.object_id);
    verified_add(&one);
}

// Whether this row's secret is the one given. False with *busy set: not judged.
static bool row_matches(const struct db_result *rows, size_t row, struct arena *arena, const char *object_id,
                        struct text password, bool *busy)
{
    unsigned char computed[32];
    if (text_is(db_get(rows, row, 0), "random"))
        secret_hash_random(object_id, password, computed);
    else if (!crypto_scrypt_soon(password, db_get_bytes(rows, row, 1, arena), computed))
        return *busy = true, false;
    return crypto_equal((struct text){(const char *)computed, sizeof computed},
                        db_get_bytes(rows, row, 2, arena));
}

// An unknown user takes as long as a known one. An app id is checked by a keyed hash, which takes no time.
static struct rbac_verdict refuse_unknown(struct text name, struct text password)
{
    unsigned char hash[32];
    if (!uuid_is(name) && !crypto_scrypt_soon(password, TEXT("an unknown name!"), hash))
        return refuse(RBAC_BUSY);
    return refuse(RBAC_MALFORMED);
}

struct rbac_verdict rbac_verify_password(const struct rbac_snapshot *snapshot, struct db_transaction *tx,
                                         struct arena *arena, struct text name, struct text password)
{
    if (!name.base || name.length == 0)
        return refuse(RBAC_MISSING);
    if (!plausible(name, password))
        return refuse(RBAC_MALFORMED);
    const struct rbac_principal *principal = rbac_principal_by_name(snapshot, name);
    if (!principal)
        return refuse_unknown(name, password);
    unsigned char hash[32];
    cache_hash(principal, password, hash);
    if (cached(principal, hash))
        return accept(arena, principal);
    const struct db_result *rows = DB_RUN(tx, &select_secrets, db_string(principal->object_id));
    bool busy = false;
    for (size_t row = 0; row < db_rows(rows); row++) {
        if (!row_matches(rows, row, arena, principal->object_id, password, &busy))
            continue;
        int64_t expires_at = db_get_int(rows, row, 3);
        if (expires_at != 0 && expires_at <= clock_wall())
            return (struct rbac_verdict){.fault = RBAC_EXPIRED, .expired_at = expires_at};
        if (principal->enabled)
            remember(principal, hash, expires_at);
        return accept(arena, principal);
    }
    return refuse(busy ? RBAC_BUSY : RBAC_MALFORMED);
}

struct rbac_verdict rbac_verify_password_cached(const struct rbac_snapshot *snapshot, struct arena *arena,
                                                struct text name, struct text password)
{
    if (!plausible(name, password))
        return refuse(RBAC_MISSING);
    const struct rbac_principal *principal = rbac_principal_by_name(snapshot, name);
    if (!principal || !principal->enabled)
        return refuse(RBAC_MISSING);
    unsigned char hash[32];
    cache_hash(principal, password, hash);
    return cached(principal, hash) ? accept(arena, principal) : refuse(RBAC_MISSING);
}
