// The values of the template language: making and finding.
#include "templates/value.h"

const struct value *value_null(void)
{
    static const struct value null = {.kind = VALUE_NULL};
    return &null;
}

const struct value *value_boolean(bool boolean)
{
    static const struct value both[] = {{.kind = VALUE_BOOLEAN, .boolean = false},
                                        {.kind = VALUE_BOOLEAN, .boolean = true}};
    return &both[boolean];
}

static struct value *make(struct arena *arena, enum value_kind kind)
{
    struct value *value = ARENA_NEW(arena, struct value);
    value->kind = kind;
    return value;
}

const struct value *value_integer(struct arena *arena, int64_t integer)
{
    struct value *value = make(arena, VALUE_INTEGER);
    value->integer = integer;
    return value;
}

const struct value *value_float(struct arena *arena, double real)
{
    struct value *value = make(arena, VALUE_FLOAT);
    value->real = real;
    return value;
}

const struct value *value_string(struct arena *arena, struct text string)
{
    struct value *value = make(arena, VALUE_STRING);
    value->string = string;
    return value;
}

size_t value_size(const struct value *value)
{
    switch (value->kind) {
    case VALUE_STRING:
        return 1 + value->string.length / 16;
    case VALUE_ARRAY:
    case VALUE_OBJECT:
        return value->size;
    default:
        return 1;
    }
}

static void note(struct value *whole, const struct value *part, size_t name_length)
{
    enum { DEEPEST = 255, LARGEST = (1 << 23) - 1 };
    size_t size = whole->size + value_size(part) + name_length / 16;
    whole->size = size < LARGEST ? size : LARGEST;
    whole->secret |= part->secret;
    if (part->depth >= whole->depth)
        whole->depth = part->depth < DEEPEST ? part->depth + 1u : DEEPEST;
}

const struct value *value_array(struct arena *arena, const struct value *const *items, size_t count)
{
    struct value *value = make(arena, VALUE_ARRAY);
    value->array.items = items;
    value->array.count = count;
    value->depth = value->size = 1;
    for (size_t i = 0; i < count; i++)
        note(value, items[i], 0);
    return value;
}

const struct value *value_object(struct arena *arena, const struct value_member *members, size_t count)
{
    struct value *value = make(arena, VALUE_OBJECT);
    value->object.members = members;
    value->object.count = count;
    value->depth = value->size = 1;
    for (size_t i = 0; i < count; i++)
        note(value, members[i].value, members[i].name.length);
    return value;
}

const struct value_member *value_member_find(const struct value *object, struct text name)
{
    if (!value_is(object, VALUE_OBJECT))
        return NULL;
    const struct value_member *found = NULL;
    for (size_t i = 0; i < object->object.count; i++) {
        const struct value_member *member = &object->object.members[i];
        if (member->name.length != name.length)
            continue;
        if (text_equal(member->name, name))
            return member;
        if (!found && text_equal_nocase(member->name, name))
            found = member;
    }
    return found;
}

const struct value *value_find(const struct value *object, struct text name)
{
    const struct value_member *member = value_member_find(object, name);
    return member ? member->value : NULL;
}

struct text value_text(const struct value *value)
{
    return value_is(value, VALUE_STRING) ? value->string : TEXT_NONE;
}

bool value_is(const struct value *value, enum value_kind kind)
{
    return value && value->kind == kind;
}

const char *value_kind_name(enum value_kind kind)
{
    static const char *const names[] = {
        [VALUE_NULL] = "Null",     [VALUE_BOOLEAN] = "Boolean", [VALUE_INTEGER] = "Integer",
        [VALUE_FLOAT] = "Float",   [VALUE_STRING] = "String",   [VALUE_ARRAY] = "Array",
        [VALUE_OBJECT] = "Object",
    };
    return names[kind];
}

size_t value_utf16_length(struct text string)
{
    size_t units = 0;
    for (size_t i = 0; i < string.length; i++) {
        unsigned char c = (unsigned char)string.base[i];
        units += ((c & 0xc0) != 0x80) + (c >= 0xf0); // beyond the basic plane: a surrogate pair
    }
    return units;
}
