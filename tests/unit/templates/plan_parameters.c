// Parameters, their types of 1.0 and 2.0, variables (arm-templates 3.1, 3.2, 7.1, 9.2).
#include "plan_case.h"

#include <check.h>
#include <string.h>

Suite *suite_plan_parameters(void);

#define NOT_VALID "!Deployment template validation failed: '"
#define PROVIDED "!Deployment template validation failed: 'The provided value for the template parameter "
#define SYNTAX " Please see https://aka.ms/arm-syntax-parameters for usage details.'."
#define FILES " Please see https://aka.ms/arm-parameter-files for usage details.'."

// `expected`: the record's parameters.
static const struct plan_case cases[] = {
    {"arm-templates 7.1",
     "parameters:{b:{type:'STRING'},a:{type:'int',defaultValue:3},s:{type:'securestring'},o:{type:"
     "'secureObject',defaultValue:{}},l:{type:'array',defaultValue:[]},t:{type:'bool'},m:{type:"
     "'object',defaultValue:{x:null}}},resources:[]",
     "{B:{value:'[not evaluated]'},s:{value:'secret'},t:{value:false}}",
     "{'b':{'type':'String','value':'[not "
     "evaluated]'},'a':{'type':'Int','value':3},'s':{'type':'SecureString'},'o':{"
     "'type':'SecureObject'},'l':{'type':'Array','value':[]},'t':{'type':'Bool','value':false},'m':{'type':'"
     "Object',"
     "'value':{'x':null}}}"},
    {"arm-templates 3.1 defaults",
     "parameters:{a:{type:'string',defaultValue:\"[concat(parameters('b'),'!')]\"},b:{type:"
     "'string',defaultValue:\"[resourceGroup().name]\"},c:{type:'string',defaultValue:"
     "\"[utcNow('yyyy')]\"},d:{type:'string',defaultValue:'[[x]'}},resources:[]",
     NULL,
     "{'a':{'type':'String','value':'rg!'},'b':{'type':'String','value':'rg'},'c':{'type':'String','value':'"
     "2023'},"
     "'d':{'type':'String','value':'[x]'}}"},
    {"arm-templates 9.2 missing value", "parameters:{p:{type:'string'}},resources:[]", "{}",
     NOT_VALID
     "The value for the template parameter 'p' at line '1' and column '131' is not provided. Please see "
     "https://aka.ms/resource-manager-parameter-files for usage details.'."},
    {"arm-templates 9.2 unknown parameters",
     "parameters:{x:{type:'int',defaultValue:1},y:{type:'int',defaultValue:1}},"
     "resources:[]",
     "{a:{value:1},X:{value:2},b:{value:1}}",
     NOT_VALID
     "The template parameters 'a, b' in the parameters file are not valid; they are not present in the "
     "original template and can therefore not be provided at deployment time. The only supported parameters "
     "for this template are 'x, y'. Please see https://aka.ms/arm-deploy/#parameter-file for usage "
     "details.'."},
    {"arm-templates 9.2 unknown parameters", "resources:[]", "{a:{value:1}}",
     NOT_VALID
     "The template parameters 'a' in the parameters file are not valid; they are not present in the original "
     "template and can therefore not be provided at deployment time. The only supported parameters for this "
     "template are ''. Please see https://aka.ms/arm-deploy/#parameter-file for usage details.'."},
    {"arm-templates 9.2 type", "parameters:{p:{type:'object'}},resources:[]", "{p:{value:'x'}}",
     PROVIDED
     "'p' is not valid. Expected a value of type 'Object', but received a value of type 'String'." FILES},
    {"arm-templates 3.1 int", "parameters:{p:{type:'int'}},resources:[]", "{p:{value:5.0}}",
     PROVIDED
     "'p' is not valid. Expected a value of type 'Integer', but received a value of type 'Float'." FILES},
    {"arm-templates 3.1 int", "parameters:{p:{type:'int'}},resources:[]", "{p:{value:'5'}}",
     PROVIDED
     "'p' is not valid. Expected a value of type 'Integer', but received a value of type 'String'." FILES},
    {"arm-templates 3.1 string", "parameters:{p:{type:'string'}},resources:[]", "{p:{value:1}}",
     PROVIDED "'p' is not valid. Expected a value of type 'String, Uri', but received a value of type "
              "'Integer'." FILES},
    {"arm-templates 3.1 null", "parameters:{p:{type:'string',defaultValue:'x'}},resources:[]",
     "{p:{value:null}}",
     PROVIDED
     "'p' is not valid. Expected a value of type 'String, Uri', but received a value of type 'Null'." FILES},
    {"arm-templates 3.1 default", "parameters:{p:{type:'bool',defaultValue:\"[string('x')]\"}},resources:[]",
     NULL,
     PROVIDED
     "'p' is not valid. Expected a value of type 'Boolean', but received a value of type 'String'." FILES},
    {"arm-templates 9.2 maxValue", "parameters:{p:{type:'int',maxValue:3}},resources:[]", "{p:{value:4}}",
     PROVIDED "'p' is not valid. Value should be less than or equal to '3'." SYNTAX},
    {"arm-templates 9.2 minValue", "parameters:{p:{type:'int',minValue:3}},resources:[]", "{p:{value:2}}",
     PROVIDED "'p' is not valid. Value should be greater than or equal to '3'." SYNTAX},
    {"arm-templates 3.1 inclusive", "parameters:{p:{type:'int',minValue:3,maxValue:3}},resources:[]",
     "{p:{value:3}}", "{'p':{'type':'Int','value':3}}"},
    {"arm-templates 9.2 minLength", "parameters:{p:{type:'securestring',minLength:3}},resources:[]",
     "{p:{value:'ab'}}",
     PROVIDED "'p' is not valid. Length of the value should be greater than or equal to '3'." SYNTAX},
    {"arm-templates 9.2 maxLength", "parameters:{p:{type:'array',maxLength:1}},resources:[]",
     "{p:{value:[1,2]}}",
     PROVIDED "'p' is not valid. Length of the value should be less than or equal to '1'." SYNTAX},
    {"arm-templates 9.2 allowedValues", "parameters:{p:{type:'string',allowedValues:['a','b']}},resources:[]",
     "{p:{value:'A'}}",
     PROVIDED "'p' is not valid. The value 'A' is not part of the allowed value(s): 'a,b'.'."},
    {"arm-templates 3.1 allowedValues of an array",
     "parameters:{p:{type:'array',allowedValues:['a','b']}},resources:[]", "{p:{value:['a','c']}}",
     PROVIDED "'p' is not valid. The value 'c' is not part of the allowed value(s): 'a,b'.'."},
    {"arm-templates 3.1 allowedValues of an array",
     "parameters:{p:{type:'array',allowedValues:['a','b']}},resources:[]", "{p:{value:['b','b']}}",
     "{'p':{'type':'Array','value':['b','b']}}"},
    {"arm-templates 3.1: a secret is not told",
     "parameters:{p:{type:'securestring',allowedValues:['a']}},resources:[]", "{p:{value:'hidden'}}",
     PROVIDED "'p' is not valid. The value is not part of the allowed value(s): 'a'.'."},
    {"arm-templates 3.1 reference in a default",
     "parameters:{p:{type:'string',defaultValue:\"[variables('v')]\"}},"
     "variables:{v:1},resources:[]",
     NULL,
     NOT_VALID
     "The template resource 'p' at line '1' and column '131' is not valid: The template function "
     "'variables' is not expected at this location. Please see https://aka.ms/arm-functions for usage "
     "details.. Please see https://aka.ms/arm-functions for usage details.'."},
    {"arm-templates 3.1 circle of defaults",
     "parameters:{a:{type:'int',defaultValue:\"[parameters('b')]\"},b:{type:'int',"
     "defaultValue:\"[parameters('a')]\"}},resources:[]",
     NULL,
     NOT_VALID
     "The template resource 'a' at line '1' and column '131' is not valid: Circular dependency detected "
     "in template language expression.. Please see https://aka.ms/arm-functions for usage details.'."},
    {"arm-templates 1.2 Key Vault", "parameters:{p:{type:'securestring'}},resources:[]",
     "{p:{reference:{keyVault:{id:'/subscriptions/s/kv'},secretName:'n'}}}",
     "!The specified KeyVault '/subscriptions/s/kv' could not be found. This site has no Key Vault: give the "
     "parameter "
     "its value."},
    // ---- 2.0
    {"arm-templates 3.1 nullable",
     "languageVersion:'2.0',parameters:{p:{type:'string',nullable:true},q:{type:'int',"
     "nullable:true}},resources:{}",
     "{q:{value:null}}", "{'p':{'type':'String'},'q':{'type':'Int'}}"},
    {"arm-templates 3.1 $ref",
     "languageVersion:'2.0',definitions:{t:{type:'string',maxLength:2}},parameters:{p:{$ref:"
     "'#/definitions/t'}},resources:{}",
     "{p:{value:'abc'}}",
     PROVIDED "'p' is not valid. Length of the value should be less than or equal to '2'." SYNTAX},
    {"arm-templates 3.1 $ref",
     "languageVersion:'2.0',definitions:{t:{type:'string'}},parameters:{p:{$ref:"
     "'#/definitions/t',minLength:1}},resources:{}",
     "{p:{value:''}}",
     PROVIDED "'p' is not valid. Length of the value should be greater than or equal to '1'." SYNTAX},
    {"arm-templates 3.1 properties",
     "languageVersion:'2.0',parameters:{p:{type:'object',properties:{a:{type:'int'},b:{"
     "type:'string',nullable:true}}}},resources:{}",
     "{p:{value:{a:1,c:2}}}", "{'p':{'type':'Object','value':{'a':1,'c':2}}}"},
    {"arm-templates 3.1 properties",
     "languageVersion:'2.0',parameters:{p:{type:'object',properties:{a:{type:'int'}}}},"
     "resources:{}",
     "{p:{value:{a:'x'}}}",
     PROVIDED
     "'p.a' is not valid. Expected a value of type 'Integer', but received a value of type 'String'." FILES},
    {"arm-templates 3.1 properties",
     "languageVersion:'2.0',parameters:{p:{type:'object',properties:{a:{type:'int'}}}},"
     "resources:{}",
     "{p:{value:{}}}", PROVIDED "'p' is not valid. The required property 'a' is missing." SYNTAX},
    {"arm-templates 3.1 additionalProperties",
     "languageVersion:'2.0',parameters:{p:{type:'object',properties:{a:{type:"
     "'int'}},additionalProperties:false}},resources:{}",
     "{p:{value:{A:1,b:2}}}", PROVIDED "'p' is not valid. The property 'b' is not permitted." SYNTAX},
    {"arm-templates 3.1 additionalProperties",
     "languageVersion:'2.0',parameters:{p:{type:'object',additionalProperties:{"
     "type:'int'}}},resources:{}",
     "{p:{value:{x:1,y:true}}}",
     PROVIDED
     "'p.y' is not valid. Expected a value of type 'Integer', but received a value of type 'Boolean'." FILES},
    {"arm-templates 3.1 sealed",
     "languageVersion:'2.0',parameters:{p:{type:'object',sealed:true}},resources:{}", "{p:{value:{x:1}}}",
     PROVIDED "'p' is not valid. The property 'x' is not permitted." SYNTAX},
    {"arm-templates 3.1 items",
     "languageVersion:'2.0',parameters:{p:{type:'array',items:{type:'int'}}},resources:{}",
     "{p:{value:[1,'a']}}",
     PROVIDED
     "'p[1]' is not valid. Expected a value of type 'Integer', but received a value of type 'String'." FILES},
    {"arm-templates 3.1 prefixItems",
     "languageVersion:'2.0',parameters:{p:{type:'array',prefixItems:[{type:'int'},{type:"
     "'bool'}],items:false}},resources:{}",
     "{p:{value:[1,true]}}", "{'p':{'type':'Array','value':[1,true]}}"},
    {"arm-templates 3.1 prefixItems",
     "languageVersion:'2.0',parameters:{p:{type:'array',prefixItems:[{type:'int'},{type:"
     "'bool'}],items:false}},resources:{}",
     "{p:{value:[1,true,3]}}",
     PROVIDED "'p' is not valid. The array must not have more than '2' element(s)." SYNTAX},
    {"arm-templates 3.1 prefixItems",
     "languageVersion:'2.0',parameters:{p:{type:'array',prefixItems:[{type:'int'},{type:"
     "'bool'}],items:false}},resources:{}",
     "{p:{value:[1]}}", PROVIDED "'p' is not valid. The array must have at least '2' element(s)." SYNTAX},
    {"arm-templates 3.1 discriminator",
     "languageVersion:'2.0',definitions:{a:{type:'object',properties:{k:{type:'string',allowedValues:['a']},"
     "x:{type:"
     "'int'}}},b:{type:'object',properties:{k:{type:'string',allowedValues:['b']}}}},parameters:{p:{type:'"
     "object',"
     "discriminator:{propertyName:'k',mapping:{a:{$ref:'#/definitions/a'},b:{$ref:'#/definitions/"
     "b'}}}}},resources:{}",
     "{p:{value:{k:'a'}}}", PROVIDED "'p' is not valid. The required property 'x' is missing." SYNTAX},
    {"arm-templates 3.1 discriminator",
     "languageVersion:'2.0',definitions:{a:{type:'object',properties:{k:{type:'string'}}}},parameters:{p:{"
     "type:'object',"
     "discriminator:{propertyName:'k',mapping:{a:{$ref:'#/definitions/a'},b:{$ref:'#/definitions/"
     "a'}}}}},resources:{}",
     "{p:{value:{k:'c'}}}",
     PROVIDED "'p' is not valid. The value of its property 'k' must be one of 'a,b'." SYNTAX},
    {"arm-templates 3.1 recursive definitions",
     "languageVersion:'2.0',definitions:{t:{type:'object',properties:{n:{$ref:'#/definitions/"
     "t',nullable:true},v:{type:"
     "'int'}}}},parameters:{p:{$ref:'#/definitions/t'}},resources:{}",
     "{p:{value:{v:1,n:{v:2,n:{v:'x'}}}}}",
     PROVIDED "'p.n.n.v' is not valid. Expected a value of type 'Integer', but received a value of type "
              "'String'." FILES},
    {"arm-templates 7.1: secrets inside an object are not shown",
     "languageVersion:'2.0',parameters:{p:{type:'object',properties:{k:{type:'securestring'}}}},resources:{}",
     "{p:{value:{k:'secret'}}}", "{'p':{'type':'Object'}}"},
};

