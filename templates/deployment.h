// Microsoft.Resources/deployments: the record as its row has it, and what the files of deployments share.
// docs/deployments.md tells how one runs.
#pragma once
#include "arm/call.h"
#include "db/job.h"
#include "templates/content.h"
#include "templates/plan.h"

#define DEPLOYMENT_TYPE "Microsoft.Resources/deployments"
#define DEPLOYMENT_JOB "deployment"
#define DEPLOYMENT_BRANCH_JOB "deployment-branch"
#define DEPLOYMENT_DELETE_JOB "deployment-delete"
// Microseconds since 1970 of a time of the database.
#define DEPLOYMENT_MICROSECONDS(column) "(date_part('epoch', " column ") * 1000000)::bigint"

enum {
    DEPLOYMENT_NAME_LIMIT = 64,
    DEPLOYMENT_QUOTA = 800,       // records of one scope
    DEPLOYMENT_GROOM_ABOVE = 775, // of a group: then the oldest go …
    DEPLOYMENT_GROOM_TO = 750,    // … down to this
    DEPLOYMENT_EXPIRES_DAYS = 7,
    DEPLOYMENT_DEPTH = 10, // nested ones in one another
};

struct deployment {
    int64_t id, group_id; // group_id is 0 at subscription scope
    struct text subscription_id, group, name, location, tags;
    struct text state, mode, debug, sequence, correlation_id, template_hash;
    struct text template_link, parameters, providers, dependencies, outputs, output_resources, error; // JSON
    struct text parameters_link;                                                                      // JSON
    struct text on_error_type, on_error_name, on_error_state;
    struct text job_id;
    int64_t parent_id, root_id, depth; // 0 where it is not nested
    int64_t created_at, changed_at;    // microseconds
};

// ---- deployment_store.c: rows ----
// The one of that name at the scope of the call (its group, or its subscription); false when there is none.
bool deployment_find(struct arm_call *call, struct text name, struct deployment *deployment);
// The one that {deployment} of the route names, or 404 DeploymentNotFound.
bool deployment_of_route(struct arm_call *call, struct deployment *deployment);
// By its row; false when it is gone.
bool deployment_get(struct db_transaction *tx, int64_t id, struct deployment *deployment);
void deployment_read(const struct db_result *rows, size_t row, struct deployment *deployment);
#define DEPLOYMENT_COLUMNS                                                                                   \
    "d.id, d.group_id, d.subscription_id, g.name, d.name, d.location, d.tags, d.state, d.mode, d.debug, "    \
    "d.sequence, d.correlation_id, d.template_hash, d.template_link, d.parameters, d.providers, "            \
    "d.dependencies, d.outputs, d.output_resources, d.error, d.on_error_type, d.on_error_name, "             \
    "(select o.state from arm.deployment o where o.id = d.on_error_id), d.job_id, d.parent_id, d.root_id, "  \
    "d.depth, " DEPLOYMENT_MICROSECONDS("d.created_at") ", " DEPLOYMENT_MICROSECONDS(                        \
        "d.changed_at") ", "                                                                                 \
                        "d.parameters_link"
#define DEPLOYMENT_FROM " from arm.deployment d left join arm.resource_group g on g.id = d.group_id "
bool deployment_active(const struct deployment *deployment);
struct text deployment_id_of(struct arena *arena, const struct deployment *deployment);
// The path of the scope: "/subscriptions/S[/resourceGroups/G]".
struct text deployment_scope_path(struct arena *arena, const struct deployment *deployment);
// JSON that we wrote; NULL when it is none.
const struct value *deployment_json(struct arena *arena, struct text json);
// What stays sealed of it, by column ("template", "input"); NULL when it is gone or not ours.
const struct value *deployment_opened(struct arena *arena, int64_t id, const char *column,
                                      struct text sealed);
// Its text; absent when it is none of ours.
struct text deployment_opened_text(struct arena *arena, int64_t id, const char *column, struct text sealed);
struct text deployment_sealed(struct arena *arena, int64_t id, const char *column, struct text plain);

// ---- deployment_record.c: as clients see it ----
// `validated`: validatedResources of a validate call, JSON; absent: a record.
struct text deployment_record(struct arm_call *call, const struct deployment *deployment,
                              struct text validated);
