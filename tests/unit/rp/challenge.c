// The challenge, byte for byte, and who an Authorization header is.
#include "fixture.h"

#include "base/arena.h"
#include "rp/data/access.h"
#include "rp/data/challenge.h"
#include "rp/data/registry_token.h"

#include <check.h>

#define START "Bearer realm=\"https://" FIXTURE_SERVER "/oauth2/token\",service=\"" FIXTURE_SERVER "\""

static struct text header_of(const struct http_answer *answer, const char *name)
{
    struct text found = TEXT_NONE;
    for (size_t i = 0; i < answer->header_count; i++)
        if (text_is_nocase(answer->headers[i].name, name)) {
            ck_assert_msg(!found.base, "%s twice", name);
            found = answer->headers[i].value;
        }
    return found;
}

START_TEST(headers)
{
    static const struct {
        enum registry_access access;
        bool insufficient;
        const char *expected;
    } rows[] = {
        {ACCESS_BASE, false, START},
        {ACCESS_BASE, true, START ",error=\"insufficient_scope\""},
        {ACCESS_CATALOG, false, START ",scope=\"registry:catalog:*\""},
        {ACCESS_PULL, false, START ",scope=\"repository:lib/app:pull\""},
        {ACCESS_PUSH, false, START ",scope=\"repository:lib/app:pull,push\""},
        {ACCESS_METADATA_READ, false, START ",scope=\"repository:lib/app:metadata_read\""},
        {ACCESS_METADATA_WRITE, false, START ",scope=\"repository:lib/app:metadata_write\""},
        {ACCESS_DELETE, true, START ",scope=\"repository:lib/app:delete\",error=\"insufficient_scope\""},
    };
    struct fixture *f = fixture_new();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text header = registry_challenge_header(f->arena, TEXT(FIXTURE_SERVER), rows[i].access,
                                                       TEXT("lib/app"), TEXT_NONE, rows[i].insufficient);
        ck_assert_str_eq(text_cstr(f->arena, header), rows[i].expected);
    }
    struct text mount = registry_challenge_header(f->arena, TEXT(FIXTURE_SERVER), ACCESS_PUSH,
                                                  TEXT("lib/app"), TEXT("lib/base"), false);
    ck_assert_str_eq(text_cstr(f->arena, mount),
                     START ",scope=\"repository:lib/app:pull,push repository:lib/base:pull\"");
    fixture_free(f);
}
END_TEST

START_TEST(answer)
{
    struct fixture *f = fixture_new();
    f->call.repository = TEXT("lib/app");
    registry_challenge_for(&f->call, ACCESS_PUSH);
    ck_assert_int_eq(f->answer.status, 401);
    ck_assert_str_eq(
        text_cstr(f->arena, f->answer.body),
        "{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"authentication required, visit "
        "https://aka.ms/acr/authorization for more information.\",\"detail\":[{\"Type\":\"repository\","
        "\"Name\":\"lib/app\",\"Action\":\"pull\"},{\"Type\":\"repository\",\"Name\":\"lib/app\","
        "\"Action\":\"push\"}]}]}");
    ck_assert(
        text_is(header_of(&f->answer, "www-authenticate"), START ",scope=\"repository:lib/app:pull,push\""));
    ck_assert(text_is(header_of(&f->answer, "docker-distribution-api-version"), "registry/2.0"));
    ck_assert(text_is(header_of(&f->answer, "x-ms-correlation-request-id"), "correlation"));
    ck_assert(text_is(header_of(&f->answer, "content-type"), "application/json; charset=utf-8"));
    ck_assert(!header_of(&f->answer, "retry-after").base);
    fixture_free(f);
}
END_TEST

START_TEST(base_has_no_detail)
{
    struct fixture *f = fixture_new();
    registry_challenge_for(&f->call, ACCESS_BASE);
    ck_assert(text_search(f->answer.body, TEXT("detail")) < 0);
    ck_assert(text_is(header_of(&f->answer, "www-authenticate"), START));
    fixture_free(f);
}
END_TEST

static enum registry_sign_in sign_in_as(const char *authorization, struct registry_identity *identity)
{
    struct fixture *f = fixture_new();
    if (authorization)
        fixture_header(f, "authorization", authorization);
    enum registry_sign_in result = registry_sign_in(&f->call);
    *identity = f->call.identity;
    fixture_free(f);
    return result;
}

static const char *basic(struct arena *arena, const char *name, const char *password)
{
    const char *plain = arena_printf(arena, "%s:%s", name, password);
    return arena_printf(arena, "Basic %.*s", TEXT_ARG(text_base64(arena, plain, strlen(plain))));
}

