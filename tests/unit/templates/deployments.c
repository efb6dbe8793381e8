// Parts of deployments that need no site: durations, ids of operations, URLs, the plans that are kept.
#include "templates/deployment.h"
#include "templates/deployment_cache.h"
#include "templates/type_versions.h"

#include "base/arena.h"

#include <check.h>

static struct arena *arena;

static void setup(void)
{
    arena = arena_new();
}

static void teardown(void)
{
    arena_free(arena);
}

// arm-templates 2.5 duration
START_TEST(durations)
{
    static const struct {
        int64_t microseconds;
        const char *text;
    } rows[] = {
        {0, "PT0S"},
        {-5, "PT0S"},
        {343, "PT0.000343S"},
        {42813593, "PT42.813593S"},
        {190995940, "PT3M10.99594S"},
        {INT64_C(4650) * 1000000, "PT1H17M30S"},
        {INT64_C(3600) * 1000000, "PT1H"},
        {INT64_C(60) * 1000000, "PT1M"},
        {INT64_C(86400) * 1000000, "P1D"},
        {INT64_C(90061) * 1000000 + 500000, "P1DT1H1M1.5S"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_str_eq(text_cstr(arena, deployment_duration(arena, rows[i].microseconds)), rows[i].text);
}
END_TEST

// arm-templates 2.5 operation id: stable for the same target, whatever its case
START_TEST(operation_ids)
{
    struct text one =
        deployment_operation_id(arena, TEXT("/subscriptions/S/resourceGroups/g/providers/A/b/c"), "Create");
    struct text same =
        deployment_operation_id(arena, TEXT("/SUBSCRIPTIONS/s/resourcegroups/G/providers/a/B/C"), "Create");
    struct text other =
        deployment_operation_id(arena, TEXT("/subscriptions/S/resourceGroups/g/providers/A/b/c"), "Delete");
    ck_assert_uint_eq(one.length, 16);
    ck_assert(text_equal(one, same) && !text_equal(one, other));
    for (size_t i = 0; i < 16; i++)
        ck_assert(strchr("0123456789ABCDEF", one.base[i]));
}
END_TEST

START_TEST(targets)
{
    static const struct {
        const char *id, *version, *target;
    } rows[] = {
        {"/subscriptions/s/resourceGroups/a-b_c.(d)", "2019-10-01",
         "/subscriptions/s/resourceGroups/a-b_c.(d)?api-version=2019-10-01"},
        {"/x/a?b#c%20 \xc3\xa9\"", "1&x=y", "/x/a%3Fb%23c%2520%20%C3%A9%22?api-version=1%26x%3Dy"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_str_eq(text_cstr(arena, type_target(arena, text_of(rows[i].id), text_of(rows[i].version))),
                         rows[i].target);
}
END_TEST

static int freed;
static void note_freed(void *argument)
{
    (void)argument;
    freed++;
}

static struct deployment_cached *keep(int64_t id)
{
    struct arena *own = arena_new();
    arena_on_free(own, note_freed, NULL);
    return deployment_cache_put(id, own, ARENA_NEW(own, struct plan));
}

// A plan lives as long as somebody uses it, and no more of them are kept than there are places.
START_TEST(cache)
{
    struct deployment_cached *one = keep(1), *again = deployment_cache_take(1), *late = keep(1);
    ck_assert(one == again && one == late);
    ck_assert_int_eq(freed, 1); // the late one's own
    deployment_cache_drop(1);
    ck_assert(deployment_cache_take(1) == NULL);
    deployment_cache_release(one);
    deployment_cache_release(again);
    ck_assert_int_eq(freed, 1);
    ck_assert_ptr_nonnull(deployment_cache_plan(late));
    deployment_cache_release(late);
    ck_assert_int_eq(freed, 2);
    for (int64_t id = 10; id < 30; id++)
        deployment_cache_release(keep(id));
    ck_assert_int_ge(freed, 2 + 20 - 8);
    struct deployment_cached *newest = deployment_cache_take(29);
    ck_assert_ptr_nonnull(newest);
    deployment_cache_release(newest);
    ck_assert(deployment_cache_take(10) == NULL);
    for (int64_t id = 10; id < 30; id++)
        deployment_cache_drop(id);
    ck_assert_int_eq(freed, 22);
}
END_TEST

Suite *suite_deployments(void);
Suite *suite_deployments(void)
{
    Suite *suite = suite_create("deployments");
    TCase *tests = tcase_create("deployments");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, durations);
    tcase_add_test(tests, operation_ids);
    tcase_add_test(tests, targets);
    tcase_add_test(tests, cache);
    suite_add_tcase(suite, tests);
    return suite;
}
