// Values: numbers and escapes as a .NET writer gives them (arm-templates 2.4), equality (arm-templates 4.3).
#include "templates/value.h"

#include <check.h>

Suite *suite_value(void);

static const struct {
    double real;
    const char *json;
} floats[] = {
    {0, "0.0"},
    {-0.0, "-0.0"},
    {1, "1.0"},
    {1.5, "1.5"},
    {-2.25, "-2.25"},
    {0.1, "0.1"},
    {0.0001, "0.0001"},
    {0.00001, "1E-05"},
    {123456789012345.0, "123456789012345.0"},
    {1e15, "1E+15"},
    {1e20, "1E+20"},
    {1.7976931348623157e308, "1.7976931348623157E+308"},
    {5e-324, "5E-324"},
    {3.141592653589793, "3.141592653589793"},
    {0.1 + 0.2, "0.30000000000000004"},
    {12345678901234567.0, "12345678901234568.0"},
};

START_TEST(floats_are_written_shortest) // arm-templates 2.4
{
    struct arena *arena = arena_new();
    ck_assert_str_eq(value_to_json(arena, value_float(arena, floats[_i].real)).base, floats[_i].json);
    arena_free(arena);
}
END_TEST

static const struct {
    struct text in;
    const char *json, *quoted;
} strings[] = {
    {TEXT("a/b"), "\"a/b\"", "'a/b'"},
    {TEXT("it's \"so\""), "\"it's \\\"so\\\"\"", "'it\\'s \"so\"'"},
    {TEXT("\b\t\n\f\r\x01\x1f\x7f\0"), "\"\\b\\t\\n\\f\\r\\u0001\\u001f\x7f\\u0000\"",
     "'\\b\\t\\n\\f\\r\\u0001\\u001f\x7f\\u0000'"},
    {TEXT("\xc3\xbc\xe2\x82\xac\\"), "\"\xc3\xbc\xe2\x82\xac\\\\\"", "'\xc3\xbc\xe2\x82\xac\\\\'"},
    {TEXT("\xc2\x85\xe2\x80\xa8"), "\"\\u0085\\u2028\"", "'\\u0085\\u2028'"},
    {TEXT(""), "\"\"", "''"},
};

START_TEST(strings_are_escaped_minimally) // arm-templates 2.4
{
    struct arena *arena = arena_new();
    const struct value *value = value_string(arena, strings[_i].in);
    ck_assert_str_eq(value_to_json(arena, value).base, strings[_i].json);
    struct buffer out = buffer_new(arena);
    value_write(&out, value, '\'');
    ck_assert_str_eq(buffer_done(&out).base, strings[_i].quoted);
    arena_free(arena);
}
END_TEST

static const struct value *sample(struct arena *arena)
{
    const struct value **items = ARENA_ARRAY(arena, const struct value *, 3);
    items[0] = value_boolean(true);
    items[1] = value_integer(arena, INT64_MIN);
    items[2] = value_null();
    struct value_member *members = ARENA_ARRAY(arena, struct value_member, 3);
    members[0] = (struct value_member){TEXT("b"), 0, 0, value_array(arena, items, 3)};
    members[1] = (struct value_member){TEXT("B"), 0, 0, value_object(arena, NULL, 0)};
    members[2] = (struct value_member){TEXT("c"), 0, 0, value_array(arena, NULL, 0)};
    return value_object(arena, members, 3);
}

START_TEST(documents_are_written_compactly)
{
    struct arena *arena = arena_new();
    const struct value *value = sample(arena);
    const char *json = "{\"b\":[true,-9223372036854775808,null],\"B\":{},\"c\":[]}";
    ck_assert_str_eq(value_to_json(arena, value).base, json);
    struct buffer out = buffer_new(arena);
    ck_assert(!value_write_within(&out, value, '"', 10));
    ck_assert_uint_lt(out.length, 60);
    out = buffer_new(arena);
    ck_assert(value_write_within(&out, value, '"', strlen(json)));
    ck_assert(value_find(value, TEXT("B")) == value->object.members[1].value); // the exact name first
    ck_assert(VALUE_FIND(value, "C") == value->object.members[2].value);
    ck_assert_ptr_null(VALUE_FIND(value, "d"));
    ck_assert_ptr_null(VALUE_FIND(NULL, "d"));
    arena_free(arena);
}
END_TEST

