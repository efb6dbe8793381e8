// Microsoft.Resources/deployments and its operations at a resource group and at a subscription: the tables,
// and what is asked of a record. PUT and validate are in deployment_put.c, the run in deployment_job.c.
#include "templates/deployment.h"
#include "templates/deployment_links.h"
#include "templates/deployment_run.h"
#include "templates/deployment_errors.h"
#include "templates/operations.h"
#include "templates/templates.h"
#include "templates/what_if.h"

#include "arm/asynchronous.h"
#include "arm/types.h"
#include "base/arena.h"

static void get(struct arm_call *call)
{
    struct deployment d;
    if (deployment_of_route(call, &d))
        arm_reply(call, 200, deployment_record(call, &d, TEXT_NONE));
}

static void exists(struct arm_call *call)
{
    struct deployment d;
    if (deployment_of_route(call, &d))
        arm_reply_empty(call, 204);
}

// ---- DELETE: the record goes, what it made stays

static void remove_record(struct arm_call *call)
{
    struct deployment d;
    if (!deployment_find(call, http_parameter(&call->route, "deployment"), &d)) {
        if (!db_failed(call->tx))
            arm_reply_empty(call, 204);
        return;
    }
    if (deployment_active(&d)) {
        arm_fail(call, DEPLOYMENT_CANNOT_BE_DELETED, TEXT_ARG(d.name), TEXT_ARG(d.state));
        return;
    }
    arm_accept(call, DEPLOYMENT_DELETE_JOB,
               text_of(arena_printf(call->arena, "{\"deployment\":\"%lld\"}", (long long)d.id)),
               ARM_BY_LOCATION);
}

// ---- cancel

// With everything nested in it. What is being done at this moment is not undone.
static const struct db_statement cancel_rows = {
    "deployment_cancel",
    "with recursive below (id) as (select $1::bigint union all select d.id from arm.deployment d join below "
    "b on "
    "d.parent_id = b.id) update arm.deployment d set state = 'Canceled', changed_at = clock_timestamp(), "
    "outputs = "
    "null, output_resources = null from below b where d.id = b.id and d.state in ('Accepted', 'Running') "
    "returning d.id, d.job_id"};

static void cancel(struct arm_call *call)
{
    struct deployment d;
    if (!deployment_of_route(call, &d))
        return;
    bool canceled = false, more = true;
    // Again until there is none: a step that was waited for may have begun a nested one. Those that come
    // later find what they would be nested in canceled.
    while (more && !db_failed(call->tx)) {
        const struct db_result *rows = DB_RUN(call->tx, &cancel_rows, db_int(d.id));
        for (size_t i = 0; i < db_rows(rows); i++) {
            canceled = canceled || db_get_int(rows, i, 0) == d.id;
            job_wake(call->tx, text_cstr(call->arena, db_get(rows, i, 1)));
        }
        more = db_rows(rows) > 0;
    }
    if (canceled) {
        arm_reply_empty(call, 204);
        return;
    }
    // It came to its end meanwhile, perhaps.
    if (deployment_of_route(call, &d))
        arm_fail(call, DEPLOYMENT_CANNOT_BE_CANCELLED, TEXT_ARG(d.name), TEXT_ARG(d.state));
}

// ---- where Azure-AsyncOperation points

static void status(struct arm_call *call)
{
    struct deployment d;
    struct text asked = http_parameter(&call->route, "operation");
    if (!deployment_of_route(call, &d))
        return;
    if (!text_equal(asked, d.sequence)) {
        arm_fail(call, DEPLOYMENT_OPERATION_NOT_FOUND, TEXT_ARG(asked));
        return;
    }
    struct buffer b = buffer_new(call->arena);
    json_begin_object(&b);
    json_key_text(&b, "status", d.state);
    if (d.error.base)
        json_key_raw(&b, "error", d.error);
    json_end_object(&b);
    if (deployment_active(&d))
        http_set_header_string(call->answer, "Retry-After", "1"); // clients wait 30 s without it
    arm_reply(call, 200, buffer_done(&b));
}

static void refuse_tenant(struct arm_call *call)
{
    arm_fail(call, DEPLOYMENT_SCOPE_NOT_SUPPORTED, "tenant");
}

