// What waits for what: dependsOn, reads, serial loops; and the refusal of cycles (arm-templates 6).
#include "templates/plan_state.h"

void dependency_add(struct plan_dependency_list *list, size_t node, bool implicit)
{
    if (list->marks[node] == list->mark)
        return;
    list->marks[node] = list->mark;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 8;
        struct plan_dependency *items = ARENA_ARRAY(list->arena, struct plan_dependency, capacity);
        if (list->count > 0)
            memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = (struct plan_dependency){node, implicit};
}

bool plan_find_calls(struct plan_state *state)
{
    for (size_t i = 0; i < state->source_count; i++) {
        struct plan_source *source = &state->sources[i];
        const struct template_resource *resource = source->resource;
        bool deployment = text_is_nocase(value_text(resource->type), "Microsoft.Resources/deployments");
        if (resource->properties == NULL || resource->existing)
            continue;
        if (deployment)
            calls_find_nested(state, resource->properties, &source->calls);
        else
            calls_find(state, resource->properties, true, &source->calls);
        if (source->calls.parse.message == NULL)
            continue;
        struct plan_subject subject = {SUBJECT_RESOURCE, value_text(resource->name), resource->node->line,
                                       resource->node->column};
        plan_fail_expression(state, &subject, &source->calls.parse, source->calls.at);
        return false;
    }
    return true;
}

// ---- dependsOn ----
static void add_range(struct plan_state *state, struct plan_dependency_list *list, struct plan_range range)
{
    for (;;) {
        for (size_t i = 0; i < range.count; i++)
            dependency_add(list, range.first + i, false);
        if (range.more == NULL)
            return;
        const struct plan_source *source = &state->sources[range.more->number];
        range = (struct plan_range){source->first, source->count, name_index_next(range.more)};
    }
}

static bool add_written(struct plan_state *state, struct plan_dependency_list *list,
                        const struct value *written, const struct evaluation_copy *copy,
                        const struct plan_subject *subject)
{
    struct text name = plan_text(state, copy, written, "dependsOn", subject);
    if (name.base == NULL)
        return false;
    struct plan_range range = {0};
    switch (plan_resolve(state, state->arena, name, true, &range)) {
    case FOUND_ONE:
    case FOUND_MANY:
        add_range(state, list, range);
        return true;
    case FOUND_AMBIGUOUS:
        return plan_fail(
            state, written,
            "The resource '%.*s' is not unique in the template: its resource id must be given. Please "
            "see https://aka.ms/arm-template for usage details.",
            TEXT_ARG(name));
    case FOUND_NONE:
        break;
    }
    return plan_fail(
        state, written,
        "The resource '%.*s' is not defined in the template. Please see https://aka.ms/arm-template for "
        "usage details.",
        TEXT_ARG(plan_undefined_name(state, name)));
}

static bool add_depends_on(struct plan_state *state, struct plan_dependency_list *list, size_t number,
                           const struct plan_subject *subject)
{
    const struct plan_instance *instance = &state->instances[number];
    const struct plan_node *node = &state->plan->nodes[number];
    const struct value *written = instance->resource->depends_on;
    if (written != NULL && written->kind == VALUE_STRING) // an expression that makes the array
        written = plan_value(state, PLACE_RESOURCE_HEAD, node->copy, written, false, subject);
    if (written == NULL)
        return instance->resource->depends_on == NULL;
    for (size_t i = 0; written->kind == VALUE_ARRAY && i < written->array.count; i++) {
        if (written->array.items[i]->kind != VALUE_NULL &&
            !add_written(state, list, written->array.items[i], node->copy, subject))
            return false;
    }
    return true;
}

// A serial loop goes on when the batch before is done; batches without anything deployed are passed over.
static void add_batch_before(struct plan_state *state, struct plan_dependency_list *list, size_t number)
{
    const struct plan_instance *instance = &state->instances[number];
    const struct plan_source *source = &state->sources[instance->source];
    if (!source->serial)
        return;
    size_t size = (size_t)source->batch;
    size_t end = instance->loop_index / size * size;
    bool found = false;
    while (end > 0 && !found) {
        for (size_t i = end - size; i < end; i++) {
            if (!state->plan->nodes[source->first + i].deployed)
                continue;
            dependency_add(list, source->first + i, false);
            found = true;
        }
        end -= size;
    }
}

