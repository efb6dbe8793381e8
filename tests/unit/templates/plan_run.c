// What the run asks of a plan: bodies, outputs; and what the record shows of it
// (arm-templates 5.8, 3.5, 7.1, 9.3).
#include "plan_case.h"

#include <check.h>
#include <string.h>

Suite *suite_plan_run(void);

// Resources are as their ids say; what is called "missing" is not there.
static const struct value *get(void *context, struct arena *arena, struct text id, struct text api_version,
                               struct expression_error *error)
{
    (void)context;
    ptrdiff_t slash = text_rfind(id, '/');
    struct text name = text_slice(id, (size_t)slash + 1, id.length);
    if (text_is(name, "missing")) {
        *error = (struct expression_error){.code = "ResourceNotFound",
                                           .message = "The Resource 'missing' was not found."};
        return NULL;
    }
    return case_value(arena, text_of(arena_printf(
                                 arena,
                                 "{id:'%.*s',name:'%.*s',location:'here',sku:{name:'Basic'},properties:{name:"
                                 "'%.*s',version:'%.*s',items:[1,2]}}",
                                 TEXT_ARG(id), TEXT_ARG(name), TEXT_ARG(name), TEXT_ARG(api_version))));
}

static const struct value *post(void *context, struct arena *arena, struct text id, struct text action,
                                struct text api_version, const struct value *body,
                                struct expression_error *error)
{
    (void)context;
    (void)error;
    (void)id;
    return case_value(
        arena, text_of(arena_printf(arena, "{action:'%.*s',version:'%.*s',body:%s,passwords:[{value:'p'}]}",
                                    TEXT_ARG(action), TEXT_ARG(api_version),
                                    body ? value_to_json(arena, body).base : "null")));
}

static const struct plan_run run = {.get = get, .post = post};

#define X "{type:'A.B/c',apiVersion:'1',name:'x'}"
// The second resource's properties, or "!" and the message.
static const struct {
    const char *rule, *properties, *expected;
} bodies[] = {
    {"arm-templates 5.8 reference", "{a:\"[reference('x').version]\",b:null}", "{'a':'1'}"},
    {"arm-templates 5.8 reference of a version", "{a:\"[reference('x','7').version]\"}", "{'a':'7'}"},
    {"arm-templates 5.8 reference outside", "{a:\"[reference(resourceId('other','A.B/c','o'),'7').name]\"}",
     "{'a':'o'}"},
    {"arm-templates 5.8 Full", "{a:\"[reference('x','7','full')]\"}",
     "{'a':{'apiVersion':'7','location':'here','sku':{'name':'Basic'},'properties':{'name':'x','version':'7',"
     "'items':[1,2]"
     "},'subscriptionId':'10000000-0000-0000-0000-000000000001','resourceGroupName':'rg','resourceId':'A.B/c/"
     "x',"
     "'referenceApiVersion':'7','condition':true,'isConditionTrue':true,'isTemplateResource':true,'isAction':"
     "false,"
     "'provisioningOperation':'Read'}}"},
    {"arm-templates 5.8 list",
     "{a:\"[listCredentials(resourceId('A.B/c','x'),'2017-10-01').passwords[0].value]\"}", "{'a':'p'}"},
    {"arm-templates 5.8 list with a body", "{a:\"[listThings('x','1',createObject('k',1))]\"}",
     "{'a':{'action':'listThings','version':'1','body':{'k':1},'passwords':[{'value':'p'}]}}"},
    {"arm-templates 4.3 a branch that is not taken is not asked",
     "{a:\"[if(false(),reference('missing','1'),'b')]\"}", "{'a':'b'}"},
    {"arm-templates 4.3 a branch that is taken is", "{a:\"[if(true(),reference('missing','1'),'b')]\"}",
     "!Deployment template validation failed: 'The resource 'missing' is not defined in the template. Please "
     "see "
     "https://aka.ms/arm-template for usage details.'."},
    {"arm-templates 4.3 an argument that may be passed over",
     "{a:\"[coalesce('b',reference('missing','1'))]\"}", "{'a':'b'}"},
    {"arm-templates 4.3 a condition is no branch",
     "{a:\"[if(equals(reference('missing','1'),','),'a','b')]\"}",
     "!Deployment template validation failed: 'The resource 'missing' is not defined in the template. Please "
     "see "
     "https://aka.ms/arm-template for usage details.'."},
    {"arm-templates 4.3 a branch that is not taken is not asked",
     "{a:\"[if(false(),reference(resourceId('A.B/c','missing'),'1'),'b')]\"}", "{'a':'b'}"},
    {"arm-templates 9.3 run", "{a:\"[reference(resourceId('A.B/c','missing'),'1')]\"}",
     "!Unable to process template language expressions for resource "
     "'/subscriptions/10000000-0000-0000-0000-000000000001/"
     "resourceGroups/rg/providers/A.B/c/y' at line '1' and column '179'. 'The Resource 'missing' was not "
     "found.'"},
    {"arm-templates 4.3 run", "{a:\"[reference('x').nothing]\"}",
     "!Unable to process template language expressions for resource "
     "'/subscriptions/10000000-0000-0000-0000-000000000001/"
     "resourceGroups/rg/providers/A.B/c/y' at line '1' and column '179'. 'The language expression property "
     "'nothing' "
     "doesn't exist, available properties are 'name, version, items'.'"},
    {"arm-templates 3.4 property copy in the run",
     "{copy:[{name:'a',count:2,input:\"[reference('x').items[copyIndex('a')]]\"}]}", "{'a':[1,2]}"},
};

