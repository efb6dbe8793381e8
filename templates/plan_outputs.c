// Outputs (arm-templates 3.5, 9.3): looked at statically when the plan is made, evaluated after everything
// else.
#include "templates/plan_state.h"

// ---- when the plan is made ----
static bool check_output(struct plan_state *state, const struct template_output *output)
{
    const struct plan_subject subject = {SUBJECT_OUTPUT, output->name, 0, 0};
    const struct value *written = output->copy ? output->copy->input : output->value;
    struct plan_calls calls = {0};
    calls_find(state, written, false, &calls);
    if (output->condition != NULL)
        calls_find(state, output->condition, false, &calls);
    if (calls.parse.message != NULL) {
        plan_fail_expression(state, &subject, &calls.parse, calls.at);
        return false;
    }
    struct evaluation_copy first = {.outer = state->outer_copy};
    const struct evaluation_copy *copy = output->copy ? &first : state->outer_copy;
    if (written != NULL && !plan_check(state, PLACE_OUTPUT, copy, written, &subject))
        return false;
    // The rounds of its loop name much the same: the first one is looked at.
    return calls_link(state, &calls, copy, SIZE_MAX, NULL, NULL);
}

bool plan_check_outputs(struct plan_state *state)
{
    for (size_t i = 0; i < state->document->output_count; i++) {
        if (!check_output(state, &state->document->outputs[i]))
            return false;
    }
    return true;
}

// ---- after the run ----
struct evaluating {
    struct evaluation e;
    const struct template_output *output;
    const char *failure; // whole
};

static const struct value *fail(struct evaluating *evaluating, const char *inner)
{
    evaluating->failure = arena_printf(evaluating->e.arena, "The template output '%.*s' is not valid: %s.",
                                       TEXT_ARG(evaluating->output->name),
                                       inner ? inner : "The expression cannot be evaluated.");
    return NULL;
}

static const struct value *evaluate(struct evaluating *evaluating, const struct value *written)
{
    struct expression_error error = {0};
    const struct value *at = written;
    const struct value *value = evaluate_value(&evaluating->e, written, false, &error, &at);
    return value ? value : fail(evaluating, error.message);
}

static const struct value *evaluate_loop(struct evaluating *evaluating)
{
    const struct template_copy *copy = evaluating->output->copy;
    struct arena *arena = evaluating->e.arena;
    const struct value *count = evaluate(evaluating, copy->count);
    if (count == NULL)
        return NULL;
    if (count->kind != VALUE_INTEGER || count->integer < 0 || count->integer > TEMPLATE_COPIES)
        return fail(
            evaluating,
            arena_printf(arena,
                         "The template copy definition at line '%u' and column '%u' has an invalid copy "
                         "count. The copy count must be a non-negative integer value and cannot exceed '%d'. "
                         "Please see https://aka.ms/arm-copy for usage details.",
                         copy->node->line, copy->node->column, TEMPLATE_COPIES));
    const struct value **items = ARENA_ARRAY(arena, const struct value *, (size_t)count->integer + 1);
    struct evaluation_copy loop = {.name = copy->name, .outer = evaluating->e.copy};
    evaluating->e.copy = &loop;
    for (; loop.index < count->integer; loop.index++) {
        items[loop.index] = evaluate(evaluating, copy->input);
        if (items[loop.index] == NULL)
            break;
    }
    evaluating->e.copy = loop.outer;
    return evaluating->failure ? NULL : value_array(arena, items, (size_t)count->integer);
}

static const struct value *check_type(struct evaluating *evaluating, const struct value *value)
{
    const struct template_type *type = evaluating->output->type;
    struct arena *arena = evaluating->e.arena;
    struct text where = evaluating->output->name;
    const struct value *at = NULL;
    const char *bad = type_mismatch(arena, type, value, &where, &at);
    if (bad == NULL)
        return value;
    if (!text_equal(where, evaluating->output->name))
        return fail(evaluating, arena_printf(arena, "'%.*s': %s", TEXT_ARG(where), bad));
    if (strncmp(bad, "Expected a value", 16) != 0)
        return fail(evaluating, bad);
    return fail(evaluating,
                arena_printf(arena,
                             "Template output JToken type is not valid. Expected '%s'. Actual '%s'."
                             "Please see https://aka.ms/arm-template/#outputs for usage details.",
                             type_expected(type), value_kind_name(value->kind)));
}

// Whether it is there at all; false as well when that cannot be said (failure is set).
static bool wanted(struct evaluating *evaluating)
{
    const struct value *condition = evaluating->output->condition;
    if (condition == NULL)
        return true;
    const struct value *value = evaluate(evaluating, condition);
    if (value != NULL && value->kind != VALUE_BOOLEAN)
        fail(evaluating, "The condition must be a Boolean.");
    return value_is(value, VALUE_BOOLEAN) && value->boolean;
}

static const struct value *shown(struct evaluating *evaluating, const struct value *value)
{
    struct arena *arena = evaluating->e.arena;
    const struct template_type *type = evaluating->output->type;
    const char *name = template_type_name(type);
    struct value_member *members = ARENA_ARRAY(arena, struct value_member, 2);
    size_t count = 0;
    members[count++] = (struct value_member){
        .name = TEXT("type"), .value = value_string(arena, text_of(name != NULL ? name : "Object"))};
    if (!type_holds_secret(type) && value->kind != VALUE_NULL)
        members[count++] = (struct value_member){.name = TEXT("value"), .value = value};
    return value_object(arena, members, count);
}

const struct value *plan_outputs(struct plan *plan, const struct plan_run *run, struct arena *arena,
                                 struct plan_output_error **errors, size_t *error_count)
{
    struct plan_state *state = plan->state;
    const struct template_document *document = state->document;
    struct evaluation_budget budget = {.steps = EVALUATION_STEPS, .bytes = EVALUATION_BYTES};
    struct plan_context context;
    plan_context_begin(&context, state, run);
    struct value_member *members = ARENA_ARRAY(arena, struct value_member, document->output_count + 1);
    size_t count = 0;
    *errors = ARENA_ARRAY(arena, struct plan_output_error, document->output_count + 1);
    *error_count = 0;
    for (size_t i = 0; i < document->output_count; i++) {
        struct evaluating evaluating = {
            .e = plan_evaluation(&context, arena, PLACE_OUTPUT, NULL, &budget),
            .output = &document->outputs[i],
        };
        const struct value *value = NULL;
        if (wanted(&evaluating)) {
            value = evaluating.output->copy ? evaluate_loop(&evaluating)
                                            : evaluate(&evaluating, evaluating.output->value);
            value = value ? check_type(&evaluating, value) : NULL;
        }
        if (evaluating.failure != NULL)
            (*errors)[(*error_count)++] =
                (struct plan_output_error){evaluating.output->name, evaluating.failure};
        else if (value != NULL)
            members[count++] =
                (struct value_member){.name = evaluating.output->name, .value = shown(&evaluating, value)};
    }
    return *error_count > 0 ? NULL : value_object(arena, members, count);
}
