// Parameters, functions, outputs and the types they have: language version 1.0's and 2.0's with its
// definitions (arm-templates 3.1, 3.3, 3.5).
#include "templates/document_parts.h"

static const struct {
    const char *name;
    enum template_kind kind;
    bool secure;
    const char *shown;
} kinds[] = {
    {"string", TEMPLATE_STRING, false, "String"}, {"securestring", TEMPLATE_STRING, true, "SecureString"},
    {"int", TEMPLATE_INT, false, "Int"},          {"bool", TEMPLATE_BOOL, false, "Bool"},
    {"object", TEMPLATE_OBJECT, false, "Object"}, {"secureobject", TEMPLATE_OBJECT, true, "SecureObject"},
    {"array", TEMPLATE_ARRAY, false, "Array"},
};
enum { KINDS = sizeof kinds / sizeof *kinds, NAMES = 32 };

const struct template_type *template_type_base(const struct template_type *type)
{
    while (type->reference) // no circle: read_definitions looked
        type = type->reference;
    return type;
}

bool template_type_secure(const struct template_type *type)
{
    return type->secure || template_type_base(type)->secure;
}

bool template_type_nullable(const struct template_type *type)
{
    for (; type; type = type->reference)
        if (type->nullable)
            return true;
    return false;
}

const char *template_type_name(const struct template_type *type)
{
    const struct template_type *base = template_type_base(type);
    for (size_t i = 0; i < KINDS; i++)
        if (kinds[i].kind == base->kind && kinds[i].secure == template_type_secure(type))
            return kinds[i].shown;
    return base->discriminator.base ? "Object" : NULL;
}

static bool read_kind(struct document_reader *r, struct template_type *type, struct text path)
{
    const struct value *name;
    if (!typed_optional(r, type->node, "type", VALUE_STRING, "TemplateParameterType", path, &name))
        return false;
    if (!name)
        return true;
    for (size_t i = 0; i < KINDS; i++)
        if (text_is_nocase(name->string, kinds[i].name)) {
            type->kind = kinds[i].kind;
            type->secure = kinds[i].secure;
            return true;
        }
    typed_wrong(r, name, "TemplateParameterType", path_member(r->arena, path, TEXT("type")));
    return false;
}

// A pointer's step: "~1" is "/", "~0" is "~".
static struct text pointer_step(struct arena *arena, struct text step)
{
    char *out = arena_reserve(arena, step.length + 1);
    size_t n = 0;
    for (size_t i = 0; i < step.length; i++) {
        bool escape = step.base[i] == '~' && i + 1 < step.length &&
                      (step.base[i + 1] == '0' || step.base[i + 1] == '1');
        out[n++] = escape ? (step.base[i + 1] == '0' ? '~' : '/') : step.base[i];
        i += escape;
    }
    out[n] = '\0';
    return (struct text){out, n};
}

static bool read_reference(struct document_reader *r, struct template_type *type, struct text path)
{
    static const char prefix[] = "#/definitions/";
    const struct value *reference;
    if (!typed_optional(r, type->node, "$ref", VALUE_STRING, "System.String", path, &reference))
        return false;
    if (!reference)
        return true;
    if (text_starts_nocase(reference->string, prefix) && r->definitions) {
        struct text name = text_slice(reference->string, sizeof prefix - 1, reference->string.length);
        const struct value_member *found = value_member_find(r->definitions, pointer_step(r->arena, name));
        if (found) {
            type->reference = &r->defined[found - r->definitions->object.members];
            return true;
        }
    }
    fail_template(
        r->arena, r->error, path_member(r->arena, path, TEXT("$ref")), reference->line, reference->column,
        "The type reference '%.*s' at line '%u' and column '%u' is not valid: the template has no such "
        "definition. Please see https://aka.ms/arm-template for usage details.",
        TEXT_ARG(reference->string), reference->line, reference->column);
    return false;
}

static bool read_bound(struct document_reader *r, const struct template_type *type, const char *name,
                       struct text path, struct template_bound *bound)
{
    const struct value *value;
    if (!typed_optional(r, type->node, name, VALUE_INTEGER, "System.Nullable`1[System.Int64]", path, &value))
        return false;
    if (value)
        *bound = (struct template_bound){true, value->integer, value};
    return true;
}

static bool read_bounds(struct document_reader *r, struct template_type *type, struct text path)
{
    const struct value *allowed;
    if (!typed_optional(r, type->node, "allowedValues", VALUE_ARRAY, "System.Object[]", path, &allowed))
        return false;
    type->allowed_values = allowed;
    return read_bound(r, type, "minValue", path, &type->minimum) &&
           read_bound(r, type, "maxValue", path, &type->maximum) &&
           read_bound(r, type, "minLength", path, &type->minimum_length) &&
           read_bound(r, type, "maxLength", path, &type->maximum_length);
}

