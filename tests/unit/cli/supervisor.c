// The supervisor over shell children: order, restarts, leftovers of a killed one, stopping.
#include "cli/supervisor.h"

#include "cli/leftovers.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char state[64];

static void setup(void)
{
    snprintf(state, sizeof state, "/tmp/supervisor-unit-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(state));
    ck_assert_int_eq(setenv("STATE", state, 1), 0);
}

static void teardown(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", state);
    ck_assert_int_eq(system(command), 0);
}

static const char *in_state(const char *name)
{
    static char path[8][128];
    static unsigned n;
    char *p = path[n++ % 8];
    snprintf(p, sizeof path[0], "%s/%s", state, name);
    return p;
}

static bool exists(void *name)
{
    return access(in_state(name), F_OK) == 0;
}

static bool forget(void *name)
{
    unlink(in_state(name));
    return true;
}

static void touch(void *name)
{
    int fd = open(in_state(name), O_WRONLY | O_CREAT, 0644);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

static const char *content(const char *name)
{
    static char text[4096];
    int fd = open(in_state(name), O_RDONLY);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static bool comes(bool (*what)(void *), void *argument)
{
    for (int i = 0; i < 500; i++) {
        if (what(argument))
            return true;
        usleep(20 * 1000);
    }
    return false;
}

// A service that says in STATE/log when it comes and goes.
#define SERVICE(name, signal)                                                                                \
    "trap 'echo " name "- >> $STATE/log; exit 0' " signal "; echo " name                                     \
    "+ >> $STATE/log; echo $$ > $STATE/" name ".pid; touch $STATE/" name ".up; while :; do sleep 0.02; done"

static const char *const argv_a[] = {"/bin/sh", "-c", SERVICE("a", "INT"), NULL};
static const char *const argv_b[] = {"/bin/sh", "-c", SERVICE("b", "TERM"), NULL};

static const struct supervised two[] = {
    {.name = "a",
     .argv = argv_a,
     .ready = exists,
     .before = forget,
     .argument = "a.up",
     .stop_signal = SIGINT,
     .stop_ms = 5000},
    {.name = "b",
     .argv = argv_b,
     .ready = exists,
     .before = forget,
     .argument = "b.up",
     .stop_signal = SIGTERM,
     .stop_ms = 5000},
};

// Another process that supervises; what it logs goes nowhere.
static pid_t run(const struct supervised *children, size_t count)
{
    unlink(in_state("ready"));
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        int log = open(in_state("stderr"), O_WRONLY | O_CREAT | O_APPEND, 0644);
        dup2(log, 2);
        _exit(supervisor_run(state, children, count, touch, "ready"));
    }
    return pid;
}

static int status_of(pid_t pid)
{
    int status = 0;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static long number_in(const char *name)
{
    return strtol(content(name), NULL, 10);
}

static long other_than;
static bool another_pid(void *name)
{
    long pid = number_in(name);
    return pid != 0 && pid != other_than;
}

START_TEST(order)
{
    pid_t pid = run(two, 2);
    ck_assert(comes(exists, "ready"));
    ck_assert_str_eq(content("log"), "a+\nb+\n");
    ck_assert_int_eq(number_in("up.lock"), pid);
    kill(pid, SIGTERM);
    ck_assert_int_eq(status_of(pid), 0);
    ck_assert_str_eq(content("log"), "a+\nb+\nb-\na-\n");
    ck_assert_str_eq(content("run/children"), "");
}
END_TEST

START_TEST(interrupted)
{
    pid_t pid = run(two, 2);
    ck_assert(comes(exists, "a.up")); // also in the middle of starting
    kill(pid, SIGINT);
    ck_assert_int_eq(status_of(pid), 0);
    ck_assert_ptr_nonnull(strstr(content("log"), "a-\n"));
}
END_TEST

START_TEST(restarts)
{
    pid_t pid = run(two, 2);
    ck_assert(comes(exists, "ready"));
    other_than = number_in("a.pid");
    kill((pid_t)other_than, SIGKILL);
    ck_assert(comes(another_pid, "a.pid"));
    other_than = number_in("b.pid");
    kill((pid_t)other_than, SIGKILL);
    ck_assert(comes(another_pid, "b.pid"));
    ck_assert_ptr_nonnull(strstr(content("stderr"), "child.ended"));
    kill(pid, SIGTERM);
    ck_assert_int_eq(status_of(pid), 0);
    ck_assert_str_eq(content("log"), "a+\nb+\na+\nb+\nb-\na-\n");
}
END_TEST

START_TEST(back_off)
{
    static const char *const argv[] = {"/bin/sh", "-c", "echo x >> $STATE/log; exit 3", NULL};
    static const struct supervised failing[] = {{.name = "failing",
                                                 .argv = argv,
                                                 .ready = exists,
                                                 .argument = "never",
                                                 .stop_signal = SIGTERM,
                                                 .stop_ms = 1000}};
    pid_t pid = run(failing, 1);
    usleep(2000 * 1000); // 0, 0.1, 0.3, 0.7, 1.5 s
    size_t starts = strlen(content("log")) / 2;
    ck_assert_uint_ge(starts, 3);
    ck_assert_uint_le(starts, 6);
    kill(pid, SIGTERM);
    ck_assert_int_eq(status_of(pid), 0);
    ck_assert(!exists("ready"));
}
END_TEST

START_TEST(refused)
{
    pid_t pid = run(two, 2);
    ck_assert(comes(exists, "ready"));
    pid_t second = run(two, 2);
    ck_assert_int_eq(status_of(second), 1);
    char holder[64];
    snprintf(holder, sizeof holder, "in use by process %ld:", (long)pid);
    ck_assert_ptr_nonnull(strstr(content("stderr"), holder));
    kill(pid, SIGTERM);
    ck_assert_int_eq(status_of(pid), 0);
}
END_TEST

static bool gone(void *pid)
{
    return kill(*(pid_t *)pid, 0) != 0 && errno == ESRCH;
}

// The test is the nearest subreaper here, as init is elsewhere.
START_TEST(killed_supervisor)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t pid = run(two, 2);
    ck_assert(comes(exists, "ready"));
    pid_t a = (pid_t)number_in("a.pid"), b = (pid_t)number_in("b.pid");
    kill(pid, SIGKILL);
    ck_assert_int_eq(status_of(pid), 128 + SIGKILL);
    ck_assert_int_eq(kill(a, 0), 0);
    pid = run(two, 2);
    ck_assert_int_eq(waitpid(b, NULL, 0), b);
    ck_assert_int_eq(waitpid(a, NULL, 0), a);
    ck_assert(comes(gone, &a));
    ck_assert(comes(exists, "ready"));
    ck_assert_str_eq(content("log"), "a+\nb+\nb-\na-\na+\nb+\n");
    kill(pid, SIGTERM);
    ck_assert_int_eq(status_of(pid), 0);
}
END_TEST

// A pid that now belongs to somebody else is not touched.
START_TEST(recycled_pid)
{
    pid_t stranger = fork();
    if (stranger == 0) {
        signal(SIGTERM, SIG_DFL); // the test runner's handler would end the test
        pause();
        _exit(0);
    }
    usleep(100 * 1000);
    struct recorded r = {"a", stranger, process_start_time(stranger) + 1, SIGTERM, 100};
    ck_assert(record_write(state, &r, 1));
    ck_assert(leftovers_end(state));
    ck_assert_int_eq(waitpid(stranger, NULL, WNOHANG), 0);
    r.started--;
    ck_assert(record_write(state, &r, 1));
    ck_assert(leftovers_end(state));
    ck_assert_int_eq(status_of(stranger), 128 + SIGTERM);
}
END_TEST

// postmaster.pid counts only while that process works in the data directory.
START_TEST(leftover_postmaster)
{
    ck_assert_int_eq(mkdir(in_state("pgdata"), 0700), 0);
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGINT, SIG_DFL);
        if (chdir(in_state("pgdata")) == 0)
            pause();
        _exit(0);
    }
    usleep(100 * 1000);
    FILE *file = fopen(in_state("pgdata/postmaster.pid"), "w");
    fprintf(file, "%ld\n/data\n", (long)getpid());
    fclose(file);
    ck_assert(leftovers_end(state)); // we do not work there
    file = fopen(in_state("pgdata/postmaster.pid"), "w");
    fprintf(file, "%ld\n/data\n", (long)pid);
    fclose(file);
    ck_assert(leftovers_end(state));
    ck_assert_int_eq(status_of(pid), 128 + SIGINT);
}
END_TEST

