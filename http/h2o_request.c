// Intake: from libh2o's request to an exchange that belongs to us, and to its host's dispatch.
//
// Everything a handler sees is a copy in the exchange's arena: a worker may hold it longer than the
// connection.
#include "http/cors.h"
#include "http/h2o_fence.h"

#include "base/arena.h"
#include "base/clock.h"

#include <assert.h>

static void exchange_release(struct exchange *x)
{
    x->loop->pending--;
    arena_free(x->super.request.arena);
}

// libh2o frees the request: after the answer, or because the connection ended before it.
static void guard_dispose(void *memory)
{
    struct exchange *x = *(struct exchange **)memory;
    x->req = NULL;
    if (x->finished)
        exchange_release(x);
}

static struct exchange *exchange_new(struct server_loop *loop, h2o_req_t *req)
{
    struct arena *arena = arena_new();
    struct exchange *x = ARENA_NEW(arena, struct exchange);
    x->loop = loop;
    x->req = req;
    x->super.loop = &loop->super;
    x->super.request.arena = arena;
    x->super.request.started = clock_monotonic();
    http_answer_reset(&x->super.answer);
    struct exchange **guard = h2o_mem_alloc_shared(&req->pool, sizeof(struct exchange *), guard_dispose);
    *guard = x;
    loop->pending++;
    return x;
}

// Connections of the unix socket are the edge's: only its group may connect. Nobody else's X-Azsacr-* count.
static bool from_edge(h2o_req_t *req)
{
    return req->conn->callbacks->get_socket(req->conn)->on_close.data == &current_loop->edge;
}

// The raw head still stands at the start of the connection's buffer.
static struct http_refusal read_request(struct exchange *x)
{
    h2o_req_t *req = x->req;
    struct http_request *request = &x->super.request;
    h2o_buffer_t *input = req->conn->callbacks->get_socket(req->conn)->input;
    size_t length = http_head_length((struct text){input->bytes, input->size});
    bool small = length > 0 && length <= HTTP_HEAD_LIMIT;
    // Of an overlong head, the part that fits may still tell the host whose form the refusal takes.
    size_t taken = small ? length : input->size < HTTP_HEAD_LIMIT ? input->size : HTTP_HEAD_LIMIT;
    char *head = arena_strndup(request->arena, input->bytes, taken);
    bool edge = from_edge(req);
    struct http_refusal refused = http_read_head(request, head, taken, edge);
    if (!small)
        refused = (struct http_refusal){431, "the head of the request is too large", true};
    http_read_ids(request);
    http_read_target(request);
    if (!edge)
        request->client_address = TEXT("127.0.0.1");
    return refused;
}

static const struct http_host *host_of(const struct http_server_config *config, struct text name)
{
    for (size_t i = 0; i < config->host_count; i++) {
        if (text_is(name, config->hosts[i].name))
            return &config->hosts[i];
    }
    ptrdiff_t dot = text_find(name, '.');
    if (dot <= 0)
        return NULL;
    struct text parent = text_slice(name, (size_t)dot, name.length);
    for (size_t i = 0; i < config->host_count; i++) {
        const char *pattern = config->hosts[i].name;
        if (pattern[0] == '*' && text_is(parent, pattern + 1))
            return &config->hosts[i];
    }
    return NULL;
}

int fence_on_request(h2o_handler_t *handler, h2o_req_t *req)
{
    struct http_server *server = ((struct fence_handler *)handler)->server;
    struct exchange *x = exchange_new(current_loop, req);
    struct http_request *request = &x->super.request;
    struct http_refusal refused = read_request(x);
    if (refused.status != 0) {
        x->close = refused.close;
        exchange_refuse(x, refused.status, refused.why);
        return 0;
    }
    const struct http_host *host = host_of(&server->config, request->host);
    if (host == NULL) {
        exchange_refuse(x, 421, "the host is not served here");
        return 0;
    }
    if (req->entity.base != NULL)
        request->body = text_copy(request->arena, (struct text){req->entity.base, req->entity.len});
    if (http_preflight(server->config.origins, request, &x->super.answer))
        http_finish(&x->super);
    else
        host->dispatch(&x->super);
    return 0;
}

struct exchange *exchange_refused(h2o_req_t *req, int status, const char *why)
{
    struct exchange *x = exchange_new(current_loop, req);
    (void)read_request(x);
    x->finished = true;
    x->close = true;
    x->super.answer.status = 0;
    current_loop->server->config.refuse(&x->super, status, why);
    if (x->super.answer.status == 0)
        x->super.answer.status = status;
    return x;
}

static void answer(struct exchange *x)
{
    assert(!x->finished);
    x->finished = true;
    if (x->req == NULL)
        exchange_release(x);
    else
        exchange_reply(x);
}

static void answer_posted(void *argument)
{
    answer(argument);
}

void http_finish(struct http_exchange *exchange)
{
    struct exchange *x = (struct exchange *)exchange;
    if (current_loop == x->loop) {
        answer(x);
        return;
    }
    x->posted = (struct posted){.run = answer_posted, .argument = x};
    // A loop that has ended leaves nobody to answer, and nobody but us to free it.
    if (!loop_post(x->loop, &x->posted))
        arena_free(x->super.request.arena);
}
