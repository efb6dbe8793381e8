// The fence round libmicrohttpd: a thread for each connection, which the edge alone can reach. What a request
// means is upload.c's; here are its head, its pieces and its answer on the wire.
#include "rp/data/receiver.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/site.h"
#include "http/cors.h"
#include "http/intake.h"
#include "rp/data/reply.h"
#include "rp/data/upload.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    CONNECTION_MEMORY = 128 * 1024, // the library clears it for each request
    BACKLOG = 1024,
    RAW_WRITE_MS = 5000,
    // Longer than the edge waits for either side: a net for connections that it forgot.
    IDLE_SECONDS = 960,
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    STACK_SIZE = 1024 * 1024,
#else
    STACK_SIZE = 256 * 1024,
#endif
};

struct receiver {
    struct MHD_Daemon *daemon;
    struct db_pool *pool;
    int listener;
    _Atomic int in_flight;
};

// One request on a connection.
struct exchange {
    struct receiver *receiver;
    struct arena *arena;
    char *target; // raw, as the request line has it
    struct http_request request;
    struct http_answer answer;
    struct upload upload;
    bool begun;
    bool written; // the answer went out in mid-body, past the library
    bool ended;
};

// ---- the answer

static const char *reason(int status)
{
    switch (status) {
    case 400:
        return "Bad Request";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 500:
        return "Internal Server Error";
    default:
        return "Refused";
    }
}

static bool write_all(int descriptor, struct text bytes)
{
    int64_t deadline = clock_monotonic() + (int64_t)RAW_WRITE_MS * 1000;
    for (size_t sent = 0; sent < bytes.length;) {
        ssize_t count = send(descriptor, bytes.base + sent, bytes.length - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count > 0) {
            sent += (size_t)count;
            continue;
        }
        if (count < 0 && errno == EINTR)
            continue;
        struct pollfd wait = {.fd = descriptor, .events = POLLOUT};
        if ((count < 0 && errno != EAGAIN) || clock_monotonic() >= deadline || poll(&wait, 1, 100) < 0)
            return false;
    }
    return true;
}

// The library cannot answer in mid-body. The edge takes an early answer from the wire and stops the client;
// whatever still comes is read and dropped, for a connection closed with bytes unread would lose the answer.
static void write_early(struct MHD_Connection *connection, struct exchange *exchange)
{
    const struct http_answer *answer = &exchange->answer;
    struct buffer out = buffer_new(exchange->arena);
    http_allow_origin(site()->config->origins, &exchange->request, &exchange->answer);
    buffer_format(&out, "HTTP/1.1 %d %s\r\n", answer->status, reason(answer->status));
    for (size_t i = 0; i < answer->header_count; i++)
        buffer_format(&out, "%.*s: %.*s\r\n", TEXT_ARG(answer->headers[i].name),
                      TEXT_ARG(answer->headers[i].value));
    buffer_format(&out, "Content-Length: %zu\r\nConnection: close\r\n\r\n", answer->body.length);
    buffer_text(&out, answer->body);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info == NULL || !write_all(info->connect_fd, buffer_done(&out)))
        log_info("receiver.early_answer_lost");
    exchange->written = true;
    http_log_failure(&exchange->request, answer);
}

static enum MHD_Result queue(struct MHD_Connection *connection, struct exchange *exchange)
{
    const struct http_answer *answer = &exchange->answer;
    http_allow_origin(site()->config->origins, &exchange->request, &exchange->answer);
    struct MHD_Response *response = MHD_create_response_from_buffer(
        answer->body.length, (void *)(uintptr_t)answer->body.base, MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return MHD_NO;
    for (size_t i = 0; i < answer->header_count; i++)
        MHD_add_response_header(response, text_cstr(exchange->arena, answer->headers[i].name),
                                text_cstr(exchange->arena, answer->headers[i].value));
    exchange->ended = true;
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)answer->status, response);
    MHD_destroy_response(response);
    http_log_failure(&exchange->request, answer);
    return result;
}

