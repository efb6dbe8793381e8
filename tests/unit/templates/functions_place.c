// Lambdas, functions of scope and resources, and where each function is legal (arm-templates 4.4, 5.6
// to 5.8).
#include "templates/language.h"

Suite *suite_functions_place(void);

#define SEE " Please see https://aka.ms/arm-functions for usage details."
#define NOT_HERE(f) "!The template function '" f "' is not expected at this location." SEE
#define S "/subscriptions/11111111-1111-1111-1111-111111111111"
#define OTHER "22222222-2222-2222-2222-222222222222"

static const struct language_case lambdas[] = {
    {"arm-templates 5.6 map", "[map(range(0, 3), lambda('i', mul(lambdaVariables('i'), 2)))]", "[0,2,4]"},
    {"arm-templates 5.6 map with index",
     "[map(createArray('a', 'b'), lambda('x', 'i', format('{0}{1}', lambdaVariables('x'), "
     "lambdaVariables('I'))))]",
     "[\"a0\",\"b1\"]"},
    {"arm-templates 5.6 filter",
     "[filter(range(0, 6), lambda('i', equals(mod(lambdaVariables('i'), 2), 0)))]", "[0,2,4]"},
    {"arm-templates 5.6 filter with index",
     "[filter(createArray('a', 'b', 'c'), lambda('x', 'i', greater(lambdaVariables('i'), 0)))]",
     "[\"b\",\"c\"]"},
    {"arm-templates 5.6 reduce",
     "[reduce(range(1, 4), 0, lambda('a', 'b', add(lambdaVariables('a'), lambdaVariables('b'))))]", "10"},
    {"arm-templates 5.6 reduce with index",
     "[reduce(createArray('x', 'y'), '', lambda('a', 'b', 'i', format('{0}{1}{2}', lambdaVariables('a'), "
     "lambdaVariables('b'), lambdaVariables('i'))))]",
     "\"x0y1\""},
    {"arm-templates 5.6 reduce of nothing", "[reduce(createArray(), 'start', lambda('a', 'b', fail('no')))]",
     "\"start\""},
    {"arm-templates 5.6 sort",
     "[sort(createArray(3, 1, 2), lambda('a', 'b', less(lambdaVariables('a'), lambdaVariables('b'))))]",
     "[1,2,3]"},
    {"arm-templates 5.6 sort is stable",
     "[map(sort(json('[{n:2,s:1},{n:1,s:2},{n:2,s:3},{n:1,s:4},{n:0,s:5}]'), lambda('a', 'b', "
     "less(lambdaVariables('a').n, lambdaVariables('b').n))), lambda('x', lambdaVariables('x').s))]",
     "[5,2,4,1,3]"},
    {"arm-templates 5.6 toObject",
     "[toObject(createArray('a', 'b'), lambda('x', concat('k', lambdaVariables('x'))))]",
     "{\"ka\":\"a\",\"kb\":\"b\"}"},
    {"arm-templates 5.6 toObject with values",
     "[toObject(createArray('a', 'b'), lambda('x', lambdaVariables('x')), lambda('x', "
     "length(lambdaVariables('x'))))]",
     "{\"a\":1,\"b\":1}"},
    {"arm-templates 5.6 toObject twice",
     "[toObject(createArray('a', 'A'), lambda('x', lambdaVariables('x')))]",
     "!The template language function 'toObject' was invoked with a lambda that returns the key 'a' more "
     "than once."},
    {"arm-templates 5.6 toObject key", "[toObject(createArray(1), lambda('x', lambdaVariables('x')))]",
     "!The template language function 'toObject' expects its lambda to return a value of type 'String'. The "
     "returned value "
     "is of type 'Integer'."},
    {"arm-templates 5.6 groupBy",
     "[groupBy(createArray('aa', 'b', 'cc'), lambda('x', string(length(lambdaVariables('x')))))]",
     "{\"2\":[\"aa\",\"cc\"],\"1\":[\"b\"]}"},
    {"arm-templates 5.6 groupBy with values",
     "[groupBy(createArray('aa', 'b'), lambda('x', 'all'), lambda('x', toUpper(lambdaVariables('x'))))]",
     "{\"all\":[\"AA\",\"B\"]}"},
    {"arm-templates 5.6 mapValues",
     "[mapValues(createObject('a', 1, 'b', 2), lambda('v', mul(lambdaVariables('v'), 10)))]",
     "{\"a\":10,\"b\":20}"},
    {"arm-templates 5.6 nested",
     "[map(createArray(1, 2), lambda('x', map(createArray(10, 20), lambda('y', add(lambdaVariables('x'), "
     "lambdaVariables('y'))))))]",
     "[[11,21],[12,22]]"},
    {"arm-templates 5.6 nearest",
     "[map(createArray(1), lambda('x', map(createArray(2), lambda('x', lambdaVariables('x')))))]", "[[2]]"},
    {"arm-templates 5.6 lambda elsewhere", "[lambda('x', 1)]",
     "!The template function 'lambda' is not expected at this location. The function can only be used as a "
     "direct argument "
     "of a function that takes a lambda." SEE},
    {"arm-templates 5.6 lambda as a value", "[map(createArray(1), if(true(), lambda('x', 1), 2))]",
     "!The template language function 'map' expects its second parameter to be a lambda."},
    {"arm-templates 5.6 variables", "[map(createArray(1), lambda(1))]",
     "!The template language function 'map' expects its second parameter to be a lambda of between '1' and "
     "'2' variable(s), "
     "while '0' were provided."},
    {"arm-templates 5.6 variables", "[sort(createArray(1), lambda('a', 1))]",
     "!The template language function 'sort' expects its second parameter to be a lambda of '2' variable(s), "
     "while '1' were "
     "provided."},
    {"arm-templates 5.6 names", "[map(createArray(1), lambda(toLower('a'), 1))]",
     "!The template language function 'lambda' expects its parameters before the last to be string literals: "
     "the names of "
     "its variables."},
    {"arm-templates 5.6 lambdaVariables", "[map(createArray(1), lambda('x', lambdaVariables('y')))]",
     "!The template lambda variable 'y' is not found." SEE},
    {"arm-templates 5.6 lambdaVariables outside", "[lambdaVariables('x')]",
     "!The template lambda variable 'x' is not found." SEE},
    {"arm-templates 5.6 array", "[map('a', lambda('x', 1))]",
     "!The template language function 'map' expects its first parameter to be of type 'Array'. The provided "
     "value is of "
     "type 'String'."},
    {"arm-templates 5.6 filter result", "[filter(createArray(1), lambda('x', 1))]",
     "!The template language function 'filter' expects its lambda to return a value of type 'Boolean'. The "
     "returned value is "
     "of type 'Integer'."},
    {"arm-templates 5.6 reference", "[map(createArray('r'), lambda('x', reference(lambdaVariables('x'))))]",
     "!The template function 'reference' cannot use lambda variables in its arguments." SEE},
    {"arm-templates 5.6 list", "[map(createArray('r'), lambda('x', listKeys(lambdaVariables('x'), 'v')))]",
     "!The template function 'listKeys' cannot use lambda variables in its arguments." SEE},
    {"arm-templates 5.6 reference without",
     "[map(createArray('r'), lambda('x', reference('r').reference[0]))]", "[\"r\"]"},
};

