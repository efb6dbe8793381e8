// POST /providers/Microsoft.Resources/calculateTemplateHash: the hash that a deployment of this template
// shows, and the text that was hashed (arm-templates 2.4, 7).
#include "templates/document.h"
#include "templates/hash.h"
#include "templates/operations.h"
#include "templates/reader.h"

#include "arm/errors.h"

#define HASH_CONTENT(error) 400, (error).code, FROM_GATEWAY, "%s", (error).message

// Any object has a hash: whether it is a template that could be deployed is not asked.
static void calculate_template_hash(struct arm_call *call)
{
    struct reader_error reading;
    struct plan_error error = {.message = NULL};
    const struct value *template = reader_read(call->arena, call->request->body, NULL, &reading);
    if (!template)
        fail_content(call->arena, &error, reading.path, reading.line, reading.column, "%s", reading.message);
    else if (template->kind != VALUE_OBJECT)
        fail_content(call->arena, &error, TEXT(""), template->line, template->column,
                     "A JSON object is required.");
    if (error.message) {
        arm_fail(call, HASH_CONTENT(error));
        return;
    }
    struct buffer b = buffer_new(call->arena);
    json_begin_object(&b);
    json_key_text(&b, "minifiedTemplate", template_minified(call->arena, template));
    json_key_text(&b, "templateHash", template_hash(call->arena, template));
    json_end_object(&b);
    arm_reply(call, 200, buffer_done(&b));
}

static const struct arm_operation operations[] = {
    {.http = {HTTP_POST, "/providers/Microsoft.Resources/calculateTemplateHash",
              "Deployments_CalculateTemplateHash"},
     .flags = ARM_NO_DECISION | ARM_NEEDS_BODY | ARM_RAW_BODY | ARM_READ_COUNT | ARM_GATEWAY,
     .handle = calculate_template_hash},
    {.http = {0}},
};

const struct arm_type template_hash_type = {.namespace_name = "Microsoft.Resources",
                                            .name = "deployments",
                                            .resource_display = "Deployments",
                                            .versions = versions_deployments,
                                            .arm_owned = true,
                                            .operations = operations};
