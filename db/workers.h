// Threads that each own a connection and take work from one bounded queue; and a pool of connections for
// threads that are not ours (the receiver's). Work that says whose it is shares fairly: nobody holds more
// than half of the threads, or of the queue, however much of it waits.
#pragma once
#include "db/database.h"

struct db_work {
    // Runs on a worker, with its connection.
    void (*run)(struct db_work *work, struct db_connection *connection);
    // Called instead of run() when it waited longer than it may. On a worker.
    void (*expired)(struct db_work *work);
    uint64_t owner;       // whose it is; 0: nobody's, which is not counted
    unsigned wait_ms;     // how long it may wait; 0: the queue's limit
    struct db_work *next; // the queue's
    int64_t queued;       // the queue's: monotonic microseconds
};

struct db_workers;
struct db_workers *db_workers_start(const struct db_target *target, const char *name, size_t threads,
                                    size_t queue_limit, unsigned wait_limit_ms);
// False when the queue, or its owner's half, is full or stopping: the caller answers 503.
bool db_workers_submit(struct db_workers *workers, struct db_work *work);
// Runs what is queued, then ends the threads.
void db_workers_stop(struct db_workers *workers);

struct db_pool;
struct db_pool *db_pool_new(const struct db_target *target, size_t connections);
// NULL when none came free in `wait_ms`.
struct db_connection *db_pool_take(struct db_pool *pool, unsigned wait_ms);
void db_pool_give(struct db_pool *pool, struct db_connection *connection);
void db_pool_free(struct db_pool *pool);
