// Keeping the values of secure parameters out of what is shown of a run: contents that debugSetting asks for,
// and errors, which may quote what was refused.
#include "templates/deployment_run.h"

#include "arm/activity.h"
#include "base/arena.h"

enum { SECRETS = 256, SHORTEST = 3 }; // anything shorter would be found everywhere

struct secrets {
    struct text values[SECRETS];
    size_t count;
};

// Every text inside of the value.
static void collect(struct secrets *secrets, const struct value *value)
{
    if (value->kind == VALUE_STRING && value->string.length >= SHORTEST && secrets->count < SECRETS)
        secrets->values[secrets->count++] = value->string;
    for (size_t i = 0; value->kind == VALUE_ARRAY && i < value->array.count; i++)
        collect(secrets, value->array.items[i]);
    for (size_t i = 0; value->kind == VALUE_OBJECT && i < value->object.count; i++)
        collect(secrets, value->object.members[i].value);
}

static void find(struct deployment_run *run, struct secrets *secrets)
{
    const struct value *declared = deployment_json(run->arena, run->deployment.parameters);
    const struct value *bound = VALUE_FIND(run->input, "bound");
    secrets->count = 0;
    for (size_t i = 0; value_is(declared, VALUE_OBJECT) && i < declared->object.count; i++) {
        const struct value_member *m = &declared->object.members[i];
        const struct value *value = value_find(bound, m->name);
        if (value && text_starts_nocase(value_text(VALUE_FIND(m->value, "type")), "secure"))
            collect(secrets, value);
    }
}

bool deployment_has_secrets(const struct deployment_run *run)
{
    return text_search(run->deployment.parameters, TEXT("\"type\":\"Secure")) >= 0;
}

static struct text without(struct arena *arena, const struct secrets *secrets, struct text shown)
{
    for (size_t i = 0; i < secrets->count; i++)
        for (ptrdiff_t at; (at = text_search(shown, secrets->values[i])) >= 0;)
            shown = TEXT_JOIN(arena, text_slice(shown, 0, (size_t)at), TEXT("***"),
                              text_slice(shown, (size_t)at + secrets->values[i].length, shown.length));
    return shown;
}

// A secret that holds "***" itself would be found for ever.
static void drop_masks(struct secrets *secrets)
{
    size_t kept = 0;
    for (size_t i = 0; i < secrets->count; i++)
        if (text_search(TEXT("***"), secrets->values[i]) < 0)
            secrets->values[kept++] = secrets->values[i];
    secrets->count = kept;
}

// As deep as the parser lets JSON be.
static void hide(struct arena *arena, const struct secrets *secrets, json_t *json)
{
    const char *key;
    json_t *value;
    size_t i;
    if (json_is_string(json)) {
        struct text shown = {json_string_value(json), json_string_length(json)};
        struct text hidden = without(arena, secrets, shown);
        if (hidden.base != shown.base)
            json_string_setn(json, hidden.base, hidden.length);
    }
    json_object_foreach(json, key, value) hide(arena, secrets, value);
    json_array_foreach(json, i, value) hide(arena, secrets, value);
}

struct text deployment_shown(struct deployment_run *run, struct text body, bool content)
{
    json_t *json = body.base ? json_loadb(body.base, body.length, 0, NULL) : NULL;
    if (!json)
        return TEXT_NONE;
    struct secrets *secrets = ARENA_NEW(run->arena, struct secrets);
    find(run, secrets);
    drop_masks(secrets);
    if (secrets->count > 0)
        hide(run->arena, secrets, json);
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
