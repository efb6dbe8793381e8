// Threads that take jobs and run their steps. A job is held by owner and epoch: every step begins by proving
// that it still is, in the transaction that commits what the step did, so that a worker that was frozen, or
// taken for dead, can never commit beside its successor.
#include "db/job.h"
#include "db/session.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    LEASE_SECONDS = 30,
    ATTEMPTS_LIMIT = 10,     // takes without a committed step
    TICK = 1000 * 1000,      // microseconds
    CLEAN_EVERY = 600,       // seconds
    BACKOFF_LONGEST = 30000, // ms
};

// Wakes are consumed only for a job that waits: one that runs now keeps its wake until its step has ended.
static const struct db_statement apply_wakes = {
    .name = "job_apply_wakes",
    .sql = "with woken as (select j.id from azsacr.job j where j.state = 'Pending' "
           "and j.id in (select w.job_id from azsacr.job_wake w) order by j.id limit 100 for update skip "
           "locked), "
           "used as (delete from azsacr.job_wake w using woken where w.job_id = woken.id) "
           "update azsacr.job j set run_at = least(j.run_at, clock_timestamp()) from woken where j.id = "
           "woken.id",
};

// statement_timestamp() is not later than clock_timestamp(), so no lease is taken early, and the index can be
// used.
static const struct db_statement take = {
    .name = "job_take",
    .sql =
        "update azsacr.job set state = 'Running', owner = $1, epoch = epoch + 1, attempts = attempts + 1, "
        "lease_until = clock_timestamp() + $2::bigint * interval '1 second' "
        "where id = (select id from azsacr.job where state in ('Pending', 'Running') "
        "and run_at <= statement_timestamp() and (state = 'Pending' or lease_until < statement_timestamp()) "
        "and kind = any($3::text[]) order by turn, run_at limit 1 for update skip locked) "
        "returning id, epoch, attempts, kind, payload, result",
};

static const struct db_statement fence = {
    .name = "job_fence",
    .sql = "update azsacr.job set lease_until = clock_timestamp() + $4::bigint * interval '1 second' "
           "where id = $1 and owner = $2 and epoch = $3 and state = 'Running' "
           "returning payload, result, attempts",
};

static const struct db_statement settle = {
    .name = "job_settle",
    .sql = "update azsacr.job set state = $4, result = coalesce($5::json, result), attempts = 0, "
           "run_at = clock_timestamp() + $6::bigint * interval '1 millisecond', "
           "owner = case when $4 = 'Running' then owner end, "
           "lease_until = case when $4 = 'Running' then lease_until end, "
           "finished_at = case when $4 in ('Succeeded', 'Failed') then clock_timestamp() end "
           "where id = $1 and owner = $2 and epoch = $3",
};

// After a step that did not commit; `attempts` keeps counting.
static const struct db_statement give_back = {
    .name = "job_give_back",
    .sql = "update azsacr.job set state = 'Pending', owner = null, lease_until = null, "
           "attempts = greatest(attempts - $5::integer, 0), "
           "run_at = clock_timestamp() + $4::bigint * interval '1 millisecond' "
           "where id = $1 and owner = $2 and epoch = $3 and state = 'Running'",
};

static const struct db_statement clean_finished = {
    .name = "job_clean_finished",
    .sql =
        "delete from azsacr.job where id in (select id from azsacr.job where finished_at is not null and "
        "finished_at < statement_timestamp() - $1::bigint * interval '1 second' limit 1000 for update skip "
        "locked)",
};

static const struct db_statement clean_wakes = {
    .name = "job_clean_wakes",
    .sql = "delete from azsacr.job_wake w where w.at < statement_timestamp() - interval '1 minute' "
           "and not exists (select from azsacr.job j where j.id = w.job_id and j.state in ('Pending', "
           "'Running'))",
};

enum { GIVEN_UP_HOOKS = 4 };
static int64_t retention = 7 * 24 * 3600; // seconds; set before the threads start
static void (*on_given_up[GIVEN_UP_HOOKS])(struct db_transaction *tx, const struct job *job);
static void (*between_steps)(struct db_connection *connection, bool committed);
static pthread_mutex_t current_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct job_workers *current; // that job_nudge is about

void job_set_retention(int64_t seconds)
{
    retention = seconds;
}

