// The buckets of arm-core 1.9 and decisions 5.
#include "fixture.h"

static const char oid[] = "00000000-0000-0000-0000-000000000001";
static const char other[] = "00000000-0000-0000-0000-000000000002";

static void configure(int global)
{
    struct config config = {.throttle_reads = 250,
                            .throttle_reads_per_second = 25,
                            .throttle_writes = 200,
                            .throttle_writes_per_second = 10,
                            .throttle_deletes = 200,
                            .throttle_deletes_per_second = 10,
                            .throttle_global = global};
    throttle_configure(&config);
}

START_TEST(buckets)
{
    struct text s = TEXT("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee");
    struct throttle_count count;
    int64_t now = 1000000000;
    configure(15);
    ck_assert(throttle_take(s, oid, THROTTLE_READ, now, false, &count));
    ck_assert_uint_eq(count.remaining, 249);
    ck_assert_uint_eq(count.global_remaining, 3749);
    ck_assert(throttle_take(s, oid, THROTTLE_WRITE, now, false, &count));
    ck_assert_uint_eq(count.remaining, 199);
    ck_assert_uint_eq(count.global_remaining, 2999);
    ck_assert(throttle_take(s, oid, THROTTLE_DELETE, now, false, &count));
    ck_assert_uint_eq(count.remaining, 199);
    for (int i = 0; i < 249; i++)
        ck_assert(throttle_take(s, oid, THROTTLE_READ, now, false, &count));
    ck_assert_uint_eq(count.remaining, 0);
    ck_assert(!throttle_take(s, oid, THROTTLE_READ, now, false, &count));
    ck_assert_uint_eq(count.seconds, 1);
    // A second later there are 25 again; another principal has a bucket of its own.
    now += 1000000;
    for (int i = 0; i < 25; i++)
        ck_assert(throttle_take(s, oid, THROTTLE_READ, now, false, &count));
    ck_assert(!throttle_take(s, oid, THROTTLE_READ, now, false, &count));
    ck_assert(throttle_take(s, other, THROTTLE_READ, now, false, &count));
    ck_assert_uint_eq(count.remaining, 249);
    // Never more than the bucket holds.
    now += 3600000000;
    ck_assert(throttle_take(s, oid, THROTTLE_READ, now, false, &count));
    ck_assert_uint_eq(count.remaining, 249);
}
END_TEST

START_TEST(exempt_is_counted_and_never_refused)
{
    struct text s = TEXT("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeee1");
    struct throttle_count count;
    configure(15);
    for (int i = 0; i < 600; i++)
        ck_assert(throttle_take(s, oid, THROTTLE_READ, 1000000000, true, &count));
    ck_assert_uint_eq(count.remaining, 0);
}
END_TEST

// Sixteen principals, each within its own bucket, empty what all share; who is refused has taken no second
// one.
START_TEST(everybody_shares_a_bucket)
{
    struct text s = TEXT("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeee2");
    struct throttle_count count;
    char name[64];
    int taken = 0;
    configure(2);
    for (int p = 0; p < 3; p++) {
        snprintf(name, sizeof name, "00000000-0000-0000-0000-0000000001%02d", p);
        for (int i = 0; i < 250; i++)
            taken += throttle_take(s, name, THROTTLE_READ, 1000000000, false, &count);
    }
    ck_assert_int_eq(taken, 500);
    ck_assert_uint_eq(count.seconds, 1);
    configure(0);
    ck_assert(throttle_take(s, other, THROTTLE_READ, 1000000000, false, &count));
    configure(15);
}
END_TEST

// A table of fixed size under many principals: a bucket that is in use keeps its place.
START_TEST(many_principals)
{
    struct text s = TEXT("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeee3");
    struct throttle_count count;
    char name[64];
    configure(0);
    int64_t now = 1000000000;
    for (int i = 0; i < 250; i++)
        ck_assert(throttle_take(s, oid, THROTTLE_READ, now, false, &count));
    for (int i = 0; i < 2000; i++) {
        snprintf(name, sizeof name, "00000000-0000-0000-0000-%012d", i + 1000);
        throttle_take(s, name, THROTTLE_READ, now, false, &count);
        ck_assert(!throttle_take(s, oid, THROTTLE_READ, now, false, &count));
    }
    configure(15);
}
END_TEST

Suite *suite_throttle(void);
Suite *suite_throttle(void)
{
    Suite *suite = suite_create("throttle");
    TCase *tests = tcase_create("buckets");
    tcase_add_test(tests, buckets);
    tcase_add_test(tests, exempt_is_counted_and_never_refused);
    tcase_add_test(tests, everybody_shares_a_bucket);
    tcase_add_test(tests, many_principals);
    suite_add_tcase(suite, tests);
    return suite;
}