static const struct language_case scopes[] = {
    {"arm-templates 5.7 deployment", "[deployment().name]", "\"main\""},
    {"arm-templates 5.7 environment", "[environment().suffixes.acrLoginServer]", "\".azurecr.local\""},
    {"arm-templates 5.7 resourceGroup", "[resourceGroup().location]", "\"local\""},
    {"arm-templates 5.7 subscription", "[subscription().subscriptionId]",
     "\"11111111-1111-1111-1111-111111111111\""},
    {"arm-templates 5.7 tenant", "[tenant().tenantId]", "\"t\""},
    {"arm-templates 5.7 deployer", "[deployer().objectId]", "\"o\""},
    {"arm-templates 5.7 managementGroup", "[managementGroup()]",
     "!The deployment metadata 'MANAGEMENTGROUP' is not valid."},
    {"arm-templates 5.7 parameters", "[parameters('NAME')]", "\"registry1\""},
    {"arm-templates 5.7 parameters missing", "[parameters('n')]",
     "!The template parameter 'n' is not found. Please see https://aka.ms/arm-syntax-parameters for usage "
     "details."},
    {"arm-templates 5.7 parameters type", "[parameters(1)]",
     "!The template language function 'parameters' expects its parameter to be of type 'String'. The "
     "provided value is of "
     "type 'Integer'."},
    {"arm-templates 5.7 variables", "[variables('Greeting')]", "\"hello\""},
    {"arm-templates 5.7 variables missing", "[variables('n')]",
     "!The template variable 'n' is not found. Please see https://aka.ms/arm-syntax-variables for usage "
     "details."},
    {"arm-templates 5.7 fail", "[fail('because')]", "!because"},
    {"arm-templates 5.7 fail type", "[fail(1)]",
     "!The template language function 'fail' expects its parameter to be of type 'String'. The provided "
     "value is of type "
     "'Integer'."},
};

