// Manifests, tags and deletes on a real PostgreSQL: usage is exact after whatever happened, one after another
// or at once.
#include "rp/images.h"

#include "base/arena.h"
#include "rp/data/acr.h"
#include "rp/data/content.h"
#include "rp/data/manifests.h"
#include "rp/data/store.h"

#include <stdio.h>
#include <stdlib.h>

#define INDEX_TYPE "application/vnd.oci.image.index.v1+json"

START_TEST(push_counts_exactly)
{
    registry_fixture_clear();
    struct client client = client_new();
    struct arena *arena = arena_new();
    char body[4096], other[4096];
    add_blobs("a", 1, 4);
    add_blobs("b", 1, 4);
    image(body, sizeof body, 1, 3, 0);
    ck_assert_int_eq(put(&client, "a", "v1", body), 201);
    ck_assert_str_eq(client_header(&client, "Docker-Content-Digest"), image_digest(arena, body));
    ck_assert_int_eq(usage(), 1001 + 1002 + 1003 + (long)strlen(body));
    ck_assert_int_eq(put(&client, "a", "v1", body), 201); // again: nothing changes
    ck_assert_int_eq(put(&client, "a", image_digest(arena, body), body), 201);
    ck_assert_int_eq(usage(), 3006 + (long)strlen(body));
    ck_assert_int_eq(put(&client, "b", "v1", body), 201); // another repository: only the manifest's bytes
    ck_assert_int_eq(usage(), 3006 + 2 * (long)strlen(body));
    image(other, sizeof other, 1, 4, 0);
    ck_assert_int_eq(put(&client, "a", "v1", other), 201); // the tag moves, the old manifest stays
    ck_assert_int_eq(usage(), 3006 + 1004 + 2 * (long)strlen(body) + (long)strlen(other));
    check_counts();
    ck_assert_int_eq(client_run(&client, HTTP_DELETE, manifest_delete, "a", image_digest(arena, other), NULL),
                     202);
    ck_assert_int_eq(client_run(&client, HTTP_DELETE, manifest_delete, "a", image_digest(arena, other), NULL),
                     404);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.tag"), 1);
    ck_assert_int_eq(client_run(&client, HTTP_DELETE, manifest_delete, "b", "v1", NULL), 202); // untag
    ck_assert_int_eq(client_run(&client, HTTP_DELETE, manifest_delete, "b", "v1", NULL), 404);
    ck_assert_int_eq(usage(), 3006 + 2 * (long)strlen(body));
    check_counts();
    arena_free(arena);
    client_free(&client);
}
END_TEST

START_TEST(refusals_change_nothing)
{
    registry_fixture_clear();
    struct client client = client_new();
    char body[4096];
    add_blobs("a", 1, 2);
    image(body, sizeof body, 1, 3, 0); // layer 3 is missing
    ck_assert_int_eq(put(&client, "a", "v1", body), 404);
    ck_assert_ptr_nonnull(strstr(client_body(&client), "MANIFEST_BLOB_UNKNOWN"));
    ck_assert_ptr_nonnull(strstr(client_body(&client), "0000003"));
    ck_assert_int_eq(put(&client, "new/one", "v1", body), 404);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.repository"), 1); // rolled back
    image(body, sizeof body, 1, 2, 0);
    client.quota = 2003;
    ck_assert_int_eq(put(&client, "a", "v1", body), 405);
    ck_assert_ptr_nonnull(strstr(client_body(&client), "2003 bytes"));
    client.quota = 2003 + (int64_t)strlen(body);
    ck_assert_int_eq(put(&client, "a", "v1", body), 201);
    client.quota = 0; // lowered below what is there: repeating a push and deleting go on
    ck_assert_int_eq(put(&client, "a", "v2", body), 201);
    ck_assert_int_eq(put(&client, "a", "-x", body), 400);
    ck_assert_ptr_nonnull(strstr(client_body(&client), "TAG_INVALID"));
    ck_assert_int_eq(put(&client, "a", "sha256:12", body), 400);
    ck_assert_ptr_nonnull(strstr(client_body(&client), "DIGEST_INVALID"));
    char wrong[72];
    blob_digest(9, wrong);
    ck_assert_int_eq(put(&client, "a", wrong, body), 400);
    ck_assert_int_eq(put(&client, "a", "v1", "{"), 400);
    ck_assert_int_eq(put(&client, "a", "v1", NULL), 400);
    *strstr(body, "1002") = '2'; // the layer's size
    ck_assert_int_eq(put(&client, "a", "v1", body), 400);
    ck_assert_ptr_nonnull(strstr(client_body(&client), "MANIFEST_INVALID"));
    check_counts();
    client_free(&client);
}
END_TEST

