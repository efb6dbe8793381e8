// Whether a value is of a declared type (arm-templates 3.1): the types of 1.0 with their constraints, and
// what 2.0 adds: nullable, $ref, items, prefixItems, properties, additionalProperties, discriminator, sealed.
#include "templates/plan_state.h"

#include <inttypes.h>
#include <stdio.h>

struct check {
    struct arena *arena;
    struct text where; // "p", "p.member[3]"
    const struct value **at;
    size_t steps;   // what is left: types and values together can be made to need very many
    unsigned depth; // a discriminator may lead back to its own type
};
enum { CHECK_STEPS = 5000000, CHECK_DEPTH = 400 };
static const char too_much[] = "It takes too long to be checked against its type.";

static bool spend(struct check *check, size_t steps)
{
    if (check->steps < steps)
        return false;
    check->steps -= steps;
    return true;
}

static const char *check_type(struct check *check, const struct template_type *type,
                              const struct value *value);

const char *type_expected(const struct template_type *type)
{
    switch (template_type_base(type)->kind) {
    case TEMPLATE_STRING:
        return "String, Uri";
    case TEMPLATE_INT:
        return "Integer";
    case TEMPLATE_BOOL:
        return "Boolean";
    case TEMPLATE_ARRAY:
        return "Array";
    default:
        return "Object";
    }
}

static bool kind_fits(enum template_kind kind, const struct value *value)
{
    switch (kind) {
    case TEMPLATE_STRING:
        return value->kind == VALUE_STRING;
    case TEMPLATE_INT:
        return value->kind == VALUE_INTEGER;
    case TEMPLATE_BOOL:
        return value->kind == VALUE_BOOLEAN;
    case TEMPLATE_OBJECT:
        return value->kind == VALUE_OBJECT;
    case TEMPLATE_ARRAY:
        return value->kind == VALUE_ARRAY;
    case TEMPLATE_ANY:
        return true;
    }
    return false;
}

static bool is_allowed(const struct value *allowed, const struct value *value)
{
    for (size_t i = 0; i < allowed->array.count; i++) {
        if (value_equal(allowed->array.items[i], value))
            return true;
    }
    return false;
}

static void write_plain(struct buffer *out, const struct value *value)
{
    if (value->kind == VALUE_STRING)
        buffer_text(out, value->string);
    else
        value_write(out, value, '"');
}

// Of an array every element must be allowed, or the array as a whole.
static const char *check_allowed(struct check *check, const struct template_type *type,
                                 const struct value *value)
{
    const struct value *allowed = type->allowed_values, *bad = NULL;
    if (allowed == NULL)
        return NULL;
    if (!spend(check, allowed->array.count * (value->kind == VALUE_ARRAY ? 1 + value->array.count : 1)))
        return too_much;
    if (is_allowed(allowed, value))
        return NULL;
    if (value->kind == VALUE_ARRAY) {
        for (size_t i = 0; i < value->array.count && bad == NULL; i++) {
            if (!is_allowed(allowed, value->array.items[i]))
                bad = value->array.items[i];
        }
        if (bad == NULL)
            return NULL;
    } else
        bad = value;
    *check->at = allowed;
    struct buffer out = buffer_new(check->arena);
    if (template_type_secure(type))
        buffer_string(&out, "The value");
    else {
        buffer_string(&out, "The value '");
        write_plain(&out, bad);
        buffer_char(&out, '\'');
    }
    buffer_string(&out, " is not part of the allowed value(s): '");
    for (size_t i = 0; i < allowed->array.count; i++) {
        if (i > 0)
            buffer_char(&out, ',');
        write_plain(&out, allowed->array.items[i]);
    }
    buffer_string(&out, "'.");
    return arena_strndup(check->arena, out.base, out.length);
}

