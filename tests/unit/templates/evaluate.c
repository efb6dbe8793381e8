// Whole values: names, copies of properties, user functions, static checks (arm-templates 3.2 to 3.4, 4.1).
#include "templates/language.h"

#include "templates/reader.h"
#include "templates/user_functions.h"

Suite *suite_evaluate(void);

static const struct value *read(struct arena *arena, const char *json)
{
    struct reader_error error = {0};
    const struct value *value = reader_read(arena, text_of(json), NULL, &error);
    ck_assert_msg(value != NULL, "%s: %s", json, error.message);
    return value;
}

static const struct {
    const char *row, *json, *expected;
} whole[] = {
    {"arm-templates 4.1 names", "{\"[concat('a','b')]\":\"[add(1,1)]\",'[[x]':'[[y]'}",
     "{\"ab\":2,\"[x]\":\"[y]\"}"},
    {"arm-templates 4.1 names twice", "{'a':1,\"[toLower('A')]\":2}", "{\"a\":2}"},
    {"arm-templates 4.1 name before its like", "{\"[toLower('A')]\":1,'b':2,'a':3}", "{\"a\":3,\"b\":2}"},
    {"arm-templates 4.1 name of another type", "{'[add(1,1)]':1}",
     "!The template property name '[add(1,1)]' is not valid: it must evaluate to a value of type 'String', "
     "but it is of type "
     "'Integer'."},
    {"arm-templates 4.1 values", "{'a':[1,2.5,null,true,\"[null()]\",'x'],'b':{}}",
     "{\"a\":[1,2.5,null,true,null,\"x\"],\"b\":{}}"},
    {"arm-templates 3.4 property copy",
     "{'p':1,'copy':[{'name':'disks','count':3,'input':{'lun':\"[copyIndex('disks')]\"}}],'q':2}",
     "{\"p\":1,\"disks\":[{\"lun\":0},{\"lun\":1},{\"lun\":2}],\"q\":2}"},
    {"arm-templates 3.4 property copy of two",
     "{'copy':[{'name':'a','count':1,'input':\"[copyIndex('A', 5)]\"},{'name':'b','count':0,'input':1}]}",
     "{\"a\":[5],\"b\":[]}"},
    {"arm-templates 3.4 property copy in a copy",
     "{'copy':[{'name':'a','count':2,'input':{'copy':[{'name':'b','count':2,'input':\"[format('{0}{1}', "
     "copyIndex('a'), copyIndex('b'))]\"}]}}]}",
     "{\"a\":[{\"b\":[\"00\",\"01\"]},{\"b\":[\"10\",\"11\"]}]}"},
    {"arm-templates 3.4 property copy, count",
     "{'copy':[{'name':'a','count':\"[parameters('count')]\",'input':'x'}]}", "{\"a\":[\"x\",\"x\",\"x\"]}"},
    {"arm-templates 3.4 property copy, index without a name",
     "{'copy':[{'name':'a','count':1,'input':'[copyIndex()]'}]}",
     "!The template function 'copyIndex' is not expected at this location. The function can only be used in "
     "a resource with "
     "copy specified. Please see https://aka.ms/arm-copy for usage details."},
    {"arm-templates 3.4 property copy, another name",
     "{'copy':[{'name':'a','count':1,'input':\"[copyIndex('b')]\"}]}",
     "!The template function 'copyIndex' has an invalid argument. The provided copy name 'b' doesn't exist "
     "in the resource. "
     "Please see https://aka.ms/arm-copy for usage details."},
    {"arm-templates 3.4 property copy, too many", "{'copy':[{'name':'a','count':801,'input':1}]}",
     "!The template copy definition at line '1' and column '10' has an invalid copy count. The copy count "
     "must be a "
     "non-negative integer value and cannot exceed '800'. Please see https://aka.ms/arm-copy for usage "
     "details."},
    {"arm-templates 3.4 property copy, no count", "{'copy':[{'name':'a','input':1}]}",
     "!The template copy definition at line '1' and column '10' has an invalid copy count. The copy count "
     "must be a "
     "non-negative integer value and cannot exceed '800'. Please see https://aka.ms/arm-copy for usage "
     "details."},
    {"arm-templates 3.4 property copy, no name", "{'copy':[{'count':1,'input':1}]}",
     "!The template copy definition at line '1' and column '10' is not valid. The copy object must contain a "
     "property 'name' "
     "of type 'String'. Please see https://aka.ms/arm-copy for usage details."},
    {"arm-templates 3.4 property copy, no input", "{'copy':[{'name':'a','count':1}]}",
     "!The template copy definition 'a' at line '1' and column '10' is not valid. The copy object must "
     "contain a property "
     "'input'. Please see https://aka.ms/arm-copy for usage details."},
    {"arm-templates 3.4 a copy that is no array", "{'copy':{'name':'x'}}", "{\"copy\":{\"name\":\"x\"}}"},
};

START_TEST(whole_values)
{
    struct language l;
    language_open(&l);
    const struct value *at, *value = evaluate_value(&l.e, read(l.arena, whole[_i].json), true, &l.error, &at);
    const char *got =
        value ? value_to_json(l.arena, value).base : arena_printf(l.arena, "!%s", l.error.message);
    ck_assert_str_eq(got, whole[_i].expected);
    ck_assert_ptr_nonnull(at);
    language_close(&l);
}
END_TEST

