// What the scope functions answer (arm-templates 5.7): collected when a deployment is asked for and kept with
// it, so that a plan that is made again for its run is the same one.
#include "templates/deployment.h"
#include "templates/deployment_links.h"
#include "templates/reader.h"

#include "arm/provider.h"
#include "arm/resource_id.h"
#include "arm/types.h"
#include "base/arena.h"

static const struct db_statement group_get = {
    "deployment_site_group", "select g.name, g.location, g.tags, g.managed_by from arm.resource_group g "
                             "where g.subscription_id = $1::uuid and g.name_key = $2"};
static const struct db_statement subscription_get = {
    "deployment_site_subscription", "select s.subscription_id, s.tenant_id, s.display_name "
                                    "from arm.subscription s where s.subscription_id = $1::uuid"};

// Of a group that is yet to be made (tx is NULL: or of which nothing may be told): where else than in the one
// region would that be.
static void write_group(struct buffer *b, struct db_transaction *tx, struct text subscription_id,
                        struct text group)
{
    struct arena *arena = b->arena;
    const struct db_result *rows =
        tx ? DB_RUN(tx, &group_get, db_text(subscription_id), db_text(text_lower(arena, group))) : NULL;
    bool there = rows && db_rows(rows) > 0;
    struct text name = there ? db_get(rows, 0, 0) : group;
    struct text location = there ? db_get(rows, 0, 1) : text_of(site()->config->region);
    json_begin_object(b);
    json_key_text(b, "id", resource_id_of_group(arena, subscription_id, name));
    json_key_text(b, "name", name);
    json_key_string(b, "type", "Microsoft.Resources/resourceGroups");
    json_key_text(b, "location", location);
    if (there && !db_is_null(rows, 0, 3))
        json_key_text(b, "managedBy", db_get(rows, 0, 3));
    if (there && !db_is_null(rows, 0, 2) && !text_is(db_get(rows, 0, 2), "{}"))
        json_key_raw(b, "tags", db_get(rows, 0, 2));
    json_key_raw(b, "properties", TEXT("{\"provisioningState\":\"Succeeded\"}"));
    json_end_object(b);
}

// False when there is none.
static bool write_subscription(struct buffer *b, struct db_transaction *tx, struct text subscription_id)
{
    const struct db_result *rows = DB_RUN(tx, &subscription_get, db_text(subscription_id));
    if (db_rows(rows) == 0)
        return false;
    json_begin_object(b);
    json_key_text(b, "id", TEXT_JOIN(b->arena, TEXT("/subscriptions/"), db_get(rows, 0, 0)));
    json_key_text(b, "subscriptionId", db_get(rows, 0, 0));
    json_key_text(b, "tenantId", db_get(rows, 0, 1));
    json_key_text(b, "displayName", db_get(rows, 0, 2));
    json_end_object(b);
    return true;
}

static void write_suffixes(struct buffer *b)
{
    const struct config *c = site()->config;
    json_key(b, "suffixes");
    json_begin_object(b);
    json_key_string(b, "acrLoginServer", c->acr_suffix);
    json_key_format(b, "azureDatalakeAnalyticsCatalogAndJob", "azuredatalakeanalytics.%s.%s", c->region,
                    c->domain);
    json_key_format(b, "azureDatalakeStoreFileSystem", "azuredatalakestore.%s.%s", c->region, c->domain);
    json_key_format(b, "azureFrontDoorEndpointSuffix", "azurefd.%s.%s", c->region, c->domain);
    json_key_format(b, "keyvaultDns", ".vault.%s.%s", c->region, c->domain);
    json_key_format(b, "sqlServerHostname", ".sql.%s.%s", c->region, c->domain);
    json_key_format(b, "storage", "%s.%s", c->region, c->domain);
    json_end_object(b);
}

// Services that are not here have the names that they would have.
static void write_environment(struct buffer *b)
{
    const struct config *c = site()->config;
    json_key(b, "environment");
    json_begin_object(b);
    json_key_format(b, "name", "AzureStack-User-%s", c->tenant_id);
    json_key_format(b, "gallery", "%s/", c->url_portal);
    json_key_format(b, "graph", "%s/", c->url_graph);
    json_key_format(b, "portal", "%s/", c->url_portal);
    json_key_format(b, "graphAudience", "%s/", c->url_graph);
    json_key_format(b, "activeDirectoryDataLake", "https://datalake.%s.%s/", c->region, c->domain);
    json_key_format(b, "batch", "https://batch.%s.%s/", c->region, c->domain);
    json_key_format(b, "media", "https://media.%s.%s/", c->region, c->domain);
    json_key_format(b, "sqlManagement", "https://sql.%s.%s/", c->region, c->domain);
    json_key_format(b, "vmImageAliasDoc", "%s/aliases.json", c->url_portal);
    json_key_format(b, "resourceManager", "%s/", c->url_management);
    json_key(b, "authentication");
    json_begin_object(b);
    json_key_format(b, "loginEndpoint", "%s/adfs", c->url_adfs);
    json_key(b, "audiences");
    json_begin_array(b);
    json_text(b, text_of(c->audience));
    json_end_array(b);
    json_key_string(b, "tenant", c->tenant_id);
    json_key_string(b, "identityProvider", "ADFS");
    json_end_object(b);
    write_suffixes(b);
    json_end_object(b);
}

