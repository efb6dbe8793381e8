// Plans of deployments that run, so that a step need not make its plan again.
#pragma once
#include "base/arena.h"
#include "templates/plan.h"

struct deployment_cached;
// NULL when it is not there. What was taken or put is released.
struct deployment_cached *deployment_cache_take(int64_t id);
// Owns the arena from now on. Another step may have been faster: then that one's is given.
struct deployment_cached *deployment_cache_put(int64_t id, struct arena *arena, struct plan *plan);
struct plan *deployment_cache_plan(const struct deployment_cached *cached);
void deployment_cache_release(struct deployment_cached *cached);
// The deployment is over.
void deployment_cache_drop(int64_t id);
