// Transactions: values there and back, commit, rollback, poison, retries, savepoints, notes and the commit
// hook.
#include "fixture.h"

#include "base/arena.h"
#include "base/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

static const struct db_statement echo = {
    "echo", "select $1::text, $2::bigint, $3::boolean, $4::bytea, $5::text, ''::bytea"};
static const struct db_statement insert = {"t_insert", "insert into t (a) values ($1)"};
static const struct db_statement update = {"t_update", "update t set a = a + $2 where a = $1"};
static const struct db_statement count = {"t_count", "select count(*) from t"};
static const struct db_statement broken = {"broken", "select 1 / ($1::bigint)"};
static const struct db_statement unparsable = {"unparsable", "selekt"};
static const struct db_statement slow = {"slow", "select pg_sleep($1::bigint)"};
static const struct db_statement serialization = {
    "serialization", "do $$begin raise exception 'again' using errcode = '40001'; end$$"};

static struct db_connection *connection;

static void set_up(void)
{
    struct db_target target = fixture_target();
    fixture_sql("drop table if exists t; create table t (a bigint)");
    connection = db_connection_new(&target);
}

static void tear_down(void)
{
    db_connection_free(connection);
}

static bool run_echo(struct db_transaction *tx, void *argument)
{
    (void)argument;
    const char raw[] = {'a', '\0', '\\', (char)0xff};
    const struct db_result *rows =
        DB_RUN(tx, &echo, db_text((struct text){"täxt|cut", 5}), db_int(INT64_MIN), db_bool(true),
               db_bytes((struct text){raw, sizeof raw}), db_string(NULL));
    ck_assert_uint_eq(db_rows(rows), 1);
    ck_assert(text_is(db_get(rows, 0, 0), "täxt"));
    ck_assert(db_get_int(rows, 0, 1) == INT64_MIN);
    ck_assert(db_get_bool(rows, 0, 2));
    struct text bytes = db_get_bytes(rows, 0, 3, db_arena(tx));
    ck_assert(text_equal(bytes, (struct text){raw, sizeof raw}));
    ck_assert(db_is_null(rows, 0, 4) && db_get(rows, 0, 4).base == NULL);
    ck_assert(db_get_bytes(rows, 0, 5, db_arena(tx)).base != NULL);
    ck_assert(db_get(rows, 1, 0).base == NULL && db_get(rows, 0, 9).base == NULL);
    ck_assert_int_eq(db_get_int(rows, 7, 0), 0);
    return true;
}

START_TEST(values)
{
    ck_assert_int_eq(db_transact(connection, run_echo, NULL), DB_COMMITTED);
    ck_assert_int_eq(db_transact(connection, run_echo, NULL), DB_COMMITTED);
}
END_TEST

static bool run_insert(struct db_transaction *tx, void *argument)
{
    ck_assert_uint_eq(db_affected(DB_RUN(tx, &insert, db_int(1))), 1);
    return *(bool *)argument;
}

START_TEST(commit_and_rollback)
{
    bool wanted = true;
    ck_assert_int_eq(db_transact(connection, run_insert, &wanted), DB_COMMITTED);
    wanted = false;
    ck_assert_int_eq(db_transact(connection, run_insert, &wanted), DB_ROLLED_BACK);
    ck_assert_int_eq(fixture_number("select count(*) from t"), 1);
}
END_TEST

static bool run_poisoned(struct db_transaction *tx, void *argument)
{
    const struct db_statement *bad = argument;
    DB_RUN(tx, &insert, db_int(1));
    if (bad == &broken)
        ck_assert_uint_eq(db_rows(DB_RUN(tx, bad, db_int(0))), 0);
    else if (bad == &insert)
        DB_RUN(tx, bad, db_text((struct text){"1\0002", 3})); // a NUL cannot be sent
    else
        DB_RUN0(tx, bad);
    ck_assert(db_failed(tx));
    ck_assert_uint_eq(db_rows(DB_RUN0(tx, &count)), 0);
    db_savepoint(tx);
    db_rollback_to_savepoint(tx);
    ck_assert(db_failed(tx));
    return true;
}

