// The bodies of PUT and PATCH: what they ask for, checked (acr-resource-provider.md 3; decisions 2, 3, 16 to
// 20, 52).
#pragma once
#include "rp/registry_resource.h"

struct registry_body {
    bool has_tags, has_policies;
    struct text tags; // JSON object
    struct text sku;  // "Basic", "Standard"; absent: not given (PATCH only)
    struct registry_settings settings;
};

// Reads call->body over `settings`: what the body leaves out stays as it is there. `sku` is the registry's
// present one (absent on create). With `replace` (PUT) the caller gives the defaults, and a SKU must be
// there. False: failed.
bool registry_body_read(struct arm_call *call, bool replace, struct text sku,
                        const struct registry_settings *settings, struct registry_body *body);
struct registry_settings registry_settings_default(void);
// The policies object of 2017-10-01's updatePolicies, or the member of properties, over body->settings.
bool registry_policies_read(struct arm_call *call, const json_t *policies, const char *path, struct text sku,
                            struct registry_body *body);
