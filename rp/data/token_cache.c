// A table of this process, one token a slot: the latest stays.
#include "rp/data/token_cache.h"

#include <pthread.h>
#include <string.h>

enum { SLOTS = 256 };

static struct slot {
    unsigned char name[32], secret[32];
    char kid[sizeof((struct rbac_key *)0)->kid];
    json_t *claims; // NULL: vacant
} slots[SLOTS];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static bool is_good(const struct slot *slot, const struct rbac_snapshot *snapshot)
{
    const struct rbac_key *key = rbac_key_find(snapshot, "registry", slot->kid);
    return key != NULL && memcmp(key->secret, slot->secret, sizeof slot->secret) == 0;
}

json_t *token_cache_find(const unsigned char name[32], const struct rbac_snapshot *snapshot)
{
    struct slot *slot = &slots[name[0]];
    json_t *claims = NULL;
    pthread_mutex_lock(&mutex);
    if (slot->claims != NULL && memcmp(slot->name, name, sizeof slot->name) == 0 && is_good(slot, snapshot))
        claims = json_incref(slot->claims);
    pthread_mutex_unlock(&mutex);
    return claims;
}

void token_cache_keep(const unsigned char name[32], const struct rbac_key *key, json_t *claims)
{
    struct slot *slot = &slots[name[0]];
    pthread_mutex_lock(&mutex);
    json_t *old = slot->claims;
    memcpy(slot->name, name, sizeof slot->name);
    memcpy(slot->secret, key->secret, sizeof slot->secret);
    memcpy(slot->kid, key->kid, sizeof slot->kid);
    slot->claims = json_incref(claims);
    pthread_mutex_unlock(&mutex);
    json_decref(old);
}
