// Which pages of other origins may read our answers (Fetch, "CORS protocol").
#pragma once
#include "http/message.h"

// Answers a preflight of one of these origins: true, and the answer is complete. It needs no sign-in, because
// browsers send none with it. `origins` is NULL-ended.
bool http_preflight(const char *const *origins, const struct http_request *request,
                    struct http_answer *answer);
// Adds to an answer, whatever it says, what lets one of these origins read it. Others get nothing.
void http_allow_origin(const char *const *origins, const struct http_request *request,
                       struct http_answer *answer);
