// The sign-in service and the directory's host, from a request's bytes to the answer, over a real database.
#include "fixture.h"

#include "base/arena.h"
#include "base/site.h"
#include "http/intake.h"
#include "rbac/audience.h"
#include "rbac/directory.h"
#include "rbac/graph.h"
#include "rbac/jwt.h"
#include "rbac/keys.h"
#include "rbac/mint.h"
#include "rbac/signin.h"
#include "rbac/token.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

Suite *suite_signin(void);

#define CLIENT "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
#define AUDIENCE "https://management.adfs.local.azurestack.external/5c2f9d6e-1111-4222-8333-444455556666"
#define SCOPE "&scope=" AUDIENCE "/.default+offline_access+openid+profile"
#define DEVICE "urn:ietf:params:oauth:grant-type:device_code"

static struct arena *memory;
static struct db_connection *connection;
static char user_id[37], app_object_id[37], app_id[37], app_secret[64];

struct change {
    const char *kind;
    struct text name, password;
};

static bool run_change(struct db_transaction *tx, void *argument)
{
    const struct change *change = argument;
    const char *why = NULL, *secret = NULL, *app = NULL;
    if (strcmp(change->kind, "start") == 0) {
        rbac_keys_ensure(tx);
        const char *id = directory_add_user(tx, site()->config->tenant_id, "Anna.Maria@contoso.local", "Anna",
                                            TEXT("correct horse"), &why);
        ck_assert_msg(id != NULL, "%s", why);
        memcpy(user_id, id, 37);
        id = directory_add_service_principal(tx, site()->config->tenant_id, "builder", &app, &secret, &why);
        ck_assert_msg(id != NULL, "%s", why);
        memcpy(app_object_id, id, 37);
        memcpy(app_id, app, 37);
        snprintf(app_secret, sizeof app_secret, "%s", secret);
    } else if (strcmp(change->kind, "password") == 0) {
        ck_assert_msg(directory_set_password(tx, change->name, change->password, &secret, &why), "%s", why);
        if (secret)
            snprintf(app_secret, sizeof app_secret, "%s", secret);
    } else if (strcmp(change->kind, "remove") == 0) {
        ck_assert_msg(directory_remove(tx, change->name, &why), "%s", why);
    } else if (strcmp(change->kind, "rotate") == 0) {
        rbac_keys_rotate(tx, "sign-in");
    } else {
        ck_assert_msg(directory_set_enabled(tx, change->name, strcmp(change->kind, "enable") == 0, &why),
                      "%s", why);
    }
    return true;
}

static void change(const char *kind, const char *name, const char *password)
{
    struct change what = {kind, text_of(name), text_of(password)};
    ck_assert_int_eq(db_transact(connection, run_change, &what), DB_COMMITTED);
}

static bool run_sql(struct db_transaction *tx, void *argument)
{
    DB_RUN0(tx, (const struct db_statement *)argument);
    return true;
}

