// Role definitions (built-in ones with the ids that the world knows) and assignments, as rows.
#pragma once
#include "db/database.h"

#define ROLE_OWNER "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
#define ROLE_CONTRIBUTOR "b24988ac-6180-42a0-ab88-20f7382dd24c"
#define ROLE_READER "acdd72a7-3385-48ef-bd42-f606fba81ae7"
#define ROLE_ACR_PULL "7f951dda-4ed3-4680-a7ca-43fe172d538d"
#define ROLE_ACR_PUSH "8311e382-0749-4cb8-b61a-304f252e45ec"
#define ROLE_ACR_DELETE "c2f4ef07-c644-48eb-af81-4b1b4947fb11"

// Inserts or refreshes the built-in roles (arm-core 3.6). Notes only when something changed.
void roles_ensure_builtin(struct db_transaction *tx);
// Deletes the assignments and the locks at and below a scope, in the transaction that deletes what the scope
// names.
void assignments_delete_below(struct db_transaction *tx, struct text scope);