// ---- all of a node ----
static bool link_node(struct plan_state *state, size_t number, struct plan_dependency_list *list)
{
    struct plan_node *node = &state->plan->nodes[number];
    struct plan_instance *instance = &state->instances[number];
    const struct plan_subject subject = {SUBJECT_RESOURCE, node->written_name, node->line, node->column};
    list->count = list->capacity = 0;
    list->items = NULL;
    list->mark = (uint32_t)number + 1;
    if (!add_depends_on(state, list, number, &subject))
        return false;
    struct plan_reads reads = {0};
    if (node->deployed) {
        add_batch_before(state, list, number);
        const struct plan_calls *calls = &state->sources[instance->source].calls;
        if (!calls_link(state, calls, node->copy, number, list, &reads) ||
            (plan_is_deployment(node) && !plan_nest(state, number, list)))
            return false;
    }
    node->reads = reads.items;
    node->read_count = reads.count;
    // Deployments of the outer scope add to it what their templates read.
    instance->raw = list->items;
    instance->raw_count = list->count;
    return plan_spend(state,
                      list->count * 2 * sizeof(struct plan_dependency) + reads.count * sizeof *reads.items);
}

// What is only read is no step of the run: who waits for it waits for what it waits for. What is not deployed
// is waited for by nobody.
static void settle(struct plan_state *state, size_t number, struct plan_dependency_list *list, size_t *queue)
{
    list->count = list->capacity = 0;
    list->items = NULL;
    list->mark++;
    size_t waiting = 0, done = 0;
    queue[waiting++] = number;
    list->marks[number] = list->mark;
    while (done < waiting) {
        const struct plan_instance *instance = &state->instances[queue[done++]];
        for (size_t i = 0; i < instance->raw_count; i++) {
            size_t target = instance->raw[i].node;
            const struct plan_node *node = &state->plan->nodes[target];
            if (node->deployed)
                dependency_add(list, target, instance->raw[i].implicit);
            else if (node->existing && list->marks[target] != list->mark) {
                list->marks[target] = list->mark;
                queue[waiting++] = target;
            }
        }
    }
    struct plan_node *node = &state->plan->nodes[number];
    node->dependencies = list->items;
    node->dependency_count = list->count;
}

bool plan_link(struct plan_state *state)
{
    size_t count = state->plan->node_count;
    struct plan_dependency_list list = {.arena = state->arena,
                                        .marks = ARENA_ARRAY(state->arena, uint32_t, count + 1)};
    for (size_t i = 0; i < count; i++) {
        if (!link_node(state, i, &list))
            return false;
    }
    list.mark = (uint32_t)count + 1;
    size_t *queue = ARENA_ARRAY(state->arena, size_t, count + 1);
    for (size_t i = 0; i < count; i++)
        settle(state, i, &list, queue);
    return true;
}

// ---- cycles ----
// Depth first without recursion: a node that is met while it is on the way is on a cycle.
static bool visit(struct plan_state *state, size_t start, unsigned char *colours, size_t *way, size_t *next)
{
    enum { NEW, ON_THE_WAY, DONE };
    size_t depth = 0;
    way[depth] = start;
    next[depth++] = 0;
    colours[start] = ON_THE_WAY;
    while (depth > 0) {
        size_t at = way[depth - 1];
        const struct plan_instance *instance = &state->instances[at];
        if (next[depth - 1] == instance->raw_count) {
            colours[at] = DONE;
            depth--;
            continue;
        }
        size_t target = instance->raw[next[depth - 1]++].node;
        const struct plan_node *node = &state->plan->nodes[target];
        if (colours[target] == DONE || (!node->deployed && !node->existing))
            continue;
        if (colours[target] == ON_THE_WAY)
            return plan_fail(state, state->instances[target].resource->type,
                             "Circular dependency detected on resource: '%.*s'. Please see "
                             "https://aka.ms/arm-syntax-resources for usage details.",
                             TEXT_ARG(node->id));
        colours[target] = ON_THE_WAY;
        way[depth] = target;
        next[depth++] = 0;
    }
    return true;
}

bool plan_order(struct plan_state *state)
{
    size_t count = state->plan->node_count;
    unsigned char *colours = ARENA_ARRAY(state->arena, unsigned char, count + 1);
    size_t *way = ARENA_ARRAY(state->arena, size_t, count + 1),
           *next = ARENA_ARRAY(state->arena, size_t, count + 1);
    for (size_t i = 0; i < count; i++) {
        const struct plan_node *node = &state->plan->nodes[i];
        if (colours[i] == 0 && (node->deployed || node->existing) && !visit(state, i, colours, way, next))
            return false;
    }
    return true;
}