struct text deployment_site_json(struct arm_call *call, int64_t now)
{
    const struct config *c = site()->config;
    struct buffer b = buffer_new(call->arena);
    json_begin_object(&b);
    json_key_int(&b, "now", now);
    if (call->group_id != 0) {
        json_key(&b, "resourceGroup");
        write_group(&b, call->tx, call->subscription_id, call->group_stored);
    }
    json_key(&b, "subscription");
    if (!write_subscription(&b, call->tx, call->subscription_id))
        json_write_null(&b);
    json_key(&b, "tenant");
    json_begin_object(&b);
    json_key_format(&b, "id", "/tenants/%s", call->caller->tenant_id);
    json_key_string(&b, "tenantId", call->caller->tenant_id);
    json_key_format(&b, "displayName", "%s.%s", c->region, c->domain);
    json_key_string(&b, "countryCode", "");
    json_end_object(&b);
    json_key(&b, "deployer");
    json_begin_object(&b);
    json_key_string(&b, "objectId", call->caller->object_id);
    json_key_string(&b, "tenantId", call->caller->tenant_id);
    json_key_string(&b, "userPrincipalName", call->caller->user ? call->caller->name : "");
    json_end_object(&b);
    write_environment(&b);
    json_end_object(&b);
    return buffer_done(&b);
}

// A plan outlives the transaction that it was made in; what it asks for, it asks in that of the moment.
static _Thread_local struct deployment_view looking;

static const struct value *read(struct arena *arena, const struct buffer *json)
{
    struct reader_error error;
    return reader_read(arena, buffer_done(json), NULL, &error);
}

// A deployment of one's own there would answer the same.
static bool may_look(struct text scope)
{
    return rbac_may(looking.snapshot, looking.object_id, DEPLOYMENT_TYPE "/write", scope);
}

// For resourceGroup() and subscription() of where nested deployments go to.
static const struct value *scope_object(void *context, struct arena *arena, struct text subscription_id,
                                        struct text group)
{
    (void)context;
    struct buffer b = buffer_new(arena);
    if (!uuid_is(subscription_id))
        return NULL;
    if (group.base) {
        bool may = may_look(resource_id_of_group(arena, subscription_id, group));
        write_group(&b, may ? looking.tx : NULL, subscription_id, group);
    } else if (!may_look(TEXT_JOIN(arena, TEXT("/subscriptions/"), subscription_id)) ||
               !write_subscription(&b, looking.tx, subscription_id)) {
        return NULL;
    }
    return read(arena, &b);
}

static const struct value *providers(void *context, struct arena *arena, struct text name, struct text type)
{
    (void)context;
    const char *canonical;
    struct buffer b = buffer_new(arena);
    if (!arm_namespace_known(name, &canonical))
        return NULL;
    provider_write(&b, canonical, &(struct provider_document){0});
    const struct value *document = read(arena, &b);
    if (!type.base || !document)
        return document;
    const struct value *types = VALUE_FIND(document, "resourceTypes");
    for (size_t i = 0; value_is(types, VALUE_ARRAY) && i < types->array.count; i++)
        if (text_equal_nocase(value_text(VALUE_FIND(types->array.items[i], "resourceType")), type))
            return types->array.items[i];
    return NULL;
}

void deployment_site_use(const struct deployment_view *view)
{
    looking = *view;
}

struct db_transaction *deployment_site_transaction(void)
{
    return looking.tx;
}

void deployment_site_fill(struct deployment_site *filled, const struct deployment *deployment,
                          const struct value *json, const struct value *properties)
{
    const struct value *now = VALUE_FIND(json, "now");
    bool group = deployment->group.base != NULL;
    *filled = (struct deployment_site){
        .plan = {.scope = group ? SCOPE_RESOURCE_GROUP : SCOPE_SUBSCRIPTION,
                 .subscription_id = deployment->subscription_id,
                 .resource_group = deployment->group,
                 .location = deployment->location,
                 .deployment_name = deployment->name,
                 .mode = deployment->mode,
                 .debug_setting = VALUE_FIND(properties, "debugSetting"),
                 .resource_group_object = VALUE_FIND(json, "resourceGroup"),
                 .subscription = VALUE_FIND(json, "subscription"),
                 .tenant = VALUE_FIND(json, "tenant"),
                 .deployer = VALUE_FIND(json, "deployer"),
                 .environment = VALUE_FIND(json, "environment"),
                 .now = value_is(now, VALUE_INTEGER) ? now->integer : 0,
                 .scope_object = scope_object,
                 .linked = deployment_links_find,
                 .providers = providers,
                 .context = filled},
    };
}
