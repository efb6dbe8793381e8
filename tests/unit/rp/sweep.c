// The sweep: what goes and what stays; and a publish against a sweep of the same digest, round after round.
#include "rp/data/sweep.h"

#include "rp/data/check.h"
#include "rp/upload_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

Suite *suite_sweep(void);

static struct arena *arena;

static void set_up(void)
{
    arena = arena_new();
    upload_fixture_enter();
    setenv("AZSACR_SWEEP_GRACE_MS", "3600000", 1);
}

static void tear_down(void)
{
    upload_fixture_leave();
    arena_free(arena);
}

static void push(const char *repository, const char *bytes)
{
    const char *digest = digest_text(arena, text_of(bytes)).base;
    struct sent *sent = send_text(
        "POST", arena_printf(arena, "/v2/%s/blobs/uploads/?digest=%s", repository, digest), NULL, bytes);
    ck_assert_int_eq(sent->answer.status, 201);
    sent_free(sent);
}

// As a manifest PUT does it, and as its deletion does.
static void refer(const char *bytes)
{
    registry_fixture_sql(
        "with m as (insert into acr.manifest (registry_id, repository_id, digest, media_type, content)"
        " select 1, id, 'sha256:m', 'x', '' from acr.repository returning id, repository_id)"
        " insert into acr.manifest_ref (manifest_id, repository_id, registry_id, digest)"
        " select id, repository_id, 1, '%s' from m",
        digest_text(arena, text_of(bytes)).base);
}

static void forget(void)
{
    registry_fixture_sql("delete from acr.manifest_ref");
    registry_fixture_sql("delete from acr.manifest");
}

static bool wait_for(long expected, const char *sql)
{
    for (int i = 0; i < 400; i++) {
        if (registry_fixture_number("%s", sql) == expected)
            return true;
        usleep(10000);
    }
    return false;
}

static int64_t files_on_disk;
static bool count(const char *id, int64_t size, void *argument)
{
    (void)id, (void)size, (void)argument;
    files_on_disk++;
    return true;
}

static int64_t files(void)
{
    files_on_disk = 0;
    store_enumerate(count, NULL);
    return files_on_disk;
}

START_TEST(follows_the_last_reference)
{
    struct db_target target = upload_fixture_target();
    push("r", "released");
    push("r", "waiting");
    refer("released");
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.blob where referenced"), 1);
    struct sweep *sweep = sweep_start(&target);
    usleep(300000);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.blob"), 2);
    forget();
    ck_assert(wait_for(1, "select count(*) from acr.blob")); // at once; the other waits for its manifest
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.garbage"), 1);
    // Somebody was told that it exists: it stays for ten minutes (here: an hour).
    push("r", "promised");
    push("r", "promised");
    refer("promised");
    forget();
    usleep(1500000);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.blob where promised"), 1);
    sweep_stop(sweep);
}
END_TEST

START_TEST(frees_the_bytes_in_the_end)
{
    struct db_target target = upload_fixture_target();
    int64_t before = files();
    push("r", "one");
    const char *location = session_new(arena, "r");
    sent_free(send_text("PATCH", location, NULL, "left alone"));
    ck_assert_int_eq(files(), before + 2);
    setenv("AZSACR_SWEEP_GRACE_MS", "0", 1);
    setenv("AZSACR_SWEEP_UPLOAD_GRACE_MS", "0", 1);
    struct sweep *sweep = sweep_start(&target);
    ck_assert(wait_for(0, "select (select count(*) from acr.blob) + (select count(*) from acr.upload)"
                          " + (select count(*) from acr.garbage)"));
    sweep_stop(sweep);
    ck_assert_int_eq(files(), before);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.blob_link"), 0);
}
END_TEST

// Nothing should make it garbage; if something does, the row is wrong and not the file.
START_TEST(the_file_of_a_blob_is_not_unlinked)
{
    struct db_target target = upload_fixture_target();
    int64_t at_first = files();
    push("r", "kept");
    registry_fixture_sql("insert into acr.garbage (file) select file from acr.blob");
    setenv("AZSACR_SWEEP_GRACE_MS", "0", 1);
    registry_fixture_sql("update acr.blob set touched = clock_timestamp() + interval '1 hour'");
    struct sweep *sweep = sweep_start(&target);
    ck_assert(wait_for(0, "select count(*) from acr.garbage"));
    sweep_stop(sweep);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.blob"), 1);
    ck_assert_int_eq(files(), at_first + 1);
}
END_TEST

