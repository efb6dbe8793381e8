// Which api-versions are served: those of Stack Hub, and those that published clients pin. az 2.45 pins
// 2022-02-01-preview and 2021-08-01-preview, the current SDKs 2025-11-01, Terraform 2025-04-01; the stable
// ones between are served with them.
#include "rp/versions.h"

#include "base/site.h"

static const char *const strict_listed[] = {"2019-05-01", "2017-10-01", NULL};
static const char *const strict_oldest_first[] = {"2017-10-01", "2019-05-01", NULL};

static const char *const all_listed[] = {"2019-05-01",
                                         "2017-10-01",
                                         "2025-11-01",
                                         "2025-04-01",
                                         "2024-11-01-preview",
                                         "2023-11-01-preview",
                                         "2023-07-01",
                                         "2023-01-01-preview",
                                         "2022-12-01",
                                         "2022-02-01-preview",
                                         "2021-09-01",
                                         "2021-08-01-preview",
                                         NULL};
static const char *const all_oldest_first[] = {"2017-10-01",
                                               "2019-05-01",
                                               "2021-08-01-preview",
                                               "2021-09-01",
                                               "2022-02-01-preview",
                                               "2022-12-01",
                                               "2023-01-01-preview",
                                               "2023-07-01",
                                               "2023-11-01-preview",
                                               "2024-11-01-preview",
                                               "2025-04-01",
                                               "2025-11-01",
                                               NULL};

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

enum registry_shape registry_shape_of(const char *api_version)
{
    // Versions are dates: they compare as text.
    if (strcmp(api_version, "2019") < 0)
        return SHAPE_2017;
    if (strcmp(api_version, "2020") < 0)
        return SHAPE_2019;
    return strcmp(api_version, "2025") < 0 ? SHAPE_2021 : SHAPE_2025;
}
