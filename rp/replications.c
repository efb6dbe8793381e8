// Microsoft.ContainerRegistry/registries/replications: Stack Hub has none. The list is empty, a PUT is
// refused in the words of decisions 52, and what is not there is not found.
#include "rp/registry_resource.h"
#include "rp/types.h"

#include "arm/errors.h"

static bool parent(struct arm_call *call, struct registry_resource *registry)
{
    struct text name = http_parameter(&call->route, "registryName");
    if (arm_resource_find(call, REGISTRY_TYPE, name, ARM_LOCK_NONE, &registry->envelope))
        return true;
    arm_fail(call, ARM_PARENT_NOT_FOUND, TEXT_ARG(name));
    return false;
}

static void list_replications(struct arm_call *call)
{
    struct registry_resource registry;
    if (parent(call, &registry))
        arm_reply(call, 200, TEXT("{\"value\":[]}"));
}

static void fail_absent(struct arm_call *call)
{
    struct registry_resource registry;
    if (parent(call, &registry))
        arm_fail(call, 404, "ResourceNotFound", FROM_PROVIDER, "The resource %.*s could not be found.",
                 TEXT_ARG(http_parameter(&call->route, "replicationName")));
}

static void put_replication(struct arm_call *call)
{
    struct registry_resource registry;
    if (parent(call, &registry))
        arm_fail(call, 400, "ReplicationNotSupported", FROM_PROVIDER,
                 "The requested feature replication is not supported for the SKU %.*s.",
                 TEXT_ARG(registry.envelope.sku));
}

static void delete_replication(struct arm_call *call)
{
    struct registry_resource registry;
    if (parent(call, &registry))
        arm_reply_empty(call, 204);
}

// Whether or not its registry is there yet.
static void refuse_replication(struct arm_call *call)
{
    arm_fail(call, 400, "ReplicationNotSupported", FROM_PROVIDER,
             "The requested feature replication is not supported for the SKU Standard.");
}

#define ACTION(word) "Microsoft.ContainerRegistry/registries/replications/" word
#define LIST_PATH REGISTRY_PATH "/replications"
#define ITEM_PATH REGISTRY_PATH "/replications/{replicationName}"

static const struct arm_operation operations[] = {
    {{HTTP_GET, LIST_PATH, "Replications_List"},
     ACTION("read"),
     0,
     ARM_WORK,
     NULL,
     list_replications,
     "Get or List Container Registry Replications",
     "Gets the properties of the specified replication or lists all the replications for the specified "
     "container "
     "registry."},
    {{HTTP_GET, ITEM_PATH, "Replications_Get"}, ACTION("read"), 0, ARM_WORK, NULL, fail_absent, NULL, NULL},
    {{HTTP_PUT, ITEM_PATH, "Replications_Create"},
     ACTION("write"),
     ARM_NEEDS_BODY,
     ARM_WORK,
     NULL,
     put_replication,
     "Create or Update Container Registry Replication",
     "Creates or updates a replication for a container registry with the specified parameters."},
    {{HTTP_PATCH, ITEM_PATH, "Replications_Update"},
     ACTION("write"),
     ARM_NEEDS_BODY,
     ARM_WORK,
     NULL,
     fail_absent,
     NULL,
     NULL},
    {{HTTP_DELETE, ITEM_PATH, "Replications_Delete"},
     ACTION("delete"),
     0,
     ARM_WORK,
     NULL,
     delete_replication,
     "Delete Container Registry Replication",
     "Deletes a replication from a container registry."},
    {{0, NULL, NULL}, NULL, 0, ARM_WORK, NULL, NULL, NULL, NULL},
};

struct arm_type replications_type(void)
{
    return (struct arm_type){.namespace_name = "Microsoft.ContainerRegistry",
                             .name = "registries/replications",
                             .resource_display = "Container Registry Replication",
                             .versions = registry_versions_listed(),
                             .all_versions = registry_versions_oldest_first(),
                             .template_versions = registry_versions_of_templates(),
                             .validate = refuse_replication,
                             .operations = operations};
}