START_TEST(bodies_are_made_in_the_run)
{
    struct arena *arena = arena_new();
    struct plan_error error = {0};
    const struct plan_case c = {
        "",
        arena_printf(arena, "resources:[" X ",{type:'A.B/c',apiVersion:'1',name:'y',properties:%s}]",
                     bodies[_i].properties),
        NULL, ""};
    struct plan *plan = case_plan(arena, SCOPE_RESOURCE_GROUP, &c, &error);
    const struct value *body = plan ? plan_body(plan, &plan->nodes[1], &run, arena, &error) : NULL;
    struct buffer out = buffer_new(arena);
    if (body != NULL)
        value_write(&out, VALUE_FIND(body, "properties"), '\'');
    const char *got = body ? text_cstr(arena, buffer_done(&out)) : arena_printf(arena, "!%s", error.message);
    ck_assert_msg(strcmp(got, bodies[_i].expected) == 0, "%s: %s\nexpected: %s\ngot:      %s",
                  bodies[_i].rule, bodies[_i].properties, bodies[_i].expected, got);
    arena_free(arena);
}
END_TEST

START_TEST(loops_are_read_whole) // arm-templates 5.8 references
{
    struct arena *arena = arena_new();
    struct plan_error error = {0};
    const struct plan_case c = {
        "",
        "languageVersion:'2.0',resources:{l:{type:'A.B/c',apiVersion:'1',name:"
        "\"[format('x{0}',copyIndex())]\",condition:\"[not(equals(copyIndex(),1))]\",copy:{name:"
        "'l',count:3}},y:{type:'A.B/c',apiVersion:'1',name:'y',properties:{a:"
        "\"[map(references('l'),lambda('r',lambdaVariables('r').name))]\"}}}",
        NULL, ""};
    struct plan *plan = case_plan(arena, SCOPE_RESOURCE_GROUP, &c, &error);
    ck_assert_msg(plan != NULL, "%s", error.message);
    const struct value *body = plan_body(plan, &plan->nodes[3], &run, arena, &error);
    ck_assert_msg(body != NULL, "%s", error.message);
    ck_assert_str_eq(value_to_json(arena, body).base, "{\"properties\":{\"a\":[\"x0\",\"x2\"]}}");
    arena_free(arena);
}
END_TEST

START_TEST(nested_parameters_of_the_run) // arm-templates 3.6
{
    struct arena *arena = arena_new();
    struct plan_error error = {0};
    const struct plan_case c = {
        "",
        "resources:[" X
        ",{type:'Microsoft.Resources/deployments',apiVersion:'1',name:'n',properties:{mode:'Incremental',"
        "expressionEvaluationOptions:{scope:'inner'},parameters:{p:{value:\"[reference('x').name]\"},q:{"
        "value:null}},"
        "template:{$schema:'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',"
        "contentVersion:'1.0.0.0',resources:[]}}}]",
        NULL, ""};
    struct plan *plan = case_plan(arena, SCOPE_RESOURCE_GROUP, &c, &error);
    ck_assert_msg(plan != NULL, "%s", error.message);
    const struct value *body = plan_body(plan, &plan->nodes[1], &run, arena, &error);
    ck_assert_msg(body != NULL, "%s", error.message);
    ck_assert_str_eq(value_to_json(arena, VALUE_FIND(VALUE_FIND(body, "properties"), "parameters")).base,
                     "{\"p\":{\"value\":\"x\"},\"q\":{\"value\":null}}");
    arena_free(arena);
}
END_TEST

