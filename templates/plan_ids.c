// Scopes, types and names to resource ids (arm-templates 3.4): the segment rule, and the three forms in which
// an extension resource is written.
#include "templates/plan_state.h"

struct text target_id(struct arena *arena, const struct plan_target *target)
{
    switch (target->scope) {
    case SCOPE_RESOURCE_GROUP:
        return TEXT_JOIN(arena, TEXT("/subscriptions/"), target->subscription_id, TEXT("/resourceGroups/"),
                         target->resource_group);
    case SCOPE_SUBSCRIPTION:
        return TEXT_JOIN(arena, TEXT("/subscriptions/"), target->subscription_id);
    case SCOPE_MANAGEMENT_GROUP:
        return TEXT_JOIN(arena, TEXT("/providers/Microsoft.Management/managementGroups/"),
                         target->management_group);
    case SCOPE_TENANT:
        break;
    }
    return TEXT("");
}

// The segment at *at of a path, and *at moved behind it; false at the end. Empty segments are passed over.
static bool next_segment(struct text path, size_t *at, struct text *segment)
{
    while (*at < path.length && path.base[*at] == '/')
        (*at)++;
    size_t from = *at;
    while (*at < path.length && path.base[*at] != '/')
        (*at)++;
    *segment = text_slice(path, from, *at);
    return segment->length > 0;
}

bool target_parse(struct arena *arena, struct text scope_id, struct plan_target *target)
{
    (void)arena;
    struct text segments[5];
    size_t count = 0, at = 0;
    while (count < 5 && next_segment(scope_id, &at, &segments[count]))
        count++;
    *target = (struct plan_target){.scope = SCOPE_TENANT};
    if (count == 0)
        return true;
    if (count == 4 && text_is_nocase(segments[0], "providers") &&
        text_is_nocase(segments[1], "Microsoft.Management") &&
        text_is_nocase(segments[2], "managementGroups")) {
        target->scope = SCOPE_MANAGEMENT_GROUP;
        target->management_group = segments[3];
        return true;
    }
    if ((count != 2 && count != 4) || !text_is_nocase(segments[0], "subscriptions"))
        return false;
    target->scope = SCOPE_SUBSCRIPTION;
    target->subscription_id = segments[1];
    if (count == 2)
        return true;
    target->scope = SCOPE_RESOURCE_GROUP;
    target->resource_group = segments[3];
    return text_is_nocase(segments[2], "resourceGroups");
}

// "/subscriptions/s/providers/Microsoft.Resources/resourceGroups/g", as subscriptionResourceId() makes it, is
// the group's own id.
struct text id_canonical(struct arena *arena, struct text id)
{
    static const char group[] = "/providers/Microsoft.Resources/resourceGroups/";
    size_t at = 0;
    struct text subscriptions, subscription;
    if (!text_starts_nocase(id, "/subscriptions/") || !next_segment(id, &at, &subscriptions) ||
        !next_segment(id, &at, &subscription) || !text_starts_nocase(text_slice(id, at, id.length), group))
        return id;
    return TEXT_JOIN(arena, text_slice(id, 0, at), TEXT("/resourceGroups/"),
                     text_slice(id, at + sizeof group - 1, id.length));
}

struct text scope_resolve(struct arena *arena, struct text base, struct text written)
{
    while (written.length > 0 && written.base[written.length - 1] == '/')
        written.length--;
    if (written.length == 0) // "/"
        return TEXT("");
    if (written.base[0] == '/')
        return id_canonical(arena, written);
    if (text_starts_nocase(written, "Microsoft.Management/managementGroups/"))
        return TEXT_JOIN(arena, TEXT("/providers/"), written);
    if (text_starts_nocase(written, "subscriptions/") || text_starts_nocase(written, "providers/"))
        return TEXT_JOIN(arena, TEXT("/"), written);
    if (text_starts_nocase(written, "resourceGroups/"))
        return TEXT_JOIN(arena, base, TEXT("/"), written);
    return TEXT_JOIN(arena, base, TEXT("/providers/"), written);
}

static size_t segment_count(struct text path)
{
    size_t count = 0, at = 0;
    struct text segment;
    while (next_segment(path, &at, &segment))
        count++;
    return count;
}

bool segments_fit(struct text type, struct text name)
{
    size_t types = segment_count(type);
    return types > 1 && types == segment_count(name) + 1;
}

// "/t1/n1/t2/n2" of as many types as there are from *type_at on, or `most`.
static void write_pairs(struct buffer *out, struct text type, size_t *type_at, struct text name,
                        size_t *name_at, size_t most)
{
    struct text type_segment, name_segment;
    for (size_t i = 0;
         i < most && next_segment(type, type_at, &type_segment) && next_segment(name, name_at, &name_segment);
         i++) {
        buffer_char(out, '/');
        buffer_text(out, type_segment);
        buffer_char(out, '/');
        buffer_text(out, name_segment);
    }
}

