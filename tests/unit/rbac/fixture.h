// One private cluster for the whole program, migrated, and the site that goes with it.
#pragma once
#include "db/database.h"
#include "support/private_cluster.h"

#include <check.h>

void fixture_start(void); // in main, before any test
void fixture_stop(void);
struct db_target fixture_target(void);
// One transaction on a connection of its own; fails the test when it does not commit.
void fixture_commit(bool (*run)(struct db_transaction *tx, void *argument), void *argument);
// Empties every table of rbac and arm, so that each test begins alike.
void fixture_reset(void);
// One statement of its own, outside of what is tested; the first column of its first row, -1 when there is
// none.
void fixture_sql(const char *format, ...) __attribute__((format(printf, 1, 2)));
long fixture_number(const char *format, ...) __attribute__((format(printf, 1, 2)));

// The suites, for main.c.
Suite *suite_decision(void);
Suite *suite_snapshot(void);
Suite *suite_lane(void);
