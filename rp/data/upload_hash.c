// The table of running digests.
#include "rp/data/upload_hash.h"

#include <pthread.h>
#include <string.h>

enum { ENTRIES = 1024 };

static struct entry {
    char id[37];
    struct upload_hash hash;
    uint64_t age; // when it was kept; the smallest goes first
} entries[ENTRIES];
static uint64_t clock_hand;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

// The session's entry, else a free one, else the oldest.
static struct entry *place_for(const char *id)
{
    struct entry *oldest = &entries[0], *vacant = NULL;
    for (struct entry *entry = entries; entry < entries + ENTRIES; entry++) {
        if (entry->hash.digest == NULL) {
            vacant = vacant ? vacant : entry;
            continue;
        }
        if (strcmp(entry->id, id) == 0)
            return entry;
        if (entry->age < oldest->age || oldest->hash.digest == NULL)
            oldest = entry;
    }
    return vacant ? vacant : oldest;
}

void upload_hash_keep(const char *id, struct upload_hash hash)
{
    if (hash.digest == NULL)
        return;
    pthread_mutex_lock(&mutex);
    struct entry *entry = place_for(id);
    struct digest *evicted = entry->hash.digest;
    memcpy(entry->id, id, sizeof entry->id);
    entry->hash = hash;
    entry->age = ++clock_hand;
    pthread_mutex_unlock(&mutex);
    if (evicted != NULL)
        digest_drop(evicted);
}

struct upload_hash upload_hash_take(const char *id, int64_t offset)
{
    struct upload_hash hash = {0};
    pthread_mutex_lock(&mutex);
    for (struct entry *entry = entries; entry < entries + ENTRIES; entry++) {
        if (entry->hash.digest == NULL || strcmp(entry->id, id) != 0)
            continue;
        hash = entry->hash;
        entry->hash.digest = NULL;
        break;
    }
    pthread_mutex_unlock(&mutex);
    if (hash.digest != NULL && hash.offset != offset) {
        digest_drop(hash.digest);
        return (struct upload_hash){0};
    }
    return hash;
}
