// Resource providers: the document that is made of the type tables, and registration (arm-core 2.3, decisions
// 40). Our namespaces count as registered unless a row says otherwise; Resources and Authorization always do.
#include "arm/errors.h"
#include "arm/types.h"

#include "base/arena.h"

static bool always_registered(const char *namespace_name)
{
    for (size_t i = 0; i < arm_type_count(); i++)
        if (text_is_nocase(text_of(namespace_name), arm_type_at(i)->namespace_name) &&
            arm_type_at(i)->arm_owned)
            return true;
    return false;
}

// Namespaces are listed where their first type was registered.
static bool first_of_namespace(size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(arm_type_at(i)->namespace_name, arm_type_at(index)->namespace_name) == 0)
            return false;
    return true;
}

static void write_type(struct buffer *b, const struct arm_type *type)
{
    json_begin_object(b);
    json_key_string(b, "resourceType", type->name);
    json_key(b, "locations");
    json_begin_array(b);
    if (!type->arm_owned)
        json_text(b, text_of(site()->config->region));
    json_end_array(b);
    json_key(b, "apiVersions");
    json_begin_array(b);
    for (const char *const *v = type->versions; *v; v++)
        json_text(b, text_of(*v));
    json_end_array(b);
    if (type->capabilities)
        json_key_string(b, "capabilities", type->capabilities);
    json_end_object(b);
}

static void write_provider(struct buffer *b, struct text subscription_id, const char *namespace_name,
                           const char *state)
{
    json_begin_object(b);
    if (subscription_id.base)
        json_key_format(b, "id", "/subscriptions/%.*s/providers/%s", TEXT_ARG(subscription_id),
                        namespace_name);
    json_key_string(b, "namespace", namespace_name);
    json_key(b, "resourceTypes");
    json_begin_array(b);
    for (size_t i = 0; i < arm_type_count(); i++)
        if (strcmp(arm_type_at(i)->namespace_name, namespace_name) == 0 && *arm_type_at(i)->name)
            write_type(b, arm_type_at(i));
    json_end_array(b);
    if (subscription_id.base) {
        json_key_string(b, "registrationState", state);
        json_key_string(b, "registrationPolicy",
                        always_registered(namespace_name) ? "RegistrationFree" : "RegistrationRequired");
    }
    json_end_object(b);
}

static const struct db_statement registrations = {
    "arm_registrations", "select r.namespace_key from arm.provider_registration r "
                         "where r.subscription_id = $1::uuid and r.state = 'Unregistered'"};

static const char *state_of(struct arm_call *call, const struct db_result *unregistered,
                            const char *namespace_name)
{
    struct text key = text_lower(call->arena, text_of(namespace_name));
    if (!always_registered(namespace_name))
        for (size_t i = 0; i < db_rows(unregistered); i++)
            if (text_equal(db_get(unregistered, i, 0), key))
                return "Unregistered";
    return "Registered";
}

static const struct db_result *read_registrations(struct arm_call *call)
{
    if (!call->subscription_id.base)
        return NULL;
    return DB_RUN(call->tx, &registrations, db_text(call->subscription_id));
}

static void providers_list(struct arm_call *call)
{
    const struct db_result *unregistered = read_registrations(call);
    struct buffer b = buffer_new(call->arena);
    json_begin_object(&b);
    json_key(&b, "value");
    json_begin_array(&b);
    for (size_t i = 0; i < arm_type_count(); i++) {
        const char *name = arm_type_at(i)->namespace_name;
        if (first_of_namespace(i))
            write_provider(&b, call->subscription_id, name,
                           unregistered ? state_of(call, unregistered, name) : NULL);
    }
    json_end_array(&b);
    json_end_object(&b);
    arm_reply(call, 200, buffer_done(&b));
}

