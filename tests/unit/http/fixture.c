// A server on unix sockets of its own, with hosts that tell what they were asked, and a raw client.
#include "fixture.h"

#include "base/buffer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct http_server *server;
struct arena *arena;
char directory[64];
char format[96];

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

struct http_exchange *take_held(void)
{
    pthread_mutex_lock(&mutex);
    while (held_count == 0)
        pthread_cond_wait(&condition, &mutex);
    struct http_exchange *x = held[--held_count];
    pthread_mutex_unlock(&mutex);
    return x;
}

void refuse(struct http_exchange *x, int status, const char *why)
{
    x->answer.status = status;
    http_set_header_string(&x->answer, "Content-Type", "application/json");
    x->answer.body = text_of(
        arena_printf(x->request.arena, "{\"host\":\"%.*s\",\"why\":\"%s\"}", TEXT_ARG(x->request.host), why));
}

const struct http_host hosts[] = {{"here", dispatch}, {"*.wild.test", dispatch}};

void setup_with(const char *loopback)
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

void setup(void)
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

void teardown(void)
{
    if (server != NULL)
        http_server_stop(server, 200);
    remove_directory();
    arena_free(arena);
}

int dial(size_t loop)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/http-%zu.sock", directory, loop);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    struct timeval limit = {.tv_sec = 20};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return fd;
}

void say(int fd, const char *bytes)
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

char *read_all(int fd)
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
char *ask(const char *bytes)
{
    int fd = dial(0);
    say(fd, bytes);
    char *answer = read_all(fd);
    close(fd);
    return answer;
}

size_t times(const char *text, const char *what)
{
    size_t n = 0;
    for (const char *p = text; (p = strstr(p, what)) != NULL; p += strlen(what))
        n++;
    return n;
}

void expect(const char *text, const char *what)
{
    ck_assert_msg(strstr(text, what) != NULL, "no '%s' in: %.400s", what, text);
}
