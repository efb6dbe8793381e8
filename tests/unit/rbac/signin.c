// Tokens for passwords, secrets and refresh tokens, and how they are verified.
#include "signin_fixture.h"

#include "rbac/jwt.h"
#include "rbac/mint.h"

Suite *suite_signin(void);

START_TEST(discovery)
{
    struct answer answer = ask(false, "GET /adfs/.well-known/openid-configuration", "", "");
    ck_assert_int_eq(answer.status, 200);
    ck_assert_str_eq(member(answer, "issuer"), "https://adfs.local.azurestack.external/adfs");
    ck_assert_str_eq(member(answer, "token_endpoint"),
                     "https://adfs.local.azurestack.external/adfs/oauth2/token");
    answer = ask(false, "GET /adfs/contoso.local/v2.0/.well-known/openid-configuration/", "", "");
    ck_assert_str_eq(member(answer, "issuer"),
                     "https://adfs.local.azurestack.external/5c2f9d6e-1111-4222-8333-444455556666/");
    answer =
        ask(false, "GET /adfs/11111111-1111-4111-8111-111111111111/.well-known/openid-configuration", "", "");
    expect_error(answer, 400, "invalid_tenant", "AADSTS90002:");
    answer = ask(false, "GET /adfs/discovery/keys", "", "");
    ck_assert_int_eq(json_array_size(json_object_get(answer.json, "keys")), 1);
    ck_assert_int_eq(ask(false, "GET /adfs/oauth2/token", "", "").status, 405);
    ck_assert_int_eq(ask(false, "GET /nothing", "", "").status, 404);
}
END_TEST

START_TEST(client_credentials)
{
    struct answer answer = token(client_form(app_secret));
    ck_assert_int_eq(answer.status, 200);
    ck_assert_ptr_null(json_object_get(answer.json, "refresh_token"));
    const char *access = member(answer, "access_token");
    for (int i = 0; i < 2; i++) { // the second time from the cache
        struct rbac_verdict verdict = verify(access, rbac_audiences_arm());
        ck_assert_int_eq(verdict.fault, RBAC_OK);
        ck_assert_str_eq(verdict.caller.object_id, app_object_id);
        ck_assert_str_eq(verdict.caller.name, app_id);
        ck_assert(!verdict.caller.user);
        verdict = verify(access, rbac_audiences_graph());
        ck_assert_int_eq(verdict.fault, RBAC_AUDIENCE);
        ck_assert_str_eq(verdict.claimed, AUDIENCE);
        ck_assert_int_eq(verify(access, rbac_audiences_registry()).fault, RBAC_OK);
    }
    expect_error(token(client_form("wrong")), 401, "invalid_client",
                 "AADSTS7000215: Invalid client secret provided.");
    expect_error(
        token("grant_type=client_credentials&client_id=11111111-1111-4111-8111-111111111111&client_secret=x"),
        400, "unauthorized_client", "AADSTS700016: Application with identifier");
    expect_error(token("grant_type=client_credentials&client_id=x%27%22&client_secret=x"), 400,
                 "unauthorized_client", "AADSTS700016");
    expect_error(token(arena_printf(memory, "grant_type=client_credentials&client_id=%s", app_id)), 401,
                 "invalid_client", "AADSTS7000218");
    change("disable", app_id, NULL);
    ck_assert_int_eq(verify(access, rbac_audiences_arm()).fault, RBAC_REVOKED);
    expect_error(token(client_form(app_secret)), 400, "unauthorized_client", "AADSTS7000112");
    change("enable", app_id, NULL);
    ck_assert_int_eq(verify(access, rbac_audiences_arm()).fault, RBAC_REVOKED);
    ck_assert_int_eq(token(client_form(app_secret)).status, 200);
    change("remove", app_id, NULL);
    expect_error(token(client_form(app_secret)), 400, "unauthorized_client", "AADSTS700016");
}
END_TEST

START_TEST(client_by_header)
{
    const char *pair = arena_printf(memory, "%s:%s", app_id, app_secret);
    struct text encoded = text_base64(memory, pair, strlen(pair));
    const char *headers = arena_printf(memory, FORM "Authorization: Basic %.*s\r\n", TEXT_ARG(encoded));
    const char *form = "grant_type=client_credentials&resource=" AUDIENCE;
    struct answer answer = ask(false, "POST /adfs/oauth2/token", headers, form);
    ck_assert_int_eq(answer.status, 200);
    ck_assert_str_eq(member(answer, "resource"), AUDIENCE);
    expect_error(
        ask(false, "POST /adfs/oauth2/token", headers, arena_printf(memory, "%s&client_secret=x", form)), 400,
        "invalid_request", "AADSTS9002313");
    expect_error(ask(false, "POST /adfs/oauth2/token", FORM "Authorization: Basic ====\r\n", form), 401,
                 "invalid_client", "AADSTS7000215");
}
END_TEST

