// POST /adfs/oauth2/token: client credentials, password, refresh token; the device code's grant is
// signin_device.c.
#include "rbac/signin.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/site.h"
#include "rbac/attempts.h"
#include "rbac/mint.h"
#include "rbac/token.h"

#define DEVICE_GRANT "urn:ietf:params:oauth:grant-type:device_code"

bool signin_busy(struct service_call *call)
{
    signin_error(call, 503, "temporarily_unavailable", 90033,
                 "A transient error has occurred. Please try again.");
    return false;
}

bool signin_grant(struct service_call *call, const struct signin_grant *grant)
{
    struct mint_request request = {.principal = grant->principal,
                                   .client_id = grant->client_id,
                                   .audience = grant->wanted->audience,
                                   .issuer = grant->issuer,
                                   .now = clock_wall() / 1000000};
    bool user = grant->principal->user;
    const char *access = mint_access_token(call->arena, call->snapshot, &request);
    const char *id = user ? mint_id_token(call->arena, call->snapshot, &request) : NULL;
    if (!access || (user && !id))
        return signin_busy(call);
    struct buffer out = buffer_new(call->arena);
    json_begin_object(&out);
    json_key_string(&out, "token_type", "Bearer");
    json_key_int(&out, "expires_in", mint_access_seconds());
    json_key_string(&out, "access_token", access);
    if (user) {
        json_key_text(&out, "refresh_token", mint_refresh_token(call->arena, &request));
        json_key_string(&out, "id_token", id);
    }
    // az renews on every command unless an echoed scope holds what it asked for (az-cli.md 0.8).
    if (grant->wanted->scope.base)
        json_key_text(&out, "scope", grant->wanted->scope);
    else
        json_key_text(&out, "resource", grant->wanted->audience);
    json_end_object(&out);
    signin_json(call, buffer_done(&out));
    return true;
}

static bool refuse_client_id(struct service_call *call, struct text client_id)
{
    if (client_id.length > 128)
        client_id = TEXT("given");
    signin_error(call, 400, "unauthorized_client", 700016,
                 "Application with identifier '%.*s' was not found in the directory '%s'.",
                 TEXT_ARG(client_id), site()->config->tenant_id);
    return false;
}

bool signin_client(struct service_call *call, const struct signin_form *form, const char **client_id)
{
    struct text given;
    if (!signin_required(call, form, "client_id", &given))
        return false;
    if (!uuid_is(given))
        return refuse_client_id(call, given);
    *client_id = text_lower(call->arena, given).base;
    return true;
}

struct client_secret {
    struct text client_id, secret;
};

// RFC 6749 2.3.1: both halves are form-encoded before they are joined.
static bool read_basic(struct service_call *call, struct text header, struct client_secret *client)
{
    struct text pair;
    if (!text_unbase64(call->arena, text_trim(text_slice(header, 6, header.length)), &pair))
        return false;
    ptrdiff_t colon = text_find(pair, ':');
    return colon > 0 &&
           text_percent_decode(call->arena, text_slice(pair, 0, (size_t)colon), true, &client->client_id) &&
           text_percent_decode(call->arena, text_slice(pair, (size_t)colon + 1, pair.length), true,
                               &client->secret) &&
           text_is_utf8(client->client_id) && text_is_utf8(client->secret);
}

static bool refuse_secret(struct service_call *call, int code, const char *text)
{
    signin_error(call, 401, "invalid_client", code, "%s", text);
    return false;
}

