// Lambdas and what takes them (arm-templates 5.6).
#include "templates/evaluation.h"
#include "templates/name_list.h"

enum { VARIABLES = 8 };

// A lambda(…) that stands where an argument does.
struct lambda {
    const struct expression *body;
    struct text names[VARIABLES];
    size_t count;
};

static bool read_names(struct call *call, const struct expression *node, struct lambda *lambda)
{
    lambda->count = node->argument_count - 1;
    lambda->body = node->arguments[node->argument_count - 1];
    for (size_t i = 0; i < lambda->count; i++) {
        const struct expression *argument = node->arguments[i];
        if (argument->kind != EXPRESSION_LITERAL || argument->literal.kind != VALUE_STRING ||
            argument->accessor_count > 0) {
            call_fail(call,
                      "The template language function 'lambda' expects its parameters before the last to be "
                      "string literals: the names of its variables.");
            return false;
        }
        lambda->names[i] = argument->literal.string;
    }
    return true;
}

static bool read_lambda(struct call *call, size_t index, size_t least, size_t most, struct lambda *lambda)
{
    static const char *const places[] = {"first", "second", "third"};
    const struct expression *node = call->node->arguments[index];
    bool is_lambda = node->kind == EXPRESSION_CALL && node->function &&
                     text_is(text_of(node->function->name), "lambda") && node->accessor_count == 0;
    if (!is_lambda) {
        call_fail(call, "The template language function '%s' expects its %s parameter to be a lambda.",
                  call->name, places[index]);
        return false;
    }
    if (node->argument_count < 1 + least || node->argument_count > 1 + most) {
        const char *variables = least == most
                                    ? arena_printf(call->e->arena, "'%zu'", least)
                                    : arena_printf(call->e->arena, "between '%zu' and '%zu'", least, most);
        call_fail(call,
                  "The template language function '%s' expects its %s parameter to be a lambda of %s "
                  "variable(s), while "
                  "'%zu' were provided.",
                  call->name, places[index], variables,
                  node->argument_count > 0 ? node->argument_count - (size_t)1 : 0);
        return false;
    }
    return read_names(call, node, lambda);
}

// The body with these values for the variables; NULL after an error.
static const struct value *apply(struct call *call, const struct lambda *lambda,
                                 const struct value *const *values)
{
    struct evaluation_frame frame = {call->e->frame, false, lambda->names, values, lambda->count};
    struct evaluation inner = *call->e;
    inner.frame = &frame;
    return call_spend(call, 1, 0) ? expression_evaluate(&inner, lambda->body, call->error) : NULL;
}

static const struct value *array_argument(struct call *call)
{
    const struct value *array = call_argument(call, 0);
    if (!array || array->kind == VALUE_ARRAY)
        return array;
    return call_fail_type(call, "first parameter to be of type 'Array'", array);
}

// lambda(item[, index]) of an item.
static const struct value *apply_item(struct call *call, const struct lambda *lambda,
                                      const struct value *item, size_t index)
{
    const struct value *values[] = {item, NULL};
    if (lambda->count > 1) {
        values[1] = call_integer(call, (int64_t)index);
        if (!values[1])
            return NULL;
    }
    return apply(call, lambda, values);
}

static const struct value *map(struct call *call)
{
    struct lambda lambda;
    const struct value *array = read_lambda(call, 1, 1, 2, &lambda) ? array_argument(call) : NULL;
    const struct value **items = array ? call_items(call, array->array.count) : NULL;
    for (size_t i = 0; items && i < array->array.count; i++) {
        items[i] = apply_item(call, &lambda, array->array.items[i], i);
        if (!items[i])
            return NULL;
    }
    return items ? call_array(call, items, array->array.count) : NULL;
}

static const struct value *must_be(struct call *call, const struct value *value, enum value_kind kind)
{
    if (!value || value->kind == kind)
        return value;
    return call_fail(
        call,
        "The template language function '%s' expects its lambda to return a value of type '%s'. The "
        "returned value is of type '%s'.",
        call->name, value_kind_name(kind), value_kind_name(value->kind));
}

