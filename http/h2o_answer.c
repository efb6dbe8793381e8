// Answers: written from the exchange as they are, and the errors of libh2o's own turned into ours.
#include "http/cors.h"
#include "http/h2o_fence.h"

#include "base/arena.h"

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } known[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {423, "Locked"},
        {424, "Failed Dependency"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {507, "Insufficient Storage"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].status == status)
            return known[i].reason;
    }
    return "Status";
}

static bool is_head(const h2o_req_t *req)
{
    return h2o_memis(req->input.method.base, req->input.method.len, H2O_STRLIT("HEAD"));
}

static bool has_no_body(int status)
{
    return status == 204 || status == 304;
}

// Status line, length and headers. The library writes Date and Connection itself; names and values stay where
// they are, in the exchange.
void answer_head(struct exchange *x, h2o_req_t *req)
{
    struct http_answer *answer = &x->super.answer;
    http_allow_origin(x->loop->server->config.origins, &x->super.request, answer);
    req->res.status = answer->status;
    req->res.reason = reason_of(answer->status);
    req->res.content_length = has_no_body(answer->status)                ? SIZE_MAX
                              : is_head(req) && answer->head_length >= 0 ? (size_t)answer->head_length
                                                                         : answer->body.length;
    h2o_iovec_t *names = ARENA_ARRAY(x->super.request.arena, h2o_iovec_t, answer->header_count + 1);
    h2o_vector_reserve(&req->pool, &req->res.headers, answer->header_count);
    req->res.headers.size = 0;
    for (size_t i = 0; i < answer->header_count; i++) {
        const struct http_field *field = &answer->headers[i];
        if (field->value.base == NULL)
            continue;
        names[i] = h2o_iovec_init(field->name.base, field->name.length);
        req->res.headers.entries[req->res.headers.size++] =
            (h2o_header_t){.name = &names[i],
                           .orig_name = NULL,
                           .value = h2o_iovec_init(field->value.base, field->value.length)};
    }
    x->body = is_head(req) || has_no_body(answer->status)
                  ? h2o_iovec_init(NULL, 0)
                  : h2o_iovec_init(answer->body.base, answer->body.length);
    if (x->close || x->loop->stopping)
        req->http1_is_persistent = 0;
}

void exchange_reply(struct exchange *x)
{
    h2o_req_t *req = x->req;
    struct server_loop *loop = x->loop;
    if (x->super.answer.status == 0)
        loop->server->config.refuse(&x->super, 500, "the request was not answered");
    http_log_failure(&x->super.request, &x->super.answer);
    answer_head(x, req);
    loop->replying = req;
    loop->answered = true;
    h2o_start_response(req, &x->generator);
    loop->replying = NULL;
    h2o_send(req, &x->body, x->body.len > 0 ? 1 : 0, H2O_SEND_STATE_FINAL);
}

void exchange_refuse(struct exchange *x, int status, const char *why)
{
    x->loop->server->config.refuse(&x->super, status, why);
    if (x->super.answer.status == 0)
        x->super.answer.status = status;
    http_finish(&x->super);
}

struct replacement {
    h2o_ostream_t super;
    struct exchange *exchange;
};

static void send_replacement(h2o_ostream_t *self, h2o_req_t *req, h2o_iovec_t *bufs, size_t count,
                             h2o_send_state_t state)
{
    (void)bufs, (void)count;
    struct exchange *x = ((struct replacement *)self)->exchange;
    h2o_ostream_send_next(self, req, &x->body, x->body.len > 0 ? 1 : 0, state);
}

static const char *library_why(int status)
{
    switch (status) {
    case 413:
        return "the body of the request is too large";
    case 417:
        return "the expectation is not known";
    default:
        return "the request is malformed";
    }
}

void fence_on_setup(h2o_filter_t *filter, h2o_req_t *req, h2o_ostream_t **slot)
{
    (void)filter;
    if (current_loop->replying != req) {
        struct exchange *x = exchange_refused(req, req->res.status, library_why(req->res.status));
        answer_head(x, req);
        struct replacement *stream =
            (struct replacement *)h2o_add_ostream(req, sizeof(struct replacement), slot);
        stream->super.do_send = send_replacement;
        stream->exchange = x;
        slot = &stream->super.next;
    }
    h2o_setup_next_ostream(req, slot);
}
