// The counters behind "too many tries". A table of fixed size: a key that is pushed out is counted anew.
#include "rbac/attempts.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypto.h"

#include <pthread.h>

enum { SETS = 512, WAYS = 4, TRIES_PASSWORD = 30 };
static const int64_t WINDOW = INT64_C(900) * 1000000;

struct counter {
    uint64_t key; // 0: empty
    unsigned count;
    int64_t since, last; // monotonic
};
static struct counter table[SETS][WAYS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static uint64_t key_of(const char *kind, struct text key)
{
    struct arena *arena = arena_new();
    char *joined = arena_printf(arena, "%s:%.*s", kind, TEXT_ARG(key));
    unsigned char hash[32];
    crypto_sha256(text_of(joined), hash);
    arena_free(arena);
    uint64_t number;
    memcpy(&number, hash, sizeof number);
    return number ? number : 1;
}

// Under the lock: the key's counter, else the longest unused of its set, emptied.
static struct counter *counter_of(uint64_t key, int64_t now)
{
    struct counter *set = table[key % SETS], *chosen = &set[0];
    for (size_t way = 0; way < WAYS; way++) {
        if (set[way].key == key) {
            chosen = &set[way];
            break;
        }
        if (set[way].last < chosen->last)
            chosen = &set[way];
    }
    if (chosen->key != key || now - chosen->since > WINDOW)
        *chosen = (struct counter){.key = key, .since = now};
    return chosen;
}

bool attempts_exhausted(const char *kind, struct text key, unsigned limit)
{
    uint64_t number = key_of(kind, key);
    pthread_mutex_lock(&lock);
    bool exhausted = counter_of(number, clock_monotonic())->count >= limit;
    pthread_mutex_unlock(&lock);
    return exhausted;
}

void attempts_count(const char *kind, struct text key)
{
    uint64_t number = key_of(kind, key);
    int64_t now = clock_monotonic();
    pthread_mutex_lock(&lock);
    struct counter *counter = counter_of(number, now);
    counter->count++;
    counter->last = now;
    pthread_mutex_unlock(&lock);
}

bool attempts_too_soon(const char *kind, struct text key, int64_t microseconds)
{
    uint64_t number = key_of(kind, key);
    int64_t now = clock_monotonic();
    pthread_mutex_lock(&lock);
    struct counter *counter = counter_of(number, now);
    bool soon = counter->last != 0 && now - counter->last < microseconds;
    counter->last = now;
    pthread_mutex_unlock(&lock);
    return soon;
}

static struct text password_key(struct arena *arena, struct text name, struct text address)
{
    struct text lower = text_lower(arena, name);
    return text_of(arena_printf(arena, "%.*s %.*s", TEXT_ARG(lower), TEXT_ARG(address)));
}

bool attempts_password_exhausted(struct arena *arena, struct text name, struct text address)
{
    return attempts_exhausted("password", password_key(arena, name, address), TRIES_PASSWORD);
}

void attempts_password_count(struct arena *arena, struct text name, struct text address)
{
    attempts_count("password", password_key(arena, name, address));
}
