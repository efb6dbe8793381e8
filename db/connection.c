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
    c->usable = session_settings(&c->target, c->arena, &c->settings, &why);
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

bool connection_ensure(struct db_connection *c)
{
    if (!c->usable)
        return false;
    if (c->pg != NULL && PQstatus(c->pg) == CONNECTION_OK)
        return true;
    close_session(c);
    int64_t limit = clock_monotonic() + ENSURE_LIMIT;
    while (c->retry_at <= limit) {
        sleep_until(c->retry_at);
        if (open_session(c))
            return true;
    }
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
    if (PQstatus(c->pg) != CONNECTION_OK) {
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

bool connection_begin(struct db_connection *c)
{
    PGresult *result = connection_command(c, "begin");
    bool begun = result != NULL && PQresultStatus(result) == PGRES_COMMAND_OK;
    if (result != NULL && !begun) {
        session_log_failure("database.failed", "begin", result);
        connection_drop(c, "a transaction could not be opened");
    }
    PQclear(result);
    return begun;
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

// Opens a transaction and runs its first statement in one round trip: two messages of one pipeline. NULL when
// the session is lost; an error of `begin` is the session's too.
static PGresult *run_opening(struct db_connection *c, const struct db_statement *statement, size_t count)
{
    struct session_parameters *p = &c->parameters;
    if (!PQenterPipelineMode(c->pg) || !PQsendQueryParams(c->pg, "begin", 0, NULL, NULL, NULL, NULL, 0) ||
        !PQsendQueryPrepared(c->pg, statement->name, (int)count, p->values, p->lengths, p->formats, 0) ||
        !PQpipelineSync(c->pg)) {
        connection_drop(c, NULL);
        return NULL;
    }
    PGresult *begun = await(c), *result = begun ? await(c) : NULL, *end = result ? await(c) : NULL;
    bool opened = begun && PQresultStatus(begun) == PGRES_COMMAND_OK;
    bool whole = end && PQresultStatus(end) == PGRES_PIPELINE_SYNC && PQexitPipelineMode(c->pg);
    if (begun && !opened)
        session_log_failure("database.failed", "begin", begun);
    PQclear(begun);
    PQclear(end);
    if (opened && whole)
        return result;
    PQclear(result);
    connection_drop(c, "a transaction could not be opened");
    return NULL;
}

PGresult *connection_run(struct db_connection *c, const struct db_statement *statement,
                         const struct db_value *values, size_t count, bool *open, bool *refused)
{
    *refused = !session_fill(&c->parameters, values, count);
    if (*refused || c->pg == NULL)
        return NULL;
    bool known = is_prepared(c, statement);
    if (!*open && !known) {
        *open = connection_begin(c);
        if (!*open)
            return NULL;
    }
    if (!known) {
        if (!PQsendPrepare(c->pg, statement->name, statement->sql, 0, NULL)) {
            connection_drop(c, NULL);
            return NULL;
        }
        PGresult *result = await(c);
        if (result == NULL || PQresultStatus(result) != PGRES_COMMAND_OK)
            return result;
        PQclear(result);
        remember(c, statement);
    }
    if (!*open) {
        PGresult *result = run_opening(c, statement, count);
        *open = result != NULL;
        return result;
    }
    struct session_parameters *p = &c->parameters;
    if (!PQsendQueryPrepared(c->pg, statement->name, (int)count, p->values, p->lengths, p->formats, 0)) {
        connection_drop(c, NULL);
        return NULL;
    }
    return await(c);
}