static const char *check_bounds(struct check *check, const struct template_type *type,
                                const struct value *value)
{
    static const char *const seen = " Please see https://aka.ms/arm-syntax-parameters for usage details.";
    const struct template_bound *low = NULL, *high = NULL;
    const char *what = "Value";
    int64_t number = 0;
    if (value->kind == VALUE_INTEGER) {
        low = &type->minimum;
        high = &type->maximum;
        number = value->integer;
    } else if (value->kind == VALUE_STRING || value->kind == VALUE_ARRAY) {
        low = &type->minimum_length;
        high = &type->maximum_length;
        what = "Length of the value";
        number = value->kind == VALUE_ARRAY ? (int64_t)value->array.count
                                            : (int64_t)value_utf16_length(value->string);
    } else
        return NULL;
    if (low->set && number < low->bound) {
        *check->at = low->at;
        return arena_printf(check->arena, "%s should be greater than or equal to '%" PRId64 "'.%s", what,
                            low->bound, seen);
    }
    if (high->set && number > high->bound) {
        *check->at = high->at;
        return arena_printf(check->arena, "%s should be less than or equal to '%" PRId64 "'.%s", what,
                            high->bound, seen);
    }
    return NULL;
}

static const char *check_member(struct check *check, struct text name, const struct template_type *type,
                                const struct value *value)
{
    struct text where = check->where;
    check->where = path_member(check->arena, where, name);
    const char *bad = check_type(check, type, value);
    if (bad == NULL)
        check->where = where;
    return bad;
}

static const struct template_type_member *member_of(const struct template_type_member *members, size_t count,
                                                    struct text name)
{
    for (size_t i = 0; i < count; i++) {
        if (text_equal_nocase(members[i].name, name))
            return &members[i];
    }
    return NULL;
}

static const char *check_rest(struct check *check, const struct template_type *type,
                              const struct value_member *member)
{
    if (type->additional.refused || type->sealed) {
        *check->at = type->node;
        return arena_printf(check->arena,
                            "The property '%.*s' is not permitted. Please see "
                            "https://aka.ms/arm-syntax-parameters for usage details.",
                            TEXT_ARG(member->name));
    }
    return type->additional.type != NULL
               ? check_member(check, member->name, type->additional.type, member->value)
               : NULL;
}

static const char *check_discriminator(struct check *check, const struct template_type *type,
                                       const struct value *value)
{
    struct text chosen = value_text(value_find(value, type->discriminator));
    for (size_t i = 0; i < type->mapping_count; i++) {
        if (chosen.base != NULL && text_equal(type->mapping[i].name, chosen))
            return check_type(check, type->mapping[i].type, value);
    }
    *check->at = type->node;
    struct buffer out = buffer_new(check->arena);
    buffer_format(&out, "The value of its property '%.*s' must be one of '", TEXT_ARG(type->discriminator));
    for (size_t i = 0; i < type->mapping_count; i++)
        buffer_format(&out, "%s%.*s", i > 0 ? "," : "", TEXT_ARG(type->mapping[i].name));
    buffer_string(&out, "'. Please see https://aka.ms/arm-syntax-parameters for usage details.");
    return arena_strndup(check->arena, out.base, out.length);
}

static const char *check_object(struct check *check, const struct template_type *type,
                                const struct value *value)
{
    if (type->discriminator.base != NULL)
        return check_discriminator(check, type, value);
    if (!spend(check, (1 + type->property_count) * (1 + value->object.count)))
        return too_much;
    for (size_t i = 0; i < type->property_count; i++) {
        const struct template_type_member *declared = &type->properties[i];
        const struct value *given = value_find(value, declared->name);
        if (given == NULL && template_type_nullable(declared->type))
            continue;
        if (given == NULL) {
            *check->at = declared->type->node;
            return arena_printf(check->arena,
                                "The required property '%.*s' is missing. Please see "
                                "https://aka.ms/arm-syntax-parameters for usage details.",
                                TEXT_ARG(declared->name));
        }
        const char *bad = check_member(check, declared->name, declared->type, given);
        if (bad != NULL)
            return bad;
    }
    if (!type->additional.refused && !type->sealed && type->additional.type == NULL)
        return NULL;
    for (size_t i = 0; i < value->object.count; i++) {
        const struct value_member *member = &value->object.members[i];
        if (member_of(type->properties, type->property_count, member->name) != NULL)
            continue;
        const char *bad = check_rest(check, type, member);
        if (bad != NULL)
            return bad;
    }
    return NULL;
}

