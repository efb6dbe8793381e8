// The store as a directory: DIRECTORY/ab/<uuid>, on a local disk or a shared file system that fences lock
// holders.
#include "rp/data/store_copy.h"
#include "rp/data/store_driver.h"
#include "rp/data/store_write_back.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    ID_LENGTH = 36,
    // "ab/<id>". One level: 256 directories are soon there, where 65,536 would be made and synced all the
    // time.
    PATH_LENGTH = 3 + ID_LENGTH,
    LOCK_WAIT_MS = 2000,
    LOCK_STEP_MS = 5,
    FILES_LEAST = 100, // one file in so many must be free
    // The edge's workers read files and pass directories by their group, which new entries inherit (setgid).
    FILE_MODE = 0640,
    DIRECTORY_MODE = 02750,
};
// Write-back starts every 8 MiB, so that the closing sync finds little left to do.
static const int64_t write_back_step = (int64_t)8 << 20;
static const int64_t low_water_least = (int64_t)2 << 30;

struct store_file {
    int descriptor;
    char id[ID_LENGTH + 1];
    int64_t size;
    int64_t written_back;
    int64_t named_at; // monotonic; 0: not known
};

static int root = -1;

// Of each directory: when the latest sync of it that succeeded began (monotonic). Whoever named a file in it
// before that needs no sync of its own.
static struct {
    pthread_mutex_t mutex; // held by who syncs, for the others to wait for that
    _Atomic int64_t synced;
} directories[256] = {[0 ... 255] = {.mutex = PTHREAD_MUTEX_INITIALIZER}};

static enum store_fault fault_of(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return STORE_FULL;
    case ENOENT:
        return STORE_ABSENT;
    case EROFS:
        return STORE_READ_ONLY;
    default:
        return STORE_FAILED;
    }
}

static enum store_fault failed(const char *step, const char *id, int error)
{
    enum store_fault fault = fault_of(error);
    if (fault == STORE_FAILED || fault == STORE_READ_ONLY)
        log_error("store.failed", "step", step, "file", id, "errno", log_number(error));
    return fault;
}

// Only a lower-case uuid is ever part of a path.
static bool path_of(const char *id, char path[PATH_LENGTH + 1])
{
    if (!uuid_is(text_of(id)))
        return false;
    for (const char *p = id; *p; p++)
        if (*p >= 'A' && *p <= 'F')
            return false;
    snprintf(path, PATH_LENGTH + 1, "%.2s/%s", id, id);
    return true;
}

static enum store_fault sync_directory(const char *path)
{
    int descriptor = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return failed("open directory", path, errno);
    int outcome = fsync(descriptor);
    int error = errno;
    close(descriptor);
    return outcome == 0 ? STORE_OK : failed("fsync directory", path, error);
}

static enum store_fault sync_directory_of(const char *path)
{
    char directory[3];
    snprintf(directory, sizeof directory, "%.2s", path);
    return sync_directory(directory);
}

// The same for what was done in the directory before `since`, which a sync that began later has made lasting.
static enum store_fault sync_directory_since(const char *path, int64_t since)
{
    unsigned index = 0;
    if (since == 0 || sscanf(path, "%2x", &index) != 1 || index > 255)
        return sync_directory_of(path);
    enum store_fault fault = STORE_OK;
    pthread_mutex_lock(&directories[index].mutex);
    if (atomic_load(&directories[index].synced) <= since) {
        int64_t began = clock_monotonic();
        fault = sync_directory_of(path);
        if (fault == STORE_OK)
            atomic_store(&directories[index].synced, began);
    }
    pthread_mutex_unlock(&directories[index].mutex);
    return fault;
}

// A new directory is made lasting at once: that is rare, and a publish then syncs the directory only.
static enum store_fault make_directory_of(const char *path)
{
    char directory[3];
    snprintf(directory, sizeof directory, "%.2s", path);
    if (mkdirat(root, directory, 0750) != 0)
        return errno == EEXIST ? STORE_OK : failed("mkdir", directory, errno);
    if (fchmodat(root, directory, DIRECTORY_MODE, 0) != 0)
        return failed("chmod", directory, errno);
    return sync_directory(".");
}

static bool make_root(const char *directory)
{
    if (mkdir(directory, 0750) == 0)
        return chmod(directory, DIRECTORY_MODE) == 0;
    return errno == EEXIST;
}

