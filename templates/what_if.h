// What-if (arm-templates 7.4): what a deployment would change, found by doing it in transactions that are
// always rolled back. docs/what-if.md tells how.
#pragma once
#include "arm/inner.h"
#include "templates/deployment.h"
#include "templates/name_index.h"

// POST …/deployments/{deployment}/whatIf.
void deployment_what_if(struct arm_call *call);

#define WHAT_IF_UNREADABLE "You may write this resource, but not read it."
#define WHAT_IF_TOO_MANY "The deployment has too many resources to try all of them."

// Texts that are never shown.
struct what_if_secrets {
    struct text *texts;
    size_t count, capacity;
};

// One that the deployment would write, wherever in it.
struct what_if_resource {
    struct text id, type, api_version;
    const struct value *body;           // as it was sent
    const struct value *before, *after; // as a GET shows it; NULL: there is none
    const char *unsupported;            // why nothing can be said of it, or NULL
    bool other;                         // it is there, and the deployment does not write it
};

// A nested deployment that was tried: what reference() of it is answered.
struct what_if_nested {
    struct text id;
    const struct value *record;
    const struct what_if_nested *next;
};

struct what_if {
    struct arm_call *call;
    struct arena *arena; // of the call
    struct db_connection *connection;
    struct deployment_request request;
    const struct value *site;    // what the scope functions answer
    const struct value *refusal; // an error: the deployment is none; or NULL
    struct what_if_resource *resources;
    size_t count, capacity;
    const struct what_if_nested *nested;
    struct name_index *existing;   // ids of what templates have as existing; NULL: none
    const struct value **failures; // errors of resources, as details show them
    size_t failure_count, failure_capacity;
    struct what_if_secrets secrets;
    int64_t deadline; // of the trial, by the monotonic clock
};

// ---- what_if_parts.c: which resources have to do with each other ----
// The nodes of a plan in an order that respects their dependencies.
size_t *what_if_order(struct arena *arena, const struct plan *plan);
// For each node the number of its part: nodes of different parts neither depend on each other nor stand in
// one another. `*count` parts, numbered by their first node.
size_t *what_if_parts(struct arena *arena, const struct plan *plan, size_t *count);

// ---- what_if_trial.c: the doing ----
// Fills resources and failures. Anything but DB_COMMITTED: nothing is known.
enum db_outcome what_if_try(struct what_if *w);

// ---- what_if_read.c: how resources are shown ----
struct what_if_resource *what_if_add(struct what_if *w, struct text id, struct text type,
                                     struct text api_version);
// What a plan has as existing: the Complete mode leaves it alone.
void what_if_note_existing(struct what_if *w, const struct plan *plan);
// One GET of the caller; the answer's value lives in `arena`, all else of the request is gone. NULL unless
// *status is 200.
const struct value *what_if_get(const struct arm_inner *inner, struct db_transaction *tx, struct arena *arena,
                                struct text target, int *status);
// `before` of the resources from that one on.
enum db_outcome what_if_read_before(struct what_if *w, size_t first);
// What else is in the groups that the deployment writes to: appended, with `after` where it stays.
enum db_outcome what_if_read_others(struct what_if *w);

// ---- what_if_secrets.c ----
// Of the parameters that are sent for secure ones: where there may be no plan.
void what_if_secrets_of_request(struct what_if *w);
// Of the plan's secure parameters.
void what_if_secrets_of_plan(struct what_if *w, const struct plan *plan);
// Of what a list*() answered: what is no name. The answer with that marked (templates/value_secret.h).
const struct value *what_if_secrets_of_answer(struct what_if *w, const struct value *answer);
// Of what is to be sent: what was made of secrets.
void what_if_secrets_of_body(struct what_if *w, const struct value *body);
// The value with them replaced, and fit to be stored.
const struct value *what_if_shown(const struct what_if *w, const struct value *value);

// ---- what_if_answer.c ----
// {"status":"Succeeded","properties":{"correlationId","changes":[…]}} or {"status":"Failed","error":{…}}.
struct text what_if_answer(struct what_if *w);
