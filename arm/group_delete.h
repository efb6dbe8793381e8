// Deleting a resource group: the request marks it and makes a job (group_delete.c); the job deletes what is
// in it, then the group (group_delete_job.c).
#pragma once
#include "arm/call.h"
#include "db/job.h"

#define GROUP_DELETE_JOB "group-delete"
void group_delete(struct arm_call *call); // the handler of DELETE
enum job_verdict group_delete_step(struct db_transaction *tx, struct job_step *step);
// For job_set_given_up: when it was a group's deletion, the group becomes usable again.
void group_delete_given_up(struct db_transaction *tx, const struct job *job);
