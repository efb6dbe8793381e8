// Upload sessions whose ids were reserved, and granted by a POST: their first bytes need no row.
#include "rp/store_memory.h"
#include "rp/upload_fixture.h"

#include "base/clock.h"
#include "rp/data/upload_reserve.h"

#include <libpq-fe.h>
#include <pthread.h>
#include <unistd.h>

Suite *suite_upload_granted(void);

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

static enum store_fault sync_never(struct store_file *file)
{
    (void)file;
    return STORE_FAILED;
}

static int64_t reserved(const char *location)
{
    return registry_fixture_number("select count(*) from acr.upload_reserved where id = '%s'",
                                   session_id(location));
}

// A session whose first bytes came under a reserved id: the first of the process makes the stock.
static const char *granted(const char *bytes)
{
    const char *location = NULL;
    for (int turn = 0; turn < 5; turn++) {
        expect(202, NULL, "PATCH", session_new(arena, "stock"), NULL, "first");
        int64_t began = clock_monotonic();
        location = session_new(arena, "granted");
        ck_assert_int_eq(reserved(location), 1);
        expect(202, NULL, "PATCH", location, NULL, bytes);
        if (clock_monotonic() - began < 400000)
            break;
        // The machine stood still for longer than a grant holds.
        expect(204, NULL, "DELETE", location, NULL, NULL);
        registry_fixture_sql("delete from acr.garbage");
    }
    ck_assert_int_eq(reserved(location), 1);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.upload where repository = 'granted'"),
                     0);
    return location;
}

static int64_t rows_naming(const char *location)
{
    return registry_fixture_number(
        "select count(*) from (select id from acr.upload union all select id from acr.upload_reserved"
        " union all select file from acr.blob union all select file from acr.garbage) f where f.id = '%s'",
        session_id(location));
}

START_TEST(what_a_post_granted_needs_no_row_before_it_is_published)
{
    const char *location = granted("abc");
    expect(201, NULL, "PUT", with_digest(arena, location, TEXT("abc")), NULL, NULL);
    ck_assert_int_eq(reserved(location), 0);
    ck_assert_int_eq(rows_naming(location), 1);
    ck_assert_int_eq(blob_size(TEXT("abc")), 3);
    // Once more, now that the repository is there: in one statement, so no row is made; where the machine let
    // it come within the second. Then by somebody who may not any more.
    registry_fixture_sql(
        "create table acr.made (id uuid);"
        "create function acr.note_made() returns trigger language plpgsql as"
        " $$ begin insert into acr.made values (new.id); return null; end $$;"
        "create trigger made after insert on acr.upload for each row when (new.repository = 'granted')"
        " execute function acr.note_made()");
    int64_t began, made, blobs = 1;
    do {
        began = clock_monotonic();
        made = registry_fixture_number("select count(*) from acr.made");
        const char *bytes = arena_printf(arena, "def%lld", (long long)blobs);
        location = granted(bytes);
        expect(201, NULL, "PUT", with_digest(arena, location, text_of(bytes)), NULL, NULL);
        made = registry_fixture_number("select count(*) from acr.made") - made;
        blobs++;
    } while (made > 0 && blobs < 6 && clock_monotonic() - began > 400000);
    ck_assert_int_eq(made, 0);
    registry_fixture_sql("drop trigger made on acr.upload; drop function acr.note_made; drop table acr.made");
    location = granted("ghi");
    registry_fixture_sql("update acr.registry set admin_enabled = false where id = 1");
    expect(401, NULL, "PUT", with_digest(arena, location, TEXT("ghi")), NULL, NULL);
    registry_fixture_sql("update acr.registry set admin_enabled = true where id = 1");
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.blob"), blobs);
    ck_assert_int_eq(rows_naming(location), 1);
}
END_TEST

