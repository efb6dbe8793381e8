// Upload sessions: `_state`, ranges, digests, cut and repeated requests, limits; against a private
// PostgreSQL.
#include "rp/store_memory.h"
#include "rp/upload_fixture.h"

#include "base/clock.h"
#include "base/site.h"
#include "rp/data/upload_reserve.h"
#include "rp/data/upload_sizes.h"

#include <libpq-fe.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Suite *suite_upload(void);

static struct arena *arena;

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

#define expect(...) sent_expect(arena, __VA_ARGS__)
#define session_id(location) session_id_of(arena, location)

static int64_t blob_size(struct text bytes)
{
    return registry_fixture_number("select size from acr.blob where digest = '%s'",
                                   digest_text(arena, bytes).base);
}

START_TEST(state_opens_only_where_it_was_sealed)
{
    struct upload_state state = {.rid = TEXT("0123"), .repository = TEXT("a/b"), .created = clock_wall()},
                        opened;
    uuid_random(state.id);
    struct text sealed = upload_state_seal(arena, &state);
    ck_assert(upload_state_open(arena, state.id, sealed, &opened));
    ck_assert(text_is(opened.rid, "0123") && text_is(opened.repository, "a/b"));
    ck_assert_str_eq(opened.id, state.id);
    ck_assert(upload_state_fresh(&opened));
    char other[37];
    uuid_random(other);
    ck_assert(!upload_state_open(arena, other, sealed, &opened));
    for (size_t i = 0; i < sealed.length; i++) {
        char *bent = arena_strndup(arena, sealed.base, sealed.length);
        bent[i] = bent[i] == 'A' ? 'B' : 'A';
        ck_assert(!upload_state_open(arena, state.id, (struct text){bent, sealed.length}, &opened));
        ck_assert(!upload_state_open(arena, state.id, text_slice(sealed, 0, i), &opened));
    }
    state.created -= (int64_t)3 * 3600 * 1000000;
    ck_assert(!upload_state_fresh(&state));
}
END_TEST

START_TEST(hashes_are_kept_by_offset)
{
    struct upload_hash hash = {
        .digest = digest_begin(DIGEST_SHA256), .algorithm = DIGEST_SHA256, .offset = 7};
    upload_hash_keep("0a1b2c3d-0000-4000-8000-000000000001", hash);
    ck_assert_ptr_null(upload_hash_take("0a1b2c3d-0000-4000-8000-000000000002", 7).digest);
    hash = upload_hash_take("0a1b2c3d-0000-4000-8000-000000000001", 7);
    ck_assert_ptr_nonnull(hash.digest);
    upload_hash_keep("0a1b2c3d-0000-4000-8000-000000000001", hash);
    ck_assert_ptr_null(upload_hash_take("0a1b2c3d-0000-4000-8000-000000000001", 8).digest);
    for (int i = 0; i < 3000; i++) { // bounded: the oldest go
        char id[37];
        uuid_random(id);
        upload_hash_keep(
            id, (struct upload_hash){.digest = digest_begin(DIGEST_SHA256), .algorithm = DIGEST_SHA256});
    }
}
END_TEST

START_TEST(patches_and_a_closing_put)
{
    const char *location = session_new(arena, "a/b");
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.upload"), 0);
    ck_assert_str_eq(expect(204, "Range", "GET", location, NULL, NULL), "0-0");
    ck_assert_str_eq(expect(202, "Range", "PATCH", location, NULL, "hello "), "0-5");
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.upload"), 1);
    location = expect(202, "Location", "PATCH", location, "6-10", "world");
    ck_assert_str_eq(expect(204, "Range", "GET", location, NULL, NULL), "0-10");
    const char *last = with_digest(arena, location, TEXT("hello world!"));
    const char *blob = expect(201, "Location", "PUT", last, "11-11", "!");
    ck_assert_str_eq(blob,
                     arena_printf(arena, "/v2/a/b/blobs/%s", digest_text(arena, TEXT("hello world!")).base));
    ck_assert_int_eq(blob_size(TEXT("hello world!")), 12);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.upload"), 0);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.blob_link"), 1);
    // Spent: nothing can be added, and a PUT whose answer was lost is answered again.
    expect(404, NULL, "PATCH", location, NULL, "more");
    expect(404, NULL, "GET", location, NULL, NULL);
    expect(201, NULL, "PUT", last, "11-11", "!");
    expect(201, NULL, "PUT", last, NULL, NULL);
}
END_TEST

