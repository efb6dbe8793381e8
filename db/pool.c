// A bounded pool of connections for threads that are not ours. A connection is held for a transaction only.
#include "db/workers.h"
#include "db/session.h"

#include "base/arena.h"
#include "base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

// Each session keeps plans and catalogs of its own, which the processors' caches have to hold: with more of
// them at work than the processors can run, each statement costs more (a fifth with 16 instead of 4 on two).
// So a caller waits a moment for one of the warm ones before it takes another. Where transactions take longer
// than the moment, as with a slow disk, all are used.
enum { WARM_WAIT_US = 2000, WARM_A_PROCESSOR = 2 };

struct db_pool {
    pthread_mutex_t mutex;
    pthread_cond_t given;
    size_t count, free_count, warm;
    struct db_connection **free_ones; // a stack: the one used last is the warmest
};

struct db_pool *db_pool_new(const struct db_target *target, size_t connections)
{
    struct db_pool *pool = xcalloc(1, sizeof *pool);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->given, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pool->count = pool->free_count = connections;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    pool->warm = WARM_A_PROCESSOR * (size_t)(processors > 0 ? processors : 1);
    pool->free_ones = xcalloc(connections, sizeof(struct db_connection *));
    for (size_t i = 0; i < connections; i++)
        pool->free_ones[i] = db_connection_new(target);
    return pool;
}

// Until that many are free, or the time is up.
static void wait_for(struct db_pool *pool, size_t free_count, int64_t until)
{
    struct timespec t = {until / 1000000, until % 1000000 * 1000};
    while (pool->free_count < free_count)
        if (pthread_cond_timedwait(&pool->given, &pool->mutex, &t) == ETIMEDOUT)
            break;
}

struct db_connection *db_pool_take(struct db_pool *pool, unsigned wait_ms)
{
    int64_t now = clock_monotonic();
    pthread_mutex_lock(&pool->mutex);
    if (pool->count > pool->warm)
        wait_for(pool, pool->count - pool->warm + 1, now + WARM_WAIT_US);
    wait_for(pool, 1, now + (int64_t)wait_ms * 1000);
    struct db_connection *c = pool->free_count > 0 ? pool->free_ones[--pool->free_count] : NULL;
    pthread_mutex_unlock(&pool->mutex);
    return c;
}

void db_pool_give(struct db_pool *pool, struct db_connection *connection)
{
    if (connection == NULL)
        return;
    pthread_mutex_lock(&pool->mutex);
    pool->free_ones[pool->free_count++] = connection;
    pthread_cond_signal(&pool->given);
    pthread_mutex_unlock(&pool->mutex);
}

void db_pool_free(struct db_pool *pool)
{
    if (pool == NULL)
        return;
    for (size_t i = 0; i < pool->free_count; i++)
        db_connection_free(pool->free_ones[i]);
    pthread_cond_destroy(&pool->given);
    pthread_mutex_destroy(&pool->mutex);
    free(pool->free_ones);
    free(pool);
}