START_TEST(the_check_finds_what_is_wrong)
{
    struct db_target target = upload_fixture_target();
    struct store_report report;
    const char *why = NULL;
    char *text = NULL;
    size_t length = 0;
    struct store_file *file;
    push("r", "whole");
    push("r", "missing");
    push("r", "bent!");
    registry_fixture_sql("update acr.blob set size = 4 where digest = '%s'",
                         digest_text(arena, TEXT("bent!")).base);
    registry_fixture_sql(
        "update acr.blob set file = '0a1b2c3d-0000-4000-8000-000000000077' where digest = '%s'",
        digest_text(arena, TEXT("missing")).base);
    ck_assert_int_eq(store_begin("0a1b2c3d-0000-4000-8000-000000000099", true, &file), STORE_OK);
    store_end(file);
    FILE *out = open_memstream(&text, &length);
    struct store_check_options options = {.deep = true, .out = out};
    ck_assert(store_check(&target, &options, &report, arena, &why));
    fclose(out);
    ck_assert_int_eq(report.blobs, 3);
    ck_assert_int_eq(report.missing, 1);
    ck_assert_int_eq(report.wrong_size, 1);
    ck_assert_int_eq(report.corrupt + report.doubled, 0);
    ck_assert_int_ge(report.orphans, 2); // the one made here, and what "missing" named before
    ck_assert_ptr_nonnull(strstr(text, "0a1b2c3d-0000-4000-8000-000000000099"));
    ck_assert_ptr_nonnull(strstr(text, "0a1b2c3d-0000-4000-8000-000000000077"));
    free(text);
}
END_TEST

// ---- a publish and a sweep of one digest

enum { ROUNDS = 200, PUSHERS = 2 };

static _Atomic bool racing = true;

static void *sweep_steadily(void *argument)
{
    struct db_target target = upload_fixture_target();
    (void)argument;
    while (atomic_load(&racing)) {
        struct sweep *sweep = sweep_start(&target);
        usleep(3000);
        sweep_stop(sweep);
    }
    return NULL;
}

static void *push_one(void *argument)
{
    const char *target = argument;
    struct sent *sent = send_text("POST", target, NULL, "the same layer");
    ck_assert_int_eq(sent->answer.status, 201);
    sent_free(sent);
    return NULL;
}

// Whatever the order was: a row that stands names a file that is whole, and each file has exactly one row.
static void check_files(void)
{
    ck_assert_int_eq(
        registry_fixture_number(
            "select count(*) from (select file from acr.blob union all select file from acr.garbage"
            " union all select id from acr.upload) f group by file having count(*) > 1"),
        -1);
}

struct seen {
    bool there;
};

static bool read_file(struct db_transaction *tx, void *argument)
{
    static const struct db_statement blob_file = {"test_blob_file",
                                                  "select file from acr.blob where size = 14 for update"};
    struct seen *seen = argument;
    const struct db_result *row = DB_RUN0(tx, &blob_file);
    int64_t size = -1;
    seen->there = db_rows(row) == 1;
    if (seen->there) {
        // While the row is held it cannot be swept, so its file must be there.
        const char *file = text_cstr(db_arena(tx), db_get(row, 0, 0));
        ck_assert_int_eq(store_stat(file, &size), STORE_OK);
        ck_assert_int_eq(size, 14);
    }
    return true;
}

START_TEST(no_layer_is_lost_to_a_race)
{
    const char *digest = digest_text(arena, TEXT("the same layer")).base;
    const char *target = arena_printf(arena, "/v2/race/blobs/uploads/?digest=%s", digest);
    setenv("AZSACR_SWEEP_GRACE_MS", "0", 1);
    pthread_t sweeper, pushers[PUSHERS];
    pthread_create(&sweeper, NULL, sweep_steadily, NULL);
    struct db_connection *connection = registry_fixture_connect();
    int there = 0;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < PUSHERS; i++)
            pthread_create(&pushers[i], NULL, push_one, (void *)(uintptr_t)target);
        for (int i = 0; i < PUSHERS; i++) {
            pthread_join(pushers[i], NULL);
            struct seen seen;
            ck_assert_int_eq(db_transact(connection, read_file, &seen), DB_COMMITTED);
            there += seen.there;
        }
        check_files();
    }
    atomic_store(&racing, false);
    pthread_join(sweeper, NULL);
    db_connection_free(connection);
    ck_assert_int_gt(there, 0);
}
END_TEST

Suite *suite_sweep(void)
{
    Suite *suite = suite_create("sweep");
    TCase *tests = tcase_create("sweep");
    tcase_set_timeout(tests, 120);
    tcase_add_unchecked_fixture(tests, upload_fixture_start, upload_fixture_stop);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, follows_the_last_reference);
    tcase_add_test(tests, frees_the_bytes_in_the_end);
    tcase_add_test(tests, the_file_of_a_blob_is_not_unlinked);
    tcase_add_test(tests, the_check_finds_what_is_wrong);
    tcase_add_test(tests, no_layer_is_lost_to_a_race);
    suite_add_tcase(suite, tests);
    return suite;
}