// How many segments stand before "providers" in a type that has it (at the third place or later).
static size_t segments_before_providers(struct text type)
{
    size_t at = 0, count = 0;
    struct text segment;
    while (next_segment(type, &at, &segment)) {
        if (count >= 2 && text_is_nocase(segment, "providers"))
            return count;
        count++;
    }
    return 0;
}

static void write_root(struct buffer *out, struct text scope_id, struct text namespace_name, struct text type,
                       size_t *type_at, struct text name, size_t *name_at)
{
    struct text first;
    size_t ahead = *type_at;
    bool has_type = next_segment(type, &ahead, &first);
    bool group = has_type && text_is_nocase(namespace_name, "Microsoft.Resources") &&
                 text_is_nocase(first, "resourceGroups");
    struct text group_name;
    struct plan_target target;
    // A resource group is no provider's resource: it stands in its subscription.
    if (group && target_parse(out->arena, scope_id, &target) && target.scope == SCOPE_SUBSCRIPTION &&
        next_segment(name, name_at, &group_name)) {
        *type_at = ahead;
        buffer_text(out, scope_id);
        buffer_string(out, "/resourceGroups/");
        buffer_text(out, group_name);
        return;
    }
    bool tenant = has_type && text_is_nocase(namespace_name, "Microsoft.Management") &&
                  text_is_nocase(first, "managementGroups");
    buffer_text(out, tenant ? TEXT("") : scope_id);
    buffer_string(out, "/providers/");
    buffer_text(out, namespace_name);
}

static struct text done(const struct buffer *out)
{
    struct text text = buffer_done(out);
    return text.base != NULL ? text : TEXT("");
}

// "NS/t1/providers/T" named "n1/NS2/n": an extension of what the first half names.
static void identify_extension(struct arena *arena, struct text scope_id, struct plan_node *node,
                               size_t before)
{
    struct buffer id = buffer_new(arena);
    size_t type_at = 0, name_at = 0;
    struct text namespace_name, providers, extension = TEXT_NONE;
    next_segment(node->written_type, &type_at, &namespace_name);
    size_t start = type_at;
    write_root(&id, scope_id, namespace_name, node->written_type, &type_at, node->written_name, &name_at);
    write_pairs(&id, node->written_type, &type_at, node->written_name, &name_at,
                type_at == start ? before - 1 : before - 2);
    next_segment(node->written_type, &type_at, &providers);
    next_segment(node->written_name, &name_at, &extension);
    struct text kind = text_slice(node->written_type, type_at, node->written_type.length);
    struct text name = text_slice(node->written_name, name_at, node->written_name.length);
    buffer_string(&id, "/providers/");
    buffer_text(&id, extension);
    write_pairs(&id, node->written_type, &type_at, node->written_name, &name_at, SIZE_MAX);
    node->id = done(&id);
    node->type = TEXT_JOIN(arena, extension, kind); // "/locks": with its slash
    while (name.length > 0 && name.base[0] == '/')
        name = text_slice(name, 1, name.length);
    node->name = name;
}

void node_identify(struct arena *arena, struct text scope_id, struct plan_node *node)
{
    size_t before = segments_before_providers(node->written_type);
    if (before > 0) {
        identify_extension(arena, scope_id, node, before);
        return;
    }
    struct buffer id = buffer_new(arena);
    size_t type_at = 0, name_at = 0;
    struct text namespace_name;
    next_segment(node->written_type, &type_at, &namespace_name);
    write_root(&id, scope_id, namespace_name, node->written_type, &type_at, node->written_name, &name_at);
    write_pairs(&id, node->written_type, &type_at, node->written_name, &name_at, SIZE_MAX);
    node->id = done(&id);
    node->type = node->written_type;
    node->name = node->written_name;
}

void plan_id_parts(struct arena *arena, struct text id, struct text *type, struct text *name)
{
    size_t at = 0, from = 0;
    bool provider = false;
    struct text segment;
    while (next_segment(id, &at, &segment)) {
        if (text_is_nocase(segment, "providers")) {
            from = at;
            provider = true;
        }
    }
    struct buffer types = buffer_new(arena), names = buffer_new(arena);
    at = from;
    if (provider && next_segment(id, &at, &segment))
        buffer_text(&types, segment);
    else
        buffer_string(&types, "Microsoft.Resources");
    while (next_segment(id, &at, &segment)) {
        struct text value = TEXT("");
        next_segment(id, &at, &value);
        if (!provider) { // "subscriptions/s", "subscriptions/s/resourceGroups/g": the last pair only
            types.length = sizeof "Microsoft.Resources" - 1;
            names.length = 0;
        }
        buffer_char(&types, '/');
        buffer_text(&types, segment);
        if (names.length > 0)
            buffer_char(&names, '/');
        buffer_text(&names, value);
    }
    *type = done(&types);
    *name = done(&names);
}
