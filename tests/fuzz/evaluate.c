// libFuzzer: arbitrary text as a template's string, evaluated at a place that the first byte chooses;
// whatever comes out is bounded, written and read again.
#include "templates/expression.h"
#include "templates/reader.h"

#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct value *context_of(struct evaluation *e, const char *part, struct text name)
{
    return value_find(value_find(e->hooks->context, text_of(part)), name);
}

static const struct value *parameter(struct evaluation *e, struct text name, struct expression_error *error)
{
    (void)error;
    return context_of(e, "values", name);
}

static const struct value *user_function(struct evaluation *e, struct text name)
{
    return context_of(e, "functions", name);
}

static const struct value *reference(struct evaluation *e, struct text target, struct text version, bool full,
                                     struct expression_error *error)
{
    (void)target;
    (void)version;
    (void)full;
    (void)error;
    return context_of(e, "values", TEXT("o"));
}

static const struct value *list(struct evaluation *e, struct text operation, struct text target,
                                struct text version, const struct value *body, struct expression_error *error)
{
    (void)operation;
    return reference(e, target, version, body != NULL, error);
}

static const char world[] = "{values:{s:'text',n:7,f:2.5,l:[1,'a',null,true,2.5,[],{}],o:{a:1,B:{c:'d'}},"
                            "nothing:null,deployment:{name:'d'},"
                            "resourceGroup:{id:'/subscriptions/s/resourceGroups/"
                            "r'},subscription:{},tenant:{},environment:{},deployer:{}},"
                            "functions:{'n.f':{parameters:[{name:'p',type:'string'}],output:{type:'string',"
                            "value:\"[concat(parameters('p'), "
                            "'!')]\"}},'n.g':{parameters:[{name:'p',type:'array'}],output:{type:'array',"
                            "value:\"[n.g(parameters('p'))]\"}}}}";

static void check_result(struct arena *arena, const struct value *value)
{
    struct reader_error error;
    struct reader_limits limits = {EVALUATION_VALUE_DEPTH + 1, SIZE_MAX};
    struct text json = value_to_json(arena, value);
    if (value->depth > EVALUATION_VALUE_DEPTH || !reader_read(arena, json, &limits, &error))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text text = {(const char *)data + 1, size - 1};
    if (size < 2 || !text_is_utf8(text))
        return 0;
    struct arena *arena = arena_new();
    struct reader_error unread;
    const struct evaluation_hooks hooks = {
        .context = (void *)reader_read(arena, text_of(world), NULL, &unread),
        .parameter = parameter,
        .variable = parameter,
        .user_function = user_function,
        .scope_object = parameter,
        .reference = reference,
        .list = list,
    };
    struct evaluation_copy copy = {.name = TEXT("c"), .index = 3};
    struct evaluation_budget budget = {.steps = EVALUATION_STEPS / 20, .bytes = EVALUATION_BYTES / 4};
    struct evaluation e = {
        .arena = arena,
        .hooks = &hooks,
        .place = data[0] % (PLACE_FUNCTION + 1),
        .scope = data[0] / 8 % 4,
        .subscription_id = TEXT("11111111-1111-1111-1111-111111111111"),
        .resource_group = TEXT("g"),
        .copy = data[0] & 64 ? &copy : NULL,
        .now = INT64_C(1683040573123456),
        .budget = &budget,
        .version_2 = data[0] & 128,
    };
    struct expression_error error;
    const struct value *string = value_string(arena, text), *at;
    const struct value *value = evaluate_value(&e, string, true, &error, &at);
    if (value)
        check_result(arena, value);
    else if (!error.code || !error.message || !text_is_utf8(text_of(error.message)) ||
             error.position > size || !at)
        abort();
    if (budget.depth != 0)
        abort();
    budget.steps = budget.bytes = SIZE_MAX / 2;
    evaluate_check(&e, string, &error, &at);
    value_needs_run(arena, string);
    arena_free(arena);
    return 0;
}
