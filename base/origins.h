// Web origins ("https://portal.example.com:8443") as the operator lists them.
#pragma once
#include "base/text.h"

struct arena;

// A list between commas or blanks, as browsers spell them: scheme and host in lower case, no default port, no
// path. NULL-ended, in the arena; NULL with *why at the first that is no origin ("*" is none: every page of
// the world could read what a user's browser may).
const char *const *origins_read(struct arena *arena, const char *list, const char **why);
