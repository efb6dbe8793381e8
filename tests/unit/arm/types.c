// What arm registers of its own.
#include "arm/door.h"
#include "arm/types.h"

#include <check.h>

Suite *suite_types(void);

START_TEST(each_type_once)
{
    arm_start();
    ck_assert_uint_gt(arm_type_count(), 10);
    for (size_t i = 0; i < arm_type_count(); i++)
        for (size_t j = 0; j < i; j++)
            ck_assert_msg(arm_type_at(i) != arm_type_at(j), "%s is registered twice", arm_type_at(i)->name);
}
END_TEST

Suite *suite_types(void)
{
    Suite *suite = suite_create("types");
    TCase *tests = tcase_create("types");
    tcase_add_test(tests, each_type_once);
    suite_add_tcase(suite, tests);
    return suite;
}
