// The activity log (arm-core 2.7): every write that Resource Manager was asked for, with who asked and how it
// ended. A write that succeeds is recorded in its own transaction, so the log neither misses a committed
// write nor tells of one that did not happen; a refusal is recorded after the answer's decision, as well as
// possible.
#pragma once
#include "arm/call.h"
#include "db/database.h"

// Whether the log is about calls of this kind: PUT, PATCH, DELETE, and POST of everything but what only reads
// (ARM_READ_COUNT).
bool activity_concerns(const struct arm_call *call);
// In the write's transaction, after its handler: the row, and in the same statement the RBAC version of that
// moment, which the door needs next. False when the statement failed. Where the handler set call->goes_on,
// the row is the begin alone; the job's end is recorded by the database when the job's state becomes final.
bool activity_record(struct arm_call *call, struct rbac_version *now);
// The same in one round trip with the commit; the statement itself proves that the version is still the one
// that decided (rbac_stamp_to_prove). False: not possible now.
bool activity_record_at_commit(struct arm_call *call);
// After a call that failed: recorded by a thread, soon. Never waits; when too much is waiting, the refusal is
// counted in the log of the service and not recorded.
void activity_record_refusal(const struct arm_call *call);

// The thread that records refusals, makes the table's partitions and drops those older than
// config->activity_retention days. Stop it after the last call has ended.
void activity_start(const struct db_target *target);
void activity_stop(void);

// A request's body as the log may show it: JSON without the values of members that hold secrets by their name
// (passwords, tokens, keys, protectedSettings, …), of parameters that are secure or not known to be plain,
// and without values that are secrets by their form (bearer tokens, signed URLs, URLs with a password). A
// body that is too large is replaced by its size. Absent for NULL.
struct text activity_redact(struct arena *arena, const json_t *body);
