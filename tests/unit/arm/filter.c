// $filter: every string az sends, and what is no filter.
#include "arm/filter.h"
#include "fixture.h"

static const struct filter_item item = {.name = {"MyReg", 5},
                                        .type = {"Microsoft.ContainerRegistry/registries", 38},
                                        .group = {"G1", 2},
                                        .location = {"local", 5},
                                        .tags = {"{\"Env\":\"prod\",\"team\":\"it's\"}", 30 - 2}};

static bool matches(const char *expression)
{
    struct fixture *f = fixture_new(HTTP_GET, "/");
    struct filter filter;
    const char *why;
    bool parsed = filter_parse(f->arena, text_of(expression), false, &filter, &why);
    ck_assert_msg(parsed, "%s: %s", expression, why);
    bool result = filter_matches(&filter, &item);
    fixture_free(f);
    return result;
}

START_TEST(judges)
{
    ck_assert(matches(""));
    ck_assert(matches("resourceType eq 'microsoft.containerregistry/REGISTRIES'"));
    ck_assert(matches("resourceGroup eq 'g1' and resourceType eq 'Microsoft.ContainerRegistry/registries'"));
    ck_assert(!matches("resourceGroup eq 'g2' and resourceType eq 'Microsoft.ContainerRegistry/registries'"));
    ck_assert(matches("name eq 'myreg' and location eq 'LOCAL'"));
    ck_assert(!matches("location eq 'westus'"));
    ck_assert(matches("name ne 'other'"));
    ck_assert(matches("tagname eq 'env' and tagvalue eq 'prod'"));
    ck_assert(!matches("tagname eq 'env' and tagvalue eq 'Prod'"));
    ck_assert(!matches("tagname eq 'env' and tagvalue eq 'it''s'"));
    ck_assert(matches("tagname eq 'team' and tagvalue eq 'it''s'"));
    ck_assert(matches("startswith(tagname, 'en')"));
    ck_assert(matches("substringof('reg', name)"));
}
END_TEST

// arm-core 1.6: and, or, ne, parentheses, and a tag's name with its own value.
START_TEST(joins)
{
    ck_assert(matches("name eq 'x' or name eq 'myreg'"));
    ck_assert(!matches("name eq 'x' or name eq 'y'"));
    ck_assert(matches("name eq 'myreg' or name eq 'x' and location eq 'mars'")); // or binds less
    ck_assert(!matches("(name eq 'myreg' or name eq 'x') and location eq 'mars'"));
    ck_assert(matches("((name ne 'x')) AND (Location EQ 'Lo cal' oR name eq 'y')"));
    ck_assert(matches("resourceType ne 'Microsoft.Other/things' and resourceGroup ne 'g2'"));
    ck_assert(matches("substringof('g1', RESOURCEGROUP)"));
    ck_assert(!matches("substringof('g2', resourcegroup) or startswith(tagname, 'no')"));
    ck_assert(
        matches("identity ne 'x' and identity/principalId ne 'x' and plan ne 'x' and plan/publisher ne 'x' "
                "and plan/product ne 'x' and plan/name ne 'x' and plan/version ne 'x' and "
                "plan/promotionCode ne 'x'"));
    ck_assert(!matches("plan/name eq ''"));
    ck_assert(
        matches("tagname eq 'env' and tagvalue eq 'prod' and tagname eq 'team' and tagvalue eq 'it''s'"));
    ck_assert(
        !matches("tagname eq 'env' and tagvalue eq 'it''s' and tagname eq 'team' and tagvalue eq 'prod'"));
    ck_assert(matches("tagvalue eq 'prod' and tagname eq 'env'"));
    ck_assert(matches("(tagname eq 'env') and (tagvalue eq 'prod')"));
    ck_assert(matches("startswith(tagname, 'te') and tagvalue eq 'it''s'"));
    ck_assert(matches("(tagname eq 'no' and tagvalue eq 'x') or (tagname eq 'env' and tagvalue eq 'prod')"));
    ck_assert(!matches("tagname eq 'none' or tagname eq 'ever'"));
}
END_TEST

