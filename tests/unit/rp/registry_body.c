// Bodies of PUT and PATCH against the contract's errors, and a registry's JSON byte for byte.
#include "fixture.h"

#include "arm/errors.h"
#include "base/arena.h"
#include "rp/registry_body.h"

#include <check.h>

#define STANDARD "\"sku\":{\"name\":\"Standard\"}"
#define NEWER "2022-02-01-preview"

static const struct {
    const char *api_version, *body, *code, *says; // code NULL: accepted
} puts_[] = {
    {"2019-05-01", "{\"location\":\"local\"," STANDARD "}", NULL, NULL},
    {"2019-05-01", "{\"sku\":{\"name\":\"basic\"}}", NULL, NULL},
    {"2019-05-01", "{}", "ClassicSkuDeprecated", "Please select a managed SKU."},
    {"2019-05-01", "{\"sku\":null}", "ClassicSkuDeprecated", NULL},
    {"2019-05-01", "{\"sku\":{}}", "ClassicSkuDeprecated", NULL},
    {"2019-05-01", "{\"sku\":{\"name\":\"Classic\"}}", "ClassicSkuDeprecated", NULL},
    {"2019-05-01", "{\"sku\":{\"name\":\"Premium\"}}", "SkuNotSupported", "sku.name"},
    {"2019-05-01", "{\"sku\":{\"name\":\"Premium\"}}", "SkuNotSupported", "Basic, Standard"},
    {"2019-05-01", "{\"sku\":{\"name\":\"Gold\"}}", "InvalidRequestContent", "Gold"},
    {"2019-05-01", "{\"sku\":{\"name\":7}}", "InvalidRequestContent", "sku.name"},
    {"2019-05-01", "{\"sku\":\"Standard\"}", "InvalidRequestContent", "sku"},
    {"2019-05-01", "{\"sku\":[]}", "InvalidRequestContent", "sku"},
    {"2019-05-01", "{" STANDARD ",\"tags\":[]}", "InvalidRequestContent", NULL},
    {"2019-05-01", "{" STANDARD ",\"properties\":[]}", "InvalidRequestContent", "properties"},
    {"2019-05-01", "{" STANDARD ",\"properties\":null}", NULL, NULL},
    {"2019-05-01", "{" STANDARD ",\"properties\":{\"adminUserEnabled\":1}}", "InvalidRequestContent",
     "properties.adminUserEnabled"},
    {"2019-05-01", "{" STANDARD ",\"properties\":{\"unknown\":1,\"provisioningState\":\"Failed\"}}", NULL,
     NULL},
    {"2019-05-01",
     "{" STANDARD ",\"properties\":{\"networkRuleSet\":{\"defaultAction\":\"Allow\",\"ipRules\":[]}}}", NULL,
     NULL},
    {"2019-05-01", "{" STANDARD ",\"properties\":{\"networkRuleSet\":{\"defaultAction\":\"Deny\"}}}",
     "NetworkRuleNotSupported", "virtual network rule is not supported for the SKU Standard."},
    {"2019-05-01",
     "{" STANDARD ",\"properties\":{\"networkRuleSet\":{\"ipRules\":[{\"value\":\"1.1.1.1\"}]}}}",
     "NetworkRuleNotSupported", NULL},
    {"2019-05-01", "{" STANDARD ",\"properties\":{\"networkRuleSet\":{\"ipRules\":{}}}}",
     "InvalidRequestContent", "properties.networkRuleSet.ipRules"},
    {"2019-05-01", "{" STANDARD ",\"properties\":{\"networkRuleSet\":{\"defaultAction\":\"Maybe\"}}}",
     "InvalidRequestContent", "Maybe"},
    {"2019-05-01",
     "{" STANDARD
     ",\"properties\":{\"policies\":{\"quarantinePolicy\":{\"status\":\"disabled\"},\"trustPolicy\":{"
     "\"type\":\"Notary\",\"status\":\"disabled\"},\"retentionPolicy\":{\"days\":7,\"status\":\"disabled\"}}}"
     "}",
     NULL, NULL},
    {"2019-05-01",
     "{" STANDARD ",\"properties\":{\"policies\":{\"quarantinePolicy\":{\"status\":\"enabled\"}}}}",
     "PolicyNotSupported", "The requested feature quarantine policy is not supported for the SKU Standard."},
    {"2019-05-01", "{" STANDARD ",\"properties\":{\"policies\":{\"trustPolicy\":{\"status\":\"Enabled\"}}}}",
     "PolicyNotSupported", "content trust"},
    {"2019-05-01",
     "{" STANDARD ",\"properties\":{\"policies\":{\"retentionPolicy\":{\"status\":\"enabled\"}}}}",
     "PolicyNotSupported", "retention"},
    {"2019-05-01", "{" STANDARD ",\"properties\":{\"policies\":{\"retentionPolicy\":{\"status\":\"on\"}}}}",
     "InvalidRequestContent", "properties.policies.retentionPolicy.status"},
    {"2019-05-01", "{" STANDARD ",\"properties\":{\"policies\":{\"retentionPolicy\":{\"days\":\"7\"}}}}",
     "InvalidRequestContent", "properties.policies.retentionPolicy.days"},
    {"2019-05-01", "{" STANDARD ",\"properties\":{\"policies\":{\"retentionPolicy\":{\"days\":-1}}}}",
     "InvalidRequestContent", "-1"},
    {"2019-05-01", "{" STANDARD ",\"properties\":{\"policies\":{\"trustPolicy\":{\"type\":\"Other\"}}}}",
     "InvalidRequestContent", "TrustPolicyType"},
    {"2019-05-01", "{" STANDARD ",\"properties\":{\"policies\":7}}", "InvalidRequestContent",
     "properties.policies"},
    {"2017-10-01",
     "{" STANDARD ",\"properties\":{\"policies\":{\"retentionPolicy\":{\"status\":\"enabled\"}}}}", NULL,
     NULL},
    {"2019-05-01", "{" STANDARD ",\"properties\":{\"publicNetworkAccess\":\"Disabled\"}}", NULL, NULL},
    {NEWER, "{" STANDARD ",\"properties\":{\"publicNetworkAccess\":\"Disabled\"}}",
     "DisablingPublicNetworkAccessNotSupported", "SKU Standard"},
    {NEWER,
     "{" STANDARD ",\"properties\":{\"publicNetworkAccess\":\"Enabled\",\"anonymousPullEnabled\":false}}",
     NULL, NULL},
    {NEWER, "{" STANDARD ",\"properties\":{\"anonymousPullEnabled\":true}}", "FeatureNotSupported",
     "anonymous pull"},
    {NEWER, "{" STANDARD ",\"properties\":{\"policies\":{\"softDeletePolicy\":{\"status\":\"enabled\"}}}}",
     "PolicyNotSupported", "soft delete"},
    {NEWER,
     "{" STANDARD
     ",\"properties\":{\"policies\":{\"azureADAuthenticationAsArmPolicy\":{\"status\":\"disabled\"}}}}",
     "PolicyNotSupported", NULL},
};

