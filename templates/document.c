// A template document as a whole: its members, schema, versions and sections (arm-templates 3).
#include "templates/document_parts.h"

static bool version_of_four(struct text version)
{
    size_t parts = 1, digits = 0;
    for (size_t i = 0; i < version.length; i++) {
        if (version.base[i] == '.') {
            if (digits == 0)
                return false;
            parts++;
            digits = 0;
        } else if (version.base[i] < '0' || version.base[i] > '9' || ++digits > 10) {
            return false;
        }
    }
    return parts == 4 && digits > 0;
}

#define SCHEMA_VERSIONS "2014-04-01-preview,2015-01-01,2018-05-01,2019-04-01,2019-08-01"

static bool take_word(struct text *rest, const char *const *words)
{
    for (size_t i = 0; words[i]; i++)
        if (text_starts_nocase(*rest, words[i])) {
            *rest = text_slice(*rest, strlen(words[i]), rest->length);
            return true;
        }
    return false;
}

static bool schema_known(struct text schema)
{
    static const char *const protocols[] = {"https://", "http://", NULL};
    static const char *const old[] = {
        "schemas.management.azure.com/deploymentTemplate?api-version=2014-04-01-preview", NULL};
    static const char *const hosts[] = {"schema.management.azure.com/schemas/", NULL};
    static const char *const versions[] = {"2014-04-01-preview/", "2015-01-01/", "2018-05-01/",
                                           "2019-04-01/",         "2019-08-01/", NULL};
    static const char *const kinds[] = {"deploymentTemplate.json",
                                        "deploymentParameters.json",
                                        "subscriptionDeploymentTemplate.json",
                                        "managementGroupDeploymentTemplate.json",
                                        "tenantDeploymentTemplate.json",
                                        NULL};
    struct text rest = schema;
    if (!take_word(&rest, protocols))
        return false;
    if (!take_word(&rest, old) &&
        !(take_word(&rest, hosts) && take_word(&rest, versions) && take_word(&rest, kinds)))
        return false;
    return rest.length == 0 || text_is(rest, "#");
}

static bool read_schema(struct document_reader *r, const struct value *root, struct text path)
{
    const struct value *schema = typed_required(r, root, "$schema", path);
    struct text at = path_member(r->arena, path, TEXT("$schema"));
    if (!schema || !typed_is(r, schema, VALUE_STRING, "System.String", at))
        return false;
    r->document->schema = schema->string;
    if (schema_known(schema->string))
        return true;
    fail_template(r->arena, r->error, at, schema->line, schema->column,
                  "Template schema '%.*s' is not supported. Supported versions are '" SCHEMA_VERSIONS
                  "'. Please see https://aka.ms/arm-template for usage details.",
                  TEXT_ARG(schema->string));
    return false;
}

static bool read_content_version(struct document_reader *r, const struct value *root, struct text path)
{
    const struct value *version = typed_required(r, root, "contentVersion", path);
    struct text at = path_member(r->arena, path, TEXT("contentVersion"));
    if (!version || !typed_is(r, version, VALUE_STRING, "System.String", at))
        return false;
    r->document->content_version = version->string;
    if (version_of_four(version->string))
        return true;
    fail_template(r->arena, r->error, at, version->line, version->column,
                  "The template's content version '%.*s' is not valid: four numbers are expected, as in "
                  "'1.0.0.0'. Please see https://aka.ms/arm-template for usage details.",
                  TEXT_ARG(version->string));
    return false;
}

static bool one_of(struct text text, const char *const *words)
{
    for (size_t i = 0; words[i]; i++)
        if (text_is_nocase(text, words[i]))
            return true;
    return false;
}

static bool read_versions(struct document_reader *r, const struct value *root, struct text path)
{
    // What compilers wrote while 2.0 was being made is read as 2.0.
    static const char *const second[] = {
        "2.0", "1.9-experimental", "1.10-experimental", "2.1-experimental", "2.2-experimental", NULL};
    static const char *const profiles[] = {"2018-03-01-hybrid", "2018-06-01", "2019-03-01-hybrid",
                                           "2020-09-01-hybrid", NULL};
    const struct value *language, *profile;
    if (!typed_optional(r, root, "languageVersion", VALUE_STRING, "System.String", path, &language) ||
        !typed_optional(r, root, "apiProfile", VALUE_STRING, "System.String", path, &profile))
        return false;
    r->document->version_2 = language && one_of(language->string, second);
    if (language && !r->document->version_2 && !text_is(language->string, "1.0")) {
        fail_template(r->arena, r->error, path_member(r->arena, path, TEXT("languageVersion")),
                      language->line, language->column,
                      "The template's language version '%.*s' is not supported. Supported versions are "
                      "'1.0,2.0'. Please see https://aka.ms/arm-template for usage details.",
                      TEXT_ARG(language->string));
        return false;
    }
    if (profile && !one_of(profile->string, profiles)) {
        fail_template(r->arena, r->error, path_member(r->arena, path, TEXT("apiProfile")), profile->line,
                      profile->column,
                      "The template's API profile '%.*s' is not supported. Supported profiles are "
                      "'2018-03-01-hybrid,2018-06-01,2019-03-01-hybrid,2020-09-01-hybrid'. Please see "
                      "https://aka.ms/arm-template for usage details.",
                      TEXT_ARG(profile->string));
        return false;
    }
    r->document->api_profile = value_text(profile);
    return true;
}

