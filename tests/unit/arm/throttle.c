// The buckets of decisions 5.
#include "fixture.h"

START_TEST(buckets)
{
    struct text s = TEXT("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee");
    const char *oid = "00000000-0000-0000-0000-000000000001";
    unsigned remaining, seconds;
    int64_t now = 1000000000;
    ck_assert(throttle_take(s, oid, THROTTLE_READ, now, &remaining, &seconds));
    ck_assert_uint_eq(remaining, 249);
    ck_assert(throttle_take(s, oid, THROTTLE_WRITE, now, &remaining, &seconds));
    ck_assert_uint_eq(remaining, 199);
    ck_assert(throttle_take(s, oid, THROTTLE_DELETE, now, &remaining, &seconds));
    ck_assert_uint_eq(remaining, 199);
    for (int i = 0; i < 249; i++)
        ck_assert(throttle_take(s, oid, THROTTLE_READ, now, &remaining, &seconds));
    ck_assert_uint_eq(remaining, 0);
    ck_assert(!throttle_take(s, oid, THROTTLE_READ, now, &remaining, &seconds));
    ck_assert_uint_eq(seconds, 1);
    // A second later there are 25 again; another principal has a bucket of its own.
    now += 1000000;
    for (int i = 0; i < 25; i++)
        ck_assert(throttle_take(s, oid, THROTTLE_READ, now, &remaining, &seconds));
    ck_assert(!throttle_take(s, oid, THROTTLE_READ, now, &remaining, &seconds));
    ck_assert(
        throttle_take(s, "00000000-0000-0000-0000-000000000002", THROTTLE_READ, now, &remaining, &seconds));
    // Never more than the bucket holds.
    now += 3600000000;
    ck_assert(throttle_take(s, oid, THROTTLE_READ, now, &remaining, &seconds));
    ck_assert_uint_eq(remaining, 249);
}
END_TEST

Suite *suite_throttle(void);
Suite *suite_throttle(void)
{
    Suite *suite = suite_create("throttle");
    TCase *tests = tcase_create("buckets");
    tcase_add_test(tests, buckets);
    suite_add_tcase(suite, tests);
    return suite;
}
