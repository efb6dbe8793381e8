// The schema's migrations: each applied once, in order, in a transaction of its own, while one session holds
// the advisory lock. What was applied is recorded with the digest of its text, so that a changed one is
// noticed.
#include "db/migrate.h"
#include "db/session.h"

#include "base/arena.h"
#include "base/crypto.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

// Any number does, as long as nobody else in this database locks it.
#define LOCK "select pg_advisory_lock(7020398541203)"

static const char table[] = "create table if not exists public.azsacr_schema ("
                            "number integer primary key, "
                            "name text not null, "
                            "sha256 text not null, "
                            "applied_at timestamptz not null default clock_timestamp())";
static const char applied[] = "select number, name, sha256 from public.azsacr_schema order by number";
static const char record[] = "insert into public.azsacr_schema (number, name, sha256) values ($1, $2, $3)";

static struct text digest(struct arena *arena, const struct db_migration *m)
{
    unsigned char hash[32];
    crypto_sha256(text_of(m->sql), hash);
    return text_hex(arena, hash, sizeof hash);
}

// False with *why: what was being done, and what PostgreSQL says.
static bool check(PGconn *pg, PGresult *result, const char *what, struct arena *arena, const char **why)
{
    ExecStatusType status = PQresultStatus(result);
    bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!good)
        *why = arena_printf(arena, "%s: %s", what, session_message(arena, PQerrorMessage(pg)));
    PQclear(result);
    return good;
}

static bool execute(PGconn *pg, const char *sql, const char *what, struct arena *arena, const char **why)
{
    return check(pg, PQexec(pg, sql), what, arena, why);
}

static bool apply(PGconn *pg, const struct db_migration *m, struct arena *arena, const char **why)
{
    const char *what = arena_printf(arena, "migration %s", m->name);
    char number[16];
    snprintf(number, sizeof number, "%d", m->number);
    const char *values[] = {number, m->name, text_cstr(arena, digest(arena, m))};
    bool good = execute(pg, "begin", what, arena, why) && execute(pg, m->sql, what, arena, why) &&
                check(pg, PQexecParams(pg, record, 3, NULL, values, NULL, NULL, 0), what, arena, why) &&
                execute(pg, "commit", what, arena, why);
    if (good)
        log_info("database.migrated", "migration", m->name);
    else
        PQclear(PQexec(pg, "rollback"));
    return good;
}

static const struct db_migration *known(const struct db_migration *migrations, int64_t number)
{
    for (const struct db_migration *m = migrations; m->name != NULL; m++)
        if (m->number == number)
            return m;
    return NULL;
}

// Refuses a database that is not ours to go on with.
static bool verify(const struct db_result *rows, const struct db_migration *migrations, struct arena *arena,
                   const char **why)
{
    for (size_t i = 0; i < db_rows(rows); i++) {
        struct text name = db_get(rows, i, 1);
        const struct db_migration *m = known(migrations, db_get_int(rows, i, 0));
        if (m == NULL) {
            *why = arena_printf(arena,
                                "the database has migration %.*s, which this version does not know: it "
                                "was made by a newer one",
                                TEXT_ARG(name));
            return false;
        }
        if (!text_equal(db_get(rows, i, 2), digest(arena, m))) {
            *why = arena_printf(arena, "migration %.*s was applied with another text than this version has",
                                TEXT_ARG(name));
            return false;
        }
    }
    return true;
}

static bool is_applied(const struct db_result *rows, int number)
{
    for (size_t i = 0; i < db_rows(rows); i++)
        if (db_get_int(rows, i, 0) == number)
            return true;
    return false;
}

static bool migrate(PGconn *pg, const struct db_migration *migrations, struct arena *arena, const char **why)
{
    if (!execute(pg, LOCK, "the migration lock", arena, why) ||
        !execute(pg, table, "table azsacr_schema", arena, why))
        return false;
    struct db_result rows = {.rows = PQexec(pg, applied)};
    bool good = PQresultStatus(rows.rows) == PGRES_TUPLES_OK;
    if (!good)
        *why = arena_printf(arena, "table azsacr_schema: %s", session_message(arena, PQerrorMessage(pg)));
    good = good && verify(&rows, migrations, arena, why);
    for (const struct db_migration *m = migrations; good && m->name != NULL; m++)
        if (!is_applied(&rows, m->number))
            good = apply(pg, m, arena, why);
    PQclear(rows.rows);
    return good;
}

static void ignore_notice(void *argument, const PGresult *result)
{
    (void)argument;
    (void)result;
}

bool db_migrate_with(const char *conninfo, const struct db_migration *migrations, struct arena *arena,
                     const char **why)
{
    struct session_settings settings;
    struct db_target target = {.conninfo = conninfo, .application = "azsacr migrate"};
    if (!session_settings(&target, false, arena, &settings, why))
        return false;
    PGconn *pg = PQconnectdbParams(settings.keywords, settings.values, 0);
    PQsetNoticeReceiver(pg, ignore_notice, NULL);
    bool good = PQstatus(pg) == CONNECTION_OK;
    if (good)
        // Two that start together wait for each other here, for as long as a migration takes.
        good = execute(pg, "set lock_timeout = 0", "settings", arena, why) &&
               migrate(pg, migrations, arena, why);
    else
        *why = arena_printf(arena, "the database cannot be reached: %s",
                            session_message(arena, PQerrorMessage(pg)));
    PQfinish(pg);
    return good;
}

bool db_migrate(const char *conninfo, struct arena *arena, const char **why)
{
    return db_migrate_with(conninfo, db_migrations, arena, why);
}
