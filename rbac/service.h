// What the hosts adfs. and graph. share: a request becomes a call, run on a worker in one transaction with a
// snapshot that is current at the version read there (docs/architecture.md).
#pragma once
#include "db/database.h"
#include "http/message.h"
#include "http/operation.h"
#include "rbac/snapshot.h"

struct service_call;
typedef bool service_handler(struct service_call *call); // true: commit what it did

struct service_call {
    struct http_exchange *exchange;
    const struct http_request *request;
    struct http_answer *answer;
    struct arena *arena; // the request's: what the answer is made of
    struct http_route route;
    service_handler *run;
    void (*refuse)(struct http_exchange *exchange, int status, const char *why); // in the host's own form
    struct db_transaction *tx;
    const struct rbac_snapshot *snapshot;
    void *own; // the host's
};

// The head of both hosts' tables.
struct service_operation {
    struct http_operation head;
    service_handler *run;
    bool direct; // answered on the loop: needs neither database nor snapshot
};

struct service_call *service_call_new(struct http_exchange *exchange,
                                      void (*refuse)(struct http_exchange *, int, const char *));
// Runs call->run on a worker; the exchange ends after it.
void service_work(struct service_call *call);
// What the worker does: fills the answer of the call in exchange->context.
void service_run(struct http_exchange *exchange, struct db_connection *connection);