void job_set_given_up(void (*given_up)(struct db_transaction *tx, const struct job *job))
{
    for (size_t i = 0; i < GIVEN_UP_HOOKS; i++) {
        if (on_given_up[i] == given_up)
            return;
        if (on_given_up[i] == NULL) {
            on_given_up[i] = given_up;
            return;
        }
    }
    abort();
}

void job_set_meanwhile(void (*meanwhile)(struct db_connection *connection, bool committed))
{
    between_steps = meanwhile;
}

struct job_workers {
    pthread_mutex_t mutex;
    pthread_cond_t nudged;
    uint64_t nudges;
    bool stopping;
    struct arena *arena;
    struct db_target target;
    const struct job_kind *kinds;
    const char *kind_names; // as an array of PostgreSQL
    int64_t lease;          // seconds
    size_t count;
    pthread_t threads[];
};

// One thread's hold on one job.
struct hold {
    struct job_workers *workers;
    const char *owner;
    char id[37];
    int64_t epoch, attempts;
    const struct job_kind *kind;
    bool lost;                // somebody else has it, or nobody
    enum job_verdict verdict; // of the step that was just committed
    bool gently;
};

static bool is_stopping(struct job_workers *w)
{
    pthread_mutex_lock(&w->mutex);
    bool stopping = w->stopping;
    pthread_mutex_unlock(&w->mutex);
    return stopping;
}

static const struct job_kind *kind_of(const struct job_workers *w, struct text name)
{
    for (const struct job_kind *k = w->kinds; k->name != NULL; k++)
        if (text_is(name, k->name))
            return k;
    return NULL;
}

static bool run_wakes(struct db_transaction *tx, void *argument)
{
    (void)argument;
    DB_RUN0(tx, &apply_wakes);
    return true;
}

static bool run_clean(struct db_transaction *tx, void *argument)
{
    (void)argument;
    DB_RUN(tx, &clean_finished, db_int(retention));
    DB_RUN0(tx, &clean_wakes);
    return true;
}

static void settle_job(struct db_transaction *tx, const struct hold *hold, const char *state,
                       struct text result, int64_t wait_ms)
{
    DB_RUN(tx, &settle, db_string(hold->id), db_string(hold->owner), db_int(hold->epoch), db_string(state),
           db_text(result), db_int(wait_ms));
}

static void give_up(struct db_transaction *tx, const struct hold *hold, const struct db_result *taken)
{
    log_error("job.given_up", "job", hold->id, "kind", hold->kind->name);
    struct job job = {.kind = hold->kind->name,
                      .payload = db_get(taken, 0, 4),
                      .result = db_get(taken, 0, 5),
                      .attempts = hold->attempts};
    memcpy(job.id, hold->id, sizeof job.id);
    for (size_t i = 0; i < GIVEN_UP_HOOKS && on_given_up[i] != NULL; i++)
        on_given_up[i](tx, &job);
    settle_job(
        tx, hold, "Failed",
        TEXT("{\"error\":{\"code\":\"InternalServerError\",\"message\":\"The operation was given up: it was "
             "started 10 times and did not complete a step.\"}}"),
        0);
}

// Sets hold->kind when a job was taken. One that was taken too often without a committed step ends here.
static bool run_take(struct db_transaction *tx, void *argument)
{
    struct hold *hold = argument;
    hold->kind = NULL;
    hold->lost = false;
    const struct db_result *rows = DB_RUN(tx, &take, db_string(hold->owner), db_int(hold->workers->lease),
                                          db_string(hold->workers->kind_names));
    if (db_rows(rows) == 0)
        return true;
    snprintf(hold->id, sizeof hold->id, "%s", db_get(rows, 0, 0).base);
    hold->epoch = db_get_int(rows, 0, 1);
    hold->attempts = db_get_int(rows, 0, 2);
    hold->kind = kind_of(hold->workers, db_get(rows, 0, 3));
    if (hold->attempts <= ATTEMPTS_LIMIT)
        return true;
    give_up(tx, hold, rows);
    hold->lost = true;
    return true;
}

