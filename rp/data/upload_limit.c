// The registries' limits as the receiver knows them.
#include "rp/data/upload_limit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "rp/data/content.h"

#include <pthread.h>
#include <stdatomic.h>

enum { BUCKETS = 256, READING_AGE_US = 1000000 };

struct upload_limit {
    struct upload_limit *next;
    int64_t registry_id;
    _Atomic int64_t quota, stored, held;
    _Atomic int64_t read_at; // monotonic; 0: never
};

static struct upload_limit *buckets[BUCKETS];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static const struct db_statement unreferenced_statement = {
    "upload_unreferenced_bytes", "select coalesce(sum(size), 0)::bigint from acr.blob"
                                 " where registry_id = $1 and not referenced"};

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
        limit->next = *bucket;
        *bucket = limit;
    }
    pthread_mutex_unlock(&mutex);
    return limit;
}

struct upload_limit *upload_limit_known(int64_t registry_id, int64_t quota)
{
    struct upload_limit *limit = limit_of(registry_id);
    int64_t read_at = atomic_load(&limit->read_at);
    atomic_store(&limit->quota, quota);
    return read_at != 0 && clock_monotonic() - read_at < READING_AGE_US ? limit : NULL;
}

struct upload_limit *upload_limit_read(struct db_transaction *tx, int64_t registry_id, int64_t quota)
{
    struct upload_limit *limit = upload_limit_known(registry_id, quota);
    if (limit != NULL)
        return limit;
    limit = limit_of(registry_id);
    int64_t live = usage_bytes(tx, registry_id);
    const struct db_result *result = DB_RUN(tx, &unreferenced_statement, db_int(registry_id));
    if (db_rows(result) == 1) {
        atomic_store(&limit->stored, live + db_get_int(result, 0, 0));
        atomic_store(&limit->read_at, clock_monotonic());
    }
    return limit;
}

int64_t upload_limit_room(const struct upload_limit *limit)
{
    return atomic_load(&limit->quota) - atomic_load(&limit->stored) - atomic_load(&limit->held);
}

bool upload_limit_take(struct upload_limit *limit, int64_t bytes)
{
    atomic_fetch_add(&limit->held, bytes);
    if (bytes <= 0 || upload_limit_room(limit) >= 0)
        return true;
    atomic_fetch_sub(&limit->held, bytes);
    return false;
}

void upload_limit_give(struct upload_limit *limit, int64_t bytes)
{
    atomic_fetch_sub(&limit->held, bytes);
}

int64_t upload_limit_quota(const struct upload_limit *limit)
{
    return atomic_load(&limit->quota);
}
