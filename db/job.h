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
    JOB_AGAIN,  // commit this step, run the next at once
    JOB_WAIT,   // commit, run again `wait_ms` later (or when woken)
    JOB_DONE,   // commit, state Succeeded
    JOB_FAILED, // roll the step back to its savepoint, write `result`, state Failed
};

struct job_step {
    const struct job *job;
    struct arena *arena;
    struct text result; // what the step leaves, JSON; absent: unchanged
    unsigned wait_ms;
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
// One row: state ("Pending", "Running", "Succeeded", "Failed"), result; false when there is none of that
// kind.
struct job_status {
    struct text state, kind, subscription, payload, result;
};
bool job_find(struct db_transaction *tx, struct text id, struct job_status *status);

// Wakes a waiting job once this transaction is committed; a job that runs now runs once more. Never touches
// the job's own row, so that who finishes never waits for who waits.
void job_wake(struct db_transaction *tx, const char *id);

struct job_workers;
// `kinds` ends with a row whose name is NULL.
struct job_workers *job_workers_start(const struct db_target *target, const struct job_kind *kinds,
                                      size_t threads);
// Looks for work now instead of at the next tick (1 s).
void job_workers_nudge(struct job_workers *workers);
void job_workers_stop(struct job_workers *workers);
