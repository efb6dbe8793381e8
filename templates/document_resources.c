// The resources of a template, their children and their copies (arm-templates 3.2, 3.4).
#include "templates/document_parts.h"

const struct template_copy *read_copy(struct document_reader *r, const struct value *node,
                                      const char *const *names, const char *type, struct text path)
{
    struct template_copy *copy = ARENA_NEW(r->arena, struct template_copy);
    copy->node = node;
    if (!typed_is(r, node, VALUE_OBJECT, type, path) || !typed_members(r, node, names, type, path) ||
        !typed_optional(r, node, "name", VALUE_STRING, "System.String", path, &copy->name_value))
        return NULL;
    copy->name = value_text(copy->name_value);
    copy->count = typed_required(r, node, "count", path);
    if (!copy->count ||
        (copy->count->kind != VALUE_INTEGER &&
         !typed_is(r, copy->count, VALUE_STRING, "System.Int64", path_member(r->arena, path, TEXT("count")))))
        return NULL;
    if (!typed_optional(r, node, "mode", VALUE_STRING, "CopyMode", path, &copy->mode))
        return NULL;
    copy->batch_size = typed_member(node, "batchSize");
    if (copy->batch_size && copy->batch_size->kind != VALUE_INTEGER &&
        !typed_is(r, copy->batch_size, VALUE_STRING, "System.Int64",
                  path_member(r->arena, path, TEXT("batchSize"))))
        return NULL;
    bool with_input = false;
    for (size_t i = 0; names[i]; i++)
        with_input = with_input || strcmp(names[i], "input") == 0;
    copy->input = VALUE_FIND(node, "input");
    if (with_input && !copy->input && !typed_required(r, node, "input", path))
        return NULL;
    return copy;
}

static bool read_names(struct document_reader *r, struct template_resource *resource)
{
    const struct value *node = resource->node;
    struct text path = resource->path;
    resource->type = typed_required(r, node, "type", path);
    if (!resource->type ||
        !typed_is(r, resource->type, VALUE_STRING, "System.String",
                  path_member(r->arena, path, TEXT("type"))) ||
        !typed_optional(r, node, "apiVersion", VALUE_STRING, "System.String", path, &resource->api_version) ||
        !typed_optional(r, node, "name", VALUE_STRING, "System.String", path, &resource->name) ||
        !typed_optional(r, node, "scope", VALUE_STRING, "System.String", path, &resource->scope) ||
        !typed_optional(r, node, "location", VALUE_STRING, "System.String", path, &resource->location) ||
        !typed_optional(r, node, "subscriptionId", VALUE_STRING, "System.String", path,
                        &resource->subscription_id) ||
        !typed_optional(r, node, "resourceGroup", VALUE_STRING, "System.String", path,
                        &resource->resource_group))
        return false;
    if (resource->name && resource->name->string.length > 0)
        return true;
    fail_template(
        r->arena, r->error, path, node->line, node->column,
        "The template resource '' at line '%u' and column '%u' is not valid. The name property cannot "
        "be null or empty. Please see https://aka.ms/arm-template/#resources for usage details.",
        node->line, node->column);
    return false;
}

static bool read_depends_on(struct document_reader *r, struct template_resource *resource)
{
    if (!typed_optional(r, resource->node, "dependsOn", VALUE_ARRAY, "System.String[]", resource->path,
                        &resource->depends_on))
        return false;
    struct text path = path_member(r->arena, resource->path, TEXT("dependsOn"));
    for (size_t i = 0; resource->depends_on && i < resource->depends_on->array.count; i++)
        if (!typed_is(r, resource->depends_on->array.items[i], VALUE_STRING, "System.String",
                      path_item(r->arena, path, i)))
            return false;
    return true;
}

