// Numbers (arm-templates 5.3), and copyIndex().
#include "templates/function.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

// ---- arithmetic

static bool two_integers(struct call *call, int64_t *a, int64_t *b)
{
    if (call->arguments[0]->kind != VALUE_INTEGER) {
        call_fail_type(call, "first parameter to be of type 'Integer'", call->arguments[0]);
        return false;
    }
    if (call->arguments[1]->kind != VALUE_INTEGER) {
        call_fail_type(call, "second parameter to be of type 'Integer'", call->arguments[1]);
        return false;
    }
    *a = call->arguments[0]->integer;
    *b = call->arguments[1]->integer;
    return true;
}

static const struct value *overflow(struct call *call, int64_t a, int64_t b)
{
    return call_fail(call,
                     "The template language function '%s' overflowed with the operants '%lld' and '%lld'.",
                     call->name, (long long)a, (long long)b);
}

static const struct value *add(struct call *call)
{
    int64_t a, b, result;
    if (!two_integers(call, &a, &b))
        return NULL;
    return __builtin_add_overflow(a, b, &result) ? overflow(call, a, b) : call_integer(call, result);
}

static const struct value *sub(struct call *call)
{
    int64_t a, b, result;
    if (!two_integers(call, &a, &b))
        return NULL;
    return __builtin_sub_overflow(a, b, &result) ? overflow(call, a, b) : call_integer(call, result);
}

static const struct value *mul(struct call *call)
{
    int64_t a, b, result;
    if (!two_integers(call, &a, &b))
        return NULL;
    return __builtin_mul_overflow(a, b, &result) ? overflow(call, a, b) : call_integer(call, result);
}

static const struct value *by_zero(struct call *call)
{
    return call_fail(call, "The template language function '%s' cannot divide by zero.", call->name);
}

static const struct value *divide(struct call *call)
{
    int64_t a, b;
    if (!two_integers(call, &a, &b))
        return NULL;
    if (b == 0)
        return by_zero(call);
    return a == INT64_MIN && b == -1 ? overflow(call, a, b) : call_integer(call, a / b);
}

static const struct value *mod(struct call *call)
{
    int64_t a, b;
    if (!two_integers(call, &a, &b))
        return NULL;
    if (b == 0)
        return by_zero(call);
    return call_integer(call, b == -1 ? 0 : a % b);
}

// ---- least and greatest

static const struct value *extreme(struct call *call, bool greatest)
{
    const struct value *const *items = call->arguments;
    size_t count = call->count;
    if (count == 1 && items[0]->kind == VALUE_ARRAY) {
        count = items[0]->array.count;
        items = items[0]->array.items;
    }
    const struct value *best = NULL;
    for (size_t i = 0; i < count; i++) {
        if (items[i]->kind != VALUE_INTEGER)
            return call_fail_type(call, "parameters to be integers or an array of integers", items[i]);
        if (!best || (greatest ? items[i]->integer > best->integer : items[i]->integer < best->integer))
            best = items[i];
    }
    if (!best)
        return call_fail(call, "The template language function '%s' expects at least one integer.",
                         call->name);
    return call_spend(call, count / 8, 0) ? best : NULL;
}

static const struct value *max(struct call *call)
{
    return extreme(call, true);
}

static const struct value *min(struct call *call)
{
    return extreme(call, false);
}

// ---- conversion

// Blanks at the ends and a sign are fine, as Int64.Parse has it.
static bool parse_integer(const char *text, int64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoll(text, &end, 10);
    bool digits = end > text && end[-1] >= '0' && end[-1] <= '9';
    return digits && errno == 0 && end[strspn(end, " \t\r\n\v\f")] == '\0';
}

static const struct value *integer(struct call *call)
{
    const struct value *value = call->arguments[0];
    int64_t number;
    if (value->kind == VALUE_INTEGER)
        return value;
    if (value->kind == VALUE_STRING && value->string.length < 64 &&
        parse_integer(text_cstr(call->e->arena, value->string), &number))
        return call_integer(call, number);
    struct text shown = call_text(call, value);
    return shown.base
               ? call_fail(call,
                           "The template language function 'int' cannot convert provided value '%.*s' to "
                           "integer value. Please see https://aka.ms/arm-function-int for usage details.",
                           SHOWN(shown))
               : NULL;
}

