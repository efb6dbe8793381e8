// The template that a deployment of the outer scope is sent with (arm-templates 3.6): its surroundings'
// parameters, variables and loops put in, so that it needs nothing but itself.
#include "templates/plan_state.h"

#include "templates/expression_cache.h"

static const struct value *text_value(struct arena *arena, struct text text)
{
    return value_string(arena, text.base != NULL ? text : TEXT(""));
}

// A text as a template writes it, so that it stands for itself.
static struct text escaped(struct arena *arena, struct text text)
{
    if (text.length > 1 && text.base[0] == '[' && text.base[text.length - 1] == ']')
        return TEXT_JOIN(arena, TEXT("["), text);
    return text;
}

// A value's copy with every string and name made by `text`; the value itself where nothing changes.
struct rewriting {
    struct plan_state *state;
    const struct evaluation_copy *copy;
    const struct value *(*string)(const struct rewriting *rewriting, const struct value *value);
    bool ok;
};

static const struct value *rewrite(struct rewriting *rewriting, const struct value *value)
{
    struct arena *arena = rewriting->state->arena;
    if (value->kind == VALUE_STRING)
        return rewriting->string(rewriting, value);
    if (value->kind == VALUE_ARRAY && value->array.count > 0) {
        const struct value **items = ARENA_ARRAY(arena, const struct value *, value->array.count);
        for (size_t i = 0; i < value->array.count; i++)
            items[i] = rewrite(rewriting, value->array.items[i]);
        return value_array(arena, items, value->array.count);
    }
    if (value->kind == VALUE_OBJECT && value->object.count > 0) {
        struct value_member *members = ARENA_ARRAY(arena, struct value_member, value->object.count);
        for (size_t i = 0; i < value->object.count; i++) {
            members[i] = value->object.members[i];
            const struct value name = {.kind = VALUE_STRING, .string = members[i].name};
            members[i].name = value_text(rewriting->string(rewriting, &name));
            members[i].value = rewrite(rewriting, members[i].value);
        }
        return value_object(arena, members, value->object.count);
    }
    return value;
}

static const struct value *escape_string(const struct rewriting *rewriting, const struct value *value)
{
    struct text text = escaped(rewriting->state->arena, value->string);
    return text.base == value->string.base ? value : value_string(rewriting->state->arena, text);
}

static const struct value *escape(struct plan_state *state, const struct value *value)
{
    struct rewriting rewriting = {.state = state, .string = escape_string};
    return rewrite(&rewriting, value);
}

// NULL where the run has to be asked, or where it takes too much (state->error is set then).
static const struct value *known(struct plan_state *state, const struct evaluation_copy *copy,
                                 struct text string)
{
    struct expression_error error = {0};
    const struct expression *expression = expression_cached(state->arena, NULL, string, &error);
    const struct value *value = expression ? plan_try(state, PLACE_RESOURCE_BODY, copy, expression) : NULL;
    return value && plan_spend(state, 64 * value_size(value)) ? value : NULL;
}

// An expression that is known becomes what it is; another what is left of it.
static const struct value *reduce_string(const struct rewriting *rewriting, const struct value *value)
{
    struct plan_state *state = rewriting->state;
    struct text literal;
    if (!expression_is(value->string, &literal))
        return value;
    const struct value *whole = known(state, rewriting->copy, value->string);
    if (whole != NULL)
        return escape(state, whole);
    return value_string(state->arena, residual_text(state, rewriting->copy, value->string));
}

static const struct value *reduce(struct plan_state *state, const struct evaluation_copy *copy,
                                  const struct value *value)
{
    struct rewriting rewriting = {.state = state, .copy = copy, .string = reduce_string};
    return rewrite(&rewriting, value);
}

struct object {
    struct arena *arena;
    struct value_member *members;
    size_t count;
};

static void put(struct object *object, const char *name, const struct value *value)
{
    object->members[object->count++] = (struct value_member){.name = text_of(name), .value = value};
}

static const struct value *depends_on(struct plan_state *state, const struct plan_node *node)
{
    const struct value **items = ARENA_ARRAY(state->arena, const struct value *, node->dependency_count + 1);
    size_t count = 0;
    for (size_t i = 0; i < node->dependency_count; i++) {
        if (!node->dependencies[i].implicit) // the others are found again
            items[count++] = text_value(state->arena, state->plan->nodes[node->dependencies[i].node].id);
    }
    return value_array(state->arena, items, count);
}

static const struct value *properties_of(struct plan_state *state, size_t number)
{
    const struct plan_node *node = &state->plan->nodes[number];
    const struct plan_instance *instance = &state->instances[number];
    if (plan_is_deployment(node) && node->nested_content != NULL) {
        // Its own template is not evaluated again: inner, or made literal already.
        const struct value *properties = VALUE_FIND(node->nested_content, "properties");
        struct object out = {state->arena,
                             ARENA_ARRAY(state->arena, struct value_member, properties->object.count + 2), 0};
        for (size_t i = 0; i < properties->object.count; i++) {
            struct value_member member = properties->object.members[i];
            if (!text_is_nocase(member.name, "template"))
                member.value = escape(state, member.value);
            out.members[out.count++] = member;
        }
        return value_object(state->arena, out.members, out.count);
    }
    if (node->body != NULL) {
        const struct value *properties = VALUE_FIND(node->body, "properties");
        return properties ? escape(state, properties) : NULL;
    }
    return instance->resource->properties ? reduce(state, node->copy, instance->resource->properties) : NULL;
}

