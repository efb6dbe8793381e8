// Evaluation in a plan's surroundings: the hooks of the language, and failures in the contract's words with
// their places (arm-templates 4.4).
#include "templates/plan_state.h"

#include <stdarg.h>

static struct plan_state *state_of(const struct evaluation *e)
{
    const struct plan_context *context = e->hooks->context;
    return context->state->environment;
}

static const struct value *hook_parameter(struct evaluation *e, struct text name,
                                          struct expression_error *error)
{
    return plan_parameter_value(state_of(e), e->arena, name, error);
}

static const struct value *hook_variable(struct evaluation *e, struct text name,
                                         struct expression_error *error)
{
    return plan_variable_value(state_of(e), e->arena, name, error);
}

static const struct value *hook_user_function(struct evaluation *e, struct text name)
{
    const struct plan_state *state = state_of(e);
    const struct name_entry *found = name_index_find(state->function_index, name);
    return found ? state->document->functions[found->number].node : NULL;
}

static const struct value *not_expected(struct arena *arena, struct text function,
                                        struct expression_error *error)
{
    error->message = arena_printf(arena,
                                  "The template function '%.*s' is not expected at this location. Please see "
                                  "https://aka.ms/arm-functions for usage details.",
                                  TEXT_ARG(text_upper(arena, function)));
    return NULL;
}

static void put(struct value_member *members, size_t *count, const char *name, const struct value *value)
{
    if (value != NULL)
        members[(*count)++] = (struct value_member){.name = text_of(name), .value = value};
}

// deployment() (5.7), made once: a run's threads only read it.
void plan_make_deployment(struct plan_state *state)
{
    struct arena *arena = state->arena;
    const struct plan_site *site = state->site;
    struct value_member *properties = ARENA_ARRAY(arena, struct value_member, 8);
    size_t count = 0;
    put(properties, &count, "templateLink", site->template_link);
    put(properties, &count, "template", state->document->root);
    put(properties, &count, "templateHash", value_string(arena, state->plan->template_hash));
    put(properties, &count, "parameters",
        state->request_parameters ? state->request_parameters : value_object(arena, NULL, 0));
    put(properties, &count, "mode",
        value_string(arena, site->mode.base != NULL ? site->mode : TEXT("Incremental")));
    put(properties, &count, "debugSetting", site->debug_setting);
    put(properties, &count, "provisioningState", value_string(arena, TEXT("Accepted")));
    struct value_member *members = ARENA_ARRAY(arena, struct value_member, 3);
    size_t all = 0;
    put(members, &all, "name", value_string(arena, site->deployment_name));
    if (site->scope != SCOPE_RESOURCE_GROUP && site->location.base != NULL)
        put(members, &all, "location", value_string(arena, site->location));
    put(members, &all, "properties", value_object(arena, properties, count));
    state->deployment = value_object(arena, members, all);
}

static const struct value *management_group(struct plan_state *state)
{
    const struct plan_site *site = state->site;
    if (site->scope != SCOPE_MANAGEMENT_GROUP || site->management_group.base == NULL)
        return NULL;
    struct value_member *members = ARENA_ARRAY(state->arena, struct value_member, 4);
    size_t count = 0;
    put(members, &count, "id",
        value_string(state->arena,
                     TEXT_JOIN(state->arena, TEXT("/providers/Microsoft.Management/managementGroups/"),
                               site->management_group)));
    put(members, &count, "name", value_string(state->arena, site->management_group));
    put(members, &count, "type",
        value_string(state->arena, TEXT("/providers/Microsoft.Management/managementGroups")));
    put(members, &count, "properties", value_object(state->arena, NULL, 0));
    return value_object(state->arena, members, count);
}

static const struct value *hook_scope_object(struct evaluation *e, struct text function,
                                             struct expression_error *error)
{
    struct plan_state *state = state_of(e);
    const struct plan_site *site = state->site;
    const struct value *found = NULL;
    if (text_is_nocase(function, "deployment"))
        found = state->deployment;
    else if (text_is_nocase(function, "environment"))
        found = site->environment;
    else if (text_is_nocase(function, "deployer"))
        found = site->deployer;
    else if (text_is_nocase(function, "tenant"))
        found = site->tenant;
    else if (text_is_nocase(function, "managementGroup")) {
        found = management_group(state);
        if (found == NULL) {
            error->message = "The deployment metadata 'MANAGEMENTGROUP' is not valid.";
            return NULL;
        }
    } else if (text_is_nocase(function, "resourceGroup"))
        found = site->scope == SCOPE_RESOURCE_GROUP ? site->resource_group_object : NULL;
    else if (text_is_nocase(function, "subscription"))
        found = site->scope <= SCOPE_SUBSCRIPTION ? site->subscription : NULL;
    return found ? found : not_expected(e->arena, function, error);
}

