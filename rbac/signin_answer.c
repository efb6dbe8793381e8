// How the sign-in service answers (az-cli.md 3.1), and how it reads the forms that are posted to it.
#include "rbac/signin.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/site.h"
#include "rbac/audience.h"

enum { FORM_BYTES = 64 * 1024, FORM_FIELDS = 64, SCOPE_BYTES = 2048 };

static void common_headers(struct service_call *call, const char *type)
{
    http_set_header_string(call->answer, "Content-Type", type);
    http_set_header_string(call->answer, "Cache-Control", "no-store");
    http_set_header_string(call->answer, "Pragma", "no-cache");
    http_set_header_string(call->answer, "X-Content-Type-Options", "nosniff");
    http_set_header_string(call->answer, "x-ms-request-id", call->request->request_id);
}

void signin_json(struct service_call *call, struct text body)
{
    call->answer->status = 200;
    call->answer->body = body;
    common_headers(call, "application/json");
}

void signin_html(struct service_call *call, int status, struct text body)
{
    call->answer->status = status;
    call->answer->body = body;
    common_headers(call, "text/html; charset=utf-8");
    http_set_header_string(call->answer, "Content-Security-Policy",
                           "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'");
    http_set_header_string(call->answer, "X-Frame-Options", "DENY");
    http_set_header_string(call->answer, "Referrer-Policy", "same-origin");
}

void signin_error(struct service_call *call, int status, const char *error, int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *text = arena_vprintf(call->arena, format, arguments);
    va_end(arguments);
    struct buffer out = buffer_new(call->arena);
    json_begin_object(&out);
    json_key_string(&out, "error", error);
    if (code)
        json_key_format(&out, "error_description", "AADSTS%d: %s", code, text);
    else
        json_key_string(&out, "error_description", text);
    json_key(&out, "error_codes");
    json_begin_array(&out);
    if (code)
        json_int(&out, code);
    json_end_array(&out);
    json_key_text(&out, "timestamp", clock_iso(call->arena, clock_wall() / 1000000 * 1000000, "Z"));
    json_key_string(&out, "trace_id", call->request->request_id);
    json_key_string(&out, "correlation_id", call->request->correlation_id);
    json_end_object(&out);
    call->answer->status = status;
    call->answer->body = buffer_done(&out);
    common_headers(call, "application/json");
    if (code != 70016) // a device that waits asks every second
        log_info("sign-in.refused", "error", error, "code", log_number(code), "request",
                 call->request->request_id, "address", text_cstr(call->arena, call->request->client_address));
}

struct text signin_escape(struct arena *arena, struct text t)
{
    struct buffer out = buffer_new(arena);
    for (size_t i = 0; i < t.length; i++) {
        switch (t.base[i]) {
        case '&':
            buffer_string(&out, "&amp;");
            break;
        case '<':
            buffer_string(&out, "&lt;");
            break;
        case '>':
            buffer_string(&out, "&gt;");
            break;
        case '"':
            buffer_string(&out, "&quot;");
            break;
        case '\'':
            buffer_string(&out, "&#39;");
            break;
        default:
            buffer_char(&out, t.base[i]);
        }
    }
    return buffer_done(&out);
}

static bool malformed(struct service_call *call, const char *why)
{
    signin_error(call, 400, "invalid_request", 9002313,
                 "Invalid request. Request is malformed or invalid: %s.", why);
    return false;
}

bool signin_read_form(struct service_call *call, struct signin_form *form)
{
    bool doubled = false;
    struct text type = http_header(call->request, "content-type", &doubled);
    ptrdiff_t semicolon = text_find(type, ';');
    if (semicolon >= 0)
        type = text_trim(text_slice(type, 0, (size_t)semicolon));
    if (doubled || !text_is_nocase(type, "application/x-www-form-urlencoded"))
        return malformed(call, "the Content-Type must be application/x-www-form-urlencoded");
    if (call->request->body.length > FORM_BYTES)
        return malformed(call, "the form is longer than 65536 bytes");
    if (!http_parse_form(call->arena, call->request->body, &form->fields, &form->count))
        return malformed(call, "the form has a bad escape or is not UTF-8");
    if (form->count > FORM_FIELDS)
        return malformed(call, "the form has more than 64 parameters");
    for (size_t i = 0; i < form->count; i++)
        for (size_t k = 0; k < i; k++)
            if (text_equal(form->fields[i].name, form->fields[k].name))
                return malformed(call, "a parameter is given twice");
    return true;
}

