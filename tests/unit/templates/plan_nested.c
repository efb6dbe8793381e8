// Nested and linked deployments (arm-templates 3.6), their places, contents and plans.
#include "plan_case.h"

#include <check.h>
#include <string.h>

Suite *suite_plan_nested(void);

#define NOT_VALID "!Deployment template validation failed: '"
#define HEAD                                                                                                 \
    "{$schema:'https://schema.management.azure.com/schemas/2019-04-01/"                                      \
    "deploymentTemplate.json#',contentVersion:'1.0.0.0',"
#define NESTED(members, properties)                                                                          \
    "{type:'Microsoft.Resources/deployments',apiVersion:'1',name:'n'," members                               \
    "properties:{mode:'Incremental'," properties "}}"
#define INNER "expressionEvaluationOptions:{scope:'inner'},"
#define RESOURCE(name) "{type:'A.B/c',apiVersion:'1',name:" name "}"

static const struct plan_case cases[] = {
    {"arm-templates 3.6 inner",
     "variables:{v:'outer'},resources:[" NESTED(
         "",
         INNER "parameters:{p:{value:\"[variables('v')]\"}},"
               "template:" HEAD "parameters:{p:{type:'string'}},variables:{v:'inner'},resources:[" RESOURCE(
                   "\"[concat(parameters('p'),variables('v'))]\"") "]}") "]",
     NULL, "Microsoft.Resources/deployments/n 1\n  A.B/c/outerinner 1"},
    {"arm-templates 3.6 outer",
     "variables:{v:'outer'},resources:[" NESTED("", "template:" HEAD "variables:{v:'inner'},"
                                                    "resources:[" RESOURCE("\"[variables('v')]\"") "]}") "]",
     NULL, "Microsoft.Resources/deployments/n 1\n  A.B/c/outer 1"},
    // The default was outer there, too.
    {"arm-templates 3.6 languageVersion 2.0: inner",
     "languageVersion:'2.0',variables:{v:'outer'},resources:{s:" NESTED(
         "", "template:" HEAD "variables:{v:'inner'},resources:[" RESOURCE("\"[variables('v')]\"") "]}") "}",
     NULL, "Microsoft.Resources/deployments/n 1\n  A.B/c/inner 1"},
    {"arm-templates 3.6 languageVersion 2.0: outer",
     "languageVersion:'2.0',resources:[" NESTED(
         "", "expressionEvaluationOptions:{scope:'Outer'},template:" HEAD "resources:[]}") "]",
     NULL,
     NOT_VALID
     "The template resource 'n' at line '1' and column '188' is not valid. The expression evaluation "
     "scope 'outer' is not supported by languageVersion '2.0': it must be 'inner'. Please see "
     "https://aka.ms/arm-template/#resources for usage details.'."},
    {"arm-templates 3.6 another group",
     "resources:[" NESTED("resourceGroup:'other',", INNER
                          "template:" HEAD "resources:[" RESOURCE("\"[resourceGroup().name]\"") "]}") "]",
     NULL,
     "S/resourceGroups/other/providers/Microsoft.Resources/deployments/n 1\n  "
     "S/resourceGroups/other/providers/A.B/c/other 1"},
    {"arm-templates 3.6 outer: the parent's group",
     "resources:[" NESTED("resourceGroup:'other',",
                          "template:" HEAD "resources:[" RESOURCE("\"[resourceGroup().name]\"") "]}") "]",
     NULL,
     "S/resourceGroups/other/providers/Microsoft.Resources/deployments/n 1\n  "
     "S/resourceGroups/other/providers/A.B/c/rg 1"},
    {"arm-templates 3.6 another subscription",
     "resources:[" NESTED("subscriptionId:'20000000-0000-0000-0000-000000000002',"
                          "resourceGroup:'other',",
                          INNER "template:" HEAD "resources:[" RESOURCE("'x'") "]}") "]",
     NULL,
     "/subscriptions/20000000-0000-0000-0000-000000000002/resourceGroups/other/providers/Microsoft.Resources/"
     "deployments/n 1\n  "
     "/subscriptions/20000000-0000-0000-0000-000000000002/resourceGroups/other/providers/A.B/c/x 1"},
    {"arm-templates 3.6 to the subscription",
     "resources:[" NESTED("subscriptionId:\"[subscription().subscriptionId]\","
                          "location:'here',",
                          INNER "template:" HEAD "resources:["
                                "{type:'Microsoft.Resources/resourceGroups',apiVersion:'1',name:'g'}]}") "]",
     NULL, "S/providers/Microsoft.Resources/deployments/n 1\n  S/resourceGroups/g 1"},
    {"arm-templates 9.2 InvalidDeployment",
     "resources:[" NESTED("subscriptionId:\"[subscription().subscriptionId]\",",
                          INNER "template:" HEAD "resources:[]}") "]",
     NULL,
     "!The 'location' property must be specified for 'n'. Please see https://aka.ms/deploy-to-subscription "
     "for usage "
     "details."},
    {"arm-templates 1.2 location at a group's scope",
     "resources:[" NESTED("location:'here',", INNER "template:" HEAD "resources:[]}") "]", NULL,
     "!The 'location' property is not allowed for 'n' at resource group scope. Please see "
     "https://aka.ms/deploy-to-subscription for usage details."},
    {"arm-templates 3.6 tenant",
     "resources:[" NESTED("scope:'/',location:'here',", INNER "template:" HEAD "resources:[]}") "]", NULL,
     "/providers/Microsoft.Resources/deployments/n 1"},
    {"arm-templates 3.6 management group",
     "resources:[" NESTED("scope:'Microsoft.Management/managementGroups/m',location:"
                          "'here',",
                          INNER "template:" HEAD
                                "resources:[" RESOURCE("\"[managementGroup().name]\"") "]}") "]",
     NULL,
     "/providers/Microsoft.Management/managementGroups/m/providers/Microsoft.Resources/deployments/n 1\n  "
     "/providers/Microsoft.Management/managementGroups/m/providers/A.B/c/m 1"},
    {"arm-templates 3.6 no group yet",
     "resources:[" NESTED("resourceGroup:'nowhere',",
                          INNER "template:" HEAD "resources:[" RESOURCE("'x'") "]}") "]",
     NULL,
     "S/resourceGroups/nowhere/providers/Microsoft.Resources/deployments/n 1 "
     "{'properties':{'mode':'Incremental',"
     "'expressionEvaluationOptions':{'scope':'inner'},'template':{'$schema':'https://"
     "schema.management.azure.com/"
     "schemas/2019-04-01/deploymentTemplate.json#','contentVersion':'1.0.0.0','resources':[{'type':'A.B/c',"
     "'apiVersion':'1','name':'x'}]}}}"},
    {"arm-templates 3.6 complete",
     "resources:[{type:'Microsoft.Resources/deployments',apiVersion:'1',name:'n',properties:{"
     "mode:'Complete',template:" HEAD "resources:[]}}}]",
     NULL,
     NOT_VALID
     "The template resource 'n' at line '1' and column '166' is not valid. The mode 'Complete' is not "
     "supported for nested deployments: it must be 'Incremental'. Please see "
     "https://aka.ms/arm-template/#resources for usage details.'."},
    {"arm-templates 3.6 linked",
     "resources:[" NESTED("", "templateLink:{uri:'https://h/linked.json',contentVersion:'1.0.0.0'},"
                              "parameters:{n:{value:'x'}}") "]",
     NULL, "Microsoft.Resources/deployments/n 1\n  A.B/c/x 1"},
    {"arm-templates 1.2 contentVersion",
     "resources:[" NESTED("", "templateLink:{uri:'https://h/linked.json',contentVersion:"
                              "'1.2.3.5'},parameters:{n:{value:'x'}}") "]",
     NULL,
     NOT_VALID
     "The content version contained in the template '1.0.0.0' does not match the content version found in "
     "the deployment object's TemplateLink property '1.2.3.5'.'."},
    {"arm-templates 3.6 a link that is yet to be followed: the rest is planned",
     "resources:[" NESTED("", "templateLink:{uri:'https://h/awaited.json'}") "," RESOURCE("'x'") "]", NULL,
     "Microsoft.Resources/deployments/n 1 {'properties':{'mode':'Incremental','templateLink':{'uri':"
     "'https://h/awaited.json'}}}\nA.B/c/x 1"},
    {"arm-templates 3.6 a relative link in what a link led to",
     "resources:[" NESTED("", "templateLink:{uri:'https://h/a/further.json'}") "]", NULL,
     "Microsoft.Resources/deployments/n 1\n  Microsoft.Resources/deployments/further 1\n    A.B/c/f 1"},
    {"arm-templates 1.2 parametersLink",
     "resources:[" NESTED("", "templateLink:{uri:'https://h/linked.json'},parametersLink:{uri:"
                              "'https://h/values.json?sig=x',contentVersion:'1.0.0.0'}") "]",
     NULL, "Microsoft.Resources/deployments/n 1\n  A.B/c/v 1"},
    {"arm-templates 1.2 parametersLink's contentVersion",
     "resources:[" NESTED("", "templateLink:{uri:'https://h/linked.json'},parametersLink:{uri:"
                              "'https://h/values.json',contentVersion:'2.0.0.0'}") "]",
     NULL,
     NOT_VALID
     "The content version contained in the parameters '1.0.0.0' does not match the content version found in "
     "the deployment object's ParametersLink property '2.0.0.0'.'."},
    {"arm-templates 3.6 a link beside parameters of the run",
     "resources:[" RESOURCE("'x'") "," NESTED(
         "", "templateLink:{uri:'https://h/linked.json',contentVersion:'9.0.0.0'},parameters:{n:{value:"
             "\"[reference('x').y]\"}}") "]",
     NULL,
     NOT_VALID
     "The content version contained in the template '1.0.0.0' does not match the content version found in "
     "the deployment object's TemplateLink property '9.0.0.0'.'."},
    {"arm-templates 3.6 parameters of the run",
     "resources:[" RESOURCE("'x'") "," NESTED(
         "", INNER "parameters:{p:{value:"
                   "\"[reference('x').y]\"}},template:" HEAD "parameters:{p:{type:'string'}},"
                   "resources:[" RESOURCE("\"[parameters('p')]\"") "]}") "]",
     NULL, "A.B/c/x 1\nMicrosoft.Resources/deployments/n 1 <- 0* run"},
    {"arm-templates 3.6 outer: reads of the parent's",
     "resources:[" RESOURCE("'x'") "," NESTED(
         "", "template:" HEAD "resources:[{type:'A.B/c',apiVersion:'1',name:'y',properties:{a:"
             "\"[reference('x').b]\"}}]}") "]",
     NULL, "A.B/c/x 1\nMicrosoft.Resources/deployments/n 1 <- 0*\n  A.B/c/y 1 run"},
    {"arm-templates 3.6 outer: parameters are nothing",
     "resources:[" RESOURCE("'x'") "," NESTED(
         "", "parameters:{p:{value:\"[reference('x').y]\"}},template:" HEAD
             "parameters:{p:{type:'string'}},resources:[" RESOURCE("'y'") "]}") "]",
     NULL, "A.B/c/x 1\nMicrosoft.Resources/deployments/n 1\n  A.B/c/y 1"},
    {"arm-templates 3.6 outer: the run in a template only",
     "resources:[" RESOURCE("'x'") "," NESTED(
         "", "debugSetting:{detailLevel:\"[reference('x').y]\"},template:" HEAD "resources:[]}") "]",
     NULL,
     NOT_VALID
     "The nested deployment 'n' is of the outer scope: only its template may hold what the run answers. "
     "Please see https://aka.ms/arm-template/#resources for usage details.'."},
    {"arm-templates 3.6 outer: outputs do not read the nested",
     "resources:[" NESTED("",
                          "template:" HEAD "resources:[" RESOURCE("'x'") "],outputs:{o:{type:'string',value:"
                                                                         "\"[reference('x').b]\"}}}") "]",
     NULL,
     NOT_VALID
     "The resource 'x' is not defined in the template. Please see https://aka.ms/arm-template for usage "
     "details.'."},
    {"arm-templates 3.6 inner: outputs do",
     "resources:[" NESTED("", INNER "template:" HEAD "resources:[" RESOURCE(
                                  "'x'") "],outputs:{o:{type:'string',value:\"[reference('x').b]\"}}}") "]",
     NULL, "Microsoft.Resources/deployments/n 1\n  A.B/c/x 1"},
    {"arm-templates 5.8 reference of a nested one",
     "resources:[" NESTED("", INNER "template:" HEAD
                                    "resources:[]}") ","
                                                     "{type:'A.B/c',apiVersion:'1',name:'y',properties:{a:"
                                                     "\"[reference('n').outputs.o.value]\"}}]",
     NULL, "Microsoft.Resources/deployments/n 1\nA.B/c/y 1 <- 0* run"},
    {"arm-templates 9.2 in the nested",
     "resources:[" NESTED("", INNER "template:" HEAD "parameters:{p:{type:'int'}},"
                                    "resources:[]}") "]",
     NULL,
     NOT_VALID
     "The value for the template parameter 'p' at line '1' and column '406' is not provided. Please see "
     "https://aka.ms/resource-manager-parameter-files for usage details.'."},
};

