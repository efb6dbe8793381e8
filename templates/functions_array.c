// Functions of arrays, and of what arrays and strings have in common (arm-templates 5.1).
#include "templates/utf16.h"
#include "templates/value_set.h"

static const struct value *array(struct call *call)
{
    const struct value *value = call->arguments[0];
    return value->kind == VALUE_ARRAY ? value : call_array(call, call->arguments, 1);
}

static const struct value *create_array(struct call *call)
{
    return call_array(call, call->arguments, call->count);
}

// ---- concat

static const struct value *concat_arrays(struct call *call)
{
    size_t count = 0;
    for (size_t i = 0; i < call->count; i++)
        count += call->arguments[i]->array.count;
    const struct value **items = call_items(call, count);
    size_t at = 0;
    for (size_t i = 0; items && i < call->count; i++)
        for (size_t k = 0; k < call->arguments[i]->array.count; k++)
            items[at++] = call->arguments[i]->array.items[k];
    return items ? call_array(call, items, count) : NULL;
}

static const struct value *concat_texts(struct call *call)
{
    if (!call_spend(call, call->count, (call->count + 1) * sizeof(struct text)))
        return NULL;
    struct text *parts = ARENA_ARRAY(call->e->arena, struct text, call->count + 1);
    for (size_t i = 0; i < call->count; i++) {
        if (call->arguments[i]->kind == VALUE_OBJECT)
            return call_fail(call, "The provided parameters for language function 'concat' are invalid. A "
                                   "parameter of type 'Object' cannot be concatenated.");
        parts[i] = call_text(call, call->arguments[i]);
        if (!parts[i].base)
            return NULL;
    }
    struct text joined = call_join(call, parts, call->count, TEXT(""));
    return joined.base ? call_string(call, joined) : NULL;
}

static const struct value *concat(struct call *call)
{
    size_t arrays = 0;
    for (size_t i = 0; i < call->count; i++)
        arrays += call->arguments[i]->kind == VALUE_ARRAY;
    if (arrays == 0)
        return concat_texts(call);
    if (arrays == call->count)
        return concat_arrays(call);
    return call_fail(call,
                     "The provided parameters for language function 'concat' are invalid. Either all or "
                     "none of the parameters must be an array.");
}

// ---- looking

static const struct value *contains(struct call *call)
{
    const struct value *in = call->arguments[0], *what = call->arguments[1];
    if (in->kind == VALUE_ARRAY) {
        bool found = false;
        for (size_t i = 0; i < in->array.count && !found && !call->error->message; i++)
            found = call_equal(call, in->array.items[i], what);
        return call->error->message ? NULL : value_boolean(found);
    }
    if (in->kind != VALUE_STRING && in->kind != VALUE_OBJECT)
        return call_fail_type(call, "first parameter to be an array, a string or an object", in);
    if (what->kind != VALUE_STRING && what->kind != VALUE_INTEGER)
        return call_fail_type(call, "second parameter to be a string or an integer", what);
    struct text needle = call_text(call, what);
    if (!needle.base || !call_spend(call, value_size(in), 0))
        return NULL;
    if (in->kind == VALUE_OBJECT)
        return value_boolean(value_find(in, needle) != NULL);
    return value_boolean(needle.length == 0 ||
                         memmem(in->string.base, in->string.length, needle.base, needle.length) != NULL);
}

static const struct value *empty(struct call *call)
{
    const struct value *value = call->arguments[0];
    switch (value->kind) {
    case VALUE_NULL:
        return value_boolean(true);
    case VALUE_STRING:
        return value_boolean(value->string.length == 0);
    case VALUE_ARRAY:
        return value_boolean(value->array.count == 0);
    case VALUE_OBJECT:
        return value_boolean(value->object.count == 0);
    default:
        return call_fail(
            call,
            "The template function 'empty' expects its parameter to be an object, an array, or a "
            "string. The provided value is of type '%s'.",
            value_kind_name(value->kind));
    }
}

