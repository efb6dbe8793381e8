// The jobs of deployments. One job leads a deployment from Accepted to its end; where much is ready at a
// time, branches help it with the nodes. Each step is one fenced transaction (docs/db.md), so that a node is
// done by exactly one committed step whoever dies or freezes; waiting for a nested deployment holds no
// worker.
#include "templates/deployment_run.h"
#include "templates/templates.h"

#include "arm/asynchronous.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"

enum {
    NODES_A_STEP = 32,
    BRANCHES = 3,   // beside the leader, where there are workers
    WAIT_MS = 2000, // the net under wakes
    LATER_MS = 300,
    LINKS_MS = 20000, // longer than links are fetched
};

static const struct db_statement start = {
    "deployment_start",
    "update arm.deployment d set state = 'Running', changed_at = clock_timestamp() where d.id = $1 "
    "and d.state = 'Accepted' returning d.id"};
// The fate of nested deployments that ended since the last look.
static const struct db_statement nested_ended = {
    "deployment_nested_ended",
    "update arm.deployment_operation o set state = case when n.state = 'Succeeded' then 'Succeeded' else "
    "'Failed' end, "
    "ended_at = clock_timestamp(), status = case when n.state = 'Succeeded' then 200 else 409 end, "
    "message = case when n.state = 'Succeeded' then null else json_build_object('status', 'Failed', 'error', "
    "coalesce(n.error, json_build_object('code', 'DeploymentCanceled', 'message', 'The nested deployment was "
    "canceled "
    "or deleted.'))) end from (select w.ordinal, c.state, c.error from arm.deployment_operation w left join "
    "arm.deployment c on c.id = w.child_id where w.deployment_id = $1 and w.state = 'Running' and "
    "coalesce(c.state, 'Canceled') not in ('Accepted', 'Running')) n "
    "where o.deployment_id = $1 and o.ordinal = n.ordinal and o.state = 'Running'"};
// What is left: nodes that can still run or that run, whoever has them in hand, and failures.
static const struct db_statement look = {
    "deployment_look",
    "select exists (select from arm.deployment_operation o where o.deployment_id = $1 and (o.state = "
    "'Running' or "
    "(o.state = 'Waiting' and not exists (select from arm.deployment_operation w where w.deployment_id = $1 "
    "and "
    "w.ordinal = any(o.depends_on) and w.state <> 'Succeeded')))), "
    "exists (select from arm.deployment_operation o where o.deployment_id = $1 and o.state = 'Failed' and "
    "o.kind = 'Create')"};
static const struct db_statement branches_begin = {
    "deployment_branches_begin",
    "update arm.deployment d set branches = $2 where d.id = $1 and d.branches = 0 returning d.id"};
static const struct db_statement branch_ends = {
    "deployment_branch_ends",
    "update arm.deployment d set branches = greatest(d.branches - 1, 0) where d.id = $1"};
static const struct db_statement remove_row = {
    "deployment_remove",
    "delete from arm.deployment d where d.id = $1 and d.state not in ('Accepted', 'Running') "
    "returning d.id"};

// Helpers from the pool of workers, one of which leads.
static void begin_branches(struct deployment_run *run)
{
    const struct deployment *d = &run->deployment;
    int64_t count = site()->config->job_workers - 1 < BRANCHES ? site()->config->job_workers - 1 : BRANCHES;
    if (count < 1 || job_queue_waits(run->tx) ||
        db_rows(DB_RUN(run->tx, &branches_begin, db_int(d->id), db_int(count))) == 0)
        return;
    const char *job = text_cstr(run->arena, d->job_id);
    struct text payload = text_of(arena_printf(run->arena, "{\"deployment\":\"%lld\"}", (long long)d->id));
    for (int64_t i = 0; i < count; i++)
        job_create_in_turn(run->tx, DEPLOYMENT_BRANCH_JOB, NULL, &(struct job_origin){0}, payload, job);
}

// Every node of a step was decided with a version of the rights between the first and the last: with the last
// one still the first, all were decided with the one that is current, and stays so until the commit. A step
// that changes rights itself proves it as every such transaction does.
static void prove_rights(struct deployment_run *run, const struct rbac_version *first)
{
    failpoint("deployment.step");
    db_set_context(run->tx, first);
    if (!db_notes(run->tx))
        rbac_version_hold(run->tx);
}

static size_t nodes_for(const struct job_step *step)
{
    return step->job->attempts > 1 ? 1 : NODES_A_STEP; // after a step in vain, one at a time
}

static enum job_verdict wait(struct job_step *step, unsigned milliseconds)
{
    step->wait_ms = milliseconds;
    return JOB_WAIT;
}

