// The structure of templates: what is taken apart into what, and how mistakes are refused (arm-templates 1.1,
// 3, 9.2, 10).
#include "templates/document.h"
#include "templates/reader.h"

#include <check.h>
#include <stdlib.h>

Suite *suite_document(void);

#define SCHEMA                                                                                               \
    "\"$schema\":\"https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#\","
#define HEAD "{" SCHEMA "\"contentVersion\":\"1.0.0.0\","
#define TWO "{" SCHEMA "\"contentVersion\":\"1.0.0.0\",\"languageVersion\":\"2.0\","
#define CONTENT(what) "The request content was invalid and could not be deserialized: '" what ".'."
#define TEMPLATE(what) "Deployment template validation failed: '" what "'."

static const struct template_document *read_text(struct arena *arena, const char *json,
                                                 struct plan_error *error)
{
    struct reader_error reading;
    const struct value *root = reader_read(arena, text_of(json), NULL, &reading);
    ck_assert_ptr_nonnull(root);
    return document_read(arena, root, "properties.template", error);
}

static const struct {
    const char *json, *code, *message, *path;
} refused[] = {
    // arm-templates 1.1: members, mandatory members, types
    {"[]", "InvalidRequestContent",
     CONTENT(
         "Error converting value \"[]\" to type 'Template'. Path 'properties.template', line 1, position 1"),
     "properties.template"},
    {HEAD "\n\"resourcez\":[]}", "InvalidRequestContent",
     CONTENT("Could not find member 'resourcez' on object of type 'Template'. Path "
             "'properties.template.resourcez', line 2, position 11"),
     "properties.template.resourcez"},
    {"{\"contentVersion\":\"1.0.0.0\",\"resources\":[]}", "InvalidRequestContent",
     CONTENT("Required property '$schema' not found in JSON. Path 'properties.template', line 1, position 1"),
     "properties.template"},
    {"{" SCHEMA "\"resources\":[]}", "InvalidRequestContent",
     CONTENT("Required property 'contentVersion' not found in JSON. Path 'properties.template', line 1, "
             "position 1"),
     "properties.template"},
    {HEAD "}", "InvalidRequestContent",
     CONTENT(
         "Required property 'resources' not found in JSON. Path 'properties.template', line 1, position 1"),
     "properties.template"},
    {HEAD "\n\"resources\":{}}", "InvalidRequestContent",
     CONTENT(
         "Error converting value \"{}\" to type 'TemplateResource[]'. Path 'properties.template.resources', "
         "line 2, position 13"),
     "properties.template.resources"},
    {HEAD "\n\"resources\":[{\"name\":\"a\"}]}", "InvalidRequestContent",
     CONTENT("Required property 'type' not found in JSON. Path 'properties.template.resources[0]', line 2, "
             "position "
             "14"),
     "properties.template.resources[0]"},
    {HEAD "\n\"resources\":[{\"name\":5,\"type\":\"a/b\"}]}", "InvalidRequestContent",
     CONTENT("Error converting value \"5\" to type 'System.String'. Path "
             "'properties.template.resources[0].name', "
             "line 2, position 22"),
     "properties.template.resources[0].name"},
    {HEAD "\n\"resources\":[],\"parameters\":{\"p\":{\"type\":\"strin\"}}}", "InvalidRequestContent",
     CONTENT("Error converting value \"strin\" to type 'TemplateParameterType'. Path "
             "'properties.template.parameters.p.type', line 2, position 48"),
     "properties.template.parameters.p.type"},
    {HEAD "\n\"resources\":[],\"parameters\":{\"p\":{\"type\":\"string\",\"default\":1}}}",
     "InvalidRequestContent",
     CONTENT("Could not find member 'default' on object of type 'TemplateInputParameter'. Path "
             "'properties.template.parameters.p.default', line 2, position 59"),
     "properties.template.parameters.p.default"},
    {HEAD "\n\"resources\":[],\"parameters\":{\"p\":{}}}", "InvalidRequestContent",
     CONTENT("Required property 'type' not found in JSON. Path 'properties.template.parameters.p', line 2, "
             "position "
             "34"),
     "properties.template.parameters.p"},
    {HEAD "\n\"resources\":[],\"parameters\":{\"p\":{\"type\":\"int\",\"minValue\":\"1\"}}}",
     "InvalidRequestContent",
     CONTENT("Error converting value \"1\" to type 'System.Nullable`1[System.Int64]'. Path "
             "'properties.template.parameters.p.minValue', line 2, position 61"),
     "properties.template.parameters.p.minValue"},
    {HEAD "\n\"resources\":[],\"outputs\":{\"o\":{\"type\":\"string\"}}}", "InvalidRequestContent",
     CONTENT("Required property 'value' not found in JSON. Path 'properties.template.outputs.o', line 2, "
             "position "
             "31"),
     "properties.template.outputs.o"},
    {HEAD "\n\"resources\":[],\"variables\":{\"copy\":[{\"name\":\"a\",\"input\":1}]}}",
     "InvalidRequestContent",
     CONTENT(
         "Required property 'count' not found in JSON. Path 'properties.template.variables.copy[0]', line 2, "
         "position 37"),
     "properties.template.variables.copy[0]"},
    {HEAD
     "\n\"resources\":[],\"functions\":[{\"namespace\":\"n\",\"members\":{\"f\":{\"parameters\":"
     "[{\"name\":\"a\",\"type\":\"int\",\"defaultValue\":1}],\"output\":{\"type\":\"int\",\"value\":1}}}}]}",
     "InvalidRequestContent",
     CONTENT("Could not find member 'defaultValue' on object of type 'TemplateFunctionParameter'. Path "
             "'properties.template.functions[0].members.f.parameters[0].defaultValue', line 2, position 114"),
     "properties.template.functions[0].members.f.parameters[0].defaultValue"},
    // arm-templates 9.2 schema, arm-templates 9.2 empty name
    {"{\"$schema\":\"https://example.com/x\",\"contentVersion\":\"1.0.0.0\",\"resources\":[]}",
     "InvalidTemplate",
     TEMPLATE("Template schema 'https://example.com/x' is not supported. Supported versions are "
              "'2014-04-01-preview,2015-01-01,2018-05-01,2019-04-01,2019-08-01'. Please see "
              "https://aka.ms/arm-template for usage details."),
     "properties.template.$schema"},
    {HEAD "\n\"resources\":[{\"type\":\"a/b\",\"name\":\"\"}]}", "InvalidTemplate",
     TEMPLATE("The template resource '' at line '2' and column '14' is not valid. The name property cannot "
              "be null or "
              "empty. Please see https://aka.ms/arm-template/#resources for usage details."),
     "properties.template.resources[0]"},
    // arm-templates 3
    {"{" SCHEMA "\"contentVersion\":\"1.0\",\"resources\":[]}", "InvalidTemplate",
     TEMPLATE("The template's content version '1.0' is not valid: four numbers are expected, as in "
              "'1.0.0.0'. Please "
              "see https://aka.ms/arm-template for usage details."),
     "properties.template.contentVersion"},
    {HEAD "\"languageVersion\":\"3.0\",\"resources\":[]}", "InvalidTemplate",
     TEMPLATE("The template's language version '3.0' is not supported. Supported versions are '1.0,2.0'. "
              "Please see "
              "https://aka.ms/arm-template for usage details."),
     "properties.template.languageVersion"},
    {HEAD "\"apiProfile\":\"2030-01-01\",\"resources\":[]}", "InvalidTemplate", NULL,
     "properties.template.apiProfile"},
    {TWO "\"extensions\":{},\"resources\":[]}", "InvalidTemplate", NULL, "properties.template.extensions"},
    {HEAD "\"definitions\":{},\"resources\":[]}", "InvalidTemplate", NULL, "properties.template.definitions"},
    {HEAD "\"resources\":[],\"parameters\":{\"p\":{\"type\":\"string\",\"nullable\":true}}}",
     "InvalidTemplate", NULL, "properties.template.parameters.p.nullable"},
    {HEAD "\n\"resources\":[],\"parameters\":{\"p\":{\"type\":\"int\"},\"P\":{\"type\":\"int\"}}}",
     "InvalidTemplate",
     TEMPLATE("The template parameter 'P' at line '2' and column '51' is defined multiple times in a "
              "template: names "
              "are the same in any case. Please see https://aka.ms/arm-template for usage details."),
     "properties.template.parameters.P"},
    {HEAD "\"resources\":[],\"variables\":{\"\":1}}", "InvalidTemplate", NULL,
     "properties.template.variables"},
    {HEAD "\"resources\":[],\"parameters\":{\"p\":{\"type\":\"bool\",\"minLength\":1}}}", "InvalidTemplate",
     NULL, "properties.template.parameters.p.minLength"},
    // arm-templates 3.1, 2.0
    {TWO "\"resources\":{},\"parameters\":{\"p\":{\"$ref\":\"#/definitions/none\"}}}", "InvalidTemplate",
     NULL, "properties.template.parameters.p.$ref"},
    {TWO "\"resources\":{},\"definitions\":{\"a\":{\"$ref\":\"#/definitions/b\"},\"b\":{\"$ref\":\"#/"
         "definitions/a\"}}}",
     "InvalidTemplate", NULL, "properties.template.definitions.a"},
    {TWO "\"resources\":{},\"definitions\":{\"a\":{\"type\":\"array\",\"items\":{\"type\":\"x\"}}}}",
     "InvalidRequestContent", NULL, "properties.template.definitions.a.items.type"},
    // arm-templates 3.4
    {HEAD
     "\"resources\":[{\"type\":\"a/b\",\"name\":\"n\",\"copy\":{\"name\":\"c\",\"count\":1},\"resources\":["
     "{\"type\":\"c\",\"name\":\"m\"}]}]}",
     "InvalidTemplate", NULL, "properties.template.resources[0]"},
    {HEAD "\"resources\":[{\"type\":\"a/b\",\"name\":\"n\",\"dependsOn\":[1]}]}", "InvalidRequestContent",
     NULL, "properties.template.resources[0].dependsOn[0]"},
    {HEAD "\"resources\":[{\"type\":\"a/b\",\"name\":\"n\",\"condition\":1}]}", "InvalidRequestContent", NULL,
     "properties.template.resources[0].condition"},
};

