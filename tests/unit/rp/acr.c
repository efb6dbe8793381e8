// The lists and objects of /acr/v1, the events of pushes and deletions, and the retention of untagged
// manifests, on a real PostgreSQL.
#include "rp/images.h"

#include "base/arena.h"
#include "rp/data/acr.h"
#include "rp/data/event.h"
#include "rp/data/janitor.h"
#include "rp/data/manifests.h"
#include "rp/data/untagged.h"

#include <stdio.h>
#include <stdlib.h>

#define INDEX_TYPE "application/vnd.oci.image.index.v1+json"
#define HELM_CONFIG "application/vnd.cncf.helm.config.v1+json"

static void (*const list_tags)(struct registry_call *) = acr_tags_list;

// Walks a list to its end, `query` first; the names in the order they came, each behind a blank.
static const char *walk(struct client *client, void (*handle)(struct registry_call *), const char *query,
                        const char *key, struct arena *arena, int *pages)
{
    struct buffer names = buffer_new(arena);
    char next[512], mark[32];
    snprintf(mark, sizeof mark, "\"%s\":\"", key);
    snprintf(next, sizeof next, "%s", query);
    for (*pages = 0; next[0] && *pages < 200; ++*pages) {
        client->query = next;
        ck_assert_int_eq(client_run(client, HTTP_GET, handle, "a", NULL, NULL), 200);
        for (const char *at = client_body(client); (at = strstr(at, mark)) != NULL;) {
            at += strlen(mark);
            buffer_char(&names, ' ');
            buffer_text(&names, (struct text){at, strcspn(at, "\"")});
        }
        const char *link = client_header(client, "Link"), *from = strchr(link, '?'), *to = strchr(link, '>');
        snprintf(next, sizeof next, "%.*s", from && to ? (int)(to - from - 1) : 0, from ? from + 1 : "");
    }
    return text_cstr(arena, buffer_done(&names));
}

// Two repositories so that no row of another's shows; 3 of each digest's tags share one time.
static void seed_equal_times(void)
{
    registry_fixture_sql(
        "insert into acr.repository (registry_id, name, manifest_count, tag_count) values (1, 'a', 4, 12), "
        "(1, 'b', 1, 1);"
        "insert into acr.manifest (registry_id, repository_id, digest, media_type, content, updated_at)"
        " select 1, p.id, 'sha256:' || lpad(i::text, 64, '0'), 'x/y', '{}', '2026-01-01Z'::timestamptz + i / "
        "2 * interval '1 s'"
        " from generate_series(1, 4) i, acr.repository p where p.name = 'a' or i = 1;"
        "insert into acr.tag (repository_id, name, manifest_id, updated_at)"
        " select m.repository_id, 't' || right(m.digest, 1) || j, m.id, m.updated_at"
        " from acr.manifest m, generate_series(1, 3) j");
}

START_TEST(pages_are_stable_under_equal_times)
{
    registry_fixture_clear();
    struct client client = client_new();
    struct arena *arena = arena_new();
    int pages;
    seed_equal_times();
    const char *up = " t11 t12 t13 t21 t22 t23 t31 t32 t33 t41 t42 t43";
    const char *down = " t43 t42 t41 t33 t32 t31 t23 t22 t21 t13 t12 t11";
    for (int n = 1; n <= 13; n++) {
        ck_assert_str_eq(
            walk(&client, list_tags, arena_printf(arena, "n=%d&orderby=timeasc", n), "name", arena, &pages),
            up);
        ck_assert_int_eq(pages, (12 + n - 1) / n);
        ck_assert_str_eq(
            walk(&client, list_tags, arena_printf(arena, "n=%d&orderby=timedesc", n), "name", arena, &pages),
            down);
        ck_assert_str_eq(
            walk(&client, list_tags, arena_printf(arena, "n=%d&orderby=", n), "name", arena, &pages), up);
    }
    // The times: 1 | 2 and 3 | 4 seconds.
    const char *manifests =
        walk(&client, acr_manifests_list, "n=1&orderby=timedesc", "digest", arena, &pages);
    ck_assert_int_eq(pages, 4);
    ck_assert_ptr_nonnull(strstr(manifests, "4 sha256:"));
    ck_assert_ptr_nonnull(strstr(strstr(manifests, "4 sha256:"), "3 sha256:"));
    // What is pushed meanwhile moves nothing: the page behind t21 is the same.
    client.query = "n=4&orderby=timeasc";
    ck_assert_int_eq(client_run(&client, HTTP_GET, list_tags, "a", NULL, NULL), 200);
    char rest[256];
    const char *link = client_header(&client, "Link");
    snprintf(rest, sizeof rest, "%.*s", (int)(strchr(link, '>') - strchr(link, '?') - 1),
             strchr(link, '?') + 1);
    registry_fixture_sql("update acr.tag set updated_at = now() where name in ('t12', 't31')");
    ck_assert_str_eq(walk(&client, list_tags, rest, "name", arena, &pages),
                     " t22 t23 t32 t33 t41 t42 t43 t12 t31");
    arena_free(arena);
    client_free(&client);
}
END_TEST