START_TEST(indexes_and_their_children)
{
    registry_fixture_clear();
    struct client client = client_new();
    struct arena *arena = arena_new();
    char one[4096], two[4096];
    add_blobs("a", 1, 5);
    image(one, sizeof one, 1, 3, 0);
    image(two, sizeof two, 2, 4, 0);
    const char *d1 = image_digest(arena, one), *d2 = image_digest(arena, two);
    char cache[72];
    blob_digest(5, cache);
    const char *index = arena_printf(arena,
                                     "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"x/"
                                     "y\",\"digest\":\"%s\",\"size\":%zu,\"platform\":"
                                     "{\"architecture\":\"arm64\",\"os\":\"li\\\"n,ux\\\\\"}},{\"mediaType\":"
                                     "\"x/y\",\"digest\":\"%s\",\"size\":%zu},"
                                     "{\"mediaType\":\"x/cache\",\"digest\":\"%s\",\"size\":1005}]}",
                                     d1, strlen(one), d2, strlen(two), cache);
    client.content_type = INDEX_TYPE;
    ck_assert_int_eq(put(&client, "a", "multi", index), 404);
    ck_assert_int_eq(put(&client, "a", d1, one), 201);
    ck_assert_int_eq(put(&client, "a", d2, two), 201);
    ck_assert_int_eq(put(&client, "a", "multi", index), 201);
    check_counts();
    ck_assert_int_eq(
        registry_fixture_number("select image_size from acr.manifest where media_type = '" INDEX_TYPE "'"),
        1001 + 1002 + 1003 + 1004 + 1005);
    ck_assert_int_eq(client_run(&client, HTTP_GET, acr_manifest_get, "a", image_digest(arena, index), NULL),
                     200);
    ck_assert_ptr_nonnull(strstr(client_body(&client), "\"os\":\"li\\\"n,ux\\\\\"}"));
    // A child of a tagged index stays; through an index in between, too.
    ck_assert_int_eq(client_run(&client, HTTP_DELETE, manifest_delete, "a", d1, NULL), 405);
    ck_assert_ptr_nonnull(strstr(client_body(&client), image_digest(arena, index)));
    const char *outer = arena_printf(
        arena, "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"x/y\",\"digest\":\"%s\",\"size\":%zu}]}",
        image_digest(arena, index), strlen(index));
    ck_assert_int_eq(put(&client, "a", "outer", outer), 201);
    ck_assert_int_eq(client_run(&client, HTTP_DELETE, manifest_delete, "a", "multi", NULL), 202);
    ck_assert_int_eq(client_run(&client, HTTP_DELETE, manifest_delete, "a", d1, NULL), 405);
    ck_assert_int_eq(client_run(&client, HTTP_DELETE, manifest_delete, "a", "outer", NULL), 202);
    ck_assert_int_eq(client_run(&client, HTTP_DELETE, manifest_delete, "a", d1, NULL), 202);
    check_counts();
    arena_free(arena);
    client_free(&client);
}
END_TEST

static int patch(struct client *client, void (*handle)(struct registry_call *), const char *reference,
                 const char *body)
{
    return client_run(client, HTTP_PATCH, handle, "a", reference, body);
}

// A refusal names what is locked.
static void says(struct client *client, const char *sentence)
{
    ck_assert_msg(strstr(client_body(client), sentence) != NULL, "%s: %s", sentence, client_body(client));
}

