// Reclaim: unreferenced blobs, dead uploads, garbage files. Continuous, bounded, while serving; reads rows
// only.
#pragma once
#include "db/database.h"

struct sweep;
struct sweep *sweep_start(const struct db_target *target);
void sweep_stop(struct sweep *sweep);