static struct text parameters_of(struct arena *arena, const struct plan *plan)
{
    struct buffer out = buffer_new(arena);
    if (plan->parameters != NULL)
        value_write(&out, plan->parameters, '\'');
    return text_of(arena_strndup(arena, out.length > 0 ? out.base : "", out.length));
}

START_TEST(parameters_are_bound)
{
    struct arena *arena = arena_new();
    const struct plan_case *c = &cases[_i];
    struct plan_error error = {0};
    const struct plan *plan = case_plan(arena, SCOPE_RESOURCE_GROUP, c, &error);
    const char *got = plan ? parameters_of(arena, plan).base : arena_printf(arena, "!%s", error.message);
    if (strcmp(got, c->expected) != 0)
        ck_abort_msg("%s: %s\nexpected: %s\ngot:      %s", c->rule, c->template, c->expected, got);
    arena_free(arena);
}
END_TEST

// The one resource's body tells what became of the variables.
#define BODY(value) "resources:[{type:'A.B/c',apiVersion:'1',name:'x',properties:{v:\"[" value "]\"}}]"
static const struct plan_case variables[] = {
    {"arm-templates 3.2 any order",
     "variables:{a:\"[concat(variables('B'),'!')]\",b:{c:\"[string(1)]\"},B:'x'}," BODY("variables('a')"),
     NULL,
     NOT_VALID
     "The template variable 'B' at line '1' and column '181' is defined multiple times in a template: names "
     "are the same in any case. Please see https://aka.ms/arm-template for usage details.'."},
    {"arm-templates 3.2 any order",
     "variables:{a:\"[concat(variables('B'),'!')]\",b:\"[string(1)]\"}," BODY("variables('a')"), NULL,
     "A.B/c/x 1 {'properties':{'v':'1!'}}"},
    {"arm-templates 3.2 loops",
     "variables:{copy:[{name:'a',count:3,input:\"[copyIndex('a',1)]\"}],b:{copy:[{name:'c',"
     "count:2,input:{n:\"[copyIndex('c')]\"}}]}}," BODY("createArray(variables('a'),variables('b'))"),
     NULL, "A.B/c/x 1 {'properties':{'v':[[1,2,3],{'c':[{'n':0},{'n':1}]}]}}"},
    {"arm-templates 3.3 user functions of 2.0 read variables, in defaults too",
     "languageVersion:'2.0',functions:[{namespace:'n',members:{f:{parameters:[],output:{type:'string',value:"
     "\"[variables('v')]\"}}}}],"
     "parameters:{p:{type:'string',defaultValue:'[n.f()]'}},variables:{v:'x'},resources:{a:{type:'A.B/"
     "c',apiVersion:'1',name:"
     "\"[parameters('p')]\"}}",
     NULL, "A.B/c/x 1"},
    {"arm-templates 3.2 circle",
     "variables:{a:\"[variables('b')]\",b:\"[variables('a')]\"}," BODY("variables('a')"), NULL,
     NOT_VALID
     "The template variable 'a' is not valid: Circular dependency detected in template language expression.. "
     "Please see https://aka.ms/arm-functions for usage details.'."},
    {"arm-templates 3.2 reference", "variables:{a:\"[reference('b').c]\"}," BODY("variables('a')"), NULL,
     NOT_VALID
     "The template variable 'a' is not valid: The template function 'reference' is not expected at this "
     "location. Please see https://aka.ms/arm-functions for usage details.. Please see "
     "https://aka.ms/arm-functions for usage details.'."},
    {"arm-templates 4.4 utcNow", "variables:{a:\"[utcNow()]\"}," BODY("variables('a')"), NULL,
     NOT_VALID "The template variable 'a' is not valid: The template function 'utcNow' is not expected at "
               "this location. "
               "Please see https://aka.ms/arm-functions for usage details.. Please see "
               "https://aka.ms/arm-functions for "
               "usage details.'."},
    {"arm-templates 5.7 variables", BODY("variables('a')"), NULL,
     NOT_VALID
     "The template resource 'x' at line '1' and column '140' is not valid: The template variable 'a' is not "
     "found. Please see https://aka.ms/arm-template/#variables for usage details.. Please see "
     "https://aka.ms/arm-functions for usage details.'."},
    {"arm-templates 3.3 user functions",
     "functions:[{namespace:'n',members:{f:{parameters:[{name:'a',type:'string'}],"
     "output:{type:'string',value:\"[concat(parameters('a'),'!')]\"}}}}]," BODY("n.f('x')"),
     NULL, "A.B/c/x 1 {'properties':{'v':'x!'}}"},
    {"arm-templates 5.7 deployment", BODY("deployment().properties.mode"), NULL,
     "A.B/c/x 1 {'properties':{'v':'Incremental'}}"},
    {"arm-templates 5.7 managementGroup", BODY("managementGroup().id"), NULL,
     NOT_VALID
     "The template resource 'x' at line '1' and column '140' is not valid: The deployment metadata "
     "'MANAGEMENTGROUP' is not valid.. Please see https://aka.ms/arm-functions for usage details.'."},
};

