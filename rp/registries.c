// Microsoft.ContainerRegistry/registries: its operations, and GET, PUT, PATCH, DELETE of one registry.
#include "rp/registry_body.h"
#include "rp/registry_store.h"
#include "rp/types.h"

#include "arm/errors.h"
#include "base/arena.h"

#define DOCUMENT_NAME_CHECK                                                                                  \
    "https://docs.microsoft.com/en-us/rest/api/containerregistry/registries/checknameavailability"

// ---- GET: one statement on the read lane

#define GET_JOINS(subscription, group, name)                                                                 \
    "left join arm.resource_group g on g.subscription_id = " subscription "::uuid and g.name_key = " group   \
    " left join arm.resource e on e.group_id = g.id and e.type_key = '" REGISTRY_TYPE_KEY                    \
    "' and e.name_key = " name " left join acr.registry r on r.id = e.id where v.\"only\""
static const struct db_statement registry_get = {"registry_get",
                                                 "select " RBAC_VERSION_COLUMNS ", " REGISTRY_RESOURCE_COLUMNS
                                                 " from rbac.version v " GET_JOINS("$1", "$2", "$3")};
static const struct db_statement registry_get_many = {
    "registry_get_many",
    "select " RBAC_VERSION_COLUMNS ", " REGISTRY_RESOURCE_COLUMNS ", k.ordinal from rbac.version v "
    "cross join unnest($1::text[], $2::text[], $3::text[]) with ordinality "
    "k (subscription_id, group_key, name_key, ordinal) " GET_JOINS("k.subscription_id", "k.group_key",
                                                                   "k.name_key")};

static void get_values(const struct arm_call *call, struct db_value *values)
{
    values[0] = db_text(call->subscription_id);
    values[1] = db_text(text_lower(call->arena, call->group));
    values[2] = db_text(text_lower(call->arena, http_parameter(&call->route, "registryName")));
}

static bool get_prepare(struct arm_call *call, struct db_value *values, size_t *count)
{
    if (!uuid_is(call->subscription_id))
        return false;
    get_values(call, values);
    *count = 3;
    return true;
}

static bool get_answer(struct arm_call *call, const struct db_result *result)
{
    struct registry_resource registry;
    if (!registry_resource_parse(result, 0, 2, &registry))
        return false;
    arm_reply(call, 200, registry_json(call->arena, call->api_version, &registry));
    return true;
}

static void get_registry(struct arm_call *call)
{
    struct db_value values[3];
    get_values(call, values);
    if (!get_answer(call, db_run(call->tx, &registry_get, values, 3)))
        arm_fail(call, ARM_RESOURCE_NOT_FOUND, REGISTRY_TYPE,
                 TEXT_ARG(http_parameter(&call->route, "registryName")), TEXT_ARG(call->group));
}

static const struct arm_read get_lane = {&registry_get, get_prepare, get_answer, &registry_get_many};

// ---- PUT

static bool name_acceptable(struct arm_call *call, struct text name)
{
    if (!registry_name_well_formed(name))
        arm_fail(call, 400, "InvalidResourceName", FROM_PROVIDER,
                 "Resource names may contain alpha numeric characters only and must be between 5 and 50 "
                 "characters.");
    else if (registry_name_reserved(name))
        arm_fail(call, 400, "InvalidResourceName", FROM_PROVIDER,
                 "The specified resource name is disallowed.");
    return !call->failed;
}

static void fail_name_taken(struct arm_call *call, struct text name)
{
    arm_fail(call, 409, "AlreadyInUse", FROM_PROVIDER,
             "The registry DNS name %.*s is already in use. You can check if the name is already claimed "
             "using "
             "following API: " DOCUMENT_NAME_CHECK,
             TEXT_ARG(registry_host_of(call->arena, name)));
}