// No node is ready that is in nobody's hands.
static enum job_verdict go_on(struct deployment_run *run, struct job_step *step)
{
    const struct db_result *row = DB_RUN(run->tx, &look, db_int(run->deployment.id));
    bool unfinished = db_get_bool(row, 0, 0), failed = db_get_bool(row, 0, 1);
    if (unfinished)
        return wait(step, WAIT_MS);
    if (!failed && text_is(run->deployment.mode, "Complete") && run->deployment.group_id != 0) {
        switch (deployment_cleanup(run)) {
        case CLEANUP_SOME:
            return JOB_AGAIN;
        case CLEANUP_LATER:
            return wait(step, LATER_MS);
        case CLEANUP_FAILED:
            failed = true;
            break;
        case CLEANUP_DONE:
            break;
        }
    }
    return deployment_end(run, step, failed);
}

// One that waits for something that never comes.
static bool expired(const struct deployment *d)
{
    return d->created_at + (int64_t)DEPLOYMENT_EXPIRES_DAYS * 86400 * 1000000 < clock_wall();
}

static enum job_verdict lead(struct deployment_run *run, struct job_step *step)
{
    struct deployment *d = &run->deployment;
    struct rbac_version *first = ARENA_NEW(run->arena, struct rbac_version);
    if (!rbac_version_read(run->tx, first))
        return JOB_AGAIN;
    if (text_is(d->state, "Accepted") && db_rows(DB_RUN(run->tx, &start, db_int(d->id))) == 0) {
        db_retry(run->tx); // canceled at this moment
        return JOB_AGAIN;
    }
    DB_RUN(run->tx, &nested_ended, db_int(d->id));
    enum deployment_progress progress = deployment_nodes_run(run, nodes_for(step));
    enum job_verdict verdict = JOB_AGAIN;
    if (progress == PROGRESS_LIMIT)
        begin_branches(run);
    else if (progress == PROGRESS_LATER)
        verdict = wait(step, LATER_MS);
    else if (progress == PROGRESS_LINKS)
        verdict = wait(step, LINKS_MS);
    else if (progress == PROGRESS_NONE)
        verdict = go_on(run, step);
    prove_rights(run, first);
    return verdict;
}

static enum job_verdict deployment_step(struct db_transaction *tx, struct job_step *step)
{
    struct deployment_run run;
    db_release_savepoint(tx); // no step of these ends with JOB_FAILED; outside of it, statements can wait
    if (!deployment_run_begin(&run, tx, step)) {
        step->result = TEXT("{\"httpStatus\":200}"); // deleted with its group
        return JOB_DONE;
    }
    enum job_verdict verdict;
    if (!deployment_active(&run.deployment))
        verdict = deployment_end_canceled(&run, step);
    else if (!run.input)
        verdict =
            deployment_end_early(&run, step, "What the deployment needs to go on cannot be read any more.");
    else if (expired(&run.deployment))
        verdict = deployment_end_early(&run, step, "The deployment did not complete within 7 days.");
    else
        verdict = lead(&run, step);
    deployment_run_end(&run);
    return verdict;
}

static enum job_verdict help(struct deployment_run *run, struct job_step *step)
{
    struct rbac_version *first = ARENA_NEW(run->arena, struct rbac_version);
    enum deployment_progress progress = PROGRESS_NONE;
    if (!rbac_version_read(run->tx, first))
        return JOB_AGAIN;
    if (deployment_active(&run->deployment) && run->input && !job_queue_waits(run->tx))
        progress = deployment_nodes_run(run, nodes_for(step));
    if (progress == PROGRESS_SOME || progress == PROGRESS_LIMIT) {
        prove_rights(run, first);
        return JOB_AGAIN;
    }
    DB_RUN(run->tx, &branch_ends, db_int(run->deployment.id));
    job_wake(run->tx, text_cstr(run->arena, run->deployment.job_id));
    prove_rights(run, first);
    step->result = TEXT("{}");
    return JOB_DONE;
}

static enum job_verdict branch_step(struct db_transaction *tx, struct job_step *step)
{
    struct deployment_run run;
    db_release_savepoint(tx);
    if (!deployment_run_begin(&run, tx, step)) {
        step->result = TEXT("{}");
        return JOB_DONE;
    }
    enum job_verdict verdict = help(&run, step);
    deployment_run_end(&run);
    return verdict;
}

static enum job_verdict delete_step(struct db_transaction *tx, struct job_step *step)
{
    json_t *payload = json_loadb(step->job->payload.base, step->job->payload.length, 0, NULL);
    int64_t id = 0;
    text_to_int64(text_of(json_string_value(json_object_get(payload, "deployment"))), &id);
    json_decref(payload);
    DB_RUN(tx, &remove_row, db_int(id));
    step->result = arm_job_answer(step->arena, 204, TEXT_NONE);
    return JOB_DONE;
}

const struct job_kind templates_job_kinds[] = {{DEPLOYMENT_JOB, deployment_step},
                                               {DEPLOYMENT_BRANCH_JOB, branch_step},
                                               {DEPLOYMENT_DELETE_JOB, delete_step},
                                               {NULL, NULL}};
