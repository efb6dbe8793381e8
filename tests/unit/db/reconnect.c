// Sessions that are lost: while idle, under the first statement, in the middle, and while the server
// restarts.
#include "fixture.h"

#include "base/clock.h"

#include <pthread.h>

static const struct db_statement one = {"one", "select 1"};
static const struct db_statement sleep_long = {"sleep_long", "select pg_sleep(30)"};
static const struct db_statement insert = {"r_insert", "insert into r values (1)"};

static void terminate(void)
{
    fixture_sql("select pg_terminate_backend(pid, 2000) from pg_stat_activity where application_name = "
                "'azsacr test'");
}

static bool run_one(struct db_transaction *tx, void *argument)
{
    (void)argument;
    ck_assert_int_eq(db_get_int(DB_RUN0(tx, &one), 0, 0), 1);
    return true;
}

START_TEST(idle)
{
    struct db_target target = fixture_target();
    struct db_connection *c = db_connection_new(&target);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(db_transact(c, run_one, NULL), DB_COMMITTED);
        terminate();
    }
    ck_assert_int_eq(db_transact(c, run_one, NULL), DB_COMMITTED);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(db_look(c, run_one, NULL), DB_COMMITTED);
        ck_assert_int_eq(
            fixture_number("select count(*) from pg_stat_activity where application_name = 'azsacr'"
                           " and state like 'idle in transaction%%'"),
            0);
        terminate();
    }
    ck_assert_int_eq(db_look(c, run_one, NULL), DB_COMMITTED);
    db_connection_free(c);
}
END_TEST

struct kill_at {
    int statement; // before which the session is ended
    int runs;
};

static bool run_killed(struct db_transaction *tx, void *argument)
{
    struct kill_at *k = argument;
    k->runs++;
    for (int i = 0; i < 3; i++) {
        if (i == k->statement)
            terminate();
        DB_RUN0(tx, &insert);
    }
    if (k->statement == 3)
        terminate();
    return true;
}

START_TEST(inside)
{
    fixture_sql("drop table if exists r; create table r (a int)");
    struct db_target target = fixture_target();
    struct db_connection *c = db_connection_new(&target);
    struct kill_at first = {.statement = 0}, second = {.statement = 1}, at_commit = {.statement = 3};
    ck_assert_int_eq(db_transact(c, run_killed, &first), DB_COMMITTED);
    ck_assert_int_eq(fixture_number("select count(*) from r"), 3);
    ck_assert_int_eq(db_transact(c, run_killed, &second), DB_UNAVAILABLE);
    ck_assert_int_eq(second.runs, 1);
    ck_assert_int_eq(db_transact(c, run_killed, &at_commit), DB_UNAVAILABLE);
    ck_assert_int_eq(fixture_number("select count(*) from r"), 3);
    ck_assert_int_eq(db_transact(c, run_one, NULL), DB_COMMITTED);
    db_connection_free(c);
}
END_TEST

static const struct db_statement spoil[] = {
    {"make_read_only", "set default_transaction_read_only = on"},
    {"forget_insert", "deallocate r_insert"},
};

static bool run_spoil(struct db_transaction *tx, void *argument)
{
    DB_RUN0(tx, &spoil[*(int *)argument]);
    return true;
}

static bool run_insert(struct db_transaction *tx, void *argument)
{
    ++*(int *)argument;
    DB_RUN0(tx, &insert);
    return true;
}

// Sessions that live, but are of no more use.
START_TEST(stale)
{
    fixture_sql("drop table if exists r; create table r (a int)");
    struct db_target target = fixture_target();
    struct db_connection *c = db_connection_new(&target);
    int kind = _i, runs = 0;
    ck_assert_int_eq(db_transact(c, run_insert, &runs), DB_COMMITTED);
    ck_assert_int_eq(db_transact(c, run_spoil, &kind), DB_COMMITTED);
    runs = 0;
    ck_assert_int_eq(db_transact(c, run_insert, &runs), DB_COMMITTED);
    ck_assert_int_eq(runs, 2);
    ck_assert_int_eq(fixture_number("select count(*) from r"), 2);
    db_connection_free(c);
}
END_TEST

static bool run_long(struct db_transaction *tx, void *argument)
{
    (void)argument;
    DB_RUN0(tx, &one);
    DB_RUN0(tx, &sleep_long);
    return true;
}

static void *restart(void *argument)
{
    (void)argument;
    sleep_milliseconds(300);
    fixture_stop_server();
    sleep_milliseconds(300);
    fixture_start_server();
    return NULL;
}

START_TEST(server_restart)
{
    struct db_target target = fixture_target();
    struct db_connection *busy = db_connection_new(&target), *idle_one = db_connection_new(&target);
    ck_assert_int_eq(db_transact(idle_one, run_one, NULL), DB_COMMITTED);
    pthread_t thread;
    pthread_create(&thread, NULL, restart, NULL);
    ck_assert_int_eq(db_transact(busy, run_long, NULL), DB_UNAVAILABLE);  // in flight
    ck_assert_int_eq(db_transact(idle_one, run_one, NULL), DB_COMMITTED); // waits for the server
    ck_assert_int_eq(db_transact(busy, run_one, NULL), DB_COMMITTED);
    pthread_join(thread, NULL);
    db_connection_free(busy);
    db_connection_free(idle_one);
}
END_TEST

START_TEST(nobody_there)
{
    struct db_target target = {"host=/nonexistent dbname=x user=x", "azsacr test", 1000};
    struct db_connection *c = db_connection_new(&target);
    for (int i = 0; i < 2; i++) {
        int64_t before = clock_monotonic();
        ck_assert_int_eq(db_transact(c, run_one, NULL), DB_UNAVAILABLE);
        ck_assert_int_lt(clock_monotonic() - before, 2500000);
    }
    db_connection_free(c);
    struct db_target wrong = {"no such keyword", "azsacr test", 1000};
    c = db_connection_new(&wrong);
    ck_assert_int_eq(db_transact(c, run_one, NULL), DB_UNAVAILABLE);
    db_connection_free(c);
}
END_TEST

Suite *suite_reconnect(void)
{
    Suite *suite = suite_create("reconnect");
    TCase *tests = tcase_create("reconnect");
    tcase_set_timeout(tests, 20);
    tcase_add_test(tests, idle);
    tcase_add_test(tests, inside);
    tcase_add_loop_test(tests, stale, 0, 2);
    tcase_add_test(tests, server_restart);
    tcase_add_test(tests, nobody_there);
    suite_add_tcase(suite, tests);
    return suite;
}
