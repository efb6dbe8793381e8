// The read lane: batches, an error among them, limits, a lost session and a restarting server.
#include "fixture.h"
#include "fake_loop.h"

#include "base/clock.h"
#include "db/pipeline.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const struct db_statement echo = {"p_echo", "select $1::bigint, $2::text"};
static const struct db_statement divide = {"p_divide", "select 100 / $1::bigint"};
static const struct db_statement nap = {"p_nap", "select pg_sleep($1::bigint / 1000.0)"};
static const struct db_statement wide = {"p_wide", "select repeat($1::text, 4)"};
static const struct db_statement quote = {"p_quote", "select $1::text, 100 / $2::bigint"};
// Backwards, so that rows and queries are not in one order.
static const struct db_statement quote_many = {
    "p_quote_many", "select k.a, 100 / k.b::bigint, k.n from unnest($1::text[], $2::text[]) with ordinality "
                    "k (a, b, n) order by k.n desc"};
static const struct db_statement *const statements[] = {&echo, &divide, &nap, &wide, &quote, &quote_many};

struct query {
    struct db_query query; // first: a query of the test is one of the pipeline
    int64_t number;
    enum db_outcome outcome;
    int calls;
    bool right;
};

static struct loop *loop;
static struct db_pipeline *pipeline;
static int done, committed;

static void on_done(struct db_query *query, enum db_outcome outcome, const struct db_result *result)
{
    struct query *q = (struct query *)query;
    q->outcome = outcome;
    q->calls++;
    ck_assert((outcome == DB_COMMITTED) == (result != NULL));
    done++;
    committed += outcome == DB_COMMITTED;
    if (query->statement == &echo)
        q->right = db_rows(result) == 1 && db_get_int(result, 0, 0) == q->number &&
                   text_is(db_get(result, 0, 1), "täxt");
    else
        q->right = db_rows(result) == 1;
}

static void send_one(struct query *q, const struct db_statement *statement, int64_t number)
{
    *q = (struct query){.number = number};
    q->query.statement = statement;
    q->query.values[0] = db_int(number);
    q->query.count = 1;
    if (statement == &echo)
        q->query.values[q->query.count++] = db_string("täxt");
    q->query.done = on_done;
    db_pipeline_send(pipeline, &q->query);
}

static void set_up_with(int statement_timeout)
{
    struct db_target target = fixture_target();
    target.application = "azsacr lane";
    target.statement_timeout = statement_timeout;
    loop = fake_loop_new();
    pipeline = db_pipeline_new(loop, &target, statements, sizeof statements / sizeof *statements);
    done = committed = 0;
}

// A loaded machine may take long over what these send: no limit of theirs is what is tested.
static void set_up(void)
{
    set_up_with(10000);
}

static void set_up_limited(void)
{
    set_up_with(250);
}

static void tear_down(void)
{
    db_pipeline_free(pipeline);
    for (int i = 0; i < 30; i++) // the loop still calls what it was given
        fake_loop_turn(loop);
    fake_loop_free(loop);
}

START_TEST(batches)
{
    enum { COUNT = 500 };
    static struct query q[COUNT];
    for (int round = 0; round < 4; round++) {
        done = committed = 0;
        for (int i = 0; i < COUNT; i++)
            send_one(&q[i], &echo, round * COUNT + i);
        ck_assert(fake_loop_until(loop, &done, COUNT, 5000));
        for (int i = 0; i < COUNT; i++)
            ck_assert(q[i].calls == 1 && q[i].outcome == DB_COMMITTED && q[i].right);
    }
}
END_TEST

static const char *const quoted[] = {"plain",        "", "NULL", "a\"b", "back\\slash", "{curly,comma}",
                                     "t\u00e4xt ' ;"};
enum { QUOTED = sizeof quoted / sizeof *quoted };

struct shared {
    struct db_query query;
    const char *text;
    enum db_outcome outcome;
    bool right;
};

static void on_shared(struct db_query *query, enum db_outcome outcome, const struct db_result *result)
{
    struct shared *s = (struct shared *)query;
    s->outcome = outcome;
    s->right = outcome == DB_COMMITTED && db_rows(result) == 1 && text_is(db_get(result, 0, 0), s->text) &&
               db_is_null(result, 1, 0);
    done++;
}

static void send_shared(struct shared *s, const char *text, const char *divisor)
{
    *s = (struct shared){.text = text};
    s->query.statement = &quote;
    s->query.many = &quote_many;
    s->query.values[0] = db_string(text);
    s->query.values[1] = db_string(divisor);
    s->query.count = 2;
    s->query.done = on_shared;
    db_pipeline_send(pipeline, &s->query);
}