START_TEST(tags_of_one_digest)
{
    registry_fixture_clear();
    struct client client = client_new();
    struct arena *arena = arena_new();
    char digest[72];
    int pages;
    seed_equal_times();
    blob_digest(2, digest);
    static const char *const orders[] = {"", "&orderby=timeasc", "&orderby=timedesc"};
    for (size_t i = 0; i < 3; i++) {
        const char *query = arena_printf(arena, "n=2&digest=%s%s", digest, orders[i]);
        ck_assert_str_eq(walk(&client, list_tags, query, "name", arena, &pages),
                         i == 2 ? " t23 t22 t21" : " t21 t22 t23");
        ck_assert_int_eq(pages, 2);
    }
    blob_digest(9, digest);
    ck_assert_str_eq(
        walk(&client, list_tags, arena_printf(arena, "digest=%s", digest), "name", arena, &pages), "");
    client.query = "digest=t21";
    ck_assert_int_eq(client_run(&client, HTTP_GET, list_tags, "a", NULL, NULL), 400);
    arena_free(arena);
    client_free(&client);
}
END_TEST

START_TEST(no_item_is_asked_for)
{
    registry_fixture_clear();
    struct client client = client_new();
    seed_equal_times();
    void (*const lists[])(struct registry_call *) = {list_tags, acr_manifests_list,
                                                     registry_tag_operations[0].handle,
                                                     registry_catalog_operations[0].handle};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        client.query = "n=0";
        ck_assert_int_eq(client_run(&client, HTTP_GET, lists[i], "a", NULL, NULL), 200);
        ck_assert_ptr_nonnull(strstr(client_body(&client), "[]"));
        ck_assert_str_eq(client_header(&client, "Link"), "");
    }
    client_free(&client);
}
END_TEST

// A page of manifests ends where what they list becomes too much; a hidden tag is still a tag (S9).
START_TEST(a_page_of_manifests_is_bounded)
{
    registry_fixture_clear();
    struct client client = client_new();
    struct arena *arena = arena_new();
    int pages;
    seed_equal_times();
    registry_fixture_sql("update acr.manifest set media_type = '" INDEX_TYPE
                         "', content = repeat('x', 3 * 1024 * 1024)::bytea"
                         " where right(digest, 1) <> '4'");
    const char *all = walk(&client, acr_manifests_list, "n=100", "digest", arena, &pages);
    ck_assert_int_eq(pages, 2); // two, and two
    ck_assert_int_eq((int)strlen(all), 4 * 72);
    registry_fixture_sql("delete from acr.tag where right(name, 1) <> '1' or left(name, 2) = 't3';"
                         "update acr.tag set list_enabled = false where name = 't21'");
    client.query = "n=100&last=sha256:0000000000000000000000000000000000000000000000000000000000000001";
    ck_assert_int_eq(client_run(&client, HTTP_GET, acr_manifests_list, "a", NULL, NULL), 200);
    ck_assert_ptr_nonnull(strstr(client_body(&client), "\"mediaType\":\"" INDEX_TYPE
                                                       "\",\"tags\":[\"t21\"],\"changeableAttributes\""));
    ck_assert_ptr_nonnull(
        strstr(client_body(&client), "\"mediaType\":\"" INDEX_TYPE "\",\"changeableAttributes\""));
    arena_free(arena);
    client_free(&client);
}
END_TEST

