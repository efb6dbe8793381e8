// A real server on unix sockets, driven by raw bytes: what HTTP libraries would hide.
#include "base/arena.h"
#include "base/buffer.h"
#include "http/server.h"

#include <check.h>
#include <dirent.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct http_server *server;
static struct arena *arena;
static char directory[64];
static char format[96];

static struct http_exchange *held[64]; // exchanges of /hold, finished by the test
static size_t held_count;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;

static void *finish_later(void *exchange)
{
    usleep(100 * 1000);
    http_finish(exchange);
    return NULL;
}

static void describe(struct http_exchange *x)
{
    struct http_request *r = &x->request;
    struct buffer b = buffer_new(r->arena);
    buffer_format(&b, "host=%.*s authority=%.*s client=%.*s", TEXT_ARG(r->host), TEXT_ARG(r->authority),
                  TEXT_ARG(r->client_address));
    for (size_t i = 0; i < r->segment_count; i++)
        buffer_format(&b, " [%.*s]", TEXT_ARG(r->segments[i]));
    for (size_t i = 0; i < r->query_count; i++)
        buffer_format(&b, " %.*s=%.*s", TEXT_ARG(r->query[i].name), TEXT_ARG(r->query[i].value));
    buffer_format(&b, " body=%zu", r->body.length);
    x->answer.body = buffer_done(&b);
}

static void dispatch(struct http_exchange *x)
{
    struct http_request *r = &x->request;
    x->answer.status = r->malformed ? 400 : 200;
    http_set_header_string(&x->answer, "Content-Type", "text/plain");
    describe(x);
    struct text what = r->segment_count > 0 ? r->segments[0] : TEXT("");
    if (r->malformed != NULL) {
        x->answer.body = text_of(r->malformed);
    } else if (text_is(what, "none")) {
        x->answer.status = 204;
        x->answer.body = TEXT_NONE;
    } else if (text_is(what, "same")) {
        x->answer.status = 304;
    } else if (text_is(what, "blob")) {
        x->answer.body = TEXT_NONE;
        x->answer.head_length = 123456;
    } else if (text_is(what, "long")) {
        size_t length = 1000 * 1000;
        char *body = arena_alloc(r->arena, length);
        memset(body, 'x', length);
        x->answer.body = (struct text){body, length};
    } else if (text_is(what, "later")) {
        pthread_t thread;
        pthread_create(&thread, NULL, finish_later, x);
        pthread_detach(thread);
        return;
    } else if (text_is(what, "hold")) {
        pthread_mutex_lock(&mutex);
        held[held_count++] = x;
        pthread_cond_signal(&condition);
        pthread_mutex_unlock(&mutex);
        return;
    }
    http_finish(x);
}

static struct http_exchange *take_held(void)
{
    pthread_mutex_lock(&mutex);
    while (held_count == 0)
        pthread_cond_wait(&condition, &mutex);
    struct http_exchange *x = held[--held_count];
    pthread_mutex_unlock(&mutex);
    return x;
}

static void refuse(struct http_exchange *x, int status, const char *why)
{
    x->answer.status = status;
    http_set_header_string(&x->answer, "Content-Type", "application/json");
    x->answer.body = text_of(
        arena_printf(x->request.arena, "{\"host\":\"%.*s\",\"why\":\"%s\"}", TEXT_ARG(x->request.host), why));
}

static const struct http_host hosts[] = {{"here", dispatch}, {"*.wild.test", dispatch}};

static void setup_with(const char *loopback)
{
    snprintf(directory, sizeof directory, "/tmp/http-unit-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(format, sizeof format, "%s/http-%%zu.sock", directory);
    arena = arena_new();
    struct http_server_config config = {
        .loops = 2,
        .socket_format = format,
        .socket_group = -1,
        .loopback = loopback,
        .hosts = hosts,
        .host_count = 2,
        .body_limit = 64 * 1024,
        .refuse = refuse,
    };
    const char *why = NULL;
    server = http_server_start(&config, arena, &why);
    ck_assert_msg(server != NULL, "%s", why);
}

static void setup(void)
{
    setup_with(NULL);
}

static void remove_directory(void)
{
    for (size_t i = 0; i < 2; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/http-%zu.sock", directory, i);
        unlink(path);
    }
    ck_assert_int_eq(rmdir(directory), 0); // no temporary name is left behind
}

static void teardown(void)
{
    if (server != NULL)
        http_server_stop(server, 200);
    remove_directory();
    arena_free(arena);
}

static int dial(size_t loop)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/http-%zu.sock", directory, loop);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    struct timeval limit = {.tv_sec = 20};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return fd;
}