static const struct {
    const char *rule, *outputs, *expected;
} outputs[] = {
    {"arm-templates 3.5",
     "{a:{type:'string',value:\"[reference('x').name]\"},b:{type:'INT',value:3},s:{type:"
     "'securestring',value:'secret'},c:{type:'array',copy:{count:2,input:\"[copyIndex()]\"}}}",
     "{'a':{'type':'String','value':'x'},'b':{'type':'Int','value':3},'s':{'type':'SecureString'},'c':{'type'"
     ":'Array',"
     "'value':[0,1]}}"},
    {"arm-templates 3.5 condition",
     "{a:{type:'string',condition:false,value:\"[reference('x').nothing]\"},b:{type:'bool',"
     "condition:\"[true()]\",value:true}}",
     "{'b':{'type':'Bool','value':true}}"},
    {"arm-templates 9.3 type",
     "{a:{type:'int',value:\"[null()]\"},b:{type:'string',value:\"[reference('x').nothing]\"}}",
     "!a: The template output 'a' is not valid: Template output JToken type is not valid. Expected "
     "'Integer'. Actual "
     "'Null'.Please see https://aka.ms/arm-template/#outputs for usage details..\n"
     "!b: The template output 'b' is not valid: The language expression property 'nothing' doesn't exist, "
     "available "
     "properties are 'name, version, items'.."},
};

START_TEST(outputs_are_evaluated)
{
    struct arena *arena = arena_new();
    struct plan_error error = {0};
    const struct plan_case c = {"", arena_printf(arena, "resources:[" X "],outputs:%s", outputs[_i].outputs),
                                NULL, ""};
    struct plan *plan = case_plan(arena, SCOPE_RESOURCE_GROUP, &c, &error);
    ck_assert_msg(plan != NULL, "%s", error.message);
    struct plan_output_error *errors = NULL;
    size_t count = 0;
    const struct value *value = plan_outputs(plan, &run, arena, &errors, &count);
    struct buffer out = buffer_new(arena);
    if (value != NULL)
        value_write(&out, value, '\'');
    for (size_t i = 0; i < count; i++)
        buffer_format(&out, "%s!%.*s: %s", i > 0 ? "\n" : "", TEXT_ARG(errors[i].name), errors[i].message);
    ck_assert_str_eq(text_cstr(arena, buffer_done(&out)), outputs[_i].expected);
    arena_free(arena);
}
END_TEST

static const struct plan_case refused_outputs[] = {
    // Mistakes in outputs were found when everything was made.
    {"arm-templates 9.2 parameter",
     "resources:[],outputs:{o:{type:'string',value:\"[if(true(),'x',parameters('nope'))]\"}}", NULL,
     "!Deployment template validation failed: 'The template output 'o' is not valid: The template parameter "
     "'nope' is not found. Please see https://aka.ms/arm-template/#parameters for usage details..'."},
    {"arm-templates 9.2 variable", "resources:[],outputs:{o:{type:'string',value:\"[variables('nope')]\"}}",
     NULL,
     "!Deployment template validation failed: 'The template output 'o' is not valid: The template variable "
     "'nope' is not found. Please see https://aka.ms/arm-template/#variables for usage details..'."},
    {"arm-templates 4.4 copyIndex", "resources:[],outputs:{o:{type:'int',value:\"[copyIndex()]\"}}", NULL,
     "!Deployment template validation failed: 'The template output 'o' is not valid: The template function "
     "'copyIndex' is not expected at this location. The function can only be used in a resource with copy "
     "specified. Please see https://aka.ms/arm-copy for usage details..'."},
    {"arm-templates 3.5 copyIndex of another loop",
     "resources:[],outputs:{o:{type:'array',copy:{count:1,input:\"[copyIndex('nope')]\"}}}", NULL,
     "!Deployment template validation failed: 'The template output 'o' is not valid: The template function "
     "'copyIndex' has an invalid argument. The provided copy name 'nope' doesn't exist in the resource. "
     "Please see "
     "https://aka.ms/arm-copy for usage details..'."},
    {"arm-templates 5.8", "resources:[],outputs:{o:{type:'string',value:\"[reference('x').b]\"}}", NULL,
     "!Deployment template validation failed: 'The resource 'x' is not defined in the template. Please see "
     "https://aka.ms/arm-template for usage details.'."},
    {"arm-templates 9.2", "resources:[],outputs:{o:{type:'string',value:'[reference(]'}}", NULL,
     "!Deployment template language expression evaluation failed: 'Unable to parse language expression "
     "'reference(': "
     "expected token 'Identifier' and actual 'EndOfData'.'. Please see "
     "https://aka.ms/arm-template-expressions for usage "
     "details."},
};