START_TEST(refuses)
{
    struct arena *arena = arena_new();
    struct plan_error error;
    ck_assert_ptr_null(read_text(arena, refused[_i].json, &error));
    ck_assert_str_eq(error.code, refused[_i].code);
    if (refused[_i].message)
        ck_assert_str_eq(error.message, refused[_i].message);
    ck_assert_str_eq(text_cstr(arena, error.path), refused[_i].path);
    arena_free(arena);
}
END_TEST

static const struct {
    const char *schema;
    bool known;
} schemas[] = {
    // arm-templates 3 $schema
    {"https://schema.management.azure.com/schemas/2014-04-01-preview/deploymentTemplate.json#", true},
    {"http://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json", true},
    {"HTTPS://Schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#", true},
    {"https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#", true},
    {"https://schema.management.azure.com/schemas/2019-08-01/managementGroupDeploymentTemplate.json#", true},
    {"https://schema.management.azure.com/schemas/2019-08-01/tenantDeploymentTemplate.json#", true},
    {"http://schemas.management.azure.com/deploymentTemplate?api-version=2014-04-01-preview", true},
    {"https://schema.management.azure.com/schemas/2016-01-01/deploymentTemplate.json#", false},
    {"https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json##", false},
    {"schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", false},
    {"", false},
};

