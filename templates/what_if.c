// POST …/deployments/{deployment}/whatIf: what is asked is checked as validate checks it, then tried on the
// same connection in transactions of their own, and the answer is kept as a finished job's, where the 202
// points.
#include "templates/deployment_links.h"
#include "templates/what_if.h"

#include "arm/asynchronous.h"
#include "arm/errors.h"
#include "base/clock.h"
#include "base/log.h"

enum { TRIAL_LIMIT = 45 * 1000 * 1000 }; // microseconds: well below what the edge waits for an answer
#define WHAT_IF_JOB "what-if"

static const char attached; // to the call's arena: what its transaction leaves to what comes after it

struct kept {
    struct arm_call *call;
    struct text result;
    const char *job;
};

static bool keep(struct db_transaction *tx, void *argument)
{
    struct kept *kept = argument;
    struct arm_call *call = kept->call;
    struct job_origin origin = {call->caller->object_id, call->scope};
    const char *id = job_create_done(tx, WHAT_IF_JOB, text_cstr(call->arena, call->subscription_id), &origin,
                                     kept->result);
    kept->job = arena_strdup(call->arena, id);
    return true;
}

static void fail(struct arm_call *call, enum db_outcome outcome)
{
    struct text now = clock_compact(call->arena, clock_wall());
    const struct http_request *request = call->request;
    if (outcome == DB_UNAVAILABLE) {
        arm_fail(call, ARM_SERVER_TIMEOUT, TEXT_ARG(now), TEXT_ARG(call->subscription_id),
                 request->request_id, request->correlation_id);
        call->failure->retry_after = 1;
        return;
    }
    log_error("arm.failed", "request", request->request_id, "operation", "Deployments_WhatIf");
    arm_fail(call, ARM_INTERNAL_ERROR, TEXT_ARG(now), TEXT_ARG(call->subscription_id), request->request_id,
             request->correlation_id);
}

// A link that only the trial leads to is fetched when its transaction is over, and all is tried again.
static enum db_outcome try_with_links(struct what_if *w)
{
    const struct deployment_links *links = deployment_links_of_call(w->call);
    enum db_outcome outcome = what_if_try(w);
    for (int i = 0; i < DEPLOYMENT_DEPTH && outcome == DB_COMMITTED && deployment_links_await(links); i++) {
        if (!deployment_links_fetch(w->call))
            return DB_UNAVAILABLE;
        w->count = w->failure_count = 0;
        w->nested = NULL;
        outcome = what_if_try(w);
    }
    return outcome;
}

// The transaction that checked the request is over: nothing of it is held while resources are tried.
static void try_it(struct arm_call *call, struct db_connection *connection)
{
    struct what_if *w = *(struct what_if **)arena_attachment(call->arena, &attached);
    struct kept kept = {.call = call};
    w->connection = connection;
    w->deadline = clock_monotonic() + TRIAL_LIMIT;
    enum db_outcome outcome = w->refusal ? DB_COMMITTED : try_with_links(w);
    if (outcome == DB_COMMITTED && !w->refusal && w->failure_count == 0)
        outcome = what_if_read_others(w);
    if (outcome == DB_COMMITTED) {
        kept.result = arm_job_answer(call->arena, 200, what_if_answer(w));
        outcome = db_transact(connection, keep, &kept);
    }
    if (outcome != DB_COMMITTED) {
        fail(call, outcome);
        return;
    }
    arm_poll_headers(call, kept.job, ARM_BY_LOCATION);
    arm_reply_empty(call, 202);
}

// What is wrong with the deployment is a result of this operation and no failure of it (arm-templates 9.2);
// az has no words for the latter.
static bool take_refusal(struct what_if *w)
{
    struct arm_call *call = w->call;
    if (!call->failed || call->failure->status >= 500 || db_failed(call->tx))
        return false;
    what_if_secrets_of_request(w);
    struct arm_failure failure = *call->failure;
    failure.origin = FROM_GATEWAY; // the envelope without "status"
    struct text body = arm_failure_body(call->arena, &failure);
    w->refusal = VALUE_FIND(deployment_json(call->arena, body), "error");
    call->failed = false;
    call->failure = NULL;
    return w->refusal != NULL;
}

void deployment_what_if(struct arm_call *call)
{
    struct what_if *w = ARENA_NEW(call->arena, struct what_if);
    w->call = call;
    w->arena = call->arena;
    if (deployment_request_read(call, &w->request)) {
        deployment_groom(call);
        w->site = deployment_json(call->arena, w->request.site_json);
    } else if (!take_refusal(w)) {
        return;
    }
    *arena_attachment(call->arena, &attached) = w;
    call->after = try_it;
    arm_reply_empty(call, 202);
}
