// Deleting a resource group: the request marks it and makes a job; the job deletes what is in it, then the
// group.
#pragma once
#include "arm/call.h"
#include "db/job.h"

#define GROUP_DELETE_JOB "group-delete"
void group_delete(struct arm_call *call); // the handler of DELETE
enum job_verdict group_delete_step(struct db_transaction *tx, struct job_step *step);
// The path and query of a job's Location.
const char *operation_result_path(struct arena *arena, struct text subscription_id, const char *job_id,
                                  const char *api_version);
