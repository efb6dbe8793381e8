// Limits of the stamp and of sessions, and deletes that can be undone: what the database does, without a
// wire.
#include "rp/data/retention.h"

#include "base/arena.h"
#include "base/clock.h"
#include "rp/data/content.h"
#include "rp/data/stamp.h"
#include "rp/data/upload_limit.h"
#include "rp/data/upload_sizes.h"
#include "rp/registry_fixture.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <unistd.h>

Suite *suite_retention(void);

static struct arena *arena;
static struct db_connection *connection;

static void set_up(void)
{
    arena = arena_new();
    registry_fixture_clear();
    registry_fixture_sql("update acr.stamp set maximum_bytes = null");
    connection = registry_fixture_connect();
    registry_fixture_config()->deleted_retention = 1;
}

static void tear_down(void)
{
    db_connection_free(connection);
    arena_free(arena);
    registry_fixture_config()->deleted_retention = 0;
}

static bool run(struct db_transaction *tx, void *argument)
{
    void (*act)(struct db_transaction *) = *(void (**)(struct db_transaction *))argument;
    act(tx);
    return !db_failed(tx);
}

static void transact(void (*act)(struct db_transaction *tx))
{
    ck_assert_int_eq(db_transact(connection, run, &act), DB_COMMITTED);
}

static void read_stamp(struct db_transaction *tx)
{
    stamp_read(tx, true);
}

static struct upload_limit *limit;
static void read_limit(struct db_transaction *tx)
{
    limit = upload_limit_read(tx, FIXTURE_REGISTRY, 1000, INT32_MAX); // more than there is: read anew
}

static void read_limit_when_due(struct db_transaction *tx)
{
    limit = upload_limit_read(tx, FIXTURE_REGISTRY, 1000, 1);
}

// Half a second after a reading, and before its second is over: whether this request is sent to read anew,
// and the next one not. Again where the machine stood still meanwhile.
static bool one_is_sent(void)
{
    for (int turn = 0; turn < 5; turn++) {
        transact(read_limit);
        int64_t began = clock_monotonic();
        usleep(550 * 1000);
        bool sent = upload_limit_is_due(limit);
        bool others = !upload_limit_is_due(limit) && upload_limit_known(FIXTURE_REGISTRY, 1000) == limit;
        if (clock_monotonic() - began < 1000 * 1000)
            return sent && others;
    }
    return false;
}

// The sum of a large registry is not everybody's at once: within its second, one request renews it.
START_TEST(a_limit_is_read_anew_by_one_request_at_a_time)
{
    registry_fixture_sql("update acr.registry set quota_bytes = 1000 where id = 1");
    registry_fixture_sql("insert into acr.upload (id, registry_id, repository, size) values"
                         " ('0a1b2c3d-0000-4000-8000-000000000003', 1, 'r', 300)");
    ck_assert(one_is_sent());
    ck_assert_int_eq(upload_limit_room(limit), 700);
    registry_fixture_sql("delete from acr.upload");
    transact(read_limit_when_due); // what the one that was sent does
    ck_assert_int_eq(upload_limit_room(limit), 1000);
    ck_assert_ptr_eq(upload_limit_known(FIXTURE_REGISTRY, 1000), limit);
    usleep(1100 * 1000); // what is older than a second is nobody's
    ck_assert_ptr_null(upload_limit_known(FIXTURE_REGISTRY, 1000));
    transact(read_limit_when_due);
    ck_assert_ptr_null(upload_limit_known(FIXTURE_REGISTRY, 999)); // it was of another quota
    registry_fixture_sql("update acr.registry set quota_bytes = null where id = 1");
}
END_TEST