static bool read_client(struct service_call *call, const struct signin_form *form,
                        struct client_secret *client)
{
    if (signin_field(form, "client_assertion").base)
        return refuse_secret(
            call, 700027,
            "Client assertion failed validation. This sign-in service accepts client secrets only.");
    struct text header = http_header(call->request, "authorization", NULL);
    struct text id = signin_field(form, "client_id"), secret = signin_field(form, "client_secret");
    if (text_starts_nocase(header, "Basic ")) {
        if (secret.base) { // RFC 6749 2.3: one way of authentication a request
            signin_error(call, 400, "invalid_request", 9002313,
                         "Invalid request. The client is authenticated both by header and by body.");
            return false;
        }
        if (!read_basic(call, header, client))
            return refuse_secret(call, 7000215, "Invalid client secret provided.");
        if (!id.base || text_equal_nocase(id, client->client_id))
            return true;
        signin_error(call, 400, "invalid_request", 9002313,
                     "Invalid request. The 'client_id' of the body is not that of the header.");
        return false;
    }
    *client = (struct client_secret){id, secret};
    struct text ignored;
    if (!signin_required(call, form, "client_id", &ignored))
        return false;
    if (!secret.base)
        return refuse_secret(call, 7000218,
                             "The request body must contain the following parameter: 'client_assertion' or "
                             "'client_secret'.");
    return true;
}

// The service principal whose secret this is; NULL: answered.
static const struct rbac_principal *check_client(struct service_call *call,
                                                 const struct client_secret *client)
{
    const struct rbac_principal *principal =
        uuid_is(client->client_id) ? rbac_principal_by_name(call->snapshot, client->client_id) : NULL;
    if (!principal || principal->user) {
        refuse_client_id(call, client->client_id);
        return NULL;
    }
    struct rbac_verdict verdict =
        rbac_verify_password(call->snapshot, call->tx, call->arena, client->client_id, client->secret);
    switch (verdict.fault) {
    case RBAC_OK:
        return principal;
    case RBAC_BUSY:
        signin_busy(call);
        return NULL;
    case RBAC_EXPIRED:
        signin_error(call, 401, "invalid_client", 7000222,
                     "The provided client secret keys for app '%s' are expired.", principal->app_id);
        return NULL;
    case RBAC_REVOKED:
        signin_error(call, 400, "unauthorized_client", 7000112, "Application '%s'(%s) is disabled.",
                     principal->app_id, principal->display_name);
        return NULL;
    default:
        signin_error(call, 401, "invalid_client", 7000215,
                     "Invalid client secret provided. Ensure the secret being sent in the request is the "
                     "client secret "
                     "value, not the client secret ID, for a secret added to app '%s'.",
                     principal->app_id);
        return NULL;
    }
}

static bool grant_client(struct service_call *call, const struct signin_form *form, const char *issuer)
{
    struct client_secret client;
    struct signin_resource wanted;
    if (!read_client(call, form, &client))
        return false;
    const struct rbac_principal *principal = check_client(call, &client);
    if (!principal || !signin_read_resource(call, signin_field(form, "resource"), signin_field(form, "scope"),
                                            TEXT_NONE, &wanted))
        return false;
    return signin_grant(call, &(struct signin_grant){principal, principal->app_id, issuer, &wanted});
}

// A client of a user's flow is public, so its id is not proven; a secret that it sends must be right all the
// same.
static bool check_public_client(struct service_call *call, const struct signin_form *form,
                                const char **client_id)
{
    if (!signin_client(call, form, client_id))
        return false;
    struct client_secret client = {signin_field(form, "client_id"), signin_field(form, "client_secret")};
    return !client.secret.base || check_client(call, &client) != NULL;
}

