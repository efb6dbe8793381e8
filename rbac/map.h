// A hash map that snapshots share: copying one costs 64 counters, changing one entry of a copy costs
// the path to it (one node of 256 pointers and one small array).
//
// Nodes and items are counted. A node that only one map holds is changed in place, one that several hold is
// copied first, so that building a map and advancing a copy are the same code. A map that other threads read
// must not be changed any more: share it, change the copy, publish the copy.
#pragma once
#include "base/text.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The head of whatever is kept in a map; embed it first.
struct map_item {
    atomic_uint references;
    uint64_t hash;
    struct text key;                    // unique in its map; memory of the item
    void (*dispose)(struct map_item *); // frees it
};
void map_item_hold(struct map_item *item);
void map_item_release(struct map_item *item);

enum { MAP_BRANCHES = 64 };
struct map_branch;
struct map {
    size_t count;
    struct map_branch *branches[MAP_BRANCHES];
};

// Hashes are made in steps, letters in lower case: map_hash_end(map_hash(map_hash(map_hash_begin(), a), b)).
uint64_t map_hash_begin(void);
uint64_t map_hash(uint64_t hash, struct text more);
uint64_t map_hash_end(uint64_t hash);
uint64_t map_hash_of(struct text key);

// The entry with that hash that `same` accepts, or NULL. Borrowed.
struct map_item *map_find(const struct map *map, uint64_t hash,
                          bool (*same)(const struct map_item *, const void *), const void *sought);
// By its whole key, in any case.
struct map_item *map_get(const struct map *map, struct text key);
// Takes the caller's reference; replaces the entry of that key. item->key is set, item->hash is set here.
void map_put(struct map *map, struct map_item *item);
void map_remove(struct map *map, struct text key);
// `copy` is overwritten.
void map_share(struct map *copy, const struct map *map);
void map_clear(struct map *map);
