// Bodies: what is refused, and in which words.
#include "fixture.h"

#include <stdlib.h>

static const char *code_for(const char *content_type, struct text body, unsigned flags)
{
    static char code[64];
    struct fixture *f = fixture_new(HTTP_PUT, "/");
    f->operation.flags = flags;
    f->request.body = body;
    if (content_type)
        fixture_header(f, "content-type", content_type);
    bool sound = door_body(&f->door.call);
    ck_assert(sound == !f->door.call.failed);
    snprintf(code, sizeof code, "%s", sound ? "" : f->door.call.failure->code);
    fixture_free(f);
    return code;
}

START_TEST(refuses)
{
    const char *json = "application/json; charset=utf-8";
    ck_assert_str_eq(code_for(json, TEXT("{\"a\":1}"), 0), "");
    ck_assert_str_eq(code_for("Application/JSON", TEXT("\xef\xbb\xbf{}"), 0), "");
    ck_assert_str_eq(code_for(NULL, TEXT(""), 0), "");
    ck_assert_str_eq(code_for(NULL, TEXT(""), ARM_NEEDS_BODY), "InvalidRequestContent");
    ck_assert_str_eq(code_for(NULL, TEXT("{}"), 0), "UnsupportedMediaType");
    ck_assert_str_eq(code_for("application/x-www-form-urlencoded", TEXT("{}"), 0), "UnsupportedMediaType");
    static const char *const bad[] = {"{",
                                      "[]",
                                      "null",
                                      "1",
                                      "{\"a\":1,\"a\":2}",
                                      "{\"a\":1}x",
                                      "{\"a\":\"\\u0000\"}",
                                      "{'a':1}",
                                      "{\"a\":1e999}",
                                      "{\"a\":99999999999999999999}",
                                      "{\"a\":\"\xff\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(strcmp(code_for(json, text_of(bad[i]), 0), "InvalidRequestContent") == 0, "%s", bad[i]);
}
END_TEST

static struct text nested(char *into, size_t depth)
{
    size_t at = 0;
    for (size_t i = 0; i < depth; i++) {
        memcpy(into + at, "{\"a\":", 5);
        at += 5;
    }
    into[at++] = '1';
    memset(into + at, '}', depth);
    return (struct text){into, at + depth};
}

START_TEST(depth)
{
    static char body[1000];
    ck_assert_str_eq(code_for("application/json", nested(body, 64), 0), "");
    ck_assert_str_eq(code_for("application/json", nested(body, 65), 0), "InvalidRequestContent");
}
END_TEST

START_TEST(sentence)
{
    struct fixture *f = fixture_new(HTTP_PUT, "/");
    f->request.body = TEXT("{\n\"a\": }");
    fixture_header(f, "content-type", "application/json");
    ck_assert(!door_body(&f->door.call));
    const char *message = f->door.call.failure->message;
    ck_assert_msg(strstr(message, "The request content was invalid and could not be deserialized: '") ==
                      message,
                  "%s", message);
    ck_assert_msg(strstr(message, "Path '', line 2, position ") != NULL, "%s", message);
    fixture_free(f);
}
END_TEST

Suite *suite_body(void);
Suite *suite_body(void)
{
    Suite *suite = suite_create("body");
    TCase *tests = tcase_create("bodies");
    tcase_add_test(tests, refuses);
    tcase_add_test(tests, depth);
    tcase_add_test(tests, sentence);
    suite_add_tcase(suite, tests);
    return suite;
}
