// How a session is opened: the settings that each one has, the back-off between tries, and parameters and
// errors in libpq's form.
#include "db/session.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

int64_t session_backoff(unsigned failures)
{
    static const int64_t milliseconds[] = {50, 250, 1000};
    size_t last = sizeof milliseconds / sizeof *milliseconds - 1;
    size_t step = failures == 0 ? 0 : failures - 1;
    return milliseconds[step < last ? step : last] * 1000;
}

void session_plans_begin(struct session_plans *plans)
{
    plans->age = 1000 * 1000;
    plans->due = clock_monotonic() + plans->age;
}

bool session_plans_are_old(struct session_plans *plans)
{
    int64_t now = clock_monotonic();
    if (now < plans->due)
        return false;
    if (plans->age < 60 * 1000 * 1000)
        plans->age *= 2;
    plans->due = now + plans->age;
    return true;
}

struct db_target session_copy_target(struct arena *arena, const struct db_target *target)
{
    return (struct db_target){
        .conninfo = arena_strdup(arena, target->conninfo),
        .application = arena_strdup(arena, target->application ? target->application : "azsacr"),
        .statement_timeout = target->statement_timeout,
    };
}

static const char *get(const struct session_settings *settings, const char *keyword)
{
    for (size_t i = 0; i < settings->count; i++)
        if (strcmp(settings->keywords[i], keyword) == 0)
            return settings->values[i];
    return NULL;
}

static void set(struct session_settings *settings, const char *keyword, const char *value)
{
    size_t at = 0;
    while (at < settings->count && strcmp(settings->keywords[at], keyword) != 0)
        at++;
    if (at == sizeof settings->keywords / sizeof *settings->keywords - 1)
        return; // libpq 15 knows fewer keywords than there is room for
    settings->keywords[at] = keyword;
    settings->values[at] = value;
    if (at == settings->count)
        settings->count++;
}

static void set_default(struct session_settings *settings, const char *keyword, const char *value)
{
    if (get(settings, keyword) == NULL)
        set(settings, keyword, value);
}

// Server settings of every session. A frozen worker's locks go after 10 s, less than a job's lease; a
// statement whose client is gone ends within a second. Key look-ups never plan again: so that what is planned
// while a table is small and read whole is still right when it has grown, indexes are used wherever there
// are. Where all statements are such look-ups, no join may read more than each row's match either.
static const char *server_options(const struct db_target *target, struct arena *arena, const char *given,
                                  bool look_ups)
{
    static const char joins[] = " -c enable_mergejoin=off -c enable_hashjoin=off -c enable_material=off";
    return arena_printf(arena,
                        "%s%s-c default_transaction_isolation=read\\ committed"
                        " -c idle_in_transaction_session_timeout=10000"
                        " -c lock_timeout=2000"
                        " -c statement_timeout=%d"
                        " -c client_connection_check_interval=1000"
                        " -c plan_cache_mode=force_generic_plan -c enable_seqscan=off"
                        " -c bytea_output=hex -c datestyle=ISO -c timezone=UTC%s",
                        given ? given : "", given ? " " : "", target->statement_timeout,
                        look_ups ? joins : "");
}

bool session_settings(const struct db_target *target, bool look_ups, struct arena *arena,
                      struct session_settings *settings, const char **why)
{
    char *error = NULL;
    PQconninfoOption *options = PQconninfoParse(target->conninfo, &error);
    if (options == NULL) {
        *why = session_message(arena, error);
        PQfreemem(error);
        return false;
    }
    *settings = (struct session_settings){0};
    for (const PQconninfoOption *o = options; o->keyword != NULL; o++)
        if (o->val != NULL)
            set(settings, arena_strdup(arena, o->keyword), arena_strdup(arena, o->val));
    PQconninfoFree(options);

    const char *host = get(settings, "host");
    if (host != NULL && host[0] == '/' && get(settings, "hostaddr") == NULL)
        set(settings, "sslmode", "disable"); // else libpq asks for it on the socket, a round trip for a no
    set_default(settings, "gssencmode", "disable");
    set_default(settings, "connect_timeout", "2");
    set_default(settings, "keepalives_idle", "10");
    set_default(settings, "keepalives_interval", "5");
    set_default(settings, "keepalives_count", "3");
    set_default(settings, "tcp_user_timeout", "5000");
    set(settings, "target_session_attrs", "read-write");
    set(settings, "client_encoding", "UTF8");
    set(settings, "application_name", target->application ? target->application : "azsacr");
    set(settings, "options", server_options(target, arena, get(settings, "options"), look_ups));
    return true;
}

