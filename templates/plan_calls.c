// The calls of reference(), references() and list*() in resources and outputs: found where they are written,
// evaluated for each copy, and turned into dependencies and reads (arm-templates 5.8, 6).
#include "templates/plan_state.h"

#include "templates/expression_cache.h"

#include <strings.h>

// ---- finding them ----
struct search {
    struct plan_state *state;
    struct plan_calls *calls;
    const struct plan_loop *loop;
    const struct value *at;
    bool copies;
};

// Whether it can call any of them: most strings are spared the parser.
static bool may_call(struct text string)
{
    for (size_t i = 1; i + 4 < string.length; i++) {
        char c = string.base[i] | 0x20;
        if ((c == 'l' && strncasecmp(string.base + i, "list", 4) == 0) ||
            (c == 'r' && i + 9 < string.length && strncasecmp(string.base + i, "reference", 9) == 0))
            return true;
    }
    return false;
}

static void note_call(void *context, const struct expression_call *called)
{
    struct search *search = context;
    struct plan_call call = {.name = called->name, .loop = search->loop, .at = search->at};
    if (text_is_nocase(called->name, "reference"))
        call.kind = CALL_REFERENCE;
    else if (text_is_nocase(called->name, "references"))
        call.kind = CALL_REFERENCES;
    else if (text_starts_nocase(called->name, "list") && text_find(called->name, '.') < 0)
        call.kind = CALL_LIST;
    else
        return;
    call.argument_count = called->argument_count < 3 ? called->argument_count : 3;
    for (size_t i = 0; i < call.argument_count; i++)
        call.arguments[i] = called->arguments[i];
    struct plan_call *kept = ARENA_NEW(search->state->arena, struct plan_call);
    *kept = call;
    *search->calls->last = kept;
    search->calls->last = (const struct plan_call **)&kept->next;
}

static void search_text(struct search *search, struct text string, const struct value *at)
{
    struct text literal;
    struct plan_calls *calls = search->calls;
    if (!may_call(string) || !expression_is(string, &literal) || calls->parse.message != NULL)
        return;
    struct plan_context context;
    plan_context_begin(&context, search->state, NULL);
    struct evaluation e =
        plan_evaluation(&context, search->state->arena, PLACE_RESOURCE_BODY, NULL, search->state->budget);
    struct expression_error error = {.code = "InvalidTemplate"};
    const struct expression *expression = expression_cached(search->state->arena, &e, string, &error);
    if (expression == NULL) {
        calls->parse = error;
        calls->at = at;
        return;
    }
    if (!expression_needs_run(expression))
        return;
    if (!calls->run)
        calls->at = at;
    calls->run = true;
    search->at = at;
    expression_calls(expression, note_call, search);
}

static void search_value(struct search *search, const struct value *value);

static void search_loops(struct search *search, const struct value *loops)
{
    const struct plan_loop *outer = search->loop;
    for (size_t i = 0; i < loops->array.count; i++) {
        const struct value *written = loops->array.items[i];
        if (written->kind != VALUE_OBJECT)
            continue;
        struct plan_loop *loop = ARENA_NEW(search->state->arena, struct plan_loop);
        *loop =
            (struct plan_loop){value_text(VALUE_FIND(written, "name")), VALUE_FIND(written, "count"), outer};
        search->loop = loop;
        const struct value *input = VALUE_FIND(written, "input");
        if (input != NULL)
            search_value(search, input);
        search->loop = outer;
    }
}

static void search_value(struct search *search, const struct value *value)
{
    if (value->kind == VALUE_STRING)
        search_text(search, value->string, value);
    for (size_t i = 0; value->kind == VALUE_ARRAY && i < value->array.count; i++)
        search_value(search, value->array.items[i]);
    for (size_t i = 0; value->kind == VALUE_OBJECT && i < value->object.count; i++) {
        const struct value_member *member = &value->object.members[i];
        search_text(search, member->name, member->value);
        if (search->copies && text_is_nocase(member->name, "copy") && member->value->kind == VALUE_ARRAY)
            search_loops(search, member->value);
        else
            search_value(search, member->value);
    }
}