// Asked together, each gets its own row, whatever its text; one that fails is nobody else's failure.
START_TEST(asked_together)
{
    enum { COUNT = 200 };
    static struct shared s[COUNT];
    for (int bad = -1; bad < 140; bad += 70) {
        done = 0;
        for (int i = 0; i < COUNT; i++)
            send_shared(&s[i], quoted[i % QUOTED], i == bad ? "0" : "5");
        ck_assert(fake_loop_until(loop, &done, COUNT, 20000));
        for (int i = 0; i < COUNT; i++)
            ck_assert_msg(i == bad ? s[i].outcome == DB_FAILED : s[i].right, "%d: %d", i, s[i].outcome);
    }
}
END_TEST

START_TEST(error_isolation)
{
    enum { COUNT = 300 };
    static struct query q[COUNT];
    for (int i = 0; i < COUNT; i++)
        send_one(&q[i], i % 60 == 30 ? &divide : &echo, i % 60 == 30 ? 0 : i);
    ck_assert(fake_loop_until(loop, &done, COUNT, 5000));
    for (int i = 0; i < COUNT; i++)
        ck_assert_msg(q[i].calls == 1 && (i % 60 == 30 ? q[i].outcome == DB_FAILED : q[i].right), "%d: %d", i,
                      q[i].outcome);
}
END_TEST

START_TEST(bound)
{
    enum { COUNT = 1024 };
    static struct query q[COUNT], over;
    for (int i = 0; i < COUNT; i++)
        send_one(&q[i], &echo, i);
    send_one(&over, &echo, 1);
    ck_assert(over.calls == 1 && over.outcome == DB_UNAVAILABLE);
    ck_assert(fake_loop_until(loop, &done, COUNT + 1, 5000));
    ck_assert_int_eq(committed, COUNT);
}
END_TEST

static void *big(size_t length)
{
    char *text = malloc(length + 1);
    memset(text, 'x', length);
    text[length] = '\0';
    return text;
}

START_TEST(wide_values)
{
    // More than the socket takes and gives at once, in both directions.
    enum { COUNT = 64, LENGTH = 40000 };
    static struct query q[COUNT];
    char *text = big(LENGTH);
    for (int i = 0; i < COUNT; i++) {
        q[i] = (struct query){.query = {.statement = &wide, .count = 1, .done = on_done}};
        q[i].query.values[0] = db_text((struct text){text, LENGTH});
        db_pipeline_send(pipeline, &q[i].query);
    }
    ck_assert(fake_loop_until(loop, &done, COUNT, 10000));
    ck_assert_int_eq(committed, COUNT);
    free(text);
    // A value that cannot be sent harms nobody else.
    static struct query good[2], bad;
    send_one(&good[0], &echo, 1);
    bad = (struct query){.query = {.statement = &wide, .count = 1, .done = on_done}};
    bad.query.values[0] = db_text((struct text){"a\0b", 3});
    db_pipeline_send(pipeline, &bad.query);
    send_one(&good[1], &echo, 2);
    ck_assert(fake_loop_until(loop, &done, COUNT + 3, 5000));
    ck_assert(bad.outcome == DB_FAILED && good[0].right && good[1].right);
}
END_TEST

START_TEST(slow_statement)
{
    static struct query slow, quick[3];
    send_one(&quick[0], &echo, 1);
    send_one(&slow, &nap, 3000);
    send_one(&quick[1], &echo, 2);
    ck_assert(fake_loop_until(loop, &done, 3, 5000));
    ck_assert_int_eq(slow.outcome, DB_UNAVAILABLE);
    ck_assert(quick[0].right && quick[1].right);
}
END_TEST

START_TEST(terminated)
{
    static struct query q[3];
    send_one(&q[0], &echo, 1);
    ck_assert(fake_loop_until(loop, &done, 1, 5000));
    // Idle: the next query never notices.
    fixture_sql("select pg_terminate_backend(pid, 2000) from pg_stat_activity where application_name = "
                "'azsacr lane'");
    send_one(&q[1], &echo, 2);
    ck_assert(fake_loop_until(loop, &done, 2, 5000));
    ck_assert(q[1].right);
    // In flight: asked once more.
    send_one(&q[2], &nap, 150);
    for (int i = 0; i < 3; i++)
        fake_loop_turn(loop);
    fixture_sql("select pg_terminate_backend(pid, 2000) from pg_stat_activity where application_name = "
                "'azsacr lane'");
    ck_assert(fake_loop_until(loop, &done, 3, 5000));
    ck_assert_int_eq(q[2].outcome, DB_COMMITTED);
}
END_TEST