static void create_registry(struct arm_call *call, struct registry_resource *registry)
{
    enum registry_made made = registry_rows_create(call, registry);
    if (made == REGISTRY_NAME_TAKEN)
        fail_name_taken(call, registry->envelope.name);
    // How many the operator lets a subscription have (decisions 36: the next create).
    if (made == REGISTRY_OVER_QUOTA)
        arm_fail(call, 403, "QuotaExceeded", FROM_PROVIDER,
                 "Quota exceeded for resource type registries for the registry SKU %.*s. Learn more about "
                 "different SKU quotas and upgrade process: https://aka.ms/acr/skus",
                 TEXT_ARG(registry->envelope.sku));
    if (made != REGISTRY_MADE)
        return;
    // The versions before 2019-12-01-preview create within one answer that says 200; clients of the newer
    // ones expect 201 (decisions 41).
    int status = registry_members_of(call->api_version) & MEMBERS_MODERN ? 201 : 200;
    arm_reply(call, status, registry_json(call->arena, call->api_version, registry));
}

static void replace_registry(struct arm_call *call, struct registry_resource *registry, bool policies)
{
    registry_rows_update(call, registry->envelope.id, policies, &registry->settings);
    arm_resource_update(call, &registry->envelope);
    arm_reply(call, 200, registry_json(call->arena, call->api_version, registry));
}

// PUT replaces: what the body leaves out goes back to its default (decisions 17). Credentials stay (decisions
// 16), and so do policies at 2017-10-01, which has none.
static struct registry_settings put_base(const struct arm_call *call, bool exists,
                                         const struct registry_settings *present)
{
    struct registry_settings base = registry_settings_default();
    if (exists && !(registry_members_of(call->api_version) & MEMBERS_POLICIES)) {
        base = *present;
        base.admin_enabled = false;
    }
    return base;
}

// What a PUT asks for, judged against the registry that is there, if one is. Changes nothing. False: failed.
struct registry_put {
    struct registry_resource registry; // as it is
    bool exists;
    const char *location;
    struct registry_body body;
};
static bool read_put(struct arm_call *call, enum arm_lock lock, struct registry_put *put)
{
    struct text name = http_parameter(&call->route, "registryName");
    struct registry_resource *registry = &put->registry;
    *put = (struct registry_put){.exists = false};
    bool exists =
        call->new_id == 0 && arm_resource_find(call, REGISTRY_TYPE, name, lock, &registry->envelope);
    if (call->failed || !name_acceptable(call, name) || !arm_precondition(call, exists, TEXT_NONE))
        return false;
    put->exists = exists && registry_settings_read(call, registry->envelope.id, &registry->settings);
    put->location = arm_location_of_body(call, REGISTRY_TYPE, name,
                                         put->exists ? registry->envelope.location : TEXT_NONE);
    struct registry_settings base = put_base(call, put->exists, &registry->settings);
    return put->location && registry_body_read(call, true, registry->envelope.sku, &base, &put->body);
}

static void validate_registry(struct arm_call *call)
{
    struct text name = http_parameter(&call->route, "registryName");
    struct registry_put put;
    bool fresh = call->new_id != 0; // foreseen
    if (read_put(call, ARM_LOCK_NONE, &put) && !put.exists && !fresh && registry_name_taken(call->tx, name))
        fail_name_taken(call, name);
}

static const struct db_statement known_names = {
    "registry_known_names",
    "select k.i from json_to_recordset($1::json) as k (i bigint, g bigint, n text) where exists (select from "
    "acr.registry r where r.login_key = k.n) or exists (select from arm.resource e where e.group_id = k.g "
    "and "
    "e.type_key = '" REGISTRY_TYPE_KEY "' and e.name_key = k.n)"};

static void foresee_registries(struct db_transaction *tx, struct arm_prospect *prospects, size_t count)
{
    struct buffer names = buffer_new(db_arena(tx));
    json_begin_array(&names);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(&names);
        json_key_int(&names, "i", (int64_t)i);
        json_key_int(&names, "g", prospects[i].group_id);
        json_key_text(&names, "n", text_lower(names.arena, prospects[i].name));
        json_end_object(&names);
        prospects[i].fresh = true;
    }
    json_end_array(&names);
    const struct db_result *known = DB_RUN(tx, &known_names, db_text(buffer_done(&names)));
    for (size_t i = 0; i < db_rows(known); i++)
        prospects[db_get_int(known, i, 0)].fresh = false;
    if (db_failed(tx))
        for (size_t i = 0; i < count; i++)
            prospects[i].fresh = false;
}

