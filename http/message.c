// Headers, query parameters, forms and answers, as plain data.
#include "http/message.h"

#include "base/arena.h"
#include "base/log.h"

const char *http_method_name(enum http_method method)
{
    switch (method) {
    case HTTP_GET:
        return "GET";
    case HTTP_HEAD:
        return "HEAD";
    case HTTP_PUT:
        return "PUT";
    case HTTP_POST:
        return "POST";
    case HTTP_PATCH:
        return "PATCH";
    case HTTP_DELETE:
        return "DELETE";
    case HTTP_OPTIONS:
        return "OPTIONS";
    }
    return "";
}

struct text http_header(const struct http_request *request, const char *name, bool *doubled)
{
    struct text wanted = text_of(name), found = TEXT_NONE;
    if (doubled != NULL)
        *doubled = false;
    for (size_t i = 0; i < request->header_count; i++) {
        if (!text_equal(request->headers[i].name, wanted))
            continue;
        if (found.base != NULL) {
            *doubled = true;
            return found;
        }
        found = request->headers[i].value;
        if (doubled == NULL)
            return found;
    }
    return found;
}

struct text http_query(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->query_count; i++) {
        if (text_is_nocase(request->query[i].name, name))
            return request->query[i].value;
    }
    return TEXT_NONE;
}

// Queries and forms are the same notation: names and values between '&' and '='.
bool http_parse_form(struct arena *arena, struct text body, struct http_field **fields, size_t *count)
{
    enum { MOST_FIELDS = 256 };
    size_t most = 1;
    for (size_t i = 0; i < body.length; i++)
        most += body.base[i] == '&';
    *fields = NULL;
    *count = 0;
    if (most > MOST_FIELDS)
        return false;
    if (body.length == 0)
        return true;
    struct http_field *list = ARENA_ARRAY(arena, struct http_field, most);
    size_t n = 0;
    while (body.length > 0) {
        ptrdiff_t end = text_find(body, '&');
        struct text pair = end < 0 ? body : text_slice(body, 0, (size_t)end);
        body = end < 0 ? text_slice(body, body.length, body.length)
                       : text_slice(body, (size_t)end + 1, body.length);
        if (pair.length == 0)
            continue;
        ptrdiff_t equals = text_find(pair, '=');
        struct text name = equals < 0 ? pair : text_slice(pair, 0, (size_t)equals);
        struct text value = equals < 0 ? TEXT("") : text_slice(pair, (size_t)equals + 1, pair.length);
        if (!text_percent_decode(arena, name, true, &list[n].name) ||
            !text_percent_decode(arena, value, true, &list[n].value) || !text_is_utf8(list[n].name) ||
            !text_is_utf8(list[n].value))
            return false;
        n++;
    }
    *fields = list;
    *count = n;
    return true;
}

struct text http_field_value(const struct http_field *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (text_is(fields[i].name, name))
            return fields[i].value;
    }
    return TEXT_NONE;
}

void http_log_failure(const struct http_request *request, const struct http_answer *answer)
{
    if (answer->status != 500)
        return;
    struct arena *arena = arena_new();
    log_about(request->correlation_id);
    log_error("request.failed", "method", text_cstr(arena, request->method_text), "host",
              text_cstr(arena, request->host), "path", text_cstr(arena, request->path));
    log_about(NULL);
    arena_free(arena);
}

void http_answer_reset(struct http_answer *answer)
{
    answer->status = 0;
    answer->header_count = 0;
    answer->body = TEXT_NONE;
    answer->head_length = -1;
}

// A line break in a value would let it write headers of its own.
static bool fits_a_line(struct text value)
{
    for (size_t i = 0; i < value.length; i++) {
        unsigned char c = (unsigned char)value.base[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

void http_set_header(struct http_answer *answer, const char *name, struct text value)
{
    if (!fits_a_line(value)) {
        log_warning("http.header.refused", "name", name);
        return;
    }
    struct text wanted = text_of(name);
    for (size_t i = 0; i < answer->header_count; i++) {
        if (text_equal_nocase(answer->headers[i].name, wanted)) {
            answer->headers[i].value = value;
            return;
        }
    }
    if (answer->header_count == HTTP_ANSWER_HEADERS) {
        log_error("http.headers.full", "name", name);
        return;
    }
    answer->headers[answer->header_count++] = (struct http_field){wanted, value};
}

void http_set_header_string(struct http_answer *answer, const char *name, const char *value)
{
    http_set_header(answer, name, text_of(value));
}