// Whose leader was killed: a member that works in the state directory goes, another stays.
START_TEST(leftover_group)
{
    pid_t leader = fork(), members[2];
    if (leader == 0) {
        setpgid(0, 0);
        pause();
        _exit(0);
    }
    setpgid(leader, leader);
    for (int i = 0; i < 2; i++) {
        members[i] = fork();
        if (members[i] == 0) {
            signal(SIGTERM, SIG_DFL);
            if (i == 0 && chdir(state) != 0)
                _exit(1);
            pause();
            _exit(0);
        }
        setpgid(members[i], leader);
    }
    struct recorded r = {"edge", leader, process_start_time(leader), SIGQUIT, 100};
    ck_assert(record_write(state, &r, 1));
    usleep(100 * 1000);
    kill(leader, SIGKILL);
    ck_assert_int_eq(status_of(leader), 128 + SIGKILL);
    ck_assert(leftovers_end(state));
    ck_assert_int_eq(status_of(members[0]), 128 + SIGKILL);
    ck_assert_int_eq(waitpid(members[1], NULL, WNOHANG), 0);
    kill(members[1], SIGTERM);
    ck_assert_int_eq(status_of(members[1]), 128 + SIGTERM);
}
END_TEST

START_TEST(stubborn)
{
    static const char *const deaf[] = {"/bin/sh", "-c",
                                       "trap '' TERM; touch $STATE/c.up; while :; do sleep 0.02; done", NULL};
    static const char *const slow[] = {
        "/bin/sh", "-c",
        "trap '' INT; trap 'echo quit > $STATE/log; exit 0' QUIT; touch $STATE/d.up; "
        "while :; do sleep 0.02; done",
        NULL};
    static const struct supervised children[] = {{.name = "c",
                                                  .argv = deaf,
                                                  .ready = exists,
                                                  .argument = "c.up",
                                                  .stop_signal = SIGTERM,
                                                  .stop_ms = 200},
                                                 {.name = "d",
                                                  .argv = slow,
                                                  .ready = exists,
                                                  .argument = "d.up",
                                                  .stop_signal = SIGINT,
                                                  .stop_ms = 200}};
    pid_t pid = run(children, 2);
    ck_assert(comes(exists, "ready"));
    kill(pid, SIGTERM);
    ck_assert_int_eq(status_of(pid), 0);
    ck_assert_str_eq(content("log"), "quit\n");
}
END_TEST

