// The documents by which clients find the rest: OpenID configuration (OpenID Connect Discovery 1.0) and keys.
#include "rbac/signin.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/site.h"
#include "rbac/audience.h"
#include "rbac/keys.h"

static void write_strings(struct buffer *out, const char *name, const char *const *strings)
{
    json_key(out, name);
    json_begin_array(out);
    for (; *strings; strings++)
        json_text(out, text_of(*strings));
    json_end_array(out);
}

static void write_lists(struct buffer *out)
{
    write_strings(out, "grant_types_supported",
                  (const char *const[]){"client_credentials", "password", "refresh_token",
                                        "urn:ietf:params:oauth:grant-type:device_code", NULL});
    // No response type: interactive browser sign-in is not offered.
    write_strings(out, "response_types_supported", (const char *const[]){NULL});
    write_strings(out, "subject_types_supported", (const char *const[]){"public", NULL});
    write_strings(out, "scopes_supported",
                  (const char *const[]){"openid", "profile", "offline_access", "user_impersonation", NULL});
    write_strings(out, "id_token_signing_alg_values_supported", (const char *const[]){"RS256", NULL});
    write_strings(out, "token_endpoint_auth_methods_supported",
                  (const char *const[]){"client_secret_post", "client_secret_basic", NULL});
    write_strings(out, "claims_supported",
                  (const char *const[]){"aud", "iss", "iat", "nbf", "exp", "oid", "sub", "tid", "upn",
                                        "unique_name", "preferred_username", "name", "appid", "ver", NULL});
}

bool signin_configuration(struct service_call *call)
{
    const char *issuer = signin_issuer(call);
    if (!issuer)
        return false;
    bool tenant = issuer != rbac_access_issuer();
    const struct config *config = site()->config;
    // A document under /adfs/<tenant>/ leads to the token endpoint that puts this document's issuer into id
    // tokens.
    const char *base = tenant ? arena_printf(call->arena, "%s/adfs/%s", config->url_adfs, config->tenant_id)
                              : arena_printf(call->arena, "%s/adfs", config->url_adfs);
    struct buffer out = buffer_new(call->arena);
    json_begin_object(&out);
    json_key_string(&out, "issuer", issuer);
    json_key_format(&out, "authorization_endpoint", "%s/oauth2/authorize/", base);
    json_key_format(&out, "token_endpoint", "%s/oauth2/token", base);
    json_key_format(&out, "device_authorization_endpoint", "%s/oauth2/devicecode", base);
    json_key_format(&out, "jwks_uri", "%s/adfs/discovery/keys", config->url_adfs);
    json_key_format(&out, "end_session_endpoint", "%s/adfs/oauth2/logout", config->url_adfs);
    json_key_string(&out, "access_token_issuer", rbac_access_issuer());
    write_lists(&out);
    json_end_object(&out);
    signin_json(call, buffer_done(&out));
    return true;
}

bool signin_keys(struct service_call *call)
{
    if (!signin_issuer(call))
        return false;
    signin_json(call, rbac_jwks(call->arena, call->snapshot));
    return true;
}
