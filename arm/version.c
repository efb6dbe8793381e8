// api-versions: their grammar, and which sentence refuses one that is not served (arm-core 1.3, decisions 8,
// 27, 40).
#include "arm/door_parts.h"
#include "arm/types.h"

#include "base/arena.h"

static bool digits(struct text t, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (t.base[i] < '0' || t.base[i] > '9')
            return false;
    return true;
}

bool version_well_formed(struct text version)
{
    static const char *const suffixes[] = {"", "-preview", "-alpha", "-beta", "-rc", "-privatepreview"};
    if (version.length < 10 || version.base[4] != '-' || version.base[7] != '-' || !digits(version, 0, 4) ||
        !digits(version, 5, 7) || !digits(version, 8, 10))
        return false;
    struct text suffix = text_slice(version, 10, version.length);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        if (text_is_nocase(suffix, suffixes[i]))
            return true;
    return false;
}

bool version_in(const char *const *versions, struct text version)
{
    for (; *versions; versions++)
        if (text_is_nocase(version, *versions))
            return true;
    return false;
}

const char *version_list(struct arena *arena, const char *const *versions, const char *separator)
{
    struct buffer b = buffer_new(arena);
    for (size_t i = 0; versions[i]; i++)
        buffer_format(&b, "%s%s", i ? separator : "", versions[i]);
    return buffer_done(&b).base;
}

bool door_version_present(struct arm_call *call)
{
    struct text version = http_query(call->request, "api-version");
    if (version.length == 0) {
        arm_fail(call, ARM_MISSING_API_VERSION);
        return false;
    }
    call->api_version = text_cstr(call->arena, text_lower(call->arena, version));
    return true;
}

static const char *newest_first(struct arena *arena, const struct arm_type *type)
{
    const char *const *versions = type->all_versions ? type->all_versions : type->versions;
    if (type->arm_owned)
        return version_list(arena, versions, ",");
    size_t count = 0;
    while (versions[count])
        count++;
    const char **reversed = ARENA_ARRAY(arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++)
        reversed[i] = versions[count - 1 - i];
    return version_list(arena, reversed, ",");
}

bool door_version_served(struct arm_call *call)
{
    const struct arm_type *type = call->type;
    const char *const *served = type->all_versions ? type->all_versions : type->versions;
    struct text version = text_of(call->api_version);
    bool well_formed = version_well_formed(version);
    if ((call->operation->flags & ARM_ANY_VERSION) ? well_formed : version_in(served, version))
        return true;
    const char *region = site()->config->region;
    if (!well_formed || type->arm_owned)
        arm_fail(call, ARM_INVALID_API_VERSION, TEXT_ARG(version), newest_first(call->arena, type));
    else if (call->group.base) // everything in a group has a location: ours
        arm_fail(call, ARM_NO_REGISTERED_PROVIDER, region, TEXT_ARG(version), type->name,
                 version_list(call->arena, served, ", "), region);
    else
        arm_fail(call, ARM_INVALID_TYPE_AT_VERSION, type->name, type->namespace_name, TEXT_ARG(version),
                 version_list(call->arena, served, ","));
    return false;
}

const char *const versions_resources[] = {
    "2025-04-01", "2024-11-01", "2024-07-01", "2024-03-01", "2023-07-01", "2022-09-01", "2021-04-01",
    "2021-01-01", "2020-10-01", "2020-08-01", "2020-06-01", "2019-10-01", "2019-08-01", "2019-07-01",
    "2019-05-10", "2019-05-01", "2018-05-01", "2018-02-01", "2017-05-10", "2016-09-01", "2016-07-01",
    "2016-06-01", "2016-02-01", "2015-11-01", "2015-01-01", "2014-04-01", NULL};
const char *const versions_subscriptions[] = {"2022-12-01", "2021-01-01", "2020-01-01", "2019-11-01",
                                              "2019-06-01", "2018-06-01", "2016-06-01", "2015-11-01",
                                              "2014-04-01", NULL};
const char *const versions_authorization[] = {
    "2022-05-01-preview", "2022-04-01", "2020-10-01-preview", "2020-08-01-preview", "2020-04-01-preview",
    "2018-09-01-preview", "2018-07-01", "2018-01-01-preview", "2015-07-01",         NULL};
