// The site, its two principals, and requests to it.
#include "signin_fixture.h"

#include "http/intake.h"
#include "rbac/directory.h"
#include "rbac/graph.h"
#include "rbac/jwt.h"
#include "rbac/keys.h"
#include "rbac/signin.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct arena *memory;
char user_id[37], app_object_id[37], app_id[37], app_secret[64];
static struct db_connection *connection;

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

void change(const char *kind, const char *name, const char *password)
{
    struct change what = {kind, text_of(name), text_of(password)};
    ck_assert_int_eq(db_transact(connection, run_change, &what), DB_COMMITTED);
}

static bool run_sql(struct db_transaction *tx, void *argument)
{
    DB_RUN0(tx, (const struct db_statement *)argument);
    return true;
}

void sql(const char *format, ...)
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
void signin_setup(void)
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

void signin_teardown(void)
{
    db_connection_free(connection);
    rbac_snapshot_stop();
    arena_free(memory);
}

static void drop_json(void *tree)
{
    json_decref(tree);
}

struct answer ask(bool graph, const char *line, const char *headers, const char *body)
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

struct answer post(const char *path, const char *form)
{
    return ask(false, arena_printf(memory, "POST %s", path), FORM, form);
}

struct answer token(const char *form)
{
    return post("/adfs/oauth2/token", form);
}

const char *member(struct answer answer, const char *name)
{
    const char *value = json_string_value(json_object_get(answer.json, name));
    return value ? value : "";
}

void expect_error(struct answer answer, int status, const char *error, const char *code)
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

struct rbac_verdict verify(const char *bearer, const char *const *audiences)
{
    struct question question = {text_of(bearer), audiences, {0}, TEXT_NONE, TEXT_NONE};
    ck_assert_int_eq(db_transact(connection, run_verify, &question), DB_COMMITTED);
    return question.verdict;
}

struct rbac_verdict check_password(const char *name, const char *password)
{
    struct question question = {TEXT_NONE, NULL, {0}, text_of(name), text_of(password)};
    ck_assert_int_eq(db_transact(connection, run_verify, &question), DB_COMMITTED);
    return question.verdict;
}

struct answer sign_in(void)
{
    return token("grant_type=password&client_id=" CLIENT
                 "&username=anna.maria%40CONTOSO.local&password=correct+horse&client_info=1" SCOPE);
}

const char *client_form(const char *secret)
{
    return arena_printf(memory,
                        "grant_type=client_credentials&client_id=%s&client_secret=%s&scope=%s/.default",
                        app_id, secret, AUDIENCE);
}

const json_t *claims_of(const char *jwt)
{
    struct jwt_parts parts;
    ck_assert(jwt_split(memory, text_of(jwt), &parts));
    return jwt_claims(memory, &parts);
}
