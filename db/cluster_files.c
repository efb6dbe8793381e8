// The private cluster's directories and configuration files, and running initdb.
#include "db/cluster_files.h"

#include "base/arena.h"
#include "base/buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static bool fails(struct arena *arena, const char **why, const char *path, const char *what)
{
    *why = arena_printf(arena, "%s cannot be %s: %s", path, what, strerror(errno));
    return false;
}

// Who runs PostgreSQL: we ourselves, or the user postgres when we are root.
static bool find_owner(uid_t *uid, gid_t *gid, const char **why)
{
    *uid = geteuid();
    *gid = getegid();
    if (*uid != 0)
        return true;
    struct passwd entry, *found = NULL;
    char bytes[4096];
    if (getpwnam_r("postgres", &entry, bytes, sizeof bytes, &found) != 0 || found == NULL) {
        *why = "there is no user \"postgres\" (Debian's package postgresql-common makes it)";
        return false;
    }
    *uid = found->pw_uid;
    *gid = found->pw_gid;
    return true;
}

bool cluster_make_directory(const char *path, mode_t mode, struct arena *arena, const char **why)
{
    uid_t uid;
    gid_t gid;
    if (!find_owner(&uid, &gid, why))
        return false;
    if (mkdir(path, mode) != 0 && errno != EEXIST)
        return fails(arena, why, path, "made");
    // By descriptor, and never through a symbolic link: the directory above may be another's.
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fails(arena, why, path, "opened");
    bool good = fchown(fd, uid, gid) == 0 && fchmod(fd, mode) == 0;
    if (!good)
        fails(arena, why, path, "given its owner and mode");
    close(fd);
    return good;
}

bool cluster_make_reachable(const char *path, struct arena *arena, const char **why)
{
    if (mkdir(path, 0755) != 0 && errno != EEXIST)
        return fails(arena, why, path, "made");
    struct stat status;
    if (stat(path, &status) != 0)
        return fails(arena, why, path, "read");
    if (geteuid() == 0 && (status.st_mode & 0011) != 0011 &&
        chmod(path, (status.st_mode & 07777) | 0011) != 0)
        return fails(arena, why, path, "opened to the user postgres");
    return true;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status;
    (void)type;
    (void)where;
    return remove(path);
}

bool cluster_remove_tree(const char *path, struct arena *arena, const char **why)
{
    struct stat status;
    if (lstat(path, &status) != 0 && errno == ENOENT)
        return true;
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        return fails(arena, why, path, "removed");
    return true;
}

