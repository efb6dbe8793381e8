// The read lane: one pipelined session on an event loop. What an iteration queues is sent in batches with one
// Sync each, so that a batch costs one write. pipeline_connect.c opens the session.
#include "db/pipeline_state.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"

#include <stddef.h>
#include <stdlib.h>

enum {
    WAITING_LIMIT = 1024,
    SENT_LIMIT = 1024,
    ENOUGH = 16,                  // waiting queries that are not held back behind those in flight
    WAIT_LIMIT = 2 * 1000 * 1000, // microseconds until an unsent query is given up
    STUCK_GRACE = 750 * 1000,     // beyond statement_timeout, without any answer
};

static const struct db_statement pipeline_discard_plans = {"pipeline_discard_plans", "discard plans"};

void queue_push(struct query_queue *queue, struct db_query *query)
{
    query->next = NULL;
    if (queue->last != NULL)
        queue->last->next = query;
    else
        queue->first = query;
    queue->last = query;
    queue->count++;
}

struct db_query *queue_pop(struct query_queue *queue)
{
    struct db_query *query = queue->first;
    if (query == NULL)
        return NULL;
    queue->first = query->next;
    if (queue->first == NULL)
        queue->last = NULL;
    queue->count--;
    query->next = NULL;
    return query;
}

// Puts all of `from` before what `to` holds.
static void queue_prepend(struct query_queue *to, struct query_queue *from)
{
    if (from->first == NULL)
        return;
    from->last->next = to->first;
    if (to->last == NULL)
        to->last = from->last;
    to->first = from->first;
    to->count += from->count;
    *from = (struct query_queue){0};
}

static void finish(struct db_query *query, enum db_outcome outcome, const struct db_result *result)
{
    query->done(query, outcome, result);
}

void pipeline_drop(struct db_pipeline *p, const char *why, enum pipeline_sent sent)
{
    struct query_queue again = {0}, over = {0};
    for (struct db_query *query; (query = queue_pop(&p->sent)) != NULL;) {
        // Reads only, so what a lost session did not answer may be asked once more.
        bool retry = sent == SENT_AGAIN && !query->retried;
        query->retried = true;
        queue_push(retry ? &again : &over, query);
    }
    queue_prepend(&again, &p->victims);
    queue_prepend(&p->waiting, &again);
    bool was_ready = p->state == PIPELINE_READY;
    pipeline_close(p);
    if (was_ready) {
        p->failures = 0;
        p->retry_at = clock_monotonic();
    } else {
        p->failures++;
        p->retry_at = clock_monotonic() + session_backoff(p->failures);
    }
    log_warning("database.pipeline_lost", "application", p->target.application, "message", why);
    for (struct db_query *query; (query = queue_pop(&over)) != NULL;)
        finish(query, DB_UNAVAILABLE, NULL);
    if (was_ready)
        pipeline_reconnect_soon(p);
}

static void drop_with_message(struct db_pipeline *p)
{
    struct arena *arena = arena_new();
    pipeline_drop(p, session_message(arena, PQerrorMessage(p->pg)), SENT_AGAIN);
    arena_free(arena);
}

void pipeline_flush(struct db_pipeline *p)
{
    int rest = PQflush(p->pg);
    if (rest > 0)
        p->loop->want_write(p->watch, pipeline_writable);
    else if (rest < 0)
        drop_with_message(p);
}

void pipeline_writable(void *argument)
{
    struct db_pipeline *p = argument;
    if (p->state == PIPELINE_CONNECTING)
        pipeline_connect_step(p, PGRES_POLLING_WRITING);
    else if (p->pg != NULL)
        pipeline_flush(p);
}

// One result belongs to several that were asked together. Where it is not their rows, each is asked once
// more.
static void answer_together(struct db_pipeline *p, struct db_query *first, const PGresult *result)
{
    struct db_query *queries[PIPELINE_BATCH] = {first};
    size_t count = 1;
    while (count < first->together && (queries[count] = queue_pop(&p->sent)) != NULL)
        count++;
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK && pipeline_answer_many(queries, count, (PGresult *)(uintptr_t)result))
        return;
    if (status != PGRES_PIPELINE_ABORTED)
        session_log_failure("database.failed", first->many->name, result);
    for (size_t i = 0; i < count; i++) {
        queries[i]->retried = true;
        queue_push(&p->victims, queries[i]);
    }
}

