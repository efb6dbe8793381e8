// The result of a what-if (arm-templates 7.4), from what was found of each resource.
#include "templates/what_if.h"
#include "templates/what_if_diff.h"

#include "arm/types.h"

#include <stdlib.h>

static what_if_read_only read_only_of(struct text full)
{
    ptrdiff_t slash = text_find(full, '/');
    if (slash < 0)
        return NULL;
    for (size_t i = 0; i < arm_type_count(); i++) {
        const struct arm_type *type = arm_type_at(i);
        if (type->read_only && text_is_nocase(text_slice(full, 0, (size_t)slash), type->namespace_name) &&
            text_is_nocase(text_slice(full, (size_t)slash + 1, full.length), type->name))
            return type->read_only;
    }
    return NULL;
}

// As it is stored, where it is; else as the template writes it.
static struct text id_of(const struct what_if_resource *r)
{
    struct text before = value_text(VALUE_FIND(r->before, "id"));
    struct text after = value_text(VALUE_FIND(r->after, "id"));
    return before.base ? before : after.base ? after : r->id;
}

static int by_id(const void *a, const void *b)
{
    return text_compare_nocase(id_of(a), id_of(b));
}

static const char *change_of(const struct what_if_resource *r, bool ids_only, const struct value *delta)
{
    if (r->unsupported)
        return "Unsupported";
    if (r->other)
        return r->after ? "Ignore" : "Delete";
    if (ids_only || !r->after)
        return "Deploy";
    if (!r->before)
        return "Create";
    return delta->array.count > 0 ? "Modify" : "NoChange";
}

static void write_value(struct buffer *b, const struct what_if *w, const char *key, const struct value *value)
{
    if (value)
        json_key_raw(b, key, value_to_json(w->arena, what_if_shown(w, value)));
}

static void write_change(struct buffer *b, const struct what_if *w, const struct what_if_resource *r)
{
    what_if_read_only read_only = read_only_of(r->type);
    bool ids_only = w->request.content->resource_ids_only, both = r->before && r->after && !r->other;
    bool shown = !ids_only && !r->unsupported;
    const struct value *before = what_if_snapshot(w->arena, r->before, r->api_version, read_only);
    const struct value *after = what_if_snapshot(w->arena, r->after, r->api_version, read_only);
    const struct value *delta = both && shown ? what_if_delta(w->arena, before, after) : NULL;
    json_begin_object(b);
    json_key_text(b, "resourceId", id_of(r));
    json_key_string(b, "changeType", change_of(r, ids_only, delta));
    if (r->unsupported)
        json_key_string(b, "unsupportedReason", r->unsupported);
    if (shown) {
        write_value(b, w, "before", before);
        write_value(b, w, "after", after);
    }
    if (delta)
        delta = what_if_joined(w->arena, delta, what_if_no_effect(w->arena, r->body, r->before, read_only));
    if (delta && delta->array.count > 0)
        write_value(b, w, "delta", delta);
    json_end_object(b);
}

static void write_changes(struct buffer *b, struct what_if *w)
{
    if (w->count > 0)
        qsort(w->resources, w->count, sizeof *w->resources, by_id);
    json_key_string(b, "status", "Succeeded");
    json_key(b, "properties");
    json_begin_object(b);
    json_key_string(b, "correlationId", w->call->request->correlation_id);
    json_key(b, "changes");
    json_begin_array(b);
    for (size_t i = 0; i < w->count; i++)
        write_change(b, w, &w->resources[i]);
    json_end_array(b);
    json_end_object(b);
}

// The deployment would fail: told as the refusal of its validation is.
static void write_failures(struct buffer *b, const struct what_if *w)
{
    char id[37];
    uuid_random(id);
    json_begin_object(b);
    json_key_string(b, "code", "InvalidTemplateDeployment");
    json_key_format(b, "message",
                    "The template deployment '%.*s' is not valid according to the validation procedure. The "
                    "tracking id is '%s'. See inner errors for details.",
                    TEXT_ARG(w->request.deployment.name), id);
    json_key(b, "details");
    json_begin_array(b);
    for (size_t i = 0; i < w->failure_count; i++)
        json_raw(b, value_to_json(w->arena, what_if_shown(w, w->failures[i])));
    json_end_array(b);
    json_end_object(b);
}

static void write_error(struct buffer *b, const struct what_if *w)
{
    json_key_string(b, "status", "Failed");
    if (w->refusal) {
        write_value(b, w, "error", w->refusal);
        return;
    }
    json_key(b, "error");
    write_failures(b, w);
}

struct text what_if_answer(struct what_if *w)
{
    struct buffer b = buffer_new(w->arena);
    json_begin_object(&b);
    if (w->refusal || w->failure_count > 0)
        write_error(&b, w);
    else
        write_changes(&b, w);
    json_end_object(&b);
    return buffer_done(&b);
}