START_TEST(the_stamp_counts_what_lives_waits_and_is_uploaded)
{
    transact(read_stamp);
    registry_fixture_sql("update acr.registry set quota_bytes = 1000 where id = 1");
    ck_assert_int_eq(stamp_room(), INT64_MAX);
    ck_assert_int_eq(stamp_maximum(), -1);
    registry_fixture_sql("update acr.stamp set maximum_bytes = 1000");
    registry_fixture_sql("update acr.registry_usage set live_bytes = 100");
    registry_fixture_sql("insert into acr.blob (registry_id, digest, size, file) values (1, 'sha256:a', 20,"
                         " '0a1b2c3d-0000-4000-8000-000000000001')");
    registry_fixture_sql("insert into acr.blob (registry_id, digest, size, file, ever_referenced) values"
                         " (1, 'sha256:b', 400, '0a1b2c3d-0000-4000-8000-000000000002', true)");
    registry_fixture_sql("insert into acr.upload (id, registry_id, repository, size) values"
                         " ('0a1b2c3d-0000-4000-8000-000000000003', 1, 'r', 3)");
    transact(read_stamp);
    ck_assert_int_eq(stamp_room(), 877); // what a manifest let go is on its way out
    stamp_hold(77);
    ck_assert_int_eq(stamp_room(), 800);
    stamp_hold(-77);
    transact(read_limit);
    ck_assert_int_eq(upload_limit_room(limit), 877);
    struct upload_bound bound = upload_limit_bound(limit);
    ck_assert(!bound.stamp && bound.bytes == 1000);
    registry_fixture_sql("update acr.stamp set maximum_bytes = 500");
    transact(read_limit);
    ck_assert_int_eq(upload_limit_room(limit), 377);
    bound = upload_limit_bound(limit);
    ck_assert(bound.stamp && bound.bytes == 500);
    ck_assert(!upload_limit_take(limit, 378));
    ck_assert(upload_limit_take(limit, 377));
    upload_limit_give(limit, 377);
    registry_fixture_sql("update acr.registry set quota_bytes = null where id = 1");
}
END_TEST

START_TEST(sizes_of_sessions_are_written_once_and_the_latest)
{
    registry_fixture_sql("insert into acr.upload (id, registry_id, repository) values"
                         " ('0a1b2c3d-0000-4000-8000-000000000003', 1, 'r'),"
                         " ('0a1b2c3d-0000-4000-8000-000000000004', 1, 'r')");
    upload_size_note("0a1b2c3d-0000-4000-8000-000000000003", 1 << 20);
    upload_size_note("0a1b2c3d-0000-4000-8000-000000000004", 100); // not worth it
    upload_size_note("0a1b2c3d-0000-4000-8000-000000000003", 3 << 20);
    upload_size_note("0a1b2c3d-0000-4000-8000-00000000000f", 5 << 20); // ended meanwhile
    upload_sizes_write(connection, 0);
    ck_assert_int_eq(registry_fixture_number("select sum(size) from acr.upload"), 3 << 20);
    registry_fixture_sql("update acr.upload set size = 0");
    upload_sizes_write(connection, 0); // nothing is left to write
    ck_assert_int_eq(registry_fixture_number("select sum(size) from acr.upload"), 0);
}
END_TEST

// A request that holds one of them may wait for another of the same batch.
START_TEST(sizes_wait_for_no_session)
{
    registry_fixture_sql("insert into acr.upload (id, registry_id, repository) values"
                         " ('0a1b2c3d-0000-4000-8000-000000000003', 1, 'r'),"
                         " ('0a1b2c3d-0000-4000-8000-000000000004', 1, 'r')");
    PGconn *session = PQconnectdb(registry_fixture_config()->database);
    PQclear(PQexec(session, "begin"));
    PQclear(PQexec(session,
                   "select from acr.upload where id = '0a1b2c3d-0000-4000-8000-000000000003' for update"));
    upload_size_note("0a1b2c3d-0000-4000-8000-000000000003", 1 << 20);
    upload_size_note("0a1b2c3d-0000-4000-8000-000000000004", 2 << 20);
    upload_sizes_write(connection, 0);
    ck_assert_int_eq(registry_fixture_number("select sum(size) from acr.upload"), 2 << 20);
    PQfinish(session);
}
END_TEST

// Two manifests that share a blob, one of them tagged.
static void seed(void)
{
    registry_fixture_sql("insert into acr.repository (registry_id, name, manifest_count, tag_count)"
                         " values (1, 'r', 2, 1)");
    registry_fixture_sql("insert into acr.blob (registry_id, digest, size, file) values"
                         " (1, 'sha256:own', 100, '0a1b2c3d-0000-4000-8000-000000000001'),"
                         " (1, 'sha256:shared', 1000, '0a1b2c3d-0000-4000-8000-000000000002')");
    registry_fixture_sql("insert into acr.blob_link (repository_id, registry_id, digest)"
                         " select p.id, 1, b.digest from acr.repository p, acr.blob b");
    registry_fixture_sql(
        "insert into acr.manifest (registry_id, repository_id, digest, media_type, content)"
        " select 1, p.id, 'sha256:' || n, 'x', 'abcdefg' from acr.repository p, unnest('{m,o}'::text[]) n");
    registry_fixture_sql("insert into acr.manifest_ref (manifest_id, repository_id, registry_id, digest)"
                         " select m.id, m.repository_id, 1, b.digest from acr.manifest m, acr.blob b"
                         " where m.digest = 'sha256:m' or b.digest = 'sha256:shared'");
    registry_fixture_sql("insert into acr.tag (repository_id, name, manifest_id)"
                         " select repository_id, 'v1', id from acr.manifest where digest = 'sha256:m'");
    registry_fixture_sql("update acr.registry_usage set live_bytes = 1114");
}

