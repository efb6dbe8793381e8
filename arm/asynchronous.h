// Asynchronous operations (arm-core 1.8): one mechanism over the job table. A handler makes a job and answers
// 202; the job's steps leave progress and, at the end, the synchronous answer or the error; the two poll URLs
// read them from the job's row (operation_results.c), which is kept for `operation_retention` days.
//
//   Location               /subscriptions/{s}/operationresults/{token}: 202 while it goes on, then the answer
//   Azure-AsyncOperation   /subscriptions/{s}/providers/{ns}/locations/{l}/operationStatuses/{id}: 200 with a
//                          status
//
//   static void something_post(struct arm_call *call)
//   {
//       …checks…
//       arm_accept(call, "something", payload, ARM_BY_LOCATION);
//   }
//   enum job_verdict something_step(struct db_transaction *tx, struct job_step *step)
//   {
//       …
//       step->result = arm_job_answer(step->arena, 200, body);
//       return JOB_DONE;
//   }
#pragma once
#include "arm/call.h"
#include "arm/errors.h"
#include "db/job.h"

enum arm_poll { ARM_BY_LOCATION = 1, ARM_BY_STATUS = 2 };

// Makes a job of that kind in the call's transaction, about call->scope and started by the caller, and
// answers 202, empty, with the URLs asked for. `payload` is a JSON object without secrets. The kind is a row
// of arm_job_kinds or provider_job_kinds. The job's id; "" when the transaction failed.
const char *arm_accept(struct arm_call *call, const char *kind, struct text payload, unsigned urls);
// The job alone, for a handler that answers otherwise (201 with a body) and calls arm_poll_headers itself.
const char *arm_operation_start(struct arm_call *call, const char *kind, struct text payload);
// Location and Azure-AsyncOperation of a job, absolute on the client's host, at its api-version. No
// Retry-After: the first answer never has one (decisions 6).
void arm_poll_headers(struct arm_call *call, const char *job_id, unsigned urls);

// What a step leaves in step->result.
// How far it is: 0 … 100, and the step's own notes for the next one (a JSON object), which are not shown.
struct text arm_job_progress(struct arena *arena, unsigned percent, struct text notes);
// The notes that the step before left; NULL when there are none. Free with json_decref.
json_t *arm_job_notes(const struct job *job);
// With JOB_DONE: exactly what the synchronous call would have answered. `body` is JSON or absent.
struct text arm_job_answer(struct arena *arena, int status, struct text body);
// With JOB_FAILED or JOB_REFUSED: what the synchronous call would have failed with.
struct text arm_job_failure(struct arena *arena, const struct arm_failure *failure);
