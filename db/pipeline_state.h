// What pipeline.c and pipeline_connect.c share.
#pragma once
#include "db/pipeline.h"
#include "db/session.h"

// Queries that share a Sync, and so an error and the time of their answers.
enum { PIPELINE_BATCH = 64 };

enum pipeline_state { PIPELINE_DOWN, PIPELINE_CONNECTING, PIPELINE_PREPARING, PIPELINE_READY };

struct query_queue {
    struct db_query *first, *last;
    size_t count;
};

// What the loop calls. It cannot forget a callback, so this outlives the pipeline and then names none.
struct pipeline_hook {
    struct db_pipeline *pipeline;
    struct pipeline_hook *next;
};

struct db_pipeline {
    struct loop *loop;
    struct arena *arena;
    struct db_target target;
    struct session_settings settings;
    bool usable; // the conninfo could be parsed
    const struct db_statement **statements;
    size_t statement_count;
    struct pipeline_hook *hook;

    enum pipeline_state state;
    PGconn *pg;
    struct loop_watch *watch;
    PostgresPollingStatusType awaited; // what PQconnectPoll waits for
    size_t prepared;                   // answers to PQsendPrepare so far
    int64_t connect_deadline;
    unsigned failures;
    int64_t retry_at;

    struct query_queue waiting; // not sent
    struct query_queue sent;    // in the order of their answers
    struct query_queue victims; // aborted by another's error, to be sent again after the Sync
    size_t syncs;               // sent and not yet answered
    int64_t progress;           // when the server last said something
    struct session_parameters parameters;
    struct session_plans plans;
    struct db_query replan; // "discard plans", when it is time
    bool replanning;
};

// pipeline.c
void queue_push(struct query_queue *queue, struct db_query *query);
struct db_query *queue_pop(struct query_queue *queue);
// Ends the session; what was sent is asked once more, or is over.
enum pipeline_sent { SENT_AGAIN, SENT_OVER };
void pipeline_drop(struct db_pipeline *pipeline, const char *why, enum pipeline_sent sent);
void pipeline_flush(struct db_pipeline *pipeline);
void pipeline_readable(void *pipeline);
void pipeline_writable(void *pipeline);

// pipeline_many.c
// How many of the first waiting queries one statement can answer; 1: none but the first itself.
size_t pipeline_alike(const struct query_queue *waiting, size_t limit);
// Sends one statement for the `count` queries. False when the session refused it.
bool pipeline_send_many(struct db_pipeline *pipeline, struct db_query *const *queries, size_t count);
// Answers each from its row. False, and none is answered, when the rows are not one for each.
bool pipeline_answer_many(struct db_query *const *queries, size_t count, PGresult *result);

// pipeline_connect.c
struct pipeline_hook *pipeline_hook_new(struct db_pipeline *pipeline);
void pipeline_connect(struct db_pipeline *pipeline);
// The descriptor is readable or writable, as `ready` says.
void pipeline_connect_step(struct db_pipeline *pipeline, PostgresPollingStatusType ready);
// Reads the answers to the statements' preparation.
void pipeline_prepared(struct db_pipeline *pipeline, bool consumed);
// Tries again as soon as the loop comes round.
void pipeline_reconnect_soon(struct db_pipeline *pipeline);
void pipeline_close(struct db_pipeline *pipeline);
