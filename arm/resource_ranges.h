// Where the resources of one type lie that a caller may read: everywhere in the subscription, or in a few
// ranges of names within groups, found from the scopes of the caller's assignments.
#pragma once
#include "arm/call.h"

struct resource_ranges {
    bool everything;       // of the subscription, from `low` to `high`
    struct text low, high; // name keys, both included
    struct text json;      // else: [{"group","low","high"}, …] by keys; TEXT_NONE: nothing
};
// `type` is the type's key; `group` and `name` narrow it, TEXT_NONE: any. More than what may be read can lie
// in the ranges (each row is judged), never less.
void resource_ranges_find(struct arm_call *call, struct text type, struct text group, struct text name,
                          struct resource_ranges *ranges);