START_TEST(equality) // arm-templates 4.3
{
    struct arena *arena = arena_new();
    const struct value *one = value_integer(arena, 1), *text = value_string(arena, TEXT("1"));
    ck_assert(value_equal(one, value_float(arena, 1.0)));
    ck_assert(!value_equal(one, value_float(arena, 1.5)));
    ck_assert(!value_equal(value_integer(arena, INT64_MAX), value_float(arena, 9223372036854775808.0)));
    ck_assert(!value_equal(one, text));
    ck_assert(!value_equal(text, value_string(arena, TEXT("2"))));
    ck_assert(!value_equal(value_null(), value_boolean(false)));
    const struct value *a = sample(arena);
    struct value_member turned[3] = {a->object.members[2], a->object.members[0], a->object.members[1]};
    ck_assert(value_equal(a, value_object(arena, turned, 3)));
    turned[0].name = TEXT("C"); // names compare as written
    ck_assert(!value_equal(a, value_object(arena, turned, 3)));
    ck_assert(!value_equal(a, value_object(arena, turned, 2)));
    arena_free(arena);
}
END_TEST

// Two trees of 2^40 nodes in forty arrays each.
START_TEST(exponential_trees_are_bounded)
{
    struct arena *arena = arena_new();
    const struct value *tree[2];
    for (int t = 0; t < 2; t++) {
        tree[t] = value_integer(arena, 1);
        for (int i = 0; i < 40; i++) {
            const struct value **both = ARENA_ARRAY(arena, const struct value *, 2);
            both[0] = both[1] = tree[t];
            tree[t] = value_array(arena, both, 2);
        }
    }
    size_t steps = 10000;
    ck_assert(!value_equal_within(tree[0], tree[1], &steps));
    ck_assert_uint_eq(steps, 0);
    ck_assert_uint_eq(value_weight(tree[0], 5000), 5000);
    struct buffer out = buffer_new(arena);
    ck_assert(!value_write_within(&out, tree[0], '"', 5000));
    arena_free(arena);
}
END_TEST

START_TEST(deep_values_need_no_stack)
{
    struct arena *arena = arena_new();
    const struct value *tree[2];
    for (int t = 0; t < 2; t++) {
        tree[t] = value_null();
        for (int i = 0; i < 500000; i++) {
            const struct value **one = ARENA_NEW(arena, const struct value *);
            *one = tree[t];
            tree[t] = value_array(arena, one, 1);
        }
    }
    ck_assert(value_equal(tree[0], tree[1]));
    ck_assert_uint_eq(value_weight(tree[0], SIZE_MAX), 500001);
    ck_assert_uint_eq(value_to_json(arena, tree[0]).length, 1000004);
    arena_free(arena);
}
END_TEST

START_TEST(lengths_count_utf16_units)
{
    ck_assert_uint_eq(value_utf16_length(TEXT("a\xc3\xbc\xe2\x82\xac\xf0\x9f\x90\xb3")), 5);
    ck_assert_uint_eq(value_utf16_length(TEXT("")), 0);
}
END_TEST

Suite *suite_value(void)
{
    Suite *suite = suite_create("value");
    TCase *cases = tcase_create("value");
    tcase_add_loop_test(cases, floats_are_written_shortest, 0, sizeof floats / sizeof *floats);
    tcase_add_loop_test(cases, strings_are_escaped_minimally, 0, sizeof strings / sizeof *strings);
    tcase_add_test(cases, documents_are_written_compactly);
    tcase_add_test(cases, equality);
    tcase_add_test(cases, exponential_trees_are_bounded);
    tcase_add_test(cases, deep_values_need_no_stack);
    tcase_add_test(cases, lengths_count_utf16_units);
    suite_add_tcase(suite, cases);
    return suite;
}
