// Token buckets for each subscription, principal and kind of request, and everybody's for each subscription
// (arm-core 1.9, decisions 5). Per process: a replica has buckets of its own. A request is counted on the
// loop, before any work: one that is refused costs a hash, a look into two tables and an answer.
//
// The table is of fixed size: sets of a few places, the least recently used of which gives way. Only known
// subscriptions have buckets of their own, so made-up ids earn nobody a fresh one.
#include "arm/door_parts.h"
#include "arm/errors.h"

#include "base/arena.h"
#include "base/clock.h"

#include <pthread.h>
#include <stdio.h>

enum { SETS = 2048, WAYS = 4, LOCKS = 64 };

struct bucket {
    char subscription_id[37], object_id[37];
    int64_t refilled;              // monotonic microseconds of the last refill; 0: empty place
    int64_t micro[THROTTLE_KINDS]; // tokens in millionths, by kind
};

struct limits {
    int64_t size[THROTTLE_KINDS], per_second[THROTTLE_KINDS];
};
static struct limits own = {{250, 200, 200}, {25, 10, 10}};
static struct limits everybody = {{3750, 3000, 3000}, {375, 150, 150}};
static bool is_global = true;

static struct bucket buckets[SETS][WAYS];
static pthread_mutex_t locks[LOCKS] = {[0 ... LOCKS - 1] = PTHREAD_MUTEX_INITIALIZER};

void throttle_configure(const struct config *config)
{
    const int sizes[] = {config->throttle_reads, config->throttle_writes, config->throttle_deletes};
    const int rates[] = {config->throttle_reads_per_second, config->throttle_writes_per_second,
                         config->throttle_deletes_per_second};
    is_global = config->throttle_global > 0;
    for (int kind = 0; kind < THROTTLE_KINDS; kind++) {
        own.size[kind] = sizes[kind] > 0 ? sizes[kind] : 1;
        own.per_second[kind] = rates[kind] > 0 ? rates[kind] : 1;
        everybody.size[kind] = own.size[kind] * config->throttle_global;
        everybody.per_second[kind] = own.per_second[kind] * config->throttle_global;
    }
}

static uint64_t hash(uint64_t h, const char *s)
{
    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 1099511628211u;
    return h;
}

static void refill(struct bucket *b, const struct limits *limits, int64_t now)
{
    int64_t passed = now - b->refilled;
    if (passed <= 0)
        return;
    b->refilled = now;
    if (passed > INT64_C(3600) * 1000000)
        passed = INT64_C(3600) * 1000000;
    for (int kind = 0; kind < THROTTLE_KINDS; kind++) {
        b->micro[kind] += passed * limits->per_second[kind];
        if (b->micro[kind] > limits->size[kind] * 1000000)
            b->micro[kind] = limits->size[kind] * 1000000;
    }
}

// The bucket's place, made full where it was not there. With the set's lock held.
static struct bucket *place_of(struct bucket set[WAYS], const char *subscription_id, const char *object_id,
                               const struct limits *limits, int64_t now)
{
    struct bucket *oldest = &set[0];
    for (struct bucket *b = set; b < set + WAYS; b++) {
        if (b->refilled != 0 && strcmp(b->subscription_id, subscription_id) == 0 &&
            strcmp(b->object_id, object_id) == 0)
            return b;
        if (b->refilled < oldest->refilled)
            oldest = b;
    }
    snprintf(oldest->subscription_id, sizeof oldest->subscription_id, "%s", subscription_id);
    snprintf(oldest->object_id, sizeof oldest->object_id, "%s", object_id);
    for (int kind = 0; kind < THROTTLE_KINDS; kind++)
        oldest->micro[kind] = limits->size[kind] * 1000000;
    oldest->refilled = now;
    return oldest;
}

// Takes one, or says how long until there is one. An exempt caller takes what is there.
static bool take(const char *subscription_id, const char *object_id, const struct limits *limits,
                 enum throttle_kind kind, int64_t now, bool exempt, unsigned *remaining, unsigned *seconds)
{
    uint64_t h = hash(hash(14695981039346656037u, subscription_id), object_id);
    size_t set = (size_t)((h ^ (h >> 32)) % SETS);
    pthread_mutex_t *lock = &locks[set % LOCKS];
    pthread_mutex_lock(lock);
    struct bucket *b = place_of(buckets[set], subscription_id, object_id, limits, now);
    refill(b, limits, now);
    bool taken = b->micro[kind] >= 1000000;
    if (taken)
        b->micro[kind] -= 1000000;
    *remaining = (unsigned)(b->micro[kind] / 1000000);
    int64_t missing = 1000000 - b->micro[kind];
    *seconds = taken ? 0 : (unsigned)((missing / limits->per_second[kind] + 999999) / 1000000);
    pthread_mutex_unlock(lock);
    return taken || exempt;
}

bool throttle_take(struct text subscription_id, const char *object_id, enum throttle_kind kind, int64_t now,
                   bool exempt, struct throttle_count *count)
{
    char subscription[37] = "", object[37] = "";
    if (subscription_id.base && subscription_id.length == 36)
        memcpy(subscription, subscription_id.base, 36);
    for (size_t i = 0; object_id[i] && i < 36; i++)
        object[i] = object_id[i];
    count->global_remaining = 0;
    if (!take(subscription, object, &own, kind, now, exempt, &count->remaining, &count->seconds))
        return false;
    return !is_global ||
           take(subscription, "", &everybody, kind, now, exempt, &count->global_remaining, &count->seconds);
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

// The operator is who may change the plane that is the operator's.
static bool is_operator(const struct arm_call *call)
{
    for (size_t i = 0; i < rbac_subscription_count(call->snapshot); i++) {
        const struct rbac_subscription *s = rbac_subscription_at(call->snapshot, i);
        if (!s->operator_owned)
            continue;
        struct text scope = TEXT_JOIN(call->arena, TEXT("/subscriptions/"), text_of(s->subscription_id));
        return rbac_may(call->snapshot, call->caller->object_id,
                        "Microsoft.ContainerRegistry.Admin/locations/quotas/write", scope);
    }
    return false;
}

bool door_throttle(struct arm_call *call)
{
    struct door_call *door = (struct door_call *)call;
    if (!site()->config->throttle || door->throttled)
        return true;
    static const char *const names[] = {"read", "write", "delete"};
    enum throttle_kind kind = door_throttle_kind(call);
    struct text subscription = call->subscription_id;
    if (subscription.base && !rbac_subscription_by_id(call->snapshot, subscription))
        subscription = TEXT_NONE; // the tenant's bucket
    if (throttle_take(subscription, call->caller->object_id, kind, clock_monotonic(), is_operator(call),
                      &door->count)) {
        door->throttled = true; // once for a request, however often its transaction runs
        return true;
    }
    arm_fail(call, ARM_THROTTLED, names[kind], TEXT_ARG(call->subscription_id), call->caller->object_id,
             door->count.seconds);
    call->failure->retry_after = door->count.seconds;
    return false;
}

bool door_throttled_early(struct arm_call *call)
{
    struct text token;
    bool present, refused = false;
    if (!site()->config->throttle || !door_bearer(call->request, &token, &present))
        return false;
    call->snapshot = rbac_snapshot_at_hand();
    if (!call->snapshot)
        return false;
    struct rbac_verdict verdict = rbac_verify_token(call->snapshot, call->arena, token, rbac_audiences_arm());
    if (verdict.fault == RBAC_OK) {
        call->caller = &verdict.caller;
        refused = !door_throttle(call);
        call->caller = NULL;
    }
    rbac_snapshot_release(call->snapshot);
    call->snapshot = NULL;
    return refused;
}