static const struct value *resource_of(struct plan_state *state, size_t number)
{
    struct arena *arena = state->arena;
    const struct plan_node *node = &state->plan->nodes[number];
    const struct plan_instance *instance = &state->instances[number];
    size_t heads = instance->heads ? instance->heads->object.count : 0;
    struct object out = {arena, ARENA_ARRAY(arena, struct value_member, heads + 8), 0};
    if (!node->deployed)
        put(&out, "condition", value_boolean(false));
    put(&out, "type", text_value(arena, escaped(arena, node->written_type)));
    put(&out, "apiVersion", text_value(arena, node->api_version));
    put(&out, "name", text_value(arena, escaped(arena, node->written_name)));
    if (!text_equal_nocase(instance->scope_id, state->scope_id))
        put(&out, "scope", text_value(arena, instance->scope_id.length > 0 ? instance->scope_id : TEXT("/")));
    for (size_t i = 0; i < heads; i++) {
        struct value_member member = instance->heads->object.members[i];
        member.value = escape(state, member.value);
        out.members[out.count++] = member;
    }
    const struct value *waits = depends_on(state, node);
    if (waits->array.count > 0)
        put(&out, "dependsOn", waits);
    const struct value *properties = node->deployed ? properties_of(state, number) : NULL;
    if (properties != NULL)
        put(&out, "properties", properties);
    return value_object(arena, out.members, out.count);
}

// The rounds of an output's loop, each written out: copyIndex() in there is of this loop and not of those
// around the deployment. NULL where only the run knows how many there are.
static const struct value *rounds_of(struct plan_state *state, const struct template_copy *copy)
{
    struct text literal;
    const struct value *count = copy->count;
    if (value_is(count, VALUE_STRING) && expression_is(count->string, &literal))
        count = known(state, state->outer_copy, count->string);
    if (!value_is(count, VALUE_INTEGER) || count->integer < 0 || count->integer > TEMPLATE_COPIES ||
        copy->input == NULL)
        return NULL;
    size_t rounds = (size_t)count->integer;
    const struct value **items = ARENA_ARRAY(state->arena, const struct value *, rounds + 1);
    for (size_t i = 0; i < rounds; i++) {
        const struct evaluation_copy round = {
            .name = copy->name, .index = (int64_t)i, .outer = state->outer_copy};
        if (!plan_spend(state, 32 * value_size(copy->input)))
            return NULL;
        items[i] = reduce(state, &round, copy->input);
    }
    return value_array(state->arena, items, rounds);
}

static const struct value *output_of(struct plan_state *state, const struct template_output *output)
{
    struct arena *arena = state->arena;
    struct object out = {arena, ARENA_ARRAY(arena, struct value_member, output->node->object.count + 1), 0};
    const struct value *rounds = output->copy ? rounds_of(state, output->copy) : NULL;
    for (size_t i = 0; i < output->node->object.count; i++) {
        struct value_member member = output->node->object.members[i];
        if (rounds != NULL && text_is_nocase(member.name, "copy"))
            member = (struct value_member){.name = TEXT("value"), .value = rounds};
        else if (!text_is_nocase(member.name, "metadata"))
            member.value = reduce(state, state->outer_copy, member.value);
        out.members[out.count++] = member;
    }
    return value_object(arena, out.members, out.count);
}

const struct value *plan_literal(struct plan_state *nested)
{
    struct arena *arena = nested->arena;
    const struct template_document *document = nested->document;
    const struct plan *plan = nested->plan;
    if (!plan_spend(nested, 32 * value_size(document->root) + 512 * plan->node_count))
        return NULL;
    struct object out = {arena, ARENA_ARRAY(arena, struct value_member, 5), 0};
    put(&out, "$schema", text_value(arena, document->schema));
    put(&out, "contentVersion", text_value(arena, document->content_version));
    // What calls them with something of the run calls them still.
    const struct value *functions = VALUE_FIND(nested->environment->document->root, "functions");
    if (functions != NULL && functions->kind != VALUE_NULL)
        put(&out, "functions", functions);
    const struct value **resources = ARENA_ARRAY(arena, const struct value *, plan->node_count + 1);
    size_t count = 0;
    for (size_t i = 0; i < plan->node_count; i++) {
        if (!plan->nodes[i].existing)
            resources[count++] = resource_of(nested, i);
    }
    put(&out, "resources", value_array(arena, resources, count));
    if (document->has_outputs) {
        struct value_member *outputs = ARENA_ARRAY(arena, struct value_member, document->output_count + 1);
        for (size_t i = 0; i < document->output_count; i++)
            outputs[i] = (struct value_member){.name = document->outputs[i].name,
                                               .value = output_of(nested, &document->outputs[i])};
        put(&out, "outputs", value_object(arena, outputs, document->output_count));
    }
    return nested->error->code == NULL ? value_object(arena, out.members, out.count) : NULL;
}

const struct value *plan_literal_properties(struct arena *arena, const struct value *properties)
{
    struct object out = {arena, ARENA_ARRAY(arena, struct value_member, properties->object.count + 1), 0};
    for (size_t i = 0; i < properties->object.count; i++) {
        const struct value_member *member = &properties->object.members[i];
        if (!text_is_nocase(member->name, "parameters") && !text_is_nocase(member->name, "parametersLink") &&
            !text_is_nocase(member->name, "template") &&
            !text_is_nocase(member->name, "expressionEvaluationOptions"))
            out.members[out.count++] = *member;
    }
    struct value_member *scope = ARENA_NEW(arena, struct value_member);
    *scope = (struct value_member){.name = TEXT("scope"), .value = value_string(arena, TEXT("Inner"))};
    put(&out, "expressionEvaluationOptions", value_object(arena, scope, 1));
    return value_object(arena, out.members, out.count);
}
