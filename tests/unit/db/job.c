// Jobs: their verdicts, the fence, a lost lease, attempts, waking and cleaning.
#include "fixture.h"

#include "base/arena.h"
#include "base/clock.h"
#include "db/job.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const struct db_statement insert = {"j_insert", "insert into j values ($1)"};
static const struct db_statement broken = {"j_broken", "select 1 / 0"};

static struct db_connection *connection;
static struct job_workers *workers;
static char id[37];
static _Atomic int runs;

static void set_up(void)
{
    struct db_target target = fixture_target();
    fixture_sql("delete from azsacr.job; delete from azsacr.job_wake; drop table if exists j; "
                "create table j (a text)");
    connection = db_connection_new(&target);
    runs = 0;
}

static void tear_down(void)
{
    job_workers_stop(workers);
    db_connection_free(connection);
}

static enum job_verdict three_steps(struct db_transaction *tx, struct job_step *step)
{
    ck_assert(text_is(step->job->payload, "{\"a\":1}"));
    int64_t n = 0;
    text_to_int64(step->job->result, &n);
    DB_RUN(tx, &insert, db_string("three"));
    runs++;
    step->result = text_of(arena_printf(step->arena, "%d", (int)n + 1));
    if (n == 0)
        return JOB_AGAIN;
    step->wait_ms = 50;
    return n == 1 ? JOB_WAIT : JOB_DONE;
}

static enum job_verdict fails(struct db_transaction *tx, struct job_step *step)
{
    DB_RUN(tx, &insert, db_string("never seen"));
    db_note(tx, "never", "seen");
    db_savepoint(tx); // a handler's own is not the step's
    DB_RUN(tx, &insert, db_string("never seen either"));
    step->result = TEXT("{\"error\":{\"code\":\"Conflict\"}}");
    return JOB_FAILED;
}

static enum job_verdict refuses(struct db_transaction *tx, struct job_step *step)
{
    DB_RUN(tx, &insert, db_string("given back"));
    step->result = TEXT("{\"error\":{\"code\":\"Blocked\"}}");
    return JOB_REFUSED;
}

static enum job_verdict breaks(struct db_transaction *tx, struct job_step *step)
{
    (void)step;
    runs++;
    DB_RUN0(tx, &broken);
    return JOB_DONE;
}

static enum job_verdict waits(struct db_transaction *tx, struct job_step *step)
{
    (void)tx;
    step->wait_ms = 60000;
    return ++runs == 1 ? JOB_WAIT : JOB_DONE;
}

// The first take is held outside of the transaction's own statements until its lease has gone to another.
static enum job_verdict slow(struct db_transaction *tx, struct job_step *step)
{
    int run = ++runs;
    DB_RUN(tx, &insert, db_string(run == 1 ? "first" : "second"));
    if (run == 1)
        fixture_sql("select pg_terminate_backend(pid, 2000) from pg_stat_activity "
                    "where application_name = 'azsacr test' and state = 'idle in transaction'");
    (void)step;
    return JOB_DONE;
}

static const struct job_kind kinds[] = {{"three_steps", three_steps},
                                        {"fails", fails},
                                        {"refuses", refuses},
                                        {"breaks", breaks},
                                        {"waits", waits},
                                        {"slow", slow},
                                        {0}};

static void start(size_t threads)
{
    struct db_target target = fixture_target();
    workers = job_workers_start(&target, kinds, threads);
}

static bool run_create(struct db_transaction *tx, void *argument)
{
    const char *kind = argument;
    strcpy(id, job_create(tx, kind, "00000000-0000-0000-0000-000000000001", TEXT("{\"a\":1}"), 0));
    return true;
}

static void create(const char *kind)
{
    ck_assert_int_eq(db_transact(connection, run_create, (void *)(uintptr_t)kind), DB_COMMITTED);
    ck_assert(uuid_is(text_of(id)));
    job_workers_nudge(workers);
}

static bool reaches(const char *state, int milliseconds)
{
    for (int i = 0; i < milliseconds / 20; i++) {
        if (fixture_number("select 1 from azsacr.job where id = '%s' and state = '%s'", id, state) == 1)
            return true;
        sleep_milliseconds(20);
    }
    return false;
}

