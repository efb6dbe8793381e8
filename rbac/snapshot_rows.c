// The rows of a snapshot: how a principal or an assignment gets in and out of its maps.
#include "rbac/snapshot_data.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

static void free_item(struct map_item *item)
{
    free(item); // the head is the first member, texts stand behind the struct
}

// An item of `size` bytes with its key behind it.
static void *item_new(size_t size, struct text first, struct text second)
{
    char *memory = xcalloc(1, size + first.length + second.length + 1);
    struct map_item *item = (struct map_item *)memory;
    atomic_init(&item->references, 1);
    item->dispose = free_item;
    if (first.length)
        memcpy(memory + size, first.base, first.length);
    if (second.length)
        memcpy(memory + size + first.length, second.base, second.length);
    item->key = (struct text){memory + size, first.length + second.length};
    return item;
}

static void copy_id(char id[37], struct text value)
{
    size_t length = value.length < 36 ? value.length : 36;
    memcpy(id, value.base, length);
    id[length] = 0;
}

static void free_principal(struct map_item *item)
{
    struct principal_item *principal = (struct principal_item *)item;
    free((char *)principal->principal.name);
    free((char *)principal->principal.display_name);
    free((char *)principal->principal.app_id);
    free(principal);
}

void snapshot_put_principal(struct rbac_snapshot *snapshot, const struct rbac_principal *principal)
{
    snapshot_drop_principal(snapshot, text_of(principal->object_id));
    struct principal_item *item = item_new(sizeof *item, text_of(principal->object_id), TEXT(""));
    item->item.dispose = free_principal;
    item->principal = *principal;
    item->principal.name = xstrdup(principal->name);
    item->principal.display_name = xstrdup(principal->display_name);
    item->principal.app_id = xstrdup(principal->app_id);
    map_put(&snapshot->principals, &item->item);

    struct name_item *name = item_new(sizeof *name, text_of(principal->name), TEXT(""));
    copy_id(name->object_id, text_of(principal->object_id));
    map_put(&snapshot->names, &name->item);
}

void snapshot_drop_principal(struct rbac_snapshot *snapshot, struct text object_id)
{
    const struct principal_item *old =
        (const struct principal_item *)map_get(&snapshot->principals, object_id);
    if (!old)
        return;
    // Another principal may have taken the name since.
    const struct name_item *name =
        (const struct name_item *)map_get(&snapshot->names, text_of(old->principal.name));
    if (name && text_is(object_id, name->object_id))
        map_remove(&snapshot->names, text_of(old->principal.name));
    map_remove(&snapshot->principals, object_id);
}

struct sought_grant {
    struct text object_id, scope;
};
static bool same_grant(const struct map_item *item, const void *sought)
{
    const struct sought_grant *grant = sought;
    size_t length = grant->object_id.length;
    return item->key.length == length + grant->scope.length &&
           text_equal_nocase(text_slice(item->key, length, item->key.length), grant->scope) &&
           text_equal_nocase(text_slice(item->key, 0, length), grant->object_id);
}

const struct grant_item *snapshot_grant(const struct rbac_snapshot *snapshot, struct text object_id,
                                        struct text scope)
{
    uint64_t hash = map_hash_end(map_hash(map_hash(map_hash_begin(), object_id), scope));
    struct sought_grant sought = {object_id, scope};
    return (const struct grant_item *)map_find(&snapshot->grants, hash, same_grant, &sought);
}