START_TEST(locks)
{
    registry_fixture_clear();
    struct client client = client_new();
    struct arena *arena = arena_new();
    char one[4096], two[4096];
    add_blobs("a", 1, 3);
    image(one, sizeof one, 1, 3, 0);
    image(two, sizeof two, 1, 3, 1);
    const char *d1 = image_digest(arena, one);
    ck_assert_int_eq(put(&client, "a", "v1", one), 201);
    ck_assert_int_eq(put(&client, "a", "v2", one), 201);
    ck_assert_int_eq(patch(&client, acr_tag_update, "v1", "{\"writeEnabled\":false}"), 200);
    ck_assert_ptr_nonnull(strstr(client_body(&client), "\"writeEnabled\":false,\"readEnabled\":true"));
    ck_assert_int_eq(put(&client, "a", "v1", two), 405);
    says(&client, "The tag 'v1' is locked: its attribute writeEnabled is false");
    ck_assert_int_eq(put(&client, "a", "v2", two), 201); // a tag's lock protects no other tag
    ck_assert_int_eq(client_run(&client, HTTP_DELETE, manifest_delete, "a", d1, NULL), 405);
    says(&client, "The tag 'v1' is locked: its attribute writeEnabled is false");
    ck_assert_int_eq(client_run(&client, HTTP_DELETE, manifest_delete, "a", "v1", NULL), 405);
    ck_assert_int_eq(client_run(&client, HTTP_DELETE, acr_repository_delete, "a", NULL, NULL), 405);
    says(&client, "The tag 'v1' is locked: its attribute writeEnabled is false");
    ck_assert_int_eq(patch(&client, acr_tag_update, "v1", "{\"writeEnabled\":true,\"deleteEnabled\":false}"),
                     200);
    ck_assert_int_eq(client_run(&client, HTTP_DELETE, acr_tag_delete, "a", "v1", NULL), 405);
    says(&client, "The tag 'v1' is locked: its attribute deleteEnabled is false");
    ck_assert_int_eq(put(&client, "a", "v1", two), 201);
    ck_assert_int_eq(patch(&client, acr_tag_update, "v1", "{\"deleteEnabled\":true}"), 200);
    ck_assert_int_eq(patch(&client, acr_manifest_update, d1, "{\"writeEnabled\":false}"), 200);
    ck_assert_int_eq(put(&client, "a", "v3", one), 405);
    says(&client,
         arena_printf(arena, "The manifest '%s' is locked: its attribute writeEnabled is false", d1));
    ck_assert_int_eq(patch(&client, acr_manifest_update, d1, "{\"writeEnabled\":true}"), 200);
    ck_assert_int_eq(patch(&client, acr_repository_update, NULL, "{\"writeEnabled\":false}"), 200);
    ck_assert_int_eq(put(&client, "a", "v4", two), 405);
    says(&client, "The repository 'a' is locked: its attribute writeEnabled is false");
    ck_assert_int_eq(patch(&client, acr_repository_update, NULL, "{\"writeEnabled\":true}"), 200);
    ck_assert_int_eq(patch(&client, acr_repository_update, NULL, "{\"writeEnabled\":1}"), 400);
    ck_assert_int_eq(patch(&client, acr_repository_update, NULL, "{\"other\":true}"), 400);
    ck_assert_int_eq(patch(&client, acr_repository_update, NULL, "[]"), 400);
    ck_assert_int_eq(patch(&client, acr_repository_update, NULL, ""), 400);
    ck_assert_int_eq(patch(&client, acr_tag_update, "nope", "{}"), 404);
    ck_assert_int_eq(patch(&client, acr_manifest_update, "nope", "{}"), 404);
    check_counts();
    arena_free(arena);
    client_free(&client);
}
END_TEST

struct job_run {
    const char *kind;
    enum job_verdict verdict;
};

static bool run_step(struct db_transaction *tx, void *argument)
{
    static const struct db_statement next = {
        "test_job_next", "select payload from azsacr.job where kind = $1 order by created_at limit 1"};
    struct job_run *job_run = argument;
    const struct db_result *row = DB_RUN(tx, &next, db_string(job_run->kind));
    struct job job = {.kind = job_run->kind, .payload = db_get(row, 0, 0)};
    struct job_step step = {.job = &job, .arena = db_arena(tx)};
    for (const struct job_kind *kind = content_job_kinds; kind->name; kind++)
        if (strcmp(kind->name, job_run->kind) == 0)
            job_run->verdict = kind->step(tx, &step);
    return true;
}

static int run_job(struct client *client, const char *kind)
{
    struct job_run job_run = {kind, JOB_AGAIN};
    int steps = 0;
    for (; job_run.verdict == JOB_AGAIN && steps < 1000; steps++)
        ck_assert_int_eq(db_transact(client->connection, run_step, &job_run), DB_COMMITTED);
    ck_assert_int_eq(job_run.verdict, JOB_DONE);
    return steps;
}

static bool drop_registry(struct db_transaction *tx, void *argument)
{
    (void)argument;
    registry_content_drop(tx, FIXTURE_REGISTRY);
    return true;
}

