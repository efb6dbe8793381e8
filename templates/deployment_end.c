// How a deployment ends: outputs, resources, errors; what is sealed goes, and whoever waits is woken
// (arm-templates 6, 9.3).
#include "templates/deployment_cache.h"
#include "templates/deployment_errors.h"
#include "templates/deployment_links.h"
#include "templates/deployment_run.h"

#include "arm/asynchronous.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"

enum { DETAILS = 100 };

static const struct db_statement end = {
    "deployment_end",
    "update arm.deployment d set state = $2, error = $3::json, outputs = $4::json, output_resources = "
    "$5::json, "
    "input = null, changed_at = clock_timestamp() where d.id = $1 and d.state in ('Accepted', 'Running') "
    "returning d.id"};
static const struct db_statement erase = {"deployment_erase",
                                          "update arm.deployment d set input = null where d.id = $1"};
static const struct db_statement erase_bodies = {
    "deployment_erase_bodies",
    "update arm.deployment_operation o set body = null where o.deployment_id = $1 and o.body is not null"};
static const struct db_statement end_operations = {
    "deployment_end_operations",
    "update arm.deployment_operation o set state = 'Failed', status = 409, ended_at = clock_timestamp(), "
    "message = json_build_object('error', json_build_object('code', 'DeploymentCanceled', 'message', 'The "
    "deployment ended while this was under way.')) where o.deployment_id = $1 and o.state = 'Running'"};
static const struct db_statement job_of = {"deployment_job_of",
                                           "select d.job_id from arm.deployment d where d.id = $1"};
static const struct db_statement failures = {"deployment_failures",
                                             "select o.message->'error' from arm.deployment_operation o "
                                             "where o.deployment_id = $1 and o.state = 'Failed' and "
                                             "o.message is not null order by o.ordinal limit $2"};
// What nested deployments made stands in their place: as they told it when they ended.
static const struct db_statement made = {
    "deployment_made",
    DEPLOYMENT_MADE("$1::bigint") "select x.t, x.y, x.n, x.e from (select distinct on (lower(m.t) collate "
                                  "\"C\", m.e) m.t, m.y, m.n, m.e from made m) x "
                                  "order by lower(x.t) collate \"C\", x.e"};
static const struct db_statement tell_parent = {
    "deployment_tell_parent",
    "update arm.deployment_operation o set state = $3, status = $4, message = $5::json, made = $6::json, "
    "ended_at = clock_timestamp() where o.deployment_id = $1 and o.child_id = $2 and o.state = 'Running'"};
static const struct db_statement rollback_to = {
    "deployment_rollback_to",
    "select d.template, d.kept, d.id, d.link, d.root_id, d.kept_sealed from "
    "arm.deployment d where d.subscription_id = $1::uuid and "
    "coalesce(d.group_id, 0) = $2 and d.name_key = lower($3) and d.state = 'Succeeded'"};
static const struct db_statement rolled_back = {
    "deployment_rolled_back", "update arm.deployment d set on_error_id = $2 where d.id = $1"};

// ---- what it leaves

// What it made, for outputResources; `told`: all that a parent is to know of it.
static struct text resources_made(struct deployment_run *run, struct text *told)
{
    const struct db_result *rows = DB_RUN(run->tx, &made, db_int(run->deployment.id));
    struct buffer shown = buffer_new(run->arena), all = buffer_new(run->arena);
    json_begin_array(&shown);
    json_begin_array(&all);
    for (size_t i = 0; i < db_rows(rows); i++) {
        bool only_read = db_get_bool(rows, i, 3);
        json_begin_object(&all);
        json_key_text(&all, "t", db_get(rows, i, 0));
        json_key_text(&all, "y", db_get(rows, i, 1));
        json_key_text(&all, "n", db_get(rows, i, 2));
        json_key_bool(&all, "e", only_read);
        json_end_object(&all);
        if (only_read)
            continue;
        json_begin_object(&shown);
        json_key_text(&shown, "id", db_get(rows, i, 0));
        json_end_object(&shown);
    }
    json_end_array(&shown);
    json_end_array(&all);
    *told = buffer_done(&all);
    return buffer_done(&shown);
}

static struct text error_with(struct deployment_run *run, const char *code, const char *message,
                              struct text details)
{
    struct buffer b = buffer_new(run->arena);
    json_begin_object(&b);
    json_key_string(&b, "code", code);
    json_key_text(&b, "target", deployment_id_of(run->arena, &run->deployment));
    json_key_string(&b, "message", message);
    if (details.base)
        json_key_raw(&b, "details", details);
    json_end_object(&b);
    return buffer_done(&b);
}