START_TEST(poison)
{
    const struct db_statement *bad[] = {&broken, &unparsable, &insert};
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(db_transact(connection, run_poisoned, (void *)(uintptr_t)bad[i]), DB_FAILED);
    ck_assert_int_eq(fixture_number("select count(*) from t"), 0);
    bool wanted = true;
    ck_assert_int_eq(db_transact(connection, run_insert, &wanted), DB_COMMITTED);
}
END_TEST

struct again {
    int runs, fail_until;
    bool ask;
};

static bool run_again(struct db_transaction *tx, void *argument)
{
    struct again *a = argument;
    a->runs++;
    DB_RUN(tx, &insert, db_int(a->runs));
    if (a->runs <= a->fail_until) {
        if (a->ask)
            db_retry(tx);
        else
            DB_RUN0(tx, &serialization);
        ck_assert(db_failed(tx));
    }
    return true;
}

START_TEST(runs_again)
{
    bool ask = _i != 0;
    struct again two = {.fail_until = 2, .ask = ask};
    ck_assert_int_eq(db_transact(connection, run_again, &two), DB_COMMITTED);
    ck_assert_int_eq(two.runs, 3);
    ck_assert_int_eq(fixture_number("select sum(a) from t"), 3);
    struct again never = {.fail_until = 100, .ask = ask};
    ck_assert_int_eq(db_transact(connection, run_again, &never), DB_UNAVAILABLE);
    ck_assert_int_eq(never.runs, 4);
    ck_assert_int_eq(fixture_number("select count(*) from t"), 1);
}
END_TEST

// Two that lock in opposite order: one is the victim of the deadlock (or of lock_timeout) and runs again.
static pthread_barrier_t both;
static _Atomic int total_runs;

struct order {
    int64_t first, second;
    int runs;
    enum db_outcome outcome;
};

static bool run_order(struct db_transaction *tx, void *argument)
{
    struct order *order = argument;
    total_runs++;
    DB_RUN(tx, &update, db_int(order->first), db_int(0));
    if (order->runs++ == 0)
        pthread_barrier_wait(&both);
    DB_RUN(tx, &update, db_int(order->second), db_int(0));
    return true;
}

static void *cross(void *argument)
{
    struct order *order = argument;
    struct db_target target = fixture_target();
    struct db_connection *own = db_connection_new(&target);
    order->outcome = db_transact(own, run_order, order);
    db_connection_free(own);
    return NULL;
}

START_TEST(deadlock)
{
    fixture_sql("insert into t values (10), (20)");
    pthread_barrier_init(&both, NULL, 2);
    struct order one = {.first = 10, .second = 20}, two = {.first = 20, .second = 10};
    pthread_t thread;
    pthread_create(&thread, NULL, cross, &one);
    cross(&two);
    pthread_join(thread, NULL);
    ck_assert_int_eq(one.outcome, DB_COMMITTED);
    ck_assert_int_eq(two.outcome, DB_COMMITTED);
    ck_assert_int_ge(total_runs, 3);
    pthread_barrier_destroy(&both);
}
END_TEST

static bool run_slow(struct db_transaction *tx, void *argument)
{
    (void)argument;
    DB_RUN(tx, &slow, db_int(5));
    return true;
}

START_TEST(statement_limit)
{
    struct db_target target = fixture_target();
    target.statement_timeout = 200;
    struct db_connection *own = db_connection_new(&target);
    int64_t before = clock_monotonic();
    ck_assert_int_eq(db_transact(own, run_slow, NULL), DB_UNAVAILABLE);
    ck_assert_int_lt(clock_monotonic() - before, 2000000);
    bool wanted = true;
    ck_assert_int_eq(db_transact(own, run_insert, &wanted), DB_COMMITTED);
    db_connection_free(own);
}
END_TEST

static bool run_locked(struct db_transaction *tx, void *argument)
{
    DB_RUN(tx, &update, db_int(1), db_int(1));
    ++*(int *)argument;
    return true;
}

