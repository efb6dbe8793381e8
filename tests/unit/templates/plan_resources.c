// Resources of a template: names, types, ids, conditions, loops, dependencies (arm-templates 3.4, 5.8, 6).
#include "plan_case.h"

#include <check.h>
#include <time.h>

Suite *suite_plan_resources(void);

#define NOT_VALID "!Deployment template validation failed: '"
#define SEGMENTS                                                                                             \
    "has incorrect segment lengths. A nested resource type must have identical number of segments as its "   \
    "resource name. A root resource type must have segment length one greater than its resource name. "      \
    "Please see https://aka.ms/arm-template/#resources for usage details.'."
#define UNDEFINED                                                                                            \
    "is not defined in the template. Please see https://aka.ms/arm-template for usage details.'."

static const struct plan_case cases[] = {
    {"arm-templates 3.4 body",
     "resources:[{type:'A.B/c',apiVersion:'1',name:'x',location:'West US',tags:{a:'b'},"
     "sku:{name:'Basic'},comments:'not sent',zones:null,properties:{a:null,b:[null,1]}}]",
     NULL,
     "A.B/c/x 1 {'location':'West US','tags':{'a':'b'},'sku':{'name':'Basic'},'properties':{'b':[null,1]}}"},
    {"arm-templates 3.4 child",
     "resources:[{type:'A.B/c',apiVersion:'1',name:'x',resources:[{type:'d',apiVersion:'2',"
     "name:'y',resources:[{type:'e',apiVersion:'3',name:'z'}]},{type:'A.B/c/d',"
     "apiVersion:'2',name:'x/w'}]}]",
     NULL, "A.B/c/x 1\nA.B/c/x/d/y 2\nA.B/c/x/d/y/e/z 3\nA.B/c/x/d/w 2"},
    {"arm-templates 3.4 segments", "resources:[{type:'A.B/c/d',apiVersion:'1',name:'x'}]", NULL,
     NOT_VALID "The template resource 'x' for type 'A.B/c/d' at line '1' and column '142' " SEGMENTS},
    {"arm-templates 3.4 segments", "resources:[{type:'A.B/c',apiVersion:'1',name:'x/y'}]", NULL,
     NOT_VALID "The template resource 'x/y' for type 'A.B/c' at line '1' and column '140' " SEGMENTS},
    {"arm-templates 3.4 segments: an empty one is none",
     "resources:[{type:'A.B/c/d',apiVersion:'1',name:'x/'}]", NULL,
     NOT_VALID "The template resource 'x/' for type 'A.B/c/d' at line '1' and column '142' " SEGMENTS},
    {"arm-templates 9.2 empty name", "resources:[{type:'A.B/c',apiVersion:'1',name:\"[concat('')]\"}]", NULL,
     NOT_VALID
     "The template resource '' at line '1' and column '140' is not valid. The name property cannot be null "
     "or empty. Please see https://aka.ms/arm-template/#resources for usage details.'."},
    {"arm-templates 11: a type that ends with a slash",
     "resources:[{type:'A.B/c/d/',apiVersion:'1',name:'x/y'}]", NULL, "A.B/c/x/d/y 1"},
    {"arm-templates 3.4 extension (a) relative",
     "resources:[{type:'A.B/c',apiVersion:'1',name:'x'},{type:"
     "'Microsoft.Authorization/locks',apiVersion:'2',name:'l',scope:'A.B/c/x'}]",
     NULL, "A.B/c/x 1\nA.B/c/x/providers/Microsoft.Authorization/locks/l 2"},
    {"arm-templates 3.4 extension (a) full",
     "resources:[{type:'Microsoft.Authorization/locks',apiVersion:'2',name:'l',"
     "scope:\"[resourceId('A.B/c','x')]\"}]",
     NULL, "A.B/c/x/providers/Microsoft.Authorization/locks/l 2"},
    {"arm-templates 3.4 extension (a) tenant",
     "resources:[{type:'Microsoft.Authorization/roleAssignments',apiVersion:'2',name:'l',scope:'/'}]", NULL,
     "/providers/Microsoft.Authorization/roleAssignments/l 2"},
    {"arm-templates 3.4 extension (b)",
     "resources:[{type:'A.B/c/providers/roleAssignments',apiVersion:'2',name:"
     "'x/Microsoft.Authorization/g'}]",
     NULL, "A.B/c/x/providers/Microsoft.Authorization/roleAssignments/g 2"},
    {"arm-templates 3.4 extension (b) of a child",
     "resources:[{type:'A.B/c/d/providers/locks',apiVersion:'2',name:"
     "'x/y/Microsoft.Authorization/g'}]",
     NULL, "A.B/c/x/d/y/providers/Microsoft.Authorization/locks/g 2"},
    {"arm-templates 3.4 extension (c)",
     "resources:[{type:'A.B/c',apiVersion:'1',name:'x',resources:[{type:"
     "'providers/locks',apiVersion:'2',name:'Microsoft.Authorization/l'}]}]",
     NULL, "A.B/c/x 1\nA.B/c/x/providers/Microsoft.Authorization/locks/l 2"},
    {"arm-templates 3.4 condition",
     "resources:[{condition:false,type:'A.B/c',apiVersion:'1',name:'x'},{condition:"
     "\"[equals(1,1)]\",type:'A.B/c',apiVersion:'1',name:'y',dependsOn:['x']}]",
     NULL, "A.B/c/x 1 off\nA.B/c/y 1"},
    {"arm-templates 3.4 condition: of a child its own",
     "resources:[{condition:false,type:'A.B/c',apiVersion:'1',name:"
     "'x',resources:[{type:'d',apiVersion:'1',name:'y'}]}]",
     NULL, "A.B/c/x 1 off\nA.B/c/x/d/y 1"},
    {"arm-templates 3.4 condition",
     "resources:[{condition:\"[string(1)]\",type:'A.B/c',apiVersion:'1',name:'x'}]", NULL,
     NOT_VALID
     "The template resource 'x' at line '1' and column '164' is not valid. The condition property must be a "
     "Boolean, and it is of type 'String'. Please see https://aka.ms/arm-template/#resources for usage "
     "details.'."},
    {"arm-templates 3.4 twice",
     "resources:[{type:'A.B/c',apiVersion:'1',name:'x'},{type:'a.b/C',apiVersion:'1',name:"
     "'X',condition:false}]",
     NULL,
     NOT_VALID "The resource 'a.b/C/X' at line '1' and column '179' is defined multiple times in a template. "
               "Please see https://aka.ms/arm-template/#resources for usage details.'."},
    {"arm-templates 3.4 copy",
     "resources:[{type:'A.B/c',apiVersion:'1',name:\"[concat('x',copyIndex(1))]\",copy:{name:"
     "'l',count:3}},{type:'A.B/c',apiVersion:'1',name:'y',dependsOn:['l']}]",
     NULL, "A.B/c/x1 1\nA.B/c/x2 1\nA.B/c/x3 1\nA.B/c/y 1 <- 0,1,2"},
    {"arm-templates 3.4 copy serial",
     "resources:[{type:'A.B/c',apiVersion:'1',name:\"[concat('x',copyIndex('l'))]\","
     "copy:{name:'l',count:5,mode:'Serial',batchSize:2}}]",
     NULL, "A.B/c/x0 1\nA.B/c/x1 1\nA.B/c/x2 1 <- 0,1\nA.B/c/x3 1 <- 0,1\nA.B/c/x4 1 <- 2,3"},
    {"arm-templates 3.4 copy serial: a batch left out",
     "resources:[{type:'A.B/"
     "c',apiVersion:'1',name:\"[concat('x',copyIndex())]\",condition:\"[not(equals(copyIndex(),"
     "1))]\",copy:{name:'l',count:3,mode:'serial'}}]",
     NULL, "A.B/c/x0 1\nA.B/c/x1 1 off\nA.B/c/x2 1 <- 0"},
    {"arm-templates 3.4 copy none",
     "resources:[{type:'A.B/c',apiVersion:'1',name:'x',copy:{name:'l',count:0}},{type:"
     "'A.B/c',apiVersion:'1',name:'y',dependsOn:['l']}]",
     NULL, "A.B/c/y 1"},
    {"arm-templates 10 copy count",
     "resources:[{type:'A.B/c',apiVersion:'1',name:'x',copy:{name:'l',count:801}}]", NULL,
     NOT_VALID
     "The template copy definition at line '1' and column '171' has an invalid copy count. The copy count "
     "must be a non-negative integer value and cannot exceed '800'. Please see https://aka.ms/arm-copy for "
     "usage details.'."},
    {"arm-templates 10 resources",
     "resources:[{type:'A.B/c',apiVersion:'1',name:\"[concat('x',copyIndex())]\",copy:"
     "{name:'l',count:800}},{type:'A.B/c',apiVersion:'1',name:'y'}]",
     NULL,
     NOT_VALID "The number of template resources limit exceeded. Limit: '800' and actual: '801'. Please see "
               "https://aka.ms/arm-template/#resources for usage details.'."},
    {"arm-templates 3.4 copy and children",
     "resources:[{type:'A.B/c',apiVersion:'1',name:'x',copy:{name:'l',count:1},"
     "resources:[{type:'d',apiVersion:'1',name:'y'}]}]",
     NULL,
     NOT_VALID "The template resource 'x' at line '1' and column '128' is not valid: a resource with 'copy' "
               "cannot have nested resources. Please see https://aka.ms/arm-copy for usage details.'."},
    {"arm-templates 3.4 property copy",
     "resources:[{type:'A.B/c',apiVersion:'1',name:'x',properties:{copy:[{name:'a',"
     "count:2,input:\"[copyIndex('a')]\"}]}}]",
     NULL, "A.B/c/x 1 {'properties':{'a':[0,1]}}"},
    {"arm-templates 4.4 copyIndex",
     "resources:[{type:'A.B/c',apiVersion:'1',name:\"[concat('x',copyIndex())]\"}]", NULL,
     NOT_VALID
     "The template resource '[concat('x',copyIndex())]' at line '1' and column '140' is not valid: The "
     "template function 'copyIndex' is not expected at this location. The function can only be used in a "
     "resource with copy specified. Please see https://aka.ms/arm-copy for usage details.. Please see "
     "https://aka.ms/arm-functions for usage details.'."},
    // ---- dependsOn
    {"arm-templates 6 dependsOn by id",
     "resources:[{type:'A.B/c',apiVersion:'1',name:'x'},{type:'A.B/c',apiVersion:'1',"
     "name:'y',dependsOn:[\"[resourceId('a.b/C','X')]\"]}]",
     NULL, "A.B/c/x 1\nA.B/c/y 1 <- 0"},
    {"arm-templates 6 dependsOn relative",
     "resources:[{type:'A.B/c',apiVersion:'1',name:'x',resources:[{type:'d',"
     "apiVersion:'1',name:'z'}]},{type:'A.B/c',apiVersion:'1',name:'y',dependsOn:"
     "['A.B/c/x','A.B/c/x/d/z','A.B/c/x']}]",
     NULL, "A.B/c/x 1\nA.B/c/x/d/z 1\nA.B/c/y 1 <- 0,1"},
    {"arm-templates 6 dependsOn by name",
     "resources:[{type:'A.B/c',apiVersion:'1',name:'x',resources:[{type:'d',"
     "apiVersion:'1',name:'z',dependsOn:['X']}]},{type:'A.B/c',apiVersion:'1',name:"
     "'y',dependsOn:['z','x/z']}]",
     NULL, "A.B/c/x 1\nA.B/c/x/d/z 1 <- 0\nA.B/c/y 1 <- 1"},
    {"arm-templates 6 dependsOn ambiguous",
     "resources:[{type:'A.B/c',apiVersion:'1',name:'x'},{type:'A.B/d',apiVersion:"
     "'1',name:'x'},{type:'A.B/c',apiVersion:'1',name:'y',dependsOn:['x']}]",
     NULL,
     NOT_VALID "The resource 'x' is not unique in the template: its resource id must be given. Please see "
               "https://aka.ms/arm-template for usage details.'."},
    {"arm-templates 6 dependsOn unknown",
     "resources:[{type:'A.B/c',apiVersion:'1',name:'y',dependsOn:['x']}]", NULL,
     NOT_VALID "The resource 'x' " UNDEFINED},
    {"arm-templates 6 dependsOn unknown id",
     "resources:[{type:'A.B/c',apiVersion:'1',name:'y',dependsOn:"
     "[\"[resourceId('A.B/c','x')]\"]}]",
     NULL, NOT_VALID "The resource 'A.B/c/x' " UNDEFINED},
    {"arm-templates 6 cycle",
     "resources:[{type:'A.B/c',apiVersion:'1',name:'x',dependsOn:['y']},{type:'A.B/c',"
     "apiVersion:'1',name:'y',dependsOn:['z']},{type:'A.B/c',apiVersion:'1',name:'z',"
     "dependsOn:['x']}]",
     NULL,
     NOT_VALID
     "Circular dependency detected on resource: '/subscriptions/10000000-0000-0000-0000-000000000001/"
     "resourceGroups/rg/providers/A.B/c/x'. Please see https://aka.ms/arm-syntax-resources for usage "
     "details.'."},
    {"arm-templates 6 cycle with itself",
     "resources:[{type:'A.B/c',apiVersion:'1',name:'x',properties:{a:"
     "\"[reference('x').b]\"}}]",
     NULL,
     NOT_VALID
     "Circular dependency detected on resource: '/subscriptions/10000000-0000-0000-0000-000000000001/"
     "resourceGroups/rg/providers/A.B/c/x'. Please see https://aka.ms/arm-syntax-resources for usage "
     "details.'."},
    // ---- reads
    {"arm-templates 5.8 reference by name",
     "resources:[{type:'A.B/c',apiVersion:'1',name:'x'},{type:'A.B/c',apiVersion:"
     "'1',name:'y',properties:{a:\"[reference('x').b]\"}}]",
     NULL, "A.B/c/x 1\nA.B/c/y 1 <- 0* run"},
    {"arm-templates 5.8 reference by id and version",
     "resources:[{type:'A.B/c',apiVersion:'1',name:'x'},{type:'A.B/c',"
     "apiVersion:'1',name:'y',properties:{a:\"[reference(resourceId("
     "'A.B/c','x'),'7').b]\"}}]",
     NULL, "A.B/c/x 1\nA.B/c/y 1 <- 0* reads x@7 run"},
    {"arm-templates 5.8 list",
     "resources:[{type:'A.B/c',apiVersion:'1',name:'x'},{type:'A.B/c',apiVersion:'1',name:'y',"
     "dependsOn:['x'],properties:{a:\"[listKeys('x','7').b]\"}}]",
     NULL, "A.B/c/x 1\nA.B/c/y 1 <- 0 reads listKeys:x@7 run"},
    {"arm-templates 5.8 outside",
     "resources:[{type:'A.B/c',apiVersion:'1',name:'y',properties:{a:\"[reference("
     "resourceId('other','A.B/c','x'),'7').b]\"}}]",
     NULL, "A.B/c/y 1 reads x@7 run"},
    {"arm-templates 5.8 outside without a version",
     "resources:[{type:'A.B/c',apiVersion:'1',name:'y',properties:{a:"
     "\"[reference(resourceId('A.B/c','x')).b]\"}}]",
     NULL, NOT_VALID "The resource 'A.B/c/x' " UNDEFINED},
    {"arm-templates 5.8 in a loop",
     "resources:[{type:'A.B/c',apiVersion:'1',name:\"[concat('x',copyIndex())]\",copy:"
     "{name:'l',count:2}},{type:'A.B/d',apiVersion:'1',name:\"[concat('y',copyIndex())]\","
     "copy:{name:'m',count:2},properties:{a:\"[reference(concat('x',copyIndex())).b]\"}}]",
     NULL, "A.B/c/x0 1\nA.B/c/x1 1\nA.B/d/y0 1 <- 0* run\nA.B/d/y1 1 <- 1* run"},
    {"arm-templates 5.8 in a property's loop",
     "resources:[{type:'A.B/c',apiVersion:'1',name:\"[concat('x',"
     "copyIndex())]\",copy:{name:'l',count:2}},{type:'A.B/d',apiVersion:'1',"
     "name:'y',properties:{copy:[{name:'a',count:2,input:"
     "\"[reference(concat('x',copyIndex('a'))).b]\"}]}}]",
     NULL, "A.B/c/x0 1\nA.B/c/x1 1\nA.B/d/y 1 <- 0*,1* run"},
    {"arm-templates 3.4 run outside properties",
     "resources:[{type:'A.B/c',apiVersion:'1',name:'x'},{type:'A.B/c',"
     "apiVersion:'1',name:'y',tags:{a:\"[reference('x').b]\"}}]",
     NULL,
     NOT_VALID
     "The template resource 'y' at line '1' and column '179' is not valid: The template function "
     "'reference' is not expected at this location. Please see https://aka.ms/arm-functions for usage "
     "details.. Please see https://aka.ms/arm-functions for usage details.'."},
    {"arm-templates 4.4 known parts of a body are looked at",
     "resources:[{type:'A.B/c',apiVersion:'1',name:'x'},{type:'A.B/c',apiVersion:'1',name:'y',properties:{a:"
     "\"[reference('x').b]\",c:\"[parameters('no')]\"}}]",
     NULL,
     NOT_VALID
     "The template resource 'y' at line '1' and column '179' is not valid: The template parameter 'no' "
     "is not found. Please see https://aka.ms/arm-template/#parameters for usage details.. Please see "
     "https://aka.ms/arm-functions for usage details.'."},
    {"arm-templates 9.2 parse", "resources:[{type:'A.B/c',apiVersion:'1',name:'[concat(]'}]", NULL,
     "!Deployment template language expression evaluation failed: 'Unable to parse language expression "
     "'concat(': "
     "expected token 'Identifier' and actual 'EndOfData'.'. Please see "
     "https://aka.ms/arm-template-expressions for usage details."},
    // ---- 2.0
    {"arm-templates 6 symbolic",
     "languageVersion:'2.0',resources:{a:{type:'A.B/c',apiVersion:'1',name:'x'},b:{type:"
     "'A.B/c',apiVersion:'1',name:'y',dependsOn:['a']},c:{type:'A.B/c',apiVersion:'1',name:'z',"
     "properties:{p:\"[reference('b').q]\",i:\"[resourceInfo('a').id]\"}}}",
     NULL, "A.B/c/x 1\nA.B/c/y 1 <- 0\nA.B/c/z 1 <- 1* run"},
    {"arm-templates 6 symbolic loop",
     "languageVersion:'2.0',resources:{a:{type:'A.B/c',apiVersion:'1',name:"
     "\"[format('x{0}',copyIndex())]\",copy:{name:'a',count:2}},b:{type:'A.B/d',"
     "apiVersion:'1',name:\"[format('y{0}',copyIndex())]\",copy:{name:'b',count:2},"
     "dependsOn:[\"[format('a[{0}]',copyIndex())]\"]},c:{type:'A.B/d',apiVersion:'1',"
     "name:'z',dependsOn:['a'],properties:{r:\"[references('b')]\"}}}",
     NULL, "A.B/c/x0 1\nA.B/c/x1 1\nA.B/d/y0 1 <- 0\nA.B/d/y1 1 <- 1\nA.B/d/z 1 <- 0,1,2*,3* run"},
    {"arm-templates 3.4 existing",
     "languageVersion:'2.0',resources:{e:{existing:true,type:'A.B/c',apiVersion:'1',name:"
     "'x',dependsOn:['w']},w:{type:'A.B/c',apiVersion:'1',name:'w'},b:{type:'A.B/c',"
     "apiVersion:'1',name:'y',properties:{p:\"[reference('e').q]\"}}}",
     NULL, "A.B/c/x 1 <- 1 existing\nA.B/c/w 1\nA.B/c/y 1 <- 1 reads x@1 run"},
    {"arm-templates 3.4 existing elsewhere",
     "languageVersion:'2.0',resources:{e:{existing:true,type:'A.B/c',apiVersion:"
     "'1',name:'x',resourceGroup:'other'},b:{type:'Microsoft.Authorization/"
     "locks',apiVersion:'1',name:'y',scope:\"[resourceInfo('e').id]\"}}",
     NULL,
     "S/resourceGroups/other/providers/A.B/c/x 1 "
     "existing\nS/resourceGroups/other/providers/A.B/c/x/providers/"
     "Microsoft.Authorization/locks/y 1"},
    {"arm-templates 5.8 resourceInfo: of one that stands behind",
     "languageVersion:'2.0',resources:{a:{type:'A.B/"
     "c',apiVersion:'1',name:\"[concat(resourceInfo('b').name,'x')]\"},b:{type:"
     "'A.B/d',apiVersion:'1',name:\"[concat('y','')]\"},c:{type:'A.B/"
     "e',apiVersion:'1',name:\"[concat('z',copyIndex())]\",copy:"
     "{name:'c',count:2}},d:{type:'Microsoft.Authorization/"
     "locks',apiVersion:'1',name:'l',scope:\"[resourceInfo('c[1]').id]\"}}",
     NULL,
     "A.B/c/yx 1\nA.B/d/y 1\nA.B/e/z0 1\nA.B/e/z1 1\nA.B/e/z1/providers/Microsoft.Authorization/locks/l 1"},
    {"arm-templates 5.8 resourceInfo: of itself",
     "languageVersion:'2.0',resources:{a:{type:'A.B/c',apiVersion:'1',name:\"[resourceInfo('a').name]\"}}",
     NULL,
     NOT_VALID "The template resource '[resourceInfo('a').name]' at line '1' and column '164' is not valid: "
               "Circular dependency "
               "detected in template language expression.. Please see https://aka.ms/arm-functions for usage "
               "details.'."},
    // ---- apiProfile
    {"decisions 54",
     "apiProfile:'2020-09-01-hybrid',resources:[{type:'Microsoft.ContainerRegistry/registries',name:'x'},"
     "{type:'Microsoft.Authorization/roleAssignments',name:'g'},{type:'Microsoft.Authorization/locks',"
     "name:'g'},{type:'Microsoft.Resources/tags',name:'default'}]",
     NULL,
     "Microsoft.ContainerRegistry/registries/x 2019-05-01\nMicrosoft.Authorization/roleAssignments/g "
     "2015-07-01\n"
     "Microsoft.Authorization/locks/g 2016-09-01\nMicrosoft.Resources/tags/default 2019-10-01"},
};

