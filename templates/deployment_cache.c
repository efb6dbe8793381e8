// Plans of deployments that run: a few, the least recently used gives way. Plans are not changed once they
// are made, so that several threads may use one.
#include "templates/deployment_cache.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

enum { PLACES = 4 };

struct deployment_cached {
    int64_t id;
    struct arena *arena;
    struct plan *plan;
    unsigned users; // the place in the table is one
    uint64_t used;  // when, in takes
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct deployment_cached *places[PLACES];
static uint64_t clock_of_uses;

// With the mutex held.
static void leave(struct deployment_cached *cached)
{
    if (--cached->users > 0)
        return;
    arena_free(cached->arena);
    free(cached);
}

static struct deployment_cached *find(int64_t id)
{
    for (size_t i = 0; i < PLACES; i++)
        if (places[i] && places[i]->id == id) {
            places[i]->users++;
            places[i]->used = ++clock_of_uses;
            return places[i];
        }
    return NULL;
}

struct deployment_cached *deployment_cache_take(int64_t id)
{
    pthread_mutex_lock(&mutex);
    struct deployment_cached *found = find(id);
    pthread_mutex_unlock(&mutex);
    return found;
}

struct deployment_cached *deployment_cache_put(int64_t id, struct arena *arena, struct plan *plan)
{
    pthread_mutex_lock(&mutex);
    struct deployment_cached *found = find(id);
    if (found) {
        pthread_mutex_unlock(&mutex);
        arena_free(arena);
        return found;
    }
    struct deployment_cached **place = &places[0];
    for (size_t i = 0; i < PLACES && *place; i++)
        if (!places[i] || places[i]->used < (*place)->used)
            place = &places[i];
    if (*place)
        leave(*place);
    struct deployment_cached *made = xcalloc(1, sizeof *made);
    *made = (struct deployment_cached){id, arena, plan, 2, ++clock_of_uses};
    *place = made;
    pthread_mutex_unlock(&mutex);
    return made;
}

struct plan *deployment_cache_plan(const struct deployment_cached *cached)
{
    return cached->plan;
}

void deployment_cache_release(struct deployment_cached *cached)
{
    pthread_mutex_lock(&mutex);
    leave(cached);
    pthread_mutex_unlock(&mutex);
}

void deployment_cache_drop(int64_t id)
{
    pthread_mutex_lock(&mutex);
    for (size_t i = 0; i < PLACES; i++)
        if (places[i] && places[i]->id == id) {
            leave(places[i]);
            places[i] = NULL;
        }
    pthread_mutex_unlock(&mutex);
}
