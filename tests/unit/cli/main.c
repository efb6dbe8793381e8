// Runs the suites of cli/.
#include <check.h>
#include <stdlib.h>

Suite *suite_supervisor(void);

int main(void)
{
    SRunner *runner = srunner_create(suite_supervisor());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