START_TEST(repository_and_registry_go)
{
    registry_fixture_clear();
    struct client client = client_new();
    char body[4096];
    add_blobs("a", 1, 3);
    add_blobs("b", 2, 5);
    for (int i = 0; i < 5; i++) {
        char tag[16];
        snprintf(tag, sizeof tag, "v%d", i);
        ck_assert_int_eq(put(&client, "a", tag, image(body, sizeof body, 1, 3, i)), 201);
        ck_assert_int_eq(put(&client, "b", tag, image(body, sizeof body, 2, 4, i)), 201);
    }
    ck_assert_int_eq(client_run(&client, HTTP_DELETE, acr_repository_delete, "a", NULL, NULL), 202);
    ck_assert_ptr_nonnull(
        strstr(client_body(&client), "\"tagsDeleted\":[\"v0\",\"v1\",\"v2\",\"v3\",\"v4\"]"));
    ck_assert_int_eq(usage(), recount());
    ck_assert_int_eq(client_run(&client, HTTP_DELETE, acr_repository_delete, "a", NULL, NULL), 404);
    add_blobs("a", 1, 3); // a new repository of that name, while the old one is still going
    ck_assert_int_eq(put(&client, "a", "v1", image(body, sizeof body, 1, 3, 0)), 201);
    ck_assert_int_eq(usage(), recount());
    run_job(&client, "acr.repository.remove");
    check_counts();
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.repository"), 2);
    registry_fixture_sql(
        "insert into acr.upload (id, registry_id, repository) values (gen_random_uuid(), 1, 'a');"
        "insert into acr.blob (registry_id, digest, size, file) select 1, 'sha256:x' || i, 1,"
        " gen_random_uuid() from generate_series(1, 1200) i;"
        "insert into acr.blob_link (repository_id, registry_id, digest) select p.id, 1, 'sha256:x' || i"
        " from generate_series(1, 700) i, acr.repository p where p.name = 'a'");
    ck_assert_int_eq(db_transact(client.connection, drop_registry, NULL), DB_COMMITTED);
    ck_assert_int_gt(run_job(&client, "acr.registry.remove"), 3);
    ck_assert_int_eq(
        registry_fixture_number("select (select count(*) from acr.repository)"
                                " + (select count(*) from acr.blob) + (select count(*) from acr.upload)"
                                " + (select count(*) from acr.registry_usage)"),
        0);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.garbage"), 1206);
    client_free(&client);
}
END_TEST

// Follows the pages of a list, `n` at a time; how many pages there are.
static int count_pages(struct client *client, void (*handle)(struct registry_call *), const char *first)
{
    char query[512];
    int pages = 0;
    for (snprintf(query, sizeof query, "%s", first); query[0] && pages < 100; pages++) {
        client->query = query;
        ck_assert_int_eq(client_run(client, HTTP_GET, handle, "a", NULL, NULL), 200);
        const char *link = client_header(client, "Link"), *from = strchr(link, '?'), *to = strchr(link, '>');
        if (from && to)
            snprintf(query, sizeof query, "%.*s", (int)(to - from - 1), from + 1);
        else
            query[0] = '\0';
    }
    return pages;
}

