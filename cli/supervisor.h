// A tiny single-threaded supervisor: starts children in order, restarts what dies, stops all in reverse
// order. It may be process 1 of a container.
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct supervised {
    const char *name;
    const char *const *argv;              // NULL-ended; argv[0] is looked up on PATH
    const char *const *environment_extra; // "NAME=value", NULL-ended, over the own environment; NULL: none
    bool (*ready)(void *argument);        // asked about every 20 ms until it says yes; NULL: ready at once
    void *argument;                       // of `ready` and `before`
    // The signal that asks it to end. SIGINT marks a PostgreSQL postmaster: after stop_ms it gets SIGQUIT,
    // never SIGKILL, which would leave its children with the shared memory.
    int stop_signal;
    unsigned stop_ms;
    bool (*before)(void *argument); // before each (re)start, e.g. removes a stale socket; NULL: nothing
};

// Takes the state directory for this process: STATE/up.lock, held until it ends, with its pid inside. Makes
// the directory when absent. 0, or 1 after a line on standard error that names the holder.
int supervisor_claim(const char *state_directory);

// Claims unless claimed; ends what a killed predecessor left behind; starts the children, each once its
// forerunner is ready, calls `all_ready` once, and supervises until SIGTERM, SIGINT or SIGHUP. The exit
// status: 0 after a clean stop, 1 when nothing could be started or something would not end.
int supervisor_run(const char *state_directory, const struct supervised *children, size_t count,
                   void (*all_ready)(void *), void *argument);