START_TEST(missing_program)
{
    static const char *const argv[] = {"/nonexistent/program", NULL};
    static const struct supervised children[] = {
        {.name = "a",
         .argv = argv_a,
         .ready = exists,
         .before = forget,
         .argument = "a.up",
         .stop_signal = SIGINT,
         .stop_ms = 5000},
        {.name = "missing", .argv = argv, .stop_signal = SIGTERM, .stop_ms = 1000}};
    ck_assert_int_eq(status_of(run(children, 2)), 1);
    ck_assert_str_eq(content("log"), "a+\na-\n");
    ck_assert_ptr_nonnull(strstr(content("stderr"), "/nonexistent/program"));
}
END_TEST

START_TEST(clean_world)
{
    static const char *const argv[] = {
        "/bin/sh", "-c",
        "grep -E 'Sig(Blk|Ign)' /proc/self/status > $STATE/signals; ls /proc/self/fd > $STATE/fds;"
        "readlink /proc/$$/fd/0 > $STATE/stdin; echo $EXTRA > $STATE/extra; touch $STATE/e.up; sleep 100",
        NULL};
    static const char *const extra[] = {"EXTRA=value", NULL};
    static const struct supervised children[] = {{.name = "e",
                                                  .argv = argv,
                                                  .environment_extra = extra,
                                                  .ready = exists,
                                                  .argument = "e.up",
                                                  .stop_signal = SIGTERM,
                                                  .stop_ms = 1000}};
    setenv("EXTRA", "old", 1);
    signal(SIGPIPE, SIG_IGN);
    pid_t pid = run(children, 1);
    ck_assert(comes(exists, "ready"));
    unsigned long long blocked = 1, ignored = 1;
    ck_assert_int_eq(sscanf(content("signals"), "SigBlk: %llx SigIgn: %llx", &blocked, &ignored), 2);
    ck_assert_uint_eq(blocked, 0);
    ck_assert_uint_eq(ignored & 0x7fffffff, 0); // 32 and 33 belong to the C library, out of our reach
    ck_assert_str_eq(content("stdin"), "/dev/null\n");
    ck_assert_str_eq(content("extra"), "value\n");
    ck_assert_str_eq(content("fds"), "0\n1\n2\n3\n"); // 3: the listing's own
    kill(pid, SIGTERM);
    ck_assert_int_eq(status_of(pid), 0);
}
END_TEST