START_TEST(deployments_nest)
{
    case_check(SCOPE_RESOURCE_GROUP, &cases[_i]);
}
END_TEST

static const struct plan_case subscription_cases[] = {
    {"arm-templates 3.6 a group that is made here",
     "resources:[{type:'Microsoft.Resources/resourceGroups',apiVersion:'1',name:'g',location:'West "
     "Here',tags:{a:'b'}},"
     "{type:'Microsoft.Resources/"
     "deployments',apiVersion:'1',name:'n',resourceGroup:'g',dependsOn:['g'],properties:{mode:"
     "'Incremental'," INNER "template:" HEAD "resources:[{type:'A.B/c',apiVersion:'1',name:'x',location:"
     "\"[resourceGroup().location]\",tags:\"[resourceGroup().tags]\"}]}}}]",
     NULL,
     "S/resourceGroups/g 1 {'location':'West Here','tags':{'a':'b'}}\n"
     "S/resourceGroups/g/providers/Microsoft.Resources/deployments/n 1 <- 0\n"
     "  S/resourceGroups/g/providers/A.B/c/x 1 {'location':'westhere','tags':{'a':'b'}}"},
};

START_TEST(subscription_deployments_nest)
{
    case_check(SCOPE_SUBSCRIPTION, &subscription_cases[_i]);
}
END_TEST

