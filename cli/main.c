// azsacrd: picks the sub-command.
#include "cli/commands.h"

#include "base/arena.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int command_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    puts("azsacrd " AZSACR_VERSION);
    return 0;
}

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    {"up", command_up, "run everything on this machine: database, edge and service, in one state directory"},
    {"serve", command_serve, "run the service alone, with a database and an edge of yours"},
    {"migrate", command_migrate, "bring the database's schema up to this release, then end"},
    {"check", command_check,
     "say what is wrong with the configuration and the database; --store: with the blobs"},
    {"user", command_user, "add | list | set-password | enable | disable | remove users"},
    {"sp", command_sp, "add | list | set-password | enable | disable | remove service principals"},
    {"subscription", command_subscription, "add | list | rename | disable | enable | remove subscriptions"},
    {"quota", command_quota,
     "list | set | clear how much a registry, a subscription's registries and all of them may take"},
    {"recover", command_recover, "list | restore what was deleted, within the retention that is set"},
    {"template", command_template,
     "check FILE [NAME=VALUE ...] [--parameters FILE]: print a template's plan, or its error, without "
     "deploying anything"},
    {"keys", command_keys, "rotate the signing keys"},
    {"trust", command_trust,
     "print how a client is made to trust the site's CA: docker, containerd, podman, az, node, curl"},
    {"cloud-config", command_cloud_config, "print the az lines that register this site"},
    {"edge-config", command_edge_config,
     "print the configuration of an nginx that serves as this site's edge"},
    {"health", command_health, "end well when the service on this machine answers"},
    {"version", command_version, "print the version"},
};

static int usage(FILE *out, int status)
{
    fputs("azsacrd: Azure Resource Manager and container registries for a disconnected site\n\n"
          "usage: azsacrd COMMAND [FLAGS]    (azsacrd COMMAND --help lists the flags)\n\n",
          out);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        fprintf(out, "  %-13s %s\n", commands[i].name, commands[i].help);
    return status;
}

// A name of the DNS in lower case: labels of letters, digits and inner hyphens.
static bool host_name(const char *name, int labels)
{
    for (int label = 0; label < labels; label++) {
        size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
        if (length == 0 || length > 63 || name[0] == '-' || name[length - 1] == '-')
            return false;
        if (name[length] == '\0')
            return true;
        if (name[length] != '.')
            return false;
        name += length + 1;
    }
    return false;
}

// They become host names, a certificate's too, and a part of the operator's sign-in name.
static bool names_sound(const struct config *config)
{
    enum { HOST_BYTES = 253, REGISTRY_BYTES = 50 };
    const char *why = NULL;
    if (!host_name(config->region, 1))
        why = "the region is one label of a host name: letters, digits and inner hyphens, 63 at most";
    else if (!host_name(config->domain, HOST_BYTES))
        why = "the domain is a host name: labels of letters, digits and inner hyphens, with points between";
    else if (REGISTRY_BYTES + 1 + strlen(config->suffix) > HOST_BYTES)
        why = "the region and the domain are too long for host names of registries (253 bytes in all)";
    if (why != NULL)
        fprintf(stderr, "azsacrd: %s; they are '%s' and '%s'\n", why, config->region, config->domain);
    return why == NULL;
}

struct config *configure(struct arena *arena, const char *state, const char *port, const char *region,
                         const char *domain)
{
    const char *why = NULL;
    struct config *config = config_load(arena, state, NULL, &why);
    if (config == NULL) {
        fprintf(stderr, "azsacrd: %s\n", why);
        return NULL;
    }
    int64_t number = config->port;
    if (port != NULL && (!text_to_int64(text_of(port), &number) || number < 1 || number > 65535)) {
        fprintf(stderr, "azsacrd: --port must be a number from 1 to 65535\n");
        return NULL;
    }
    config->port = (int)number;
    if (region != NULL)
        config->region = region;
    if (domain != NULL)
        config->domain = domain;
    config_derive(arena, config);
    return names_sound(config) ? config : NULL;
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "C.UTF-8");
    if (argc < 2)
        return usage(stderr, 2);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
        return usage(stdout, 0);
    if (strcmp(argv[1], "--version") == 0)
        return command_version(0, NULL);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 2, argv + 2);
    }
    fprintf(stderr, "azsacrd: there is no command '%s'\n\n", argv[1]);
    return usage(stderr, 2);
}
