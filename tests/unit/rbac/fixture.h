// One private cluster for the whole program, migrated, and the site that goes with it.
#pragma once
#include "db/database.h"

#include <check.h>

void fixture_start(void); // in main, before any test
void fixture_stop(void);
struct db_target fixture_target(void);
// One transaction on a connection of its own; fails the test when it does not commit.
void fixture_commit(bool (*run)(struct db_transaction *tx, void *argument), void *argument);
// Empties every table of rbac and arm, so that each test begins alike.
void fixture_reset(void);
void fixture_sleep(unsigned milliseconds);
