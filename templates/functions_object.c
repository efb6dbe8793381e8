// Functions of objects, and of arrays and objects as sets (arm-templates 5.1).
#include "templates/name_list.h"
#include "templates/value_set.h"

#include <stdlib.h>

// ---- making objects

// Members under way; names that differ in case only are one.
struct members {
    struct name_list names;
    struct value_member *items;
    size_t room;
};

static bool members_put(struct members *m, struct text name, const struct value *value)
{
    size_t before = m->names.count, at = name_list_put(&m->names, name);
    if (at == SIZE_MAX)
        return false;
    if (at < before) {
        m->items[at].value = value;
        return true;
    }
    if (at == m->room) {
        size_t room = m->room ? m->room * 2 : 8;
        struct value_member *items = call_members(m->names.call, room);
        if (!items)
            return false;
        if (at > 0)
            memcpy(items, m->items, at * sizeof *items);
        m->items = items;
        m->room = room;
    }
    m->items[at] = (struct value_member){.name = name, .value = value};
    return true;
}

static const struct value *members_done(const struct members *m)
{
    return call_object(m->names.call, m->items, m->names.count);
}

static const struct value *create_object(struct call *call)
{
    struct members m = {.names = {.call = call}};
    if (call->count % 2 != 0)
        return call_fail(call,
                         "Unable to evaluate template language function 'createObject': function requires an "
                         "even number of arguments: keys and values in turn.");
    for (size_t i = 0; i < call->count; i += 2) {
        const struct value *key = call->arguments[i];
        size_t before = m.names.count;
        if (key->kind != VALUE_STRING)
            return call_fail(
                call,
                "Unable to evaluate template language function 'createObject': the key at index '%zu' "
                "must be of type 'String', but it is of type '%s'.",
                i, value_kind_name(key->kind));
        if (!members_put(&m, key->string, call->arguments[i + 1]))
            return NULL;
        if (m.names.count == before)
            return call_fail(
                call,
                "Unable to evaluate template language function 'createObject': the key '%.*s' is "
                "provided more than once.",
                SHOWN(key->string));
    }
    return members_done(&m);
}

static const struct value *shallow_merge(struct call *call)
{
    const struct value *objects = call->arguments[0];
    struct members m = {.names = {.call = call}};
    if (objects->kind != VALUE_ARRAY)
        return call_fail_type(call, "parameter to be an array of objects", objects);
    for (size_t i = 0; i < objects->array.count; i++) {
        const struct value *object = objects->array.items[i];
        if (object->kind != VALUE_OBJECT)
            return call_fail_type(call, "parameter to be an array of objects", object);
        for (size_t k = 0; k < object->object.count; k++)
            if (!members_put(&m, object->object.members[k].name, object->object.members[k].value))
                return NULL;
    }
    return members_done(&m);
}

// ---- sorted by key

static int by_key(const void *a, const void *b)
{
    const struct value_member *x = *(const struct value_member *const *)a,
                              *y = *(const struct value_member *const *)b;
    size_t least = x->name.length < y->name.length ? x->name.length : y->name.length;
    for (size_t i = 0; i < least; i++) {
        int p = (unsigned char)x->name.base[i], q = (unsigned char)y->name.base[i];
        p = p >= 'a' && p <= 'z' ? p - 32 : p;
        q = q >= 'a' && q <= 'z' ? q - 32 : q;
        if (p != q)
            return p - q;
    }
    if (x->name.length != y->name.length)
        return x->name.length < y->name.length ? -1 : 1;
    return x < y ? -1 : x > y; // keys that differ in case only stay in their order
}

static const struct value_member **sorted(struct call *call, const struct value *object)
{
    size_t count = object->object.count;
    if (object->kind != VALUE_OBJECT) {
        call_fail_type(call, "parameter to be an object", object);
        return NULL;
    }
    if (!call_spend(call, count * 4 + value_size(object) * 2, (count + 1) * sizeof(struct value_member *)))
        return NULL;
    const struct value_member **members = ARENA_ARRAY(call->e->arena, const struct value_member *, count + 1);
    for (size_t i = 0; i < count; i++)
        members[i] = &object->object.members[i];
    if (count > 0)
        qsort(members, count, sizeof(struct value_member *), by_key);
    return members;
}

