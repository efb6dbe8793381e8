// Keeping secrets out of what is shown of a run: contents that debugSetting asks for, and errors, which may
// quote what was refused. Secrets are the values of secure parameters, what list*() answered, and what was
// made of either.
#include "templates/deployment_run.h"
#include "templates/value_secret.h"

#include "arm/activity.h"
#include "base/arena.h"

enum {
    SECRETS = 2048, // where there are more, no text is shown at all
    SHORTEST = 3,   // anything shorter would be found everywhere
    SHORTEST_NUMBER = 4,
};

struct deployment_secrets {
    struct text *values;
    size_t count, capacity;
    bool any; // even if it has no text
};

static void add(struct arena *arena, struct deployment_secrets *secrets, struct text value)
{
    // A secret that holds "***" itself would be found for ever.
    if (secrets->count > SECRETS || text_search(TEXT("***"), value) >= 0)
        return;
    if (secrets->count == secrets->capacity) {
        size_t capacity = secrets->capacity ? secrets->capacity * 2 : 16;
        struct text *values = ARENA_ARRAY(arena, struct text, capacity);
        if (secrets->count > 0)
            memcpy(values, secrets->values, secrets->count * sizeof *values);
        secrets->values = values;
        secrets->capacity = capacity;
    }
    secrets->values[secrets->count++] = value;
}

// Every text and number inside of the value. `names`: but for those that are called so.
static void collect(struct arena *arena, struct deployment_secrets *secrets, const struct value *value,
                    bool names)
{
    bool number = value->kind == VALUE_INTEGER || value->kind == VALUE_FLOAT;
    struct text written = number ? value_to_json(arena, value) : TEXT_NONE;
    if (value->kind == VALUE_STRING && value->string.length >= SHORTEST)
        add(arena, secrets, text_copy(arena, value->string));
    else if (written.length >= SHORTEST_NUMBER)
        add(arena, secrets, written);
    for (size_t i = 0; value->kind == VALUE_ARRAY && i < value->array.count; i++)
        collect(arena, secrets, value->array.items[i], names);
    for (size_t i = 0; value->kind == VALUE_OBJECT && i < value->object.count; i++)
        if (!names || !value_names_only(value->object.members[i].name))
            collect(arena, secrets, value->object.members[i].value, names);
}

// Whatever a record shows without its value is a secret, or holds one somewhere.
bool deployment_parameter_secret(const struct value_member *shown, const struct value *bound)
{
    const struct value *value = value_find(bound, shown->name);
    return !VALUE_FIND(shown->value, "value") && value && value->kind != VALUE_NULL;
}

static const struct deployment_secrets *declared(struct deployment_run *run)
{
    if (run->secrets)
        return run->secrets;
    struct deployment_secrets *secrets = ARENA_NEW(run->arena, struct deployment_secrets);
    const struct value *shown = deployment_json(run->arena, run->deployment.parameters);
    const struct value *bound = VALUE_FIND(run->input, "bound");
    for (size_t i = 0; value_is(shown, VALUE_OBJECT) && i < shown->object.count; i++) {
        const struct value_member *m = &shown->object.members[i];
        if (!deployment_parameter_secret(m, bound))
            continue;
        secrets->any = true;
        collect(run->arena, secrets, value_find(bound, m->name), false);
    }
    const struct value *made = VALUE_FIND(run->input, "made");
    if (made)
        collect(run->arena, secrets, made, false);
    run->secrets = secrets;
    return secrets;
}

static void add_all(struct deployment_run *run, struct deployment_secrets *to,
                    const struct deployment_secrets *from)
{
    for (size_t i = 0; from && i < from->count; i++)
        add(run->arena, to, from->values[i]);
}

void deployment_note_listed(struct deployment_run *run, const struct value *answer)
{
    if (!run->listed)
        run->listed = ARENA_NEW(run->arena, struct deployment_secrets);
    collect(run->arena, run->listed, answer, true);
}

