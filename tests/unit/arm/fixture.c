// Makes calls as the fence would.
#include "fixture.h"

static struct config config = {
    .region = "local",
    .domain = "azurestack.external",
    .acr_suffix = ".azsacr.local.azurestack.external:8443",
    .host_management = "management.local.azurestack.external",
    .host_admin = "adminmanagement.local.azurestack.external",
    .url_management = "https://management.local.azurestack.external:8443",
    .url_admin = "https://adminmanagement.local.azurestack.external:8443",
    .url_adfs = "https://adfs.local.azurestack.external:8443",
    .url_graph = "https://graph.local.azurestack.external:8443",
    .url_portal = "https://portal.local.azurestack.external:8443",
    .tenant_id = "11111111-2222-3333-4444-555555555555",
    .audience = "https://management.adfs.local.azurestack.external/11111111-2222-3333-4444-555555555555",
    .throttle = true,
};
static struct site this_site = {.config = &config};

static void read_segments(struct fixture *f, const char *path)
{
    struct text t = text_of(path);
    size_t start = 1;
    for (size_t i = 1; i <= t.length; i++)
        if (i == t.length || t.base[i] == '/') {
            text_percent_decode(f->arena, text_slice(t, start, i), false,
                                &f->request.segments[f->request.segment_count++]);
            start = i + 1;
        }
}

struct fixture *fixture_new(enum http_method method, const char *path)
{
    site_set(&this_site);
    struct arena *arena = arena_new();
    struct fixture *f = ARENA_NEW(arena, struct fixture);
    f->arena = arena;
    f->request.arena = arena;
    f->request.method = method;
    f->request.path = f->request.target = text_of(path);
    f->request.host = text_of(config.host_management);
    f->request.authority = TEXT("management.local.azurestack.external:8443");
    f->request.query = ARENA_ARRAY(arena, struct http_field, 8);
    f->request.headers = ARENA_ARRAY(arena, struct http_field, 8);
    strcpy(f->request.request_id, "aaaaaaaa-0000-0000-0000-000000000001");
    strcpy(f->request.correlation_id, "aaaaaaaa-0000-0000-0000-000000000002");
    read_segments(f, path);
    http_answer_reset(&f->answer);
    f->door.call.arena = arena;
    f->door.call.request = &f->request;
    f->door.call.answer = &f->answer;
    f->door.call.operation = &f->operation;
    return f;
}

void fixture_query(struct fixture *f, const char *name, const char *value)
{
    f->request.query[f->request.query_count++] = (struct http_field){text_of(name), text_of(value)};
}

void fixture_header(struct fixture *f, const char *name, const char *value)
{
    f->request.headers[f->request.header_count++] = (struct http_field){text_of(name), text_of(value)};
}

void fixture_free(struct fixture *f)
{
    arena_free(f->arena);
}
