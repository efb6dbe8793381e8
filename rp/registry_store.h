// The rows behind a registry: written in the handler's transaction.
#pragma once
#include "rp/registry_resource.h"

// Makes the registry with fresh credentials: envelope, acr.registry and its usage row. Sent with the commit
// where that is possible, so `registry` is complete afterwards whatever comes of it (arm/resource.h says
// which members it takes).
enum registry_made {
    REGISTRY_MADE,
    REGISTRY_NAME_TAKEN, // another registry holds the login name
    REGISTRY_OVER_QUOTA, // the subscription has as many as the operator allows
    REGISTRY_NOT_MADE,   // the group is going or somebody made it meanwhile: the transaction is run again
};
enum registry_made registry_rows_create(struct arm_call *call, struct registry_resource *registry);
// Whether a registry has that login name, whoever's.
bool registry_name_taken(struct db_transaction *tx, struct text name);
// Writes the settings; `policies`: their time is now. Switching the admin user makes its tokens void.
void registry_rows_update(struct arm_call *call, int64_t id, bool policies,
                          struct registry_settings *settings);
// Deletes acr.registry; what it holds goes by a job. The envelope is arm's.
void registry_rows_delete(struct db_transaction *tx, int64_t id);
// A fresh password, sealed for its place: `column` is "password" or "password2".
struct text registry_password_new(struct arena *arena, int64_t id, const char *column);
