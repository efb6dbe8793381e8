// Registry tokens: what is accepted, and every way of bending one that must not be.
#include "fixture.h"

#include "base/arena.h"
#include "base/clock.h"
#include "rp/data/access.h"
#include "rp/data/oauth_scope.h"
#include "rp/data/registry_token.h"

#include <check.h>

static struct text sign(struct fixture *f, const char *header, const char *claims, int key_fill)
{
    struct buffer out = buffer_new(f->arena);
    buffer_text(&out, text_base64url(f->arena, header, strlen(header)));
    buffer_char(&out, '.');
    buffer_text(&out, text_base64url(f->arena, claims, strlen(claims)));
    unsigned char secret[32], mac[32];
    memset(secret, key_fill, sizeof secret);
    crypto_hmac_sha256((struct text){(const char *)secret, 32}, buffer_done(&out), mac);
    buffer_char(&out, '.');
    buffer_text(&out, text_base64url(f->arena, mac, 32));
    return buffer_done(&out);
}

#define HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"new\"}"
#define RID "0123456789abcdef0123456789abcdef"

// Good claims with one member written differently.
struct claims {
    const char *sub, *idtyp, *iss, *aud, *version, *rid, *grant_type, *stamp, *extra;
    long long exp, nbf; // from now, seconds
};
static const struct claims good = {FIXTURE_PULLER,
                                   "principal",
                                   "Azure Container Registry",
                                   FIXTURE_SERVER,
                                   "1.0",
                                   RID,
                                   "refresh_token",
                                   "7",
                                   "",
                                   100,
                                   -900};

static struct text token_of(struct fixture *f, const char *header, const struct claims *c, int key_fill)
{
    long long now = clock_wall() / 1000000;
    return sign(
        f, header,
        arena_printf(f->arena,
                     "{\"sub\":\"%s\",\"idtyp\":\"%s\",\"stamp\":%s,\"nbf\":%lld,\"exp\":%lld,\"iss\":\"%s\","
                     "\"aud\":\"%s\",\"version\":\"%s\",\"rid\":\"%s\",\"grant_type\":\"%s\"%s}",
                     c->sub, c->idtyp, c->stamp, now + c->nbf, now + c->exp, c->iss, c->aud, c->version,
                     c->rid, c->grant_type, c->extra),
        key_fill);
}

static bool accepted(struct fixture *f, struct text token)
{
    f->call.identity = (struct registry_identity){.kind = IDENTITY_NONE};
    bool result = registry_token_verify(&f->call, token, TOKEN_REFRESH, NULL);
    ck_assert_int_eq(result, f->call.identity.kind != IDENTITY_NONE);
    return result;
}

START_TEST(round_trip)
{
    struct fixture *f = fixture_new();
    fixture_sign_in(f, FIXTURE_PUSHER);
    struct registry_grant grant = {TEXT("repository"), TEXT("lib/app"), ACCESS_PULL | ACCESS_PUSH};
    struct text refresh = registry_token_mint(&f->call, TOKEN_REFRESH, NULL, 0);
    struct text access = registry_token_mint(&f->call, TOKEN_ACCESS, &grant, 1);
    enum registry_token_kind kind = 0;
    ck_assert(registry_token_verify(&f->call, refresh, TOKEN_REFRESH | TOKEN_ACCESS, &kind));
    ck_assert_int_eq(kind, TOKEN_REFRESH);
    ck_assert(!f->call.identity.narrows);
    ck_assert_str_eq(f->call.identity.caller.object_id, FIXTURE_PUSHER);
    ck_assert(!registry_token_verify(&f->call, refresh, TOKEN_ACCESS, NULL));
    ck_assert(!registry_token_verify(&f->call, access, TOKEN_REFRESH, NULL));
    ck_assert(registry_token_verify(&f->call, access, TOKEN_ACCESS, NULL));
    ck_assert(f->call.identity.narrows);
    ck_assert(registry_may_in(&f->call, TEXT("lib/app"), ACCESS_PUSH));
    ck_assert(!registry_may_in(&f->call, TEXT("lib/other"), ACCESS_PULL));
    ck_assert(!registry_may_in(&f->call, TEXT("lib/app"), ACCESS_METADATA_READ));
    fixture_free(f);
}
END_TEST