void calls_find(struct plan_state *state, const struct value *value, bool copies, struct plan_calls *calls)
{
    if (calls->last == NULL)
        calls->last = &calls->first;
    struct search search = {.state = state, .calls = calls, .copies = copies};
    if (value != NULL)
        search_value(&search, value);
}

// ---- going through them ----
struct walk {
    struct plan_state *state;
    const struct plan_call *call;
    bool (*each)(struct plan_state *state, const struct plan_call *call, const struct evaluation_copy *copy,
                 void *argument);
    void *argument;
};

// `loop` is the innermost that is not going round yet; outer ones go round first.
static bool walk_loops(struct walk *walk, const struct plan_loop *const *loops, size_t count,
                       const struct evaluation_copy *copy)
{
    if (count == 0)
        return walk->each(walk->state, walk->call, copy, walk->argument);
    const struct plan_loop *loop = loops[0];
    const struct value *rounds = loop->count;
    struct text literal;
    struct expression_error error = {0};
    if (rounds != NULL && rounds->kind == VALUE_STRING && expression_is(rounds->string, &literal)) {
        const struct expression *expression =
            expression_cached(walk->state->arena, NULL, rounds->string, &error);
        rounds = expression ? plan_try(walk->state, PLACE_RESOURCE_BODY, copy, expression) : NULL;
    }
    if (!value_is(rounds, VALUE_INTEGER) || rounds->integer > TEMPLATE_COPIES)
        return true; // refused where the body is made
    for (int64_t i = 0; i < rounds->integer; i++) {
        const struct evaluation_copy inner = {
            .name = loop->name, .index = i, .outer = copy, .only_by_name = true};
        if (!walk_loops(walk, loops + 1, count - 1, &inner))
            return false;
    }
    return true;
}

bool call_each(struct plan_state *state, const struct plan_call *call, const struct evaluation_copy *copy,
               bool (*each)(struct plan_state *state, const struct plan_call *call,
                            const struct evaluation_copy *copy, void *argument),
               void *argument)
{
    const struct plan_loop *loops[128];
    size_t count = 0;
    for (const struct plan_loop *loop = call->loop; loop != NULL && count < 128; loop = loop->outer)
        count++;
    size_t at = count;
    for (const struct plan_loop *loop = call->loop; loop != NULL && at > 0; loop = loop->outer)
        loops[--at] = loop;
    struct walk walk = {state, call, each, argument};
    return walk_loops(&walk, loops, count, copy);
}

// ---- dependencies and reads ----
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

static bool undefined(struct plan_state *state, const struct plan_call *call, struct text written)
{
    return plan_fail(
        state, call->at,
        "The resource '%.*s' is not defined in the template. Please see https://aka.ms/arm-template for "
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
                        const struct plan_range *range, struct text api_version, const struct link *link)
{
    for (size_t i = range->first; i < range->first + range->count; i++) {
        const struct plan_node *node = &state->plan->nodes[i];
        if (i == link->node)
            return plan_fail(state, call->at,
                             "Circular dependency detected on resource: '%.*s'. Please see "
                             "https://aka.ms/arm-syntax-resources for usage details.",
                             TEXT_ARG(node->id));
        if (link->list != NULL)
            dependency_add(link->list, i, true);
        const struct plan_read read = {.id = node->id,
                                       .type = node->written_type,
                                       .name = node->written_name,
                                       .api_version = api_version,
                                       .action = call->kind == CALL_LIST ? call->name : TEXT_NONE};
        if (link->reads != NULL && (api_version.base != NULL || call->kind == CALL_LIST || node->existing))
            add_read(state, link->reads, &read);
    }
    return true;
}

static bool link_outside(struct plan_state *state, const struct plan_call *call, struct text written,
                         struct text api_version, const struct link *link)
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
        return undefined(state, call, written);
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
        return undefined(state, call, written);
    if (found == FOUND_ONE || (found == FOUND_MANY && call->kind == CALL_REFERENCES))
        return link_inside(state, call, &range, api_version, link);
    return link_outside(state, call, written, api_version, link);
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
