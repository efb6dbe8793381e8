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
// Apart from the entries, so that a look through all of them touches little memory. 0: vacant.
static uint32_t marks[ENTRIES];
static uint64_t clock_hand;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static uint32_t mark_of(const char *id)
{
    uint32_t hash = 2166136261u; // FNV-1a
    for (; *id; id++)
        hash = (hash ^ (unsigned char)*id) * 16777619u;
    return hash != 0 ? hash : 1;
}

// The session's entry, or NULL.
static struct entry *find(const char *id, uint32_t mark)
{
    for (size_t i = 0; i < ENTRIES; i++)
        if (marks[i] == mark && strcmp(entries[i].id, id) == 0)
            return &entries[i];
    return NULL;
}

static struct entry *vacant_or_oldest(void)
{
    struct entry *oldest = &entries[0];
    for (size_t i = 0; i < ENTRIES; i++)
        if (marks[i] == 0)
            return &entries[i];
    for (size_t i = 0; i < ENTRIES; i++)
        if (entries[i].age < oldest->age)
            oldest = &entries[i];
    return oldest;
}

void upload_hash_keep(const char *id, struct upload_hash hash)
{
    if (hash.digest == NULL)
        return;
    uint32_t mark = mark_of(id);
    pthread_mutex_lock(&mutex);
    struct entry *entry = find(id, mark);
    if (entry == NULL)
        entry = vacant_or_oldest();
    struct digest *evicted = entry->hash.digest;
    memcpy(entry->id, id, sizeof entry->id);
    entry->hash = hash;
    entry->age = ++clock_hand;
    marks[entry - entries] = mark;
    pthread_mutex_unlock(&mutex);
    if (evicted != NULL)
        digest_drop(evicted);
}

struct upload_hash upload_hash_take(const char *id, int64_t offset)
{
    struct upload_hash hash = {0};
    uint32_t mark = mark_of(id);
    pthread_mutex_lock(&mutex);
    struct entry *entry = find(id, mark);
    if (entry != NULL) {
        hash = entry->hash;
        entry->hash.digest = NULL;
        marks[entry - entries] = 0;
    }
    pthread_mutex_unlock(&mutex);
    if (hash.digest != NULL && hash.offset != offset) {
        digest_drop(hash.digest);
        return (struct upload_hash){0};
    }
    return hash;
}
