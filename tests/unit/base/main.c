// Runs the suites of base/.
#include <check.h>
#include <stdlib.h>

Suite *suite_text(void);
Suite *suite_json(void);
Suite *suite_certificate(void);
Suite *suite_config(void);
Suite *suite_letters(void);
Suite *suite_log(void);

int main(void)
{
    SRunner *runner = srunner_create(suite_text());
    srunner_add_suite(runner, suite_json());
    srunner_add_suite(runner, suite_certificate());
    srunner_add_suite(runner, suite_config());
    srunner_add_suite(runner, suite_letters());
    srunner_add_suite(runner, suite_log());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