// ---- the head

static enum MHD_Result add_field(void *argument, enum MHD_ValueKind kind, const char *key, size_t key_length,
                                 const char *value, size_t value_length)
{
    struct buffer *head = argument;
    (void)kind;
    if (head->length + key_length + value_length > HTTP_HEAD_LIMIT)
        return MHD_NO;
    buffer_add(head, key, key_length);
    buffer_string(head, ": ");
    if (value != NULL)
        buffer_add(head, value, value_length);
    buffer_string(head, "\r\n");
    return MHD_YES;
}

// The head goes through the same reader as every other request's, so that hosts, ids, doubled fields and
// escapes are judged once and alike. False: refused, the answer is filled.
static bool read_head(struct MHD_Connection *connection, struct exchange *exchange, const char *method)
{
    struct http_request *request = &exchange->request;
    struct buffer head = buffer_new(exchange->arena);
    buffer_format(&head, "%s %s HTTP/1.1\r\n", method, exchange->target);
    int fields = MHD_get_connection_values_n(connection, MHD_HEADER_KIND, NULL, NULL);
    int taken = MHD_get_connection_values_n(connection, MHD_HEADER_KIND, add_field, &head);
    buffer_string(&head, "\r\n");
    request->started = clock_monotonic();
    struct http_refusal refusal = {431, "the head of the request is too long", true};
    struct text bytes = buffer_done(&head);
    if (fields == taken && bytes.length <= HTTP_HEAD_LIMIT)
        refusal = http_read_head(request, text_cstr(exchange->arena, bytes), bytes.length, true);
    http_read_ids(request);
    if (refusal.status == 0) {
        http_read_target(request);
        return true;
    }
    struct registry_call call = {.arena = exchange->arena, .request = request, .answer = &exchange->answer};
    registry_fail(&call, refusal.status, "UNSUPPORTED", TEXT_NONE, "%s", refusal.why);
    return false;
}

static bool has_body(const struct http_request *request, int64_t *length)
{
    struct text stated = http_header(request, "content-length", NULL);
    *length = UPLOAD_LENGTH_UNKNOWN;
    if (stated.base && text_to_int64(stated, length))
        return *length > 0;
    if (stated.base || http_header(request, "transfer-encoding", NULL).base)
        return true;
    *length = 0;
    return false;
}

static enum MHD_Result begin(struct MHD_Connection *connection, struct exchange *exchange, const char *method)
{
    int64_t length = 0;
    exchange->begun = true;
    bool taken = read_head(connection, exchange, method) &&
                 !http_preflight(site()->config->origins, &exchange->request, &exchange->answer);
    bool body = has_body(&exchange->request, &length);
    if (taken)
        taken = upload_begin(&exchange->upload, exchange->receiver->pool, &exchange->request,
                             &exchange->answer, length, body);
    else
        exchange->upload.refused = true;
    // Not queued: the library would close the connection with the body unread, and the edge could lose the
    // answer.
    if (!taken && body)
        write_early(connection, exchange);
    return MHD_YES;
}

// ---- the library's callbacks

static void *on_request_line(void *argument, const char *target, struct MHD_Connection *connection)
{
    struct receiver *receiver = argument;
    (void)connection;
    struct arena *arena = arena_new();
    struct exchange *exchange = ARENA_NEW(arena, struct exchange);
    exchange->receiver = receiver;
    exchange->arena = exchange->request.arena = arena;
    exchange->target = arena_strdup(arena, target);
    http_answer_reset(&exchange->answer);
    atomic_fetch_add(&receiver->in_flight, 1);
    return exchange;
}

// One step of a request: its head, some of its body, its end.
static enum MHD_Result step(struct MHD_Connection *connection, struct exchange *exchange, const char *method,
                            const char *bytes, size_t *length)
{
    if (!exchange->begun)
        return begin(connection, exchange, method);
    if (*length > 0) {
        if (!exchange->written && !upload_take(&exchange->upload, bytes, *length))
            write_early(connection, exchange);
        *length = 0;
        return MHD_YES;
    }
    if (exchange->written)
        return MHD_NO; // answered; the connection ends here
    upload_finish(&exchange->upload);
    return queue(connection, exchange);
}