START_TEST(put_bodies)
{
    struct fixture *f = fixture_new();
    for (size_t i = 0; i < sizeof puts_ / sizeof puts_[0]; i++) {
        struct arm_call call;
        fixture_arm_call(f, &call, puts_[i].api_version, puts_[i].body);
        struct registry_settings base = registry_settings_default();
        struct registry_body body;
        bool good = registry_body_read(&call, true, TEXT_NONE, &base, &body);
        ck_assert_int_eq(good, !call.failed);
        if (!puts_[i].code) {
            ck_assert_msg(good, "%s: %s", puts_[i].body, call.failure ? call.failure->message : "");
            continue;
        }
        ck_assert_msg(!good, "%s", puts_[i].body);
        ck_assert_str_eq(call.failure->code, puts_[i].code);
        ck_assert_int_eq(call.failure->status, 400);
        if (puts_[i].says)
            ck_assert_msg(strstr(call.failure->message, puts_[i].says) != NULL, "%s", call.failure->message);
    }
    fixture_free(f);
}
END_TEST

START_TEST(provider_form_of_errors)
{
    struct fixture *f = fixture_new();
    struct arm_call call;
    fixture_arm_call(f, &call, "2019-05-01", "{\"sku\":{\"name\":\"Premium\"}}");
    struct registry_settings base = registry_settings_default();
    struct registry_body body;
    ck_assert(!registry_body_read(&call, true, TEXT_NONE, &base, &body));
    ck_assert_str_eq(
        text_cstr(f->arena, arm_failure_body(f->arena, call.failure)),
        "{\"error\":{\"code\":\"SkuNotSupported\",\"message\":\"The requested SKU Premium in sku.name is "
        "not supported. Supported SKUs: Basic, Standard.\"},\"status\":\"Failed\"}");
    fixture_free(f);
}
END_TEST

