// Which strings are expressions, how they are parsed and what is wrong with them (arm-templates 4.1 to 4.4).
#include "templates/language.h"
#include "templates/reader.h"

Suite *suite_expression_syntax(void);

static const struct language_case syntax[] = {
    {"arm-templates 4.1 plain", "text", "\"text\""},
    {"arm-templates 4.1 escaped", "[[text]", "\"[text]\""},
    {"arm-templates 4.1 escaped twice", "[[[text]", "\"[[text]\""},
    {"arm-templates 4.1 open", "[x] y", "\"[x] y\""},
    {"arm-templates 4.1 blank before", " [null()]", "\" [null()]\""},
    {"arm-templates 4.1 blank behind", "[null()] ", "\"[null()] \""},
    {"arm-templates 4.1 one bracket", "[", "\"[\""},
    {"arm-templates 4.1 escaped, not closed", "[[x", "\"[[x\""},
    {"arm-templates 4.2 blanks", "[ \t\r\n concat ( 'a' , 'b' ) \n]", "\"ab\""},
    {"arm-templates 4.2 quotes", "[concat('it''s', '''')]", "\"it's'\""},
    {"arm-templates 4.2 backslash", "[concat('a\\n')]", "\"a\\\\n\""},
    {"arm-templates 4.2 line in a string", "[concat('a\nb')]", "\"a\\nb\""},
    {"arm-templates 4.2 numbers", "[createArray(1, -2, 2.5, -0.5, 9223372036854775807)]",
     "[1,-2,2.5,-0.5,9223372036854775807]"},
    {"arm-templates 4.2 case of names", "[CONCAT('a', tolower('B'))]", "\"ab\""},
    {"arm-templates 4.2 accessors", "[parameters('object').b['C']]", "\"deep\""},
    {"arm-templates 4.2 index", "[createArray(createArray(1,2))[0][sub(2, 1)]]", "2"},
    {"arm-templates 4.2 blanks in accessors", "[parameters('object') . b [ 'c' ]]", "\"deep\""},
    {"arm-templates 4.2 of a literal", "[if(true(), 'a'.b, 1)]",
     "!The language expression property 'b' can't be evaluated."},
    {"arm-templates 4.2 empty", "[]",
     "!Unable to parse language expression '': expected token 'Identifier' and actual 'EndOfData'."},
    {"arm-templates 4.2 name alone", "[parameters]",
     "!Unable to parse language expression 'parameters': expected token 'LeftParenthesis' and actual "
     "'EndOfData'."},
    {"arm-templates 4.2 string first", "['a']",
     "!Unable to parse language expression ''a'': expected token 'Identifier' and actual 'StringLiteral'."},
    {"arm-templates 4.2 number first", "[1]",
     "!Unable to parse language expression '1': expected token 'Identifier' and actual 'Integer'."},
    {"arm-templates 4.2 not closed", "[concat('a']",
     "!Unable to parse language expression 'concat('a'': expected token 'RightParenthesis' and actual "
     "'EndOfData'."},
    {"arm-templates 4.2 no comma", "[concat('a' 'b')]",
     "!Unable to parse language expression 'concat('a' 'b')': expected token 'RightParenthesis' and actual "
     "'StringLiteral'."},
    {"arm-templates 4.2 comma at the end", "[concat('a',)]",
     "!Unable to parse language expression 'concat('a',)': expected token 'Identifier' and actual "
     "'RightParenthesis'."},
    {"arm-templates 4.2 more behind", "[concat('a') concat('b')]",
     "!Unable to parse language expression 'concat('a') concat('b')': expected token 'EndOfData' and actual "
     "'Identifier'."},
    {"arm-templates 4.2 closed twice", "[concat('a'))]",
     "!Unable to parse language expression 'concat('a'))': expected token 'EndOfData' and actual "
     "'RightParenthesis'."},
    {"arm-templates 4.2 index not closed", "[parameters('list')[0]",
     "!Unable to parse language expression 'parameters('list')[0': expected token 'RightSquareBracket' and "
     "actual "
     "'EndOfData'."},
    {"arm-templates 4.2 dot at the end", "[parameters('object').]",
     "!Unable to parse language expression 'parameters('object').': expected token 'Identifier' and actual "
     "'EndOfData'."},
    {"arm-templates 4.2 dot and a number", "[parameters('object').1]",
     "!Unable to parse language expression 'parameters('object').1': expected token 'Identifier' and actual "
     "'Integer'."},
    {"arm-templates 4.2 path", "[/subscriptions/x]",
     "!The language expression '/subscriptions/x' is not valid: the string character '/' at position '0' is "
     "not "
     "expected."},
    {"arm-templates 4.2 operator", "[add(1, 2) + 3]",
     "!The language expression 'add(1, 2) + 3' is not valid: the string character '+' at position '10' is "
     "not expected."},
    {"arm-templates 4.2 safe access", "[parameters('object').?b]",
     "!The language expression 'parameters('object').?b' is not valid: the string character '?' at position "
     "'21' is not "
     "expected."},
    {"arm-templates 4.2 string not closed", "[concat('a)]",
     "!The language expression 'concat('a)' is not valid: the string character ''' at position '7' is not "
     "expected."},
    {"arm-templates 4.2 position in UTF-16", "[concat('\xf0\x9f\x98\x80\xc3\xa9', #)]",
     "!The language expression 'concat('\xf0\x9f\x98\x80\xc3\xa9', #)' is not valid: the string character "
     "'#' at position "
     "'14' is not expected."},
    {"arm-templates 4.2 integer too large", "[add(9223372036854775808, 1)]",
     "!The language expression 'add(9223372036854775808, 1)' is not valid: the number '9223372036854775808' "
     "at position "
     "'4' is too large."},
    {"arm-templates 5 unknown function", "[nope(1)]",
     "!The template function 'nope' is not valid. Please see https://aka.ms/arm-functions for usage "
     "details."},
    {"arm-templates 5 unknown namespace", "[sys.concat('a')]",
     "!The template function 'sys.concat' is not valid. Please see https://aka.ms/arm-functions for usage "
     "details."},
    {"arm-templates 5 count", "[equals(1)]",
     "!Unable to evaluate template language function 'equals': function requires 2 argument(s) while 1 were "
     "provided. "
     "Please see https://aka.ms/arm-resource-functions/#equals for usage details."},
    {"arm-templates 5 count as a range", "[TOOBJECT(createArray())]",
     "!Unable to evaluate template language function 'toObject': function requires between 2 and 3 "
     "argument(s) while 1 "
     "were provided. Please see https://aka.ms/arm-resource-functions/#toObject for usage details."},
};

