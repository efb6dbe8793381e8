// The two lanes: hot reads on the event loops, everything else as plain blocking code in workers.
#pragma once
#include "db/database.h"
#include "http/message.h"
#include "rbac/snapshot.h"

// On a request worker: fills exchange->answer. The lane ends the exchange afterwards.
typedef void lane_handler(struct http_exchange *exchange, struct db_connection *connection);
// Fills the answer when the lane is full or the database is away (503 in the host's own form).
typedef void lane_refusal(struct http_exchange *exchange);

void lane_work(struct http_exchange *exchange, lane_handler *run, lane_refusal *busy);
// The same for work of one registry, named by a number: it shares the workers fairly with what is others',
// and waits longer before it is refused, since its clients give up at a 503.
void lane_work_of(uint64_t owner, struct http_exchange *exchange, lane_handler *run, lane_refusal *busy);

struct lane_read {
    const struct db_statement *statement; // its first columns are RBAC_VERSION_COLUMNS
    const struct db_statement *many;      // NULL, or as in struct db_query
    struct db_value values[10];
    size_t count;
    // On the loop, with a snapshot proven current by this very result. True: the answer is filled. False: the
    // request goes to the work lane (nothing found, rights to explain, a refusal to word).
    bool (*answer)(struct http_exchange *exchange, const struct db_result *result,
                   const struct rbac_snapshot *snapshot);
    lane_handler *otherwise;
    lane_refusal *busy;
    uint64_t owner; // of what is done otherwise; 0: nobody
};
// Copies `read`. On the loop's thread.
void lane_read(struct http_exchange *exchange, const struct lane_read *read);

// At start: statements of the read lane, before the first loop runs.
void lane_add_statement(const struct db_statement *statement);
void lane_start(const struct db_target *work, size_t workers);
void lane_stop(void);
// For http_server_config's hooks: makes and frees the loop's pipeline. `argument` is a struct db_target *.
void lane_loop_started(struct loop *loop, void *argument);
void lane_loop_stopping(struct loop *loop, void *argument);
