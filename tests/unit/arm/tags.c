// Tags: limits, order, duplicates; and locations.
#include "arm/resource.h"
#include "fixture.h"

static const char *code_for(json_t *tags)
{
    static char code[64];
    struct fixture *f = fixture_new(HTTP_PUT, "/");
    struct text json;
    bool sound = arm_tags_of_body(&f->door.call, tags, &json);
    ck_assert(sound == !f->door.call.failed);
    snprintf(code, sizeof code, "%s", sound ? "" : f->door.call.failure->code);
    json_decref(tags);
    fixture_free(f);
    return code;
}

static json_t *one(size_t name, size_t value)
{
    char n[600], v[600];
    memset(n, 'n', sizeof n);
    memset(v, 'v', sizeof v);
    n[name] = v[value] = '\0';
    return json_pack("{s:s}", n, v);
}

START_TEST(limits)
{
    ck_assert_str_eq(code_for(one(512, 256)), "");
    ck_assert_str_eq(code_for(one(513, 1)), "InvalidTagName");
    ck_assert_str_eq(code_for(one(0, 1)), "InvalidTagName");
    ck_assert_str_eq(code_for(one(1, 257)), "InvalidTagValue");
    ck_assert_str_eq(code_for(json_pack("{s:s}", "a/b", "x")), "InvalidTagNameCharacters");
    ck_assert_str_eq(code_for(json_pack("{s:s,s:s}", "a", "x", "A", "y")), "InvalidTagName");
    ck_assert_str_eq(code_for(json_pack("{s:i}", "a", 1)), "InvalidRequestContent");
    ck_assert_str_eq(code_for(json_pack("[]")), "InvalidRequestContent");
    json_t *many = json_object();
    for (int i = 0; i < 50; i++)
        json_object_set_new(many, (char[]){'a', (char)('0' + i / 10), (char)('0' + i % 10), 0},
                            json_string(""));
    ck_assert_str_eq(code_for(json_deep_copy(many)), "");
    json_object_set_new(many, "one more", json_string(""));
    ck_assert_str_eq(code_for(many), "TooManyTags");
}
END_TEST

START_TEST(order_is_kept)
{
    struct fixture *f = fixture_new(HTTP_PUT, "/");
    json_t *tags = json_pack("{s:s,s:s,s:s}", "z", "1", "a", "2", "m", "3");
    struct text json;
    ck_assert(arm_tags_of_body(&f->door.call, tags, &json));
    assert_text(json, "{\"z\":\"1\",\"a\":\"2\",\"m\":\"3\"}");
    ck_assert(arm_tags_of_body(&f->door.call, NULL, &json));
    assert_text(json, "{}");
    json_decref(tags);
    fixture_free(f);
}
END_TEST

START_TEST(locations)
{
    struct fixture *f = fixture_new(HTTP_PUT, "/");
    ck_assert(arm_location_is_ours(TEXT("Lo cal")));
    ck_assert(!arm_location_is_ours(TEXT("locals")));
    ck_assert(!arm_location_is_ours(TEXT("loca")));
    ck_assert(!arm_location_is_ours(TEXT("")));
    fixture_free(f);
}
END_TEST

START_TEST(next_link)
{
    struct fixture *f = fixture_new(HTTP_GET, "/subscriptions/s/resources");
    fixture_query(f, "$filter", "name eq 'a b'");
    fixture_query(f, "$skipToken", "old");
    fixture_query(f, "api-version", "2019-10-01");
    ck_assert_str_eq(arm_next_link(&f->door.call, TEXT("here")),
                     "https://management.local.azurestack.external:8443/subscriptions/s/resources"
                     "?$filter=name%20eq%20%27a%20b%27&api-version=2019-10-01&$skiptoken=aGVyZQ");
    fixture_free(f);
}
END_TEST

Suite *suite_tags(void);
Suite *suite_tags(void)
{
    Suite *suite = suite_create("tags");
    TCase *tests = tcase_create("limits");
    tcase_add_test(tests, limits);
    tcase_add_test(tests, order_is_kept);
    tcase_add_test(tests, locations);
    tcase_add_test(tests, next_link);
    suite_add_tcase(suite, tests);
    return suite;
}
