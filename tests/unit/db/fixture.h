// One private cluster for the whole program, under a directory of its own.
#pragma once
#include "db/cluster.h"
#include "db/database.h"
#include "support/private_cluster.h"

#include <check.h>
#include <sys/types.h>

void fixture_start(void); // in main, before any test
void fixture_stop(void);
const struct config *fixture_config(void);
const char *fixture_conninfo(void);
struct db_target fixture_target(void);
void fixture_start_server(void);
void fixture_stop_server(void);
// One statement of its own, outside of what is tested (as the role azsacr; the admin form as postgres).
void fixture_sql(const char *format, ...) __attribute__((format(printf, 1, 2)));
void fixture_admin_sql(const char *format, ...) __attribute__((format(printf, 1, 2)));
// The first column of the first row as a number; -1 when there is no row.
long fixture_number(const char *format, ...) __attribute__((format(printf, 1, 2)));

// The suites, for main.c.
Suite *suite_cluster(void);
Suite *suite_migrate(void);
Suite *suite_transaction(void);
Suite *suite_reconnect(void);
Suite *suite_workers(void);
Suite *suite_pipeline(void);
Suite *suite_job(void);
