// One ARM request in a handler's hands, and the tables by which types declare what they can do.
#pragma once
#include "base/buffer.h"
#include "base/site.h"
#include "db/database.h"
#include "http/operation.h"
#include "rbac/snapshot.h"
#include "rbac/token.h"

#include <jansson.h>

struct arm_call;
struct arm_type;

enum arm_lane { ARM_WORK, ARM_READ };

// How a GET of the read lane is answered: `prepare` fills the statement's values from the route (false: work
// lane); `answer` as in struct lane_read, with the call whose rights were judged already for the operation's
// action and scope; false: the work lane answers.
struct arm_read {
    const struct db_statement *statement;
    bool (*prepare)(struct arm_call *call, struct db_value *values, size_t *count);
    bool (*answer)(struct arm_call *call, const struct db_result *result);
    const struct db_statement *many; // NULL, or `statement` for several at once (db/pipeline.h)
};

enum arm_flags {
    ARM_ANONYMOUS = 1,         // no sign-in (metadata)
    ARM_NO_DECISION = 2,       // signed in, the handler filters or decides by itself (lists)
    ARM_NO_GROUP_CHECK = 4,    // the group in the path need not exist (PUT of it)
    ARM_NEEDS_BODY = 8,        // a JSON object must be there
    ARM_READ_COUNT = 16,       // a POST that counts as a read (checkNameAvailability)
    ARM_GATEWAY = 32,          // ARM's own: its failures carry x-ms-failure-cause: gateway
    ARM_DELETING_OK = 64,      // allowed while the group is being deleted
    ARM_UNREGISTERED_OK = 128, // a write allowed while the namespace is not registered
    ARM_ANY_VERSION = 256,     // the handler judges the api-version itself
    ARM_LOCKS_OK = 512,        // a write that no lock holds back (the locks themselves), or that judges them
    ARM_RAW_BODY = 1024,       // the handler reads the body by itself: call->body stays NULL
    ARM_LOCKS_HOLD = 2048,     // a POST that counts as a read, and that ReadOnly locks hold back all the same
};

struct arm_operation {
    struct http_operation http;
    const char *action; // "Microsoft.ContainerRegistry/registries/read"
    unsigned flags;
    enum arm_lane lane;
    const struct arm_read *read;
    // In the door's transaction. Fills call->answer by arm_reply… or arm_fail; a failure rolls back.
    void (*handle)(struct arm_call *call);
    // For the operations list: "Get Container Registry", what it does.
    const char *display, *description;
};

struct arm_prospect {
    int64_t group_id;
    struct text name; // "registry", as in paths
    bool fresh;       // the answer; false beforehand
};

