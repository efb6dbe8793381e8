// Parameters: what is given, defaults, and the checks of both (arm-templates 3.1, 9.2).
#include "templates/plan_state.h"

#include "templates/value_secret.h"

static struct text names_of(struct arena *arena, const struct value *given, const struct plan_state *state,
                            bool unknown)
{
    struct buffer out = buffer_new(arena);
    size_t count = unknown ? given->object.count : state->parameter_count;
    for (size_t i = 0; i < count; i++) {
        struct text name = unknown ? given->object.members[i].name : state->parameters[i].declared->name;
        if (unknown && name_index_find(state->parameter_index, name) != NULL)
            continue;
        if (out.length > 0)
            buffer_string(&out, ", ");
        buffer_text(&out, name);
    }
    return buffer_done(&out);
}

static bool check_names(struct plan_state *state, const struct value *given)
{
    if (given == NULL)
        return true;
    struct text unknown = names_of(state->arena, given, state, true);
    if (unknown.length == 0)
        return true;
    struct text known = names_of(state->arena, given, state, false);
    return plan_fail(
        state, NULL,
        "The template parameters '%.*s' in the parameters file are not valid; they are not present in "
        "the original template and can therefore not be provided at deployment time. The only supported "
        "parameters for this template are '%.*s'. Please see https://aka.ms/arm-deploy/#parameter-file "
        "for usage details.",
        TEXT_ARG(unknown), TEXT_ARG(known));
}

// There is no Key Vault here to ask.
static bool refuse_reference(struct plan_state *state, const struct value *reference)
{
    struct text id = value_text(VALUE_FIND(VALUE_FIND(reference, "keyVault"), "id"));
    plan_fail(state, NULL, "The specified KeyVault could not be found.");
    state->error->code = "KeyVaultParameterReferenceNotFound";
    state->error->message =
        arena_printf(state->arena,
                     "The specified KeyVault '%.*s' could not be found. This site has no Key Vault: give the "
                     "parameter its value.",
                     TEXT_ARG(id));
    return false;
}

// The value of {"value":…}; NULL without an error where there is none.
static const struct value *given_value(struct plan_state *state, const struct plan_parameter *parameter,
                                       const struct value *given, bool *ok)
{
    const struct value *entry = value_find(given, parameter->declared->name);
    *ok = true;
    if (entry == NULL)
        return NULL;
    const struct value *value = VALUE_FIND(entry, "value");
    const struct value *reference = VALUE_FIND(entry, "reference");
    if (value != NULL)
        return value;
    if (reference != NULL)
        *ok = refuse_reference(state, reference);
    else if (VALUE_FIND(entry, "expression") != NULL)
        *ok = plan_fail(
            state, NULL,
            "The template parameter '%.*s' is given an expression, which is not supported. Please see "
            "https://aka.ms/arm-parameter-files for usage details.",
            TEXT_ARG(parameter->declared->name));
    return NULL;
}

static bool check_value(struct plan_state *state, const struct plan_parameter *parameter,
                        const struct value *value)
{
    const struct template_parameter *declared = parameter->declared;
    struct text where = declared->name;
    const struct value *at = declared->node;
    const char *bad = type_mismatch(state->arena, declared->type, value, &where, &at);
    return bad == NULL ||
           plan_fail(state, at, "The provided value for the template parameter '%.*s' is not valid. %s",
                     TEXT_ARG(where), bad);
}

static bool missing(struct plan_state *state, const struct plan_parameter *parameter)
{
    const struct value *node = parameter->declared->node;
    return plan_fail(
        state, node,
        "The value for the template parameter '%.*s' at line '%u' and column '%u' is not provided. Please "
        "see https://aka.ms/resource-manager-parameter-files for usage details.",
        TEXT_ARG(parameter->declared->name), node->line, node->column);
}

static void set_value(struct plan_state *state, struct plan_parameter *parameter, const struct value *value)
{
    bool secret = type_holds_secret(parameter->declared->type);
    parameter->value = secret ? value_as_secret(state->arena, value) : value;
}