static bool has_zombie(pid_t parent)
{
    char command[160];
    snprintf(command, sizeof command, "ps --ppid %ld -o stat= | grep -q Z", (long)parent);
    return system(command) == 0;
}

// As process 1 of a container: orphans of others end with us as parent, and leave no zombie.
START_TEST(strangers)
{
    static const char *const argv[] = {
        "/bin/sh", "-c", "(sleep 0.1 &) ; (setsid sleep 0.2 &); touch $STATE/f.up; exec sleep 100", NULL};
    static const struct supervised children[] = {{.name = "f",
                                                  .argv = argv,
                                                  .ready = exists,
                                                  .argument = "f.up",
                                                  .stop_signal = SIGTERM,
                                                  .stop_ms = 1000}};
    pid_t pid = run(children, 1);
    ck_assert(comes(exists, "ready"));
    usleep(600 * 1000);
    ck_assert(!has_zombie(pid));
    kill(pid, SIGTERM);
    ck_assert_int_eq(status_of(pid), 0);
}
END_TEST

// When the head of a group is killed, the rest of it goes too: an edge's workers would hold the port.
START_TEST(whole_group)
{
    static const char *const argv[] = {"/bin/sh", "-c",
                                       "sleep 100 & echo $! > $STATE/worker; touch $STATE/g.up; wait", NULL};
    static const struct supervised children[] = {{.name = "g",
                                                  .argv = argv,
                                                  .ready = exists,
                                                  .argument = "g.up",
                                                  .stop_signal = SIGTERM,
                                                  .stop_ms = 1000}};
    pid_t pid = run(children, 1);
    ck_assert(comes(exists, "ready"));
    pid_t worker = (pid_t)number_in("worker");
    kill(getpgid(worker), SIGKILL);
    ck_assert(comes(gone, &worker));
    kill(pid, SIGTERM);
    ck_assert_int_eq(status_of(pid), 0);
}
END_TEST

Suite *suite_supervisor(void);
Suite *suite_supervisor(void)
{
    Suite *suite = suite_create("supervisor");
    TCase *tcase = tcase_create("supervisor");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, order);
    tcase_add_test(tcase, interrupted);
    tcase_add_test(tcase, restarts);
    tcase_add_test(tcase, back_off);
    tcase_add_test(tcase, refused);
    tcase_add_test(tcase, killed_supervisor);
    tcase_add_test(tcase, recycled_pid);
    tcase_add_test(tcase, leftover_postmaster);
    tcase_add_test(tcase, leftover_group);
    tcase_add_test(tcase, stubborn);
    tcase_add_test(tcase, missing_program);
    tcase_add_test(tcase, clean_world);
    tcase_add_test(tcase, strangers);
    tcase_add_test(tcase, whole_group);
    suite_add_tcase(suite, tcase);
    return suite;
}