// A resource type: the one place that knows its verbs, versions and actions. Declared in the type's own file.
struct arm_type {
    const char *namespace_name;      // "Microsoft.ContainerRegistry"
    const char *name;                // "registries", "registries/webhooks"
    const char *resource_display;    // "Container Registry"
    const char *const *versions;     // as the provider document lists them, NULL-ended
    const char *const *all_versions; // as sentences list the served ones, oldest first for providers' types
                                     // and newest first for ARM's own; NULL: versions
    const char *const *template_versions; // those that a template may name (decisions 39); NULL: all
    bool arm_owned; // decisions 27: InvalidApiVersionParameter rather than NoRegisteredProviderFound
    bool tracked;   // has rows in arm.resource, a location, tags
    bool movable;   // to another group or subscription, with its children (arm-core 2.6)
    const char *capabilities; // of the provider document, or NULL
    // Members of its answers that no request sets: paths as "properties.loginServer", ended by NULL (NULL:
    // none). systemData, etag and properties.provisioningState are so everywhere.
    const char *const *read_only;
    const struct arm_operation *operations; // ended by a row whose http.path is NULL
    // Deletes one resource in the transaction of a group's deletion (NULL: not tracked). The envelope is
    // arm's.
    void (*delete_row)(struct db_transaction *tx, int64_t resource_id, struct text resource_scope);
    // Why a resource cannot be deleted now: asked before delete_row, and again as long as others of the group
    // still go. A sentence; NULL: it can. May be NULL itself.
    const char *(*delete_refusal)(struct db_transaction *tx, int64_t resource_id, struct text resource_scope);
    // What the PUT of an item checks before it changes anything, for who wants to know beforehand (a
    // deployment): in the door's place, without the door's locks. Fails the call; changes nothing. May be
    // NULL.
    void (*validate)(struct arm_call *call);
    // One look for many of them: which are of names that nothing has and nothing is against. May be NULL.
    void (*foresee)(struct db_transaction *tx, struct arm_prospect *prospects, size_t count);
    // NULL, or the `properties` of these resources, JSON objects as the type's newest version shows them, for
    // queries over many (Resource Graph); absent for one that is gone. They live in the arena.
    void (*properties_of)(struct db_transaction *tx, struct arena *arena, const int64_t *ids, size_t count,
                          struct text *properties);
    // Another right that is enough, asked where an operation's action is not allowed at its scope. May be
    // NULL.
    bool (*may_also)(const struct arm_call *call);
    // Actions beyond the operations' (data plane), NULL-ended:
    // "Microsoft.ContainerRegistry/registries/pull/read"
    const char *const *extra_actions;
};
// At start.
void arm_register_type(const struct arm_type *type);
const struct arm_type *arm_type_find(struct text namespace_name, struct text type);

struct arm_call {
    struct arena *arena;
    const struct http_request *request;
    struct http_answer *answer;
    struct http_route route;
    const struct arm_operation *operation;
    const struct arm_type *type;
    const char *api_version;     // as asked, lower case
    struct text subscription_id; // as in the path, lower-cased; absent at tenant scope
    struct text group;           // as in the path
    int64_t group_id;         // of the existing group, 0 when there is none in the path or ARM_NO_GROUP_CHECK
    struct text group_stored; // its stored name
    struct text group_location;
    struct text group_moved_by; // the job of a move that is over, or absent
    // A PUT's resource, where the door looked for it and there was none: an id for its row, and PostgreSQL's
    // time in microseconds. new_id is 0 otherwise.
    int64_t new_id, new_at;
    struct text scope; // what the decision is about: the URL's casing, canonical literals not forced
    const struct rbac_caller *caller; // NULL where anonymous
    const struct rbac_snapshot *snapshot;
    struct db_transaction *tx;   // NULL on the read lane
    json_t *body;                // parsed object, or NULL; freed with the arena
    bool trial;                  // what it does will be undone (arm/inner.h): it need hold nobody up
    bool failed;                 // arm_fail was called
    struct arm_failure *failure; // what it said (arm/errors.h), NULL unless failed
    struct rbac_version version; // that the decision was made with
    const char *goes_on;         // the job that this write goes on as (arm/asynchronous.h sets it), or NULL
    // NULL, or what the handler wants to go on with once its transaction is committed, on the same
    // connection, in transactions of its own (the requests of a batch). It gives the final answer.
    void (*after)(struct arm_call *call, struct db_connection *connection);
    // NULL, or what has to be done before the handler can go on and can be done only while no transaction is
    // open (asking another host). Set by the handler: its run is rolled back, this is called, and the request
    // is run again from the start. False: the call has failed. What it finds goes to the call's arena.
    bool (*meanwhile)(struct arm_call *call);
};

// Answers. Bodies are JSON in the arena.
void arm_reply(struct arm_call *call, int status, struct text json);
void arm_reply_empty(struct arm_call *call, int status);
// Absolute URL on the host that the client used: "/subscriptions/…" appended.
const char *arm_url(const struct arm_call *call, const char *path_and_query);

// Whether the caller may do `action` at `scope` (lists: per item).
bool arm_may(const struct arm_call *call, const char *action, struct text scope);