START_TEST(ranges)
{
    static const struct {
        const char *range, *body;
        int status;
    } rows[] = {
        {"0-2", "abc", 202},
        {"0-2", "def", 416},
        {"4-6", "def", 416},
        {"3-2", "def", 416},
        {"3-6", "def", 400},
        {"x-5", "def", 400},
        {"3", "def", 400},
        {"-", "def", 400},
        {"3-99999999999999999999", "def", 400},
        {"3-5", "def", 202},
        {"bytes 6-8/20", "ghi", 202},
        {NULL, "jkl", 202},
    };
    const char *location = session_new(arena, "ranges");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect(rows[i].status, NULL, "PATCH", location, rows[i].range, rows[i].body);
    ck_assert_str_eq(expect(416, "Range", "PATCH", location, "1-2", "zz"), "0-11");
    ck_assert_str_eq(expect(416, "Range", "PUT", with_digest(arena, location, TEXT("x")), "1-2", "zz"),
                     "0-11");
    expect(201, NULL, "PUT", with_digest(arena, location, TEXT("abcdefghijkl")), NULL, NULL);
}
END_TEST

START_TEST(a_wrong_digest_leaves_the_session)
{
    const char *location = session_new(arena, "wrong");
    expect(202, NULL, "PATCH", location, NULL, "abc");
    expect(400, NULL, "PUT", with_digest(arena, location, TEXT("other")), NULL, NULL);
    expect(400, NULL, "PUT", with_digest(arena, location, TEXT("other")), NULL, "def");
    expect(400, NULL, "PUT", location, NULL, NULL);
    expect(400, NULL, "PUT", arena_printf(arena, "%s&digest=sha256:zz", location), NULL, NULL);
    ck_assert_str_eq(expect(204, "Range", "GET", location, NULL, NULL), "0-2");
    expect(201, NULL, "PUT", with_digest(arena, location, TEXT("abcdef")), NULL, "def");
}
END_TEST

START_TEST(a_whole_blob_by_post_and_by_put)
{
    const char *post =
        arena_printf(arena, "/v2/mono/blobs/uploads/?digest=%s", digest_text(arena, TEXT("abc")).base);
    expect(400, NULL, "POST", post, NULL, "abd");
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.upload"), 0);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.garbage"), 1);
    expect(201, NULL, "POST", post, NULL, "abc");
    expect(201, NULL, "POST", post, NULL, "abc"); // the second file is garbage
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.garbage"), 2);
    expect(201, NULL, "PUT", with_digest(arena, session_new(arena, "mono"), TEXT("xyz")), NULL, "xyz");
    expect(201, NULL, "PUT", with_digest(arena, session_new(arena, "mono"), TEXT("")), NULL, NULL);
    ck_assert_int_eq(blob_size(TEXT("")), 0);
    struct text long_digest = digest_of(arena, DIGEST_SHA512, TEXT("xyz"));
    expect(201, NULL, "PUT",
           arena_printf(arena, "%s&digest=%s", session_new(arena, "mono"), long_digest.base), NULL, "xyz");
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.blob"), 4);
}
END_TEST

