// Answers of the data plane: the headers that all carry, JSON bodies, and the errors envelope.
#include "rp/data/reply.h"

#include "base/arena.h"

#include <stdarg.h>

enum { ECHO_LIMIT = 128 };

// A header value that a client sent may be sent back only when it is short and printable.
static bool echoable(struct text t)
{
    if (t.length == 0 || t.length > ECHO_LIMIT)
        return false;
    for (size_t i = 0; i < t.length; i++)
        if (t.base[i] < 0x20 || t.base[i] > 0x7e)
            return false;
    return true;
}

void registry_set_headers(const struct http_request *request, struct http_answer *answer)
{
    http_set_header_string(answer, "Docker-Distribution-Api-Version", "registry/2.0");
    http_set_header_string(answer, "X-Ms-Correlation-Request-Id", request->correlation_id);
    http_set_header_string(answer, "X-Content-Type-Options", "nosniff");
    http_set_header_string(answer, "Strict-Transport-Security", "max-age=31536000; includeSubDomains");
    http_set_header_string(answer, "Access-Control-Expose-Headers",
                           "Docker-Content-Digest, WWW-Authenticate, Link, X-Ms-Correlation-Request-Id");
    struct text client = http_header(request, "x-ms-client-request-id", NULL);
    if (echoable(client)) {
        http_set_header(answer, "X-Ms-Client-Request-Id", client);
        http_set_header_string(answer, "X-Ms-Request-Id", request->request_id);
    }
    if (request->method == HTTP_DELETE)
        http_set_header_string(answer, "X-Ms-Ratelimit-Remaining-Calls-Per-Second", "8.000000");
}

void registry_reply(struct registry_call *call, int status, const char *content_type, struct text body)
{
    registry_set_headers(call->request, call->answer);
    call->answer->status = status;
    call->answer->body = body;
    if (content_type)
        http_set_header_string(call->answer, "Content-Type", content_type);
}

void registry_reply_json(struct registry_call *call, int status, struct text json)
{
    registry_reply(call, status, "application/json; charset=utf-8", json);
}

void registry_reply_empty(struct registry_call *call, int status)
{
    registry_reply(call, status, NULL, TEXT(""));
}

struct text registry_error_json(struct arena *arena, const char *code, struct text detail,
                                const char *message)
{
    struct buffer out = buffer_new(arena);
    json_begin_object(&out);
    json_key(&out, "errors");
    json_begin_array(&out);
    json_begin_object(&out);
    json_key_string(&out, "code", code);
    json_key_string(&out, "message", message);
    if (detail.base)
        json_key_raw(&out, "detail", detail);
    json_end_object(&out);
    json_end_array(&out);
    json_end_object(&out);
    return buffer_done(&out);
}

void registry_fail(struct registry_call *call, int status, const char *code, struct text detail,
                   const char *format, ...)
{
    if (call->failed)
        return;
    va_list arguments;
    va_start(arguments, format);
    const char *message = arena_vprintf(call->arena, format, arguments);
    va_end(arguments);
    // What the handler may have set already belongs to an answer that is not given.
    http_answer_reset(call->answer);
    registry_reply_json(call, status, registry_error_json(call->arena, code, detail, message));
    call->failed = true;
}