START_TEST(schema_versions)
{
    struct arena *arena = arena_new();
    struct plan_error error;
    const char *json = arena_printf(
        arena, "{\"$schema\":\"%s\",\"contentVersion\":\"1.0.0.0\",\"resources\":[]}", schemas[_i].schema);
    ck_assert_int_eq(read_text(arena, json, &error) != NULL, schemas[_i].known);
    arena_free(arena);
}
END_TEST

static const struct {
    const char *section, *open, *each, *close;
    size_t limit;
} limits[] = {
    // arm-templates 10
    {"parameters", "{", "\"n%zu\":{\"type\":\"int\"},", "}", TEMPLATE_PARAMETERS},
    {"variables", "{", "\"n%zu\":1,", "}", TEMPLATE_VARIABLES},
    {"outputs", "{", "\"n%zu\":{\"type\":\"int\",\"value\":1},", "}", TEMPLATE_OUTPUTS},
    {"resources", "[", "{\"type\":\"a/b\",\"name\":\"n%zu\"},", "]", TEMPLATE_RESOURCES},
};

static const char *many(struct arena *arena, size_t section, size_t count)
{
    struct buffer out = buffer_new(arena);
    buffer_string(&out, HEAD);
    if (strcmp(limits[section].section, "resources") != 0)
        buffer_string(&out, "\"resources\":[],");
    buffer_format(&out, "\"%s\":%s", limits[section].section, limits[section].open);
    for (size_t i = 0; i < count; i++) {
        const char *hole = strstr(limits[section].each, "%zu");
        buffer_add(&out, limits[section].each, (size_t)(hole - limits[section].each));
        buffer_format(&out, "%zu%s", i, hole + 3);
    }
    buffer_string(&out, limits[section].close);
    buffer_string(&out, "}");
    return buffer_done(&out).base;
}

