// Transactions: opened, run, committed or rolled back, and run again where that can help. A statement that
// failed poisons the rest of its transaction.
#include "db/job.h"
#include "db/session.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    RUNS_AGAIN = 3,
    AGAIN_LIMIT = 3 * 1000 * 1000, // microseconds after which a transaction is not run again
    SAVEPOINTS = 16,
    DEFERRED = 100,
    STEPS = DEFERRED + 2, // "begin" before them, one statement or "commit" behind them
};

struct db_transaction {
    struct db_connection *connection;
    struct arena *arena;
    bool failed;   // a statement failed or could not be sent: nothing more is sent
    bool retry;    // the transaction may succeed when it is run again
    bool overload; // it failed for want of time or room
    bool stale;    // it failed because the session was of no more use
    bool open;     // "begin" was sent: with the first statement, to save a round trip
    bool renewed;  // the connection was made anew under the first statement
    bool alone;    // one statement: the server opens and ends a transaction round it
    bool repeated; // run before, in vain: now each statement is waited for
    bool nudge;    // it made work for job workers
    bool hoped;    // something was deferred: a run that may fail where the plain form would wait
    size_t statements;
    struct connection_step deferred[DEFERRED]; // to be sent with the next statement or the commit
    size_t deferred_count;
    struct db_note *first_note, *last_note;
    struct db_note *marks[SAVEPOINTS]; // the last note when the savepoint was set
    size_t depth;
    const void *context;
};

static const struct db_statement begin_statement = {"azsacr_begin", "begin"};
static const struct db_statement commit_statement = {"azsacr_commit", "commit"};

static const struct db_result no_rows;
static void (*commit_hook)(struct db_transaction *tx);

void db_set_commit_hook(void (*hook)(struct db_transaction *tx))
{
    commit_hook = hook;
}

bool db_failed(const struct db_transaction *tx)
{
    return tx->failed || tx->retry;
}

void db_retry(struct db_transaction *tx)
{
    tx->retry = true;
}

struct arena *db_arena(struct db_transaction *tx)
{
    return tx->arena;
}

void db_set_context(struct db_transaction *tx, const void *context)
{
    tx->context = context;
}

const void *db_context(const struct db_transaction *tx)
{
    return tx->context;
}

void db_note(struct db_transaction *tx, const char *kind, const char *key)
{
    struct db_note *note = ARENA_NEW(tx->arena, struct db_note);
    note->kind = arena_strdup(tx->arena, kind);
    note->key = arena_strdup(tx->arena, key);
    if (tx->last_note != NULL)
        tx->last_note->next = note;
    else
        tx->first_note = note;
    tx->last_note = note;
}

const struct db_note *db_notes(const struct db_transaction *tx)
{
    return tx->first_note;
}