START_TEST(strings_become_what_they_mean)
{
    LANGUAGE_CHECK(syntax, PLACE_RESOURCE_BODY);
}
END_TEST

static const struct language_case values[] = {
    {"arm-templates 4.3 property missing", "[parameters('object').x]",
     "!The language expression property 'x' doesn't exist, available properties are 'a, B'."},
    {"arm-templates 4.3 property of null", "[parameters('nothing').x]",
     "!The language expression property 'x' can't be evaluated."},
    {"arm-templates 4.3 property of an array", "[parameters('list').x]",
     "!The language expression property 'x' can't be evaluated."},
    {"arm-templates 4.3 index too high", "[createArray(1)[1]]",
     "!The language expression property array index '1' is out of bounds."},
    {"arm-templates 4.3 index negative", "[parameters('list')[-1]]",
     "!The language expression property array index '-1' is out of bounds."},
    {"arm-templates 4.3 index a string", "[parameters('list')['0']]",
     "!The language expression property '0' can't be evaluated."},
    {"arm-templates 4.3 index of an object", "[parameters('object')[0]]",
     "!The language expression property '0' can't be evaluated."},
    {"arm-templates 4.3 equality", "[equals(1, '1')]", "false"},
    {"arm-templates 4.3 equality of numbers", "[equals(2, json('2.0'))]", "true"},
    {"arm-templates 4.3 equality of objects",
     "[equals(json('{\"a\":1,\"b\":[1]}'), json('{\"b\":[1],\"a\":1}'))]", "true"},
    {"arm-templates 4.3 equality and case of keys", "[equals(json('{\"a\":1}'), json('{\"A\":1}'))]",
     "false"},
    {"arm-templates 4.3 equality and case", "[equals('a', 'A')]", "false"},
    {"arm-templates 4.3 lazy if", "[if(true(), 1, fail('no'))]", "1"},
    {"arm-templates 4.3 lazy if, else", "[if(false(), reference('missing'), 'b')]", "\"b\""},
    {"arm-templates 4.3 lazy and", "[and(false(), fail('no'))]", "false"},
    {"arm-templates 4.3 lazy or", "[or(true(), fail('no'))]", "true"},
    {"arm-templates 4.3 lazy coalesce", "[coalesce(null(), 'a', fail('no'))]", "\"a\""},
    {"arm-templates 4.3 lazy tryGet", "[tryGet(parameters('object'), 'x', fail('no'))]", "null"},
    {"arm-templates 4.3 strict", "[createArray(fail('stop'))]", "!stop"},
    {"arm-templates 4.3 text of null and booleans", "[concat(null(), true(), false())]", "\"TrueFalse\""},
    {"arm-templates 4.3 order of objects", "[createObject('z', 1, 'a', 2)]", "{\"z\":1,\"a\":2}"},
};

START_TEST(values_follow_their_rules)
{
    LANGUAGE_CHECK(values, PLACE_RESOURCE_BODY);
}
END_TEST

