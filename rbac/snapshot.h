// The snapshot that decides in process, and the version that proves it current (docs/architecture.md).
#pragma once
#include "base/text.h"
#include "db/database.h"

#include <stdbool.h>
#include <stdint.h>

struct arena;
struct rbac_key; // rbac/keys.h

// One row of the database. Every deciding statement selects it with its own row:
//   select v.number, v.stamp, … from rbac.version v left join … on true
struct rbac_version {
    int64_t number;
    char stamp[37];
};
#define RBAC_VERSION_COLUMNS "v.number, v.stamp"
// From columns 0 and 1 of the first row. False when there is no row.
bool rbac_version_of(const struct db_result *result, struct rbac_version *version);
// A plain select of its own.
bool rbac_version_read(struct db_transaction *tx, struct rbac_version *version);
// The same for a write that has notes, after its last statement: nobody moves the version from here to the
// commit, so whoever decides again with this one cannot be overtaken. Only the hook's statement and reads may
// follow (lock order).
bool rbac_version_lock(struct db_transaction *tx, struct rbac_version *version);
// For writes without notes, after their last statement that can wait: false, having asked for another run,
// when the version they decided with (db_context) is no longer the current one. True without a context.
bool rbac_still_current(struct db_transaction *tx);
// The same without a round trip: the commit itself proves it, or the transaction is run again. False where
// that is not possible (db_defer; notes, or no context): then decide again as above.
bool rbac_prove_at_commit(struct db_transaction *tx);
// The same as a column of a deferred statement of one's own, after the last that can wait; the parameter
// `stamp` is what rbac_stamp_to_prove gives, NULL where that is not possible.
#define RBAC_PROOF(stamp)                                                                                    \
    "case when (select v.stamp from rbac.version v) = " stamp " then 0 else azsacr.again() end"
const char *rbac_stamp_to_prove(const struct db_transaction *tx);
// The same with the version locked: for writes whose check spans rows that others change
// (the last Owner, a name used once). Only the hook's statement and reads may follow it (lock order).
bool rbac_version_hold(struct db_transaction *tx);

struct rbac_snapshot; // immutable, counted

// Opens the snapshot's own connection and loads the first one in the background. Installs db's commit hook:
// a transaction with notes raises the version, with the deltas, as its last statement, and runs again when
// the version it decided with (db_context: a struct rbac_version) is no longer the current one.
void rbac_snapshot_start(const struct db_target *target);
// The commit hook alone, for commands that change rows in a process of their own. rbac_snapshot_start calls
// it.
void rbac_install_hook(void);
void rbac_snapshot_stop(void);
// The snapshot of exactly that version, or NULL when ours is another; never waits. Release it.
const struct rbac_snapshot *rbac_snapshot_try(const struct rbac_version *version);
// Catches up first, one catch-up at a time; NULL after `limit_ms`. A snapshot loaded in a transaction that
// began after the version's answer arrived may decide too, and is what this gives when versions move on
// meanwhile.
const struct rbac_snapshot *rbac_snapshot_wait(const struct rbac_version *version, unsigned limit_ms);
// The one at hand, however old, or NULL before the first; never waits. For what grants nothing (whose bucket
// a request is taken from). Release it.
const struct rbac_snapshot *rbac_snapshot_at_hand(void);
void rbac_snapshot_release(const struct rbac_snapshot *snapshot);
const struct rbac_version *rbac_snapshot_version(const struct rbac_snapshot *snapshot);

// Notes a change of rows the snapshot holds; kinds: "assignment" (key "scope_key id"), "definition",
// "principal", "key", "subscription", "lock" (key scope_key). Every handler that changes such rows calls it
// in the same transaction.
void rbac_changed(struct db_transaction *tx, const char *kind, struct text key);

// What the snapshot holds. All borrowed from it.
struct rbac_principal {
    char object_id[37], tenant_id[37];
    bool user; // else a service principal
    bool enabled;
    const char *name; // upn, or app id
    const char *display_name;
    const char *app_id; // "" for users
    int64_t stamp;
};
// NULL: none (never "allow").
const struct rbac_principal *rbac_principal_by_id(const struct rbac_snapshot *snapshot,
                                                  struct text object_id);
// By upn (any case) or app id.
const struct rbac_principal *rbac_principal_by_name(const struct rbac_snapshot *snapshot, struct text name);

struct rbac_subscription {
    char subscription_id[37], tenant_id[37];
    bool enabled, operator_owned;
};
const struct rbac_subscription *rbac_subscription_by_id(const struct rbac_snapshot *snapshot, struct text id);
size_t rbac_subscription_count(const struct rbac_snapshot *snapshot);
const struct rbac_subscription *rbac_subscription_at(const struct rbac_snapshot *snapshot, size_t index);

// Verification or signing keys. kid NULL: the newest that signs for that use ("sign-in", "registry").
const struct rbac_key *rbac_key_find(const struct rbac_snapshot *snapshot, const char *use, const char *kid);
size_t rbac_key_count(const struct rbac_snapshot *snapshot);
const struct rbac_key *rbac_key_at(const struct rbac_snapshot *snapshot, size_t index);

// Management locks (arm-core 2.5), for arm's gate. `scope` of any case, without a trailing slash.
struct rbac_lock {
    struct text scope; // as its lock's id has it; absent: only something below is locked
    bool read_only;    // some lock here is ReadOnly; else CanNotDelete
    size_t below;      // how many locked scopes lie below this one
};
bool rbac_any_lock(const struct rbac_snapshot *snapshot);
// What is locked at exactly that scope and how much below it; NULL: nothing.
const struct rbac_lock *rbac_lock_at(const struct rbac_snapshot *snapshot, struct text scope);

// The decision (arm-core 3.1). `scope` in any case, "/subscriptions/…" or "/"; groups of external tokens
// later.
bool rbac_may(const struct rbac_snapshot *snapshot, const char *object_id, const char *action,
              struct text scope);
// Whether a pattern of a role ("Microsoft.ContainerRegistry/*/read", in any case) covers the action.
bool rbac_action_matches(struct text pattern, struct text action);
// Whether the principal has any assignment at, above or below that scope (what lists of subscriptions show).
bool rbac_has_any(const struct rbac_snapshot *snapshot, const char *object_id, struct text scope);