#define MULTI(f, list)                                                                                       \
    "!Unable to evaluate template language function '" f                                                     \
    "': function requires exactly one multi-segmented argument which must be resource type including "       \
    "resource provider "                                                                                     \
    "namespace. Current function arguments '" list "'. Please see https://aka.ms/arm-resource-functions/#" f \
    " for usage details."

static const struct language_case ids[] = {
    {"arm-templates 5.8 resourceId", "[resourceId('Microsoft.ContainerRegistry/registries', 'Reg')]",
     "\"" S "/resourceGroups/rg1/providers/Microsoft.ContainerRegistry/registries/Reg\""},
    {"arm-templates 5.8 resourceId child", "[resourceId('NS/t1/t2', 'n1', 'n2')]",
     "\"" S "/resourceGroups/rg1/providers/NS/t1/n1/t2/n2\""},
    {"arm-templates 5.8 resourceId, a slash behind the type", "[resourceId('NS/t1/', 'n1')]",
     "\"" S "/resourceGroups/rg1/providers/NS/t1/n1\""},
    {"arm-templates 5.8 resourceId of nothing", "[resourceId('NS/')]", MULTI("resourceId", "NS/")},
    {"arm-templates 5.8 subscriptionResourceId of a group",
     "[subscriptionResourceId('Microsoft.Resources/resourceGroups', 'x')]", "\"" S "/resourceGroups/x\""},
    {"arm-templates 5.8 resourceId group", "[resourceId('other', 'NS/t1', 'n1')]",
     "\"" S "/resourceGroups/other/providers/NS/t1/n1\""},
    {"arm-templates 5.8 resourceId subscription", "[resourceId('" OTHER "', 'other', 'NS/t1', 'n1')]",
     "\"/subscriptions/" OTHER "/resourceGroups/other/providers/NS/t1/n1\""},
    {"arm-templates 5.8 resourceId bad subscription", "[resourceId('nope', 'other', 'NS/t1', 'n1')]",
     "!The provided value 'nope' is not valid subscription identifier. Please see "
     "https://aka.ms/arm-resource-functions/#resourceId for usage details."},
    {"arm-templates 5.8 resourceId no type", "[resourceId('a', 'b')]", MULTI("resourceId", "a,b")},
    {"arm-templates 5.8 resourceId two types", "[resourceId('a/b', 'c/d')]", MULTI("resourceId", "a/b,c/d")},
    {"arm-templates 5.8 resourceId names", "[resourceId('NS/t1/t2', 'n1')]",
     "!Unable to evaluate template language function 'resourceId': the type 'NS/t1/t2' requires '2' resource "
     "name "
     "argument(s). Please see https://aka.ms/arm-resource-functions/#resourceId for usage details."},
    {"arm-templates 5.8 resourceId too many before", "[resourceId('a', 'b', 'c', 'NS/t', 'n')]",
     "!Unable to evaluate template language function 'resourceId': at most '2' argument(s) can stand before "
     "the resource "
     "type 'NS/t', while '3' were provided. Please see https://aka.ms/arm-resource-functions/#resourceId for "
     "usage details."},
    {"arm-templates 5.8 resourceId type", "[resourceId('NS/t', 1)]",
     "!Unable to evaluate template language function 'resourceId': all function arguments should be string "
     "literals. The "
     "argument at index '1' is of type 'Integer'. Please see "
     "https://aka.ms/arm-resource-functions/#resourceId for usage "
     "details."},
    {"arm-templates 5.8 subscriptionResourceId",
     "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'x')]",
     "\"" S "/providers/Microsoft.Authorization/roleDefinitions/x\""},
    {"arm-templates 5.8 subscriptionResourceId other", "[subscriptionResourceId('" OTHER "', 'NS/t', 'x')]",
     "\"/subscriptions/" OTHER "/providers/NS/t/x\""},
    {"arm-templates 5.8 subscriptionResourceId bad", "[subscriptionResourceId('rg', 'NS/t', 'x')]",
     "!The provided value 'rg' is not valid subscription identifier. Please see "
     "https://aka.ms/arm-resource-functions/#subscriptionResourceId for usage details."},
    {"arm-templates 5.8 tenantResourceId", "[tenantResourceId('NS/t/u', 'x', 'y')]",
     "\"/providers/NS/t/x/u/y\""},
    {"arm-templates 5.8 managementGroupResourceId", "[managementGroupResourceId('mg', 'NS/t', 'x')]",
     "\"/providers/Microsoft.Management/managementGroups/mg/providers/NS/t/x\""},
    {"arm-templates 5.8 managementGroupResourceId", "[managementGroupResourceId('NS/t', 'x')]",
     "!Unable to evaluate template language function 'managementGroupResourceId': a management group is "
     "required at this "
     "scope. Please see https://aka.ms/arm-resource-functions/#managementGroupResourceId for usage details."},
    {"arm-templates 5.8 extensionResourceId",
     "[extensionResourceId(resourceGroup().id, 'Microsoft.Authorization/locks', 'l')]",
     "\"" S "/resourceGroups/rg1/providers/Microsoft.Authorization/locks/l\""},
    {"arm-templates 5.8 extensionResourceId type", "[extensionResourceId('/a', 'b', 'c')]",
     MULTI("extensionResourceId", "/a,b,c")},
};

