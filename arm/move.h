// Moving resources to another group or subscription (arm-core 2.6, decisions 4): what the request (move.c),
// the checks of what is stored (move_check.c) and the job (move_job.c) share.
#pragma once
#include "arm/call.h"
#include "db/job.h"

#define MOVE_JOB "resources-move"
enum { MOVE_LIMIT = 800 };

struct move_group {
    int64_t id;
    struct text subscription_id, name; // as stored
    const char *moved_by;              // a job that moves, at its end or not; NULL: none
    bool deleting;
};
struct move {
    struct move_group source, target;
    struct text resources; // a JSON array of row ids as strings
    size_t count;
    bool only_validate;
};

// Everything that can stand against the move in the database's state: 409s, and 404 for what went. Holds
// nothing itself. `call` needs arena and transaction only. False after a failure.
bool move_acceptable(struct arm_call *call, const struct move *move);
// Both groups `for update`, in one order everywhere. False when one of them is not there; 0 in its id.
bool move_lock_groups(struct db_transaction *tx, struct arena *arena, struct move *move);
// The rows of the resources: id, type, name.
const struct db_result *move_rows(struct db_transaction *tx, const struct move *move);
// A job that has not come to its end moves resources of the group: 409. `own` is a job that may.
bool move_none_in_progress(struct arm_call *call, const struct move_group *group, const char *own);
// The door's: false after 409, for a write in a group that a move has locked. `moved_by`: the group's column.
bool door_group_unmoved(struct arm_call *call, struct text moved_by);

enum job_verdict move_step(struct db_transaction *tx, struct job_step *step);
void move_resources(struct arm_call *call);
void move_validate(struct arm_call *call);
