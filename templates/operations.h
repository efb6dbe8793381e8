// Types with no rows of their own, which templates_start registers.
#pragma once
#include "arm/types.h"

// Those of Microsoft.Resources, and what clients of deployments alone pin (docs/clients.md), newest first.
extern const char *const versions_deployments[]; // deployments.c

extern const struct arm_type template_hash_type; // template_hash.c: calculateTemplateHash
extern const struct arm_type group_export_type;  // export.c: exportTemplate of a resource group
