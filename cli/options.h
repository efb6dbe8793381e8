// Command lines: a table of flags, `--name value` or `--name=value`, and what is left.
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct option {
    const char *name; // "state"; NULL ends the table
    bool flag;        // takes no value
    const char *help;
    const char *value; // filled: the value, or "" for a flag that was given; NULL otherwise
};

// Fills the table and moves what is no flag to the front of argv; its count is returned, -1 after printing
// what is wrong (with the flags there are).
int options_parse(const char *command, int argc, char **argv, struct option *options);
