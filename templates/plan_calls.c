// The calls of reference(), references() and list*() in resources and outputs: found where they are written,
// and gone through for each copy (arm-templates 5.8).
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
    struct text string;     // that is looked through
    struct open_call *open; // calls around the one that is looked at, the innermost first
};
struct open_call {
    size_t start, end;
    bool condition, lazy;
    const struct expression *first; // argument
    struct open_call *outer;
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

size_t call_end(struct text string, size_t from, size_t until, size_t *commas)
{
    size_t depth = 0;
    for (size_t i = from; i < string.length; i++) {
        char c = string.base[i];
        if (c == '\'') {
            for (i++; i < string.length && string.base[i] != '\''; i++)
                ;
        } else if (c == '(')
            depth++;
        else if (c == ')' && --depth == 0)
            return i + 1;
        else if (c == ',' && depth == 1 && i < until)
            (*commas)++;
    }
    return string.length;
}

static void enter_call(struct search *search, const struct expression_call *called)
{
    static const char *const lazy[] = {"and", "or", "coalesce", "tryGet"};
    while (search->open != NULL && search->open->end <= called->position)
        search->open = search->open->outer;
    struct open_call open = {.start = called->position,
                             .condition = text_is_nocase(called->name, "if") && called->argument_count == 3,
                             .outer = search->open};
    for (size_t i = 0; i < sizeof lazy / sizeof *lazy; i++)
        open.lazy = open.lazy || text_is_nocase(called->name, lazy[i]);
    if (!open.condition && !open.lazy)
        return;
    open.first = called->argument_count > 0 ? called->arguments[0] : NULL;
    open.end = call_end(search->string, called->position, 0, NULL);
    search->open = ARENA_NEW(search->state->arena, struct open_call);
    *search->open = open;
}

static const struct plan_guard *guard_of(const struct search *search, size_t position)
{
    const struct plan_guard *guard = NULL;
    for (const struct open_call *open = search->open; open != NULL; open = open->outer) {
        size_t argument = 0;
        call_end(search->string, open->start, position, &argument);
        if (argument == 0) // always looked at
            continue;
        struct plan_guard *made = ARENA_NEW(search->state->arena, struct plan_guard);
        *made = (struct plan_guard){open->condition ? open->first : NULL, argument == 1, guard};
        guard = made;
    }
    return guard;
}

static void note_call(void *context, const struct expression_call *called)
{
    struct search *search = context;
    enter_call(search, called);
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
    call.guard = guard_of(search, called->position);
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
    search->string = string;
    search->open = NULL;
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
    if (rounds == NULL || rounds->kind != VALUE_INTEGER || rounds->integer > TEMPLATE_COPIES)
        return true; // refused where the body is made
    for (int64_t i = 0; i < rounds->integer; i++) {
        if (!plan_spend_steps(walk->state, 4))
            return false;
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
