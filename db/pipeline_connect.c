// How a pipeline's session is opened without ever holding the loop: DOWN, CONNECTING, PREPARING, READY.
#include "db/pipeline_state.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"

#include <pthread.h>
#include <string.h>

// Long enough for libpq to go on to the conninfo's next host (tcp_user_timeout is 5 s), in microseconds.
enum { CONNECT_LIMIT = 15 * 1000 * 1000 };

// Hooks are few (one a loop) and are kept, reachable, to the end of the process.
static struct pipeline_hook *hooks;
static pthread_mutex_t hooks_mutex = PTHREAD_MUTEX_INITIALIZER;

struct pipeline_hook *pipeline_hook_new(struct db_pipeline *p)
{
    struct pipeline_hook *hook = xcalloc(1, sizeof *hook);
    hook->pipeline = p;
    pthread_mutex_lock(&hooks_mutex);
    hook->next = hooks;
    hooks = hook;
    pthread_mutex_unlock(&hooks_mutex);
    return hook;
}

static void fail(struct db_pipeline *p)
{
    struct arena *arena = arena_new();
    pipeline_drop(p, session_message(arena, PQerrorMessage(p->pg)), SENT_OVER);
    arena_free(arena);
}

// False when the loop has no descriptor left: the session is dropped, to be tried again later.
static bool watch_again(struct db_pipeline *p)
{
    if (p->watch != NULL)
        p->loop->unwatch(p->watch);
    p->watch = p->loop->watch(p->loop, PQsocket(p->pg), pipeline_readable, p);
    if (p->watch == NULL)
        pipeline_drop(p, "the connection cannot be watched", SENT_OVER);
    return p->watch != NULL;
}

static void ignore_notice(void *argument, const PGresult *result)
{
    (void)argument;
    (void)result;
}

void pipeline_connect(struct db_pipeline *p)
{
    if (!p->usable) {
        p->retry_at = INT64_MAX;
        return;
    }
    p->state = PIPELINE_CONNECTING;
    p->connect_deadline = clock_monotonic() + CONNECT_LIMIT;
    p->pg = PQconnectStartParams(p->settings.keywords, p->settings.values, 0);
    if (p->pg == NULL || PQstatus(p->pg) == CONNECTION_BAD) {
        fail(p);
        return;
    }
    PQsetNoticeReceiver(p->pg, ignore_notice, NULL);
    // As if PQconnectPoll had just asked for it.
    p->awaited = PGRES_POLLING_WRITING;
    if (watch_again(p))
        p->loop->want_write(p->watch, pipeline_writable);
}

static void prepare_all(struct db_pipeline *p)
{
    p->state = PIPELINE_PREPARING;
    p->prepared = 0;
    bool good = PQsetnonblocking(p->pg, 1) == 0 && PQenterPipelineMode(p->pg) == 1;
    for (size_t i = 0; good && i < p->statement_count; i++)
        good = PQsendPrepare(p->pg, p->statements[i]->name, p->statements[i]->sql, 0, NULL) == 1;
    if (!good || PQpipelineSync(p->pg) != 1) {
        fail(p);
        return;
    }
    p->syncs = 1;
    pipeline_flush(p);
}

void pipeline_connect_step(struct db_pipeline *p, PostgresPollingStatusType ready)
{
    if (p->awaited != ready)
        return;
    PostgresPollingStatusType next = PQconnectPoll(p->pg);
    if (next == PGRES_POLLING_FAILED) {
        fail(p);
        return;
    }
    // libpq may have gone on to another socket, even one of the same number.
    if (!watch_again(p))
        return;
    p->awaited = next;
    if (next == PGRES_POLLING_WRITING)
        p->loop->want_write(p->watch, pipeline_writable);
    else if (next == PGRES_POLLING_OK)
        prepare_all(p);
}

// The order of answers is that of the statements; an error aborts the rest.
static void refuse(struct db_pipeline *p, PGresult *result)
{
    const char *name = p->prepared < p->statement_count ? p->statements[p->prepared]->name : NULL;
    if (PQresultStatus(result) == PGRES_FATAL_ERROR)
        session_log_failure("database.prepare", name, result);
    PQclear(result);
    pipeline_drop(p, "a statement could not be prepared", SENT_OVER);
}

void pipeline_prepared(struct db_pipeline *p, bool consumed)
{
    bool separator = false;
    while (p->syncs > 0 && !PQisBusy(p->pg)) {
        PGresult *result = PQgetResult(p->pg);
        if (result == NULL) {
            if (separator)
                break;
            separator = true;
            continue;
        }
        separator = false;
        ExecStatusType status = PQresultStatus(result);
        if (status != PGRES_COMMAND_OK && status != PGRES_PIPELINE_SYNC) {
            refuse(p, result);
            return;
        }
        PQclear(result);
        if (status == PGRES_COMMAND_OK)
            p->prepared++;
        else
            p->syncs--;
    }
    if (!consumed || PQstatus(p->pg) != CONNECTION_OK) {
        fail(p);
        return;
    }
    if (p->syncs == 0) {
        p->state = PIPELINE_READY;
        session_plans_begin(&p->plans);
        p->failures = 0;
        log_debug("database.pipeline_ready", "application", p->target.application);
        return;
    }
    pipeline_flush(p);
}

static void reconnect(void *argument)
{
    struct db_pipeline *p = ((struct pipeline_hook *)argument)->pipeline;
    if (p != NULL && p->state == PIPELINE_DOWN && clock_monotonic() >= p->retry_at)
        pipeline_connect(p);
}

void pipeline_reconnect_soon(struct db_pipeline *p)
{
    p->loop->post(p->loop, reconnect, p->hook);
}

void pipeline_close(struct db_pipeline *p)
{
    if (p->watch != NULL)
        p->loop->unwatch(p->watch);
    p->watch = NULL;
    PQfinish(p->pg);
    p->pg = NULL;
    p->syncs = 0;
    p->state = PIPELINE_DOWN;
}
