// Beginning to write a growing file back to the disk while more of it comes, so that its closing sync finds
// little left to do.
#pragma once
#include <stdint.h>

// Asks for a range of the file at `path` below the directory `root`. Returns at once: a thread does it, for
// mapping 8 MiB to the disk takes milliseconds in which the bytes behind them would wait. A hint: where the
// thread is behind, the file is gone or its file system cannot, the closing sync does it all.
void store_write_back(int root, const char *path, int64_t from, int64_t length);
