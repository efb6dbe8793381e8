// Clients that vanish or dawdle, draining, taking over, and the loop as others use it.
#include "fixture.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

// The client goes while a worker has its request; the connection's end must not matter to anybody.
START_TEST(vanished_client)
{
    for (int i = 0; i < 20; i++) {
        int fd = dial(0);
        say(fd, "PUT /hold HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\n\r\nabc");
        struct http_exchange *x = take_held();
        if (i % 2)
            shutdown(fd, SHUT_RDWR);
        close(fd);
        usleep(2000);
        ck_assert(text_is(x->request.body, "abc"));
        http_finish(x);
    }
    expect(ask("GET / HTTP/1.1\r\nHost: here\r\n" CLOSE), "200 OK");
}
END_TEST

START_TEST(slow_body)
{
    int fd = dial(0);
    say(fd, "PUT / HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n");
    time_t begun = time(NULL);
    for (int i = 0; i < 40; i++) { // drips, for longer than is allowed
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, 500) != 0)
            break;
        say(fd, "a");
    }
    ck_assert_str_eq(read_all(fd), "");
    ck_assert_int_ge(time(NULL) - begun, 9);
    ck_assert_int_le(time(NULL) - begun, 14);
    close(fd);
}
END_TEST

static void *stop(void *limit)
{
    http_server_stop(server, *(unsigned *)limit);
    return NULL;
}

// A request in flight is answered and told to close; an idle connection ends; nobody new gets in.
START_TEST(drain)
{
    int busy = dial(0), idle = dial(1);
    say(idle, "GET / HTTP/1.1\r\nHost: here\r\n\r\n");
    char first[512] = {0};
    ck_assert_int_gt(recv(idle, first, sizeof first - 1, 0), 0);
    expect(first, "200 OK");
    say(busy, "GET /hold HTTP/1.1\r\nHost: here\r\n\r\n");
    struct http_exchange *x = take_held();
    unsigned limit = 4000;
    pthread_t thread;
    pthread_create(&thread, NULL, stop, &limit);
    usleep(300 * 1000);
    // The edge may still use its idle connection for a moment.
    say(idle, "GET /again HTTP/1.1\r\nHost: here\r\n\r\n");
    char *last = read_all(idle);
    expect(last, "[again]");
    expect(last, "Connection: close");
    http_finish(x);
    char *answer = read_all(busy);
    expect(answer, "200 OK");
    expect(answer, "Connection: close");
    pthread_join(thread, NULL);
    server = NULL;
    close(busy);
    close(idle);
}
END_TEST

START_TEST(drain_idle)
{
    int idle = dial(0);
    say(idle, "GET / HTTP/1.1\r\nHost: here\r\n\r\n");
    char first[512];
    ck_assert_int_gt(recv(idle, first, sizeof first, 0), 0);
    int silent = dial(0);
    unsigned limit = 1000;
    stop(&limit);
    server = NULL;
    ck_assert_int_eq(recv(idle, first, sizeof first, 0), 0);
    ck_assert_int_eq(recv(silent, first, sizeof first, 0), 0);
    close(idle);
    close(silent);
}
END_TEST

// Time runs out before the handler ends: its late answer goes nowhere, without harm.
START_TEST(drain_too_late)
{
    int busy = dial(0);
    say(busy, "GET /hold HTTP/1.1\r\nHost: here\r\n\r\n");
    struct http_exchange *x = take_held();
    unsigned limit = 100;
    stop(&limit);
    server = NULL;
    http_finish(x);
    close(busy);
}
END_TEST

static void *hammer(void *argument)
{
    size_t loop = *(size_t *)argument;
    for (int i = 0; i < 50; i++) {
        int fd = dial(loop);
        say(fd, "GET /1 HTTP/1.1\r\nHost: here\r\n\r\nGET /later HTTP/1.1\r\nHost: here\r\n" CLOSE);
        char got[2048];
        while (recv(fd, got, sizeof got, 0) > 0)
            ;
        close(fd);
    }
    return NULL;
}

// Above the limit nobody is accepted until somebody goes.
START_TEST(connection_limit)
{
    enum { LIMIT = 2048, SOME = 300 };
    static int all[LIMIT];
    struct rlimit files;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_max < 2 * LIMIT + 100)
        return; // this machine does not let us
    for (size_t i = 0; i < LIMIT; i++)
        all[i] = dial(0);
    say(all[LIMIT - 1], "GET / HTTP/1.1\r\nHost: here\r\n\r\n");
    char got[512];
    ck_assert_int_gt(recv(all[LIMIT - 1], got, sizeof got, 0), 0);
    int more = dial(0);
    say(more, "GET / HTTP/1.1\r\nHost: here\r\n" CLOSE);
    struct pollfd p = {.fd = more, .events = POLLIN};
    ck_assert_int_eq(poll(&p, 1, 300), 0);
    for (size_t i = 0; i < SOME; i++)
        close(all[i]);
    expect(read_all(more), "200 OK");
    close(more);
    for (size_t i = SOME; i < LIMIT; i++)
        close(all[i]);
}
END_TEST

