// Copying a file of the directory store.
#include "rp/data/store_copy.h"

#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 1 << 16 };

static int write_all(int to, const char *piece, size_t length, off_t offset)
{
    while (length > 0) {
        ssize_t put = pwrite(to, piece, length, offset);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return put == 0 ? ENOSPC : errno;
        piece += put;
        length -= (size_t)put;
        offset += put;
    }
    return 0;
}

static int copy_bytes(int from, int to)
{
    char *piece = xmalloc(PIECE);
    int error = 0;
    for (off_t offset = 0; error == 0;) {
        ssize_t count = pread(from, piece, PIECE, offset);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            error = errno;
        if (count <= 0)
            break;
        error = write_all(to, piece, (size_t)count, offset);
        offset += count;
    }
    free(piece);
    return error == 0 && fdatasync(to) != 0 ? errno : error;
}

int store_copy_file(int root, const char *from_path, const char *to_path, mode_t mode)
{
    int from = openat(root, from_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (from < 0)
        return errno;
    int to = openat(root, to_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    int error = to < 0 ? errno : 0;
    if (error == 0) {
        error = fchmod(to, mode) == 0 ? copy_bytes(from, to) : errno; // whatever the umask is
        close(to);
        if (error != 0)
            unlinkat(root, to_path, 0);
    }
    close(from);
    return error;
}
