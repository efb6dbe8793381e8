// The server: sockets bound and put in place, loops' threads started and stopped.
//
// The fence's other files: h2o_loop.c (a loop and its thread), h2o_accept.c (connections), h2o_request.c
// (intake), h2o_answer.c (answers). Nothing outside of them includes libh2o.
#include "http/h2o_fence.h"

#include "base/arena.h"
#include "base/clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

static const char *failed(struct arena *arena, const char *what, const char *name)
{
    return arena_printf(arena, "cannot %s %s: %s", what, name, strerror(errno));
}

static char *socket_path(struct arena *arena, const char *format, size_t index)
{
    const char *mark = strstr(format, "%zu");
    if (mark == NULL)
        return arena_strdup(arena, format);
    return arena_printf(arena, "%.*s%zu%s", (int)(mark - format), format, index, mark + 3);
}

static const char *bind_unix(struct server_loop *loop, const char *format, int group, struct arena *arena)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    loop->path = xstrdup(socket_path(arena, format, loop->super.index));
    loop->temporary = xstrdup(arena_printf(arena, "%s.%d", loop->path, (int)getpid()));
    if (strlen(loop->temporary) >= sizeof address.sun_path)
        return arena_printf(arena, "the socket's path is too long: %s", loop->temporary);
    memcpy(address.sun_path, loop->temporary, strlen(loop->temporary) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return failed(arena, "make the socket", loop->path);
    loop->edge.fd = fd;
    if (unlink(loop->temporary) != 0 && errno != ENOENT)
        return failed(arena, "remove", loop->temporary);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
        return failed(arena, "bind", loop->temporary);
    // Nobody can connect before listen(), so there is no moment with wider rights.
    if (chmod(loop->temporary, 0660) != 0 ||
        (group >= 0 && chown(loop->temporary, (uid_t)-1, (gid_t)group) != 0))
        return failed(arena, "set the rights of", loop->temporary);
    if (listen(fd, BACKLOG) != 0)
        return failed(arena, "listen on", loop->temporary);
    return NULL;
}

static const char *bind_loopback(struct server_loop *loop, const char *where, struct arena *arena)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct text t = text_of(where);
    ptrdiff_t colon = text_rfind(t, ':');
    int64_t port = 0;
    if (colon < 0 || !text_to_int64(text_slice(t, (size_t)colon + 1, t.length), &port) || port > 65535 ||
        inet_pton(AF_INET, text_cstr(arena, text_slice(t, 0, (size_t)colon)), &address.sin_addr) != 1 ||
        ntohl(address.sin_addr.s_addr) >> 24 != 127)
        return arena_printf(arena, "not an address of the loopback interface with a port: %s", where);
    address.sin_port = htons((uint16_t)port);
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return failed(arena, "make the socket", where);
    loop->loopback.fd = fd;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, BACKLOG) != 0)
        return failed(arena, "listen on", where);
    return NULL;
}

