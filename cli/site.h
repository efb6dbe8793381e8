// A site on this machine: its directories, its first start, and the facts it tells scripts and people.
#pragma once
#include "base/config.h"
#include "base/crypto.h"

#include <stdbool.h>

struct arena;

// STATE and what is below it, with the modes that each needs.
bool site_directories(const struct config *config, struct arena *arena, const char **why);

// Names of the edge's certificate: the fixed hosts and the registries' wildcard.
bool site_certificates(const struct config *config, struct arena *arena, const char **why);

// The database's libpq string: the configured one, or the private cluster's.
const char *site_conninfo(const struct config *config, struct arena *arena);

// Waits up to `seconds` for the database, then migrates it.
bool site_database(const struct config *config, unsigned seconds, struct arena *arena, const char **why);

// The master key (made on the very first start), held against the check value in the database.
struct master_key *site_master_key(const struct config *config, struct arena *arena, const char **why);

// What the first start makes and every start checks: tenant, subscriptions, roles, signing keys, the
// operator's two accounts. Fills config->tenant_id and ->audience. site_set must have been called.
bool site_first_start(struct config *config, struct arena *arena, const char **why);

// STATE/endpoints.json and STATE/cloud.json.
bool site_write_endpoints(const struct config *config, struct arena *arena, const char **why);

// The lines a person needs after a start: endpoints, CA, az cloud register, how to sign in.
void site_print(const struct config *config);
// The `az cloud register` lines alone.
void site_print_cloud(const struct config *config, struct arena *arena);

// A whole site for a command that changes rows: configuration, master key, tenant. NULL after printing what
// is wrong.
struct site_session;
struct site_session *site_session_open(struct config *config, struct arena *arena);
struct db_connection *site_session_connection(struct site_session *session);
void site_session_close(struct site_session *session);
// Writes `secret` and a newline to a new or replaced 0600 file.
bool site_write_secret(const char *path, const char *secret);
