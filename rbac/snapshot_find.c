// What callers ask of a snapshot: principals, subscriptions, keys.
#include "rbac/snapshot_data.h"

#include <string.h>

const struct rbac_version *rbac_snapshot_version(const struct rbac_snapshot *snapshot)
{
    return &snapshot->version;
}

const struct rbac_principal *rbac_principal_by_id(const struct rbac_snapshot *snapshot, struct text object_id)
{
    const struct principal_item *item =
        (const struct principal_item *)map_get(&snapshot->principals, object_id);
    return item ? &item->principal : NULL;
}

const struct rbac_principal *rbac_principal_by_name(const struct rbac_snapshot *snapshot, struct text name)
{
    const struct name_item *item = (const struct name_item *)map_get(&snapshot->names, name);
    return item ? rbac_principal_by_id(snapshot, text_of(item->object_id)) : NULL;
}

const struct rbac_subscription *rbac_subscription_by_id(const struct rbac_snapshot *snapshot, struct text id)
{
    if (!uuid_is(id))
        return NULL;
    const struct shelf *shelf = snapshot->subscriptions;
    size_t low = 0, high = shelf->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct rbac_subscription *subscription = shelf->entries[middle];
        int order = strncasecmp(subscription->subscription_id, id.base, 36);
        if (order == 0)
            return subscription;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

size_t rbac_subscription_count(const struct rbac_snapshot *snapshot)
{
    return snapshot->subscriptions->count;
}

const struct rbac_subscription *rbac_subscription_at(const struct rbac_snapshot *snapshot, size_t index)
{
    return snapshot->subscriptions->entries[index];
}

const struct rbac_key *rbac_key_find(const struct rbac_snapshot *snapshot, const char *use, const char *kid)
{
    for (size_t i = 0; i < snapshot->keys->count; i++) {
        const struct rbac_key *key = snapshot->keys->entries[i];
        if (strcmp(key->use, use) == 0 && (kid ? strcmp(key->kid, kid) == 0 : !key->retired))
            return key;
    }
    return NULL;
}

size_t rbac_key_count(const struct rbac_snapshot *snapshot)
{
    return snapshot->keys->count;
}

const struct rbac_key *rbac_key_at(const struct rbac_snapshot *snapshot, size_t index)
{
    return snapshot->keys->entries[index];
}
