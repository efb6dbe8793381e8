// POST /providers/Microsoft.Resources/checkResourceName: whether a name is one of the words that resources
// must not be called by.
#include "arm/errors.h"
#include "arm/resource.h"
#include "arm/resource_id.h"
#include "arm/types.h"

#include <string.h>

// Reserved as a whole, in any case ("Reserved resource names", Azure Resource Manager).
static const char *const words[] = {"ACCESS",
                                    "APP_BROWSERS",
                                    "APP_CODE",
                                    "APP_DATA",
                                    "APP_GLOBALRESOURCES",
                                    "APP_LOCALRESOURCES",
                                    "APP_THEMES",
                                    "APP_WEBREFERENCES",
                                    "AZURE",
                                    "BIN",
                                    "BING",
                                    "BIZSPARK",
                                    "BIZTALK",
                                    "CORTANA",
                                    "DIRECTX",
                                    "DOTNET",
                                    "DYNAMICS",
                                    "EXCEL",
                                    "EXCHANGE",
                                    "FOREFRONT",
                                    "GLOBAL.ASAX",
                                    "GROOVE",
                                    "HOLOLENS",
                                    "HYPERV",
                                    "KINECT",
                                    "LYNC",
                                    "MSDN",
                                    "O365",
                                    "OFFICE",
                                    "OFFICE365",
                                    "ONEDRIVE",
                                    "ONENOTE",
                                    "OUTLOOK",
                                    "POWERPOINT",
                                    "SHAREPOINT",
                                    "SKYPE",
                                    "VISIO",
                                    "VISUALSTUDIO",
                                    "WEB.CONFIG"};
// Reserved anywhere in a name.
static const char *const parts[] = {"LOGIN", "MICROSOFT", "WINDOWS", "XBOX"};

static bool reserved(struct arm_call *call, struct text name)
{
    struct text upper = text_upper(call->arena, name);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (text_is(upper, words[i]))
            return true;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (text_search(upper, text_of(parts[i])) >= 0)
            return true;
    return false;
}

static void check_resource_name(struct arm_call *call)
{
    struct text name, type;
    if (!arm_body_text(call, call->body, "name", "name", &name) ||
        !arm_body_text(call, call->body, "type", "type", &type))
        return;
    if (!name.length || !type.length) {
        arm_fail(call, ARM_BATCH_REQUIRED, name.length ? "type" : "name", "");
        return;
    }
    if (!resource_name_valid(name)) {
        arm_fail(call, ARM_INVALID_RESOURCE_NAME, TEXT_ARG(name));
        return;
    }
    struct buffer b = buffer_new(call->arena);
    json_begin_object(&b);
    json_key_text(&b, "name", name);
    json_key_text(&b, "type", type);
    json_key_string(&b, "status", reserved(call, name) ? "Reserved" : "Allowed");
    json_end_object(&b);
    arm_reply(call, 200, buffer_done(&b));
}

static const struct arm_operation operations[] = {
    {.http = {HTTP_POST, "/providers/Microsoft.Resources/checkResourceName", "CheckResourceName"},
     .flags = ARM_NO_DECISION | ARM_NEEDS_BODY | ARM_READ_COUNT | ARM_GATEWAY,
     .handle = check_resource_name},
    {.http = {0}},
};

const struct arm_type check_resource_name_type = {.namespace_name = "Microsoft.Resources",
                                                  .name = "checkResourceName",
                                                  .resource_display = "Resource Names",
                                                  .versions = versions_subscriptions,
                                                  .arm_owned = true,
                                                  .operations = operations};
