// The two lanes. Work: a bounded queue before threads that own a connection each. Read: one statement in the
// loop's pipelined batch, answered on the loop when everything about it is plain, otherwise handed to the
// work lane.
#include "rbac/lane.h"

#include "base/arena.h"
#include "base/log.h"
#include "db/pipeline.h"
#include "db/workers.h"

#include <string.h>

enum {
    QUEUE_LIMIT = 2048,
    WAIT_LIMIT_MS = 2000,
    OWNED_WAIT_LIMIT_MS = 30000,
    STATEMENT_LIMIT = 64,
    LOOP_LIMIT = 64,
};

static struct db_workers *workers;
static const struct db_statement *statements[STATEMENT_LIMIT];
static size_t statement_count;
static struct db_pipeline *pipelines[LOOP_LIMIT]; // each touched on its own loop's thread only

struct work_item {
    struct db_work work;
    struct http_exchange *exchange;
    lane_handler *run;
    lane_refusal *busy;
};

static void run_work(struct db_work *work, struct db_connection *connection)
{
    struct work_item *item = (struct work_item *)work;
    struct http_exchange *exchange = item->exchange;
    log_about(exchange->request.correlation_id);
    item->run(exchange, connection);
    log_about(NULL);
    http_finish(exchange); // the item lives in the exchange's arena
}

static void expire_work(struct db_work *work)
{
    struct work_item *item = (struct work_item *)work;
    struct http_exchange *exchange = item->exchange;
    item->busy(exchange);
    http_finish(exchange);
}

void lane_work(struct http_exchange *exchange, lane_handler *run, lane_refusal *busy)
{
    lane_work_of(0, exchange, run, busy);
}

void lane_work_of(uint64_t owner, struct http_exchange *exchange, lane_handler *run, lane_refusal *busy)
{
    struct work_item *item = ARENA_NEW(exchange->request.arena, struct work_item);
    item->work.run = run_work;
    item->work.expired = expire_work;
    item->work.owner = owner;
    item->work.wait_ms = owner ? OWNED_WAIT_LIMIT_MS : 0;
    item->exchange = exchange;
    item->run = run;
    item->busy = busy;
    if (workers && db_workers_submit(workers, &item->work))
        return;
    busy(exchange);
    http_finish(exchange);
}

struct read_item {
    struct db_query query;
    struct lane_read read;
    struct http_exchange *exchange;
};

// Whether the request was answered from this result.
static bool answer_read(const struct read_item *item, enum db_outcome outcome, const struct db_result *result)
{
    struct rbac_version version;
    if (outcome != DB_COMMITTED || !rbac_version_of(result, &version))
        return false;
    const struct rbac_snapshot *snapshot = rbac_snapshot_try(&version);
    if (!snapshot)
        return false;
    bool answered = item->read.answer(item->exchange, result, snapshot);
    rbac_snapshot_release(snapshot);
    return answered;
}

static void read_done(struct db_query *query, enum db_outcome outcome, const struct db_result *result)
{
    struct read_item *item = (struct read_item *)query;
    struct http_exchange *exchange = item->exchange;
    log_about(exchange->request.correlation_id);
    bool answered = answer_read(item, outcome, result);
    log_about(NULL);
    if (answered) {
        http_finish(exchange);
        return;
    }
    http_answer_reset(&exchange->answer);
    lane_work_of(item->read.owner, exchange, item->read.otherwise, item->read.busy);
}

void lane_read(struct http_exchange *exchange, const struct lane_read *read)
{
    size_t loop = exchange->loop->index;
    if (loop >= LOOP_LIMIT || !pipelines[loop]) {
        lane_work_of(read->owner, exchange, read->otherwise, read->busy);
        return;
    }
    struct read_item *item = ARENA_NEW(exchange->request.arena, struct read_item);
    item->read = *read;
    item->exchange = exchange;
    item->query.statement = read->statement;
    item->query.many = read->many;
    item->query.count = read->count;
    item->query.done = read_done;
    memcpy(item->query.values, read->values, read->count * sizeof read->values[0]);
    db_pipeline_send(pipelines[loop], &item->query);
}

void lane_add_statement(const struct db_statement *statement)
{
    for (size_t i = 0; i < statement_count; i++)
        if (statements[i] == statement)
            return;
    if (statement_count == STATEMENT_LIMIT) {
        log_error("lane.too_many_statements", "name", statement->name);
        return;
    }
    statements[statement_count++] = statement;
}

void lane_start(const struct db_target *work, size_t threads)
{
    workers = db_workers_start(work, "work", threads, QUEUE_LIMIT, WAIT_LIMIT_MS);
}

void lane_stop(void)
{
    if (workers)
        db_workers_stop(workers);
    workers = NULL;
}

void lane_loop_started(struct loop *loop, void *argument)
{
    const struct db_target *target = argument;
    if (loop->index < LOOP_LIMIT)
        pipelines[loop->index] = db_pipeline_new(loop, target, statements, statement_count);
}

void lane_loop_stopping(struct loop *loop, void *argument)
{
    (void)argument;
    if (loop->index >= LOOP_LIMIT || !pipelines[loop->index])
        return;
    db_pipeline_free(pipelines[loop->index]);
    pipelines[loop->index] = NULL;
}
