// How much a registry may still take: its quota, and the stamp's limit. Uploads and blobs that wait for their
// manifest are bounded softly: by sums at most a second old and by what this process's open requests hold;
// manifests are bounded exactly, under the usage lock. What is refused for is read anew first.
#pragma once
#include "db/database.h"

// Sessions with a body, of one registry. Each has a file, however small.
enum { UPLOAD_SESSIONS_MAX = 10000 };

struct upload_limit; // one registry's, for the life of the process

// Reads what is stored when the last reading is older than half a second, or leaves less room than `needed`.
// Never NULL.
struct upload_limit *upload_limit_read(struct db_transaction *tx, int64_t registry_id, int64_t quota,
                                       int64_t needed);
// Reads anew whatever is known, the quota too, unless somebody did meanwhile.
void upload_limit_renew(struct db_transaction *tx, struct upload_limit *limit);
// NULL when the last reading is older than a second, was of another quota, or found as many sessions as may
// be.
struct upload_limit *upload_limit_known(int64_t registry_id, int64_t quota);
// True for one request each half second: it is to go the way that reads anew, before the reading is void for
// everybody.
bool upload_limit_is_due(struct upload_limit *limit);
// Whether it had as many sessions as may be: a new one is refused. Softly, as bytes are.
bool upload_limit_crowded(const struct upload_limit *limit);
// Counts bytes of an open request. False, having counted nothing, beyond the limit.
bool upload_limit_take(struct upload_limit *limit, int64_t bytes);
void upload_limit_give(struct upload_limit *limit, int64_t bytes);
// Bytes that were stored in this moment: they count without a new reading.
void upload_limit_add(int64_t registry_id, int64_t bytes);
// What could still be taken now; may be negative.
int64_t upload_limit_room(const struct upload_limit *limit);
// Which of the two is the narrower one now, and how many bytes it is.
struct upload_bound {
    bool stamp; // the site's; else the registry's
    int64_t bytes;
};
struct upload_bound upload_limit_bound(const struct upload_limit *limit);
