// Long work as rows with a lease and an epoch: it survives any crash, any frozen worker, any replica.
#pragma once
#include "db/database.h"

struct job {
    char id[37];
    const char *kind;
    struct text payload; // JSON
    struct text result;  // JSON written by earlier steps, absent at first
    int64_t attempts;
};

enum job_verdict {
    JOB_AGAIN,   // commit this step, run the next at once
    JOB_WAIT,    // commit, run again `wait_ms` later (or when woken)
    JOB_DONE,    // commit, state Succeeded
    JOB_FAILED,  // roll the step back to its savepoint, write `result`, state Failed
    JOB_REFUSED, // commit the step, state Failed
};

struct job_step {
    const struct job *job;
    struct arena *arena;
    struct text result; // what the step leaves, JSON; absent: unchanged
    unsigned wait_ms;
    bool gently; // with JOB_AGAIN: three times what the step took is left to others before the next one
};

struct job_kind {
    const char *name;
    // Inside the step's fenced transaction, behind a savepoint.
    enum job_verdict (*step)(struct db_transaction *tx, struct job_step *step);
};

// Makes a job in the caller's transaction; the id is for status URLs. `subscription` may be NULL, `payload`
// is JSON (never a secret, never a token), `delay_ms` from now by PostgreSQL's clock.
const char *job_create(struct db_transaction *tx, const char *kind, const char *subscription,
                       struct text payload, int64_t delay_ms);
// The same for what a caller of Resource Manager started: who (an object id), and the scope that it is about.
struct job_origin {
    const char *started_by;
    struct text scope;
};
const char *job_create_for(struct db_transaction *tx, const char *kind, const char *subscription,
                           const struct job_origin *origin, struct text payload, int64_t delay_ms);
// The same, behind others: first in, first out within a subscription, round robin between subscriptions. With
// `like`, the id of a job, it is as far in front as that one: work that a job goes on by. What has no turn
// goes before what has one.
const char *job_create_in_turn(struct db_transaction *tx, const char *kind, const char *subscription,
                               const struct job_origin *origin, struct text payload, const char *like);
// The row of work that is done already, for who asks by its id: state Succeeded, with that result (JSON).
const char *job_create_done(struct db_transaction *tx, const char *kind, const char *subscription,
                            const struct job_origin *origin, struct text result);
// Whether jobs that were created in turn wait for their first worker.
bool job_queue_waits(struct db_transaction *tx);
// One row: state ("Pending", "Running", "Succeeded", "Failed"), result; false when there is none of that id.
struct job_status {
    struct text state, kind, subscription, payload, result;
    struct text started_by, scope; // absent for jobs that nobody asked for
    bool begun;                    // a worker had it once
    int64_t created_at;            // microseconds
    int64_t finished_at;           // 0: not yet
};
bool job_find(struct db_transaction *tx, struct text id, struct job_status *status);

// Wakes a waiting job once this transaction is committed (at once in this process; another looks every
// second); a job that runs now runs once more. Never touches
// the job's own row, so that who finishes never waits for who waits.
void job_wake(struct db_transaction *tx, const char *id);

// How long the row of a finished job is kept, in seconds: 7 days unless set, before the workers start.
void job_set_retention(int64_t seconds);
// Called in the transaction that gives a job up (taken ten times without a committed step), so that what it
// was about does not stay as it is for ever. Each is called; set before the workers start.
void job_set_given_up(void (*given_up)(struct db_transaction *tx, const struct job *job));
// Called by a worker when a step of its is over, with no transaction open on the connection: what a step
// cannot do itself, like asking another host. `committed`: whether the step was. Set before the workers
// start.
void job_set_meanwhile(void (*meanwhile)(struct db_connection *connection, bool committed));

struct job_workers;
// `kinds` ends with a row whose name is NULL.
struct job_workers *job_workers_start(const struct db_target *target, const struct job_kind *kinds,
                                      size_t threads);
// Looks for work now instead of at the next tick (1 s).
void job_workers_nudge(struct job_workers *workers);
// The workers of this process, if there are any.
void job_nudge(void);
void job_workers_stop(struct job_workers *workers);
