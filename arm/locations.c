// GET /subscriptions/{id}/locations: the one region, in the two published shapes (arm-core 2.2).
#include "arm/subscription.h"
#include "arm/types.h"

static void write_metadata(struct buffer *b, const char *region)
{
    json_key_string(b, "regionalDisplayName", region);
    json_key(b, "metadata");
    json_begin_object(b);
    json_key_string(b, "regionType", "Physical");
    json_key_string(b, "regionCategory", "Recommended");
    json_key_string(b, "geographyGroup", "");
    json_key_string(b, "longitude", "0.0");
    json_key_string(b, "latitude", "0.0");
    json_key_string(b, "physicalLocation", "");
    json_key(b, "pairedRegion");
    json_begin_array(b);
    json_end_array(b);
    json_end_object(b);
}

static void locations_list(struct arm_call *call)
{
    if (!subscription_look(call, "Microsoft.Resources/subscriptions/locations/read"))
        return;
    const char *region = site()->config->region;
    struct buffer b = buffer_new(call->arena);
    json_begin_object(&b);
    json_key(&b, "value");
    json_begin_array(&b);
    json_begin_object(&b);
    json_key_format(&b, "id", "/subscriptions/%.*s/locations/%s", TEXT_ARG(call->subscription_id), region);
    json_key_string(&b, "name", region);
    if (strcmp(call->api_version, "2021-01-01") >= 0)
        json_key_string(&b, "type", "Region");
    json_key_string(&b, "displayName", region);
    if (strcmp(call->api_version, "2019-11-01") >= 0) {
        write_metadata(&b, region);
    } else {
        json_key_string(&b, "longitude", "0.0");
        json_key_string(&b, "latitude", "0.0");
    }
    json_end_object(&b);
    json_end_array(&b);
    json_end_object(&b);
    arm_reply(call, 200, buffer_done(&b));
}

static const struct arm_operation operations[] = {
    {.http = {HTTP_GET, "/subscriptions/{subscription}/locations", "Subscriptions_ListLocations"},
     .action = "Microsoft.Resources/subscriptions/locations/read",
     .flags = ARM_NO_DECISION | ARM_GATEWAY,
     .handle = locations_list,
     .display = "Get Subscription Locations",
     .description = "Gets the list of locations supported."},
    {.http = {0}},
};

const struct arm_type locations_type = {.namespace_name = "Microsoft.Resources",
                                        .name = "subscriptions/locations",
                                        .resource_display = "Locations",
                                        .versions = versions_subscriptions,
                                        .arm_owned = true,
                                        .operations = operations};
