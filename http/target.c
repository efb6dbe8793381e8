// The request's target: path segments and query, percent-decoded exactly once.
#include "http/intake.h"

#include "base/arena.h"

#include <stdio.h>

static bool plain(struct text t)
{
    for (size_t i = 0; i < t.length; i++) {
        unsigned char c = (unsigned char)t.base[i];
        if (c == '%' || c >= 0x80 || c == 0)
            return false;
    }
    return true;
}

static const char *read_path(struct http_request *request)
{
    if (request->path.length == 0 || request->path.base[0] != '/')
        return "the path does not begin with a slash";
    struct text rest = text_slice(request->path, 1, request->path.length);
    bool whole_is_plain = plain(rest);
    for (;;) {
        if (request->segment_count == HTTP_SEGMENTS)
            return "the path has too many segments";
        ptrdiff_t slash = text_find(rest, '/');
        struct text segment = slash < 0 ? rest : text_slice(rest, 0, (size_t)slash);
        if (!whole_is_plain) {
            if (!text_percent_decode(request->arena, segment, false, &segment))
                return "the path has a bad escape";
            if (!text_is_utf8(segment))
                return "the path is not UTF-8";
        }
        request->segments[request->segment_count++] = segment;
        if (slash < 0)
            return NULL;
        rest = text_slice(rest, (size_t)slash + 1, rest.length);
    }
}

void http_read_target(struct http_request *request)
{
    struct text target = request->target, query = TEXT("");
    // A fragment never reaches a server; what follows is nobody's.
    ptrdiff_t hash = text_find(target, '#');
    if (hash >= 0)
        target = text_slice(target, 0, (size_t)hash);
    ptrdiff_t mark = text_find(target, '?');
    request->path = mark < 0 ? target : text_slice(target, 0, (size_t)mark);
    if (mark >= 0)
        query = text_slice(target, (size_t)mark + 1, target.length);
    request->segment_count = 0;
    request->malformed = read_path(request);
    if (!http_parse_form(request->arena, query, &request->query, &request->query_count) &&
        request->malformed == NULL)
        request->malformed = "the query has a bad escape";
}

static bool is_correlation_id(struct text t)
{
    for (size_t i = 0; i < t.length; i++) {
        char c = t.base[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-'))
            return false;
    }
    return t.length > 0 && t.length <= 64;
}

void http_read_ids(struct http_request *request)
{
    uuid_random(request->request_id);
    struct text theirs = http_header(request, "x-ms-correlation-request-id", NULL);
    if (theirs.base != NULL && is_correlation_id(theirs))
        snprintf(request->correlation_id, sizeof request->correlation_id, "%.*s", TEXT_ARG(theirs));
    else
        memcpy(request->correlation_id, request->request_id, sizeof request->request_id);
}
