// The exported template: names become parameters, what no request could set is left out, and text that the
// language would take for an expression is escaped.
#include "templates/export.h"

struct name_parameter { // of a root resource: children's names begin with it
    struct text name, type, resource;
};
struct exported {
    struct arena *arena;
    const struct export_options *options;
    const struct export_resource *resources;
    size_t count;
    struct name_parameter *parameters;
    size_t parameter_count;
};

static struct text until(struct text t, ptrdiff_t at)
{
    return at < 0 ? t : text_slice(t, 0, (size_t)at);
}

// "NS/a" of "NS/a/b/c".
static struct text root_type(struct text type)
{
    ptrdiff_t first = text_find(type, '/');
    if (first < 0)
        return type;
    struct text rest = text_slice(type, (size_t)first + 1, type.length);
    ptrdiff_t second = text_find(rest, '/');
    return second < 0 ? type : text_slice(type, 0, (size_t)(first + 1 + second));
}

// "registries_my_registry_name": letters and digits as they are.
static struct text parameter_name(struct arena *arena, struct text type, struct text name)
{
    struct text kind = text_slice(type, (size_t)(text_rfind(type, '/') + 1), type.length);
    struct text made = TEXT_JOIN(arena, kind, TEXT("_"), name, TEXT("_name"));
    char *out = text_cstr(arena, made);
    for (size_t i = 0; i < made.length; i++) {
        char c = out[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
            out[i] = '_';
    }
    return (struct text){out, made.length};
}

static bool parameter_taken(const struct exported *e, struct text name)
{
    for (size_t i = 0; i < e->parameter_count; i++)
        if (text_equal_nocase(e->parameters[i].name, name))
            return true;
    return false;
}

static const struct name_parameter *parameter_of(struct exported *e, struct text type, struct text name)
{
    struct text root = root_type(type), own = until(name, text_find(name, '/'));
    for (size_t i = 0; i < e->parameter_count; i++)
        if (text_equal_nocase(e->parameters[i].type, root) &&
            text_equal_nocase(e->parameters[i].resource, own))
            return &e->parameters[i];
    struct text wanted = parameter_name(e->arena, root, own), free_name = wanted;
    for (size_t i = 1; parameter_taken(e, free_name); i++) // "a-b" and "a_b" come to the same
        free_name = text_of(arena_printf(e->arena, "%.*s_%zu", TEXT_ARG(wanted), i));
    struct name_parameter *made = &e->parameters[e->parameter_count++];
    *made = (struct name_parameter){.name = free_name, .type = root, .resource = own};
    return made;
}

// Text inside an expression's quotes.
static struct text quoted(struct arena *arena, struct text t)
{
    struct buffer b = buffer_new(arena);
    buffer_char(&b, '\'');
    for (size_t i = 0; i < t.length; i++) {
        if (t.base[i] == '\'')
            buffer_char(&b, '\'');
        buffer_char(&b, t.base[i]);
    }
    buffer_char(&b, '\'');
    return buffer_done(&b);
}

static struct text escaped(struct arena *arena, struct text t)
{
    bool looks_like_one = t.length >= 2 && t.base[0] == '[' && t.base[t.length - 1] == ']';
    return looks_like_one ? TEXT_JOIN(arena, TEXT("["), t) : t;
}

static struct text name_expression(struct exported *e, const struct export_resource *r)
{
    if (e->options->names_kept)
        return escaped(e->arena, r->name);
    struct text parameter = parameter_of(e, r->type, r->name)->name;
    ptrdiff_t slash = text_find(r->name, '/');
    if (slash < 0)
        return text_of(arena_printf(e->arena, "[parameters('%.*s')]", TEXT_ARG(parameter)));
    struct text rest = quoted(e->arena, text_slice(r->name, (size_t)slash, r->name.length));
    return text_of(
        arena_printf(e->arena, "[concat(parameters('%.*s'), %.*s)]", TEXT_ARG(parameter), TEXT_ARG(rest)));
}

// The id of another exported resource, as an expression.
static struct text id_expression(struct exported *e, struct text type, struct text name)
{
    struct buffer b = buffer_new(e->arena);
    buffer_string(&b, "[resourceId(");
    buffer_text(&b, quoted(e->arena, type));
    for (bool first = true; name.base; first = false) {
        ptrdiff_t slash = text_find(name, '/');
        struct text part = until(name, slash);
        buffer_string(&b, ", ");
        if (first && !e->options->names_kept)
            buffer_format(&b, "parameters('%.*s')", TEXT_ARG(parameter_of(e, type, part)->name));
        else
            buffer_text(&b, quoted(e->arena, part));
        name = slash < 0 ? TEXT_NONE : text_slice(name, (size_t)slash + 1, name.length);
    }
    buffer_string(&b, ")]");
    return buffer_done(&b);
}

// The value as a template says it.
static const struct value *literal(struct arena *arena, const struct value *value)
{
    if (value->kind == VALUE_STRING)
        return value_string(arena, escaped(arena, value->string));
    if (value->kind == VALUE_ARRAY) {
        size_t count = value->array.count;
        const struct value **items = arena_alloc(arena, (count + 1) * sizeof(const struct value *));
        for (size_t i = 0; i < count; i++)
            items[i] = literal(arena, value->array.items[i]);
        return value_array(arena, items, count);
    }
    if (value->kind == VALUE_OBJECT) {
        size_t count = value->object.count;
        struct value_member *members = ARENA_ARRAY(arena, struct value_member, count + 1);
        for (size_t i = 0; i < count; i++) {
            members[i].name = escaped(arena, value->object.members[i].name);
            members[i].value = literal(arena, value->object.members[i].value);
        }
        return value_object(arena, members, count);
    }
    return value;
}

static void write_member(struct exported *e, struct buffer *b, struct text name, const struct value *value)
{
    json_key_of(b, escaped(e->arena, name));
    json_raw(b, value_to_json(e->arena, literal(e->arena, value)));
}

static void write_depends_on(struct exported *e, struct buffer *b, const struct export_resource *r)
{
    ptrdiff_t slash = text_rfind(r->name, '/');
    if (slash < 0)
        return;
    struct text type = until(r->type, text_rfind(r->type, '/')), name = until(r->name, slash);
    for (size_t i = 0; i < e->count; i++) {
        const struct export_resource *parent = &e->resources[i];
        if (!text_equal_nocase(parent->type, type) || !text_equal_nocase(parent->name, name))
            continue;
        json_key(b, "dependsOn");
        json_begin_array(b);
        json_text(b, id_expression(e, parent->type, parent->name));
        json_end_array(b);
        return;
    }
}

static void write_resource(struct exported *e, struct buffer *b, const struct export_resource *r)
{
    // Written here by name, or said by where the resource stands; what is left keeps its order.
    static const char *const handled[] = {"id",       "name", "type",       "apiVersion",
                                          "location", "tags", "properties", NULL};
    const struct value *snapshot = what_if_snapshot(e->arena, r->shown, r->api_version, r->read_only);
    const struct value *location = VALUE_FIND(snapshot, "location"), *tags = VALUE_FIND(snapshot, "tags");
    const struct value *properties = VALUE_FIND(snapshot, "properties");
    json_begin_object(b);
    if (e->options->comments)
        json_key_format(b, "comments", "Generalized from resource: '%.*s'.", TEXT_ARG(r->id));
    json_key_text(b, "type", r->type);
    json_key_text(b, "apiVersion", r->api_version);
    json_key_text(b, "name", name_expression(e, r));
    if (location)
        write_member(e, b, TEXT("location"), location);
    write_depends_on(e, b, r);
    if (tags)
        write_member(e, b, TEXT("tags"), tags);
    for (size_t i = 0; i < snapshot->object.count; i++) {
        const struct value_member *member = &snapshot->object.members[i];
        size_t h = 0;
        while (handled[h] && !text_is_nocase(member->name, handled[h]))
            h++;
        if (!handled[h])
            write_member(e, b, member->name, member->value);
    }
    if (properties)
        write_member(e, b, TEXT("properties"), properties);
    json_end_object(b);
}

static void write_parameters(const struct exported *e, struct buffer *b)
{
    json_key(b, "parameters");
    json_begin_object(b);
    for (size_t i = 0; i < e->parameter_count; i++) {
        json_key_of(b, e->parameters[i].name);
        json_begin_object(b);
        if (e->options->default_values)
            json_key_text(b, "defaultValue", escaped(e->arena, e->parameters[i].resource));
        json_key_string(b, "type", "String");
        json_end_object(b);
    }
    json_end_object(b);
}

struct text export_template(struct arena *arena, const struct export_resource *resources, size_t count,
                            const struct export_options *options)
{
    struct exported e = {.arena = arena, .options = options, .resources = resources, .count = count};
    e.parameters = ARENA_ARRAY(arena, struct name_parameter, count + 1);
    for (size_t i = 0; i < count && !options->names_kept; i++)
        parameter_of(&e, resources[i].type, resources[i].name);
    struct buffer b = buffer_new(arena);
    json_begin_object(&b);
    json_key_string(&b, "$schema",
                    "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#");
    json_key_string(&b, "contentVersion", "1.0.0.0");
    write_parameters(&e, &b);
    json_key(&b, "variables");
    json_begin_object(&b);
    json_end_object(&b);
    json_key(&b, "resources");
    json_begin_array(&b);
    for (size_t i = 0; i < count; i++)
        write_resource(&e, &b, &resources[i]);
    json_end_array(&b);
    json_end_object(&b);
    return buffer_done(&b);
}