static const struct value *length(struct call *call)
{
    const struct value *value = call->arguments[0];
    if (value->kind == VALUE_ARRAY)
        return call_integer(call, (int64_t)value->array.count);
    if (value->kind == VALUE_OBJECT)
        return call_integer(call, (int64_t)value->object.count);
    if (value->kind != VALUE_STRING)
        return call_fail_type(call, "parameter to be an array, object, or a string", value);
    if (!call_spend(call, value->string.length / 64, 0))
        return NULL;
    return call_integer(call, (int64_t)value_utf16_length(value->string));
}

// ---- parts

static const struct value *end_of(struct call *call, bool last)
{
    const struct value *value = call->arguments[0];
    if (value->kind == VALUE_ARRAY) {
        size_t count = value->array.count;
        return count == 0 ? value_null() : value->array.items[last ? count - 1 : 0];
    }
    if (value->kind != VALUE_STRING)
        return call_fail_type(call, "parameter be an array or a string", value);
    size_t units = call_spend(call, value->string.length / 64, 0) ? value_utf16_length(value->string) : 0;
    struct text one = utf16_slice(call, value->string, last && units > 0 ? units - 1 : 0, units > 0);
    return one.base ? call_string(call, one) : NULL;
}

static const struct value *first(struct call *call)
{
    return end_of(call, false);
}

static const struct value *last(struct call *call)
{
    return end_of(call, true);
}

// What is left of the items or units [from, from + count), given as numbers of any size.
static const struct value *part_of(struct call *call, bool skip)
{
    const struct value *value = call->arguments[0], *number = call->arguments[1];
    if (value->kind != VALUE_ARRAY && value->kind != VALUE_STRING)
        return call_fail_type(call, "first parameter 'collection' to be an array or a string", value);
    if (number->kind != VALUE_INTEGER)
        return call_fail_type(call, "second parameter 'count' to be an integer", number);
    if (value->kind == VALUE_STRING && !call_spend(call, value->string.length / 64, 0))
        return NULL;
    size_t all = value->kind == VALUE_ARRAY ? value->array.count : value_utf16_length(value->string);
    size_t n = number->integer <= 0 ? 0 : (uint64_t)number->integer < all ? (size_t)number->integer : all;
    size_t from = skip ? n : 0, count = skip ? all - n : n;
    if (value->kind == VALUE_ARRAY)
        return call_array(call, value->array.items + from, count);
    struct text part = utf16_slice(call, value->string, from, count);
    return part.base ? call_string(call, part) : NULL;
}

static const struct value *skip(struct call *call)
{
    return part_of(call, true);
}

static const struct value *take(struct call *call)
{
    return part_of(call, false);
}

static const struct value *from_end(struct call *call, bool try)
{
    const struct value *value = call->arguments[0], *index = call->arguments[1];
    if (value->kind != VALUE_ARRAY)
        return try ? value_null() : call_fail_type(call, "first parameter to be an array", value);
    if (index->kind != VALUE_INTEGER)
        return try ? value_null() : call_fail_type(call, "second parameter to be an integer", index);
    if (index->integer >= 1 && (uint64_t)index->integer <= value->array.count)
        return value->array.items[value->array.count - (size_t)index->integer];
    if (try)
        return value_null();
    return call_fail(call, "The language expression property array index '%lld' is out of bounds.",
                     (long long)index->integer);
}

static const struct value *index_from_end(struct call *call)
{
    return from_end(call, false);
}

static const struct value *try_index_from_end(struct call *call)
{
    return from_end(call, true);
}

// ---- arrays out of arrays

static const struct value *flatten(struct call *call)
{
    const struct value *value = call->arguments[0];
    size_t count = 0;
    if (value->kind != VALUE_ARRAY)
        return call_fail_type(call, "parameter to be an array of arrays", value);
    for (size_t i = 0; i < value->array.count; i++) {
        if (value->array.items[i]->kind != VALUE_ARRAY)
            return call_fail(
                call,
                "The template language function 'flatten' expects each element of its parameter to "
                "be an array. The element at index '%zu' is of type '%s'.",
                i, value_kind_name(value->array.items[i]->kind));
        count += value->array.items[i]->array.count;
    }
    const struct value **items = call_spend(call, value->array.count, 0) ? call_items(call, count) : NULL;
    size_t at = 0;
    for (size_t i = 0; items && i < value->array.count; i++)
        for (size_t k = 0; k < value->array.items[i]->array.count; k++)
            items[at++] = value->array.items[i]->array.items[k];
    return items ? call_array(call, items, count) : NULL;
}

