// /metadata/endpoints: which shape for which version, and no member missing where clients die of it.
#include "arm/types.h"
#include "fixture.h"

static json_t *get(const char *version)
{
    struct fixture *f = fixture_new(HTTP_GET, "/metadata/endpoints");
    if (version)
        fixture_query(f, "api-version", version);
    metadata_type.operations[0].handle(&f->door.call);
    ck_assert_int_eq(f->answer.status, 200);
    json_t *json = json_loadb(f->answer.body.base, f->answer.body.length, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_ptr_nonnull(json);
    fixture_free(f);
    return json;
}

static const char *string(const json_t *json, const char *name)
{
    return json_string_value(json_object_get(json, name));
}

START_TEST(short_form)
{
    static const char *const versions[] = {NULL, "1.0", "2015-01-01", "2018-05-01", "", "nonsense"};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        json_t *json = get(versions[i]);
        ck_assert_str_eq(string(json, "graphEndpoint"), "https://graph.local.azurestack.external:8443/");
        json_t *authentication = json_object_get(json, "authentication");
        ck_assert_str_eq(string(authentication, "loginEndpoint"),
                         "https://adfs.local.azurestack.external:8443/adfs");
        ck_assert_uint_eq(json_array_size(json_object_get(authentication, "audiences")), 1);
        json_decref(json);
    }
}
END_TEST

START_TEST(list_form)
{
    static const char *const versions[] = {"2019-05-01", "2019-10-01", "2021-04-01"};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        json_t *json = get(versions[i]);
        ck_assert(json_is_array(json) && json_array_size(json) == 1);
        json_t *suffixes = json_object_get(json_array_get(json, 0), "suffixes");
        ck_assert_str_eq(string(suffixes, "acrLoginServer"), "azsacr.local.azurestack.external:8443");
        json_decref(json);
    }
}
END_TEST

START_TEST(complete_form)
{
    static const char *const members[] = {
        "name",  "portal",        "gallery",         "graph",           "graphAudience",           "batch",
        "media", "sqlManagement", "vmImageAliasDoc", "resourceManager", "microsoftGraphResourceId"};
    json_t *json = get("2022-09-01");
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        ck_assert_msg(string(json, members[i]) != NULL, "%s", members[i]);
    json_t *authentication = json_object_get(json, "authentication");
    ck_assert_str_eq(string(authentication, "tenant"), "common");
    ck_assert_str_eq(string(authentication, "identityProvider"), "AAD");
    json_t *suffixes = json_object_get(json, "suffixes");
    ck_assert_ptr_nonnull(string(suffixes, "storage"));
    ck_assert_ptr_nonnull(string(suffixes, "keyVaultDns"));
    ck_assert_ptr_nonnull(string(suffixes, "sqlServerHostname"));
    json_decref(json);
    json = get("2030-01-01");
    ck_assert(json_is_object(json) && string(json, "batch") != NULL);
    json_decref(json);
}
END_TEST

Suite *suite_metadata(void);
Suite *suite_metadata(void)
{
    Suite *suite = suite_create("metadata");
    TCase *tests = tcase_create("shapes");
    tcase_add_test(tests, short_form);
    tcase_add_test(tests, list_form);
    tcase_add_test(tests, complete_form);
    suite_add_tcase(suite, tests);
    return suite;
}
