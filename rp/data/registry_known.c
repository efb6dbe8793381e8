// The registries that requests of the last second were for.
#include "rp/data/registry_known.h"

#include "base/arena.h"
#include "base/clock.h"
#include "rp/data/access.h"

#include <pthread.h>

enum { SLOTS = 256, AGE_US = 1000000 };

// One registry a slot: the latest that was asked for stays.
static struct known {
    struct arena *arena; // what `registry` points to
    int64_t read_at;     // monotonic
    struct rbac_version version;
    struct registry registry;
} slots[SLOTS];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static struct known *slot_of(struct text login_key)
{
    uint32_t hash = 2166136261u; // FNV-1a
    for (size_t i = 0; i < login_key.length; i++)
        hash = (hash ^ (unsigned char)login_key.base[i]) * 16777619u;
    return &slots[hash % SLOTS];
}

// The host's first label; an upper case one is not known here.
static struct text login_key_of(const struct registry_call *call)
{
    struct text host = call->request->host;
    ptrdiff_t dot = text_find(host, '.');
    return dot < 0 ? host : text_slice(host, 0, (size_t)dot);
}

static struct registry copy_registry(struct arena *arena, const struct registry *from)
{
    struct registry to = *from;
    to.rid = text_copy(arena, from->rid);
    to.name = text_copy(arena, from->name);
    to.login_key = text_copy(arena, from->login_key);
    to.resource_id = text_copy(arena, from->resource_id);
    to.password = text_copy(arena, from->password);
    to.password2 = text_copy(arena, from->password2);
    return to;
}

void registry_remember(const struct registry_call *call)
{
    struct arena *arena = arena_new(), *old;
    struct known fresh = {arena, clock_monotonic(), call->version, copy_registry(arena, &call->registry)};
    struct known *slot = slot_of(call->registry.login_key);
    pthread_mutex_lock(&mutex);
    old = slot->arena;
    *slot = fresh;
    pthread_mutex_unlock(&mutex);
    if (old != NULL)
        arena_free(old);
}

void registry_forget(const struct registry_call *call)
{
    struct known *slot = slot_of(call->registry.login_key);
    pthread_mutex_lock(&mutex);
    slot->read_at = 0;
    pthread_mutex_unlock(&mutex);
}

bool registry_recall(struct registry_call *call)
{
    struct text login_key = login_key_of(call);
    struct known *slot = slot_of(login_key);
    pthread_mutex_lock(&mutex);
    bool known = slot->read_at != 0 && clock_monotonic() - slot->read_at < AGE_US &&
                 text_equal(slot->registry.login_key, login_key);
    if (known) {
        call->registry = copy_registry(call->arena, &slot->registry);
        call->version = slot->version;
    }
    pthread_mutex_unlock(&mutex);
    return known;
}

bool registry_admit_known(struct registry_call *call, enum registry_access access)
{
    struct db_transaction *tx = call->tx;
    if (!registry_recall(call))
        return false;
    call->snapshot = rbac_snapshot_try(&call->version);
    if (call->snapshot == NULL) {
        registry_forget(call);
        return false;
    }
    call->tx = NULL; // nothing is asked: what cannot be told from memory is told by registry_admit
    call->identity = (struct registry_identity){.kind = IDENTITY_NONE};
    bool may =
        registry_sign_in(call) == SIGN_IN_OK && registry_may(call, access) && registry_writable(call, access);
    rbac_snapshot_release(call->snapshot);
    call->snapshot = NULL;
    call->tx = tx;
    if (!may) {
        call->failed = false;
        http_answer_reset(call->answer);
    }
    return may;
}
