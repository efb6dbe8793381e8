// Changes of what a registry holds that several routes share: the usage mutex, repositories, links, deletes.
#pragma once
#include "db/job.h"
#include "rp/data/call.h"

// The registry's reference mutex: `select … for no key update` on acr.registry_usage, a statement of its own.
void usage_lock(struct db_transaction *tx, int64_t registry_id);
// live_bytes += change under the lock; false when it would pass `limit` (a negative change always goes).
bool usage_change(struct db_transaction *tx, int64_t registry_id, int64_t change, int64_t limit);
int64_t usage_bytes(struct db_transaction *tx, int64_t registry_id);

// The live repository's row id, made when absent (`create`) and locked for key share; 0 when there is none.
// Who creates holds the registry's row already (the door does, for every write).
int64_t repository_find(struct db_transaction *tx, int64_t registry_id, struct text name, bool create);

// The bytes that only this manifest makes live, or would: its own, and those of blobs that no other live
// manifest of the registry refers to. The mutex is held. *repository_id is 0 where there is no such manifest.
int64_t manifest_weight(struct db_transaction *tx, int64_t manifest_id, int64_t *repository_id);
// Deletes one manifest with its tags, counts and usage; the mutex is held. Its rows go, or are kept hidden
// where the operator set a retention (retention.h).
void manifest_remove(struct db_transaction *tx, int64_t registry_id, int64_t manifest_id);

// Registry deletion, called by the resource provider in the transaction that deletes the row: the content
// goes by a job.
void registry_content_drop(struct db_transaction *tx, int64_t registry_id);

// The jobs behind both deletions, a few hundred rows a step.
enum job_verdict content_remove_repository(struct db_transaction *tx,
                                           struct job_step *step); // acr.repository.remove
enum job_verdict content_remove_registry(struct db_transaction *tx,
                                         struct job_step *step); // acr.registry.remove
extern const struct job_kind content_job_kinds[];                // ended by a row whose name is NULL
