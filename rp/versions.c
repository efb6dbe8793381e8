// Which api-versions are served: those of Stack Hub, and those that published clients pin, with the stable
// ones between. Who pins which is told in docs/clients.md, and tests/clients/test_pins.py holds it to that.
#include "rp/versions.h"

#include "base/site.h"

enum {
    STABLE_2021 = MEMBERS_POLICIES | MEMBERS_MODERN,
    PREVIEW_2021 = STABLE_2021 | MEMBERS_ANONYMOUS_PULL,
    PREVIEW_2022 = PREVIEW_2021 | MEMBERS_ARM_AUDIENCE_POLICY | MEMBERS_SOFT_DELETE,
    PREVIEW_2023_11 = PREVIEW_2022 | MEMBERS_METADATA_SEARCH,
    PREVIEW_2024 = PREVIEW_2023_11 | MEMBERS_LABEL_SCOPE,
    PREVIEW_2025 = PREVIEW_2024 | MEMBERS_ROLE_ASSIGNMENT_MODE,
    STABLE_2025_04 = PREVIEW_2021 | MEMBERS_ARM_AUDIENCE_POLICY,
    STABLE_2025_11 = STABLE_2025_04 | MEMBERS_ROLE_ASSIGNMENT_MODE | MEMBERS_BYPASS_FOR_TASKS,
    PREVIEW_2026_01 = PREVIEW_2025 | MEMBERS_BYPASS_FOR_TASKS | MEMBERS_REGIONAL_ENDPOINTS,
    PREVIEW_2026_03 = PREVIEW_2026_01 | MEMBERS_WRITABLE_CACHE,
};

// Oldest first.
#define VERSIONS(V)                                                                                          \
    V("2017-10-01", 0)                                                                                       \
    V("2019-05-01", MEMBERS_POLICIES)                                                                        \
    V("2021-08-01-preview", PREVIEW_2021)                                                                    \
    V("2021-09-01", STABLE_2021)                                                                             \
    V("2022-02-01-preview", PREVIEW_2022)                                                                    \
    V("2022-12-01", STABLE_2021)                                                                             \
    V("2023-01-01-preview", PREVIEW_2022)                                                                    \
    V("2023-07-01", STABLE_2021)                                                                             \
    V("2023-11-01-preview", PREVIEW_2023_11)                                                                 \
    V("2024-11-01-preview", PREVIEW_2024)                                                                    \
    V("2025-03-01-preview", PREVIEW_2025)                                                                    \
    V("2025-04-01", STABLE_2025_04)                                                                          \
    V("2025-11-01", STABLE_2025_11)                                                                          \
    V("2026-01-01-preview", PREVIEW_2026_01)                                                                 \
    V("2026-03-01-preview", PREVIEW_2026_03)                                                                 \
    V("2026-09-01-preview", PREVIEW_2026_03)

#define ROW(name, members) {name, members},
static const struct {
    const char *name;
    unsigned members;
} versions[] = {VERSIONS(ROW)};

#define NAME(name, members) name,
static const char *const all_oldest_first[] = {VERSIONS(NAME) NULL};
static const char *const strict_oldest_first[] = {"2017-10-01", "2019-05-01", NULL};
static const char *const strict_listed[] = {"2019-05-01", "2017-10-01", NULL};

// As decisions 40 want it: az takes the first that is no preview.
static const char *const all_listed[] = {"2019-05-01",
                                         "2017-10-01",
                                         "2026-09-01-preview",
                                         "2026-03-01-preview",
                                         "2026-01-01-preview",
                                         "2025-11-01",
                                         "2025-04-01",
                                         "2025-03-01-preview",
                                         "2024-11-01-preview",
                                         "2023-11-01-preview",
                                         "2023-07-01",
                                         "2023-01-01-preview",
                                         "2022-12-01",
                                         "2022-02-01-preview",
                                         "2021-09-01",
                                         "2021-08-01-preview",
                                         NULL};
_Static_assert(sizeof all_listed == sizeof all_oldest_first, "a version is missing from one of the lists");

static bool strict(void)
{
    return text_is(text_of(site()->config->api_versions), "strict");
}

const char *const *registry_versions_listed(void)
{
    return strict() ? strict_listed : all_listed;
}

const char *const *registry_versions_oldest_first(void)
{
    return strict() ? strict_oldest_first : all_oldest_first;
}

const char *const *registry_versions_of_templates(void)
{
    bool modern = text_is(text_of(site()->config->api_versions), "modern");
    return modern ? all_oldest_first : strict_oldest_first;
}

unsigned registry_members_of(const char *api_version)
{
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++)
        if (strcmp(versions[i].name, api_version) == 0)
            return versions[i].members;
    return 0;
}
