// POST …/resourceGroups/{g}/exportTemplate: which resources, how each is shown to the caller, and the
// template of them (arm-templates 7). What the caller may not read is named in `error`, beside the template
// of the rest.
#include "templates/export.h"
#include "templates/operations.h"
#include "templates/reader.h"

#include "arm/errors.h"
#include "arm/inner.h"
#include "arm/resource.h"
#include "arm/resource_id.h"
#include "base/arena.h"

#include <stdlib.h>

enum { MOST = 200 }; // resources of one export

#define EXPORT_REQUIRED                                                                                      \
    400, "InvalidRequestContent", FROM_GATEWAY,                                                              \
        "The request content was invalid and could not be deserialized: 'Required property 'resources' not " \
        "found in JSON. Path ''.'."
#define EXPORT_FORMAT                                                                                        \
    400, "ExportTemplateOutputFormatNotSupported", FROM_GATEWAY,                                             \
        "The output format '%.*s' is not supported here: 'Json' is."
#define EXPORT_ELSEWHERE                                                                                     \
    400, "ExportTemplateInvalidResource", FROM_GATEWAY,                                                      \
        "The resource '%.*s' cannot be exported: it is no id of a resource in the resource group '%.*s'."
#define EXPORT_TOO_MANY                                                                                      \
    400, "ExportTemplateResourceLimitExceeded", FROM_GATEWAY,                                                \
        "The template of '%zu' resources cannot be exported: at most '%d' are. Name fewer in 'resources'."

static const struct db_statement all_of_group = {"template_export_group",
                                                 "select e.type, e.name from arm.resource e where e.group_id "
                                                 "= $1 order by e.type_key, e.name_key limit $2"};

struct wanted { // the resources that are asked for, in their order
    struct text type, name;
};
struct export_request {
    struct export_options options;
    struct wanted *wanted;
    size_t count;
};

static bool read_option(struct arm_call *call, struct text option, struct export_options *options)
{
    if (text_is_nocase(option, "IncludeParameterDefaultValue"))
        options->default_values = true;
    else if (text_is_nocase(option, "IncludeComments"))
        options->comments = true;
    else if (text_is_nocase(option, "SkipResourceNameParameterization") ||
             text_is_nocase(option, "SkipAllParameterization"))
        options->names_kept = true;
    else if (!text_is_nocase(option, "None") && option.length > 0) {
        arm_fail_content(call, option, "ExportTemplateOptions", "options");
        return false;
    }
    return true;
}

static bool read_options(struct arm_call *call, struct export_options *options)
{
    struct text list, format;
    if (!arm_body_text(call, call->body, "options", "options", &list) ||
        !arm_body_text(call, call->body, "outputFormat", "outputFormat", &format))
        return false;
    if (format.base && !text_is_nocase(format, "Json")) {
        arm_fail(call, EXPORT_FORMAT, TEXT_ARG(format));
        return false;
    }
    while (list.base) {
        ptrdiff_t comma = text_find(list, ',');
        if (!read_option(call, text_trim(comma < 0 ? list : text_slice(list, 0, (size_t)comma)), options))
            return false;
        list = comma < 0 ? TEXT_NONE : text_slice(list, (size_t)comma + 1, list.length);
    }
    return true;
}

static bool read_all(struct arm_call *call, struct export_request *request)
{
    const struct db_result *rows = DB_RUN(call->tx, &all_of_group, db_int(call->group_id), db_int(MOST + 1));
    request->count = db_rows(rows);
    request->wanted = ARENA_ARRAY(call->arena, struct wanted, request->count + 1);
    for (size_t i = 0; i < request->count; i++) {
        request->wanted[i].type = text_copy(call->arena, db_get(rows, i, 0));
        request->wanted[i].name = text_copy(call->arena, db_get(rows, i, 1));
    }
    return !db_failed(call->tx);
}

static bool read_id(struct arm_call *call, struct text id, struct wanted *wanted)
{
    struct resource_id parsed;
    if (!resource_id_parse(call->arena, id, &parsed) || parsed.parent.base ||
        !text_equal_nocase(parsed.subscription_id, call->subscription_id) ||
        !text_equal_nocase(parsed.group, call->group_stored)) {
        arm_fail(call, EXPORT_ELSEWHERE, TEXT_ARG(id), TEXT_ARG(call->group_stored));
        return false;
    }
    const struct arm_type *type = arm_type_find(parsed.namespace_name, parsed.type);
    wanted->type = type
                       ? TEXT_JOIN(call->arena, text_of(type->namespace_name), TEXT("/"), text_of(type->name))
                       : TEXT_JOIN(call->arena, parsed.namespace_name, TEXT("/"), parsed.type);
    wanted->name = parsed.name;
    return true;
}

static int by_type_and_name(const void *a, const void *b)
{
    const struct wanted *x = a, *y = b;
    int order = strcasecmp(x->type.base, y->type.base);
    return order ? order : strcasecmp(x->name.base, y->name.base);
}

static bool read_ids(struct arm_call *call, json_t *resources, struct export_request *request)
{
    size_t index;
    json_t *item;
    request->wanted = ARENA_ARRAY(call->arena, struct wanted, json_array_size(resources) + 1);
    json_array_foreach(resources, index, item)
    {
        struct text id = {json_string_value(item), json_string_length(item)};
        if (!id.base) {
            char *shown = json_dumps(item, JSON_ENCODE_ANY | JSON_COMPACT);
            arm_fail_content(call, text_copy(call->arena, text_of(shown)), "System.String",
                             arena_printf(call->arena, "resources[%zu]", index));
            free(shown);
            return false;
        }
        if (!read_id(call, id, &request->wanted[request->count++]))
            return false;
    }
    // Parents before their children; the same asked for twice is exported once.
    qsort(request->wanted, request->count, sizeof *request->wanted, by_type_and_name);
    size_t kept = 0;
    for (size_t i = 0; i < request->count; i++)
        if (kept == 0 || by_type_and_name(&request->wanted[kept - 1], &request->wanted[i]) != 0)
            request->wanted[kept++] = request->wanted[i];
    request->count = kept;
    return true;
}

