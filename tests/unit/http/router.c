// The router, by tables: which operation a path gets, with which parameters, and what is allowed there.
#include "base/arena.h"
#include "http/intake.h"
#include "http/operation.h"

#include <check.h>
#include <stdlib.h>

static const struct http_operation arm_operations[] = {
    {HTTP_GET, "/subscriptions", "Subscriptions_List"},
    {HTTP_GET, "/subscriptions/{subscription}", "Subscriptions_Get"},
    {HTTP_GET, "/subscriptions/{subscription}/resourceGroups/{group}", "Groups_Get"},
    {HTTP_HEAD, "/subscriptions/{subscription}/resourceGroups/{group}", "Groups_Check"},
    {HTTP_PUT, "/subscriptions/{subscription}/resourceGroups/{group}", "Groups_Put"},
    {HTTP_GET, "/subscriptions/{subscription}/resourceGroups/{group}/resources", "Groups_Resources"},
    {HTTP_GET,
     "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ContainerRegistry/registries/"
     "{registry}",
     "Registries_Get"},
    {HTTP_DELETE, "/subscriptions/{subscription}/resourceGroups/{group}/providers/{namespace}/{type*}",
     "Resources_Delete"},
    {HTTP_GET, "/subscriptions/{subscription}/resourceGroups/{group}/providers/{namespace}/{type*}",
     "Resources_Get"},
    {HTTP_GET, "/{scope**}/providers/Microsoft.Authorization/roleAssignments/{assignment}",
     "Assignments_Get"},
    {HTTP_GET, "/", "Root"},
};

static const struct http_operation data_operations[] = {
    {HTTP_GET, "/v2/", "Base"},
    {HTTP_GET, "/v2/_catalog", "Catalog"},
    {HTTP_GET, "/v2/{repository*}/tags/list", "Tags"},
    {HTTP_GET, "/v2/{repository*}/manifests/{reference}", "Manifest_Get"},
    {HTTP_PUT, "/v2/{repository*}/manifests/{reference}", "Manifest_Put"},
    {HTTP_GET, "/v2/{repository*}/blobs/{digest}", "Blob"},
    {HTTP_POST, "/v2/{repository*}/blobs/uploads/", "Upload_Start"},
    {HTTP_GET, "/v2/{repository*}/blobs/uploads/{upload}", "Upload_Status"},
    {HTTP_GET, "/acr/v1/{name*}/_tags", "Acr_Tags"},
};

struct expectation {
    bool data;
    enum http_method method;
    const char *target;
    const char *operation; // NULL: none
    const char *parameter, *value;
    const char *allow; // of the route when there is no operation
};

// A repository's name of 128 components.
#define SIXTEEN "/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a"
#define LONG_NAME SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN

#define RG "/subscriptions/s/resourceGroups/g"
#define ACR "/providers/Microsoft.ContainerRegistry/registries/r"