static void put_registry(struct arm_call *call)
{
    struct registry_put put;
    if (!read_put(call, ARM_LOCK_UPDATE, &put))
        return;
    struct registry_resource registry = put.registry;
    struct registry_body body = put.body;
    bool exists = put.exists;
    registry.envelope.tags = body.tags;
    registry.envelope.sku = body.sku;
    body.settings.retention_updated_at = registry.settings.retention_updated_at;
    registry.settings = body.settings;
    if (exists) {
        replace_registry(call, &registry, body.has_policies);
        return;
    }
    registry.envelope.type = TEXT(REGISTRY_TYPE);
    registry.envelope.name = http_parameter(&call->route, "registryName");
    registry.envelope.location = text_of(put.location);
    create_registry(call, &registry);
}

// ---- PATCH

// A member that is null is taken away (RFC 7396): its default comes back.
static bool taken_away(const json_t *object, const char *member)
{
    return json_is_null(json_object_get(object, member));
}

static struct registry_settings patch_base(const struct arm_call *call,
                                           const struct registry_settings *present)
{
    struct registry_settings base = *present, initial = registry_settings_default();
    const json_t *properties = json_object_get(call->body, "properties");
    const json_t *policies = json_object_get(properties, "policies");
    bool all = taken_away(properties, "policies");
    if (taken_away(properties, "adminUserEnabled"))
        base.admin_enabled = initial.admin_enabled;
    if (all || taken_away(policies, "quarantinePolicy"))
        base.quarantine_status = initial.quarantine_status;
    if (all || taken_away(policies, "trustPolicy"))
        base.trust_status = initial.trust_status;
    if (all || taken_away(policies, "retentionPolicy")) {
        base.retention_status = initial.retention_status;
        base.retention_days = initial.retention_days;
    }
    return base;
}

static void patch_registry(struct arm_call *call)
{
    struct registry_resource registry = {0};
    struct registry_body body;
    if (!registry_resource_of_path(call, ARM_LOCK_UPDATE, &registry) ||
        !arm_precondition(call, true, TEXT_NONE))
        return;
    struct registry_settings base = patch_base(call, &registry.settings);
    if (!registry_body_read(call, false, registry.envelope.sku, &base, &body))
        return;
    if (body.has_tags)
        registry.envelope.tags = body.tags;
    if (body.sku.base)
        registry.envelope.sku = body.sku;
    registry.settings = body.settings;
    replace_registry(call, &registry, body.has_policies);
}

// ---- DELETE

static void delete_registry(struct arm_call *call)
{
    struct arm_resource envelope;
    if (!arm_resource_find(call, REGISTRY_TYPE, http_parameter(&call->route, "registryName"), ARM_LOCK_UPDATE,
                           &envelope)) {
        if (!call->failed)
            arm_reply_empty(call, 204);
        return;
    }
    if (!arm_precondition(call, true, TEXT_NONE))
        return;
    registry_rows_delete(call->tx, envelope.id);
    arm_resource_delete(call, &envelope);
    arm_reply_empty(call, 200);
}

// In the deletion of its group.
static void delete_row(struct db_transaction *tx, int64_t resource_id, struct text resource_scope)
{
    (void)resource_scope; // the envelope and the assignments below it are arm's
    registry_rows_delete(tx, resource_id);
}

// ---- the type

#define ACTION(word) "Microsoft.ContainerRegistry/registries/" word
#define SUBSCRIPTION_LIST "/subscriptions/{subscriptionId}/providers/Microsoft.ContainerRegistry/registries"
#define GROUP_LIST                                                                                           \
    "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/"                          \
    "Microsoft.ContainerRegistry/registries"

