// Runs the suites of templates/. A suite's file adds itself here: its line in the list and in `suites`.
#include <check.h>
#include <stdlib.h>

Suite *suite_content(void);
Suite *suite_document(void);
Suite *suite_hash(void);
Suite *suite_reader(void);
Suite *suite_value(void);
Suite *suite_what_if_diff(void);
Suite *suite_plan_resources(void);

static Suite *(*const suites[])(void) = {
    suite_content,
    suite_document,
    suite_hash,
    suite_reader,
    suite_value,
    suite_what_if_diff,
    suite_plan_resources,
};

int main(void)
{
    SRunner *runner = srunner_create(NULL);
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
        srunner_add_suite(runner, suites[i]());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
