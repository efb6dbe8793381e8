// The api-versions of Microsoft.ContainerRegistry, and what each adds (decisions 8, 40, 41).
#pragma once
#include "base/text.h"

#include <stdbool.h>

// As the provider document lists them (2019-05-01 first), and oldest first as sentences do; both follow the
// setting api_versions. NULL-ended.
const char *const *registry_versions_listed(void);
const char *const *registry_versions_oldest_first(void);

enum registry_shape {
    SHAPE_2017, // no policies
    SHAPE_2019, // the contract
    SHAPE_2021, // with what 2021-08-01-preview to 2024-11-01-preview show beside
    SHAPE_2025, // with what 2025-04-01 and later show beside
};
enum registry_shape registry_shape_of(const char *api_version);
