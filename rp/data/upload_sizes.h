// What sessions hold between their requests, written to their rows once a second in one statement: so that
// idle sessions count against the limits on every replica, and no request waits for that.
#pragma once
#include "db/database.h"

// After a request that leaves its session with bytes. Cheap; small ones are not worth a row's change.
void upload_size_note(const char *id, int64_t size);
// Of a session whose bytes a request counts as its own from now on; it notes them again at its end.
void upload_size_forget(const char *id);
// Writes what was noted so long ago or longer: a session whose id was reserved has no row in its first second
// (upload_reserve.h).
void upload_sizes_write(struct db_connection *connection, int64_t older_than_us);
