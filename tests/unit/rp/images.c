// Images made of blobs that exist as rows only, and the recount of what usage must be.
#include "rp/images.h"

#include "base/crypto.h"
#include "rp/data/manifests.h"

#include <stdio.h>

void blob_digest(int number, char digest[72])
{
    snprintf(digest, 72, "sha256:%064d", number);
}

void add_blob(const char *repository, int number)
{
    char digest[72];
    blob_digest(number, digest);
    // The repository is held before the blob, as a publish has it: who deletes it holds it and waits for the
    // mutex. One that is gone by the time it can be held is made anew.
    registry_fixture_sql(
        "do $$ declare r bigint; begin loop"
        " insert into acr.repository (registry_id, name) values (1, '%s') on conflict (registry_id, name)"
        "  where deleted_at is null do nothing;"
        " select id into r from acr.repository where registry_id = 1 and name = '%s' and deleted_at is null"
        "  for key share;"
        " exit when found; end loop;"
        " insert into acr.blob (registry_id, digest, size, file) values (1, '%s', %d, gen_random_uuid())"
        "  on conflict (registry_id, digest) do update set touched = clock_timestamp();"
        " insert into acr.blob_link (repository_id, registry_id, digest) values (r, 1, '%s')"
        "  on conflict do nothing; end $$",
        repository, repository, digest, 1000 + number, digest);
}

const char *image(char *body, size_t size, int first, int last, int salt)
{
    char digest[72];
    blob_digest(first, digest);
    size_t at =
        (size_t)snprintf(body, size,
                         "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"x/config\",\"digest\":\"%s\","
                         "\"size\":%d},\"annotations\":{\"salt\":\"%d\"},\"layers\":[",
                         digest, 1000 + first, salt);
    for (int i = first + 1; i <= last; i++) {
        blob_digest(i, digest);
        at += (size_t)snprintf(body + at, size - at,
                               "%s{\"mediaType\":\"x/layer\",\"digest\":\"%s\",\"size\":%d}",
                               i > first + 1 ? "," : "", digest, 1000 + i);
    }
    snprintf(body + at, size - at, "]}");
    return body;
}

const char *image_digest(struct arena *arena, const char *body)
{
    return digest_of(arena, DIGEST_SHA256, text_of(body)).base;
}

int put(struct client *client, const char *repository, const char *reference, const char *body)
{
    return client_run(client, HTTP_PUT, manifest_put, repository, reference, body);
}

long usage(void)
{
    return registry_fixture_number("select live_bytes from acr.registry_usage where registry_id = 1");
}

long recount(void)
{
    return registry_fixture_number(
        "select coalesce((select sum(b.size) from acr.blob b where exists (select 1 from acr.manifest_ref f"
        "  join acr.repository p on p.id = f.repository_id and p.deleted_at is null where f.digest = "
        "b.digest)), 0)"
        " + coalesce((select sum(octet_length(m.content)) from acr.manifest m"
        "  join acr.repository p on p.id = m.repository_id and p.deleted_at is null), 0)");
}

void check_counts(void)
{
    ck_assert_int_eq(usage(), recount());
    ck_assert_int_eq(
        registry_fixture_number(
            "select count(*) from acr.repository p where deleted_at is null"
            " and (manifest_count <> (select count(*) from acr.manifest m where m.repository_id = p.id)"
            "   or tag_count <> (select count(*) from acr.tag t where t.repository_id = p.id))"),
        0);
    // What the sweep goes by.
    ck_assert_int_eq(
        registry_fixture_number("select count(*) from acr.blob b where referenced <>"
                                " exists (select 1 from acr.manifest_ref f where f.digest = b.digest)"),
        0);
    ck_assert_int_eq(
        registry_fixture_number("select deadlocks from pg_stat_database where datname = 'azsacr'"), 0);
}

void add_blobs(const char *repository, int first, int last)
{
    for (int i = first; i <= last; i++)
        add_blob(repository, i);
}