// A new store has all of its directories at once. ext4 is told to spread them over its block groups, as it
// does with what lies below a disk's top: else all of a store's inodes are looked for in a few, behind every
// one that was freed there lately.
static void furnish(void)
{
    struct stat status;
    // The last one tells whether it was done; by nobody but the owner, whose the directories must be.
    if (fstatat(root, "ff", &status, AT_SYMLINK_NOFOLLOW) == 0 || fstat(root, &status) != 0 ||
        status.st_uid != geteuid())
        return;
    int flags = 0;
    if (ioctl(root, FS_IOC_GETFLAGS, &flags) == 0) {
        flags |= FS_TOPDIR_FL;
        (void)ioctl(root, FS_IOC_SETFLAGS, &flags);
    }
    for (int i = 0; i < 256; i++) {
        char directory[3];
        snprintf(directory, sizeof directory, "%02x", (unsigned)i & 0xffu);
        // One that is missing all the same is made when it is needed.
        if (mkdirat(root, directory, 0750) == 0 && fchmodat(root, directory, DIRECTORY_MODE, 0) != 0)
            unlinkat(root, directory, AT_REMOVEDIR);
    }
    sync_directory(".");
}

static bool directory_open(const char *directory, const char **why, struct arena *arena)
{
    if (!make_root(directory)) {
        *why = arena_printf(arena, "cannot make the store's directory %s: %s", directory, strerror(errno));
        return false;
    }
    int descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0 || faccessat(descriptor, ".", R_OK | W_OK | X_OK, AT_EACCESS) != 0) {
        *why = arena_printf(arena, "cannot use the store's directory %s: %s", directory, strerror(errno));
        if (descriptor >= 0)
            close(descriptor);
        return false;
    }
    if (root >= 0)
        close(root);
    root = descriptor;
    furnish();
    for (size_t i = 0; i < 256; i++)
        atomic_store(&directories[i].synced, 0);
    return true;
}

// flock belongs to the open file: threads of one process exclude each other too (POSIX record locks would
// not).
static enum store_fault lock(int descriptor, const char *id, int wait_ms)
{
    int64_t deadline = clock_monotonic() + (int64_t)wait_ms * 1000;
    while (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR)
            continue;
        if (errno != EWOULDBLOCK)
            return failed("lock", id, errno);
        if (clock_monotonic() >= deadline)
            return STORE_BUSY;
        usleep(LOCK_STEP_MS * 1000);
    }
    return STORE_OK;
}

// A new file's mode, whatever the umask is.
static bool give_mode(int descriptor)
{
    struct stat status;
    return fstat(descriptor, &status) == 0 &&
           ((status.st_mode & 07777) == FILE_MODE || fchmod(descriptor, FILE_MODE) == 0);
}

static int open_file(const char *path, bool create, enum store_fault *fault)
{
    int descriptor = openat(root, path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor >= 0 || errno != ENOENT || !create)
        return descriptor;
    enum { MAKE = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW };
    descriptor = openat(root, path, MAKE, FILE_MODE);
    if (descriptor < 0 && errno == ENOENT) {
        *fault = make_directory_of(path);
        if (*fault != STORE_OK)
            return -1;
        descriptor = openat(root, path, MAKE, FILE_MODE);
    }
    if (descriptor >= 0)
        give_mode(descriptor);
    return descriptor;
}

static struct store_file *opened(int descriptor, const char *id, int64_t size)
{
    struct store_file *file = xcalloc(1, sizeof *file);
    file->descriptor = descriptor;
    file->size = file->written_back = size;
    memcpy(file->id, id, ID_LENGTH);
    return file;
}

static enum store_fault begin(const char *id, bool create, int wait_ms, struct store_file **file)
{
    char path[PATH_LENGTH + 1];
    *file = NULL;
    if (!path_of(id, path))
        return STORE_ABSENT;
    enum store_fault fault = STORE_OK;
    int descriptor = open_file(path, create, &fault);
    if (descriptor < 0)
        return fault != STORE_OK ? fault : failed("open", id, errno);
    fault = lock(descriptor, id, wait_ms);
    struct stat status;
    if (fault == STORE_OK && fstat(descriptor, &status) != 0)
        fault = failed("stat", id, errno);
    if (fault == STORE_OK && status.st_nlink == 0)
        fault = STORE_ABSENT; // removed while we waited for its lock
    if (fault != STORE_OK) {
        close(descriptor);
        return fault;
    }
    *file = opened(descriptor, id, status.st_size);
    return STORE_OK;
}

static enum store_fault directory_begin(const char *id, bool create, struct store_file **file)
{
    return begin(id, create, LOCK_WAIT_MS, file);
}

static enum store_fault directory_try(const char *id, struct store_file **file)
{
    return begin(id, false, 0, file);
}

