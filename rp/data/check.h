// `azsacrd check --store`: the database against the files, in both directions, and the database's own sums
// against what they sum. The only thing that walks the store. While serving, too: what changes meanwhile is
// looked at again before it is reported, and mended under the same locks as everything else.
#pragma once
#include "db/database.h"

#include <stdio.h>

struct arena;

struct store_check_options {
    bool deep;      // read every blob and compare its digest
    bool repair;    // mend what can be mended
    int64_t rate;   // bytes a second that `deep` reads; 0: as fast as it goes
    FILE *out;      // a line for each finding
    FILE *progress; // NULL, or where a line is written every few seconds
};

struct store_report {
    int64_t files, bytes;            // in the store
    int64_t blobs, uploads, garbage; // rows
    // Findings. Of blobs' rows: whose file is not there, has another size than the row says, has another
    // digest (only where `deep`). A pull of these fails.
    int64_t missing, wrong_size, corrupt;
    int64_t orphans, orphan_bytes; // files that no row names
    int64_t doubled;               // files that more than one row names
    int64_t usage, flags, counts;  // registries' sums, blobs' marks, repositories' counts that are wrong
    // With `repair`: how many of them stand right now.
    int64_t mended;
    int64_t lost; // blobs that could not be mended: unknown to clients now, until somebody pushes them again
};
int64_t store_findings(const struct store_report *report);

// False with *why when the database cannot be read.
bool store_check(const struct db_target *target, const struct store_check_options *options,
                 struct store_report *report, struct arena *arena, const char **why);
