// What was deleted and is kept for `azsacrd recover`, where the operator set a retention. A deleted
// repository is a row with `deleted_at` that nobody sees; as long as it is `kept`, its manifests, and by them
// its blobs, stay. A manifest that is deleted lies in such a repository of its own, of the name that it had.
#pragma once
#include "db/database.h"

// How long what is deleted now is kept; 0: not at all, as below the low-water mark.
int64_t retention_ms(void);
// A repository is deleted: invisible from the commit on; its rows are kept, or go by a job at once.
void repository_retire(struct db_transaction *tx, int64_t repository_id);
// Hides the manifest with its tags, whose number is returned. Counts and usage are the caller's.
size_t manifest_keep(struct db_transaction *tx, int64_t manifest_id);
// Moves the manifest between a hidden repository and the live one of its name, with those of its tags whose
// names are free there; their number. Counts and usage are the caller's.
size_t manifest_move(struct db_transaction *tx, int64_t manifest_id, int64_t repository_id);
// Hands repositories that were deleted so long ago to the job that removes them, at most `limit`; how many.
size_t retention_end(struct db_transaction *tx, int64_t older_than_ms, int64_t limit);

// What can be recovered. `name` may be absent: all of the registry's; `registry` too: all.
struct text retention_list(struct db_transaction *tx, struct arena *arena, struct text registry,
                           struct text name); // a JSON array, the latest deletion first
// Brings back what was deleted from that repository: all of it, or the manifest of a digest or of a tag, with
// those that it lists. What is there already stays as it is, and a tag that is in use again stays where it
// is.
struct recovered {
    int64_t manifests, tags;
    int64_t present, tags_taken; // were there already
    int64_t bytes;               // by which usage rises
    const char *why;             // NULL, or why nothing was done: roll back
};
struct recovered retention_restore(struct db_transaction *tx, struct arena *arena, struct text registry,
                                   struct text name, struct text reference, int64_t default_quota);