START_TEST(password)
{
    struct answer answer = sign_in();
    ck_assert_msg(answer.status == 200, "%.*s", TEXT_ARG(answer.body));
    ck_assert_int_eq(json_integer_value(json_object_get(answer.json, "expires_in")), 3600);
    ck_assert_str_eq(member(answer, "scope"), AUDIENCE "/.default offline_access openid profile");
    const json_t *id = claims_of(member(answer, "id_token"));
    ck_assert(text_is(jwt_string(id, "aud"), CLIENT));
    ck_assert(text_is(jwt_string(id, "iss"), rbac_access_issuer()));
    ck_assert(text_is(jwt_string(id, "tid"), site()->config->tenant_id));
    ck_assert(text_is(jwt_string(id, "preferred_username"), "Anna.Maria@contoso.local"));
    struct rbac_verdict verdict = verify(member(answer, "access_token"), rbac_audiences_arm());
    ck_assert_int_eq(verdict.fault, RBAC_OK);
    ck_assert(verdict.caller.user);
    ck_assert_str_eq(verdict.caller.app_id, CLIENT);
    // An id token is no access token.
    ck_assert_int_eq(verify(member(answer, "id_token"), rbac_audiences_arm()).fault, RBAC_AUDIENCE);
    answer = post("/adfs/5c2f9d6e-1111-4222-8333-444455556666/oauth2/v2.0/token",
                  "grant_type=password&client_id=" CLIENT
                  "&username=anna.maria%40contoso.local&password=correct+horse" SCOPE);
    ck_assert(text_is(jwt_string(claims_of(member(answer, "id_token")), "iss"), rbac_tenant_issuer()));
    expect_error(token("grant_type=password&client_id=" CLIENT
                       "&username=anna.maria%40contoso.local&password=wrong" SCOPE),
                 400, "invalid_grant", "AADSTS50126");
    expect_error(token("grant_type=password&client_id=" CLIENT
                       "&username=nobody%40contoso.local&password=wrong" SCOPE),
                 400, "invalid_grant", "AADSTS50126");
    // A service principal is no user.
    expect_error(
        token(arena_printf(memory, "grant_type=password&client_id=" CLIENT "&username=%s&password=%s" SCOPE,
                           app_id, app_secret)),
        400, "invalid_grant", "AADSTS50126");
}
END_TEST

START_TEST(refresh)
{
    struct answer first = sign_in();
    const char *sealed = member(first, "refresh_token");
    const char *form =
        arena_printf(memory, "grant_type=refresh_token&client_id=" CLIENT "&refresh_token=%s", sealed);
    for (int i = 0; i < 2; i++) {
        struct answer answer =
            token(arena_printf(memory, "%s&scope=%s//.default", form, site()->config->url_graph));
        ck_assert_msg(answer.status == 200, "%.*s", TEXT_ARG(answer.body));
        ck_assert_int_eq(verify(member(answer, "access_token"), rbac_audiences_graph()).fault, RBAC_OK);
    }
    ck_assert_int_eq(token(form).status, 200); // for what it was first issued for
    expect_error(token(arena_printf(memory, "%s&scope=https://elsewhere/.default", form)), 400,
                 "invalid_resource", "AADSTS500011");
    expect_error(token(arena_printf(memory,
                                    "grant_type=refresh_token&client_id=11111111-1111-4111-8111-111111111111"
                                    "&refresh_token=%s",
                                    sealed)),
                 400, "invalid_grant", "AADSTS70000");
    size_t length = strlen(sealed);
    for (size_t i = 0; i < length; i += 7) { // any changed letter
        char *changed = arena_strdup(memory, sealed);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        struct refresh_token opened;
        ck_assert(!mint_open_refresh_token(memory, text_of(changed), &opened));
        ck_assert(!mint_open_refresh_token(memory, (struct text){sealed, i}, &opened));
    }
    change("password", "anna.maria@contoso.local", "battery staple");
    expect_error(token(form), 400, "invalid_grant", "AADSTS50173");
    ck_assert_int_eq(verify(member(first, "access_token"), rbac_audiences_arm()).fault, RBAC_REVOKED);
}
END_TEST

START_TEST(passwords_are_remembered)
{
    ck_assert_int_eq(check_password("ANNA.maria@contoso.local", "correct horse").fault, RBAC_OK);
    ck_assert_int_eq(check_password("anna.maria@contoso.local", "correct horse ").fault, RBAC_MALFORMED);
    ck_assert_int_eq(check_password("nobody@contoso.local", "correct horse").fault, RBAC_MALFORMED);
    ck_assert_int_eq(check_password("", "x").fault, RBAC_MISSING);
    ck_assert_int_eq(check_password(app_id, app_secret).fault, RBAC_OK);
    // A remembered password dies with the stamp.
    change("password", "anna.maria@contoso.local", "battery staple");
    ck_assert_int_eq(check_password("anna.maria@contoso.local", "correct horse").fault, RBAC_MALFORMED);
    ck_assert_int_eq(check_password("anna.maria@contoso.local", "battery staple").fault, RBAC_OK);
    change("disable", "anna.maria@contoso.local", NULL);
    ck_assert_int_eq(check_password("anna.maria@contoso.local", "battery staple").fault, RBAC_REVOKED);
    char *old = arena_strdup(memory, app_secret);
    change("password", app_id, NULL);
    ck_assert_int_eq(check_password(app_id, old).fault, RBAC_MALFORMED);
    ck_assert_int_eq(check_password(app_id, app_secret).fault, RBAC_OK);
}
END_TEST