static void remove_m(struct db_transaction *tx)
{
    usage_lock(tx, FIXTURE_REGISTRY);
    manifest_remove(tx, FIXTURE_REGISTRY,
                    registry_fixture_number("select id from acr.manifest where digest = 'sha256:m'"));
}

static struct recovered did;
static void restore_v1(struct db_transaction *tx)
{
    did = retention_restore(tx, arena, TEXT("Registry1"), TEXT("r"), TEXT("v1"), 1 << 20);
}

static void restore_beyond_quota(struct db_transaction *tx)
{
    did = retention_restore(tx, arena, TEXT("registry1"), TEXT("r"), TEXT_NONE, 1113);
}

static long live(const char *what)
{
    return registry_fixture_number(
        "select count(*) from acr.%s x join acr.repository p on p.id = x.repository_id"
        " and p.deleted_at is null",
        what);
}

START_TEST(a_deleted_manifest_is_kept_out_of_sight)
{
    seed();
    transact(remove_m);
    ck_assert_int_eq(live("manifest"), 1);
    ck_assert_int_eq(live("tag"), 0);
    ck_assert_int_eq(registry_fixture_number("select live_bytes from acr.registry_usage"), 1007);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.blob where referenced"), 2);
    ck_assert_int_eq(registry_fixture_number("select count(*) from azsacr.job"), 0);
    ck_assert_int_eq(registry_fixture_number("select manifest_count from acr.repository where not kept"), 1);
    transact(restore_v1);
    ck_assert_ptr_null(did.why);
    ck_assert_int_eq(did.manifests, 1);
    ck_assert_int_eq(did.tags, 1);
    ck_assert_int_eq(did.bytes, 107);
    ck_assert_int_eq(live("manifest"), 2);
    ck_assert_int_eq(live("tag"), 1);
    ck_assert_int_eq(registry_fixture_number("select live_bytes from acr.registry_usage"), 1114);
    ck_assert_int_eq(registry_fixture_number("select manifest_count * 10 + tag_count from acr.repository"
                                             " where deleted_at is null"),
                     21);
    transact(restore_v1);
    ck_assert_ptr_nonnull(did.why);
}
END_TEST

START_TEST(nothing_is_recovered_beyond_the_quota)
{
    seed();
    transact(remove_m);
    transact(restore_beyond_quota); // what it did is its caller's to roll back
    ck_assert_ptr_nonnull(did.why);
    ck_assert_int_eq(registry_fixture_number("select live_bytes from acr.registry_usage"), 1007);
}
END_TEST

static size_t ended;
static void end_retention(struct db_transaction *tx)
{
    ended = retention_end(tx, retention_ms(), 10);
}

START_TEST(the_end_of_a_retention_is_a_job)
{
    seed();
    transact(remove_m);
    transact(end_retention);
    ck_assert_int_eq(ended, 0);
    registry_fixture_sql(
        "update acr.repository set deleted_at = deleted_at - interval '25 hours' where kept");
    transact(end_retention);
    ck_assert_int_eq(ended, 1);
    ck_assert_int_eq(
        registry_fixture_number("select count(*) from azsacr.job where kind = 'acr.repository.remove'"), 1);
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.repository where kept"), 0);
    // Switched off, or with the disk short, nothing is kept: what is there goes, and a delete is one.
    registry_fixture_config()->deleted_retention = 0;
    ck_assert_int_eq(retention_ms(), 0);
}
END_TEST

Suite *suite_retention(void)
{
    Suite *suite = suite_create("retention");
    TCase *tests = tcase_create("registry");
    tcase_set_timeout(tests, 60);
    tcase_add_unchecked_fixture(tests, registry_fixture_start, registry_fixture_stop);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_limit_is_read_anew_by_one_request_at_a_time);
    tcase_add_test(tests, the_stamp_counts_what_lives_waits_and_is_uploaded);
    tcase_add_test(tests, sizes_of_sessions_are_written_once_and_the_latest);
    tcase_add_test(tests, sizes_wait_for_no_session);
    tcase_add_test(tests, a_deleted_manifest_is_kept_out_of_sight);
    tcase_add_test(tests, nothing_is_recovered_beyond_the_quota);
    tcase_add_test(tests, the_end_of_a_retention_is_a_job);
    suite_add_tcase(suite, tests);
    return suite;
}
