// listPolicies and updatePolicies, which exist at 2017-10-01 only; later versions have properties.policies.
#include "rp/registry_body.h"
#include "rp/registry_store.h"
#include "rp/types.h"

#include "arm/errors.h"
#include "base/arena.h"

static bool at_2017(struct arm_call *call, const char *type)
{
    if (registry_members_of(call->api_version) & MEMBERS_POLICIES)
        arm_fail(call, ARM_INVALID_TYPE_AT_VERSION, type, "Microsoft.ContainerRegistry",
                 TEXT_ARG(text_of(call->api_version)), "2017-10-01");
    return !call->failed;
}

static void reply_policies(struct arm_call *call, const struct registry_settings *settings)
{
    struct buffer out = buffer_new(call->arena);
    json_begin_object(&out);
    json_key(&out, "quarantinePolicy");
    json_begin_object(&out);
    json_key_text(&out, "status", settings->quarantine_status);
    json_end_object(&out);
    json_key(&out, "trustPolicy");
    json_begin_object(&out);
    json_key_string(&out, "type", "Notary");
    json_key_text(&out, "status", settings->trust_status);
    json_end_object(&out);
    json_end_object(&out);
    arm_reply(call, 200, buffer_done(&out));
}

void registry_list_policies(struct arm_call *call)
{
    struct registry_resource registry;
    if (at_2017(call, "registries/listPolicies") && registry_resource_of_path(call, ARM_LOCK_NONE, &registry))
        reply_policies(call, &registry.settings);
}

void registry_update_policies(struct arm_call *call)
{
    struct registry_resource registry;
    if (!at_2017(call, "registries/updatePolicies") ||
        !registry_resource_of_path(call, ARM_LOCK_UPDATE, &registry))
        return;
    struct registry_body body = {.settings = registry.settings};
    if (!registry_policies_read(call, call->body, "", registry.envelope.sku, &body))
        return;
    registry_rows_update(call, registry.envelope.id, true, &body.settings);
    reply_policies(call, &body.settings);
}
