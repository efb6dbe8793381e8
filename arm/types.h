// ARM's own resource types: arm_start registers them. Each is declared in the file that is named beside it.
#pragma once
#include "arm/call.h"

extern const struct arm_type metadata_type;               // metadata.c
extern const struct arm_type tenants_type;                // tenants.c
extern const struct arm_type subscriptions_type;          // subscriptions.c
extern const struct arm_type check_resource_name_type;    // check_resource_name.c
extern const struct arm_type locations_type;              // locations.c
extern const struct arm_type tenant_providers_type;       // providers.c
extern const struct arm_type subscription_providers_type; // providers.c
extern const struct arm_type operations_type;             // operations.c
extern const struct arm_type provider_operations_type;    // operations.c
extern const struct arm_type resource_groups_type;        // resource_groups.c
extern const struct arm_type operation_results_type;      // operation_results.c
extern const struct arm_type operation_statuses_type;     // operation_results.c
extern const struct arm_type subscription_resources_type; // resources.c
extern const struct arm_type group_resources_type;        // resources.c
extern const struct arm_type role_definitions_type;       // role_definitions.c
extern const struct arm_type role_assignments_type;       // role_assignments.c
extern const struct arm_type permissions_type;            // permissions.c
extern const struct arm_type classic_administrators_type; // permissions.c
extern const struct arm_type batch_type;                  // batch.c
extern const struct arm_type resource_graph_type;         // resource_graph.c
extern const struct arm_type check_access_type;           // check_access.c
extern const struct arm_type locks_type;                  // locks.c
extern const struct arm_type tags_type;                   // tags.c
extern const struct arm_type tag_names_type;              // tag_names.c
extern const struct arm_type activity_log_type;           // activity_list.c
extern const struct arm_type event_categories_type;       // activity_list.c

// Every registered type, in the order of registration.
size_t arm_type_count(void);
const struct arm_type *arm_type_at(size_t index);
// The type that declares this operation.
const struct arm_type *arm_type_of(const struct arm_operation *operation);
bool arm_namespace_known(struct text namespace_name, const char **canonical);

// The published versions of ARM's own namespaces (decisions 55), newest first.
extern const char *const versions_resources[];
extern const char *const versions_subscriptions[];
extern const char *const versions_authorization[];
