// Token buckets for each subscription, principal and kind of request (decisions 5). Per process: a replica
// has buckets of its own. The table is of fixed size; when two share a slot, the newcomer takes it and starts
// full, so that a flood of made-up ids costs no memory and slows nobody down.
#include "arm/door_parts.h"

#include <pthread.h>

enum { SLOTS = 4096 };

struct bucket {
    char subscription_id[37], object_id[37];
    int64_t refilled; // monotonic microseconds of the last refill
    int64_t micro[3]; // tokens in millionths, by kind
};

static const struct {
    int64_t size, per_second;
} limits[3] = {{250, 25}, {200, 10}, {200, 10}};

static struct bucket buckets[SLOTS];
static pthread_mutex_t locks[64] = {[0 ... 63] = PTHREAD_MUTEX_INITIALIZER};

static uint64_t hash(uint64_t h, const char *s)
{
    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 1099511628211u;
    return h;
}

static void refill(struct bucket *b, int64_t now)
{
    int64_t passed = now - b->refilled;
    if (passed <= 0)
        return;
    if (passed > 60000000) // every bucket is full long before
        passed = 60000000;
    for (int kind = 0; kind < 3; kind++) {
        b->micro[kind] += passed * limits[kind].per_second;
        if (b->micro[kind] > limits[kind].size * 1000000)
            b->micro[kind] = limits[kind].size * 1000000;
    }
    b->refilled = now;
}

static void take_slot(struct bucket *b, const char *subscription_id, const char *object_id, int64_t now)
{
    if (b->refilled != 0 && strcmp(b->subscription_id, subscription_id) == 0 &&
        strcmp(b->object_id, object_id) == 0)
        return;
    memcpy(b->subscription_id, subscription_id, sizeof b->subscription_id);
    memcpy(b->object_id, object_id, sizeof b->object_id);
    for (int kind = 0; kind < 3; kind++)
        b->micro[kind] = limits[kind].size * 1000000;
    b->refilled = now;
}

bool throttle_take(struct text subscription_id, const char *object_id, enum throttle_kind kind, int64_t now,
                   unsigned *remaining, unsigned *seconds)
{
    char subscription[37] = "", object[37] = "";
    if (subscription_id.length == 36)
        memcpy(subscription, subscription_id.base, 36);
    for (size_t i = 0; object_id[i] && i < 36; i++)
        object[i] = object_id[i];
    uint64_t h = hash(hash(14695981039346656037u, subscription), object);
    size_t slot = (size_t)((h ^ (h >> 32)) % SLOTS);
    pthread_mutex_t *lock = &locks[slot % 64];
    pthread_mutex_lock(lock);
    struct bucket *b = &buckets[slot];
    take_slot(b, subscription, object, now);
    refill(b, now);
    bool taken = b->micro[kind] >= 1000000;
    if (taken)
        b->micro[kind] -= 1000000;
    if (remaining)
        *remaining = (unsigned)(b->micro[kind] / 1000000);
    int64_t missing = 1000000 - b->micro[kind];
    *seconds = taken ? 0 : (unsigned)((missing / limits[kind].per_second + 999999) / 1000000);
    pthread_mutex_unlock(lock);
    return taken;
}

enum throttle_kind door_throttle_kind(const struct arm_call *call)
{
    switch (call->request->method) {
    case HTTP_DELETE:
        return THROTTLE_DELETE;
    case HTTP_PUT:
    case HTTP_PATCH:
    case HTTP_POST:
        return call->operation && (call->operation->flags & ARM_READ_COUNT) ? THROTTLE_READ : THROTTLE_WRITE;
    default:
        return THROTTLE_READ;
    }
}
