// The rows behind a registry: written in the handler's transaction.
#pragma once
#include "rp/registry_resource.h"

// Makes acr.registry and its usage row with fresh credentials. False when another registry holds the login
// name.
bool registry_rows_insert(struct arm_call *call, int64_t id, struct text name,
                          struct registry_settings *settings);
// Writes the settings; `policies`: their time is now. Switching the admin user makes its tokens void.
void registry_rows_update(struct arm_call *call, int64_t id, bool policies,
                          struct registry_settings *settings);
// Deletes acr.registry; what it holds goes by a job. The envelope is arm's.
void registry_rows_delete(struct db_transaction *tx, int64_t id);
// A fresh password, sealed for its place: `column` is "password" or "password2".
struct text registry_password_new(struct arena *arena, int64_t id, const char *column);
