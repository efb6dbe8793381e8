// The registries that requests of the last second were for.
#include "rp/data/registry_known.h"

#include "base/arena.h"
#include "base/clock.h"
#include "rp/data/access.h"
#include "rp/data/registry_row.h"

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
    struct known fresh = {.arena = arena,
                          .read_at = clock_monotonic(),
                          .version = call->version,
                          .registry = copy_registry(arena, &call->registry)};
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

void registry_reaffirm(const struct registry_call *call)
{
    struct known *slot = slot_of(call->registry.login_key);
    pthread_mutex_lock(&mutex);
    if (slot->read_at != 0 && slot->registry.id == call->registry.id) {
        slot->read_at = clock_monotonic();
        slot->version = call->version;
    }
    pthread_mutex_unlock(&mutex);
}

enum known_column {
    KNOWN_ID = 2,
    KNOWN_ADMIN_ENABLED,
    KNOWN_STAMP,
    KNOWN_STAMP2,
    KNOWN_GROUP,
    KNOWN_QUOTA,
    KNOWN_END,
};
_Static_assert((int)KNOWN_END == (int)REGISTRY_KNOWN_COLUMN_COUNT, "REGISTRY_KNOWN_COLUMNS and its reader");

bool registry_is_as_recalled(const struct registry_call *call, const struct db_result *row)
{
    const struct registry *registry = &call->registry;
    return db_rows(row) == 1 && !db_is_null(row, 0, KNOWN_ID) && !db_is_null(row, 0, KNOWN_GROUP) &&
           db_get_int(row, 0, KNOWN_ID) == registry->id &&
           db_get_bool(row, 0, KNOWN_ADMIN_ENABLED) == registry->admin_enabled &&
           db_get_int(row, 0, KNOWN_STAMP) == registry->password_stamp &&
           db_get_int(row, 0, KNOWN_STAMP2) == registry->password2_stamp &&
           db_get_int(row, 0, KNOWN_GROUP) == registry->group_id &&
           (db_is_null(row, 0, KNOWN_QUOTA) ? site()->config->registry_quota
                                            : db_get_int(row, 0, KNOWN_QUOTA)) == registry->quota;
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
