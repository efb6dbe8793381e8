// The operations lists, derived from the type tables: /providers/{ns}/operations and
// /providers/Microsoft.Authorization/providerOperations (arm-core 2.3).
#include "arm/door_parts.h"
#include "arm/types.h"

#include "base/arena.h"

enum { NAMES = 512 };

struct listing {
    struct buffer *b;
    const char *namespace_name;
    bool nested; // providerOperations' members rather than {name, display}
    bool with_data_flag;
    const char *seen[NAMES]; // several operations share an action: it is listed once
    size_t count;
};

static bool of_namespace(const char *action, const char *namespace_name)
{
    size_t length = strlen(namespace_name);
    return strncasecmp(action, namespace_name, length) == 0 && action[length] == '/';
}

static bool first_time(struct listing *l, const char *action)
{
    for (size_t i = 0; i < l->count; i++)
        if (strcasecmp(l->seen[i], action) == 0)
            return false;
    if (l->count < NAMES)
        l->seen[l->count++] = action;
    return true;
}

static void write_one(struct listing *l, const char *action, const char *resource, const char *display,
                      const char *description)
{
    if (!action || !of_namespace(action, l->namespace_name) || !first_time(l, action))
        return;
    struct buffer *b = l->b;
    display = display ? display : action;
    description = description ? description : display;
    json_begin_object(b);
    json_key_string(b, "name", action);
    if (l->with_data_flag)
        json_key_bool(b, "isDataAction", false);
    if (l->nested) {
        json_key_string(b, "displayName", display);
        json_key_string(b, "description", description);
    } else {
        json_key(b, "display");
        json_begin_object(b);
        json_key_string(b, "provider", l->namespace_name);
        json_key_string(b, "resource", resource ? resource : l->namespace_name);
        json_key_string(b, "operation", display);
        json_key_string(b, "description", description);
        json_end_object(b);
    }
    json_key_string(b, "origin", "user,system");
    json_key(b, "properties");
    json_write_null(b);
    json_end_object(b);
}

static void write_type(struct listing *l, const struct arm_type *type)
{
    for (const struct arm_operation *o = type->operations; o && o->http.path; o++)
        write_one(l, o->action, type->resource_display, o->display, o->description);
    for (const char *const *extra = type->extra_actions; extra && *extra; extra++)
        write_one(l, *extra, type->resource_display, NULL, NULL);
}

static void write_registration(struct listing *l, struct arena *arena)
{
    write_one(
        l, arena_printf(arena, "%s/register/action", l->namespace_name), NULL, "Register",
        arena_printf(arena, "Registers the subscription for the resource provider %s.", l->namespace_name));
    write_one(
        l, arena_printf(arena, "%s/unregister/action", l->namespace_name), NULL, "Unregister",
        arena_printf(arena, "Unregisters the subscription for the resource provider %s.", l->namespace_name));
}

static const char *asked_namespace(struct arm_call *call)
{
    struct text asked = http_parameter(&call->route, "namespace");
    const char *canonical = NULL;
    if (!arm_namespace_known(asked, &canonical))
        arm_fail(call, ARM_INVALID_NAMESPACE, TEXT_ARG(asked));
    return canonical;
}

// The api-version is one of the namespace's own.
static bool version_of_namespace(struct arm_call *call, const char *namespace_name)
{
    const struct arm_type *first = NULL;
    for (size_t i = 0; i < arm_type_count(); i++) {
        const struct arm_type *type = arm_type_at(i);
        if (strcmp(type->namespace_name, namespace_name) != 0)
            continue;
        if (version_in(type->all_versions ? type->all_versions : type->versions, text_of(call->api_version)))
            return true;
        first = first ? first : type;
    }
    if (!first)
        return false;
    const char *const *served = first->all_versions ? first->all_versions : first->versions;
    if (first->arm_owned)
        arm_fail(call, ARM_INVALID_API_VERSION, TEXT_ARG(text_of(call->api_version)),
                 version_list(call->arena, served, ","));
    else
        arm_fail(call, ARM_INVALID_TYPE_AT_VERSION, "operations", namespace_name,
                 TEXT_ARG(text_of(call->api_version)), version_list(call->arena, served, ","));
    return false;
}

