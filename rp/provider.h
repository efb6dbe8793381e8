// Microsoft.ContainerRegistry: its types, jobs and start.
#pragma once
#include "db/job.h"

void provider_start(void); // registers the ARM types, the data plane's routes and statements
extern const struct job_kind provider_job_kinds[]; // ended by a row whose name is NULL
