// Reading the configuration: one table of keys serves the file, the environment and the messages.
#include "base/config.h"

#include "base/arena.h"
#include "base/host_list.h"
#include "base/origins.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum kind { STRING, NUMBER, SIZE, FLAG };

struct key {
    const char *name;
    enum kind kind;
    size_t offset;
    const char *initial;
    const char *choices; // "a|b|c", or NULL
};

#define KEY(member, kind, initial, choices)                                                                  \
    {                                                                                                        \
#member, kind, offsetof(struct config, member), initial, choices                                     \
    }
static const struct key keys[] = {
    KEY(state, STRING, NULL, NULL),
    KEY(runtime, STRING, NULL, NULL),
    KEY(store, STRING, NULL, NULL),
    KEY(region, STRING, "local", NULL),
    KEY(domain, STRING, "azurestack.external", NULL),
    KEY(port, NUMBER, "0", NULL),
    KEY(listen, STRING, NULL, NULL),
    KEY(database, STRING, NULL, NULL),
    KEY(loops, NUMBER, "2", NULL),
    KEY(request_workers, NUMBER, "8", NULL),
    KEY(job_workers, NUMBER, "2", NULL),
    KEY(receiver_connections, NUMBER, "16", NULL),
    KEY(receiver_threads, NUMBER, "1000", NULL),
    KEY(api_versions, STRING, "mixed", "mixed|strict|modern"),
    KEY(sku, STRING, "any", "any|standard-only"),
    KEY(hybrid_shim, FLAG, "true", NULL),
    KEY(throttle, FLAG, "true", NULL),
    KEY(throttle_reads, NUMBER, "250", NULL),
    KEY(throttle_reads_per_second, NUMBER, "25", NULL),
    KEY(throttle_writes, NUMBER, "200", NULL),
    KEY(throttle_writes_per_second, NUMBER, "10", NULL),
    KEY(throttle_deletes, NUMBER, "200", NULL),
    KEY(throttle_deletes_per_second, NUMBER, "10", NULL),
    KEY(throttle_global, NUMBER, "15", NULL),
    KEY(activity_retention, NUMBER, "90", NULL),
    KEY(registration, STRING, "automatic", "automatic|required"),
    KEY(operation_retention, NUMBER, "7", NULL),
    KEY(registry_quota, SIZE, "107374182400", NULL),
    KEY(low_water, SIZE, "0", NULL),
    KEY(store_grace, SIZE, "60", NULL),
    KEY(deleted_retention, NUMBER, "0", NULL),
    KEY(loopback, STRING, NULL, NULL),
    KEY(hello, FLAG, "false", NULL),
    KEY(protect, STRING, "children", "children|children+referrers|none"),
    KEY(untagged_retention, NUMBER, "0", NULL),
    KEY(log_level, STRING, "info", "debug|info|warning|error"),
    KEY(template_link_hosts, STRING, "", NULL),
    KEY(template_link_ca, STRING, NULL, NULL),
    KEY(portal_origins, STRING, NULL, NULL),
};
enum { KEY_COUNT = sizeof keys / sizeof keys[0] };

static const struct key *key_find(struct text name)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (text_is(name, keys[i].name))
            return &keys[i];
    }
    return NULL;
}

// Levenshtein's distance, for "did you mean".
static size_t distance(struct text a, struct text b)
{
    size_t row[64];
    if (a.length > 60 || b.length > 60)
        return 1000;
    for (size_t j = 0; j <= b.length; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.length; j++) {
            size_t above = row[j], best = diagonal + (a.base[i - 1] != b.base[j - 1]);
            best = above + 1 < best ? above + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            diagonal = above;
            row[j] = best;
        }
    }
    return row[b.length];
}

static const char *nearest(struct text name)
{
    const char *best = keys[0].name;
    for (size_t i = 1; i < KEY_COUNT; i++) {
        if (distance(name, text_of(keys[i].name)) < distance(name, text_of(best)))
            best = keys[i].name;
    }
    return best;
}

