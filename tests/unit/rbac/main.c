// Runs the suites of rbac/ against one site with a private cluster.
#include "site_fixture.h"

#include "base/log.h"

#include <stdlib.h>

Suite *suite_jwt(void);

int main(void)
{
    log_set_level(getenv("AZSACR_TEST_LOG") ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR + 1);
    site_fixture_start();
    SRunner *runner = srunner_create(NULL);
    srunner_add_suite(runner, suite_jwt());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    site_fixture_stop();
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