static const char *namespace_of(struct arm_call *call)
{
    struct text asked = http_parameter(&call->route, "namespace");
    const char *canonical = NULL;
    if (!arm_namespace_known(asked, &canonical))
        arm_fail(call, ARM_INVALID_NAMESPACE, TEXT_ARG(asked));
    return canonical;
}

static void provider_get(struct arm_call *call)
{
    const char *name = namespace_of(call);
    if (!name)
        return;
    const struct db_result *unregistered = read_registrations(call);
    struct buffer b = buffer_new(call->arena);
    write_provider(&b, call->subscription_id, name, unregistered ? state_of(call, unregistered, name) : NULL);
    arm_reply(call, 200, buffer_done(&b));
}

static const struct db_statement registration_set = {
    "arm_registration_set",
    "insert into arm.provider_registration (subscription_id, namespace_key, state) values ($1::uuid, $2, $3) "
    "on conflict (subscription_id, namespace_key) do update set state = excluded.state"};
static const struct db_statement any_resource = {
    "arm_registration_in_use", "select 1 from arm.resource r where r.subscription_id = $1::uuid "
                               "and r.type_key >= $2 and r.type_key < $3 limit 1"};

// {ns}/register/action and {ns}/unregister/action are judged here: the action's name comes from the URL.
static void set_registration(struct arm_call *call, const char *verb, const char *state)
{
    const char *name = namespace_of(call);
    if (!name)
        return;
    const char *action = arena_printf(call->arena, "%s/%s/action", name, verb);
    if (!arm_may(call, action, call->scope)) {
        arm_fail(call, ARM_AUTHORIZATION_FAILED, call->caller->name, call->caller->object_id, action,
                 TEXT_ARG(call->scope));
        return;
    }
    struct text key = text_lower(call->arena, text_of(name));
    bool registered = strcmp(state, "Registered") == 0;
    if (!always_registered(name)) {
        if (!registered) {
            const char *from = arena_printf(call->arena, "%.*s/", TEXT_ARG(key));
            const char *to = arena_printf(call->arena, "%.*s0", TEXT_ARG(key)); // "0" follows "/"
            if (db_rows(DB_RUN(call->tx, &any_resource, db_text(call->subscription_id), db_string(from),
                               db_string(to))) > 0) {
                arm_fail(call, ARM_RESOURCES_STILL_THERE, name);
                return;
            }
        }
        DB_RUN(call->tx, &registration_set, db_text(call->subscription_id), db_text(key), db_string(state));
    } else {
        state = "Registered";
    }
    struct buffer b = buffer_new(call->arena);
    write_provider(&b, call->subscription_id, name, state);
    arm_reply(call, 200, buffer_done(&b));
}

static void provider_register(struct arm_call *call)
{
    set_registration(call, "register", "Registered");
}

static void provider_unregister(struct arm_call *call)
{
    set_registration(call, "unregister", "Unregistered");
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

static const struct arm_operation subscription_operations[] = {
    {.http = {HTTP_GET, "/subscriptions/{subscription}/providers", "Providers_List"},
     .action = "Microsoft.Resources/subscriptions/providers/read",
     .flags = ARM_GATEWAY,
     .handle = providers_list,
     .display = "Get Resource Providers",
     .description = "Gets or lists resource providers."},
    {.http = {HTTP_GET, "/subscriptions/{subscription}/providers/{namespace}", "Providers_Get"},
     .action = "Microsoft.Resources/subscriptions/providers/read",
     .flags = ARM_GATEWAY,
     .handle = provider_get,
     .display = "Get Resource Providers",
     .description = "Gets or lists resource providers."},
    {.http = {HTTP_POST, "/subscriptions/{subscription}/providers/{namespace}/register",
              "Providers_Register"},
     .flags = ARM_NO_DECISION | ARM_GATEWAY,
     .handle = provider_register},
    {.http = {HTTP_POST, "/subscriptions/{subscription}/providers/{namespace}/unregister",
              "Providers_Unregister"},
     .flags = ARM_NO_DECISION | ARM_GATEWAY,
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
