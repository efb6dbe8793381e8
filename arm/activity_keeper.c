// The activity log's own thread: records refusals in batches, and keeps the table's partitions. Refusals come
// by a short queue that never makes anybody wait: a flood of them costs the flooder's bucket, a copy each,
// and a statement for 64.
#include "arm/activity_row.h"
#include "arm/errors.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/site.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum {
    QUEUE = 512,
    BATCH = 64,
    BODY_LIMIT = 8192, // of a refusal's body
    TRIES = 3,
    KEEP_EVERY = 3600, // seconds
    KEEP_AGAIN = 30,   // after a failure
};

// One refusal: its row as JSON, and when it began and ended (monotonic).
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_t thread;
    bool running, stopping;
    char *queue[QUEUE];
    size_t first, count;
    uint64_t dropped; // since the log last told
    struct db_connection *connection;
} keeper = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static const struct db_statement insert_batch = {
    "activity_insert_refusals",
    "insert into arm.activity (log_id, at, started_at, ended, operation_id, correlation_id, "
    "client_request_id, client_address, caller, object_id, app_id, is_user, method, action, scope, status, "
    "code, message, request_body) select j.log_id, "
    "statement_timestamp() - ($2::bigint - j.finished) * interval '1 microsecond', "
    "statement_timestamp() - ($2::bigint - j.begun) * interval '1 microsecond', true, j.operation_id, "
    "j.correlation_id, j.client_request_id, j.client_address, j.caller, j.object_id, j.app_id, j.is_user, "
    "j.method, j.action, j.scope, j.status, j.code, j.message, j.request_body "
    "from json_to_recordset($1::json) as j(log_id uuid, begun bigint, finished bigint, operation_id uuid, "
    "correlation_id text, client_request_id text, client_address text, caller text, object_id uuid, "
    "app_id text, is_user boolean, method text, action text, scope text, status smallint, code text, "
    "message text, request_body text)"};
static const struct db_statement short_waits = {"activity_short_waits",
                                                "select set_config('lock_timeout', '500ms', true)"};
static const struct db_statement make_weeks = {"activity_make_weeks", "select arm.activity_make_weeks()"};
static const struct db_statement drop_week = {"activity_drop_week",
                                              "select arm.activity_drop_week($1::integer)"};

// ---- refusals

static struct text row_json(const struct arm_call *call, const struct activity_row *row)
{
    struct buffer b = buffer_new(call->arena);
    json_begin_object(&b);
    json_key_text(&b, "log_id", row->log_id);
    json_key_int(&b, "begun", call->request->started);
    json_key_int(&b, "finished", clock_monotonic());
    json_key_text(&b, "operation_id", row->operation_id);
    json_key_text(&b, "correlation_id", row->correlation_id);
    json_key_text(&b, "client_request_id", row->client_request_id);
    json_key_text(&b, "client_address", row->client_address);
    json_key_text(&b, "caller", row->caller);
    json_key_text(&b, "object_id", row->object_id);
    json_key_text(&b, "app_id", row->app_id);
    json_key_bool(&b, "is_user", row->is_user);
    json_key_text(&b, "method", row->method);
    json_key_text(&b, "action", row->action);
    json_key_text(&b, "scope", row->scope);
    json_key_int(&b, "status", row->status);
    json_key_text(&b, "code", row->code);
    json_key_text(&b, "message", row->message);
    if (row->request_body.length > BODY_LIMIT)
        json_key_format(&b, "request_body", "{\"bodyTooLarge\":%zu}", row->request_body.length);
    else
        json_key_text(&b, "request_body", row->request_body);
    json_end_object(&b);
    return buffer_done(&b);
}

static bool is_recorded(const struct arm_call *call)
{
    if (!call->failed || !activity_concerns(call))
        return false;
    int status = call->failure->status;
    return status != 401 && status != 429;
}

void activity_record_refusal(const struct arm_call *call)
{
    struct activity_row row;
    if (!is_recorded(call) || !activity_row_of(call, &row))
        return;
    pthread_mutex_lock(&keeper.mutex);
    bool room = keeper.running && keeper.count < QUEUE;
    keeper.dropped += !room;
    pthread_mutex_unlock(&keeper.mutex);
    if (!room)
        return;
    struct text json = row_json(call, &row);
    char *copy = xmalloc(json.length + 1);
    memcpy(copy, json.base, json.length);
    copy[json.length] = '\0';
    pthread_mutex_lock(&keeper.mutex);
    if (keeper.running && keeper.count < QUEUE) {
        keeper.queue[(keeper.first + keeper.count++) % QUEUE] = copy;
        copy = NULL;
        pthread_cond_signal(&keeper.changed);
    } else {
        keeper.dropped++;
    }
    pthread_mutex_unlock(&keeper.mutex);
    free(copy);
}

