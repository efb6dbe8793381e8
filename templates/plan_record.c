// What a deployment's record tells of its plan (arm-templates 7.1, 7.2).
#include "templates/plan_state.h"

static const struct value *text_value(struct arena *arena, struct text text)
{
    return value_string(arena, text.base != NULL ? text : TEXT(""));
}

static const struct value *object_of(struct arena *arena, const struct value_member *members, size_t count)
{
    struct value_member *kept = ARENA_ARRAY(arena, struct value_member, count + 1);
    memcpy(kept, members, count * sizeof *members);
    return value_object(arena, kept, count);
}

struct values { // a growing array
    struct arena *arena;
    const struct value **items;
    size_t count, capacity;
};

static void add(struct values *values, const struct value *value)
{
    if (values->count == values->capacity) {
        size_t capacity = values->capacity ? values->capacity * 2 : 8;
        const struct value **items = ARENA_ARRAY(values->arena, const struct value *, capacity);
        for (size_t i = 0; i < values->count; i++)
            items[i] = values->items[i];
        values->items = items;
        values->capacity = capacity;
    }
    values->items[values->count++] = value;
}

static const struct value *array_of(const struct values *values)
{
    return value_array(values->arena, values->items, values->count);
}

// ---- providers ----
struct provided_type {
    struct text name; // without its namespace
    struct values locations;
    bool without;
    struct name_index *known;
    struct provided_type *next;
};
struct provided {
    struct text name;
    struct provided_type *first, **last;
    struct provided *next;
};

static void add_location(struct arena *arena, struct provided_type *type, struct text location)
{
    if (location.base == NULL) {
        if (!type->without)
            add(&type->locations, value_null());
        type->without = true;
        return;
    }
    if (name_index_find(type->known, location) != NULL)
        return;
    name_index_add(type->known, location, 0);
    add(&type->locations, text_value(arena, location));
}

static struct provided_type *type_of(struct arena *arena, struct provided **list, struct text type)
{
    ptrdiff_t slash = text_find(type, '/');
    struct text namespace_name = slash > 0 ? text_slice(type, 0, (size_t)slash) : type;
    struct text name = slash > 0 ? text_slice(type, (size_t)slash + 1, type.length) : TEXT("");
    struct provided **at = list;
    while (*at != NULL && !text_equal_nocase((*at)->name, namespace_name))
        at = &(*at)->next;
    if (*at == NULL) {
        *at = ARENA_NEW(arena, struct provided);
        (*at)->name = namespace_name;
        (*at)->last = &(*at)->first;
    }
    struct provided_type **kind = &(*at)->first;
    while (*kind != NULL && !text_equal_nocase((*kind)->name, name))
        kind = &(*kind)->next;
    if (*kind == NULL) {
        *kind = ARENA_NEW(arena, struct provided_type);
        (*kind)->name = name;
        (*kind)->locations.arena = arena;
        (*kind)->known = name_index_new(arena, 8);
    }
    return *kind;
}

const struct value *plan_providers(const struct plan *plan, struct arena *arena)
{
    struct provided *list = NULL;
    for (size_t i = 0; i < plan->node_count; i++) {
        const struct plan_node *node = &plan->nodes[i];
        if (node->deployed)
            add_location(arena, type_of(arena, &list, node->written_type), node->location);
    }
    struct values providers = {.arena = arena};
    for (const struct provided *provided = list; provided != NULL; provided = provided->next) {
        struct values types = {.arena = arena};
        for (const struct provided_type *type = provided->first; type != NULL; type = type->next) {
            const struct value_member members[] = {
                {.name = TEXT("resourceType"), .value = text_value(arena, type->name)},
                {.name = TEXT("locations"), .value = array_of(&type->locations)},
            };
            add(&types, object_of(arena, members, 2));
        }
        const struct value_member members[] = {
            {.name = TEXT("namespace"), .value = text_value(arena, provided->name)},
            {.name = TEXT("resourceTypes"), .value = array_of(&types)},
        };
        add(&providers, object_of(arena, members, 2));
    }
    return array_of(&providers);
}

// ---- dependencies ----
static size_t begin_entry(struct arena *arena, struct value_member *members, struct text id, struct text type,
                          struct text name)
{
    members[0] = (struct value_member){.name = TEXT("id"), .value = text_value(arena, id)};
    members[1] = (struct value_member){.name = TEXT("resourceType"), .value = text_value(arena, type)};
    members[2] = (struct value_member){.name = TEXT("resourceName"), .value = text_value(arena, name)};
    return 3;
}

static const struct value *read_entry(struct arena *arena, const struct plan_read *read)
{
    struct value_member members[5];
    size_t count = begin_entry(arena, members, read->id, read->type, read->name);
    if (read->action.base != NULL)
        members[count++] =
            (struct value_member){.name = TEXT("actionName"), .value = text_value(arena, read->action)};
    if (read->api_version.length > 0)
        members[count++] =
            (struct value_member){.name = TEXT("apiVersion"), .value = text_value(arena, read->api_version)};
    return object_of(arena, members, count);
}

const struct value *plan_dependencies(const struct plan *plan, struct arena *arena)
{
    struct values all = {.arena = arena};
    for (size_t i = 0; i < plan->node_count; i++) {
        const struct plan_node *node = &plan->nodes[i];
        if (!node->deployed || node->dependency_count + node->read_count == 0)
            continue;
        struct values entries = {.arena = arena};
        for (size_t k = 0; k < node->dependency_count; k++) {
            const struct plan_node *target = &plan->nodes[node->dependencies[k].node];
            struct value_member members[3];
            begin_entry(arena, members, target->id, target->written_type, target->written_name);
            add(&entries, object_of(arena, members, 3));
        }
        for (size_t k = 0; k < node->read_count; k++)
            add(&entries, read_entry(arena, &node->reads[k]));
        struct value_member members[4] = {{.name = TEXT("dependsOn"), .value = array_of(&entries)}};
        begin_entry(arena, members + 1, node->id, node->written_type, node->written_name);
        add(&all, object_of(arena, members, 4));
    }
    return array_of(&all);
}

// ---- validatedResources ----
static void add_validated(const struct plan *plan, struct values *values)
{
    for (size_t i = 0; i < plan->node_count; i++) {
        const struct plan_node *node = &plan->nodes[i];
        if (!node->deployed)
            continue;
        const struct value_member member = {.name = TEXT("id"), .value = text_value(values->arena, node->id)};
        add(values, object_of(values->arena, &member, 1));
        if (node->nested != NULL)
            add_validated(node->nested, values);
    }
}

const struct value *plan_validated_resources(const struct plan *plan, struct arena *arena)
{
    struct values values = {.arena = arena};
    add_validated(plan, &values);
    return array_of(&values);
}

size_t plan_count(const struct plan *plan)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->node_count; i++) {
        const struct plan_node *node = &plan->nodes[i];
        if (node->deployed)
            count += 1 + (node->nested != NULL ? plan_count(node->nested) : 0);
    }
    return count;
}
