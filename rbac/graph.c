// The directory's read-only face, host graph.: the part of Microsoft Graph v1.0 by which az finds principals
// (az-cli.md 7). Every signed-in principal may read it; nothing is written through it.
#include "rbac/graph.h"
#include "rbac/services.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/site.h"

#include <pthread.h>

static service_handler graph_groups, graph_group;

static const struct service_operation operations[] = {
    {{HTTP_GET, "/v1.0/me", "Graph_Me"}, graph_me, false},
    {{HTTP_GET, "/v1.0/users", "Graph_Users"}, graph_users, false},
    {{HTTP_GET, "/v1.0/users/{id}", "Graph_User"}, graph_user, false},
    {{HTTP_GET, "/v1.0/servicePrincipals", "Graph_ServicePrincipals"}, graph_service_principals, false},
    {{HTTP_GET, "/v1.0/servicePrincipals/{id}", "Graph_ServicePrincipal"}, graph_service_principal, false},
    {{HTTP_GET, "/v1.0/applications", "Graph_Applications"}, graph_applications, false},
    {{HTTP_GET, "/v1.0/applications/{id}", "Graph_Application"}, graph_application, false},
    {{HTTP_GET, "/v1.0/groups", "Graph_Groups"}, graph_groups, false},
    {{HTTP_GET, "/v1.0/groups/{id}", "Graph_Group"}, graph_group, false},
    {{HTTP_GET, "/v1.0/groups/{id}/members", "Graph_GroupMembers"}, graph_group, false},
    {{HTTP_GET, "/v1.0/directoryObjects/{id}", "Graph_DirectoryObject"}, graph_directory_object, false},
    {{HTTP_POST, "/v1.0/directoryObjects/getByIds", "Graph_GetByIds"}, graph_get_by_ids, false},
};

static struct http_router *router;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void build_router(void)
{
    router = http_router_new(true);
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
        http_router_add(router, &operations[i].head);
}

static void common_headers(struct service_call *call)
{
    http_set_header_string(call->answer, "Content-Type", "application/json");
    http_set_header_string(call->answer, "Cache-Control", "no-store");
    http_set_header_string(call->answer, "request-id", call->request->request_id);
    http_set_header_string(call->answer, "X-Content-Type-Options", "nosniff");
}

void graph_json(struct service_call *call, struct text body)
{
    call->answer->status = 200;
    call->answer->body = body;
    common_headers(call);
}

void graph_error(struct service_call *call, int status, const char *code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *message = arena_vprintf(call->arena, format, arguments);
    va_end(arguments);
    struct buffer out = buffer_new(call->arena);
    json_begin_object(&out);
    json_key(&out, "error");
    json_begin_object(&out);
    json_key_string(&out, "code", code);
    json_key_string(&out, "message", message);
    json_key(&out, "innerError");
    json_begin_object(&out);
    json_key_text(&out, "date", clock_iso(call->arena, clock_wall() / 1000000 * 1000000, "Z"));
    json_key_string(&out, "request-id", call->request->request_id);
    json_key_string(&out, "client-request-id", call->request->correlation_id);
    json_end_object(&out);
    json_end_object(&out);
    json_end_object(&out);
    call->answer->status = status;
    call->answer->body = buffer_done(&out);
    common_headers(call);
}

bool graph_unsupported(struct service_call *call, const char *what)
{
    graph_error(call, 400, "Request_UnsupportedQuery", "Unsupported query: %s.", what);
    return false;
}

bool graph_not_found(struct service_call *call, struct text id)
{
    if (id.length > 256)
        id = TEXT("given");
    graph_error(
        call, 404, "Request_ResourceNotFound",
        "Resource '%.*s' does not exist or one of its queried reference-property objects are not present.",
        TEXT_ARG(id));
    return false;
}

// There are no groups in this directory.
static bool graph_groups(struct service_call *call)
{
    struct graph_query query;
    if (!graph_query_read(call, &query))
        return false;
    struct buffer out = buffer_new(call->arena);
    json_begin_object(&out);
    json_key_format(&out, "@odata.context", "%s/v1.0/$metadata#groups", site()->config->url_graph);
    json_key(&out, "value");
    json_begin_array(&out);
    json_end_array(&out);
    json_end_object(&out);
    graph_json(call, buffer_done(&out));
    return true;
}

