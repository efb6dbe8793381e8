// azsacrd trust CLIENT and azsacrd cloud-config: the exact commands, nothing run.
#include "cli/commands.h"

#include "base/arena.h"
#include "cli/options.h"
#include "cli/site.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

struct facts {
    const char *ca, *suffix; // ".azsacr.local.azurestack.external[:port]"
};

static void docker(const struct facts *f)
{
    printf("# docker reads a CA for each registry host; replace REGISTRY by the registry's name.\n"
           "sudo mkdir -p /etc/docker/certs.d/REGISTRY%s\n"
           "sudo cp %s /etc/docker/certs.d/REGISTRY%s/ca.crt\n",
           f->suffix, f->ca, f->suffix);
}

static void containerd(const struct facts *f)
{
    printf("# containerd with config_path = \"/etc/containerd/certs.d\"; replace REGISTRY by the registry's "
           "name.\n"
           "sudo mkdir -p /etc/containerd/certs.d/REGISTRY%s\n"
           "sudo cp %s /etc/containerd/certs.d/REGISTRY%s/ca.crt\n"
           "printf 'server = \"https://REGISTRY%s\"\\n[host.\"https://REGISTRY%s\"]\\n  ca = "
           "\"/etc/containerd/certs.d/REGISTRY%s/ca.crt\"\\n' "
           "| sudo tee /etc/containerd/certs.d/REGISTRY%s/hosts.toml\n"
           "# ctr takes it on its command line: ctr images pull --tlscacert %s …\n",
           f->suffix, f->ca, f->suffix, f->suffix, f->suffix, f->suffix, f->suffix, f->ca);
}

static void podman(const struct facts *f)
{
    printf("# podman, buildah and skopeo; replace REGISTRY by the registry's name.\n"
           "sudo mkdir -p /etc/containers/certs.d/REGISTRY%s\n"
           "sudo cp %s /etc/containers/certs.d/REGISTRY%s/ca.crt\n",
           f->suffix, f->ca, f->suffix);
}

static void az(const struct facts *f)
{
    printf("export REQUESTS_CA_BUNDLE=%s\n", f->ca);
}

static void node(const struct facts *f)
{
    printf("export NODE_EXTRA_CA_CERTS=%s\n", f->ca);
}

static void curl(const struct facts *f)
{
    printf("export CURL_CA_BUNDLE=%s\n"
           "# or for every program of a Debian machine:\n"
           "sudo cp %s /usr/local/share/ca-certificates/azsacr.crt && sudo update-ca-certificates\n",
           f->ca, f->ca);
}

static const struct {
    const char *name;
    void (*print)(const struct facts *facts);
} clients[] = {{"docker", docker}, {"containerd", containerd}, {"podman", podman}, {"az", az}, {"node", node},
               {"curl", curl}};

// endpoints.json tells what the running site was started with, whatever this command's own flags would say.
static json_t *load_facts(struct arena *arena, const char *state)
{
    struct config *config = configure(arena, state, NULL, NULL, NULL);
    if (config == NULL)
        return NULL;
    const char *path = arena_printf(arena, "%s/endpoints.json", config->state);
    json_t *facts = json_load_file(path, 0, NULL);
    if (facts == NULL)
        fprintf(stderr, "azsacrd: %s is not there: has this site been started once?\n", path);
    return facts;
}

int command_trust(int argc, char **argv)
{
    struct option options[] = {{"state", false, "the state directory", NULL}, {NULL, false, NULL, NULL}};
    static const char words[] = "docker|containerd|podman|az|node|curl";
    int left = options_parse("trust", words, argc, argv, options);
    if (left < 0)
        return 2;
    if (left != 1) {
        options_usage(stderr, "trust", words);
        return 2;
    }
    struct arena *arena = arena_new();
    json_t *json = load_facts(arena, options[0].value);
    struct facts facts = {json_string_value(json_object_get(json, "caBundle")),
                          json_string_value(json_object_get(json, "acrSuffix"))};
    int status = json == NULL ? 1 : 2;
    for (size_t i = 0; status == 2 && facts.ca && facts.suffix && i < sizeof clients / sizeof clients[0];
         i++) {
        if (strcmp(argv[0], clients[i].name) == 0) {
            clients[i].print(&facts);
            status = 0;
        }
    }
    if (status == 2)
        fprintf(stderr,
                "azsacrd trust: no client '%s'; there are docker, containerd, podman, az, node, curl\n",
                argv[0]);
    json_decref(json);
    arena_free(arena);
    return status;
}

int command_cloud_config(int argc, char **argv)
{
    struct option options[] = {{"state", false, "the state directory", NULL}, {NULL, false, NULL, NULL}};
    if (options_parse("cloud-config", NULL, argc, argv, options) != 0)
        return 2;
    struct arena *arena = arena_new();
    json_t *json = load_facts(arena, options[0].value);
    int status = 1;
    struct config *config = NULL;
    if (json != NULL)
        config = configure(arena, options[0].value, NULL, json_string_value(json_object_get(json, "region")),
                           json_string_value(json_object_get(json, "domain")));
    if (config != NULL) {
        config->port = (int)json_integer_value(json_object_get(json, "port"));
        config_derive(arena, config);
        site_print_cloud(config, arena);
        status = 0;
    }
    json_decref(json);
    arena_free(arena);
    return status;
}