static enum MHD_Result on_request(void *argument, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *bytes, size_t *length,
                                  void **state)
{
    struct exchange *exchange = *state;
    (void)argument, (void)url, (void)version;
    log_about(exchange->request.correlation_id);
    enum MHD_Result result = step(connection, exchange, method, bytes, length);
    log_about(NULL);
    return result;
}

static void on_completed(void *argument, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct receiver *receiver = argument;
    struct exchange *exchange = *state;
    (void)connection, (void)code;
    if (exchange == NULL)
        return;
    upload_abandon(&exchange->upload); // nothing is held any more where it was finished
    arena_free(exchange->arena);
    *state = NULL;
    atomic_fetch_sub(&receiver->in_flight, 1);
}

__attribute__((format(printf, 2, 0))) static void on_log(void *argument, const char *format, va_list values)
{
    char line[256];
    (void)argument;
    vsnprintf(line, sizeof line, format, values);
    line[strcspn(line, "\n")] = '\0';
    log_debug("receiver.library", "message", line);
}

// ---- start and stop

// Bound under a temporary name and renamed over the old one: a hand-over refuses nobody.
static int listen_on(const char *path, int group)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if ((size_t)snprintf(address.sun_path, sizeof address.sun_path, "%s.new", path) >=
        sizeof address.sun_path) {
        log_error("receiver.socket", "path", path, "problem", "too long for a socket address");
        return -1;
    }
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    unlink(address.sun_path);
    bool fine = descriptor >= 0 && bind(descriptor, (struct sockaddr *)&address, sizeof address) == 0 &&
                (group < 0 || chown(address.sun_path, (uid_t)-1, (gid_t)group) == 0) &&
                chmod(address.sun_path, 0660) == 0 && listen(descriptor, BACKLOG) == 0 &&
                rename(address.sun_path, path) == 0;
    if (fine)
        return descriptor;
    log_error("receiver.socket", "path", path, "problem", strerror(errno));
    if (descriptor >= 0)
        close(descriptor);
    return -1;
}

struct receiver *receiver_start(const char *socket_path, int socket_group, const struct db_target *target)
{
    int listener = listen_on(socket_path, socket_group);
    if (listener < 0)
        return NULL;
    struct receiver *receiver = xcalloc(1, sizeof *receiver);
    receiver->listener = listener;
    receiver->pool = db_pool_new(target, (size_t)site()->config->receiver_connections);
    receiver->daemon = MHD_start_daemon(
        MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC |
            MHD_USE_ERROR_LOG,
        0, NULL, NULL, on_request, receiver, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)site()->config->receiver_threads, MHD_OPTION_THREAD_STACK_SIZE,
        (size_t)STACK_SIZE, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
        MHD_OPTION_URI_LOG_CALLBACK, on_request_line, receiver, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
        receiver, MHD_OPTION_END);
    if (receiver->daemon != NULL)
        return receiver;
    log_error("receiver.start", "problem", "the HTTP library did not start");
    db_pool_free(receiver->pool);
    close(listener);
    free(receiver);
    return NULL;
}

void receiver_stop(struct receiver *receiver, unsigned limit_ms)
{
    if (receiver == NULL)
        return;
    MHD_socket listener = MHD_quiesce_daemon(receiver->daemon);
    int64_t deadline = clock_monotonic() + (int64_t)limit_ms * 1000;
    while (atomic_load(&receiver->in_flight) > 0 && clock_monotonic() < deadline)
        usleep(10 * 1000);
    MHD_stop_daemon(receiver->daemon);
    if (listener != MHD_INVALID_SOCKET)
        close(listener);
    db_pool_free(receiver->pool);
    free(receiver);
}
