// Blobs as the door's two lanes ask for them.
#include "rp/data/registry_row.h"
#include "rp/upload_fixture.h"

#include <stdio.h>
#include <stdlib.h>

Suite *suite_blobs(void);

static struct arena *arena;
static struct http_answer answer;

static void set_up(void)
{
    arena = arena_new();
    upload_fixture_enter();
}

static void tear_down(void)
{
    upload_fixture_leave();
    arena_free(arena);
}

static void push(const char *repository, const char *bytes)
{
    struct sent *sent = send_text("POST",
                                  arena_printf(arena, "/v2/%s/blobs/uploads/?digest=%s", repository,
                                               digest_text(arena, text_of(bytes)).base),
                                  NULL, bytes);
    ck_assert_int_eq(sent->answer.status, 201);
    sent_free(sent);
}

static const struct registry_operation *operation_named(const char *name)
{
    const struct registry_operation *operation = registry_blob_operations;
    while (operation->http.path && strcmp(operation->http.name, name) != 0)
        operation++;
    ck_assert_ptr_nonnull(operation->http.path);
    return operation;
}

struct asked {
    struct registry_call call;
    bool on_loop; // the read lane first; what it leaves goes to the handler
    bool by_loop; // who answered
};

static bool run(struct db_transaction *tx, void *argument)
{
    struct asked *asked = argument;
    struct registry_call *call = &asked->call;
    call->tx = tx;
    http_answer_reset(call->answer);
    call->failed = asked->by_loop = false;
    if (asked->on_loop && call->operation->read) {
        struct db_value values[4] = {db_text(call->registry.login_key)};
        size_t count = 0;
        if (call->operation->read->prepare(call, values + 1, &count)) {
            const struct db_result *row = db_run(tx, call->operation->read->statement, values, count + 1);
            asked->by_loop = call->operation->read->answer(call, row);
        }
    }
    if (!asked->by_loop)
        call->operation->handle(call);
    return !call->failed;
}

// The status; `loop` tells whether the read lane must have answered.
static int ask(const char *name, const char *repository, const char *digest, const char *known, bool loop)
{
    const struct registry_operation *operation = operation_named(name);
    struct http_field field = {TEXT("if-none-match"), text_of(known)};
    struct http_request request = {.arena = arena,
                                   .method = operation->http.method,
                                   .path = TEXT("/"),
                                   .headers = &field,
                                   .header_count = known ? 1 : 0};
    struct asked asked = {.on_loop = true};
    asked.call = (struct registry_call){
        .arena = arena,
        .request = &request,
        .answer = &answer,
        .operation = operation,
        .repository = text_of(repository),
        .registry = {.id = FIXTURE_REGISTRY, .login_key = TEXT("registry1"), .quota = (int64_t)1 << 40}};
    asked.call.route.parameter_count = 1;
    asked.call.route.parameters[0].name = "digest";
    asked.call.route.parameters[0].name_length = 6;
    asked.call.route.parameters[0].value = text_of(digest);
    struct db_connection *connection = registry_fixture_connect();
    enum db_outcome outcome = db_transact(connection, run, &asked);
    for (size_t i = 0; i < answer.header_count; i++) // they may be the transaction's
        answer.headers[i].value = text_copy(arena, answer.headers[i].value);
    db_connection_free(connection);
    ck_assert(outcome == DB_COMMITTED || asked.call.failed);
    ck_assert_int_eq(asked.by_loop, loop);
    return answer.status;
}

static const char *header(const char *name)
{
    for (size_t i = 0; i < answer.header_count; i++)
        if (text_is_nocase(answer.headers[i].name, name))
            return text_cstr(arena, answer.headers[i].value);
    return "";
}

