// What is sent to the provider for a resource (arm-templates 3.4): everything of it that is not the
// template's own.
#include "templates/plan_state.h"

#include "templates/expression_cache.h"

static bool is_own(struct text name, bool deployment)
{
    static const char *const own[] = {"condition", "type",    "apiVersion", "name",      "comments",
                                      "dependsOn", "scope",   "copy",       "resources", "existing",
                                      "@options",  "asserts", "metadata",   "properties"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (text_is_nocase(name, own[i]))
            return true;
    }
    return deployment && (text_is_nocase(name, "subscriptionId") || text_is_nocase(name, "resourceGroup"));
}

// The members beside properties, as one object.
static const struct value *heads_of(struct arena *arena, const struct value *resource, bool deployment)
{
    struct value_member *members = ARENA_ARRAY(arena, struct value_member, resource->object.count + 1);
    size_t count = 0;
    for (size_t i = 0; i < resource->object.count; i++) {
        if (!is_own(resource->object.members[i].name, deployment))
            members[count++] = resource->object.members[i];
    }
    return value_object(arena, members, count);
}

// Members that are null are not sent. The value itself where there are none.
const struct value *without_nulls(struct arena *arena, const struct value *value)
{
    if (value->kind != VALUE_OBJECT && value->kind != VALUE_ARRAY)
        return value;
    bool object = value->kind == VALUE_OBJECT, changed = false;
    size_t count = object ? value->object.count : value->array.count, kept = 0;
    struct value_member *members = NULL;
    const struct value **items = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct value *child = object ? value->object.members[i].value : value->array.items[i];
        const struct value *clean = without_nulls(arena, child);
        bool drop = object && child->kind == VALUE_NULL;
        if ((drop || clean != child) && !changed) {
            changed = true;
            if (object) {
                members = arena_reserve(arena, count * sizeof *members);
                memcpy(members, value->object.members, i * sizeof *members);
            } else {
                items = ARENA_ARRAY(arena, const struct value *, count);
                for (size_t k = 0; k < i; k++)
                    items[k] = value->array.items[k];
            }
        }
        if (drop)
            continue;
        if (changed && object) {
            members[kept] = value->object.members[i];
            members[kept].value = clean;
        } else if (changed)
            items[kept] = clean;
        kept++;
    }
    if (!changed)
        return value;
    return object ? value_object(arena, members, kept) : value_array(arena, items, kept);
}

const struct value *body_assemble(struct arena *arena, const struct value *heads,
                                  const struct value *properties)
{
    struct value_member *members = ARENA_ARRAY(arena, struct value_member, heads->object.count + 1);
    size_t count = 0;
    for (size_t i = 0; i < heads->object.count; i++) {
        if (heads->object.members[i].value->kind != VALUE_NULL)
            members[count++] = heads->object.members[i];
    }
    if (properties != NULL && properties->kind != VALUE_NULL)
        members[count++] =
            (struct value_member){.name = TEXT("properties"), .value = without_nulls(arena, properties)};
    return value_object(arena, members, count);
}

