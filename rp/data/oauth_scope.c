// Reads scopes ("repository:lib/app:pull,push") and grants what the caller may do.
#include "rp/data/oauth_scope.h"

#include "rp/data/registry_token.h"

static unsigned requested_access(struct text type, struct text name, struct text actions)
{
    unsigned access = 0;
    while (actions.length > 0) {
        ptrdiff_t comma = text_find(actions, ',');
        size_t end = comma < 0 ? actions.length : (size_t)comma;
        access |= registry_access_of_action(type, name, text_slice(actions, 0, end));
        actions = text_slice(actions, comma < 0 ? actions.length : end + 1, actions.length);
    }
    return access;
}

static bool grant_one(const struct registry_call *call, struct text scope, struct registry_grant *grant)
{
    ptrdiff_t first = text_find(scope, ':'), last = text_rfind(scope, ':');
    if (first <= 0 || last <= first)
        return false;
    struct text type = text_slice(scope, 0, (size_t)first),
                name = text_slice(scope, (size_t)first + 1, (size_t)last),
                actions = text_slice(scope, (size_t)last + 1, scope.length);
    bool repository = text_is(type, "repository");
    if (repository && repository_name_fault(name))
        return false;
    unsigned wanted = requested_access(type, name, actions);
    *grant = (struct registry_grant){.type = type, .name = name};
    for (unsigned bit = ACCESS_CATALOG; bit <= ACCESS_DELETE; bit <<= 1)
        if ((wanted & bit) && registry_may_in(call, repository ? name : TEXT_NONE, (enum registry_access)bit))
            grant->access |= bit;
    return grant->access != 0;
}

size_t oauth_grants(const struct registry_call *call, const struct http_field *fields, size_t count,
                    struct registry_grant *grants)
{
    size_t filled = 0;
    for (size_t i = 0; i < count; i++) {
        if (!text_is(fields[i].name, "scope"))
            continue;
        struct text rest = fields[i].value;
        while (rest.length > 0 && filled < OAUTH_SCOPE_LIMIT) {
            ptrdiff_t blank = text_find(rest, ' ');
            size_t end = blank < 0 ? rest.length : (size_t)blank;
            if (grant_one(call, text_slice(rest, 0, end), &grants[filled]))
                filled++;
            rest = text_slice(rest, blank < 0 ? rest.length : end + 1, rest.length);
        }
    }
    return filled;
}
