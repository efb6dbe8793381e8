// The directory: users and service principals, their secrets; what `azsacrd user|sp` and the first start use.
#pragma once
#include "db/database.h"

struct arena;
// All in the caller's transaction, noting the change. NULL or false: see *why (in the transaction's arena).
// The object id of the new principal.
const char *directory_add_user(struct db_transaction *tx, const char *tenant_id, const char *upn,
                               const char *display_name, struct text password, const char **why);
// `app_id` is made when NULL; the secret is random, shown once in *secret.
const char *directory_add_service_principal(struct db_transaction *tx, const char *tenant_id,
                                            const char *display_name, const char **app_id,
                                            const char **secret, const char **why);
// By upn, app id or object id. Raises the principal's stamp. A service principal gets a random secret when
// `password` is absent, returned in *secret.
bool directory_set_password(struct db_transaction *tx, struct text name, struct text password,
                            const char **secret, const char **why);
bool directory_remove(struct db_transaction *tx, struct text name, const char **why); // and its assignments
bool directory_set_enabled(struct db_transaction *tx, struct text name, bool enabled, const char **why);
// JSON array of all of one kind ("User", "ServicePrincipal").
struct text directory_list(struct db_transaction *tx, const char *kind);
// An assignment made by the program itself (first start: Owner).
void directory_assign(struct db_transaction *tx, const char *object_id, const char *principal_type,
                      const char *role_definition_id, struct text scope);