// A step: the fence, the handler behind a savepoint, its verdict, in one transaction.
static bool run_step(struct db_transaction *tx, void *argument)
{
    struct hold *hold = argument;
    const struct db_result *rows = DB_RUN(tx, &fence, db_string(hold->id), db_string(hold->owner),
                                          db_int(hold->epoch), db_int(hold->workers->lease));
    hold->lost = !db_failed(tx) && db_rows(rows) == 0;
    if (db_rows(rows) == 0)
        return false;
    struct job job = {
        .kind = hold->kind->name,
        .payload = db_get(rows, 0, 0),
        .result = db_get(rows, 0, 1),
        .attempts = db_get_int(rows, 0, 2),
    };
    memcpy(job.id, hold->id, sizeof job.id);
    struct job_step step = {.job = &job, .arena = db_arena(tx)};
    db_savepoint(tx);
    size_t depth = transaction_depth(tx);
    hold->verdict = hold->kind->step(tx, &step);
    hold->gently = step.gently;
    switch (hold->verdict) {
    case JOB_AGAIN:
        settle_job(tx, hold, "Running", step.result, 0);
        break;
    case JOB_WAIT:
        settle_job(tx, hold, "Pending", step.result, step.wait_ms);
        break;
    case JOB_DONE:
        settle_job(tx, hold, "Succeeded", step.result, 0);
        break;
    case JOB_FAILED:
        transaction_rollback_to(tx, depth);
        // fall through
    case JOB_REFUSED:
        settle_job(tx, hold, "Failed", step.result, 0);
        break;
    }
    failpoint("job.commit");
    return true;
}

struct return_of {
    const struct hold *hold;
    int64_t delay_ms;
    int64_t uncount; // 1: this take does not count as an attempt
};

static bool run_give_back(struct db_transaction *tx, void *argument)
{
    const struct return_of *r = argument;
    DB_RUN(tx, &give_back, db_string(r->hold->id), db_string(r->hold->owner), db_int(r->hold->epoch),
           db_int(r->delay_ms), db_int(r->uncount));
    return true;
}

// 250 ms, doubled with each attempt.
static int64_t attempt_delay(int64_t attempts)
{
    int64_t delay = 250;
    for (int64_t i = 1; i < attempts && delay < BACKOFF_LONGEST; i++)
        delay *= 2;
    return delay < BACKOFF_LONGEST ? delay : BACKOFF_LONGEST;
}

// Most of the time is the others', in pieces that a stop does not wait for.
static void rest(struct hold *hold, int64_t microseconds)
{
    enum { TIMES = 3, PIECE_US = 50000, LONGEST_US = 1000000 };
    microseconds *= TIMES;
    for (int64_t left = microseconds < LONGEST_US ? microseconds : LONGEST_US;
         left > 0 && !is_stopping(hold->workers); left -= PIECE_US)
        usleep((useconds_t)(left < PIECE_US ? left : PIECE_US));
}

static void run_job(struct hold *hold, struct db_connection *connection)
{
    for (;;) {
        int64_t began = clock_monotonic();
        enum db_outcome outcome = db_transact(connection, run_step, hold);
        if (between_steps)
            between_steps(connection, outcome == DB_COMMITTED);
        if (hold->lost) {
            log_warning("job.lost", "job", hold->id, "kind", hold->kind->name);
            return;
        }
        if (outcome != DB_COMMITTED) {
            log_warning("job.step_failed", "job", hold->id, "kind", hold->kind->name, "attempts",
                        log_number(hold->attempts));
            struct return_of back = {hold, attempt_delay(hold->attempts), 0};
            db_transact(connection, run_give_back, &back); // in vain: the lease ends by itself
            return;
        }
        if (hold->verdict != JOB_AGAIN)
            return;
        hold->attempts = 1;
        if (hold->gently)
            rest(hold, clock_monotonic() - began);
        if (is_stopping(hold->workers)) {
            struct return_of back = {hold, 0, 1};
            db_transact(connection, run_give_back, &back);
            return;
        }
    }
}

// Waits for a tick or a nudge that came after `seen`.
static void wait_for_work(struct job_workers *w, uint64_t seen)
{
    int64_t limit = clock_monotonic() + TICK;
    struct timespec t = {limit / 1000000, limit % 1000000 * 1000};
    pthread_mutex_lock(&w->mutex);
    while (!w->stopping && w->nudges == seen)
        if (pthread_cond_timedwait(&w->nudged, &w->mutex, &t) != 0)
            break;
    pthread_mutex_unlock(&w->mutex);
}