static const struct value *hook_providers(struct evaluation *e, struct text name, struct text type,
                                          struct expression_error *error)
{
    const struct plan_site *site = state_of(e)->site;
    const struct value *found = site->providers ? site->providers(site->context, e->arena, name, type) : NULL;
    if (found == NULL)
        error->message = arena_printf(e->arena, "The resource provider '%.*s%s%.*s' is not known here.",
                                      TEXT_ARG(name), type.base != NULL ? "/" : "", TEXT_ARG(type));
    return found;
}

static const struct value *hook_resource_info(struct evaluation *e, struct text symbol,
                                              struct expression_error *error)
{
    const struct plan_context *context = e->hooks->context;
    struct plan_state *state = context->state;
    struct plan_range range;
    size_t source =
        state->document->symbolic && state->symbols != NULL ? plan_symbol(state, symbol) : SIZE_MAX;
    if (source != SIZE_MAX && !plan_expand_source(state, source)) {
        error->message = "A resource is not valid.";
        return NULL;
    }
    if (source == SIZE_MAX || plan_resolve(state, e->arena, symbol, false, &range) != FOUND_ONE) {
        error->message = arena_printf(
            e->arena,
            "The resource '%.*s' is not defined in the template. Please see https://aka.ms/arm-template for "
            "usage details.",
            TEXT_ARG(symbol));
        return NULL;
    }
    const struct plan_node *node = &state->plan->nodes[range.first];
    struct value_member *members = ARENA_ARRAY(e->arena, struct value_member, 4);
    size_t count = 0;
    put(members, &count, "id", value_string(e->arena, node->id));
    put(members, &count, "name", value_string(e->arena, node->name));
    put(members, &count, "type", value_string(e->arena, node->type));
    put(members, &count, "apiVersion", value_string(e->arena, node->api_version));
    return value_object(e->arena, members, count);
}

void plan_context_begin(struct plan_context *context, struct plan_state *state, const struct plan_run *run)
{
    *context = (struct plan_context){
        .state = state,
        .run = run,
        .hooks = {.parameter = hook_parameter,
                  .variable = hook_variable,
                  .user_function = hook_user_function,
                  .scope_object = hook_scope_object,
                  .resource_info = hook_resource_info,
                  .providers = hook_providers},
    };
    context->hooks.context = context;
    if (run != NULL)
        plan_run_hooks(&context->hooks);
}

struct evaluation plan_evaluation(struct plan_context *context, struct arena *arena,
                                  enum evaluation_place place, const struct evaluation_copy *copy,
                                  struct evaluation_budget *budget)
{
    const struct plan_state *environment = context->state->environment;
    return (struct evaluation){
        .arena = arena,
        .hooks = &context->hooks,
        .place = place,
        .scope = environment->site->scope,
        .subscription_id = environment->site->subscription_id,
        .resource_group = environment->site->resource_group,
        .copy = copy,
        .now = environment->site->now,
        .budget = budget,
        .version_2 = environment->document->version_2,
    };
}

const struct value *plan_value(struct plan_state *state, enum evaluation_place place,
                               const struct evaluation_copy *copy, const struct value *source, bool copies,
                               const struct plan_subject *subject)
{
    struct plan_context context;
    plan_context_begin(&context, state, NULL);
    struct evaluation e = plan_evaluation(&context, state->arena, place, copy, state->budget);
    struct expression_error error = {.code = "InvalidTemplate"};
    const struct value *at = source;
    const struct value *value = evaluate_value(&e, source, copies, &error, &at);
    if (value == NULL)
        plan_fail_expression(state, subject, &error, at);
    return value;
}

const struct value *plan_try(struct plan_state *state, enum evaluation_place place,
                             const struct evaluation_copy *copy, const struct expression *expression)
{
    struct plan_context context;
    plan_context_begin(&context, state, NULL);
    struct evaluation e = plan_evaluation(&context, state->arena, place, copy, state->budget);
    struct expression_error error = {.code = "InvalidTemplate"};
    return expression_needs_run(expression) ? NULL : expression_evaluate(&e, expression, &error);
}

struct text plan_text(struct plan_state *state, const struct evaluation_copy *copy,
                      const struct value *source, const char *member, const struct plan_subject *subject)
{
    const struct value *value = plan_value(state, PLACE_RESOURCE_HEAD, copy, source, false, subject);
    if (value == NULL)
        return TEXT_NONE;
    if (value->kind == VALUE_STRING)
        return value->string;
    plan_fail(
        state, source,
        "The template resource '%.*s' at line '%u' and column '%u' is not valid. The %s property must be a "
        "string, and it is of type '%s'. Please see https://aka.ms/arm-template/#resources for usage "
        "details.",
        TEXT_ARG(subject->name), subject->line, subject->column, member, value_kind_name(value->kind));
    return TEXT_NONE;
}

