// POST …/checkNameAvailability: always 200 for a well-formed request, and counted as a read.
#include "rp/registry_resource.h"
#include "rp/types.h"

#include "arm/errors.h"
#include "base/arena.h"

static const struct db_statement taken_statement = {"registry_name_taken",
                                                    "select 1 from acr.registry r where r.login_key = $1"};

static void reply_unavailable(struct arm_call *call, const char *reason, const char *message)
{
    struct buffer out = buffer_new(call->arena);
    json_begin_object(&out);
    json_key_bool(&out, "nameAvailable", false);
    json_key_string(&out, "reason", reason);
    json_key_string(&out, "message", message);
    json_end_object(&out);
    arm_reply(call, 200, buffer_done(&out));
}

static void check_name(struct arm_call *call)
{
    struct text name = TEXT_NONE, type = TEXT_NONE;
    if (!arm_body_text(call, call->body, "name", "name", &name) ||
        !arm_body_text(call, call->body, "type", "type", &type))
        return;
    if (!name.base)
        arm_fail_content(call, TEXT(""), "String", "name");
    else if (!text_is_nocase(type, REGISTRY_TYPE))
        arm_fail_content(call, type.base ? type : TEXT(""), "ContainerRegistryResourceType", "type");
    if (call->failed)
        return;
    if (!registry_name_well_formed(name)) {
        reply_unavailable(
            call, "Invalid",
            "Resource names may contain alpha numeric characters only and must be between 5 and 50 "
            "characters.");
        return;
    }
    if (registry_name_reserved(name)) {
        reply_unavailable(call, "Invalid", "The specified resource name is disallowed.");
        return;
    }
    if (db_rows(DB_RUN(call->tx, &taken_statement, db_text(text_lower(call->arena, name)))) > 0)
        reply_unavailable(call, "AlreadyExists",
                          arena_printf(call->arena, "The registry %.*s is already in use.", TEXT_ARG(name)));
    else
        arm_reply(call, 200, TEXT("{\"nameAvailable\":true}"));
}

static const struct arm_operation operations[] = {
    {{HTTP_POST,
      "/subscriptions/{subscriptionId}/providers/Microsoft.ContainerRegistry/checkNameAvailability",
      "Registries_CheckNameAvailability"},
     "Microsoft.ContainerRegistry/checkNameAvailability/read",
     ARM_NEEDS_BODY | ARM_READ_COUNT,
     ARM_WORK,
     NULL,
     check_name,
     "Check Container Registry Name Availability",
     "Checks whether the container registry name is available for use."},
    {{0, NULL, NULL}, NULL, 0, ARM_WORK, NULL, NULL, NULL, NULL},
};

struct arm_type name_check_type(void)
{
    return (struct arm_type){.namespace_name = "Microsoft.ContainerRegistry",
                             .name = "checkNameAvailability",
                             .resource_display = "Registry Name",
                             .versions = registry_versions_listed(),
                             .all_versions = registry_versions_oldest_first(),
                             .operations = operations};
}