static bool one_of(struct text value, const char *choices)
{
    for (const char *p = choices; *p;) {
        size_t n = strcspn(p, "|");
        if (text_equal(value, (struct text){p, n}))
            return true;
        p += n + (p[n] == '|');
    }
    return false;
}

// Plain bytes, or with a suffix K, M, G, T (powers of 1,024).
bool config_size(struct text value, int64_t *size)
{
    int shift = 0;
    if (value.length > 0) {
        const char *units = "KMGT", *unit = strchr(units, value.base[value.length - 1]);
        if (unit != NULL && *unit) {
            shift = (int)(unit - units + 1) * 10;
            value.length--;
        }
    }
    if (!text_to_int64(value, size) || *size > INT64_MAX >> shift)
        return false;
    *size <<= shift;
    return true;
}

// NULL, or what is wrong with the value.
static const char *assign(struct arena *arena, struct config *config, const struct key *key,
                          struct text value)
{
    void *member = (char *)config + key->offset;
    int64_t number = 0;
    if (key->choices != NULL && !one_of(value, key->choices))
        return arena_printf(arena, "must be one of %s", key->choices);
    switch (key->kind) {
    case STRING:
        *(const char **)member = text_cstr(arena, value);
        return NULL;
    case NUMBER:
        if (!text_to_int64(value, &number) || number > 1000000)
            return "must be a whole number";
        *(int *)member = (int)number;
        return NULL;
    case SIZE:
        if (!config_size(value, (int64_t *)member))
            return "must be a whole number, or one with K, M, G or T";
        return NULL;
    case FLAG:
        if (!text_is(value, "true") && !text_is(value, "false"))
            return "must be true or false";
        *(bool *)member = text_is(value, "true");
        return NULL;
    }
    return NULL;
}

static const char *read_line(struct arena *arena, struct config *config, const char *path, int number,
                             struct text line)
{
    line = text_trim(line);
    if (line.length == 0 || line.base[0] == '#')
        return NULL;
    ptrdiff_t equals = text_find(line, '=');
    if (equals < 0)
        return arena_printf(arena, "%s:%d: expected key = value", path, number);
    struct text name = text_trim(text_slice(line, 0, (size_t)equals));
    struct text value = text_trim(text_slice(line, (size_t)equals + 1, line.length));
    const struct key *key = key_find(name);
    if (key == NULL)
        return arena_printf(arena, "%s:%d: unknown key '%.*s'; did you mean '%s'?", path, number,
                            TEXT_ARG(name), nearest(name));
    const char *fault = assign(arena, config, key, value);
    return fault ? arena_printf(arena, "%s:%d: %s %s", path, number, key->name, fault) : NULL;
}

static const char *read_file(struct arena *arena, struct config *config, const char *path)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return errno == ENOENT ? NULL : arena_printf(arena, "%s: %s", path, strerror(errno));
    char *line = NULL;
    size_t capacity = 0;
    const char *why = NULL;
    ssize_t length;
    for (int number = 1; why == NULL && (length = getline(&line, &capacity, file)) >= 0; number++) {
        while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r'))
            length--;
        why = read_line(arena, config, path, number, (struct text){line, (size_t)length});
    }
    free(line);
    fclose(file);
    return why;
}

static const char *read_environment(struct arena *arena, struct config *config)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        struct text upper = text_upper(arena, text_of(keys[i].name));
        const char *variable = arena_printf(arena, "AZSACR_%s", upper.base), *value = getenv(variable);
        if (value == NULL)
            continue;
        const char *fault = assign(arena, config, &keys[i], text_of(value));
        if (fault != NULL)
            return arena_printf(arena, "environment: %s %s", variable, fault);
    }
    return NULL;
}

static const char *default_state(struct arena *arena)
{
    const char *home = getenv("HOME"), *state = getenv("AZSACR_STATE");
    if (state != NULL && *state != '\0')
        return arena_strdup(arena, state);
    if (geteuid() == 0 || home == NULL)
        return "/var/lib/azsacr";
    return arena_printf(arena, "%s/.local/state/azsacr", home);
}

