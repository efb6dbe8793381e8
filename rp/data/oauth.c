// The registry's token service: /oauth2/exchange turns a sign-in token into a refresh token, /oauth2/token
// turns any credential into an access token, in every client's form (data-plane.md 1.3, 1.4). Both answer on
// the read lane unless a secret must be read and hashed.
#include "rp/data/access.h"
#include "rp/data/challenge.h"
#include "rp/data/oauth_scope.h"
#include "rp/data/registry_row.h"
#include "rp/data/registry_token.h"

#include "base/arena.h"

#define NULL_GUID "00000000-0000-0000-0000-000000000000"

enum { FORM_LIMIT = 65536, AUDIENCE_LIMIT = 16 };

// The parameters of one request: of the query (GET) or of the form (POST).
struct parameters {
    const struct http_field *fields;
    size_t count;
};

static struct text parameter(const struct parameters *parameters, const char *name)
{
    return http_field_value(parameters->fields, parameters->count, name);
}

// False after a failure.
static bool read_form(struct registry_call *call, struct parameters *parameters)
{
    struct text type = http_header(call->request, "content-type", NULL);
    if (type.length > 0 && !text_starts_nocase(type, "application/x-www-form-urlencoded")) {
        registry_fail(call, 415, "UNSUPPORTED", TEXT_NONE,
                      "the request must be of type application/x-www-form-urlencoded");
        return false;
    }
    struct http_field *fields = NULL;
    if (call->request->body.length > FORM_LIMIT ||
        !http_parse_form(call->arena, call->request->body, &fields, &parameters->count)) {
        registry_fail(call, 400, "UNSUPPORTED", TEXT_NONE, "the form of the request is malformed");
        return false;
    }
    parameters->fields = fields;
    return true;
}

// `service`, when given, must be this registry (a port may be left out). False after a failure.
static bool service_fits(struct registry_call *call, const struct parameters *parameters)
{
    struct text service = parameter(parameters, "service");
    struct text server = registry_login_server(call->arena, call->registry.login_key);
    ptrdiff_t colon = text_find(server, ':');
    struct text host = colon < 0 ? server : text_slice(server, 0, (size_t)colon);
    if (service.length == 0 || text_equal_nocase(service, server) || text_equal_nocase(service, host) ||
        text_equal_nocase(service, call->request->authority))
        return true;
    registry_fail(call, 400, "UNSUPPORTED", TEXT_NONE, "the service is not this registry");
    return false;
}

static void reply_tokens(struct registry_call *call, struct text access_token, struct text refresh_token)
{
    struct buffer out = buffer_new(call->arena);
    json_begin_object(&out);
    if (access_token.base) {
        json_key_text(&out, "access_token", access_token);
        json_key_int(&out, "expires_in", registry_token_seconds(call, TOKEN_ACCESS));
    }
    if (refresh_token.base)
        json_key_text(&out, "refresh_token", refresh_token);
    json_end_object(&out);
    registry_reply_json(call, 200, buffer_done(&out));
    http_set_header_string(call->answer, "Cache-Control", "no-store");
    http_set_header_string(call->answer, "X-Ms-Ratelimit-Remaining-Calls-Per-Second", "166.65");
}

// The site has no key to sign with: it is being made, or the snapshot is older than it.
static void fail_without_key(struct registry_call *call)
{
    registry_fail(call, 503, "UNAVAILABLE", TEXT_NONE, "the token service is starting; try again");
}

// A token of the sign-in service, for ARM's audience or the registry's (decisions 24).
static enum registry_sign_in sign_in_with_sign_in_token(struct registry_call *call, struct text token)
{
    const char *audiences[AUDIENCE_LIMIT + 1] = {NULL};
    size_t count = 0;
    const char *const *sources[] = {rbac_audiences_arm(), rbac_audiences_registry()};
    for (size_t s = 0; s < 2; s++)
        for (size_t i = 0; sources[s][i] && count < AUDIENCE_LIMIT; i++)
            audiences[count++] = sources[s][i];
    if (token.length == 0)
        return SIGN_IN_REFUSED;
    struct rbac_verdict verdict = rbac_verify_token(call->snapshot, call->arena, token, audiences);
    if (verdict.fault != RBAC_OK)
        return SIGN_IN_REFUSED;
    call->identity =
        (struct registry_identity){.kind = IDENTITY_PRINCIPAL, .caller = verdict.caller, .narrowed = ~0u};
    return SIGN_IN_OK;
}

// POST /oauth2/exchange. `tenant` is a hint for directories that serve several; our sign-in tokens say
// theirs.
static bool exchange(struct registry_call *call)
{
    struct parameters form;
    if (!read_form(call, &form) || !service_fits(call, &form))
        return true;
    struct text grant = parameter(&form, "grant_type");
    if (!text_is(grant, "access_token") && !text_is(grant, "access_token_refresh_token")) {
        registry_fail(call, 400, "UNSUPPORTED", TEXT_NONE, "the grant_type must be access_token");
        return true;
    }
    if (sign_in_with_sign_in_token(call, parameter(&form, "access_token")) != SIGN_IN_OK) {
        registry_unauthorized(call);
        return true;
    }
    struct text token = registry_token_mint(call, TOKEN_REFRESH, NULL, 0);
    if (token.base)
        reply_tokens(call, TEXT_NONE, token);
    else
        fail_without_key(call);
    return true;
}