START_TEST(resources_become_nodes)
{
    case_check(SCOPE_RESOURCE_GROUP, &cases[_i]);
}
END_TEST

static const struct plan_case subscription_cases[] = {
    {"arm-templates 3.4 groups",
     "resources:[{type:'Microsoft.Resources/resourceGroups',apiVersion:'1',name:'g',location:"
     "'here'},{type:'Microsoft.Authorization/locks',apiVersion:'1',name:'l',dependsOn:['g']},"
     "{type:'Microsoft.Resources/resourceGroups/providers/locks',apiVersion:'1',name:"
     "'g/Microsoft.Authorization/m',dependsOn:['Microsoft.Resources/resourceGroups/g']}]",
     NULL,
     "S/resourceGroups/g 1 {'location':'here'}\nS/providers/Microsoft.Authorization/locks/l 1 <- 0\n"
     "S/resourceGroups/g/providers/Microsoft.Authorization/locks/m 1 <- 0"},
    {"arm-templates 6 dependsOn: a group as Bicep names it",
     "resources:[{type:'Microsoft.Resources/resourceGroups',apiVersion:'1',name:'g',location:'here'},{type:"
     "'Microsoft.Authorization/"
     "locks',apiVersion:'1',name:'l',scope:\"[subscriptionResourceId('Microsoft.Resources/"
     "resourceGroups','g')]\",dependsOn:[\"[subscriptionResourceId('Microsoft.Resources/"
     "resourceGroups','g')]\"]}]",
     NULL,
     "S/resourceGroups/g 1 {'location':'here'}\nS/resourceGroups/g/providers/Microsoft.Authorization/locks/l "
     "1 <- 0"},
    {"arm-templates 4.4 scope",
     "resources:[{type:'Microsoft.Resources/resourceGroups',apiVersion:'1',name:"
     "\"[resourceGroup().name]\"}]",
     NULL,
     NOT_VALID
     "The template resource '[resourceGroup().name]' at line '1' and column '169' is not valid: The "
     "template function 'RESOURCEGROUP' is not expected at this location. Please see "
     "https://aka.ms/arm-functions for usage details.. Please see https://aka.ms/arm-functions for "
     "usage details.'."},
};

