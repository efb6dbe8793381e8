// Operation tables, and the router that is made of them: nothing else knows the routes.
#pragma once
#include "http/message.h"

// The common head of every operation. A door embeds it first in its own kind (struct arm_operation, …).
//
// `path` is a pattern of segments: a literal; {name} for exactly one segment; {name*} for one or more
// segments (zero or more when written {name**}), at most one such in a pattern.
// "/v2/{repository*}/manifests/{reference}",
// "/{scope**}/providers/Microsoft.Authorization/roleAssignments/{assignment}".
struct http_operation {
    enum http_method method;
    const char *path;
    const char *name; // "Registries_Get": unique; in logs and documentation
};

enum { HTTP_PARAMETERS = 8 };

struct http_route {
    const struct http_operation *operation; // NULL: none
    unsigned allowed;                       // methods of every operation whose path fits (405 when not 0)
    struct {
        const char *name;
        size_t name_length;
        struct text value;   // segments joined by '/' for {name*}
        size_t first, count; // which segments of the request it is
    } parameters[HTTP_PARAMETERS];
    size_t parameter_count;
};

struct http_router;
// `ignore_case`: literals match without regard to case and empty segments are skipped (ARM); otherwise exact,
// and empty, "." and ".." segments never match (data plane). Memory of the heap, for the life of the process.
struct http_router *http_router_new(bool ignore_case);
void http_router_add(struct http_router *router, const struct http_operation *operation);
// GET operations answer HEAD too unless the table has a HEAD of its own. More literal patterns win.
void http_router_find(const struct http_router *router, const struct http_request *request,
                      struct http_route *route);
// The parameter's value, or TEXT_NONE.
struct text http_parameter(const struct http_route *route, const char *name);
// "GET,HEAD,PUT" for the Allow header, in the arena.
struct text http_allow(struct arena *arena, unsigned methods);
