// The environment that the tests of expressions evaluate in.
#include "templates/language.h"

#include "templates/reader.h"

#include <stdio.h>

static const char world[] =
    "{'parameters':{'name':'registry1','count':3,'flag':true,'list':[1,2,3],'object':{'a':1,'B':{'c':'deep'}}"
    ","
    "'nothing':null,'real':1.5},"
    "'variables':{'greeting':'hello','loop':'x'},"
    "'scope':{'resourceGroup':{'id':'/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/"
    "rg1','name':"
    "'rg1','type':'Microsoft.Resources/resourceGroups','location':'local','properties':{'provisioningState':"
    "'Succeeded'}},"
    "'subscription':{'id':'/subscriptions/11111111-1111-1111-1111-111111111111','subscriptionId':"
    "'11111111-1111-1111-1111-111111111111','tenantId':'t','displayName':'d'},"
    "'tenant':{'tenantId':'t'},'deployment':{'name':'main'},'environment':{'name':'AzureStack','suffixes':"
    "{'acrLoginServer':'.azurecr.local'}},'deployer':{'objectId':'o'},'managementGroup':{'name':'mg1'}},"
    "'functions':{'ns.twice':{'parameters':[{'name':'text','type':'string'}],'output':{'type':'string','"
    "value':"
    "\"[concat(parameters('text'), parameters('TEXT'))]\"}},"
    "'ns.object':{'parameters':[],'output':{'type':'object','value':{'k':\"[add(1, "
    "2)]\",'l':['[[x]',true]}}},"
    "'ns.outer':{'parameters':[{'name':'p','type':'int'}],'output':{'type':'string','value':"
    "\"[ns.twice(string(parameters('p')))]\"}},"
    "'ns.wrong':{'parameters':[],'output':{'type':'int','value':'text'}},"
    "'ns.peek':{'parameters':[],'output':{'type':'string','value':\"[parameters('name')]\"}},"
    "'ns.variable':{'parameters':[],'output':{'type':'string','value':\"[variables('greeting')]\"}},"
    "'ns.endless':{'parameters':[],'output':{'type':'string','value':'[ns.endless()]'}}}}";

static const struct value *part(struct evaluation *e, const char *name)
{
    return value_find(e->hooks->context, text_of(name));
}

static const struct value *parameter(struct evaluation *e, struct text name, struct expression_error *error)
{
    (void)error;
    return value_find(part(e, "parameters"), name);
}

static const struct value *variable(struct evaluation *e, struct text name, struct expression_error *error)
{
    (void)error;
    return value_find(part(e, "variables"), name);
}

static const struct value *user_function(struct evaluation *e, struct text name)
{
    return value_find(part(e, "functions"), name);
}

static const struct value *scope_object(struct evaluation *e, struct text function,
                                        struct expression_error *error)
{
    (void)error;
    return value_find(part(e, "scope"), function);
}

// The question, as the answer.
static const struct value *echo(struct evaluation *e, const char *format, struct text a, struct text b,
                                bool c)
{
    char *text = arena_printf(e->arena, "{'%s':['%.*s','%.*s',%s]}", format, TEXT_ARG(a), TEXT_ARG(b),
                              c ? "true" : "false");
    struct reader_error error;
    const struct value *value = reader_read(e->arena, text_of(text), NULL, &error);
    ck_assert_msg(value != NULL, "%s", text);
    return value;
}

static const struct value *reference(struct evaluation *e, struct text target, struct text version, bool full,
                                     struct expression_error *error)
{
    if (!text_is(target, "missing"))
        return echo(e, "reference", target, version, full);
    *error = (struct expression_error){"InvalidTemplate",
                                       "The resource 'missing' is not defined in the template.", 0};
    return NULL;
}

static const struct value *references(struct evaluation *e, struct text loop, bool full,
                                      struct expression_error *error)
{
    (void)error;
    return echo(e, "references", loop, TEXT_NONE, full);
}

static const struct value *list(struct evaluation *e, struct text operation, struct text target,
                                struct text version, const struct value *body, struct expression_error *error)
{
    (void)error;
    (void)version;
    return echo(e, "list", operation, target, body != NULL);
}

static const struct value *resource_info(struct evaluation *e, struct text symbol,
                                         struct expression_error *error)
{
    (void)error;
    return echo(e, "resourceInfo", symbol, TEXT_NONE, false);
}

static const struct value *providers(struct evaluation *e, struct text name, struct text type,
                                     struct expression_error *error)
{
    (void)error;
    return echo(e, "providers", name, type, type.base != NULL);
}

void language_open(struct language *l)
{
    *l = (struct language){.arena = arena_new(),
                           .budget = {.steps = EVALUATION_STEPS, .bytes = EVALUATION_BYTES}};
    struct reader_error error = {0};
    struct evaluation_hooks *hooks = ARENA_NEW(l->arena, struct evaluation_hooks);
    const struct value *context = reader_read(l->arena, text_of(world), NULL, &error);
    ck_assert_msg(context != NULL, "%s", error.message);
    *hooks = (struct evaluation_hooks){(void *)context, parameter,  variable, user_function, scope_object,
                                       reference,       references, list,     resource_info, providers};
    l->e = (struct evaluation){
        .arena = l->arena,
        .hooks = hooks,
        .place = PLACE_RESOURCE_BODY,
        .scope = SCOPE_RESOURCE_GROUP,
        .subscription_id = TEXT("11111111-1111-1111-1111-111111111111"),
        .resource_group = TEXT("rg1"),
        .now = INT64_C(1683040573123456),
        .budget = &l->budget,
    };
}

void language_close(struct language *l)
{
    arena_free(l->arena);
}

struct text language_evaluate(struct language *l, struct text string)
{
    const struct value *at,
        *value = evaluate_value(&l->e, value_string(l->arena, string), true, &l->error, &at);
    ck_assert_uint_eq(l->budget.depth, 0);
    if (value)
        return value_to_json(l->arena, value);
    ck_assert_ptr_nonnull(l->error.message);
    ck_assert_str_eq(l->error.code, "InvalidTemplate");
    return text_of(arena_printf(l->arena, "!%s", l->error.message));
}

void language_check(const struct language_case *cases, size_t count, enum evaluation_place place)
{
    size_t failed = 0;
    for (size_t i = 0; i < count; i++) {
        struct language l;
        language_open(&l);
        l.e.place = place;
        struct text got = language_evaluate(&l, text_of(cases[i].expression));
        if (!text_is(got, cases[i].expected)) {
            printf("%s: %s\n  gives    %.*s\n  expected %s\n", cases[i].row, cases[i].expression,
                   TEXT_ARG(got), cases[i].expected);
            fflush(stdout);
            failed++;
        }
        language_close(&l);
    }
    ck_assert_msg(failed == 0, "%zu of %zu", failed, count);
}
