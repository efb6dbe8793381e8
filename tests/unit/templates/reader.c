// The lenient reader: what it takes, what it refuses with which words, and where (arm-templates 1.1).
#include "templates/reader.h"

#include <check.h>
#include <stdlib.h>

Suite *suite_reader(void);

static const struct {
    struct text in;
    const char *json;
} taken[] = {
    {TEXT("{\"a\":1}"), "{\"a\":1}"},
    {TEXT("\xef\xbb\xbf[]"), "[]"},
    {TEXT(" // c\n/* d\n**/ {a:1 /*x*/, // y\n 'b' : 'c\"' , $d_9:null,}//"),
     "{\"a\":1,\"b\":\"c\\\"\",\"$d_9\":null}"},
    {TEXT("[1,2,]"), "[1,2]"},
    {TEXT("\"a\r\nb\tc\""), "\"a\\r\\nb\\tc\""},
    {TEXT("'it\\'s \\u00fc \\ud83d\\udc33 \\ud800 \\/ \\b\\f'"),
     "\"it's \xc3\xbc \xf0\x9f\x90\xb3 \xef\xbf\xbd / \\b\\f\""},
    {TEXT("{\"a\":1,\"b\":2,\"a\":3}"), "{\"a\":3,\"b\":2}"},
    {TEXT("{\"a\":1,\"A\":2}"), "{\"a\":1,\"A\":2}"},
    {TEXT("[0,-0,9223372036854775807,-9223372036854775808,9223372036854775808,1.0,1e2,-1.5E-3,true,false,"
          "null]"),
     "[0,0,9223372036854775807,-9223372036854775808,9.223372036854776E+18,1.0,100.0,-0.0015,true,false,"
     "null]"},
    {TEXT("\"\\u0000\""), "\"\\u0000\""},
    {TEXT("{\"properties\": {\"mode\": \"Incremental\", template:{\"x\":\n1 // c\n}\n}}"),
     "{\"properties\":{\"mode\":\"Incremental\",\"template\":{\"x\":1}}}"},
    {TEXT("{\"\":1}"), "{\"\":1}"},
};

START_TEST(takes)
{
    struct arena *arena = arena_new();
    struct reader_error error = {.message = NULL};
    const struct value *value = reader_read(arena, taken[_i].in, NULL, &error);
    ck_assert_msg(value != NULL, "%s", error.message);
    ck_assert_str_eq(value_to_json(arena, value).base, taken[_i].json);
    arena_free(arena);
}
END_TEST

static const struct {
    struct text in;
    const char *message, *path;
    uint32_t line, column;
} refused[] = {
    {TEXT(""), "Unexpected end when reading JSON.", "", 1, 0},
    {TEXT(" \n "), "Unexpected end when reading JSON.", "", 2, 1},
    {TEXT("x"), "Unexpected character encountered while parsing value: x.", "", 1, 1},
    {TEXT("{\"a\":tru}"), "Unexpected character encountered while parsing value: t.", "a", 1, 6},
    {TEXT("{\"a\":\n [1,\n  {\"b\" 2}]}"),
     "Invalid character after parsing property name. Expected ':' but got: 2.", "a[1].b", 3, 8},
    {TEXT("{\"a\":1 \"b\":2}"), "After parsing a value an unexpected character was encountered: \".", "a", 1,
     8},
    {TEXT("[1 2]"), "After parsing a value an unexpected character was encountered: 2.", "[0]", 1, 4},
    {TEXT("[1,,2]"), "Unexpected character encountered while parsing value: ,.", "[1]", 1, 4},
    {TEXT("{,}"), "Invalid property identifier character: ,.", "", 1, 2},
    {TEXT("{1:2}"), "Invalid property identifier character: 1.", "", 1, 2},
    {TEXT("{\"a"), "Unterminated string. Expected delimiter: \".", "", 1, 3},
    {TEXT("{\"a.b\":{'c':'d\\"), "Unterminated string. Expected delimiter: '.", "['a.b'].c", 1, 15},
    {TEXT("{\"a\":\"\\x\"}"), "Bad JSON escape sequence: \\x.", "a", 1, 8},
    {TEXT("[\"\\u12g4\"]"), "Invalid Unicode escape sequence: \\u12g4.", "[0]", 1, 5},
    {TEXT("[\"\\u:s,\xe0\xa2\x90\"]"), "Invalid Unicode escape sequence: \\u:s,\xe0\xa2\x90.", "[0]", 1, 5},
    {TEXT("{\"a\":{"), "Unexpected end when deserializing object.", "a", 1, 6},
    {TEXT("{\"a\":["), "Unexpected end when deserializing array.", "a", 1, 6},
    {TEXT("{\"a\":[1,"), "Unexpected end when deserializing array.", "a[0]", 1, 8},
    {TEXT("{\"a\""), "Unexpected end when deserializing object.", "a", 1, 4},
    {TEXT("{} /"), "Unexpected end while parsing comment.", "", 1, 4},
    {TEXT("{} /* *"), "Unexpected end while parsing comment.", "", 1, 7},
    {TEXT("{} /-"), "Error parsing comment. Expected: *, got: -.", "", 1, 5},
    {TEXT("{}{"), "Additional text encountered after finished reading JSON content: {.", "", 1, 3},
    {TEXT("[012]"), "Input string '012' is not a valid number.", "[0]", 1, 4},
    {TEXT("[1.]"), "Input string '1.' is not a valid number.", "[0]", 1, 3},
    {TEXT("[-]"), "Input string '-' is not a valid number.", "[0]", 1, 2},
    {TEXT("[1e999]"), "Input string '1e999' is not a valid number.", "[0]", 1, 6},
    {TEXT("[\"\xc3\xbc\xf0\x9f\x90\xb3\",\xe2\x82\xac]"),
     "Unexpected character encountered while parsing value: \xe2\x82\xac.", "[1]", 1, 8},
    {TEXT("[\"a\xff\"]"), "The byte 0xff is not allowed in UTF-8 text here.", "", 1, 4},
    {TEXT("[\"a\0\"]"), "The byte 0x00 is not allowed in UTF-8 text here.", "", 1, 4},
    {TEXT("\r\n\r\n\n\r x"), "Unexpected character encountered while parsing value: x.", "", 5, 2},
};

