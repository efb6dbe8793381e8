// Names by OCI distribution 1.1.
#include "base/arena.h"
#include "rp/data/call.h"

#include <check.h>

static const struct {
    const char *name;
    bool good;
} repositories[] = {
    {"a", true},         {"lib/app", true},  {"a.b", true},   {"a_b", true},        {"a__b", true},
    {"a-b", true},       {"a---b", true},    {"0/1/2", true}, {"a/b.c/d__e", true}, {"", false},
    {"A", false},        {"lib/App", false}, {"a..b", false}, {"a___b", false},     {"a._b", false},
    {"a-_b", false},     {".a", false},      {"a.", false},   {"-a", false},        {"a-", false},
    {"_catalog", false}, {"a//b", false},    {"/a", false},   {"a/", false},        {"a b", false},
    {"a:b", false},      {"a@b", false},     {"ä", false},    {"a\tb", false},      {"a*", false},
    {"a/_tags", false},  {"a%2fb", false},
};

START_TEST(repositories_by_the_grammar)
{
    ck_assert_msg((repository_name_fault(text_of(repositories[_i].name)) == NULL) == repositories[_i].good,
                  "%s", repositories[_i].name);
}
END_TEST

static const struct {
    const char *name;
    bool good;
} tags[] = {
    {"latest", true}, {"V1.0-rc_2", true}, {"_", true},    {"1", true},    {"", false},  {".a", false},
    {"-a", false},    {"a b", false},      {"a/b", false}, {"a:b", false}, {"é", false}, {"a+b", false},
};

START_TEST(tags_by_the_grammar)
{
    ck_assert_msg((tag_name_fault(text_of(tags[_i].name)) == NULL) == tags[_i].good, "%s", tags[_i].name);
}
END_TEST

START_TEST(lengths)
{
    char name[257];
    memset(name, 'a', sizeof name);
    ck_assert_ptr_null(repository_name_fault((struct text){name, 255}));
    ck_assert_ptr_nonnull(repository_name_fault((struct text){name, 256}));
    ck_assert_ptr_null(tag_name_fault((struct text){name, 128}));
    ck_assert_ptr_nonnull(tag_name_fault((struct text){name, 129}));
    ck_assert_ptr_nonnull(repository_name_fault(TEXT_NONE));
    ck_assert_ptr_nonnull(repository_name_fault((struct text){"a\0b", 3}));
    ck_assert_ptr_nonnull(tag_name_fault((struct text){"a\0b", 3}));
}
END_TEST

Suite *suite_names(void);
Suite *suite_names(void)
{
    Suite *suite = suite_create("names");
    TCase *tcase = tcase_create("grammar");
    tcase_add_loop_test(tcase, repositories_by_the_grammar, 0, sizeof repositories / sizeof *repositories);
    tcase_add_loop_test(tcase, tags_by_the_grammar, 0, sizeof tags / sizeof *tags);
    tcase_add_test(tcase, lengths);
    suite_add_tcase(suite, tcase);
    return suite;
}