START_TEST(subscription_resources_become_nodes)
{
    case_check(SCOPE_SUBSCRIPTION, &subscription_cases[_i]);
}
END_TEST

START_TEST(errors_know_their_place) // arm-templates 9.1
{
    struct arena *arena = arena_new();
    struct plan_error error = {0};
    const struct plan_case c = {
        "", "\nresources:[{type:'A.B/c',apiVersion:'1',name:'y',\n  dependsOn:['x']}]", NULL, ""};
    ck_assert_ptr_null(case_plan(arena, SCOPE_RESOURCE_GROUP, &c, &error));
    ck_assert_str_eq(error.code, "InvalidTemplate");
    ck_assert_str_eq(text_cstr(arena, error.path), "properties.template.resources[0].dependsOn[0]");
    ck_assert_uint_eq(error.line, 3);
    ck_assert_uint_eq(error.column, 16);
    arena_free(arena);
}
END_TEST

// Of a loop of `count` with a chain of dependencies: the processor's time in nanoseconds, the best of three.
static long long time_of(int count)
{
    long long best = 0;
    for (int i = 0; i < 3; i++) {
        struct arena *arena = arena_new();
        struct plan_error error = {0};
        const struct plan_case c = {
            "",
            arena_printf(
                arena,
                "resources:[{type:'A.B/c',apiVersion:'1',name:\"[concat('x',copyIndex())]\",copy:{name:'l',"
                "count:%d},properties:{a:\"[resourceGroup().id]\",b:[1,2,3]}},{type:'A.B/d',apiVersion:'1',"
                "name:\"[concat('y',copyIndex())]\",copy:{name:'m',count:%d,mode:'serial'},dependsOn:"
                "[\"[concat('A.B/c/x',copyIndex())]\"],properties:{a:\"[reference(concat('x',copyIndex()))"
                ".b]\"}}]",
                count / 2, count / 2),
            NULL, ""};
        struct timespec from, to;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
        const struct plan *plan = case_plan(arena, SCOPE_RESOURCE_GROUP, &c, &error);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
        ck_assert_msg(plan != NULL, "%s", error.message);
        ck_assert_uint_eq(plan->node_count, (size_t)count);
        long long time = (to.tv_sec - from.tv_sec) * 1000000000LL + to.tv_nsec - from.tv_nsec;
        best = best == 0 || time < best ? time : best;
        arena_free(arena);
    }
    return best;
}

START_TEST(plans_grow_linearly) // 800 against 100 at most 10 times
{
    ck_assert_int_le(time_of(800), 10 * time_of(100));
}
END_TEST

Suite *suite_plan_resources(void)
{
    Suite *suite = suite_create("plan_resources");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, resources_become_nodes, 0, sizeof cases / sizeof *cases);
    tcase_add_loop_test(tcase, subscription_resources_become_nodes, 0,
                        sizeof subscription_cases / sizeof *subscription_cases);
    tcase_add_test(tcase, errors_know_their_place);
    tcase_add_test(tcase, plans_grow_linearly);
    suite_add_tcase(suite, tcase);
    return suite;
}