START_TEST(a_cut_patch_resumes_and_a_cut_put_does_not_count)
{
    const char *location = session_new(arena, "cut");
    expect(202, NULL, "PATCH", location, NULL, "abc");
    send_and_vanish("PATCH", location, TEXT("def"));
    ck_assert_str_eq(expect(204, "Range", "GET", location, NULL, NULL), "0-5");
    const char *last = with_digest(arena, location, TEXT("abcdefghi"));
    send_and_vanish("PUT", last, TEXT("gh"));
    ck_assert_str_eq(expect(204, "Range", "GET", location, NULL, NULL), "0-5");
    expect(201, NULL, "PUT", last, NULL, "ghi");

    // A server that died in a PUT: its bytes are in the file, and put_from says that they do not count.
    location = session_new(arena, "cut");
    expect(202, NULL, "PATCH", location, NULL, "abc");
    expect(202, NULL, "PATCH", location, NULL, "PUT");
    registry_fixture_sql("update acr.upload set put_from = 3");
    ck_assert_str_eq(expect(204, "Range", "GET", location, NULL, NULL), "0-2");
    ck_assert_str_eq(expect(202, "Range", "PATCH", location, NULL, "d"), "0-3");
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.upload where put_from is null"), 1);
    expect(201, NULL, "PUT", with_digest(arena, location, TEXT("abcd")), NULL, NULL);

    // Nor does a PUT without a body take them for the session's, though the digest of the file is right.
    location = session_new(arena, "cut");
    expect(202, NULL, "PATCH", location, NULL, "xyz");
    expect(202, NULL, "PATCH", location, NULL, "PUT");
    registry_fixture_sql("update acr.upload set put_from = 3");
    expect(400, NULL, "PUT", with_digest(arena, location, TEXT("xyzPUT")), NULL, NULL);
    expect(201, NULL, "PUT", with_digest(arena, location, TEXT("xyz")), NULL, NULL);
}
END_TEST

START_TEST(a_row_is_touched_once_a_minute)
{
    const char *location = session_new(arena, "touched"), *fresh = NULL;
    fresh = "select count(*) from acr.upload where touched > clock_timestamp() - interval '20 seconds'";
    expect(202, NULL, "PATCH", location, NULL, "abc");
    registry_fixture_sql("update acr.upload set touched = clock_timestamp() - interval '30 seconds'");
    expect(202, NULL, "PATCH", location, NULL, "def");
    ck_assert_int_eq(registry_fixture_number("%s", fresh), 0);
    registry_fixture_sql("update acr.upload set touched = clock_timestamp() - interval '90 seconds'");
    expect(202, NULL, "PATCH", location, NULL, "ghi");
    ck_assert_int_eq(registry_fixture_number("%s", fresh), 1);
    expect(201, NULL, "PUT", with_digest(arena, location, TEXT("abcdefghi")), NULL, NULL);
}
END_TEST

START_TEST(the_first_put_sent_again_whole)
{
    const char *last = with_digest(arena, session_new(arena, "again"), TEXT("abcdef"));
    send_and_vanish("PUT", last, TEXT("abc"));
    expect(201, NULL, "PUT", last, NULL, "abcdef");
}
END_TEST

START_TEST(cancelled_and_foreign_sessions_are_unknown)
{
    const char *location = session_new(arena, "mine");
    expect(202, NULL, "PATCH", location, NULL, "abc");
    char *foreign = arena_strdup(arena, location);
    *strstr(foreign, "mine") = 'n';
    expect(404, NULL, "PATCH", foreign, NULL, "abc");
    expect(404, NULL, "GET", foreign, NULL, NULL);
    expect(404, NULL, "PUT", with_digest(arena, foreign, TEXT("abc")), NULL, NULL);
    expect(404, NULL, "PATCH", "/v2/mine/blobs/uploads/not-an-id", NULL, "abc");
    expect(404, NULL, "PATCH", "/v2/mine/blobs/uploads/0a1b2c3d-0000-4000-8000-000000000001", NULL, "abc");
    expect(204, NULL, "DELETE", location, NULL, NULL);
    expect(404, NULL, "DELETE", location, NULL, NULL);
    expect(404, NULL, "PATCH", location, NULL, "abc");
    location = session_new(arena, "mine"); // never had a body
    expect(204, NULL, "DELETE", location, NULL, NULL);
    expect(404, NULL, "PATCH", location, NULL, "abc");
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.upload"), 0);
    expect(400, NULL, "PATCH", "/v2/UPPER/blobs/uploads/0a1b2c3d-0000-4000-8000-000000000001", NULL, "abc");
    expect(405, NULL, "PUT", "/v2/mine/blobs/uploads/?digest=sha256:00", NULL, "abc");
}
END_TEST

