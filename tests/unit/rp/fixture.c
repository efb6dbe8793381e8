// Makes a site, a registry and access data without a database.
#include "fixture.h"

#include "base/arena.h"
#include "base/site.h"

#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#define ROLE(digit) "0000000" digit "-0000-0000-0000-00000000000" digit
#define REGISTRY_SCOPE                                                                                       \
    "/subscriptions/" FIXTURE_SUBSCRIPTION                                                                   \
    "/resourceGroups/Group/providers/Microsoft.ContainerRegistry/registries/MyReg"

static struct config config = {.acr_suffix = ".azsacr.local.azurestack.external",
                               .region = "local",
                               .api_versions = "mixed",
                               .sku = "any",
                               .registry_quota = 107374182400};

static void set_site(struct arena *arena)
{
    static struct site the_site;
    char path[] = "/tmp/azsacr-unit-XXXXXX";
    int file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    close(file);
    unlink(path);
    const char *why = NULL;
    the_site.config = &config;
    the_site.master_key = master_key_load(path, true, arena, &why);
    ck_assert_msg(the_site.master_key != NULL, "%s", why);
    unlink(path);
    site_set(&the_site);
}

static void keep(void *entry)
{
    (void)entry;
}

static void free_key(void *key)
{
    free(key);
}

static struct rbac_key *key_new(const char *kid, const char *use, int fill)
{
    struct rbac_key *key = xcalloc(1, sizeof *key);
    strcpy(key->kid, kid);
    strcpy(key->use, use);
    memset(key->secret, fill, sizeof key->secret);
    return key;
}

static void add_role(struct shelf *shelf, const char *id, const char *permissions)
{
    struct role *role = role_compile(text_of(id), text_of(permissions));
    ck_assert_ptr_nonnull(role);
    shelf->entries[shelf->count++] = role;
}

static void add_principal(struct rbac_snapshot *snapshot, const char *object_id, const char *role,
                          const char *scope)
{
    struct rbac_principal principal = {
        .enabled = true, .name = object_id, .display_name = object_id, .app_id = object_id, .stamp = 7};
    strcpy(principal.object_id, object_id);
    strcpy(principal.tenant_id, "99999999-9999-9999-9999-999999999999");
    snapshot_put_principal(snapshot, &principal);
    if (!role)
        return;
    char key[512];
    size_t length = 0;
    for (; scope[length]; length++)
        key[length] =
            (char)(scope[length] >= 'A' && scope[length] <= 'Z' ? scope[length] + 32 : scope[length]);
    snapshot_put_assignment(snapshot, (struct text){key, length}, text_of(object_id), text_of(object_id),
                            text_of(role));
}

static void fill_snapshot(struct rbac_snapshot *snapshot)
{
    atomic_init(&snapshot->references, 1);
    strcpy(snapshot->version.stamp, "one");
    snapshot->roles = shelf_new(4, role_free);
    add_role(snapshot->roles, ROLE("1"),
             "[{\"actions\":[\"Microsoft.ContainerRegistry/registries/pull/read\"],\"notActions\":[]}]");
    add_role(snapshot->roles, ROLE("2"),
             "[{\"actions\":[\"Microsoft.ContainerRegistry/registries/pull/read\","
             "\"Microsoft.ContainerRegistry/registries/push/write\"],\"notActions\":[]}]");
    add_role(
        snapshot->roles, ROLE("3"),
        "[{\"actions\":[\"Microsoft.ContainerRegistry/registries/artifacts/delete\"],\"notActions\":[]}]");
    add_role(snapshot->roles, ROLE("4"), "[{\"actions\":[\"*\"],\"notActions\":[]}]");
    snapshot->keys = shelf_new(3, free_key);
    snapshot->keys->entries[snapshot->keys->count++] = key_new("new", "registry", 1);
    snapshot->keys->entries[snapshot->keys->count++] = key_new("old", "registry", 2);
    snapshot->keys->entries[snapshot->keys->count++] = key_new("other", "sign-in", 3);
    snapshot->subscriptions = shelf_new(1, keep);
    add_principal(snapshot, FIXTURE_PULLER, ROLE("1"), REGISTRY_SCOPE);
    add_principal(snapshot, FIXTURE_PUSHER, ROLE("2"), REGISTRY_SCOPE);
    add_principal(snapshot, FIXTURE_DELETER, ROLE("3"), REGISTRY_SCOPE);
    add_principal(snapshot, FIXTURE_OWNER, ROLE("4"), "/subscriptions/" FIXTURE_SUBSCRIPTION);
    add_principal(snapshot, FIXTURE_STRANGER, NULL, NULL);
}

