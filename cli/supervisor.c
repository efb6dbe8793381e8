// The supervisor's loop: what is due to start is started, what ended is started again later, and a signal
// stops all in reverse order. One thread, one poll.
#include "cli/supervisor.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/leftovers.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum {
    MOST_CHILDREN = 16,
    CHECK_MS = 20,        // between two questions whether a child is ready
    FIRST_DELAY_MS = 100, // before the first restart; doubled up to
    LAST_DELAY_MS = 5000,
    STEADY_US = 10 * 1000000, // who ran this long has not failed "again"
    ROW_US = 60 * 1000000,    // five failures within this are said aloud
    ROW = 5,
};

struct child {
    const struct supervised *what;
    enum { WAITING, STARTING, READY } state;
    struct recorded recorded; // pid 0: not running. Until it is reaped its pid is nobody else's
    int64_t due;              // WAITING: when to start; never: INT64_MAX
    int64_t spawned;          // when it was started last
    int64_t failures[ROW];
    unsigned failed; // times in a row
};

struct supervisor {
    const char *state_directory;
    struct child children[MOST_CHILDREN];
    size_t count;
    int signals; // signalfd
    bool announced, stopping, hopeless;
    sigset_t before;
};

static int claimed = -1;

static bool make_directories(const char *path)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    for (char *p = copy + 1; *p != '\0'; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        mkdir(copy, 0755);
        *p = '/';
    }
    return mkdir(copy, 0755) == 0 || errno == EEXIST;
}

int supervisor_claim(const char *state_directory)
{
    char path[PATH_MAX], holder[32] = "";
    if (claimed >= 0)
        return 0;
    snprintf(path, sizeof path, "%s/up.lock", state_directory);
    int fd = make_directories(state_directory) ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644) : -1;
    if (fd < 0) {
        fprintf(stderr, "azsacrd up: cannot open %s: %s\n", path, strerror(errno));
        return 1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        ssize_t n = pread(fd, holder, sizeof holder - 1, 0);
        holder[n > 0 ? n : 0] = '\0';
        holder[strcspn(holder, "\n")] = '\0';
        fprintf(stderr,
                "azsacrd up: %s is in use by process %s: stop that one first, or give another --state\n",
                state_directory, holder[0] ? holder : "(unknown)");
        close(fd);
        return 1;
    }
    if (ftruncate(fd, 0) != 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0) {
        fprintf(stderr, "azsacrd up: cannot write %s: %s\n", path, strerror(errno));
        close(fd);
        return 1;
    }
    claimed = fd;
    return 0;
}

static void write_record(const struct supervisor *s)
{
    struct recorded running[MOST_CHILDREN];
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (s->children[i].recorded.pid > 0)
            running[n++] = s->children[i].recorded;
    }
    if (!record_write(s->state_directory, running, n))
        log_error("supervisor.record", "why", strerror(errno));
}

static const char *name_end(const char *variable)
{
    return strchr(variable, '=');
}

// The own environment with the child's variables in place of those of the same name.
static char **environment_of(const struct supervised *what)
{
    size_t own = 0, extra = 0, n = 0;
    while (environ[own] != NULL)
        own++;
    while (what->environment_extra != NULL && what->environment_extra[extra] != NULL)
        extra++;
    char **all = xcalloc(own + extra + 1, sizeof *all);
    for (size_t i = 0; i < own; i++) {
        bool replaced = false;
        for (size_t k = 0; k < extra; k++) {
            const char *end = name_end(what->environment_extra[k]);
            size_t length = end ? (size_t)(end - what->environment_extra[k]) + 1 : 0;
            replaced =
                replaced || (length > 0 && strncmp(environ[i], what->environment_extra[k], length) == 0);
        }
        if (!replaced)
            all[n++] = environ[i];
    }
    for (size_t k = 0; k < extra; k++)
        all[n++] = (char *)what->environment_extra[k];
    return all;
}