// decisions 46
START_TEST(the_quota_bites_in_mid_body)
{
    registry_fixture_sql("update acr.registry set quota_bytes = 10 where id = 1");
    const char *location = session_new(arena, "quota");
    expect(202, NULL, "PATCH", location, NULL, "abcd");
    expect(405, NULL, "PATCH", location, NULL, "efghijklm"); // by its length
    struct sent *sent = send_pieces("PATCH", location, NULL, TEXT("efghij"), 2);
    ck_assert_int_eq(sent->answer.status, 202);
    sent_free(sent);
    expect(405, NULL, "PATCH", location, NULL, "k");
    upload_fixture_chunked(true);
    expect(405, NULL, "PATCH", location, NULL, "k");
    const char *second = session_new(arena, "quota");
    expect(405, NULL, "PATCH", second, NULL, "abcdefghijk");
    upload_fixture_chunked(false);
    ck_assert_str_eq(expect(204, "Range", "GET", second, NULL, NULL), "0-0");
    expect(201, NULL, "PUT", with_digest(arena, location, TEXT("abcdefghij")), NULL, NULL);
    registry_fixture_sql("update acr.registry set quota_bytes = null where id = 1");
}
END_TEST

START_TEST(a_locked_repository_takes_nothing)
{
    const char *location = session_new(arena, "locked");
    expect(202, NULL, "PATCH", location, NULL, "abc");
    registry_fixture_sql(
        "insert into acr.repository (registry_id, name, write_enabled) values (1, 'locked', false)");
    expect(405, NULL, "PATCH", location, NULL, "abc");
    expect(405, NULL, "PUT", with_digest(arena, location, TEXT("abc")), NULL, NULL);
    expect(405, NULL, "POST", "/v2/locked/blobs/uploads/", NULL, NULL);
    registry_fixture_sql("update acr.repository set write_enabled = true");
    expect(201, NULL, "PUT", with_digest(arena, location, TEXT("abc")), NULL, NULL);
}
END_TEST

START_TEST(a_right_lost_midway_is_not_published)
{
    const char *location = session_new(arena, "revoked");
    expect(202, NULL, "PATCH", location, NULL, "abc");
    registry_fixture_sql("update acr.registry set admin_enabled = false where id = 1");
    expect(401, NULL, "PUT", with_digest(arena, location, TEXT("abc")), NULL, NULL);
    registry_fixture_sql("update acr.registry set admin_enabled = true where id = 1");
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.blob"), 0);
    expect(201, NULL, "PUT", with_digest(arena, location, TEXT("abc")), NULL, NULL);
}
END_TEST

// acr.publish (db/migrations/0025_publish_again.sql) of the one session there is: 1, 0, or -1 where the
// caller is to take the long way because something moved.
static int publish_by(const char *stamp, const char *repository, const char *digest, int size, bool whole)
{
    PGconn *session = PQconnectdb(registry_fixture_config()->database);
    PGresult *result =
        PQexec(session, arena_printf(arena,
                                     "select acr.publish(%s, r.id, r.admin_enabled, r.password_stamp, "
                                     "r.password2_stamp, e.group_id, '%s', u.id, '%s', %d, %s)::integer "
                                     "from acr.registry r, arm.resource e, acr.upload u, rbac.version v "
                                     "where r.id = 1 and e.id = r.id",
                                     stamp, repository, digest, size, whole ? "true" : "false"));
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    ck_assert(state == NULL || strcmp(state, "40001") == 0);
    int answer = state ? -1 : atoi(PQgetvalue(result, 0, 0));
    PQclear(result);
    PQfinish(session);
    return answer;
}

