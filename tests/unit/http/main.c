// Runs the suites of http/.
#include <check.h>
#include <stdlib.h>

Suite *suite_router(void);
Suite *suite_message(void);
Suite *suite_intake(void);
Suite *suite_server(void);
Suite *suite_lifecycle(void);
Suite *suite_cors(void);

#ifdef __SANITIZE_ADDRESS__
// libh2o keeps free lists of threads that have ended, and its queues, for ever.
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:h2o_mem_alloc_recycle\nleak:h2o_multithread_create_queue\n";
}
#endif

int main(void)
{
    SRunner *runner = srunner_create(suite_router());
    srunner_add_suite(runner, suite_message());
    srunner_add_suite(runner, suite_intake());
    srunner_add_suite(runner, suite_server());
    srunner_add_suite(runner, suite_lifecycle());
    srunner_add_suite(runner, suite_cors());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
