// Who asks: the bearer token, and the 401 family with its challenge (arm-core 4.2, decisions 1 and 24).
#include "arm/door_parts.h"

#include "base/arena.h"
#include "base/clock.h"

static const char *authority(struct arena *arena)
{
    const struct config *config = site()->config;
    return arena_printf(arena, "%s/adfs/%s", config->url_adfs, config->tenant_id);
}

static void challenge(struct arm_call *call, const char *description)
{
    // The description stands between quotes in a header: no quote and no control character may come in.
    char *clean = arena_strdup(call->arena, description);
    for (char *c = clean; *c; c++)
        if (*c == '"' || *c == '\\' || (unsigned char)*c < 0x20)
            *c = '\'';
    call->failure->challenge = arena_printf(
        call->arena, "Bearer authorization_uri=\"%s\", error=\"invalid_token\", error_description=\"%s\"",
        authority(call->arena), clean);
}

// "Bearer <token>", the scheme in any case. *present: there is an Authorization header at all.
bool door_bearer(const struct http_request *request, struct text *token, bool *present)
{
    bool doubled = false;
    struct text value = text_trim(http_header(request, "authorization", &doubled));
    *present = value.length > 0;
    if (!*present || doubled || !text_starts_nocase(value, "bearer "))
        return false;
    *token = text_trim(text_slice(value, 7, value.length));
    return token->length > 0;
}

static const char *allowed_audiences(struct arena *arena)
{
    struct buffer b = buffer_new(arena);
    const char *const *audiences = rbac_audiences_arm();
    for (size_t i = 0; audiences[i]; i++)
        buffer_format(&b, "%s'%s'", i ? "," : "", audiences[i]);
    return buffer_done(&b).base;
}

static void fail_fault(struct arm_call *call, const struct rbac_verdict *verdict)
{
    struct arena *arena = call->arena;
    switch (verdict->fault) {
    case RBAC_EXPIRED:
        arm_fail(call, ARM_EXPIRED_TOKEN, TEXT_ARG(clock_american(arena, verdict->expired_at)),
                 TEXT_ARG(clock_american(arena, clock_wall())));
        break;
    case RBAC_AUDIENCE:
        arm_fail(call, ARM_WRONG_AUDIENCE, verdict->claimed ? verdict->claimed : "",
                 allowed_audiences(arena));
        break;
    case RBAC_ISSUER:
        arm_fail(call, ARM_WRONG_TENANT, verdict->claimed ? verdict->claimed : "",
                 arena_printf(arena, "%s/%s/", site()->config->url_adfs, site()->config->tenant_id),
                 authority(arena));
        break;
    default:
        arm_fail(call, ARM_INVALID_TOKEN);
    }
    challenge(call, call->failure->message);
}

// Somebody whose token was judged when the work was asked for: still known, let in and with the same secret?
static bool still_known(struct arm_call *call, const struct rbac_caller *caller)
{
    const struct rbac_principal *principal = rbac_principal_by_id(call->snapshot, text_of(caller->object_id));
    if (principal && principal->enabled && principal->stamp == caller->stamp) {
        call->caller = caller;
        return true;
    }
    arm_fail(call, ARM_INVALID_TOKEN);
    challenge(call, call->failure->message);
    return false;
}

bool door_authenticate(struct arm_call *call)
{
    if (((struct door_call *)call)->on_behalf_of)
        return still_known(call, ((struct door_call *)call)->on_behalf_of);
    struct text token;
    bool present;
    if (!door_bearer(call->request, &token, &present)) {
        if (!present) {
            arm_fail(call, ARM_NO_AUTHORIZATION);
            challenge(call, "The authentication failed because of missing 'Authorization' header.");
        } else {
            arm_fail(call, ARM_INVALID_TOKEN);
            challenge(call, call->failure->message);
        }
        return false;
    }
    struct rbac_verdict *verdict = ARENA_NEW(call->arena, struct rbac_verdict);
    *verdict = rbac_verify_token(call->snapshot, call->arena, token, rbac_audiences_arm());
    if (verdict->fault != RBAC_OK) {
        fail_fault(call, verdict);
        return false;
    }
    call->caller = &verdict->caller;
    return true;
}

// The subscription belongs to another tenant than the caller's.
void door_fail_tenant(struct arm_call *call, const char *tenant_id)
{
    const char *base = site()->config->url_adfs;
    arm_fail(call, ARM_WRONG_TENANT, arena_printf(call->arena, "%s/%s/", base, call->caller->tenant_id),
             arena_printf(call->arena, "%s/%s/", base, tenant_id),
             arena_printf(call->arena, "%s/adfs/%s", base, tenant_id));
    challenge(call, call->failure->message);
}
