// Fetching what a link leads to, as the operator's settings allow it.
#pragma once
#include "base/text.h"

#include <stdint.h>

struct arena;

// A place among the few of the process that wait for another host at a time; false when there is none for 2
// s.
bool link_fetch_begin(void);
void link_fetch_end(void);
// NULL with the content in the arena, or why there is none (http/fetch.h).
const char *link_fetch(struct arena *arena, struct text url, size_t limit, int64_t deadline,
                       struct text *content);
// For who has the tracking id of an error.
void link_log(const char *tracking, struct text name, const char *why);
