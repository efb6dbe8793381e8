// libFuzzer: arbitrary `scope` parameters of a token request, for the admin user, who may do everything.
// Nothing is granted that a repository's grammar forbids, and never more than there is room for.
#include "rp/data/oauth_scope.h"

#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    struct http_field *fields = NULL;
    size_t count = 0;
    struct http_request request = {.arena = arena};
    struct http_answer answer = {.status = 0};
    struct registry_call call = {.arena = arena, .request = &request, .answer = &answer};
    call.identity.kind = IDENTITY_ADMIN;
    call.registry.admin_enabled = true;
    struct registry_grant grants[OAUTH_SCOPE_LIMIT];
    if (http_parse_form(arena, (struct text){(const char *)data, size}, &fields, &count)) {
        size_t granted = oauth_grants(&call, fields, count, grants);
        if (granted > OAUTH_SCOPE_LIMIT)
            abort();
        for (size_t i = 0; i < granted; i++)
            if (grants[i].access == 0 ||
                (text_is(grants[i].type, "repository") && repository_name_fault(grants[i].name)))
                abort();
    }
    arena_free(arena);
    return 0;
}
