// Inside the sign-in service: its answers, its forms, and the parts that signin*.c share.
#pragma once
#include "rbac/service.h"

// Finds the call's handler. True: it waits for service_work; false: the exchange is answered.
bool signin_prepare(struct http_exchange *exchange);

struct signin_form {
    struct http_field *fields;
    size_t count;
};

// {"error":…,"error_description":"AADSTSnnn: …","error_codes":[nnn],…}; code 0: neither prefix nor code.
void signin_error(struct service_call *call, int status, const char *error, int code, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
// 200 with that JSON. Nothing of this host is ever kept by a cache, and nothing carries Retry-After
// (decisions 6).
void signin_json(struct service_call *call, struct text body);
void signin_html(struct service_call *call, int status, struct text body);
// HTML text with & < > " ' escaped.
struct text signin_escape(struct arena *arena, struct text t);

// Reads an application/x-www-form-urlencoded body: at most 64 KiB and 64 fields, none twice. False: answered.
bool signin_read_form(struct service_call *call, struct signin_form *form);
// The field's value; TEXT_NONE when absent or empty.
struct text signin_field(const struct signin_form *form, const char *name);
// The same, answering AADSTS900144 when it is missing.
bool signin_required(struct service_call *call, const struct signin_form *form, const char *name,
                     struct text *value);

// What a token is wanted for: `resource=` or the one resource among the words of `scope=`.
struct signin_resource {
    struct text audience;
    struct text scope; // as asked for, or TEXT_NONE when asked by resource=
};
// `fallback` is used when neither names a resource (TEXT_NONE: then it is refused). False: answered.
bool signin_read_resource(struct service_call *call, struct text resource, struct text scope,
                          struct text fallback, struct signin_resource *wanted);
// The issuer of the document that leads to this URL (decisions 26); NULL: no such tenant, answered.
const char *signin_issuer(struct service_call *call);
// Whether {tenant} in a path means this site.
bool signin_tenant_known(struct text tenant);

// signin_token.c: writes the 200. `client_id` is the client application's.
struct signin_grant {
    const struct rbac_principal *principal;
    const char *client_id;
    const char *issuer;
    const struct signin_resource *wanted;
};
bool signin_grant(struct service_call *call, const struct signin_grant *grant);
// The answer to who cannot be served just now; false.
bool signin_busy(struct service_call *call);
// A public client's id: a UUID. False: answered.
bool signin_client(struct service_call *call, const struct signin_form *form, const char **client_id);

service_handler signin_configuration; // signin_discovery.c
service_handler signin_keys;
service_handler signin_token;       // signin_token.c
service_handler signin_device_code; // signin_device.c
bool signin_device_grant(struct service_call *call, const struct signin_form *form, const char *client_id,
                         const char *issuer);
// "BCDF-GHJK" of anything a person may type; TEXT_NONE when it cannot be one.
struct text signin_user_code(struct arena *arena, struct text typed);
service_handler signin_page; // signin_page.c
service_handler signin_page_post;
service_handler signin_authorize;
service_handler signin_logout;