static bool parse_float(const char *text, double *number)
{
    char *end;
    *number = 0;
    if (text[strspn(text, " \t\r\n0123456789+-.eE")] != '\0')
        return false;
    *number = strtod(text, &end);
    return end > text && isfinite(*number) && end[strspn(end, " \t\r\n")] == '\0';
}

static const struct value *real(struct call *call)
{
    const struct value *value = call->arguments[0];
    double number;
    if (value->kind == VALUE_FLOAT)
        return value;
    if (!call_spend(call, 1, sizeof *value))
        return NULL;
    if (value->kind == VALUE_INTEGER)
        return value_float(call->e->arena, (double)value->integer);
    if (value->kind == VALUE_STRING && value->string.length < 512 &&
        parse_float(text_cstr(call->e->arena, value->string), &number))
        return value_float(call->e->arena, number);
    struct text shown = call_text(call, value);
    return shown.base
               ? call_fail(call,
                           "The template language function 'float' cannot convert provided value '%.*s' to "
                           "float value. Please see https://aka.ms/arm-function-float for usage details.",
                           SHOWN(shown))
               : NULL;
}

// ---- copyIndex

static const struct evaluation_copy *loop_of(const struct evaluation_copy *copy, struct text name)
{
    while (copy && (name.base ? !text_equal_nocase(copy->name, name) : copy->only_by_name))
        copy = copy->outer;
    return copy;
}

static const struct value *copy_index(struct call *call)
{
    const struct value *first = call->count > 0 ? call->arguments[0] : NULL;
    const struct value *offset = call->count == 2 ? call->arguments[1] : NULL;
    struct text name = value_text(first);
    if (call->count == 1 && !name.base)
        offset = first;
    if (call->count == 2 && !name.base)
        return call_fail_type(call, "first parameter to be of type 'String'", first);
    if (offset && (offset->kind != VALUE_INTEGER || offset->integer < 0))
        return call_fail(call,
                         "The template function 'copyIndex' is not valid: the offset must be an integer that "
                         "is not negative. Please see https://aka.ms/arm-copy for usage details.");
    const struct evaluation_copy *loop = loop_of(call->e->copy, name);
    int64_t index, more = offset ? offset->integer : 0;
    if (!loop && name.base && call->e->copy)
        return call_fail(
            call,
            "The template function 'copyIndex' has an invalid argument. The provided copy name '%.*s' "
            "doesn't exist in the resource. Please see https://aka.ms/arm-copy for usage details.",
            SHOWN(name));
    if (!loop)
        return call_fail(
            call, "The template function 'copyIndex' is not expected at this location. The function can "
                  "only be used in a resource with copy specified. Please see "
                  "https://aka.ms/arm-copy for usage details.");
    if (__builtin_add_overflow(loop->index, more, &index))
        return overflow(call, loop->index, more);
    return call_integer(call, index);
}

const struct function functions_number[] = {
    {"add", 2, 2, ANYWHERE, false, add, NULL, NULL},
    {"copyIndex", 0, 2, ANYWHERE & ~AT_FUNCTION, false, copy_index, NULL, NULL},
    {"div", 2, 2, ANYWHERE, false, divide, NULL, NULL},
    {"float", 1, 1, ANYWHERE, false, real, NULL, NULL},
    {"int", 1, 1, ANYWHERE, false, integer, NULL, NULL},
    {"max", 1, FUNCTION_MANY, ANYWHERE, false, max, NULL, NULL},
    {"min", 1, FUNCTION_MANY, ANYWHERE, false, min, NULL, NULL},
    {"mod", 2, 2, ANYWHERE, false, mod, NULL, NULL},
    {"mul", 2, 2, ANYWHERE, false, mul, NULL, NULL},
    {"sub", 2, 2, ANYWHERE, false, sub, NULL, NULL},
    {0},
};
