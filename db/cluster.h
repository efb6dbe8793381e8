// The private PostgreSQL cluster under the state directory.
#pragma once
#include "base/config.h"

#include <stdbool.h>
#include <sys/types.h>

// initdb into `pgdata.new`, then renamed: makes STATE/pgdata complete or not at all; and writes its
// configuration (no TCP, socket in config->runtime, peer). A cluster that exists is left as it is but for the
// configuration file that is ours. Runs initdb as the user postgres when we are root.
bool cluster_prepare(const struct config *config, struct arena *arena, const char **why);
// argv (NULL-ended, in the arena) that becomes the postmaster itself when exec'd: through setpriv when root.
const char *const *cluster_command(const struct config *config, struct arena *arena);
// Whether a connection is accepted now.
bool cluster_ready(const struct config *config);
// Makes the database "azsacr" when absent.
bool cluster_create_database(const struct config *config, struct arena *arena, const char **why);
// The libpq string of the private cluster's database, for config->database.
const char *cluster_conninfo(const struct config *config, struct arena *arena);
// pid of the postmaster that postmaster.pid names when it runs, else 0.
pid_t cluster_postmaster(const struct config *config);
