// Threads that each own a connection and take work from one bounded queue. One more thread, without a
// connection, answers work that waited too long even when every worker is held.
#include "db/workers.h"
#include "db/session.h"

#include "base/arena.h"
#include "base/clock.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct db_workers {
    pthread_mutex_t mutex;
    pthread_cond_t arrived; // work was queued, or we stop
    pthread_cond_t waited;  // for the thread that looks for expired work
    struct db_work *first, *last;
    size_t queued, queue_limit;
    int64_t wait_limit; // microseconds
    bool stopping;
    struct arena *arena;
    struct db_target target;
    const char *name;
    size_t count;
    pthread_t expiry;
    pthread_t threads[];
};

static struct db_work *pop(struct db_workers *w)
{
    struct db_work *work = w->first;
    if (work == NULL)
        return NULL;
    w->first = work->next;
    if (w->first == NULL)
        w->last = NULL;
    w->queued--;
    work->next = NULL;
    return work;
}

static void *worker(void *argument)
{
    struct db_workers *w = argument;
    pthread_mutex_lock(&w->mutex);
    struct db_connection *connection = db_connection_new(&w->target);
    for (;;) {
        struct db_work *work = pop(w);
        if (work == NULL) {
            if (w->stopping)
                break;
            pthread_cond_wait(&w->arrived, &w->mutex);
            continue;
        }
        pthread_mutex_unlock(&w->mutex);
        if (clock_monotonic() - work->queued > w->wait_limit)
            work->expired(work);
        else
            work->run(work, connection);
        pthread_mutex_lock(&w->mutex);
    }
    pthread_mutex_unlock(&w->mutex);
    db_connection_free(connection);
    return NULL;
}

// The queue is in the order of arrival, so its head is the oldest.
static void *expire(void *argument)
{
    struct db_workers *w = argument;
    pthread_mutex_lock(&w->mutex);
    while (!w->stopping) {
        if (w->first == NULL) {
            pthread_cond_wait(&w->waited, &w->mutex);
            continue;
        }
        int64_t due = w->first->queued + w->wait_limit + 1000;
        if (clock_monotonic() < due) {
            struct timespec t = {due / 1000000, due % 1000000 * 1000};
            pthread_cond_timedwait(&w->waited, &w->mutex, &t);
            continue;
        }
        struct db_work *work = pop(w);
        pthread_mutex_unlock(&w->mutex);
        work->expired(work);
        pthread_mutex_lock(&w->mutex);
    }
    pthread_mutex_unlock(&w->mutex);
    return NULL;
}

static void start(pthread_t *thread, void *(*main)(void *), struct db_workers *w, const char *suffix)
{
    if (pthread_create(thread, NULL, main, w) != 0) {
        fputs("azsacrd: a thread cannot be started\n", stderr);
        abort();
    }
    char name[16];
    snprintf(name, sizeof name, "%.10s%.5s", w->name, suffix);
    pthread_setname_np(*thread, name);
}

struct db_workers *db_workers_start(const struct db_target *target, const char *name, size_t threads,
                                    size_t queue_limit, unsigned wait_limit_ms)
{
    struct db_workers *w = xcalloc(1, sizeof *w + threads * sizeof *w->threads);
    w->arena = arena_new();
    w->target = session_copy_target(w->arena, target);
    w->name = arena_strdup(w->arena, name);
    w->queue_limit = queue_limit;
    w->wait_limit = (int64_t)wait_limit_ms * 1000;
    w->count = threads;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->arrived, NULL);
    pthread_cond_init(&w->waited, &monotonic);
    pthread_condattr_destroy(&monotonic);

    // Signals are the main thread's.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (size_t i = 0; i < threads; i++)
        start(&w->threads[i], worker, w, "");
    start(&w->expiry, expire, w, ".wait");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return w;
}

bool db_workers_submit(struct db_workers *w, struct db_work *work)
{
    work->next = NULL;
    work->queued = clock_monotonic();
    pthread_mutex_lock(&w->mutex);
    bool taken = !w->stopping && w->queued < w->queue_limit;
    if (taken) {
        bool was_empty = w->first == NULL;
        if (was_empty)
            w->first = work;
        else
            w->last->next = work;
        w->last = work;
        w->queued++;
        pthread_cond_signal(&w->arrived);
        if (was_empty)
            pthread_cond_signal(&w->waited);
    }
    pthread_mutex_unlock(&w->mutex);
    return taken;
}

void db_workers_stop(struct db_workers *w)
{
    if (w == NULL)
        return;
    pthread_mutex_lock(&w->mutex);
    w->stopping = true;
    pthread_cond_broadcast(&w->arrived);
    pthread_cond_broadcast(&w->waited);
    pthread_mutex_unlock(&w->mutex);
    for (size_t i = 0; i < w->count; i++)
        pthread_join(w->threads[i], NULL);
    pthread_join(w->expiry, NULL);
    pthread_cond_destroy(&w->arrived);
    pthread_cond_destroy(&w->waited);
    pthread_mutex_destroy(&w->mutex);
    arena_free(w->arena);
    free(w);
}
