// Variables: bound when first asked for, so that they may stand in any order; loops of variables
// (arm-templates 3.2).
#include "templates/plan_state.h"

// {"copy":[<the loop>]}: what evaluate_value expands as it does inside an object.
static const struct value *loop_alone(struct arena *arena, const struct value *loop)
{
    const struct value **items = ARENA_ARRAY(arena, const struct value *, 1);
    items[0] = loop;
    struct value_member *member = ARENA_NEW(arena, struct value_member);
    *member = (struct value_member){.name = TEXT("copy"), .value = value_array(arena, items, 1)};
    return value_object(arena, member, 1);
}

static bool bind(struct plan_state *state, struct plan_variable *variable)
{
    if (variable->binding == BOUND)
        return true;
    const struct plan_subject subject = {SUBJECT_VARIABLE, variable->name, 0, 0};
    if (variable->binding == BINDING || state->chain >= PLAN_CHAIN_DEPTH) {
        const struct expression_error error = {
            .message = variable->binding == BINDING
                           ? "Circular dependency detected in template language expression."
                           : "Too many variables refer to one another."};
        plan_fail_expression(state, &subject, &error, variable->source);
        return false;
    }
    variable->binding = BINDING;
    state->chain++;
    const struct value *value = plan_value(state, PLACE_VARIABLE, NULL, variable->source, true, &subject);
    state->chain--;
    if (value == NULL)
        return false;
    variable->value = variable->copy ? value_find(value, variable->name) : value;
    if (variable->value == NULL) // a loop that made no member of that name
        variable->value = value_array(state->arena, NULL, 0);
    variable->binding = BOUND;
    return true;
}

const struct value *plan_variable_value(struct plan_state *state, struct arena *arena, struct text name,
                                        struct expression_error *error)
{
    const struct name_entry *found =
        state->variable_index != NULL ? name_index_find(state->variable_index, name) : NULL;
    if (found == NULL) {
        error->message = arena_printf(arena,
                                      "The template variable '%.*s' is not found. Please see "
                                      "https://aka.ms/arm-template/#variables for usage details.",
                                      TEXT_ARG(name));
        return NULL;
    }
    struct plan_variable *variable = &state->variables[found->number];
    if (!bind(state, variable)) {
        error->message = "A template variable is not valid.";
        return NULL;
    }
    return variable->value;
}

void plan_declare_variables(struct plan_state *state)
{
    const struct template_document *document = state->document;
    state->variables = ARENA_ARRAY(state->arena, struct plan_variable,
                                   document->variable_count + document->variable_copy_count + 1);
    state->variable_index =
        name_index_new(state->arena, document->variable_count + document->variable_copy_count);
    for (size_t i = 0; i < document->variable_count; i++) {
        name_index_add(state->variable_index, document->variables[i].name, state->variable_count);
        state->variables[state->variable_count++] = (struct plan_variable){
            .name = document->variables[i].name, .source = document->variables[i].value};
    }
    for (size_t i = 0; i < document->variable_copy_count; i++) {
        const struct template_copy *copy = &document->variable_copies[i];
        name_index_add(state->variable_index, copy->name, state->variable_count);
        state->variables[state->variable_count++] = (struct plan_variable){
            .name = copy->name, .source = loop_alone(state->arena, copy->node), .copy = true};
    }
}

bool plan_bind_variables(struct plan_state *state)
{
    for (size_t i = 0; i < state->variable_count; i++) {
        if (!bind(state, &state->variables[i]))
            return false;
    }
    return true;
}