static bool read_flag(struct document_reader *r, const struct template_type *type, const char *name,
                      struct text path, bool *flag)
{
    const struct value *value;
    if (!typed_optional(r, type->node, name, VALUE_BOOLEAN, "System.Boolean", path, &value))
        return false;
    *flag = value && value->boolean;
    return true;
}

static const char *const no_own[] = {NULL};

static const struct template_type *inner_type(struct document_reader *r, const struct value *node,
                                              struct text path)
{
    return read_type(r, node, path, "TemplateTypeDefinition", no_own);
}

static bool read_typed_members(struct document_reader *r, const struct value *object, struct text path,
                               const struct template_type_member **members, size_t *count)
{
    struct template_type_member *made =
        ARENA_ARRAY(r->arena, struct template_type_member, object->object.count + 1);
    for (size_t i = 0; i < object->object.count; i++) {
        made[i].name = object->object.members[i].name;
        made[i].type =
            inner_type(r, object->object.members[i].value, path_member(r->arena, path, made[i].name));
        if (!made[i].type)
            return false;
    }
    *members = made;
    *count = object->object.count;
    return true;
}

// `additionalProperties` and `items`: a type, or false; true is anything.
static bool read_rest(struct document_reader *r, const struct template_type *type, const char *name,
                      struct text path, struct template_rest *rest)
{
    const struct value *value = typed_member(type->node, name);
    if (!value)
        return true;
    if (value->kind == VALUE_BOOLEAN) {
        rest->refused = !value->boolean;
        return true;
    }
    rest->type = inner_type(r, value, path_member(r->arena, path, text_of(name)));
    return rest->type != NULL;
}

static bool read_prefix(struct document_reader *r, struct template_type *type, struct text path)
{
    const struct value *prefix;
    if (!typed_optional(r, type->node, "prefixItems", VALUE_ARRAY, "TemplateTypeDefinition[]", path, &prefix))
        return false;
    if (!prefix)
        return true;
    const struct template_type **items =
        ARENA_ARRAY(r->arena, const struct template_type *, prefix->array.count + 1);
    struct text at = path_member(r->arena, path, TEXT("prefixItems"));
    for (size_t i = 0; i < prefix->array.count; i++) {
        items[i] = inner_type(r, prefix->array.items[i], path_item(r->arena, at, i));
        if (!items[i])
            return false;
    }
    type->prefix_items = items;
    type->prefix_count = prefix->array.count;
    return true;
}

static bool read_discriminator(struct document_reader *r, struct template_type *type, struct text path)
{
    static const char *const members[] = {"propertyName", "mapping", NULL};
    static const char name[] = "TemplateTypeDiscriminator";
    const struct value *node;
    if (!typed_optional(r, type->node, "discriminator", VALUE_OBJECT, name, path, &node))
        return false;
    if (!node)
        return true;
    path = path_member(r->arena, path, TEXT("discriminator"));
    if (!typed_members(r, node, members, name, path))
        return false;
    const struct value *property = typed_required(r, node, "propertyName", path);
    const struct value *mapping = property ? typed_required(r, node, "mapping", path) : NULL;
    struct text at = path_member(r->arena, path, TEXT("mapping"));
    if (!mapping ||
        !typed_is(r, property, VALUE_STRING, "System.String",
                  path_member(r->arena, path, TEXT("propertyName"))) ||
        !typed_is(r, mapping, VALUE_OBJECT, name, at))
        return false;
    type->discriminator = property->string;
    return read_typed_members(r, mapping, at, &type->mapping, &type->mapping_count);
}

static bool read_structure(struct document_reader *r, struct template_type *type, struct text path)
{
    const struct value *properties;
    if (!typed_optional(r, type->node, "properties", VALUE_OBJECT, "TemplateTypeDefinition", path,
                        &properties))
        return false;
    if (properties) {
        struct text at = path_member(r->arena, path, TEXT("properties"));
        if (!distinct_names(r, properties, "type's property", at) ||
            !read_typed_members(r, properties, at, &type->properties, &type->property_count))
            return false;
    }
    return read_rest(r, type, "additionalProperties", path, &type->additional) &&
           read_rest(r, type, "items", path, &type->items) && read_prefix(r, type, path) &&
           read_discriminator(r, type, path);
}

// A type's constraints that mean nothing for it are mistakes.
static bool bounds_apply(struct document_reader *r, const struct template_type *type, struct text path)
{
    if (type->reference || type->kind == TEMPLATE_ANY)
        return true;
    const struct {
        const char *name;
        const struct template_bound *bound;
        bool applies;
    } bounds[] = {
        {"minValue", &type->minimum, type->kind == TEMPLATE_INT},
        {"maxValue", &type->maximum, type->kind == TEMPLATE_INT},
        {"minLength", &type->minimum_length, type->kind == TEMPLATE_STRING || type->kind == TEMPLATE_ARRAY},
        {"maxLength", &type->maximum_length, type->kind == TEMPLATE_STRING || type->kind == TEMPLATE_ARRAY},
    };
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        if (!bounds[i].bound->set || bounds[i].applies)
            continue;
        const struct value *at = bounds[i].bound->at;
        fail_template(
            r->arena, r->error, path_member(r->arena, path, text_of(bounds[i].name)), at->line, at->column,
            "The constraint '%s' at line '%u' and column '%u' does not apply to the type '%s'. Please "
            "see https://aka.ms/arm-syntax-parameters for usage details.",
            bounds[i].name, at->line, at->column, template_type_name(type));
        return false;
    }
    return true;
}

