// Requests of deployments: what is read, and how mistakes are refused (arm-templates 1.1, 1.2).
#include "templates/content.h"

#include <check.h>

Suite *suite_content(void);

#define T "{\"$schema\":\"s\"}"
#define P(more) "{\"properties\":{\"mode\":\"incremental\",\"template\":" T more "}}"
#define REFUSED(what) "The request content was invalid and could not be deserialized: '" what ".'."

static const struct {
    const char *body, *message, *path;
} refused[] = {
    {"", REFUSED("Unexpected end when reading JSON. Path '', line 1, position 0"), ""},
    {"[]", REFUSED("Error converting value \"[]\" to type 'DeploymentContent'. Path '', line 1, position 1"),
     ""},
    {"{}", REFUSED("Required property 'properties' not found in JSON. Path '', line 1, position 1"), ""},
    {"{\"propertys\":{}}",
     REFUSED(
         "Could not find member 'propertys' on object of type 'DeploymentContent'. Path 'propertys', line 1, "
         "position 12"),
     "propertys"},
    {"{\"properties\":{}}",
     REFUSED("Required property 'mode' not found in JSON. Path 'properties', line 1, position 15"),
     "properties"},
    {"{\"properties\":{\"mode\":\"Increment\",\"template\":{}}}",
     REFUSED("Error converting value \"Increment\" to type 'DeploymentMode'. Path 'properties.mode', line 1, "
             "position "
             "33"),
     "properties.mode"},
    {"{\"properties\":{\"mode\":\"Complete\"}}",
     REFUSED("Exactly one of the properties 'template' and 'templateLink' must be specified. Path "
             "'properties', line "
             "1, position 15"),
     "properties"},
    {P(",\"templateLink\":{\"uri\":\"x\"}"), NULL, "properties"},
    {P(",\"debugSettings\":{}"),
     REFUSED("Could not find member 'debugSettings' on object of type 'DeploymentProperties'. Path "
             "'properties.debugSettings', line 1, position 78"),
     "properties.debugSettings"},
    {P(",\"debugSetting\":{\"detailLevel\":\"all\"}"), NULL, "properties.debugSetting.detailLevel"},
    {P(",\"parameters\":{\"a\":5}"), NULL, "properties.parameters.a"},
    {P(",\"parameters\":{\"a\":{\"Valu\":5}}"), NULL, "properties.parameters.a.Valu"},
    {P(",\"parameters\":{\"a\":{\"value\":5}},\"parametersLink\":{\"uri\":\"x\"}"), NULL, "properties"},
    {P(",\"onErrorDeployment\":{\"type\":\"SpecificDeployment\"}"), NULL, "properties.onErrorDeployment"},
    {P(",\"onErrorDeployment\":{}"), NULL, "properties.onErrorDeployment"},
    {P(",\"validationLevel\":\"Full\""), NULL, "properties.validationLevel"},
    {P(",\"whatIfSettings\":{\"resultFormat\":\"x\"}"), NULL, "properties.whatIfSettings.resultFormat"},
    {P(",\"expressionEvaluationOptions\":{\"scope\":\"x\"}"), NULL,
     "properties.expressionEvaluationOptions.scope"},
    {"{\"tags\":{\"a\":1},"
     "\"properties\":{}}",
     NULL, "tags.a"},
    {"{\"identity\":{\"type\":\"UserAssigned\"},\"properties\":{}}", NULL, "identity.type"},
    {"{\"properties\":{\"mode\":\"Complete\",\"templateLink\":{\"contentVersion\":\"1.0.0.0\"}}}", NULL,
     "properties.templateLink"},
    {"{\"properties\":{\"mode\":\"Complete\",\"template\":5}}", NULL, "properties.template"},
    {"{\"properties\":{\"mode\":\"Complete\",\"template\":\"{\\\"a\\\":[1\"}}",
     REFUSED("Unexpected end when deserializing array. Path 'properties.template.a[0]', line 1, position 7"),
     "properties.template.a[0]"},
};

START_TEST(refuses)
{
    struct arena *arena = arena_new();
    struct plan_error error;
    ck_assert_ptr_null(content_read(arena, text_of(refused[_i].body), &error));
    ck_assert_str_eq(error.code, "InvalidRequestContent");
    if (refused[_i].message)
        ck_assert_str_eq(error.message, refused[_i].message);
    ck_assert_str_eq(text_cstr(arena, error.path), refused[_i].path);
    arena_free(arena);
}
END_TEST