static const struct language_case runs[] = {
    {"arm-templates 5.8 reference", "[reference('r')]", "{\"reference\":[\"r\",\"\",false]}"},
    {"arm-templates 5.8 reference", "[reference('r', '2019-05-01')]",
     "{\"reference\":[\"r\",\"2019-05-01\",false]}"},
    {"arm-templates 5.8 reference full", "[REFERENCE('r', '2019-05-01', 'full')]",
     "{\"reference\":[\"r\",\"2019-05-01\",true]}"},
    {"arm-templates 5.8 reference full alone", "[reference('r', 'Full')]",
     "{\"reference\":[\"r\",\"\",true]}"},
    {"arm-templates 5.8 reference third", "[reference('r', '2019-05-01', 'x')]",
     "!Unable to evaluate template language function 'reference': the argument 'x' is not valid. The only "
     "supported value is "
     "'Full'. Please see https://aka.ms/arm-resource-functions/#reference for usage details."},
    {"arm-templates 5.8 reference missing", "[reference('missing')]",
     "!The resource 'missing' is not defined in the template."},
    {"arm-templates 5.8 reference type", "[reference(1)]",
     "!Unable to evaluate template language function 'reference': the argument at index '0' must be of type "
     "'String', but "
     "it is of type 'Integer'. Please see https://aka.ms/arm-resource-functions/#reference for usage "
     "details."},
    {"arm-templates 5.8 references", "[references('loop', 'Full')]", "{\"references\":[\"loop\",\"\",true]}"},
    {"arm-templates 5.8 resourceInfo", "[resourceInfo('symbol')]",
     "{\"resourceInfo\":[\"symbol\",\"\",false]}"},
    {"arm-templates 5.8 list", "[listCredentials('r', '2019-05-01').list[0]]", "\"listCredentials\""},
    {"arm-templates 5.8 list with a body", "[ListUsages('r', 'v', createObject())]",
     "{\"list\":[\"ListUsages\",\"r\",true]}"},
    {"arm-templates 5.8 list count", "[listKeys('r')]",
     "!Unable to evaluate template language function 'listKeys': function requires between 2 and 3 "
     "argument(s) while 1 were "
     "provided. Please see https://aka.ms/arm-resource-functions/#listKeys for usage details."},
    {"arm-templates 5.8 list alone", "[list('r', 'v')]", "!The template function 'list' is not valid." SEE},
    {"arm-templates 5.8 providers", "[providers('NS', 't')]", "{\"providers\":[\"NS\",\"t\",true]}"},
    {"arm-templates 5.8 providers", "[providers('NS')]", "{\"providers\":[\"NS\",\"\",false]}"},
    {"arm-templates 5.8 pickZones", "[pickZones('NS', 't', 'local', 2)]", "[]"},
    {"arm-templates 5.8 toLogicalZone", "[toLogicalZone('s', 'local', '1')]", "\"1\""},
    {"arm-templates 5.8 toPhysicalZone", "[toPhysicalZone('s', 'local', '2')]", "\"2\""},
};

