// Reading the request of a deployment: its members, what each may be, and how mistakes are worded
// (arm-templates 1.1, 1.2).
#include "templates/content.h"
#include "templates/document_parts.h"
#include "templates/reader.h"

struct content_reader {
    struct document_reader typed; // for the checks of typed objects
    struct content *content;
};

struct choice { // of an enumeration, in any case
    const char *name;
    int chosen;
};

static struct text step(struct content_reader *c, struct text path, const char *name)
{
    return path_member(c->typed.arena, path, text_of(name));
}

// An optional member with one of the named values; `*chosen` is left alone where it is absent.
static bool read_choice(struct content_reader *c, const struct value *object, const char *name,
                        const struct choice *choices, const char *type, struct text path, int *chosen)
{
    const struct value *value;
    if (!typed_optional(&c->typed, object, name, VALUE_STRING, type, path, &value))
        return false;
    if (!value)
        return true;
    for (size_t i = 0; choices[i].name; i++)
        if (text_is_nocase(value->string, choices[i].name)) {
            *chosen = choices[i].chosen;
            return true;
        }
    typed_wrong(&c->typed, value, type, step(c, path, name));
    return false;
}

// An optional object that has none but the named members.
static bool read_object(struct content_reader *c, const struct value *object, const char *name,
                        const char *const *members, const char *type, struct text path,
                        const struct value **out)
{
    return typed_optional(&c->typed, object, name, VALUE_OBJECT, type, path, out) &&
           (!*out || typed_members(&c->typed, *out, members, type, step(c, path, name)));
}

static bool all_strings(struct content_reader *c, const struct value *object, struct text path)
{
    for (size_t i = 0; i < object->object.count; i++) {
        const struct value_member *member = &object->object.members[i];
        if (!typed_is(&c->typed, member->value, VALUE_STRING, "System.String",
                      path_member(c->typed.arena, path, member->name)))
            return false;
    }
    return true;
}

static bool read_tags(struct content_reader *c, const struct value *request)
{
    if (!typed_optional(&c->typed, request, "tags", VALUE_OBJECT, "Tags", TEXT(""), &c->content->tags))
        return false;
    return !c->content->tags || all_strings(c, c->content->tags, TEXT("tags"));
}

// Deployments here act with the caller's rights: an identity of their own would be no use to them.
static bool read_identity(struct content_reader *c, const struct value *request)
{
    static const char *const members[] = {"type", "userAssignedIdentities", NULL};
    static const struct choice none[] = {{"None", 0}, {NULL, 0}};
    const struct value *identity;
    int chosen = 0;
    return read_object(c, request, "identity", members, "DeploymentIdentity", TEXT(""), &identity) &&
           (!identity ||
            read_choice(c, identity, "type", none, "DeploymentIdentityType", TEXT("identity"), &chosen));
}

static bool fail_exclusive(struct content_reader *c, const struct value *at, const char *what,
                           struct text path)
{
    fail_content(c->typed.arena, c->typed.error, path, at->line, at->column, "%s", what);
    return false;
}

// A template as text inside a string: read like a body of its own, its places counted in that text.
static const struct value *template_of_text(struct content_reader *c, const struct value *string,
                                            struct text path)
{
    struct reader_error error;
    const struct value *template = reader_read(c->typed.arena, string->string, NULL, &error);
    if (template)
        return template;
    struct buffer at = buffer_new(c->typed.arena);
    buffer_text(&at, path);
    if (error.path.length > 0 && error.path.base[0] != '[')
        buffer_char(&at, '.');
    buffer_text(&at, error.path);
    fail_content(c->typed.arena, c->typed.error, buffer_done(&at), error.line, error.column, "%s",
                 error.message);
    return NULL;
}