START_TEST(a_granted_session_goes_on_without_its_process)
{
    const char *location = granted("abc");
    upload_reserve_forget(session_id(location));
    ck_assert_str_eq(expect(204, "Range", "GET", location, NULL, NULL), "0-2");
    send_and_vanish("PUT", with_digest(arena, location, TEXT("abcdef")), TEXT("def"));
    ck_assert_str_eq(expect(204, "Range", "GET", location, NULL, NULL), "0-2");
    ck_assert_str_eq(expect(202, "Range", "PATCH", location, "3-5", "def"), "0-5");
    ck_assert_int_eq(rows_naming(location), 1);
    expect(201, NULL, "PUT", with_digest(arena, location, TEXT("abcdef")), NULL, NULL);
    ck_assert_int_eq(rows_naming(location), 1);
    location = granted("x");
    expect(204, NULL, "DELETE", location, NULL, NULL);
    expect(404, NULL, "PATCH", location, NULL, "y");
    expect(404, NULL, "PUT", with_digest(arena, location, TEXT("x")), NULL, NULL);
    ck_assert_int_eq(rows_naming(location), 1); // as garbage
}
END_TEST

// The same session as if its POST had been some hours before.
static const char *aged(const char *location, int hours)
{
    struct upload_state state;
    const char *sealed = strstr(location, "_state=") + strlen("_state=");
    ck_assert(upload_state_open(arena, session_id(location), text_of(sealed), &state));
    state.created -= (int64_t)hours * 3600 * 1000000;
    return text_cstr(arena, upload_location(arena, &state));
}

START_TEST(a_granted_session_goes_on_after_a_body_of_hours)
{
    const char *location = aged(granted("abc"), 2);
    upload_reserve_forget(session_id(location));
    ck_assert_str_eq(expect(204, "Range", "GET", location, NULL, NULL), "0-2");
    ck_assert_str_eq(expect(202, "Range", "PATCH", location, "3-5", "def"), "0-5");
    expect(201, NULL, "PUT", with_digest(arena, location, TEXT("abcdef")), NULL, NULL);
    location = aged(granted("ghi"), 2);
    expect(201, NULL, "PUT", with_digest(arena, location, TEXT("ghi")), NULL, NULL);
    location = aged(granted("jkl"), 2);
    registry_fixture_sql("delete from acr.upload_reserved");
    upload_reserve_forget(session_id(location));
    expect(404, NULL, "PATCH", location, "3-5", "mno");
}
END_TEST

static void *commit_later(void *session)
{
    usleep(300000);
    PQclear(PQexec(session, "commit"));
    return NULL;
}

// Its file would become garbage, and be unlinked under the blob.
START_TEST(a_cancel_takes_nothing_that_is_being_published)
{
    registry_fixture_sql("insert into acr.repository (registry_id, name) values (1, 'granted')");
    const char *location = granted("abc");
    PGconn *session = PQconnectdb(registry_fixture_config()->database);
    PQclear(PQexec(session, "begin"));
    PGresult *result = PQexec(
        session, arena_printf(arena,
                              "select acr.publish(v.stamp, r.id, r.admin_enabled, r.password_stamp,"
                              " r.password2_stamp, e.group_id, 'granted', '%s', '%s', 3, true)::integer"
                              " from acr.registry r, arm.resource e, rbac.version v"
                              " where r.id = 1 and e.id = r.id",
                              session_id(location), digest_text(arena, TEXT("abc")).base));
    ck_assert_str_eq(PQgetvalue(result, 0, 0), "1");
    PQclear(result);
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, commit_later, session), 0);
    sent_free(send_text("DELETE", location, NULL, NULL));
    pthread_join(thread, NULL);
    PQfinish(session);
    ck_assert_int_eq(blob_size(TEXT("abc")), 3);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.garbage"), 0);
    ck_assert_int_eq(rows_naming(location), 1);
}
END_TEST

// What a disk holds after a failed sync nobody can say: asking again must not make it good.
START_TEST(a_failed_sync_ends_a_granted_session)
{
    registry_fixture_sql("insert into acr.repository (registry_id, name) values (1, 'granted')");
    const char *location = granted("abc");
    upload_fixture_changed_store()->sync = sync_never;
    expect(500, NULL, "PUT", with_digest(arena, location, TEXT("abc")), NULL, NULL);
    upload_fixture_changed_store();
    expect(404, NULL, "PUT", with_digest(arena, location, TEXT("abc")), NULL, NULL);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.blob"), 0);
    ck_assert_int_eq(reserved(location), 0);
    ck_assert_int_eq(rows_naming(location), 1); // as garbage
}
END_TEST

