// The stamp: what all registries of the site together take, and may take. What is known of it is at most a
// second old, so a limit that the operator sets holds within a second everywhere.
#pragma once
#include "db/database.h"

#include <limits.h>

// Whether the last reading is less than a second old.
bool stamp_known(void);
// Reads anew when it is not fresh any more, or where `now` asks for it.
void stamp_read(struct db_transaction *tx, bool now);
// As of the last reading: bytes that pushes may still bring, less what open requests of this process hold.
// INT64_MAX where no limit is set; may be negative.
int64_t stamp_room(void);
int64_t stamp_maximum(void); // -1: none is set
// Counts bytes of open requests; negative: gives them back.
void stamp_hold(int64_t bytes);

// Bytes that were stored in this moment: they count without a new reading.
void stamp_add(int64_t bytes);

// What is stored, limit or not: what live manifests refer to, what waits for its first manifest, and what
// sessions hold.
struct stamp_state {
    int64_t maximum; // -1: none is set
    int64_t live, waiting, uploads;
};
bool stamp_state_read(struct db_transaction *tx, struct stamp_state *state);