static struct text error_of_nodes(struct deployment_run *run)
{
    const struct db_result *rows = DB_RUN(run->tx, &failures, db_int(run->deployment.id), db_int(DETAILS));
    struct buffer b = buffer_new(run->arena);
    json_begin_array(&b);
    for (size_t i = 0; i < db_rows(rows); i++)
        json_raw(&b, db_get(rows, i, 0));
    json_end_array(&b);
    return error_with(
        run, "DeploymentFailed",
        "At least one resource deployment operation failed. Please list deployment operations for "
        "details. Please see https://aka.ms/arm-deployment-operations for usage details.",
        buffer_done(&b));
}

static void wake_parent(struct deployment_run *run)
{
    if (run->deployment.parent_id == 0)
        return;
    const struct db_result *rows = DB_RUN(run->tx, &job_of, db_int(run->deployment.parent_id));
    if (db_rows(rows) > 0)
        job_wake(run->tx, text_cstr(run->arena, db_get(rows, 0, 0)));
}

// In the same transaction: its own record may be gone before the parent looks.
static void end_in_parent(struct deployment_run *run, struct text error, struct text told)
{
    const struct deployment *d = &run->deployment;
    if (d->parent_id == 0)
        return;
    struct text message =
        error.base ? TEXT_JOIN(run->arena, TEXT("{\"status\":\"Failed\",\"error\":"), error, TEXT("}"))
                   : TEXT_NONE;
    DB_RUN(run->tx, &tell_parent, db_int(d->parent_id), db_int(d->id),
           db_string(error.base ? "Failed" : "Succeeded"), db_int(error.base ? 409 : 200), db_text(message),
           db_text(error.base ? TEXT_NONE : told));
}

static enum job_verdict end_job(struct deployment_run *run, struct job_step *step, struct text error)
{
    struct buffer b = buffer_new(run->arena);
    json_begin_object(&b);
    json_key_int(&b, "httpStatus", error.base ? 409 : 200);
    if (error.base)
        json_key_raw(&b, "error", error);
    json_end_object(&b);
    step->result = buffer_done(&b);
    return error.base ? JOB_REFUSED : JOB_DONE;
}

static enum job_verdict finish(struct deployment_run *run, struct job_step *step, struct text error,
                               struct text outputs)
{
    const struct deployment *d = &run->deployment;
    bool failed = error.base != NULL;
    struct text told = TEXT_NONE, resources = failed ? TEXT_NONE : resources_made(run, &told);
    const struct db_result *ended =
        DB_RUN(run->tx, &end, db_int(d->id), db_string(failed ? "Failed" : "Succeeded"), db_text(error),
               db_text(failed ? TEXT_NONE : outputs), db_text(resources));
    if (db_rows(ended) == 0 && !db_failed(run->tx))
        db_retry(run->tx); // canceled at this very moment
    DB_RUN(run->tx, &erase_bodies, db_int(d->id));
    end_in_parent(run, error, told);
    wake_parent(run);
    deployment_cache_drop(d->id);
    failpoint("deployment.end");
    return end_job(run, step, error);
}

// ---- outputs

static struct text error_of_outputs(struct deployment_run *run, const struct plan_output_error *errors,
                                    size_t count)
{
    struct buffer names = buffer_new(run->arena), b = buffer_new(run->arena);
    json_begin_array(&b);
    for (size_t i = 0; i < count; i++) {
        buffer_format(&names, "%s%.*s", i > 0 ? "," : "", TEXT_ARG(errors[i].name));
        json_begin_object(&b);
        json_key_string(&b, "code", "DeploymentOutputEvaluationFailed");
        json_key_text(&b, "target", errors[i].name);
        json_key_string(&b, "message", errors[i].message);
        json_end_object(&b);
    }
    json_end_array(&b);
    const char *message =
        arena_printf(run->arena,
                     "Unable to evaluate template outputs: '%.*s'. Please see error details and "
                     "deployment operations. Please see https://aka.ms/arm-common-errors for usage "
                     "details.",
                     TEXT_ARG(buffer_done(&names)));
    struct text error = error_with(run, "DeploymentOutputEvaluationFailed", message, buffer_done(&b));
    return deployment_shown(run, error, false);
}

// *outputs: the record's; absent where the template has no such section.
static struct text evaluate_outputs(struct deployment_run *run, struct text *outputs)
{
    struct plan_error error = {0};
    struct plan_output_error *errors = NULL;
    size_t count = 0;
    const struct value *wanted = VALUE_FIND(run->input, "hasOutputs");
    *outputs = TEXT_NONE;
    if (!value_is(wanted, VALUE_BOOLEAN) || !wanted->boolean)
        return TEXT_NONE;
    struct plan *plan = deployment_run_plan(run, &error);
    if (!plan)
        return error_with(run, error.code, error.message, TEXT_NONE);
    struct plan_run reads = deployment_run_reads(run);
    const struct value *made_of = plan_outputs(plan, &reads, run->arena, &errors, &count);
    if (!made_of)
        return error_of_outputs(run, errors, count);
    *outputs = value_to_json(run->arena, made_of);
    return TEXT_NONE;
}

