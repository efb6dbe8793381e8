// The operator's retention of untagged manifests: without one they are kept, as the service does.
#pragma once
#include "db/database.h"

// Looks at the next few manifests behind the id *after and deletes those that have had no tag for so long,
// and that nothing needs and nobody locked. False when there are no further ones: *after is 0 again.
bool untagged_walk(struct db_connection *connection, int64_t older_than_ms, int64_t *after);