// One result belongs to the first of those sent.
static void answer(struct db_pipeline *p, PGresult *result)
{
    struct db_query *query = queue_pop(&p->sent);
    if (query == NULL) {
        PQclear(result);
        return;
    }
    if (query->together > 1) {
        answer_together(p, query, result);
        PQclear(result);
        return;
    }
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        const struct db_result rows = {.rows = result};
        finish(query, DB_COMMITTED, &rows);
    } else if (status == PGRES_PIPELINE_ABORTED && !query->retried) {
        // Another's error ended the batch.
        query->retried = true;
        queue_push(&p->victims, query);
    } else if (status == PGRES_PIPELINE_ABORTED) {
        finish(query, DB_UNAVAILABLE, NULL);
    } else {
        const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        bool passing = session_is_overload(sqlstate) || session_is_retryable(sqlstate);
        session_log_failure("database.failed", query->statement->name, result);
        finish(query, passing ? DB_UNAVAILABLE : DB_FAILED, NULL);
    }
    PQclear(result);
}

// A FATAL error (the server shuts down) comes as the first query's result: it is the session's, not the
// query's.
static bool ends_session(const PGresult *result)
{
    return session_is_ended(result) || session_is_stale(PQresultErrorField(result, PG_DIAG_SQLSTATE));
}

// Reads the answers that are there. False when the session is gone.
static bool read_answers(struct db_pipeline *p)
{
    bool separator = false;
    while (p->sent.count + p->syncs > 0 && !PQisBusy(p->pg)) {
        PGresult *result = PQgetResult(p->pg);
        if (result == NULL) {
            if (separator) // two in a row: nothing more will come
                break;
            separator = true;
            continue;
        }
        separator = false;
        p->progress = clock_monotonic();
        if (ends_session(result)) {
            PQclear(result);
            return false;
        }
        if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
            PQclear(result);
            p->syncs--;
            queue_prepend(&p->waiting, &p->victims);
            continue;
        }
        answer(p, result);
    }
    return PQstatus(p->pg) == CONNECTION_OK;
}

void pipeline_readable(void *argument)
{
    struct db_pipeline *p = argument;
    if (p->state == PIPELINE_CONNECTING) {
        pipeline_connect_step(p, PGRES_POLLING_READING);
        return;
    }
    if (p->pg == NULL)
        return;
    bool consumed = PQconsumeInput(p->pg);
    if (p->state == PIPELINE_PREPARING) {
        pipeline_prepared(p, consumed);
        return;
    }
    // What arrived before the end is answered even when the session is gone.
    if (!read_answers(p) || !consumed) {
        drop_with_message(p);
        return;
    }
    pipeline_flush(p);
}

// Sends one query; false when the session refused it.
static bool send_query(struct db_pipeline *p, struct db_query *query)
{
    const struct session_parameters *v = &p->parameters;
    return PQsendQueryPrepared(p->pg, query->statement->name, (int)query->count, v->values, v->lengths,
                               v->formats, 0) == 1;
}

// The first waiting query and those that the same statement can answer. How many; 0 when they are one.
static size_t send_alike(struct db_pipeline *p, size_t limit)
{
    struct db_query *queries[PIPELINE_BATCH];
    size_t count = pipeline_alike(&p->waiting, limit);
    if (count < 2)
        return 0;
    for (size_t i = 0; i < count; i++) {
        queries[i] = queue_pop(&p->waiting);
        queries[i]->together = i == 0 ? count : 0;
        queue_push(&p->sent, queries[i]);
    }
    if (!pipeline_send_many(p, queries, count))
        drop_with_message(p);
    return count;
}

static void send_batch(struct db_pipeline *p)
{
    size_t sent = 0;
    struct query_queue refused = {0};
    while (p->state == PIPELINE_READY && p->waiting.first != NULL && sent < PIPELINE_BATCH &&
           p->sent.count < SENT_LIMIT) {
        size_t alike = send_alike(p, PIPELINE_BATCH - sent);
        sent += alike;
        if (alike > 0)
            continue;
        // What is asked again goes alone: it is no victim twice, and nobody's whose session it may have
        // ended.
        if (p->waiting.first->retried && sent > 0)
            break;
        struct db_query *query = queue_pop(&p->waiting);
        if (!session_fill(&p->parameters, query->values, query->count)) {
            queue_push(&refused, query);
            continue;
        }
        query->together = 0;
        queue_push(&p->sent, query);
        if (!send_query(p, query)) {
            drop_with_message(p);
            break;
        }
        sent++;
        if (query->retried)
            break;
    }
    if (sent > 0 && p->state == PIPELINE_READY) {
        if (PQpipelineSync(p->pg) == 1)
            p->syncs++;
        else
            drop_with_message(p);
    }
    for (struct db_query *query; (query = queue_pop(&refused)) != NULL;) {
        log_error("database.refused", "statement", query->statement->name, "message",
                  "a value cannot be sent");
        finish(query, DB_FAILED, NULL);
    }
}