// A clean world: no blocked or ignored signals, a group of its own, nothing open but the three.
static int spawn(const struct supervised *what, pid_t *pid)
{
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t files;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&files, 3);
    char **environment = environment_of(what);
    int error = posix_spawnp(pid, what->argv[0], &files, &attributes, (char *const *)what->argv, environment);
    free(environment);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return error;
}

// One more failure: later the next start, and said aloud when it does not stop.
static void put_off(struct child *c, int64_t now)
{
    if (c->spawned != 0 && now - c->spawned > STEADY_US)
        c->failed = 0;
    int64_t delay = FIRST_DELAY_MS;
    for (unsigned i = 0; i < c->failed && delay < LAST_DELAY_MS; i++)
        delay *= 2;
    if (delay > LAST_DELAY_MS)
        delay = LAST_DELAY_MS;
    int64_t earliest = c->failures[c->failed % ROW];
    c->failures[c->failed % ROW] = now;
    c->failed++;
    c->state = WAITING;
    c->due = now + delay * 1000;
    if (c->failed >= ROW && earliest != 0 && now - earliest < ROW_US)
        log_error("child.failing", "name", c->what->name, "times", log_number(c->failed));
    log_warning("child.restart", "name", c->what->name, "in_ms", log_number(delay));
}

static void start(struct supervisor *s, struct child *c)
{
    int64_t now = clock_monotonic();
    pid_t pid = 0;
    if (c->what->before != NULL && !c->what->before(c->what->argument)) {
        log_error("child.before", "name", c->what->name);
        put_off(c, now);
        return;
    }
    int error = spawn(c->what, &pid);
    if (error != 0) {
        log_error("child.start", "name", c->what->name, "program", c->what->argv[0], "why", strerror(error));
        // At the first start that is a missing program, which waiting does not mend.
        s->hopeless = s->hopeless || !s->announced;
        put_off(c, now);
        return;
    }
    c->spawned = now;
    c->state = STARTING;
    snprintf(c->recorded.name, sizeof c->recorded.name, "%s", c->what->name);
    c->recorded.pid = pid;
    c->recorded.started = process_start_time(pid);
    c->recorded.stop_signal = c->what->stop_signal;
    c->recorded.stop_ms = c->what->stop_ms;
    write_record(s);
    log_info("child.started", "name", c->what->name, "pid", log_number(pid));
}

static void ended(struct supervisor *s, struct child *c, const siginfo_t *info)
{
    bool exited = info->si_code == CLD_EXITED;
    const char *pid = log_number(c->recorded.pid), *status = log_number(info->si_status);
    if (s->stopping)
        log_info("child.stopped", "name", c->what->name, "pid", pid, exited ? "status" : "signal", status);
    else
        log_error("child.ended", "name", c->what->name, "pid", pid, exited ? "status" : "signal", status);
    c->recorded.pid = 0;
    write_record(s);
    c->state = WAITING;
    c->due = INT64_MAX;
    if (!s->stopping)
        put_off(c, clock_monotonic());
}

// Reaps every child, ours or (as process 1) a stranger's.
static void reap(struct supervisor *s)
{
    for (;;) {
        siginfo_t info = {0};
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
            return;
        struct child *known = NULL;
        for (size_t i = 0; i < s->count; i++) {
            if (s->children[i].recorded.pid == info.si_pid)
                known = &s->children[i];
        }
        // Its group goes with it, while the unreaped pid still keeps the number from others: an edge's
        // workers would hold the port. A postmaster's children have groups of their own and end by
        // themselves.
        if (known != NULL)
            kill(-info.si_pid, SIGKILL);
        waitid(P_PID, (id_t)info.si_pid, &info, WEXITED | WNOHANG);
        if (known != NULL)
            ended(s, known, &info);
    }
}

static void read_signals(struct supervisor *s)
{
    struct signalfd_siginfo info;
    while (read(s->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGCHLD || s->stopping)
            continue;
        log_info("supervisor.stopping", "signal", log_number(info.ssi_signo));
        s->stopping = true;
    }
}

