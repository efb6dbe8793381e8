// Exported templates: names, ids, what is left out and what is escaped (arm-templates 7).
#include "templates/export.h"
#include "templates/expression.h"
#include "templates/reader.h"

#include <check.h>

Suite *suite_export(void);

static const char *const read_only[] = {"properties.loginServer", NULL};

static struct export_resource resource(struct arena *arena, const char *type, const char *name,
                                       const char *json)
{
    struct reader_error error;
    struct export_resource r = {.id = TEXT_JOIN(arena, TEXT("/id/"), text_of(name)),
                                .type = text_of(type),
                                .name = text_of(name),
                                .api_version = TEXT("2019-05-01"),
                                .shown = reader_read(arena, text_of(json), NULL, &error),
                                .read_only = read_only};
    ck_assert_ptr_nonnull(r.shown);
    return r;
}

#define HEAD(parameters)                                                                                     \
    "{\"$schema\":\"https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#\","      \
    "\"contentVersion\":\"1.0.0.0\",\"parameters\":{" parameters "},\"variables\":{},\"resources\":["

static const char registry[] = "{\"id\":\"/x\",\"name\":\"my-reg\",\"type\":\"N/"
                               "registries\",\"location\":\"local\",\"tags\":{\"[a]\":\"[b]\"},"
                               "\"sku\":{\"name\":\"Standard\"},\"systemData\":{},\"properties\":{"
                               "\"loginServer\":\"s\",\"provisioningState\":"
                               "\"Succeeded\",\"adminUserEnabled\":true,\"x\":null}}";

START_TEST(with_parameters)
{
    struct arena *arena = arena_new();
    struct export_options options = {.default_values = true};
    struct export_resource resources[] = {
        resource(arena, "N/registries", "my-reg", registry),
        resource(arena, "N/registries", "my.reg", "{\"properties\":{}}"),
        resource(arena, "N/registries/webhooks", "my-reg/it's",
                 "{\"name\":\"hook\",\"properties\":{\"a\":[\"[x]\"]}}"),
    };
    ck_assert_str_eq(export_template(arena, resources, 3, &options).base,
                     HEAD("\"registries_my_reg_name\":{"
                          "\"defaultValue\":\"my-reg\",\"type\":"
                          "\"String\"},"
                          "\"registries_my_reg_name_1\":{"
                          "\"defaultValue\":\"my.reg\",\"type\":"
                          "\"String\"}") "{\"type\":\"N/"
                                         "registries\",\"apiVersion\":"
                                         "\"2019-05-01\",\"name\":\"["
                                         "parameters('registries_my_"
                                         "reg_name')]\","
                                         "\"location\":\"local\","
                                         "\"tags\":{\"[[a]\":\"[[b]\"}"
                                         ",\"sku\":{\"name\":"
                                         "\"Standard\"},"
                                         "\"properties\":{"
                                         "\"adminUserEnabled\":true}},"
                                         "{\"type\":\"N/"
                                         "registries\",\"apiVersion\":"
                                         "\"2019-05-01\",\"name\":\"["
                                         "parameters('registries_my_"
                                         "reg_name_1')]\","
                                         "\"properties\":{}},"
                                         "{\"type\":\"N/registries/"
                                         "webhooks\",\"apiVersion\":"
                                         "\"2019-05-01\",\"name\":\"["
                                         "concat(parameters("
                                         "'registries_my_reg_name'), "
                                         "'/"
                                         "it''s')]\",\"dependsOn\":["
                                         "\"[resourceId('N/"
                                         "registries', parameters("
                                         "'registries_my_reg_name'))]"
                                         "\"],\"properties\":{\"a\":["
                                         "\"[[x]\"]}}]}");
    arena_free(arena);
}
END_TEST

START_TEST(with_names_kept)
{
    struct arena *arena = arena_new();
    struct export_options options = {.names_kept = true, .comments = true};
    struct export_resource resources[] = {
        resource(arena, "N/a", "r", "{\"properties\":{}}"),
        resource(arena, "N/a/b", "r/c", "{\"properties\":{}}"),
    };
    ck_assert_str_eq(
        export_template(arena, resources, 2, &options).base,
        HEAD("") "{\"comments\":\"Generalized from resource: '/id/r'.\",\"type\":\"N/a\",\"apiVersion\":"
                 "\"2019-05-01\",\"name\":\"r\",\"properties\":{}},{\"comments\":\"Generalized from "
                 "resource: '/id/r/c'.\",\"type\":\"N/a/b\",\"apiVersion\":\"2019-05-01\",\"name\":\"r/c\","
                 "\"dependsOn\":[\"[resourceId('N/a', 'r')]\"],\"properties\":{}}]}");
    options.names_kept = options.comments = false;
    // A child alone: its parent's name is a parameter, there is nothing to depend on.
    ck_assert_str_eq(export_template(arena, resources + 1, 1, &options).base,
                     HEAD("\"a_r_name\":{\"type\":\"String\"}") "{\"type\":\"N/a/"
                                                                "b\",\"apiVersion\":\"2019-05-01\",\"name\":"
                                                                "\"[concat(parameters('a_r_name'), "
                                                                "'/c')]\",\"properties\":{}}]}");
    ck_assert_str_eq(export_template(arena, resources, 0, &options).base, HEAD("") "]}");
    arena_free(arena);
}
END_TEST

static const char *const texts[] = {"",   "a",    "[",   "]",    "[]",    "[a]",  "[a",
                                    "a]", "[[a]", "[[a", "[[]]", "[[[x]", "[a] b"};

START_TEST(every_text_comes_back) // arm-templates 4.1: escaped where it would be an expression
{
    struct arena *arena = arena_new();
    struct export_options options = {.names_kept = true};
    struct text original = text_of(texts[_i]), literal;
    struct export_resource r =
        resource(arena, "N/a", "r", arena_printf(arena, "{\"properties\":{\"x\":\"%s\"}}", texts[_i]));
    struct reader_error error;
    const struct value *template = reader_read(arena, export_template(arena, &r, 1, &options), NULL, &error);
    const struct value *made = VALUE_FIND(template, "resources")->array.items[0];
    ck_assert(!expression_is(value_text(VALUE_FIND(VALUE_FIND(made, "properties"), "x")), &literal));
    ck_assert(text_equal(literal, original));
    arena_free(arena);
}
END_TEST

Suite *suite_export(void)
{
    Suite *suite = suite_create("export");
    TCase *cases = tcase_create("export");
    tcase_add_test(cases, with_parameters);
    tcase_add_test(cases, with_names_kept);
    tcase_add_loop_test(cases, every_text_comes_back, 0, sizeof texts / sizeof *texts);
    suite_add_tcase(suite, cases);
    return suite;
}
