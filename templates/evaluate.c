// Evaluating a parsed expression.
#include "templates/evaluation.h"
#include "templates/value_secret.h"

struct call call_of(struct evaluation *e, const struct expression *node, struct expression_error *error)
{
    const struct function *function = node->function;
    struct call call = {
        .e = e, .node = node, .function = function, .count = node->argument_count, .error = error};
    // list* has the name that was written.
    bool named = function && function->name[strlen(function->name) - 1] != '*';
    call.name = named ? function->name : text_cstr(e->arena, node->name);
    return call;
}

const struct value *call_fail_count(struct call *call, size_t least, size_t most)
{
    struct arena *arena = call->e->arena;
    const char *required = least == most           ? arena_printf(arena, "%zu", least)
                           : most >= FUNCTION_MANY ? arena_printf(arena, "at least %zu", least)
                                                   : arena_printf(arena, "between %zu and %zu", least, most);
    return call_fail(
        call,
        "Unable to evaluate template language function '%s': function requires %s argument(s) while "
        "%zu were provided. Please see https://aka.ms/arm-resource-functions/#%s for usage details.",
        call->name, required, call->count, call->name);
}

static bool check_count(struct call *call)
{
    const struct function *f = call->function;
    if (call->count >= f->least && (call->count <= f->most || f->most == FUNCTION_MANY))
        return true;
    if (!f->count_head)
        call_fail_count(call, f->least, f->most);
    else if (f->count_tail)
        call_fail(call, "%s%zu%s", f->count_head, call->count, f->count_tail);
    else
        call_fail(call, "%s", f->count_head);
    return false;
}

static bool is_legal(const struct call *call)
{
    const struct evaluation *e = call->e;
    unsigned here = 1u << e->place;
    if (e->place == PLACE_FUNCTION && e->version_2)
        here |= AT_FUNCTION_2;
    return call->function->places & here;
}

bool call_check(struct call *call)
{
    if (!call->function)
        return user_function_check(call);
    if (!is_legal(call)) {
        call_fail(call,
                  "The template function '%s' is not expected at this location. Please see "
                  "https://aka.ms/arm-functions for usage details.",
                  call->name);
        return false;
    }
    return check_count(call);
}

const struct value *call_argument(struct call *call, size_t index)
{
    return expression_evaluate(call->e, call->node->arguments[index], call->error);
}

static const struct value *evaluate_call(struct evaluation *e, const struct expression *node,
                                         struct expression_error *error)
{
    struct call call = call_of(e, node, error);
    if (!call_check(&call))
        return NULL;
    if (call.function && call.function->lazy)
        return call.function->evaluate(&call);
    const struct value **arguments = call_items(&call, call.count);
    for (size_t i = 0; arguments && i < call.count; i++) {
        arguments[i] = call_argument(&call, i);
        if (!arguments[i])
            return NULL;
    }
    if (!arguments)
        return NULL;
    call.arguments = arguments;
    return call.function ? call_marked(&call, call.function->evaluate(&call)) : user_function_call(&call);
}

static const struct value *access_all(struct evaluation *e, const struct expression *node,
                                      const struct value *value, struct expression_error *error)
{
    struct call call = {.e = e, .node = node, .name = "", .error = error};
    for (size_t i = 0; value && i < node->accessor_count; i++) {
        const struct expression_accessor *accessor = &node->accessors[i];
        struct value name = {.kind = VALUE_STRING, .string = accessor->name};
        const struct value *key = &name;
        if (accessor->index)
            key = expression_evaluate(e, accessor->index, error);
        if (!key || !evaluation_spend(e, 1, 0, error))
            return NULL;
        value = call_access(&call, value, key);
        if (!value)
            error->position = accessor->position;
    }
    return value;
}

const struct value *expression_evaluate(struct evaluation *e, const struct expression *expression,
                                        struct expression_error *error)
{
    *error = (struct expression_error){0};
    if (!evaluation_enter(e, error))
        return NULL;
    const struct value *value = NULL;
    if (evaluation_spend(e, 1, 0, error)) {
        value = expression->kind == EXPRESSION_LITERAL ? &expression->literal
                                                       : evaluate_call(e, expression, error);
        if (value && expression->accessor_count > 0)
            value = access_all(e, expression, value, error);
    }
    evaluation_leave(e);
    if (!value && !error->code)
        error->code = "InvalidTemplate"; // a hook named none
    if (!value && error->position == 0)
        error->position = expression->position;
    return value;
}
