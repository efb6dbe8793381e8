// The table of successes: 1,024 sets of four places, a lock for every sixteen sets.
#include "rbac/verified.h"

#include "base/crypto.h"

#include <pthread.h>
#include <string.h>

enum { SETS = 1024, WAYS = 4, LOCKS = 64 };

struct place {
    struct verified value;
    uint64_t used; // 0: empty
};
static struct place table[SETS][WAYS];
static uint64_t ticks[LOCKS];
static pthread_mutex_t locks[LOCKS] = {[0 ... LOCKS - 1] = PTHREAD_MUTEX_INITIALIZER};

static size_t set_of(const unsigned char hash[32])
{
    return ((size_t)hash[0] << 8 | hash[1]) % SETS;
}

static bool same(const struct place *place, const unsigned char hash[32])
{
    return place->used != 0 && crypto_equal((struct text){(const char *)place->value.hash, 32},
                                            (struct text){(const char *)hash, 32});
}

bool verified_find(const unsigned char hash[32], struct verified *found)
{
    size_t set = set_of(hash), lock = set % LOCKS;
    bool hit = false;
    pthread_mutex_lock(&locks[lock]);
    for (size_t way = 0; way < WAYS && !hit; way++) {
        struct place *place = &table[set][way];
        if (!same(place, hash))
            continue;
        place->used = ++ticks[lock];
        *found = place->value;
        hit = true;
    }
    pthread_mutex_unlock(&locks[lock]);
    return hit;
}

void verified_add(const struct verified *one)
{
    size_t set = set_of(one->hash), lock = set % LOCKS;
    pthread_mutex_lock(&locks[lock]);
    struct place *chosen = &table[set][0];
    for (size_t way = 0; way < WAYS; way++) {
        struct place *place = &table[set][way];
        if (same(place, one->hash)) {
            chosen = place;
            break;
        }
        if (place->used < chosen->used)
            chosen = place;
    }
    chosen->value = *one;
    chosen->used = ++ticks[lock];
    pthread_mutex_unlock(&locks[lock]);
}