static void operations_list(struct arm_call *call)
{
    const char *name = asked_namespace(call);
    if (!name || !version_of_namespace(call, name))
        return;
    struct buffer b = buffer_new(call->arena);
    struct listing l = {.b = &b, .namespace_name = name, .with_data_flag = true};
    json_begin_object(&b);
    json_key(&b, "value");
    json_begin_array(&b);
    write_registration(&l, call->arena);
    for (size_t i = 0; i < arm_type_count(); i++)
        write_type(&l, arm_type_at(i));
    json_end_array(&b);
    json_end_object(&b);
    arm_reply(call, 200, buffer_done(&b));
}

static void write_provider(struct arm_call *call, struct buffer *b, const char *name)
{
    struct listing l = {.b = b,
                        .namespace_name = name,
                        .nested = true,
                        .with_data_flag = strcmp(call->api_version, "2018-01-01") >= 0};
    json_begin_object(b);
    json_key_format(b, "id", "/providers/Microsoft.Authorization/providerOperations/%s", name);
    json_key_string(b, "name", name);
    json_key_string(b, "type", "Microsoft.Authorization/providerOperations");
    json_key_string(b, "displayName", name);
    json_key(b, "resourceTypes");
    json_begin_array(b);
    for (size_t i = 0; i < arm_type_count(); i++) {
        const struct arm_type *type = arm_type_at(i);
        if (strcmp(type->namespace_name, name) != 0 || !*type->name)
            continue;
        json_begin_object(b);
        json_key_string(b, "name", type->name);
        json_key_string(b, "displayName", type->resource_display ? type->resource_display : type->name);
        json_key(b, "operations");
        json_begin_array(b);
        write_type(&l, type);
        json_end_array(b);
        json_end_object(b);
    }
    json_end_array(b);
    json_key(b, "operations");
    json_begin_array(b);
    write_registration(&l, call->arena);
    json_end_array(b);
    json_end_object(b);
}

static void provider_operations_get(struct arm_call *call)
{
    const char *name = asked_namespace(call);
    if (!name)
        return;
    struct buffer b = buffer_new(call->arena);
    write_provider(call, &b, name);
    arm_reply(call, 200, buffer_done(&b));
}

static bool listed_before(size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(arm_type_at(i)->namespace_name, arm_type_at(index)->namespace_name) == 0)
            return true;
    return false;
}

static void provider_operations_list(struct arm_call *call)
{
    struct buffer b = buffer_new(call->arena);
    json_begin_object(&b);
    json_key(&b, "value");
    json_begin_array(&b);
    for (size_t i = 0; i < arm_type_count(); i++)
        if (!listed_before(i))
            write_provider(call, &b, arm_type_at(i)->namespace_name);
    json_end_array(&b);
    json_end_object(&b);
    arm_reply(call, 200, buffer_done(&b));
}

static const struct arm_operation operations[] = {
    {.http = {HTTP_GET, "/providers/{namespace}/operations", "Operations_List"},
     .flags = ARM_NO_DECISION | ARM_GATEWAY | ARM_ANY_VERSION,
     .handle = operations_list},
    {.http = {0}},
};
static const struct arm_operation provider_operations[] = {
    {.http = {HTTP_GET, "/providers/Microsoft.Authorization/providerOperations", "ProviderOperations_List"},
     .action = "Microsoft.Authorization/providerOperations/read",
     .flags = ARM_NO_DECISION | ARM_GATEWAY,
     .handle = provider_operations_list,
     .display = "Get operations for resource providers",
     .description = "Get operations for all resource providers which can be used in role definitions."},
    {.http = {HTTP_GET, "/providers/Microsoft.Authorization/providerOperations/{namespace}",
              "ProviderOperations_Get"},
     .action = "Microsoft.Authorization/providerOperations/read",
     .flags = ARM_NO_DECISION | ARM_GATEWAY,
     .handle = provider_operations_get},
    {.http = {0}},
};

const struct arm_type operations_type = {.namespace_name = "Microsoft.Resources",
                                         .name = "operations",
                                         .versions = versions_resources,
                                         .arm_owned = true,
                                         .operations = operations};
const struct arm_type provider_operations_type = {.namespace_name = "Microsoft.Authorization",
                                                  .name = "providerOperations",
                                                  .resource_display = "Provider Operations",
                                                  .versions = versions_authorization,
                                                  .arm_owned = true,
                                                  .operations = provider_operations};