START_TEST(frozen_server)
{
    static struct query q[3];
    send_one(&q[0], &echo, 1);
    ck_assert(fake_loop_until(loop, &done, 1, 5000));
    pid_t backend =
        (pid_t)fixture_number("select pid from pg_stat_activity where application_name = 'azsacr lane'");
    ck_assert_int_gt(backend, 1);
    ck_assert_int_eq(kill(backend, SIGSTOP), 0);
    int64_t before = clock_monotonic();
    send_one(&q[1], &echo, 2);
    ck_assert(fake_loop_until(loop, &done, 2, 5000));
    ck_assert_int_eq(q[1].outcome, DB_UNAVAILABLE);
    ck_assert_int_lt(clock_monotonic() - before, 1500000);
    send_one(&q[2], &echo, 3);
    ck_assert(fake_loop_until(loop, &done, 3, 5000));
    ck_assert(q[2].right);
    kill(backend, SIGCONT);
}
END_TEST

static void *restart(void *argument)
{
    (void)argument;
    fixture_stop_server();
    sleep_milliseconds(300);
    fixture_start_server();
    return NULL;
}

START_TEST(server_restart)
{
    // One query after another while the server restarts: none is lost, for reads are asked again.
    enum { COUNT = 2000 };
    static struct query q[COUNT];
    pthread_t thread;
    int sent = 0;
    pthread_create(&thread, NULL, restart, NULL);
    while (sent < COUNT) {
        send_one(&q[sent++], &echo, 1);
        fake_loop_turn(loop);
    }
    ck_assert(fake_loop_until(loop, &done, COUNT, 10000));
    pthread_join(thread, NULL);
    for (int i = 0; i < COUNT; i++)
        ck_assert_int_eq(q[i].calls, 1);
    // The bound of those that wait may refuse some; nothing else may.
    ck_assert_int_ge(committed, 1024);
}
END_TEST

START_TEST(nobody_there)
{
    static struct query q[2];
    struct db_target target = {"host=/nonexistent dbname=x user=x", "azsacr lane", 250};
    struct db_pipeline *own = pipeline;
    pipeline = db_pipeline_new(loop, &target, statements, 1);
    int64_t before = clock_monotonic();
    send_one(&q[0], &echo, 1);
    ck_assert(fake_loop_until(loop, &done, 1, 5000));
    ck_assert_int_eq(q[0].outcome, DB_UNAVAILABLE);
    ck_assert_int_lt(clock_monotonic() - before, 2500000);
    send_one(&q[1], &echo, 1);
    db_pipeline_free(pipeline);
    ck_assert(q[1].calls == 1 && q[1].outcome == DB_UNAVAILABLE);
    pipeline = own;
}
END_TEST

START_TEST(statement_that_is_wrong)
{
    static const struct db_statement wrong = {"p_wrong", "select nothing from nowhere"};
    static const struct db_statement *const bad[] = {&echo, &wrong};
    static struct query q;
    struct db_target target = fixture_target();
    struct db_pipeline *own = pipeline;
    pipeline = db_pipeline_new(loop, &target, bad, 2);
    send_one(&q, &echo, 1);
    ck_assert(fake_loop_until(loop, &done, 1, 5000));
    ck_assert_int_eq(q.outcome, DB_UNAVAILABLE);
    db_pipeline_free(pipeline);
    pipeline = own;
}
END_TEST

Suite *suite_pipeline(void)
{
    Suite *suite = suite_create("pipeline");
    TCase *tests = tcase_create("pipeline");
    tcase_set_timeout(tests, 20);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, batches);
    tcase_add_test(tests, asked_together);
    tcase_add_test(tests, error_isolation);
    tcase_add_test(tests, bound);
    tcase_add_test(tests, wide_values);
    tcase_add_test(tests, terminated);
    tcase_add_test(tests, server_restart);
    tcase_add_test(tests, nobody_there);
    tcase_add_test(tests, statement_that_is_wrong);
    suite_add_tcase(suite, tests);
    TCase *limits = tcase_create("limits");
    tcase_set_timeout(limits, 20);
    tcase_add_checked_fixture(limits, set_up_limited, tear_down);
    tcase_add_test(limits, slow_statement);
    tcase_add_test(limits, frozen_server);
    suite_add_tcase(suite, limits);
    return suite;
}
