// An event loop as others see it: http/h2o.c provides it, db/pipeline.c waits on it. Everything but `post`
// is called on the loop's own thread only.
#pragma once
#include <stddef.h>

struct loop_watch; // a descriptor being watched

struct loop {
    size_t index; // 0 … number of loops - 1
    // Calls `readable(argument)` whenever `fd` is readable. The loop watches a dup() of `fd`.
    struct loop_watch *(*watch)(struct loop *loop, int fd, void (*readable)(void *), void *argument);
    // Calls `writable(argument)` once, when the descriptor can be written. A no-op while one is pending.
    void (*want_write)(struct loop_watch *watch, void (*writable)(void *));
    void (*unwatch)(struct loop_watch *watch);
    // Runs `run(argument)` on the loop's thread, soon, in order. From any thread.
    void (*post)(struct loop *loop, void (*run)(void *), void *argument);
    // Runs after every iteration from now on (flush what the iteration queued).
    void (*after_iteration)(struct loop *loop, void (*run)(void *), void *argument);
    // Runs about every `milliseconds` (one of 10, 100, 1000) from now on.
    void (*every)(struct loop *loop, unsigned milliseconds, void (*run)(void *), void *argument);
};