static bool refuse_experiments(struct document_reader *r, const struct value *root, struct text path)
{
    static const char *const names[] = {"imports", "extensions", "asserts"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct value *value = typed_member(root, names[i]);
        if (!value)
            continue;
        fail_template(r->arena, r->error, path_member(r->arena, path, text_of(names[i])), value->line,
                      value->column,
                      "The template's '%s' are not supported: they belong to an experiment of the language. "
                      "Please see https://aka.ms/arm-template for usage details.",
                      names[i]);
        return false;
    }
    return true;
}

static bool read_sections(struct document_reader *r, const struct value *root, struct text path)
{
    const struct value *definitions, *parameters, *functions, *variables, *outputs;
    struct template_document *document = r->document;
    if (!typed_optional(r, root, "definitions", VALUE_OBJECT, "Definitions", path, &definitions) ||
        !typed_optional(r, root, "parameters", VALUE_OBJECT, "Parameters", path, &parameters) ||
        !typed_optional(r, root, "functions", VALUE_ARRAY, "TemplateFunction[]", path, &functions) ||
        !typed_optional(r, root, "variables", VALUE_OBJECT, "Variables", path, &variables) ||
        !typed_optional(r, root, "outputs", VALUE_OBJECT, "Outputs", path, &outputs))
        return false;
    const struct value *resources = typed_required(r, root, "resources", path);
    if (!resources)
        return false;
    struct arena *a = r->arena;
    document->has_parameters = parameters != NULL;
    document->has_outputs = outputs != NULL;
    document->symbolic = document->version_2 && resources->kind == VALUE_OBJECT;
    return (!definitions || read_definitions(r, definitions, path_member(a, path, TEXT("definitions")))) &&
           (!parameters || read_parameters(r, parameters, path_member(a, path, TEXT("parameters")))) &&
           (!functions || read_functions(r, functions, path_member(a, path, TEXT("functions")))) &&
           (!variables || read_variables(r, variables, path_member(a, path, TEXT("variables")))) &&
           read_resources(r, resources, path_member(a, path, TEXT("resources")), &document->resources,
                          &document->resource_count) &&
           (!outputs || read_outputs(r, outputs, path_member(a, path, TEXT("outputs"))));
}

const struct template_document *document_read(struct arena *arena, const struct value *root, const char *path,
                                              struct plan_error *error)
{
    static const char *const members[] = {
        "$schema",   "contentVersion", "languageVersion", "apiProfile", "definitions",
        "functions", "parameters",     "variables",       "resources",  "outputs",
        "metadata",  "imports",        "extensions",      "asserts",    NULL,
    };
    *error = (struct plan_error){.message = NULL};
    struct template_document *document = ARENA_NEW(arena, struct template_document);
    document->root = root;
    struct document_reader r = {.arena = arena, .error = error, .document = document};
    struct text at = text_of(path);
    if (!typed_is(&r, root, VALUE_OBJECT, "Template", at) ||
        !typed_members(&r, root, members, "Template", at) || !read_schema(&r, root, at) ||
        !read_content_version(&r, root, at) || !read_versions(&r, root, at) ||
        !refuse_experiments(&r, root, at) || !read_sections(&r, root, at))
        return NULL;
    return document;
}

const struct template_parameter *document_parameter(const struct template_document *document,
                                                    struct text name)
{
    for (size_t i = 0; i < document->parameter_count; i++)
        if (text_equal_nocase(document->parameters[i].name, name))
            return &document->parameters[i];
    return NULL;
}

const struct value_member *document_variable(const struct template_document *document, struct text name)
{
    for (size_t i = 0; i < document->variable_count; i++)
        if (text_equal_nocase(document->variables[i].name, name))
            return &document->variables[i];
    return NULL;
}

const struct template_function *document_function(const struct template_document *document, struct text name)
{
    for (size_t i = 0; i < document->function_count; i++)
        if (text_equal_nocase(document->functions[i].name, name))
            return &document->functions[i];
    return NULL;
}
