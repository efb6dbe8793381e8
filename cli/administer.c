// azsacrd migrate, keys rotate: the operator's smaller commands.
#include "cli/commands.h"

#include "base/arena.h"
#include "cli/options.h"
#include "cli/site.h"
#include "db/database.h"
#include "rbac/keys.h"

#include <stdio.h>
#include <string.h>

int command_migrate(int argc, char **argv)
{
    struct option options[] = {{"state", false, "the state directory", NULL}, {NULL, false, NULL, NULL}};
    if (options_parse("migrate", NULL, argc, argv, options) != 0)
        return 2;
    struct arena *arena = arena_new();
    const char *why = NULL;
    struct config *config = configure(arena, options[0].value, NULL, NULL, NULL);
    bool ok = config != NULL && site_database(config, 30, arena, &why);
    if (ok)
        puts("the schema is up to date");
    else if (why != NULL)
        fprintf(stderr, "azsacrd: %s\n", why);
    arena_free(arena);
    return ok ? 0 : 1;
}

static bool rotate(struct db_transaction *tx, void *argument)
{
    (void)argument;
    rbac_keys_rotate(tx, "sign-in");
    rbac_keys_rotate(tx, "registry");
    return true;
}

int command_keys(int argc, char **argv)
{
    struct option options[] = {{"state", false, "the state directory", NULL}, {NULL, false, NULL, NULL}};
    int left = options_parse("keys", "rotate", argc, argv, options);
    if (left < 0)
        return 2;
    if (left != 1 || strcmp(argv[0], "rotate") != 0) {
        options_usage(stderr, "keys", "rotate");
        return 2;
    }
    struct arena *arena = arena_new();
    struct config *config = configure(arena, options[0].value, NULL, NULL, NULL);
    struct site_session *session = config ? site_session_open(config, arena) : NULL;
    bool ok = session != NULL && db_transact(site_session_connection(session), rotate, NULL) == DB_COMMITTED;
    if (session != NULL)
        site_session_close(session);
    puts(ok ? "new keys sign from now on; tokens of the old ones stay good until they expire"
            : "the keys were not rotated");
    arena_free(arena);
    return ok ? 0 : 1;
}
