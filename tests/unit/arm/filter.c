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

START_TEST(refuses)
{
    static const char *const bad[] = {"name",
                                      "name eq",
                                      "name eq x",
                                      "name eq 'x",
                                      "name gt 'x'",
                                      "colour eq 'x'",
                                      "name eq 'x' or name eq 'y'",
                                      "name eq 'x' and",
                                      "and",
                                      "tagvalue eq 'x'",
                                      "startswith(name, 'x')",
                                      "startswith(tagname 'x')",
                                      "(name eq 'x')",
                                      "'"};
    struct fixture *f = fixture_new(HTTP_GET, "/");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct filter filter;
        const char *why;
        ck_assert_msg(!filter_parse(f->arena, text_of(bad[i]), false, &filter, &why), "%s", bad[i]);
        ck_assert_ptr_nonnull(why);
    }
    struct filter filter;
    const char *why;
    ck_assert(!filter_parse(f->arena, TEXT("name eq 'x'"), true, &filter, &why));
    ck_assert(filter_parse(f->arena, TEXT("tagName eq 'x'"), true, &filter, &why));
    fixture_free(f);
}
END_TEST

Suite *suite_filter(void);
Suite *suite_filter(void)
{
    Suite *suite = suite_create("filter");
    TCase *tests = tcase_create("filters");
    tcase_add_test(tests, judges);
    tcase_add_test(tests, refuses);
    suite_add_tcase(suite, tests);
    return suite;
}
