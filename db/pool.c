// A bounded pool of connections for threads that are not ours. A connection is held for a transaction only.
#include "db/workers.h"
#include "db/session.h"

#include "base/arena.h"
#include "base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct db_pool {
    pthread_mutex_t mutex;
    pthread_cond_t given;
    size_t count, free_count;
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
    pool->free_ones = xcalloc(connections, sizeof(struct db_connection *));
    for (size_t i = 0; i < connections; i++)
        pool->free_ones[i] = db_connection_new(target);
    return pool;
}

struct db_connection *db_pool_take(struct db_pool *pool, unsigned wait_ms)
{
    int64_t limit = clock_monotonic() + (int64_t)wait_ms * 1000;
    struct timespec t = {limit / 1000000, limit % 1000000 * 1000};
    pthread_mutex_lock(&pool->mutex);
    while (pool->free_count == 0)
        if (pthread_cond_timedwait(&pool->given, &pool->mutex, &t) == ETIMEDOUT)
            break;
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
