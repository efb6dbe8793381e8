// Runs the suites of db/ against one private cluster.
#include "fixture.h"

#include "base/log.h"

#include <stdlib.h>

int main(void)
{
    log_set_level(getenv("AZSACR_TEST_LOG") ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR + 1);
    fixture_start();
    SRunner *runner = srunner_create(suite_cluster());
    srunner_add_suite(runner, suite_migrate());
    srunner_add_suite(runner, suite_transaction());
    srunner_add_suite(runner, suite_reconnect());
    srunner_add_suite(runner, suite_workers());
    srunner_add_suite(runner, suite_pipeline());
    srunner_add_suite(runner, suite_job());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    fixture_stop();
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