void deployment_write(struct buffer *b, struct arena *arena, const char *api_version,
                      const struct deployment *deployment, struct text validated);
// "PT3M10.9959401S".
struct text deployment_duration(struct arena *arena, int64_t microseconds);

// ---- deployment_site.c: what the scope functions answer ----
// {"now":…,"resourceGroup":{…},"subscription":{…},"tenant":{…},"deployer":{…},"environment":{…}} of the call,
// so that a later plan is the same one.
struct text deployment_site_json(struct arm_call *call, int64_t now);
struct deployment_links; // templates/deployment_links.h
struct deployment_site {
    struct plan_site plan;          // first
    struct deployment_links *links; // what the links of the template lead to; NULL: they are refused
};
// `properties`: of the request; only debugSetting is looked at. Links are the caller's to fill.
void deployment_site_fill(struct deployment_site *site, const struct deployment *deployment,
                          const struct value *json, const struct value *properties);
// Where plans of this thread look things up until the next call, and who it is that looks: of a group or
// subscription where they may not deploy nothing is told but what they wrote themselves.
struct deployment_view {
    struct db_transaction *tx;
    const struct rbac_snapshot *snapshot; // lives as long as plans are made
    const char *object_id;
};
void deployment_site_use(const struct deployment_view *view);
struct db_transaction *deployment_site_transaction(void);

// ---- deployment_preflight.c (arm-templates 6.3) ----
// Types, versions, registration, rights and bodies of everything that the plan makes, as far as the level
// wants it. False: failed.
bool deployment_preflight(struct arm_call *call, const struct deployment *deployment, const struct plan *plan,
                          enum content_level level);

// ---- deployment_secrets.c ----
// "made":[…]: what the bodies of a plan have of secrets, and of what was made of them.
void deployment_write_made(struct buffer *b, const struct plan *plan);
// Of {"p":{"type":…,"value":…}} as records show it, and the values {"p":…}.
bool deployment_parameter_secret(const struct value_member *shown, const struct value *bound);

// ---- deployment_put.c ----
// What the request of a PUT or validate comes to; all checks done, nothing changed. False: failed.
struct deployment_request {
    struct deployment deployment; // as it will be
    const struct content *content;
    struct plan *plan;
    struct text site_json;
    struct deployment_site *where;
    const struct link *link; // where its template came from; NULL: it was sent
    bool exists;             // a record of that name
    struct deployment existing;
    const struct deployment_purpose *purpose; // NULL: of a client
};
bool deployment_request_read(struct arm_call *call, struct deployment_request *request);
// False: failed (InvalidDeploymentName).
bool deployment_name_check(struct arm_call *call, struct text name);
// Fails the call with a plan's error.
void deployment_fail_plan(struct arm_call *call, const struct plan_error *error);

// Why a PUT of ours is made (arm_inner_purpose): by a parent for a nested one, or for onErrorDeployment,
// where parent_id is 0.
struct deployment_purpose {
    int64_t parent_id, root_id, depth;
    const char *like_job;    // goes on as part of that one
    int64_t links_root;      // whose links are known already: of the outermost deployment
    const struct link *link; // what relative links start at, or NULL
    // Given back: the row; or the links that are to be fetched before it can be made.
    int64_t made;
    const struct deployment_links *awaited;
};

// ---- deployment_history.c ----
// Removes the oldest of a group's history when it is long, as far as the caller may.
void deployment_groom(struct arm_call *call);
// The same, and makes sure of room for this one, and that what it would go back to stays. False: failed
// (DeploymentQuotaExceeded).
bool deployment_room(struct arm_call *call, const struct deployment *deployment);

// ---- deployment_operations.c ----
// Inserts the graph of a plan. `first`: ordinals of the nodes are their indices.
void deployment_operations_make(struct arm_call *call, const struct deployment *deployment,
                                const struct plan *plan);
// "AB0501E36D519C96": the same for the same target in every deployment.
struct text deployment_operation_id(struct arena *arena, struct text target, const char *kind);

void deployment_put(struct arm_call *call);
void deployment_validate(struct arm_call *call);
void deployment_list(struct arm_call *call);            // deployment_list.c
void deployment_operations_list(struct arm_call *call); // deployment_operations.c
void deployment_operation_get(struct arm_call *call);   // deployment_operations.c
void deployment_export(struct arm_call *call);          // deployment_export.c