// Room a value takes in the buffer: its text and a NUL, or the digits of a number.
static size_t room(const struct db_value *value)
{
    return value->kind == DB_TEXT || value->kind == DB_BYTES ? value->text.length + 1 : 24;
}

bool session_can_send(const struct db_value *values, size_t count)
{
    if (count > SESSION_VALUES)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct text *text = &values[i].text;
        if (text->length > INT_MAX / 2)
            return false;
        // Text travels NUL-ended: a NUL within would silently cut it.
        if (values[i].kind == DB_TEXT && text->length > 0 && memchr(text->base, '\0', text->length) != NULL)
            return false;
    }
    return true;
}

enum { PARAMETERS_KEPT = 256 * 1024 }; // bytes of the buffer, for the next statement

bool session_fill(struct session_parameters *p, const struct db_value *values, size_t count)
{
    if (!session_can_send(values, count))
        return false;
    size_t need = 1;
    for (size_t i = 0; i < count; i++)
        need += room(&values[i]);
    bool shrinks = need <= PARAMETERS_KEPT && p->capacity > PARAMETERS_KEPT; // the last one was large
    if (need > p->capacity || shrinks) {
        p->capacity = need < 1024 ? 1024 : need;
        p->bytes = xrealloc(p->bytes, p->capacity);
    }
    char *at = p->bytes;
    for (size_t i = 0; i < count; i++) {
        const struct db_value *v = &values[i];
        p->values[i] = v->kind == DB_NULL ? NULL : at;
        p->formats[i] = v->kind == DB_BYTES;
        p->lengths[i] = (int)v->text.length;
        switch (v->kind) {
        case DB_NULL:
            continue;
        case DB_TEXT:
        case DB_BYTES:
            if (v->text.length > 0)
                memcpy(at, v->text.base, v->text.length);
            at[v->text.length] = '\0';
            break;
        case DB_INT:
            snprintf(at, 24, "%" PRId64, v->number);
            break;
        case DB_BOOL:
            memcpy(at, v->number ? "t" : "f", 2);
            break;
        }
        at += room(v);
    }
    return true;
}

const char *session_message(struct arena *arena, const char *message)
{
    char *line = arena_strdup(arena, message ? message : "");
    for (char *c = line; *c != '\0'; c++)
        if (*c == '\n' || *c == '\t')
            *c = ' ';
    size_t length = strlen(line);
    while (length > 0 && line[length - 1] == ' ')
        line[--length] = '\0';
    return line;
}

void session_log_failure(const char *event, const char *statement, const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    // Messages of class 22 (data exception) repeat the value that was refused.
    if (sqlstate != NULL && strncmp(sqlstate, "22", 2) == 0)
        message = "a value was refused";
    if (sqlstate != NULL && strcmp(sqlstate, SESSION_AGAIN) == 0)
        log_debug(event, "sqlstate", sqlstate, "statement", statement, "message", message);
    else if (session_is_retryable(sqlstate))
        log_warning(event, "sqlstate", sqlstate, "statement", statement, "message", message);
    else
        log_error(event, "sqlstate", sqlstate, "statement", statement, "message", message);
}

bool session_is_retryable(const char *sqlstate)
{
    return sqlstate != NULL && (strcmp(sqlstate, "40001") == 0 || strcmp(sqlstate, "40P01") == 0 ||
                                strcmp(sqlstate, "55P03") == 0 || strcmp(sqlstate, SESSION_AGAIN) == 0);
}

bool session_is_overload(const char *sqlstate)
{
    return sqlstate != NULL && (strcmp(sqlstate, "57014") == 0 || strncmp(sqlstate, "53", 2) == 0);
}

bool session_is_stale(const char *sqlstate)
{
    return sqlstate != NULL && (strcmp(sqlstate, "25006") == 0 || strcmp(sqlstate, "26000") == 0 ||
                                strcmp(sqlstate, "0A000") == 0);
}

bool session_is_ended(const PGresult *result)
{
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    return severity != NULL && (severity[0] == 'F' || severity[0] == 'P');
}
