// Requests that we make ourselves (a batch, later a deployment): through the very door, with every check, the
// throttle, the transaction and all headers of the answer; only a client is missing.
#pragma once
#include "arm/call.h"

// On whose behalf, and of which request they come.
struct arm_inner {
    struct arena *arena;         // answers live in it
    struct text host, authority; // of our own ARM host, as http_request has them
    struct text client_address;
    const char *correlation_id;
    struct text authorization;        // "Bearer …"; absent where `caller` is set
    const struct rbac_caller *caller; // whose token was judged before: work that outlives the token
    bool counted;                     // what asked for them was counted: they are not throttled
    // Their transaction is always rolled back, to see what would come of it: nothing is logged, nothing is
    // decided a second time, management locks neither hold them back nor are they held.
    bool trial;
    bool confidential; // no log shows their bodies
    // Only a success is hoped for (arm_inner_within, where db_may_defer): no savepoint is set, and when one
    // is refused the whole transaction is run again, where nothing can be hoped for.
    bool hopeful;
    const void *purpose; // what their handlers may know beyond the request; NULL: nothing
};
// The purpose that the request of this call was made with; NULL for one that came from outside.
const void *arm_inner_purpose(const struct arm_call *call);
// The host, the client, the correlation id and the credentials of that call.
struct arm_inner arm_inner_of(const struct arm_call *call);

struct arm_inner_request {
    enum http_method method;
    struct text target;               // "/subscriptions/…?api-version=…"
    const struct http_field *headers; // names in lower case; a body is JSON, whatever they say
    size_t header_count;
    struct text body;
};
// In a transaction of its own, on a connection that has none open. Fills the answer, whatever happens.
void arm_inner_run(const struct arm_inner *inner, const struct arm_inner_request *request,
                   struct db_connection *connection, struct http_answer *answer);
// In the caller's transaction, so that the answer and what was done for it are committed together. What is
// refused (status 400 and above) left nothing behind. The caller's commit decides again with the RBAC version
// of that moment; where db_failed is true afterwards, the answer is of no worth.
void arm_inner_within(const struct arm_inner *inner, const struct arm_inner_request *request,
                      struct db_transaction *tx, struct http_answer *answer);

// Whether the caller of `call` could make such a request now: everything that the door checks but existence
// of the group, registration and locks, and what the type's `validate` does. Nothing is changed, locked or
// recorded. `group_id`: of the group in the path, 0 where there is none yet. Without a body, which may not be
// known yet, the rest is checked.
struct arm_rehearsal {
    const struct arm_failure *failure; // NULL: it could
    const char *action;                // NULL: there is no such operation
};
// `fresh`: the type foresaw that nothing is there and nothing in its way (struct arm_type).
void arm_rehearse(struct arm_call *call, const struct arm_inner_request *request, int64_t group_id,
                  bool fresh, struct arm_rehearsal *rehearsal);