static const char *const members_of_2[] = {"nullable", "$ref",        "properties",    "additionalProperties",
                                           "items",    "prefixItems", "discriminator", "sealed",
                                           NULL};

// What 2.0 knows is told apart from what nobody does.
static bool needs_version_2(struct document_reader *r, const struct value *node, struct text path)
{
    for (size_t i = 0; i < node->object.count; i++)
        for (size_t n = 0; members_of_2[n]; n++) {
            const struct value_member *member = &node->object.members[i];
            if (!text_is_nocase(member->name, members_of_2[n]))
                continue;
            fail_template(
                r->arena, r->error, path_member(r->arena, path, member->name), member->line, member->column,
                "The member '%.*s' at line '%u' and column '%u' needs languageVersion '2.0'. Please see "
                "https://aka.ms/arm-template for usage details.",
                TEXT_ARG(member->name), member->line, member->column);
            return true;
        }
    return false;
}

static bool known_members(struct document_reader *r, const struct value *node, struct text path,
                          const char *object_type, const char *const *own)
{
    static const char *const first[] = {"type",      "allowedValues", "minValue", "maxValue",
                                        "minLength", "maxLength",     "metadata", NULL};
    const char *names[NAMES];
    size_t count = 0;
    for (size_t i = 0; own[i]; i++)
        names[count++] = own[i];
    for (size_t i = 0; first[i]; i++)
        names[count++] = first[i];
    for (size_t i = 0; r->document->version_2 && members_of_2[i]; i++)
        names[count++] = members_of_2[i];
    names[count] = NULL;
    if (!r->document->version_2 && needs_version_2(r, node, path))
        return false;
    return typed_members(r, node, names, object_type, path);
}

static bool read_inner(struct document_reader *r, struct template_type *type, const struct value *node,
                       struct text path, const char *object_type, const char *const *own)
{
    type->node = node;
    return typed_is(r, node, VALUE_OBJECT, object_type, path) &&
           known_members(r, node, path, object_type, own) && read_kind(r, type, path) &&
           read_bounds(r, type, path) &&
           (!r->document->version_2 ||
            (read_reference(r, type, path) && read_flag(r, type, "nullable", path, &type->nullable) &&
             read_flag(r, type, "sealed", path, &type->sealed) && read_structure(r, type, path))) &&
           bounds_apply(r, type, path);
}

const struct template_type *read_type(struct document_reader *r, const struct value *node, struct text path,
                                      const char *object_type, const char *const *own)
{
    struct template_type *type = ARENA_NEW(r->arena, struct template_type);
    return read_inner(r, type, node, path, object_type, own) ? type : NULL;
}

bool read_definitions(struct document_reader *r, const struct value *definitions, struct text path)
{
    if (!r->document->version_2) {
        fail_template(r->arena, r->error, path, definitions->line, definitions->column,
                      "The template's 'definitions' at line '%u' and column '%u' need languageVersion '2.0'. "
                      "Please see https://aka.ms/arm-template for usage details.",
                      definitions->line, definitions->column);
        return false;
    }
    size_t count = definitions->object.count;
    if (!distinct_names(r, definitions, "definition", path))
        return false;
    r->definitions = definitions;
    r->defined = ARENA_ARRAY(r->arena, struct template_type, count + 1);
    struct template_type_member *members = ARENA_ARRAY(r->arena, struct template_type_member, count + 1);
    for (size_t i = 0; i < count; i++) {
        const struct value_member *member = &definitions->object.members[i];
        members[i] = (struct template_type_member){member->name, &r->defined[i]};
        if (!read_inner(r, &r->defined[i], member->value, path_member(r->arena, path, member->name),
                        "TemplateTypeDefinition", no_own))
            return false;
    }
    for (size_t i = 0; i < count; i++) {
        const struct template_type *type = &r->defined[i];
        size_t steps = 0;
        while (type->reference && steps++ < count)
            type = type->reference;
        if (type->reference) {
            fail_template(
                r->arena, r->error, path_member(r->arena, path, members[i].name), r->defined[i].node->line,
                r->defined[i].node->column,
                "The template definition '%.*s' at line '%u' and column '%u' is not valid: it refers "
                "to itself. Please see https://aka.ms/arm-template for usage details.",
                TEXT_ARG(members[i].name), r->defined[i].node->line, r->defined[i].node->column);
            return false;
        }
    }
    r->document->definitions = members;
    r->document->definition_count = count;
    return true;
}
