// The pages that people see: approving a device's sign-in, and what is said where a browser sign-in was
// tried.
#include "rbac/signin.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/log.h"
#include "base/site.h"
#include "rbac/attempts.h"
#include "rbac/token.h"

// Tries in a quarter of an hour: passwords for one code and for one name, codes from one address.
enum { TRIES_CODE = 10, TRIES_ADDRESS = 30 };

static const struct db_statement select_pending = {
    "device_pending", "select client_id from rbac.device_code where user_code = $1 and state = 'pending' "
                      "and expires_at > clock_timestamp()"};
static const struct db_statement decide_code = {
    "device_decide", "update rbac.device_code set state = $2, object_id = $3::uuid where user_code = $1 "
                     "and state = 'pending' and expires_at > clock_timestamp()"};

static void begin_page(struct buffer *out, const char *title)
{
    buffer_format(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width\"><title>%s</title></head>\n<body>\n<main>\n<h1>%s</h1>\n",
        title, title);
}

static struct text end_page(struct buffer *out)
{
    buffer_string(out, "</main>\n</body>\n</html>\n");
    return buffer_done(out);
}

static void message_page(struct service_call *call, int status, const char *title, const char *message)
{
    struct buffer out = buffer_new(call->arena);
    begin_page(&out, title);
    buffer_format(&out, "<p>%s</p>\n", message);
    signin_html(call, status, end_page(&out));
}

static void form_page(struct service_call *call, int status, struct text user_code, struct text name,
                      const char *problem)
{
    struct text code = signin_escape(call->arena, user_code.base ? user_code : TEXT(""));
    struct text user = signin_escape(call->arena, name.base ? name : TEXT(""));
    struct buffer out = buffer_new(call->arena);
    begin_page(&out, "Sign in on a device");
    if (problem)
        buffer_format(&out, "<p role=\"alert\"><strong>%s</strong></p>\n", problem);
    buffer_string(
        &out, "<p>Only go on if you started this sign-in yourself, on your own device: whoever gave you the "
              "code will act under your name.</p>\n"
              "<form method=\"post\" action=\"/adfs/oauth2/deviceauth\" autocomplete=\"off\">\n");
    buffer_format(
        &out,
        "<p><label>Code<br><input name=\"user_code\" required maxlength=\"16\" value=\"%.*s\"></label></p>\n",
        TEXT_ARG(code));
    buffer_format(&out,
                  "<p><label>User name<br><input name=\"username\" required maxlength=\"256\" "
                  "autocomplete=\"username\" value=\"%.*s\"></label></p>\n",
                  TEXT_ARG(user));
    buffer_string(
        &out, "<p><label>Password<br><input name=\"password\" type=\"password\" required maxlength=\"1024\" "
              "autocomplete=\"current-password\"></label></p>\n"
              "<p><button name=\"action\" value=\"approve\">Approve</button>\n"
              "<button name=\"action\" value=\"deny\">Deny</button></p>\n</form>\n");
    signin_html(call, status, end_page(&out));
}

bool signin_page(struct service_call *call)
{
    struct text typed = http_query(call->request, "user_code");
    form_page(call, 200, typed.base ? signin_user_code(call->arena, typed) : TEXT_NONE, TEXT_NONE, NULL);
    return true;
}

// The form carries the password itself and there is no session, so another site's page has nothing to ride
// on; and a browser says where a form came from, which must be here.
static bool from_here(const struct http_request *request)
{
    struct text origin = http_header(request, "origin", NULL),
                site_of = http_header(request, "sec-fetch-site", NULL);
    if (origin.base && !text_is_nocase(origin, site()->config->url_adfs))
        return false;
    return !site_of.base || text_is(site_of, "same-origin") || text_is(site_of, "none");
}

struct decision {
    struct text user_code, name, password;
    bool approve;
};

