// Chained buckets. Names of one bucket stand in the order they were added.
#include "templates/name_index.h"

struct bucket {
    struct name_entry *first, *last;
};

struct name_index {
    struct arena *arena;
    size_t mask;
    struct bucket *buckets;
};

static size_t hash(struct text name)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < name.length; i++) {
        unsigned char c = (unsigned char)name.base[i];
        h = (h ^ (c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c)) * 1099511628211u;
    }
    return (size_t)(h ^ (h >> 32));
}

struct name_index *name_index_new(struct arena *arena, size_t expected)
{
    size_t buckets = 16;
    while (buckets < expected * 2)
        buckets *= 2;
    struct name_index *index = ARENA_NEW(arena, struct name_index);
    index->arena = arena;
    index->mask = buckets - 1;
    index->buckets = ARENA_ARRAY(arena, struct bucket, buckets);
    return index;
}

void name_index_add(struct name_index *index, struct text name, size_t number)
{
    struct bucket *bucket = &index->buckets[hash(name) & index->mask];
    struct name_entry *entry = ARENA_NEW(index->arena, struct name_entry);
    entry->name = name;
    entry->number = number;
    if (bucket->last != NULL)
        bucket->last->next = entry;
    else
        bucket->first = entry;
    bucket->last = entry;
}

static const struct name_entry *from(const struct name_entry *entry, struct text name)
{
    while (entry != NULL && !text_equal_nocase(entry->name, name))
        entry = entry->next;
    return entry;
}

const struct name_entry *name_index_find(const struct name_index *index, struct text name)
{
    return from(index->buckets[hash(name) & index->mask].first, name);
}

const struct name_entry *name_index_next(const struct name_entry *entry)
{
    return from(entry->next, entry->name);
}
