// Dependencies and reads of the calls of resources and outputs (arm-templates 5.8, 6, 7.1).
#include "templates/plan_state.h"

struct link {
    size_t node; // SIZE_MAX: outputs
    struct plan_dependency_list *list;
    struct plan_reads *reads;
};

static void add_read(struct plan_state *state, struct plan_reads *reads, const struct plan_read *read)
{
    for (size_t i = 0; i < reads->count && i < 64; i++) {
        const struct plan_read *other = &reads->items[i];
        if (text_equal_nocase(other->id, read->id) &&
            text_equal_nocase(other->api_version, read->api_version) &&
            text_equal_nocase(other->action, read->action))
            return;
    }
    if (reads->count == reads->capacity) {
        size_t capacity = reads->capacity ? reads->capacity * 2 : 4;
        struct plan_read *items = ARENA_ARRAY(state->arena, struct plan_read, capacity);
        if (reads->count > 0)
            memcpy(items, reads->items, reads->count * sizeof *items);
        reads->items = items;
        reads->capacity = capacity;
    }
    reads->items[reads->count++] = *read;
}

// Whether a call is made for certain: no argument around it is passed over, as far as can be said now.
static bool is_certain(struct plan_state *state, const struct plan_call *call,
                       const struct evaluation_copy *copy)
{
    for (const struct plan_guard *guard = call->guard; guard != NULL; guard = guard->outer) {
        const struct value *condition =
            guard->condition ? plan_try(state, PLACE_RESOURCE_BODY, copy, guard->condition) : NULL;
        if (condition == NULL || condition->kind != VALUE_BOOLEAN || condition->boolean != guard->wanted)
            return false;
    }
    return true;
}

// Of a call that may not be made at all, the run tells.
static bool undefined(struct plan_state *state, const struct plan_call *call,
                      const struct evaluation_copy *copy, struct text written)
{
    return !is_certain(state, call, copy) || plan_fail(state, call->at,
                                                       "The resource '%.*s' is not defined in the template. "
                                                       "Please see https://aka.ms/arm-template for "
                                                       "usage details.",
                                                       TEXT_ARG(plan_undefined_name(state, written)));
}

static struct text text_argument(struct plan_state *state, const struct plan_call *call, size_t index,
                                 const struct evaluation_copy *copy)
{
    if (index >= call->argument_count)
        return TEXT_NONE;
    return value_text(plan_try(state, PLACE_RESOURCE_BODY, copy, call->arguments[index]));
}

static bool link_inside(struct plan_state *state, const struct plan_call *call,
                        const struct evaluation_copy *copy, const struct plan_range *range,
                        struct text api_version, const struct link *link)
{
    for (size_t i = range->first; i < range->first + range->count; i++) {
        const struct plan_node *node = &state->plan->nodes[i];
        if (i == link->node && !is_certain(state, call, copy))
            continue;
        if (i == link->node)
            return plan_fail(state, call->at,
                             "Circular dependency detected on resource: '%.*s'. Please see "
                             "https://aka.ms/arm-syntax-resources for usage details.",
                             TEXT_ARG(node->id));
        if (link->list != NULL)
            dependency_add(link->list, i, true);
        const struct plan_read read = {
            .id = node->id,
            .type = node->written_type,
            .name = node->written_name,

            .api_version = api_version.base == NULL && node->existing ? node->api_version : api_version,
            .action = call->kind == CALL_LIST ? call->name : TEXT_NONE};
        if (link->reads != NULL && (api_version.base != NULL || call->kind == CALL_LIST || node->existing))
            add_read(state, link->reads, &read);
    }
    return true;
}

static bool link_outside(struct plan_state *state, const struct plan_call *call,
                         const struct evaluation_copy *copy, struct text written, struct text api_version,
                         const struct link *link)
{
    struct plan_range range;
    struct plan_state *outer = state->outer;
    if (outer != NULL && plan_resolve(outer, state->arena, written, false, &range) == FOUND_ONE) {
        dependency_add(state->outer_reads, range.first, true);
        return true;
    }
    struct text id = plan_outside_id(state->environment, state->arena, written);
    // references() never reads anything else; a resource of another place must say its version.
    if (id.base == NULL || api_version.base == NULL || call->kind == CALL_REFERENCES)
        return undefined(state, call, copy, written);
    struct plan_read read = {
        .id = id, .api_version = api_version, .action = call->kind == CALL_LIST ? call->name : TEXT_NONE};
    plan_id_parts(state->arena, id, &read.type, &read.name);
    if (link->reads != NULL)
        add_read(state, link->reads, &read);
    return true;
}

static bool link_call(struct plan_state *state, const struct plan_call *call,
                      const struct evaluation_copy *copy, void *argument)
{
    const struct link *link = argument;
    struct text written = text_argument(state, call, 0, copy);
    if (written.base == NULL) // known only in the run, or wrong: told there
        return state->error->code == NULL;
    struct text api_version = text_argument(state, call, 1, copy);
    if (text_is_nocase(api_version, "full"))
        api_version = TEXT_NONE;
    // An argument that only the run knows is given all the same.
    if (api_version.base == NULL && call->argument_count > 1 &&
        !text_is_nocase(text_argument(state, call, 1, copy), "full"))
        api_version = TEXT("");
    struct plan_range range;
    enum plan_found found = plan_resolve(state, state->arena, written, false, &range);
    bool own_output = state->outer != NULL && link->node == SIZE_MAX;
    if (found == FOUND_AMBIGUOUS)
        return plan_fail(
            state, call->at,
            "The resource '%.*s' is not unique in the template: its resource id must be given. Please "
            "see https://aka.ms/arm-template for usage details.",
            TEXT_ARG(written));
    if (own_output && found != FOUND_NONE)
        return undefined(state, call, copy, written);
    if (found == FOUND_ONE || (found == FOUND_MANY && call->kind == CALL_REFERENCES))
        return link_inside(state, call, copy, &range, api_version, link);
    return link_outside(state, call, copy, written, api_version, link);
}

bool calls_link(struct plan_state *state, const struct plan_calls *calls, const struct evaluation_copy *copy,
                size_t node, struct plan_dependency_list *list, struct plan_reads *reads)
{
    struct link link = {node, list, reads};
    for (const struct plan_call *call = calls->first; call != NULL; call = call->next) {
        if (!plan_spend(state, 64) || !call_each(state, call, copy, link_call, &link))
            return false;
    }
    return true;
}