struct fixture *fixture_new(void)
{
    struct arena *arena = arena_new();
    struct fixture *fixture = ARENA_NEW(arena, struct fixture);
    fixture->arena = arena;
    set_site(arena);
    fill_snapshot(&fixture->snapshot);
    fixture->request = (struct http_request){
        .arena = arena, .method = HTTP_GET, .host = TEXT(FIXTURE_SERVER), .authority = TEXT(FIXTURE_SERVER)};
    fixture->request.headers = ARENA_ARRAY(arena, struct http_field, 8);
    strcpy(fixture->request.correlation_id, "correlation");
    strcpy(fixture->request.request_id, "request");
    const struct master_key *key = site()->master_key;
    fixture->call = (struct registry_call){
        .arena = arena,
        .request = &fixture->request,
        .answer = &fixture->answer,
        .snapshot = &fixture->snapshot,
        .registry = {.id = 42,
                     .rid = TEXT("0123456789abcdef0123456789abcdef"),
                     .name = TEXT("MyReg"),
                     .login_key = TEXT("myreg"),
                     .resource_id = TEXT(REGISTRY_SCOPE),
                     .admin_enabled = true,
                     .password = master_key_seal(key, arena, "registry-password", "acr.registry/42/password",
                                                 TEXT(FIXTURE_PASSWORD)),
                     .password2 = master_key_seal(key, arena, "registry-password",
                                                  "acr.registry/42/password2", TEXT(FIXTURE_PASSWORD2)),
                     .password_stamp = 3,
                     .password2_stamp = 5,
                     .quota = 1000},
    };
    return fixture;
}

void fixture_free(struct fixture *fixture)
{
    struct rbac_snapshot *snapshot = &fixture->snapshot;
    map_clear(&snapshot->principals);
    map_clear(&snapshot->names);
    map_clear(&snapshot->assignments);
    map_clear(&snapshot->grants);
    shelf_release(snapshot->roles);
    shelf_release(snapshot->keys);
    shelf_release(snapshot->subscriptions);
    master_key_free((struct master_key *)(uintptr_t)site()->master_key);
    arena_free(fixture->arena);
}

void fixture_sign_in(struct fixture *fixture, const char *object_id)
{
    const struct rbac_principal *principal = rbac_principal_by_id(&fixture->snapshot, text_of(object_id));
    ck_assert_ptr_nonnull(principal);
    fixture->call.identity = (struct registry_identity){.kind = IDENTITY_PRINCIPAL, .narrowed = ~0u};
    struct rbac_caller *caller = &fixture->call.identity.caller;
    strcpy(caller->object_id, principal->object_id);
    strcpy(caller->tenant_id, principal->tenant_id);
    caller->name = principal->name;
    caller->app_id = principal->app_id;
    caller->stamp = principal->stamp;
}

void fixture_header(struct fixture *fixture, const char *name, const char *value)
{
    ck_assert_uint_lt(fixture->request.header_count, 8);
    fixture->request.headers[fixture->request.header_count++] =
        (struct http_field){text_of(name), text_of(value)};
}

static void drop(void *json)
{
    json_decref(json);
}

void fixture_arm_call(struct fixture *fixture, struct arm_call *call, const char *api_version,
                      const char *body)
{
    *call = (struct arm_call){.arena = fixture->arena,
                              .request = &fixture->request,
                              .answer = &fixture->answer,
                              .snapshot = &fixture->snapshot,
                              .api_version = api_version};
    call->body = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_msg(call->body != NULL, "not JSON: %s", body);
    arena_on_free(fixture->arena, drop, call->body);
}