// "action repository tag digest size" of each event, in order, and their count.
static long events(const char *condition)
{
    return registry_fixture_number("select count(*) from acr.event where %s", condition);
}

START_TEST(each_act_is_an_event)
{
    registry_fixture_clear();
    struct client client = client_new();
    struct arena *arena = arena_new();
    char one[4096], two[4096];
    add_blobs("a", 1, 3);
    image(one, sizeof one, 1, 2, 0);
    image(two, sizeof two, 1, 3, 0);
    ck_assert_int_eq(put(&client, "a", "v1", one), 201);
    ck_assert_int_eq(put(&client, "a", "v2", one), 201);
    ck_assert_int_eq(put(&client, "a", image_digest(arena, two), two), 201);
    ck_assert_int_eq(put(&client, "a", "v1", "{"), 400); // what is refused did not happen
    ck_assert_int_eq(events("true"), 3);
    ck_assert_int_eq(
        events(arena_printf(
            arena,
            "action = 'push' and registry_id = 1 and repository = 'a' and tag = 'v1' and digest = '%s'"
            " and size = %zu and media_type = 'application/vnd.oci.image.manifest.v1+json'"
            " and request_id = '33333333-3333-3333-3333-333333333333' and method = 'PUT'"
            " and host = 'registry1.azsacr.local.azurestack.external' and user_agent = 'docker/20.10'",
            image_digest(arena, one), strlen(one))),
        1);
    ck_assert_int_eq(events("action = 'push' and tag is null"), 1);
    ck_assert_int_eq(client_run(&client, HTTP_DELETE, acr_tag_delete, "a", "v2", NULL), 202);
    ck_assert_int_eq(events("action = 'delete' and tag = 'v2' and size = 0 and method = 'DELETE'"), 1);
    ck_assert_int_eq(put(&client, "a", "v3", one), 201);
    ck_assert_int_eq(client_run(&client, HTTP_DELETE, manifest_delete, "a", image_digest(arena, one), NULL),
                     202);
    ck_assert_int_eq(events("action = 'delete'"), 4); // the untagging, the manifest, its two tags
    ck_assert_int_eq(events("action = 'delete' and tag in ('v1', 'v3')"), 2);
    ck_assert_int_eq(events("action = 'delete' and tag is null"), 1);
    ck_assert_int_eq(put(&client, "a", "v4", one), 201);
    ck_assert_int_eq(client_run(&client, HTTP_DELETE, acr_repository_delete, "a", NULL, NULL), 202);
    ck_assert_int_eq(events("action = 'delete' and tag is null"), 3); // each manifest once
    ck_assert_int_eq(events("action like 'chart%%'"), 0);
    arena_free(arena);
    client_free(&client);
}
END_TEST

START_TEST(charts_have_events_of_their_own)
{
    registry_fixture_clear();
    struct client client = client_new();
    struct arena *arena = arena_new();
    char digest[72];
    add_blobs("charts/app", 1, 1);
    blob_digest(1, digest);
    const char *chart = arena_printf(arena,
                                     "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"" HELM_CONFIG
                                     "\",\"digest\":\"%s\",\"size\":1001},\"layers\":[]}",
                                     digest);
    ck_assert_int_eq(put(&client, "charts/app", "1.0.0", chart), 201);
    ck_assert_int_eq(events("action = 'push' and tag = '1.0.0'"), 1);
    ck_assert_int_eq(events("action = 'chart_push' and tag = '1.0.0'"), 1);
    ck_assert_int_eq(client_run(&client, HTTP_DELETE, acr_repository_delete, "charts/app", NULL, NULL), 202);
    ck_assert_int_eq(events("action = 'chart_delete'"), 1);
    ck_assert_int_eq(registry_fixture_number("select count(distinct id) from acr.event"), 4);
    arena_free(arena);
    client_free(&client);
}
END_TEST

static bool forget(struct db_transaction *tx, void *argument)
{
    int64_t *limits = argument;
    limits[2] = (int64_t)event_forget(tx, limits[0], limits[1]);
    return true;
}