static const struct language_case in_defaults[] = {
    {"arm-templates 4.4 parameter", "[parameters('name')]", "\"registry1\""},
    {"arm-templates 4.4 scope", "[resourceGroup().name]", "\"rg1\""},
    {"arm-templates 4.4 newGuid", "[length(newGuid())]", "36"},
    {"arm-templates 4.4 variables", "[variables('greeting')]", NOT_HERE("variables")},
    {"arm-templates 4.4 reference", "[reference('r')]", NOT_HERE("reference")},
    {"arm-templates 4.4 list", "[listKeys('r', 'v')]", NOT_HERE("listKeys")},
};
static const struct language_case in_variables[] = {
    {"arm-templates 4.4 variable", "[variables('greeting')]", "\"hello\""},
    {"arm-templates 4.4 utcNow", "[utcNow()]", NOT_HERE("utcNow")},
    {"arm-templates 4.4 newGuid", "[newGuid()]", NOT_HERE("newGuid")},
    {"arm-templates 4.4 reference", "[reference('r')]", NOT_HERE("reference")},
    {"arm-templates 4.4 references", "[references('r')]", NOT_HERE("references")},
};
static const struct language_case in_heads[] = {
    {"arm-templates 3.4 reference", "[reference('r')]", NOT_HERE("reference")},
    {"arm-templates 3.4 list", "[listKeys('r', 'v')]", NOT_HERE("listKeys")},
    {"arm-templates 4.4 utcNow", "[utcNow()]", NOT_HERE("utcNow")},
    {"arm-templates 5.8 resourceInfo", "[resourceInfo('s').resourceInfo[0]]", "\"s\""},
};
static const struct language_case in_outputs[] = {
    {"arm-templates 4.4 reference", "[reference('r').reference[0]]", "\"r\""},
    {"arm-templates 4.4 newGuid", "[newGuid()]", NOT_HERE("newGuid")},
    {"arm-templates 4.4 copyIndex", "[copyIndex()]",
     "!The template function 'copyIndex' is not expected at this location. The function can only be used in "
     "a resource with "
     "copy specified. Please see https://aka.ms/arm-copy for usage details."},
};

START_TEST(lambda_functions)
{
    LANGUAGE_CHECK(lambdas, PLACE_RESOURCE_BODY);
}
END_TEST

START_TEST(scope_functions)
{
    LANGUAGE_CHECK(scopes, PLACE_RESOURCE_BODY);
}
END_TEST

START_TEST(resource_ids)
{
    LANGUAGE_CHECK(ids, PLACE_RESOURCE_BODY);
}
END_TEST

START_TEST(functions_of_a_run)
{
    LANGUAGE_CHECK(runs, PLACE_RESOURCE_BODY);
}
END_TEST

START_TEST(places)
{
    LANGUAGE_CHECK(in_defaults, PLACE_PARAMETER_DEFAULT);
    LANGUAGE_CHECK(in_variables, PLACE_VARIABLE);
    LANGUAGE_CHECK(in_heads, PLACE_RESOURCE_HEAD);
    LANGUAGE_CHECK(in_outputs, PLACE_OUTPUT);
}
END_TEST

