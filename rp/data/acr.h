// Handlers of /acr/v1, by what they show.
#pragma once
#include "rp/data/content_route.h"

void acr_repository_get(struct registry_call *call);
void acr_repository_update(struct registry_call *call);
void acr_repository_delete(struct registry_call *call);
void acr_tags_list(struct registry_call *call);
void acr_tag_get(struct registry_call *call);
void acr_tag_update(struct registry_call *call);
void acr_tag_delete(struct registry_call *call);
void acr_manifests_list(struct registry_call *call);
void acr_manifest_get(struct registry_call *call);
void acr_manifest_update(struct registry_call *call);
void acr_manifest_delete(struct registry_call *call);

// "registry" and "imageName", with which every object of /acr/v1 begins.
void json_acr_head(struct registry_call *call, struct buffer *out);
// The repository that an update changes, its mutex held: an image lock holds for every push that answers
// later. 0 after 404.
int64_t acr_begin_update(struct registry_call *call);
