// A request as it came, and the answer to it: plain data that knows neither libh2o nor ARM.
#pragma once
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct loop;

enum http_method {
    HTTP_GET = 1,
    HTTP_HEAD = 2,
    HTTP_PUT = 4,
    HTTP_POST = 8,
    HTTP_PATCH = 16,
    HTTP_DELETE = 32,
    HTTP_OPTIONS = 64,
};
const char *http_method_name(enum http_method method);

struct http_field {
    struct text name, value;
};

// A repository name of 255 characters may have 128 components, and a route a few segments more.
enum { HTTP_SEGMENTS = 136 };

struct http_request {
    struct arena *arena; // lives until the answer was sent
    enum http_method method;
    struct text method_text; // as the client wrote it: when refused with 405 or 501, `method` says nothing
    struct text host;        // lower case, no port, no trailing dot; as the edge normalised it
    struct text authority; // host with the port the client used, for URLs we hand out ("management.…:8443")
    struct text target;    // raw path and query
    struct text path;      // raw path
    struct text segments[HTTP_SEGMENTS]; // the path's segments, percent-decoded once; empty ones are kept
    size_t segment_count;
    struct http_field *query; // decoded, in order
    size_t query_count;
    struct http_field *headers; // names in lower case
    size_t header_count;
    struct text body;
    struct text client_address; // from the edge
    char request_id[37];        // ours, fresh
    char correlation_id[65];    // the client's x-ms-correlation-request-id when well-formed, else request_id
    int64_t started;            // monotonic microseconds
    // Why the fence or the decoding found the request malformed, or NULL; the host's dispatch answers 400
    // with it in its own form ("the path has a bad escape").
    const char *malformed;
};

// The first header of that lower-case name, or TEXT_NONE. `doubled`, unless NULL, tells of a second one.
struct text http_header(const struct http_request *request, const char *name, bool *doubled);
// The first query parameter of that name, without regard to case, or TEXT_NONE.
struct text http_query(const struct http_request *request, const char *name);
// A decoded application/x-www-form-urlencoded body's parameter; the form is parsed on each call's first use
// into fields the caller keeps. False on a malformed body.
bool http_parse_form(struct arena *arena, struct text body, struct http_field **fields, size_t *count);
struct text http_field_value(const struct http_field *fields, size_t count, const char *name);

enum { HTTP_ANSWER_HEADERS = 32 };

struct http_answer {
    int status; // 0: not yet answered
    struct http_field headers[HTTP_ANSWER_HEADERS];
    size_t header_count;
    struct text body; // in the request's arena, or static; sent with Content-Length; not sent for HEAD
    // HEAD: a length to state when it is not the body's (blobs); -1: the body's.
    int64_t head_length;
};

void http_answer_reset(struct http_answer *answer);
// One line for what nobody foresaw: an answer of 500.
void http_log_failure(const struct http_request *request, const struct http_answer *answer);
// Values are borrowed; a header of that name that is there already is replaced.
void http_set_header(struct http_answer *answer, const char *name, struct text value);
void http_set_header_string(struct http_answer *answer, const char *name, const char *value);

// One request being answered. Made by the fence, on a loop; given to a dispatch function; ended by
// http_finish exactly once, from any thread, even when the client has gone.
struct http_exchange {
    struct http_request request;
    struct http_answer answer;
    struct loop *loop;
    void *context; // the dispatcher's own
};
void http_finish(struct http_exchange *exchange);
