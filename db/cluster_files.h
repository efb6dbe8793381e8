// What cluster.c needs of directories, files and child processes.
#pragma once
#include "base/config.h"

#include <stdbool.h>
#include <sys/types.h>

struct arena;

// cluster.c
const char *cluster_data(const struct config *config, struct arena *arena);
const char *cluster_sockets(const struct config *config, struct arena *arena);

// A directory that belongs to the user who runs PostgreSQL (postgres when we are root).
bool cluster_make_directory(const char *path, mode_t mode, struct arena *arena, const char **why);
// Makes `path` when absent; as root lets others pass through it, for PostgreSQL runs as another user.
bool cluster_make_reachable(const char *path, struct arena *arena, const char **why);
bool cluster_remove_tree(const char *path, struct arena *arena, const char **why);
// postgresql.conf, pg_hba.conf and pg_ident.conf of the cluster in `data`, each complete or as it was.
bool cluster_write_files(const struct config *config, const char *data, struct arena *arena,
                         const char **why);
// Runs a command to its end. False when it failed; `output` is what it wrote.
bool cluster_run(const char *const *argv, struct arena *arena, const char **output);
