// Runs the suites of templates/. A suite's file adds itself here: its line in the list and in `suites`.
#include <check.h>
#include <stdlib.h>

Suite *suite_content(void);
Suite *suite_deployments(void);
Suite *suite_document(void);
Suite *suite_export(void);
Suite *suite_hash(void);
Suite *suite_reader(void);
Suite *suite_value(void);
Suite *suite_value_secret(void);
Suite *suite_what_if_diff(void);
Suite *suite_what_if_parts(void);
Suite *suite_plan_resources(void);
Suite *suite_plan_run(void);
Suite *suite_plan_nested(void);
Suite *suite_plan_parameters(void);
Suite *suite_expression_syntax(void);
Suite *suite_functions_collection(void);
Suite *suite_functions_string(void);
Suite *suite_functions_number(void);
Suite *suite_functions_place(void);
Suite *suite_evaluate(void);
Suite *suite_expression_hostile(void);

static Suite *(*const suites[])(void) = {
    suite_content,
    suite_deployments,
    suite_document,
    suite_export,
    suite_hash,
    suite_reader,
    suite_value,
    suite_value_secret,
    suite_what_if_diff,
    suite_what_if_parts,
    suite_plan_resources,
    suite_plan_run,
    suite_plan_nested,
    suite_plan_parameters,
    suite_expression_syntax,
    suite_functions_collection,
    suite_functions_string,
    suite_functions_number,
    suite_functions_place,
    suite_evaluate,
    suite_expression_hostile,
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
