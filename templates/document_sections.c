// The sections of a template besides its resources: parameters, variables, functions, outputs (arm-templates
// 3.1-3.3, 3.5).
#include "templates/document_parts.h"

static bool within_limit(struct document_reader *r, const struct value *section, size_t count, size_t limit,
                         const char *what, struct text path)
{
    if (count <= limit)
        return true;
    fail_template(r->arena, r->error, path, section->line, section->column,
                  "The number of template %s limit exceeded. Limit: '%zu' and actual: '%zu'. Please see "
                  "https://aka.ms/arm-template/#%s for usage details.",
                  what, limit, count, what);
    return false;
}

// Of a parameter, a function's parameter or an output: it has a type.
static bool has_type(struct document_reader *r, const struct template_type *type, struct text path)
{
    if (type->kind != TEMPLATE_ANY || type->reference || type->discriminator.base)
        return true;
    return typed_required(r, type->node, "type", path) != NULL;
}

static bool read_parameter(struct document_reader *r, const struct value_member *member, struct text path,
                           struct template_parameter *parameter)
{
    static const char *const own[] = {"defaultValue", NULL};
    path = path_member(r->arena, path, member->name);
    parameter->name = member->name;
    parameter->node = member->value;
    parameter->type = read_type(r, member->value, path, "TemplateInputParameter", own);
    if (!parameter->type || !has_type(r, parameter->type, path))
        return false;
    parameter->default_value = VALUE_FIND(member->value, "defaultValue");
    return true;
}

bool read_parameters(struct document_reader *r, const struct value *section, struct text path)
{
    size_t count = section->object.count;
    if (!within_limit(r, section, count, TEMPLATE_PARAMETERS, "parameters", path) ||
        !distinct_names(r, section, "parameter", path))
        return false;
    struct template_parameter *parameters = ARENA_ARRAY(r->arena, struct template_parameter, count + 1);
    for (size_t i = 0; i < count; i++)
        if (!read_parameter(r, &section->object.members[i], path, &parameters[i]))
            return false;
    r->document->parameters = parameters;
    r->document->parameter_count = count;
    return true;
}

static bool read_function_parameters(struct document_reader *r, const struct value *list, struct text path,
                                     struct template_function *function)
{
    static const char *const own[] = {"name", NULL};
    static const char type_name[] = "TemplateFunctionParameter";
    size_t count = list->array.count;
    struct template_parameter *parameters = ARENA_ARRAY(r->arena, struct template_parameter, count + 1);
    for (size_t i = 0; i < count; i++) {
        struct text at = path_item(r->arena, path, i);
        const struct value *node = list->array.items[i];
        parameters[i].node = node;
        parameters[i].type = read_type(r, node, at, type_name, own);
        if (!parameters[i].type || !has_type(r, parameters[i].type, at))
            return false;
        const struct value *name = typed_required(r, node, "name", at);
        if (!name ||
            !typed_is(r, name, VALUE_STRING, "System.String", path_member(r->arena, at, TEXT("name"))))
            return false;
        parameters[i].name = name->string;
    }
    function->parameters = parameters;
    function->parameter_count = count;
    return true;
}

static bool read_function_output(struct document_reader *r, const struct value *node, struct text path,
                                 struct template_function *function)
{
    static const char *const own[] = {"value", NULL};
    function->output_type = read_type(r, node, path, "TemplateFunctionOutput", own);
    if (!function->output_type || !has_type(r, function->output_type, path))
        return false;
    function->output = VALUE_FIND(node, "value");
    if (!function->output)
        typed_required(r, node, "value", path);
    return function->output != NULL;
}

static bool read_function(struct document_reader *r, const struct value *node, struct text path,
                          struct template_function *function)
{
    static const char *const members[] = {"parameters", "output", "metadata", NULL};
    static const char type_name[] = "TemplateFunctionMember";
    const struct value *parameters;
    function->node = node;
    if (!typed_is(r, node, VALUE_OBJECT, type_name, path) ||
        !typed_members(r, node, members, type_name, path) ||
        !typed_optional(r, node, "parameters", VALUE_ARRAY, "TemplateFunctionParameter[]", path, &parameters))
        return false;
    if (parameters &&
        !read_function_parameters(r, parameters, path_member(r->arena, path, TEXT("parameters")), function))
        return false;
    const struct value *output = typed_required(r, node, "output", path);
    return output && read_function_output(r, output, path_member(r->arena, path, TEXT("output")), function);
}

// One {namespace, members}; its functions are added behind `count`.
static bool read_namespace(struct document_reader *r, const struct value *node, struct text path,
                           struct template_function *functions, size_t *count)
{
    const struct value *name = typed_member(node, "namespace"), *members = typed_member(node, "members");
    struct text at = path_member(r->arena, path, TEXT("members"));
    if (!typed_is(r, name, VALUE_STRING, "System.String", path_member(r->arena, path, TEXT("namespace"))) ||
        !distinct_names(r, members, "function", at))
        return false;
    for (size_t i = 0; i < members->object.count; i++) {
        const struct value_member *member = &members->object.members[i];
        struct template_function *function = &functions[(*count)++];
        function->name = TEXT_JOIN(r->arena, name->string, TEXT("."), member->name);
        if (!read_function(r, member->value, path_member(r->arena, at, member->name), function))
            return false;
    }
    return true;
}

