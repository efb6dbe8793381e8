// Runs the suites of rp/ and rp/data/.
#include <check.h>
#include <stdlib.h>

Suite *suite_registry_token(void);
Suite *suite_challenge(void);
Suite *suite_registry_body(void);
Suite *suite_registry_newer(void);
Suite *suite_names(void);
Suite *suite_manifest_parse(void);
Suite *suite_content(void);
Suite *suite_content_at_once(void);
Suite *suite_acr(void);
Suite *suite_store(void);
Suite *suite_upload(void);
Suite *suite_upload_granted(void);
Suite *suite_blobs(void);
Suite *suite_receiver(void);
Suite *suite_sweep(void);
Suite *suite_group_deletion(void);
Suite *suite_retention(void);

int main(void)
{
    SRunner *runner = srunner_create(suite_registry_token());
    srunner_add_suite(runner, suite_challenge());
    srunner_add_suite(runner, suite_registry_body());
    srunner_add_suite(runner, suite_registry_newer());
    srunner_add_suite(runner, suite_names());
    srunner_add_suite(runner, suite_manifest_parse());
    srunner_add_suite(runner, suite_content());
    srunner_add_suite(runner, suite_content_at_once());
    srunner_add_suite(runner, suite_acr());
    srunner_add_suite(runner, suite_store());
    srunner_add_suite(runner, suite_upload());
    srunner_add_suite(runner, suite_upload_granted());
    srunner_add_suite(runner, suite_blobs());
    srunner_add_suite(runner, suite_receiver());
    srunner_add_suite(runner, suite_sweep());
    srunner_add_suite(runner, suite_group_deletion());
    srunner_add_suite(runner, suite_retention());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
