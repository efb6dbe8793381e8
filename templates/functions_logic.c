// Comparison and logic (arm-templates 5.2).
#include "templates/function.h"

static const struct value *coalesce(struct call *call)
{
    for (size_t i = 0; i < call->count; i++) {
        const struct value *value = call_argument(call, i);
        if (!value || value->kind != VALUE_NULL)
            return value;
    }
    return value_null();
}

static const struct value *equals(struct call *call)
{
    bool equal = call_equal(call, call->arguments[0], call->arguments[1]);
    return call->error->message ? NULL : value_boolean(equal);
}

// ---- order

// Of UTF-8 bytes: the order of the characters. *order is below, at or above 0.
static bool compare(struct call *call, int *order)
{
    const struct value *a = call->arguments[0], *b = call->arguments[1];
    if (a->kind == VALUE_INTEGER && b->kind == VALUE_INTEGER) {
        *order = (a->integer > b->integer) - (a->integer < b->integer);
        return true;
    }
    if (a->kind == VALUE_STRING && b->kind == VALUE_STRING) {
        struct text x = a->string, y = b->string;
        size_t least = x.length < y.length ? x.length : y.length;
        *order = least > 0 ? memcmp(x.base, y.base, least) : 0;
        if (*order == 0)
            *order = (x.length > y.length) - (x.length < y.length);
        return call_spend(call, 1 + least / 64, 0);
    }
    if (a->kind == b->kind)
        call_fail_type(call, "parameters to be of type 'Integer' or 'String'", a);
    else
        call_fail(
            call,
            "The template language function '%s' expects two parameters of matching types. The function was "
            "invoked with values of type '%s' and '%s' that do not match.",
            call->name, value_kind_name(a->kind), value_kind_name(b->kind));
    return false;
}

static const struct value *less(struct call *call)
{
    int order;
    return compare(call, &order) ? value_boolean(order < 0) : NULL;
}

static const struct value *less_or_equals(struct call *call)
{
    int order;
    return compare(call, &order) ? value_boolean(order <= 0) : NULL;
}

static const struct value *greater(struct call *call)
{
    int order;
    return compare(call, &order) ? value_boolean(order > 0) : NULL;
}

static const struct value *greater_or_equals(struct call *call)
{
    int order;
    return compare(call, &order) ? value_boolean(order >= 0) : NULL;
}

// ---- Booleans

// The value that is decisive, or the other one when no argument was that.
static const struct value *until(struct call *call, bool decisive)
{
    for (size_t i = 0; i < call->count; i++) {
        const struct value *value = call_argument(call, i);
        if (!value)
            return NULL;
        if (value->kind != VALUE_BOOLEAN)
            return call_fail_type(call, "parameters to be of type 'Boolean'", value);
        if (value->boolean == decisive)
            return value;
    }
    return value_boolean(!decisive);
}

static const struct value * and (struct call * call)
{
    return until(call, false);
}

static const struct value * or (struct call * call)
{
    return until(call, true);
}

static const struct value * not(struct call * call)
{
    const struct value *value = call->arguments[0];
    if (value->kind != VALUE_BOOLEAN)
        return call_fail_type(call, "parameter to be of type 'Boolean'", value);
    return value_boolean(!value->boolean);
}

static const struct value *choose(struct call *call)
{
    const struct value *condition = call_argument(call, 0);
    if (!condition)
        return NULL;
    if (condition->kind != VALUE_BOOLEAN)
        return call_fail_type(call, "first parameter to be of type 'Boolean'", condition);
    return call_argument(call, condition->boolean ? 1 : 2);
}

static const struct value *to_boolean(struct call *call)
{
    const struct value *value = call->arguments[0];
    if (value->kind == VALUE_BOOLEAN)
        return value;
    if (value->kind == VALUE_INTEGER)
        return value_boolean(value->integer != 0);
    if (value->kind == VALUE_STRING && text_is_nocase(value->string, "true"))
        return value_boolean(true);
    if (value->kind == VALUE_STRING && text_is_nocase(value->string, "false"))
        return value_boolean(false);
    return call_fail(call,
                     "The template language function 'bool' was invoked with a parameter that is not valid. "
                     "The value cannot be converted to the target type.");
}

static const struct value *truth(struct call *call)
{
    (void)call;
    return value_boolean(true);
}

static const struct value *falsehood(struct call *call)
{
    (void)call;
    return value_boolean(false);
}

static const struct value *nothing(struct call *call)
{
    (void)call;
    return value_null();
}

const struct function functions_logic[] = {
    {"and", 2, FUNCTION_MANY, ANYWHERE, true, and, NULL, NULL},
    {"bool", 1, 1, ANYWHERE, false, to_boolean, NULL, NULL},
    {"coalesce", 1, FUNCTION_MANY, ANYWHERE, true, coalesce, NULL, NULL},
    {"equals", 2, 2, ANYWHERE, false, equals, NULL, NULL},
    {"false", 0, 0, ANYWHERE, false, falsehood, NULL, NULL},
    {"greater", 2, 2, ANYWHERE, false, greater, NULL, NULL},
    {"greaterOrEquals", 2, 2, ANYWHERE, false, greater_or_equals, NULL, NULL},
    {"if", 3, 3, ANYWHERE, true, choose, NULL, NULL},
    {"less", 2, 2, ANYWHERE, false, less, NULL, NULL},
    {"lessOrEquals", 2, 2, ANYWHERE, false, less_or_equals, NULL, NULL},
    {"not", 1, 1, ANYWHERE, false, not, NULL, NULL},
    {"null", 0, 0, ANYWHERE, false, nothing, NULL, NULL},
    {"or", 2, FUNCTION_MANY, ANYWHERE, true, or, NULL, NULL},
    {"true", 0, 0, ANYWHERE, false, truth, NULL, NULL},
    {0},
};