// What a deployment of the outer scope is sent with.
static const struct {
    const char *rule, *before, *template, *expected;
} literals[] = {
    {"arm-templates 3.6 outer", "parameters:{p:{type:'string',defaultValue:'its'}},",
     "resources:[{type:'A.B/"
     "c',apiVersion:'1',name:\"[concat('x',copyIndex())]\",copy:{name:'l',count:2},dependsOn:['z'],"
     "properties:{p:\"[parameters('p')]\",q:'[[x]'}},{type:'A.B/c',apiVersion:'1',name:'z',condition:false},"
     "{type:'A.B/d',apiVersion:'1',name:'w',dependsOn:['l']}]",
     "'resources':[{'type':'A.B/"
     "c','apiVersion':'1','name':'x0','properties':{'p':'its','q':'[[x]'}},{'type':'A.B/c',"
     "'apiVersion':'1','name':'x1','properties':{'p':'its','q':'[[x]'}},{'condition':false,'type':'A.B/"
     "c','apiVersion':"
     "'1','name':'z'},{'type':'A.B/d','apiVersion':'1','name':'w','dependsOn':['/subscriptions/"
     "10000000-0000-0000-0000-"
     "000000000001/resourceGroups/rg/providers/A.B/c/x0','/subscriptions/"
     "10000000-0000-0000-0000-000000000001/"
     "resourceGroups/rg/providers/A.B/c/x1']}]"},
    {"arm-templates 3.6 outer: what the run knows is left",
     "parameters:{p:{type:'string',defaultValue:\"it's\"}},",
     "resources:[{type:'A.B/c',apiVersion:'1',name:'y'},{type:'A.B/c',apiVersion:'1',name:'z',properties:{a:"
     "\"[concat(parameters('p'),reference('y').b,reference(concat('x','')).c[length(parameters('p'))])]\"}}]",
     "'resources':[{'type':'A.B/c','apiVersion':'1','name':'y'},{'type':'A.B/c','apiVersion':'1','name':'z',"
     "'properties':{'a':'[concat(\\'it\\'\\'s\\',reference(\\'/subscriptions/"
     "10000000-0000-0000-0000-000000000001/"
     "resourceGroups/rg/providers/A.B/c/y\\').b,reference(\\'/subscriptions/"
     "10000000-0000-0000-0000-000000000001/"
     "resourceGroups/rg/providers/A.B/c/x\\', \\'1\\').c[4])]'}}]"},
    {"arm-templates 3.6 outer: outputs", "variables:{v:[1,'[[a]']},",
     "resources:[],outputs:{o:{type:'array',value:\"[variables('v')]\"},r:{type:'string',value:"
     "\"[reference('x').c]\"}}",
     "'resources':[],'outputs':{'o':{'type':'array','value':[1,'[[a]']},'r':{'type':'"
     "string','value':"
     "\"[reference('/subscriptions/10000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/A.B/c/"
     "x', '1').c]\"}}"},
    // What was known became ['ab'] and [5], which are no expressions: such a deployment failed.
    {"arm-templates 3.6 outer: an output that is known", "variables:{v:'[[a]',n:5},",
     "resources:[],outputs:{o:{type:'string',value:\"[concat(variables('v'),'''')]\"},s:{type:'string',value:"
     "\"[variables('v')]\"},i:{type:'int',value:\"[variables('n')]\"},b:{type:'bool',condition:"
     "\"[not(false())]\",value:\"[true()]\"}}",
     "'resources':[],'outputs':{'o':{'type':'string','value':\"[a]'\"},'s':{'type':'string','value':'[[a]'},"
     "'i':{'type':'int','value':5},'b':{'type':'bool','condition':true,'value':true}}"},
    {"arm-templates 3.6 outer: beside what the run knows", "variables:{v:'[[a]'},",
     "resources:[{type:'A.B/c',apiVersion:'1',name:'z',properties:{a:\"[variables('v')]\",n:"
     "\"[length(variables('v'))]\",r:\"[reference('x').c]\"}}]",
     "'resources':[{'type':'A.B/c','apiVersion':'1','name':'z','properties':{'a':'[[a]','n':3,'r':"
     "\"[reference('/subscriptions/10000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/A.B/c/"
     "x', '1').c]\"}}]"},
    {"arm-templates 3.6 outer: an output's loop", "variables:{v:['a','b']},",
     "resources:[],outputs:{o:{type:'array',copy:{count:\"[length(variables('v'))]\",input:"
     "\"[concat(variables('v')[copyIndex()],string(copyIndex(1)))]\"}},r:{type:'array',copy:{count:1,input:"
     "\"[reference('x').c[copyIndex()]]\"}}}",
     "'resources':[],'outputs':{'o':{'type':'array','value':['a1','b2']},'r':{'type':'array','value':["
     "\"[reference('/subscriptions/10000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/A.B/c/"
     "x', '1').c[0]]\"]}}"},
    {"arm-templates 3.6 outer: a function of one's own, of what the run knows",
     "functions:[{namespace:'n',members:{f:{parameters:[{name:'a',type:'string'}],output:{type:'string',"
     "value:"
     "\"[toUpper(parameters('a'))]\"}}}}],",
     "resources:[],outputs:{o:{type:'string',value:\"[n.f(reference('x').c)]\"},p:{type:'string',value:"
     "\"[n.f('q')]\"}}",
     "'functions':[{'namespace':'n','members':{'f':{'parameters':[{'name':'a','type':'string'}],'output':{"
     "'type':'string','value':\"[toUpper(parameters('a'))]\"}}}}],'resources':[],'outputs':{'o':{'type':"
     "'string','value':\"[n.f(reference('/subscriptions/10000000-0000-0000-0000-000000000001/resourceGroups/"
     "rg/providers/A.B/c/x', '1').c)]\"},'p':{'type':'string','value':'Q'}}"},
};