static bool read_template(struct content_reader *c, const struct value *properties, struct text path)
{
    static const char *const members[] = {"uri", "id", "relativePath", "queryString", "contentVersion", NULL};
    struct content *content = c->content;
    struct text at = step(c, path, "template"), link_at = step(c, path, "templateLink");
    content->template = typed_member(properties, "template");
    if (!read_object(c, properties, "templateLink", members, "TemplateLink", path, &content->template_link))
        return false;
    if (!content->template == !content->template_link)
        return fail_exclusive(
            c, properties, "Exactly one of the properties 'template' and 'templateLink' must be specified.",
            path);
    if (content->template_link) {
        const struct value *link = content->template_link;
        if (!all_strings(c, link, link_at))
            return false;
        return typed_member(link, "uri") || typed_member(link, "id") || typed_member(link, "relativePath") ||
               typed_required(&c->typed, link, "uri", link_at) != NULL;
    }
    if (content->template->kind == VALUE_STRING) {
        content->template = template_of_text(c, content->template, at);
        if (!content->template)
            return false;
    }
    return typed_is(&c->typed, content->template, VALUE_OBJECT, "Template", at);
}

// Entries are {"value":…} or {"reference":…}; a parameters file may say more about them.
static bool check_parameters(struct content_reader *c, const struct value *parameters, struct text path)
{
    static const char *const members[] = {"value", "reference", "expression", "metadata", "type", NULL};
    static const char type[] = "DeploymentParameterDefinition";
    for (size_t i = 0; i < parameters->object.count; i++) {
        const struct value_member *entry = &parameters->object.members[i];
        struct text at = path_member(c->typed.arena, path, entry->name);
        if (!typed_is(&c->typed, entry->value, VALUE_OBJECT, type, at) ||
            !typed_members(&c->typed, entry->value, members, type, at))
            return false;
    }
    return true;
}

static bool read_parameter_values(struct content_reader *c, const struct value *properties, struct text path)
{
    static const char *const members[] = {"uri", "contentVersion", NULL};
    struct content *content = c->content;
    if (!typed_optional(&c->typed, properties, "parameters", VALUE_OBJECT, "DeploymentParameters", path,
                        &content->parameters) ||
        !read_object(c, properties, "parametersLink", members, "ParametersLink", path,
                     &content->parameters_link))
        return false;
    if (content->parameters && content->parameters->object.count > 0 && content->parameters_link)
        return fail_exclusive(
            c, properties, "Only one of the properties 'parameters' and 'parametersLink' can be specified.",
            path);
    if (content->parameters && !check_parameters(c, content->parameters, step(c, path, "parameters")))
        return false;
    if (!content->parameters_link)
        return true;
    struct text at = step(c, path, "parametersLink");
    return all_strings(c, content->parameters_link, at) &&
           typed_required(&c->typed, content->parameters_link, "uri", at) != NULL;
}

// A list of flags: "requestContent, responseContent".
static bool read_detail_level(struct content_reader *c, const struct value *value, struct text path)
{
    struct text rest = value->string;
    struct content *content = c->content;
    for (;;) {
        ptrdiff_t comma = text_find(rest, ',');
        struct text word = text_trim(comma < 0 ? rest : text_slice(rest, 0, (size_t)comma));
        if (text_is_nocase(word, "requestContent"))
            content->debug_request = true;
        else if (text_is_nocase(word, "responseContent"))
            content->debug_response = true;
        else if (!text_is_nocase(word, "none")) {
            typed_wrong(&c->typed, value, "DeploymentDebugDetailLevel", path);
            return false;
        }
        if (comma < 0)
            break;
        rest = text_slice(rest, (size_t)comma + 1, rest.length);
    }
    content->detail_level = content->debug_request && content->debug_response
                                ? TEXT("requestContent, responseContent")
                            : content->debug_request  ? TEXT("requestContent")
                            : content->debug_response ? TEXT("responseContent")
                                                      : TEXT("none");
    return true;
}

