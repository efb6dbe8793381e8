// The sentences about api-versions, which clients parse.
#include "fixture.h"

static const char *const served[] = {"2019-05-01", "2017-10-01", NULL};
static const char *const oldest_first[] = {"2017-10-01", "2019-05-01", NULL};
static const struct arm_type provider = {.namespace_name = "Microsoft.ContainerRegistry",
                                         .name = "registries",
                                         .versions = served,
                                         .all_versions = oldest_first};
static const struct arm_type own = {
    .namespace_name = "Microsoft.Resources", .name = "resourceGroups", .versions = served, .arm_owned = true};

static struct fixture *with(const char *path, const char *version, const struct arm_type *type)
{
    struct fixture *f = fixture_new(HTTP_GET, path);
    if (version)
        fixture_query(f, "Api-Version", version);
    f->door.call.type = type;
    ck_assert(door_read_path(&f->door.call));
    return f;
}

static void refused(struct fixture *f, int status, const char *code, const char *message)
{
    ck_assert(!(door_version_present(&f->door.call) && door_version_served(&f->door.call)));
    ck_assert_int_eq(f->door.call.failure->status, status);
    ck_assert_str_eq(f->door.call.failure->code, code);
    ck_assert_str_eq(f->door.call.failure->message, message);
    fixture_free(f);
}

START_TEST(sentences)
{
    const char *item = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/r";
    const char *list = "/subscriptions/s/providers/Microsoft.ContainerRegistry/registries";
    refused(with(item, NULL, &provider), 400, "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.");
    refused(
        with(item, "2018-01-01", &provider), 400, "NoRegisteredProviderFound",
        "No registered resource provider found for location 'local' and API version '2018-01-01' for type "
        "'registries'. The supported api-versions are '2017-10-01, 2019-05-01'. The supported locations are "
        "'local'.");
    refused(with(list, "2018-01-01", &provider), 404, "InvalidResourceType",
            "The resource type 'registries' could not be found in the namespace "
            "'Microsoft.ContainerRegistry' for "
            "api version '2018-01-01'. The supported api-versions are '2017-10-01,2019-05-01'.");
    refused(with(item, "yesterday", &provider), 400, "InvalidApiVersionParameter",
            "The api-version 'yesterday' is invalid. The supported versions are '2019-05-01,2017-10-01'.");
    refused(with("/subscriptions/s/resourceGroups/g", "2018-01-01", &own), 400, "InvalidApiVersionParameter",
            "The api-version '2018-01-01' is invalid. The supported versions are '2019-05-01,2017-10-01'.");
}
END_TEST

START_TEST(accepts)
{
    struct fixture *f = with("/subscriptions/s", "2019-05-01", &provider);
    ck_assert(door_version_present(&f->door.call) && door_version_served(&f->door.call));
    fixture_free(f);
    ck_assert(version_well_formed(TEXT("2020-01-01-Preview")));
    ck_assert(!version_well_formed(TEXT("2020-01-01-foo")));
    ck_assert(!version_well_formed(TEXT("2020-1-01")));
}
END_TEST

START_TEST(error_bodies)
{
    struct fixture *f = fixture_new(HTTP_GET, "/");
    arm_fail(&f->door.call, 409, "AlreadyInUse", FROM_PROVIDER, "The name \"%s\" is taken.", "x");
    arm_fail(&f->door.call, 500, "Later", FROM_GATEWAY, "the first one stands");
    assert_text(arm_failure_body(f->arena, f->door.call.failure),
                "{\"error\":{\"code\":\"AlreadyInUse\",\"message\":\"The name \\\"x\\\" is "
                "taken.\"},\"status\":\"Failed\"}");
    door_answer_failure(&f->door.call);
    ck_assert_int_eq(f->answer.status, 409);
    bool cause = false, nosniff = false;
    for (size_t i = 0; i < f->answer.header_count; i++) {
        cause = cause || text_is(f->answer.headers[i].name, "x-ms-failure-cause");
        nosniff = nosniff || text_is(f->answer.headers[i].value, "nosniff");
    }
    ck_assert(!cause && nosniff);
    fixture_free(f);
    f = fixture_new(HTTP_GET, "/");
    arm_fail(&f->door.call, ARM_MISSING_REGISTRATION, "N");
    arm_fail_detail(&f->door.call, "C", "T", "M");
    assert_text(
        arm_failure_body(f->arena, f->door.call.failure),
        "{\"error\":{\"code\":\"MissingSubscriptionRegistration\",\"message\":\"The subscription is not "
        "registered to use namespace 'N'. See https://aka.ms/rps-not-found for how to register "
        "subscriptions.\",\"details\":[{\"code\":\"C\",\"target\":\"T\",\"message\":\"M\"}]}}");
    fixture_free(f);
}
END_TEST

Suite *suite_version(void);
Suite *suite_version(void)
{
    Suite *suite = suite_create("version");
    TCase *tests = tcase_create("versions and errors");
    tcase_add_test(tests, sentences);
    tcase_add_test(tests, accepts);
    tcase_add_test(tests, error_bodies);
    suite_add_tcase(suite, tests);
    return suite;
}