START_TEST(attacks)
{
    struct fixture *f = fixture_new();
    ck_assert(accepted(f, token_of(f, HEADER, &good, 1)));
    ck_assert(accepted(f, token_of(f, "{\"alg\":\"HS256\",\"kid\":\"old\"}", &good, 2)));
    static const struct {
        const char *what, *header;
        int key;
    } headers[] = {
        {"none", "{\"alg\":\"none\",\"kid\":\"new\"}", 1},
        {"other case", "{\"alg\":\"hs256\",\"kid\":\"new\"}", 1},
        {"RS256", "{\"alg\":\"RS256\",\"kid\":\"new\"}", 1},
        {"HS512", "{\"alg\":\"HS512\",\"kid\":\"new\"}", 1},
        {"no kid", "{\"alg\":\"HS256\"}", 1},
        {"empty kid", "{\"alg\":\"HS256\",\"kid\":\"\"}", 1},
        {"kid of another key", "{\"alg\":\"HS256\",\"kid\":\"old\"}", 1},
        {"kid of a sign-in key", "{\"alg\":\"HS256\",\"kid\":\"other\"}", 3},
        {"unknown kid", "{\"alg\":\"HS256\",\"kid\":\"gone\"}", 1},
        {"critical", "{\"alg\":\"HS256\",\"kid\":\"new\",\"crit\":[\"b64\"]}", 1},
        {"twice", "{\"alg\":\"HS256\",\"alg\":\"HS256\",\"kid\":\"new\"}", 1},
        {"array", "[]", 1},
        {"wrong secret", HEADER, 9},
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        ck_assert_msg(!accepted(f, token_of(f, headers[i].header, &good, headers[i].key)), "header: %s",
                      headers[i].what);
#define BENT(member, value)                                                                                  \
    do {                                                                                                     \
        struct claims bent = good;                                                                           \
        bent.member = value;                                                                                 \
        ck_assert_msg(!accepted(f, token_of(f, HEADER, &bent, 1)), "%s = %s", #member, #value);              \
    } while (0)
    BENT(exp, 0);
    BENT(exp, -1);
    BENT(nbf, 60);
    BENT(iss, "azure container registry");
    BENT(aud, "other.azsacr.local.azurestack.external");
    BENT(aud, "MyReg.azsacr.local.azurestack.external");
    BENT(rid, "1123456789abcdef0123456789abcdef");
    BENT(version, "2.0");
    BENT(grant_type, "access_token");
    BENT(grant_type, "other");
    BENT(stamp, "6");
    BENT(stamp, "\"7\"");
    BENT(stamp, "7.0");
    BENT(idtyp, "admin");
    BENT(idtyp, "root");
    BENT(sub, "66666666-6666-6666-6666-666666666666");
    BENT(sub, "");
    BENT(extra, ",\"rid\":\"" RID "\"");
    fixture_free(f);
}
END_TEST

START_TEST(mangled)
{
    struct fixture *f = fixture_new();
    struct text token = token_of(f, HEADER, &good, 1);
    const char *const odd[] = {"", ".", "..", "...", "a.b", "a.b.c.d", "=.=.=", "eyJ.eyJ.eyJ"};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        ck_assert(!accepted(f, text_of(odd[i])));
    for (size_t i = 0; i < token.length; i++) {
        char *copy = text_cstr(f->arena, token);
        copy[i] = copy[i] == 'A' ? 'B' : 'A';
        bool same_bits = i + 1 == token.length; // the last character has bits that are no part of the MAC
        ck_assert_msg(same_bits || !accepted(f, (struct text){copy, token.length}), "byte %zu", i);
        ck_assert(!accepted(f, (struct text){token.base, i}));
    }
    ck_assert(!accepted(f, text_of(arena_printf(f->arena, "%.*s.", TEXT_ARG(token)))));
    ck_assert(!accepted(f, text_of(arena_printf(f->arena, "%.*s=", TEXT_ARG(token)))));
    fixture_free(f);
}
END_TEST

START_TEST(secrets_behind)
{
    struct fixture *f = fixture_new();
    f->call.identity =
        (struct registry_identity){.kind = IDENTITY_ADMIN, .admin_password = 2, .narrowed = ~0u};
    struct text token = registry_token_mint(&f->call, TOKEN_REFRESH, NULL, 0);
    ck_assert(accepted(f, token));
    ck_assert_int_eq(f->call.identity.admin_password, 2);
    f->call.registry.password_stamp++; // the other password was regenerated
    ck_assert(accepted(f, token));
    f->call.registry.admin_enabled = false;
    ck_assert(!accepted(f, token));
    f->call.registry.admin_enabled = true;
    f->call.registry.password2_stamp++;
    ck_assert(!accepted(f, token));

    fixture_sign_in(f, FIXTURE_PULLER);
    token = registry_token_mint(&f->call, TOKEN_REFRESH, NULL, 0);
    ck_assert(accepted(f, token));
    struct rbac_principal *principal =
        (struct rbac_principal *)(uintptr_t)rbac_principal_by_id(&f->snapshot, TEXT(FIXTURE_PULLER));
    principal->enabled = false;
    ck_assert(!accepted(f, token));
    principal->enabled = true;
    principal->stamp++;
    ck_assert(!accepted(f, token));
    fixture_free(f);
}
END_TEST

START_TEST(claims_of_a_refresh_token)
{
    struct fixture *f = fixture_new();
    fixture_sign_in(f, FIXTURE_PULLER);
    struct text token = registry_token_mint(&f->call, TOKEN_REFRESH, NULL, 0), claims;
    ptrdiff_t first = text_find(token, '.'), last = text_rfind(token, '.');
    ck_assert(text_unbase64url(f->arena, text_slice(token, (size_t)first + 1, (size_t)last), &claims));
    json_t *json = json_loadb(claims.base, claims.length, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_ptr_nonnull(json);
    long long now = clock_wall() / 1000000, exp = json_integer_value(json_object_get(json, "exp"));
    ck_assert_int_le(llabs(exp - now - 10800), 1);
    ck_assert_int_eq(json_integer_value(json_object_get(json, "iat")), exp - 10800 - 900);
    ck_assert_str_eq(json_string_value(json_object_get(json, "grant_type")), "refresh_token");
    char *permissions = json_dumps(json_object_get(json, "permissions"), JSON_COMPACT);
    ck_assert_str_eq(permissions, "{\"Actions\":[\"read\"],\"NotActions\":null}");
    free(permissions);
    json_decref(json);
    fixture_free(f);
}
END_TEST

// An upload that outlasts its token was decided when its headers came.
START_TEST(expiry_counts_at_arrival)
{
    struct fixture *f = fixture_new();
    struct claims bent = good;
    bent.exp = -10;
    f->request.started = clock_monotonic() - 20 * 1000000;
    ck_assert(accepted(f, token_of(f, HEADER, &bent, 1)));
    f->request.started = clock_monotonic() - 5 * 1000000;
    ck_assert(!accepted(f, token_of(f, HEADER, &bent, 1)));
    f->request.started = clock_monotonic() + 60 * 1000000;
    ck_assert(!accepted(f, token_of(f, HEADER, &bent, 1)));
    fixture_free(f);
}
END_TEST

// Decisions 9: which scope each role gets.
START_TEST(access_of_roles)
{
    static const struct {
        const char *object_id;
        unsigned access;
    } rows[] = {
        {FIXTURE_PULLER, ACCESS_BASE | ACCESS_CATALOG | ACCESS_PULL | ACCESS_METADATA_READ},
        {FIXTURE_PUSHER, ACCESS_BASE | ACCESS_CATALOG | ACCESS_PULL | ACCESS_PUSH | ACCESS_METADATA_READ},
        {FIXTURE_DELETER, ACCESS_BASE | ACCESS_METADATA_READ | ACCESS_DELETE},
        {FIXTURE_STRANGER, 0},
        {FIXTURE_OWNER, ACCESS_BASE | ACCESS_CATALOG | ACCESS_PULL | ACCESS_PUSH | ACCESS_METADATA_READ |
                            ACCESS_METADATA_WRITE | ACCESS_DELETE},
    };
    struct fixture *f = fixture_new();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fixture_sign_in(f, rows[i].object_id);
        unsigned access = 0;
        for (unsigned bit = ACCESS_BASE; bit <= ACCESS_DELETE; bit <<= 1)
            access |= registry_may(&f->call, (enum registry_access)bit) ? bit : 0;
        ck_assert_msg(access == rows[i].access, "%s: %u", rows[i].object_id, access);
    }
    fixture_free(f);
}
END_TEST

START_TEST(scopes)
{
    static const struct {
        const char *object_id, *scope;
        unsigned count, access; // of the first grant
    } rows[] = {
        {FIXTURE_PULLER, "repository:lib/app:pull", 1, ACCESS_PULL},
        {FIXTURE_PULLER, "repository:lib/app:pull,push", 1, ACCESS_PULL},
        {FIXTURE_PULLER, "repository:lib/app:push", 0, 0},
        {FIXTURE_PUSHER, "repository:lib/app:pull,push", 1, ACCESS_PULL | ACCESS_PUSH},
        {FIXTURE_PUSHER, "repository:a:pull repository:b:pull  registry:catalog:*", 3, ACCESS_PULL},
        {FIXTURE_OWNER, "repository:lib/app:*", 1,
         ACCESS_PULL | ACCESS_PUSH | ACCESS_DELETE | ACCESS_METADATA_READ | ACCESS_METADATA_WRITE},
        {FIXTURE_OWNER, "registry:catalog:*", 1, ACCESS_CATALOG},
        {FIXTURE_OWNER, "registry:None:*", 0, 0},
        {FIXTURE_OWNER, "registry:deleted_catalog:*", 0, 0},
        {FIXTURE_OWNER, "repository:lib/app:deleted_read,deleted_restore", 0, 0},
        {FIXTURE_OWNER, "artifact-repository:repo:pull", 0, 0},
        {FIXTURE_OWNER, "repository:Lib/App:pull", 0, 0},
        {FIXTURE_OWNER, "repository:*:pull", 0, 0},
        {FIXTURE_OWNER, "repository::pull", 0, 0},
        {FIXTURE_OWNER, "nonsense", 0, 0},
        {FIXTURE_OWNER, ":::", 0, 0},
        {FIXTURE_OWNER, "repository:lib/app:", 0, 0},
        {FIXTURE_OWNER, "repository:lib/app:,,pull,,", 1, ACCESS_PULL},
        {FIXTURE_OWNER, "", 0, 0},
        {FIXTURE_STRANGER, "repository:lib/app:pull", 0, 0},
    };
    struct fixture *f = fixture_new();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fixture_sign_in(f, rows[i].object_id);
        struct http_field field = {TEXT("scope"), text_of(rows[i].scope)};
        struct registry_grant grants[OAUTH_SCOPE_LIMIT];
        size_t count = oauth_grants(&f->call, &field, 1, grants);
        ck_assert_msg(count == rows[i].count, "%s: %zu", rows[i].scope, count);
        if (count > 0)
            ck_assert_uint_eq(grants[0].access, rows[i].access);
    }
    fixture_free(f);
}
END_TEST

Suite *suite_registry_token(void);
Suite *suite_registry_token(void)
{
    Suite *suite = suite_create("registry_token");
    TCase *tests = tcase_create("tokens");
    tcase_add_test(tests, round_trip);
    tcase_add_test(tests, attacks);
    tcase_add_test(tests, mangled);
    tcase_add_test(tests, secrets_behind);
    tcase_add_test(tests, claims_of_a_refresh_token);
    tcase_add_test(tests, expiry_counts_at_arrival);
    tcase_add_test(tests, access_of_roles);
    tcase_add_test(tests, scopes);
    suite_add_tcase(suite, tests);
    return suite;
}
