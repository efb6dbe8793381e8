// Sets by hashing: two equal values have one hash, however their objects are ordered and their numbers kept.
#include "templates/value_set.h"

static uint64_t mix(uint64_t hash)
{
    hash ^= hash >> 32;
    hash *= 0xd6e8feb86659fd93u;
    return hash ^ hash >> 32;
}

static uint64_t hash_text(struct text t)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < t.length; i++)
        hash = (hash ^ (unsigned char)t.base[i]) * 1099511628211u;
    return mix(hash);
}

static uint64_t hash_float(double real)
{
    if (real >= -9223372036854775808.0 && real < 9223372036854775808.0 && real == (double)(int64_t)real)
        return mix((uint64_t)(int64_t)real);
    uint64_t bits;
    memcpy(&bits, &real, sizeof bits);
    return mix(bits);
}

// Values are at most EVALUATION_VALUE_DEPTH deep.
static uint64_t hash_value(const struct value *value)
{
    uint64_t hash = (uint64_t)value->kind + 1;
    switch (value->kind) {
    case VALUE_NULL:
        return mix(hash);
    case VALUE_BOOLEAN:
        return mix(hash * 16 + value->boolean);
    case VALUE_INTEGER:
        return mix((uint64_t)value->integer);
    case VALUE_FLOAT:
        return hash_float(value->real);
    case VALUE_STRING:
        return hash_text(value->string);
    case VALUE_ARRAY:
        for (size_t i = 0; i < value->array.count; i++)
            hash = mix(hash * 31 + hash_value(value->array.items[i]));
        return hash;
    case VALUE_OBJECT:
        for (size_t i = 0; i < value->object.count; i++)
            hash += mix(hash_text(value->object.members[i].name) * 31 +
                        hash_value(value->object.members[i].value));
        return mix(hash);
    }
    return hash;
}

bool value_set_make(struct value_set *set, struct call *call, size_t most)
{
    size_t room = 8;
    while (room < most * 2)
        room *= 2;
    const struct value **slots = call_items(call, room);
    if (!slots)
        return false;
    memset(slots, 0, room * sizeof(struct value *));
    *set = (struct value_set){call, slots, room, 0};
    return true;
}

// The slot where it is, or where it would be; NULL after an error.
static const struct value **slot_of(struct value_set *set, const struct value *value)
{
    if (!call_spend(set->call, 1 + value_size(value), 0))
        return NULL;
    for (size_t at = hash_value(value);; at++) {
        const struct value **slot = &set->slots[at & (set->room - 1)];
        if (!*slot || call_equal(set->call, *slot, value))
            return slot;
        if (set->call->error->message)
            return NULL;
    }
}

bool value_set_add(struct value_set *set, const struct value *value)
{
    const struct value **slot = slot_of(set, value);
    if (!slot || *slot)
        return false;
    *slot = value;
    set->count++;
    return true;
}

bool value_set_has(struct value_set *set, const struct value *value)
{
    const struct value **slot = slot_of(set, value);
    return slot && *slot;
}
