// What implementations of functions share: errors, the budget, values that are paid for.
#include "templates/function.h"

#include <stdarg.h>

const struct value *call_fail(struct call *call, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    *call->error = (struct expression_error){
        "InvalidTemplate", arena_vprintf(call->e->arena, format, arguments), call->node->position};
    va_end(arguments);
    return NULL;
}

const struct value *call_fail_type(struct call *call, const char *expectation, const struct value *value)
{
    return call_fail(
        call, "The template language function '%s' expects its %s. The provided value is of type '%s'.",
        call->name, expectation, value_kind_name(value->kind));
}

// ---- the budget

bool evaluation_spend(struct evaluation *e, size_t steps, size_t bytes, struct expression_error *error)
{
    struct evaluation_budget *budget = e->budget;
    if (steps <= budget->steps && bytes <= budget->bytes) {
        budget->steps -= steps;
        budget->bytes -= bytes;
        return true;
    }
    budget->steps = budget->bytes = 0; // what follows fails at once, too
    *error =
        (struct expression_error){"InvalidTemplate",
                                  "The template language expressions of this deployment take more time or "
                                  "memory to evaluate than is allowed. Please make the template smaller.",
                                  0};
    return false;
}

bool call_spend(struct call *call, size_t steps, size_t bytes)
{
    bool had = evaluation_spend(call->e, steps, bytes, call->error);
    if (!had)
        call->error->position = call->node->position;
    return had;
}

bool evaluation_enter(struct evaluation *e, struct expression_error *error)
{
    if (e->budget->depth < EVALUATION_DEPTH) {
        e->budget->depth++;
        return true;
    }
    *error = (struct expression_error){
        "InvalidTemplate",
        "The template language expressions, variables and functions call one another deeper than is allowed.",
        0};
    return false;
}

void evaluation_leave(struct evaluation *e)
{
    e->budget->depth--;
}

// ---- values

static const struct value *checked(struct call *call, const struct value *value)
{
    if (value->depth > EVALUATION_VALUE_DEPTH)
        return call_fail(call,
                         "The template language function '%s' makes a value nested deeper than '%d' levels.",
                         call->name, EVALUATION_VALUE_DEPTH);
    if (value_size(value) > EVALUATION_VALUE_BYTES / 16)
        return call_fail(call, "The template language function '%s' makes a value larger than '%d' bytes.",
                         call->name, EVALUATION_VALUE_BYTES);
    return value;
}

const struct value *call_integer(struct call *call, int64_t integer)
{
    return call_spend(call, 1, sizeof(struct value)) ? value_integer(call->e->arena, integer) : NULL;
}

const struct value *call_string(struct call *call, struct text string)
{
    if (!call_spend(call, 1, sizeof(struct value)))
        return NULL;
    return checked(call, value_string(call->e->arena, string));
}

const struct value *call_array(struct call *call, const struct value *const *items, size_t count)
{
    if (!call_spend(call, 1 + count / 8, sizeof(struct value)))
        return NULL;
    return checked(call, value_array(call->e->arena, items, count));
}

const struct value *call_object(struct call *call, const struct value_member *members, size_t count)
{
    if (!call_spend(call, 1 + count / 8, sizeof(struct value)))
        return NULL;
    return checked(call, value_object(call->e->arena, members, count));
}

const struct value **call_items(struct call *call, size_t count)
{
    if (!call_spend(call, 1 + count / 8, (count + 1) * sizeof(struct value *)))
        return NULL;
    return arena_reserve(call->e->arena, (count + 1) * sizeof(struct value *));
}

struct value_member *call_members(struct call *call, size_t count)
{
    if (!call_spend(call, 1 + count / 4, (count + 1) * sizeof(struct value_member)))
        return NULL;
    return ARENA_ARRAY(call->e->arena, struct value_member, count + 1);
}

char *call_bytes(struct call *call, size_t length)
{
    if (!call_spend(call, 1 + length / 64, length + 1))
        return NULL;
    char *bytes = arena_reserve(call->e->arena, length + 1);
    bytes[length] = '\0';
    return bytes;
}

bool call_equal(struct call *call, const struct value *a, const struct value *b)
{
    size_t a_size = value_size(a), b_size = value_size(b);
    return call_spend(call, 1 + (a_size < b_size ? a_size : b_size), 0) && value_equal(a, b);
}

