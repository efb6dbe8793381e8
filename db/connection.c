// One blocking session: opened when it is needed, opened anew when it was lost, statements prepared by name
// the first time that they are run.
#include "db/session.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// How long a caller may be held while the connection is made anew (microseconds).
enum { ENSURE_LIMIT = 2 * 1000 * 1000 };

struct db_connection {
    struct arena *arena;
    struct db_target target;
    struct session_settings settings;
    bool usable; // the conninfo could be parsed
    PGconn *pg;
    unsigned failures; // tries since the last session
    int64_t retry_at;  // monotonic
    struct session_plans plans;
    struct session_parameters parameters;
    // The statements that this session has prepared: an open-addressed set, its capacity a power of two.
    const struct db_statement **prepared;
    size_t prepared_count, prepared_capacity;
};

struct db_connection *db_connection_new(const struct db_target *target)
{
    struct db_connection *c = xcalloc(1, sizeof *c);
    c->arena = arena_new();
    c->target = session_copy_target(c->arena, target);
    const char *why = NULL;
    c->usable = session_settings(&c->target, false, c->arena, &c->settings, &why);
    if (!c->usable)
        log_error("database.conninfo", "message", why);
    return c;
}

void db_connection_free(struct db_connection *c)
{
    if (c == NULL)
        return;
    PQfinish(c->pg);
    free(c->prepared);
    free(c->parameters.bytes);
    arena_free(c->arena);
    free(c);
}

static void close_session(struct db_connection *c)
{
    PQfinish(c->pg);
    c->pg = NULL;
    c->prepared_count = 0;
    if (c->prepared != NULL)
        memset(c->prepared, 0, c->prepared_capacity * sizeof(void *));
}

void connection_drop(struct db_connection *c, const char *why)
{
    if (c->pg == NULL)
        return;
    struct arena *arena = arena_new();
    log_warning("database.lost", "application", c->target.application, "message",
                session_message(arena, why ? why : PQerrorMessage(c->pg)));
    arena_free(arena);
    close_session(c);
}

bool connection_is_lost(const struct db_connection *c)
{
    return c->pg == NULL || PQstatus(c->pg) != CONNECTION_OK;
}

