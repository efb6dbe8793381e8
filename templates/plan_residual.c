// What is left of an expression when everything that is known is put in: a template of the outer scope goes
// to its deployment with nothing but the calls that its run answers (arm-templates 3.6).
#include "templates/plan_state.h"

#include "templates/expression_cache.h"

struct residual {
    struct plan_state *state;
    const struct evaluation_copy *copy;
    struct text string;
    struct buffer out;
    size_t at; // what of the string is written already
};

static void write_quoted(struct buffer *out, struct text text)
{
    buffer_char(out, '\'');
    for (size_t i = 0; i < text.length; i++) {
        if (text.base[i] == '\'')
            buffer_char(out, '\'');
        buffer_char(out, text.base[i]);
    }
    buffer_char(out, '\'');
}

static void write_value(struct buffer *out, struct arena *arena, const struct value *value)
{
    if (value->kind == VALUE_STRING)
        write_quoted(out, value->string);
    else if (value->kind == VALUE_INTEGER)
        buffer_format(out, "%lld", (long long)value->integer);
    else {
        buffer_string(out, "json(");
        write_quoted(out, value_to_json(arena, value));
        buffer_char(out, ')');
    }
}

static void copy_until(struct residual *residual, size_t end)
{
    buffer_add(&residual->out, residual->string.base + residual->at, end - residual->at);
    residual->at = end;
}

// The call with its full id and its version, which its own deployment cannot look up; false where it can.
static bool write_reference(struct residual *residual, const struct expression_call *call)
{
    struct plan_state *state = residual->state;
    bool list = text_starts_nocase(call->name, "list");
    if (!list && !text_is_nocase(call->name, "reference"))
        return false;
    const struct value *arguments[4];
    if (call->argument_count == 0 || call->argument_count > 4)
        return false;
    for (size_t i = 0; i < call->argument_count; i++) {
        arguments[i] = plan_try(state, PLACE_RESOURCE_BODY, residual->copy, call->arguments[i]);
        if (arguments[i] == NULL)
            return false;
    }
    struct text written = value_text(arguments[0]), version = TEXT_NONE, id;
    struct plan_range range;
    if (written.base == NULL)
        return false;
    if (plan_resolve(state, state->arena, written, false, &range) == FOUND_ONE)
        id = state->plan->nodes[range.first].id;
    else if (plan_resolve(state->outer, state->arena, written, false, &range) == FOUND_ONE) {
        id = state->outer->plan->nodes[range.first].id;
        version = state->outer->plan->nodes[range.first].api_version;
    } else
        id = plan_outside_id(state->environment, state->arena, written);
    if (id.base == NULL)
        return false;
    buffer_text(&residual->out, call->name);
    buffer_char(&residual->out, '(');
    write_quoted(&residual->out, id);
    bool has_version = call->argument_count > 1 && !text_is_nocase(value_text(arguments[1]), "full");
    if (!has_version && version.base != NULL) {
        buffer_string(&residual->out, ", ");
        write_quoted(&residual->out, version);
    }
    for (size_t i = 1; i < call->argument_count; i++) {
        buffer_string(&residual->out, ", ");
        write_value(&residual->out, state->arena, arguments[i]);
    }
    buffer_char(&residual->out, ')');
    return true;
}

// Calls come from the outside to the inside: what was put in whole is passed over.
static void put_call(void *context, const struct expression_call *call)
{
    struct residual *residual = context;
    struct plan_state *state = residual->state;
    if (call->position < residual->at)
        return;
    size_t end = call_end(residual->string, call->position, 0, NULL);
    struct text inner =
        TEXT_JOIN(state->arena, TEXT("["), text_slice(residual->string, call->position, end), TEXT("]"));
    struct expression_error error = {0};
    const struct expression *expression = expression_cached(state->arena, NULL, inner, &error);
    if (expression == NULL)
        return;
    const struct value *value = plan_try(state, PLACE_RESOURCE_BODY, residual->copy, expression);
    // Growing may copy what is there twice over.
    if (value != NULL && !plan_spend(state, 64 * value_size(value)))
        return;
    if (value != NULL) {
        copy_until(residual, call->position);
        write_value(&residual->out, state->arena, value);
        residual->at = end;
        return;
    }
    if (!expression_needs_run(expression))
        return;
    copy_until(residual, call->position);
    if (write_reference(residual, call))
        residual->at = end;
}

// With state->error set when it takes too much.
struct text residual_text(struct plan_state *nested, const struct evaluation_copy *copy, struct text string)
{
    struct expression_error error = {0};
    const struct expression *expression = expression_cached(nested->arena, NULL, string, &error);
    if (expression == NULL)
        return string;
    if (!plan_spend(nested, 512 + 4 * string.length))
        return string;
    struct residual residual = {nested, copy, string, buffer_new(nested->arena), 0};
    expression_calls(expression, put_call, &residual);
    copy_until(&residual, string.length);
    return buffer_done(&residual.out);
}
