// The CORS headers, in one place for every host. An origin is echoed when it is one of the list, never "*";
// credentials are not allowed: tokens travel in the Authorization header, which scripts set by themselves.
#include "http/cors.h"

#include "base/arena.h"
#include "base/buffer.h"

enum { HEADERS_LIMIT = 2048 };

// What a portal's script wants of our answers. The registry's hosts name theirs themselves.
static const char exposed[] =
    "Location, Azure-AsyncOperation, Retry-After, WWW-Authenticate, Link, ETag, Allow, x-ms-request-id, "
    "x-ms-correlation-request-id, x-ms-routing-request-id, x-ms-client-request-id, x-ms-failure-cause, "
    "x-ms-ratelimit-remaining-subscription-reads, x-ms-ratelimit-remaining-subscription-writes, "
    "x-ms-ratelimit-remaining-subscription-deletes, x-ms-ratelimit-remaining-tenant-reads, "
    "x-ms-ratelimit-remaining-tenant-writes, x-ms-ratelimit-remaining-tenant-deletes";

static const char *allowed(const char *const *origins, const struct http_request *request, bool *asked)
{
    bool doubled = false;
    struct text origin = http_header(request, "origin", &doubled);
    *asked = origin.base != NULL;
    for (size_t i = 0; origins && *asked && !doubled && origins[i]; i++)
        if (text_is(origin, origins[i]))
            return origins[i];
    return NULL;
}

// Names of headers between commas.
static bool are_names(struct text names)
{
    for (size_t i = 0; i < names.length; i++) {
        char c = names.base[i];
        bool name = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                    c == '_';
        if (!name && c != ',' && c != ' ')
            return false;
    }
    return names.length > 0 && names.length <= HEADERS_LIMIT;
}

bool http_preflight(const char *const *origins, const struct http_request *request,
                    struct http_answer *answer)
{
    bool asked;
    if (request->method != HTTP_OPTIONS ||
        !http_header(request, "access-control-request-method", NULL).base ||
        !allowed(origins, request, &asked))
        return false;
    struct text names = http_header(request, "access-control-request-headers", NULL);
    http_answer_reset(answer);
    answer->status = 204;
    http_set_header_string(answer, "Access-Control-Allow-Methods", "GET, HEAD, PUT, POST, PATCH, DELETE");
    http_set_header(answer, "Access-Control-Allow-Headers",
                    are_names(names) ? names : TEXT("Authorization, Content-Type"));
    http_set_header_string(answer, "Access-Control-Max-Age", "3600");
    http_set_header_string(answer, "Vary", "Access-Control-Request-Method, Access-Control-Request-Headers");
    http_set_header_string(answer, "X-Content-Type-Options", "nosniff");
    http_set_header_string(answer, "Strict-Transport-Security", "max-age=31536000; includeSubDomains");
    return true;
}

static struct text answer_header(const struct http_answer *answer, const char *name)
{
    for (size_t i = 0; i < answer->header_count; i++)
        if (text_is_nocase(answer->headers[i].name, name))
            return answer->headers[i].value;
    return TEXT_NONE;
}

void http_allow_origin(const char *const *origins, const struct http_request *request,
                       struct http_answer *answer)
{
    bool asked;
    const char *origin = allowed(origins, request, &asked);
    if (!asked)
        return;
    struct text vary = answer_header(answer, "Vary");
    http_set_header(answer, "Vary",
                    vary.base ? TEXT_JOIN(request->arena, vary, TEXT(", Origin")) : TEXT("Origin"));
    if (!origin)
        return;
    http_set_header_string(answer, "Access-Control-Allow-Origin", origin);
    if (request->method != HTTP_OPTIONS && !answer_header(answer, "Access-Control-Expose-Headers").base)
        http_set_header_string(answer, "Access-Control-Expose-Headers", exposed);
}