static void *hold_row(void *argument)
{
    (void)argument;
    fixture_sql("begin; update t set a = a; select pg_sleep(6); commit");
    return NULL;
}

// A row that another holds: two waits of two seconds, then 503, not four.
START_TEST(lock_limit)
{
    fixture_sql("insert into t values (1)");
    pthread_t thread;
    pthread_create(&thread, NULL, hold_row, NULL);
    sleep_milliseconds(200);
    int runs = 0;
    int64_t before = clock_monotonic();
    ck_assert_int_eq(db_transact(connection, run_locked, &runs), DB_UNAVAILABLE);
    ck_assert_int_lt(clock_monotonic() - before, 5500000);
    ck_assert_int_eq(runs, 2);
    pthread_join(thread, NULL);
    ck_assert_int_eq(db_transact(connection, run_locked, &runs), DB_COMMITTED);
}
END_TEST

static char seen[256];
static int hooks_run, hooks_retry;

static void hook(struct db_transaction *tx)
{
    hooks_run++;
    seen[0] = '\0';
    for (const struct db_note *n = db_notes(tx); n != NULL; n = n->next) {
        strcat(seen, n->kind);
        strcat(seen, ":");
        strcat(seen, n->key);
        strcat(seen, " ");
    }
    ck_assert_str_eq(db_context(tx), "stamp");
    if (hooks_retry-- > 0)
        db_retry(tx);
    DB_RUN(tx, &insert, db_int(100));
}

static bool run_notes(struct db_transaction *tx, void *argument)
{
    db_set_context(tx, "stamp");
    db_savepoint(tx);
    db_note(tx, "lost", "first");
    DB_RUN(tx, &insert, db_int(1));
    db_rollback_to_savepoint(tx);
    ck_assert_ptr_null(db_notes(tx));
    db_release_savepoint(tx);
    char key[] = "1";
    db_note(tx, "a", key);
    key[0] = 'x'; // notes are copies
    db_savepoint(tx);
    db_note(tx, "b", "2");
    db_savepoint(tx);
    db_note(tx, "c", "3");
    DB_RUN(tx, &insert, db_int(2));
    db_rollback_to_savepoint(tx);
    db_note(tx, "d", "4");
    db_release_savepoint(tx);
    DB_RUN(tx, &insert, db_int(3));
    return *(bool *)argument;
}

START_TEST(notes_and_hook)
{
    db_set_commit_hook(hook);
    bool wanted = false;
    ck_assert_int_eq(db_transact(connection, run_notes, &wanted), DB_ROLLED_BACK);
    ck_assert_int_eq(hooks_run, 0);
    wanted = true;
    ck_assert_int_eq(db_transact(connection, run_insert, &wanted), DB_COMMITTED);
    ck_assert_int_eq(hooks_run, 0); // nothing was noted
    hooks_retry = 1;
    ck_assert_int_eq(db_transact(connection, run_notes, &wanted), DB_COMMITTED);
    ck_assert_int_eq(hooks_run, 2);
    ck_assert_str_eq(seen, "a:1 b:2 d:4 ");
    ck_assert_int_eq(fixture_number("select sum(a) from t"), 1 + 3 + 100);
}
END_TEST

static bool run_show(struct db_transaction *tx, void *argument)
{
    (void)argument;
    static const struct db_statement show = {
        "show", "select concat_ws(',', current_setting('transaction_isolation'), "
                "current_setting('idle_in_transaction_session_timeout'), current_setting('lock_timeout'), "
                "current_setting('statement_timeout'), current_setting('plan_cache_mode'), "
                "current_setting('client_connection_check_interval'), current_setting('application_name'), "
                "current_setting('client_encoding'))"};
    const struct db_result *rows = DB_RUN0(tx, &show);
    ck_assert_str_eq(db_get(rows, 0, 0).base,
                     "read committed,10s,2s,5s,force_generic_plan,1s,azsacr test,UTF8");
    return true;
}