START_TEST(other_scopes) // arm-templates 4.4, 5.7, 5.8
{
    static const struct {
        enum evaluation_scope scope;
        const char *expression, *expected;
    } cases[] = {
        {SCOPE_SUBSCRIPTION, "[resourceGroup()]", NOT_HERE("RESOURCEGROUP")},
        {SCOPE_SUBSCRIPTION, "[subscription().displayName]", "\"d\""},
        {SCOPE_SUBSCRIPTION, "[resourceId('NS/t', 'n')]", "\"" S "/providers/NS/t/n\""},
        {SCOPE_SUBSCRIPTION, "[resourceId('Microsoft.Resources/resourceGroups', 'n')]",
         "\"" S "/resourceGroups/n\""},
        {SCOPE_SUBSCRIPTION, "[resourceId('" OTHER "', 'NS/t', 'n')]",
         "\"/subscriptions/" OTHER "/providers/NS/t/n\""},
        {SCOPE_SUBSCRIPTION, "[resourceId('" OTHER "', 'rg', 'NS/t', 'n')]",
         "\"/subscriptions/" OTHER "/resourceGroups/rg/providers/NS/t/n\""},
        {SCOPE_SUBSCRIPTION, "[resourceId('rg', 'NS/t', 'n')]",
         "!The provided value 'rg' is not valid subscription identifier. Please see "
         "https://aka.ms/arm-resource-functions/#resourceId for usage details."},
        {SCOPE_MANAGEMENT_GROUP, "[subscription()]", NOT_HERE("SUBSCRIPTION")},
        {SCOPE_MANAGEMENT_GROUP, "[managementGroup().name]", "\"mg1\""},
        {SCOPE_MANAGEMENT_GROUP, "[resourceId('NS/t', 'n')]", "\"/providers/NS/t/n\""},
        {SCOPE_MANAGEMENT_GROUP, "[managementGroupResourceId('NS/t', 'n')]",
         "\"/providers/Microsoft.Management/managementGroups/mg1/providers/NS/t/n\""},
        {SCOPE_TENANT, "[resourceId('NS/t', 'n')]", "\"/providers/NS/t/n\""},
        {SCOPE_TENANT, "[resourceGroup()]", NOT_HERE("RESOURCEGROUP")},
        {SCOPE_TENANT, "[tenant().tenantId]", "\"t\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct language l;
        language_open(&l);
        l.e.scope = cases[i].scope;
        struct text got = language_evaluate(&l, text_of(cases[i].expression));
        ck_assert_msg(text_is(got, cases[i].expected), "%s: %s", cases[i].expression, got.base);
        language_close(&l);
    }
}
END_TEST

START_TEST(without_hooks)
{
    static const struct {
        const char *expression, *expected;
    } cases[] = {
        {"[parameters('a')]", NOT_HERE("parameters")},
        {"[variables('a')]", NOT_HERE("variables")},
        {"[reference('a')]", NOT_HERE("reference")},
        {"[references('a')]", NOT_HERE("references")},
        {"[listA('a', 'v')]", NOT_HERE("listA")},
        {"[resourceInfo('a')]", NOT_HERE("resourceInfo")},
        {"[providers('a')]", NOT_HERE("providers")},
        {"[deployment()]", NOT_HERE("deployment")},
        {"[ns.twice('a')]", "!The template function 'ns.twice' is not valid." SEE},
    };
    static const struct evaluation_hooks none;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct language l;
        language_open(&l);
        l.e.hooks = &none;
        struct text got = language_evaluate(&l, text_of(cases[i].expression));
        ck_assert_msg(text_is(got, cases[i].expected), "%s: %s", cases[i].expression, got.base);
        language_close(&l);
    }
}
END_TEST

Suite *suite_functions_place(void)
{
    Suite *suite = suite_create("lambdas, scopes and resources");
    TCase *all = tcase_create("all");
    tcase_add_test(all, lambda_functions);
    tcase_add_test(all, scope_functions);
    tcase_add_test(all, resource_ids);
    tcase_add_test(all, functions_of_a_run);
    tcase_add_test(all, places);
    tcase_add_test(all, other_scopes);
    tcase_add_test(all, without_hooks);
    suite_add_tcase(suite, all);
    return suite;
}
