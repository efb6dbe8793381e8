// The frame of the operator's commands that change rows: site, transaction, output.
#include "cli/change.h"
#include "cli/commands.h"
#include "cli/site.h"

#include "base/arena.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

struct attempt {
    struct change *change;
    bool (*run)(struct db_transaction *tx, void *change);
};

static bool attempt_run(struct db_transaction *tx, void *argument)
{
    const struct attempt *attempt = argument;
    attempt->change->why = NULL;
    return attempt->run(tx, attempt->change);
}

bool change_refuse(struct change *change, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    change->why = arena_vprintf(change->arena, format, values);
    va_end(values);
    return false;
}

int change_run(struct change *change, const char *state, void (*prepare)(struct change *),
               bool (*run)(struct db_transaction *tx, void *change))
{
    struct config *config = configure(change->arena, state, NULL, NULL, NULL);
    struct site_session *session = config ? site_session_open(config, change->arena) : NULL;
    if (session == NULL)
        return 1;
    change->config = config;
    if (prepare != NULL)
        prepare(change);
    struct attempt attempt = {change, run};
    bool done = db_transact(site_session_connection(session), attempt_run, &attempt) == DB_COMMITTED;
    if (done)
        printf("%.*s\n", TEXT_ARG(change->json));
    else
        fprintf(stderr, "azsacrd: %s\n",
                change->why ? change->why : "the database did not answer; is the site running?");
    site_session_close(session);
    return done ? 0 : 1;
}