START_TEST(variables_are_bound)
{
    case_check(SCOPE_RESOURCE_GROUP, &variables[_i]);
}
END_TEST

START_TEST(places_of_constraints) // arm-templates 9.2
{
    struct arena *arena = arena_new();
    struct plan_error error = {0};
    const struct plan_case c = {"", "parameters:{p:{type:'int',\nmaxValue:3}},resources:[]", "{p:{value:4}}",
                                ""};
    ck_assert_ptr_null(case_plan(arena, SCOPE_RESOURCE_GROUP, &c, &error));
    ck_assert_str_eq(text_cstr(arena, error.path), "properties.template.parameters.p.maxValue");
    ck_assert_uint_eq(error.line, 2);
    ck_assert_uint_eq(error.column, 10);
    arena_free(arena);
}
END_TEST

START_TEST(a_plan_made_again_is_the_same) // arm-templates 6.8: values of utcNow and newGuid are used again
{
    struct arena *arena = arena_new();
    struct plan_error error = {0};
    struct plan_site site = case_site(arena, SCOPE_RESOURCE_GROUP);
    const struct value *template = case_value(
        arena,
        case_template(arena, "parameters:{g:{type:'string',defaultValue:'[newGuid()]'}},resources:[]"));
    const struct plan *first = plan_make(arena, &site, template, NULL, NULL, &error);
    const struct plan *again = plan_make(arena, &site, template, NULL, first->bound, &error);
    const struct plan *other = plan_make(arena, &site, template, NULL, NULL, &error);
    ck_assert(value_equal(first->bound, again->bound));
    ck_assert(!value_equal(first->bound, other->bound));
    arena_free(arena);
}
END_TEST

START_TEST(hostile_types_end) // arm-templates 10: bounds of all work
{
    struct arena *arena = arena_new();
    struct plan_error error = {0};
    const struct plan_case c = {"",
                                "languageVersion:'2.0',definitions:{t:{type:'object',discriminator:{"
                                "propertyName:'k',mapping:{a:{$ref:"
                                "'#/definitions/t'}}}}},parameters:{p:{$ref:'#/definitions/t'}},resources:{}",
                                "{p:{value:{k:'a'}}}", ""};
    ck_assert_ptr_null(case_plan(arena, SCOPE_RESOURCE_GROUP, &c, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "It takes too long to be checked against its type."));
    arena_free(arena);
}
END_TEST

Suite *suite_plan_parameters(void)
{
    Suite *suite = suite_create("plan_parameters");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, parameters_are_bound, 0, sizeof cases / sizeof *cases);
    tcase_add_loop_test(tcase, variables_are_bound, 0, sizeof variables / sizeof *variables);
    tcase_add_test(tcase, places_of_constraints);
    tcase_add_test(tcase, a_plan_made_again_is_the_same);
    tcase_add_test(tcase, hostile_types_end);
    suite_add_tcase(suite, tcase);
    return suite;
}