static const struct arm_operation operations[] = {
    {{HTTP_GET, SUBSCRIPTION_LIST, "Registries_List"},
     ACTION("read"),
     ARM_NO_DECISION,
     ARM_WORK,
     NULL,
     registry_list_in_subscription,
     "Get or List Container Registries",
     "Gets the properties of the specified container registry or lists all the container registries under "
     "the "
     "specified resource group or subscription."},
    {{HTTP_GET, GROUP_LIST, "Registries_ListByResourceGroup"},
     ACTION("read"),
     ARM_NO_DECISION,
     ARM_WORK,
     NULL,
     registry_list_in_group,
     NULL,
     NULL},
    {{HTTP_GET, REGISTRY_PATH, "Registries_Get"},
     ACTION("read"),
     0,
     ARM_READ,
     &get_lane,
     get_registry,
     NULL,
     NULL},
    {{HTTP_PUT, REGISTRY_PATH, "Registries_Create"},
     ACTION("write"),
     ARM_NEEDS_BODY,
     ARM_WORK,
     NULL,
     put_registry,
     "Create or Update Container Registry",
     "Creates or updates a container registry with the specified parameters."},
    {{HTTP_PATCH, REGISTRY_PATH, "Registries_Update"},
     ACTION("write"),
     ARM_NEEDS_BODY,
     ARM_WORK,
     NULL,
     patch_registry,
     NULL,
     NULL},
    {{HTTP_DELETE, REGISTRY_PATH, "Registries_Delete"},
     ACTION("delete"),
     0,
     ARM_WORK,
     NULL,
     delete_registry,
     "Delete Container Registry",
     "Deletes a container registry."},
    {{HTTP_POST, REGISTRY_PATH "/listCredentials", "Registries_ListCredentials"},
     ACTION("listCredentials/action"),
     0,
     ARM_WORK,
     NULL,
     registry_list_credentials,
     "List Login Credentials of Container Registry",
     "Lists the login credentials for the specified container registry."},
    {{HTTP_POST, REGISTRY_PATH "/regenerateCredential", "Registries_RegenerateCredential"},
     ACTION("regenerateCredential/action"),
     ARM_NEEDS_BODY,
     ARM_WORK,
     NULL,
     registry_regenerate_credential,
     "Regenerate Login Credentials of Container Registry",
     "Regenerates one of the login credentials for the specified container registry."},
    {{HTTP_GET, REGISTRY_PATH "/listUsages", "Registries_ListUsages"},
     ACTION("listUsages/read"),
     0,
     ARM_WORK,
     NULL,
     registry_list_usages,
     "List the Quota Usages of Container Registry",
     "Lists the quota usages for the specified container registry."},
    {{HTTP_GET, REGISTRY_PATH "/listPolicies", "Registries_ListPolicies"},
     ACTION("listPolicies/read"),
     0,
     ARM_WORK,
     NULL,
     registry_list_policies,
     "List the policies of Container Registry",
     "Lists the policies for the specified container registry."},
    {{HTTP_POST, REGISTRY_PATH "/updatePolicies", "Registries_UpdatePolicies"},
     ACTION("updatePolicies/write"),
     ARM_NEEDS_BODY,
     ARM_WORK,
     NULL,
     registry_update_policies,
     "Update the policies of Container Registry",
     "Updates the policies for the specified container registry."},
    {{0, NULL, NULL}, NULL, 0, ARM_WORK, NULL, NULL, NULL, NULL},
};

// Decided by the data plane (decisions 9).
static const char *const data_actions[] = {
    ACTION("pull/read"),        ACTION("push/write"),     ACTION("artifacts/delete"),
    ACTION("metadata/read"),    ACTION("metadata/write"), ACTION("quarantine/read"),
    ACTION("quarantine/write"), ACTION("sign/write"),     NULL};

// What the service decides by itself.
static const char *const read_only[] = {
    "sku.tier",
    "properties.loginServer",
    "properties.creationDate",
    "properties.status",
    "properties.policies.retentionPolicy.lastUpdatedTime",
    "properties.policies.softDeletePolicy.lastUpdatedTime",
    "properties.dataEndpointHostNames",
    "properties.regionalEndpointHostNames",
    "properties.privateEndpointConnections",
    NULL,
};

struct arm_type registries_type(void)
{
    return (struct arm_type){.namespace_name = "Microsoft.ContainerRegistry",
                             .name = "registries",
                             .resource_display = "Container Registry",
                             .versions = registry_versions_listed(),
                             .all_versions = registry_versions_oldest_first(),
                             .tracked = true,
                             .movable = true,
                             .capabilities = "CrossResourceGroupResourceMove, "
                                             "CrossSubscriptionResourceMove, SupportsTags, SupportsLocation",
                             .read_only = read_only,
                             .operations = operations,
                             .template_versions = registry_versions_of_templates(),
                             .validate = validate_registry,
                             .foresee = foresee_registries,
                             .delete_row = delete_row,
                             .properties_of = registry_properties_of,
                             .extra_actions = data_actions};
}