static bool read_debug(struct content_reader *c, const struct value *properties, struct text path)
{
    static const char *const members[] = {"detailLevel", NULL};
    const struct value *setting, *level;
    if (!read_object(c, properties, "debugSetting", members, "DebugSetting", path, &setting))
        return false;
    struct text at = step(c, path, "debugSetting");
    return !setting || (typed_optional(&c->typed, setting, "detailLevel", VALUE_STRING,
                                       "DeploymentDebugDetailLevel", at, &level) &&
                        (!level || read_detail_level(c, level, step(c, at, "detailLevel"))));
}

static bool read_on_error(struct content_reader *c, const struct value *properties, struct text path)
{
    static const char *const members[] = {"type", "deploymentName", "provisioningState", NULL};
    static const struct choice types[] = {
        {"LastSuccessful", ON_ERROR_LAST_SUCCESSFUL}, {"SpecificDeployment", ON_ERROR_SPECIFIC}, {NULL, 0}};
    const struct value *node, *name;
    int type = ON_ERROR_NONE;
    if (!read_object(c, properties, "onErrorDeployment", members, "OnErrorDeployment", path, &node))
        return false;
    if (!node)
        return true;
    path = step(c, path, "onErrorDeployment");
    if (!typed_required(&c->typed, node, "type", path) ||
        !read_choice(c, node, "type", types, "OnErrorDeploymentType", path, &type) ||
        !typed_optional(&c->typed, node, "deploymentName", VALUE_STRING, "System.String", path, &name))
        return false;
    if (type == ON_ERROR_SPECIFIC && !typed_required(&c->typed, node, "deploymentName", path))
        return false;
    c->content->on_error = type;
    c->content->on_error_name = type == ON_ERROR_SPECIFIC ? name->string : TEXT_NONE;
    return true;
}

static bool read_options(struct content_reader *c, const struct value *properties, struct text path)
{
    static const char *const evaluation_members[] = {"scope", NULL}, *const what_if_members[] = {
                                                                         "resultFormat", NULL};
    static const struct choice scopes[] = {{"NotSpecified", false},
                                           {"Outer", false},
                                           {"Inner", true},
                                           {NULL, 0}},
                               formats[] = {{"FullResourcePayloads", false},
                                            {"ResourceIdOnly", true},
                                            {NULL, 0}},
                               levels[] = {{"Provider", LEVEL_PROVIDER},
                                           {"ProviderNoRbac", LEVEL_PROVIDER_NO_RBAC},
                                           {"Template", LEVEL_TEMPLATE},
                                           {NULL, 0}};
    const struct value *evaluation, *what_if;
    int inner = false, ids_only = false, level = LEVEL_PROVIDER;
    if (!read_object(c, properties, "expressionEvaluationOptions", evaluation_members,
                     "ExpressionEvaluationOptions", path, &evaluation) ||
        !read_object(c, properties, "whatIfSettings", what_if_members, "WhatIfSettings", path, &what_if) ||
        (evaluation && !read_choice(c, evaluation, "scope", scopes, "ExpressionEvaluationScope",
                                    step(c, path, "expressionEvaluationOptions"), &inner)) ||
        (what_if && !read_choice(c, what_if, "resultFormat", formats, "WhatIfResultFormat",
                                 step(c, path, "whatIfSettings"), &ids_only)) ||
        !read_choice(c, properties, "validationLevel", levels, "ValidationLevel", path, &level))
        return false;
    c->content->inner = inner;
    c->content->resource_ids_only = ids_only;
    c->content->level = (enum content_level)level;
    return true;
}

static bool read_properties(struct content_reader *c, const struct value *properties)
{
    static const char *const members[] = {"template",
                                          "templateLink",
                                          "parameters",
                                          "parametersLink",
                                          "mode",
                                          "debugSetting",
                                          "onErrorDeployment",
                                          "expressionEvaluationOptions",
                                          "validationLevel",
                                          "whatIfSettings",
                                          "provisioningState",
                                          NULL}; // the last is ignored (decisions 47)
    static const struct choice modes[] = {{"Incremental", false}, {"Complete", true}, {NULL, 0}};
    struct text path = TEXT("properties");
    int complete = false;
    if (!typed_members(&c->typed, properties, members, "DeploymentProperties", path) ||
        !typed_required(&c->typed, properties, "mode", path) ||
        !read_choice(c, properties, "mode", modes, "DeploymentMode", path, &complete))
        return false;
    c->content->complete = complete;
    return read_template(c, properties, path) && read_parameter_values(c, properties, path) &&
           read_debug(c, properties, path) && read_on_error(c, properties, path) &&
           read_options(c, properties, path);
}

