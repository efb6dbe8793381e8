// The scope that a URL's decision is about.
#include "fixture.h"

static void scope_is(const char *path, const char *scope)
{
    struct fixture *f = fixture_new(HTTP_GET, path);
    assert_text(door_scope(f->arena, &f->request), scope);
    fixture_free(f);
}

START_TEST(scopes)
{
    scope_is("/", "/");
    scope_is("/subscriptions/s/", "/subscriptions/s");
    scope_is("/subscriptions/s/resourcegroups", "/subscriptions/s");
    scope_is("/subscriptions/s/resourcegroups/G", "/subscriptions/s/resourcegroups/G");
    scope_is("/subscriptions/s/providers", "/subscriptions/s");
    scope_is("/subscriptions/s/providers/N", "/subscriptions/s");
    scope_is("/subscriptions/s/providers/N/register", "/subscriptions/s");
    scope_is("/subscriptions/s/providers/N/registries", "/subscriptions/s/providers/N");
    scope_is("/subscriptions/s/resourceGroups/g/providers/N//registries/r",
             "/subscriptions/s/resourceGroups/g/providers/N/registries/r");
    scope_is("/subscriptions/s/resourceGroups/g/providers/N/registries/r/listCredentials",
             "/subscriptions/s/resourceGroups/g/providers/N/registries/r");
    scope_is("/subscriptions/s/providers/Microsoft.Authorization/roleAssignments",
             "/subscriptions/s/providers/Microsoft.Authorization");
    scope_is("/subscriptions/s/resourceGroups/g/providers/N/r/n/providers/Microsoft.Authorization/"
             "roleAssignments/a",
             "/subscriptions/s/resourceGroups/g/providers/N/r/n/providers/Microsoft.Authorization/"
             "roleAssignments/a");
}
END_TEST

START_TEST(items)
{
    static const struct {
        const char *path;
        bool item;
    } cases[] = {{"/subscriptions/s/resourceGroups/g/providers/N/registries/r", true},
                 {"/subscriptions/s/resourceGroups/g/providers/N//registries/r/", true},
                 {"/subscriptions/s/resourceGroups/g/providers/N/registries", false},
                 {"/subscriptions/s/resourceGroups/g/providers/N/registries/r/listUsages", false},
                 {"/subscriptions/s/resourceGroups/g", false},
                 {"/subscriptions/s/providers/N", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture *f = fixture_new(HTTP_HEAD, cases[i].path);
        ck_assert_msg(door_is_item(&f->request) == cases[i].item, "%s", cases[i].path);
        fixture_free(f);
    }
}
END_TEST

START_TEST(segments)
{
    static const char *const bad[] = {"/subscriptions/a%2Fb", "/a%0ab", "/a%ff"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct fixture *f = fixture_new(HTTP_GET, bad[i]);
        ck_assert_msg(!door_read_path(&f->door.call), "%s", bad[i]);
        ck_assert_int_eq(f->door.call.failure->status, 400);
        fixture_free(f);
    }
    struct fixture *f = fixture_new(HTTP_GET, "//SUBSCRIPTIONS/AB//resourcegroups/My%20G/x");
    ck_assert(door_read_path(&f->door.call));
    assert_text(f->door.call.subscription_id, "ab");
    assert_text(f->door.call.group, "My G");
    fixture_free(f);
}
END_TEST

START_TEST(escaped_slashes)
{
    struct fixture *f = fixture_new(HTTP_GET, "/%2Fsubscriptions%2Fa%2FresourceGroups/g%2F/x");
    ck_assert(door_part_segments(&f->request));
    ck_assert(door_read_path(&f->door.call));
    assert_text(f->door.call.subscription_id, "a");
    assert_text(f->door.call.group, "g");
    fixture_free(f);
    f = fixture_new(HTTP_GET, "/subscriptions/x%2F..%2Fa");
    ck_assert(!door_part_segments(&f->request));
    fixture_free(f);
    char many[1024] = "/";
    for (int i = 0; i < 200; i++)
        strcat(many, "%2F");
    f = fixture_new(HTTP_GET, many);
    ck_assert(!door_part_segments(&f->request));
    fixture_free(f);
}
END_TEST

Suite *suite_path(void);
Suite *suite_path(void)
{
    Suite *suite = suite_create("path");
    TCase *tests = tcase_create("paths");
    tcase_add_test(tests, scopes);
    tcase_add_test(tests, segments);
    tcase_add_test(tests, escaped_slashes);
    tcase_add_test(tests, items);
    suite_add_tcase(suite, tests);
    return suite;
}
