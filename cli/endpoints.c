// The site's facts: endpoints.json for scripts, cloud.json for az, and the lines that a person reads.
#include "cli/site.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/certificate.h"
#include "db/database.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct db_statement settings_get = {
    "settings_get",
    "select max(value) filter (where name = 'subscription_id'), max(value) filter (where name = "
    "'operator_subscription_id'),"
    " max(value) filter (where name = 'operator_upn'), max(value) filter (where name = 'operator_app_id')"
    " from azsacr.setting",
};

struct settings {
    struct arena *arena;
    struct text subscription_id, operator_subscription_id, operator_upn, operator_app_id;
};

static bool read_settings(struct db_transaction *tx, void *argument)
{
    struct settings *s = argument;
    const struct db_result *r = DB_RUN0(tx, &settings_get);
    if (db_rows(r) != 1)
        return false;
    s->subscription_id = text_copy(s->arena, db_get(r, 0, 0));
    s->operator_subscription_id = text_copy(s->arena, db_get(r, 0, 1));
    s->operator_upn = text_copy(s->arena, db_get(r, 0, 2));
    s->operator_app_id = text_copy(s->arena, db_get(r, 0, 3));
    return true;
}

static struct text endpoints_json(const struct config *c, const struct settings *s, struct arena *arena)
{
    struct buffer b = buffer_new(arena);
    json_begin_object(&b);
    json_key_string(&b, "region", c->region);
    json_key_string(&b, "domain", c->domain);
    json_key_int(&b, "port", c->port);
    json_key_string(&b, "resourceManager", c->url_management);
    json_key_string(&b, "adminResourceManager", c->url_admin);
    json_key_format(&b, "activeDirectory", "%s/adfs", c->url_adfs);
    json_key_string(&b, "audience", c->audience);
    json_key_format(&b, "graph", "%s/", c->url_graph);
    json_key_string(&b, "portal", c->url_portal);
    json_key_string(&b, "acrSuffix", c->acr_suffix);
    json_key_format(&b, "caBundle", "%s/tls/ca.pem", c->state);
    json_key_format(&b, "cloudConfig", "%s/cloud.json", c->state);
    json_key_string(&b, "tenantId", c->tenant_id);
    json_key_text(&b, "subscriptionId", s->subscription_id);
    json_key_text(&b, "operatorSubscriptionId", s->operator_subscription_id);
    json_key(&b, "operator");
    json_begin_object(&b);
    json_key_text(&b, "username", s->operator_upn);
    json_key_format(&b, "passwordFile", "%s/secrets/operator-password", c->state);
    json_key_text(&b, "appId", s->operator_app_id);
    json_key_format(&b, "secretFile", "%s/secrets/operator-secret", c->state);
    json_end_object(&b);
    json_end_object(&b);
    buffer_char(&b, '\n');
    return buffer_done(&b);
}

// az-cli.md 2: one file, no look-up of metadata needed.
static struct text cloud_json(const struct config *c, struct arena *arena)
{
    struct buffer b = buffer_new(arena);
    json_begin_object(&b);
    json_key_string(&b, "profile", "2020-09-01-hybrid");
    json_key(&b, "endpoints");
    json_begin_object(&b);
    json_key_string(&b, "resourceManager", c->url_management);
    json_key_string(&b, "management", c->url_management);
    json_key_format(&b, "activeDirectory", "%s/adfs", c->url_adfs);
    json_key_string(&b, "activeDirectoryResourceId", c->audience);
    json_key_format(&b, "activeDirectoryGraphResourceId", "%s/", c->url_graph);
    json_key_format(&b, "microsoftGraphResourceId", "%s/", c->url_graph);
    json_key_string(&b, "gallery", c->url_portal);
    json_end_object(&b);
    json_key(&b, "suffixes");
    json_begin_object(&b);
    json_key_string(&b, "acrLoginServerEndpoint", c->acr_suffix);
    json_key_format(&b, "storageEndpoint", "%s.%s", c->region, c->domain);
    json_key_format(&b, "keyvaultDns", ".vault.%s.%s", c->region, c->domain);
    json_end_object(&b);
    json_end_object(&b);
    buffer_char(&b, '\n');
    return buffer_done(&b);
}