// ---- a store that does something of the test's before what it does

static const struct store_driver *whole;
static void (*meanwhile)(void);

static enum store_fault sync_after(struct store_file *file)
{
    meanwhile();
    return whole->sync(file);
}

static enum store_fault append_after(struct store_file *file, const void *bytes, size_t length)
{
    meanwhile();
    return whole->append(file, bytes, length);
}

static struct store_driver *change_store(void)
{
    static struct store_driver as_it_was;
    struct store_driver *changed = upload_fixture_changed_store();
    as_it_was = *changed;
    whole = &as_it_was;
    return changed;
}

static void publish_abcdef(void)
{
    ck_assert_int_eq(publish_by("v.stamp", "twice", digest_text(arena, TEXT("abcdef")).base, 6, false), 1);
}

// As when the connection was lost behind the commit: the statement runs again and finds no session.
START_TEST(a_publish_whose_answer_was_lost_is_done)
{
    registry_fixture_sql("insert into acr.repository (registry_id, name) values (1, 'twice')");
    const char *location = session_new(arena, "twice");
    expect(202, NULL, "PATCH", location, NULL, "abc");
    meanwhile = publish_abcdef;
    change_store()->sync = sync_after;
    expect(201, NULL, "PUT", with_digest(arena, location, TEXT("abcdef")), NULL, "def");
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.blob_link"), 1);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.garbage"), 0);
}
END_TEST

static void others_go(void)
{
    registry_fixture_sql("delete from acr.upload where repository = 'others'");
}

START_TEST(what_is_refused_in_mid_body_is_read_anew_first)
{
    registry_fixture_sql("update acr.registry set quota_bytes = 10 where id = 1");
    registry_fixture_sql("insert into acr.upload (id, registry_id, repository, size) values"
                         " ('0a1b2c3d-0000-4000-8000-000000000009', 1, 'others', 6)");
    meanwhile = others_go;
    upload_fixture_chunked(true);
    const char *location = session_new(arena, "quota");
    change_store()->append = append_after;
    struct sent *sent = send_pieces("PATCH", location, NULL, TEXT("abcdefgh"), 2);
    ck_assert_int_eq(sent->answer.status, 202);
    sent_free(sent);
    expect(405, NULL, "PATCH", location, NULL, "ijk"); // what does not fit is refused still
    upload_fixture_chunked(false);
    registry_fixture_sql("update acr.registry set quota_bytes = null where id = 1");
}
END_TEST

static bool renew(struct db_transaction *tx, void *argument)
{
    (void)argument;
    upload_limit_read(tx, FIXTURE_REGISTRY, 250 << 10, INT64_MAX);
    return true;
}

// As the sweep's thread does it every second, and somebody's POST after it.
static void sizes_are_written(void)
{
    struct db_target target = upload_fixture_target();
    struct db_connection *connection = db_connection_new(&target);
    upload_sizes_write(connection, 0);
    ck_assert_int_eq(db_transact(connection, renew, NULL), DB_COMMITTED);
    db_connection_free(connection);
}

