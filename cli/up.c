// azsacrd up: the whole site on one machine. Prepares the state directory, then hands the children to the
// supervisor.
#include "cli/commands.h"

#include "base/arena.h"
#include "base/log.h"
#include "cli/edge.h"
#include "cli/hosts.h"
#include "cli/leftovers.h"
#include "cli/options.h"
#include "cli/port.h"
#include "cli/site.h"
#include "cli/supervisor.h"
#include "db/cluster.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define HOSTS_FILE "/etc/hosts"

struct site_up {
    struct config *config;
    struct arena *arena;
    bool database_made;
};

static bool database_ready(void *argument)
{
    struct site_up *up = argument;
    const char *why = NULL;
    if (!cluster_ready(up->config))
        return false;
    if (!up->database_made)
        up->database_made = cluster_create_database(up->config, up->arena, &why);
    return up->database_made;
}

static bool connects(const struct sockaddr *address, socklen_t length)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && connect(fd, address, length) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

// The last socket to appear is the last loop's.
static bool serve_ready(void *argument)
{
    const struct site_up *up = argument;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int n = snprintf(address.sun_path, sizeof address.sun_path, "%s/http-%d.sock", up->config->runtime,
                     up->config->loops - 1);
    return n < (int)sizeof address.sun_path && connects((const struct sockaddr *)&address, sizeof address);
}

static bool edge_ready(void *argument)
{
    const struct site_up *up = argument;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)up->config->port)};
    const char *listen = up->config->listen;
    if (listen == NULL || inet_pton(AF_INET, listen, &address.sin_addr) != 1)
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connects((const struct sockaddr *)&address, sizeof address);
}

// A killed serve leaves sockets that accept nobody; a start must not be taken for ready because of them.
static bool remove_sockets(void *argument)
{
    const struct site_up *up = argument;
    for (int i = 0; i < up->config->loops; i++)
        unlink(arena_printf(up->arena, "%s/http-%d.sock", up->config->runtime, i));
    unlink(arena_printf(up->arena, "%s/receiver.sock", up->config->runtime));
    return true;
}

static void all_ready(void *argument)
{
    const struct site_up *up = argument;
    site_print(up->config);
}

static const char *own_path(struct arena *arena)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    return n > 0 ? arena_strndup(arena, path, (size_t)n) : "azsacrd";
}

static const char *const *serve_command(const struct config *c, struct arena *arena)
{
    const char **argv = ARENA_ARRAY(arena, const char *, 12);
    const char *const words[] = {
        own_path(arena), "serve",   "--state",  c->state, "--port", arena_printf(arena, "%d", c->port),
        "--region",      c->region, "--domain", c->domain};
    memcpy(argv, words, sizeof words);
    return argv;
}

// Leftovers first: they may hold the port, and nothing they use is to change under them.
static bool prepare(struct site_up *up, const char **why)
{
    if (!leftovers_end(up->config->state)) {
        *why = "a process of an earlier start would not end (see above)";
        return false;
    }
    return port_is_free(up->config, up->arena, why) && site_directories(up->config, up->arena, why) &&
           site_certificates(up->config, up->arena, why) && edge_write(up->config, up->arena, why) &&
           (up->config->database != NULL || cluster_prepare(up->config, up->arena, why));
}

static int run(struct site_up *up, bool hosts)
{
    struct config *c = up->config;
    struct arena *arena = up->arena;
    static const char *hosts_environment[] = {"AZSACR_HOSTS_FILE=" HOSTS_FILE, NULL};
    struct supervised children[3];
    size_t count = 0;
    if (c->database == NULL)
        children[count++] = (struct supervised){.name = "database",
                                                .argv = cluster_command(c, arena),
                                                .ready = database_ready,
                                                .argument = up,
                                                .stop_signal = SIGINT,
                                                .stop_ms = 30000};
    children[count++] = (struct supervised){.name = "serve",
                                            .argv = serve_command(c, arena),
                                            .environment_extra = hosts ? hosts_environment : NULL,
                                            .ready = serve_ready,
                                            .before = remove_sockets,
                                            .argument = up,
                                            .stop_signal = SIGTERM,
                                            .stop_ms = 15000};
    children[count++] = (struct supervised){.name = "edge",
                                            .argv = edge_command(c, arena),
                                            .ready = edge_ready,
                                            .argument = up,
                                            .stop_signal = SIGQUIT,
                                            .stop_ms = 5000};
    int status = supervisor_run(c->state, children, count, all_ready, up);
    if (hosts)
        hosts_remove(c, HOSTS_FILE);
    return status;
}

int command_up(int argc, char **argv)
{
    struct option options[] = {
        {"state", false, "the state directory (/var/lib/azsacr as root, else ~/.local/state/azsacr)", NULL},
        {"port", false, "the edge's port (443 as root, else 8443)", NULL},
        {"region", false, "the region's name (local)", NULL},
        {"domain", false, "the domain the hosts stand in (azurestack.external)", NULL},
        {"hosts", true, "keep a block in " HOSTS_FILE " with every host (root)", NULL},
        {NULL, false, NULL, NULL},
    };
    if (options_parse("up", NULL, argc, argv, options) != 0)
        return 2;
    setenv("TZ", "UTC", 1); // the edge says times by the clock of its environment
    struct arena *arena = arena_new();
    struct site_up up = {.arena = arena};
    up.config = configure(arena, options[0].value, options[1].value, options[2].value, options[3].value);
    if (up.config == NULL) {
        arena_free(arena);
        return 2;
    }
    bool hosts = options[4].value != NULL;
    const char *why = NULL;
    if (hosts && access(HOSTS_FILE, W_OK) != 0)
        why = "--hosts needs the right to write " HOSTS_FILE " (root)";
    else if (strlen(up.config->runtime) > 80)
        why = arena_printf(arena, "the path %s is too long for sockets: set `runtime` to a shorter one",
                           up.config->runtime);
    int status = 1;
    if (why == NULL && supervisor_claim(up.config->state) == 0 && prepare(&up, &why))
        status = run(&up, hosts);
    else if (why != NULL)
        fprintf(stderr, "azsacrd up: %s\n", why);
    arena_free(arena);
    return status;
}
