// The head of a request, read from its bytes: the duties of an HTTP/1.1 server (RFC 9112) that libh2o 2.2.5
// leaves undone (two lengths, length beside encoding, folded lines, number of Hosts, size).
#include "http/intake.h"

#include "base/arena.h"

enum { MOST_FIELDS = 100 };

// Empty lines before the request line are allowed (RFC 9112, 2.2).
static size_t leading_lines(struct text bytes)
{
    size_t n = 0;
    while (n < bytes.length && (bytes.base[n] == '\r' || bytes.base[n] == '\n'))
        n++;
    return n;
}

size_t http_head_length(struct text bytes)
{
    size_t at = leading_lines(bytes);
    while (at < bytes.length) {
        const char *end = memchr(bytes.base + at, '\n', bytes.length - at);
        if (end == NULL)
            return 0;
        size_t line = (size_t)(end - bytes.base) - at;
        if (line == 0 || (line == 1 && bytes.base[at] == '\r'))
            return at + line + 1;
        at += line + 1;
    }
    return 0;
}

static unsigned method_of(struct text t)
{
    static const enum http_method known[] = {HTTP_GET,   HTTP_HEAD,   HTTP_PUT,    HTTP_POST,
                                             HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (text_is(t, http_method_name(known[i])))
            return known[i];
    }
    return 0;
}

static char *next_line(char **cursor, char *end, size_t *length)
{
    char *line = *cursor;
    char *newline = memchr(line, '\n', (size_t)(end - line));
    if (newline == NULL)
        newline = end;
    *length = (size_t)(newline - line);
    *cursor = newline < end ? newline + 1 : end;
    if (*length > 0 && line[*length - 1] == '\r')
        --*length;
    return line;
}

struct request_line {
    struct text method, target;
    bool old; // HTTP/1.0
};

static bool read_request_line(struct text line, struct request_line *out)
{
    ptrdiff_t first = text_find(line, ' '), last = text_rfind(line, ' ');
    if (first < 0 || last <= first)
        return false;
    out->method = text_slice(line, 0, (size_t)first);
    out->target = text_trim(text_slice(line, (size_t)first + 1, (size_t)last));
    out->old = text_is(text_slice(line, (size_t)last + 1, line.length), "HTTP/1.0");
    return text_find(out->target, ' ') < 0;
}

// What is not UTF-8 would travel into answers, logs and rows: its high bytes become '?'.
static void make_utf8(char *value, size_t length)
{
    if (text_is_utf8((struct text){value, length}))
        return;
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)value[i] >= 0x80)
            value[i] = '?';
    }
}

static bool read_field(char *line, size_t length, struct http_field *field)
{
    char *colon = memchr(line, ':', length);
    // A first blank is a folded line, obsolete and a way to hide fields from others.
    if (colon == NULL || colon == line || line[0] == ' ' || line[0] == '\t')
        return false;
    for (char *p = line; p < colon; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p + 32);
        else if ((unsigned char)*p <= ' ')
            return false;
    }
    make_utf8(colon + 1, length - (size_t)(colon + 1 - line));
    field->name = (struct text){line, (size_t)(colon - line)};
    field->value = text_trim((struct text){colon + 1, length - (size_t)(colon + 1 - line)});
    return true;
}

struct counts {
    unsigned hosts, lengths, encodings, expectations;
    struct text host, edge_host, edge_port, edge_client, expect;
};

// Counts what must be single. True when the field is one that only the edge may set.
static bool count_field(const struct http_field *field, struct counts *c)
{
    switch (field->name.length) {
    case 4:
        if (text_is(field->name, "host")) {
            c->hosts++;
            c->host = field->value;
        }
        return false;
    case 6:
        if (text_is(field->name, "expect")) {
            c->expectations++;
            c->expect = field->value;
        }
        return false;
    case 13:
        if (text_is(field->name, "x-azsacr-host"))
            c->edge_host = field->value;
        else if (text_is(field->name, "x-azsacr-port"))
            c->edge_port = field->value;
        break;
    case 14:
        if (text_is(field->name, "content-length"))
            c->lengths++;
        break;
    case 15:
        if (text_is(field->name, "x-azsacr-client"))
            c->edge_client = field->value;
        break;
    case 17:
        if (text_is(field->name, "transfer-encoding"))
            c->encodings++;
        break;
    default:
        break;
    }
    return text_starts(field->name, "x-azsacr-");
}

static bool is_host(struct text t)
{
    for (size_t i = 0; i < t.length; i++) {
        char c = t.base[i];
        bool fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
                    c == '[' || c == ']' || c == ':';
        if (!fine)
            return false;
    }
    return t.length > 0 && t.length <= 255;
}

