// Clocks, and how ARM and ACR spell a time. Times are microseconds since 1970, UTC, in int64_t.
#pragma once
#include "base/text.h"

#include <stdint.h>

struct arena;

int64_t clock_wall(void);      // microseconds; for tokens and display only
int64_t clock_monotonic(void); // microseconds; for our own deadlines

// "2026-11-25T22:41:07.1234567Z" with trailing zeros of the fraction dropped (none: no dot). `zone` is "Z" or
// "+00:00".
struct text clock_iso(struct arena *arena, int64_t microseconds, const char *zone);
// The same with seven digits always, as Microsoft.Authorization writes createdOn.
struct text clock_iso7(struct arena *arena, int64_t microseconds);
// "20261125T224107Z", for x-ms-routing-request-id.
struct text clock_compact(struct arena *arena, int64_t microseconds);
// "11/25/2026 10:41:07 PM", for ExpiredAuthenticationToken.
struct text clock_american(struct arena *arena, int64_t microseconds);