static bool grant_password(struct service_call *call, const struct signin_form *form, const char *client_id,
                           const char *issuer)
{
    struct text name, password;
    struct signin_resource wanted;
    if (!signin_required(call, form, "username", &name) ||
        !signin_required(call, form, "password", &password) ||
        !signin_read_resource(call, signin_field(form, "resource"), signin_field(form, "scope"), TEXT_NONE,
                              &wanted))
        return false;
    struct text address = call->request->client_address;
    if (attempts_password_exhausted(call->arena, name, address)) {
        signin_error(
            call, 400, "invalid_grant", 50053,
            "The account is locked because there were too many tries with a wrong user name or password. Try "
            "again in a quarter of an hour.");
        return false;
    }
    struct rbac_verdict verdict = rbac_verify_password(call->snapshot, call->tx, call->arena, name, password);
    if (verdict.fault == RBAC_BUSY)
        return signin_busy(call);
    if (verdict.fault == RBAC_REVOKED) {
        signin_error(call, 400, "invalid_grant", 50057, "The user account is disabled.");
        return false;
    }
    const struct rbac_principal *principal =
        verdict.fault == RBAC_OK ? rbac_principal_by_id(call->snapshot, text_of(verdict.caller.object_id))
                                 : NULL;
    if (!principal || !principal->user) {
        attempts_password_count(call->arena, name, address);
        signin_error(call, 400, "invalid_grant", 50126,
                     "Error validating credentials due to invalid username or password.");
        return false;
    }
    return signin_grant(call, &(struct signin_grant){principal, client_id, issuer, &wanted});
}

static bool refuse_grant(struct service_call *call, int code, const char *text)
{
    signin_error(call, 400, "invalid_grant", code, "%s", text);
    return false;
}

static bool grant_refresh(struct service_call *call, const struct signin_form *form, const char *client_id,
                          const char *issuer)
{
    struct text sealed;
    struct refresh_token token;
    struct signin_resource wanted;
    if (!signin_required(call, form, "refresh_token", &sealed))
        return false;
    if (!mint_open_refresh_token(call->arena, sealed, &token))
        return refuse_grant(call, 9002313, "Invalid request. The refresh token is malformed or invalid.");
    if (strcmp(token.client_id, client_id) != 0)
        return refuse_grant(call, 70000,
                            "The provided refresh token was issued to another client application.");
    if (token.expires_at <= clock_wall() / 1000000)
        return refuse_grant(call, 700082, "The refresh token has expired due to inactivity.");
    const struct rbac_principal *principal = rbac_principal_by_id(call->snapshot, text_of(token.object_id));
    if (!principal || !principal->user)
        return refuse_grant(call, 50034, "The user account does not exist in this directory.");
    if (!principal->enabled)
        return refuse_grant(call, 50057, "The user account is disabled.");
    if (principal->stamp != token.stamp)
        return refuse_grant(
            call, 50173,
            "The provided grant has expired due to it being revoked, a fresh auth token is needed. The "
            "user might have changed or reset their password.");
    if (!signin_read_resource(call, signin_field(form, "resource"), signin_field(form, "scope"),
                              token.audience, &wanted))
        return false;
    return signin_grant(call, &(struct signin_grant){principal, client_id, issuer, &wanted});
}

static bool refuse_grant_type(struct service_call *call, struct text type)
{
    if (text_is(type, "authorization_code"))
        signin_error(call, 400, "unsupported_grant_type", 70003,
                     "Interactive browser sign-in is not offered by this service. Use the device code flow.");
    else
        signin_error(call, 400, "unsupported_grant_type", 70003,
                     "The app requested an unsupported grant type '%.*s'.",
                     TEXT_ARG(type.length > 128 ? TEXT("given") : type));
    return false;
}

bool signin_token(struct service_call *call)
{
    const char *issuer = signin_issuer(call), *client_id;
    struct signin_form form;
    struct text type;
    if (!issuer || !signin_read_form(call, &form) || !signin_required(call, &form, "grant_type", &type))
        return false;
    if (text_is(type, "client_credentials"))
        return grant_client(call, &form, issuer);
    bool password = text_is(type, "password"), refresh = text_is(type, "refresh_token");
    if (!password && !refresh && !text_is(type, DEVICE_GRANT) && !text_is(type, "device_code"))
        return refuse_grant_type(call, type);
    if (!check_public_client(call, &form, &client_id))
        return false;
    if (password)
        return grant_password(call, &form, client_id, issuer);
    if (refresh)
        return grant_refresh(call, &form, client_id, issuer);
    return signin_device_grant(call, &form, client_id, issuer);
}
