// Threads that each own a connection and take work from one bounded queue. One more thread, without a
// connection, answers work that waited too long even when every worker is held. An owner of half of the
// threads waits behind the others' work: who holds a lock that the rest of its own work waits for holds up
// nobody else.
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
    int64_t next_due;   // what the thread that looks for expired work waits for
    uint64_t *owners;   // of what each thread runs
    size_t begun;       // threads
    bool stopping;
    struct arena *arena;
    struct db_target target;
    const char *name;
    size_t count;
    pthread_t expiry;
    pthread_t threads[];
};

static int64_t due_at(const struct db_workers *w, const struct db_work *work)
{
    return work->queued + (work->wait_ms ? (int64_t)work->wait_ms * 1000 : w->wait_limit);
}

static bool has_its_share(const struct db_workers *w, uint64_t owner)
{
    size_t running = 0;
    for (size_t i = 0; owner != 0 && i < w->count; i++)
        running += w->owners[i] == owner;
    return running >= (w->count + 1) / 2;
}

static bool fills_its_share(const struct db_workers *w, uint64_t owner)
{
    size_t share = (w->queue_limit + 1) / 2, waiting = 0;
    if (owner == 0 || w->queued < share)
        return false;
    for (const struct db_work *work = w->first; work; work = work->next)
        waiting += work->owner == owner;
    return waiting >= share;
}

static struct db_work *unlink_after(struct db_workers *w, struct db_work *before)
{
    struct db_work *work = before ? before->next : w->first;
    *(before ? &before->next : &w->first) = work->next;
    if (w->last == work)
        w->last = before;
    w->queued--;
    work->next = NULL;
    return work;
}

// The oldest whose owner has not its share of the threads.
static struct db_work *pop(struct db_workers *w)
{
    struct db_work *before = NULL;
    for (struct db_work *work = w->first; work; before = work, work = work->next)
        if (!has_its_share(w, work->owner))
            return unlink_after(w, before);
    return NULL;
}

// The first that is due by now; else NULL, and next_due says when to look again.
static struct db_work *pop_expired(struct db_workers *w)
{
    struct db_work *before = NULL;
    w->next_due = INT64_MAX;
    for (struct db_work *work = w->first; work; before = work, work = work->next) {
        int64_t due = due_at(w, work) + 1000;
        if (due <= clock_monotonic())
            return unlink_after(w, before);
        if (due < w->next_due)
            w->next_due = due;
    }
    return NULL;
}

static void *worker(void *argument)
{
    struct db_workers *w = argument;
    pthread_mutex_lock(&w->mutex);
    uint64_t *owner = &w->owners[w->begun++];
    struct db_connection *connection = db_connection_new(&w->target);
    for (;;) {
        struct db_work *work = pop(w);
        if (work == NULL) {
            // What waits for its owner's share is taken by those who run the share.
            if (w->stopping)
                break;
            pthread_cond_wait(&w->arrived, &w->mutex);
            continue;
        }
        *owner = work->owner;
        pthread_mutex_unlock(&w->mutex);
        if (clock_monotonic() > due_at(w, work))
            work->expired(work);
        else
            work->run(work, connection);
        pthread_mutex_lock(&w->mutex);
        *owner = 0;
        if (w->first)
            pthread_cond_signal(&w->arrived); // a share is free: it may not be we who take it
    }
    pthread_mutex_unlock(&w->mutex);
    db_connection_free(connection);
    return NULL;
}

static void *expire(void *argument)
{
    struct db_workers *w = argument;
    pthread_mutex_lock(&w->mutex);
    while (!w->stopping) {
        struct db_work *work = pop_expired(w);
        if (work) {
            pthread_mutex_unlock(&w->mutex);
            work->expired(work);
            pthread_mutex_lock(&w->mutex);
        } else if (w->next_due == INT64_MAX) {
            pthread_cond_wait(&w->waited, &w->mutex);
        } else {
            struct timespec t = {w->next_due / 1000000, w->next_due % 1000000 * 1000};
            pthread_cond_timedwait(&w->waited, &w->mutex, &t);
        }
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
    w->next_due = INT64_MAX;
    w->owners = xcalloc(threads, sizeof *w->owners);
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
    bool taken = !w->stopping && w->queued < w->queue_limit && !fills_its_share(w, work->owner);
    if (taken) {
        *(w->first ? &w->last->next : &w->first) = work;
        w->last = work;
        w->queued++;
        pthread_cond_signal(&w->arrived);
        if (due_at(w, work) < w->next_due)
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
    free(w->owners);
    free(w);
}
