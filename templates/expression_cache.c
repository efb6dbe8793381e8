// The expressions that were parsed already, by their text.
#include "templates/expression_cache.h"

#include "templates/function.h"

struct cached {
    struct text string;
    const struct expression *expression;
};

struct expression_cache {
    struct arena *arena; // whose attachment it is: it lives as long as what it holds
    struct cached *slots;
    size_t room, count; // room is a power of two
};

static size_t hash_of(struct text t)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < t.length; i++)
        hash = (hash ^ (unsigned char)t.base[i]) * 1099511628211u;
    return (size_t)(hash ^ hash >> 29);
}

static struct cached *slot_of(const struct expression_cache *cache, struct text string)
{
    size_t at = hash_of(string) & (cache->room - 1);
    while (cache->slots[at].expression && !text_equal(cache->slots[at].string, string))
        at = (at + 1) & (cache->room - 1);
    return &cache->slots[at];
}

static void grow(struct expression_cache *cache)
{
    struct expression_cache larger = {cache->arena, NULL, cache->room * 2, cache->count};
    larger.slots = ARENA_ARRAY(cache->arena, struct cached, larger.room);
    for (size_t i = 0; i < cache->room; i++)
        if (cache->slots[i].expression)
            *slot_of(&larger, cache->slots[i].string) = cache->slots[i];
    *cache = larger;
}

static struct expression_cache *cache_of(struct arena *arena)
{
    enum { ROOM = 64 };
    static const char key;
    void **cache = arena_attachment(arena, &key);
    if (!*cache) {
        struct expression_cache *made = ARENA_NEW(arena, struct expression_cache);
        *made = (struct expression_cache){arena, ARENA_ARRAY(arena, struct cached, ROOM), ROOM, 0};
        *cache = made;
    }
    return *cache;
}

// What a tree takes in the arena.
static size_t bytes_of(const struct expression *expression)
{
    size_t bytes = sizeof *expression + expression->accessor_count * sizeof(struct expression_accessor);
    for (size_t i = 0; i < expression->accessor_count; i++)
        if (expression->accessors[i].index)
            bytes += bytes_of(expression->accessors[i].index);
    if (expression->kind == EXPRESSION_LITERAL)
        return bytes;
    for (size_t i = 0; i < expression->argument_count; i++)
        bytes += sizeof(struct expression *) + bytes_of(expression->arguments[i]);
    return bytes;
}

const struct expression *expression_cached(struct arena *arena, struct evaluation *e, struct text string,
                                           struct expression_error *error)
{
    if (e && !evaluation_spend(e, 1 + string.length / 32, 0, error))
        return NULL;
    struct expression_cache *cache = cache_of(arena);
    struct cached *slot = slot_of(cache, string);
    if (slot->expression)
        return slot->expression;
    const struct expression *expression = expression_parse(arena, string, error);
    if (!expression)
        return NULL;
    // Paid for when it is there: a single one is not large.
    size_t bytes = string.length * 2 + bytes_of(expression) + 2 * sizeof *slot;
    if (e && !evaluation_spend(e, 1 + string.length / 8, bytes, error))
        return NULL;
    *slot = (struct cached){text_copy(arena, string), expression};
    if (++cache->count * 2 > cache->room)
        grow(cache);
    return expression;
}