static const char *check_array(struct check *check, const struct template_type *type,
                               const struct value *value)
{
    struct text where = check->where;
    if (value->array.count < type->prefix_count) {
        *check->at = type->node;
        return arena_printf(check->arena,
                            "The array must have at least '%zu' element(s). Please see "
                            "https://aka.ms/arm-syntax-parameters for usage details.",
                            type->prefix_count);
    }
    for (size_t i = 0; i < value->array.count; i++) {
        const struct template_type *item = i < type->prefix_count ? type->prefix_items[i] : type->items.type;
        if (i >= type->prefix_count && type->items.refused) {
            *check->at = type->node;
            return arena_printf(check->arena,
                                "The array must not have more than '%zu' element(s). Please see "
                                "https://aka.ms/arm-syntax-parameters for usage details.",
                                type->prefix_count);
        }
        if (item == NULL)
            return NULL;
        check->where = path_item(check->arena, where, i);
        const char *bad = check_type(check, item, value->array.items[i]);
        if (bad != NULL)
            return bad;
        check->where = where;
    }
    return NULL;
}

static const char *check_one(struct check *check, const struct template_type *type, const struct value *value)
{
    if (!kind_fits(type->kind, value)) {
        const struct value *said = VALUE_FIND(type->node, "type");
        *check->at = said ? said : type->node;
        return arena_printf(check->arena,
                            "Expected a value of type '%s', but received a value of type '%s'. Please see "
                            "https://aka.ms/arm-parameter-files for usage details.",
                            type_expected(type), value_kind_name(value->kind));
    }
    const char *bad = check_allowed(check, type, value);
    if (bad == NULL)
        bad = check_bounds(check, type, value);
    if (bad == NULL && value->kind == VALUE_OBJECT)
        bad = check_object(check, type, value);
    if (bad == NULL && value->kind == VALUE_ARRAY)
        bad = check_array(check, type, value);
    return bad;
}

// A $ref goes on to its definition: the constraints of both hold.
static const char *check_type(struct check *check, const struct template_type *type,
                              const struct value *value)
{
    if (value->kind == VALUE_NULL && template_type_nullable(type))
        return NULL;
    if (++check->depth > CHECK_DEPTH)
        return too_much;
    const char *bad = NULL;
    for (; type != NULL && bad == NULL; type = type->reference)
        bad = spend(check, 1) ? check_one(check, type, value) : too_much;
    check->depth--;
    return bad;
}

const char *type_mismatch(struct arena *arena, const struct template_type *type, const struct value *value,
                          struct text *where, const struct value **at)
{
    struct check check = {.arena = arena, .where = *where, .at = at, .steps = CHECK_STEPS};
    const char *bad = check_type(&check, type, value);
    *where = check.where;
    return bad;
}

// ---- secrets ----
// Definitions may lead back to themselves: what was looked through is kept on a list.
struct seen {
    const struct template_type *type;
    const struct seen *outer;
};

static bool holds_secret(const struct template_type *type, const struct seen *outer, unsigned *left)
{
    if (type == NULL || *left == 0)
        return *left == 0; // too much to look through: taken for one that does
    (*left)--;
    for (const struct seen *seen = outer; seen != NULL; seen = seen->outer) {
        if (seen->type == type)
            return false;
    }
    const struct seen here = {type, outer};
    if (type->secure || holds_secret(type->reference, &here, left) ||
        holds_secret(type->items.type, &here, left) || holds_secret(type->additional.type, &here, left))
        return true;
    for (size_t i = 0; i < type->property_count; i++) {
        if (holds_secret(type->properties[i].type, &here, left))
            return true;
    }
    for (size_t i = 0; i < type->prefix_count; i++) {
        if (holds_secret(type->prefix_items[i], &here, left))
            return true;
    }
    for (size_t i = 0; i < type->mapping_count; i++) {
        if (holds_secret(type->mapping[i].type, &here, left))
            return true;
    }
    return false;
}

bool type_holds_secret(const struct template_type *type)
{
    unsigned left = 10000;
    return holds_secret(type, NULL, &left);
}