static void sleep_until(int64_t monotonic)
{
    int64_t rest = monotonic - clock_monotonic();
    if (rest <= 0)
        return;
    struct timespec t = {rest / 1000000, rest % 1000000 * 1000};
    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

static bool open_session(struct db_connection *c)
{
    c->pg = PQconnectdbParams(c->settings.keywords, c->settings.values, 0);
    if (PQstatus(c->pg) == CONNECTION_OK) {
        c->failures = 0;
        c->retry_at = 0;
        session_plans_begin(&c->plans);
        return true;
    }
    c->failures++;
    c->retry_at = clock_monotonic() + session_backoff(c->failures);
    struct arena *arena = arena_new();
    log_warning("database.unreachable", "application", c->target.application, "message",
                session_message(arena, PQerrorMessage(c->pg)));
    arena_free(arena);
    close_session(c);
    return false;
}

// The last result of what was sent. A server that stays silent beyond the statement's limit counts as lost.
static PGresult *await(struct db_connection *c)
{
    int64_t limit = INT64_MAX;
    if (c->target.statement_timeout > 0)
        limit = clock_monotonic() + ((int64_t)c->target.statement_timeout + SESSION_ANSWER_GRACE) * 1000;
    PGresult *last = NULL;
    for (;;) {
        while (PQisBusy(c->pg)) {
            int64_t rest = limit == INT64_MAX ? -1 : (limit - clock_monotonic()) / 1000;
            struct pollfd p = {.fd = PQsocket(c->pg), .events = POLLIN};
            bool silent = limit != INT64_MAX && rest <= 0;
            int n = silent ? 0 : poll(&p, 1, (int)rest);
            if (n < 0 && errno == EINTR)
                continue;
            if (n <= 0 || !PQconsumeInput(c->pg)) {
                PQclear(last);
                connection_drop(c, n == 0 ? "the server did not answer in time" : NULL);
                return NULL;
            }
        }
        PGresult *result = PQgetResult(c->pg);
        if (result == NULL)
            break;
        PQclear(last);
        last = result;
    }
    if (PQstatus(c->pg) != CONNECTION_OK || session_is_ended(last)) {
        PQclear(last);
        connection_drop(c, NULL);
        return NULL;
    }
    return last;
}

PGresult *connection_command(struct db_connection *c, const char *sql)
{
    if (c->pg == NULL)
        return NULL;
    if (!PQsendQuery(c->pg, sql)) {
        connection_drop(c, NULL);
        return NULL;
    }
    return await(c);
}

bool connection_ensure(struct db_connection *c)
{
    if (!c->usable)
        return false;
    if (c->pg != NULL && PQstatus(c->pg) == CONNECTION_OK) {
        if (session_plans_are_old(&c->plans))
            PQclear(connection_command(c, "discard plans"));
        if (c->pg != NULL)
            return true;
    }
    close_session(c);
    int64_t limit = clock_monotonic() + ENSURE_LIMIT;
    while (c->retry_at <= limit) {
        sleep_until(c->retry_at);
        if (open_session(c))
            return true;
    }
    return false;
}

static size_t slot(const struct db_connection *c, const struct db_statement *statement)
{
    size_t mask = c->prepared_capacity - 1;
    size_t at = ((uintptr_t)statement >> 4) * 0x9E3779B97F4A7C15u >> 40 & mask;
    while (c->prepared[at] != NULL && c->prepared[at] != statement)
        at = (at + 1) & mask;
    return at;
}

static bool is_prepared(const struct db_connection *c, const struct db_statement *statement)
{
    return c->prepared_capacity > 0 && c->prepared[slot(c, statement)] != NULL;
}

static void remember(struct db_connection *c, const struct db_statement *statement)
{
    if (c->prepared_count * 2 >= c->prepared_capacity) {
        const struct db_statement **old = c->prepared;
        size_t old_capacity = c->prepared_capacity;
        c->prepared_capacity = old_capacity ? old_capacity * 2 : 128;
        c->prepared = xcalloc(c->prepared_capacity, sizeof(void *));
        for (size_t i = 0; i < old_capacity; i++)
            if (old[i] != NULL)
                c->prepared[slot(c, old[i])] = old[i];
        free(old);
    }
    c->prepared[slot(c, statement)] = statement;
    c->prepared_count++;
}

// Parse and name it once in each session. False with the server's refusal, or NULL when the session is lost.
static bool prepare(struct db_connection *c, const struct db_statement *statement, PGresult **refusal)
{
    *refusal = NULL;
    if (is_prepared(c, statement))
        return true;
    if (!PQsendPrepare(c->pg, statement->name, statement->sql, 0, NULL)) {
        connection_drop(c, NULL);
        return false;
    }
    PGresult *result = await(c);
    if (result == NULL || PQresultStatus(result) != PGRES_COMMAND_OK) {
        *refusal = result;
        return false;
    }
    PQclear(result);
    remember(c, statement);
    return true;
}

static bool send(struct db_connection *c, const struct connection_step *step)
{
    struct session_parameters *p = &c->parameters;
    return session_fill(p, step->values, step->count) &&
           PQsendQueryPrepared(c->pg, step->statement->name, (int)step->count, p->values, p->lengths,
                               p->formats, 0) == 1;
}

static void forget_results(struct connection_step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        PQclear(steps[i].result);
        steps[i].result = NULL;
    }
}

// All in one round trip: messages of one pipeline, with one Sync behind them. What follows a step that failed
// is skipped by the server.
static bool run_pipeline(struct db_connection *c, struct connection_step *steps, size_t count)
{
    bool good = PQenterPipelineMode(c->pg) == 1;
    for (size_t i = 0; good && i < count; i++)
        good = send(c, &steps[i]);
    good = good && PQpipelineSync(c->pg) == 1;
    for (size_t i = 0; good && i < count; i++) {
        steps[i].result = await(c);
        good = steps[i].result != NULL;
    }
    PGresult *end = good ? await(c) : NULL;
    good = end != NULL && PQresultStatus(end) == PGRES_PIPELINE_SYNC && PQexitPipelineMode(c->pg) == 1;
    PQclear(end);
    if (good)
        return true;
    forget_results(steps, count);
    connection_drop(c, c->pg != NULL ? "a pipeline did not end" : NULL);
    return false;
}

bool connection_run(struct db_connection *c, struct connection_step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++)
        steps[i].result = NULL;
    if (c->pg == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!prepare(c, steps[i].statement, &steps[i].result))
            return steps[i].result != NULL;
    if (count > 1)
        return run_pipeline(c, steps, count);
    if (!send(c, steps)) {
        connection_drop(c, NULL);
        return false;
    }
    steps->result = await(c);
    return steps->result != NULL;
}
