// From the bytes of a head to a request: what libh2o would let pass is judged here. Knows no libh2o.
#pragma once
#include "http/message.h"

enum { HTTP_HEAD_LIMIT = 32 * 1024 };

// A refusal: which status, and why in words for the client. status 0: none.
struct http_refusal {
    int status;
    const char *why;
    bool close; // the connection's framing is in doubt: nothing more is read from it
};

// Length of the head at the start of `bytes`, the empty line included; 0 when it does not end there.
size_t http_head_length(struct text bytes);

// Reads the whole head (a copy in the request's arena that the request may point into and change): method,
// target, headers. Fills `host` and `authority` from Host, or from the edge's X-Azsacr-Host and X-Azsacr-Port
// where `from_edge`; elsewhere the edge's headers are dropped. Always leaves a request that can be refused.
struct http_refusal http_read_head(struct http_request *request, char *head, size_t length, bool from_edge);

// Splits request->target into path, segments and query, decoded once. Sets request->malformed on bad escapes.
void http_read_target(struct http_request *request);

// Fresh request id; the client's correlation id when it is well-formed, else the request id.
void http_read_ids(struct http_request *request);