// What a statement may be chosen by: only what every match has.
START_TEST(tells_what_is_certain)
{
    struct fixture *f = fixture_new(HTTP_GET, "/");
    struct filter filter;
    const char *why;
    ck_assert(filter_parse(f->arena, TEXT("name eq 'a' and (location eq 'b' and resourceGroup eq 'c')"),
                           false, &filter, &why));
    ck_assert(text_is(filter_equal(&filter, FILTER_NAME), "a"));
    ck_assert(text_is(filter_equal(&filter, FILTER_GROUP), "c"));
    ck_assert(filter_parse(f->arena, TEXT("name eq 'a' or name eq 'b'"), false, &filter, &why));
    ck_assert_ptr_null(filter_equal(&filter, FILTER_NAME).base);
    ck_assert(filter_parse(f->arena, TEXT("name ne 'a'"), false, &filter, &why));
    ck_assert_ptr_null(filter_equal(&filter, FILTER_NAME).base);
    ck_assert(filter_parse(f->arena, TEXT("(resourceType eq 'A/b' or resourceType eq 'A/c') and name eq 'x'"),
                           false, &filter, &why));
    ck_assert(filter_may_match_type(&filter, TEXT("a/B")));
    ck_assert(!filter_may_match_type(&filter, TEXT("A/d")));
    ck_assert(filter_parse(f->arena, TEXT("resourceType eq 'A/b' or name eq 'x'"), false, &filter, &why));
    ck_assert(filter_may_match_type(&filter, TEXT("A/d")));
    ck_assert(!filter.by_tag_and_value);
    ck_assert(filter_parse(f->arena, TEXT("tagName eq 'a' and tagValue eq 'b'"), false, &filter, &why));
    ck_assert(filter.by_tag_and_value);
    fixture_free(f);
}
END_TEST

static void refuse(const char *expression, const char *named)
{
    struct fixture *f = fixture_new(HTTP_GET, "/");
    struct filter filter;
    const char *why;
    ck_assert_msg(!filter_parse(f->arena, text_of(expression), false, &filter, &why), "%s", expression);
    ck_assert_msg(why && strstr(why, named), "%s: %s lacks %s", expression, why, named);
    fixture_free(f);
}

START_TEST(refuses)
{
    refuse("name", "operator");
    refuse("name eq", "single quotes");
    refuse("name eq x", "'x'");
    refuse("name eq 'x", "closing quote");
    refuse("name gt 'x'", "'gt'");
    refuse("colour eq 'x'", "'colour'");
    refuse("name eq 'x' name eq 'y'", "'name'");
    refuse("name eq 'x' and", "property");
    refuse("name eq 'x' or", "property");
    refuse("and", "'and'");
    refuse("not (name eq 'x')", "'not'");
    refuse("tagvalue eq 'x'", "tagValue");
    refuse("tagname eq 'a' or tagvalue eq 'x'", "tagValue");
    refuse("tagname eq 'a' and (tagvalue eq 'x' or tagvalue eq 'y')", "tagValue");
    refuse("tagname eq 'a' and tagvalue eq 'x' and tagvalue eq 'y'", "tagValue");
    refuse("tagname ne 'a'", "'ne'");
    refuse("startswith(name, 'x')", "'name'");
    refuse("endswith(name, 'x')", "'endswith'");
    refuse("startswith(tagname 'x')", "comma");
    refuse("startswith(tagname, 'x'", "parenthesis");
    refuse("substringof('x', location)", "'location'");
    refuse("(name eq 'x'", "parenthesis");
    refuse("name eq 'x')", "')'");
    refuse("name eq 'x' ; drop", "';'");
    refuse("()", "property");
    refuse("'", "property");
    refuse("((((((((((((((((((((name eq 'x'))))))))))))))))))))", "parentheses");
    refuse("name eq '\xff'", "characters");
    struct fixture *f = fixture_new(HTTP_GET, "/");
    struct filter filter;
    const char *why;
    ck_assert(!filter_parse(f->arena, TEXT("name eq 'x'"), true, &filter, &why));
    ck_assert_ptr_nonnull(strstr(why, "'name'"));
    ck_assert(filter_parse(f->arena, TEXT("tagName eq 'x'"), true, &filter, &why));
    fixture_free(f);
}
END_TEST

START_TEST(bounds)
{
    struct fixture *f = fixture_new(HTTP_GET, "/");
    struct buffer many = buffer_new(f->arena), wide = buffer_new(f->arena);
    buffer_string(&many, "name eq 'a'");
    for (size_t i = 0; i < FILTER_TERMS; i++)
        buffer_string(&many, " or name eq 'a'");
    buffer_string(&wide, "name eq '");
    for (size_t i = 0; i < FILTER_LENGTH; i++)
        buffer_char(&wide, 'x');
    buffer_string(&wide, "'");
    refuse(text_cstr(f->arena, buffer_done(&many)), "too many terms");
    refuse(text_cstr(f->arena, buffer_done(&wide)), "longer");
    fixture_free(f);
}
END_TEST

Suite *suite_filter(void);
Suite *suite_filter(void)
{
    Suite *suite = suite_create("filter");
    TCase *tests = tcase_create("filters");
    tcase_add_test(tests, judges);
    tcase_add_test(tests, joins);
    tcase_add_test(tests, tells_what_is_certain);
    tcase_add_test(tests, refuses);
    tcase_add_test(tests, bounds);
    suite_add_tcase(suite, tests);
    return suite;
}
