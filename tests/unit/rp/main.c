// Runs the suites of rp/ and rp/data/.
#include <check.h>
#include <stdlib.h>

Suite *suite_registry_token(void);
Suite *suite_challenge(void);
Suite *suite_registry_body(void);

int main(void)
{
    SRunner *runner = srunner_create(suite_registry_token());
    srunner_add_suite(runner, suite_challenge());
    srunner_add_suite(runner, suite_registry_body());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