static void add_output_operation(struct deployment_run *run, struct text error, int64_t started)
{
    struct deployment_operation o = {.kind = "EvaluateDeploymentOutput",
                                     .state = error.base ? "Failed" : "Succeeded",
                                     .status = error.base ? 400 : 200,
                                     .took = clock_monotonic() - started};
    if (error.base)
        o.message = TEXT_JOIN(run->arena, TEXT("{\"error\":"), error, TEXT("}"));
    deployment_operation_add(run, &o);
}

// ---- onErrorDeployment: what succeeded before, once more, with its own values

static void roll_back_to(struct deployment_run *run)
{
    const struct deployment *d = &run->deployment;
    const struct db_result *rows = DB_RUN(run->tx, &rollback_to, db_text(d->subscription_id),
                                          db_int(d->group_id), db_text(d->on_error_name));
    if (db_rows(rows) == 0)
        return;
    struct text values = db_get(rows, 0, 1);
    if (!values.base) // sealed
        values = deployment_opened_text(run->arena, db_get_int(rows, 0, 2), "kept",
                                        db_get_bytes(rows, 0, 5, run->arena));
    if (!values.base)
        return;
    const struct value *template = deployment_opened(run->arena, db_get_int(rows, 0, 2), "template",
                                                     db_get_bytes(rows, 0, 0, run->arena));
    if (!template)
        return;
    struct deployment_purpose purpose = {
        .links_root = db_get_int(rows, 0, 4),
        .link =
            deployment_link_opened(run->arena, db_get_int(rows, 0, 2), db_get_bytes(rows, 0, 3, run->arena))};
    struct deployment again = *d;
    struct buffer b = buffer_new(run->arena);
    struct http_answer answer;
    again.name = d->on_error_name;
    json_begin_object(&b);
    json_key(&b, "properties");
    json_begin_object(&b);
    json_key_string(&b, "mode", "Incremental");
    json_key_raw(&b, "template", value_to_json(run->arena, template));
    json_key_raw(&b, "parameters", values);
    json_end_object(&b);
    json_end_object(&b);
    struct text target =
        TEXT_JOIN(run->arena, deployment_id_of(run->arena, &again), TEXT("?api-version=2022-09-01"));
    deployment_run_request(run, HTTP_PUT, target, buffer_done(&b), &purpose, &answer);
    if (answer.status >= 300)
        log_warning("deployment.rollback_refused", "status", log_number(answer.status));
    else
        DB_RUN(run->tx, &rolled_back, db_int(d->id), db_int(purpose.made));
}

enum job_verdict deployment_end(struct deployment_run *run, struct job_step *step, bool failed)
{
    struct text outputs = TEXT_NONE, error;
    if (failed) {
        error = error_of_nodes(run);
    } else {
        int64_t started = clock_monotonic();
        error = evaluate_outputs(run, &outputs);
        add_output_operation(run, error, started);
    }
    enum job_verdict verdict = finish(run, step, error, outputs);
    if (error.base && run->deployment.on_error_name.base)
        roll_back_to(run);
    return verdict;
}

// Nested ones that it does not wait for any more.
static void end_running(struct deployment_run *run)
{
    DB_RUN(run->tx, &end_operations, db_int(run->deployment.id));
}

enum job_verdict deployment_end_canceled(struct deployment_run *run, struct job_step *step)
{
    end_running(run);
    DB_RUN(run->tx, &erase, db_int(run->deployment.id));
    DB_RUN(run->tx, &erase_bodies, db_int(run->deployment.id));
    wake_parent(run);
    deployment_cache_drop(run->deployment.id);
    return end_job(run, step,
                   deployment_error_json(run->arena, "DeploymentCanceled", "The deployment was canceled."));
}

enum job_verdict deployment_end_early(struct deployment_run *run, struct job_step *step, const char *message)
{
    end_running(run);
    return finish(run, step, error_with(run, "DeploymentFailed", message, TEXT_NONE), TEXT_NONE);
}

// Ten workers began a step and none came to its end.
void deployment_given_up(struct db_transaction *tx, const struct job *job)
{
    struct deployment_run run;
    struct job_step step = {.job = job, .arena = db_arena(tx)};
    if (strcmp(job->kind, DEPLOYMENT_JOB) != 0 || !deployment_run_begin(&run, tx, &step))
        return;
    struct text error = error_with(
        &run, "InternalServerError",
        "The deployment was given up: a step of it was begun 10 times and did not end.", TEXT_NONE);
    DB_RUN(tx, &end, db_int(run.deployment.id), db_string("Failed"), db_text(error), db_null(), db_null());
    DB_RUN(tx, &erase_bodies, db_int(run.deployment.id));
    end_running(&run);
    wake_parent(&run);
    deployment_run_end(&run);
}