// Changes rows behind the program's back.
static void sql(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void sql(const char *format, ...)
{
    static unsigned number;
    va_list arguments;
    va_start(arguments, format);
    struct db_statement statement = {arena_printf(memory, "signin_test_%u", number++),
                                     arena_vprintf(memory, format, arguments)};
    va_end(arguments);
    ck_assert_int_eq(db_transact(connection, run_sql, &statement), DB_COMMITTED);
}

static struct config config;
static struct site here;

// Each test runs in a process of its own, so the site is this suite's alone.
static void setup(void)
{
    memory = arena_new();
    fixture_reset();
    const char *why = NULL;
    struct config *loaded = config_load(memory, "/tmp", "/nonexistent/azsacr.conf", &why);
    ck_assert_msg(loaded != NULL, "%s", why);
    config = *loaded;
    config.tenant_id = "5c2f9d6e-1111-4222-8333-444455556666";
    config.audience = AUDIENCE;
    here = (struct site){&config, site()->master_key};
    site_set(&here);
    struct db_target target = fixture_target();
    rbac_snapshot_start(&target);
    connection = db_connection_new(&target);
    change("start", NULL, NULL);
}

static void teardown(void)
{
    db_connection_free(connection);
    rbac_snapshot_stop();
    arena_free(memory);
}

struct answer {
    int status;
    struct text body;
    json_t *json;
    struct http_exchange *exchange;
};

static void drop_json(void *tree)
{
    json_decref(tree);
}

static struct answer ask(bool graph, const char *line, const char *headers, const char *body)
{
    struct http_exchange *exchange = ARENA_NEW(memory, struct http_exchange);
    struct http_request *request = &exchange->request;
    request->arena = memory;
    char *head = arena_printf(memory, "%s HTTP/1.1\r\nHost: x\r\n%s\r\n", line, headers);
    struct http_refusal refusal = http_read_head(request, head, strlen(head), false);
    ck_assert_msg(refusal.status == 0, "%s", refusal.why);
    http_read_target(request);
    http_read_ids(request);
    request->body = text_of(body);
    if (graph ? graph_prepare(exchange) : signin_prepare(exchange))
        service_run(exchange, connection);
    struct answer answer = {exchange->answer.status, exchange->answer.body, NULL, exchange};
    answer.json = json_loadb(answer.body.base, answer.body.length, JSON_REJECT_DUPLICATES, NULL);
    if (answer.json)
        arena_on_free(memory, drop_json, answer.json);
    for (size_t i = 0; i < exchange->answer.header_count; i++)
        ck_assert(!text_is_nocase(exchange->answer.headers[i].name, "retry-after"));
    return answer;
}

#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"

static struct answer post(const char *path, const char *form)
{
    return ask(false, arena_printf(memory, "POST %s", path), FORM, form);
}

static struct answer token(const char *form)
{
    return post("/adfs/oauth2/token", form);
}

static const char *member(struct answer answer, const char *name)
{
    const char *value = json_string_value(json_object_get(answer.json, name));
    return value ? value : "";
}

static void expect_error(struct answer answer, int status, const char *error, const char *code)
{
    ck_assert_msg(answer.status == status && strcmp(member(answer, "error"), error) == 0 &&
                      strncmp(member(answer, "error_description"), code, strlen(code)) == 0,
                  "%d %.*s", answer.status, TEXT_ARG(answer.body));
}

struct question {
    struct text token;
    const char *const *audiences;
    struct rbac_verdict verdict;
    struct text name, password;
};

static bool run_verify(struct db_transaction *tx, void *argument)
{
    struct question *question = argument;
    struct rbac_version version;
    ck_assert(rbac_version_read(tx, &version));
    const struct rbac_snapshot *snapshot = rbac_snapshot_wait(&version, 5000);
    ck_assert_ptr_nonnull(snapshot);
    if (question->token.base)
        question->verdict = rbac_verify_token(snapshot, memory, question->token, question->audiences);
    else
        question->verdict = rbac_verify_password(snapshot, tx, memory, question->name, question->password);
    if (!question->token.base && question->verdict.fault == RBAC_OK)
        ck_assert_int_eq(
            rbac_verify_password_cached(snapshot, memory, question->name, question->password).fault, RBAC_OK);
    rbac_snapshot_release(snapshot);
    return true;
}

static struct rbac_verdict verify(const char *bearer, const char *const *audiences)
{
    struct question question = {text_of(bearer), audiences, {0}, TEXT_NONE, TEXT_NONE};
    ck_assert_int_eq(db_transact(connection, run_verify, &question), DB_COMMITTED);
    return question.verdict;
}

static struct rbac_verdict check_password(const char *name, const char *password)
{
    struct question question = {TEXT_NONE, NULL, {0}, text_of(name), text_of(password)};
    ck_assert_int_eq(db_transact(connection, run_verify, &question), DB_COMMITTED);
    return question.verdict;
}

static struct answer sign_in(void)
{
    return token("grant_type=password&client_id=" CLIENT
                 "&username=anna.maria%40CONTOSO.local&password=correct+horse&client_info=1" SCOPE);
}

static const char *client_form(const char *secret)
{
    return arena_printf(memory,
                        "grant_type=client_credentials&client_id=%s&client_secret=%s&scope=%s/.default",
                        app_id, secret, AUDIENCE);
}

static const json_t *claims_of(const char *jwt)
{
    struct jwt_parts parts;
    ck_assert(jwt_split(memory, text_of(jwt), &parts));
    return jwt_claims(memory, &parts);
}

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

static struct answer graph(const char *line, const char *bearer, const char *body)
{
    return ask(true, line, arena_printf(memory, "Authorization: Bearer %s\r\n", bearer), body);
}

static const char *graph_token(void)
{
    struct answer answer =
        token(arena_printf(memory,
                           "grant_type=client_credentials&client_id=%s&client_secret=%s&scope=%s//."
                           "default",
                           app_id, app_secret, site()->config->url_graph));
    ck_assert_int_eq(answer.status, 200);
    return member(answer, "access_token");
}

static size_t found(struct answer answer)
{
    ck_assert_msg(answer.status == 200, "%d %.*s", answer.status, TEXT_ARG(answer.body));
    return json_array_size(json_object_get(answer.json, "value"));
}

START_TEST(graph_reads)
{
    const char *bearer = graph_token();
    ck_assert_int_eq(
        found(
            graph("GET /v1.0/users?$filter=userPrincipalName%20eq%20'anna.MARIA@contoso.local'", bearer, "")),
        1);
    ck_assert_int_eq(found(graph("GET /v1.0/users?$filter=userPrincipalName+eq+'it''s'", bearer, "")), 0);
    ck_assert_int_eq(found(graph("GET /v1.0/users", bearer, "")), 1);
    ck_assert_int_eq(found(graph("GET /v1.0/users?$filter=", bearer, "")), 1);
    ck_assert_int_eq(
        found(graph(arena_printf(memory,
                                 "GET /v1.0/servicePrincipals?$filter=servicePrincipalNames/any(c:c%%20eq"
                                 "%%20'%s')",
                                 app_id),
                    bearer, "")),
        1);
    ck_assert_int_eq(
        found(graph("GET /v1.0/servicePrincipals?$filter=servicePrincipalNames/any(c:c%20eq%20'anna')",
                    bearer, "")),
        0);
    ck_assert_int_eq(
        found(graph("GET /v1.0/servicePrincipals?$filter=startswith(displayName,'BUI')", bearer, "")), 1);
    ck_assert_int_eq(
        found(graph("GET /v1.0/servicePrincipals?$filter=displayName%20eq%20'build'", bearer, "")), 0);
    ck_assert_int_eq(
        found(graph(arena_printf(memory, "GET /v1.0/applications?$filter=appId%%20eq%%20'%s'", app_id),
                    bearer, "")),
        1);
    ck_assert_int_eq(found(graph("GET /v1.0/groups?$filter=displayName%20eq%20'x'", bearer, "")), 0);
    struct answer one =
        graph(arena_printf(memory, "GET /v1.0/servicePrincipals/%s", app_object_id), bearer, "");
    ck_assert_str_eq(member(one, "appId"), app_id);
    ck_assert_int_eq(json_array_size(json_object_get(one.json, "passwordCredentials")), 1);
    one = graph("GET /v1.0/users/anna.maria@contoso.local?$select=id", bearer, "");
    ck_assert_str_eq(member(one, "id"), user_id);
    ck_assert_ptr_null(json_object_get(one.json, "displayName"));
    ck_assert_int_eq(graph(arena_printf(memory, "GET /v1.0/applications/%s", app_id), bearer, "").status,
                     200);
    ck_assert_int_eq(graph(arena_printf(memory, "GET /v1.0/directoryObjects/%s", user_id), bearer, "").status,
                     200);
    ck_assert_int_eq(graph(arena_printf(memory, "GET /v1.0/users/%s", app_object_id), bearer, "").status,
                     404);
    ck_assert_int_eq(graph("GET /v1.0/me", bearer, "").status, 400);
    const char *ids =
        arena_printf(memory, "{\"ids\":[\"%s\",\"%s\"],\"types\":[\"user\",\"group\",\"servicePrincipal\"]}",
                     user_id, app_object_id);
    ck_assert_int_eq(found(graph("POST /v1.0/directoryObjects/getByIds", bearer, ids)), 2);
    ids = arena_printf(memory, "{\"ids\":[\"%s\",\"%s\"],\"types\":[\"user\"]}", user_id, app_object_id);
    ck_assert_int_eq(found(graph("POST /v1.0/directoryObjects/getByIds", bearer, ids)), 1);
}
END_TEST

START_TEST(graph_pages)
{
    const char *bearer = graph_token();
    sql("insert into rbac.principal (tenant_id, kind, display_name, upn) select '%s', 'User', 'u', "
        "'u' || n || "
        "'@x' from generate_series(1, 24) n",
        site()->config->tenant_id);
    const char *line = "GET /v1.0/users?$top=10&$filter=startswith(displayName,'u')&$select=id";
    size_t pages = 0, total = 0;
    while (line) {
        struct answer answer = graph(line, bearer, "");
        total += found(answer);
        pages++;
        const char *next = json_string_value(json_object_get(answer.json, "@odata.nextLink"));
        line = next ? arena_printf(memory, "GET %s", next + strlen(site()->config->url_graph)) : NULL;
    }
    ck_assert_int_eq(pages, 3);
    ck_assert_int_eq(total, 24);
}
END_TEST

START_TEST(graph_refuses)
{
    const char *bearer = graph_token();
    const char *arm = member(token(client_form(app_secret)), "access_token");
    const char *const bad[] = {"/v1.0/users?$filter=userPrincipalName%20eq%20x",
                               "/v1.0/users?$filter=userPrincipalName%20eq%20'x",
                               "/v1.0/users?$filter=a%20eq%20'x'%20or%20b%20eq%20'y'",
                               "/v1.0/users?$filter=surname%20eq%20'x'",
                               "/v1.0/users?$top=0",
                               "/v1.0/users?$top=1000",
                               "/v1.0/users?$skiptoken=x",
                               "/v1.0/users?$orderby=x",
                               "/v1.0/nothing"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(graph(arena_printf(memory, "GET %s", bad[i]), bearer, "").status == 400, "%s", bad[i]);
    const char *const bodies[] = {"",
                                  "[]",
                                  "{}",
                                  "{\"ids\":[]}",
                                  "{\"ids\":[\"x\"]}",
                                  "{\"ids\":[7]}",
                                  "{\"ids\":\"x\"}",
                                  "{\"ids\":[],\"ids\":[]}",
                                  "{\"ids\":{}}"};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        ck_assert_int_eq(graph("POST /v1.0/directoryObjects/getByIds", bearer, bodies[i]).status, 400);
    ck_assert_int_eq(graph("GET /v1.0/users", "junk", "").status, 401);
    ck_assert_int_eq(graph("GET /v1.0/users", arm, "").status, 401);
    ck_assert_int_eq(ask(true, "GET /v1.0/users", "", "").status, 401);
    ck_assert_int_eq(graph("GET /v1.0/users/nobody", bearer, "").status, 404);
    ck_assert_int_eq(graph("GET /v1.0/groups/x", bearer, "").status, 404);
    struct answer write = graph("POST /v1.0/applications", bearer, "{}");
    ck_assert_int_eq(write.status, 403);
    ck_assert_str_eq(json_string_value(json_object_get(json_object_get(write.json, "error"), "code")),
                     "Authorization_RequestDenied");
}
END_TEST

Suite *suite_signin(void)
{
    Suite *suite = suite_create("signin");
    TCase *tests = tcase_create("signin");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, discovery);
    tcase_add_test(tests, client_credentials);
    tcase_add_test(tests, client_by_header);
    tcase_add_test(tests, password);
    tcase_add_test(tests, refresh);
    tcase_add_test(tests, passwords_are_remembered);
    tcase_add_test(tests, expired_secret);
    tcase_add_test(tests, rotation);
    tcase_add_test(tests, bad_requests);
    tcase_add_test(tests, device_code);
    tcase_add_test(tests, device_tries_are_bounded);
    tcase_add_test(tests, password_tries_are_bounded);
    tcase_add_test(tests, graph_reads);
    tcase_add_test(tests, graph_pages);
    tcase_add_test(tests, graph_refuses);
    suite_add_tcase(suite, tests);
    return suite;
}