struct expected {
    const char *state, *result;
};

static bool run_find(struct db_transaction *tx, void *argument)
{
    const struct expected *e = argument;
    struct job_status status;
    ck_assert(!job_find(tx, TEXT("nonsense"), &status));
    ck_assert(!job_find(tx, TEXT("00000000-0000-0000-0000-00000000000a"), &status));
    ck_assert(job_find(tx, text_of(id), &status));
    ck_assert(text_is(status.state, e->state));
    ck_assert(text_is(status.subscription, "00000000-0000-0000-0000-000000000001"));
    if (e->result != NULL)
        ck_assert_str_eq(status.result.base, e->result);
    else
        ck_assert_ptr_null(status.result.base);
    return true;
}

static void find(const char *state, const char *result)
{
    struct expected e = {state, result};
    ck_assert_int_eq(db_transact(connection, run_find, &e), DB_COMMITTED);
}

START_TEST(life)
{
    create("three_steps");
    find("Pending", NULL);
    start(2);
    ck_assert(reaches("Succeeded", 5000));
    find("Succeeded", "3");
    ck_assert_int_eq(runs, 3);
    ck_assert_int_eq(fixture_number("select count(*) from j"), 3);
    ck_assert_int_eq(
        fixture_number("select 1 from azsacr.job where finished_at is not null and owner is null "
                       "and lease_until is null and attempts = 0 and epoch = 2"),
        1);
}
END_TEST

START_TEST(nudged)
{
    start(1);
    sleep_milliseconds(200); // it waits for its tick now
    int64_t before = clock_monotonic();
    create("fails");
    ck_assert(reaches("Failed", 5000));
    ck_assert_int_lt(clock_monotonic() - before, 700000);
    find("Failed", "{\"error\":{\"code\":\"Conflict\"}}");
    ck_assert_int_eq(fixture_number("select count(*) from j"), 0);
}
END_TEST

START_TEST(broken_step)
{
    start(1);
    create("breaks");
    for (int i = 0; i < 200 && runs < 3; i++)
        sleep_milliseconds(20);
    ck_assert_int_ge(runs, 3);
    // It is counted, given back, and given up in the end.
    ck_assert_int_ge(fixture_number("select attempts from azsacr.job"), 2);
    sleep_milliseconds(100);
    fixture_sql("update azsacr.job set attempts = 10, run_at = clock_timestamp()");
    ck_assert(reaches("Failed", 5000));
    ck_assert_int_eq(fixture_number("select 1 from azsacr.job where result::text like '%%given up%%'"), 1);
}
END_TEST

START_TEST(lost_lease)
{
    setenv("AZSACR_LEASE_SECONDS", "1", 1);
    create("slow");
    // Somebody who is gone holds it.
    fixture_sql("update azsacr.job set state = 'Running', owner = 'gone', epoch = 7, attempts = 1, "
                "lease_until = clock_timestamp() + interval '1 second'");
    start(2);
    ck_assert(reaches("Succeeded", 10000));
    // The first run's session was ended in its step: nothing of it is seen, the second run's is, once.
    ck_assert_int_eq(runs, 2);
    ck_assert_int_eq(fixture_number("select count(*) from j"), 1);
    ck_assert_int_eq(fixture_number("select count(*) from j where a = 'second'"), 1);
    ck_assert_int_ge(fixture_number("select epoch from azsacr.job"), 8);
}
END_TEST

static enum job_verdict stolen(struct db_transaction *tx, struct job_step *step)
{
    (void)step;
    ++runs;
    DB_RUN(tx, &insert, db_string("stolen"));
    return JOB_AGAIN;
}

START_TEST(fenced)
{
    static const struct job_kind only[] = {{"stolen", stolen}, {0}};
    struct db_target target = fixture_target();
    create("stolen");
    workers = job_workers_start(&target, only, 1);
    for (int i = 0; i < 200 && runs < 3; i++)
        sleep_milliseconds(10);
    // Another takes it between two steps: no step of the first is committed after that.
    fixture_sql("update azsacr.job set owner = 'another', epoch = epoch + 1, "
                "lease_until = clock_timestamp() + interval '1 minute'");
    long seen = fixture_number("select count(*) from j");
    int then = runs;
    sleep_milliseconds(300);
    ck_assert_int_eq(fixture_number("select count(*) from j"), seen);
    ck_assert_int_le(runs, then);
    ck_assert_int_eq(fixture_number("select 1 from azsacr.job where owner = 'another' and state = 'Running'"),
                     1);
}
END_TEST

