// The lanes: what is answered on the loop, what goes to a worker, what is refused.
#include "changes.h"
#include "fixture.h"

#include "base/arena.h"
#include "rbac/lane.h"

#include "db/fake_loop.c" // tests/unit/db's loop; http's would bring its server

#include <pthread.h>
#include <stdatomic.h>

static const struct db_statement probe = {
    "t_lane_probe",
    "select " RBAC_VERSION_COLUMNS
    ", x.n from rbac.version v left join (select $1::bigint as n where $1::bigint > 0) x"
    " on true",
};
static const struct db_statement nap = {
    "t_lane_nap",
    "select " RBAC_VERSION_COLUMNS ", pg_sleep($1::bigint) from rbac.version v",
};

static atomic_int finished;
static struct loop *loop;

// The exchanges of this file are made by hand, so they are ended by hand too.
void http_finish(struct http_exchange *exchange)
{
    ck_assert_int_ne(exchange->answer.status, 0);
    atomic_fetch_add(&finished, 1);
}

static struct http_exchange *exchange_new(void)
{
    struct arena *arena = arena_new();
    struct http_exchange *exchange = ARENA_NEW(arena, struct http_exchange);
    exchange->request.arena = arena;
    exchange->loop = loop;
    http_answer_reset(&exchange->answer);
    return exchange;
}

static int ended(struct http_exchange *exchange)
{
    int status = exchange->answer.status;
    arena_free(exchange->request.arena);
    return status;
}

static void wait_for(int count)
{
    for (int i = 0; i < 2000 && atomic_load(&finished) < count; i++) {
        fake_loop_turn(loop);
        sleep_milliseconds(1);
    }
    ck_assert_int_eq(atomic_load(&finished), count);
}

static void in_worker(struct http_exchange *exchange, struct db_connection *connection)
{
    ck_assert_ptr_nonnull(connection);
    ck_assert_int_eq(exchange->answer.status, 0);
    exchange->answer.status = 201;
}
static void slowly(struct http_exchange *exchange, struct db_connection *connection)
{
    (void)connection;
    sleep_milliseconds(2500);
    exchange->answer.status = 201;
}
static void busy(struct http_exchange *exchange)
{
    exchange->answer.status = 503;
}
static bool on_loop(struct http_exchange *exchange, const struct db_result *result,
                    const struct rbac_snapshot *snapshot)
{
    ck_assert_ptr_nonnull(snapshot);
    exchange->answer.status = 200;
    return !db_is_null(result, 0, 2);
}

static bool run_role(struct db_transaction *tx, void *argument)
{
    (void)argument;
    put_role(tx, "cccccccc-0000-4000-8000-000000000000", "[]");
    return true;
}
static bool run_version(struct db_transaction *tx, void *argument)
{
    return rbac_version_read(tx, argument);
}

static struct db_target target;
static void set_up(void)
{
    fixture_reset();
    target = fixture_target();
    target.statement_timeout = 250;
    loop = fake_loop_new();
    atomic_store(&finished, 0);
    rbac_snapshot_start(&target);
    lane_add_statement(&probe);
    lane_add_statement(&probe); // counts once
    lane_add_statement(&nap);
    lane_start(&target, 2);
    lane_loop_started(loop, &target);
    struct rbac_version version;
    fixture_commit(run_version, &version);
    rbac_snapshot_release(rbac_snapshot_wait(&version, 5000));
}
static void tear_down(void)
{
    lane_loop_stopping(loop, &target);
    lane_stop();
    rbac_snapshot_stop();
    for (int i = 0; i < 30; i++)
        fake_loop_turn(loop);
    fake_loop_free(loop);
}

static int read_with(const struct db_statement *statement, int64_t value)
{
    struct http_exchange *exchange = exchange_new();
    struct lane_read read = {.statement = statement,
                             .values = {db_int(value)},
                             .count = 1,
                             .answer = on_loop,
                             .otherwise = in_worker,
                             .busy = busy};
    int before = atomic_load(&finished);
    lane_read(exchange, &read);
    wait_for(before + 1);
    return ended(exchange);
}

START_TEST(reads)
{
    for (int i = 0; i < 50 && read_with(&probe, 1) != 200; i++)
        sleep_milliseconds(10); // the pipeline is connecting
    ck_assert_int_eq(read_with(&probe, 1), 200);
    ck_assert_int_eq(read_with(&probe, 0), 201); // no row: a worker words it
    ck_assert_int_eq(read_with(&nap, 5), 201);   // beyond the statement's limit
    fixture_commit(run_role, NULL);
    ck_assert_int_eq(read_with(&probe, 1), 201); // the version moved: a worker waits for the snapshot
    for (int i = 0; i < 100 && read_with(&probe, 1) != 200; i++)
        sleep_milliseconds(10); // … which was asked for by that
    ck_assert_int_eq(read_with(&probe, 1), 200);
}
END_TEST

START_TEST(works)
{
    struct http_exchange *exchange = exchange_new();
    lane_work(exchange, in_worker, busy);
    wait_for(1);
    ck_assert_int_eq(ended(exchange), 201);
}
END_TEST

// Two workers that are busy for 2.5 s: 2,048 wait, more are refused at once, and those that waited 2 s are
// refused.
START_TEST(refuses)
{
    enum { COUNT = 2056 };
    static struct http_exchange *exchanges[COUNT];
    for (int i = 0; i < 2; i++)
        lane_work(exchanges[i] = exchange_new(), slowly, busy);
    sleep_milliseconds(100);
    for (int i = 2; i < COUNT; i++)
        lane_work(exchanges[i] = exchange_new(), in_worker, busy);
    ck_assert_int_eq(atomic_load(&finished), COUNT - 2 - 2048);
    for (int i = 0; i < 400 && atomic_load(&finished) < COUNT; i++)
        sleep_milliseconds(10);
    ck_assert_int_eq(atomic_load(&finished), COUNT);
    for (int i = 0; i < COUNT; i++)
        ck_assert_int_eq(ended(exchanges[i]), i < 2 ? 201 : 503);
}
END_TEST

// After lane_stop, and on a loop without a pipeline, nothing is lost.
START_TEST(without_pipeline)
{
    lane_loop_stopping(loop, &target);
    ck_assert_int_eq(read_with(&probe, 1), 201);
    lane_stop();
    ck_assert_int_eq(read_with(&probe, 1), 503);
}
END_TEST

Suite *suite_lane(void)
{
    Suite *suite = suite_create("lane");
    TCase *test = tcase_create("lane");
    tcase_set_timeout(test, 60);
    tcase_add_checked_fixture(test, set_up, tear_down);
    tcase_add_test(test, reads);
    tcase_add_test(test, works);
    tcase_add_test(test, refuses);
    tcase_add_test(test, without_pipeline);
    suite_add_tcase(suite, test);
    return suite;
}
