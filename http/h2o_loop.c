// One event loop and its thread: the vtable others see, messages from other threads, draining.
#include "http/h2o_fence.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"

#include <fcntl.h>
#include <stdlib.h>

_Thread_local struct server_loop *current_loop;

struct loop_watch {
    h2o_socket_t *socket;
    struct hook readable, writable;
};

static void on_readable(h2o_socket_t *socket, const char *error)
{
    (void)error; // the owner's own read finds out what is wrong
    struct loop_watch *watch = socket->data;
    watch->readable.run(watch->readable.argument);
}

static struct loop_watch *watch(struct loop *loop, int fd, void (*readable)(void *), void *argument)
{
    struct server_loop *l = (struct server_loop *)loop;
    // Closing the socket closes its descriptor: the owner keeps its own.
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0) {
        log_error("loop.watch", "why", "no descriptor is left");
        return NULL;
    }
    struct loop_watch *w = xcalloc(1, sizeof *w);
    w->readable = (struct hook){readable, argument};
    w->socket = h2o_evloop_socket_create(l->context.loop, copy, H2O_SOCKET_FLAG_DONT_READ);
    w->socket->data = w;
    h2o_socket_read_start(w->socket, on_readable);
    return w;
}

static void on_writable(h2o_socket_t *socket, const char *error)
{
    (void)error;
    struct loop_watch *watch = socket->data;
    watch->writable.run(watch->writable.argument);
}

static void want_write(struct loop_watch *watch, void (*writable)(void *))
{
    // The library asserts that no write is pending.
    if (h2o_socket_is_writing(watch->socket))
        return;
    watch->writable = (struct hook){writable, watch->readable.argument};
    h2o_socket_notify_write(watch->socket, on_writable);
}

static void unwatch(struct loop_watch *watch)
{
    if (watch == NULL)
        return;
    h2o_socket_close(watch->socket);
    free(watch);
}

bool loop_post(struct server_loop *loop, struct posted *posted)
{
    posted->next = NULL;
    pthread_mutex_lock(&loop->mutex);
    bool open = !loop->closed;
    if (open) {
        *loop->last = posted;
        loop->last = &posted->next;
        if (!loop->woken) {
            loop->woken = true;
            h2o_multithread_send_message(&loop->receiver, &loop->wake);
        }
    }
    pthread_mutex_unlock(&loop->mutex);
    return open;
}

static void post(struct loop *loop, void (*run)(void *), void *argument)
{
    struct posted *posted = xcalloc(1, sizeof *posted);
    posted->run = run;
    posted->argument = argument;
    posted->owned = true;
    if (!loop_post((struct server_loop *)loop, posted))
        free(posted);
}

static void run_posted(struct server_loop *loop)
{
    pthread_mutex_lock(&loop->mutex);
    struct posted *p = loop->first;
    loop->first = NULL;
    loop->last = &loop->first;
    loop->woken = false;
    pthread_mutex_unlock(&loop->mutex);
    while (p != NULL) {
        struct posted *next = p->next;
        void (*run)(void *) = p->run;
        void *argument = p->argument;
        if (p->owned)
            free(p);
        run(argument);
        p = next;
    }
}

static void on_wake(h2o_multithread_receiver_t *receiver, h2o_linklist_t *messages)
{
    (void)receiver;
    for (h2o_linklist_t *message = messages->next, *next; message != messages; message = next) {
        next = message->next;
        h2o_linklist_unlink(message);
    }
    run_posted(current_loop);
}

static void after_iteration(struct loop *loop, void (*run)(void *), void *argument)
{
    struct server_loop *l = (struct server_loop *)loop;
    if (l->after_count == HOOKS)
        abort();
    l->after[l->after_count++] = (struct hook){run, argument};
}

static void on_tick(h2o_timeout_entry_t *entry)
{
    struct ticker *t = (struct ticker *)entry;
    h2o_timeout_link(current_loop->context.loop, t->bucket, entry);
    t->hook.run(t->hook.argument);
}