START_TEST(given_back_at_stop)
{
    static const struct job_kind only[] = {{"stolen", stolen}, {0}};
    struct db_target target = fixture_target();
    create("stolen");
    workers = job_workers_start(&target, only, 1);
    for (int i = 0; i < 200 && runs < 3; i++)
        sleep_milliseconds(10);
    job_workers_stop(workers);
    workers = NULL;
    ck_assert_int_eq(
        fixture_number("select 1 from azsacr.job where state = 'Pending' and owner is null and attempts = 0"),
        1);
}
END_TEST

START_TEST(refused)
{
    start(1);
    create("refuses");
    ck_assert(reaches("Failed", 5000));
    find("Failed", "{\"error\":{\"code\":\"Blocked\"}}");
    ck_assert_int_eq(fixture_number("select count(*) from j where a = 'given back'"), 1);
}
END_TEST

static void put_right(struct db_transaction *tx, const struct job *job)
{
    ck_assert(text_is(job->payload, "{\"a\":1}") && strcmp(job->id, id) == 0);
    DB_RUN(tx, &insert, db_string(job->kind));
}

START_TEST(given_up_is_told)
{
    job_set_given_up(put_right);
    create("breaks");
    fixture_sql("update azsacr.job set attempts = 10");
    start(1);
    ck_assert(reaches("Failed", 5000));
    ck_assert_int_eq(runs, 0);
    ck_assert_int_eq(fixture_number("select count(*) from j where a = 'breaks'"), 1);
}
END_TEST

static bool run_create_for(struct db_transaction *tx, void *argument)
{
    (void)argument;
    struct job_origin origin = {"00000000-0000-0000-0000-0000000000cc", TEXT("/subscriptions/x")};
    strcpy(id, job_create_for(tx, "waits", NULL, &origin, TEXT("{}"), 3600000));
    struct job_status status;
    ck_assert(job_find(tx, text_of(id), &status));
    ck_assert(text_is(status.started_by, origin.started_by) && text_equal(status.scope, origin.scope));
    ck_assert(!status.begun && status.finished_at == 0 && status.created_at > 0 && !status.subscription.base);
    return true;
}

START_TEST(started_by_somebody)
{
    ck_assert_int_eq(db_transact(connection, run_create_for, NULL), DB_COMMITTED);
}
END_TEST

START_TEST(kept_as_long_as_was_set)
{
    create("fails");
    fixture_sql(
        "update azsacr.job set state = 'Failed', finished_at = clock_timestamp() - interval '61 seconds'");
    create("fails");
    fixture_sql(
        "update azsacr.job set state = 'Failed', finished_at = clock_timestamp() - interval '30 seconds' "
        "where id = '%s'",
        id);
    job_set_retention(60);
    start(1);
    sleep_milliseconds(500);
    ck_assert_int_eq(fixture_number("select count(*) from azsacr.job"), 1);
    ck_assert_int_eq(fixture_number("select count(*) from azsacr.job where id = '%s'", id), 1);
}
END_TEST

#define TEAM_A "00000000-0000-0000-0000-00000000000a"
#define TEAM_B "00000000-0000-0000-0000-00000000000b"

static bool run_create_in_turn(struct db_transaction *tx, void *argument)
{
    const struct job_origin nobody = {0};
    (void)argument;
    ck_assert(!job_queue_waits(tx));
    for (int i = 0; i < 5; i++)
        strcpy(id, job_create_in_turn(tx, "waits", TEAM_A, &nobody, TEXT("{}"), NULL));
    ck_assert(job_queue_waits(tx));
    job_create_in_turn(tx, "waits", TEAM_B, &nobody, TEXT("{}"), NULL);
    job_create_in_turn(tx, "waits", TEAM_B, &nobody, TEXT("{}"), NULL);
    job_create_in_turn(tx, "waits", NULL, &nobody, TEXT("{}"), id);
    return true;
}

