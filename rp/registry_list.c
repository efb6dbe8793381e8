// Lists of registries, of a subscription or of a group: what arm/resource_list.h does, in a registry's shape.
#include "rp/registry_resource.h"
#include "rp/types.h"

#include "arm/resource_list.h"
#include "base/arena.h"

#define SETTINGS "join acr.registry r on r.id = e.id"
static const struct db_statement of_subscription = {
    "registry_list_subscription", RESOURCE_LIST_OF_SUBSCRIPTION(REGISTRY_RESOURCE_COLUMNS, SETTINGS)};
static const struct db_statement of_ranges = {"registry_list_ranges",
                                              RESOURCE_LIST_OF_RANGES(REGISTRY_RESOURCE_COLUMNS, SETTINGS)};

static struct text id_of(const void *context, const struct db_result *rows, size_t row)
{
    const struct arm_call *call = context;
    struct registry_resource registry;
    return registry_resource_parse(rows, row, RESOURCE_LIST_FIRST, &registry)
               ? arm_resource_id(call->arena, &registry.envelope)
               : TEXT("");
}

static void write_item(const void *context, struct buffer *out, const struct db_result *rows, size_t row)
{
    const struct arm_call *call = context;
    struct registry_resource registry;
    if (registry_resource_parse(rows, row, RESOURCE_LIST_FIRST, &registry))
        registry_write(out, call->api_version, &registry);
}

static void list_registries(struct arm_call *call)
{
    static const struct text types[] = {{REGISTRY_TYPE_KEY, sizeof REGISTRY_TYPE_KEY - 1}};
    struct resource_list list = {
        .of_subscription = &of_subscription,
        .of_ranges = &of_ranges,
        .types = types,
        .type_count = 1,
        .group = call->group,
        .write = write_item,
        .id = id_of,
        .context = call,
    };
    arm_resource_list(call, &list);
}

void registry_list_in_subscription(struct arm_call *call)
{
    list_registries(call);
    if (!call->failed)
        http_set_header_string(call->answer, "x-ms-original-request-ids", call->request->request_id);
}

void registry_list_in_group(struct arm_call *call)
{
    list_registries(call);
}