const struct content *content_of(struct arena *arena, const struct value *request, struct plan_error *error)
{
    // What a client may have read from a deployment and sends back with it: id, name, type.
    static const char *const members[] = {"location", "tags", "identity", "properties", "scope",
                                          "id",       "name", "type",     NULL};
    *error = (struct plan_error){.message = NULL};
    struct content_reader c = {.typed = {.arena = arena, .error = error},
                               .content = ARENA_NEW(arena, struct content)};
    const struct value *location;
    c.content->request = request;
    if (!typed_is(&c.typed, request, VALUE_OBJECT, "DeploymentContent", TEXT("")) ||
        !typed_members(&c.typed, request, members, "DeploymentContent", TEXT("")) ||
        !typed_optional(&c.typed, request, "location", VALUE_STRING, "System.String", TEXT(""), &location) ||
        !read_tags(&c, request) || !read_identity(&c, request))
        return NULL;
    c.content->location = value_text(location);
    const struct value *properties = typed_required(&c.typed, request, "properties", TEXT(""));
    if (!properties ||
        !typed_is(&c.typed, properties, VALUE_OBJECT, "DeploymentProperties", TEXT("properties")) ||
        !read_properties(&c, properties))
        return NULL;
    return c.content;
}

static const struct value *read_text(struct arena *arena, struct text text, struct plan_error *error)
{
    struct reader_error reading = {.message = NULL};
    const struct value *value = reader_read(arena, text, NULL, &reading);
    *error = (struct plan_error){.message = NULL};
    if (!value)
        fail_content(arena, error, reading.path, reading.line, reading.column, "%s", reading.message);
    return value;
}

const struct content *content_read(struct arena *arena, struct text body, struct plan_error *error)
{
    const struct value *request = read_text(arena, body, error);
    return request ? content_of(arena, request, error) : NULL;
}

// A file has a schema, or at least `parameters` that are no parameter's {"value":…} themselves.
static bool is_file(const struct value *root)
{
    const struct value *parameters = typed_member(root, "parameters");
    return typed_member(root, "$schema") ||
           (value_is(parameters, VALUE_OBJECT) && !VALUE_FIND(parameters, "value") &&
            !VALUE_FIND(parameters, "reference"));
}

const struct value *content_parameters_of(struct arena *arena, const struct value *root,
                                          struct plan_error *error)
{
    static const char *const members[] = {"$schema", "contentVersion", "parameters", "metadata", NULL};
    struct content_reader c = {.typed = {.arena = arena, .error = error}};
    if (!typed_is(&c.typed, root, VALUE_OBJECT, "DeploymentParameters", TEXT("")))
        return NULL;
    struct text path = TEXT("");
    const struct value *parameters = root;
    if (is_file(root)) {
        path = TEXT("parameters");
        if (!typed_members(&c.typed, root, members, "DeploymentParameters", TEXT("")))
            return NULL;
        parameters = typed_required(&c.typed, root, "parameters", TEXT(""));
        if (!parameters || !typed_is(&c.typed, parameters, VALUE_OBJECT, "DeploymentParameters", path))
            return NULL;
    }
    return check_parameters(&c, parameters, path) ? parameters : NULL;
}

const struct value *content_parameter_file(struct arena *arena, struct text file, struct plan_error *error)
{
    const struct value *root = read_text(arena, file, error);
    return root ? content_parameters_of(arena, root, error) : NULL;
}
