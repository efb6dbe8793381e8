// The steps of making a plan, in their order (arm-templates 4.4, 6.1, 6.2).
#include "templates/plan_state.h"

#include "templates/hash.h"
#include "templates/user_functions.h"

static bool check_functions(struct plan_state *state)
{
    const struct template_document *document = state->document;
    for (size_t i = 0; i < document->function_count; i++) {
        const struct template_function *function = &document->functions[i];
        ptrdiff_t dot = text_rfind(function->name, '.');
        struct text name = text_slice(function->name, (size_t)(dot + 1), function->name.length);
        const char *bad = user_function_violation(state->arena, name, function->node, document->version_2);
        if (bad != NULL)
            return plan_fail(state, function->node, "%s", bad);
    }
    return true;
}

static bool bind(struct plan_state *state, const struct plan_inputs *inputs)
{
    const struct template_document *document = state->document;
    state->function_index = name_index_new(state->arena, document->function_count);
    for (size_t i = 0; i < document->function_count; i++)
        name_index_add(state->function_index, document->functions[i].name, i);
    state->request_parameters = inputs->parameters;
    plan_make_deployment(state);
    plan_declare_variables(state);
    return check_functions(state) && plan_bind_parameters(state, inputs->parameters, inputs->frozen) &&
           plan_bind_variables(state);
}

static struct plan_state *begin(const struct plan_inputs *inputs)
{
    struct plan_state *state = ARENA_NEW(inputs->arena, struct plan_state);
    const struct plan_site *site = inputs->site;
    state->plan = ARENA_NEW(inputs->arena, struct plan);
    state->plan->state = state;
    state->plan->template = inputs->template;
    state->arena = inputs->arena;
    state->site = site;
    state->budget = inputs->budget;
    state->error = inputs->error;
    state->depth = inputs->depth;
    state->path = inputs->path;
    state->target = (struct plan_target){site->scope, site->subscription_id, site->resource_group,
                                         site->management_group};
    state->scope_id = target_id(inputs->arena, &state->target);
    state->parent = inputs->parent;
    state->outer = inputs->outer;
    state->environment = inputs->outer != NULL ? inputs->outer->environment : state;
    state->outer_copy = inputs->outer_copy;
    state->outer_reads = inputs->outer_reads;
    return state;
}

static bool build(struct plan_state *state, const struct plan_inputs *inputs)
{
    state->document = document_read(inputs->arena, inputs->template, inputs->path.base, inputs->error);
    if (state->document == NULL)
        return false;
    state->plan->has_outputs = state->document->has_outputs;
    state->plan->template_hash = template_hash(inputs->arena, inputs->template);
    // Of the outer scope: the plan around it answers.
    // A step that fails has said why.
    return (state->environment != state || bind(state, inputs)) && plan_expand(state) &&
           plan_find_calls(state) && plan_link(state) && plan_order(state) && plan_make_bodies(state) &&
           plan_check_outputs(state);
}

// One nested template is small, whatever it holds; a loop of them, each with loops of its own, is not: they
// pay for all the memory that they took and have not paid for yet.
static bool pay(struct plan_state *state, size_t size_before, size_t budget_before)
{
    size_t grown = arena_size(state->arena) - size_before, paid = budget_before - state->budget->bytes;
    return state->depth == 0 || grown <= paid || plan_spend(state, grown - paid);
}

struct plan *plan_build(const struct plan_inputs *inputs)
{
    size_t size = arena_size(inputs->arena), budget = inputs->budget->bytes;
    struct plan_state *state = begin(inputs);
    return build(state, inputs) && pay(state, size, budget) ? state->plan : NULL;
}

struct plan *plan_make(struct arena *arena, const struct plan_site *site, const struct value *template,
                       const struct value *parameters, const struct value *frozen, struct plan_error *error)
{
    *error = (struct plan_error){0};
    struct evaluation_budget *budget = ARENA_NEW(arena, struct evaluation_budget);
    budget->steps = EVALUATION_STEPS;
    budget->bytes = EVALUATION_BYTES;
    const struct plan_inputs inputs = {
        .arena = arena,
        .site = site,
        .template = template,
        .parameters = parameters,
        .frozen = frozen,
        .budget = budget,
        .path = TEXT("properties.template"),
        .error = error,
    };
    return plan_build(&inputs);
}

const struct link *plan_links_base(const struct plan *plan)
{
    return plan->state->site->link;
}
