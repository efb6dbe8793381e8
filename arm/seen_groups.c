// A small table of groups and a stack of blocks of ids, behind one lock: few processes make resources in more
// than a few groups within a second, and who is not found only looks for himself.
#include "arm/seen_groups.h"

#include "base/clock.h"

#include <pthread.h>

enum { PLACES = 64, BLOCKS = 32, FRESH = 1000 * 1000 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct seen_group places[PLACES];
static struct {
    int64_t next, end;
} blocks[BLOCKS];
static size_t block_count;

static uint64_t hash(uint64_t h, struct text t)
{
    for (size_t i = 0; i < t.length; i++)
        h = (h ^ (unsigned char)t.base[i]) * 1099511628211u;
    return h;
}

static struct seen_group *place_of(struct text subscription_id, struct text key)
{
    return &places[hash(hash(14695981039346656037u, subscription_id), key) % PLACES];
}

static bool is_group(const struct seen_group *group, struct text subscription_id, struct text key)
{
    return text_is(subscription_id, group->subscription_id) && text_is(key, group->key);
}

void seen_group_remember(const struct seen_group *group, int64_t first_id)
{
    pthread_mutex_lock(&mutex);
    *place_of(text_of(group->subscription_id), text_of(group->key)) = *group;
    if (block_count < BLOCKS) {
        blocks[block_count].next = first_id + 1;
        blocks[block_count].end = first_id + SEEN_GROUP_IDS;
        block_count++;
    }
    pthread_mutex_unlock(&mutex);
}

void seen_group_forget(struct text subscription_id, struct text key)
{
    pthread_mutex_lock(&mutex);
    struct seen_group *place = place_of(subscription_id, key);
    if (is_group(place, subscription_id, key))
        *place = (struct seen_group){0};
    pthread_mutex_unlock(&mutex);
}

bool seen_group_find(struct text subscription_id, struct text key, struct text namespace_key,
                     struct seen_group *group)
{
    pthread_mutex_lock(&mutex);
    const struct seen_group *place = place_of(subscription_id, key);
    bool found = block_count > 0 && is_group(place, subscription_id, key) &&
                 text_is(namespace_key, place->namespace_key) && clock_monotonic() - place->at < FRESH;
    if (found)
        *group = *place;
    pthread_mutex_unlock(&mutex);
    return found;
}

int64_t seen_group_new_id(void)
{
    int64_t id = 0;
    pthread_mutex_lock(&mutex);
    if (block_count > 0) {
        id = blocks[block_count - 1].next++;
        if (blocks[block_count - 1].next == blocks[block_count - 1].end)
            block_count--;
    }
    pthread_mutex_unlock(&mutex);
    return id;
}
