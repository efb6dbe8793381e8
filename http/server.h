// The fence round libh2o: event loops with a unix socket each, every duty that the library leaves to us.
#pragma once
#include "base/loop.h"
#include "http/message.h"

struct http_host {
    // An exact lower-case host name, or one with a leading "*." for exactly one more label.
    const char *name;
    // On the loop's thread; must not block. Ends in http_finish, now or later.
    void (*dispatch)(struct http_exchange *exchange);
};

struct http_server_config {
    size_t loops;
    const char *socket_format; // "%zu" is the loop's number: "/run/azsacr/http-%zu.sock"
    int socket_group;          // gid that may connect, or -1
    const char *loopback;      // "127.0.0.1:PORT" plain TCP listener on every loop, or NULL
    const struct http_host *hosts;
    size_t host_count;
    size_t body_limit;          // 4 MiB + 64 KiB; above it 413
    const char *const *origins; // whose pages may read answers (http/cors.h), NULL-ended; NULL: nobody's
    // Answers what the fence refuses itself (413, 417, malformed, unknown host 421), in the host's own form.
    // exchange->request.host tells whose; the answer is filled before this returns.
    void (*refuse)(struct http_exchange *exchange, int status, const char *why);
    // Each loop's own start, on its thread, before it accepts (pipelines).
    void (*loop_started)(struct loop *loop, void *argument);
    void (*loop_stopping)(struct loop *loop, void *argument);
    void *argument;
};

struct http_server;
// Starts the loops' threads; NULL with *why in the arena. Sockets are bound under a temporary name and
// renamed.
struct http_server *http_server_start(const struct http_server_config *config, struct arena *arena,
                                      const char **why);
// Drains (docs/http.md): no new connections, answers say close, idle ones end; at most `limit_ms`.
void http_server_stop(struct http_server *server, unsigned limit_ms);
struct loop *http_server_loop(struct http_server *server, size_t index);
