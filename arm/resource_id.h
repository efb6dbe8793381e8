// Resource ids: their grammar (ARM RPC, arm-core 1.1), canonical form and comparison.
#pragma once
#include "base/text.h"

struct arena;

// "/subscriptions/{s}/resourceGroups/{g}/providers/{ns}/{type}/{name}[/{type}/{name}…]" taken apart. Absent
// parts are TEXT_NONE. An extension id ("…/providers/A/b/c/providers/D/e/f") gives its last provider's type
// and name, and `parent` is the id before it.
struct resource_id {
    struct text subscription_id; // lower case
    struct text group;           // as written
    struct text namespace_name;  // as written
    struct text type;            // "registries/webhooks": without the namespace, as written
    struct text name;            // "registry/hook"
    struct text parent;          // of an extension resource, else TEXT_NONE
};
// False when it is no resource id. Pieces lie in the arena. One trailing slash is forgiven.
bool resource_id_parse(struct arena *arena, struct text id, struct resource_id *parsed);
// Canonical literals; type "Microsoft.ContainerRegistry/registries/webhooks" with name "registry/hook".
struct text resource_id_build(struct arena *arena, struct text subscription_id, struct text group,
                              struct text type, struct text name);
struct text resource_id_of_group(struct arena *arena, struct text subscription_id, struct text group);
// Equal without regard to case and trailing slash.
bool resource_id_equal(struct text a, struct text b);
// Whether `id` is `scope` or lies below it, by whole segments, without regard to case. "/" covers all.
bool resource_id_within(struct text id, struct text scope);
// Resource group names: 1 to 90 letters, digits, "-", "_", "(", ")", "."; not ending with ".". Letters and
// digits are Unicode's, one UTF-16 unit at a time (IsLetterOrDigit).
enum { RESOURCE_GROUP_NAME_LIMIT = 90 };
bool resource_group_character(uint32_t character);
bool resource_group_name_valid(struct text name);
// What the front door lets through as a resource's name: at most 260 bytes, none of < > % & : \ ? / or
// controls.
bool resource_name_valid(struct text name);
