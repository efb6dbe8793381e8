// What the files of the fence share. Only http/h2o*.c include this, and so libh2o.
#pragma once
#include "http/intake.h"
#include "http/server.h"

#include <h2o.h>
#include <h2o/http1.h>

#include <pthread.h>

enum {
    IDLE_MS = 75 * 1000,          // keep-alive; above nginx's upstream keepalive_timeout
    INTAKE_US = 10 * 1000 * 1000, // from a request's first byte until its body is whole
    ANSWER_US = 30 * 1000 * 1000, // from an answer's first byte until its last
    CONNECTIONS = 2048,           // a loop
    LINGER_MS = 6 * 1000,         // a draining loop leaves idle connections to the edge this long
    HOOKS = 8,
};

struct posted {
    struct posted *next;
    void (*run)(void *argument);
    void *argument;
    bool owned; // freed after it ran
};

struct hook {
    void (*run)(void *argument);
    void *argument;
};

struct ticker {
    h2o_timeout_entry_t entry;
    h2o_timeout_t *bucket;
    struct hook hook;
    struct ticker *next;
};

struct listener {
    struct server_loop *loop;
    int fd;
    h2o_socket_t *socket;
    h2o_socket_cb on_connection;
};

struct server_loop {
    struct loop super;
    struct http_server *server;
    pthread_t thread;
    h2o_context_t context;
    h2o_accept_ctx_t accept_edge, accept_loopback;
    struct listener edge, loopback;
    char *path, *temporary; // the unix socket's name, and the one it is bound under
    size_t connections;     // open
    bool paused;            // at the limit: not accepting
    size_t pending;         // exchanges not yet freed
    h2o_req_t *replying;    // the answer of this request is ours
    bool answered;          // something was written outside of an event callback
    struct hook after[HOOKS];
    size_t after_count;
    struct ticker *tickers;
    h2o_timeout_t ten_ms;
    // Draining, all on the loop's thread.
    bool stopping;
    int64_t linger_until, stop_until;
    // Messages from anywhere, under the mutex.
    pthread_mutex_t mutex;
    struct posted *first, **last;
    bool woken, closed;
    h2o_multithread_receiver_t receiver;
    h2o_multithread_message_t wake;
};

struct fence_handler {
    h2o_handler_t super;
    struct http_server *server;
};

struct fence_filter {
    h2o_filter_t super;
    struct http_server *server;
};

struct http_server {
    struct http_server_config config;
    h2o_globalconf_t global;
    struct server_loop *loops;
    size_t started; // under the mutex: loops that run
    unsigned limit_ms;
    pthread_mutex_t mutex;
    pthread_cond_t condition;
};

// A request in our hands. First member: what the dispatcher sees.
struct exchange {
    struct http_exchange super;
    struct server_loop *loop;
    h2o_req_t *req; // NULL once the connection has gone; the loop's thread only
    bool finished, close;
    struct posted posted;
    h2o_generator_t generator;
    h2o_iovec_t body;
};

// The loop that runs on this thread, or NULL.
extern _Thread_local struct server_loop *current_loop;

// h2o_loop.c
void loop_prepare(struct server_loop *loop);
void *loop_main(void *loop);
// False when the loop has ended: the message will not run.
bool loop_post(struct server_loop *loop, struct posted *posted);

// h2o_accept.c
void listen_start(struct listener *listener);
void listen_resume(struct server_loop *loop);
void listen_stop(struct listener *listener);
void slow_clients_start(struct server_loop *loop);
// Says "no more" to connections that wait between requests; with `all`, cuts every one.
void cut_connections(struct server_loop *loop, bool all);

// h2o_request.c
int fence_on_request(h2o_handler_t *handler, h2o_req_t *req);
// An exchange for a request that libh2o refuses by itself; answered with the host's own form.
struct exchange *exchange_refused(h2o_req_t *req, int status, const char *why);

// h2o_answer.c
void exchange_reply(struct exchange *exchange);
void exchange_refuse(struct exchange *exchange, int status, const char *why);
void answer_head(struct exchange *exchange, h2o_req_t *req);
void fence_on_setup(h2o_filter_t *filter, h2o_req_t *req, h2o_ostream_t **slot);