START_TEST(settings)
{
    ck_assert_int_eq(db_transact(connection, run_show, NULL), DB_COMMITTED);
}
END_TEST

struct deferred {
    int64_t value;
    int runs, direct;
    bool statement_behind; // it goes out with a statement, else with the commit
};

static const struct db_statement insert_even = {
    "t_insert_even", "with i as (insert into t (a) select $1::bigint where $1::bigint % 2 = 0 returning a) "
                     "select case when exists (select from i) then 0 else azsacr.again() end"};

static bool run_deferred(struct db_transaction *tx, void *argument)
{
    struct deferred *d = argument;
    d->runs++;
    DB_RUN(tx, &insert, db_int(1));
    if (!DB_DEFER(tx, &insert_even, db_int(d->value))) {
        d->direct++;
        return false;
    }
    if (d->statement_behind) {
        const struct db_result *rows = DB_RUN0(tx, &count);
        ck_assert(db_failed(tx) || db_get_int(rows, 0, 0) >= 2);
    }
    return true;
}

// What is deferred is done with the commit or before the next statement; where it raises "again", nothing of
// the transaction stays and the next run may not defer.
START_TEST(deferred)
{
    fixture_sql("create schema if not exists azsacr; "
                "create or replace function azsacr.again() returns integer language plpgsql as "
                "$$begin raise exception 'again' using errcode = 'AZ001'; end$$");
    bool behind = _i != 0;
    struct deferred even = {.value = 2, .statement_behind = behind};
    ck_assert_int_eq(db_transact(connection, run_deferred, &even), DB_COMMITTED);
    ck_assert_int_eq(even.runs, 1);
    ck_assert_int_eq(fixture_number("select sum(a) from t"), 3);
    struct deferred odd = {.value = 3, .statement_behind = behind};
    ck_assert_int_eq(db_transact(connection, run_deferred, &odd), DB_ROLLED_BACK);
    ck_assert(odd.runs == 2 && odd.direct == 1);
    ck_assert_int_eq(fixture_number("select sum(a) from t"), 3);
    ck_assert_int_eq(db_transact(connection, run_deferred, &even), DB_COMMITTED);
    ck_assert_int_eq(fixture_number("select sum(a) from t"), 6);
}
END_TEST

static bool run_deferred_refusals(struct db_transaction *tx, void *argument)
{
    ck_assert(!DB_DEFER(tx, &insert, db_text((struct text){"1\0002", 3})));
    db_savepoint(tx);
    ck_assert(!DB_DEFER(tx, &insert, db_int(1)));
    db_release_savepoint(tx);
    int sent = 0;
    while (DB_DEFER(tx, &insert, db_int(1)))
        ck_assert_int_lt(++sent, 1000);
    ck_assert_int_gt(sent, 2);
    db_savepoint(tx); // sends them: what is rolled back here is not theirs
    DB_RUN(tx, &insert, db_int(1000));
    db_rollback_to_savepoint(tx);
    *(int *)argument = sent;
    return true;
}

START_TEST(deferred_refusals)
{
    int sent = 0;
    ck_assert_int_eq(db_transact(connection, run_deferred_refusals, &sent), DB_COMMITTED);
    ck_assert_int_eq(fixture_number("select sum(a) from t"), sent);
}
END_TEST

Suite *suite_transaction(void)
{
    Suite *suite = suite_create("transaction");
    TCase *tests = tcase_create("transaction");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, values);
    tcase_add_test(tests, commit_and_rollback);
    tcase_add_test(tests, poison);
    tcase_add_loop_test(tests, runs_again, 0, 2);
    tcase_add_test(tests, deadlock);
    tcase_add_test(tests, statement_limit);
    tcase_add_test(tests, lock_limit);
    tcase_add_test(tests, notes_and_hook);
    tcase_add_test(tests, settings);
    tcase_add_loop_test(tests, deferred, 0, 2);
    tcase_add_test(tests, deferred_refusals);
    suite_add_tcase(suite, tests);
    return suite;
}
