// Jobs as their makers see them: made, found, woken. job_workers.c takes and runs them.
#include "db/job.h"
#include "db/session.h"

#include "base/arena.h"

static const struct db_statement insert = {
    .name = "job_insert",
    .sql = "insert into azsacr.job (kind, subscription_id, payload, run_at, started_by, scope) "
           "values ($1, $2, $3, clock_timestamp() + $4::bigint * interval '1 millisecond', $5, $6) "
           "returning id",
};

// One that nobody waits before begins at the first of the queue: else who comes late would wait for all.
static const struct db_statement insert_in_turn = {
    .name = "job_insert_in_turn",
    .sql = "insert into azsacr.job (kind, subscription_id, payload, run_at, started_by, scope, turn) "
           "values ($1, $2, $3, clock_timestamp(), $4, $5, coalesce("
           "(select l.turn from azsacr.job l where l.id = $6::uuid), greatest("
           "(select max(q.turn) from azsacr.job q where q.subscription_id = $2 and q.state = 'Pending' and "
           "q.epoch = 0 and q.turn > 0), "
           "(select min(q.turn) from azsacr.job q where q.state = 'Pending' and q.epoch = 0 and q.turn > 0) "
           "- 1, 0) + 1)) returning id",
};

static const struct db_statement insert_done = {
    .name = "job_insert_done",
    .sql = "insert into azsacr.job (kind, subscription_id, state, payload, result, finished_at, started_by, "
           "scope) values ($1, $2, 'Succeeded', '{}', $3::json, clock_timestamp(), $4, $5) returning id",
};

static const struct db_statement queue_waits = {
    .name = "job_queue_waits",
    .sql =
        "select exists (select from azsacr.job q where q.state = 'Pending' and q.epoch = 0 and q.turn > 0)",
};

static const struct db_statement find = {
    .name = "job_find",
    .sql = "select state, kind, subscription_id, payload, result, started_by, scope, epoch > 0, "
           "(extract(epoch from created_at) * 1000000)::bigint, "
           "(extract(epoch from finished_at) * 1000000)::bigint from azsacr.job where id = $1",
};

static const struct db_statement wake = {
    .name = "job_wake",
    .sql = "insert into azsacr.job_wake (job_id) values ($1)",
};

const char *job_create(struct db_transaction *tx, const char *kind, const char *subscription,
                       struct text payload, int64_t delay_ms)
{
    return job_create_for(tx, kind, subscription, &(struct job_origin){0}, payload, delay_ms);
}

const char *job_create_for(struct db_transaction *tx, const char *kind, const char *subscription,
                           const struct job_origin *origin, struct text payload, int64_t delay_ms)
{
    const struct db_result *rows =
        DB_RUN(tx, &insert, db_string(kind), db_string(subscription), db_text(payload), db_int(delay_ms),
               db_string(origin->started_by), db_text(origin->scope));
    struct text id = db_get(rows, 0, 0);
    return id.base != NULL ? id.base : "";
}

const char *job_create_in_turn(struct db_transaction *tx, const char *kind, const char *subscription,
                               const struct job_origin *origin, struct text payload, const char *like)
{
    const struct db_result *rows =
        DB_RUN(tx, &insert_in_turn, db_string(kind), db_string(subscription), db_text(payload),
               db_string(origin->started_by), db_text(origin->scope), db_string(like));
    struct text id = db_get(rows, 0, 0);
    transaction_nudge(tx);
    return id.base != NULL ? id.base : "";
}

const char *job_create_done(struct db_transaction *tx, const char *kind, const char *subscription,
                            const struct job_origin *origin, struct text result)
{
    const struct db_result *rows =
        DB_RUN(tx, &insert_done, db_string(kind), db_string(subscription), db_text(result),
               db_string(origin->started_by), db_text(origin->scope));
    struct text id = db_get(rows, 0, 0);
    return id.base != NULL ? id.base : "";
}

bool job_queue_waits(struct db_transaction *tx)
{
    return db_get_bool(DB_RUN0(tx, &queue_waits), 0, 0);
}

bool job_find(struct db_transaction *tx, struct text id, struct job_status *status)
{
    if (!uuid_is(id))
        return false;
    const struct db_result *rows = DB_RUN(tx, &find, db_text(id));
    if (db_rows(rows) == 0)
        return false;
    *status = (struct job_status){
        .state = db_get(rows, 0, 0),
        .kind = db_get(rows, 0, 1),
        .subscription = db_get(rows, 0, 2),
        .payload = db_get(rows, 0, 3),
        .result = db_get(rows, 0, 4),
        .started_by = db_get(rows, 0, 5),
        .scope = db_get(rows, 0, 6),
        .begun = db_get_bool(rows, 0, 7),
        .created_at = db_get_int(rows, 0, 8),
        .finished_at = db_get_int(rows, 0, 9),
    };
    return true;
}

void job_wake(struct db_transaction *tx, const char *id)
{
    DB_RUN(tx, &wake, db_string(id));
    transaction_nudge(tx);
}
