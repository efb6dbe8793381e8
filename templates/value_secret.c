// Marking secrets, and what is made of them. Truth values are never marked: what they tell is the template's
// own question.
#include "templates/value_secret.h"

static const struct value *copy(struct arena *arena, const struct value *value)
{
    struct value *made = arena_reserve(arena, sizeof *made);
    *made = *value;
    made->secret = true;
    return made;
}

// As deep as values are.
const struct value *value_as_secret(struct arena *arena, const struct value *value)
{
    if (value->kind == VALUE_INTEGER || value->kind == VALUE_FLOAT || value->kind == VALUE_STRING)
        return copy(arena, value);
    if (value->kind == VALUE_ARRAY) {
        const struct value **items = ARENA_ARRAY(arena, const struct value *, value->array.count + 1);
        for (size_t i = 0; i < value->array.count; i++)
            items[i] = value_as_secret(arena, value->array.items[i]);
        return value_array(arena, items, value->array.count);
    }
    if (value->kind == VALUE_OBJECT) {
        struct value_member *members = ARENA_ARRAY(arena, struct value_member, value->object.count + 1);
        for (size_t i = 0; i < value->object.count; i++) {
            members[i] = value->object.members[i];
            members[i].value = value_as_secret(arena, members[i].value);
        }
        return value_object(arena, members, value->object.count);
    }
    return value;
}

// What is asked for along with a secret and is none.
bool value_names_only(struct text member)
{
    static const char *const names[] = {"name", "username", "id", "type", "unit"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_is_nocase(member, names[i]))
            return true;
    return false;
}

const struct value *value_answer_as_secret(struct arena *arena, const struct value *answer)
{
    if (answer->kind == VALUE_ARRAY) {
        const struct value **items = ARENA_ARRAY(arena, const struct value *, answer->array.count + 1);
        for (size_t i = 0; i < answer->array.count; i++)
            items[i] = value_answer_as_secret(arena, answer->array.items[i]);
        return value_array(arena, items, answer->array.count);
    }
    if (answer->kind != VALUE_OBJECT)
        return value_as_secret(arena, answer);
    struct value_member *members = ARENA_ARRAY(arena, struct value_member, answer->object.count + 1);
    for (size_t i = 0; i < answer->object.count; i++) {
        members[i] = answer->object.members[i];
        if (!value_names_only(members[i].name))
            members[i].value = value_answer_as_secret(arena, members[i].value);
    }
    return value_object(arena, members, answer->object.count);
}

void value_each_secret(const struct value *value, void (*each)(void *context, const struct value *secret),
                       void *context)
{
    if (!value->secret)
        return;
    for (size_t i = 0; value->kind == VALUE_ARRAY && i < value->array.count; i++)
        value_each_secret(value->array.items[i], each, context);
    for (size_t i = 0; value->kind == VALUE_OBJECT && i < value->object.count; i++)
        value_each_secret(value->object.members[i].value, each, context);
    if (value->kind != VALUE_ARRAY && value->kind != VALUE_OBJECT)
        each(context, value);
}

// One of the arguments, or what stands in one: chosen, not made.
static bool is_part(const struct value *whole, const struct value *part)
{
    if (whole == part)
        return true;
    for (size_t i = 0; whole->kind == VALUE_ARRAY && i < whole->array.count; i++)
        if (whole->array.items[i] == part)
            return true;
    for (size_t i = 0; whole->kind == VALUE_OBJECT && i < whole->object.count; i++)
        if (whole->object.members[i].value == part)
            return true;
    return false;
}

static bool is_whole(const struct value *value)
{
    return value->kind == VALUE_ARRAY || value->kind == VALUE_OBJECT;
}

const struct value *call_marked(struct call *call, const struct value *returned)
{
    bool within = false, plain = false, number = false;
    if (!returned || returned->secret || returned->kind == VALUE_NULL || returned->kind == VALUE_BOOLEAN)
        return returned;
    for (size_t i = 0; i < call->count; i++) {
        const struct value *argument = call->arguments[i];
        if (!argument->secret)
            continue;
        if (!call_spend(call, is_whole(argument) ? value_size(argument) / 8 : 0, 0))
            return NULL;
        if (is_part(argument, returned))
            return returned;
        within = true;
        plain = plain || !is_whole(argument);
        number = number || argument->kind == VALUE_INTEGER || argument->kind == VALUE_FLOAT;
    }
    if (!within)
        return returned;
    // A container keeps the marks of what it shares; what was read out of a text is all new.
    if (is_whole(returned)) {
        if (!plain || !call_spend(call, 1 + value_size(returned), value_size(returned) * 32))
            return plain ? NULL : returned;
        return value_as_secret(call->e->arena, returned);
    }
    // A length or a position tells little, a number that was read out of a text everything.
    if (returned->kind == VALUE_INTEGER && !number && strcmp(call->name, "int") != 0)
        return returned;
    return call_spend(call, 1, sizeof(struct value)) ? copy(call->e->arena, returned) : NULL;
}
