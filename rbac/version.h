// db's commit hook: raises the version, with the deltas of the transaction's notes, as its last statement.
#pragma once
#include "db/database.h"

void rbac_raise_version(struct db_transaction *tx);