static bool write_file(const char *directory, const char *name, struct text text, struct arena *arena,
                       const char **why)
{
    uid_t uid;
    gid_t gid;
    if (!find_owner(&uid, &gid, why))
        return false;
    const char *path = arena_printf(arena, "%s/%s", directory, name);
    const char *new = arena_printf(arena, "%s.new", path);
    unlink(new);
    int fd = open(new, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return fails(arena, why, new, "made");
    bool good = write(fd, text.base, text.length) == (ssize_t)text.length && fchown(fd, uid, gid) == 0 &&
                fsync(fd) == 0;
    if (!good)
        fails(arena, why, new, "written");
    close(fd);
    if (good && rename(new, path) != 0)
        good = fails(arena, why, new, "renamed");
    return good;
}

// A setting's value in single quotes, which are doubled within.
static const char *setting(struct arena *arena, const char *value)
{
    struct buffer b = buffer_new(arena);
    buffer_char(&b, '\'');
    for (; *value != '\0'; value++) {
        if (*value == '\'')
            buffer_char(&b, '\'');
        buffer_char(&b, *value);
    }
    buffer_char(&b, '\'');
    return text_cstr(arena, buffer_done(&b));
}

// Errors are in our own log already, without the values that PostgreSQL's own messages repeat:
// log_min_messages.
static struct text server_file(const struct config *config, struct arena *arena)
{
    struct buffer b = buffer_new(arena);
    buffer_format(&b,
                  "# Written at every start of azsacrd. Your own settings: local.conf beside this file.\n"
                  "listen_addresses = ''\n"
                  "port = 5432\n"
                  "unix_socket_directories = %s\n"
                  "unix_socket_permissions = 0777\n"
                  "max_connections = 100\n"
                  "shared_buffers = 64MB\n"
                  "dynamic_shared_memory_type = posix\n"
                  "max_wal_size = 1GB\n"
                  "min_wal_size = 80MB\n"
                  "jit = off\n"
                  "fsync = on\n"
                  "synchronous_commit = on\n"
                  "full_page_writes = on\n"
                  "shared_preload_libraries = ''\n"
                  "password_encryption = 'scram-sha-256'\n"
                  "timezone = 'UTC'\n"
                  "log_timezone = 'UTC'\n"
                  "datestyle = 'iso, ymd'\n"
                  "lc_messages = 'C'\n"
                  "log_destination = 'stderr'\n"
                  "logging_collector = off\n"
                  "log_min_messages = log\n"
                  "log_min_error_statement = panic\n"
                  "log_error_verbosity = terse\n"
                  "log_line_prefix = '%%m [%%p] '\n"
                  "include_if_exists = 'local.conf'\n",
                  setting(arena, cluster_sockets(config, arena)));
    return buffer_done(&b);
}

static void permit(struct buffer *b, const char *user, const char *role)
{
    buffer_format(b, "azsacr \"%s\" %s\n", user, role);
}

// Who may connect as whom: root and whoever prepared the cluster; where that is root also postgres, and the
// service's user, who is not the database's administrator.
static struct text ident_file(struct arena *arena)
{
    struct buffer b = buffer_new(arena);
    buffer_string(&b, "# Written at every start of azsacrd.\n");
    const char *users[] = {"root", "postgres"};
    struct passwd entry, *found = NULL;
    char bytes[4096];
    if (geteuid() == 0)
        permit(&b, "azsacr", "azsacr");
    else if (getpwuid_r(geteuid(), &entry, bytes, sizeof bytes, &found) == 0 && found != NULL &&
             strpbrk(found->pw_name, "\"\n") == NULL)
        users[1] = found->pw_name;
    for (size_t i = 0; i < 2; i++) {
        permit(&b, users[i], "azsacr");
        permit(&b, users[i], "postgres");
    }
    return buffer_done(&b);
}

bool cluster_write_files(const struct config *config, const char *data, struct arena *arena, const char **why)
{
    struct text hba = TEXT("# Written at every start of azsacrd.\n"
                           "local all all peer map=azsacr\n");
    struct text local =
        TEXT("# Your own settings: they win over postgresql.conf and are never overwritten.\n");
    bool has_local = access(arena_printf(arena, "%s/local.conf", data), F_OK) == 0;
    return (has_local || write_file(data, "local.conf", local, arena, why)) &&
           write_file(data, "pg_ident.conf", ident_file(arena), arena, why) &&
           write_file(data, "pg_hba.conf", hba, arena, why) &&
           write_file(data, "postgresql.conf", server_file(config, arena), arena, why);
}

static int spawn(const char *const *argv, int out, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_adddup2(&actions, out, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    posix_spawn_file_actions_addchdir_np(&actions, "/");
    posix_spawnattr_init(&attributes);
    // The child must not inherit what we block and ignore.
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    int error = posix_spawn(pid, argv[0], &actions, &attributes, (char *const *)argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

bool cluster_run(const char *const *argv, struct arena *arena, const char **output)
{
    int ends[2];
    pid_t pid = 0;
    *output = "";
    if (pipe2(ends, O_CLOEXEC) != 0) {
        *output = strerror(errno);
        return false;
    }
    int error = spawn(argv, ends[1], &pid);
    close(ends[1]);
    if (error != 0) {
        close(ends[0]);
        *output = arena_printf(arena, "%s: %s", argv[0], strerror(error));
        return false;
    }
    struct buffer all = buffer_new(arena);
    char piece[4096];
    for (ssize_t n; (n = read(ends[0], piece, sizeof piece)) > 0 || (n < 0 && errno == EINTR);)
        if (n > 0 && all.length < 65536)
            buffer_add(&all, piece, (size_t)n);
    close(ends[0]);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    *output = text_cstr(arena, buffer_done(&all));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
