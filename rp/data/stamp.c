// The stamp's limit and what counts against it, as this process knows them.
#include "rp/data/stamp.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdatomic.h>

// Read anew before it is too old for those who do not read (upload_limit_known): with each reading of a
// registry's limit, which comes every half second where somebody pushes.
enum { READING_AGE_US = 1000000, RENEWAL_US = READING_AGE_US / 4 };

static struct {
    _Atomic int64_t maximum, stored, held;
    _Atomic int64_t read_at; // monotonic; 0: never
} stamp = {.maximum = -1};

#define LIVE "(select coalesce(sum(u.live_bytes), 0)::bigint from acr.registry_usage u)"
#define WAITING                                                                                              \
    "(select coalesce(sum(b.size), 0)::bigint from acr.blob b where not b.referenced and not "               \
    "b.ever_referenced)"
#define UPLOADS "(select coalesce(sum(u.size), 0)::bigint from acr.upload u)"
// Nothing is summed where nothing limits it.
static const struct db_statement reading_statement = {
    "stamp_reading", "select s.maximum_bytes, case when s.maximum_bytes is not null then " LIVE " + " WAITING
                     " + " UPLOADS " end from acr.stamp s where s.\"only\""};
static const struct db_statement state_statement = {"stamp_state",
                                                    "select s.maximum_bytes, " LIVE ", " WAITING ", " UPLOADS
                                                    " from acr.stamp s where s.\"only\""};

static bool is_younger(int64_t age)
{
    int64_t read_at = atomic_load(&stamp.read_at);
    return read_at != 0 && clock_monotonic() - read_at < age;
}

bool stamp_known(void)
{
    return is_younger(READING_AGE_US);
}

static void take_reading(struct db_transaction *tx)
{
    int64_t began = clock_monotonic();
    const struct db_result *row = DB_RUN0(tx, &reading_statement);
    if (db_rows(row) == 0)
        return;
    atomic_store(&stamp.stored, db_get_int(row, 0, 1));
    atomic_store(&stamp.maximum, db_is_null(row, 0, 0) ? -1 : db_get_int(row, 0, 0));
    atomic_store(&stamp.read_at, began);
}

void stamp_read(struct db_transaction *tx, bool now)
{
    static pthread_mutex_t reading = PTHREAD_MUTEX_INITIALIZER;
    int64_t asked = clock_monotonic();
    if (!now && is_younger(RENEWAL_US))
        return;
    if (now || !stamp_known())
        pthread_mutex_lock(&reading);
    else if (pthread_mutex_trylock(&reading) != 0)
        return; // somebody is at it, and what is known still counts
    if (atomic_load(&stamp.read_at) <= asked && (now || !is_younger(RENEWAL_US)))
        take_reading(tx);
    pthread_mutex_unlock(&reading);
}

int64_t stamp_room(void)
{
    int64_t maximum = atomic_load(&stamp.maximum);
    if (maximum < 0)
        return INT64_MAX;
    return maximum - atomic_load(&stamp.stored) - atomic_load(&stamp.held);
}

int64_t stamp_maximum(void)
{
    return atomic_load(&stamp.maximum);
}

void stamp_hold(int64_t bytes)
{
    atomic_fetch_add(&stamp.held, bytes);
}

void stamp_add(int64_t bytes)
{
    atomic_fetch_add(&stamp.stored, bytes);
}

bool stamp_state_read(struct db_transaction *tx, struct stamp_state *state)
{
    const struct db_result *row = DB_RUN0(tx, &state_statement);
    if (db_rows(row) == 0)
        return false;
    *state = (struct stamp_state){.maximum = db_is_null(row, 0, 0) ? -1 : db_get_int(row, 0, 0),
                                  .live = db_get_int(row, 0, 1),
                                  .waiting = db_get_int(row, 0, 2),
                                  .uploads = db_get_int(row, 0, 3)};
    return true;
}