START_TEST(outputs_are_refused)
{
    case_check(SCOPE_RESOURCE_GROUP, &refused_outputs[_i]);
}
END_TEST

START_TEST(the_record_tells_of_the_plan) // arm-templates 7.1, 7.2
{
    struct arena *arena = arena_new();
    struct plan_error error = {0};
    const struct plan_case c = {"",
                                "resources:[{type:'A.B/c',apiVersion:'1',name:'x',location:'West "
                                "US'},{type:'A.B/c',apiVersion:'1',name:'z',location:"
                                "'westus',condition:false},{type:'Microsoft.Resources/"
                                "deployments',apiVersion:'1',name:'n',dependsOn:['x'],properties:"
                                "{mode:'Incremental',template:{$schema:'https://schema.management.azure.com/"
                                "schemas/2019-04-01/deploymentTemplate"
                                ".json#',contentVersion:'1.0.0.0',resources:[{type:'D.E/"
                                "f',apiVersion:'1',name:'w'}]}}},{type:'A.B/c',apiVersion:'1',"
                                "name:'y',dependsOn:['x','z'],properties:{a:\"[listKeys('x','7').b]\",c:\"["
                                "reference(resourceId('A.B/c','x'),'8').d]\""
                                "}}]",
                                NULL, ""};
    const struct plan *plan = case_plan(arena, SCOPE_RESOURCE_GROUP, &c, &error);
    ck_assert_msg(plan != NULL, "%s", error.message);
    ck_assert_str_eq(
        value_to_json(arena, plan_providers(plan, arena)).base,
        "[{\"namespace\":\"A.B\",\"resourceTypes\":[{\"resourceType\":\"c\",\"locations\":[\"westus\",null]}]"
        "},"
        "{\"namespace\":\"Microsoft.Resources\",\"resourceTypes\":[{\"resourceType\":\"deployments\","
        "\"locations\":[null]}]}]");
#define GROUP "/subscriptions/10000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/"
    ck_assert_str_eq(
        value_to_json(arena, plan_dependencies(plan, arena)).base,
        "[{\"dependsOn\":[{\"id\":\"" GROUP
        "A.B/c/x\",\"resourceType\":\"A.B/c\",\"resourceName\":\"x\"}],\"id\":\"" GROUP
        "Microsoft.Resources/deployments/n\",\"resourceType\":\"Microsoft.Resources/"
        "deployments\",\"resourceName\":\"n\"},"
        "{\"dependsOn\":[{\"id\":\"" GROUP
        "A.B/c/x\",\"resourceType\":\"A.B/c\",\"resourceName\":\"x\"},{\"id\":\"" GROUP
        "A.B/c/x\",\"resourceType\":\"A.B/"
        "c\",\"resourceName\":\"x\",\"actionName\":\"listKeys\",\"apiVersion\":\"7\"},"
        "{\"id\":\"" GROUP
        "A.B/c/x\",\"resourceType\":\"A.B/c\",\"resourceName\":\"x\",\"apiVersion\":\"8\"}],\"id\":\"" GROUP
        "A.B/c/y\",\"resourceType\":\"A.B/c\",\"resourceName\":\"y\"}]");
    ck_assert_str_eq(value_to_json(arena, plan_validated_resources(plan, arena)).base,
                     "[{\"id\":\"" GROUP "A.B/c/x\"},{\"id\":\"" GROUP
                     "Microsoft.Resources/deployments/n\"},{\"id\":\"" GROUP "D.E/f/w\"},{\"id\":\"" GROUP
                     "A.B/c/y\"}]");
    arena_free(arena);
}
END_TEST

Suite *suite_plan_run(void)
{
    Suite *suite = suite_create("plan_run");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, bodies_are_made_in_the_run, 0, sizeof bodies / sizeof *bodies);
    tcase_add_test(tcase, loops_are_read_whole);
    tcase_add_test(tcase, nested_parameters_of_the_run);
    tcase_add_loop_test(tcase, outputs_are_evaluated, 0, sizeof outputs / sizeof *outputs);
    tcase_add_loop_test(tcase, outputs_are_refused, 0, sizeof refused_outputs / sizeof *refused_outputs);
    tcase_add_test(tcase, the_record_tells_of_the_plan);
    suite_add_tcase(suite, tcase);
    return suite;
}
