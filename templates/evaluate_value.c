// Evaluating a whole value of a template, and looking through one without evaluating it.
#include "templates/evaluation.h"
#include "templates/expression_cache.h"

enum { COPIES = 800 };

// One evaluate_value that is under way.
struct walk {
    struct evaluation *e;
    bool copies;
    struct expression_error *error;
    const struct value **at;
};

static const struct value *evaluate(struct walk *w, const struct value *value);

static const struct value *fail(struct walk *w, const struct value *at, const char *message)
{
    *w->at = at;
    *w->error = (struct expression_error){"InvalidTemplate", message, 0};
    return NULL;
}

static void *take(struct walk *w, size_t count, size_t size)
{
    if (!evaluation_spend(w->e, 1 + count / 8, (count + 1) * size, w->error))
        return NULL;
    return arena_alloc(w->e->arena, (count + 1) * size);
}

// What was put together, when it is not too deep or too large.
static const struct value *checked(struct walk *w, const struct value *from, const struct value *value)
{
    if (value->depth > EVALUATION_VALUE_DEPTH || value_size(value) > EVALUATION_VALUE_BYTES / 16)
        return fail(w, from,
                    "The template's expressions make a value that is larger or deeper than is allowed.");
    return value;
}

static const struct value *evaluate_string(struct walk *w, const struct value *value)
{
    struct text literal;
    const struct value *result = NULL;
    if (!expression_is(value->string, &literal)) {
        if (literal.base == value->string.base)
            return value;
        return evaluation_spend(w->e, 1, sizeof *value, w->error) ? value_string(w->e->arena, literal) : NULL;
    }
    const struct expression *expression = expression_cached(w->e->arena, w->e, value->string, w->error);
    if (expression)
        result = expression_evaluate(w->e, expression, w->error);
    if (!result)
        *w->at = value;
    return result;
}

static const struct value *evaluate_items(struct walk *w, const struct value *value)
{
    const struct value **items = NULL;
    for (size_t i = 0; i < value->array.count; i++) {
        const struct value *item = evaluate(w, value->array.items[i]);
        if (!item)
            return NULL;
        if (item != value->array.items[i] && !items) {
            items = take(w, value->array.count, sizeof(struct value *));
            if (!items)
                return NULL;
            memcpy(items, value->array.items, i * sizeof(struct value *));
        }
        if (items)
            items[i] = item;
    }
    if (!items)
        return value;
    return checked(w, value, value_array(w->e->arena, items, value->array.count));
}

// ---- names and members

static bool evaluate_name(struct walk *w, const struct value_member *member, struct text *name)
{
    *name = member->name;
    if (member->name.length < 2 || member->name.base[0] != '[')
        return true;
    struct value string = {.kind = VALUE_STRING, .string = member->name};
    const struct value *at_before = *w->at, *result = evaluate_string(w, &string);
    if (result && result->kind == VALUE_STRING) {
        *name = result->string;
        return true;
    }
    *w->at = at_before; // the name itself is no value: the member's is where it stands
    if (result)
        fail(w, member->value,
             arena_printf(
                 w->e->arena,
                 "The template property name '%.*s' is not valid: it must evaluate to a value of type "
                 "'String', but it is of type '%s'.",
                 SHOWN(member->name), value_kind_name(result->kind)));
    *w->at = member->value;
    return false;
}

// The members that an object will have. A name that comes again takes the place of the first.
struct members {
    struct value_member *items;
    size_t count, room;
    bool made; // some name comes from an expression or a copy
};

static bool members_put(struct walk *w, struct members *m, struct value_member member, bool as_written)
{
    m->made = m->made || !as_written;
    for (size_t i = 0; m->made && i < m->count; i++) {
        if (!text_equal(m->items[i].name, member.name))
            continue;
        m->items[i] = member;
        return true;
    }
    if (m->count == m->room) {
        size_t room = m->room ? m->room * 2 : 8;
        struct value_member *items = take(w, room, sizeof *items);
        if (!items)
            return false;
        if (m->count > 0)
            memcpy(items, m->items, m->count * sizeof *items);
        m->items = items;
        m->room = room;
    }
    m->items[m->count++] = member;
    return evaluation_spend(w->e, m->made ? m->count / 16 : 0, 0, w->error);
}

// ---- copies of properties and variables (arm-templates 3.2, 3.4)

static const struct value *copy_count(struct walk *w, const struct value *copy)
{
    const struct value *given = VALUE_FIND(copy, "count"), *count = given ? evaluate(w, given) : NULL;
    if (given && !count)
        return NULL;
    if (count && count->kind == VALUE_INTEGER && count->integer >= 0 && count->integer <= COPIES)
        return count;
    return fail(
        w, copy,
        arena_printf(w->e->arena,
                     "The template copy definition at line '%u' and column '%u' has an invalid copy count. "
                     "The copy count must be a non-negative integer value and cannot exceed '%d'. Please "
                     "see https://aka.ms/arm-copy for usage details.",
                     copy->line, copy->column, COPIES));
}