static void configure(struct http_server *server)
{
    h2o_config_init(&server->global);
    server->global.server_name = h2o_iovec_init(NULL, 0);
    server->global.max_request_entity_size = server->config.body_limit;
    server->global.http1.req_timeout = IDLE_MS;
    server->global.http1.upgrade_to_http2 = 0;
    h2o_hostconf_t *host =
        h2o_config_register_host(&server->global, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    // Without registered paths every request goes to the fallback, and so do the library's own errors.
    struct fence_handler *handler =
        (struct fence_handler *)h2o_create_handler(&host->fallback_path, sizeof *handler);
    handler->super.on_req = fence_on_request;
    handler->server = server;
    struct fence_filter *filter =
        (struct fence_filter *)h2o_create_filter(&host->fallback_path, sizeof *filter);
    filter->super.on_setup_ostream = fence_on_setup;
    filter->server = server;
}

static const char *bind_all(struct http_server *server, struct arena *arena)
{
    const struct http_server_config *config = &server->config;
    for (size_t i = 0; i < config->loops; i++) {
        struct server_loop *loop = &server->loops[i];
        const char *why = bind_unix(loop, config->socket_format, config->socket_group, arena);
        if (why == NULL && config->loopback != NULL)
            why = bind_loopback(loop, config->loopback, arena);
        if (why != NULL)
            return why;
    }
    return NULL;
}

static void server_free(struct http_server *server)
{
    for (size_t i = 0; i < server->config.loops; i++) {
        pthread_mutex_destroy(&server->loops[i].mutex);
        free(server->loops[i].path);
        free(server->loops[i].temporary);
    }
    free(server->loops);
    h2o_config_dispose(&server->global);
    pthread_mutex_destroy(&server->mutex);
    pthread_cond_destroy(&server->condition);
    free(server);
}

static void close_all(struct http_server *server)
{
    for (size_t i = 0; i < server->config.loops; i++) {
        struct server_loop *loop = &server->loops[i];
        if (loop->edge.fd >= 0) {
            close(loop->edge.fd);
            unlink(loop->temporary);
        }
        if (loop->loopback.fd >= 0)
            close(loop->loopback.fd);
    }
}

// Signals are for the main thread: every loop's thread starts with all of them blocked.
static void start_threads(struct http_server *server)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (size_t i = 0; i < server->config.loops; i++) {
        if (pthread_create(&server->loops[i].thread, NULL, loop_main, &server->loops[i]) != 0)
            abort();
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_mutex_lock(&server->mutex);
    while (server->started < server->config.loops)
        pthread_cond_wait(&server->condition, &server->mutex);
    pthread_mutex_unlock(&server->mutex);
}

struct http_server *http_server_start(const struct http_server_config *config, struct arena *arena,
                                      const char **why)
{
    signal(SIGPIPE, SIG_IGN);
    struct http_server *server = xcalloc(1, sizeof *server);
    server->config = *config;
    pthread_mutex_init(&server->mutex, NULL);
    pthread_cond_init(&server->condition, NULL);
    server->loops = xcalloc(config->loops, sizeof *server->loops);
    for (size_t i = 0; i < config->loops; i++) {
        server->loops[i].super.index = i;
        server->loops[i].server = server;
        loop_prepare(&server->loops[i]);
    }
    configure(server);
    *why = bind_all(server, arena);
    if (*why != NULL) {
        close_all(server);
        server_free(server);
        return NULL;
    }
    start_threads(server);
    // Renamed over the old ones: the edge never finds a moment without a socket.
    for (size_t i = 0; i < config->loops; i++) {
        if (rename(server->loops[i].temporary, server->loops[i].path) != 0) {
            *why = failed(arena, "put in place", server->loops[i].path);
            http_server_stop(server, 0);
            return NULL;
        }
    }
    return server;
}

static void stop_loop(void *argument)
{
    struct server_loop *loop = argument;
    int64_t now = clock_monotonic(), limit = (int64_t)loop->server->limit_ms;
    int64_t linger = limit / 2 < LINGER_MS ? limit / 2 : LINGER_MS;
    loop->stopping = true;
    loop->linger_until = now + linger * 1000;
    loop->stop_until = now + limit * 1000;
    listen_stop(&loop->edge);
    listen_stop(&loop->loopback);
}

void http_server_stop(struct http_server *server, unsigned limit_ms)
{
    server->limit_ms = limit_ms;
    bool clean = true;
    for (size_t i = 0; i < server->config.loops; i++)
        server->loops[i].super.post(&server->loops[i].super, stop_loop, &server->loops[i]);
    for (size_t i = 0; i < server->config.loops; i++) {
        pthread_join(server->loops[i].thread, NULL);
        clean = clean && server->loops[i].connections == 0 && server->loops[i].pending == 0;
    }
    // A handler that has not finished yet will still look at its loop: then it is kept until the process
    // ends.
    if (clean)
        server_free(server);
}

struct loop *http_server_loop(struct http_server *server, size_t index)
{
    return &server->loops[index].super;
}