static const struct value *items(struct call *call)
{
    const struct value *object = call->arguments[0];
    const struct value_member **members = sorted(call, object);
    const struct value **list = members ? call_items(call, object->object.count) : NULL;
    for (size_t i = 0; list && i < object->object.count; i++) {
        const struct value *key = call_string(call, members[i]->name);
        struct value_member *pair = key ? call_members(call, 2) : NULL;
        if (!pair)
            return NULL;
        pair[0] = (struct value_member){.name = TEXT("key"), .value = key};
        pair[1] = (struct value_member){.name = TEXT("value"), .value = members[i]->value};
        list[i] = call_object(call, pair, 2);
        if (!list[i])
            return NULL;
    }
    return list ? call_array(call, list, object->object.count) : NULL;
}

static const struct value *object_keys(struct call *call)
{
    const struct value *object = call->arguments[0];
    const struct value_member **members = sorted(call, object);
    const struct value **list = members ? call_items(call, object->object.count) : NULL;
    for (size_t i = 0; list && i < object->object.count; i++) {
        list[i] = call_string(call, members[i]->name);
        if (!list[i])
            return NULL;
    }
    return list ? call_array(call, list, object->object.count) : NULL;
}

// ---- sets

// What all arguments are: arrays or objects; false and the error when they are neither, or not the same.
static bool same_kind(struct call *call, const char *mixed, enum value_kind *kind)
{
    *kind = call->arguments[0]->kind;
    for (size_t i = 0; i < call->count; i++) {
        enum value_kind other = call->arguments[i]->kind;
        if (other != VALUE_ARRAY && other != VALUE_OBJECT) {
            call_fail(
                call,
                "The template language function '%s' expects either a comma separated list of arrays or a "
                "comma separated list of objects as its parameters.",
                call->name);
            return false;
        }
    }
    for (size_t i = 1; i < call->count; i++) {
        if (call->arguments[i]->kind != *kind) {
            call_fail(call, "%s", mixed);
            return false;
        }
    }
    return true;
}

static const struct value *merge(struct call *call, const struct value *a, const struct value *b)
{
    struct members m = {.names = {.call = call}};
    for (size_t i = 0; i < a->object.count; i++)
        if (!members_put(&m, a->object.members[i].name, a->object.members[i].value))
            return NULL;
    for (size_t i = 0; i < b->object.count; i++) {
        const struct value *value = b->object.members[i].value;
        size_t before = m.names.count, at = name_list_put(&m.names, b->object.members[i].name);
        if (at == SIZE_MAX)
            return NULL;
        if (at < before && m.items[at].value->kind == VALUE_OBJECT && value->kind == VALUE_OBJECT)
            value = merge(call, m.items[at].value, value);
        if (at == before) // members_put finds it again as new
            m.names.count = before;
        if (!value || !members_put(&m, b->object.members[i].name, value))
            return NULL;
    }
    return members_done(&m);
}

static const struct value *union_of_arrays(struct call *call)
{
    struct value_set set;
    size_t all = 0, count = 0;
    for (size_t i = 0; i < call->count; i++)
        all += call->arguments[i]->array.count;
    const struct value **list = call_items(call, all);
    if (!list || !value_set_make(&set, call, all))
        return NULL;
    for (size_t i = 0; i < call->count; i++) {
        for (size_t k = 0; k < call->arguments[i]->array.count; k++) {
            if (value_set_add(&set, call->arguments[i]->array.items[k]))
                list[count++] = call->arguments[i]->array.items[k];
            if (call->error->message)
                return NULL;
        }
    }
    return call_array(call, list, count);
}

static const struct value *union_of(struct call *call)
{
    enum value_kind kind;
    if (!same_kind(
            call,
            "Template language function 'union' expects parameters of the same type, but found multiple "
            "types.",
            &kind))
        return NULL;
    if (kind == VALUE_ARRAY)
        return union_of_arrays(call);
    const struct value *result = call->arguments[0];
    for (size_t i = 1; result && i < call->count; i++)
        result = merge(call, result, call->arguments[i]);
    return result;
}

