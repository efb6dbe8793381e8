// What an expression learns of its template and of where it is deployed (arm-templates 5.7).
#include "templates/evaluation.h"

static const struct value *not_here(struct call *call, const char *name)
{
    return call_fail(call,
                     "The template function '%s' is not expected at this location. Please see "
                     "https://aka.ms/arm-functions for usage details.",
                     name);
}

// ---- the deployment

static const struct value *scope_object(struct call *call)
{
    const struct evaluation_hooks *hooks = call->e->hooks;
    if (!hooks || !hooks->scope_object)
        return not_here(call, call->name);
    const struct value *object = hooks->scope_object(call->e, text_of(call->name), call->error);
    return object || call->error->message ? object : not_here(call, call->name);
}

// Messages about a function at the wrong scope spell its name in capitals.
static const struct value *wrong_scope(struct call *call)
{
    return not_here(call, text_upper(call->e->arena, text_of(call->name)).base);
}

static const struct value *resource_group(struct call *call)
{
    return call->e->scope == SCOPE_RESOURCE_GROUP ? scope_object(call) : wrong_scope(call);
}

static const struct value *subscription(struct call *call)
{
    enum evaluation_scope scope = call->e->scope;
    return scope == SCOPE_RESOURCE_GROUP || scope == SCOPE_SUBSCRIPTION ? scope_object(call)
                                                                        : wrong_scope(call);
}

static const struct value *management_group(struct call *call)
{
    if (call->e->scope == SCOPE_MANAGEMENT_GROUP)
        return scope_object(call);
    return call_fail(call, "The deployment metadata 'MANAGEMENTGROUP' is not valid."); // as live, 9.2
}

// ---- names of the template

static struct text name_of(struct call *call)
{
    const struct value *name = call->arguments[0];
    if (name->kind != VALUE_STRING)
        call_fail_type(call, "parameter to be of type 'String'", name);
    return value_text(name);
}

// Inside a user function its own parameters are all there is.
static const struct value *own_parameter(const struct evaluation_frame *frame, struct text name)
{
    while (frame && !frame->function)
        frame = frame->outer;
    for (size_t i = 0; frame && i < frame->count; i++)
        if (text_equal_nocase(frame->names[i], name))
            return frame->values[i];
    return NULL;
}

static const struct value *parameters(struct call *call)
{
    const struct evaluation_hooks *hooks = call->e->hooks;
    struct text name = name_of(call);
    const struct value *value = NULL;
    if (!name.base)
        return NULL;
    if (call->e->place == PLACE_FUNCTION)
        value = own_parameter(call->e->frame, name);
    else if (hooks && hooks->parameter)
        value = hooks->parameter(call->e, name, call->error);
    else
        return not_here(call, call->name);
    if (value || call->error->message)
        return value;
    return call_fail(
        call,
        "The template parameter '%.*s' is not found. Please see https://aka.ms/arm-syntax-parameters for "
        "usage details.",
        SHOWN(name));
}

static const struct value *variables(struct call *call)
{
    const struct evaluation_hooks *hooks = call->e->hooks;
    struct text name = name_of(call);
    if (!name.base)
        return NULL;
    if (!hooks || !hooks->variable)
        return not_here(call, call->name);
    const struct value *value = hooks->variable(call->e, name, call->error);
    if (value || call->error->message)
        return value;
    return call_fail(
        call,
        "The template variable '%.*s' is not found. Please see https://aka.ms/arm-syntax-variables for "
        "usage details.",
        SHOWN(name));
}

static const struct value *fail(struct call *call)
{
    const struct value *message = call->arguments[0];
    if (message->kind != VALUE_STRING)
        return call_fail_type(call, "parameter to be of type 'String'", message);
    return call_fail(call, "%.*s", SHOWN(message->string));
}

const struct function functions_scope[] = {
    {"deployer", 0, 0, ANYWHERE, false, scope_object, NULL, NULL},
    {"deployment", 0, 0, ANYWHERE, false, scope_object, NULL, NULL},
    {"environment", 0, 0, ANYWHERE, false, scope_object, NULL, NULL},
    {"fail", 1, 1, ANYWHERE, false, fail, NULL, NULL},
    {"managementGroup", 0, 0, ANYWHERE, false, management_group, NULL, NULL},
    {"parameters", 1, 1, ANYWHERE, false, parameters, NULL, NULL},
    {"resourceGroup", 0, 0, ANYWHERE, false, resource_group, NULL, NULL},
    {"subscription", 0, 0, ANYWHERE, false, subscription, NULL, NULL},
    {"tenant", 0, 0, ANYWHERE, false, scope_object, NULL, NULL},
    {"variables", 1, 1, (ANYWHERE & ~AT_DEFAULT & ~AT_FUNCTION) | AT_FUNCTION_2, false, variables, NULL,
     NULL},
    {0},
};
