// What role_definitions.c and role_definition_body.c share.
#pragma once
#include "arm/authorization.h"

// What a PUT says, checked and in the stored form.
struct role_definition_body {
    struct text name, description;
    struct text permissions; // JSON: [{"actions":[],"notActions":[],"dataActions":[],"notDataActions":[]}]
    struct text scopes;      // JSON: canonical scopes
};
// False after a failure: members, limits, scopes, and the right to `action` on each assignable scope.
bool role_definition_read(struct arm_call *call, const char *action, struct role_definition_body *body);
// The right to `action` on every scope of that JSON list (LinkedAuthorizationFailed).
bool role_definition_may(struct arm_call *call, const char *action, struct text assignable_scopes);
// The stored permissions as the call's api-version shows them.
void role_definition_write_permissions(struct buffer *json, const struct arm_call *call,
                                       struct text permissions);