static const struct value *copy_name(struct walk *w, const struct value *copy)
{
    const struct value *given = VALUE_FIND(copy, "name"), *name = given ? evaluate(w, given) : NULL;
    if ((given && !name) || (name && name->kind == VALUE_STRING && name->string.length > 0))
        return name;
    return fail(
        w, copy,
        arena_printf(w->e->arena,
                     "The template copy definition at line '%u' and column '%u' is not valid. The copy "
                     "object must contain a property 'name' of type 'String'. Please see "
                     "https://aka.ms/arm-copy for usage details.",
                     copy->line, copy->column));
}

static const struct value *copy_items(struct walk *w, const struct value *input, struct text name,
                                      size_t count)
{
    const struct value **items = take(w, count, sizeof(struct value *));
    struct evaluation_copy loop = {.name = name, .outer = w->e->copy, .only_by_name = true};
    struct evaluation inner = *w->e;
    struct walk inside = {&inner, w->copies, w->error, w->at};
    inner.copy = &loop;
    for (size_t i = 0; items && i < count; i++) {
        loop.index = (int64_t)i;
        items[i] = evaluate(&inside, input);
        if (!items[i])
            return NULL;
    }
    return items ? checked(w, input, value_array(w->e->arena, items, count)) : NULL;
}

static bool expand_copy(struct walk *w, const struct value *copy, struct members *m)
{
    bool is_object = copy->kind == VALUE_OBJECT;
    const struct value *name = copy_name(w, copy), *count = name ? copy_count(w, copy) : NULL;
    const struct value *input = is_object ? VALUE_FIND(copy, "input") : NULL;
    if (!count)
        return false;
    if (!input) {
        fail(w, copy,
             arena_printf(
                 w->e->arena,
                 "The template copy definition '%.*s' at line '%u' and column '%u' is not valid. The copy "
                 "object must contain a property 'input'. Please see https://aka.ms/arm-copy for usage "
                 "details.",
                 SHOWN(name->string), copy->line, copy->column));
        return false;
    }
    const struct value *array = copy_items(w, input, name->string, (size_t)count->integer);
    struct value_member member = {name->string, copy->line, copy->column, array};
    return array && members_put(w, m, member, false);
}

static bool is_copies(const struct walk *w, const struct value_member *member)
{
    return w->copies && text_is_nocase(member->name, "copy") && member->value->kind == VALUE_ARRAY;
}

static bool expand_member(struct walk *w, const struct value_member *member, struct members *m)
{
    for (size_t i = 0; is_copies(w, member) && i < member->value->array.count; i++)
        if (!expand_copy(w, member->value->array.items[i], m))
            return false;
    if (is_copies(w, member))
        return true;
    struct value_member result = *member;
    if (!evaluate_name(w, member, &result.name))
        return false;
    result.value = evaluate(w, member->value);
    return result.value && members_put(w, m, result, result.name.base == member->name.base);
}

static const struct value *evaluate_members(struct walk *w, const struct value *value)
{
    struct members m = {0};
    bool same = true;
    for (size_t i = 0; i < value->object.count; i++) {
        const struct value_member *member = &value->object.members[i];
        if (!expand_member(w, member, &m))
            return NULL;
        same = same && m.count == i + 1 && m.items[i].value == member->value &&
               m.items[i].name.base == member->name.base;
    }
    if (same)
        return value;
    return checked(w, value, value_object(w->e->arena, m.items, m.count));
}

static const struct value *evaluate(struct walk *w, const struct value *value)
{
    const struct value *result = NULL;
    if (value->kind < VALUE_STRING)
        return value;
    if (!evaluation_enter(w->e, w->error)) {
        *w->at = value;
        return NULL;
    }
    if (!evaluation_spend(w->e, 1, 0, w->error))
        *w->at = value;
    else if (value->kind == VALUE_STRING)
        result = evaluate_string(w, value);
    else
        result = value->kind == VALUE_ARRAY ? evaluate_items(w, value) : evaluate_members(w, value);
    evaluation_leave(w->e);
    return result;
}

const struct value *evaluate_value(struct evaluation *e, const struct value *value, bool copies,
                                   struct expression_error *error, const struct value **at)
{
    struct walk walk = {e, copies, error, at};
    *error = (struct expression_error){0};
    *at = value;
    const struct value *result = evaluate(&walk, value);
    if (!result && !error->code)
        error->code = "InvalidTemplate";
    return result;
}