START_TEST(counts) // arm-templates 9.2 limits
{
    struct arena *arena = arena_new();
    struct plan_error error;
    size_t limit = limits[_i].limit, section = (size_t)_i;
    ck_assert_ptr_nonnull(read_text(arena, many(arena, section, limit), &error));
    ck_assert_ptr_null(read_text(arena, many(arena, section, limit + 1), &error));
    ck_assert_str_eq(
        error.message,
        arena_printf(
            arena,
            TEMPLATE("The number of template %s limit exceeded. Limit: '%zu' and actual: '%zu'. Please see "
                     "https://aka.ms/arm-template/#%s for usage details."),
            limits[_i].section, limit, limit + 1, limits[_i].section));
    arena_free(arena);
}
END_TEST

START_TEST(everything) // arm-templates 3.1-3.5
{
    struct arena *arena = arena_new();
    struct plan_error error;
    const struct template_document *d = read_text(
        arena,
        HEAD
        "apiProfile:'2020-09-01-hybrid',metadata:{x:1},"
        "parameters:{A:{type:'SecureString',minLength:3,metadata:{}},b:{type:'INT',defaultValue:null,"
        "allowedValues:[1,2],minValue:-1}},"
        "functions:[{namespace:'my',members:{f:{parameters:[{name:'x',type:'string'}],output:{type:'string',"
        "value:'[parameters(\\'x\\')]'}}}}],"
        "variables:{v:1,copy:[{name:'list',count:2,input:'[copyIndex()]'}],w:'x'},"
        "resources:[{type:'N/a',apiVersion:'1',name:'n',location:'l',condition:'[true()]',dependsOn:['x'],"
        "copy:{name:'c',count:'[parameters(\\'b\\')]',mode:'serial',batchSize:2},properties:{}},"
        "{type:'N/a',name:'p',resources:[{type:'b',name:'q',existing:true}]}],"
        "outputs:{o:{type:'secureObject',value:null,condition:false},q:{type:'array',copy:{count:1,input:1}}}"
        "}",
        &error);
    ck_assert_msg(d != NULL, "%s", error.message);
    ck_assert(text_is(d->api_profile, "2020-09-01-hybrid"));
    ck_assert(d->has_parameters && d->has_outputs && !d->version_2 && !d->symbolic);
    const struct template_parameter *a = document_parameter(d, TEXT("a")),
                                    *b = document_parameter(d, TEXT("B"));
    ck_assert_str_eq(template_type_name(a->type), "SecureString");
    ck_assert(a->type->minimum_length.set && a->type->minimum_length.bound == 3 && !a->default_value);
    ck_assert_str_eq(template_type_name(b->type), "Int");
    ck_assert(value_is(b->default_value, VALUE_NULL) && b->type->minimum.bound == -1);
    ck_assert_uint_eq(b->type->allowed_values->array.count, 2);
    const struct template_function *f = document_function(d, TEXT("MY.F"));
    ck_assert(f->parameter_count == 1 && text_is(f->parameters[0].name, "x") && f->output);
    ck_assert_uint_eq(d->variable_count, 2);
    ck_assert_ptr_nonnull(document_variable(d, TEXT("V")));
    ck_assert_ptr_null(document_variable(d, TEXT("copy")));
    ck_assert(d->variable_copy_count == 1 && text_is(d->variable_copies[0].name, "list"));
    ck_assert_uint_eq(d->resource_count, 2);
    const struct template_resource *n = &d->resources[0], *q = &d->resources[1].children[0];
    ck_assert(text_is(n->copy->name, "c") && n->copy->mode && n->copy->batch_size && n->condition);
    ck_assert(text_is(q->path, "properties.template.resources[1].resources[0]") && !q->existing);
    ck_assert(d->outputs[0].value && d->outputs[0].condition && template_type_secure(d->outputs[0].type));
    ck_assert(d->outputs[1].copy && !d->outputs[1].value);
    ck_assert_ptr_null(document_function(d, TEXT("my.g")));
    arena_free(arena);
}
END_TEST

