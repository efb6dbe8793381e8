// Connections: accepting up to a limit, cutting slow ones, ending idle ones.
#include "http/h2o_fence.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <sys/socket.h>

static void connection_closed(void *argument)
{
    struct server_loop *loop = ((struct listener *)argument)->loop;
    loop->connections--;
    listen_resume(loop);
}

static bool accept_one(struct listener *listener)
{
    struct server_loop *loop = listener->loop;
    h2o_socket_t *socket = h2o_evloop_socket_accept(listener->socket);
    if (socket == NULL)
        return false;
    loop->connections++;
    socket->on_close.cb = connection_closed;
    socket->on_close.data = listener;
    h2o_accept(listener == &loop->edge ? &loop->accept_edge : &loop->accept_loopback, socket);
    return true;
}

static void listen_pause(struct server_loop *loop)
{
    if (loop->paused)
        return;
    loop->paused = true;
    h2o_socket_read_stop(loop->edge.socket);
    if (loop->loopback.socket != NULL)
        h2o_socket_read_stop(loop->loopback.socket);
}

static void on_connection(h2o_socket_t *socket, const char *error)
{
    enum { AT_ONCE = 16 };
    struct listener *listener = socket->data;
    if (error != NULL)
        return;
    for (int i = 0; i < AT_ONCE && listener->loop->connections < CONNECTIONS; i++) {
        errno = 0;
        if (accept_one(listener))
            continue;
        // Without a descriptor left the listener would stay ready and keep us busy: the sweep tries again.
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            log_error("http.accept", "why", strerror(errno));
            listen_pause(listener->loop);
        }
        return;
    }
    if (listener->loop->connections >= CONNECTIONS)
        listen_pause(listener->loop);
}

void listen_resume(struct server_loop *loop)
{
    if (!loop->paused || loop->stopping || loop->connections >= CONNECTIONS - CONNECTIONS / 16)
        return;
    loop->paused = false;
    h2o_socket_read_start(loop->edge.socket, on_connection);
    if (loop->loopback.socket != NULL)
        h2o_socket_read_start(loop->loopback.socket, on_connection);
}

void listen_start(struct listener *listener)
{
    if (listener->fd < 0)
        return;
    listener->socket =
        h2o_evloop_socket_create(listener->loop->context.loop, listener->fd, H2O_SOCKET_FLAG_DONT_READ);
    listener->socket->data = listener;
    h2o_socket_read_start(listener->socket, on_connection);
}

void listen_stop(struct listener *listener)
{
    if (listener->socket == NULL)
        return;
    // Whoever is in the queue was promised an answer when the edge connected.
    while (accept_one(listener))
        ;
    h2o_socket_close(listener->socket);
    listener->socket = NULL;
}

static int64_t microseconds(struct timeval t)
{
    return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

static void cut(h2o_req_t *req, int how)
{
    // Never closed from here: libh2o sees the end and closes it itself.
    shutdown(h2o_socket_get_fd(req->conn->callbacks->get_socket(req->conn)), how);
}

static int sweep_one(h2o_req_t *req, void *now_pointer)
{
    int64_t now = *(int64_t *)now_pointer;
    int64_t begun = microseconds(req->timestamps.request_begin_at);
    int64_t answering = microseconds(req->timestamps.response_start_at);
    bool processed = req->processed_at.at.tv_sec != 0;
    bool slow_reader = answering != 0 && now - answering > ANSWER_US;
    bool slow_sender = answering == 0 && !processed && begun != 0 && now - begun > INTAKE_US;
    if (slow_reader || slow_sender)
        cut(req, SHUT_RDWR);
    return 0;
}

// The library has no timer for slow heads, slow bodies and slow readers apart from the idle time.
static void sweep(void *argument)
{
    struct server_loop *loop = argument;
    int64_t now = clock_wall(); // the clock its time stamps are of
    loop->server->global.http1.callbacks.foreach_request(&loop->context, sweep_one, &now);
    listen_resume(loop);
}

void slow_clients_start(struct server_loop *loop)
{
    loop->super.every(&loop->super, 1000, sweep, loop);
}

static int cut_one(h2o_req_t *req, void *all)
{
    if (*(bool *)all)
        cut(req, SHUT_RDWR);
    else if (req->version == 0 && req->timestamps.request_begin_at.tv_sec == 0)
        cut(req, SHUT_RD);
    return 0;
}

void cut_connections(struct server_loop *loop, bool all)
{
    loop->server->global.http1.callbacks.foreach_request(&loop->context, cut_one, &all);
}
