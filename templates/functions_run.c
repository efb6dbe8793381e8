// Functions about resources that exist: what only a run can answer, and what the providers say
// (arm-templates 5.8).
#include "templates/evaluation.h"

#define SEE " Please see https://aka.ms/arm-resource-functions/#%s for usage details."

static const struct value *not_here(struct call *call)
{
    return call_fail(call,
                     "The template function '%s' is not expected at this location. Please see "
                     "https://aka.ms/arm-functions for usage details.",
                     call->name);
}

static const struct value *answer(struct call *call, const struct value *value)
{
    return value || call->error->message ? value : not_here(call);
}

static bool are_strings(struct call *call, size_t count)
{
    for (size_t i = 0; i < count && i < call->count; i++) {
        if (call->arguments[i]->kind == VALUE_STRING)
            continue;
        call_fail(
            call,
            "Unable to evaluate template language function '%s': the argument at index '%zu' must be of type "
            "'String', but it is of type '%s'." SEE,
            call->name, i, value_kind_name(call->arguments[i]->kind), call->name);
        return false;
    }
    return true;
}

static void look_for_variable(void *context, const struct expression_call *called)
{
    bool *found = context;
    *found = *found || text_is_nocase(called->name, "lambdaVariables");
}

// A run has to know what is referred to before any lambda goes round.
static bool free_of_lambdas(struct call *call)
{
    bool found = false;
    for (size_t i = 0; call->e->frame && i < call->count; i++)
        expression_calls(call->node->arguments[i], look_for_variable, &found);
    if (found)
        call_fail(call,
                  "The template function '%s' cannot use lambda variables in its arguments. Please see "
                  "https://aka.ms/arm-functions for usage details.",
                  call->name);
    return !found;
}

// "Full" at the argument with this index, or nothing there; false and the error otherwise.
static bool read_full(struct call *call, size_t index, bool *full)
{
    *full = index < call->count;
    if (!*full || text_is_nocase(call->arguments[index]->string, "Full"))
        return true;
    call_fail(
        call,
        "Unable to evaluate template language function '%s': the argument '%.*s' is not valid. The only "
        "supported value is 'Full'." SEE,
        call->name, SHOWN(call->arguments[index]->string), call->name);
    return false;
}

static const struct value *reference(struct call *call)
{
    bool full;
    if (!call->e->hooks || !call->e->hooks->reference)
        return not_here(call);
    if (!free_of_lambdas(call) || !are_strings(call, call->count))
        return NULL;
    struct text version = call->count > 1 ? call->arguments[1]->string : TEXT_NONE;
    bool full_second = call->count == 2 && text_is_nocase(version, "Full");
    if (!read_full(call, full_second ? 1 : 2, &full))
        return NULL;
    return answer(call, call->e->hooks->reference(call->e, call->arguments[0]->string,
                                                  full_second ? TEXT_NONE : version, full, call->error));
}

static const struct value *references(struct call *call)
{
    bool full;
    if (!call->e->hooks || !call->e->hooks->references)
        return not_here(call);
    if (!free_of_lambdas(call) || !are_strings(call, call->count) || !read_full(call, 1, &full))
        return NULL;
    return answer(call, call->e->hooks->references(call->e, call->arguments[0]->string, full, call->error));
}

static const struct value *list(struct call *call)
{
    if (!call->e->hooks || !call->e->hooks->list)
        return not_here(call);
    if (!free_of_lambdas(call) || !are_strings(call, 2))
        return NULL;
    return answer(call, call->e->hooks->list(call->e, call->node->name, call->arguments[0]->string,
                                             call->arguments[1]->string,
                                             call->count > 2 ? call->arguments[2] : NULL, call->error));
}

static const struct value *resource_info(struct call *call)
{
    if (!call->e->hooks || !call->e->hooks->resource_info)
        return not_here(call);
    if (!are_strings(call, 1))
        return NULL;
    return answer(call, call->e->hooks->resource_info(call->e, call->arguments[0]->string, call->error));
}

static const struct value *providers(struct call *call)
{
    if (!call->e->hooks || !call->e->hooks->providers)
        return not_here(call);
    if (!are_strings(call, 2))
        return NULL;
    struct text type = call->count > 1 ? call->arguments[1]->string : TEXT_NONE;
    return answer(call, call->e->hooks->providers(call->e, call->arguments[0]->string, type, call->error));
}

// There are no zones here: none to pick, and a zone's logical name is its physical one.
static const struct value *pick_zones(struct call *call)
{
    return are_strings(call, 3) ? call_array(call, NULL, 0) : NULL;
}

static const struct value *same_zone(struct call *call)
{
    return are_strings(call, 2) ? call->arguments[2] : NULL;
}

const struct function functions_run[] = {
    {"list*", 2, 3, AT_RUN, false, list, NULL, NULL},
    {"pickZones", 3, 5, ANYWHERE & ~AT_FUNCTION, false, pick_zones, NULL, NULL},
    {"providers", 1, 2, ANYWHERE & ~AT_FUNCTION, false, providers, NULL, NULL},
    {"reference", 1, 3, AT_RUN, false, reference, NULL, NULL},
    {"references", 1, 2, AT_RUN, false, references, NULL, NULL},
    {"resourceInfo", 1, 1, AT_HEAD | AT_RUN, false, resource_info, NULL, NULL},
    {"toLogicalZone", 3, 3, ANYWHERE, false, same_zone, NULL, NULL},
    {"toLogicalZones", 3, 3, ANYWHERE, false, same_zone, NULL, NULL},
    {"toPhysicalZone", 3, 3, ANYWHERE, false, same_zone, NULL, NULL},
    {"toPhysicalZones", 3, 3, ANYWHERE, false, same_zone, NULL, NULL},
    {0},
};