static void say(int fd, const char *bytes)
{
    size_t length = strlen(bytes);
    while (length > 0) {
        ssize_t n = send(fd, bytes, length, MSG_NOSIGNAL);
        if (n <= 0)
            return; // the server may have had enough
        bytes += n;
        length -= (size_t)n;
    }
}

static char *read_all(int fd)
{
    size_t length = 0;
    char *all = arena_alloc(arena, 1 << 21);
    for (;;) {
        ssize_t n = recv(fd, all + length, (1 << 21) - 1 - length, 0);
        if (n <= 0)
            break;
        length += (size_t)n;
    }
    all[length] = '\0';
    return all;
}

// Sends, and reads until the server closes.
static char *ask(const char *bytes)
{
    int fd = dial(0);
    say(fd, bytes);
    char *answer = read_all(fd);
    close(fd);
    return answer;
}

static size_t times(const char *text, const char *what)
{
    size_t n = 0;
    for (const char *p = text; (p = strstr(p, what)) != NULL; p += strlen(what))
        n++;
    return n;
}

static void expect(const char *text, const char *what)
{
    ck_assert_msg(strstr(text, what) != NULL, "no '%s' in: %.400s", what, text);
}

#define CLOSE "Connection: close\r\n\r\n"

static const struct {
    const char *request;
    const char *expected[4];
    const char *never;
} wire[] = {
    {"GET /a/b%20c?x=%41 HTTP/1.1\r\nHost: HERE:81\r\n" CLOSE,
     {"HTTP/1.1 200 OK\r\n", "host=here authority=here:81 client= [a] [b c] x=A body=0", "Content-Length: 56",
      "Date: "},
     "Server:"},
    {"GET /a HTTP/1.1\r\nHost: x\r\nX-Azsacr-Host: r.wild.test\r\nX-Azsacr-Port: 8443\r\nX-Azsacr-Client: "
     "10.0.0.1\r\n" CLOSE,
     {"host=r.wild.test authority=r.wild.test:8443 client=10.0.0.1 [a]", NULL},
     NULL},
    {"HEAD /a HTTP/1.1\r\nHost: here\r\n" CLOSE, {"200 OK", "Content-Length: 43\r\n", NULL}, "host="},
    {"HEAD /blob HTTP/1.1\r\nHost: here\r\n" CLOSE, {"200 OK", "Content-Length: 123456\r\n", NULL}, NULL},
    {"PUT /a HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\n" CLOSE "abc", {"200 OK", "body=3", NULL}, NULL},
    {"PUT /a HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n" CLOSE
     "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
     {"200 OK", "body=5", NULL},
     NULL},
    {"PUT /a HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\nExpect: 100-continue\r\n" CLOSE "abc",
     {"HTTP/1.1 100 Continue\r\n", "200 OK", "body=3", NULL},
     NULL},
    {"GET /none HTTP/1.1\r\nHost: here\r\n" CLOSE, {"204 No Content", NULL}, "Content-Length"},
    {"GET /a%zz HTTP/1.1\r\nHost: here\r\n" CLOSE,
     {"400 Bad Request", "the path has a bad escape", NULL},
     NULL},
    {"GET /%ff HTTP/1.1\r\nHost: here\r\n" CLOSE, {"400 Bad Request", "the path is not UTF-8", NULL}, NULL},
    {"GET /?a=%f HTTP/1.1\r\nHost: here\r\n" CLOSE,
     {"400 Bad Request", "the query has a bad escape", NULL},
     NULL},
    {"OPTIONS * HTTP/1.1\r\nHost: here\r\n" CLOSE, {"400 Bad Request", "does not begin", NULL}, NULL},
    {"GET / HTTP/1.1\r\nHost: there\r\n" CLOSE, {"421 Misdirected", "{\"host\":\"there\"", NULL}, NULL},
    {"GET / HTTP/1.1\r\nHost: a.b.wild.test\r\n" CLOSE, {"421 Misdirected", NULL}, NULL},
    {"GET / HTTP/1.1\r\nHost: wild.test\r\n" CLOSE, {"421 Misdirected", NULL}, NULL},
    // From here on no request says close: the server does.
    {"GET / HTTP/1.1\r\n\r\n",
     {"400 Bad Request", "Host header is missing", "Connection: close", NULL},
     NULL},
    {"GET / HTTP/1.1\r\nHost: here\r\nHost: here\r\n\r\n",
     {"400 Bad Request", "more than one Host", NULL},
     NULL},
    {"PUT / HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\nContent-Length: 40\r\n\r\nabcGET /x "
     "HTTP/1.1\r\nHost: "
     "here\r\n\r\n",
     {"400 Bad Request", "\"host\":\"here\"", "Connection: close", NULL},
     "200 OK"},
    {"PUT / HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x "
     "HTTP/1.1\r\nHost: here\r\n\r\n",
     {"400 Bad Request", "Connection: close", NULL},
     "200 OK"},
    {"PUT / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nGET /x HTTP/1.1\r\nHost: "
     "here\r\n\r\n",
     {"400 Bad Request", "{\"host\":\"here\"", "application/json", NULL},
     "200 OK"},
    {"PUT / HTTP/1.1\r\nHost: here\r\nContent-Length: 65537\r\n\r\nabc",
     {"413 ", "{\"host\":\"here\",\"why\":\"the body of the request is too large\"}", "Connection: close",
      "application/json"},
     "text/plain"},
    {"PUT / HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\nExpect: cake\r\n\r\nabc",
     {"417 Expectation Failed", "{\"host\":\"here\"", "Connection: close", NULL},
     NULL},
    {"GET / HTTP/1.1\r\nHost: here\r\nExpect: cake\r\n\r\n", {"417 ", "{\"host\":\"here\"", NULL}, NULL},
    {"BREW / HTTP/1.1\r\nHost: here\r\n\r\n", {"501 ", "{\"host\":\"here\"", NULL}, NULL},
    {"TRACE / HTTP/1.1\r\nHost: here\r\n\r\n", {"405 ", "{\"host\":\"here\"", NULL}, NULL},
    {"GET / HTTP/1.1\r\nHost: here\r\nA: b\r\n folded\r\n\r\n", {"400 ", "{\"host\":", NULL}, NULL},
    {"nonsense\r\n\r\n", {"400 ", NULL}, NULL},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {"400 ", NULL}, NULL},
};