START_TEST(lists_page)
{
    registry_fixture_clear();
    struct client client = client_new();
    char body[4096], tag[16];
    add_blobs("a", 1, 2);
    for (int i = 0; i < 7; i++) {
        snprintf(tag, sizeof tag, "v%d", 6 - i);
        ck_assert_int_eq(put(&client, "a", tag, image(body, sizeof body, 1, 2, i)), 201);
    }
    ck_assert_int_eq(count_pages(&client, acr_tags_list, "n=3"), 3);
    ck_assert_int_eq(count_pages(&client, acr_tags_list, "n=7"), 1);
    ck_assert_int_eq(count_pages(&client, acr_tags_list, "n=3&orderby=timedesc"), 3);
    ck_assert_ptr_nonnull(strstr(client_body(&client), "\"tags\":[{\"name\":\"v6\""));
    ck_assert_int_eq(count_pages(&client, acr_tags_list, "n=2&orderby=timeasc"), 4);
    ck_assert_ptr_nonnull(strstr(client_body(&client), "\"tags\":[{\"name\":\"v0\""));
    ck_assert_int_eq(count_pages(&client, acr_manifests_list, "n=1"), 7);
    ck_assert_int_eq(count_pages(&client, acr_manifests_list, "n=2&orderby=timedesc"), 4);
    client.query = "n=2&last=v4";
    ck_assert_int_eq(client_run(&client, HTTP_GET, registry_tag_operations[0].handle, "a", NULL, NULL), 200);
    ck_assert_str_eq(client_body(&client), "{\"name\":\"a\",\"tags\":[\"v5\",\"v6\"]}");
    ck_assert_str_eq(client_header(&client, "Link"), "");
    client.query = "n=2";
    ck_assert_int_eq(client_run(&client, HTTP_GET, registry_tag_operations[0].handle, "a", NULL, NULL), 200);
    ck_assert_str_eq(client_header(&client, "Link"), "</the/path?last=v1&n=2&orderby=>; rel=\"next\"");
    static const char *const bad[] = {
        "n=-1",
        "n=x",
        "n=",
        "n=99999999999999999999",
        "orderby=up",
        "orderby=timedesc&last=v1",
        "orderby=timeasc&last=9223372036854775807%2Fv1",
        "orderby=timeasc&last=-9223372036854775807%2Fv1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        client.query = bad[i];
        ck_assert_int_eq(client_run(&client, HTTP_GET, acr_tags_list, "a", NULL, NULL), 400);
    }
    ck_assert_int_eq(client_run(&client, HTTP_GET, acr_tags_list, "none", NULL, NULL), 404);
    ck_assert_int_eq(client_run(&client, HTTP_GET, registry_catalog_operations[0].handle, NULL, NULL, NULL),
                     200);
    ck_assert_str_eq(client_body(&client), "{\"repositories\":[\"a\"]}");
    ck_assert_int_eq(patch(&client, acr_tag_update, "v3", "{\"listEnabled\":false}"), 200);
    ck_assert_int_eq(count_pages(&client, acr_tags_list, "n=3"), 2);
    ck_assert_int_eq(client_run(&client, HTTP_GET, acr_repository_get, "a", NULL, NULL), 200);
    ck_assert_ptr_nonnull(strstr(client_body(&client),
                                 "\"registry\":\"registry1.azsacr.local.azurestack.external\","
                                 "\"imageName\":\"a\",\"createdTime\":\"20"));
    ck_assert_ptr_nonnull(
        strstr(client_body(&client), "\"manifestCount\":7,\"tagCount\":7,\"changeableAttributes\":{"));
    client_free(&client);
}
END_TEST

START_TEST(manifests_are_served)
{
    registry_fixture_clear();
    struct client client = client_new();
    struct arena *arena = arena_new();
    char body[4096];
    void (*get)(struct registry_call *) = registry_manifest_operations[0].handle;
    add_blobs("a", 1, 2);
    ck_assert_int_eq(put(&client, "a", "v1", image(body, sizeof body, 1, 2, 0)), 201);
    ck_assert_int_eq(client_run(&client, HTTP_GET, get, "a", "v1", NULL), 200);
    ck_assert_str_eq(client_body(&client), body);
    ck_assert_str_eq(client_header(&client, "Content-Type"), "application/vnd.oci.image.manifest.v1+json");
    ck_assert_str_eq(client_header(&client, "ETag"),
                     arena_printf(arena, "\"%s\"", image_digest(arena, body)));
    ck_assert_int_eq(client_run(&client, HTTP_HEAD, get, "a", image_digest(arena, body), NULL), 200);
    ck_assert_int_eq(client.answer.head_length, (long)strlen(body));
    ck_assert_int_eq(client_run(&client, HTTP_GET, get, "a", "v2", NULL), 404);
    ck_assert_ptr_nonnull(strstr(client_body(&client), "manifest tagged by \\\"v2\\\" is not found"));
    ck_assert_int_eq(client_run(&client, HTTP_GET, get, "a", ".INVALID", NULL), 404);
    ck_assert_int_eq(client_run(&client, HTTP_GET, get, "a", "\xff", NULL), 404);
    ck_assert_int_eq(client_run(&client, HTTP_GET, get, "a", "sha256:1", NULL), 400);
    ck_assert_int_eq(client_run(&client, HTTP_GET, get, "b", "v1", NULL), 404);
    ck_assert_ptr_nonnull(strstr(client_body(&client), "NAME_UNKNOWN"));
    ck_assert_int_eq(patch(&client, acr_tag_update, "v1", "{\"readEnabled\":false}"), 200);
    ck_assert_int_eq(client_run(&client, HTTP_GET, get, "a", "v1", NULL), 405);
    ck_assert_int_eq(client_run(&client, HTTP_GET, get, "a", image_digest(arena, body), NULL), 200);
    arena_free(arena);
    client_free(&client);
}
END_TEST

