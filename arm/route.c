// The registered types, and the router made of their operation tables: nothing else knows ARM's routes.
#include "arm/door.h"
#include "arm/door_parts.h"
#include "arm/group_delete.h"
#include "arm/types.h"
#include "rbac/lane.h"

#include "base/log.h"

#include <stdlib.h>

enum { TYPES = 64 };
static const struct arm_type *types[TYPES];
static size_t type_count;
static struct http_router *router;

void arm_register_type(const struct arm_type *type)
{
    if (type_count == TYPES) {
        log_error("arm.types_full", "type", type->name);
        abort();
    }
    types[type_count++] = type;
}

size_t arm_type_count(void)
{
    return type_count;
}

const struct arm_type *arm_type_at(size_t index)
{
    return types[index];
}

const struct arm_type *arm_type_find(struct text namespace_name, struct text type)
{
    for (size_t i = 0; i < type_count; i++)
        if (text_is_nocase(namespace_name, types[i]->namespace_name) && text_is_nocase(type, types[i]->name))
            return types[i];
    return NULL;
}

bool arm_namespace_known(struct text namespace_name, const char **canonical)
{
    for (size_t i = 0; i < type_count; i++)
        if (text_is_nocase(namespace_name, types[i]->namespace_name)) {
            *canonical = types[i]->namespace_name;
            return true;
        }
    return false;
}

const struct arm_type *arm_type_of(const struct arm_operation *operation)
{
    for (size_t i = 0; i < type_count; i++)
        for (const struct arm_operation *o = types[i]->operations; o && o->http.path; o++)
            if (o == operation)
                return types[i];
    return NULL;
}

static void add_operations(const struct arm_type *type)
{
    for (const struct arm_operation *o = type->operations; o && o->http.path; o++) {
        http_router_add(router, &o->http);
        if (o->lane == ARM_READ && o->read)
            lane_add_statement(o->read->statement);
        if (o->lane == ARM_READ && o->read && o->read->many)
            lane_add_statement(o->read->many);
    }
}

void arm_start(void)
{
    const struct arm_type *const own[] = {
        &metadata_type,
        &tenants_type,
        &subscriptions_type,
        &locations_type,
        &check_resource_name_type,
        &tenant_providers_type,
        &subscription_providers_type,
        &operations_type,
        &provider_operations_type,
        &resource_groups_type,
        &operation_results_type,
        &operation_statuses_type,
        &subscription_resources_type,
        &group_resources_type,
        &role_definitions_type,
        &role_assignments_type,
        &permissions_type,
        &classic_administrators_type,
        &batch_type,
        &resource_graph_type,
        &check_access_type,
        &locks_type,
        &tags_type,
        &tag_names_type,
        &activity_log_type,
        &event_categories_type,
        NULL,
    };
    for (size_t i = 0; own[i]; i++)
        arm_register_type(own[i]);
    job_set_given_up(group_delete_given_up);
    if (site())
        throttle_configure(site()->config);
    router = http_router_new(true);
    for (size_t i = 0; i < type_count; i++)
        add_operations(types[i]);
}

void door_route(struct arm_call *call)
{
    http_router_find(router, call->request, &call->route);
    call->operation = (const struct arm_operation *)call->route.operation;
    call->type = call->operation ? arm_type_of(call->operation) : NULL;
}