static const struct value *distinct(struct call *call)
{
    const struct value *value = call->arguments[0];
    struct value_set set;
    if (value->kind != VALUE_ARRAY)
        return call_fail_type(call, "parameter to be an array", value);
    const struct value **items = call_items(call, value->array.count);
    size_t count = 0;
    if (!items || !value_set_make(&set, call, value->array.count))
        return NULL;
    for (size_t i = 0; i < value->array.count && !call->error->message; i++)
        if (value_set_add(&set, value->array.items[i]))
            items[count++] = value->array.items[i];
    return call->error->message ? NULL : call_array(call, items, count);
}

static const struct value *range(struct call *call)
{
    enum { MOST = 10000 };
    const struct value *start = call->arguments[0], *count = call->arguments[1];
    if (start->kind != VALUE_INTEGER)
        return call_fail_type(call, "first parameter 'startIndex' to be an integer", start);
    if (count->kind != VALUE_INTEGER)
        return call_fail_type(call, "second parameter 'count' to be an integer", count);
    if (count->integer < 0 || count->integer > MOST)
        return call_fail(
            call,
            "Unable to evaluate template language function 'range': the second parameter is invalid. "
            "The count must be a non-negative integer value and not greater than '%d', while '%lld' "
            "was provided.",
            MOST, (long long)count->integer);
    int64_t end;
    if (__builtin_add_overflow(start->integer, count->integer, &end) || end > INT32_MAX ||
        start->integer < INT32_MIN)
        return call_fail(
            call,
            "Unable to evaluate template language function 'range': the sum of the parameters cannot "
            "be greater than '%d', while '%lld' and '%lld' were provided.",
            INT32_MAX, (long long)start->integer, (long long)count->integer);
    const struct value **items = call_items(call, (size_t)count->integer);
    for (int64_t i = 0; items && i < count->integer; i++) {
        items[i] = call_integer(call, start->integer + i);
        if (!items[i])
            return NULL;
    }
    return items ? call_array(call, items, (size_t)count->integer) : NULL;
}

#define SKIP_COUNT(name, does)                                                                               \
    "The template language function '" name "' expects exactly two parameters: the collection to " does      \
    " the objects from as the first parameter and the count of objects to " does                             \
    " as the second parameter. The function was invoked with '"

const struct function functions_array[] = {
    {"array", 1, 1, ANYWHERE, false, array, NULL, NULL},
    {"concat", 1, FUNCTION_MANY, ANYWHERE, false, concat,
     "Unable to evaluate template language function 'concat'. At least one parameter should be provided.",
     NULL},
    {"contains", 2, 2, ANYWHERE, false, contains, NULL, NULL},
    {"createArray", 0, FUNCTION_MANY, ANYWHERE, false, create_array, NULL, NULL},
    {"distinct", 1, 1, ANYWHERE, false, distinct, NULL, NULL},
    {"empty", 1, 1, ANYWHERE, false, empty, NULL, NULL},
    {"first", 1, 1, ANYWHERE, false, first, NULL, NULL},
    {"flatten", 1, 1, ANYWHERE, false, flatten, NULL, NULL},
    {"indexFromEnd", 2, 2, ANYWHERE, false, index_from_end, NULL, NULL},
    {"last", 1, 1, ANYWHERE, false, last, NULL, NULL},
    {"length", 1, 1, ANYWHERE, false, length,
     "The template language function 'length' expects exactly one parameter: an array, object, or a string "
     "the "
     "length of which is returned. The function was invoked with '",
     "' parameters."},
    {"range", 2, 2, ANYWHERE, false, range, NULL, NULL},
    {"skip", 2, 2, ANYWHERE, false, skip, SKIP_COUNT("skip", "skip"), "' parameter(s)."},
    {"take", 2, 2, ANYWHERE, false, take, SKIP_COUNT("take", "take"), "' parameter(s)."},
    {"tryIndexFromEnd", 2, 2, ANYWHERE, false, try_index_from_end, NULL, NULL},
    {0},
};
