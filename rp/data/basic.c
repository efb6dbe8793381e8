// Who asks: the Authorization header, and names with passwords.
#include "rp/data/access.h"

#include "base/arena.h"
#include "base/crypto.h"
#include "rbac/attempts.h"
#include "rp/data/registry_token.h"

enum { BASIC_LIMIT = 24576 }; // a token may be the password

struct text registry_scheme_value(struct text authorization, const char *scheme)
{
    size_t length = strlen(scheme);
    if (!text_starts_nocase(authorization, scheme) || authorization.length <= length ||
        authorization.base[length] != ' ')
        return TEXT_NONE;
    return text_trim(text_slice(authorization, length, authorization.length));
}

bool registry_basic_decode(struct arena *arena, struct text value, struct text *name, struct text *password)
{
    struct text plain;
    if (value.length == 0 || value.length > BASIC_LIMIT || !text_unbase64(arena, value, &plain))
        return false;
    ptrdiff_t colon = text_find(plain, ':');
    if (colon < 0 || !text_is_utf8(plain))
        return false;
    *name = text_slice(plain, 0, (size_t)colon);
    *password = text_slice(plain, (size_t)colon + 1, plain.length);
    return true;
}

// Which of the registry's two passwords it is: 1, 2 or 0. Both are always compared.
static int admin_password_number(struct registry_call *call, struct text password)
{
    const struct registry *registry = &call->registry;
    int found = 0;
    for (int number = 2; number >= 1; number--) {
        const char *where = arena_printf(call->arena, "acr.registry/%lld/%s", (long long)registry->id,
                                         number == 2 ? "password2" : "password");
        struct text plain;
        if (master_key_open(site()->master_key, call->arena, "registry-password", where,
                            number == 2 ? registry->password2 : registry->password, &plain) &&
            crypto_equal(plain, password))
            found = number;
    }
    return found;
}

static enum registry_sign_in sign_in_admin(struct registry_call *call, struct text password)
{
    if (!call->registry.admin_enabled)
        return SIGN_IN_REFUSED;
    int number = admin_password_number(call, password);
    if (number == 0)
        return SIGN_IN_REFUSED;
    call->identity =
        (struct registry_identity){.kind = IDENTITY_ADMIN, .admin_password = number, .narrowed = ~0u};
    call->identity.caller.name = text_cstr(call->arena, call->registry.name);
    return SIGN_IN_OK;
}

static enum registry_sign_in sign_in_principal(struct registry_call *call, struct text name,
                                               struct text password)
{
    struct rbac_verdict verdict = rbac_verify_password_cached(call->snapshot, call->arena, name, password);
    if (verdict.fault != RBAC_OK) {
        if (!call->tx)
            return SIGN_IN_WAIT;
        // A user's password is as worth guessing here as at the sign-in service: one count for both.
        struct text address = call->request->client_address;
        bool guessable = !uuid_is(name);
        if (guessable && attempts_password_exhausted(call->arena, name, address))
            return SIGN_IN_REFUSED;
        verdict = rbac_verify_password(call->snapshot, call->tx, call->arena, name, password);
        if (guessable && verdict.fault != RBAC_OK && verdict.fault != RBAC_BUSY)
            attempts_password_count(call->arena, name, address);
    }
    if (verdict.fault == RBAC_BUSY)
        registry_fail(call, 503, "UNAVAILABLE", TEXT_NONE, "the registry is busy; try again");
    if (verdict.fault != RBAC_OK)
        return SIGN_IN_REFUSED;
    call->identity =
        (struct registry_identity){.kind = IDENTITY_PRINCIPAL, .caller = verdict.caller, .narrowed = ~0u};
    return SIGN_IN_OK;
}

enum registry_sign_in registry_sign_in_password(struct registry_call *call, struct text name,
                                                struct text password)
{
    if (name.length == 0 || password.length == 0)
        return SIGN_IN_REFUSED;
    enum registry_sign_in result;
    if (text_is(name, "00000000-0000-0000-0000-000000000000"))
        result = registry_token_verify(call, password, TOKEN_REFRESH | TOKEN_ACCESS, NULL) ? SIGN_IN_OK
                                                                                           : SIGN_IN_REFUSED;
    else if (text_equal_nocase(name, call->registry.login_key))
        result = sign_in_admin(call, password);
    else
        result = sign_in_principal(call, name, password);
    if (result == SIGN_IN_OK)
        registry_narrow(call);
    return result;
}

enum registry_sign_in registry_sign_in(struct registry_call *call)
{
    bool doubled = false;
    struct text authorization = text_trim(http_header(call->request, "authorization", &doubled));
    if (doubled)
        return SIGN_IN_REFUSED;
    if (authorization.length == 0)
        return SIGN_IN_NONE;
    struct text bearer = registry_scheme_value(authorization, "Bearer");
    if (bearer.base) {
        if (!registry_token_verify(call, bearer, TOKEN_ACCESS, NULL))
            return SIGN_IN_REFUSED;
        registry_narrow(call);
        return SIGN_IN_OK;
    }
    struct text basic = registry_scheme_value(authorization, "Basic"), name, password;
    if (!basic.base || !registry_basic_decode(call->arena, basic, &name, &password))
        return SIGN_IN_REFUSED;
    return registry_sign_in_password(call, name, password);
}
