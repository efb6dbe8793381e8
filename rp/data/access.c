// Whether an identity may do what a route needs: the RBAC actions behind each data-plane scope (decisions 9),
// narrowed by what an access token was made for.
#include "rp/data/access.h"

#define ACTION(word) "Microsoft.ContainerRegistry/registries/" word

static bool allowed(const struct registry_call *call, const char *action)
{
    return call->snapshot &&
           rbac_may(call->snapshot, call->identity.caller.object_id, action, call->registry.resource_id);
}

static bool principal_may(const struct registry_call *call, enum registry_access access);

// A credential of this registry: of a principal that may do something here. Without that, a client's login
// fails at once instead of at its first pull.
static bool may_anything(const struct registry_call *call)
{
    return principal_may(call, ACCESS_CATALOG) || principal_may(call, ACCESS_METADATA_READ) ||
           principal_may(call, ACCESS_METADATA_WRITE) || allowed(call, ACTION("push/write"));
}

static bool principal_may(const struct registry_call *call, enum registry_access access)
{
    switch (access) {
    case ACCESS_NONE:
        return true;
    case ACCESS_BASE:
        return may_anything(call);
    case ACCESS_CATALOG:
        return allowed(call, ACTION("pull/read")) || allowed(call, ACTION("read"));
    case ACCESS_PULL:
        return allowed(call, ACTION("pull/read"));
    case ACCESS_PUSH:
        return allowed(call, ACTION("push/write")) && allowed(call, ACTION("pull/read"));
    case ACCESS_METADATA_READ:
        return allowed(call, ACTION("metadata/read")) || allowed(call, ACTION("pull/read")) ||
               allowed(call, ACTION("artifacts/delete"));
    case ACCESS_METADATA_WRITE:
        return allowed(call, ACTION("metadata/write"));
    case ACCESS_DELETE:
        return allowed(call, ACTION("artifacts/delete"));
    }
    return false;
}

// What the token's `access` claim is good for at that repository (absent: the registry itself).
static unsigned granted_access(const struct registry_identity *identity, struct text repository)
{
    if (!identity->narrows)
        return ~0u;
    unsigned access = ACCESS_BASE;
    for (size_t i = 0; i < identity->grant_count; i++) {
        const struct registry_grant *grant = &identity->grants[i];
        bool fits =
            text_is(grant->type, "registry") ||
            (repository.base && text_is(grant->type, "repository") && text_equal(grant->name, repository));
        if (fits)
            access |= grant->access;
    }
    return access;
}

void registry_narrow(struct registry_call *call)
{
    call->identity.narrowed = granted_access(&call->identity, call->repository);
}

static bool identity_may(const struct registry_call *call, enum registry_access access)
{
    switch (call->identity.kind) {
    case IDENTITY_ADMIN:
        return call->registry.admin_enabled;
    case IDENTITY_PRINCIPAL:
        return principal_may(call, access);
    case IDENTITY_ANONYMOUS:
    case IDENTITY_NONE:
        return false;
    }
    return false;
}

bool registry_may(const struct registry_call *call, enum registry_access access)
{
    if (access == ACCESS_NONE)
        return true;
    return (call->identity.narrowed & access) != 0 && identity_may(call, access);
}

bool registry_may_in(const struct registry_call *call, struct text repository, enum registry_access access)
{
    return (granted_access(&call->identity, repository) & access) != 0 && identity_may(call, access);
}

// The registry's subscription, from its id: "/subscriptions/{36 characters}/…".
static struct text subscription_of(const struct registry_call *call)
{
    struct text id = call->registry.resource_id;
    size_t start = sizeof "/subscriptions/" - 1, end = start + 36;
    return id.length > end ? text_slice(id, start, end) : TEXT_NONE;
}

bool registry_writable(const struct registry_call *call, enum registry_access access)
{
    if (!(access & (ACCESS_PUSH | ACCESS_DELETE | ACCESS_METADATA_WRITE)))
        return true;
    const struct rbac_subscription *subscription =
        rbac_subscription_by_id(call->snapshot, subscription_of(call));
    return subscription && subscription->enabled;
}
