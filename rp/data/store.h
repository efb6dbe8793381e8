// Where blob bytes live. A directory is the first kind of store (store_driver.h has the table of what a kind
// does); nothing else of azsacr knows files. A file's name is the id of the upload that made it: never used
// twice, never renamed (docs/architecture.md). No database here: who calls keeps exactly one row naming each
// file.
#pragma once
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct arena;
struct store_file; // one file open for appending, its session lock held

enum store_fault {
    STORE_OK,
    STORE_BUSY, // another request holds the session's lock (after waiting 2 s)
    STORE_ABSENT,
    STORE_FULL,      // no space, or below the low-water mark
    STORE_READ_ONLY, // as a file system makes itself after a fault of its disk; it is in the log
    STORE_FAILED,    // anything else; it is in the log
};

bool store_open(const char *directory, const char **why, struct arena *arena); // makes it when absent
// A new file's id. Those of one moment share a directory, so that one sync of it serves many of them.
void store_new_id(char id[37]);
// Creates (create) or opens the file and takes its flock, waiting up to 2 s.
enum store_fault store_begin(const char *id, bool create, struct store_file **file);
// Opens a file that is there, if nobody holds its lock now (STORE_BUSY).
enum store_fault store_try(const char *id, struct store_file **file);
// Makes an empty file whose lock is held before it has its name, so that nobody was at it before. False: the
// name is there already, or the file system cannot do this; store_begin tells.
bool store_make(const char *id, struct store_file **file);
// A blob's file for reading alone, without its lock: nobody writes to it any more. Ended by store_end.
enum store_fault store_open_published(const char *id, struct store_file **file);
int64_t store_size(struct store_file *file); // the file's size now
enum store_fault store_append(struct store_file *file, const void *bytes,
                              size_t length); // starts write-back every 8 MiB
enum store_fault store_truncate(struct store_file *file, int64_t size);
// Reads [from, from + length) for re-hashing.
ssize_t store_read(struct store_file *file, int64_t from, void *bytes, size_t length);
// fsync of the file, then of its directory, unless that was synced since the file got its name. A failure
// ends the session: never retried.
enum store_fault store_sync(struct store_file *file);
// When store_make named the file (monotonic), for who opens it again in this process; 0: not known.
int64_t store_named_at(const struct store_file *file);
void store_set_named_at(struct store_file *file, int64_t at);
void store_end(struct store_file *file); // releases the lock, closes
// Whether a published file is there with that size.
enum store_fault store_stat(const char *id, int64_t *size);
// The internal path that the edge sends: "/_store/ab/<id>".
struct text store_address(struct arena *arena, const char *id);
enum store_fault store_link(const char *from,
                            const char *to);   // another name for the same bytes; EMLINK, EXDEV: a copy
enum store_fault store_remove(const char *id); // lasting when this returns; absent is well
// The same for several at once, which costs less; each has its own outcome.
struct store_removal {
    const char *id;
    enum store_fault fault;
};
void store_remove_many(struct store_removal *removals, size_t count);
bool store_low_water(
    void); // free space is below the mark (`low_water`); measured once a second, and while bytes come
// Calls `each` for every file.
void store_enumerate(bool (*each)(const char *id, int64_t size, void *argument), void *argument);
