// exportTemplate of a deployment (arm-templates 7.5): the template that it was made of, its types in the
// service's spelling and the members of resources in its order; expressions stay the texts they are.
#include "templates/deployment.h"
#include "templates/deployment_errors.h"

#include "base/arena.h"

static const struct db_statement get_template = {"deployment_template",
                                                 "select d.template from arm.deployment d where d.id = $1"};

enum place { ROOT, PARAMETERS, OUTPUTS, TYPED, RESOURCES, RESOURCE, PLAIN };

static enum place below(enum place place, struct text name)
{
    switch (place) {
    case ROOT:
        return text_is_nocase(name, "parameters")  ? PARAMETERS
               : text_is_nocase(name, "outputs")   ? OUTPUTS
               : text_is_nocase(name, "resources") ? RESOURCES
                                                   : PLAIN;
    case PARAMETERS:
    case OUTPUTS:
        return TYPED;
    case RESOURCES: // of symbolic names
        return RESOURCE;
    case RESOURCE:
        return text_is_nocase(name, "resources") ? RESOURCES : PLAIN;
    default:
        return PLAIN;
    }
}

static struct text type_name(struct text type)
{
    static const char *const names[] = {"String", "SecureString", "Int",  "Bool",
                                        "Object", "SecureObject", "Array"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (text_is_nocase(type, names[i]))
            return text_of(names[i]);
    return type;
}

static void write(struct buffer *b, const struct value *value, enum place place);

static void write_member(struct buffer *b, const struct value_member *member, enum place place)
{
    json_key_of(b, member->name);
    if (place == TYPED && text_is_nocase(member->name, "type") && value_is(member->value, VALUE_STRING))
        json_text(b, type_name(member->value->string));
    else
        write(b, member->value, below(place, member->name));
}

static int rank(struct text name)
{
    static const char *const order[] = {"condition", "type", "apiVersion", "name", "location"};
    static const char *const last[] = {"dependsOn", "properties", "resources"};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        if (text_is_nocase(name, order[i]))
            return (int)i;
    for (size_t i = 0; i < sizeof last / sizeof last[0]; i++)
        if (text_is_nocase(name, last[i]))
            return 10 + (int)i;
    return 9;
}

static void write_object(struct buffer *b, const struct value *object, enum place place)
{
    json_begin_object(b);
    for (int r = 0; r <= 12; r++)
        for (size_t i = 0; i < object->object.count; i++)
            if (place == RESOURCE ? rank(object->object.members[i].name) == r : r == 0)
                write_member(b, &object->object.members[i], place);
    json_end_object(b);
}

// As deep as the reader lets values be.
static void write(struct buffer *b, const struct value *value, enum place place)
{
    if (place == PLAIN || (value->kind != VALUE_OBJECT && value->kind != VALUE_ARRAY)) {
        json_raw(b, value_to_json(b->arena, value));
    } else if (value->kind == VALUE_OBJECT) {
        write_object(b, value, place);
    } else {
        json_begin_array(b);
        for (size_t i = 0; i < value->array.count; i++)
            write(b, value->array.items[i], place == RESOURCES ? RESOURCE : PLAIN);
        json_end_array(b);
    }
}

void deployment_export(struct arm_call *call)
{
    struct deployment d;
    if (!deployment_of_route(call, &d))
        return;
    const struct db_result *row = DB_RUN(call->tx, &get_template, db_int(d.id));
    const struct value *template =
        deployment_opened(call->arena, d.id, "template", db_get_bytes(row, 0, 0, call->arena));
    if (!template) {
        arm_fail(call, DEPLOYMENT_NOT_FOUND, TEXT_ARG(d.name));
        return;
    }
    struct buffer b = buffer_new(call->arena);
    json_begin_object(&b);
    json_key(&b, "template");
    write(&b, template, ROOT);
    json_end_object(&b);
    arm_reply(call, 200, buffer_done(&b));
}
