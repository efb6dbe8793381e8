// One private cluster for a test program: prepared, started, migrated and removed as azsacrd does it.
#pragma once
#include "base/config.h"

#include <stdarg.h>

// Makes /tmp/azsacr-unit-NAME-…, points config's state, runtime and database into it (strings that live until
// private_cluster_remove), starts the server and migrates the database. Ends the program when that cannot be.
void private_cluster_make(struct config *config, const char *name);
void private_cluster_remove(const struct config *config);
// The server alone; its data stays.
void private_cluster_start(const struct config *config);
void private_cluster_stop(const struct config *config);

// One statement on a session of its own, outside of what is tested; the first column of its first row as a
// number, -1 when there is no row. Aborts when the statement fails.
long private_cluster_sql(const char *conninfo, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

void sleep_milliseconds(unsigned milliseconds);
