// Handlers of /v2/<name>/manifests/<reference>, and what /acr/v1 shares with them.
#pragma once
#include "rp/data/content_route.h"

void manifest_put(struct registry_call *call);
void manifest_delete(struct registry_call *call);

// Under the checks of locks and parents: deletes a manifest by digest, or takes a tag away. 202, or a
// refusal; the tag's absence is TAG_UNKNOWN in /acr/v1 and MANIFEST_UNKNOWN in /v2.
void manifest_delete_by_digest(struct registry_call *call, const struct reference *reference);
void manifest_untag(struct registry_call *call, const struct reference *reference,
                    void (*unknown)(struct registry_call *call, const struct reference *reference));
