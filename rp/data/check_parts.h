// Between the files of the check.
#pragma once
#include "rp/data/check.h"

enum { CHECK_DIGEST_LENGTH = 7 + 128 };

struct blob_row {
    char file[37], digest[CHECK_DIGEST_LENGTH + 1];
    int64_t size, registry_id;
    bool lost;
};

struct check {
    struct db_connection *connection;
    const struct store_check_options *options;
    struct store_report *report;
    bool failed;              // the database could not be read
    int64_t read, read_since; // bytes that were hashed, and since when (monotonic)
    int64_t total_blobs, total_bytes, told_at;
};

// Runs it in a transaction of its own; false, and `failed`, when that did not end well.
bool check_transact(struct check *check, bool (*run)(struct db_transaction *tx, void *argument),
                    void *argument);
// Reads the file at the rate that is allowed.
bool check_digest_fits(struct check *check, const char *file, const char *digest, int64_t size);

// check_repair.c. A blob's file is not what its row says: another registry's file with that digest takes its
// place, or the blob is marked lost.
void check_mend_blob(struct check *check, const struct blob_row *blob);
// What was lost is there again.
void check_unmark_lost(struct check *check, const struct blob_row *blob);
void check_mend_doubled(struct check *check);
void check_mend_orphan(struct check *check, const char *file, int64_t size);

// check_sums.c: usage, marks and counts of every registry.
void check_sums(struct check *check);
