// GET /tenants: the caller's tenant (arm-core 2.2).
#include "arm/call.h"
#include "arm/types.h"

static void tenants_list(struct arm_call *call)
{
    struct buffer b = buffer_new(call->arena);
    const struct config *config = site()->config;
    json_begin_object(&b);
    json_key(&b, "value");
    json_begin_array(&b);
    json_begin_object(&b);
    json_key_format(&b, "id", "/tenants/%s", call->caller->tenant_id);
    json_key_string(&b, "tenantId", call->caller->tenant_id);
    if (strcmp(call->api_version, "2019-06-01") >= 0) {
        json_key_string(&b, "countryCode", "");
        json_key_string(&b, "country", "");
        json_key_format(&b, "displayName", "%s.%s", config->region, config->domain);
        json_key(&b, "domains");
        json_begin_array(&b);
        json_text(&b, text_of(config->domain));
        json_end_array(&b);
        json_key_string(&b, "tenantCategory", "Home");
    }
    json_end_object(&b);
    json_end_array(&b);
    json_end_object(&b);
    arm_reply(call, 200, buffer_done(&b));
}

static const struct arm_operation operations[] = {
    {.http = {HTTP_GET, "/tenants", "Tenants_List"},
     .action = "Microsoft.Resources/tenants/read",
     .flags = ARM_NO_DECISION | ARM_GATEWAY,
     .handle = tenants_list,
     .display = "Get Tenants",
     .description = "Gets the list of tenants."},
    {.http = {0}},
};

const struct arm_type tenants_type = {.namespace_name = "Microsoft.Resources",
                                      .name = "tenants",
                                      .resource_display = "Tenants",
                                      .versions = versions_subscriptions,
                                      .arm_owned = true,
                                      .operations = operations};
