// Several requests in one (decisions 48): what batch.c and batch_job.c share.
#pragma once
#include "arm/inner.h"
#include "db/job.h"

#define BATCH_JOB "arm-batch"

// One request of the body. Nothing of it was judged but its form.
struct batch_item {
    struct text method, name, url, command, content; // content: JSON, absent where there is none
};
struct batch {
    size_t count;
    struct batch_item *items;
};
// Runs one, within `tx` unless NULL, and writes its answer as a JSON object.
struct text batch_answer(const struct arm_inner *inner, const struct batch_item *item,
                         struct db_connection *connection, struct db_transaction *tx);
// {"responses":[…]} of such objects.
struct text batch_responses(struct arena *arena, const struct text *answers, size_t count);

// batch_job.c: goes on with the items from `done` on as a job of the caller's; the job's id, NULL when it
// could not be made.
const char *batch_continue(struct arm_call *call, const struct arm_inner *inner, const struct batch *batch,
                           const struct text *answers, size_t done, struct db_connection *connection);
enum job_verdict batch_step(struct db_transaction *tx, struct job_step *step);
void batch_result_get(struct arm_call *call); // where the 202's Location points