static bool read_decision(struct service_call *call, struct decision *decision)
{
    struct signin_form form;
    if (!signin_read_form(call, &form)) {
        message_page(call, 400, "Sign in on a device", "The form could not be read.");
        return false;
    }
    struct text typed = signin_field(&form, "user_code"), action = signin_field(&form, "action");
    decision->name = signin_field(&form, "username");
    decision->password = signin_field(&form, "password");
    decision->approve = text_is(action, "approve");
    decision->user_code = typed.base ? signin_user_code(call->arena, typed) : TEXT_NONE;
    const char *problem = NULL;
    if (!decision->approve && !text_is(action, "deny"))
        problem = "Choose Approve or Deny.";
    else if (!decision->user_code.base)
        problem = "This is not a code as your device shows it.";
    else if (!decision->name.base || !decision->password.base)
        problem = "Enter your user name and your password.";
    if (problem)
        form_page(call, 400, decision->user_code, decision->name.length <= 256 ? decision->name : TEXT_NONE,
                  problem);
    return !problem;
}

static bool too_many(struct service_call *call, const struct decision *decision, struct text name)
{
    if (!attempts_exhausted("code", decision->user_code, TRIES_CODE) &&
        !attempts_password_exhausted(call->arena, name, call->request->client_address) &&
        !attempts_exhausted("address", call->request->client_address, TRIES_ADDRESS))
        return false;
    message_page(call, 403, "Sign in on a device",
                 "There were too many failed tries. Wait a quarter of an hour.");
    return true;
}

// NULL: answered.
static const struct rbac_principal *check_user(struct service_call *call, const struct decision *decision,
                                               struct text name)
{
    struct rbac_verdict verdict =
        rbac_verify_password(call->snapshot, call->tx, call->arena, decision->name, decision->password);
    const struct rbac_principal *principal =
        verdict.fault == RBAC_OK ? rbac_principal_by_id(call->snapshot, text_of(verdict.caller.object_id))
                                 : NULL;
    if (principal && principal->user)
        return principal;
    if (verdict.fault == RBAC_BUSY) {
        message_page(call, 503, "Sign in on a device", "The service is busy. Try again in a moment.");
        return NULL;
    }
    attempts_count("code", decision->user_code);
    attempts_password_count(call->arena, name, call->request->client_address);
    form_page(call, 400, decision->user_code, decision->name.length <= 256 ? decision->name : TEXT_NONE,
              verdict.fault == RBAC_REVOKED ? "This account is disabled."
                                            : "The user name or the password is wrong.");
    return NULL;
}

bool signin_page_post(struct service_call *call)
{
    struct decision decision;
    if (!from_here(call->request)) {
        message_page(call, 403, "Sign in on a device", "This form was not sent from this page.");
        return false;
    }
    if (!read_decision(call, &decision))
        return false;
    struct text name = text_lower(call->arena, decision.name);
    if (too_many(call, &decision, name))
        return false;
    const struct db_result *pending = DB_RUN(call->tx, &select_pending, db_text(decision.user_code));
    if (db_rows(pending) != 1) {
        attempts_count("address", call->request->client_address);
        form_page(call, 400, TEXT_NONE, TEXT_NONE,
                  "This code is not known, was used already, or has expired.");
        return false;
    }
    const struct rbac_principal *principal = check_user(call, &decision, name);
    if (!principal)
        return false;
    const struct db_result *decided =
        DB_RUN(call->tx, &decide_code, db_text(decision.user_code),
               db_string(decision.approve ? "approved" : "denied"), db_string(principal->object_id));
    if (db_affected(decided) != 1) {
        form_page(call, 400, TEXT_NONE, TEXT_NONE,
                  "This code is not known, was used already, or has expired.");
        return false;
    }
    log_info(decision.approve ? "sign-in.device-approved" : "sign-in.device-denied", "principal",
             principal->object_id, "request", call->request->request_id);
    message_page(call, 200, decision.approve ? "Approved" : "Denied",
                 decision.approve ? "You have signed in on your device. You may close this window."
                                  : "The sign-in was denied. You may close this window.");
    return true;
}

bool signin_authorize(struct service_call *call)
{
    static const char sentence[] =
        "Interactive browser sign-in is not offered by this service. Use the device code flow: az login "
        "--use-device-code.";
    if (text_search(http_header(call->request, "accept", NULL), TEXT("text/html")) >= 0)
        message_page(call, 400, "Sign in", sentence);
    else
        signin_error(call, 400, "unsupported_response_type", 700054, "%s", sentence);
    return false;
}

bool signin_logout(struct service_call *call)
{
    message_page(call, 200, "Signed out",
                 "This service keeps no session in your browser. You may close this window.");
    return true;
}