// What a string takes in JSON.
static size_t written_length(struct text string)
{
    size_t length = 3;
    for (size_t i = 0; i < string.length; i++) {
        unsigned char c = (unsigned char)string.base[i];
        length += c < ' ' ? 6 : c == '"' || c == '\'' || c == '\\' ? 2 : 1;
    }
    return length;
}

// Not less than what the value takes in JSON. Values are at most EVALUATION_VALUE_DEPTH deep.
static size_t json_length(const struct value *value)
{
    size_t length = 32;
    if (value->kind == VALUE_STRING)
        return written_length(value->string);
    for (size_t i = 0; value->kind == VALUE_ARRAY && i < value->array.count; i++)
        length += 1 + json_length(value->array.items[i]);
    for (size_t i = 0; value->kind == VALUE_OBJECT && i < value->object.count; i++)
        length +=
            written_length(value->object.members[i].name) + 1 + json_length(value->object.members[i].value);
    return length;
}

struct text call_json(struct call *call, const struct value *value, char quote)
{
    if (!call_spend(call, 1 + value_size(value), 0))
        return TEXT_NONE;
    size_t length = json_length(value);
    char *bytes = call_bytes(call, length + 2);
    if (!bytes || !call_spend(call, length / 4, 0))
        return TEXT_NONE;
    struct buffer out = {.arena = call->e->arena, .base = bytes, .capacity = length + 2};
    value_write(&out, value, quote);
    return buffer_done(&out);
}

static struct text digits_of(struct call *call, int64_t integer)
{
    char *digits = call_bytes(call, 24);
    return digits ? (struct text){digits, text_put_int64(integer, digits)} : TEXT_NONE;
}

struct text call_text(struct call *call, const struct value *value)
{
    switch (value->kind) {
    case VALUE_NULL:
        return TEXT("");
    case VALUE_STRING:
        return value->string;
    case VALUE_BOOLEAN:
        return value->boolean ? TEXT("True") : TEXT("False");
    case VALUE_INTEGER:
        return digits_of(call, value->integer);
    default:
        return call_json(call, value, '"');
    }
}

struct text call_join(struct call *call, const struct text *parts, size_t count, struct text separator)
{
    size_t length = 0;
    for (size_t i = 0; i < count; i++)
        length += parts[i].length + (i > 0 ? separator.length : 0);
    char *bytes = call_spend(call, count / 4, 0) ? call_bytes(call, length) : NULL, *to = bytes;
    if (!bytes)
        return TEXT_NONE;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && separator.length > 0)
            to = mempcpy(to, separator.base, separator.length);
        if (parts[i].length > 0)
            to = mempcpy(to, parts[i].base, parts[i].length);
    }
    return (struct text){bytes, length};
}

// ---- walking into a value

// The names of an object for a message, cut when they are many.
static struct text names_of(struct call *call, const struct value *object)
{
    struct buffer out = buffer_new(call->e->arena);
    for (size_t i = 0; i < object->object.count && out.length < 4000; i++) {
        if (i > 0)
            buffer_string(&out, ", ");
        struct text name = object->object.members[i].name;
        buffer_add(&out, name.base, (size_t)shown_length(name));
    }
    return buffer_done(&out);
}

static const struct value *access_item(struct call *call, const struct value *array, int64_t index)
{
    if (index < 0 || (uint64_t)index >= array->array.count)
        return call_fail(call, "The language expression property array index '%lld' is out of bounds.",
                         (long long)index);
    return array->array.items[index];
}

const struct value *call_access(struct call *call, const struct value *value, const struct value *key)
{
    if (value->kind == VALUE_ARRAY && key->kind == VALUE_INTEGER)
        return access_item(call, value, key->integer);
    if (key->kind != VALUE_STRING || value->kind != VALUE_OBJECT) {
        struct text shown = call_text(call, key);
        return shown.base ? call_fail(call, "The language expression property '%.*s' can't be evaluated.",
                                      SHOWN(shown))
                          : NULL;
    }
    if (!call_spend(call, FUNCTION_FIND_COST(value, key->string), 0))
        return NULL;
    const struct value *found = value_find(value, key->string);
    if (found)
        return found;
    struct text names = names_of(call, value);
    return call_fail(
        call, "The language expression property '%.*s' doesn't exist, available properties are '%.*s'.",
        SHOWN(key->string), TEXT_ARG(names));
}
