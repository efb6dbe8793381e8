// `azsacrd check --store`: the database against the files, in both directions. The only thing that walks the
// store.
#pragma once
#include "db/database.h"

#include <stdio.h>

struct arena;

struct store_report {
    int64_t files, bytes;            // in the store
    int64_t blobs, uploads, garbage; // rows
    int64_t missing;                 // blob rows whose file is not there: a pull of these fails
    int64_t wrong_size;              // blob rows whose file has another size than the row says
    int64_t orphans;                 // files, older than the grace, that no row names
    int64_t orphan_bytes;
    int64_t doubled; // files that more than one row names
    int64_t corrupt; // blob files whose digest is not the row's (only where `deep`)
};

// While serving, too: what changes meanwhile is looked at again before it is reported. Writes a line for each
// finding to `out`. `deep` reads every blob. False with *why when the database cannot be read.
bool store_check(const struct db_target *target, bool deep, FILE *out, struct store_report *report,
                 struct arena *arena, const char **why);