struct text signin_field(const struct signin_form *form, const char *name)
{
    struct text value = http_field_value(form->fields, form->count, name);
    return value.length > 0 ? value : TEXT_NONE;
}

bool signin_required(struct service_call *call, const struct signin_form *form, const char *name,
                     struct text *value)
{
    *value = signin_field(form, name);
    if (value->base)
        return true;
    signin_error(call, 400, "invalid_request", 900144,
                 "The request body must contain the following parameter: '%s'.", name);
    return false;
}

static struct text next_word(struct text *rest)
{
    while (rest->length > 0 && rest->base[0] == ' ')
        *rest = text_slice(*rest, 1, rest->length);
    ptrdiff_t blank = text_find(*rest, ' ');
    struct text word = text_slice(*rest, 0, blank < 0 ? rest->length : (size_t)blank);
    *rest = text_slice(*rest, word.length, rest->length);
    return word;
}

static bool is_protocol_scope(struct text word)
{
    return text_is(word, "openid") || text_is(word, "profile") || text_is(word, "offline_access") ||
           text_is(word, "email");
}

// Exactly the suffix goes: "https://graph.example//.default" is the resource "https://graph.example/".
static bool strip_suffix(struct text word, struct text *resource)
{
    static const char *const suffixes[] = {"/.default", "/user_impersonation"};
    for (size_t i = 0; i < 2; i++)
        if (text_ends(word, suffixes[i])) {
            *resource = text_slice(word, 0, word.length - strlen(suffixes[i]));
            return true;
        }
    return false;
}

static bool refuse_resource(struct service_call *call, struct text resource)
{
    signin_error(call, 400, "invalid_resource", 500011,
                 "The resource principal named %.*s was not found in the tenant named %s.",
                 TEXT_ARG(resource), site()->config->tenant_id);
    return false;
}

static bool refuse_scope(struct service_call *call, struct text scope)
{
    signin_error(
        call, 400, "invalid_scope", 70011,
        "The provided request must include a 'scope' input parameter. The provided value for the input "
        "parameter 'scope' is not valid. The scope %.*s is not valid.",
        TEXT_ARG(scope));
    return false;
}

bool signin_read_resource(struct service_call *call, struct text resource, struct text scope,
                          struct text fallback, struct signin_resource *wanted)
{
    *wanted = (struct signin_resource){.scope = scope};
    if (scope.length > SCOPE_BYTES || resource.length > SCOPE_BYTES)
        return refuse_scope(call, TEXT("given"));
    struct text rest = scope.base ? scope : TEXT(""), found = TEXT_NONE;
    for (struct text word = next_word(&rest); word.length > 0; word = next_word(&rest)) {
        struct text named;
        if (is_protocol_scope(word))
            continue;
        if (!strip_suffix(word, &named))
            return refuse_scope(call, scope);
        if (found.base && !text_equal(found, named))
            return refuse_scope(call, scope); // one token is for one resource
        found = named;
    }
    if (resource.base && found.base && !text_equal(resource, found))
        return refuse_scope(call, scope);
    wanted->audience = resource.base ? resource : found.base ? found : fallback;
    if (!wanted->audience.base)
        return refuse_scope(call, scope.base ? scope : TEXT("(none)"));
    return rbac_audience_known(wanted->audience) || refuse_resource(call, wanted->audience);
}

// A site has one tenant, so every name means it; an id must be its id.
bool signin_tenant_known(struct text tenant)
{
    if (uuid_is(tenant))
        return text_is_nocase(tenant, site()->config->tenant_id);
    if (tenant.length == 0 || tenant.length > 253)
        return false;
    for (size_t i = 0; i < tenant.length; i++) {
        char c = tenant.base[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
              c == '-' || c == '_'))
            return false;
    }
    return true;
}

const char *signin_issuer(struct service_call *call)
{
    struct text tenant = http_parameter(&call->route, "tenant");
    if (!tenant.base || text_is_nocase(tenant, "adfs"))
        return rbac_access_issuer();
    if (signin_tenant_known(tenant))
        return rbac_tenant_issuer();
    if (tenant.length > 256 || !text_is_utf8(tenant))
        tenant = TEXT("given");
    signin_error(
        call, 400, "invalid_tenant", 90002,
        "Tenant '%.*s' not found. Check to make sure you have the correct tenant ID and are signing into the "
        "correct cloud.",
        TEXT_ARG(tenant));
    return NULL;
}
