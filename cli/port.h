// Whether the edge will get its port.
#pragma once
#include "base/config.h"

#include <stdbool.h>

struct arena;

// Binds as the edge would and lets go again. False with *why, which names the program and the process that
// listen there (when /proc shows them) or the right that is missing.
bool port_is_free(const struct config *config, struct arena *arena, const char **why);