// A default may refer to other parameters, wherever they stand.
static bool bind_default(struct plan_state *state, struct plan_parameter *parameter)
{
    const struct template_parameter *declared = parameter->declared;
    if (declared->default_value == NULL) {
        if (!template_type_nullable(declared->type))
            return missing(state, parameter);
        parameter->value = value_null();
        return true;
    }
    const struct plan_subject subject = {SUBJECT_RESOURCE, declared->name, declared->node->line,
                                         declared->node->column};
    if (parameter->binding == BINDING || state->chain >= PLAN_CHAIN_DEPTH) {
        const struct expression_error error = {
            .message = parameter->binding == BINDING
                           ? "Circular dependency detected in template language expression."
                           : "Too many parameters refer to one another."};
        plan_fail_expression(state, &subject, &error, declared->default_value);
        return false;
    }
    parameter->binding = BINDING;
    state->chain++;
    const struct value *value =
        plan_value(state, PLACE_PARAMETER_DEFAULT, NULL, declared->default_value, false, &subject);
    state->chain--;
    if (value == NULL || !check_value(state, parameter, value))
        return false;
    set_value(state, parameter, value);
    return true;
}

static bool bind(struct plan_state *state, struct plan_parameter *parameter)
{
    if (parameter->binding != BOUND && !bind_default(state, parameter))
        return false;
    parameter->binding = BOUND;
    return true;
}

const struct value *plan_parameter_value(struct plan_state *state, struct arena *arena, struct text name,
                                         struct expression_error *error)
{
    const struct name_entry *found = name_index_find(state->parameter_index, name);
    if (found == NULL) {
        error->message = arena_printf(arena,
                                      "The template parameter '%.*s' is not found. Please see "
                                      "https://aka.ms/arm-template/#parameters for usage details.",
                                      TEXT_ARG(name));
        return NULL;
    }
    struct plan_parameter *parameter = &state->parameters[found->number];
    if (parameter->binding != BOUND && !bind(state, parameter)) {
        error->message = "A template parameter is not valid.";
        return NULL;
    }
    return parameter->value;
}

// {"p":{"type":"String","value":…}}: nothing secret, and no value where it is null.
static const struct value *record_of(struct plan_state *state)
{
    struct arena *arena = state->arena;
    struct value_member *all = ARENA_ARRAY(arena, struct value_member, state->parameter_count + 1);
    for (size_t i = 0; i < state->parameter_count; i++) {
        const struct plan_parameter *parameter = &state->parameters[i];
        const struct template_type *type = parameter->declared->type;
        const char *name = template_type_name(type);
        struct value_member *entry = ARENA_ARRAY(arena, struct value_member, 2);
        size_t count = 0;
        entry[count++] = (struct value_member){
            .name = TEXT("type"), .value = value_string(arena, text_of(name != NULL ? name : "Object"))};
        if (!type_holds_secret(type) && parameter->value->kind != VALUE_NULL)
            entry[count++] = (struct value_member){.name = TEXT("value"), .value = parameter->value};
        all[i] = (struct value_member){.name = parameter->declared->name,
                                       .value = value_object(arena, entry, count)};
    }
    return value_object(arena, all, state->parameter_count);
}

static void note_bound(struct plan_state *state)
{
    struct value_member *members = ARENA_ARRAY(state->arena, struct value_member, state->parameter_count + 1);
    for (size_t i = 0; i < state->parameter_count; i++)
        members[i] = (struct value_member){.name = state->parameters[i].declared->name,
                                           .value = state->parameters[i].value};
    state->plan->bound = value_object(state->arena, members, state->parameter_count);
    state->plan->parameters = state->document->has_parameters ? record_of(state) : NULL;
}

bool plan_bind_parameters(struct plan_state *state, const struct value *given, const struct value *frozen)
{
    const struct template_document *document = state->document;
    state->parameter_count = document->parameter_count;
    state->parameters = ARENA_ARRAY(state->arena, struct plan_parameter, state->parameter_count + 1);
    state->parameter_index = name_index_new(state->arena, state->parameter_count);
    for (size_t i = 0; i < state->parameter_count; i++) {
        state->parameters[i].declared = &document->parameters[i];
        name_index_add(state->parameter_index, document->parameters[i].name, i);
    }
    if (!check_names(state, given))
        return false;
    for (size_t i = 0; i < state->parameter_count; i++) {
        struct plan_parameter *parameter = &state->parameters[i];
        bool ok = true;
        const struct value *value = given_value(state, parameter, given, &ok);
        if (!ok || (value != NULL && !check_value(state, parameter, value)))
            return false;
        if (value == NULL)
            value = value_find(frozen, parameter->declared->name);
        if (value == NULL)
            continue;
        set_value(state, parameter, value);
        parameter->binding = BOUND;
    }
    for (size_t i = 0; i < state->parameter_count; i++) {
        if (!bind(state, &state->parameters[i]))
            return false;
    }
    note_bound(state);
    return true;
}