static bool run_come_late(struct db_transaction *tx, void *argument)
{
    (void)argument;
    job_create_in_turn(tx, "waits", TEAM_B, &(struct job_origin){0}, TEXT("{}"), NULL);
    return true;
}

// First in, first out within a subscription, round robin between subscriptions; work of a job stands where
// that job stands.
START_TEST(in_turn)
{
    ck_assert_int_eq(db_transact(connection, run_create_in_turn, NULL), DB_COMMITTED);
    ck_assert_int_eq(fixture_number("select count(*) from azsacr.job where subscription_id = '" TEAM_A
                                    "' and turn between 1 and 5"),
                     5);
    ck_assert_int_eq(
        fixture_number("select count(distinct turn) from azsacr.job where subscription_id = '" TEAM_A "'"),
        5);
    ck_assert_int_eq(
        fixture_number("select min(turn) * 10 + max(turn) from azsacr.job where subscription_id = '" TEAM_B
                       "'"),
        12);
    ck_assert_int_eq(fixture_number("select turn from azsacr.job where subscription_id is null"), 5);
    // Who comes late stands behind the first of those who still wait, not behind all.
    fixture_sql("update azsacr.job set epoch = 1 where turn < 3");
    fixture_sql("delete from azsacr.job where subscription_id = '" TEAM_B "'");
    ck_assert_int_eq(db_transact(connection, run_come_late, NULL), DB_COMMITTED);
    ck_assert_int_eq(fixture_number("select turn from azsacr.job where subscription_id = '" TEAM_B "'"), 3);
}
END_TEST

static bool run_wake(struct db_transaction *tx, void *argument)
{
    (void)argument;
    job_wake(tx, id);
    job_wake(tx, "00000000-0000-0000-0000-00000000000b");
    return true;
}

START_TEST(woken)
{
    start(2);
    create("waits");
    for (int i = 0; i < 200 && runs < 1; i++)
        sleep_milliseconds(10);
    ck_assert(reaches("Pending", 2000));
    sleep_milliseconds(1200);
    ck_assert_int_eq(runs, 1);
    ck_assert_int_eq(db_transact(connection, run_wake, NULL), DB_COMMITTED);
    ck_assert(reaches("Succeeded", 3000));
    ck_assert_int_eq(fixture_number("select count(*) from azsacr.job_wake where job_id = '%s'", id), 0);
}
END_TEST

START_TEST(unknown_kind_and_cleaning)
{
    create("of_a_newer_release");
    char newer[37];
    strcpy(newer, id);
    create("fails");
    fixture_sql(
        "update azsacr.job set state = 'Succeeded', finished_at = clock_timestamp() - interval '8 days' "
        "where id = '%s'",
        id);
    fixture_sql(
        "insert into azsacr.job_wake values (gen_random_uuid(), clock_timestamp() - interval '1 hour')");
    start(1);
    sleep_milliseconds(500);
    ck_assert_int_eq(fixture_number("select count(*) from azsacr.job"), 1);
    ck_assert_int_eq(fixture_number("select 1 from azsacr.job where id = '%s' and state = 'Pending'", newer),
                     1);
    ck_assert_int_eq(fixture_number("select count(*) from azsacr.job_wake"), 0);
}
END_TEST

Suite *suite_job(void)
{
    Suite *suite = suite_create("job");
    TCase *tests = tcase_create("job");
    tcase_set_timeout(tests, 20);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, life);
    tcase_add_test(tests, nudged);
    tcase_add_test(tests, broken_step);
    tcase_add_test(tests, lost_lease);
    tcase_add_test(tests, fenced);
    tcase_add_test(tests, given_back_at_stop);
    tcase_add_test(tests, refused);
    tcase_add_test(tests, given_up_is_told);
    tcase_add_test(tests, started_by_somebody);
    tcase_add_test(tests, kept_as_long_as_was_set);
    tcase_add_test(tests, woken);
    tcase_add_test(tests, in_turn);
    tcase_add_test(tests, unknown_kind_and_cleaning);
    suite_add_tcase(suite, tests);
    return suite;
}