static bool insert_rows(struct db_transaction *tx, void *argument)
{
    DB_RUN(tx, &insert_batch, db_text(*(struct text *)argument), db_int(clock_monotonic()));
    return true;
}

static void record_batch(char *const rows[], size_t count)
{
    struct arena *arena = arena_new();
    struct buffer b = buffer_new(arena);
    for (size_t i = 0; i < count; i++) {
        buffer_char(&b, i ? ',' : '[');
        buffer_string(&b, rows[i]);
    }
    buffer_char(&b, ']');
    struct text json = buffer_done(&b);
    enum db_outcome outcome = DB_UNAVAILABLE;
    for (int tries = 0; tries < TRIES && outcome == DB_UNAVAILABLE; tries++)
        outcome = db_transact(keeper.connection, insert_rows, &json);
    if (outcome != DB_COMMITTED)
        log_warning("activity.refusals_lost", "count", log_number((int64_t)count));
    arena_free(arena);
}

// ---- partitions

int activity_days(void)
{
    int days = site()->config->activity_retention;
    return days > 0 ? days : 1;
}

static bool run_make(struct db_transaction *tx, void *argument)
{
    (void)argument;
    DB_RUN0(tx, &short_waits);
    DB_RUN0(tx, &make_weeks);
    return true;
}

static bool run_drop(struct db_transaction *tx, void *argument)
{
    DB_RUN0(tx, &short_waits);
    const struct db_result *dropped = DB_RUN(tx, &drop_week, db_int(activity_days()));
    *(bool *)argument = db_rows(dropped) > 0 && db_get_int(dropped, 0, 0) > 0;
    return true;
}

// Weeks made ahead, old ones dropped one by one; false when something was in the way.
static bool keep_weeks(void)
{
    bool good = db_transact(keeper.connection, run_make, NULL) == DB_COMMITTED;
    bool again = true;
    while (again) {
        again = false;
        if (db_transact(keeper.connection, run_drop, &again) != DB_COMMITTED)
            return false;
    }
    return good;
}

// ---- the thread

static void wait_until(int64_t monotonic)
{
    struct timespec at = {monotonic / 1000000, monotonic % 1000000 * 1000};
    pthread_cond_timedwait(&keeper.changed, &keeper.mutex, &at);
}

// With the mutex held, which is given up meanwhile.
static void record_waiting(void)
{
    char *rows[BATCH];
    size_t count = 0;
    while (keeper.count > 0 && count < BATCH) {
        rows[count++] = keeper.queue[keeper.first];
        keeper.first = (keeper.first + 1) % QUEUE;
        keeper.count--;
    }
    uint64_t dropped = keeper.dropped;
    keeper.dropped = 0;
    pthread_mutex_unlock(&keeper.mutex);
    if (dropped > 0)
        log_warning("activity.refusals_lost", "count", log_number((int64_t)dropped));
    record_batch(rows, count);
    for (size_t i = 0; i < count; i++)
        free(rows[i]);
    pthread_mutex_lock(&keeper.mutex);
}

static void *keep(void *argument)
{
    (void)argument;
    int64_t keep_at = clock_monotonic();
    pthread_mutex_lock(&keeper.mutex);
    while (!keeper.stopping || keeper.count > 0) {
        if (keeper.count > 0) {
            record_waiting();
        } else if (clock_monotonic() >= keep_at) {
            pthread_mutex_unlock(&keeper.mutex);
            bool good = keep_weeks();
            keep_at = clock_monotonic() + (int64_t)(good ? KEEP_EVERY : KEEP_AGAIN) * 1000000;
            pthread_mutex_lock(&keeper.mutex);
        } else {
            wait_until(keep_at);
        }
    }
    keeper.running = false;
    pthread_mutex_unlock(&keeper.mutex);
    return NULL;
}

void activity_start(const struct db_target *target)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&keeper.changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    keeper.connection = db_connection_new(target);
    keeper.stopping = false;
    keeper.running = true;
    if (pthread_create(&keeper.thread, NULL, keep, NULL) == 0)
        return;
    keeper.running = false;
    db_connection_free(keeper.connection);
    keeper.connection = NULL;
    log_error("activity.thread_failed");
}

void activity_stop(void)
{
    if (!keeper.connection)
        return;
    pthread_mutex_lock(&keeper.mutex);
    keeper.stopping = true;
    pthread_cond_signal(&keeper.changed);
    pthread_mutex_unlock(&keeper.mutex);
    pthread_join(keeper.thread, NULL);
    db_connection_free(keeper.connection);
    keeper.connection = NULL;
    pthread_cond_destroy(&keeper.changed);
}
