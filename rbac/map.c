// The shared map: 64 branches of 256 leaves, each a small array.
#include "rbac/map.h"

#include "base/arena.h"
#include "base/crypto.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    uint64_t hash;
    struct map_item *item;
};
struct map_leaf {
    atomic_uint references;
    unsigned count;
    struct entry entries[];
};
enum { LEAVES = 256 };
struct map_branch {
    atomic_uint references;
    struct map_leaf *leaves[LEAVES];
};

void map_item_hold(struct map_item *item)
{
    atomic_fetch_add_explicit(&item->references, 1, memory_order_relaxed);
}

void map_item_release(struct map_item *item)
{
    if (atomic_fetch_sub_explicit(&item->references, 1, memory_order_acq_rel) == 1)
        item->dispose(item);
}

// Names are chosen by clients: a seed of this process keeps them from choosing their bucket.
static uint64_t seed;
static void make_seed(void)
{
    crypto_random(&seed, sizeof seed);
}

uint64_t map_hash_begin(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_seed);
    return seed ^ 0xcbf29ce484222325u;
}

uint64_t map_hash(uint64_t hash, struct text more)
{
    for (size_t i = 0; i < more.length; i++) {
        unsigned char c = (unsigned char)more.base[i];
        if (c >= 'A' && c <= 'Z')
            c |= 0x20;
        hash = (hash ^ c) * 0x100000001b3u;
    }
    return hash;
}

uint64_t map_hash_end(uint64_t hash)
{
    hash ^= hash >> 33;
    hash *= 0xff51afd7ed558ccdu;
    hash ^= hash >> 33;
    hash *= 0xc4ceb9fe1a85ec53u;
    return hash ^ hash >> 33;
}

uint64_t map_hash_of(struct text key)
{
    return map_hash_end(map_hash(map_hash_begin(), key));
}

static size_t branch_of(uint64_t hash)
{
    return hash % MAP_BRANCHES;
}

static size_t leaf_of(uint64_t hash)
{
    return hash / MAP_BRANCHES % LEAVES;
}

static void leaf_release(struct map_leaf *leaf)
{
    if (!leaf || atomic_fetch_sub_explicit(&leaf->references, 1, memory_order_acq_rel) != 1)
        return;
    for (unsigned i = 0; i < leaf->count; i++)
        map_item_release(leaf->entries[i].item);
    free(leaf);
}

static void branch_release(struct map_branch *branch)
{
    if (!branch || atomic_fetch_sub_explicit(&branch->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < LEAVES; i++)
        leaf_release(branch->leaves[i]);
    free(branch);
}

// The branch at that place, held by this map only.
static struct map_branch *branch_own(struct map_branch **place)
{
    struct map_branch *branch = *place;
    if (branch && atomic_load_explicit(&branch->references, memory_order_acquire) == 1)
        return branch;
    struct map_branch *own = xcalloc(1, sizeof *own);
    atomic_init(&own->references, 1);
    for (size_t i = 0; branch && i < LEAVES; i++) {
        own->leaves[i] = branch->leaves[i];
        if (own->leaves[i])
            atomic_fetch_add_explicit(&own->leaves[i]->references, 1, memory_order_relaxed);
    }
    branch_release(branch);
    return *place = own;
}

// The leaf at that place, held by this map only, with room for one more entry when `room` is set.
static struct map_leaf *leaf_own(struct map_leaf **place, bool room)
{
    struct map_leaf *leaf = *place;
    unsigned count = leaf ? leaf->count : 0;
    size_t size = sizeof *leaf + (count + (room ? 1 : 0)) * sizeof leaf->entries[0];
    if (leaf && atomic_load_explicit(&leaf->references, memory_order_acquire) == 1)
        return *place = room ? xrealloc(leaf, size) : leaf;
    struct map_leaf *own = xmalloc(size);
    atomic_init(&own->references, 1);
    own->count = count;
    for (unsigned i = 0; i < count; i++) {
        own->entries[i] = leaf->entries[i];
        map_item_hold(own->entries[i].item);
    }
    leaf_release(leaf);
    return *place = own;
}

struct map_item *map_find(const struct map *map, uint64_t hash,
                          bool (*same)(const struct map_item *, const void *), const void *sought)
{
    const struct map_branch *branch = map->branches[branch_of(hash)];
    const struct map_leaf *leaf = branch ? branch->leaves[leaf_of(hash)] : NULL;
    for (unsigned i = 0; leaf && i < leaf->count; i++)
        if (leaf->entries[i].hash == hash && same(leaf->entries[i].item, sought))
            return leaf->entries[i].item;
    return NULL;
}

static bool same_key(const struct map_item *item, const void *sought)
{
    return text_equal_nocase(item->key, *(const struct text *)sought);
}

struct map_item *map_get(const struct map *map, struct text key)
{
    return map_find(map, map_hash_of(key), same_key, &key);
}

void map_put(struct map *map, struct map_item *item)
{
    item->hash = map_hash_of(item->key);
    struct map_branch *branch = branch_own(&map->branches[branch_of(item->hash)]);
    struct map_leaf **place = &branch->leaves[leaf_of(item->hash)];
    for (unsigned i = 0; *place && i < (*place)->count; i++) {
        const struct entry *entry = &(*place)->entries[i];
        if (entry->hash != item->hash || !text_equal_nocase(entry->item->key, item->key))
            continue;
        struct map_leaf *own = leaf_own(place, false);
        map_item_release(own->entries[i].item);
        own->entries[i].item = item;
        return;
    }
    struct map_leaf *own = leaf_own(place, true);
    own->entries[own->count++] = (struct entry){item->hash, item};
    map->count++;
}

void map_remove(struct map *map, struct text key)
{
    uint64_t hash = map_hash_of(key);
    if (!map_find(map, hash, same_key, &key))
        return;
    struct map_branch *branch = branch_own(&map->branches[branch_of(hash)]);
    struct map_leaf *leaf = leaf_own(&branch->leaves[leaf_of(hash)], false);
    for (unsigned i = 0; i < leaf->count; i++) {
        struct map_item *item = leaf->entries[i].item;
        if (leaf->entries[i].hash != hash || !text_equal_nocase(item->key, key))
            continue;
        leaf->entries[i] = leaf->entries[--leaf->count];
        map_item_release(item);
        map->count--;
        return;
    }
}

void map_share(struct map *copy, const struct map *map)
{
    *copy = *map;
    for (size_t i = 0; i < MAP_BRANCHES; i++)
        if (copy->branches[i])
            atomic_fetch_add_explicit(&copy->branches[i]->references, 1, memory_order_relaxed);
}

void map_clear(struct map *map)
{
    for (size_t i = 0; i < MAP_BRANCHES; i++)
        branch_release(map->branches[i]);
    *map = (struct map){0};
}
