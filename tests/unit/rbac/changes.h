// Changes of rbac's rows as handlers make them, for tests.
#pragma once
#include "db/database.h"

#include <stdbool.h>

// Inside a transaction, with their notes.
void add_principal(struct db_transaction *tx, const char *object_id, const char *upn,
                   bool enabled); // or changes it
void remove_principal(struct db_transaction *tx, const char *object_id);
void add_assignment(struct db_transaction *tx, const char *scope, const char *id, const char *principal_id,
                    const char *role); // nothing when there is one like it
void remove_assignment(struct db_transaction *tx, const char *scope, const char *id);
void put_role(struct db_transaction *tx, const char *id, const char *permissions);
void put_lock(struct db_transaction *tx, const char *scope, const char *name, bool read_only);
void remove_lock(struct db_transaction *tx, const char *scope, const char *name);
void add_subscription(struct db_transaction *tx, const char *id);