START_TEST(a_growing_sessions_bytes_count_once)
{
    registry_fixture_sql("update acr.registry set quota_bytes = 256000 where id = 1"); // 250 KiB
    char *bytes = arena_alloc(arena, 100 << 10);
    memset(bytes, 'x', 100 << 10);
    struct text half = {bytes, 100 << 10};
    const char *location = session_new(arena, "grows");
    expect(202, NULL, "PATCH", location, NULL, "1"); // it has a row from here on
    upload_fixture_chunked(true);
    struct sent *sent = send_pieces("PATCH", location, NULL, half, 50 << 10);
    ck_assert_int_eq(sent->answer.status, 202);
    sent_free(sent);
    meanwhile = sizes_are_written;
    change_store()->append = append_after;
    sent = send_pieces("PATCH", location, NULL, half, 50 << 10);
    ck_assert_int_eq(sent->answer.status, 202);
    sent_free(sent);
    sizes_are_written();
    ck_assert_int_eq(registry_fixture_number("select size from acr.upload"), 204801);
    upload_fixture_chunked(false);
    registry_fixture_sql("update acr.registry set quota_bytes = null where id = 1");
}
END_TEST

START_TEST(publishing_at_once_does_all_or_nothing)
{
    const char *location = session_new(arena, "once"), *digest = digest_text(arena, TEXT("abc")).base;
    expect(202, NULL, "PATCH", location, NULL, "abc");
    ck_assert_int_eq(publish_by("v.stamp", "once", digest, 3, true), 0); // the repository is to be made
    registry_fixture_sql("insert into acr.repository (registry_id, name) values (1, 'once'), (1, 'other')");
    ck_assert_int_eq(publish_by("v.stamp", "other", digest, 3, true), -1);
    registry_fixture_sql("update acr.upload set put_from = 1");
    ck_assert_int_eq(publish_by("v.stamp", "once", digest, 3, true), -1);
    registry_fixture_sql("update acr.upload set put_from = null");
    registry_fixture_sql("update acr.repository set write_enabled = false");
    ck_assert_int_eq(publish_by("v.stamp", "once", digest, 3, true), 0);
    registry_fixture_sql("update acr.repository set write_enabled = true");
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.blob"), 0);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.upload"), 1);
    ck_assert_int_eq(publish_by("v.stamp", "once", digest, 3, true), 1);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.blob_link"), 1);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.upload"), 0);
    // Another's file holds the blob: nothing is done, and the long way makes ours garbage.
    location = session_new(arena, "once");
    expect(202, NULL, "PATCH", location, NULL, "ab");
    expect(202, NULL, "PATCH", location, NULL, "c"); // now it has a row
    ck_assert_int_eq(publish_by("v.stamp", "once", digest, 3, true), 0);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.upload"), 1);
    expect(201, NULL, "PUT", with_digest(arena, location, TEXT("abc")), NULL, NULL);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.garbage"), 1);
}
END_TEST

START_TEST(what_is_known_of_a_registry_is_proven)
{
    // Each change comes within the second for which the registry's row is remembered.
    const char *location = session_new(arena, "known");
    expect(202, NULL, "PATCH", location, NULL, "abc");
    registry_fixture_sql("insert into acr.repository (registry_id, name) values (1, 'known')");
    registry_fixture_sql("update acr.registry set password_stamp = password_stamp + 1 where id = 1");
    expect(201, NULL, "PUT", with_digest(arena, location, TEXT("abc")), NULL, NULL);
    location = session_new(arena, "known");
    registry_fixture_sql("update acr.registry set admin_enabled = false where id = 1");
    upload_reserve_forget(session_id(location)); // as another process would have it
    expect(401, NULL, "PATCH", location, NULL, "def");
    registry_fixture_sql("update acr.registry set admin_enabled = true where id = 1");
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.upload"), 0);
    expect(202, NULL, "PATCH", location, NULL, "def");
    registry_fixture_sql("update rbac.version set number = number + 1, prev = stamp, stamp = 'moved on'");
    expect(201, NULL, "PUT", with_digest(arena, location, TEXT("def")), NULL, NULL);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.blob"), 2);
}
END_TEST

