// The registries' limits as the receiver knows them.
#include "rp/data/upload_limit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/site.h"
#include "rp/data/registry_row.h"
#include "rp/data/stamp.h"

#include <pthread.h>
#include <stdatomic.h>

// A reading counts for a second. Before that is over, one request at a time takes a new one, while the others
// go on with what is known: else all who push would sum up the registry at once, every second.
enum { BUCKETS = 256, READING_AGE_US = 1000000, RENEWAL_US = READING_AGE_US / 2 };

struct upload_limit {
    struct upload_limit *next;
    int64_t registry_id;
    _Atomic int64_t quota, stored, held, sessions;
    _Atomic int64_t read_at;    // monotonic; 0: never
    _Atomic int64_t renewed_at; // when somebody was last sent to read anew
    pthread_mutex_t reading;
};

static struct upload_limit *buckets[BUCKETS];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

// What live manifests refer to, what waits for its first manifest, and what sessions hold. What a manifest
// let go is on its way out and does not count: a client that deletes may push at once.
static const struct db_statement stored_statement = {
    "upload_stored_bytes",
    "select coalesce((select u.live_bytes from acr.registry_usage u where u.registry_id = $1), 0)"
    " + (select coalesce(sum(b.size), 0)::bigint from acr.blob b"
    "   where b.registry_id = $1 and not b.referenced and not b.ever_referenced)"
    " + s.bytes, s.sessions, (select " REGISTRY_QUOTA
    " from acr.registry r join arm.resource e on e.id = r.id"
    "  where r.id = $1) from (select coalesce(sum(u.size), 0)::bigint as bytes, count(*) as sessions"
    "  from acr.upload u where u.registry_id = $1) s"};

static struct upload_limit *limit_of(int64_t registry_id)
{
    struct upload_limit **bucket = &buckets[(uint64_t)registry_id % BUCKETS];
    pthread_mutex_lock(&mutex);
    struct upload_limit *limit = *bucket;
    while (limit != NULL && limit->registry_id != registry_id)
        limit = limit->next;
    if (limit == NULL) {
        limit = xcalloc(1, sizeof *limit);
        limit->registry_id = registry_id;
        pthread_mutex_init(&limit->reading, NULL);
        limit->next = *bucket;
        *bucket = limit;
    }
    pthread_mutex_unlock(&mutex);
    return limit;
}

static bool is_younger(const struct upload_limit *limit, int64_t age)
{
    int64_t read_at = atomic_load(&limit->read_at);
    return read_at != 0 && clock_monotonic() - read_at < age;
}

bool upload_limit_is_due(struct upload_limit *limit)
{
    int64_t now = clock_monotonic(), last = atomic_load(&limit->renewed_at);
    return !is_younger(limit, RENEWAL_US) && now - last >= RENEWAL_US &&
           atomic_compare_exchange_strong(&limit->renewed_at, &last, now);
}

bool upload_limit_crowded(const struct upload_limit *limit)
{
    return atomic_load(&limit->sessions) >= UPLOAD_SESSIONS_MAX;
}

struct upload_limit *upload_limit_known(int64_t registry_id, int64_t quota)
{
    struct upload_limit *limit = limit_of(registry_id);
    bool known = is_younger(limit, READING_AGE_US) && atomic_load(&limit->quota) == quota && stamp_known();
    return known && !upload_limit_crowded(limit) ? limit : NULL;
}

static int64_t registry_room(const struct upload_limit *limit)
{
    return atomic_load(&limit->quota) - atomic_load(&limit->stored) - atomic_load(&limit->held);
}

// Whether what is known does not do for a request that needs so many bytes.
static bool is_void(const struct upload_limit *limit, int64_t age, int64_t needed)
{
    return !is_younger(limit, age) || registry_room(limit) < needed || upload_limit_crowded(limit);
}

// One at a time. Whoever can go on with what is known does; whoever has to wait takes what the others read
// meanwhile, where that does.
static void read_stored(struct db_transaction *tx, struct upload_limit *limit, int64_t needed)
{
    int64_t asked = clock_monotonic();
    if (is_void(limit, READING_AGE_US, needed))
        pthread_mutex_lock(&limit->reading);
    else if (pthread_mutex_trylock(&limit->reading) != 0)
        return;
    if (is_void(limit, RENEWAL_US, needed) && atomic_load(&limit->read_at) <= asked) {
        int64_t began = clock_monotonic();
        const struct db_result *row = DB_RUN(tx, &stored_statement, db_int(limit->registry_id));
        if (db_rows(row) == 1) {
            atomic_store(&limit->stored, db_get_int(row, 0, 0));
            atomic_store(&limit->sessions, db_get_int(row, 0, 1));
            atomic_store(&limit->quota,
                         db_is_null(row, 0, 2) ? site()->config->registry_quota : db_get_int(row, 0, 2));
            atomic_store(&limit->read_at, began);
        }
    }
    pthread_mutex_unlock(&limit->reading);
}

struct upload_limit *upload_limit_read(struct db_transaction *tx, int64_t registry_id, int64_t quota,
                                       int64_t needed)
{
    struct upload_limit *limit = limit_of(registry_id);
    atomic_store(&limit->quota, quota);
    if (is_void(limit, RENEWAL_US, needed))
        read_stored(tx, limit, needed);
    stamp_read(tx, stamp_room() < needed);
    return limit;
}

void upload_limit_renew(struct db_transaction *tx, struct upload_limit *limit)
{
    read_stored(tx, limit, INT64_MAX);
    stamp_read(tx, true);
}

int64_t upload_limit_room(const struct upload_limit *limit)
{
    int64_t own = registry_room(limit), all = stamp_room();
    return own < all ? own : all;
}

bool upload_limit_take(struct upload_limit *limit, int64_t bytes)
{
    atomic_fetch_add(&limit->held, bytes);
    stamp_hold(bytes);
    if (bytes <= 0 || upload_limit_room(limit) >= 0)
        return true;
    upload_limit_give(limit, bytes);
    return false;
}

void upload_limit_give(struct upload_limit *limit, int64_t bytes)
{
    atomic_fetch_sub(&limit->held, bytes);
    stamp_hold(-bytes);
}

void upload_limit_add(int64_t registry_id, int64_t bytes)
{
    atomic_fetch_add(&limit_of(registry_id)->stored, bytes);
    stamp_add(bytes);
}

struct upload_bound upload_limit_bound(const struct upload_limit *limit)
{
    if (stamp_room() < registry_room(limit))
        return (struct upload_bound){true, stamp_maximum()};
    return (struct upload_bound){false, atomic_load(&limit->quota)};
}