START_TEST(expired_secret)
{
    sql("update rbac.secret set expires_at = clock_timestamp() - interval '1 s' where object_id = '%s'",
        app_object_id);
    ck_assert_int_eq(check_password(app_id, app_secret).fault, RBAC_EXPIRED);
    expect_error(token(client_form(app_secret)), 401, "invalid_client", "AADSTS7000222");
}
END_TEST

START_TEST(rotation)
{
    const char *access = member(token(client_form(app_secret)), "access_token");
    change("rotate", NULL, NULL);
    ck_assert_int_eq(verify(access, rbac_audiences_arm()).fault, RBAC_OK);
    struct answer keys = ask(false, "GET /adfs/discovery/keys", "", "");
    ck_assert_int_eq(json_array_size(json_object_get(keys.json, "keys")), 2);
    // A day after its retirement the old key goes, and with it what it signed, remembered or not.
    sql("update rbac.signing_key set retired_at = retired_at - interval '25 hours'");
    change("rotate", NULL, NULL);
    ck_assert_int_eq(verify(access, rbac_audiences_arm()).fault, RBAC_MALFORMED);
}
END_TEST

START_TEST(bad_requests)
{
    expect_error(token(""), 400, "invalid_request", "AADSTS900144");
    expect_error(token("grant_type=magic&client_id=" CLIENT), 400, "unsupported_grant_type", "AADSTS70003");
    expect_error(token("grant_type=password&grant_type=password"), 400, "invalid_request", "AADSTS9002313");
    expect_error(token("grant_type=%zz"), 400, "invalid_request", "AADSTS9002313");
    expect_error(token("grant_type=%ff%fe"), 400, "invalid_request", "AADSTS9002313");
    expect_error(ask(false, "POST /adfs/oauth2/token", "Content-Type: application/json\r\n", "{}"), 400,
                 "invalid_request", "AADSTS9002313");
    char *long_form = arena_alloc(memory, 70001);
    memset(long_form, 'a', 70000);
    expect_error(token(long_form), 400, "invalid_request", "AADSTS9002313");
    expect_error(token("grant_type=refresh_token&client_id=" CLIENT "&refresh_token=x.y"), 400,
                 "invalid_grant", "AADSTS9002313");
    const char *user =
        "grant_type=password&client_id=" CLIENT "&username=anna.maria%40contoso.local&password=correct+horse";
    expect_error(token(user), 400, "invalid_scope", "AADSTS70011");
    expect_error(token(arena_printf(memory, "%s&scope=openid+profile", user)), 400, "invalid_scope",
                 "AADSTS70011");
    expect_error(token(arena_printf(memory, "%s&scope=%s", user, AUDIENCE)), 400, "invalid_scope",
                 "AADSTS70011");
    expect_error(token(arena_printf(memory, "%s&resource=https://elsewhere", user)), 400, "invalid_resource",
                 "AADSTS500011");
    ck_assert_int_eq(
        token(arena_printf(memory, "%s&scope=https://containerregistry.azure.net/.default", user)).status,
        200);
    ck_assert_int_eq(ask(false, "GET /adfs/oauth2/authorize/?x=1", "", "").status, 400);
}
END_TEST

START_TEST(password_tries_are_bounded)
{
    for (int i = 0; i < 30; i++)
        expect_error(
            token("grant_type=password&client_id=" CLIENT "&username=no%40contoso.local&password=w" SCOPE),
            400, "invalid_grant", "AADSTS50126");
    expect_error(
        token("grant_type=password&client_id=" CLIENT "&username=NO%40contoso.local&password=w" SCOPE), 400,
        "invalid_grant", "AADSTS50053");
    ck_assert_int_eq(sign_in().status, 200);
}
END_TEST

Suite *suite_signin(void)
{
    Suite *suite = suite_create("signin");
    TCase *tests = tcase_create("signin");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, signin_setup, signin_teardown);
    tcase_add_test(tests, discovery);
    tcase_add_test(tests, client_credentials);
    tcase_add_test(tests, client_by_header);
    tcase_add_test(tests, password);
    tcase_add_test(tests, refresh);
    tcase_add_test(tests, passwords_are_remembered);
    tcase_add_test(tests, expired_secret);
    tcase_add_test(tests, rotation);
    tcase_add_test(tests, bad_requests);
    tcase_add_test(tests, password_tries_are_bounded);
    suite_add_tcase(suite, tests);
    return suite;
}
