// One private cluster with one registry in it, and requests handed to the data plane's handlers as the door
// does.
#pragma once
#include "base/config.h"
#include "db/database.h"
#include "rp/data/call.h"

#include <check.h>

enum { FIXTURE_REGISTRY = 1 };

// Unchecked fixtures of a Check test case: the cluster lives as long as the case.
void registry_fixture_start(void);
void registry_fixture_stop(void);
// An empty registry again, without quota; in each test, before its first request.
void registry_fixture_clear(void);
struct config *registry_fixture_config(void);
struct db_connection *registry_fixture_connect(void);
// One statement of its own; its first column, or -1 when there is no row.
long registry_fixture_number(const char *format, ...) __attribute__((format(printf, 1, 2)));
void registry_fixture_sql(const char *format, ...) __attribute__((format(printf, 1, 2)));

// One client: its connection and what the last request was answered.
struct client {
    struct db_connection *connection;
    struct arena *arena; // of the last request
    struct http_answer answer;
    const char *query; // for the next request only: "n=2&last=x"
    const char *content_type;
    int64_t quota;
};
struct client client_new(void);
void client_free(struct client *client);
// Runs a handler in a transaction of its own; the status. `reference` and `body` may be NULL.
int client_run(struct client *client, enum http_method method, void (*handle)(struct registry_call *),
               const char *repository, const char *reference, const char *body);
const char *client_header(const struct client *client, const char *name); // "" when absent
const char *client_body(const struct client *client);