START_TEST(on_the_wire)
{
    char *answer = ask(wire[_i].request);
    for (size_t i = 0; i < 4 && wire[_i].expected[i] != NULL; i++)
        expect(answer, wire[_i].expected[i]);
    if (wire[_i].never != NULL)
        ck_assert_msg(strstr(answer, wire[_i].never) == NULL, "'%s' in: %s", wire[_i].never, answer);
}
END_TEST

START_TEST(pipelining)
{
    char *answer = ask("GET /1 HTTP/1.1\r\nHost: here\r\n\r\n"
                       "PUT /2 HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\nxy"
                       "HEAD /3 HTTP/1.1\r\nHost: here\r\n\r\n"
                       "GET /none HTTP/1.1\r\nHost: here\r\n\r\n"
                       "GET /same HTTP/1.1\r\nHost: here\r\n\r\n"
                       "GET /later HTTP/1.1\r\nHost: here\r\n\r\n"
                       "GET /later HTTP/1.1\r\nHost: nobody\r\n\r\n"
                       "GET /6 HTTP/1.1\r\nHost: here\r\n" CLOSE);
    ck_assert_uint_eq(times(answer, "HTTP/1.1 "), 8);
    ck_assert_uint_eq(times(answer, "HTTP/1.1 200 OK"), 5);
    const char *order[] = {"[1]", "[2] body=2", "204", "304", "[later]", "421", "[6]"};
    const char *p = answer;
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        p = strstr(p, order[i]);
        ck_assert_msg(p != NULL, "%s out of order in %s", order[i], answer);
    }
}
END_TEST