static void refuse_management_group(struct arm_call *call)
{
    arm_fail(call, DEPLOYMENT_SCOPE_NOT_SUPPORTED, "management group");
}

// ---- the tables

#define GROUP "/subscriptions/{subscription}/resourceGroups/{group}"
#define SUBSCRIPTION "/subscriptions/{subscription}"
#define MANAGEMENT_GROUP "/providers/Microsoft.Management/managementGroups/{managementGroup}"
#define BELOW "/providers/Microsoft.Resources/deployments"
#define ACTION(word) "Microsoft.Resources/deployments/" word

#define READ(method_, scope, path, name_, action_, handle_)                                                  \
    {                                                                                                        \
        .http = {method_, scope BELOW path, name_}, .action = ACTION(action_), .flags = ARM_GATEWAY,         \
        .handle = (handle_)                                                                                  \
    }
// az and the SDKs send a body's bytes as they are: it is read by the language's own reader.
#define OF_SCOPE(scope, at)                                                                                  \
    {.http = {HTTP_PUT, scope BELOW "/{deployment}", "Deployments_CreateOrUpdate" at},                       \
     .action = ACTION("write"),                                                                              \
     .flags = ARM_GATEWAY | ARM_NEEDS_BODY | ARM_RAW_BODY,                                                   \
     .handle = deployment_put,                                                                               \
     .display = "Create Deployment",                                                                         \
     .description = "Creates or updates a deployment."},                                                     \
        {.http = {HTTP_GET, scope BELOW, "Deployments_List" at},                                             \
         .action = ACTION("read"),                                                                           \
         .flags = ARM_GATEWAY,                                                                               \
         .handle = deployment_list,                                                                          \
         .display = "Get Deployment",                                                                        \
         .description = "Gets or lists deployments."},                                                       \
        READ(HTTP_GET, scope, "/{deployment}", "Deployments_Get" at, "read", get),                           \
        READ(HTTP_HEAD, scope, "/{deployment}", "Deployments_CheckExistence" at, "read", exists),            \
        READ(HTTP_GET, scope, "/{deployment}/operationStatuses/{operation}", "Deployments_Status" at,        \
             "operationstatuses/read", status),                                                              \
        {.http = {HTTP_DELETE, scope BELOW "/{deployment}", "Deployments_Delete" at},                        \
         .action = ACTION("delete"),                                                                         \
         .flags = ARM_GATEWAY | ARM_DELETING_OK,                                                             \
         .handle = remove_record,                                                                            \
         .display = "Delete Deployment",                                                                     \
         .description = "Deletes a deployment."},                                                            \
        {.http = {HTTP_POST, scope BELOW "/{deployment}/validate", "Deployments_Validate" at},               \
         .action = ACTION("validate/action"),                                                                \
         .flags = ARM_GATEWAY | ARM_NEEDS_BODY | ARM_RAW_BODY | ARM_READ_COUNT | ARM_LOCKS_HOLD,             \
         .handle = deployment_validate,                                                                      \
         .display = "Validate Deployment",                                                                   \
         .description = "Validates a deployment."},                                                          \
        {.http = {HTTP_POST, scope BELOW "/{deployment}/whatIf", "Deployments_WhatIf" at},                   \
         .action = ACTION("whatIf/action"),                                                                  \
         .flags = ARM_GATEWAY | ARM_NEEDS_BODY | ARM_RAW_BODY | ARM_READ_COUNT | ARM_LOCKS_HOLD,             \
         .handle = deployment_what_if,                                                                       \
         .display = "What-If Deployment",                                                                    \
         .description = "Predicts what a deployment would change."},                                         \
        {.http = {HTTP_POST, scope BELOW "/{deployment}/cancel", "Deployments_Cancel" at},                   \
         .action = ACTION("cancel/action"),                                                                  \
         .flags = ARM_GATEWAY | ARM_LOCKS_OK | ARM_DELETING_OK,                                              \
         .handle = cancel,                                                                                   \
         .display = "Cancel Deployment",                                                                     \
         .description = "Cancels a deployment."},                                                            \
    {                                                                                                        \
        .http = {HTTP_POST, scope BELOW "/{deployment}/exportTemplate", "Deployments_ExportTemplate" at},    \
        .action = ACTION("exportTemplate/action"), .flags = ARM_GATEWAY | ARM_READ_COUNT,                    \
        .handle = deployment_export, .display = "Export Deployment Template",                                \
        .description = "Exports the template of a deployment.",                                              \
    }