START_TEST(reads) // arm-templates 1.2
{
    struct arena *arena = arena_new();
    struct plan_error error;
    const struct content *c = content_read(
        arena,
        TEXT("{\"location\":\"westus\",\"Tags\":{\"a\":\"b\"},\"properties\":{\"MODE\":\"COMPLETE\","
             "\"parameters\":{\"p\":"
             "{\"value\":null}},\"debugSetting\":{\"detailLevel\":\"responsecontent,RequestContent\"},"
             "\"onErrorDeployment\":{\"type\":\"specificDeployment\",\"deploymentName\":\"d\"},"
             "\"expressionEvaluationOptions\":{\"scope\":\"INNER\"},\"validationLevel\":\"ProviderNoRbac\","
             "\"whatIfSettings\":{\"resultFormat\":\"resourceidonly\"}, template:{ // as az sends "
             "it\n\"x\":1}\n}}"),
        &error);
    ck_assert_msg(c != NULL, "%s", error.message);
    ck_assert(text_is(c->location, "westus") && c->tags && c->complete && c->inner && c->resource_ids_only);
    ck_assert(text_is(c->detail_level, "requestContent, responseContent") && c->debug_request &&
              c->debug_response);
    ck_assert(c->on_error == ON_ERROR_SPECIFIC && text_is(c->on_error_name, "d"));
    ck_assert(c->level == LEVEL_PROVIDER_NO_RBAC && VALUE_FIND(c->template, "x") && c->parameters);
    ck_assert_uint_eq(VALUE_FIND(c->template, "x")->line, 2); // the lines are those of the user's file
    arena_free(arena);
}
END_TEST

START_TEST(reads_little)
{
    struct arena *arena = arena_new();
    struct plan_error error;
    const struct content *c = content_read(
        arena,
        TEXT(
            "{\"properties\":{\"mode\":\"Incremental\",\"template\":\"{'x':[1,],}\",\"templateLink\":null}}"),
        &error);
    ck_assert_msg(c != NULL, "%s", error.message); // arm-templates 1.2: a template may be a string
    ck_assert(value_is(VALUE_FIND(c->template, "x"), VALUE_ARRAY) && !c->template_link && !c->complete);
    ck_assert(!c->location.base && !c->tags && !c->parameters && !c->detail_level.base && !c->inner);
    ck_assert(c->on_error == ON_ERROR_NONE && c->level == LEVEL_PROVIDER && !c->resource_ids_only);
    c = content_read(
        arena,
        TEXT("{\"properties\":{\"mode\":\"Incremental\",\"templateLink\":{\"uri\":\"https://h/t.json\","
             "\"contentVersion\":\"1.0.0.0\"},\"parametersLink\":{\"uri\":\"https://h/p.json\"}}}"),
        &error);
    ck_assert_msg(c != NULL, "%s", error.message);
    ck_assert(c->template_link && c->parameters_link && !c->template);
    arena_free(arena);
}
END_TEST

static const struct {
    const char *file, *parameters; // NULL: refused
} files[] = {
    {"{\"$schema\":\"https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#\","
     "\"contentVersion\":\"1.0.0.0\",\"parameters\":{\"a\":{\"value\":1}}}",
     "{\"a\":{\"value\":1}}"},
    {"{a:{value:[1]},}", "{\"a\":{\"value\":[1]}}"},
    {"{}", "{}"},
    {"{\"parameters\":{\"a\":{\"value\":1}}}", "{\"a\":{\"value\":1}}"},
    {"{\"parameters\":{\"value\":1}}", "{\"parameters\":{\"value\":1}}"},
    {"{\"$schema\":\"x\"}", NULL},
    {"{\"$schema\":\"x\",\"parameters\":{},\"more\":1}", NULL},
    {"{\"a\":1}", NULL},
    {"[]", NULL},
    {"{", NULL},
};

START_TEST(parameter_files)
{
    struct arena *arena = arena_new();
    struct plan_error error;
    const struct value *parameters = content_parameter_file(arena, text_of(files[_i].file), &error);
    if (files[_i].parameters)
        ck_assert_str_eq(value_to_json(arena, parameters).base, files[_i].parameters);
    else
        ck_assert(!parameters && error.message);
    arena_free(arena);
}
END_TEST

Suite *suite_content(void)
{
    Suite *suite = suite_create("content");
    TCase *cases = tcase_create("content");
    tcase_add_loop_test(cases, refuses, 0, sizeof refused / sizeof *refused);
    tcase_add_test(cases, reads);
    tcase_add_test(cases, reads_little);
    tcase_add_loop_test(cases, parameter_files, 0, sizeof files / sizeof *files);
    suite_add_tcase(suite, cases);
    return suite;
}
