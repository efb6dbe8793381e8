// The reserved ids of this process: those to be granted, those that were, and those whose session has bytes.
#include "rp/data/upload_reserve.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/text.h"
#include "rp/data/store.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLOTS = 1024,
    BLOCK_LEAST = 16,
    BLOCK_MOST = 512,
    TRIES = 16,
    // What is granted is claimed within this time, or the longer way. Garbage rests longer (sweep.c).
    GRANT_US = 500000,
    KEPT_US = 1000000,
    // The sweep drops reservations after a day; ids in stock go long before.
    STOCK_US = 600 * 1000000,
};

enum slot_state { SLOT_FREE, SLOT_GRANTED, SLOT_CLAIMED, SLOT_KEPT };

// One session a slot, found by its id; where two meet, the older one keeps it and the other goes the longer
// way.
struct slot {
    enum slot_state state;
    char id[37];
    unsigned char caller[32];
    int64_t since; // granted, or kept
    int64_t registry_id;
    char *repository; // of a kept one
};

static struct {
    pthread_mutex_t mutex;
    char stock[2 * BLOCK_MOST][37], coming[BLOCK_MOST][37];
    size_t stocked, arriving, claimed, front;
    int64_t stocked_at;
    bool refilling;
    struct slot slots[SLOTS];
} reserve = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static struct slot *slot_of(const char *id)
{
    uint32_t hash = 2166136261u; // FNV-1a
    for (; *id; id++)
        hash = (hash ^ (unsigned char)*id) * 16777619u;
    return &reserve.slots[hash % SLOTS];
}

static void vacate(struct slot *slot)
{
    free(slot->repository);
    slot->repository = NULL;
    slot->state = SLOT_FREE;
}

// ---- granted, claimed, kept, forgotten

// Takes an id from the stock's end. One whose slot is another session's changes places with one from further
// in front, so that such ids do not gather where they are looked for.
static struct slot *take_stock(int64_t now, char id[37])
{
    for (int turn = 0; turn < TRIES && reserve.stocked > 0; turn++) {
        char *last = reserve.stock[reserve.stocked - 1],
             *front = reserve.stock[reserve.front++ % reserve.stocked];
        struct slot *slot = slot_of(last);
        if (slot->state == SLOT_GRANTED && now - slot->since > GRANT_US)
            vacate(slot);
        if (slot->state == SLOT_FREE) {
            memcpy(id, last, sizeof reserve.stock[0]);
            reserve.stocked--;
            return slot;
        }
        char taken[37];
        memcpy(taken, last, sizeof taken);
        memmove(last, front, sizeof taken);
        memcpy(front, taken, sizeof taken);
    }
    return NULL;
}

bool upload_reserve_grant(struct text authorization, char id[37])
{
    unsigned char caller[32];
    crypto_sha256(authorization, caller);
    int64_t now = clock_monotonic();
    pthread_mutex_lock(&reserve.mutex);
    if (reserve.stocked > 0 && now - reserve.stocked_at > STOCK_US)
        reserve.stocked = 0;
    struct slot *slot = take_stock(now, id);
    if (slot != NULL) {
        memcpy(slot->id, id, sizeof slot->id);
        memcpy(slot->caller, caller, sizeof slot->caller);
        slot->since = now;
        slot->state = SLOT_GRANTED;
    }
    pthread_mutex_unlock(&reserve.mutex);
    return slot != NULL;
}

int64_t upload_reserve_claim(const char *id, struct text authorization)
{
    unsigned char caller[32];
    crypto_sha256(authorization, caller);
    int64_t at = 0;
    pthread_mutex_lock(&reserve.mutex);
    struct slot *slot = slot_of(id);
    if (slot->state == SLOT_GRANTED && strcmp(slot->id, id) == 0 &&
        memcmp(slot->caller, caller, sizeof caller) == 0) {
        if (clock_monotonic() - slot->since < GRANT_US) {
            at = slot->since;
            slot->state = SLOT_CLAIMED;
            reserve.claimed++;
        } else {
            vacate(slot);
        }
    }
    pthread_mutex_unlock(&reserve.mutex);
    return at;
}

void upload_reserve_keep(const char *id, int64_t registry_id, struct text repository)
{
    pthread_mutex_lock(&reserve.mutex);
    struct slot *slot = slot_of(id);
    if (slot->state == SLOT_CLAIMED && strcmp(slot->id, id) == 0) {
        slot->state = SLOT_KEPT;
        slot->since = clock_monotonic();
        slot->registry_id = registry_id;
        slot->repository = xmalloc(repository.length + 1);
        memcpy(slot->repository, repository.base, repository.length);
        slot->repository[repository.length] = '\0';
    }
    pthread_mutex_unlock(&reserve.mutex);
}

