// A deployment's run: what its jobs' steps share. docs/deployments.md tells the whole.
#pragma once
#include "arm/inner.h"
#include "templates/deployment.h"

struct deployment_run {
    struct db_transaction *tx;
    struct arena *arena; // of the step
    struct deployment deployment;
    const struct value *input;                   // opened; NULL when the deployment is over
    struct arm_inner inner;                      // on behalf of who deploys
    struct plan *plan;                           // NULL until it is asked for
    const struct link *link;                     // what its relative links start at, or NULL
    struct deployment_secrets *secrets, *listed; // of its parameters; of what list*() answered in this step
    struct deployment_cached *cached;
};

// ---- deployment_run.c
// False when the deployment is gone.
bool deployment_run_begin(struct deployment_run *run, struct db_transaction *tx, struct job_step *step);
void deployment_run_end(struct deployment_run *run);
// The plan, made again from what is stored; NULL and the error when that failed.
struct plan *deployment_run_plan(struct deployment_run *run, struct plan_error *error);
// For plan_body and plan_outputs: reference() and list*() as requests of the caller.
struct plan_run deployment_run_reads(struct deployment_run *run);
// One request of the caller in the step's transaction.
void deployment_run_request(struct deployment_run *run, enum http_method method, struct text target,
                            struct text body, const struct deployment_purpose *purpose,
                            struct http_answer *answer);
// {"code":…,"message":…} as an error's JSON.
struct text deployment_error_json(struct arena *arena, const char *code, const char *message);

// ---- deployment_nodes.c
enum deployment_progress {
    PROGRESS_NONE,  // nothing is ready, or what is ready is in another job's hands
    PROGRESS_SOME,  // some were run
    PROGRESS_LIMIT, // as many as a step takes: there may be more
    PROGRESS_LATER, // what was tried is to be tried again in a while
    PROGRESS_LINKS, // it is when its links are fetched, which will wake the job
};
// Runs nodes whose dependencies are done, as many as a step takes.
enum deployment_progress deployment_nodes_run(struct deployment_run *run, size_t limit);
// What the run itself adds to the operations: outputs, deletions of the Complete mode.
struct deployment_operation {
    const char *kind, *state;
    struct text target, type, name; // absent: none
    int status;
    struct text message; // JSON; absent: none
    int64_t took;        // microseconds
};
void deployment_operation_add(struct deployment_run *run, const struct deployment_operation *operation);
// The member "error" of a body, or one made of the status: as details show it.
struct text deployment_error_of(struct arena *arena, int status, struct text body);

// ---- deployment_secrets.c
// JSON as operations show it: without the values of secure parameters and what list*() answered; `content` is
// a request's or an answer's and loses what looks like a secret too. Absent where it is no JSON.
struct text deployment_shown(struct deployment_run *run, struct text body, bool content);
void deployment_note_listed(struct deployment_run *run, const struct value *answer);
// What a body that was made in the run has of secrets, and of what was made of them.
void deployment_note_made(struct deployment_run *run, const struct value *body);
bool deployment_has_secrets(struct deployment_run *run); // a parameter is secure, or a part of one

// The start of a statement: `made` (t: id, y: type, n: name, e: only read) is what a deployment and all that
// is nested in it made. Nested ones that are over told it (0023_nested_results.sql); others have their own
// rows.
#define DEPLOYMENT_MADE(id)                                                                                  \
    "with recursive tree (id) as (select " id " union all select o.child_id from tree t join "               \
    "arm.deployment_operation o on o.deployment_id = t.id where o.child_id is not null and o.made is "       \
    "null), "                                                                                                \
    "made as (select o.target as t, o.type as y, o.name as n, o.kind = 'Read' as e from tree t join "        \
    "arm.deployment_operation o on o.deployment_id = t.id where o.kind in ('Create', 'Read') and "           \
    "o.state = 'Succeeded' and o.child_id is null union all select m.t, m.y, m.n, m.e from tree t join "     \
    "arm.deployment_operation o on o.deployment_id = t.id cross join lateral json_to_recordset(o.made) "     \
    "as m (t text, y text, n text, e boolean) where o.made is not null) "

// ---- deployment_cleanup.c: the deletions of the Complete mode (arm-templates 6.6)
enum deployment_cleanup { CLEANUP_DONE, CLEANUP_SOME, CLEANUP_FAILED, CLEANUP_LATER };
enum deployment_cleanup deployment_cleanup(struct deployment_run *run);

// ---- deployment_end.c: when every node is done, or none can go on
enum job_verdict deployment_end(struct deployment_run *run, struct job_step *step, bool failed);
// It was canceled: what is sealed goes.
enum job_verdict deployment_end_canceled(struct deployment_run *run, struct job_step *step);
// It fails though no node did: what it is run with cannot be opened any more, or it lasted too long.
enum job_verdict deployment_end_early(struct deployment_run *run, struct job_step *step, const char *message);
void deployment_given_up(struct db_transaction *tx, const struct job *job);