START_TEST(unchanged_values_are_themselves)
{
    struct language l;
    language_open(&l);
    const struct value *at, *value = read(l.arena, "{'a':[{'b':'c'},1],'copy':[1]}");
    ck_assert_ptr_eq(evaluate_value(&l.e, value, false, &l.error, &at), value);
    value = read(l.arena, "{'a':[{'b':'c'},1],'d':'[null()]'}");
    const struct value *result = evaluate_value(&l.e, value, false, &l.error, &at);
    ck_assert_ptr_eq(VALUE_FIND(result, "a"), VALUE_FIND(value, "a"));
    language_close(&l);
}
END_TEST

START_TEST(what_failed_is_told)
{
    struct language l;
    language_open(&l);
    const struct value *at, *value = read(l.arena, "{'a':[1,\n  \"[fail('x')]\"]}");
    ck_assert_ptr_null(evaluate_value(&l.e, value, false, &l.error, &at));
    ck_assert_uint_eq(at->line, 2);
    ck_assert_str_eq(l.error.message, "x");
    ck_assert_uint_eq(l.error.position, 1);
    language_close(&l);
}
END_TEST

START_TEST(copy_index_of_loops) // arm-templates 3.4
{
    static const struct {
        const char *expression, *expected;
    } cases[] = {
        {"[copyIndex()]", "3"},
        {"[copyIndex(2)]", "5"},
        {"[copyIndex('OUTER')]", "3"},
        {"[copyIndex('inner')]", "1"},
        {"[copyIndex('inner', 10)]", "11"},
        {"[copyIndex(-1)]",
         "!The template function 'copyIndex' is not valid: the offset must be an integer that is not "
         "negative. Please see https://aka.ms/arm-copy for usage details."},
        {"[copyIndex('inner', 'x')]",
         "!The template function 'copyIndex' is not valid: the offset must be an integer that is "
         "not negative. Please see https://aka.ms/arm-copy for usage details."},
    };
    struct evaluation_copy outer = {.name = TEXT("outer"), .index = 3};
    struct evaluation_copy inner = {.name = TEXT("inner"), .index = 1, .outer = &outer, .only_by_name = true};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct language l;
        language_open(&l);
        l.e.copy = &inner;
        ck_assert_str_eq(language_evaluate(&l, text_of(cases[i].expression)).base, cases[i].expected);
        language_close(&l);
    }
    struct language l;
    language_open(&l);
    struct evaluation_copy unnamed = {.index = 7};
    l.e.place = PLACE_OUTPUT;
    l.e.copy = &unnamed;
    ck_assert_str_eq(language_evaluate(&l, TEXT("[copyIndex()]")).base, "7");
    language_close(&l);
}
END_TEST

// ---- user functions (arm-templates 3.3)

static const struct language_case called[] = {
    {"arm-templates 3.3", "[ns.twice('ab')]", "\"abab\""},
    {"arm-templates 3.3 case", "[NS.Twice('ab')]", "\"abab\""},
    {"arm-templates 3.3 objects", "[ns.object().l]", "[\"[x]\",true]"},
    {"arm-templates 3.3 blanks in the name", "[ns . twice ('a')]", "\"aa\""},
    {"arm-templates 3.3 unknown", "[ns.other()]",
     "!The template function 'ns.other' is not valid. Please see https://aka.ms/arm-functions for usage "
     "details."},
    {"arm-templates 3.3 count", "[ns.twice()]",
     "!Unable to evaluate template language function 'ns.twice': function requires 1 argument(s) while 0 "
     "were provided. "
     "Please see https://aka.ms/arm-resource-functions/#ns.twice for usage details."},
    {"arm-templates 3.3 type of a parameter", "[ns.twice(1)]",
     "!The provided value for the parameter 'text' of the template function 'ns.twice' is not valid. "
     "Expected a value of "
     "type 'String', but received a value of type 'Integer'."},
    {"arm-templates 3.3 type of the output", "[ns.wrong()]",
     "!The output of the template function 'ns.wrong' is not valid. Expected a value of type 'Integer', but "
     "received a value "
     "of type 'String'."},
    {"arm-templates 3.3 only own parameters", "[ns.peek()]",
     "!The template parameter 'name' is not found. Please see https://aka.ms/arm-syntax-parameters for usage "
     "details."},
    {"arm-templates 3.3 no variables", "[ns.variable()]",
     "!The template function 'variables' is not expected at this location. Please see "
     "https://aka.ms/arm-functions for usage "
     "details."},
    {"arm-templates 3.3 no others in 1.0", "[ns.outer(1)]",
     "!The template function 'ns.twice' is not expected at this location. Please see "
     "https://aka.ms/arm-functions for usage "
     "details."},
    {"arm-templates 3.3 lambdas outside are not seen",
     "[map(createArray('x'), lambda('text', ns.twice(lambdaVariables('text'))))]", "[\"xx\"]"},
};