bool upload_reserve_has(const char *id)
{
    pthread_mutex_lock(&reserve.mutex);
    const struct slot *slot = slot_of(id);
    bool has = slot->state == SLOT_KEPT && strcmp(slot->id, id) == 0;
    pthread_mutex_unlock(&reserve.mutex);
    return has;
}

void upload_reserve_forget(const char *id)
{
    pthread_mutex_lock(&reserve.mutex);
    struct slot *slot = slot_of(id);
    if (slot->state != SLOT_FREE && strcmp(slot->id, id) == 0)
        vacate(slot);
    pthread_mutex_unlock(&reserve.mutex);
}

// ---- more ids

bool upload_reserve_begin(void)
{
    pthread_mutex_lock(&reserve.mutex);
    size_t count = reserve.claimed * 2;
    count = count < BLOCK_LEAST ? BLOCK_LEAST : count > BLOCK_MOST ? BLOCK_MOST : count;
    bool wanted = !reserve.refilling && reserve.stocked <= count / 4;
    if (wanted) {
        reserve.refilling = true;
        reserve.claimed = 0;
        reserve.arriving = count;
        for (size_t i = 0; i < count; i++)
            store_new_id(reserve.coming[i]);
    }
    pthread_mutex_unlock(&reserve.mutex);
    return wanted;
}

static const struct db_statement reserve_make = {
    "upload_reserve_make",
    "insert into acr.upload_reserved (id) select i::uuid from json_array_elements_text($1::json) i"};

// `coming` is its caller's alone until upload_reserve_end.
bool upload_reserve_run(struct db_transaction *tx)
{
    struct buffer ids = buffer_new(db_arena(tx));
    json_begin_array(&ids);
    for (size_t i = 0; i < reserve.arriving; i++)
        json_text(&ids, text_of(reserve.coming[i]));
    json_end_array(&ids);
    DB_RUN(tx, &reserve_make, db_text(buffer_done(&ids)));
    return !db_failed(tx);
}

void upload_reserve_end(bool committed)
{
    pthread_mutex_lock(&reserve.mutex);
    if (committed) {
        // What is left goes first: it is taken from the end.
        memmove(reserve.stock[reserve.arriving], reserve.stock, reserve.stocked * sizeof reserve.stock[0]);
        memcpy(reserve.stock, reserve.coming, reserve.arriving * sizeof reserve.coming[0]);
        reserve.stocked += reserve.arriving;
        reserve.stocked_at = clock_monotonic();
    }
    reserve.refilling = false;
    pthread_mutex_unlock(&reserve.mutex);
}

// ---- rows for what stays

// A reservation that is gone was published, dropped, or got its row from a request of its own.
static const struct db_statement reserve_settle = {
    "upload_reserve_settle",
    "with k as (select id, registry_id, repository from json_to_recordset($1::json)"
    " as k (id uuid, registry_id bigint, repository text)),"
    " gone as (delete from acr.upload_reserved r using k where r.id = k.id"
    " returning k.id, k.registry_id, k.repository),"
    // Of a registry that was deleted meanwhile nobody would take it away for a day.
    " lost as (insert into acr.garbage (file) select g.id from gone g"
    " where not exists (select 1 from acr.registry r where r.id = g.registry_id) on conflict (file) do "
    "nothing)"
    " insert into acr.upload (id, registry_id, repository) select g.id, g.registry_id, g.repository from "
    "gone g"
    " where exists (select 1 from acr.registry r where r.id = g.registry_id) on conflict (id) do nothing"};

static bool settle_run(struct db_transaction *tx, void *argument)
{
    DB_RUN(tx, &reserve_settle, db_text(*(const struct text *)argument));
    return true;
}

void upload_reserve_write(struct db_connection *connection)
{
    struct arena *arena = arena_new();
    struct buffer kept = buffer_new(arena);
    int64_t due = clock_monotonic() - KEPT_US;
    size_t count = 0;
    json_begin_array(&kept);
    pthread_mutex_lock(&reserve.mutex);
    for (struct slot *slot = reserve.slots; slot < reserve.slots + SLOTS; slot++) {
        if (slot->state != SLOT_KEPT || slot->since > due)
            continue;
        json_begin_object(&kept);
        json_key_string(&kept, "id", slot->id);
        json_key_int(&kept, "registry_id", slot->registry_id);
        json_key_string(&kept, "repository", slot->repository);
        json_end_object(&kept);
        vacate(slot);
        count++;
    }
    pthread_mutex_unlock(&reserve.mutex);
    json_end_array(&kept);
    struct text rows = buffer_done(&kept);
    // What fails here keeps its reservation for a day, and gets its row from its next request.
    if (count > 0)
        db_act(connection, settle_run, &rows);
    arena_free(arena);
}