// Replaced whole: a reader sees the old file or the new one.
static bool replace_file(const char *path, struct text content, struct arena *arena)
{
    const char *temporary = arena_printf(arena, "%s.new", path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return false;
    bool ok = write(fd, content.base, content.length) == (ssize_t)content.length && fsync(fd) == 0;
    ok = close(fd) == 0 && ok;
    return ok && rename(temporary, path) == 0;
}

bool site_write_endpoints(const struct config *config, struct arena *arena, const char **why)
{
    struct settings settings = {.arena = arena};
    struct db_target target = {site_conninfo(config, arena), "azsacr start", 10000};
    struct db_connection *connection = db_connection_new(&target);
    enum db_outcome outcome = db_transact(connection, read_settings, &settings);
    db_connection_free(connection);
    if (outcome == DB_COMMITTED &&
        replace_file(arena_printf(arena, "%s/endpoints.json", config->state),
                     endpoints_json(config, &settings, arena), arena) &&
        replace_file(arena_printf(arena, "%s/cloud.json", config->state), cloud_json(config, arena), arena))
        return true;
    *why = arena_printf(arena, "endpoints.json and cloud.json cannot be written to %s", config->state);
    return false;
}

void site_print_cloud(const struct config *c, struct arena *arena)
{
    (void)arena;
    printf("  az up to 2.72 (Azure Stack Hub's profile):\n"
           "    export REQUESTS_CA_BUNDLE=%s/tls/ca.pem\n"
           "    az cloud register -n azsacr --cloud-config @%s/cloud.json\n"
           "    az cloud set -n azsacr\n"
           "  az 2.73 and newer:\n"
           "    export REQUESTS_CA_BUNDLE=%s/tls/ca.pem\n"
           "    az cloud register -n azsacr --endpoint-resource-manager %s"
           " --suffix-acr-login-server-endpoint %s\n"
           "    az cloud set -n azsacr\n",
           c->state, c->state, c->state, c->url_management, c->acr_suffix);
}

// How this very program is called: it need not be on the PATH.
static const char *own_name(struct arena *arena)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    return n > 0 ? arena_strndup(arena, path, (size_t)n) : "azsacrd";
}

// Whether the hosts file has our names; no resolver is asked, which could take its time.
static bool in_hosts_file(const struct config *config)
{
    char line[4096];
    bool found = false;
    FILE *file = fopen("/etc/hosts", "re");
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL)
        found = strstr(line, config->host_management) != NULL;
    if (file != NULL)
        fclose(file);
    return found;
}

static const char *string_of(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? value : "";
}

void site_print(const struct config *c)
{
    struct arena *arena = arena_new();
    json_t *facts = json_load_file(arena_printf(arena, "%s/endpoints.json", c->state), 0, NULL);
    const json_t *operator_ = json_object_get(facts, "operator");
    const char *ca = arena_printf(arena, "%s/tls/ca.pem", c->state);
    printf("\nazsacr " AZSACR_VERSION " is running.\n\n"
           "  Resource Manager  %s\n"
           "  sign-in           %s/adfs\n"
           "  directory         %s/\n"
           "  portal            %s\n"
           "  registries        https://<registry>%s\n"
           "  tenant            %s\n"
           "  subscription      %s\n\n"
           "The site's certificate authority: %s\n"
           "  SHA-256 %s\n"
           "  How a client is made to trust it:\n"
           "    %s trust docker|containerd|podman|az|node|curl --state %s\n\n"
           "Register the cloud with az:\n",
           c->url_management, c->url_adfs, c->url_graph, c->url_portal, c->acr_suffix,
           string_of(facts, "tenantId"), string_of(facts, "subscriptionId"), ca,
           certificate_fingerprint(ca, arena).base, own_name(arena), c->state);
    site_print_cloud(c, arena);
    printf("\nSign in as the operator (the secrets are in files that only the user who started azsacrd may "
           "read):\n"
           "    az login -u %s -p @%s\n"
           "    az login --service-principal -u %s -p @%s --tenant %s\n",
           string_of(operator_, "username"), string_of(operator_, "passwordFile"),
           string_of(operator_, "appId"), string_of(operator_, "secretFile"), string_of(facts, "tenantId"));
    if (c->port != 443)
        printf("\nNote: az acr check-health cannot look up a login server with a port (%d); everything else "
               "works.\n",
               c->port);
    if (!in_hosts_file(c))
        printf("\nNote: these hosts must lead here, by DNS or by --hosts: %s, %s, %s, %s, %s, *.%s\n",
               c->host_management, c->host_admin, c->host_adfs, c->host_graph, c->host_portal, c->suffix);
    printf("\nThe same facts for scripts: %s/endpoints.json\n", c->state);
    fflush(stdout);
    json_decref(facts);
    arena_free(arena);
}