// After each iteration of the loop: what it queued goes out.
static void after_iteration(void *argument)
{
    struct db_pipeline *p = ((struct pipeline_hook *)argument)->pipeline;
    if (p == NULL || p->state != PIPELINE_READY || p->waiting.first == NULL)
        return;
    // While the server is at work, more may come that can share a statement.
    if (p->syncs > 0 && p->waiting.count < ENOUGH)
        return;
    if (p->sent.count == 0)
        p->progress = clock_monotonic();
    bool sent = false;
    while (p->state == PIPELINE_READY && p->waiting.first != NULL && p->sent.count < SENT_LIMIT) {
        send_batch(p);
        sent = true;
    }
    if (sent && p->state == PIPELINE_READY)
        pipeline_flush(p);
}

// Unsent queries past their time are unlinked. Re-queued ones may stand before older ones, so all are looked
// at.
static void expire_waiting(struct db_pipeline *p, int64_t now)
{
    struct query_queue all = p->waiting, over = {0};
    p->waiting = (struct query_queue){0};
    for (struct db_query *query; (query = queue_pop(&all)) != NULL;)
        queue_push(now > query->deadline ? &over : &p->waiting, query);
    for (struct db_query *query; (query = queue_pop(&over)) != NULL;)
        finish(query, DB_UNAVAILABLE, NULL);
}

static void replanned(struct db_query *query, enum db_outcome outcome, const struct db_result *result)
{
    (void)outcome, (void)result;
    ((struct db_pipeline *)((char *)query - offsetof(struct db_pipeline, replan)))->replanning = false;
}

static void replan(struct db_pipeline *p)
{
    p->replanning = true;
    p->replan = (struct db_query){.statement = &pipeline_discard_plans, .done = replanned};
    db_pipeline_send(p, &p->replan);
}

static void tick(void *argument)
{
    struct db_pipeline *p = ((struct pipeline_hook *)argument)->pipeline;
    if (p == NULL)
        return;
    int64_t now = clock_monotonic();
    if (p->waiting.first != NULL)
        expire_waiting(p, now);
    switch (p->state) {
    case PIPELINE_DOWN:
        if (now >= p->retry_at)
            pipeline_connect(p);
        break;
    case PIPELINE_CONNECTING:
    case PIPELINE_PREPARING:
        if (now >= p->connect_deadline)
            pipeline_drop(p, "the server did not accept in time", SENT_OVER);
        break;
    case PIPELINE_READY:
        // The server ends each statement in time; one that says nothing at all holds everybody behind it.
        if (p->sent.count > 0 &&
            now > p->progress + (int64_t)p->target.statement_timeout * 1000 + STUCK_GRACE)
            pipeline_drop(p, "the server did not answer in time", SENT_OVER);
        else if (!p->replanning && session_plans_are_old(&p->plans))
            replan(p);
        break;
    }
}

struct db_pipeline *db_pipeline_new(struct loop *loop, const struct db_target *target,
                                    const struct db_statement *const *statements, size_t count)
{
    struct db_pipeline *p = xcalloc(1, sizeof *p);
    p->arena = arena_new();
    p->loop = loop;
    p->target = session_copy_target(p->arena, target);
    p->statements = ARENA_ARRAY(p->arena, const struct db_statement *, count + 1);
    for (size_t i = 0; i < count; i++)
        p->statements[i] = statements[i];
    p->statements[count] = &pipeline_discard_plans;
    p->statement_count = count + 1;
    const char *why = NULL;
    p->usable = session_settings(&p->target, true, p->arena, &p->settings, &why);
    if (!p->usable)
        log_error("database.conninfo", "message", why);
    p->hook = pipeline_hook_new(p);
    loop->after_iteration(loop, after_iteration, p->hook);
    loop->every(loop, 100, tick, p->hook);
    pipeline_connect(p);
    return p;
}

void db_pipeline_send(struct db_pipeline *p, struct db_query *query)
{
    query->retried = false;
    query->deadline = clock_monotonic() + WAIT_LIMIT;
    if (p->waiting.count >= WAITING_LIMIT) {
        finish(query, DB_UNAVAILABLE, NULL);
        return;
    }
    queue_push(&p->waiting, query);
}

void db_pipeline_free(struct db_pipeline *p)
{
    if (p == NULL)
        return;
    p->hook->pipeline = NULL; // the loop keeps the hook for ever
    pipeline_close(p);
    struct query_queue over = {0};
    queue_prepend(&over, &p->waiting);
    queue_prepend(&over, &p->victims);
    queue_prepend(&over, &p->sent);
    for (struct db_query *query; (query = queue_pop(&over)) != NULL;)
        finish(query, DB_UNAVAILABLE, NULL);
    free(p->parameters.bytes);
    arena_free(p->arena);
    free(p);
}
