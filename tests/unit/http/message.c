// Forms, query, headers and answers.
#include "http/message.h"

#include "base/arena.h"

#include <check.h>
#include <stdio.h>

static const struct {
    const char *body;
    bool fine;
    size_t count;
    const char *name, *value; // value NULL: absent
} forms[] = {
    {"", true, 0, "a", NULL},
    {"a=1&b=2", true, 2, "b", "2"},
    {"a=1&a=2", true, 2, "a", "1"},
    {"a", true, 1, "a", ""},
    {"&&a=b&", true, 1, "a", "b"},
    {"a=b=c", true, 1, "a", "b=c"},
    {"a=x+y%2Bz", true, 1, "a", "x y+z"},
    {"A=1", true, 1, "a", NULL},
    {"%61=1", true, 1, "a", "1"},
    {"a=%2", false, 0, NULL, NULL},
    {"a=%zz", false, 0, NULL, NULL},
    {"a=%00", false, 0, NULL, NULL},
    {"a=%ff", false, 0, NULL, NULL},
    {"a=%c3%a4", true, 1, "a", "\xc3\xa4"},
};

START_TEST(form)
{
    struct arena *arena = arena_new();
    struct http_field *fields;
    size_t count;
    bool fine = http_parse_form(arena, text_of(forms[_i].body), &fields, &count);
    ck_assert_int_eq(fine, forms[_i].fine);
    if (fine) {
        ck_assert_uint_eq(count, forms[_i].count);
        struct text value = http_field_value(fields, count, forms[_i].name);
        ck_assert_int_eq(value.base == NULL, forms[_i].value == NULL);
        if (forms[_i].value != NULL)
            ck_assert(text_is(value, forms[_i].value));
    }
    arena_free(arena);
}
END_TEST

START_TEST(too_many_fields)
{
    char body[2048];
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = i % 2 ? '&' : 'a';
    struct arena *arena = arena_new();
    struct http_field *fields;
    size_t count;
    ck_assert(!http_parse_form(arena, (struct text){body, sizeof body}, &fields, &count));
    arena_free(arena);
}
END_TEST

START_TEST(headers)
{
    struct http_field fields[] = {{TEXT("a"), TEXT("1")}, {TEXT("b"), TEXT("2")}, {TEXT("a"), TEXT("3")}};
    struct http_field query[] = {{TEXT("api-Version"), TEXT("2019-05-01")}};
    struct http_request request = {.headers = fields, .header_count = 3, .query = query, .query_count = 1};
    bool doubled;
    ck_assert(text_is(http_header(&request, "a", &doubled), "1"));
    ck_assert(doubled);
    ck_assert(text_is(http_header(&request, "b", &doubled), "2"));
    ck_assert(!doubled);
    ck_assert_ptr_null(http_header(&request, "c", &doubled).base);
    ck_assert(text_is(http_query(&request, "API-version"), "2019-05-01"));
    ck_assert_ptr_null(http_query(&request, "x").base);
}
END_TEST

START_TEST(answer_headers)
{
    struct http_answer answer;
    http_answer_reset(&answer);
    http_set_header_string(&answer, "Content-Type", "a");
    http_set_header_string(&answer, "content-type", "b");
    ck_assert_uint_eq(answer.header_count, 1);
    ck_assert(text_is(answer.headers[0].value, "b"));
    http_set_header_string(&answer, "Location", "x\r\nSet-Cookie: y");
    ck_assert_uint_eq(answer.header_count, 1);
    char names[40][16];
    for (int i = 0; i < 40; i++) {
        snprintf(names[i], sizeof names[i], "n%d", i);
        http_set_header_string(&answer, names[i], "v");
    }
    ck_assert_uint_eq(answer.header_count, HTTP_ANSWER_HEADERS);
}
END_TEST

Suite *suite_message(void);
Suite *suite_message(void)
{
    Suite *suite = suite_create("message");
    TCase *tcase = tcase_create("message");
    tcase_add_loop_test(tcase, form, 0, sizeof forms / sizeof forms[0]);
    tcase_add_test(tcase, too_many_fields);
    tcase_add_test(tcase, headers);
    tcase_add_test(tcase, answer_headers);
    suite_add_tcase(suite, tcase);
    return suite;
}