static bool read_request(struct arm_call *call, struct export_request *request)
{
    json_t *resources = arm_member_nocase(call->body, "resources");
    if (!resources || !json_is_array(resources) || json_array_size(resources) == 0) {
        arm_fail(call, EXPORT_REQUIRED);
        return false;
    }
    const char *first = json_string_value(json_array_get(resources, 0));
    bool all = json_array_size(resources) == 1 && first && strcmp(first, "*") == 0;
    if (!read_options(call, &request->options) ||
        !(all ? read_all(call, request) : read_ids(call, resources, request)))
        return false;
    if (request->count > MOST)
        arm_fail(call, EXPORT_TOO_MANY, request->count, MOST);
    return !call->failed;
}

// A resource as the caller sees it. False with the failure's `error` object when it is not shown.
static bool shown(struct arm_call *call, const struct arm_inner *inner, const struct wanted *wanted,
                  struct export_resource *resource, const struct value **error)
{
    struct text namespace_name = text_slice(wanted->type, 0, (size_t)text_find(wanted->type, '/'));
    const struct arm_type *type = arm_type_find(
        namespace_name, text_slice(wanted->type, namespace_name.length + 1, wanted->type.length));
    // Of a type that is not served the door knows what to say, whatever version is asked for.
    const char *version = type && type->versions[0] ? type->versions[0] : call->api_version;
    resource->id =
        resource_id_build(call->arena, call->subscription_id, call->group_stored, wanted->type, wanted->name);
    struct arm_inner_request request = {
        .method = HTTP_GET,
        .target = TEXT_JOIN(call->arena, resource->id, TEXT("?api-version="), text_of(version))};
    struct http_answer answer = {.status = 0};
    struct reader_error unread;
    arm_inner_within(inner, &request, call->tx, &answer);
    const struct value *body = reader_read(call->arena, answer.body, NULL, &unread);
    if (answer.status != 200 || !value_is(body, VALUE_OBJECT)) {
        *error = VALUE_FIND(body, "error");
        return false;
    }
    resource->type = wanted->type;
    resource->name = value_text(VALUE_FIND(body, "name")).base && text_find(wanted->name, '/') < 0
                         ? value_text(VALUE_FIND(body, "name"))
                         : wanted->name;
    resource->api_version = text_of(version);
    resource->shown = body;
    resource->read_only = type ? type->read_only : NULL;
    return true;
}

static void write_error(struct buffer *out, const struct export_resource *failed,
                        const struct value *const *errors, size_t count)
{
    json_key(out, "error");
    json_begin_object(out);
    json_key_string(out, "code", "ExportTemplateCompletedWithErrors");
    json_key_string(
        out, "message",
        "Export template operation completed with errors. Some resources were not exported. Please "
        "see details for more information.");
    json_key(out, "details");
    json_begin_array(out);
    for (size_t i = 0; i < count; i++) {
        struct text code = value_text(VALUE_FIND(errors[i], "code")),
                    message = value_text(VALUE_FIND(errors[i], "message"));
        json_begin_object(out);
        json_key_text(out, "code", code.base ? code : TEXT("ExportTemplateProviderError"));
        json_key_text(out, "target", failed[i].id);
        json_key_text(out, "message", message.base ? message : TEXT("The resource could not be read."));
        json_end_object(out);
    }
    json_end_array(out);
    json_end_object(out);
}

static void export_group(struct arm_call *call)
{
    struct export_request request = {.count = 0};
    if (!read_request(call, &request))
        return;
    struct arm_inner inner = arm_inner_of(call);
    inner.counted = true;
    struct export_resource *resources = ARENA_ARRAY(call->arena, struct export_resource, request.count + 1);
    struct export_resource *failed = ARENA_ARRAY(call->arena, struct export_resource, request.count + 1);
    const struct value **errors =
        arena_alloc(call->arena, (request.count + 1) * sizeof(const struct value *));
    size_t count = 0, failures = 0;
    for (size_t i = 0; i < request.count && !db_failed(call->tx); i++) {
        if (shown(call, &inner, &request.wanted[i], &resources[count], &errors[failures]))
            count++;
        else
            failed[failures++] = resources[count];
    }
    struct buffer b = buffer_new(call->arena);
    json_begin_object(&b);
    json_key_raw(&b, "template", export_template(call->arena, resources, count, &request.options));
    if (failures > 0)
        write_error(&b, failed, errors, failures);
    json_end_object(&b);
    arm_reply(call, 200, buffer_done(&b));
}

static const struct arm_operation operations[] = {
    {.http = {HTTP_POST, "/subscriptions/{subscription}/resourceGroups/{group}/exportTemplate",
              "ResourceGroups_ExportTemplate"},
     .action = "Microsoft.Resources/subscriptions/resourcegroups/exportTemplate/action",
     .flags = ARM_NEEDS_BODY | ARM_READ_COUNT | ARM_GATEWAY,
     .handle = export_group,
     .display = "Export Resource Group Template",
     .description = "Exports a template of a resource group's resources."},
    {.http = {0}},
};

const struct arm_type group_export_type = {.namespace_name = "Microsoft.Resources",
                                           .name = "resourceGroups",
                                           .resource_display = "Resource Groups",
                                           .versions = versions_resources,
                                           .arm_owned = true,
                                           .operations = operations};