static enum store_fault directory_open_published(const char *id, struct store_file **file)
{
    char path[PATH_LENGTH + 1];
    struct stat status;
    *file = NULL;
    if (!path_of(id, path))
        return STORE_ABSENT;
    int descriptor = openat(root, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0)
        return failed("open", id, errno);
    if (fstat(descriptor, &status) != 0) {
        enum store_fault fault = failed("stat", id, errno);
        close(descriptor);
        return fault;
    }
    *file = opened(descriptor, id, status.st_size);
    return STORE_OK;
}

static bool directory_make(const char *id, struct store_file **file)
{
    char path[PATH_LENGTH + 1], directory[3], self[32];
    *file = NULL;
    if (!path_of(id, path))
        return false;
    snprintf(directory, sizeof directory, "%.2s", path);
    int descriptor = openat(root, directory, O_TMPFILE | O_RDWR | O_CLOEXEC, FILE_MODE);
    if (descriptor < 0)
        return false;
    snprintf(self, sizeof self, "/proc/self/fd/%d", descriptor);
    if (!give_mode(descriptor) || flock(descriptor, LOCK_EX | LOCK_NB) != 0 ||
        linkat(AT_FDCWD, self, root, path, AT_SYMLINK_FOLLOW) != 0) {
        close(descriptor);
        return false;
    }
    *file = opened(descriptor, id, 0);
    (*file)->named_at = clock_monotonic();
    return true;
}

static int64_t directory_named_at(const struct store_file *file)
{
    return file->named_at;
}

static void directory_set_named_at(struct store_file *file, int64_t at)
{
    file->named_at = at;
}

// A quarter of a second's ids share their first two digits.
static void directory_new_id(char id[ID_LENGTH + 1])
{
    char directory[3];
    uuid_random(id);
    snprintf(directory, sizeof directory, "%02x", (unsigned)(clock_wall() >> 18) & 0xffu);
    memcpy(id, directory, 2);
}

static int64_t directory_size(struct store_file *file)
{
    return file->size;
}

static void start_write_back(struct store_file *file)
{
    if (file->size - file->written_back < write_back_step)
        return;
    char path[PATH_LENGTH + 1];
    if (path_of(file->id, path))
        store_write_back(root, path, file->written_back, file->size - file->written_back);
    file->written_back = file->size;
}