START_TEST(a_slot_that_is_taken_stops_no_grant)
{
    for (int i = 0; i < 120; i++) {
        char id[37];
        if (upload_reserve_begin())
            upload_reserve_end(true);
        ck_assert_msg(upload_reserve_grant(TEXT("Bearer a"), id), "grant %d", i);
        ck_assert_int_ne(upload_reserve_claim(id, TEXT("Bearer a")), 0);
    }
}
END_TEST

START_TEST(a_granted_session_that_stays_gets_a_row)
{
    const char *location = granted("abc");
    struct db_target target = upload_fixture_target();
    struct db_connection *connection = db_connection_new(&target);
    for (int i = 0; i < 1000 && reserved(location) == 1; i++) {
        upload_reserve_write(connection);
        usleep(10000);
    }
    db_connection_free(connection);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.upload where repository = 'granted'"),
                     1);
    ck_assert_int_eq(rows_naming(location), 1);
    ck_assert_str_eq(expect(202, "Range", "PATCH", location, "3-5", "def"), "0-5");
    expect(201, NULL, "PUT", with_digest(arena, location, TEXT("abcdef")), NULL, NULL);
}
END_TEST

START_TEST(a_grant_is_its_callers_alone_and_for_a_moment)
{
    char id[37];
    expect(202, NULL, "PATCH", session_new(arena, "stock"), NULL, "first");
    ck_assert(upload_reserve_grant(TEXT("Bearer a"), id));
    ck_assert_int_eq(upload_reserve_claim(id, TEXT("Bearer b")), 0);
    ck_assert_int_eq(upload_reserve_claim(id, TEXT_NONE), 0);
    ck_assert_int_ne(upload_reserve_claim(id, TEXT("Bearer a")), 0);
    ck_assert_int_eq(upload_reserve_claim(id, TEXT("Bearer a")), 0); // once
    ck_assert(upload_reserve_grant(TEXT("Bearer a"), id));
    usleep(600000);
    ck_assert_int_eq(upload_reserve_claim(id, TEXT("Bearer a")), 0);
    // Who only begins sessions empties the stock and gets no more.
    int64_t before = registry_fixture_number("select count(*) from acr.upload_reserved");
    for (int i = 0; i < 100; i++)
        upload_reserve_grant(TEXT("Bearer a"), id);
    ck_assert(!upload_reserve_grant(TEXT("Bearer a"), id));
    expect(202, NULL, "POST", "/v2/stock/blobs/uploads/", NULL, NULL);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.upload_reserved"), before);
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
    tcase_add_test(tests, what_a_post_granted_needs_no_row_before_it_is_published);
    tcase_add_test(tests, a_granted_session_goes_on_without_its_process);
    tcase_add_test(tests, a_granted_session_goes_on_after_a_body_of_hours);
    tcase_add_test(tests, a_cancel_takes_nothing_that_is_being_published);
    tcase_add_test(tests, a_failed_sync_ends_a_granted_session);
    tcase_add_test(tests, a_slot_that_is_taken_stops_no_grant);
    tcase_add_test(tests, a_granted_session_that_stays_gets_a_row);
    tcase_add_test(tests, a_grant_is_its_callers_alone_and_for_a_moment);
}

Suite *suite_upload_granted(void)
{
    Suite *suite = suite_create("upload_granted");
    TCase *tests = tcase_create("sessions");
    tcase_add_unchecked_fixture(tests, upload_fixture_start, upload_fixture_stop);
    add_sessions(tests);
    suite_add_tcase(suite, tests);
    TCase *bare = tcase_create("sessions without files");
    tcase_add_unchecked_fixture(bare, start_without_files, stop_without_files);
    add_sessions(bare);
    suite_add_tcase(suite, bare);
    return suite;
}