START_TEST(outer_templates_become_literal)
{
    struct arena *arena = arena_new();
    struct plan_error error = {0};
    const struct plan_case c = {
        "",
        arena_printf(arena, "%sresources:[" RESOURCE("'x'") "," NESTED("", "template:" HEAD "%s}") "]",
                     literals[_i].before, literals[_i].template),
        NULL, ""};
    const struct plan *plan = case_plan(arena, SCOPE_RESOURCE_GROUP, &c, &error);
    ck_assert_msg(plan != NULL, "%s", error.message);
    const struct value *got = VALUE_FIND(VALUE_FIND(plan->nodes[1].nested_content, "properties"), "template");
    const struct value *expected = case_value(
        arena, text_of(arena_printf(arena,
                                    "{'$schema':'https://schema.management.azure.com/schemas/2019-04-01/"
                                    "deploymentTemplate.json#','contentVersion':'1.0.0.0',%s}",
                                    literals[_i].expected)));
    ck_assert_str_eq(value_to_json(arena, got).base, value_to_json(arena, expected).base);
    // It needs nothing but itself.
    struct plan_site site = case_site(arena, SCOPE_RESOURCE_GROUP);
    plan = plan_make(arena, &site, got, NULL, NULL, &error);
    ck_assert_msg(plan != NULL, "%s", error.message);
    arena_free(arena);
}
END_TEST