bool read_functions(struct document_reader *r, const struct value *section, struct text path)
{
    static const char *const names[] = {"namespace", "members", NULL};
    static const char type_name[] = "TemplateFunction";
    size_t count = 0;
    for (size_t i = 0; i < section->array.count; i++) {
        const struct value *node = section->array.items[i];
        struct text at = path_item(r->arena, path, i);
        if (!typed_is(r, node, VALUE_OBJECT, type_name, at) ||
            !typed_members(r, node, names, type_name, at) || !typed_required(r, node, "namespace", at))
            return false;
        const struct value *members = typed_required(r, node, "members", at);
        if (!members || !typed_is(r, members, VALUE_OBJECT, "TemplateFunctionMember",
                                  path_member(r->arena, at, TEXT("members"))))
            return false;
        count += members->object.count;
    }
    struct template_function *functions = ARENA_ARRAY(r->arena, struct template_function, count + 1);
    count = 0;
    for (size_t i = 0; i < section->array.count; i++)
        if (!read_namespace(r, section->array.items[i], path_item(r->arena, path, i), functions, &count))
            return false;
    r->document->functions = functions;
    r->document->function_count = count;
    return true;
}

static bool read_output(struct document_reader *r, const struct value_member *member, struct text path,
                        struct template_output *output)
{
    static const char *const own[] = {"value", "copy", "condition", NULL};
    static const char *const copy_members[] = {"name", "count", "input", NULL};
    path = path_member(r->arena, path, member->name);
    output->name = member->name;
    output->node = member->value;
    output->type = read_type(r, member->value, path, "TemplateOutputParameter", own);
    if (!output->type || !has_type(r, output->type, path))
        return false;
    output->condition = typed_member(member->value, "condition");
    if (output->condition && output->condition->kind != VALUE_BOOLEAN &&
        !typed_is(r, output->condition, VALUE_STRING, "System.Boolean",
                  path_member(r->arena, path, TEXT("condition"))))
        return false;
    const struct value *copy = typed_member(member->value, "copy");
    if (copy) {
        output->copy =
            read_copy(r, copy, copy_members, "TemplateOutputCopy", path_member(r->arena, path, TEXT("copy")));
        return output->copy != NULL;
    }
    output->value = VALUE_FIND(member->value, "value");
    if (!output->value)
        typed_required(r, member->value, "value", path);
    return output->value != NULL;
}

bool read_outputs(struct document_reader *r, const struct value *section, struct text path)
{
    size_t count = section->object.count;
    if (!within_limit(r, section, count, TEMPLATE_OUTPUTS, "outputs", path) ||
        !distinct_names(r, section, "output", path))
        return false;
    struct template_output *outputs = ARENA_ARRAY(r->arena, struct template_output, count + 1);
    for (size_t i = 0; i < count; i++)
        if (!read_output(r, &section->object.members[i], path, &outputs[i]))
            return false;
    r->document->outputs = outputs;
    r->document->output_count = count;
    return true;
}

static bool read_variable_copies(struct document_reader *r, const struct value *list, struct text path)
{
    static const char *const names[] = {"name", "count", "input", NULL};
    if (!typed_is(r, list, VALUE_ARRAY, "TemplateVariableCopy[]", path))
        return false;
    struct template_copy *copies = ARENA_ARRAY(r->arena, struct template_copy, list->array.count + 1);
    for (size_t i = 0; i < list->array.count; i++) {
        struct text at = path_item(r->arena, path, i);
        const struct template_copy *copy =
            read_copy(r, list->array.items[i], names, "TemplateVariableCopy", at);
        if (!copy || (!copy->name_value && !typed_required(r, copy->node, "name", at)))
            return false;
        copies[i] = *copy;
    }
    r->document->variable_copies = copies;
    r->document->variable_copy_count = list->array.count;
    return true;
}

bool read_variables(struct document_reader *r, const struct value *section, struct text path)
{
    if (!distinct_names(r, section, "variable", path))
        return false;
    struct value_member *variables = ARENA_ARRAY(r->arena, struct value_member, section->object.count + 1);
    size_t count = 0;
    for (size_t i = 0; i < section->object.count; i++) {
        const struct value_member *member = &section->object.members[i];
        if (!text_is_nocase(member->name, "copy"))
            variables[count++] = *member;
        else if (!read_variable_copies(r, member->value, path_member(r->arena, path, member->name)))
            return false;
    }
    r->document->variables = variables;
    r->document->variable_count = count;
    return within_limit(r, section, count + r->document->variable_copy_count, TEMPLATE_VARIABLES, "variables",
                        path);
}