static uint64_t nudges_seen(struct job_workers *w)
{
    pthread_mutex_lock(&w->mutex);
    uint64_t seen = w->nudges;
    pthread_mutex_unlock(&w->mutex);
    return seen;
}

static void *worker(void *argument)
{
    struct job_workers *w = argument;
    struct db_connection *connection = db_connection_new(&w->target);
    char owner[37];
    uuid_random(owner);
    int64_t clean_at = clock_monotonic();
    while (!is_stopping(w)) {
        uint64_t seen = nudges_seen(w);
        struct hold hold = {.workers = w, .owner = owner};
        bool reached = db_transact(connection, run_wakes, NULL) == DB_COMMITTED;
        if (reached && clock_monotonic() >= clean_at) {
            db_transact(connection, run_clean, NULL);
            clean_at = clock_monotonic() + (int64_t)CLEAN_EVERY * 1000000;
        }
        if (!reached || db_transact(connection, run_take, &hold) != DB_COMMITTED || hold.kind == NULL) {
            wait_for_work(w, seen);
            continue;
        }
        log_debug("job.taken", "job", hold.id, "kind", hold.kind->name, "owner", owner);
        failpoint("job.taken");
        if (!hold.lost)
            run_job(&hold, connection);
    }
    db_connection_free(connection);
    return NULL;
}

static const char *kind_array(struct arena *arena, const struct job_kind *kinds)
{
    const char *array = "{";
    for (const struct job_kind *k = kinds; k->name != NULL; k++)
        array = arena_printf(arena, "%s%s\"%s\"", array, k == kinds ? "" : ",", k->name);
    return arena_printf(arena, "%s}", array);
}

// 30 s, less than which nothing must be set outside of tests: idle sessions lose their locks after 10 s.
static int64_t lease_seconds(void)
{
    int64_t seconds = 0;
    const char *set = getenv("AZSACR_LEASE_SECONDS");
    if (set == NULL || !text_to_int64(text_of(set), &seconds) || seconds < 1 || seconds > 3600)
        return LEASE_SECONDS;
    return seconds;
}

struct job_workers *job_workers_start(const struct db_target *target, const struct job_kind *kinds,
                                      size_t threads)
{
    struct job_workers *w = xcalloc(1, sizeof *w + threads * sizeof *w->threads);
    w->arena = arena_new();
    w->target = session_copy_target(w->arena, target);
    w->kinds = kinds;
    w->kind_names = kind_array(w->arena, kinds);
    w->lease = lease_seconds();
    w->count = threads;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->nudged, &monotonic);
    pthread_condattr_destroy(&monotonic);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (size_t i = 0; i < threads; i++) {
        if (pthread_create(&w->threads[i], NULL, worker, w) != 0) {
            fputs("azsacrd: a thread cannot be started\n", stderr);
            abort();
        }
        pthread_setname_np(w->threads[i], "jobs");
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_mutex_lock(&current_mutex);
    current = w;
    pthread_mutex_unlock(&current_mutex);
    return w;
}

void job_workers_nudge(struct job_workers *w)
{
    if (w == NULL)
        return;
    pthread_mutex_lock(&w->mutex);
    w->nudges++;
    pthread_cond_broadcast(&w->nudged);
    pthread_mutex_unlock(&w->mutex);
}

void job_nudge(void)
{
    pthread_mutex_lock(&current_mutex);
    job_workers_nudge(current);
    pthread_mutex_unlock(&current_mutex);
}

void job_workers_stop(struct job_workers *w)
{
    if (w == NULL)
        return;
    pthread_mutex_lock(&current_mutex);
    if (current == w)
        current = NULL;
    pthread_mutex_unlock(&current_mutex);
    pthread_mutex_lock(&w->mutex);
    w->stopping = true;
    pthread_cond_broadcast(&w->nudged);
    pthread_mutex_unlock(&w->mutex);
    for (size_t i = 0; i < w->count; i++)
        pthread_join(w->threads[i], NULL);
    pthread_cond_destroy(&w->nudged);
    pthread_mutex_destroy(&w->mutex);
    arena_free(w->arena);
    free(w);
}