static bool is_port(struct text t)
{
    int64_t port;
    return t.length == 0 || (t.length <= 5 && text_to_int64(t, &port) && port > 0 && port < 65536);
}

// "Name.:8443" into "name" and "name:8443". `port` as the edge said it, or from behind the colon.
static bool set_host(struct http_request *request, struct text host, struct text port)
{
    struct text lower = text_lower(request->arena, host);
    ptrdiff_t colon = text_rfind(lower, ':'), bracket = text_rfind(lower, ']');
    if (colon > bracket) {
        if (port.base == NULL)
            port = text_slice(lower, (size_t)colon + 1, lower.length);
        lower = text_slice(lower, 0, (size_t)colon);
    }
    if (text_ends(lower, "."))
        lower = text_slice(lower, 0, lower.length - 1);
    if (!is_host(lower) || !is_port(port))
        return false;
    request->host = request->authority = lower;
    if (port.length > 0) {
        char *authority = arena_alloc(request->arena, lower.length + port.length + 2);
        memcpy(authority, lower.base, lower.length);
        authority[lower.length] = ':';
        memcpy(authority + lower.length + 1, port.base, port.length);
        request->authority = (struct text){authority, lower.length + port.length + 1};
    }
    return true;
}

static struct http_refusal refusal(int status, const char *why, bool close)
{
    return (struct http_refusal){status, why, close};
}

static struct http_refusal read_method(struct http_request *request, struct text method)
{
    unsigned known = method_of(method);
    request->method = known ? (enum http_method)known : HTTP_GET;
    request->method_text = method;
    if (known)
        return refusal(0, NULL, false);
    if (text_is(method, "CONNECT") || text_is(method, "TRACE"))
        return refusal(405, "the method is not allowed", true);
    return refusal(501, "the method is not known", true);
}

static struct http_refusal judge(struct http_request *request, const struct counts *c, bool from_edge,
                                 bool old)
{
    bool edge = from_edge && c->edge_host.length > 0;
    if (from_edge && c->edge_client.base != NULL)
        request->client_address = c->edge_client;
    if (c->hosts != 1)
        return refusal(
            400, c->hosts == 0 ? "the Host header is missing" : "there is more than one Host header", true);
    // As it stands in a URL: ":8443" or "8443", and nothing for https' own.
    struct text port = c->edge_port.base != NULL ? c->edge_port : TEXT("");
    if (text_starts(port, ":"))
        port = text_slice(port, 1, port.length);
    if (text_is(port, "443"))
        port = TEXT("");
    if (!set_host(request, edge ? c->edge_host : c->host, edge ? port : TEXT_NONE))
        return refusal(400, "the Host header is malformed", true);
    if (c->lengths + c->encodings > 1 || (old && c->encodings > 0))
        return refusal(400, "the length of the body is told more than once", true);
    if (c->expectations > 1 || (c->expectations == 1 && !text_is_nocase(c->expect, "100-continue")))
        return refusal(417, "the expectation is not known", true);
    return refusal(0, NULL, false);
}

// As many as there are, and one for what stands behind the last.
static size_t count_lines(const char *at, const char *end)
{
    size_t lines = 1;
    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        lines++;
        at++;
    }
    return lines;
}

struct http_refusal http_read_head(struct http_request *request, char *head, size_t length, bool from_edge)
{
    char *cursor = head + leading_lines((struct text){head, length}), *end = head + length;
    struct request_line line;
    struct counts counts = {0};
    size_t n;
    request->method = HTTP_GET;
    request->host = request->authority = request->target = request->path = TEXT("");
    request->method_text = TEXT("");
    request->client_address = TEXT("");
    char *start = next_line(&cursor, end, &n);
    if (!read_request_line((struct text){start, n}, &line))
        return refusal(400, "the request line is malformed", true);
    struct http_refusal refused = read_method(request, line.method);
    request->target = line.target;
    size_t room = count_lines(cursor, end);
    request->headers =
        arena_reserve(request->arena, sizeof *request->headers * (room < MOST_FIELDS ? room : MOST_FIELDS));
    while (cursor < end) {
        char *field = next_line(&cursor, end, &n);
        if (n == 0)
            break;
        if (request->header_count == MOST_FIELDS)
            return refusal(431, "there are too many header fields", true);
        struct http_field *to = &request->headers[request->header_count];
        if (!read_field(field, n, to))
            return refusal(400, "a header field is malformed", true);
        bool edge_only = count_field(to, &counts);
        if (!edge_only || from_edge)
            request->header_count++;
    }
    // Host first: whoever refuses wants to know whose form to answer in.
    struct http_refusal judged = judge(request, &counts, from_edge, line.old);
    if (judged.status != 0)
        return judged;
    return refused;
}
