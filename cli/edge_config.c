// azsacrd edge-config: for an nginx that is not started by `azsacrd up`.
#include "cli/commands.h"

#include "base/arena.h"
#include "cli/edge.h"
#include "cli/options.h"

#include <stdio.h>

int command_edge_config(int argc, char **argv)
{
    struct option options[] = {
        {"state", false, "the state directory", NULL},
        {"port", false, "the port to listen on", NULL},
        {"region", false, "the region's name", NULL},
        {"domain", false, "the domain the hosts stand in", NULL},
        {"access-log", false, "the file for a line a request (STATE/log/edge.log)", NULL},
        {NULL, false, NULL, NULL},
    };
    if (options_parse("edge-config", NULL, argc, argv, options) != 0)
        return 2;
    struct arena *arena = arena_new();
    const struct config *config =
        configure(arena, options[0].value, options[1].value, options[2].value, options[3].value);
    bool ok = config != NULL;
    if (ok) {
        const char *log = options[4].value != NULL ? options[4].value
                                                   : arena_printf(arena, "%s/log/edge.log", config->state);
        struct text text = edge_render(config, log, arena);
        ok = fwrite(text.base, 1, text.length, stdout) == text.length && fflush(stdout) == 0;
    }
    arena_free(arena);
    return ok ? 0 : 1;
}