START_TEST(depth_is_bounded) // arm-templates 10: at least 5
{
    struct arena *arena = arena_new();
    for (int depth = 5; depth <= 12; depth += 7) {
        const char *members = "resources:[]";
        for (int i = 0; i < depth; i++)
            members =
                arena_printf(arena, "resources:[" NESTED("", INNER "template:" HEAD "%s}") "]", members);
        struct plan_error error = {0};
        const struct plan_case c = {"", members, NULL, ""};
        const struct plan *plan = case_plan(arena, SCOPE_RESOURCE_GROUP, &c, &error);
        ck_assert_msg((plan != NULL) == (depth == 5), "%d: %s", depth, plan ? "" : error.message);
        if (plan != NULL)
            ck_assert_uint_eq(plan_count(plan), 5);
    }
    arena_free(arena);
}
END_TEST

// arm-templates 10: bounds of all work. Each plan was small and paid for itself; all together took 250 MiB.
START_TEST(multiplying_loops_are_refused)
{
    static const char *const scopes[] = {INNER, ""};
    for (int depth = 2; depth <= 6; depth += 2) {
        struct arena *arena = arena_new();
        const char *members = depth == 6 ? "resources:[]"
                                         : "resources:[{type:'A.B/c',apiVersion:'1',name:\"[concat('x',"
                                           "copyIndex())]\",copy:{name:'l',count:800}}]";
        for (int i = 0; i < depth; i++)
            members = arena_printf(arena,
                                   "resources:[{type:'Microsoft.Resources/deployments',apiVersion:'1',name:"
                                   "\"[concat('n',copyIndex())]\",copy:{name:'l',count:%d},"
                                   "properties:{mode:'Incremental',%stemplate:" HEAD "%s}}}]",
                                   depth == 6 ? 5 : 800, scopes[_i], members);
        struct plan_error error = {0};
        const struct plan_case c = {"", members, NULL, ""};
        ck_assert_ptr_null(case_plan(arena, SCOPE_RESOURCE_GROUP, &c, &error));
        ck_assert_str_eq(error.code, "InvalidTemplate");
        ck_assert_uint_lt(arena_size(arena), 64 << 20);
        arena_free(arena);
    }
}
END_TEST

Suite *suite_plan_nested(void)
{
    Suite *suite = suite_create("plan_nested");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, deployments_nest, 0, sizeof cases / sizeof *cases);
    tcase_add_loop_test(tcase, subscription_deployments_nest, 0,
                        sizeof subscription_cases / sizeof *subscription_cases);
    tcase_add_loop_test(tcase, outer_templates_become_literal, 0, sizeof literals / sizeof *literals);
    tcase_add_test(tcase, depth_is_bounded);
    tcase_add_loop_test(tcase, multiplying_loops_are_refused, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
