// How much a registry may still take. Uploads and unreferenced blobs are bounded softly: by a sum at most a
// second old and by what this process's open requests hold; manifests are bounded exactly, under the usage
// lock.
#pragma once
#include "db/database.h"

struct upload_limit; // one registry's, for the life of the process

// Reads what is stored when the last reading is older than a second. Never NULL.
struct upload_limit *upload_limit_read(struct db_transaction *tx, int64_t registry_id, int64_t quota);
// NULL when the last reading is older than that.
struct upload_limit *upload_limit_known(int64_t registry_id, int64_t quota);
// Counts bytes of an open request (negative: gives them back). False, having counted nothing, beyond the
// quota.
bool upload_limit_take(struct upload_limit *limit, int64_t bytes);
void upload_limit_give(struct upload_limit *limit, int64_t bytes);
int64_t upload_limit_quota(const struct upload_limit *limit);
// What could still be taken now; may be negative.
int64_t upload_limit_room(const struct upload_limit *limit);