static bool read_behaviour(struct document_reader *r, struct template_resource *resource)
{
    static const char *const copy_members[] = {"name", "count", "mode", "batchSize", NULL};
    const struct value *node = resource->node, *existing = NULL, *copy;
    struct text path = resource->path;
    resource->condition = typed_member(node, "condition");
    if (resource->condition && resource->condition->kind != VALUE_BOOLEAN &&
        !typed_is(r, resource->condition, VALUE_STRING, "System.Boolean",
                  path_member(r->arena, path, TEXT("condition"))))
        return false;
    if (r->document->version_2 &&
        !typed_optional(r, node, "existing", VALUE_BOOLEAN, "System.Boolean", path, &existing))
        return false;
    resource->existing = existing && existing->boolean;
    if (!typed_optional(r, node, "copy", VALUE_OBJECT, "TemplateResourceCopy", path, &copy))
        return false;
    if (!copy)
        return true;
    struct text at = path_member(r->arena, path, TEXT("copy"));
    resource->copy = read_copy(r, copy, copy_members, "TemplateResourceCopy", at);
    return resource->copy && (resource->copy->name_value || typed_required(r, copy, "name", at));
}

static bool check_size(struct document_reader *r, const struct template_resource *resource)
{
    size_t weight = value_weight(resource->node, TEMPLATE_RESOURCE_BYTES + 1);
    if (weight <= TEMPLATE_RESOURCE_BYTES)
        return true;
    fail_template(
        r->arena, r->error, resource->path, resource->node->line, resource->node->column,
        "The template resource '%.*s' at line '%u' and column '%u' is larger than 1 MB, the largest "
        "definition of a resource. Please see https://aka.ms/arm-template/#resources for usage details.",
        TEXT_ARG(resource->name->string), resource->node->line, resource->node->column);
    return false;
}

static bool read_children(struct document_reader *r, struct template_resource *resource)
{
    const struct value *children = typed_member(resource->node, "resources");
    if (!children)
        return true;
    if (!read_resources(r, children, path_member(r->arena, resource->path, TEXT("resources")),
                        &resource->children, &resource->child_count))
        return false;
    if (resource->child_count == 0 || !resource->copy)
        return true;
    fail_template(
        r->arena, r->error, resource->path, resource->node->line, resource->node->column,
        "The template resource '%.*s' at line '%u' and column '%u' is not valid: a resource with "
        "'copy' cannot have nested resources. Please see https://aka.ms/arm-copy for usage details.",
        TEXT_ARG(resource->name->string), resource->node->line, resource->node->column);
    return false;
}

static bool read_resource(struct document_reader *r, const struct value *node, struct text path,
                          struct template_resource *resource)
{
    resource->node = node;
    resource->path = path;
    if (!typed_is(r, node, VALUE_OBJECT, "TemplateResource", path))
        return false;
    resource->properties = typed_member(node, "properties");
    return read_names(r, resource) && read_depends_on(r, resource) && read_behaviour(r, resource) &&
           check_size(r, resource) && read_children(r, resource);
}

static bool count_more(struct document_reader *r, const struct value *section, size_t count, struct text path)
{
    r->resource_count += count;
    if (r->resource_count <= TEMPLATE_RESOURCES)
        return true;
    fail_template(
        r->arena, r->error, path, section->line, section->column,
        "The number of template resources limit exceeded. Limit: '%d' and actual: '%zu'. Please see "
        "https://aka.ms/arm-template/#resources for usage details.",
        TEMPLATE_RESOURCES, r->resource_count);
    return false;
}

bool read_resources(struct document_reader *r, const struct value *section, struct text path,
                    const struct template_resource **out, size_t *out_count)
{
    bool symbolic = r->document->version_2 && section->kind == VALUE_OBJECT;
    if (!symbolic && !typed_is(r, section, VALUE_ARRAY, "TemplateResource[]", path))
        return false;
    size_t count = symbolic ? section->object.count : section->array.count;
    if (!count_more(r, section, count, path) || (symbolic && !distinct_names(r, section, "resource", path)))
        return false;
    struct template_resource *resources = ARENA_ARRAY(r->arena, struct template_resource, count + 1);
    for (size_t i = 0; i < count; i++) {
        if (symbolic)
            resources[i].symbol = section->object.members[i].name;
        const struct value *node = symbolic ? section->object.members[i].value : section->array.items[i];
        struct text at =
            symbolic ? path_member(r->arena, path, resources[i].symbol) : path_item(r->arena, path, i);
        if (!read_resource(r, node, at, &resources[i]))
            return false;
    }
    *out = resources;
    *out_count = count;
    return true;
}
