// Templates and deployments, as the program that serves them starts them.
#pragma once
#include "db/job.h"

void templates_start(void);                         // registers the types; before arm_start
extern const struct job_kind templates_job_kinds[]; // ended by a row whose name is NULL
