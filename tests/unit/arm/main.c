// Runs the suites of arm/.
#include <check.h>
#include <stdlib.h>

Suite *suite_resource_id(void);
Suite *suite_filter(void);
Suite *suite_version(void);
Suite *suite_metadata(void);
Suite *suite_tags(void);
Suite *suite_body(void);
Suite *suite_path(void);
Suite *suite_throttle(void);
Suite *suite_activity(void);
Suite *suite_types(void);
Suite *suite_graph(void);

int main(void)
{
    SRunner *runner = srunner_create(suite_resource_id());
    srunner_add_suite(runner, suite_filter());
    srunner_add_suite(runner, suite_version());
    srunner_add_suite(runner, suite_metadata());
    srunner_add_suite(runner, suite_tags());
    srunner_add_suite(runner, suite_body());
    srunner_add_suite(runner, suite_path());
    srunner_add_suite(runner, suite_throttle());
    srunner_add_suite(runner, suite_activity());
    srunner_add_suite(runner, suite_types());
    srunner_add_suite(runner, suite_graph());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