START_TEST(refuses)
{
    struct arena *arena = arena_new();
    struct reader_error error = {.message = NULL};
    ck_assert_ptr_null(reader_read(arena, refused[_i].in, NULL, &error));
    ck_assert_str_eq(error.message, refused[_i].message);
    ck_assert_str_eq(text_cstr(arena, error.path), refused[_i].path);
    ck_assert_uint_eq(error.line, refused[_i].line);
    ck_assert_uint_eq(error.column, refused[_i].column);
    arena_free(arena);
}
END_TEST

START_TEST(positions) // of the last character of a token; the bracket of an object
{
    struct arena *arena = arena_new();
    struct reader_error error;
    const struct value *root = reader_read(
        arena, TEXT("{\"n\": 123,\r\n  \"o\": {\"s\": \"\xc3\xbc\xf0\x9f\x90\xb3\n.\"}}"), NULL, &error);
    ck_assert_ptr_nonnull(root);
    const struct value *n = VALUE_FIND(root, "n"), *o = VALUE_FIND(root, "o"), *s = VALUE_FIND(o, "s");
    ck_assert_uint_eq(root->column, 1);
    ck_assert_uint_eq(n->column, 9);
    ck_assert_uint_eq(o->line, 2);
    ck_assert_uint_eq(o->column, 8);
    ck_assert_uint_eq(o->object.members[0].column, 11);
    ck_assert_uint_eq(s->line, 3);
    ck_assert_uint_eq(s->column, 2);
    arena_free(arena);
}
END_TEST

static struct text repeated(struct arena *arena, const char *part, size_t times, const char *end)
{
    struct buffer out = buffer_new(arena);
    for (size_t i = 0; i < times; i++)
        buffer_string(&out, part);
    buffer_string(&out, end);
    return buffer_done(&out);
}

START_TEST(bounds)
{
    struct arena *arena = arena_new();
    struct reader_error error = {.message = NULL};
    ck_assert_ptr_null(reader_read(arena, repeated(arena, "[", 129, ""), NULL, &error));
    ck_assert_str_eq(error.message, "The reader's MaxDepth of 128 has been exceeded.");
    ck_assert_uint_eq(error.column, 129);
    ck_assert_ptr_null(reader_read(arena, repeated(arena, "{\"a\":", 1000000, ""), NULL, &error));
    ck_assert_str_eq(error.message, "The reader's MaxDepth of 128 has been exceeded.");
    struct text many = TEXT_JOIN(arena, TEXT("["), repeated(arena, "0,", 249999, "]"));
    ck_assert_ptr_nonnull(reader_read(arena, many, NULL, &error));
    many = TEXT_JOIN(arena, TEXT("["), repeated(arena, "0,", 250000, "]"));
    ck_assert_ptr_null(reader_read(arena, many, NULL, &error));
    ck_assert_str_eq(error.message, "The number of values exceeds the limit of 250000.");
    struct reader_limits limits = {.depth = 2, .values = 3};
    ck_assert_ptr_nonnull(reader_read(arena, TEXT("[[0]]"), &limits, &error));
    ck_assert_ptr_null(reader_read(arena, TEXT("[[[]]]"), &limits, &error));
    ck_assert_ptr_null(reader_read(arena, TEXT("[1,2,3]"), &limits, &error));
    arena_free(arena);
}
END_TEST

START_TEST(duplicates_of_large_objects) // arm-templates 1.1: the last wins, here at the first's place
{
    struct arena *arena = arena_new();
    struct reader_error error;
    struct buffer out = buffer_new(arena);
    buffer_char(&out, '{');
    for (int i = 0; i < 60000; i++)
        buffer_format(&out, "\"k%d\":%d,", i % 20000, i);
    buffer_char(&out, '}');
    const struct value *root = reader_read(arena, buffer_done(&out), NULL, &error);
    ck_assert_ptr_nonnull(root);
    ck_assert_uint_eq(root->object.count, 20000);
    for (size_t i = 0; i < 20000; i++)
        ck_assert_int_eq(root->object.members[i].value->integer, (int64_t)(40000 + i));
    arena_free(arena);
}
END_TEST

Suite *suite_reader(void)
{
    Suite *suite = suite_create("reader");
    TCase *cases = tcase_create("reader");
    tcase_add_loop_test(cases, takes, 0, sizeof taken / sizeof *taken);
    tcase_add_loop_test(cases, refuses, 0, sizeof refused / sizeof *refused);
    tcase_add_test(cases, positions);
    tcase_add_test(cases, bounds);
    tcase_add_test(cases, duplicates_of_large_objects);
    suite_add_tcase(suite, cases);
    return suite;
}