START_TEST(a_lost_file_is_replaced_by_the_next_push)
{
    const char *post =
        arena_printf(arena, "/v2/lost/blobs/uploads/?digest=%s", digest_text(arena, TEXT("abc")).base);
    expect(201, NULL, "POST", post, NULL, "abc");
    registry_fixture_sql("update acr.blob set file = '0a1b2c3d-0000-4000-8000-000000000009'");
    expect(201, NULL, "POST", post, NULL, "abc");
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.blob"
                                             " where file = '0a1b2c3d-0000-4000-8000-000000000009'"),
                     0);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.garbage"
                                             " where file = '0a1b2c3d-0000-4000-8000-000000000009'"),
                     1);
}
END_TEST

START_TEST(mounts)
{
    const char *digest = digest_text(arena, TEXT("abc")).base;
    expect(201, NULL, "POST", arena_printf(arena, "/v2/source/blobs/uploads/?digest=%s", digest), NULL,
           "abc");
    ck_assert_str_eq(expect(201, "Location", "POST",
                            arena_printf(arena, "/v2/target/blobs/uploads/?mount=%s&from=source", digest),
                            NULL, NULL),
                     arena_printf(arena, "/v2/target/blobs/%s", digest));
    expect(201, NULL, "POST", arena_printf(arena, "/v2/any/blobs/uploads/?mount=%s", digest), NULL, NULL);
    expect(202, NULL, "POST", arena_printf(arena, "/v2/other/blobs/uploads/?mount=%s&from=nowhere", digest),
           NULL, NULL);
    expect(400, NULL, "POST", "/v2/other/blobs/uploads/?mount=sha256:12&from=source", NULL, NULL);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.blob_link"), 3);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.repository"), 3);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.blob where promised"), 1);
}
END_TEST

static void start_without_files(void)
{
    upload_fixture_run_on(&store_memory);
    upload_fixture_start();
}

static void stop_without_files(void)
{
    upload_fixture_stop();
    upload_fixture_run_on(&store_directory);
}

static void add_sessions(TCase *tests)
{
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, patches_and_a_closing_put);
    tcase_add_test(tests, ranges);
    tcase_add_test(tests, a_wrong_digest_leaves_the_session);
    tcase_add_test(tests, a_whole_blob_by_post_and_by_put);
    tcase_add_test(tests, a_cut_patch_resumes_and_a_cut_put_does_not_count);
    tcase_add_test(tests, a_row_is_touched_once_a_minute);
    tcase_add_test(tests, the_first_put_sent_again_whole);
    tcase_add_test(tests, cancelled_and_foreign_sessions_are_unknown);
    tcase_add_test(tests, the_quota_bites_in_mid_body);
    tcase_add_test(tests, a_locked_repository_takes_nothing);
    tcase_add_test(tests, a_right_lost_midway_is_not_published);
    tcase_add_test(tests, a_publish_whose_answer_was_lost_is_done);
    tcase_add_test(tests, what_is_refused_in_mid_body_is_read_anew_first);
    tcase_add_test(tests, a_growing_sessions_bytes_count_once);
    tcase_add_test(tests, publishing_at_once_does_all_or_nothing);
    tcase_add_test(tests, what_is_known_of_a_registry_is_proven);
    tcase_add_test(tests, a_lost_file_is_replaced_by_the_next_push);
    tcase_add_test(tests, mounts);
}

Suite *suite_upload(void)
{
    Suite *suite = suite_create("upload");
    TCase *tests = tcase_create("sessions");
    tcase_add_unchecked_fixture(tests, upload_fixture_start, upload_fixture_stop);
    tcase_add_test(tests, state_opens_only_where_it_was_sealed);
    tcase_add_test(tests, hashes_are_kept_by_offset);
    add_sessions(tests);
    suite_add_tcase(suite, tests);
    // The same on a store that has no files: nothing of it knows them.
    TCase *bare = tcase_create("sessions without files");
    tcase_add_unchecked_fixture(bare, start_without_files, stop_without_files);
    add_sessions(bare);
    suite_add_tcase(suite, bare);
    return suite;
}
