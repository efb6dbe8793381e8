// Parameters of a template on the command line: NAME=VALUE, read by the type that the template declares.
#include "cli/template_parameters.h"

#include "templates/reader.h"

#include <stdio.h>
#include <string.h>

static const struct value *read_value(struct arena *arena, const struct value *template, struct text name,
                                      struct text written)
{
    struct text type = value_text(VALUE_FIND(value_find(VALUE_FIND(template, "parameters"), name), "type"));
    if (text_is_nocase(type, "string") || text_is_nocase(type, "securestring"))
        return value_string(arena, written);
    if (text_is_nocase(written, "true") || text_is_nocase(written, "false")) // as shells and az have it: True
        return value_boolean(text_is_nocase(written, "true"));
    struct reader_error error;
    const struct value *value = reader_read(arena, written, NULL, &error);
    if (value != NULL)
        return value;
    if (type.base == NULL) // declared nowhere, or by a $ref: what is no JSON is a text
        return value_string(arena, written);
    fprintf(stderr, "azsacrd template: %.*s: a parameter of type %.*s is written as JSON: %s\n",
            TEXT_ARG(name), TEXT_ARG(type), error.message);
    return NULL;
}

const struct value *template_parameters_with(struct arena *arena, const struct value *template,
                                             const struct value *parameters, const char *assignment)
{
    const char *equals = strchr(assignment, '=');
    if (equals == NULL || equals == assignment) {
        fprintf(stderr,
                "azsacrd template: '%s' is no NAME=VALUE; a file of parameters goes to --parameters\n",
                assignment);
        return NULL;
    }
    struct text name = {assignment, (size_t)(equals - assignment)};
    struct value_member *entry = ARENA_NEW(arena, struct value_member);
    entry[0] = (struct value_member){.name = TEXT("value"),
                                     .value = read_value(arena, template, name, text_of(equals + 1))};
    if (entry[0].value == NULL)
        return NULL;

    size_t count = value_is(parameters, VALUE_OBJECT) ? parameters->object.count : 0, kept = 0;
    struct value_member *members = ARENA_ARRAY(arena, struct value_member, count + 1);
    for (size_t i = 0; i < count; i++) {
        if (!text_equal_nocase(parameters->object.members[i].name, name))
            members[kept++] = parameters->object.members[i];
    }
    members[kept++] = (struct value_member){.name = name, .value = value_object(arena, entry, 1)};
    return value_object(arena, members, kept);
}
