// Audiences and issuers, as this site's names make them. Built once, at the first question.
#include "rbac/audience.h"

#include "base/arena.h"
#include "base/site.h"
#include "rbac/jwt.h"
#include "rbac/token.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define REGISTRY_AUDIENCE "https://containerregistry.azure.net"

static const char *arm_audiences[4];
static const char *graph_audiences[2];
static const char *registry_audiences[5];
static const char *access_issuer, *tenant_issuer;
static pthread_once_t once = PTHREAD_ONCE_INIT;

// Lives as long as the process.
static const char *joined(const char *a, const char *b, const char *c, const char *d)
{
    char *made = NULL;
    if (asprintf(&made, "%s%s%s%s", a, b, c, d) < 0)
        abort();
    return made;
}

static void build(void)
{
    const struct config *config = site()->config;
    size_t arm = 0, registry = 0;
    if (config->audience)
        arm_audiences[arm++] = config->audience;
    arm_audiences[arm++] = config->url_management;
    arm_audiences[arm++] = config->url_admin;
    graph_audiences[0] = config->url_graph;
    registry_audiences[registry++] = REGISTRY_AUDIENCE;
    for (size_t i = 0; i < arm; i++)
        registry_audiences[registry++] = arm_audiences[i];
    access_issuer = joined(config->url_adfs, "/adfs", "", "");
    tenant_issuer = joined(config->url_adfs, "/", config->tenant_id, "/");
}

const char *const *rbac_audiences_arm(void)
{
    pthread_once(&once, build);
    return arm_audiences;
}

const char *const *rbac_audiences_graph(void)
{
    pthread_once(&once, build);
    return graph_audiences;
}

const char *const *rbac_audiences_registry(void)
{
    pthread_once(&once, build);
    return registry_audiences;
}

const char *rbac_access_issuer(void)
{
    pthread_once(&once, build);
    return access_issuer;
}

const char *rbac_tenant_issuer(void)
{
    pthread_once(&once, build);
    return tenant_issuer;
}

bool rbac_audience_known(struct text resource)
{
    return jwt_audience_is_one_of(resource, rbac_audiences_registry()) ||
           jwt_audience_is_one_of(resource, rbac_audiences_graph());
}