static bool graph_group(struct service_call *call)
{
    return graph_not_found(call, http_parameter(&call->route, "id"));
}

static const char *fault_message(enum rbac_fault fault)
{
    switch (fault) {
    case RBAC_MISSING:
        return "Access token is empty.";
    case RBAC_EXPIRED:
        return "Lifetime validation failed, the token is expired.";
    case RBAC_NOT_YET:
        return "Lifetime validation failed, the token is not yet valid.";
    case RBAC_AUDIENCE:
        return "Access token validation failure. Invalid audience.";
    case RBAC_ISSUER:
        return "Access token validation failure. Invalid issuer.";
    case RBAC_REVOKED:
        return "Access token validation failure. The account was disabled, removed or its credentials were "
               "changed.";
    default:
        return "Access token validation failure.";
    }
}

static void refuse_caller(struct service_call *call, enum rbac_fault fault)
{
    const char *message = fault_message(fault);
    graph_error(call, 401, "InvalidAuthenticationToken", "%s", message);
    const struct config *config = site()->config;
    http_set_header_string(
        call->answer, "WWW-Authenticate",
        arena_printf(call->arena,
                     "Bearer realm=\"\", authorization_uri=\"%s/adfs/%s\", error=\"invalid_token\", "
                     "error_description=\"%s\"",
                     config->url_adfs, config->tenant_id, message));
}

struct graph_call {
    struct rbac_caller caller;
};

const struct rbac_caller *graph_caller(const struct service_call *call)
{
    return &((const struct graph_call *)call->own)->caller;
}

static struct text bearer_of(const struct http_request *request)
{
    bool doubled = false;
    struct text header = http_header(request, "authorization", &doubled);
    if (doubled || !text_starts_nocase(header, "Bearer "))
        return TEXT_NONE;
    return text_trim(text_slice(header, 7, header.length));
}

static bool run_signed_in(struct service_call *call)
{
    const struct http_request *request = call->request;
    struct rbac_verdict verdict =
        rbac_verify_token(call->snapshot, call->arena, bearer_of(request), rbac_audiences_graph());
    if (verdict.fault != RBAC_OK) {
        refuse_caller(call, verdict.fault);
        return false;
    }
    struct graph_call *own = ARENA_NEW(call->arena, struct graph_call);
    own->caller = verdict.caller;
    call->own = own;
    const struct service_operation *operation = (const struct service_operation *)call->route.operation;
    if (operation)
        return operation->run(call);
    if (request->method != HTTP_GET && request->method != HTTP_HEAD)
        graph_error(
            call, 403, "Authorization_RequestDenied",
            "The directory is read-only here. Its users and service principals are managed on the server, by "
            "'azsacrd user' and 'azsacrd sp'.");
    else
        graph_error(call, 400, "BadRequest", "Resource not found for the segment '%.*s'.",
                    TEXT_ARG(request->segment_count > 1 && request->segments[1].length <= 256
                                 ? request->segments[1]
                                 : TEXT("given")));
    return false;
}

void graph_refuse(struct http_exchange *exchange, int status, const char *why)
{
    struct service_call call = {.exchange = exchange,
                                .request = &exchange->request,
                                .answer = &exchange->answer,
                                .arena = exchange->request.arena};
    const char *code = status == 503 || status == 429 ? "ServiceUnavailable"
                       : status >= 500                ? "InternalServerError"
                       : status == 413                ? "RequestEntityTooLarge"
                                                      : "BadRequest";
    graph_error(&call, status, code, "%s", why);
}

bool graph_prepare(struct http_exchange *exchange)
{
    pthread_once(&once, build_router);
    struct service_call *call = service_call_new(exchange, graph_refuse);
    if (exchange->request.malformed) {
        graph_refuse(exchange, 400, exchange->request.malformed);
        return false;
    }
    http_router_find(router, &exchange->request, &call->route);
    call->run = run_signed_in;
    return true;
}

void graph_dispatch(struct http_exchange *exchange)
{
    if (graph_prepare(exchange))
        service_work(exchange->context);
    else
        http_finish(exchange);
}