bool plan_check(struct plan_state *state, enum evaluation_place place, const struct evaluation_copy *copy,
                const struct value *source, const struct plan_subject *subject)
{
    struct plan_context context;
    plan_context_begin(&context, state, NULL);
    struct evaluation e = plan_evaluation(&context, state->arena, place, copy, state->budget);
    struct expression_error error = {.code = "InvalidTemplate"};
    const struct value *at = source;
    if (evaluate_check(&e, source, &error, &at))
        return true;
    plan_fail_expression(state, subject, &error, at);
    return false;
}

// ---- failures ----
static void set_place(struct plan_state *state, const struct value *at)
{
    state->error->path = plan_path(state, at);
    state->error->line = at ? at->line : 0;
    state->error->column = at ? at->column : 0;
}

bool plan_fail(struct plan_state *state, const struct value *at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *inner = arena_vprintf(state->arena, format, arguments);
    va_end(arguments);
    state->error->code = "InvalidTemplate";
    state->error->message = arena_printf(state->arena, "Deployment template validation failed: '%s'.", inner);
    set_place(state, at);
    return false;
}

// Whether it is the string itself that is no expression.
static bool unparsable(struct arena *arena, const struct value *at)
{
    struct text literal;
    struct expression_error error = {0};
    return at != NULL && at->kind == VALUE_STRING && expression_is(at->string, &literal) &&
           expression_parse(arena, at->string, &error) == NULL;
}

void plan_fail_expression(struct plan_state *state, const struct plan_subject *subject,
                          const struct expression_error *error, const struct value *at)
{
    if (state->error->code != NULL) // of something it refers to, told already
        return;
    struct arena *arena = state->arena;
    const char *inner = error->message ? error->message : "The expression cannot be evaluated.";
    if (unparsable(arena, at)) {
        state->error->code = "InvalidTemplate";
        state->error->message =
            arena_printf(arena,
                         "Deployment template language expression evaluation failed: '%s'. Please see "
                         "https://aka.ms/arm-template-expressions for usage details.",
                         inner);
        set_place(state, at);
        return;
    }
    switch (subject->kind) {
    case SUBJECT_RESOURCE:
        plan_fail(state, at,
                  "The template resource '%.*s' at line '%u' and column '%u' is not valid: %s. Please see "
                  "https://aka.ms/arm-functions for usage details.",
                  TEXT_ARG(subject->name), subject->line, subject->column, inner);
        break;
    case SUBJECT_VARIABLE:
        plan_fail(
            state, at,
            "The template variable '%.*s' is not valid: %s. Please see https://aka.ms/arm-functions for "
            "usage details.",
            TEXT_ARG(subject->name), inner);
        break;
    case SUBJECT_OUTPUT:
        plan_fail(state, at, "The template output '%.*s' is not valid: %s.", TEXT_ARG(subject->name), inner);
        break;
    }
    if (error->code != NULL && strcmp(error->code, "InvalidTemplate") != 0)
        state->error->code = error->code;
}

// The steps from `value` down to `at`, deepest first.
struct step {
    const struct value *in;
    size_t index;
    const struct step *below;
};

static bool look_for(struct arena *arena, const struct value *value, const struct value *at,
                     const struct step **steps)
{
    if (value == at)
        return true;
    size_t count = value->kind == VALUE_ARRAY    ? value->array.count
                   : value->kind == VALUE_OBJECT ? value->object.count
                                                 : 0;
    for (size_t i = 0; i < count; i++) {
        const struct value *child =
            value->kind == VALUE_ARRAY ? value->array.items[i] : value->object.members[i].value;
        if (!look_for(arena, child, at, steps))
            continue;
        struct step *step = ARENA_NEW(arena, struct step);
        *step = (struct step){value, i, *steps};
        *steps = step;
        return true;
    }
    return false;
}

struct text plan_path(struct plan_state *state, const struct value *at)
{
    const struct step *steps = NULL;
    if (at == NULL || state->document == NULL || !look_for(state->arena, state->document->root, at, &steps))
        return TEXT("");
    struct text path = state->path;
    for (; steps != NULL; steps = steps->below)
        path = steps->in->kind == VALUE_ARRAY
                   ? path_item(state->arena, path, steps->index)
                   : path_member(state->arena, path, steps->in->object.members[steps->index].name);
    return path;
}

bool plan_spend_steps(struct plan_state *state, size_t steps)
{
    if (state->budget->steps >= steps) {
        state->budget->steps -= steps;
        return true;
    }
    state->budget->steps = 0;
    return state->error->code != NULL
               ? false
               : plan_fail(state, NULL,
                           "The template takes more time to evaluate than a deployment may use.");
}

bool plan_spend(struct plan_state *state, size_t bytes)
{
    if (state->error->code != NULL)
        return false;
    if (state->budget->bytes < bytes) {
        state->budget->bytes = 0;
        return plan_fail(state, NULL,
                         "The template takes more memory to evaluate than the %d MiB that a deployment "
                         "may use.",
                         EVALUATION_BYTES / 1048576);
    }
    state->budget->bytes -= bytes;
    return true;
}
