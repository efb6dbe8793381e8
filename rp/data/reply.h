// What the files of the data plane's door share about answers; handlers use rp/data/call.h.
#pragma once
#include "rp/data/call.h"

// The headers that every answer of a registry's host carries (data-plane.md 2.1). Idempotent.
void registry_set_headers(const struct http_request *request, struct http_answer *answer);
// The errors envelope with one error, in the arena.
struct text registry_error_json(struct arena *arena, const char *code, struct text detail,
                                const char *message);

#define REGISTRY_DISALLOWED                                                                                  \
    "The operation is disallowed on this registry, repository or image. View troubleshooting steps at "      \
    "https://aka.ms/acr/faq/#why-does-my-pull-or-push-request-fail-with-disallowed-operation"
