// Ids: parsed, built, compared.
#include "arm/resource_id.h"
#include "fixture.h"

#define SUB "/subscriptions/aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"

START_TEST(parses_nested)
{
    struct arena *arena = arena_new();
    struct resource_id id;
    ck_assert(resource_id_parse(arena,
                                TEXT("/Subscriptions/AAAAAAAA-bbbb-cccc-dddd-eeeeeeeeeeee/resourcegroups/G1/"
                                     "PROVIDERS/Microsoft.X/a/b/c/d/"),
                                &id));
    assert_text(id.subscription_id, "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee");
    assert_text(id.group, "G1");
    assert_text(id.namespace_name, "Microsoft.X");
    assert_text(id.type, "a/c");
    assert_text(id.name, "b/d");
    ck_assert_ptr_null(id.parent.base);
    arena_free(arena);
}
END_TEST

START_TEST(parses_extension)
{
    struct arena *arena = arena_new();
    struct resource_id id;
    ck_assert(resource_id_parse(
        arena, TEXT(SUB "/resourceGroups/g/providers/M.A/r/n/providers/Microsoft.Authorization/locks/l"),
        &id));
    assert_text(id.parent, SUB "/resourceGroups/g/providers/M.A/r/n");
    assert_text(id.type, "locks");
    assert_text(id.name, "l");
    arena_free(arena);
}
END_TEST

START_TEST(refuses_malformed)
{
    struct arena *arena = arena_new();
    struct resource_id id;
    static const char *const bad[] = {"",
                                      "/",
                                      "subscriptions",
                                      SUB,
                                      SUB "/resourceGroups/g",
                                      SUB "/resourceGroups/g/providers/M.A/r",
                                      SUB "/resourceGroups/g//providers/M.A/r/n",
                                      "/subscriptions/x/resourceGroups/g/providers/M.A/r/n",
                                      SUB "/resourceGroups/g/foo/M.A/r/n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!resource_id_parse(arena, text_of(bad[i]), &id), "%s", bad[i]);
    arena_free(arena);
}
END_TEST

// arm-core 1.1.7: a nested name is parent/child, its type Ns/parents/children.
START_TEST(builds)
{
    struct arena *arena = arena_new();
    assert_text(resource_id_build(arena, TEXT("s"), TEXT("g"), TEXT("M.A/r/h"), TEXT("n/w")),
                "/subscriptions/s/resourceGroups/g/providers/M.A/r/n/h/w");
    arena_free(arena);
}
END_TEST

START_TEST(covers_by_whole_segments)
{
    ck_assert(resource_id_within(TEXT(SUB "/resourceGroups/rg1/x"), TEXT(SUB "/RESOURCEGROUPS/RG1/")));
    ck_assert(!resource_id_within(TEXT(SUB "/resourceGroups/rg10"), TEXT(SUB "/resourceGroups/rg1")));
    ck_assert(resource_id_within(TEXT(SUB), TEXT("/")));
    ck_assert(!resource_id_within(TEXT("/"), TEXT(SUB)));
    ck_assert(resource_id_equal(TEXT("/A/b/"), TEXT("/a/B")));
}
END_TEST

START_TEST(names)
{
    ck_assert(resource_group_name_valid(TEXT("my-Group_1.(x)")));
    ck_assert(resource_group_name_valid(TEXT("gr\xc3\xbc\xc3\x9f")));
    ck_assert(resource_group_name_valid(TEXT("\xe6\x9d\xb1\xe4\xba\xac\xd9\xa3"))); // Han, an Arabic digit
    ck_assert(!resource_group_name_valid(TEXT("a\xe2\x82\xac")));     // the euro sign is no letter
    ck_assert(!resource_group_name_valid(TEXT("a\xe2\x85\xa7")));     // nor is a Roman numeral
    ck_assert(!resource_group_name_valid(TEXT("a\xf0\x9f\x98\x80"))); // nor what lies beyond the plane
    ck_assert(!resource_group_name_valid(TEXT("a\xf0\x90\x90\x80"))); // although it is a letter
    ck_assert(!resource_group_name_valid(TEXT("a\xcc\x88")));         // a combining mark
    ck_assert(!resource_group_name_valid(TEXT("ends.")));
    ck_assert(!resource_group_name_valid(TEXT("a b")));
    ck_assert(!resource_group_name_valid(TEXT("a/b")));
    ck_assert(!resource_group_name_valid(TEXT("")));
    char long_name[92];
    memset(long_name, 'a', 91);
    ck_assert(resource_group_name_valid((struct text){long_name, 90}));
    ck_assert(!resource_group_name_valid((struct text){long_name, 91}));
    char wide[3 * 91];
    for (size_t i = 0; i < 91; i++)
        memcpy(wide + 3 * i, "\xe6\x9d\xb1", 3);
    ck_assert(resource_group_name_valid((struct text){wide, 3 * 90}));
    ck_assert(!resource_group_name_valid((struct text){wide, 3 * 91}));
    ck_assert(!resource_name_valid(TEXT("a%b")));
    ck_assert(resource_name_valid(TEXT("a b")));
}
END_TEST

Suite *suite_resource_id(void);
Suite *suite_resource_id(void)
{
    Suite *suite = suite_create("resource_id");
    TCase *tests = tcase_create("ids");
    tcase_add_test(tests, parses_nested);
    tcase_add_test(tests, parses_extension);
    tcase_add_test(tests, refuses_malformed);
    tcase_add_test(tests, builds);
    tcase_add_test(tests, covers_by_whole_segments);
    tcase_add_test(tests, names);
    suite_add_tcase(suite, tests);
    return suite;
}
