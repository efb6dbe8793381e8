// When old events and untagged manifests are looked for. Replicas may do the same beside each other: it is
// done once.
#include "rp/data/janitor.h"

#include "base/clock.h"
#include "base/site.h"
#include "rp/data/event.h"
#include "rp/data/untagged.h"

static const int64_t SECOND = 1000000, DAY_MS = 24 * 3600 * 1000LL;
enum {
    EVENTS_EVERY = 60,      // seconds
    EVENT_ROWS = 1000000,   // about 300 bytes each
    EVENT_BATCHES = 20,     // in one turn
    WALK_EVERY = 3600,      // seconds from the end of one walk to the next
    WALK_STEPS_A_TURN = 10, // a turn comes each second
};

static bool forget(struct db_transaction *tx, void *argument)
{
    *(size_t *)argument = event_forget(tx, DAY_MS, EVENT_ROWS);
    return true;
}

static void forget_events(struct janitor *janitor, struct db_connection *connection)
{
    if (clock_monotonic() < janitor->events_due)
        return;
    size_t gone = 1;
    for (int batch = 0; gone > 0 && batch < EVENT_BATCHES; batch++)
        if (db_transact(connection, forget, &gone) != DB_COMMITTED)
            gone = 0;
    if (gone == 0)
        janitor->events_due = clock_monotonic() + EVENTS_EVERY * SECOND;
}

static void remove_untagged(struct janitor *janitor, struct db_connection *connection)
{
    int64_t days = site()->config->untagged_retention;
    if (days <= 0 || clock_monotonic() < janitor->walk_due)
        return;
    bool more = true;
    for (int step = 0; more && step < WALK_STEPS_A_TURN; step++)
        more = untagged_walk(connection, days * DAY_MS, &janitor->walked);
    if (!more)
        janitor->walk_due = clock_monotonic() + WALK_EVERY * SECOND;
}

void janitor_turn(struct janitor *janitor, struct db_connection *connection)
{
    forget_events(janitor, connection);
    remove_untagged(janitor, connection);
}