static void note_made(void *context, const struct value *secret)
{
    struct deployment_run *run = context;
    if (!run->listed)
        run->listed = ARENA_NEW(run->arena, struct deployment_secrets);
    collect(run->arena, run->listed, secret, false);
}

void deployment_note_made(struct deployment_run *run, const struct value *body)
{
    value_each_secret(body, note_made, run);
}

static void write_secret(void *context, const struct value *secret)
{
    struct buffer *b = context;
    json_raw(b, value_to_json(b->arena, secret));
}

void deployment_write_made(struct buffer *b, const struct plan *plan)
{
    json_key(b, "made");
    json_begin_array(b);
    for (size_t i = 0; i < plan->node_count; i++)
        if (plan->nodes[i].deployed && plan->nodes[i].body)
            value_each_secret(plan->nodes[i].body, write_secret, b);
    json_end_array(b);
}

bool deployment_has_secrets(struct deployment_run *run)
{
    return declared(run)->any;
}

static struct text without(struct arena *arena, const struct deployment_secrets *secrets, struct text shown)
{
    if (secrets->count > SECRETS)
        return TEXT("***");
    for (size_t i = 0; i < secrets->count; i++)
        for (ptrdiff_t at; (at = text_search(shown, secrets->values[i])) >= 0;)
            shown = TEXT_JOIN(arena, text_slice(shown, 0, (size_t)at), TEXT("***"),
                              text_slice(shown, (size_t)at + secrets->values[i].length, shown.length));
    return shown;
}

// As deep as the parser lets JSON be.
static void hide(struct arena *arena, const struct deployment_secrets *secrets, json_t *json);

// A number is hidden as a whole; NULL where it is none, or no secret.
static json_t *hidden_number(const struct deployment_secrets *secrets, json_t *json)
{
    if (!json_is_number(json))
        return NULL;
    char *dump = json_dumps(json, JSON_ENCODE_ANY);
    bool secret = secrets->count > SECRETS;
    for (size_t i = 0; i < secrets->count && !secret; i++)
        secret = text_is(secrets->values[i], dump);
    free(dump);
    return secret ? json_string("***") : NULL;
}

static void hide_members(struct arena *arena, const struct deployment_secrets *secrets, json_t *json)
{
    const char *key;
    json_t *value;
    size_t i;
    json_object_foreach(json, key, value)
    {
        json_t *number = hidden_number(secrets, value);
        if (number)
            json_object_set_new(json, key, number);
        else
            hide(arena, secrets, value);
    }
    json_array_foreach(json, i, value)
    {
        json_t *number = hidden_number(secrets, value);
        if (number)
            json_array_set_new(json, i, number);
        else
            hide(arena, secrets, value);
    }
}

static void hide(struct arena *arena, const struct deployment_secrets *secrets, json_t *json)
{
    if (json_is_string(json)) {
        struct text shown = {json_string_value(json), json_string_length(json)};
        struct text hidden = without(arena, secrets, shown);
        if (hidden.base != shown.base)
            json_string_setn(json, hidden.base, hidden.length);
    }
    hide_members(arena, secrets, json);
}

struct text deployment_shown(struct deployment_run *run, struct text body, bool content)
{
    json_t *json = body.base ? json_loadb(body.base, body.length, 0, NULL) : NULL;
    if (!json)
        return TEXT_NONE;
    struct deployment_secrets secrets = {0};
    add_all(run, &secrets, declared(run));
    add_all(run, &secrets, run->listed);
    if (secrets.count > 0)
        hide(run->arena, &secrets, json);
    struct text shown;
    if (content) {
        shown = activity_redact(run->arena, json);
    } else {
        char *dump = json_dumps(json, JSON_COMPACT);
        shown = text_copy(run->arena, text_of(dump));
        free(dump);
    }
    json_decref(json);
    return shown;
}
