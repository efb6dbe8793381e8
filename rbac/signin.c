// The sign-in service, host adfs.: its routes, and from a request to its handler (az-cli.md 3, decisions 26).
#include "rbac/services.h"

#include "base/arena.h"
#include "base/site.h"
#include "rbac/signin.h"

#include <pthread.h>

#define DIRECT true
#define WORK false

// {tenant} is the tenant's id or one of its names; both spellings of each URL are the same (decisions 26).
static const struct service_operation operations[] = {
    {{HTTP_GET, "/adfs/.well-known/openid-configuration", "SignIn_Configuration"},
     signin_configuration,
     DIRECT},
    {{HTTP_GET, "/adfs/v2.0/.well-known/openid-configuration", "SignIn_ConfigurationV2"},
     signin_configuration,
     DIRECT},
    {{HTTP_GET, "/adfs/{tenant}/.well-known/openid-configuration", "SignIn_TenantConfiguration"},
     signin_configuration,
     DIRECT},
    {{HTTP_GET, "/adfs/{tenant}/v2.0/.well-known/openid-configuration", "SignIn_TenantConfigurationV2"},
     signin_configuration,
     DIRECT},
    {{HTTP_GET, "/adfs/discovery/keys", "SignIn_Keys"}, signin_keys, WORK},
    {{HTTP_GET, "/adfs/{tenant}/discovery/keys", "SignIn_TenantKeys"}, signin_keys, WORK},
    {{HTTP_GET, "/adfs/{tenant}/discovery/v2.0/keys", "SignIn_TenantKeysV2"}, signin_keys, WORK},
    {{HTTP_POST, "/adfs/oauth2/token", "SignIn_Token"}, signin_token, WORK},
    {{HTTP_POST, "/adfs/oauth2/v2.0/token", "SignIn_TokenV2"}, signin_token, WORK},
    {{HTTP_POST, "/adfs/{tenant}/oauth2/token", "SignIn_TenantToken"}, signin_token, WORK},
    {{HTTP_POST, "/adfs/{tenant}/oauth2/v2.0/token", "SignIn_TenantTokenV2"}, signin_token, WORK},
    {{HTTP_POST, "/adfs/oauth2/devicecode", "SignIn_DeviceCode"}, signin_device_code, WORK},
    {{HTTP_POST, "/adfs/oauth2/v2.0/devicecode", "SignIn_DeviceCodeV2"}, signin_device_code, WORK},
    {{HTTP_POST, "/adfs/{tenant}/oauth2/devicecode", "SignIn_TenantDeviceCode"}, signin_device_code, WORK},
    {{HTTP_POST, "/adfs/{tenant}/oauth2/v2.0/devicecode", "SignIn_TenantDeviceCodeV2"},
     signin_device_code,
     WORK},
    {{HTTP_GET, "/adfs/oauth2/deviceauth", "SignIn_DevicePage"}, signin_page, DIRECT},
    {{HTTP_POST, "/adfs/oauth2/deviceauth", "SignIn_DeviceApprove"}, signin_page_post, WORK},
    {{HTTP_GET, "/adfs/oauth2/authorize", "SignIn_Authorize"}, signin_authorize, DIRECT},
    {{HTTP_POST, "/adfs/oauth2/authorize", "SignIn_AuthorizePost"}, signin_authorize, DIRECT},
    {{HTTP_GET, "/adfs/{tenant}/oauth2/authorize", "SignIn_TenantAuthorize"}, signin_authorize, DIRECT},
    {{HTTP_GET, "/adfs/{tenant}/oauth2/v2.0/authorize", "SignIn_TenantAuthorizeV2"},
     signin_authorize,
     DIRECT},
    {{HTTP_GET, "/adfs/oauth2/logout", "SignIn_Logout"}, signin_logout, DIRECT},
};

static struct http_router *router;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void build_router(void)
{
    router = http_router_new(true);
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
        http_router_add(router, &operations[i].head);
}

void rbac_services_start(void)
{
    pthread_once(&once, build_router);
}

void signin_refuse(struct http_exchange *exchange, int status, const char *why)
{
    struct service_call call = {.exchange = exchange,
                                .request = &exchange->request,
                                .answer = &exchange->answer,
                                .arena = exchange->request.arena};
    if (status == 503 || status == 429)
        signin_error(&call, status, "temporarily_unavailable", 90033, "%s", why);
    else if (status >= 500)
        signin_error(&call, status, "server_error", 90020, "%s", why);
    else
        signin_error(&call, status, "invalid_request", status == 404 || status == 421 ? 0 : 9002313, "%s",
                     why);
}

static void refuse_method(struct service_call *call, unsigned allowed)
{
    const char *wanted = allowed & HTTP_POST ? "POST" : "GET";
    signin_error(call, 405, "invalid_request", 900561,
                 "The endpoint only accepts %s requests. Received a %s request.", wanted,
                 http_method_name(call->request->method));
    http_set_header(call->answer, "Allow", http_allow(call->arena, allowed));
}

bool signin_prepare(struct http_exchange *exchange)
{
    rbac_services_start();
    struct service_call *call = service_call_new(exchange, signin_refuse);
    if (exchange->request.malformed) {
        signin_refuse(exchange, 400, exchange->request.malformed);
        return false;
    }
    http_router_find(router, &exchange->request, &call->route);
    const struct service_operation *operation = (const struct service_operation *)call->route.operation;
    if (operation && !operation->direct) {
        call->run = operation->run;
        return true;
    }
    if (operation)
        operation->run(call);
    else if (call->route.allowed != 0)
        refuse_method(call, call->route.allowed);
    else
        signin_refuse(exchange, 404, "There is nothing at this address.");
    return false;
}

void signin_dispatch(struct http_exchange *exchange)
{
    if (signin_prepare(exchange))
        service_work(exchange->context);
    else
        http_finish(exchange);
}