// A credential that has been accepted: the access token, and a refresh token where the client asks for one. A
// refresh token that was shown is given back as it is: it does not outlive itself. An access token buys none.
static void issue(struct registry_call *call, const struct parameters *parameters, struct text shown)
{
    struct registry_grant grants[OAUTH_SCOPE_LIMIT];
    size_t count = oauth_grants(call, parameters->fields, parameters->count, grants);
    struct text access_token = registry_token_mint(call, TOKEN_ACCESS, grants, count),
                refresh_token = TEXT_NONE;
    if (!access_token.base) {
        fail_without_key(call);
        return;
    }
    bool offline = text_is(parameter(parameters, "offline_token"), "true") ||
                   text_is(parameter(parameters, "access_type"), "offline");
    if (offline && !call->identity.narrows && call->identity.kind != IDENTITY_ANONYMOUS)
        refresh_token = shown.base ? shown : registry_token_mint(call, TOKEN_REFRESH, NULL, 0);
    reply_tokens(call, access_token, refresh_token);
}

// Answers by what the sign-in came to; false: only the work lane can tell.
static bool conclude(struct registry_call *call, enum registry_sign_in result,
                     const struct parameters *parameters, struct text shown)
{
    if (result == SIGN_IN_WAIT)
        return false;
    if (result == SIGN_IN_OK)
        issue(call, parameters, shown);
    else
        registry_unauthorized(call);
    return true;
}

// GET /oauth2/token with Basic. `account` and `client_id` only say what the header says, or who the program
// is.
static bool token_by_basic(struct registry_call *call)
{
    struct parameters query = {call->request->query, call->request->query_count};
    if (!service_fits(call, &query))
        return true;
    bool doubled = false;
    struct text authorization = text_trim(http_header(call->request, "authorization", &doubled));
    struct text name, password;
    if (doubled ||
        !registry_basic_decode(call->arena, registry_scheme_value(authorization, "Basic"), &name, &password))
        return conclude(call, SIGN_IN_REFUSED, &query, TEXT_NONE);
    enum registry_sign_in result = registry_sign_in_password(call, name, password);
    return conclude(call, result, &query, text_is(name, NULL_GUID) ? password : TEXT_NONE);
}

static bool token_by_password(struct registry_call *call, const struct parameters *form)
{
    struct text name = parameter(form, "username"), password = parameter(form, "password");
    if (name.length == 0 && password.length == 0) {
        // The SDKs' anonymous form: a token that is good for nothing but a clear insufficient_scope.
        call->identity = (struct registry_identity){.kind = IDENTITY_ANONYMOUS, .narrowed = ~0u};
        return conclude(call, SIGN_IN_OK, form, TEXT_NONE);
    }
    enum registry_sign_in result = registry_sign_in_password(call, name, password);
    return conclude(call, result, form, text_is(name, NULL_GUID) ? password : TEXT_NONE);
}

static bool token_by_form(struct registry_call *call)
{
    struct parameters form;
    if (!read_form(call, &form) || !service_fits(call, &form))
        return true;
    struct text grant = parameter(&form, "grant_type");
    if (text_is(grant, "password"))
        return token_by_password(call, &form);
    if (text_is(grant, "access_token"))
        return conclude(call, sign_in_with_sign_in_token(call, parameter(&form, "access_token")), &form,
                        TEXT_NONE);
    if (text_is(grant, "refresh_token")) {
        struct text token = parameter(&form, "refresh_token");
        bool good = token.length > 0 && registry_token_verify(call, token, TOKEN_REFRESH, NULL);
        return conclude(call, good ? SIGN_IN_OK : SIGN_IN_REFUSED, &form, token);
    }
    registry_fail(call, 400, "UNSUPPORTED", TEXT_NONE,
                  "the grant_type must be password, refresh_token or access_token");
    return true;
}

// Both lanes run the same code; the loop only cannot wait.
static bool no_values(struct registry_call *call, struct db_value *values, size_t *count)
{
    (void)call, (void)values, (void)count;
    return true;
}

static bool exchange_read(struct registry_call *call, const struct db_result *result)
{
    (void)result;
    return exchange(call);
}

static bool basic_read(struct registry_call *call, const struct db_result *result)
{
    (void)result;
    return token_by_basic(call);
}

static bool form_read(struct registry_call *call, const struct db_result *result)
{
    (void)result;
    return token_by_form(call);
}

static void exchange_work(struct registry_call *call)
{
    exchange(call);
}

static void basic_work(struct registry_call *call)
{
    token_by_basic(call);
}

static void form_work(struct registry_call *call)
{
    token_by_form(call);
}

static const struct registry_read exchange_lane = {
    .statement = &registry_find_statement, .prepare = no_values, .answer = exchange_read};
static const struct registry_read basic_lane = {
    .statement = &registry_find_statement, .prepare = no_values, .answer = basic_read};
static const struct registry_read form_lane = {
    .statement = &registry_find_statement, .prepare = no_values, .answer = form_read};

const struct registry_operation registry_oauth_operations[] = {
    {{HTTP_POST, "/oauth2/exchange", "Authentication_Exchange"}, ACCESS_NONE, &exchange_lane, exchange_work},
    {{HTTP_GET, "/oauth2/token", "Authentication_TokenByBasic"}, ACCESS_NONE, &basic_lane, basic_work},
    {{HTTP_POST, "/oauth2/token", "Authentication_Token"}, ACCESS_NONE, &form_lane, form_work},
    {{0, NULL, NULL}, ACCESS_NONE, NULL, NULL},
};
