// Copying a file of the directory store, where it cannot be linked.
#pragma once
#include <sys/types.h>

// Both below the directory `root`; `to` must not be there. 0 once its bytes are on disk, else the errno, and
// nothing is left of it.
int store_copy_file(int root, const char *from, const char *to, mode_t mode);
