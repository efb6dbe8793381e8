// What the door's files share among themselves: each check of decisions 12 is one function that fails the
// call.
#pragma once
#include "arm/call.h"
#include "arm/errors.h"

// reply.c: status, body and every header of arm-core 1.4; after it the answer is complete.
void door_finish_headers(struct arm_call *call);
void door_answer_failure(struct arm_call *call);

// path.c: subscription, group and scope from the URL; false when a segment is not acceptable (already
// failed).
// "%2F" parts segments as "/" does (az-cli 15): SDKs escape a scope that is one parameter of theirs, and no
// name may hold one. False, nothing done, when they become too many or "." and ".." come out.
bool door_part_segments(struct http_request *request);
bool door_read_path(struct arm_call *call);
struct text door_scope(struct arena *arena, const struct http_request *request);
// A resource itself, not a collection, an action or something of ARM's own.
bool door_is_item(const struct http_request *request);
// Namespace and type after the last "/providers/"; false when there is none.
bool door_path_type(struct arena *arena, const struct http_request *request, struct text *namespace_name,
                    struct text *type);
// The names after the last "/providers/": "registry", "registry/hook". False when that is no item.
bool door_path_name(struct arena *arena, const struct http_request *request, struct text *name);
// The path names an operation or not: the failure when it does not.
void door_fail_route(struct arm_call *call);

// authenticate.c
bool door_bearer(const struct http_request *request, struct text *token, bool *present);
bool door_authenticate(struct arm_call *call);
void door_fail_tenant(struct arm_call *call, const char *tenant_id); // the subscription is another tenant's

// version.c
bool door_version_present(struct arm_call *call);
bool door_version_served(struct arm_call *call);
bool version_well_formed(struct text version);
const char *version_list(struct arena *arena, const char *const *versions, const char *separator);
bool version_in(const char *const *versions, struct text version);

// throttle.c
enum throttle_kind { THROTTLE_READ, THROTTLE_WRITE, THROTTLE_DELETE };
enum { THROTTLE_KINDS = 3 };
enum throttle_kind door_throttle_kind(const struct arm_call *call);
struct throttle_count {
    unsigned remaining;        // of the principal's bucket
    unsigned global_remaining; // of everybody's in that subscription
    unsigned seconds;          // when refused: until there is one
};
// Sizes and rates as configured; at start.
void throttle_configure(const struct config *config);
// Takes one from the principal's bucket and everybody's; false when either is empty. `exempt`: counted, never
// refused.
bool throttle_take(struct text subscription_id, const char *object_id, enum throttle_kind kind, int64_t now,
                   bool exempt, struct throttle_count *count);
// On the loop, before any lane: counts the request of a caller whose token is good, and answers 429 (true)
// when the bucket is empty. A token that is not plainly good is left to the lane, which says what is wrong
// with it.
bool door_throttled_early(struct arm_call *call);
// In a lane, for who was not counted yet.
bool door_throttle(struct arm_call *call);

// existence.c
// The first statement of a run: the RBAC version with, in the same look, what the checks below ask for. False
// when it failed.
bool door_look(struct arm_call *call);
// The state of the registration that door_look found; absent when there is no row.
struct text door_looked_registration(const struct arm_call *call);
bool door_subscription(struct arm_call *call);
bool door_subscription_writable(struct arm_call *call);
bool door_group(struct arm_call *call);
// PUT, PATCH, DELETE, and a POST unless it counts as a read.
bool door_writes(const struct arm_call *call);
// registration.c
bool door_registration(struct arm_call *call);

// body.c
bool door_body(struct arm_call *call);

// route.c
void door_route(struct arm_call *call);

struct door_call {
    struct arm_call call; // first
    struct http_exchange *exchange;
    struct throttle_count count;
    bool throttled; // a bucket was asked
    bool routed;
    const struct rbac_caller *on_behalf_of; // of a request of ours that carries no token; else NULL
    const void *purpose;                    // of a request of ours (arm/inner.h)
    bool confidential;                      // the same
    const struct db_result *look;           // of door_look; NULL unless it asked for more than the version
    // In place of the look: what was seen a moment ago is taken for granted, and that the resource is not
    // there. Only a success may come of it, which the commit proves; otherwise the transaction runs again
    // with a look.
    const struct seen_group *seen;
};

// door.c: a whole request of our own (arm/inner.h).
struct door_inner {
    const struct rbac_caller *caller;
    bool counted, trial, confidential, hopeful;
    const void *purpose;
};
void door_perform(struct http_exchange *exchange, const struct door_inner *inner,
                  struct db_connection *connection, struct db_transaction *tx);
// Its checks alone, by the caller of `outer` and with what that one decides by. The call tells what failed.
struct arm_call *door_rehearse(struct http_exchange *exchange, const struct arm_call *outer, int64_t group_id,
                               bool fresh);