static const struct value *filter(struct call *call)
{
    struct lambda lambda;
    const struct value *array = read_lambda(call, 1, 1, 2, &lambda) ? array_argument(call) : NULL;
    const struct value **items = array ? call_items(call, array->array.count) : NULL;
    size_t count = 0;
    for (size_t i = 0; items && i < array->array.count; i++) {
        const struct value *item = array->array.items[i];
        const struct value *keep = must_be(call, apply_item(call, &lambda, item, i), VALUE_BOOLEAN);
        if (!keep)
            return NULL;
        if (keep->boolean)
            items[count++] = item;
    }
    return items ? call_array(call, items, count) : NULL;
}

static const struct value *reduce(struct call *call)
{
    struct lambda lambda;
    const struct value *array = read_lambda(call, 2, 2, 3, &lambda) ? array_argument(call) : NULL;
    const struct value *result = array ? call_argument(call, 1) : NULL;
    for (size_t i = 0; result && i < array->array.count; i++) {
        const struct value *values[] = {result, array->array.items[i],
                                        lambda.count > 2 ? call_integer(call, (int64_t)i) : value_null()};
        result = values[2] ? apply(call, &lambda, values) : NULL;
    }
    return result;
}

// ---- sort: by merging, so that equal items keep their order

// Whether b has to stand before a; false and *failed after an error.
static bool comes_before(struct call *call, const struct lambda *lambda, const struct value *b,
                         const struct value *a, bool *failed)
{
    const struct value *pair[] = {b, a};
    const struct value *less = must_be(call, apply(call, lambda, pair), VALUE_BOOLEAN);
    *failed = !less;
    return less && less->boolean;
}

static bool merge(struct call *call, const struct lambda *lambda, const struct value **items,
                  const struct value **room, size_t from, size_t middle, size_t to)
{
    size_t left = from, right = middle;
    bool failed = false;
    for (size_t at = from; at < to; at++) {
        bool take_right = left == middle;
        if (!take_right && right < to)
            take_right = comes_before(call, lambda, items[right], items[left], &failed);
        if (failed)
            return false;
        room[at] = take_right ? items[right++] : items[left++];
    }
    memcpy(items + from, room + from, (to - from) * sizeof(struct value *));
    return true;
}

static const struct value *sort(struct call *call)
{
    struct lambda lambda;
    const struct value *array = read_lambda(call, 1, 2, 2, &lambda) ? array_argument(call) : NULL;
    size_t count = array ? array->array.count : 0;
    const struct value **items = array ? call_items(call, count) : NULL,
                       **room = items ? call_items(call, count) : NULL;
    if (!room)
        return NULL;
    if (count > 0)
        memcpy(items, array->array.items, count * sizeof(struct value *));
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t from = 0; from + width < count; from += 2 * width) {
            size_t to = from + 2 * width < count ? from + 2 * width : count;
            if (!merge(call, &lambda, items, room, from, from + width, to))
                return NULL;
        }
    }
    return call_array(call, items, count);
}

// ---- objects out of arrays

// What comes under a key: the values that were added to it.
struct group {
    const struct value **items;
    size_t count, room;
};
struct groups {
    struct name_list keys;
    struct group *items; // as many as there is room for keys
    size_t room;
};

static struct group *group_of(struct groups *g, struct text key)
{
    size_t at = name_list_put(&g->keys, key);
    if (at == SIZE_MAX)
        return NULL;
    if (g->keys.room > g->room) {
        size_t room = g->keys.room;
        if (!call_spend(g->keys.call, 1, room * sizeof *g->items))
            return NULL;
        struct group *items = ARENA_ARRAY(g->keys.call->e->arena, struct group, room);
        if (g->room > 0)
            memcpy(items, g->items, g->room * sizeof *items);
        g->items = items;
        g->room = room;
    }
    return &g->items[at];
}

static bool group_add(struct groups *g, struct group *group, const struct value *value)
{
    if (group->count == group->room) {
        size_t room = group->room ? group->room * 2 : 2;
        const struct value **items = call_items(g->keys.call, room);
        if (!items)
            return false;
        if (group->count > 0)
            memcpy(items, group->items, group->count * sizeof(struct value *));
        group->items = items;
        group->room = room;
    }
    group->items[group->count++] = value;
    return true;
}

