// From a request on a loop to a handler in a transaction with a current snapshot.
#include "rbac/service.h"

#include "base/arena.h"
#include "rbac/lane.h"

enum { SNAPSHOT_WAIT_MS = 2000 };
static const char away[] = "The service is temporarily unavailable. Please try again.";

struct service_call *service_call_new(struct http_exchange *exchange,
                                      void (*refuse)(struct http_exchange *, int, const char *))
{
    struct service_call *call = ARENA_NEW(exchange->request.arena, struct service_call);
    call->exchange = exchange;
    call->request = &exchange->request;
    call->answer = &exchange->answer;
    call->arena = exchange->request.arena;
    call->refuse = refuse;
    exchange->context = call;
    return call;
}

static bool in_transaction(struct db_transaction *tx, void *argument)
{
    struct service_call *call = argument;
    http_answer_reset(call->answer); // an earlier run may have filled it
    struct rbac_version version;
    if (!rbac_version_read(tx, &version))
        return false;
    const struct rbac_snapshot *snapshot = rbac_snapshot_wait(&version, SNAPSHOT_WAIT_MS);
    if (!snapshot)
        return false;
    call->tx = tx;
    call->snapshot = snapshot;
    bool commit = call->run(call);
    call->tx = NULL;
    call->snapshot = NULL;
    rbac_snapshot_release(snapshot);
    return commit;
}

void service_run(struct http_exchange *exchange, struct db_connection *connection)
{
    struct service_call *call = exchange->context;
    enum db_outcome outcome = db_transact(connection, in_transaction, call);
    bool lost = outcome == DB_UNAVAILABLE || outcome == DB_FAILED;
    if (!lost && exchange->answer.status != 0)
        return;
    http_answer_reset(&exchange->answer);
    call->refuse(exchange, outcome == DB_FAILED ? 500 : 503,
                 outcome == DB_FAILED ? "The service met an unexpected condition." : away);
}

static void busy(struct http_exchange *exchange)
{
    struct service_call *call = exchange->context;
    http_answer_reset(&exchange->answer);
    call->refuse(exchange, 503, away);
}

void service_work(struct service_call *call)
{
    lane_work(call->exchange, service_run, busy);
}