START_TEST(length_is_bounded) // arm-templates 4.1, 10
{
    struct language l;
    language_open(&l);
    struct buffer b = buffer_new(l.arena);
    buffer_string(&b, "[length('");
    while (b.length < EXPRESSION_LENGTH - 3)
        buffer_char(&b, 'x');
    buffer_string(&b, "')]");
    ck_assert_uint_eq(b.length, EXPRESSION_LENGTH);
    ck_assert_str_eq(language_evaluate(&l, buffer_done(&b)).base, "24564");
    struct text longer = TEXT_JOIN(l.arena, TEXT("[ "), text_slice(buffer_done(&b), 1, b.length));
    ck_assert_str_eq(
        language_evaluate(&l, longer).base,
        "!The template language expression length limit exceeded. Limit: '24576' and actual: '24577'.");
    language_close(&l);
}
END_TEST

START_TEST(depth_is_bounded)
{
    struct language l;
    for (size_t depth = EXPRESSION_DEPTH; depth <= EXPRESSION_DEPTH + 1; depth++) {
        language_open(&l);
        struct buffer b = buffer_new(l.arena);
        buffer_char(&b, '[');
        for (size_t i = 0; i < depth - 1; i++)
            buffer_string(&b, "string(");
        buffer_string(&b, "'x'");
        for (size_t i = 0; i < depth - 1; i++)
            buffer_char(&b, ')');
        buffer_char(&b, ']');
        ck_assert_str_eq(
            language_evaluate(&l, buffer_done(&b)).base,
            depth == EXPRESSION_DEPTH
                ? "\"x\""
                : "!The language expression is not valid: it is nested deeper than '192' levels.");
        language_close(&l);
    }
}
END_TEST

START_TEST(errors_know_their_place)
{
    static const struct {
        const char *expression;
        uint32_t position;
    } cases[] = {
        {"[concat('a' 'b')]", 12}, {"[add(1, nope())]", 8},          {"[add(1, add('x', 2))]", 8},
        {"[concat(#)]", 8},        {"[parameters('object').x]", 21}, {"[concat('a', fail('x'))]", 13},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct language l;
        language_open(&l);
        language_evaluate(&l, text_of(cases[i].expression));
        ck_assert_msg(l.error.position == cases[i].position, "%s: %u", cases[i].expression, l.error.position);
        language_close(&l);
    }
}
END_TEST

static void collect(void *context, const struct expression_call *call)
{
    struct buffer *b = context;
    buffer_format(b, "%.*s/%zu@%u ", TEXT_ARG(call->name), call->argument_count, call->position);
}

START_TEST(calls_are_walked)
{
    struct arena *arena = arena_new();
    struct expression_error error;
    const struct expression *e = expression_parse(
        arena, TEXT("[if(ns.f(1), ListKeys(a(), 'v').keys[b()].x, map(c(), lambda('i', d())))]"), &error);
    struct buffer b = buffer_new(arena);
    expression_calls(e, collect, &b);
    ck_assert_str_eq(buffer_done(&b).base,
                     "if/3@1 ns.f/1@4 ListKeys/2@13 a/0@22 b/0@37 map/2@45 c/0@49 lambda/2@54 d/0@66 ");
    ck_assert(expression_needs_run(e));
    arena_free(arena);
}
END_TEST

START_TEST(runs_are_foreseen)
{
    static const struct {
        const char *json;
        bool needs;
    } cases[] = {
        {"'[reference(\\'x\\')]'", true},
        {"{'a':[{'b':'[concat(references(\\'x\\')[0])]'}]}", true},
        {"'[if(false(), listFoo(\\'x\\', \\'v\\'), 1)]'", true},
        {"{'[reference(\\'x\\')]':1}", true},
        {"'[resourceId(\\'a/b\\', \\'c\\')]'", false},
        {"'[[reference(\\'x\\')]'", false},
        {"'[reference('", false},
        {"'[ns.reference(1)]'", false},
        {"['reference(1)', 1, null, true, 2.5]", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena *arena = arena_new();
        struct reader_error error = {0};
        const struct value *value = reader_read(arena, text_of(cases[i].json), NULL, &error);
        ck_assert_msg(value != NULL, "%s", cases[i].json);
        ck_assert_msg(value_needs_run(arena, value) == cases[i].needs, "%s", cases[i].json);
        arena_free(arena);
    }
}
END_TEST

Suite *suite_expression_syntax(void)
{
    Suite *suite = suite_create("expression syntax");
    TCase *all = tcase_create("all");
    tcase_add_test(all, strings_become_what_they_mean);
    tcase_add_test(all, values_follow_their_rules);
    tcase_add_test(all, length_is_bounded);
    tcase_add_test(all, depth_is_bounded);
    tcase_add_test(all, errors_know_their_place);
    tcase_add_test(all, calls_are_walked);
    tcase_add_test(all, runs_are_foreseen);
    suite_add_tcase(suite, all);
    return suite;
}
