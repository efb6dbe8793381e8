// Failpoints: named steps at which a test build can be told to wait or to die. In other builds they are
// nothing at all.
#pragma once

// The environment variable AZSACR_FAILPOINTS holds "name=die", "name=wait:MS" or "name=hold:FILE" (while FILE
// is there: makes FILE.reached, then waits until FILE is gone), separated by commas; FILE forms are read anew
// at each hit, so that a test can arm a running program: AZSACR_FAILPOINT_DIRECTORY/name, when it exists,
// holds one such action.
#ifdef AZSACR_FAILPOINTS
#include <stdbool.h>
void failpoint(const char *name);
// Whether a file of AZSACR_FAILPOINT_DIRECTORY or the environment says what to do there.
bool failpoint_is_set(const char *name);
#else
#define failpoint(name) ((void)0)
#define failpoint_is_set(name) false
#endif