// The portal's own unless others are set; NULL when those are none.
static void read_origins(struct arena *arena, struct config *c, const char **why)
{
    const char *list = c->portal_origins == NULL ? c->url_portal : c->portal_origins;
    c->origins = origins_read(arena, strcmp(list, "none") == 0 ? "" : list, why);
    if (c->origins == NULL && c->portal_origins == NULL)
        c->origins = origins_read(arena, "", why); // a host that no browser would call so
}

void config_derive(struct arena *arena, struct config *c)
{
    c->region = text_lower(arena, text_of(c->region)).base;
    c->domain = text_lower(arena, text_of(c->domain)).base;
    if (c->port == 0)
        c->port = geteuid() == 0 ? 443 : 8443;
    c->port_suffix = c->port == 443 ? "" : arena_printf(arena, ":%d", c->port);
    c->suffix = arena_printf(arena, "azsacr.%s.%s", c->region, c->domain);
    c->acr_suffix = arena_printf(arena, ".%s%s", c->suffix, c->port_suffix);
    const struct {
        const char *label, **host, **url;
    } names[] = {
        {"management", &c->host_management, &c->url_management},
        {"adminmanagement", &c->host_admin, &c->url_admin},
        {"adfs", &c->host_adfs, &c->url_adfs},
        {"graph", &c->host_graph, &c->url_graph},
        {"portal", &c->host_portal, &c->url_portal},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        *names[i].host = arena_printf(arena, "%s.%s.%s", names[i].label, c->region, c->domain);
        *names[i].url = arena_printf(arena, "https://%s%s", *names[i].host, c->port_suffix);
    }
    c->host_hello = c->hello ? arena_printf(arena, "hello.%s.%s", c->region, c->domain) : NULL;
    if (c->store == NULL)
        c->store = arena_printf(arena, "%s/store", c->state);
    if (c->runtime == NULL)
        c->runtime = arena_printf(arena, "%s/run", c->state);
    if (c->tenant_id != NULL)
        c->audience =
            arena_printf(arena, "https://management.adfs.%s.%s/%s", c->region, c->domain, c->tenant_id);
    const char *why;
    read_origins(arena, c, &why);
    c->link_hosts = host_list_read(arena, c->template_link_hosts ? c->template_link_hosts : "", &why);
}

struct config *config_load(struct arena *arena, const char *state, const char *path, const char **why)
{
    struct config *config = ARENA_NEW(arena, struct config);
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (keys[i].initial != NULL)
            assign(arena, config, &keys[i], text_of(keys[i].initial));
    }
    if (path == NULL && getenv("AZSACR_CONFIG") != NULL) {
        path = getenv("AZSACR_CONFIG");
        if (access(path, F_OK) != 0) { // asked for by name: its absence is no default
            *why = arena_printf(arena, "%s, which AZSACR_CONFIG names: %s", path, strerror(errno));
            return NULL;
        }
    }
    if (path == NULL)
        path = arena_printf(arena, "%s/azsacr.conf", state ? state : default_state(arena));
    *why = read_file(arena, config, path);
    if (*why == NULL)
        *why = read_environment(arena, config);
    if (*why != NULL)
        return NULL;
    if (state != NULL)
        config->state = arena_strdup(arena, state);
    if (config->state == NULL || *config->state == '\0')
        config->state = default_state(arena);
    config_derive(arena, config);
    if (config->link_hosts == NULL) {
        host_list_read(arena, config->template_link_hosts, why);
        *why = arena_printf(arena, "template_link_hosts: %s", *why);
        return NULL;
    }
    if (config->template_link_ca != NULL && access(config->template_link_ca, R_OK) != 0) {
        *why = arena_printf(arena, "template_link_ca: %s: %s", config->template_link_ca, strerror(errno));
        return NULL;
    }
    if (config->origins == NULL) {
        read_origins(arena, config, why);
        *why = arena_printf(arena, "portal_origins: %s", *why);
        return NULL;
    }
    return config;
}