static const struct expectation expectations[] = {
    {false, HTTP_GET, "/subscriptions", "Subscriptions_List", NULL, NULL, NULL},
    {false, HTTP_GET, "/", "Root", NULL, NULL, NULL},
    {false, HTTP_GET, "//", "Root", NULL, NULL, NULL},
    {false, HTTP_GET, "/subscriptions/", "Subscriptions_List", NULL, NULL, NULL},
    {false, HTTP_GET, "//SUBSCRIPTIONS//s/", "Subscriptions_Get", "subscription", "s", NULL},
    {false, HTTP_GET, RG, "Groups_Get", "group", "g", NULL},
    {false, HTTP_HEAD, RG, "Groups_Check", "group", "g", NULL},
    {false, HTTP_HEAD, "/subscriptions/s", "Subscriptions_Get", NULL, NULL, NULL},
    {false, HTTP_GET, "/subscriptions/s/RESOURCEgroups/g%20h", "Groups_Get", "group", "g h", NULL},
    {false, HTTP_DELETE, "/subscriptions", NULL, NULL, NULL, "GET,HEAD"},
    {false, HTTP_DELETE, RG, NULL, NULL, NULL, "GET,HEAD,PUT"},
    {false, HTTP_GET, "/nothing", NULL, NULL, NULL, ""},
    {false, HTTP_GET, RG "/resources", "Groups_Resources", NULL, NULL, NULL},
    {false, HTTP_GET, RG ACR, "Registries_Get", "registry", "r", NULL},
    {false, HTTP_DELETE, RG ACR, "Resources_Delete", "type", "registries/r", NULL},
    {false, HTTP_GET, RG "/providers/X.Y/a/b//c/d", "Resources_Get", "type", "a/b/c/d", NULL},
    {false, HTTP_GET, RG ACR "/providers/microsoft.authorization/roleassignments/a", "Assignments_Get",
     "scope", "subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/r", NULL},
    {false, HTTP_GET, "/providers/Microsoft.Authorization/roleAssignments/a", "Assignments_Get", "scope", "",
     NULL},
    {false, HTTP_GET, "/providers/Microsoft.Authorization/roleAssignments/a", "Assignments_Get", "assignment",
     "a", NULL},
    {true, HTTP_GET, "/v2/", "Base", NULL, NULL, NULL},
    {true, HTTP_GET, "/v2", NULL, NULL, NULL, ""},
    {true, HTTP_GET, "/V2/", NULL, NULL, NULL, ""},
    {true, HTTP_GET, "/v2//", NULL, NULL, NULL, ""},
    {true, HTTP_GET, "/v2/_catalog", "Catalog", NULL, NULL, NULL},
    {true, HTTP_GET, "/v2/a/b/tags/list", "Tags", "repository", "a/b", NULL},
    {true, HTTP_HEAD, "/v2/a/b/manifests/v1", "Manifest_Get", "reference", "v1", NULL},
    {true, HTTP_PUT, "/v2/a/manifests/manifests/v1", "Manifest_Put", "repository", "a/manifests", NULL},
    {true, HTTP_DELETE, "/v2/a/manifests/v1", NULL, NULL, NULL, "GET,HEAD,PUT"},
    {true, HTTP_GET, "/v2/a//manifests/v1", NULL, NULL, NULL, ""},
    {true, HTTP_GET, "/v2/a/../manifests/v1", NULL, NULL, NULL, ""},
    {true, HTTP_GET, "/v2/a/%2e%2e/manifests/v1", NULL, NULL, NULL, ""},
    {true, HTTP_GET, "/v2/a%2f..%2fb/manifests/v1", NULL, NULL, NULL, ""},
    {true, HTTP_GET, "/v2/./manifests/v1", NULL, NULL, NULL, ""},
    {true, HTTP_GET, "/v2/a/manifests/", NULL, NULL, NULL, ""},
    {true, HTTP_POST, "/v2/a/blobs/uploads/", "Upload_Start", "repository", "a", NULL},
    {true, HTTP_GET, "/v2/a/blobs/uploads/u", "Upload_Status", "upload", "u", NULL},
    {true, HTTP_GET, "/v2/a/blobs/sha256:1", "Blob", "digest", "sha256:1", NULL},
    {true, HTTP_GET, "/acr/v1/a%2Fb/_tags", "Acr_Tags", "name", "a/b", NULL},
    {true, HTTP_GET, "/v2" LONG_NAME "/tags/list", "Tags", NULL, NULL, NULL},
    {true, HTTP_GET, "/v2" LONG_NAME "/blobs/uploads/u", "Upload_Status", "upload", "u", NULL},
    {true, HTTP_GET, "/v2" LONG_NAME "/blobs/uploads/blobs/d", "Blob", "digest", "d", NULL},
    {true, HTTP_GET, "/acr/v1" LONG_NAME "/_tags", "Acr_Tags", NULL, NULL, NULL},
    {false, HTTP_GET, LONG_NAME "/providers/Microsoft.Authorization/roleAssignments/a", "Assignments_Get",
     "assignment", "a", NULL},
};

START_TEST(paths)
{
    const struct expectation *e = &expectations[_i];
    static struct http_router *router; // of the heap, for the life of the process
    router = http_router_new(!e->data);
    const struct http_operation *table = e->data ? data_operations : arm_operations;
    size_t count =
        e->data ? sizeof data_operations / sizeof table[0] : sizeof arm_operations / sizeof table[0];
    for (size_t i = 0; i < count; i++)
        http_router_add(router, &table[i]);
    struct arena *arena = arena_new();
    struct http_request request = {.arena = arena, .method = e->method, .target = text_of(e->target)};
    http_read_target(&request);
    ck_assert_ptr_null(request.malformed);
    struct http_route route;
    http_router_find(router, &request, &route);
    ck_assert_str_eq(route.operation ? route.operation->name : "none", e->operation ? e->operation : "none");
    if (e->parameter != NULL)
        ck_assert_str_eq(text_cstr(arena, http_parameter(&route, e->parameter)), e->value);
    if (e->operation == NULL)
        ck_assert_str_eq(text_cstr(arena, http_allow(arena, route.allowed)), e->allow);
    arena_free(arena);
}
END_TEST

Suite *suite_router(void);
Suite *suite_router(void)
{
    Suite *suite = suite_create("router");
    TCase *tcase = tcase_create("paths");
    tcase_add_loop_test(tcase, paths, 0, sizeof expectations / sizeof expectations[0]);
    suite_add_tcase(suite, tcase);
    return suite;
}
