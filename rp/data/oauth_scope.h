// The `scope` parameters of a token request, and what of them the caller gets.
#pragma once
#include "rp/data/call.h"

enum { OAUTH_SCOPE_LIMIT = 32 };
// Every `scope` of the fields, each perhaps several separated by blanks. What is nonsense, unknown, or more
// than the caller may, is dropped. `grants` holds OAUTH_SCOPE_LIMIT; the number filled.
size_t oauth_grants(const struct registry_call *call, const struct http_field *fields, size_t count,
                    struct registry_grant *grants);
