// Which types and api-versions a template may name. What a template of another version is told lists those
// that work: it is the one line that its author has to change.
#include "templates/type_versions.h"

#include "arm/types.h"
#include "base/arena.h"
#include "base/site.h"

static bool in(const char *const *versions, struct text version)
{
    for (; *versions; versions++)
        if (text_is_nocase(version, *versions))
            return true;
    return false;
}

static const char *joined(struct arena *arena, const char *const *versions)
{
    struct buffer b = buffer_new(arena);
    for (size_t i = 0; versions[i]; i++)
        buffer_format(&b, "%s%s", i > 0 ? ", " : "", versions[i]);
    return text_cstr(arena, buffer_done(&b));
}

// Whether something of that type can be put: lists and actions are types of the tables too.
static bool has_put(const struct arm_type *type)
{
    for (const struct arm_operation *o = type->operations; o && o->http.path; o++)
        if (o->http.method == HTTP_PUT)
            return true;
    return false;
}

// Several tables may serve one type.
static const struct arm_type *find(struct text namespace_name, struct text name)
{
    const struct arm_type *found = NULL;
    for (size_t i = 0; i < arm_type_count(); i++) {
        const struct arm_type *type = arm_type_at(i);
        if (!text_is_nocase(namespace_name, type->namespace_name) || !text_is_nocase(name, type->name))
            continue;
        if (has_put(type))
            return type;
        found = type;
    }
    return found;
}

const struct arm_type *type_found(struct text full)
{
    ptrdiff_t slash = text_find(full, '/');
    return slash < 0
               ? NULL
               : find(text_slice(full, 0, (size_t)slash), text_slice(full, (size_t)slash + 1, full.length));
}

static bool fail(struct type_failure *failure, int status, const char *code, const char *message)
{
    *failure = (struct type_failure){status, code, message};
    return false;
}

static bool fail_version(struct arena *arena, const struct arm_type *type, const char *const *served,
                         struct text version, struct text location, struct type_failure *failure)
{
    const char *region = site()->config->region;
    struct text shown = location.base ? location : text_of(region);
    return fail(
        failure, 400, "NoRegisteredProviderFound",
        arena_printf(arena,
                     "No registered resource provider found for location '%.*s' and API version '%.*s' "
                     "for type '%s'. The supported api-versions are '%s'. The supported locations are "
                     "'%s'.",
                     TEXT_ARG(shown), TEXT_ARG(version), type->name, joined(arena, served), region));
}

bool type_served(struct arena *arena, struct text full, struct text version, struct text location,
                 struct type_failure *failure)
{
    ptrdiff_t slash = text_find(full, '/');
    struct text namespace_name = slash < 0 ? full : text_slice(full, 0, (size_t)slash);
    struct text name = slash < 0 ? TEXT("") : text_slice(full, (size_t)slash + 1, full.length);
    const char *canonical;
    if (!arm_namespace_known(namespace_name, &canonical))
        return fail(
            failure, 404, "InvalidResourceNamespace",
            arena_printf(arena, "The resource namespace '%.*s' is invalid.", TEXT_ARG(namespace_name)));
    const struct arm_type *type = find(namespace_name, name);
    if (!type || name.length == 0)
        return fail(failure, 404, "InvalidResourceType",
                    arena_printf(arena,
                                 "The resource type '%.*s' could not be found in the namespace '%s' for api "
                                 "version '%.*s'.",
                                 TEXT_ARG(name), canonical, TEXT_ARG(version)));
    const char *const *served = type->all_versions ? type->all_versions : type->versions;
    if (type->template_versions)
        served = type->template_versions;
    return in(served, version) || fail_version(arena, type, served, version, location, failure);
}

bool type_goes_with_others(struct text full)
{
    const struct arm_type *type = type_found(full);
    return type && type->tracked && !type->arm_owned;
}

struct text type_target(struct arena *arena, struct text id, struct text api_version)
{
    struct buffer b = buffer_new(arena);
    // Names are as the template has them: what would end or part a path is escaped.
    for (size_t i = 0; i < id.length; i++) {
        unsigned char c = (unsigned char)id.base[i];
        if (c == '/' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
            (c != '\0' && strchr("-._~()!*'@$&+,;=:", c)))
            buffer_char(&b, (char)c);
        else
            buffer_format(&b, "%%%02X", c);
    }
    buffer_string(&b, "?api-version=");
    buffer_text(&b, text_percent_encode(arena, api_version));
    return buffer_done(&b);
}