static void wait_for(struct supervisor *s, int64_t milliseconds)
{
    struct pollfd p = {.fd = s->signals, .events = POLLIN};
    poll(&p, 1, (int)milliseconds);
    read_signals(s);
    reap(s);
}

static void check_ready(struct child *c)
{
    if (c->what->ready != NULL && !c->what->ready(c->what->argument))
        return;
    c->state = READY;
    log_info("child.ready", "name", c->what->name, "after_ms",
             log_number((clock_monotonic() - c->spawned) / 1000));
}

// Starts what is due. A first start waits for everything before it; later each stands for itself.
static int64_t advance(struct supervisor *s)
{
    int64_t now = clock_monotonic(), wait = 1000;
    bool before_ready = true;
    for (size_t i = 0; i < s->count && !s->hopeless; i++) {
        struct child *c = &s->children[i];
        if (c->state == WAITING && c->due <= now && (before_ready || c->spawned != 0))
            start(s, c);
        if (c->state == STARTING)
            check_ready(c);
        if (c->state == STARTING)
            wait = CHECK_MS;
        else if (c->state == WAITING && c->due > now && (c->due - now) / 1000 + 1 < wait)
            wait = (c->due - now) / 1000 + 1;
        before_ready = before_ready && c->state == READY;
    }
    return wait;
}

static bool all_are_ready(const struct supervisor *s)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->children[i].state != READY)
            return false;
    }
    return true;
}

static bool stop_child(struct supervisor *s, struct child *c)
{
    bool postmaster = c->what->stop_signal == SIGINT;
    const int signals[] = {c->what->stop_signal, postmaster ? SIGQUIT : SIGKILL};
    const int64_t limits[] = {c->what->stop_ms, postmaster ? 30000 : 5000};
    for (size_t i = 0; i < 2 && c->recorded.pid > 0; i++) {
        if (i > 0)
            log_warning("child.slow", "name", c->what->name, "signal", log_number(signals[i]));
        kill(c->recorded.pid, signals[i]);
        int64_t deadline = clock_monotonic() + limits[i] * 1000;
        for (int64_t left; c->recorded.pid > 0 && (left = deadline - clock_monotonic()) > 0;)
            wait_for(s, left / 1000 + 1);
    }
    if (c->recorded.pid > 0)
        log_error("child.stays", "name", c->what->name, "pid", log_number(c->recorded.pid));
    return c->recorded.pid == 0;
}

static bool stop_all(struct supervisor *s)
{
    bool fine = true;
    s->stopping = true;
    for (size_t i = s->count; i-- > 0;)
        fine = stop_child(s, &s->children[i]) && fine;
    write_record(s);
    return fine;
}

static bool prepare(struct supervisor *s, const char *state_directory, const struct supervised *children,
                    size_t count)
{
    *s = (struct supervisor){.state_directory = state_directory, .count = count, .signals = -1};
    if (count > MOST_CHILDREN)
        return false;
    for (size_t i = 0; i < count; i++)
        s->children[i] = (struct child){.what = &children[i]};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, &s->before);
    s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return s->signals >= 0;
}

int supervisor_run(const char *state_directory, const struct supervised *children, size_t count,
                   void (*all_ready)(void *), void *argument)
{
    struct supervisor s;
    if (supervisor_claim(state_directory) != 0 || !prepare(&s, state_directory, children, count))
        return 1;
    bool fine = leftovers_end(state_directory);
    while (fine && !s.stopping && !s.hopeless) {
        int64_t wait = advance(&s);
        if (!s.announced && all_are_ready(&s)) {
            s.announced = true;
            log_info("supervisor.ready");
            if (all_ready != NULL)
                all_ready(argument);
        }
        if (!s.hopeless)
            wait_for(&s, wait);
    }
    fine = stop_all(&s) && fine && !s.hopeless;
    close(s.signals);
    sigprocmask(SIG_SETMASK, &s.before, NULL);
    return fine ? 0 : 1;
}