static struct text normal_location(struct arena *arena, struct text location)
{
    if (location.base == NULL)
        return location;
    char *out = arena_alloc(arena, location.length + 1);
    size_t length = 0;
    for (size_t i = 0; i < location.length; i++) {
        char c = location.base[i];
        if (c != ' ')
            out[length++] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    return (struct text){out, length};
}

// Everything beside properties: nothing of it may need the run.
bool body_heads(struct plan_state *state, size_t number)
{
    struct plan_node *node = &state->plan->nodes[number];
    struct plan_instance *instance = &state->instances[number];
    const struct plan_subject subject = {SUBJECT_RESOURCE, node->written_name, node->line, node->column};
    const struct value *written = heads_of(state->arena, instance->resource->node, plan_is_deployment(node));
    instance->heads = plan_value(state, PLACE_RESOURCE_HEAD, node->copy, written, false, &subject);
    if (instance->heads == NULL)
        return false;
    node->location = normal_location(state->arena, value_text(VALUE_FIND(instance->heads, "location")));
    return true;
}

// ---- properties of which a part needs the run ----
// What does not need it is evaluated all the same, so that its mistakes are found before anything is made.
// Inside a property's loop only the static check can be made.
static bool check_known(struct plan_state *state, const struct value *value,
                        const struct evaluation_copy *copy, const struct plan_subject *subject)
{
    struct text literal;
    struct expression_error error = {0};
    if (value->kind == VALUE_STRING && expression_is(value->string, &literal)) {
        const struct expression *expression = expression_cached(state->arena, NULL, value->string, &error);
        if (expression != NULL && expression_needs_run(expression))
            return true;
        return plan_value(state, PLACE_RESOURCE_BODY, copy, value, false, subject) != NULL;
    }
    for (size_t i = 0; value->kind == VALUE_ARRAY && i < value->array.count; i++) {
        if (!check_known(state, value->array.items[i], copy, subject))
            return false;
    }
    for (size_t i = 0; value->kind == VALUE_OBJECT && i < value->object.count; i++) {
        const struct value_member *member = &value->object.members[i];
        bool loops = text_is_nocase(member->name, "copy") && member->value->kind == VALUE_ARRAY;
        if (!loops && !check_known(state, member->value, copy, subject))
            return false;
    }
    return true;
}

bool body_check_known(struct plan_state *state, size_t number, const struct value *properties)
{
    const struct plan_node *node = &state->plan->nodes[number];
    const struct plan_subject subject = {SUBJECT_RESOURCE, node->written_name, node->line, node->column};
    return plan_check(state, PLACE_RESOURCE_BODY, node->copy, properties, &subject) &&
           check_known(state, properties, node->copy, &subject);
}

static bool check_size(struct plan_state *state, const struct plan_node *node, size_t *total)
{
    // No more is counted than has to be known.
    size_t size = value_weight(node->body, TEMPLATE_RESOURCE_BYTES + 1);
    *total += size;
    if (size > TEMPLATE_RESOURCE_BYTES)
        return plan_fail(
            state, node->source,
            "The size of the template resource '%.*s' at line '%u' and column '%u' exceeds the limit of "
            "'%d' bytes. Please see https://aka.ms/arm-template/#resources for usage details.",
            TEXT_ARG(node->written_name), node->line, node->column, TEMPLATE_RESOURCE_BYTES);
    if (*total > TEMPLATE_BYTES)
        return plan_fail(
            state, VALUE_FIND(state->document->root, "resources"),
            "The size of the template with its copies expanded exceeds the limit of '%d' bytes. Please "
            "see https://aka.ms/arm-template/#resources for usage details.",
            TEMPLATE_BYTES);
    return true;
}

static bool make_body(struct plan_state *state, size_t number)
{
    struct plan_node *node = &state->plan->nodes[number];
    struct plan_instance *instance = &state->instances[number];
    const struct plan_subject subject = {SUBJECT_RESOURCE, node->written_name, node->line, node->column};
    const struct value *properties = instance->resource->properties;
    if (!body_heads(state, number))
        return false;
    if (state->sources[instance->source].calls.run)
        return body_check_known(state, number, properties);
    if (properties != NULL) {
        properties = plan_value(state, PLACE_RESOURCE_BODY, node->copy, properties, true, &subject);
        if (properties == NULL)
            return false;
    }
    node->body = body_assemble(state->arena, instance->heads, properties);
    return true;
}

bool plan_make_bodies(struct plan_state *state)
{
    size_t total = 0;
    for (size_t i = 0; i < state->plan->node_count; i++) {
        struct plan_node *node = &state->plan->nodes[i];
        if (!node->deployed)
            continue;
        if (!plan_is_deployment(node) && !make_body(state, i))
            return false;
        if (node->body != NULL && !check_size(state, node, &total))
            return false;
    }
    return true;
}
