// The fake loop. It watches dups, as the real one does, and forgets unwatched ones at the end of an
// iteration.
#include "fake_loop.h"

#include "base/arena.h"
#include "base/clock.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { WATCHES = 16, CALLS = 64 };

struct call {
    void (*run)(void *);
    void *argument;
    unsigned milliseconds; // timers
    int64_t due;
};

struct loop_watch {
    int fd;
    bool dead;
    void (*readable)(void *);
    void (*writable)(void *);
    void *argument;
};

struct fake_loop {
    struct loop loop; // first: the one that is given out
    struct loop_watch *watches[WATCHES];
    struct call posted[CALLS], after[4], timers[4];
    size_t posted_count, after_count, timer_count;
};

static struct loop_watch *watch(struct loop *loop, int fd, void (*readable)(void *), void *argument)
{
    struct fake_loop *f = (struct fake_loop *)loop;
    for (size_t i = 0; i < WATCHES; i++) {
        if (f->watches[i] != NULL)
            continue;
        f->watches[i] = xcalloc(1, sizeof(struct loop_watch));
        *f->watches[i] = (struct loop_watch){.fd = dup(fd), .readable = readable, .argument = argument};
        return f->watches[i];
    }
    abort();
}

static void want_write(struct loop_watch *w, void (*writable)(void *))
{
    w->writable = writable;
}

static void unwatch(struct loop_watch *w)
{
    w->dead = true;
}

static void post(struct loop *loop, void (*run)(void *), void *argument)
{
    struct fake_loop *f = (struct fake_loop *)loop;
    if (f->posted_count == CALLS)
        abort();
    f->posted[f->posted_count++] = (struct call){.run = run, .argument = argument};
}

static void after_iteration(struct loop *loop, void (*run)(void *), void *argument)
{
    struct fake_loop *f = (struct fake_loop *)loop;
    f->after[f->after_count++] = (struct call){.run = run, .argument = argument};
}

static void every(struct loop *loop, unsigned milliseconds, void (*run)(void *), void *argument)
{
    struct fake_loop *f = (struct fake_loop *)loop;
    f->timers[f->timer_count++] = (struct call){run, argument, milliseconds, 0};
}

struct loop *fake_loop_new(void)
{
    struct fake_loop *f = xcalloc(1, sizeof *f);
    f->loop = (struct loop){0, watch, want_write, unwatch, post, after_iteration, every};
    return &f->loop;
}

static void sweep(struct fake_loop *f, bool all)
{
    for (size_t i = 0; i < WATCHES; i++) {
        struct loop_watch *w = f->watches[i];
        if (w == NULL || !(w->dead || all))
            continue;
        close(w->fd);
        free(w);
        f->watches[i] = NULL;
    }
}

void fake_loop_free(struct loop *loop)
{
    sweep((struct fake_loop *)loop, true);
    free(loop);
}

static void dispatch(struct loop_watch *w, short events)
{
    if (!w->dead && w->writable != NULL && events & (POLLOUT | POLLERR | POLLHUP)) {
        void (*writable)(void *) = w->writable;
        w->writable = NULL;
        writable(w->argument);
    }
    if (!w->dead && events & (POLLIN | POLLERR | POLLHUP))
        w->readable(w->argument);
}

void fake_loop_turn(struct loop *loop)
{
    struct fake_loop *f = (struct fake_loop *)loop;
    struct pollfd fds[WATCHES];
    struct loop_watch *which[WATCHES];
    nfds_t n = 0;
    for (size_t i = 0; i < WATCHES; i++) {
        if (f->watches[i] == NULL)
            continue;
        which[n] = f->watches[i];
        fds[n] = (struct pollfd){f->watches[i]->fd, f->watches[i]->writable ? POLLIN | POLLOUT : POLLIN, 0};
        n++;
    }
    poll(fds, n, 5);
    for (nfds_t i = 0; i < n; i++)
        if (fds[i].revents != 0)
            dispatch(which[i], fds[i].revents);
    size_t posted = f->posted_count;
    struct call calls[CALLS];
    for (size_t i = 0; i < posted; i++)
        calls[i] = f->posted[i];
    f->posted_count = 0;
    for (size_t i = 0; i < posted; i++)
        calls[i].run(calls[i].argument);
    int64_t now = clock_monotonic();
    for (size_t i = 0; i < f->timer_count; i++) {
        if (now < f->timers[i].due)
            continue;
        f->timers[i].due = now + f->timers[i].milliseconds * 1000;
        f->timers[i].run(f->timers[i].argument);
    }
    for (size_t i = 0; i < f->after_count; i++)
        f->after[i].run(f->after[i].argument);
    sweep(f, false);
}

bool fake_loop_until(struct loop *loop, const int *done, int enough, int milliseconds)
{
    int64_t limit = clock_monotonic() + milliseconds * 1000;
    while (*done < enough && clock_monotonic() < limit)
        fake_loop_turn(loop);
    return *done >= enough;
}
