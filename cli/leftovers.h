// The record of running children, and ending those that a killed supervisor left behind.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { RECORDED_NAME = 32 };

struct recorded {
    char name[RECORDED_NAME];
    pid_t pid;
    uint64_t started; // field 22 of /proc/PID/stat: with the pid it names one process for ever
    int stop_signal;
    unsigned stop_ms;
};

// 0 when there is no such process.
uint64_t process_start_time(pid_t pid);

// STATE/run/children, one line each; written anew under another name and renamed.
bool record_write(const char *state_directory, const struct recorded *children, size_t count);

// Ends every recorded process that is still the same one, last first, what is left of its group, and then a
// postmaster that STATE/pgdata names. False, after a line in the log, when something would not end.
bool leftovers_end(const char *state_directory);

// Signals, waits, and then kills (a postmaster: SIGQUIT). True when it has ended.
bool process_end(int pidfd, pid_t group, int stop_signal, unsigned stop_ms);
