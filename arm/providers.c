// Resource providers at tenant and subscription scope (arm-core 2.3): the lists, one provider, its types and
// its permissions; register and unregister are in registration.c.
#include "arm/errors.h"
#include "arm/provider.h"
#include "arm/resource.h"
#include "arm/subscription.h"
#include "arm/types.h"

#include "base/arena.h"

#define READ "Microsoft.Resources/subscriptions/providers/read"

const char *provider_of_route(struct arm_call *call)
{
    struct text asked = http_parameter(&call->route, "namespace");
    const char *canonical = NULL;
    if (!arm_namespace_known(asked, &canonical))
        arm_fail(call, ARM_INVALID_NAMESPACE, TEXT_ARG(asked));
    return canonical;
}

// Namespaces are listed where their first type was registered.
static bool first_of_namespace(size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(arm_type_at(i)->namespace_name, arm_type_at(index)->namespace_name) == 0)
            return false;
    return true;
}

static bool wants_aliases(const struct arm_call *call)
{
    struct text expand = text_lower(call->arena, http_query(call->request, "$expand"));
    return expand.base && text_search(expand, TEXT("aliases")) >= 0;
}

// At tenant scope there is no subscription, and everybody who is signed in may look.
static bool may_look(struct arm_call *call)
{
    return !call->subscription_id.base || subscription_look(call, READ);
}

static void write_one(struct arm_call *call, struct buffer *b, const char *name)
{
    struct provider_document document = {.aliases = wants_aliases(call)};
    if (call->subscription_id.base) {
        document.subscription_id = call->subscription_id;
        document.state = registration_state(call, name);
    }
    provider_write(b, name, &document);
}

// A page ends at the position of its last type.
static bool read_position(struct arm_call *call, struct text position, int64_t *start)
{
    *start = 0;
    if (!position.base || text_to_int64(position, start))
        return true;
    arm_fail(call, ARM_INVALID_SKIP_TOKEN);
    return false;
}

static void providers_list(struct arm_call *call)
{
    size_t top, written = 0;
    struct text position;
    int64_t start;
    if (!may_look(call) || !arm_page_of_query(call, &top, &position) ||
        !read_position(call, position, &start))
        return;
    struct text next = TEXT_NONE;
    struct buffer b = buffer_new(call->arena);
    json_begin_object(&b);
    json_key(&b, "value");
    json_begin_array(&b);
    for (size_t i = (size_t)start; i < arm_type_count() && !next.base; i++) {
        if (!first_of_namespace(i))
            continue;
        if (written++ == top)
            next = text_of(arena_printf(call->arena, "%zu", i));
        else
            write_one(call, &b, arm_type_at(i)->namespace_name);
    }
    json_end_array(&b);
    if (next.base)
        json_key_string(&b, "nextLink", arm_next_link(call, next));
    json_end_object(&b);
    arm_reply(call, 200, buffer_done(&b));
}

static void provider_get(struct arm_call *call)
{
    const char *name = provider_of_route(call);
    if (!name || !may_look(call))
        return;
    struct buffer b = buffer_new(call->arena);
    write_one(call, &b, name);
    arm_reply(call, 200, buffer_done(&b));
}

static void provider_types(struct arm_call *call)
{
    const char *name = provider_of_route(call);
    if (!name || !may_look(call))
        return;
    struct buffer b = buffer_new(call->arena);
    provider_write_types(&b, name, wants_aliases(call));
    arm_reply(call, 200, buffer_done(&b));
}

// The applications that a provider acts as in a subscription: ours act as nobody.
static void provider_permissions(struct arm_call *call)
{
    if (provider_of_route(call) && may_look(call))
        arm_reply(call, 200, TEXT("{\"value\":[]}"));
}

static const struct arm_operation tenant_operations[] = {
    {.http = {HTTP_GET, "/providers", "Providers_ListAtTenantScope"},
     .action = "Microsoft.Resources/providers/read",
     .flags = ARM_NO_DECISION | ARM_GATEWAY,
     .handle = providers_list,
     .display = "Get Resource Providers",
     .description = "Get the list of providers."},
    {.http = {HTTP_GET, "/providers/{namespace}", "Providers_GetAtTenantScope"},
     .action = "Microsoft.Resources/providers/read",
     .flags = ARM_NO_DECISION | ARM_GATEWAY,
     .handle = provider_get,
     .display = "Get Resource Providers",
     .description = "Get the list of providers."},
    {.http = {0}},
};

#define PROVIDER "/subscriptions/{subscription}/providers/{namespace}"
static const struct arm_operation subscription_operations[] = {
    {.http = {HTTP_GET, "/subscriptions/{subscription}/providers", "Providers_List"},
     .action = READ,
     .flags = ARM_NO_DECISION | ARM_GATEWAY,
     .handle = providers_list,
     .display = "Get Resource Providers",
     .description = "Gets or lists resource providers."},
    {.http = {HTTP_GET, PROVIDER, "Providers_Get"},
     .action = READ,
     .flags = ARM_NO_DECISION | ARM_GATEWAY,
     .handle = provider_get,
     .display = "Get Resource Providers",
     .description = "Gets or lists resource providers."},
    {.http = {HTTP_GET, PROVIDER "/resourceTypes", "ProviderResourceTypes_List"},
     .action = READ,
     .flags = ARM_NO_DECISION | ARM_GATEWAY,
     .handle = provider_types},
    {.http = {HTTP_GET, PROVIDER "/providerPermissions", "Providers_ProviderPermissions"},
     .action = READ,
     .flags = ARM_NO_DECISION | ARM_GATEWAY,
     .handle = provider_permissions},
    {.http = {HTTP_POST, PROVIDER "/register", "Providers_Register"},
     .flags = ARM_NO_DECISION | ARM_GATEWAY,
     .handle = provider_register},
    {.http = {HTTP_POST, PROVIDER "/unregister", "Providers_Unregister"},
     .flags = ARM_NO_DECISION | ARM_GATEWAY | ARM_LOCKS_OK,
     .handle = provider_unregister},
    {.http = {0}},
};

const struct arm_type tenant_providers_type = {.namespace_name = "Microsoft.Resources",
                                               .name = "providers",
                                               .resource_display = "Resource Providers",
                                               .versions = versions_resources,
                                               .arm_owned = true,
                                               .operations = tenant_operations};
const struct arm_type subscription_providers_type = {.namespace_name = "Microsoft.Resources",
                                                     .name = "subscriptions/providers",
                                                     .resource_display = "Resource Providers",
                                                     .versions = versions_resources,
                                                     .arm_owned = true,
                                                     .operations = subscription_operations};