START_TEST(user_functions)
{
    LANGUAGE_CHECK(called, PLACE_RESOURCE_BODY);
    struct language l;
    language_open(&l);
    l.e.version_2 = true;
    ck_assert_str_eq(language_evaluate(&l, TEXT("[ns.outer(12)]")).base, "\"1212\"");
    ck_assert_str_eq(language_evaluate(&l, TEXT("[ns.variable()]")).base, "\"hello\"");
    ck_assert_str_eq(language_evaluate(&l, TEXT("[ns.endless()]")).base,
                     "!The template language expressions, variables and functions call one another deeper "
                     "than is allowed.");
    language_close(&l);
}
END_TEST

START_TEST(definitions) // arm-templates 3.3
{
    static const struct {
        const char *value;
        bool version_2;
        const char *list;
    } cases[] = {
        {"\"[concat(parameters('a'), resourceGroup().id)]\"", false, NULL},
        {"\"[variables('a')]\"", false, "variables"},
        {"{'x':[\"[reference('a').b]\",\"[listKeys('a','b')]\"]}", false, "reference, listKeys"},
        {"\"[concat(ns.f(), variables('a'))]\"", false, "ns.f, variables"},
        {"\"[concat(ns.f(), variables('a'))]\"", true, NULL},
        {"\"[concat(ns.f(), reference('a'))]\"", true, "reference"},
        {"\"[ns.f()]\"", true, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena *arena = arena_new();
        const struct value *definition =
            read(arena, arena_printf(arena, "{'output':{'value':%s}}", cases[i].value));
        const char *message = user_function_violation(arena, TEXT("f"), definition, cases[i].version_2);
        if (cases[i].list)
            ck_assert_str_eq(
                message,
                arena_printf(arena,
                             "The template function 'f' at line '1' and column '11' is not valid. These "
                             "function calls are not supported in a function definition: '%s'. Please "
                             "see https://aka.ms/arm-template/#functions for usage details.",
                             cases[i].list));
        else
            ck_assert_ptr_null(message);
        arena_free(arena);
    }
}
END_TEST

// ---- checks without evaluating

START_TEST(checks)
{
    static const struct {
        const char *json, *message;
    } cases[] = {
        {"{'a':[\"[if(true(), reference('x').y, ns.twice('a'))]\"]}", NULL},
        {"{'a':[\"[if(true(), 1, nope())]\"]}", "The template function 'nope' is not valid. Please see "
                                                "https://aka.ms/arm-functions for usage details."},
        {"{'a':[\"[if(true(), 1, ns.twice())]\"]}",
         "Unable to evaluate template language function 'ns.twice': function requires 1 argument(s) while 0 "
         "were provided. "
         "Please see https://aka.ms/arm-resource-functions/#ns.twice for usage details."},
        {"{'[utcNow()]':1}", "The template function 'utcNow' is not expected at this location. Please see "
                             "https://aka.ms/arm-functions for usage "
                             "details."},
        {"['[concat(]']", "Unable to parse language expression 'concat(': expected token 'Identifier' and "
                          "actual 'EndOfData'."},
        {"\"[map(createArray(), lambda('x', length()))]\"",
         "The template language function 'length' expects exactly one parameter: an array, object, or a "
         "string the length of "
         "which is returned. The function was invoked with '0' parameters."},
        {"\"[fail(parameters('name')[variables('b', 'c')])]\"",
         "Unable to evaluate template language function 'variables': function requires 1 argument(s) while 2 "
         "were provided. "
         "Please see https://aka.ms/arm-resource-functions/#variables for usage details."},
        // Named though never looked at; what is inside of it nobody knows.
        {"\"[if(true(), parameters('NAME').nothing, 1)]\"", NULL},
        {"\"[if(true(), reference('x').y, parameters('nope'))]\"",
         "The template parameter 'nope' is not found. Please see https://aka.ms/arm-syntax-parameters for "
         "usage "
         "details."},
        {"\"[concat(parameters(concat('no', 'pe')))]\"", NULL},
        {"\"[concat(variables('nope'))]\"", "The template variable 'nope' is not found. Please see "
                                            "https://aka.ms/arm-syntax-variables for usage "
                                            "details."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct language l;
        const struct value *at;
        language_open(&l);
        bool fine = evaluate_check(&l.e, read(l.arena, cases[i].json), &l.error, &at);
        ck_assert_msg(fine == !cases[i].message, "%s", cases[i].json);
        if (!fine)
            ck_assert_str_eq(l.error.message, cases[i].message);
        language_close(&l);
    }
}
END_TEST

Suite *suite_evaluate(void)
{
    Suite *suite = suite_create("evaluation of values");
    TCase *all = tcase_create("all");
    tcase_add_loop_test(all, whole_values, 0, sizeof whole / sizeof *whole);
    tcase_add_test(all, unchanged_values_are_themselves);
    tcase_add_test(all, what_failed_is_told);
    tcase_add_test(all, copy_index_of_loops);
    tcase_add_test(all, user_functions);
    tcase_add_test(all, definitions);
    tcase_add_test(all, checks);
    suite_add_tcase(suite, all);
    return suite;
}
