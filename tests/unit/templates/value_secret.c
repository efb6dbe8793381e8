// What expressions make of secrets is a secret.
#include "plan_case.h"

#include <check.h>

static const struct {
    const char *expression;
    bool secret;
} cases[] = {
    {"parameters('s')", true},
    {"base64(parameters('s'))", true},
    {"concat('x', parameters('s'))", true},
    {"toUpper(substring(parameters('s'), 0, 3))", true},
    {"format('{0}-{1}', 'x', parameters('s'))", true},
    {"uniqueString(parameters('s'))", true},
    {"parameters('o').a[0]", true},
    {"string(parameters('o'))", true},
    {"split(parameters('s'), 'e')[0]", true},
    {"json(concat('{\"a\":\"', parameters('s'), '\"}')).a", true},
    {"join(createArray('x', parameters('s')), ',')", true},
    {"first(createArray(parameters('s'), 'x'))", true},
    {"last(createArray(parameters('s'), 'x'))", false},
    {"createObject('a', parameters('s'), 'b', 'plain').b", false},
    {"createObject('a', parameters('s'), 'b', 'plain').a", true},
    {"union(createObject('a', parameters('s')), createObject('b', 'plain')).b", false},
    {"map(createArray(parameters('s')), lambda('v', base64(lambdaVariables('v'))))[0]", true},
    {"variables('made')", true},
    {"f.f(parameters('s'))", true},
    {"f.f('plain')", false},
    {"string(int(parameters('n')))", true},
    {"string(length(parameters('s')))", false},
    {"if(empty(parameters('s')), 'none', 'some')", false},
    {"if(empty(parameters('s')), 'none', parameters('s'))", true},
    {"coalesce(null(), parameters('s'))", true},
    {"equals(parameters('s'), 'x')", false},
    {"parameters('plain')", false},
    {"base64(parameters('plain'))", false},
    {"parameters('default')", true},
};

START_TEST(made_of_secrets)
{
    struct arena *arena = arena_new();
    struct plan_error error;
    const char *written = arena_printf(arena, "[%s]", cases[_i].expression);
    struct text json = value_to_json(arena, value_string(arena, text_of(written)));
    const struct plan_case c = {
        .template = arena_printf(
            arena,
            "parameters:{s:{type:'securestring'},o:{type:'secureObject'},n:{type:'secureString'},plain:{type:"
            "'string'},default:{type:'string',defaultValue:\"[base64(parameters('s'))]\"}},"
            "variables:{made:\"[base64(parameters('s'))]\"},functions:[{namespace:'f',members:{f:{parameters:"
            "[{name:'p',type:'string'}],output:{type:'string',value:\"[base64(parameters('p'))]\"}}}}],"
            "resources:[{type:'A.B/c',apiVersion:'1',name:'x',properties:{v:%.*s}}]",
            TEXT_ARG(json)),
        .parameters = "{s:{value:'a secret'},o:{value:{a:['another']}},n:{value:'1234'},plain:{value:'p'}}",
    };
    struct plan *plan = case_plan(arena, SCOPE_RESOURCE_GROUP, &c, &error);
    ck_assert_msg(plan != NULL, "%s: %s", cases[_i].expression, plan ? "" : error.message);
    const struct value *v = VALUE_FIND(VALUE_FIND(plan->nodes[0].body, "properties"), "v");
    ck_assert_msg(v && v->secret == cases[_i].secret, "%s", cases[_i].expression);
    ck_assert(plan->nodes[0].body->secret == cases[_i].secret);
    arena_free(arena);
}
END_TEST

Suite *suite_value_secret(void);
Suite *suite_value_secret(void)
{
    Suite *suite = suite_create("secrets");
    TCase *tcase = tcase_create("secrets");
    tcase_add_loop_test(tcase, made_of_secrets, 0, sizeof cases / sizeof *cases);
    suite_add_tcase(suite, tcase);
    return suite;
}
