// Deep equality of two values, without recursion: values made by expressions may be deeper than any text is.
#include "templates/value.h"

#include <stdlib.h>

// Pairs that are still to be compared.
struct pairs {
    struct pair {
        const struct value *a, *b;
    } * items;
    size_t count, room;
};

static void push(struct pairs *pairs, const struct value *a, const struct value *b)
{
    if (pairs->count == pairs->room) {
        pairs->room = pairs->room ? pairs->room * 2 : 64;
        pairs->items = xrealloc(pairs->items, pairs->room * sizeof *pairs->items);
    }
    pairs->items[pairs->count++] = (struct pair){a, b};
}

static int by_name(const void *a, const void *b)
{
    const struct text x = (*(const struct value_member *const *)a)->name,
                      y = (*(const struct value_member *const *)b)->name;
    size_t least = x.length < y.length ? x.length : y.length;
    int order = least ? memcmp(x.base, y.base, least) : 0;
    return order ? order : (x.length > y.length) - (x.length < y.length);
}

static const struct value_member **sorted(const struct value *object)
{
    const struct value_member **members = xmalloc(object->object.count * sizeof(const struct value_member *));
    for (size_t i = 0; i < object->object.count; i++)
        members[i] = &object->object.members[i];
    qsort(members, object->object.count, sizeof(const struct value_member *), by_name);
    return members;
}

static bool push_sorted(struct pairs *pairs, const struct value *a, const struct value *b)
{
    const struct value_member **x = sorted(a), **y = sorted(b);
    bool same = true;
    for (size_t i = 0; i < a->object.count && same; i++) {
        same = text_equal(x[i]->name, y[i]->name);
        push(pairs, x[i]->value, y[i]->value);
    }
    free(x);
    free(y);
    return same;
}

static bool push_members(struct pairs *pairs, const struct value *a, const struct value *b)
{
    if (a->object.count != b->object.count)
        return false;
    bool same_order = true;
    for (size_t i = 0; i < a->object.count && same_order; i++)
        same_order = text_equal(a->object.members[i].name, b->object.members[i].name);
    if (!same_order)
        return push_sorted(pairs, a, b);
    for (size_t i = 0; i < a->object.count; i++)
        push(pairs, a->object.members[i].value, b->object.members[i].value);
    return true;
}

static bool push_items(struct pairs *pairs, const struct value *a, const struct value *b)
{
    if (a->array.count != b->array.count)
        return false;
    for (size_t i = 0; i < a->array.count; i++)
        push(pairs, a->array.items[i], b->array.items[i]);
    return true;
}

static bool numbers_equal(const struct value *a, const struct value *b)
{
    const struct value *integer = a->kind == VALUE_INTEGER ? a : b, *real = integer == a ? b : a;
    return real->real >= -9223372036854775808.0 && real->real < 9223372036854775808.0 &&
           real->real == (double)(int64_t)real->real && (int64_t)real->real == integer->integer;
}

// Of two values alone; what is inside them is left to be compared.
static bool alike(struct pairs *pairs, const struct value *a, const struct value *b)
{
    if ((a->kind == VALUE_INTEGER && b->kind == VALUE_FLOAT) ||
        (a->kind == VALUE_FLOAT && b->kind == VALUE_INTEGER))
        return numbers_equal(a, b);
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case VALUE_NULL:
        return true;
    case VALUE_BOOLEAN:
        return a->boolean == b->boolean;
    case VALUE_INTEGER:
        return a->integer == b->integer;
    case VALUE_FLOAT:
        return a->real == b->real;
    case VALUE_STRING:
        return text_equal(a->string, b->string);
    case VALUE_ARRAY:
        return push_items(pairs, a, b);
    case VALUE_OBJECT:
        return push_members(pairs, a, b);
    }
    return false;
}

bool value_equal_within(const struct value *a, const struct value *b, size_t *steps)
{
    struct pairs pairs = {NULL, 0, 0};
    bool same = true;
    push(&pairs, a, b);
    while (same && pairs.count > 0) {
        struct pair pair = pairs.items[--pairs.count];
        if (pair.a == pair.b)
            continue;
        if (*steps == 0)
            same = false;
        else
            --*steps;
        same = same && alike(&pairs, pair.a, pair.b);
    }
    free(pairs.items);
    return same;
}

bool value_equal(const struct value *a, const struct value *b)
{
    size_t steps = SIZE_MAX;
    return value_equal_within(a, b, &steps);
}
