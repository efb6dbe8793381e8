// The directory's host: what it reads and what it refuses.
#include "signin_fixture.h"

Suite *suite_graph(void);

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

Suite *suite_graph(void)
{
    Suite *suite = suite_create("graph");
    TCase *tests = tcase_create("graph");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, signin_setup, signin_teardown);
    tcase_add_test(tests, graph_reads);
    tcase_add_test(tests, graph_pages);
    tcase_add_test(tests, graph_refuses);
    suite_add_tcase(suite, tests);
    return suite;
}