START_TEST(second_version) // arm-templates 3.1: 2.0
{
    struct arena *arena = arena_new();
    struct plan_error error;
    const struct template_document *d = read_text(
        arena,
        TWO
        "definitions:{tree:{type:'object',properties:{name:{type:'string'},children:{type:'array',items:{$"
        "ref:"
        "'#/definitions/tree'},nullable:true}},additionalProperties:false},key:{type:'secureString'},"
        "one:{type:'object',discriminator:{propertyName:'kind',mapping:{a:{$ref:'#/definitions/tree'},"
        "b:{type:'object',additionalProperties:{type:'int'}}}}},'odd/"
        "~':{type:'array',prefixItems:[{type:'int'}],"
        "items:false}},"
        "parameters:{t:{$ref:'#/definitions/TREE',nullable:true},k:{$ref:'#/definitions/key',minLength:1},"
        "o:{$ref:'#/definitions/odd~1~0'},d:{$ref:'#/definitions/one'}},"
        "resources:{reg:{type:'N/a',apiVersion:'1',name:'n',existing:true}}}",
        &error);
    ck_assert_msg(d != NULL, "%s", error.message);
    ck_assert(d->version_2 && d->symbolic && !d->has_outputs && d->definition_count == 4);
    const struct template_type *tree = d->definitions[0].type, *t = document_parameter(d, TEXT("t"))->type,
                               *k = document_parameter(d, TEXT("k"))->type,
                               *o = template_type_base(document_parameter(d, TEXT("o"))->type),
                               *one = template_type_base(document_parameter(d, TEXT("d"))->type);
    ck_assert(t->reference == tree && template_type_nullable(t) && !template_type_nullable(tree));
    ck_assert(tree->additional.refused && tree->property_count == 2);
    ck_assert(template_type_base(tree->properties[1].type->items.type) == tree);
    ck_assert(template_type_secure(k) && k->minimum_length.set);
    ck_assert_str_eq(template_type_name(k), "SecureString");
    ck_assert_str_eq(template_type_name(t), "Object");
    ck_assert(o->items.refused && o->prefix_count == 1);
    ck_assert(text_is(one->discriminator, "kind") && one->mapping_count == 2);
    ck_assert(one->mapping[1].type->additional.type->kind == TEMPLATE_INT);
    ck_assert(d->resources[0].existing && text_is(d->resources[0].symbol, "reg"));
    ck_assert(text_is(d->resources[0].path, "properties.template.resources.reg"));
    arena_free(arena);
}
END_TEST

START_TEST(large_resources) // arm-templates 10: 1 MB each
{
    struct arena *arena = arena_new();
    struct plan_error error;
    char *filler = arena_alloc(arena, TEMPLATE_RESOURCE_BYTES + 1);
    memset(filler, 'x', TEMPLATE_RESOURCE_BYTES);
    const char *json =
        arena_printf(arena, HEAD "resources:[{type:'a/b',name:'n',properties:{x:'%s'}}]}", filler);
    ck_assert_ptr_null(read_text(arena, json, &error));
    ck_assert_str_eq(error.code, "InvalidTemplate");
    arena_free(arena);
}
END_TEST

Suite *suite_document(void)
{
    Suite *suite = suite_create("document");
    TCase *cases = tcase_create("document");
    tcase_add_loop_test(cases, refuses, 0, sizeof refused / sizeof *refused);
    tcase_add_loop_test(cases, schema_versions, 0, sizeof schemas / sizeof *schemas);
    tcase_add_loop_test(cases, counts, 0, sizeof limits / sizeof *limits);
    tcase_add_test(cases, everything);
    tcase_add_test(cases, second_version);
    tcase_add_test(cases, large_resources);
    suite_add_tcase(suite, cases);
    return suite;
}
