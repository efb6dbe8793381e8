// GET /metadata/endpoints, anonymous: what clients learn of a cloud before they sign in (arm-core 4.6, az-cli
// 2, decisions 25 and 47). Three shapes by api-version; an unknown one gets that of the newest known one
// below it.
#include "arm/call.h"
#include "arm/types.h"

#include "base/arena.h"

enum shape { SHORT, LIST, COMPLETE };

static enum shape shape_of(struct text version)
{
    // Versions are dates: they compare as text. "1.0" and whatever is no date is older than all of them.
    if (version.length < 10 || version.base[0] != '2')
        return SHORT;
    if (strncmp(version.base, "2022-09-01", 10) >= 0)
        return COMPLETE;
    return strncmp(version.base, "2019-05-01", 10) >= 0 ? LIST : SHORT;
}

static bool operator_host(const struct arm_call *call)
{
    return text_is(call->request->host, site()->config->host_admin);
}

static void write_authentication(struct buffer *b, bool with_provider)
{
    const struct config *config = site()->config;
    json_key(b, "authentication");
    json_begin_object(b);
    json_key_format(b, "loginEndpoint", "%s/adfs", config->url_adfs);
    json_key(b, "audiences");
    json_begin_array(b);
    json_text(b, text_of(config->audience));
    json_end_array(b);
    if (with_provider) { // azurerm refuses a cloud of another tenant or provider than these
        json_key_string(b, "tenant", "common");
        json_key_string(b, "identityProvider", "AAD");
    }
    json_end_object(b);
}

static void write_short(struct buffer *b)
{
    const struct config *config = site()->config;
    json_begin_object(b);
    json_key_format(b, "galleryEndpoint", "%s/", config->url_portal);
    json_key_format(b, "graphEndpoint", "%s/", config->url_graph);
    json_key_format(b, "portalEndpoint", "%s/", config->url_portal);
    write_authentication(b, false);
    json_end_object(b);
}

static void write_suffixes(struct buffer *b, bool complete)
{
    const struct config *config = site()->config;
    json_key(b, "suffixes");
    json_begin_object(b);
    json_key_string(b, "acrLoginServer", config->acr_suffix + 1); // without the dot
    json_key_format(b, "storage", "%s.%s", config->region, config->domain);
    json_key_format(b, "keyVaultDns", "vault.%s.%s", config->region, config->domain);
    if (complete)
        json_key_format(b, "sqlServerHostname", "sql.%s.%s", config->region, config->domain);
    json_end_object(b);
}

static void write_cloud(struct buffer *b, const struct arm_call *call, bool complete)
{
    const struct config *config = site()->config;
    bool admin = operator_host(call);
    json_begin_object(b);
    json_key_format(b, "name", "AzureStack-%s-%s", admin ? "Admin" : "User", config->tenant_id);
    json_key_format(b, "portal", "%s/", config->url_portal);
    json_key_format(b, "gallery", "%s/", config->url_portal);
    json_key_format(b, "graph", "%s/", config->url_graph);
    json_key_format(b, "graphAudience", "%s/", config->url_graph);
    json_key_format(b, "microsoftGraphResourceId", "%s/", config->url_graph);
    if (complete) { // a missing member kills the older mapper of azurerm; these services are not here
        json_key_format(b, "batch", "https://batch.%s.%s/", config->region, config->domain);
        json_key_format(b, "media", "https://media.%s.%s/", config->region, config->domain);
        json_key_format(b, "sqlManagement", "https://sql.%s.%s/", config->region, config->domain);
        json_key_format(b, "vmImageAliasDoc", "%s/aliases.json", config->url_portal);
    }
    json_key_string(b, "resourceManager", admin ? config->url_admin : config->url_management);
    write_authentication(b, complete);
    write_suffixes(b, complete);
    json_end_object(b);
}

static void endpoints_get(struct arm_call *call)
{
    struct buffer b = buffer_new(call->arena);
    switch (shape_of(http_query(call->request, "api-version"))) {
    case SHORT:
        write_short(&b);
        break;
    case LIST:
        json_begin_array(&b);
        write_cloud(&b, call, false);
        json_end_array(&b);
        break;
    case COMPLETE:
        write_cloud(&b, call, true);
    }
    arm_reply(call, 200, buffer_done(&b));
}

static const struct arm_operation operations[] = {
    {.http = {HTTP_GET, "/metadata/endpoints", "Metadata_Endpoints"},
     .flags = ARM_ANONYMOUS,
     .handle = endpoints_get},
    {.http = {0}},
};

// No type of the provider document: its name is empty.
const struct arm_type metadata_type = {.namespace_name = "Microsoft.Resources",
                                       .name = "",
                                       .versions = versions_resources,
                                       .arm_owned = true,
                                       .operations = operations};
