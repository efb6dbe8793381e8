// Runs the suites of rbac/ against one site with a private cluster.
#include "fixture.h"

#include "base/log.h"

#include <stdlib.h>

Suite *suite_jwt(void);
Suite *suite_signin(void);
Suite *suite_signin_device(void);
Suite *suite_graph(void);

int main(void)
{
    log_set_level(getenv("AZSACR_TEST_LOG") ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR + 1);
    fixture_start();
    SRunner *runner = srunner_create(NULL);
    srunner_add_suite(runner, suite_jwt());
    srunner_add_suite(runner, suite_lane());
    srunner_add_suite(runner, suite_snapshot());
    srunner_add_suite(runner, suite_decision());
    srunner_add_suite(runner, suite_signin());
    srunner_add_suite(runner, suite_signin_device());
    srunner_add_suite(runner, suite_graph());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    fixture_stop();
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