// Absent members of a PATCH keep what is there; tags replace wholesale.
START_TEST(patch_bodies)
{
    struct fixture *f = fixture_new();
    struct registry_settings present = registry_settings_default();
    present.admin_enabled = true;
    struct registry_body body;
    struct arm_call call;
    fixture_arm_call(f, &call, "2019-05-01", "{}");
    ck_assert(registry_body_read(&call, false, TEXT("Basic"), &present, &body));
    ck_assert(body.settings.admin_enabled && !body.has_tags && !body.has_policies && !body.sku.base);
    fixture_arm_call(
        f, &call, "2019-05-01",
        "{\"tags\":{\"b\":\"2\",\"a\":\"\"},\"sku\":{\"name\":\"Standard\"},\"location\":\"elsewhere\","
        "\"properties\":{\"adminUserEnabled\":false,\"policies\":{}}}");
    ck_assert(registry_body_read(&call, false, TEXT("Basic"), &present, &body));
    ck_assert(!body.settings.admin_enabled && body.has_tags && body.has_policies);
    ck_assert_str_eq(text_cstr(f->arena, body.tags), "{\"b\":\"2\",\"a\":\"\"}");
    ck_assert(text_is(body.sku, "Standard"));
    fixture_arm_call(f, &call, "2019-05-01", "{\"tags\":{}}");
    ck_assert(registry_body_read(&call, false, TEXT("Basic"), &present, &body));
    ck_assert(body.has_tags && text_is(body.tags, "{}"));
    fixture_arm_call(f, &call, "2019-05-01",
                     "{\"properties\":{\"policies\":{\"trustPolicy\":{\"status\":\"enabled\"}}}}");
    ck_assert(!registry_body_read(&call, false, TEXT("Basic"), &present, &body));
    ck_assert_ptr_nonnull(strstr(call.failure->message, "SKU Basic"));
    fixture_free(f);
}
END_TEST

#define ID                                                                                                   \
    "/subscriptions/" FIXTURE_SUBSCRIPTION                                                                   \
    "/resourceGroups/Group/providers/Microsoft.ContainerRegistry/registries/MyReg"
#define HEAD                                                                                                 \
    "{\"sku\":{\"name\":\"Standard\",\"tier\":\"Standard\"},\"type\":\"Microsoft.ContainerRegistry/"         \
    "registries\","                                                                                          \
    "\"id\":\"" ID "\",\"name\":\"MyReg\",\"location\":\"local\",\"tags\":{\"k\":\"v\"},\"properties\":{"    \
    "\"loginServer\":\"" FIXTURE_SERVER "\",\"creationDate\":\"2026-11-25T22:41:07.12Z\","                   \
    "\"provisioningState\":\"Succeeded\",\"adminUserEnabled\":true"
#define POLICIES                                                                                             \
    ",\"policies\":{\"quarantinePolicy\":{\"status\":\"disabled\"},\"trustPolicy\":{\"type\":\"Notary\","    \
    "\"status\":\"disabled\"},\"retentionPolicy\":{\"days\":7,\"lastUpdatedTime\":\"2026-11-25T22:41:08+00:" \
    "00\","                                                                                                  \
    "\"status\":\"disabled\"}"

START_TEST(shapes)
{
    struct fixture *f = fixture_new();
    struct registry_resource registry = {
        .envelope = {.id = 42,
                     .subscription_id = TEXT(FIXTURE_SUBSCRIPTION),
                     .group = TEXT("Group"),
                     .type = TEXT(REGISTRY_TYPE),
                     .name = TEXT("MyReg"),
                     .location = TEXT("local"),
                     .tags = TEXT("{\"k\":\"v\"}"),
                     .sku = TEXT("Standard"),
                     .state = TEXT("Succeeded"),
                     .created_at = 1795646467120000},
        .settings = registry_settings_default(),
    };
    registry.settings.admin_enabled = true;
    registry.settings.retention_updated_at = 1795646468000000;
    ck_assert_str_eq(text_cstr(f->arena, registry_json(f->arena, "2019-05-01", &registry)),
                     HEAD POLICIES "}}}");
    ck_assert_str_eq(text_cstr(f->arena, registry_json(f->arena, "2017-10-01", &registry)), HEAD "}}");
    fixture_free(f);
}
END_TEST

START_TEST(names)
{
    ck_assert(registry_name_well_formed(TEXT("abcde")));
    ck_assert(registry_name_well_formed(TEXT("ABC12")));
    ck_assert(registry_name_well_formed(TEXT("a2345678901234567890123456789012345678901234567890")));
    ck_assert(!registry_name_well_formed(TEXT("a23456789012345678901234567890123456789012345678901")));
    ck_assert(!registry_name_well_formed(TEXT("abcd")));
    ck_assert(!registry_name_well_formed(TEXT("")));
    ck_assert(!registry_name_well_formed(TEXT("abc-e")));
    ck_assert(!registry_name_well_formed(TEXT("abc.e")));
    ck_assert(!registry_name_well_formed(TEXT("abcd\xc3\xa9")));
    ck_assert(registry_name_reserved(TEXT("Microsoft")));
    ck_assert(!registry_name_reserved(TEXT("microsoftx")));
}
END_TEST

Suite *suite_registry_body(void);
Suite *suite_registry_body(void)
{
    Suite *suite = suite_create("registry_body");
    TCase *tests = tcase_create("bodies and shapes");
    tcase_add_test(tests, put_bodies);
    tcase_add_test(tests, provider_form_of_errors);
    tcase_add_test(tests, patch_bodies);
    tcase_add_test(tests, shapes);
    tcase_add_test(tests, names);
    suite_add_tcase(suite, tests);
    return suite;
}
