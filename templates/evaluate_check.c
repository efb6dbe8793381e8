// Looking through expressions without evaluating them.
#include "templates/evaluation.h"
#include "templates/expression_cache.h"

static bool literal_arguments(const struct expression *call)
{
    for (size_t i = 0; i < call->argument_count; i++)
        if (call->arguments[i]->kind != EXPRESSION_LITERAL || call->arguments[i]->accessor_count > 0)
            return false;
    return true;
}

// A parameter or a variable that is named is there, and a loop goes round. What is taken out of it is the
// evaluation's matter: a branch may know that there is no such member.
static bool check_name(struct evaluation *e, const struct expression *call, struct expression_error *error)
{
    bool loop = text_is_nocase(call->name, "copyIndex") && e->place == PLACE_OUTPUT;
    bool named = text_is_nocase(call->name, "parameters") || text_is_nocase(call->name, "variables");
    if ((!loop && !named) || e->frame || !literal_arguments(call))
        return true;
    struct expression bare = *call;
    bare.accessors = NULL;
    bare.accessor_count = 0;
    return expression_evaluate(e, &bare, error) != NULL;
}

static bool check_all(struct evaluation *e, const struct expression *expression,
                      struct expression_error *error)
{
    if (expression->kind == EXPRESSION_CALL) {
        struct call call = call_of(e, expression, error);
        if (!evaluation_spend(e, 1, 0, error) || !call_check(&call) || !check_name(e, expression, error))
            return false;
        for (size_t i = 0; i < expression->argument_count; i++)
            if (!check_all(e, expression->arguments[i], error))
                return false;
    }
    for (size_t i = 0; i < expression->accessor_count; i++)
        if (expression->accessors[i].index && !check_all(e, expression->accessors[i].index, error))
            return false;
    return true;
}

bool expression_check(struct evaluation *e, const struct expression *expression,
                      struct expression_error *error)
{
    *error = (struct expression_error){0};
    return check_all(e, expression, error);
}

static bool check_text(struct evaluation *e, struct text string, struct expression_error *error)
{
    struct text literal;
    if (!expression_is(string, &literal))
        return true;
    const struct expression *expression = expression_cached(e->arena, e, string, error);
    return expression && expression_check(e, expression, error);
}

bool evaluate_check(struct evaluation *e, const struct value *value, struct expression_error *error,
                    const struct value **at)
{
    *at = value;
    if (value->kind == VALUE_STRING)
        return check_text(e, value->string, error);
    for (size_t i = 0; value->kind == VALUE_ARRAY && i < value->array.count; i++)
        if (!evaluate_check(e, value->array.items[i], error, at))
            return false;
    for (size_t i = 0; value->kind == VALUE_OBJECT && i < value->object.count; i++) {
        const struct value_member *member = &value->object.members[i];
        *at = member->value;
        if (!check_text(e, member->name, error) || !evaluate_check(e, member->value, error, at))
            return false;
    }
    return true;
}

static bool text_needs_run(struct arena *arena, struct text string)
{
    struct text literal;
    struct expression_error error;
    if (!expression_is(string, &literal))
        return false;
    const struct expression *expression = expression_cached(arena, NULL, string, &error);
    return expression && expression->needs_run;
}

bool value_needs_run(struct arena *arena, const struct value *value)
{
    if (value->kind == VALUE_STRING)
        return text_needs_run(arena, value->string);
    for (size_t i = 0; value->kind == VALUE_ARRAY && i < value->array.count; i++)
        if (value_needs_run(arena, value->array.items[i]))
            return true;
    for (size_t i = 0; value->kind == VALUE_OBJECT && i < value->object.count; i++)
        if (text_needs_run(arena, value->object.members[i].name) ||
            value_needs_run(arena, value->object.members[i].value))
            return true;
    return false;
}