// Items are shared with other snapshots, so a changed grant is a new one. `role` NULL: only `below` changes.
static void change_grant(struct rbac_snapshot *snapshot, struct text principal, struct text scope, int below,
                         const unsigned char *role, bool add)
{
    const struct grant_item *old = snapshot_grant(snapshot, principal, scope);
    unsigned count = old ? old->count : 0;
    struct grant_item *grant =
        item_new(sizeof *grant + (count + 1) * sizeof grant->roles[0], principal, scope);
    grant->below = (old ? old->below : 0) + (unsigned)below;
    bool skipped = role == NULL || add;
    for (unsigned i = 0; i < count; i++) {
        if (!skipped && memcmp(old->roles[i], role, sizeof old->roles[i]) == 0)
            skipped = true;
        else
            memcpy(grant->roles[grant->count++], old->roles[i], sizeof old->roles[i]);
    }
    if (role && add)
        memcpy(grant->roles[grant->count++], role, sizeof grant->roles[0]);
    if (grant->count == 0 && grant->below == 0) {
        map_remove(&snapshot->grants, grant->item.key);
        map_item_release(&grant->item);
        return;
    }
    map_put(&snapshot->grants, &grant->item);
}

// Changes the grant at `scope` and the counts of its ancestors at every second segment.
static void change_grants(struct rbac_snapshot *snapshot, struct text principal, struct text scope,
                          const unsigned char *role, bool add)
{
    change_grant(snapshot, principal, scope, 0, role, add);
    if (text_is(scope, "/"))
        return;
    int below = add ? 1 : -1;
    change_grant(snapshot, principal, TEXT("/"), below, NULL, add);
    unsigned segments = 0;
    for (size_t i = 1; i < scope.length; i++)
        if (scope.base[i] == '/' && ++segments % 2 == 0)
            change_grant(snapshot, principal, text_slice(scope, 0, i), below, NULL, add);
}

void snapshot_put_assignment(struct rbac_snapshot *snapshot, struct text scope_key, struct text id,
                             struct text principal_id, struct text role_definition_id)
{
    size_t length = scope_key.length + 1 + id.length;
    char *key = xmalloc(length);
    memcpy(key, scope_key.base, scope_key.length);
    key[scope_key.length] = ' ';
    memcpy(key + scope_key.length + 1, id.base, id.length);
    snapshot_drop_assignment(snapshot, (struct text){key, length});

    struct assignment_item *item = item_new(sizeof *item, (struct text){key, length}, TEXT(""));
    free(key);
    item->scope = text_slice(item->item.key, 0, scope_key.length);
    copy_id(item->principal_id, principal_id);
    if (uuid_bytes(role_definition_id, item->role)) {
        change_grants(snapshot, text_of(item->principal_id), item->scope, item->role, true);
        map_put(&snapshot->assignments, &item->item);
    } else
        map_item_release(&item->item);
}

void snapshot_drop_assignment(struct rbac_snapshot *snapshot, struct text key)
{
    const struct assignment_item *old = (const struct assignment_item *)map_get(&snapshot->assignments, key);
    if (!old)
        return;
    change_grants(snapshot, text_of(old->principal_id), old->scope, old->role, false);
    map_remove(&snapshot->assignments, key);
}

struct shelf *shelf_new(size_t room, void (*dispose)(void *))
{
    struct shelf *shelf = xcalloc(1, sizeof *shelf + room * sizeof shelf->entries[0]);
    atomic_init(&shelf->references, 1);
    shelf->dispose = dispose;
    return shelf;
}

struct shelf *shelf_hold(struct shelf *shelf)
{
    atomic_fetch_add_explicit(&shelf->references, 1, memory_order_relaxed);
    return shelf;
}

void shelf_release(struct shelf *shelf)
{
    if (!shelf || atomic_fetch_sub_explicit(&shelf->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < shelf->count; i++)
        shelf->dispose(shelf->entries[i]);
    free(shelf);
}

void snapshot_free(struct rbac_snapshot *snapshot)
{
    map_clear(&snapshot->principals);
    map_clear(&snapshot->names);
    map_clear(&snapshot->assignments);
    map_clear(&snapshot->grants);
    map_clear(&snapshot->locks);
    shelf_release(snapshot->roles);
    shelf_release(snapshot->keys);
    shelf_release(snapshot->subscriptions);
    free(snapshot);
}