START_TEST(many_at_once)
{
    pthread_t threads[8];
    size_t loops[8];
    for (size_t i = 0; i < 8; i++) {
        loops[i] = i % 2;
        pthread_create(&threads[i], NULL, hammer, &loops[i]);
    }
    for (size_t i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
}
END_TEST

START_TEST(replaced_socket)
{
    // A second server takes the names over; the first still answers those it has.
    int old = dial(0);
    struct http_server *first = server;
    struct http_server_config config = {
        .loops = 2,
        .socket_format = format,
        .socket_group = -1,
        .hosts = hosts,
        .host_count = 2,
        .body_limit = 1024,
        .refuse = refuse,
    };
    const char *why = NULL;
    server = http_server_start(&config, arena, &why);
    ck_assert_msg(server != NULL, "%s", why);
    expect(ask("PUT / HTTP/1.1\r\nHost: here\r\nContent-Length: 2000\r\n\r\n"), "413");
    say(old, "GET / HTTP/1.1\r\nHost: here\r\n" CLOSE);
    expect(read_all(old), "200 OK");
    close(old);
    http_server_stop(first, 200);
    expect(ask("GET / HTTP/1.1\r\nHost: here\r\n" CLOSE), "200 OK");
}
END_TEST

START_TEST(loopback)
{
    setup_with("127.0.0.1:47391");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(47391)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    say(fd,
        "GET /a HTTP/1.1\r\nHost: here:47391\r\nX-Azsacr-Host: there\r\nX-Azsacr-Client: 9.9.9.9\r\n" CLOSE);
    expect(read_all(fd), "host=here authority=here:47391 client=127.0.0.1 [a]");
    close(fd);
    teardown();
}
END_TEST

START_TEST(bad_start)
{
    struct arena *a = arena_new();
    struct http_server_config config = {.loops = 1, .socket_format = "/nonexistent/%zu", .socket_group = -1};
    const char *why = NULL;
    ck_assert_ptr_null(http_server_start(&config, a, &why));
    ck_assert_ptr_nonnull(why);
    arena_free(a);
}
END_TEST

// The loop as the pipeline uses it: a watched pipe, want_write, post in order, ticks, hooks.
static struct {
    struct loop *loop;
    struct loop_watch *watch;
    int pipe[2];
    int read, wrote, posted, ticks, hooks, order;
} seen;

static void pipe_readable(void *argument)
{
    char c;
    ck_assert_ptr_eq(argument, &seen);
    if (read(seen.pipe[0], &c, 1) == 1)
        __atomic_add_fetch(&seen.read, 1, __ATOMIC_RELAXED);
}

static void pipe_writable(void *argument)
{
    (void)argument;
    __atomic_add_fetch(&seen.wrote, 1, __ATOMIC_RELAXED);
}

static void count_tick(void *counter)
{
    __atomic_add_fetch((int *)counter, 1, __ATOMIC_RELAXED);
}

static void started(struct loop *loop, void *argument)
{
    (void)argument;
    if (loop->index != 0)
        return;
    seen.loop = loop;
    seen.watch = loop->watch(loop, seen.pipe[0], pipe_readable, &seen);
    loop->every(loop, 10, count_tick, &seen.ticks);
    loop->after_iteration(loop, count_tick, &seen.hooks);
}

static void stopping(struct loop *loop, void *argument)
{
    (void)argument;
    if (loop->index == 0)
        loop->unwatch(seen.watch);
}

static void in_order(void *argument)
{
    if (seen.posted == (int)(intptr_t)argument)
        __atomic_add_fetch(&seen.posted, 1, __ATOMIC_RELAXED);
    if (seen.posted == 50) {
        seen.loop->want_write(seen.watch, pipe_writable);
        seen.loop->want_write(seen.watch, pipe_writable);
    }
}

START_TEST(loop_for_others)
{
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    seen.pipe[0] = pair[0];
    seen.pipe[1] = pair[1];
    snprintf(directory, sizeof directory, "/tmp/http-unit-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(format, sizeof format, "%s/http-%%zu.sock", directory);
    arena = arena_new();
    struct http_server_config config = {
        .loops = 2,
        .socket_format = format,
        .socket_group = -1,
        .hosts = hosts,
        .host_count = 2,
        .body_limit = 1024,
        .refuse = refuse,
        .loop_started = started,
        .loop_stopping = stopping,
    };
    const char *why = NULL;
    server = http_server_start(&config, arena, &why);
    ck_assert_msg(server != NULL, "%s", why);
    ck_assert_ptr_eq(http_server_loop(server, 0), seen.loop);
    for (intptr_t i = 0; i < 50; i++)
        seen.loop->post(seen.loop, in_order, (void *)i);
    ck_assert_int_eq(write(seen.pipe[1], "abc", 3), 3);
    usleep(500 * 1000);
    ck_assert_int_eq(__atomic_load_n(&seen.posted, __ATOMIC_RELAXED), 50);
    ck_assert_int_eq(__atomic_load_n(&seen.read, __ATOMIC_RELAXED), 3);
    ck_assert_int_eq(__atomic_load_n(&seen.wrote, __ATOMIC_RELAXED), 1);
    ck_assert_int_ge(__atomic_load_n(&seen.ticks, __ATOMIC_RELAXED), 10);
    ck_assert_int_ge(__atomic_load_n(&seen.hooks, __ATOMIC_RELAXED), 10);
    teardown();
    close(pair[0]);
    close(pair[1]);
}
END_TEST

Suite *suite_lifecycle(void);
Suite *suite_lifecycle(void)
{
    Suite *suite = suite_create("lifecycle");
    TCase *on = tcase_create("running");
    tcase_add_checked_fixture(on, setup, teardown);
    tcase_set_timeout(on, 30);
    tcase_add_test(on, vanished_client);
    tcase_add_test(on, slow_body);
    tcase_add_test(on, drain);
    tcase_add_test(on, drain_idle);
    tcase_add_test(on, drain_too_late);
    tcase_add_test(on, connection_limit);
    tcase_add_test(on, many_at_once);
    tcase_add_test(on, replaced_socket);
    suite_add_tcase(suite, on);
    TCase *apart = tcase_create("alone");
    tcase_set_timeout(apart, 30);
    tcase_add_test(apart, loopback);
    tcase_add_test(apart, bad_start);
    tcase_add_test(apart, loop_for_others);
    suite_add_tcase(suite, apart);
    return suite;
}
