// Device code (RFC 8628): handing out a pair of codes, and answering the device that asks whether it is
// approved.
#include "rbac/signin.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/crypto.h"
#include "base/site.h"
#include "rbac/attempts.h"

enum { CODE_SECONDS = 900, INTERVAL_SECONDS = 1, DEVICE_BYTES = 32, USER_CODE_LETTERS = 8 };
static const int64_t LEAST_INTERVAL = 500000; // microseconds; below it slow_down

// Without vowels (no words) and without letters that look like another.
static const char letters[] = "BCDFGHJKLMNPQRSTVWXZ";

// What nobody approves goes by itself, and when 10,000 wait, the oldest make room: to refuse the newest would
// let anybody close the door for all.
static const struct db_statement delete_old = {
    "device_delete_old",
    "delete from rbac.device_code where expires_at < clock_timestamp() - interval '15 minutes' "
    "or device_hash in (select device_hash from rbac.device_code where state = 'pending' "
    "order by expires_at desc offset 9999 for update skip locked)"};
static const struct db_statement insert_code = {
    "device_insert", "insert into rbac.device_code (device_hash, user_code, client_id, scope, expires_at) "
                     "values ($1, $2, $3, $4, clock_timestamp() + interval '15 minutes') "
                     "on conflict do nothing"};
static const struct db_statement select_code = {
    "device_select", "select client_id, state, expires_at <= clock_timestamp() from rbac.device_code "
                     "where device_hash = $1"};
// One poll wins: the code is redeemed once.
static const struct db_statement redeem_code = {
    "device_redeem", "delete from rbac.device_code where device_hash = $1 and state = 'approved' "
                     "and expires_at > clock_timestamp() returning object_id, scope"};

struct text signin_user_code(struct arena *arena, struct text typed)
{
    char code[USER_CODE_LETTERS + 2];
    size_t n = 0;
    for (size_t i = 0; i < typed.length && typed.length <= 64; i++) {
        char c = typed.base[i];
        if (c == ' ' || c == '-')
            continue;
        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        if (c == '\0' || !strchr(letters, c) || n == USER_CODE_LETTERS + 1)
            return TEXT_NONE;
        if (n == USER_CODE_LETTERS / 2)
            code[n++] = '-';
        code[n++] = c;
    }
    if (n != USER_CODE_LETTERS + 1)
        return TEXT_NONE;
    return text_copy(arena, (struct text){code, n});
}

static struct text random_user_code(struct arena *arena)
{
    char code[USER_CODE_LETTERS];
    for (size_t n = 0; n < sizeof code;) {
        unsigned char byte;
        crypto_random(&byte, 1);
        if (byte < 240) // 240 is a multiple of 20: every letter is as likely
            code[n++] = letters[byte % 20];
    }
    return signin_user_code(arena, (struct text){code, sizeof code});
}

static struct text hash_of(struct arena *arena, struct text device_code)
{
    unsigned char *hash = arena_alloc(arena, 32);
    crypto_sha256(device_code, hash);
    return (struct text){(const char *)hash, 32};
}

static void answer_codes(struct service_call *call, struct text device_code, struct text user_code)
{
    const char *page = arena_printf(call->arena, "%s/adfs/oauth2/deviceauth", site()->config->url_adfs);
    struct buffer out = buffer_new(call->arena);
    json_begin_object(&out);
    json_key_text(&out, "user_code", user_code);
    json_key_text(&out, "device_code", device_code);
    json_key_string(&out, "verification_uri", page);
    json_key_string(&out, "verification_url", page); // as AD FS and v1 clients spell it
    json_key_format(&out, "verification_uri_complete", "%s?user_code=%.*s", page, TEXT_ARG(user_code));
    json_key_int(&out, "expires_in", CODE_SECONDS);
    json_key_int(&out, "interval", INTERVAL_SECONDS);
    json_key_format(
        &out, "message",
        "To sign in, use a web browser to open the page %s and enter the code %.*s to authenticate.", page,
        TEXT_ARG(user_code));
    json_end_object(&out);
    signin_json(call, buffer_done(&out));
}

