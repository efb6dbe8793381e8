// /acr/v1: the routes, and what their objects have in common.
#include "rp/data/acr.h"

#include "rp/data/content.h"
#include "rp/data/registry_row.h"

void json_acr_head(struct registry_call *call, struct buffer *out)
{
    json_key_text(out, "registry", registry_login_server(call->arena, call->registry.login_key));
    json_key_text(out, "imageName", call->repository);
}

int64_t acr_begin_update(struct registry_call *call)
{
    int64_t repository = repository_find(call->tx, call->registry.id, call->repository, false);
    if (repository != 0)
        usage_lock(call->tx, call->registry.id);
    return repository;
}

#define REPOSITORY "/acr/v1/{repository*}"
const struct registry_operation registry_acr_operations[] = {
    {{HTTP_GET, REPOSITORY, "Acr_GetRepository"}, ACCESS_METADATA_READ, NULL, acr_repository_get},
    {{HTTP_PATCH, REPOSITORY, "Acr_UpdateRepository"}, ACCESS_METADATA_WRITE, NULL, acr_repository_update},
    {{HTTP_DELETE, REPOSITORY, "Acr_DeleteRepository"}, ACCESS_DELETE, NULL, acr_repository_delete},
    {{HTTP_GET, REPOSITORY "/_tags", "Acr_ListTags"}, ACCESS_METADATA_READ, NULL, acr_tags_list},
    {{HTTP_GET, REPOSITORY "/_tags/{reference}", "Acr_GetTag"}, ACCESS_METADATA_READ, NULL, acr_tag_get},
    {{HTTP_PATCH, REPOSITORY "/_tags/{reference}", "Acr_UpdateTag"},
     ACCESS_METADATA_WRITE,
     NULL,
     acr_tag_update},
    {{HTTP_DELETE, REPOSITORY "/_tags/{reference}", "Acr_DeleteTag"}, ACCESS_DELETE, NULL, acr_tag_delete},
    {{HTTP_GET, REPOSITORY "/_manifests", "Acr_ListManifests"},
     ACCESS_METADATA_READ,
     NULL,
     acr_manifests_list},
    {{HTTP_GET, REPOSITORY "/_manifests/{reference}", "Acr_GetManifest"},
     ACCESS_METADATA_READ,
     NULL,
     acr_manifest_get},
    {{HTTP_PATCH, REPOSITORY "/_manifests/{reference}", "Acr_UpdateManifest"},
     ACCESS_METADATA_WRITE,
     NULL,
     acr_manifest_update},
    {{HTTP_DELETE, REPOSITORY "/_manifests/{reference}", "Acr_DeleteManifest"},
     ACCESS_DELETE,
     NULL,
     acr_manifest_delete},
    {{0, NULL, NULL}, ACCESS_NONE, NULL, NULL},
};