// The array, distributed by the key lambda; values by the second lambda where there is one.
static bool distribute(struct call *call, struct groups *g)
{
    struct lambda key, value;
    bool mapped = call->count > 2;
    if (!read_lambda(call, 1, 1, 1, &key) || (mapped && !read_lambda(call, 2, 1, 1, &value)))
        return false;
    const struct value *array = array_argument(call);
    for (size_t i = 0; array && i < array->array.count; i++) {
        const struct value *item = array->array.items[i];
        const struct value *name = must_be(call, apply_item(call, &key, item, i), VALUE_STRING);
        const struct value *result = name && mapped ? apply_item(call, &value, item, i) : item;
        struct group *group = name && result ? group_of(g, name->string) : NULL;
        if (!group || !group_add(g, group, result))
            return false;
    }
    return array;
}

static const struct value *to_object(struct call *call)
{
    struct groups g = {.keys = {.call = call}};
    struct value_member *members = distribute(call, &g) ? call_members(call, g.keys.count) : NULL;
    for (size_t i = 0; members && i < g.keys.count; i++) {
        if (g.items[i].count > 1)
            return call_fail(
                call,
                "The template language function 'toObject' was invoked with a lambda that returns the key "
                "'%.*s' more than once.",
                SHOWN(g.keys.names[i]));
        members[i] = (struct value_member){.name = g.keys.names[i], .value = g.items[i].items[0]};
    }
    return members ? call_object(call, members, g.keys.count) : NULL;
}

static const struct value *group_by(struct call *call)
{
    struct groups g = {.keys = {.call = call}};
    struct value_member *members = distribute(call, &g) ? call_members(call, g.keys.count) : NULL;
    for (size_t i = 0; members && i < g.keys.count; i++) {
        const struct value *array = call_array(call, g.items[i].items, g.items[i].count);
        if (!array)
            return NULL;
        members[i] = (struct value_member){.name = g.keys.names[i], .value = array};
    }
    return members ? call_object(call, members, g.keys.count) : NULL;
}

static const struct value *map_values(struct call *call)
{
    struct lambda lambda;
    const struct value *object = read_lambda(call, 1, 1, 1, &lambda) ? call_argument(call, 0) : NULL;
    if (object && object->kind != VALUE_OBJECT)
        return call_fail_type(call, "first parameter to be of type 'Object'", object);
    struct value_member *members = object ? call_members(call, object->object.count) : NULL;
    for (size_t i = 0; members && i < object->object.count; i++) {
        const struct value *value = apply(call, &lambda, &object->object.members[i].value);
        if (!value)
            return NULL;
        members[i] = (struct value_member){.name = object->object.members[i].name, .value = value};
    }
    return members ? call_object(call, members, object->object.count) : NULL;
}

// ---- lambda() itself

static const struct value *misplaced(struct call *call)
{
    return call_fail(
        call, "The template function 'lambda' is not expected at this location. The function can only be "
              "used as a direct argument of a function that takes a lambda. Please see "
              "https://aka.ms/arm-functions for usage details.");
}

static const struct value *lambda_variables(struct call *call)
{
    const struct value *name = call->arguments[0];
    if (name->kind != VALUE_STRING)
        return call_fail_type(call, "parameter to be of type 'String'", name);
    // Parameters of a user function are no lambda's variables.
    for (const struct evaluation_frame *frame = call->e->frame; frame && !frame->function;
         frame = frame->outer)
        for (size_t i = 0; i < frame->count; i++)
            if (text_equal_nocase(frame->names[i], name->string))
                return frame->values[i];
    return call_fail(
        call,
        "The template lambda variable '%.*s' is not found. Please see https://aka.ms/arm-functions for "
        "usage details.",
        SHOWN(name->string));
}

const struct function functions_lambda[] = {
    {"filter", 2, 2, ANYWHERE, true, filter, NULL, NULL},
    {"groupBy", 2, 3, ANYWHERE, true, group_by, NULL, NULL},
    {"lambda", 1, 1 + VARIABLES, ANYWHERE, true, misplaced, NULL, NULL},
    {"lambdaVariables", 1, 1, ANYWHERE, false, lambda_variables, NULL, NULL},
    {"map", 2, 2, ANYWHERE, true, map, NULL, NULL},
    {"mapValues", 2, 2, ANYWHERE, true, map_values, NULL, NULL},
    {"reduce", 3, 3, ANYWHERE, true, reduce, NULL, NULL},
    {"sort", 2, 2, ANYWHERE, true, sort, NULL, NULL},
    {"toObject", 2, 3, ANYWHERE, true, to_object, NULL, NULL},
    {0},
};
