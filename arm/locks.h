// Management locks (arm-core 2.5): what holds a write back. The type with its handlers is in locks.c.
//
// Who writes holds its subscription's locks shared from the first statement to the commit; who changes a lock
// holds them alone. So a lock that is there is seen by every write that commits after it, and the RBAC
// snapshot, which knows the locks, is asked once more at the end of a write (door.c).
#pragma once
#include "arm/call.h"

enum arm_lock_verb { ARM_LOCK_WRITE, ARM_LOCK_DELETE };

// The first statement of a transaction that writes in a subscription: the RBAC version, with the locks held.
// Absent subscription: the version alone.
bool arm_locks_enter(struct db_transaction *tx, struct text subscription_id, struct rbac_version *version);
// The arguments of pg_advisory_xact_lock_shared, for a first statement that asks for more.
#define ARM_LOCKS_KEY(subscription) "7305, hashtext(" subscription ")"
// Before a lock changes, or a registration goes: every write that began before is over. Not for who entered.
void arm_locks_alone(struct db_transaction *tx, struct text subscription_id);
// Until the transaction's end neither changes. For who writes in another subscription besides.
void arm_locks_hold(struct db_transaction *tx, struct text subscription_id);

// Whether the call is one that locks may hold back.
bool arm_locks_matter(const struct arm_call *call);
// The door's gate. False after 409 ScopeLocked.
bool door_locks(struct arm_call *call);
// The same for another scope than the call's: what an operation changes besides (a move's resources and
// target). `target` is what the sentence names.
bool arm_locks_allow(struct arm_call *call, struct text target, enum arm_lock_verb verb);

// For jobs that delete: the locked scopes at, above and below `scope`, with commas; absent when there are
// none. Holds the subscription's locks until the step's commit. The message to end with is
// arm_locks_message.
struct text arm_locks_against_delete(struct db_transaction *tx, struct arena *arena,
                                     struct text subscription_id, struct text scope);
// The same for jobs that write at `scope`: the read-only scopes at and above it.
struct text arm_locks_against_write(struct db_transaction *tx, struct arena *arena,
                                    struct text subscription_id, struct text scope);
struct text arm_locks_message(struct arena *arena, struct text target, enum arm_lock_verb verb,
                              struct text locked);