START_TEST(referrers)
{
    registry_fixture_clear();
    struct client client = client_new();
    char body[4096], digest[72];
    void (*list)(struct registry_call *) = registry_referrer_operations[0].handle;
    blob_digest(77, digest);
    ck_assert_int_eq(client_run(&client, HTTP_GET, list, "none", digest, NULL), 200);
    ck_assert_ptr_nonnull(strstr(client_body(&client), "\"manifests\":[]"));
    ck_assert_int_eq(client_run(&client, HTTP_GET, list, "none", "v1", NULL), 400);
    for (int i = 0; i < 4; i++) {
        snprintf(
            body, sizeof body,
            "{\"artifactType\":\"sig/%d\",\"annotations\":{\"n\":\"%d\"},\"subject\":{\"mediaType\":\"x/y\","
            "\"digest\":\"%s\",\"size\":1}}",
            i % 2, i, digest);
        client.content_type = "application/vnd.oci.artifact.manifest.v1+json";
        ck_assert_int_eq(put(&client, "a", "v1", body), 201);
        ck_assert_str_eq(client_header(&client, "OCI-Subject"), digest);
    }
    ck_assert_int_eq(client_run(&client, HTTP_GET, list, "a", digest, NULL), 200);
    ck_assert_str_eq(client_header(&client, "Content-Type"), INDEX_TYPE);
    client.query = "artifactType=sig/1&n=1";
    ck_assert_int_eq(client_run(&client, HTTP_GET, list, "a", digest, NULL), 200);
    ck_assert_str_eq(client_header(&client, "OCI-Filters-Applied"), "artifactType");
    ck_assert_ptr_nonnull(
        strstr(client_body(&client), "\"artifactType\":\"sig/1\",\"annotations\":{\"n\":\""));
    ck_assert_ptr_nonnull(strstr(client_header(&client, "Link"), "&artifactType=sig%2F1>"));
    client_free(&client);
}
END_TEST

START_TEST(platform_comes_from_the_config)
{
    registry_fixture_clear();
    struct client client = client_new();
    struct arena *arena = arena_new();
    const char *config = "{\"architecture\":\"arm64\",\"os\":\"linux\"}";
    char id[37];
    uuid_random(id);
    struct store_file *file;
    ck_assert_int_eq(store_begin(id, true, &file), STORE_OK);
    ck_assert_int_eq(store_append(file, config, strlen(config)), STORE_OK);
    store_end(file);
    const char *digest = image_digest(arena, config);
    registry_fixture_sql("insert into acr.repository (registry_id, name) values (1, 'a');"
                         "insert into acr.blob (registry_id, digest, size, file) values (1, '%s', %zu, '%s');"
                         "insert into acr.blob_link select id, 1, '%s' from acr.repository",
                         digest, strlen(config), id, digest);
    const char *body =
        arena_printf(arena,
                     "{\"schemaVersion\":2,\"config\":{\"mediaType\":"
                     "\"application/vnd.oci.image.config.v1+json\",\"digest\":\"%s\",\"size\":%zu},"
                     "\"layers\":[]}",
                     digest, strlen(config));
    ck_assert_int_eq(put(&client, "a", "v1", body), 201);
    ck_assert_int_eq(client_run(&client, HTTP_GET, acr_manifest_get, "a", image_digest(arena, body), NULL),
                     200);
    ck_assert_ptr_nonnull(
        strstr(client_body(&client), "\"architecture\":\"arm64\",\"os\":\"linux\",\"mediaType\":"));
    ck_assert_ptr_nonnull(strstr(client_body(&client), "\"tags\":[\"v1\"]"));
    arena_free(arena);
    client_free(&client);
}
END_TEST

Suite *suite_content(void);
Suite *suite_content(void)
{
    Suite *suite = suite_create("content");
    TCase *tcase = tcase_create("registry");
    tcase_add_unchecked_fixture(tcase, registry_fixture_start, registry_fixture_stop);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, push_counts_exactly);
    tcase_add_test(tcase, refusals_change_nothing);
    tcase_add_test(tcase, indexes_and_their_children);
    tcase_add_test(tcase, locks);
    tcase_add_test(tcase, repository_and_registry_go);
    tcase_add_test(tcase, lists_page);
    tcase_add_test(tcase, manifests_are_served);
    tcase_add_test(tcase, referrers);
    tcase_add_test(tcase, platform_comes_from_the_config);
    suite_add_tcase(suite, tcase);
    return suite;
}
