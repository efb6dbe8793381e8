// Work of the data plane that waits for its time: old events go, untagged manifests where a retention is set.
#pragma once
#include "db/database.h"

// Zero at first; on the monotonic clock, in microseconds.
struct janitor {
    int64_t events_due, walk_due;
    int64_t walked; // the id behind which the walk over manifests goes on
};
// What is due now, a bounded piece of it; called again and again by the sweep's thread.
void janitor_turn(struct janitor *janitor, struct db_connection *connection);
