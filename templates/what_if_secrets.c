// Keeping secrets out of what is shown: values of secure parameters, and what list*() answered, wherever a
// template puts them.
#include "templates/value_secret.h"
#include "templates/what_if.h"

enum {
    SECRETS = 4096,
    WITHIN = 4, // shorter ones are found only where they are the whole text
};
#define MASK TEXT("*******")

static void add(struct what_if *w, struct text secret)
{
    struct what_if_secrets *s = &w->secrets;
    if (secret.length == 0 || s->count == SECRETS)
        return;
    for (size_t i = 0; i < s->count; i++)
        if (text_equal(s->texts[i], secret))
            return;
    if (s->count == s->capacity) {
        size_t capacity = s->capacity ? s->capacity * 2 : 16;
        struct text *texts = ARENA_ARRAY(w->arena, struct text, capacity);
        if (s->count > 0)
            memcpy(texts, s->texts, s->count * sizeof *texts);
        s->texts = texts;
        s->capacity = capacity;
    }
    s->texts[s->count++] = secret;
}

// Every text inside of the value. `names`: those that are no secrets by what they are called stay.
static void add_all(struct what_if *w, const struct value *value, bool names)
{
    if (value->kind == VALUE_STRING)
        add(w, text_copy(w->arena, value->string));
    for (size_t i = 0; value->kind == VALUE_ARRAY && i < value->array.count; i++)
        add_all(w, value->array.items[i], names);
    for (size_t i = 0; value->kind == VALUE_OBJECT && i < value->object.count; i++)
        if (!names || !value_names_only(value->object.members[i].name))
            add_all(w, value->object.members[i].value, names);
}

void what_if_secrets_of_request(struct what_if *w)
{
    const struct content *content = w->request.content;
    const struct value *declared = content ? VALUE_FIND(content->template, "parameters") : NULL;
    for (size_t i = 0; declared && declared->kind == VALUE_OBJECT && i < declared->object.count; i++) {
        const struct value_member *m = &declared->object.members[i];
        const struct value *value = VALUE_FIND(value_find(content->parameters, m->name), "value");
        if (value && text_starts_nocase(value_text(VALUE_FIND(m->value, "type")), "secure"))
            add_all(w, value, false);
    }
}

void what_if_secrets_of_plan(struct what_if *w, const struct plan *plan)
{
    const struct value *declared = plan->parameters;
    for (size_t i = 0; declared && declared->kind == VALUE_OBJECT && i < declared->object.count; i++) {
        const struct value_member *m = &declared->object.members[i];
        const struct value *value = value_find(plan->bound, m->name);
        if (value && text_starts_nocase(value_text(VALUE_FIND(m->value, "type")), "secure"))
            add_all(w, value, false);
    }
    for (size_t i = 0; i < plan->node_count; i++)
        if (plan->nodes[i].nested)
            what_if_secrets_of_plan(w, plan->nodes[i].nested);
}

const struct value *what_if_secrets_of_answer(struct what_if *w, const struct value *answer)
{
    add_all(w, answer, true);
    return value_answer_as_secret(w->arena, answer);
}

static void add_secret(void *context, const struct value *secret)
{
    struct what_if *w = context;
    if (secret->kind == VALUE_STRING)
        add(w, text_copy(w->arena, secret->string));
}

void what_if_secrets_of_body(struct what_if *w, const struct value *body)
{
    value_each_secret(body, add_secret, w);
}

// ---- what is shown instead

static struct text without(struct arena *arena, struct text shown, struct text secret)
{
    struct buffer b = buffer_new(arena);
    for (ptrdiff_t at; (at = text_search(shown, secret)) >= 0;) {
        buffer_text(&b, text_slice(shown, 0, (size_t)at));
        buffer_text(&b, MASK);
        shown = text_slice(shown, (size_t)at + secret.length, shown.length);
    }
    buffer_text(&b, shown);
    return buffer_done(&b);
}

// NUL is not stored in JSON.
static struct text storable(struct arena *arena, struct text shown)
{
    if (!memchr(shown.base, '\0', shown.length))
        return shown;
    struct buffer b = buffer_new(arena);
    for (size_t i = 0; i < shown.length; i++)
        if (shown.base[i] == '\0')
            buffer_string(&b, "\xef\xbf\xbd");
        else
            buffer_char(&b, shown.base[i]);
    return buffer_done(&b);
}

static struct text shown_text(const struct what_if *w, struct text text)
{
    for (size_t i = 0; i < w->secrets.count; i++) {
        struct text secret = w->secrets.texts[i];
        if (text_equal(text, secret))
            return MASK;
        if (secret.length >= WITHIN && text_search(text, secret) >= 0)
            text = without(w->arena, text, secret);
    }
    return text.length > 0 ? storable(w->arena, text) : text;
}

static const struct value *shown_array(const struct what_if *w, const struct value *array)
{
    const struct value **items = ARENA_ARRAY(w->arena, const struct value *, array->array.count + 1);
    for (size_t i = 0; i < array->array.count; i++)
        items[i] = what_if_shown(w, array->array.items[i]);
    return value_array(w->arena, items, array->array.count);
}

static const struct value *shown_object(const struct what_if *w, const struct value *object)
{
    struct value_member *members = ARENA_ARRAY(w->arena, struct value_member, object->object.count + 1);
    for (size_t i = 0; i < object->object.count; i++)
        members[i] = (struct value_member){.name = object->object.members[i].name,
                                           .value = what_if_shown(w, object->object.members[i].value)};
    return value_object(w->arena, members, object->object.count);
}

const struct value *what_if_shown(const struct what_if *w, const struct value *value)
{
    switch (value->kind) {
    case VALUE_STRING:
        return value_string(w->arena, shown_text(w, value->string));
    case VALUE_ARRAY:
        return shown_array(w, value);
    case VALUE_OBJECT:
        return shown_object(w, value);
    default:
        return value;
    }
}
