// The management locks of a snapshot: which scopes are locked, how, and how many locked scopes lie below one.
#include "rbac/snapshot_data.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

static void free_lock(struct map_item *item)
{
    free(item); // key and scope stand behind the struct
}

// A changed item is a new one: others share the old.
static struct lock_item *lock_new(struct text key, struct text scope)
{
    struct lock_item *lock = xcalloc(1, sizeof *lock + key.length + scope.length);
    char *bytes = (char *)(lock + 1);
    atomic_init(&lock->item.references, 1);
    lock->item.dispose = free_lock;
    memcpy(bytes, key.base, key.length);
    lock->item.key = (struct text){bytes, key.length};
    if (scope.length > 0) {
        memcpy(bytes + key.length, scope.base, scope.length);
        lock->lock.scope = (struct text){bytes + key.length, scope.length};
    }
    return lock;
}

static const struct lock_item *find(const struct rbac_snapshot *snapshot, struct text key)
{
    return (const struct lock_item *)map_get(&snapshot->locks, key);
}

// One locked scope more (1) or less (-1) below each whole-segment ancestor.
static void count_below(struct rbac_snapshot *snapshot, struct text scope_key, int change)
{
    for (size_t i = 1; i < scope_key.length; i++) {
        if (scope_key.base[i] != '/')
            continue;
        struct text ancestor = text_slice(scope_key, 0, i);
        const struct lock_item *old = find(snapshot, ancestor);
        size_t below = (old ? old->lock.below : 0) + (size_t)(ptrdiff_t)change;
        if (below == 0 && !(old && old->lock.scope.base)) {
            map_remove(&snapshot->locks, ancestor);
            continue;
        }
        struct lock_item *lock = lock_new(ancestor, old ? old->lock.scope : TEXT_NONE);
        lock->lock.read_only = old && old->lock.read_only;
        lock->lock.below = below;
        map_put(&snapshot->locks, &lock->item);
    }
}

void snapshot_put_lock(struct rbac_snapshot *snapshot, struct text scope_key, struct text scope,
                       bool read_only)
{
    const struct lock_item *old = find(snapshot, scope_key);
    size_t below = old ? old->lock.below : 0;
    bool was_locked = old && old->lock.scope.base;
    struct lock_item *lock = lock_new(scope_key, scope);
    lock->lock.read_only = read_only;
    lock->lock.below = below;
    map_put(&snapshot->locks, &lock->item);
    if (!was_locked)
        count_below(snapshot, scope_key, 1);
}

void snapshot_drop_lock(struct rbac_snapshot *snapshot, struct text scope_key)
{
    const struct lock_item *old = find(snapshot, scope_key);
    if (!old || !old->lock.scope.base)
        return;
    size_t below = old->lock.below;
    if (below == 0) {
        map_remove(&snapshot->locks, scope_key);
    } else {
        struct lock_item *lock = lock_new(scope_key, TEXT_NONE);
        lock->lock.below = below;
        map_put(&snapshot->locks, &lock->item);
    }
    count_below(snapshot, scope_key, -1);
}

bool rbac_any_lock(const struct rbac_snapshot *snapshot)
{
    return snapshot->locks.count > 0;
}

const struct rbac_lock *rbac_lock_at(const struct rbac_snapshot *snapshot, struct text scope)
{
    const struct lock_item *lock = find(snapshot, scope);
    return lock ? &lock->lock : NULL;
}
