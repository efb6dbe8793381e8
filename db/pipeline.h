// The read lane: one pipelined connection on each event loop, one batch an iteration (docs/db.md).
#pragma once
#include "base/loop.h"
#include "db/database.h"

enum { DB_QUERY_VALUES = 10 };

struct db_query {
    const struct db_statement *statement;    // one of those given to db_pipeline_new
    struct db_value values[DB_QUERY_VALUES]; // text is borrowed until `done`
    size_t count;
    // NULL, or the same question asked for several at once, when several wait: each parameter is a text[] of
    // what the queries have there (their values are texts, none null). One row for each query: the columns of
    // `statement`, and last its ordinal, counted from 1. Prepared like `statement`.
    const struct db_statement *many;
    // On the loop's thread, exactly once. `result` is NULL when the outcome is not DB_COMMITTED.
    void (*done)(struct db_query *query, enum db_outcome outcome, const struct db_result *result);
    int64_t deadline;      // the pipeline's
    struct db_query *next; // the pipeline's
    bool retried;          // the pipeline's
    size_t together;       // the pipeline's: how many one statement answers, at the first of them; else 0
};

struct db_pipeline;
// On the loop's thread. Every statement is prepared at connect. Reads only: they may be sent again once.
struct db_pipeline *db_pipeline_new(struct loop *loop, const struct db_target *target,
                                    const struct db_statement *const *statements, size_t count);
// At most 1,024 wait; beyond that `done` is called with DB_UNAVAILABLE before this returns.
void db_pipeline_send(struct db_pipeline *pipeline, struct db_query *query);
void db_pipeline_free(struct db_pipeline *pipeline);