START_TEST(a_get_names_the_file)
{
    const char *digest = digest_text(arena, TEXT("abc")).base;
    push("r", "abc");
    ck_assert_int_eq(ask("Blobs_Get", "r", digest, NULL, true), 200);
    ck_assert_int_eq(strncmp(header("X-Accel-Redirect"), "/_store/", 8), 0);
    ck_assert_str_eq(header("Docker-Content-Digest"), digest);
    ck_assert_str_eq(header("Content-Type"), "application/octet-stream");
    ck_assert_str_eq(header("ETag"), arena_printf(arena, "\"%s\"", digest));
    ck_assert_int_eq(ask("Blobs_Get", "r", digest, header("ETag"), true), 304);
    ck_assert_str_eq(header("X-Accel-Redirect"), "");
    ck_assert_int_eq(ask("Blobs_Get", "other", digest, NULL, false), 404);
    ck_assert_int_eq(ask("Blobs_Get", "r", digest_text(arena, TEXT("x")).base, NULL, false), 404);
    ck_assert_int_eq(ask("Blobs_Get", "r", "sha256:12", NULL, false), 400);
    registry_fixture_sql("update acr.repository set read_enabled = false");
    ck_assert_int_eq(ask("Blobs_Get", "r", digest, NULL, false), 405);
}
END_TEST

START_TEST(a_head_promises_once_in_a_while)
{
    const char *digest = digest_text(arena, TEXT("abc")).base;
    push("r", "abc");
    ck_assert_int_eq(ask("Blobs_Head", "r", digest, NULL, false), 200);
    ck_assert_int_eq(answer.head_length, 3);
    ck_assert_int_eq(ask("Blobs_Head", "r", digest, NULL, true), 200);
    ck_assert_int_eq(answer.head_length, 3);
    registry_fixture_sql("update acr.blob set touched = touched - interval '6 minutes'");
    ck_assert_int_eq(ask("Blobs_Head", "r", digest, NULL, false), 200);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.blob"
                                             " where touched > now() - interval '1 minute'"),
                     1);
    ck_assert_int_eq(ask("Blobs_Head", "r", digest_text(arena, TEXT("x")).base, NULL, false), 404);
}
END_TEST

START_TEST(a_delete_takes_the_link_and_then_the_blob)
{
    const char *digest = digest_text(arena, TEXT("abc")).base;
    push("r", "abc");
    push("s", "abc");
    registry_fixture_sql(
        "with m as (insert into acr.manifest (registry_id, repository_id, digest, media_type, content)"
        " select 1, id, 'sha256:m', 'x', '' from acr.repository where name = 's'"
        " returning id, repository_id)"
        " insert into acr.manifest_ref (manifest_id, repository_id, registry_id, digest)"
        " select id, repository_id, 1, '%s' from m",
        digest);
    ck_assert_int_eq(ask("Blobs_Delete", "s", digest, NULL, false), 405);
    ck_assert_int_eq(ask("Blobs_Delete", "r", digest, NULL, false), 202);
    ck_assert_int_eq(ask("Blobs_Delete", "r", digest, NULL, false), 404);
    ck_assert_int_eq(ask("Blobs_Delete", "nowhere", digest, NULL, false), 404);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.blob"), 1);
    registry_fixture_sql("delete from acr.manifest_ref");
    registry_fixture_sql("update acr.repository set delete_enabled = false");
    ck_assert_int_eq(ask("Blobs_Delete", "s", digest, NULL, false), 405);
    registry_fixture_sql("update acr.repository set delete_enabled = true");
    ck_assert_int_eq(ask("Blobs_Delete", "s", digest, NULL, false), 202);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.blob"), 0);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.garbage"), 2);
}
END_TEST

Suite *suite_blobs(void)
{
    Suite *suite = suite_create("blobs");
    TCase *tests = tcase_create("blobs");
    tcase_set_timeout(tests, 60);
    tcase_add_unchecked_fixture(tests, upload_fixture_start, upload_fixture_stop);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_get_names_the_file);
    tcase_add_test(tests, a_head_promises_once_in_a_while);
    tcase_add_test(tests, a_delete_takes_the_link_and_then_the_blob);
    suite_add_tcase(suite, tests);
    return suite;
}
