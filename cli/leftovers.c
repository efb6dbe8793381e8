// What a killed supervisor left running: found by the record it kept, ended before anything starts anew.
#include "cli/leftovers.h"

#include "base/arena.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_RECORDED = 16, KILL_MS = 5000, QUIT_MS = 30000 };

uint64_t process_start_time(pid_t pid)
{
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, line, sizeof line - 1);
    close(fd);
    if (n <= 0)
        return 0;
    line[n] = '\0';
    // The name, field 2, may hold anything; its closing parenthesis is the last one.
    const char *p = strrchr(line, ')');
    for (int field = 2; p != NULL && field < 22; field++)
        p = strchr(p + 1, ' ');
    return p != NULL ? strtoull(p + 1, NULL, 10) : 0;
}

bool record_write(const char *state_directory, const struct recorded *children, size_t count)
{
    char directory[PATH_MAX], path[PATH_MAX + 32], fresh[PATH_MAX + 32];
    snprintf(directory, sizeof directory, "%s/run", state_directory);
    snprintf(path, sizeof path, "%s/children", directory);
    snprintf(fresh, sizeof fresh, "%s/children.new", directory);
    if (mkdir(directory, 0755) != 0 && errno != EEXIST)
        return false;
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool fine = true;
    for (size_t i = 0; i < count; i++)
        fine = dprintf(fd, "%s %ld %llu %d %u\n", children[i].name, (long)children[i].pid,
                       (unsigned long long)children[i].started, children[i].stop_signal,
                       children[i].stop_ms) > 0 &&
               fine;
    fine = close(fd) == 0 && fine;
    return fine && rename(fresh, path) == 0;
}

static size_t record_read(const char *state_directory, struct recorded *children)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/run/children", state_directory);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    size_t count = 0;
    char line[256];
    while (count < MOST_RECORDED && fgets(line, sizeof line, file) != NULL) {
        struct recorded r = {0};
        long pid;
        unsigned long long started;
        if (sscanf(line, "%31s %ld %llu %d %u", r.name, &pid, &started, &r.stop_signal, &r.stop_ms) != 5 ||
            pid <= 1 || r.stop_signal < 1 || r.stop_signal > 31)
            continue;
        r.pid = (pid_t)pid;
        r.started = started;
        children[count++] = r;
    }
    fclose(file);
    return count;
}

static bool ended_within(int pidfd, unsigned milliseconds)
{
    struct pollfd p = {.fd = pidfd, .events = POLLIN};
    int n;
    do {
        n = poll(&p, 1, (int)milliseconds);
    } while (n < 0 && errno == EINTR);
    return n > 0;
}

bool process_end(int pidfd, pid_t group, int stop_signal, unsigned stop_ms)
{
    pidfd_send_signal(pidfd, stop_signal, NULL, 0);
    if (ended_within(pidfd, stop_ms))
        return true;
    if (stop_signal == SIGINT) {
        pidfd_send_signal(pidfd, SIGQUIT, NULL, 0);
        return ended_within(pidfd, QUIT_MS);
    }
    if (group > 1)
        kill(-group, SIGKILL);
    pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
    return ended_within(pidfd, KILL_MS);
}

// Only a process whose pid and start time are both as recorded is ours; `started` 0: whoever has the pid.
static bool end_one(const char *name, pid_t pid, uint64_t started, int stop_signal, unsigned stop_ms)
{
    int pidfd = pidfd_open(pid, 0);
    if (pidfd < 0)
        return true;
    bool ended = true;
    if (started == 0 || process_start_time(pid) == started) {
        log_warning("supervisor.leftover", "name", name, "pid", log_number(pid));
        pid_t group = getpgid(pid) == pid ? pid : 0;
        ended = process_end(pidfd, group, stop_signal, stop_ms);
        if (!ended)
            log_error("supervisor.leftover.stays", "name", name, "pid", log_number(pid));
    }
    close(pidfd);
    return ended;
}

static bool works_in(pid_t pid, const char *directory)
{
    char path[64], where[PATH_MAX];
    snprintf(path, sizeof path, "/proc/%ld/cwd", (long)pid);
    ssize_t n = readlink(path, where, sizeof where - 1);
    where[n > 0 ? n : 0] = '\0';
    return strcmp(where, directory) == 0;
}

// The postmaster that runs in STATE/pgdata, whoever started it; 0: none.
static pid_t postmaster_of(const char *state_directory)
{
    char data[PATH_MAX], path[PATH_MAX + 32];
    snprintf(data, sizeof data, "%s/pgdata", state_directory);
    snprintf(path, sizeof path, "%s/postmaster.pid", data);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    long pid = 0;
    if (fscanf(file, "%ld", &pid) != 1)
        pid = 0;
    fclose(file);
    if (pid <= 1)
        return 0;
    // A postmaster works in its data directory; another process that has got the pid does not.
    char *real = realpath(data, NULL);
    bool same = real != NULL && works_in((pid_t)pid, real);
    free(real);
    return same ? (pid_t)pid : 0;
}

// An edge's workers outlive their master when it is killed while no supervisor is there to see it, and keep
// the port. They are still of its group, and they work in the state directory (edge.conf.in), which a
// stranger does not whose group has got the number since.
static bool end_group(const struct recorded *leader, const char *state_directory)
{
    DIR *processes = opendir("/proc");
    char *state = realpath(state_directory, NULL);
    bool ended = true;
    for (const struct dirent *e; processes != NULL && state != NULL && (e = readdir(processes)) != NULL;) {
        pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);
        if (pid > 1 && pid != leader->pid && getpgid(pid) == leader->pid && works_in(pid, state))
            ended = end_one(leader->name, pid, 0, SIGKILL, KILL_MS) && ended;
    }
    if (processes != NULL)
        closedir(processes);
    free(state);
    return ended;
}

bool leftovers_end(const char *state_directory)
{
    struct recorded children[MOST_RECORDED];
    size_t count = record_read(state_directory, children);
    bool fine = true;
    for (size_t i = count; i-- > 0;)
        fine = end_one(children[i].name, children[i].pid, children[i].started, children[i].stop_signal,
                       children[i].stop_ms) &&
               end_group(&children[i], state_directory) && fine;
    pid_t postmaster = postmaster_of(state_directory);
    if (postmaster > 0)
        fine = end_one("postmaster", postmaster, 0, SIGINT, QUIT_MS) && fine;
    return fine;
}
