// What the files of db/ share and nobody else sees: libpq's types, how a session is opened, how parameters
// travel, how an error is told.
#pragma once
#include "db/database.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    SESSION_VALUES = 64,         // parameters of one statement
    SESSION_ANSWER_GRACE = 5000, // ms beyond statement_timeout after which a silent server counts as lost
};

struct db_result {
    PGresult *rows;
    size_t only; // 0: all of them; else the one row of this number, counted from 1 (pipeline_many.c)
};

// Keywords and values for PQconnectStartParams, in the arena: what the conninfo says, and the settings that
// every session of ours has. `look_ups`: its statements find rows by key, and joins are to read no more than
// their matches. False with *why when the conninfo cannot be parsed.
struct session_settings {
    const char *keywords[64];
    const char *values[64];
    size_t count;
};
bool session_settings(const struct db_target *target, bool look_ups, struct arena *arena,
                      struct session_settings *settings, const char **why);

// How long to wait before the next try after `failures` failed ones: 50, 250, 1000, 1000, … ms
// (microseconds). Never longer than a caller is held (connection.c): else callers would fail while the server
// is back already.
int64_t session_backoff(unsigned failures);

// When a session makes its plans anew: those that were made while a table was nearly empty may read all of it
// when it has grown. After one second, then after twice as long each time, up to a minute.
struct session_plans {
    int64_t due; // monotonic
    int64_t age; // microseconds
};
void session_plans_begin(struct session_plans *plans);
// True once, when it is time for "discard plans".
bool session_plans_are_old(struct session_plans *plans);

// A copy of the target that outlives the caller's.
struct db_target session_copy_target(struct arena *arena, const struct db_target *target);

// Parameters in libpq's form. The bytes are kept in one growing buffer of the owner.
struct session_parameters {
    const char *values[SESSION_VALUES];
    int lengths[SESSION_VALUES];
    int formats[SESSION_VALUES];
    char *bytes;
    size_t capacity;
};
// False when a text holds a NUL or there are too many: such a statement is not sent.
bool session_can_send(const struct db_value *values, size_t count);
// The same, and fills `parameters`.
bool session_fill(struct session_parameters *parameters, const struct db_value *values, size_t count);

// Writes a failed statement to the log: never a parameter's value.
void session_log_failure(const char *event, const char *statement, const PGresult *result);
// An error message of libpq in one line, in the arena.
const char *session_message(struct arena *arena, const char *message);
// 40001, 40P01, 55P03, SESSION_AGAIN: the same transaction may succeed when it is run again.
bool session_is_retryable(const char *sqlstate);
// What our own statements raise when their transaction is to be run again (function azsacr.again).
#define SESSION_AGAIN "AZ001"
// Overload or a time limit: nothing is wrong with the statement (57014, class 53).
bool session_is_overload(const char *sqlstate);
// FATAL and PANIC: the server ends the session, whatever was asked.
bool session_is_ended(const PGresult *result);

// The session is of no more use, a new one is: the server became read-only (25006), or a prepared statement
// is gone or outdated (26000, 0A000: a newer release changed a column's type).
bool session_is_stale(const char *sqlstate);

// connection.c, for database.c.
// Connected, or made so within about two seconds.
bool connection_ensure(struct db_connection *connection);
// Ends the session; the next use opens a new one.
void connection_drop(struct db_connection *connection, const char *why);
bool connection_is_lost(const struct db_connection *connection);
// The last result of a command, NULL when the connection was lost.
PGresult *connection_command(struct db_connection *connection, const char *sql);
// Runs prepared statements, each prepared when this session has not seen it, in one round trip. False when
// the connection was lost: there are no results. Else each step up to the first that failed has one, and the
// caller frees them. The values were found sendable before (session_can_send).
struct connection_step {
    const struct db_statement *statement;
    const struct db_value *values;
    size_t count;
    PGresult *result;
};
bool connection_run(struct db_connection *connection, struct connection_step *steps, size_t count);

// database.c, for job.c: once this is committed, the process's job workers look for work.
void transaction_nudge(struct db_transaction *tx);
// database.c, for job_workers.c: how many savepoints are open, and back to the one of that depth.
size_t transaction_depth(const struct db_transaction *tx);
void transaction_rollback_to(struct db_transaction *tx, size_t depth);