static bool succeeded(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

// Poisons the transaction with what the result says; frees it.
static void poison(struct db_transaction *tx, const char *statement, PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    session_log_failure("database.failed", statement, result);
    tx->failed = true;
    tx->retry = tx->retry || session_is_retryable(sqlstate);
    tx->overload = tx->overload || session_is_overload(sqlstate);
    tx->stale = session_is_stale(sqlstate);
    PQclear(result);
    if (tx->stale) {
        connection_drop(tx->connection, "the session is of no more use");
        tx->retry = true;
    }
}

static void clear_result(void *result)
{
    struct db_result *rows = result;
    PQclear(rows->rows);
    rows->rows = NULL;
}

void db_done(const struct db_result *result)
{
    if (result != &no_rows)
        clear_result((struct db_result *)(uintptr_t)result);
}

bool db_may_defer(const struct db_transaction *tx)
{
    return !tx->repeated && !tx->alone && tx->depth == 0 && !db_failed(tx);
}

bool db_defer(struct db_transaction *tx, const struct db_statement *statement, const struct db_value *values,
              size_t count)
{
    if (!db_may_defer(tx) || tx->deferred_count == DEFERRED || !session_can_send(values, count))
        return false;
    struct db_value *kept = ARENA_ARRAY(tx->arena, struct db_value, count + 1);
    for (size_t i = 0; i < count; i++)
        kept[i] = values[i];
    tx->hoped = true;
    tx->deferred[tx->deferred_count++] = (struct connection_step){statement, kept, count, NULL};
    return true;
}

// Sends "begin" unless that was done, what was deferred, and `last` unless NULL, in one round trip. The
// result of the last step; NULL where one failed or the connection was lost.
static PGresult *run_steps(struct db_transaction *tx, const struct connection_step *last)
{
    struct connection_step steps[STEPS];
    size_t count = 0;
    bool opening = !tx->open;
    if (opening)
        steps[count++] = (struct connection_step){&begin_statement, NULL, 0, NULL};
    for (size_t i = 0; i < tx->deferred_count; i++)
        steps[count++] = tx->deferred[i];
    if (last != NULL)
        steps[count++] = *last;
    if (!connection_run(tx->connection, steps, count))
        return NULL;
    tx->deferred_count = 0;
    tx->open = tx->open || (opening && succeeded(steps[0].result));
    PGresult *result = NULL;
    for (size_t i = 0; i < count; i++) {
        bool good = steps[i].result != NULL && succeeded(steps[i].result);
        if (good && i + 1 == count)
            result = steps[i].result;
        else if (steps[i].result != NULL && !good && !tx->failed)
            poison(tx, steps[i].statement->name, steps[i].result);
        else
            PQclear(steps[i].result);
    }
    tx->failed = tx->failed || result == NULL;
    return result;
}

const struct db_result *db_run(struct db_transaction *tx, const struct db_statement *statement,
                               const struct db_value *values, size_t count)
{
    if (db_failed(tx))
        return &no_rows;
    if (!session_can_send(values, count)) {
        log_error("database.refused", "statement", statement->name, "message", "a value cannot be sent");
        tx->failed = true;
        return &no_rows;
    }
    bool first = tx->statements++ == 0;
    const struct connection_step step = {statement, values, count, NULL};
    PGresult *result = run_steps(tx, &step);
    if (result == NULL && !tx->failed && first && tx->depth == 0 && !tx->renewed) {
        // Nothing was done yet: a session that died just now costs nobody a request.
        tx->renewed = true;
        tx->open = tx->alone;
        if (connection_ensure(tx->connection))
            result = run_steps(tx, &step);
    }
    if (result == NULL) {
        tx->failed = true;
        return &no_rows;
    }
    struct db_result *rows = ARENA_NEW(tx->arena, struct db_result);
    rows->rows = result;
    arena_on_free(tx->arena, clear_result, rows);
    return rows;
}

// For a transaction that begins with something else than a statement. A session that died while it was idle
// is replaced once.
static bool open_alone(struct db_transaction *tx)
{
    for (int again = 0; again < 2 && !tx->open && !tx->failed; again++) {
        if (connection_ensure(tx->connection))
            PQclear(run_steps(tx, NULL));
    }
    return tx->open && !tx->failed;
}

static void command(struct db_transaction *tx, const char *sql)
{
    if (db_failed(tx))
        return;
    if (!tx->open && !open_alone(tx)) {
        tx->failed = true;
        return;
    }
    if (tx->deferred_count > 0)
        PQclear(run_steps(tx, NULL));
    if (db_failed(tx))
        return;
    tx->statements++;
    PGresult *result = connection_command(tx->connection, sql);
    if (result == NULL)
        tx->failed = true;
    else if (!succeeded(result))
        poison(tx, sql, result);
    else
        PQclear(result);
}

static void savepoint_command(struct db_transaction *tx, const char *verb, size_t depth)
{
    char sql[64];
    snprintf(sql, sizeof sql, "%s s%zu", verb, depth);
    command(tx, sql);
}

void transaction_nudge(struct db_transaction *tx)
{
    tx->nudge = true;
}

size_t transaction_depth(const struct db_transaction *tx)
{
    return tx->depth;
}

void db_savepoint(struct db_transaction *tx)
{
    if (tx->depth == SAVEPOINTS) {
        log_error("database.savepoints", "message", "too many savepoints are open");
        tx->failed = true;
        return;
    }
    tx->marks[tx->depth++] = tx->last_note;
    savepoint_command(tx, "savepoint", tx->depth);
}

void transaction_rollback_to(struct db_transaction *tx, size_t depth)
{
    if (depth == 0 || depth > tx->depth)
        return;
    savepoint_command(tx, "rollback to savepoint", depth);
    tx->depth = depth;
    tx->last_note = tx->marks[depth - 1];
    if (tx->last_note != NULL)
        tx->last_note->next = NULL;
    else
        tx->first_note = NULL;
}

void db_rollback_to_savepoint(struct db_transaction *tx)
{
    transaction_rollback_to(tx, tx->depth);
}

void db_release_savepoint(struct db_transaction *tx)
{
    if (tx->depth > 0)
        savepoint_command(tx, "release savepoint", tx->depth--);
}

static void roll_back(struct db_transaction *tx)
{
    if (!tx->open || tx->alone || connection_is_lost(tx->connection))
        return;
    PGresult *result = connection_command(tx->connection, "rollback");
    if (result != NULL && PQresultStatus(result) != PGRES_COMMAND_OK)
        connection_drop(tx->connection, "a transaction could not be rolled back");
    PQclear(result);
}

static enum db_outcome commit(struct db_transaction *tx)
{
    if (tx->alone)
        return DB_COMMITTED;
    failpoint("database.commit");
    if (!tx->open && tx->deferred_count == 0 && !open_alone(tx))
        return DB_UNAVAILABLE;
    const struct connection_step step = {&commit_statement, NULL, 0, NULL};
    PGresult *result = run_steps(tx, &step);
    if (result == NULL && connection_is_lost(tx->connection) && !tx->stale) {
        log_error("database.commit_unknown", "message", "the connection was lost in a commit");
        return DB_UNAVAILABLE;
    }
    if (result == NULL) {
        roll_back(tx); // one of those that were deferred failed
        return tx->overload ? DB_UNAVAILABLE : DB_FAILED;
    }
    // A commit of an aborted transaction is answered "ROLLBACK", without an error.
    bool committed = strcmp(PQcmdStatus(result), "COMMIT") == 0;
    PQclear(result);
    return committed ? DB_COMMITTED : DB_FAILED;
}

// One run. `tx` says afterwards whether another can help.
static enum db_outcome run_once(struct db_transaction *tx, bool (*run)(struct db_transaction *, void *),
                                void *argument)
{
    if (!connection_ensure(tx->connection))
        return DB_UNAVAILABLE;
    bool wanted = run(tx, argument);
    if (wanted && !db_failed(tx) && tx->first_note != NULL && commit_hook != NULL)
        commit_hook(tx);
    if (wanted && !db_failed(tx))
        return commit(tx);
    bool lost = connection_is_lost(tx->connection);
    roll_back(tx);
    if (lost) {
        tx->retry = tx->stale; // else the server itself is gone: the next caller waits for it
        return DB_UNAVAILABLE;
    }
    if (tx->overload)
        return DB_UNAVAILABLE;
    return tx->failed ? DB_FAILED : DB_ROLLED_BACK;
}

// A little later each time, and not in step with whom we met.
static void pause_before(unsigned run)
{
    int64_t microseconds = (5000 << run) + clock_monotonic() % 7919;
    struct timespec t = {0, microseconds * 1000};
    nanosleep(&t, NULL);
}

static enum db_outcome run_until_done(struct db_connection *connection, bool alone,
                                      bool (*run)(struct db_transaction *, void *), void *argument)
{
    int64_t limit = clock_monotonic() + AGAIN_LIMIT;
    unsigned most = RUNS_AGAIN;
    for (unsigned again = 0;; again++) {
        struct db_transaction tx = {.connection = connection,
                                    .arena = arena_new(),
                                    .alone = alone,
                                    .open = alone,
                                    .repeated = again > 0};
        enum db_outcome outcome = run_once(&tx, run, argument);
        arena_free(tx.arena);
        if (outcome == DB_COMMITTED && tx.nudge)
            job_nudge();
        if (outcome == DB_COMMITTED || !tx.retry)
            return outcome;
        if (tx.hoped)
            most = RUNS_AGAIN + 1; // only the first run can have been one
        if (again == most || clock_monotonic() > limit) {
            log_warning("database.contended", "message", "a transaction was run again in vain");
            return DB_UNAVAILABLE;
        }
        pause_before(again);
    }
}

enum db_outcome db_transact(struct db_connection *connection, bool (*run)(struct db_transaction *, void *),
                            void *argument)
{
    return run_until_done(connection, false, run, argument);
}

enum db_outcome db_look(struct db_connection *connection, bool (*run)(struct db_transaction *, void *),
                        void *argument)
{
    return run_until_done(connection, true, run, argument);
}

enum db_outcome db_act(struct db_connection *connection, bool (*run)(struct db_transaction *, void *),
                       void *argument)
{
    return run_until_done(connection, true, run, argument);
}
