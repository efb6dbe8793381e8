// Signing in with a device code.
#include "signin_fixture.h"

Suite *suite_signin_device(void);

#define DEVICE "urn:ietf:params:oauth:grant-type:device_code"

static struct answer approve(const char *code, const char *word, const char *action, const char *headers)
{
    return ask(false, "POST /adfs/oauth2/deviceauth", arena_printf(memory, FORM "%s", headers),
               arena_printf(memory, "user_code=%s&username=anna.maria%%40contoso.local&password=%s&action=%s",
                            code, word, action));
}

static struct answer poll(struct answer codes)
{
    return token(arena_printf(memory, "grant_type=" DEVICE "&client_id=" CLIENT "&device_code=%s&code=%s",
                              member(codes, "device_code"), member(codes, "device_code")));
}

START_TEST(device_code)
{
    struct answer codes = post("/adfs/oauth2/devicecode", "client_id=" CLIENT SCOPE);
    ck_assert_msg(codes.status == 200, "%.*s", TEXT_ARG(codes.body));
    expect_error(poll(codes), 400, "authorization_pending", "AADSTS70016");
    expect_error(poll(codes), 400, "slow_down", "AADSTS70016");
    struct answer page =
        ask(false, arena_printf(memory, "GET /adfs/oauth2/deviceauth?user_code=%s", "\"><script>"), "", "");
    ck_assert_int_eq(page.status, 200);
    ck_assert_int_lt(text_search(page.body, TEXT("<script")), 0);
    const char *code = member(codes, "user_code");
    ck_assert_int_eq(approve(code, "wrong", "approve", "").status, 400);
    ck_assert_int_eq(approve(code, "correct+horse", "approve", "Origin: https://evil.example\r\n").status,
                     403);
    ck_assert_int_eq(approve(code, "correct+horse", "approve", "Origin: null\r\n").status, 403);
    ck_assert_int_eq(approve("BBBB-BBBB", "correct+horse", "approve", "").status, 400);
    sleep_milliseconds(600);
    expect_error(poll(codes), 400, "authorization_pending", "AADSTS70016");
    char *typed = text_cstr(memory, text_lower(memory, text_of(code)));
    ck_assert_int_eq(
        approve(typed, "correct+horse", "approve", "Origin: https://adfs.local.azurestack.external\r\n")
            .status,
        200);
    expect_error(token(arena_printf(
                     memory, "grant_type=" DEVICE "&client_id=11111111-1111-4111-8111-111111111111&code=%s",
                     member(codes, "device_code"))),
                 400, "invalid_grant", "AADSTS70000");
    struct answer answer = poll(codes);
    ck_assert_msg(answer.status == 200, "%.*s", TEXT_ARG(answer.body));
    ck_assert_str_eq(verify(member(answer, "access_token"), rbac_audiences_arm()).caller.object_id, user_id);
    expect_error(poll(codes), 400, "invalid_grant", "AADSTS70000"); // once
    codes = post("/adfs/oauth2/devicecode", "client_id=" CLIENT SCOPE);
    ck_assert_int_eq(approve(member(codes, "user_code"), "correct+horse", "deny", "").status, 200);
    expect_error(poll(codes), 400, "access_denied", "AADSTS65004");
    sql("update rbac.device_code set expires_at = clock_timestamp()");
    expect_error(poll(codes), 400, "expired_token", "AADSTS70019");
}
END_TEST

START_TEST(device_tries_are_bounded)
{
    struct answer codes = post("/adfs/oauth2/devicecode", "client_id=" CLIENT SCOPE);
    const char *code = member(codes, "user_code");
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(approve(code, "wrong", "approve", "").status, 400);
    ck_assert_int_eq(approve(code, "correct+horse", "approve", "").status, 403);
}
END_TEST

Suite *suite_signin_device(void)
{
    Suite *suite = suite_create("signin_device");
    TCase *tests = tcase_create("signin_device");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, signin_setup, signin_teardown);
    tcase_add_test(tests, device_code);
    tcase_add_test(tests, device_tries_are_bounded);
    suite_add_tcase(suite, tests);
    return suite;
}
