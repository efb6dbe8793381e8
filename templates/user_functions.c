// Calling a function that the template defines, and what its definition may hold.
#include "templates/user_functions.h"

#include "templates/evaluation.h"

// ---- types of parameters and of the output

static enum value_kind kind_of_type(struct text type, bool *known)
{
    static const struct {
        const char *name;
        enum value_kind kind;
    } types[] = {
        {"string", VALUE_STRING}, {"securestring", VALUE_STRING}, {"int", VALUE_INTEGER},
        {"bool", VALUE_BOOLEAN},  {"object", VALUE_OBJECT},       {"secureObject", VALUE_OBJECT},
        {"array", VALUE_ARRAY},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (text_is_nocase(type, types[i].name)) {
            *known = true;
            return types[i].kind;
        }
    }
    *known = false;
    return VALUE_NULL;
}

// The finer rules of a 2.0 type ($ref, allowedValues, properties) bind parameters of a template, not these.
static bool has_type(const struct value *declaration, const struct value *value, const char **expected)
{
    bool known;
    enum value_kind kind = kind_of_type(value_text(VALUE_FIND(declaration, "type")), &known);
    const struct value *nullable = VALUE_FIND(declaration, "nullable");
    if (!known || value->kind == kind)
        return true;
    *expected = value_kind_name(kind);
    return value->kind == VALUE_NULL && value_is(nullable, VALUE_BOOLEAN) && nullable->boolean;
}

static struct text parameter_name(const struct value *parameters, size_t index)
{
    return value_text(VALUE_FIND(parameters->array.items[index], "name"));
}

// ---- calling

static const struct value *definition_of(struct call *call)
{
    const struct evaluation_hooks *hooks = call->e->hooks;
    if (!hooks || !hooks->user_function || text_find(call->node->name, '.') < 0)
        return NULL;
    return hooks->user_function(call->e, call->node->name);
}

static size_t parameter_count(const struct value *definition)
{
    const struct value *parameters = VALUE_FIND(definition, "parameters");
    return value_is(parameters, VALUE_ARRAY) ? parameters->array.count : 0;
}

bool user_function_check(struct call *call)
{
    const struct value *definition = definition_of(call);
    if (!definition) {
        call_fail(
            call,
            "The template function '%s' is not valid. Please see https://aka.ms/arm-functions for usage "
            "details.",
            call->name);
        return false;
    }
    if (call->e->place == PLACE_FUNCTION && !call->e->version_2) {
        call_fail(call,
                  "The template function '%s' is not expected at this location. Please see "
                  "https://aka.ms/arm-functions for usage details.",
                  call->name);
        return false;
    }
    size_t count = parameter_count(definition);
    if (call->count != count)
        call_fail_count(call, count, count);
    return call->count == count;
}

static const struct value *check_output(struct call *call, const struct value *output,
                                        const struct value *value)
{
    const char *expected;
    if (!value || has_type(output, value, &expected))
        return value;
    return call_fail(
        call,
        "The output of the template function '%s' is not valid. Expected a value of type '%s', but "
        "received a value of type '%s'.",
        call->name, expected, value_kind_name(value->kind));
}

static bool bind(struct call *call, const struct value *parameters, struct text *names)
{
    const char *expected;
    for (size_t i = 0; i < call->count; i++) {
        names[i] = parameter_name(parameters, i);
        if (has_type(parameters->array.items[i], call->arguments[i], &expected))
            continue;
        call_fail(call,
                  "The provided value for the parameter '%.*s' of the template function '%s' is not valid. "
                  "Expected a value of type '%s', but received a value of type '%s'.",
                  SHOWN(names[i]), call->name, expected, value_kind_name(call->arguments[i]->kind));
        return false;
    }
    return true;
}

const struct value *user_function_call(struct call *call)
{
    const struct value *definition = definition_of(call), *parameters = VALUE_FIND(definition, "parameters");
    const struct value *output = VALUE_FIND(definition, "output"), *value = VALUE_FIND(output, "value");
    if (!value)
        return call_fail(call, "The template function '%s' has no output value.", call->name);
    if (!call_spend(call, 1 + call->count, (call->count + 1) * sizeof(struct text)))
        return NULL;
    struct text *names = ARENA_ARRAY(call->e->arena, struct text, call->count + 1);
    if (!bind(call, parameters, names))
        return NULL;
    struct evaluation_frame frame = {NULL, true, names, call->arguments, call->count};
    struct evaluation inner = *call->e;
    inner.place = PLACE_FUNCTION;
    inner.frame = &frame;
    inner.copy = NULL;
    const struct value *at;
    return check_output(call, output, evaluate_value(&inner, value, false, call->error, &at));
}

// ---- definitions

struct violations {
    struct arena *arena;
    struct buffer list;
    bool version_2;
};

// Compilers write variables, and calls of one another, into the functions of 2.0.
static bool is_refused(struct text name, bool version_2)
{
    const struct function *function = function_find(name);
    if (!function)
        return !version_2 && text_find(name, '.') >= 0;
    struct text known = text_of(function->name);
    if (text_is(known, "variables"))
        return !version_2;
    return text_is(known, "reference") || text_is(known, "references") || text_is(known, "list*");
}

static void look_at(void *context, const struct expression_call *call)
{
    struct violations *v = context;
    if (!is_refused(call->name, v->version_2))
        return;
    if (v->list.length > 0)
        buffer_string(&v->list, ", ");
    buffer_text(&v->list, call->name);
}

static void look_into(struct violations *v, const struct value *value)
{
    struct text literal;
    struct expression_error error;
    if (value->kind == VALUE_STRING && expression_is(value->string, &literal)) {
        const struct expression *expression = expression_parse(v->arena, value->string, &error);
        if (expression)
            expression_calls(expression, look_at, v);
    }
    for (size_t i = 0; value->kind == VALUE_ARRAY && i < value->array.count; i++)
        look_into(v, value->array.items[i]);
    for (size_t i = 0; value->kind == VALUE_OBJECT && i < value->object.count; i++)
        look_into(v, value->object.members[i].value);
}

const char *user_function_violation(struct arena *arena, struct text name, const struct value *definition,
                                    bool version_2)
{
    const struct value *output = VALUE_FIND(definition, "output");
    struct violations v = {arena, buffer_new(arena), version_2};
    if (output)
        look_into(&v, output);
    if (v.list.length == 0)
        return NULL;
    return arena_printf(
        arena,
        "The template function '%.*s' at line '%u' and column '%u' is not valid. These function "
        "calls are not supported in a function definition: '%.*s'. Please see "
        "https://aka.ms/arm-template/#functions for usage details.",
        TEXT_ARG(name), output->line, output->column, TEXT_ARG(buffer_done(&v.list)));
}
