// A registry in a private cluster; nothing of it outlives the test case.
#include "rp/registry_fixture.h"

#include "base/arena.h"
#include "base/site.h"
#include "rp/data/store.h"
#include "support/private_cluster.h"

#include <stdio.h>
#include <stdlib.h>

static struct arena *arena;
static struct config config;
static struct site the_site;

static void die(const char *why)
{
    fprintf(stderr, "registry fixture: %s\n", why);
    exit(2);
}

static const char setup[] =
    "insert into arm.subscription (subscription_id, tenant_id, display_name) values"
    " ('11111111-1111-1111-1111-111111111111', '22222222-2222-2222-2222-222222222222', 's');"
    "insert into arm.resource_group (subscription_id, name, name_key, location) values"
    " ('11111111-1111-1111-1111-111111111111', 'g', 'g', 'local');"
    "insert into arm.resource (group_id, subscription_id, type, type_key, name, name_key, location) values"
    " (1, '11111111-1111-1111-1111-111111111111', 'Microsoft.ContainerRegistry/registries',"
    "  'microsoft.containerregistry/registries', 'Registry1', 'registry1', 'local');"
    "insert into acr.registry (id, rid, login_key, password, password2) values (1, repeat('a', 32), "
    "'registry1', '', '')";

void registry_fixture_start(void)
{
    arena = arena_new();
    config = (struct config){.acr_suffix = ".azsacr.local.azurestack.external",
                             .protect = "children",
                             .registry_quota = (int64_t)1 << 40,
                             .low_water = 1};
    private_cluster_make(&config, "rp");
    config.store = arena_printf(arena, "%s/store", config.state);
    the_site = (struct site){&config, NULL};
    site_set(&the_site);
    const char *why = NULL;
    if (!store_open(config.store, &why, arena))
        die(why);
    registry_fixture_sql("%s", setup);
}

void registry_fixture_stop(void)
{
    private_cluster_remove(&config);
    arena_free(arena);
}

void registry_fixture_clear(void)
{
    registry_fixture_sql(
        "truncate acr.tag, acr.manifest_child, acr.manifest_ref, acr.manifest, acr.blob_link, acr.blob,"
        " acr.repository, acr.registry_usage, acr.upload, acr.garbage, acr.event, azsacr.job");
    registry_fixture_sql("insert into acr.registry_usage (registry_id) values (%d)", FIXTURE_REGISTRY);
}

struct config *registry_fixture_config(void)
{
    return &config;
}

struct db_connection *registry_fixture_connect(void)
{
    struct db_target target = {config.database, "azsacr test", 10000};
    return db_connection_new(&target);
}

long registry_fixture_number(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    long number = private_cluster_sql(config.database, format, arguments);
    va_end(arguments);
    return number;
}

void registry_fixture_sql(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    private_cluster_sql(config.database, format, arguments);
    va_end(arguments);
}

struct client client_new(void)
{
    return (struct client){
        .connection = registry_fixture_connect(), .arena = arena_new(), .quota = (int64_t)1 << 40};
}

void client_free(struct client *client)
{
    db_connection_free(client->connection);
    arena_free(client->arena);
}

struct running {
    struct registry_call *call;
    void (*handle)(struct registry_call *);
};

// As the door runs a write: the registry is held against deletion.
static bool run(struct db_transaction *tx, void *argument)
{
    static const struct db_statement hold = {"fixture_hold",
                                             "select id from acr.registry where id = $1 for key share"};
    struct running *running = argument;
    struct registry_call *call = running->call;
    http_answer_reset(call->answer);
    call->failed = false;
    call->tx = tx;
    DB_RUN(tx, &hold, db_int(call->registry.id));
    running->handle(call);
    return !call->failed && !db_failed(tx);
}

static void fill_query(struct http_request *request, const char *query)
{
    struct http_field *fields = NULL;
    if (query && !http_parse_form(request->arena, text_of(query), &fields, &request->query_count))
        die("query");
    request->query = fields;
}

static void add_parameter(struct http_route *route, const char *name, const char *value)
{
    if (value == NULL)
        return;
    size_t i = route->parameter_count++;
    route->parameters[i].name = name;
    route->parameters[i].name_length = strlen(name);
    route->parameters[i].value = text_of(value);
}

int client_run(struct client *client, enum http_method method, void (*handle)(struct registry_call *),
               const char *repository, const char *reference, const char *body)
{
    arena_free(client->arena);
    client->arena = arena_new();
    struct http_field headers[] = {{TEXT("user-agent"), TEXT("docker/20.10")},
                                   {TEXT("content-type"), text_of(client->content_type)}};
    struct http_request request = {.arena = client->arena,
                                   .method = method,
                                   .path = TEXT("/the/path"),
                                   .headers = headers,
                                   .header_count = client->content_type ? 2 : 1,
                                   .request_id = "33333333-3333-3333-3333-333333333333",
                                   .body = text_of(body)};
    fill_query(&request, client->query);
    struct registry_call call = {.arena = client->arena,
                                 .request = &request,
                                 .answer = &client->answer,
                                 .repository = text_of(repository),
                                 .registry = {.id = FIXTURE_REGISTRY,
                                              .name = TEXT("Registry1"),
                                              .login_key = TEXT("registry1"),
                                              .quota = client->quota}};
    add_parameter(&call.route, "repository", repository);
    add_parameter(&call.route, "reference", reference);
    struct running running = {&call, handle};
    enum db_outcome outcome = db_transact(client->connection, run, &running);
    client->query = NULL;
    client->content_type = NULL;
    if (outcome != DB_COMMITTED && !(outcome == DB_ROLLED_BACK && call.failed))
        return 500;
    return client->answer.status;
}

const char *client_header(const struct client *client, const char *name)
{
    for (size_t i = 0; i < client->answer.header_count; i++)
        if (text_is_nocase(client->answer.headers[i].name, name))
            return text_cstr(client->arena, client->answer.headers[i].value);
    return "";
}

const char *client_body(const struct client *client)
{
    return text_cstr(client->arena, client->answer.body);
}