bool signin_device_code(struct service_call *call)
{
    struct signin_form form;
    struct signin_resource wanted;
    const char *client_id;
    if (!signin_issuer(call) || !signin_read_form(call, &form) || !signin_client(call, &form, &client_id) ||
        !signin_read_resource(call, signin_field(&form, "resource"), signin_field(&form, "scope"), TEXT_NONE,
                              &wanted))
        return false;
    unsigned char device[DEVICE_BYTES];
    crypto_random(device, sizeof device);
    struct text device_code = text_base64url(call->arena, device, sizeof device);
    struct text user_code = random_user_code(call->arena);
    // Without a scope the resource is what was asked for; the row keeps one form of it.
    struct text scope = wanted.scope.base && text_search(wanted.scope, wanted.audience) >= 0
                            ? wanted.scope
                            : text_of(arena_printf(call->arena, "%.*s/.default", TEXT_ARG(wanted.audience)));
    DB_RUN0(call->tx, &delete_old);
    const struct db_result *inserted =
        DB_RUN(call->tx, &insert_code, db_bytes(hash_of(call->arena, device_code)), db_text(user_code),
               db_string(client_id), db_text(scope));
    if (db_affected(inserted) != 1) {
        signin_error(call, 503, "temporarily_unavailable", 90033, "No code could be made. Please try again.");
        return false;
    }
    answer_codes(call, device_code, user_code);
    return true;
}

static bool refuse(struct service_call *call, const char *error, int code, const char *text)
{
    signin_error(call, 400, error, code, "%s", text);
    return false;
}

static bool redeem(struct service_call *call, struct text hash, const char *client_id, const char *issuer)
{
    const struct db_result *row = DB_RUN(call->tx, &redeem_code, db_bytes(hash));
    if (db_rows(row) != 1)
        return refuse(call, "invalid_grant", 70000, "The device code was redeemed already.");
    const struct rbac_principal *principal = rbac_principal_by_id(call->snapshot, db_get(row, 0, 0));
    if (!principal || !principal->user || !principal->enabled)
        return refuse(call, "invalid_grant", 50057, "The user account is disabled.");
    struct signin_resource wanted;
    if (!signin_read_resource(call, TEXT_NONE, text_copy(call->arena, db_get(row, 0, 1)), TEXT_NONE, &wanted))
        return false;
    return signin_grant(call, &(struct signin_grant){principal, client_id, issuer, &wanted});
}

bool signin_device_grant(struct service_call *call, const struct signin_form *form, const char *client_id,
                         const char *issuer)
{
    // az sends the same value under both names.
    struct text device_code = signin_field(form, "device_code"), code = signin_field(form, "code");
    if (!device_code.base && !code.base)
        return signin_required(call, form, "device_code", &device_code);
    if (device_code.base && code.base && !text_equal(device_code, code))
        return refuse(call, "invalid_request", 9002313, "Invalid request. 'code' and 'device_code' differ.");
    if (!device_code.base)
        device_code = code;
    struct text hash = hash_of(call->arena, device_code);
    const struct db_result *row = DB_RUN(call->tx, &select_code, db_bytes(hash));
    if (db_rows(row) != 1 || !text_is(db_get(row, 0, 0), client_id))
        return refuse(call, "invalid_grant", 70000, "The provided value for the 'device_code' is not valid.");
    if (db_get_bool(row, 0, 2))
        return refuse(call, "expired_token", 70019, "The verification code expired.");
    struct text state = db_get(row, 0, 1);
    if (text_is(state, "denied"))
        return refuse(call, "access_denied", 65004, "The user declined to approve the sign-in.");
    if (text_is(state, "approved"))
        return redeem(call, hash, client_id, issuer);
    if (attempts_too_soon("poll", text_hex(call->arena, hash.base, hash.length), LEAST_INTERVAL))
        return refuse(call, "slow_down", 70016, "OAuth 2.0 device flow error. The device asks too often.");
    return refuse(call, "authorization_pending", 70016,
                  "OAuth 2.0 device flow error. Authorization is pending. Continue polling.");
}