// Wherever a method leads at these scopes, it is refused alike.
#define REFUSED(method_, scope, path, name_, handle_)                                                        \
    {                                                                                                        \
        .http = {method_, scope BELOW path, name_}, .action = ACTION("write"),                               \
        .flags = ARM_GATEWAY | ARM_NO_DECISION | ARM_RAW_BODY | ARM_LOCKS_OK, .handle = (handle_)            \
    }
#define REFUSED_SCOPE(scope, at, handle_)                                                                    \
    REFUSED(HTTP_GET, scope, "", "Deployments_List" at, handle_),                                            \
        REFUSED(HTTP_PUT, scope, "/{rest*}", "Deployments_CreateOrUpdate" at, handle_),                      \
        REFUSED(HTTP_GET, scope, "/{rest*}", "Deployments_Get" at, handle_),                                 \
        REFUSED(HTTP_DELETE, scope, "/{rest*}", "Deployments_Delete" at, handle_),                           \
        REFUSED(HTTP_POST, scope, "/{rest*}", "Deployments_Action" at, handle_)

static const struct arm_operation operations[] = {
    OF_SCOPE(GROUP, ""),
    OF_SCOPE(SUBSCRIPTION, "AtSubscriptionScope"),
    REFUSED_SCOPE("", "AtTenantScope", refuse_tenant),
    REFUSED_SCOPE(MANAGEMENT_GROUP, "AtManagementGroupScope", refuse_management_group),
    {.http = {0}},
};

// az asks for operations without the provider too.
#define OPERATIONS(path_, at)                                                                                \
    {.http = {HTTP_GET, path_ "/{deployment}/operations", "DeploymentOperations_List" at},                   \
     .action = ACTION("operations/read"),                                                                    \
     .flags = ARM_GATEWAY,                                                                                   \
     .handle = deployment_operations_list,                                                                   \
     .display = "Get Deployment Operation",                                                                  \
     .description = "Gets or lists deployment operations."},                                                 \
    {                                                                                                        \
        .http = {HTTP_GET, path_ "/{deployment}/operations/{operation}", "DeploymentOperations_Get" at},     \
        .action = ACTION("operations/read"), .flags = ARM_GATEWAY, .handle = deployment_operation_get        \
    }
static const struct arm_operation operations_of_operations[] = {
    OPERATIONS(GROUP BELOW, ""),
    OPERATIONS(SUBSCRIPTION BELOW, "AtSubscriptionScope"),
    OPERATIONS(GROUP "/deployments", "WithoutProvider"),
    OPERATIONS(SUBSCRIPTION "/deployments", "AtSubscriptionScopeWithoutProvider"),
    {.http = {0}},
};

const char *const versions_deployments[] = {
    "2026-06-01", "2025-04-01", "2024-11-01", "2024-07-01", "2024-03-01", "2023-07-01", "2022-09-01",
    "2021-04-01", "2021-01-01", "2020-10-01", "2020-08-01", "2020-06-01", "2019-10-01", "2019-08-01",
    "2019-07-01", "2019-05-10", "2019-05-01", "2018-05-01", "2018-02-01", "2017-05-10", "2016-09-01",
    "2016-07-01", "2016-06-01", "2016-02-01", "2015-11-01", "2015-01-01", "2014-04-01", NULL};

static const struct arm_type deployments_type = {.namespace_name = "Microsoft.Resources",
                                                 .name = "deployments",
                                                 .resource_display = "Deployments",
                                                 .versions = versions_deployments,
                                                 .arm_owned = true,
                                                 .operations = operations};
static const struct arm_type deployment_operations_type = {.namespace_name = "Microsoft.Resources",
                                                           .name = "deployments/operations",
                                                           .resource_display = "Deployment Operations",
                                                           .versions = versions_deployments,
                                                           .arm_owned = true,
                                                           .operations = operations_of_operations};

void templates_start(void)
{
    arm_register_type(&deployments_type);
    arm_register_type(&deployment_operations_type);
    arm_register_type(&template_hash_type);
    arm_register_type(&group_export_type);
    job_set_given_up(deployment_given_up);
    job_set_meanwhile(deployment_links_meanwhile);
}
