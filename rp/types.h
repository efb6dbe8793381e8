// The resource types of Microsoft.ContainerRegistry, and the handlers of registries that stand in files of
// their own.
#pragma once
#include "arm/call.h"

#define REGISTRY_PATH                                                                                        \
    "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/"                          \
    "Microsoft.ContainerRegistry/registries/{registryName}"

struct arm_type registries_type(void);   // registries.c
struct arm_type replications_type(void); // replications.c
struct arm_type name_check_type(void);   // name_check.c

void registry_list_credentials(struct arm_call *call);      // credentials.c
void registry_regenerate_credential(struct arm_call *call); // credentials.c
void registry_list_usages(struct arm_call *call);           // usages.c
void registry_list_policies(struct arm_call *call);         // policies.c
void registry_update_policies(struct arm_call *call);       // policies.c
void registry_list_in_subscription(struct arm_call *call);  // registry_list.c
void registry_list_in_group(struct arm_call *call);         // registry_list.c
void registry_properties_of(struct db_transaction *tx, struct arena *arena, const int64_t *ids, size_t count,
                            struct text *properties); // registry_graph.c