static enum store_fault directory_append(struct store_file *file, const void *bytes, size_t length)
{
    const char *next = bytes;
    while (length > 0) {
        ssize_t count = pwrite(file->descriptor, next, length, file->size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return failed("write", file->id, count == 0 ? ENOSPC : errno);
        next += count;
        length -= (size_t)count;
        file->size += count;
    }
    start_write_back(file);
    return STORE_OK;
}

static enum store_fault directory_truncate(struct store_file *file, int64_t size)
{
    while (ftruncate(file->descriptor, size) != 0)
        if (errno != EINTR)
            return failed("truncate", file->id, errno);
    file->size = size;
    if (file->written_back > size)
        file->written_back = size;
    return STORE_OK;
}

static ssize_t directory_read(struct store_file *file, int64_t from, void *bytes, size_t length)
{
    ssize_t count;
    do
        count = pread(file->descriptor, bytes, length, from);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        failed("read", file->id, errno);
    return count;
}

static enum store_fault directory_sync(struct store_file *file)
{
    char path[PATH_LENGTH + 1];
    if (fdatasync(file->descriptor) != 0) {
        int error = errno;
        log_error("store.failed", "step", "fdatasync", "file", file->id, "errno", log_number(error));
        return STORE_FAILED;
    }
    if (!path_of(file->id, path))
        return STORE_FAILED;
    return sync_directory_since(path, file->named_at) == STORE_OK ? STORE_OK : STORE_FAILED;
}

static void directory_end(struct store_file *file)
{
    if (file == NULL)
        return;
    close(file->descriptor); // and with it the lock
    free(file);
}

static enum store_fault directory_stat(const char *id, int64_t *size)
{
    char path[PATH_LENGTH + 1];
    struct stat status;
    if (!path_of(id, path))
        return STORE_ABSENT;
    if (fstatat(root, path, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return failed("stat", id, errno);
    if (!S_ISREG(status.st_mode))
        return STORE_ABSENT;
    *size = status.st_size;
    return STORE_OK;
}

static struct text directory_address(struct arena *arena, const char *id)
{
    char path[PATH_LENGTH + 1];
    if (!path_of(id, path))
        return TEXT_NONE;
    return text_of(arena_printf(arena, "/_store/%s", path));
}

static enum store_fault directory_link(const char *from, const char *to)
{
    char from_path[PATH_LENGTH + 1], to_path[PATH_LENGTH + 1];
    if (!path_of(from, from_path) || !path_of(to, to_path))
        return STORE_ABSENT;
    enum store_fault fault = make_directory_of(to_path);
    if (fault != STORE_OK)
        return fault;
    if (linkat(root, from_path, root, to_path, 0) != 0) {
        if (errno != EMLINK && errno != EXDEV && errno != EPERM)
            return failed("link", from, errno);
        int error = store_copy_file(root, from_path, to_path, FILE_MODE);
        if (error != 0)
            return failed("copy", from, error);
    }
    return sync_directory_of(to_path);
}

static enum store_fault unlink_file(const char *id, char path[PATH_LENGTH + 1])
{
    if (!path_of(id, path))
        return STORE_ABSENT;
    if (unlinkat(root, path, 0) != 0)
        return errno == ENOENT ? STORE_ABSENT : failed("unlink", id, errno);
    return STORE_OK;
}

static bool in_directory(const char *id, const char *directory)
{
    return strncmp(id, directory, 2) == 0;
}

// A sync of the first directory makes most of what was done in the others lasting with it, so that theirs are
// cheap.
static void directory_remove(struct store_removal *removals, size_t count)
{
    char path[PATH_LENGTH + 1];
    for (size_t i = 0; i < count; i++)
        removals[i].fault = unlink_file(removals[i].id, path);
    for (size_t i = 0; i < count; i++) {
        bool synced = removals[i].fault != STORE_OK;
        for (size_t j = 0; j < i && !synced; j++)
            synced = removals[j].fault == STORE_OK && in_directory(removals[j].id, removals[i].id);
        if (!synced && sync_directory_of(removals[i].id) != STORE_OK)
            for (size_t j = 0; j < count; j++)
                if (in_directory(removals[j].id, removals[i].id))
                    removals[j].fault = STORE_FAILED;
    }
    for (size_t i = 0; i < count; i++)
        if (removals[i].fault == STORE_ABSENT) // is well
            removals[i].fault = STORE_OK;
}

// Bytes for who is not root, or names for new files, whichever is shorter: a file takes both.
static bool directory_is_short(int64_t mark)
{
    struct statvfs status;
    if (root < 0 || fstatvfs(root, &status) != 0)
        return false;
    int64_t unit = (int64_t)status.f_frsize;
    if (mark <= 0) {
        mark = (int64_t)status.f_blocks * unit / 20;
        if (mark < low_water_least)
            mark = low_water_least;
    }
    return (int64_t)status.f_bavail * unit < mark ||
           (status.f_files > 0 && status.f_favail < status.f_files / FILES_LEAST);
}

static bool hex_pair(const char *name)
{
    return strlen(name) == 2 && strspn(name, "0123456789abcdef") == 2;
}

typedef bool store_visitor(const char *id, int64_t size, void *argument);

// Every entry of one directory; false when the visitor wants no more.
static bool visit(int parent, const char *name, bool (*entry)(int, const char *, store_visitor *, void *),
                  store_visitor *each, void *argument)
{
    int descriptor = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *directory = descriptor >= 0 ? fdopendir(descriptor) : NULL;
    if (directory == NULL) {
        if (descriptor >= 0)
            close(descriptor);
        return true;
    }
    bool more = true;
    for (struct dirent *found; more && (found = readdir(directory)) != NULL;)
        more = entry(descriptor, found->d_name, each, argument);
    closedir(directory);
    return more;
}

static bool visit_file(int directory, const char *name, store_visitor *each, void *argument)
{
    int64_t size = 0;
    (void)directory;
    return directory_stat(name, &size) != STORE_OK || each(name, size, argument);
}

static bool visit_directory(int parent, const char *name, store_visitor *each, void *argument)
{
    return !hex_pair(name) || visit(parent, name, visit_file, each, argument);
}

static void directory_enumerate(store_visitor *each, void *argument)
{
    visit(root, ".", visit_directory, each, argument);
}

const struct store_driver store_directory = {
    .open = directory_open,
    .new_id = directory_new_id,
    .begin = directory_begin,
    .begin_if_free = directory_try,
    .make = directory_make,
    .open_published = directory_open_published,
    .size = directory_size,
    .append = directory_append,
    .truncate = directory_truncate,
    .read = directory_read,
    .sync = directory_sync,
    .named_at = directory_named_at,
    .set_named_at = directory_set_named_at,
    .end = directory_end,
    .stat = directory_stat,
    .address = directory_address,
    .link = directory_link,
    .remove = directory_remove,
    .is_short = directory_is_short,
    .enumerate = directory_enumerate,
};