START_TEST(authorization_headers)
{
    struct arena *arena = arena_new();
    struct registry_identity who;
    ck_assert_int_eq(sign_in_as(NULL, &who), SIGN_IN_NONE);
    ck_assert_int_eq(sign_in_as(basic(arena, "MyReg", FIXTURE_PASSWORD), &who), SIGN_IN_OK);
    ck_assert_int_eq(who.admin_password, 1);
    ck_assert_int_eq(sign_in_as(basic(arena, "myreg", FIXTURE_PASSWORD2), &who), SIGN_IN_OK);
    ck_assert_int_eq(who.admin_password, 2);
    const char *refused[] = {
        basic(arena, "MyReg", "wrong"),
        basic(arena, "MyReg", ""),
        basic(arena, "MyReg", FIXTURE_PASSWORD "x"),
        basic(arena, "MyReg", "First-password-of-the-admin-user"),
        basic(arena, "", FIXTURE_PASSWORD),
        basic(arena, "00000000-0000-0000-0000-000000000000", FIXTURE_PASSWORD),
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic bm9jb2xvbg==",
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Digest x",
        "x",
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        ck_assert_msg(sign_in_as(refused[i], &who) == SIGN_IN_REFUSED, "%s", refused[i]);
    arena_free(arena);
}
END_TEST

START_TEST(null_guid)
{
    struct fixture *f = fixture_new();
    fixture_sign_in(f, FIXTURE_PULLER);
    struct registry_grant grant = {TEXT("repository"), TEXT("lib/app"), ACCESS_PULL};
    struct text refresh = registry_token_mint(&f->call, TOKEN_REFRESH, NULL, 0);
    struct text access = registry_token_mint(&f->call, TOKEN_ACCESS, &grant, 1);
    f->call.repository = TEXT("lib/other");
    struct text name = TEXT("00000000-0000-0000-0000-000000000000");
    ck_assert_int_eq(registry_sign_in_password(&f->call, name, refresh), SIGN_IN_OK);
    ck_assert(registry_may(&f->call, ACCESS_PULL));
    ck_assert_int_eq(registry_sign_in_password(&f->call, name, access), SIGN_IN_OK);
    ck_assert(!registry_may(&f->call, ACCESS_PULL)); // judged as that token, which is for another repository
    ck_assert(registry_may(&f->call, ACCESS_BASE));
    fixture_free(f);
}
END_TEST

START_TEST(bearer)
{
    struct fixture *f = fixture_new();
    fixture_sign_in(f, FIXTURE_PULLER);
    struct text refresh = registry_token_mint(&f->call, TOKEN_REFRESH, NULL, 0);
    struct text access = registry_token_mint(&f->call, TOKEN_ACCESS, NULL, 0);

    fixture_header(f, "authorization", arena_printf(f->arena, "bEaReR  %.*s", TEXT_ARG(access)));
    ck_assert_int_eq(registry_sign_in(&f->call), SIGN_IN_OK);
    ck_assert(registry_may(&f->call, ACCESS_BASE)); // without a scope it is good for /v2/ (decisions 32)
    ck_assert(!registry_may(&f->call, ACCESS_CATALOG));
    f->request.headers[0].value = text_of(arena_printf(f->arena, "Bearer %.*s", TEXT_ARG(refresh)));
    ck_assert_int_eq(registry_sign_in(&f->call), SIGN_IN_REFUSED);
    f->request.headers[0].value = text_of(arena_printf(f->arena, "Bearer %.*s", TEXT_ARG(access)));
    fixture_header(f, "authorization", basic(f->arena, "MyReg", FIXTURE_PASSWORD));
    ck_assert_int_eq(registry_sign_in(&f->call), SIGN_IN_REFUSED); // two of them
    fixture_free(f);
}
END_TEST

START_TEST(admin_disabled)
{
    struct fixture *f = fixture_new();
    f->call.registry.admin_enabled = false;
    ck_assert_int_eq(registry_sign_in_password(&f->call, TEXT("MyReg"), TEXT(FIXTURE_PASSWORD)),
                     SIGN_IN_REFUSED);
    fixture_free(f);
}
END_TEST

Suite *suite_challenge(void);
Suite *suite_challenge(void)
{
    Suite *suite = suite_create("challenge");
    TCase *tests = tcase_create("challenge");
    tcase_add_test(tests, headers);
    tcase_add_test(tests, answer);
    tcase_add_test(tests, base_has_no_detail);
    tcase_add_test(tests, authorization_headers);
    tcase_add_test(tests, null_guid);
    tcase_add_test(tests, bearer);
    tcase_add_test(tests, admin_disabled);
    suite_add_tcase(suite, tests);
    return suite;
}