static const struct value *intersection_of_arrays(struct call *call)
{
    const struct value *current = call->arguments[0];
    for (size_t i = 1; i < call->count; i++) {
        const struct value *other = call->arguments[i];
        struct value_set there, taken;
        size_t count = 0;
        const struct value **list = call_items(call, current->array.count);
        if (!list || !value_set_make(&there, call, other->array.count) ||
            !value_set_make(&taken, call, current->array.count))
            return NULL;
        for (size_t k = 0; k < other->array.count && !call->error->message; k++)
            value_set_add(&there, other->array.items[k]);
        for (size_t k = 0; k < current->array.count && !call->error->message; k++)
            if (value_set_has(&there, current->array.items[k]) &&
                value_set_add(&taken, current->array.items[k]))
                list[count++] = current->array.items[k];
        current = call->error->message ? NULL : call_array(call, list, count);
        if (!current)
            return NULL;
    }
    return current;
}

static const struct value *intersection_of_objects(struct call *call)
{
    const struct value *first = call->arguments[0];
    struct members m = {.names = {.call = call}};
    for (size_t i = 0; i < first->object.count; i++) {
        const struct value_member *member = &first->object.members[i];
        bool everywhere = true;
        for (size_t k = 1; k < call->count && everywhere; k++) {
            const struct value *other = value_find(call->arguments[k], member->name);
            everywhere = call_spend(call, FUNCTION_FIND_COST(call->arguments[k], member->name), 0) && other &&
                         call_equal(call, member->value, other);
        }
        if (call->error->message || (everywhere && !members_put(&m, member->name, member->value)))
            return NULL;
    }
    return members_done(&m);
}

static const struct value *intersection(struct call *call)
{
    enum value_kind kind;
    if (!same_kind(call,
                   "Template language function 'intersection' expects parameters of the same type, but found "
                   "multiple types.",
                   &kind))
        return NULL;
    return kind == VALUE_ARRAY ? intersection_of_arrays(call) : intersection_of_objects(call);
}

// ---- walking

// {fromEnd: true, value: n} is how compilers write "the n-th from the end"; 0 for any other key.
static int64_t from_end(const struct value *key)
{
    const struct value *flag = VALUE_FIND(key, "fromEnd"), *value = VALUE_FIND(key, "value");
    bool set = value_is(flag, VALUE_BOOLEAN) && flag->boolean && value_is(value, VALUE_INTEGER);
    return set && value->integer > 0 ? value->integer : 0;
}

// One step that may miss: NULL without an error.
static const struct value *step_into(struct call *call, const struct value *value, const struct value *key)
{
    if (value->kind == VALUE_OBJECT && key->kind == VALUE_STRING) {
        call_spend(call, FUNCTION_FIND_COST(value, key->string), 0);
        return value_find(value, key->string);
    }
    if (value->kind != VALUE_ARRAY)
        return NULL;
    size_t count = value->array.count;
    if (key->kind == VALUE_INTEGER && key->integer >= 0 && (uint64_t)key->integer < count)
        return value->array.items[key->integer];
    int64_t back = from_end(key);
    return back > 0 && (uint64_t)back <= count ? value->array.items[count - (size_t)back] : NULL;
}

static const struct value *try_get(struct call *call)
{
    const struct value *value = call_argument(call, 0);
    for (size_t i = 1; value && i < call->count; i++) {
        const struct value *key = call_argument(call, i), *next = key ? step_into(call, value, key) : NULL;
        if (!key || call->error->message)
            return NULL;
        if (!next || next->kind == VALUE_NULL)
            return value_null();
        value = next;
    }
    return value;
}

const struct function functions_object[] = {
    {"createObject", 0, FUNCTION_MANY, ANYWHERE, false, create_object, NULL, NULL},
    {"intersection", 2, FUNCTION_MANY, ANYWHERE, false, intersection,
     "Unable to evaluate template language function 'intersection'. At least two parameter should be "
     "provided.",
     NULL},
    {"items", 1, 1, ANYWHERE, false, items, NULL, NULL},
    {"objectKeys", 1, 1, ANYWHERE, false, object_keys, NULL, NULL},
    {"shallowMerge", 1, 1, ANYWHERE, false, shallow_merge, NULL, NULL},
    {"tryGet", 2, FUNCTION_MANY, ANYWHERE, true, try_get, NULL, NULL},
    {"union", 2, FUNCTION_MANY, ANYWHERE, false, union_of, NULL, NULL},
    {0},
};
