// Command lines: a table of flags, `--name value` or `--name=value`, and the words that are left.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct option {
    const char *name; // "state"; NULL ends the table
    bool flag;        // takes no value
    const char *help;
    const char *value; // filled: the value, or "" for a flag that was given; NULL otherwise
};

// Fills the table and moves what is no flag to the front of argv; its count is returned, -1 after printing
// what is wrong (with the flags there are). `words` is how the command is used, a line each and without
// "azsacrd COMMAND" ("add NAME\nlist"); NULL when it takes flags only: a word is then refused here. --help
// prints all of it and ends the program.
int options_parse(const char *command, const char *words, int argc, char **argv, struct option *options);
// The lines of `words`, each behind "azsacrd COMMAND"; a line in parentheses is a remark.
void options_usage(FILE *out, const char *command, const char *words);
