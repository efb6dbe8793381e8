// What az asks a registry for and Azure Stack Hub's registries have not: each is refused at once and by its
// name. Any status but 401, 404, 405 and 409 would have az ask three times, five seconds apart (az-cli 10).
#include "rp/data/acr.h"

static void refuse(struct registry_call *call, const char *feature)
{
    registry_fail(call, 404, "NOT_FOUND", TEXT_NONE, "%s is not supported by this registry", feature);
}

static void refuse_soft_delete(struct registry_call *call)
{
    refuse(call, "soft delete");
}

static void refuse_streaming(struct registry_call *call)
{
    refuse(call, "artifact streaming");
}

// `az acr helm`; charts as OCI artifacts are pushed like any other.
static void refuse_helm(struct registry_call *call)
{
    refuse(call, "a Helm repository (charts are pushed as OCI artifacts)");
}

#define REFUSED(method, path, name, handle)                                                                  \
    {                                                                                                        \
        {method, path, name}, ACCESS_NONE, NULL, handle                                                      \
    }
#define DELETED "/acr/v1/_deleted/{path*}"
#define STREAMING "/acr/v1/{path*}/_streaming"
#define OPERATION "/acr/v1/{path*}/_operations/{operation}"
#define HELM "/helm/v1/{path*}"

const struct registry_operation registry_not_offered_operations[] = {
    REFUSED(HTTP_GET, DELETED, "Deleted_Get", refuse_soft_delete),
    REFUSED(HTTP_GET, DELETED "/_manifests", "Deleted_ListManifests", refuse_soft_delete),
    REFUSED(HTTP_GET, DELETED "/_tags", "Deleted_ListTags", refuse_soft_delete),
    REFUSED(HTTP_POST, DELETED "/_manifests/{digest}", "Deleted_Restore", refuse_soft_delete),
    REFUSED(HTTP_GET, STREAMING, "Streaming_Get", refuse_streaming),
    REFUSED(HTTP_POST, STREAMING, "Streaming_Update", refuse_streaming),
    REFUSED(HTTP_GET, STREAMING "/{digest}", "Streaming_GetItem", refuse_streaming),
    REFUSED(HTTP_POST, STREAMING "/{digest}", "Streaming_CreateItem", refuse_streaming),
    REFUSED(HTTP_GET, OPERATION, "Streaming_GetOperation", refuse_streaming),
    REFUSED(HTTP_POST, OPERATION, "Streaming_CancelOperation", refuse_streaming),
    REFUSED(HTTP_GET, HELM, "Helm_Get", refuse_helm),
    REFUSED(HTTP_PUT, HELM, "Helm_Put", refuse_helm),
    REFUSED(HTTP_PATCH, HELM, "Helm_Patch", refuse_helm),
    REFUSED(HTTP_DELETE, HELM, "Helm_Delete", refuse_helm),
    {{0, NULL, NULL}, ACCESS_NONE, NULL, NULL},
};