START_TEST(long_answer)
{
    char *answer = ask("GET /long HTTP/1.1\r\nHost: here\r\n\r\nGET /after HTTP/1.1\r\nHost: here\r\n" CLOSE);
    expect(answer, "Content-Length: 1000000\r\n");
    expect(answer + 1000000, "[after]");
}
END_TEST

START_TEST(large_head)
{
    char *request = arena_alloc(arena, 100000);
    char *filler = arena_alloc(arena, 40001);
    memset(filler, 'a', 40000);
    snprintf(request, 100000, "GET / HTTP/1.1\r\nHost: here\r\nX: %s\r\n\r\n", filler);
    char *answer = ask(request);
    expect(answer, "431 ");
    expect(answer, "{\"host\":\"here\"");
    filler[32000] = '\0';
    snprintf(request, 100000, "GET / HTTP/1.1\r\nHost: here\r\nX: %s\r\n" CLOSE, filler);
    expect(ask(request), "200 OK");
}
END_TEST

START_TEST(large_body)
{
    int fd = dial(0);
    say(fd, "PUT / HTTP/1.1\r\nHost: here\r\nContent-Length: 65536\r\n" CLOSE);
    char *body = arena_alloc(arena, 65537);
    memset(body, 'a', 65536);
    say(fd, body);
    expect(read_all(fd), "body=65536");
    close(fd);
}
END_TEST

START_TEST(large_chunk)
{
    int fd = dial(0);
    say(fd, "PUT / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\n");
    char *body = arena_alloc(arena, 0x20001);
    memset(body, 'a', 0x20000);
    say(fd, body);
    char *answer = read_all(fd);
    expect(answer, "413 ");
    expect(answer, "{\"host\":\"here\"");
    expect(answer, "Connection: close");
    close(fd);
}
END_TEST

START_TEST(loops_and_rights)
{
    for (size_t i = 0; i < 2; i++) {
        char path[128];
        struct stat st;
        snprintf(path, sizeof path, "%s/http-%zu.sock", directory, i);
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_int_eq(st.st_mode & 0777, 0660);
        int fd = dial(i);
        say(fd, "GET / HTTP/1.1\r\nHost: here\r\n" CLOSE);
        expect(read_all(fd), "200 OK");
        close(fd);
    }
}
END_TEST

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

Suite *suite_server(void);
Suite *suite_server(void)
{
    Suite *suite = suite_create("server");
    TCase *on = tcase_create("running");
    tcase_add_checked_fixture(on, setup, teardown);
    tcase_set_timeout(on, 30);
    tcase_add_loop_test(on, on_the_wire, 0, sizeof wire / sizeof wire[0]);
    tcase_add_test(on, pipelining);
    tcase_add_test(on, long_answer);
    tcase_add_test(on, large_head);
    tcase_add_test(on, large_body);
    tcase_add_test(on, large_chunk);
    tcase_add_test(on, loops_and_rights);
    tcase_add_test(on, vanished_client);
    tcase_add_test(on, slow_body);
    tcase_add_test(on, drain);
    tcase_add_test(on, drain_idle);
    tcase_add_test(on, drain_too_late);
    tcase_add_test(on, many_at_once);
    tcase_add_test(on, replaced_socket);
    suite_add_tcase(suite, on);
    TCase *alone = tcase_create("alone");
    tcase_set_timeout(alone, 30);
    tcase_add_test(alone, loopback);
    tcase_add_test(alone, bad_start);
    tcase_add_test(alone, loop_for_others);
    suite_add_tcase(suite, alone);
    return suite;
}
