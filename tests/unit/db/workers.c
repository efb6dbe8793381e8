// The bounded queue of workers, and the pool.
#include "fixture.h"

#include "base/clock.h"
#include "db/workers.h"

#include <pthread.h>
#include <stdatomic.h>

static const struct db_statement pause_statement = {"w_pause", "select pg_sleep($1::bigint / 1000.0)"};

struct task {
    struct db_work work; // first: a task is its work
    int64_t milliseconds;
    _Atomic bool run, expired;
};

static bool run_pause(struct db_transaction *tx, void *argument)
{
    DB_RUN(tx, &pause_statement, db_int(*(int64_t *)argument));
    return true;
}

static void run(struct db_work *work, struct db_connection *connection)
{
    struct task *task = (struct task *)work;
    ck_assert_int_eq(db_transact(connection, run_pause, &task->milliseconds), DB_COMMITTED);
    task->run = true;
}

static void expired(struct db_work *work)
{
    ((struct task *)work)->expired = true;
}

static struct task task_of(int64_t milliseconds)
{
    return (struct task){.work = {.run = run, .expired = expired}, .milliseconds = milliseconds};
}

START_TEST(full_and_expired)
{
    struct db_target target = fixture_target();
    struct db_workers *w = db_workers_start(&target, "test", 1, 2, 200);
    struct task held = task_of(1000), waits[2] = {task_of(0), task_of(0)}, refused = task_of(0);
    ck_assert(db_workers_submit(w, &held.work));
    sleep_milliseconds(50);
    ck_assert(db_workers_submit(w, &waits[0].work));
    ck_assert(db_workers_submit(w, &waits[1].work));
    ck_assert(!db_workers_submit(w, &refused.work));
    sleep_milliseconds(400);
    // Told in time, though the only worker is still held.
    ck_assert(waits[0].expired && waits[1].expired && !held.run);
    struct task last = task_of(0);
    ck_assert(db_workers_submit(w, &last.work));
    sleep_milliseconds(700);
    ck_assert(held.run && !waits[0].run && !refused.run && !refused.expired);
    ck_assert(last.expired != last.run);
    db_workers_stop(w);
}
END_TEST

START_TEST(many)
{
    enum { COUNT = 200 };
    struct db_target target = fixture_target();
    struct db_workers *w = db_workers_start(&target, "a name that is rather long", 4, COUNT, 10000);
    static struct task tasks[COUNT];
    for (int i = 0; i < COUNT; i++) {
        tasks[i].work.run = run;
        tasks[i].work.expired = expired;
        tasks[i].milliseconds = i % 3;
        ck_assert(db_workers_submit(w, &tasks[i].work));
    }
    db_workers_stop(w); // runs what is queued
    for (int i = 0; i < COUNT; i++)
        ck_assert(tasks[i].run);
}
END_TEST

// One busy registry's work, all of which waits for one lock, held up everybody else's for as long.
START_TEST(shares)
{
    enum { THREADS = 4, COUNT = 6, QUEUE = 8 };
    struct db_target target = fixture_target();
    struct db_workers *w = db_workers_start(&target, "shares", THREADS, QUEUE, 5000);
    static struct task busy[COUNT], others[2], refused;
    for (int i = 0; i < COUNT; i++) {
        busy[i] = task_of(700);
        busy[i].work.owner = 7;
        while (!db_workers_submit(w, &busy[i].work)) // until two of them run, and four wait: half of each
            sleep_milliseconds(1);
    }
    refused = task_of(0);
    refused.work.owner = 7;
    ck_assert(!db_workers_submit(w, &refused.work));
    others[0] = task_of(0);
    others[1] = task_of(0);
    others[1].work.owner = 8;
    for (int i = 0; i < 2; i++)
        ck_assert(db_workers_submit(w, &others[i].work));
    for (int turn = 0; turn < 120 && !(others[0].run && others[1].run); turn++)
        sleep_milliseconds(10);
    ck_assert(others[0].run && others[1].run && !busy[COUNT - 1].run);
    db_workers_stop(w); // runs what is queued, past any share
    for (int i = 0; i < COUNT; i++)
        ck_assert(busy[i].run);
}
END_TEST

START_TEST(patience)
{
    struct db_target target = fixture_target();
    struct db_workers *w = db_workers_start(&target, "patience", 1, 8, 200);
    static struct task held, patient, hasty;
    held = task_of(1000), patient = task_of(0), hasty = task_of(0);
    patient.work.wait_ms = 20000;
    ck_assert(db_workers_submit(w, &held.work));
    sleep_milliseconds(50);
    ck_assert(db_workers_submit(w, &patient.work));
    ck_assert(db_workers_submit(w, &hasty.work)); // behind one that waits longer, and due before it
    for (int turn = 0; turn < 80 && !hasty.expired; turn++)
        sleep_milliseconds(10);
    ck_assert(hasty.expired && !patient.expired && !held.run);
    db_workers_stop(w);
    ck_assert(held.run && patient.run && !hasty.run);
}
END_TEST

struct taker {
    struct db_pool *pool;
    int rounds;
};

static void *take_and_give(void *argument)
{
    struct taker *taker = argument;
    int64_t none = 0;
    for (int i = 0; i < 50; i++) {
        struct db_connection *c = db_pool_take(taker->pool, 5000);
        ck_assert_ptr_nonnull(c);
        ck_assert_int_eq(db_transact(c, run_pause, &none), DB_COMMITTED);
        db_pool_give(taker->pool, c);
        taker->rounds++;
    }
    return NULL;
}

START_TEST(bounded_pool)
{
    struct db_target target = fixture_target();
    struct db_pool *pool = db_pool_new(&target, 2);
    struct db_connection *one = db_pool_take(pool, 0), *two = db_pool_take(pool, 0);
    ck_assert(one != NULL && two != NULL && one != two);
    int64_t before = clock_monotonic();
    ck_assert_ptr_null(db_pool_take(pool, 100));
    ck_assert_int_ge(clock_monotonic() - before, 90000);
    db_pool_give(pool, one);
    db_pool_give(pool, two);
    pthread_t threads[6];
    struct taker takers[6];
    for (int i = 0; i < 6; i++) {
        takers[i] = (struct taker){pool, 0};
        pthread_create(&threads[i], NULL, take_and_give, &takers[i]);
    }
    for (int i = 0; i < 6; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(takers[i].rounds, 50);
    }
    db_pool_free(pool);
}
END_TEST

Suite *suite_workers(void)
{
    Suite *suite = suite_create("workers");
    TCase *tests = tcase_create("workers");
    tcase_add_test(tests, full_and_expired);
    tcase_add_test(tests, many);
    tcase_add_test(tests, shares);
    tcase_add_test(tests, patience);
    tcase_add_test(tests, bounded_pool);
    suite_add_tcase(suite, tests);
    return suite;
}