START_TEST(events_are_forgotten)
{
    registry_fixture_clear();
    struct client client = client_new();
    registry_fixture_sql(
        "insert into acr.event (registry_id, action, repository, digest, media_type, size, at)"
        " select 1, 'push', 'a', 'd', 'm', 0, now() - (2500 - i) * interval '1 minute'"
        " from generate_series(1, 2500) i");
    int64_t limits[3] = {24 * 3600 * 1000, 1000000, 0};
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(db_transact(client.connection, forget, limits), DB_COMMITTED);
    ck_assert_int_eq(limits[2], 0);
    ck_assert_int_eq(events("true"), 1440);
    ck_assert_int_eq(events("at < now() - interval '1 day'"), 0);
    limits[1] = 100; // and no more than so many
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(db_transact(client.connection, forget, limits), DB_COMMITTED);
    ck_assert_int_eq(events("true"), 100);
    struct janitor janitor = {0};
    registry_fixture_sql("update acr.event set at = now() - interval '2 days'");
    janitor_turn(&janitor, client.connection);
    ck_assert_int_eq(events("true"), 0);
    client_free(&client);
}
END_TEST

// A repository whose last image went is not there for users; its next image makes a new one.
START_TEST(a_repository_begins_anew)
{
    registry_fixture_clear();
    struct client client = client_new();
    struct arena *arena = arena_new();
    char body[4096];
    add_blobs("a", 1, 2);
    image(body, sizeof body, 1, 2, 0);
    ck_assert_int_eq(put(&client, "a", "v1", body), 201);
    ck_assert_int_eq(client_run(&client, HTTP_PATCH, acr_repository_update, "a", NULL,
                                "{\"listEnabled\":false,\"readEnabled\":false}"),
                     200);
    ck_assert_int_eq(client_run(&client, HTTP_DELETE, manifest_delete, "a", image_digest(arena, body), NULL),
                     202);
    ck_assert_int_eq(client_run(&client, HTTP_GET, acr_repository_get, "a", NULL, NULL), 404);
    ck_assert_int_eq(client_run(&client, HTTP_PATCH, acr_repository_update, "a", NULL, "{}"), 404);
    registry_fixture_sql("update acr.repository set created_at = '2020-01-01Z'");
    ck_assert_int_eq(put(&client, "a", "v1", body), 201);
    ck_assert_int_eq(client_run(&client, HTTP_GET, acr_repository_get, "a", NULL, NULL), 200);
    ck_assert_ptr_nonnull(
        strstr(client_body(&client), "\"readEnabled\":true,\"listEnabled\":true,\"teleportEnabled\":false"));
    ck_assert_int_eq(
        registry_fixture_number("select count(*) from acr.repository where created_at < '2026-01-01Z'"), 0);
    arena_free(arena);
    client_free(&client);
}
END_TEST

static void remove_untagged(struct client *client)
{
    for (int64_t after = 0; untagged_walk(client->connection, 24 * 3600 * 1000, &after);)
        ;
}

START_TEST(untagged_manifests_go_where_a_retention_is_set)
{
    registry_fixture_clear();
    struct client client = client_new();
    struct arena *arena = arena_new();
    char body[5][4096];
    const char *digest[5];
    add_blobs("a", 1, 6);
    for (int i = 0; i < 5; i++)
        digest[i] = image_digest(arena, image(body[i], sizeof body[i], 1, 2 + i, 0));
    const char *index = arena_printf(
        arena, "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"x/y\",\"digest\":\"%s\",\"size\":%zu}]}",
        digest[0], strlen(body[0]));
    const char *signature = arena_printf(
        arena,
        "{\"artifactType\":\"sig\",\"subject\":{\"mediaType\":\"x/y\",\"digest\":\"%s\",\"size\":%zu}}",
        digest[1], strlen(body[1]));
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(put(&client, "a", i == 1 ? "kept" : digest[i], body[i]), 201);
    client.content_type = INDEX_TYPE;
    ck_assert_int_eq(put(&client, "a", image_digest(arena, index), index), 201);
    client.content_type = "application/vnd.oci.artifact.manifest.v1+json";
    ck_assert_int_eq(put(&client, "a", image_digest(arena, signature), signature), 201);
    ck_assert_int_eq(
        client_run(&client, HTTP_PATCH, acr_manifest_update, "a", digest[2], "{\"deleteEnabled\":false}"),
        200);
    remove_untagged(&client); // nothing is old
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.manifest"), 7);
    registry_fixture_sql(
        "update acr.manifest set updated_at = now() - interval '2 days' where digest <> '%s'", digest[3]);
    remove_untagged(&client);
    // The index and one image went; its child had not been alone for so long.
    ck_assert_int_eq(registry_fixture_number("select manifest_count from acr.repository"), 5);
    ck_assert_int_eq(
        registry_fixture_number("select count(*) from acr.manifest where repository_id = (select id from"
                                " acr.repository where deleted_at is null) and digest in ('%s', '%s')",
                                digest[4], image_digest(arena, index)),
        0);
    remove_untagged(&client); // the child: no index lists it any longer
    ck_assert_int_eq(registry_fixture_number("select manifest_count from acr.repository"), 4);
    ck_assert_int_eq(events("action = 'delete' and request_id is null and host is null"), 3);
    // Untagging starts the clock, for the manifest that a tag leaves as well.
    registry_fixture_sql("update acr.manifest set updated_at = now() - interval '2 days'");
    ck_assert_int_eq(put(&client, "a", "kept", body[3]), 201);
    remove_untagged(&client);
    ck_assert_int_eq(registry_fixture_number("select manifest_count from acr.repository"), 4);
    check_counts();
    arena_free(arena);
    client_free(&client);
}
END_TEST

