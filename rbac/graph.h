// Inside the directory's host: a call that is signed in, its query, and the objects it answers.
#pragma once
#include "rbac/service.h"
#include "rbac/token.h"

// True: the call waits for service_work; false: the exchange is answered.
bool graph_prepare(struct http_exchange *exchange);

// One clause of $filter; what clients of Microsoft Graph send to find a principal by name.
struct graph_filter {
    enum { GRAPH_ALL, GRAPH_EQUAL, GRAPH_STARTS, GRAPH_ANY } kind;
    struct text field; // "displayName"; of GRAPH_ANY the collection, "servicePrincipalNames"
    struct text value; // unescaped
};
// "field eq 'v'", "startswith(field,'v')", "field/any(c:c eq 'v')" or nothing. False: not one of these.
bool graph_filter_parse(struct arena *arena, struct text text, struct graph_filter *filter);

struct graph_query {
    struct graph_filter filter;
    int64_t top;
    struct text after;  // object id that the page begins behind, or TEXT_NONE
    struct text select; // "id,displayName", or TEXT_NONE: everything
};
// False: answered with 400.
bool graph_query_read(struct service_call *call, struct graph_query *query);

void graph_error(struct service_call *call, int status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void graph_json(struct service_call *call, struct text body);
bool graph_unsupported(struct service_call *call, const char *what);
bool graph_not_found(struct service_call *call, struct text id);

// graph_principals.c
service_handler graph_users, graph_user, graph_me, graph_service_principals, graph_service_principal,
    graph_applications, graph_application, graph_directory_object, graph_get_by_ids;
// The caller of a call that graph.c let through.
const struct rbac_caller *graph_caller(const struct service_call *call);
