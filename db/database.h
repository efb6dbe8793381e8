// Blocking use of PostgreSQL: connections, transactions, named statements. libpq is known in db/ only.
//
// A statement that fails poisons its transaction: every later statement of it is not sent and gives no rows,
// and the opener (db_transact) throws away whatever was answered. So handlers read from top to bottom without
// a check after each call.
#pragma once
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

// A named, prepared statement; a static const object beside the type it serves. Parameters are $1….
struct db_statement {
    const char *name; // unique in the program: "registry_get"
    const char *sql;
};

enum db_value_kind { DB_NULL, DB_TEXT, DB_INT, DB_BOOL, DB_BYTES };
struct db_value {
    enum db_value_kind kind;
    struct text text; // DB_TEXT and DB_BYTES
    int64_t number;   // DB_INT and DB_BOOL
};
static inline struct db_value db_null(void)
{
    return (struct db_value){.kind = DB_NULL};
}
static inline struct db_value db_text(struct text t) // an absent text is null
{
    return (struct db_value){.kind = t.base ? DB_TEXT : DB_NULL, .text = t};
}
static inline struct db_value db_string(const char *s) // NULL is null
{
    return db_text(text_of(s));
}
static inline struct db_value db_int(int64_t n)
{
    return (struct db_value){.kind = DB_INT, .number = n};
}
static inline struct db_value db_bool(bool b)
{
    return (struct db_value){.kind = DB_BOOL, .number = b};
}
static inline struct db_value db_bytes(struct text t) // bytea
{
    return (struct db_value){.kind = t.base ? DB_BYTES : DB_NULL, .text = t};
}

struct db_connection;  // one session; reconnects by itself
struct db_transaction; // an open transaction of one
struct db_result;      // rows, alive until the transaction ends (pipeline: until `done` returns)

// How to reach the database. `application` shows in pg_stat_activity.
struct db_target {
    const char *conninfo; // libpq string; timeouts and target_session_attrs are added by db/
    const char *application;
    int statement_timeout; // ms: 10,000 for work, 250 for the read lane
};

// Does not connect yet. Free with db_connection_free.
struct db_connection *db_connection_new(const struct db_target *target);
void db_connection_free(struct db_connection *connection);

enum db_outcome {
    DB_COMMITTED,
    DB_ROLLED_BACK, // run() answered false
    DB_UNAVAILABLE, // no connection, or it was lost: nothing (or, in the commit, an unknown) happened; or
                    // contention, a time limit or no room: nothing happened. The same request may succeed
                    // later.
    DB_FAILED,      // a statement failed; it is in the log
};

// Opens a transaction (read committed), calls run(), commits when it answers true and nothing failed. On
// 40001, 40P01 and 55P03, and where run() asked by db_retry(), it rolls back and runs again, at most 3 times
// and not after 3 s: run() must have no effect outside the transaction and must set its results anew. A lost
// connection is made anew once before the first statement.
enum db_outcome db_transact(struct db_connection *connection, bool (*run)(struct db_transaction *, void *),
                            void *argument);

// For one statement that only reads: the same, without the round trips that open and commit a transaction.
enum db_outcome db_look(struct db_connection *connection, bool (*run)(struct db_transaction *, void *),
                        void *argument);

// For one statement that is a transaction of its own: the server commits it whatever run() answers. Where the
// session was lost under it, it runs again although it may have been committed: twice must be as good as
// once.
enum db_outcome db_act(struct db_connection *connection, bool (*run)(struct db_transaction *, void *),
                       void *argument);

// Runs a statement. Never NULL; no rows when it failed.
const struct db_result *db_run(struct db_transaction *tx, const struct db_statement *statement,
                               const struct db_value *values, size_t count);
#define DB_VALUES(...) ((const struct db_value[]){__VA_ARGS__})
#define DB_RUN(tx, statement, ...)                                                                           \
    db_run((tx), (statement), DB_VALUES(__VA_ARGS__), sizeof DB_VALUES(__VA_ARGS__) / sizeof(struct db_value))
#define DB_RUN0(tx, statement) db_run((tx), (statement), NULL, 0)
// Gives a result's rows up before the transaction ends: for who walks many pieces in one.
void db_done(const struct db_result *result);

// Leaves a statement to be sent in one round trip with the next one or with the commit. Nobody sees what it
// gives: where it could not do its work, it must raise an error (a constraint, or `select azsacr.again()`,
// after which the transaction is run again). Texts of `values` live until the commit. False: not possible
// (the transaction is run again, a savepoint is open, too many wait already, or a value cannot be sent): then
// run its plain form and look at the rows.
bool db_defer(struct db_transaction *tx, const struct db_statement *statement, const struct db_value *values,
              size_t count);
#define DB_DEFER(tx, statement, ...)                                                                         \
    db_defer((tx), (statement), DB_VALUES(__VA_ARGS__),                                                      \
             sizeof DB_VALUES(__VA_ARGS__) / sizeof(struct db_value))

// Whether statements can be deferred at all now: this is the first run of the transaction, outside of
// savepoints.
bool db_may_defer(const struct db_transaction *tx);

bool db_failed(const struct db_transaction *tx);
// Asks the opener to roll back and run again (the RBAC version moved under a write).
void db_retry(struct db_transaction *tx);
// Memory that lives as long as this run of the transaction.
struct arena *db_arena(struct db_transaction *tx);
// PostgreSQL's clock is read by statements; this is the savepoint pair of a job step.
void db_savepoint(struct db_transaction *tx);
void db_rollback_to_savepoint(struct db_transaction *tx);
// Savepoints nest (16 deep): forgets the latest and keeps what was done since. A failed statement stays
// failed through both: its transaction is never committed.
void db_release_savepoint(struct db_transaction *tx);

// A note that something of `kind` with `key` changed; the commit hook sees them all, and they are dropped
// with a rollback. rbac uses it: handlers only note, the hook raises the version as the last statement.
struct db_note {
    const struct db_note *next;
    const char *kind, *key;
};
void db_note(struct db_transaction *tx, const char *kind, const char *key);
const struct db_note *db_notes(const struct db_transaction *tx);
// Called before every commit that has notes. Set once, before the first transaction.
void db_set_commit_hook(void (*hook)(struct db_transaction *tx));
// What the transaction's run decided with; the hook hands it over (rbac's stamp). NULL unless set.
void db_set_context(struct db_transaction *tx, const void *context);
const void *db_context(const struct db_transaction *tx);

// Reading results. Columns are counted from 0. Text is NUL-ended behind its length. A null is TEXT_NONE, 0,
// false.
size_t db_rows(const struct db_result *result);
size_t db_affected(const struct db_result *result);
bool db_is_null(const struct db_result *result, size_t row, size_t column);
struct text db_get(const struct db_result *result, size_t row, size_t column);
int64_t db_get_int(const struct db_result *result, size_t row, size_t column);
bool db_get_bool(const struct db_result *result, size_t row, size_t column);
// A bytea, decoded into the arena.
struct text db_get_bytes(const struct db_result *result, size_t row, size_t column, struct arena *arena);
