// An event loop of poll(2), for tests: what struct loop promises and no more.
#pragma once
#include "base/loop.h"

#include <stdbool.h>

struct loop *fake_loop_new(void);
void fake_loop_free(struct loop *loop);
// One iteration: events, posted calls, timers, then the callbacks after the iteration.
void fake_loop_turn(struct loop *loop);
// Turns until `*done` is at least `enough`; false after `milliseconds`.
bool fake_loop_until(struct loop *loop, const int *done, int enough, int milliseconds);
