// Which types and api-versions a template may name (decisions 39), for resources, reference() and list*().
#pragma once
#include "base/text.h"

struct arena;
struct arm_type;

// The table of "Microsoft.ContainerRegistry/registries/webhooks" that has its PUT, or any of it; NULL: none.
const struct arm_type *type_found(struct text type);
struct type_failure {
    int status;
    const char *code, *message;
};
// `type`: "Microsoft.ContainerRegistry/registries/webhooks"; `location`: absent, or in any spelling. False
// and the failure when a template cannot name it.
bool type_served(struct arena *arena, struct text type, struct text api_version, struct text location,
                 struct type_failure *failure);
// Whether its PUT may share a transaction with others': tracked resources change their own rows only. What
// changes rights, locks, groups or deployments has an order of locks of its own.
bool type_goes_with_others(struct text type);
// Path and query of a resource's own URL.
struct text type_target(struct arena *arena, struct text id, struct text api_version);