// decisions 28: what the operator may set.
START_TEST(what_is_protected_is_a_setting)
{
    registry_fixture_clear();
    struct client client = client_new();
    struct arena *arena = arena_new();
    char body[4096];
    add_blobs("a", 1, 2);
    const char *digest = image_digest(arena, image(body, sizeof body, 1, 2, 0));
    const char *index = arena_printf(arena,
                                     "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"x/y\",\"digest\":"
                                     "\"%s\",\"size\":%zu}]}",
                                     digest, strlen(body));
    const char *signature = arena_printf(
        arena,
        "{\"artifactType\":\"sig\",\"subject\":{\"mediaType\":\"x/y\",\"digest\":\"%s\",\"size\":%zu}}",
        digest, strlen(body));
    ck_assert_int_eq(put(&client, "a", "v1", body), 201);
    client.content_type = INDEX_TYPE;
    ck_assert_int_eq(put(&client, "a", "multi", index), 201);
    client.content_type = "application/vnd.oci.artifact.manifest.v1+json";
    ck_assert_int_eq(put(&client, "a", image_digest(arena, signature), signature), 201);
    registry_fixture_config()->protect = "children+referrers";
    ck_assert_int_eq(client_run(&client, HTTP_DELETE, manifest_delete, "a", digest, NULL), 405);
    ck_assert_int_eq(
        client_run(&client, HTTP_DELETE, manifest_delete, "a", image_digest(arena, signature), NULL), 405);
    ck_assert_ptr_nonnull(
        strstr(client_body(&client),
               arena_printf(arena, "The manifest refers to %s, which is still there", digest)));
    registry_fixture_config()->protect = "none";
    ck_assert_int_eq(client_run(&client, HTTP_DELETE, manifest_delete, "a", digest, NULL), 202);
    registry_fixture_config()->protect = "children+referrers";
    ck_assert_int_eq(
        client_run(&client, HTTP_DELETE, manifest_delete, "a", image_digest(arena, signature), NULL), 202);
    registry_fixture_config()->protect = "children";
    check_counts();
    arena_free(arena);
    client_free(&client);
}
END_TEST

Suite *suite_acr(void);
Suite *suite_acr(void)
{
    Suite *suite = suite_create("acr");
    TCase *tcase = tcase_create("registry");
    tcase_add_unchecked_fixture(tcase, registry_fixture_start, registry_fixture_stop);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, pages_are_stable_under_equal_times);
    tcase_add_test(tcase, tags_of_one_digest);
    tcase_add_test(tcase, no_item_is_asked_for);
    tcase_add_test(tcase, a_page_of_manifests_is_bounded);
    tcase_add_test(tcase, each_act_is_an_event);
    tcase_add_test(tcase, charts_have_events_of_their_own);
    tcase_add_test(tcase, events_are_forgotten);
    tcase_add_test(tcase, a_repository_begins_anew);
    tcase_add_test(tcase, untagged_manifests_go_where_a_retention_is_set);
    tcase_add_test(tcase, what_is_protected_is_a_setting);
    suite_add_tcase(suite, tcase);
    return suite;
}
