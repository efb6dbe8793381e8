// The present snapshot and the one thread that catches up: callers show the version they read, and get the
// snapshot that may decide about it, or wait for it.
//
// A snapshot may decide when its stamp is the one that the statement read, or when its transaction began
// after the statement's answer had arrived: then it knows all that the statement knew.
#include "rbac/snapshot_data.h"
#include "rbac/version.h"

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

enum { RETRY_MS = 100, KEPT_DELTAS = 10000, PRUNE_EVERY = 500 };

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t wanted_changed; // the thread waits for it
    pthread_cond_t caught_up;      // callers wait for it
    pthread_t thread;
    bool running, wanted, stopping;
    struct rbac_snapshot *current; // counted once by this
    int64_t began;  // monotonic: when the transaction of the last catch-up that succeeded began
    int64_t pruned; // the number at which deltas were last pruned
    struct db_connection *connection; // the thread's
} state = {.mutex = PTHREAD_MUTEX_INITIALIZER};

// Numbers only tell how old a delta is. Keeping many lets a snapshot of a replica that slept follow without
// reading everything.
static const struct db_statement prune = {
    "rbac_delta_prune",
    "delete from rbac.delta where number <= $1",
};

struct catch_up {
    struct rbac_snapshot *from, *loaded;
    int64_t began;
};

static bool run_catch_up(struct db_transaction *tx, void *argument)
{
    struct catch_up *work = argument;
    if (work->loaded)
        rbac_snapshot_release(work->loaded); // of a run that is being repeated
    work->loaded = NULL;
    work->began = clock_monotonic();
    work->loaded = snapshot_load(tx, work->from);
    return work->loaded != NULL;
}

static bool run_prune(struct db_transaction *tx, void *argument)
{
    DB_RUN(tx, &prune, db_int(*(int64_t *)argument));
    return true;
}

static void prune_deltas(int64_t number)
{
    if (number < state.pruned)
        state.pruned = 0; // a database that went back
    if (number <= KEPT_DELTAS || number - state.pruned < PRUNE_EVERY)
        return;
    state.pruned = number;
    int64_t oldest = number - KEPT_DELTAS;
    db_transact(state.connection, run_prune, &oldest);
}

static void wait_on(pthread_cond_t *condition, int64_t until)
{
    struct timespec at = {until / 1000000, until % 1000000 * 1000};
    pthread_cond_timedwait(condition, &state.mutex, &at);
}

// With the mutex held, which is given up meanwhile. False when the database was away.
static bool catch_up(void)
{
    struct catch_up work = {.from = state.current};
    pthread_mutex_unlock(&state.mutex);
    failpoint("rbac-catch-up");
    enum db_outcome outcome = db_transact(state.connection, run_catch_up, &work);
    if (outcome != DB_COMMITTED && work.loaded) {
        rbac_snapshot_release(work.loaded);
        work.loaded = NULL;
    }
    pthread_mutex_lock(&state.mutex);
    if (!work.loaded)
        return false;
    struct rbac_snapshot *old = state.current;
    state.current = work.loaded;
    state.began = work.began;
    pthread_cond_broadcast(&state.caught_up);
    pthread_mutex_unlock(&state.mutex);
    int64_t number = work.loaded->version.number; // only this thread replaces it
    if (old)
        rbac_snapshot_release(old);
    prune_deltas(number);
    pthread_mutex_lock(&state.mutex);
    return true;
}

static void *keep_up(void *argument)
{
    (void)argument;
    pthread_mutex_lock(&state.mutex);
    while (!state.stopping) {
        if (!state.wanted) {
            pthread_cond_wait(&state.wanted_changed, &state.mutex);
            continue;
        }
        state.wanted = false;
        if (!catch_up() && !state.stopping) {
            // Nobody is helped by asking faster. The wish stands: the first snapshot is loaded unasked.
            state.wanted = true;
            wait_on(&state.wanted_changed, clock_monotonic() + RETRY_MS * 1000);
        }
    }
    pthread_mutex_unlock(&state.mutex);
    return NULL;
}

void rbac_snapshot_start(const struct db_target *target)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&state.wanted_changed, &attributes);
    pthread_cond_init(&state.caught_up, &attributes);
    pthread_condattr_destroy(&attributes);

    rbac_install_hook();
    state.connection = db_connection_new(target);
    state.stopping = false;
    state.wanted = true;
    state.running = pthread_create(&state.thread, NULL, keep_up, NULL) == 0;
    if (!state.running)
        log_error("rbac.thread_failed");
}

void rbac_snapshot_stop(void)
{
    if (!state.running)
        return;
    pthread_mutex_lock(&state.mutex);
    state.stopping = true;
    pthread_cond_broadcast(&state.wanted_changed);
    pthread_cond_broadcast(&state.caught_up);
    pthread_mutex_unlock(&state.mutex);
    pthread_join(state.thread, NULL);
    state.running = false;
    if (state.current)
        rbac_snapshot_release(state.current);
    state.current = NULL;
    state.began = 0;
    state.pruned = 0;
    db_connection_free(state.connection);
    pthread_cond_destroy(&state.wanted_changed);
    pthread_cond_destroy(&state.caught_up);
}

static const struct rbac_snapshot *hold_current(void)
{
    atomic_fetch_add_explicit(&state.current->references, 1, memory_order_relaxed);
    return state.current;
}

static void want_catch_up(void)
{
    state.wanted = true;
    pthread_cond_signal(&state.wanted_changed);
}

const struct rbac_snapshot *rbac_snapshot_try(const struct rbac_version *version)
{
    const struct rbac_snapshot *snapshot = NULL;
    pthread_mutex_lock(&state.mutex);
    if (state.current && strcmp(state.current->version.stamp, version->stamp) == 0)
        snapshot = hold_current();
    else if (state.running && !state.wanted)
        want_catch_up(); // so that the work lane, where the caller goes now, finds it done
    pthread_mutex_unlock(&state.mutex);
    return snapshot;
}

const struct rbac_snapshot *rbac_snapshot_wait(const struct rbac_version *version, unsigned limit_ms)
{
    const struct rbac_snapshot *snapshot = NULL;
    int64_t arrived = clock_monotonic(), until = arrived + (int64_t)limit_ms * 1000;
    pthread_mutex_lock(&state.mutex);
    while (state.running && !state.stopping) {
        if (state.current &&
            (strcmp(state.current->version.stamp, version->stamp) == 0 || state.began > arrived)) {
            snapshot = hold_current();
            break;
        }
        if (clock_monotonic() >= until)
            break;
        want_catch_up();
        wait_on(&state.caught_up, until);
    }
    pthread_mutex_unlock(&state.mutex);
    return snapshot;
}

const struct rbac_snapshot *rbac_snapshot_at_hand(void)
{
    pthread_mutex_lock(&state.mutex);
    const struct rbac_snapshot *snapshot = state.current ? hold_current() : NULL;
    pthread_mutex_unlock(&state.mutex);
    return snapshot;
}

void rbac_snapshot_release(const struct rbac_snapshot *snapshot)
{
    struct rbac_snapshot *mine = (struct rbac_snapshot *)snapshot;
    if (mine && atomic_fetch_sub_explicit(&mine->references, 1, memory_order_acq_rel) == 1)
        snapshot_free(mine);
}