static void every(struct loop *loop, unsigned milliseconds, void (*run)(void *), void *argument)
{
    struct server_loop *l = (struct server_loop *)loop;
    struct ticker *t = xcalloc(1, sizeof *t);
    t->entry.cb = on_tick;
    t->hook = (struct hook){run, argument};
    t->bucket = milliseconds <= 10    ? &l->ten_ms
                : milliseconds <= 100 ? &l->context.hundred_ms_timeout
                                      : &l->context.one_sec_timeout;
    t->next = l->tickers;
    l->tickers = t;
    h2o_timeout_link(l->context.loop, t->bucket, &t->entry);
}

void loop_prepare(struct server_loop *loop)
{
    pthread_mutex_init(&loop->mutex, NULL);
    loop->last = &loop->first;
    loop->edge.fd = loop->loopback.fd = -1;
    loop->edge.loop = loop->loopback.loop = loop;
    loop->super.watch = watch;
    loop->super.want_write = want_write;
    loop->super.unwatch = unwatch;
    loop->super.post = post;
    loop->super.after_iteration = after_iteration;
    loop->super.every = every;
}

// True when the loop may end: nothing is open any more, or the time is up.
static bool drained(struct server_loop *loop)
{
    int64_t now = clock_monotonic();
    if (loop->connections == 0 && loop->pending == 0)
        return true;
    if (now >= loop->stop_until + 500 * 1000)
        return true;
    if (now >= loop->stop_until)
        cut_connections(loop, true);
    else if (now >= loop->linger_until)
        cut_connections(loop, false);
    return false;
}

static void nothing(void *argument)
{
    (void)argument;
}

static void iterate(struct server_loop *loop)
{
    // What a hook wrote waits for its completion in this round, before anything is polled for.
    int32_t wait = loop->answered ? 0 : 1000;
    loop->answered = false;
    h2o_evloop_run(loop->context.loop, wait);
    loop->answered = false;
    for (size_t i = 0; i < loop->after_count; i++)
        loop->after[i].run(loop->after[i].argument);
}

static void start(struct server_loop *loop)
{
    struct http_server *server = loop->server;
    h2o_context_init(&loop->context, h2o_evloop_create(), &server->global);
    h2o_timeout_init(loop->context.loop, &loop->ten_ms, 10);
    h2o_multithread_register_receiver(loop->context.queue, &loop->receiver, on_wake);
    loop->accept_edge = loop->accept_loopback =
        (h2o_accept_ctx_t){.ctx = &loop->context, .hosts = server->global.hosts};
    if (server->config.loop_started != NULL)
        server->config.loop_started(&loop->super, server->config.argument);
    slow_clients_start(loop);
    listen_start(&loop->edge);
    listen_start(&loop->loopback);
    pthread_mutex_lock(&server->mutex);
    server->started++;
    pthread_cond_signal(&server->condition);
    pthread_mutex_unlock(&server->mutex);
}

static void dispose(struct server_loop *loop)
{
    while (loop->tickers != NULL) {
        struct ticker *t = loop->tickers;
        loop->tickers = t->next;
        h2o_timeout_unlink(&t->entry);
        free(t);
    }
    pthread_mutex_lock(&loop->mutex);
    loop->closed = true;
    pthread_mutex_unlock(&loop->mutex);
    run_posted(loop);
    // With connections left it cannot be taken apart; the process is about to end.
    if (loop->connections > 0) {
        log_warning("http.drain.unfinished", "connections", log_number((int64_t)loop->connections));
        return;
    }
    while (h2o_linklist_is_linked(&loop->wake.link))
        h2o_evloop_run(loop->context.loop, 0);
    h2o_multithread_unregister_receiver(loop->context.queue, &loop->receiver);
    h2o_evloop_t *evloop = loop->context.loop;
    h2o_timeout_dispose(evloop, &loop->ten_ms);
    h2o_context_dispose(&loop->context);
    h2o_evloop_destroy(evloop);
}

void *loop_main(void *argument)
{
    struct server_loop *loop = argument;
    current_loop = loop;
    arena_keep_chunks();
    start(loop);
    bool ticking = false;
    while (!loop->stopping || !drained(loop)) {
        if (loop->stopping && !ticking) {
            every(&loop->super, 10, nothing, NULL);
            ticking = true;
        }
        iterate(loop);
    }
    if (loop->server->config.loop_stopping != NULL)
        loop->server->config.loop_stopping(&loop->super, loop->server->config.argument);
    dispose(loop);
    arena_drop_chunks();
    current_loop = NULL;
    return NULL;
}
