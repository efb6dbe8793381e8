// Resource ids (arm-templates 5.8 resourceId and its kin).
#include "templates/function.h"

#define SEE " Please see https://aka.ms/arm-resource-functions/#%s for usage details."

// The arguments of a call, taken apart around the one that is a type.
struct named {
    size_t type; // its index
    struct text text;
    size_t segments; // of the type behind the namespace
};

static bool all_strings(struct call *call)
{
    for (size_t i = 0; i < call->count; i++) {
        if (call->arguments[i]->kind == VALUE_STRING)
            continue;
        call_fail(
            call,
            "Unable to evaluate template language function '%s': all function arguments should be string "
            "literals. The argument at index '%zu' is of type '%s'." SEE,
            call->name, i, value_kind_name(call->arguments[i]->kind), call->name);
        return false;
    }
    return true;
}

// The next segment that is not empty: published types end with a slash now and then. Absent at the end.
static struct text next_segment(struct text type, size_t *at)
{
    while (*at < type.length && type.base[*at] == '/')
        ++*at;
    size_t from = *at;
    while (*at < type.length && type.base[*at] != '/')
        ++*at;
    return from < *at ? text_slice(type, from, *at) : TEXT_NONE;
}

// Of the type behind its namespace.
static size_t count_segments(struct text type)
{
    size_t segments = 0, at = 0;
    while (next_segment(type, &at).base)
        segments++;
    return segments > 0 ? segments - 1 : 0;
}

static bool fail_multi_segment(struct call *call)
{
    struct buffer list = buffer_new(call->e->arena);
    if (!call_spend(call, 1, 4096))
        return false;
    for (size_t i = 0; i < call->count && list.length < 2000; i++) {
        struct text argument = call->arguments[i]->string;
        if (i > 0)
            buffer_char(&list, ',');
        buffer_add(&list, argument.base, (size_t)shown_length(argument));
    }
    call_fail(
        call,
        "Unable to evaluate template language function '%s': function requires exactly one multi-segmented "
        "argument which must be resource type including resource provider namespace. Current function "
        "arguments "
        "'%.*s'." SEE,
        call->name, TEXT_ARG(buffer_done(&list)), call->name);
    return false;
}

// The type's place among the arguments from `from` on, and that its names are all there.
static bool read_named(struct call *call, size_t from, size_t leading, struct named *named)
{
    size_t found = 0;
    *named = (struct named){0};
    if (!all_strings(call) || !call_spend(call, call->count, 0))
        return false;
    for (size_t i = from; i < call->count; i++) {
        struct text argument = call->arguments[i]->string;
        if (text_find(argument, '/') < 0)
            continue;
        found++;
        *named = (struct named){i, argument, count_segments(argument)};
    }
    if (found != 1 || named->segments == 0)
        return fail_multi_segment(call);
    if (named->type - from > leading) {
        call_fail(call,
                  "Unable to evaluate template language function '%s': at most '%zu' argument(s) can stand "
                  "before the "
                  "resource type '%.*s', while '%zu' were provided." SEE,
                  call->name, leading, SHOWN(named->text), named->type - from, call->name);
        return false;
    }
    if (call->count - named->type - 1 == named->segments)
        return true;
    call_fail(
        call,
        "Unable to evaluate template language function '%s': the type '%.*s' requires '%zu' resource name "
        "argument(s)." SEE,
        call->name, SHOWN(named->text), named->segments, call->name);
    return false;
}

// "/subscriptions/S" and a group of it, where the type is that of groups: they have an id of their own form.
static const struct value *group_id(struct call *call, const struct named *named, struct text subscription)
{
    const struct text parts[] = {TEXT("/subscriptions/"), subscription, TEXT("/resourceGroups/"),
                                 call->arguments[named->type + 1]->string};
    struct text id = call_join(call, parts, 4, TEXT(""));
    return id.base ? call_string(call, id) : NULL;
}

static bool is_group(const struct named *named)
{
    return named->segments == 1 && text_is_nocase(named->text, "Microsoft.Resources/resourceGroups");
}

// `prefix`/providers/NS/type/name/type/name…
static const struct value *provider_id(struct call *call, const struct named *named,
                                       const struct text *prefix, size_t prefixes)
{
    size_t count = 0, at = 0;
    if (!call_spend(call, named->segments, (named->segments * 4 + 12) * sizeof(struct text)))
        return NULL;
    struct text *parts = ARENA_ARRAY(call->e->arena, struct text, named->segments * 4 + 12);
    for (size_t i = 0; i < prefixes; i++)
        parts[count++] = prefix[i];
    parts[count++] = TEXT("/providers/");
    for (size_t i = 0; i <= named->segments; i++) {
        parts[count++] = next_segment(named->text, &at);
        if (i > 0) {
            parts[count++] = TEXT("/");
            parts[count++] = call->arguments[named->type + i]->string;
        }
        if (i < named->segments)
            parts[count++] = TEXT("/");
    }
    struct text id = call_join(call, parts, count, TEXT(""));
    return id.base ? call_string(call, id) : NULL;
}

static bool is_subscription(struct call *call, struct text id)
{
    if (uuid_is(id))
        return true;
    call_fail(call, "The provided value '%.*s' is not valid subscription identifier." SEE, SHOWN(id),
              call->name);
    return false;
}

static const struct value *resource_id(struct call *call)
{
    struct named named;
    if (!read_named(call, 0, 2, &named))
        return NULL;
    enum evaluation_scope scope = call->e->scope;
    bool in_group = scope == SCOPE_RESOURCE_GROUP;
    struct text subscription = in_group || scope == SCOPE_SUBSCRIPTION ? call->e->subscription_id : TEXT_NONE;
    struct text group = in_group ? call->e->resource_group : TEXT_NONE;
    bool group_alone = named.type == 1 && in_group;
    if (named.type > 0 && !group_alone) {
        subscription = call->arguments[0]->string;
        if (!is_subscription(call, subscription))
            return NULL;
    }
    if (group_alone || named.type == 2)
        group = call->arguments[named.type - 1]->string;
    if (subscription.base && !group.base && is_group(&named))
        return group_id(call, &named, subscription);
    const struct text prefix[] = {TEXT("/subscriptions/"), subscription, TEXT("/resourceGroups/"), group};
    return provider_id(call, &named, prefix, !subscription.base ? 0 : group.base ? 4 : 2);
}

static const struct value *subscription_resource_id(struct call *call)
{
    struct named named;
    if (!read_named(call, 0, 1, &named))
        return NULL;
    struct text subscription = call->e->subscription_id;
    if (named.type == 1) {
        subscription = call->arguments[0]->string;
        if (!is_subscription(call, subscription))
            return NULL;
    }
    if (!subscription.base)
        return call_fail(
            call,
            "Unable to evaluate template language function '%s': a subscription identifier is required at "
            "this scope." SEE,
            call->name, call->name);
    if (is_group(&named))
        return group_id(call, &named, subscription);
    const struct text prefix[] = {TEXT("/subscriptions/"), subscription};
    return provider_id(call, &named, prefix, 2);
}

static const struct value *tenant_resource_id(struct call *call)
{
    struct named named;
    return read_named(call, 0, 0, &named) ? provider_id(call, &named, NULL, 0) : NULL;
}

// The management group that is deployed to.
static struct text own_management_group(struct call *call)
{
    const struct evaluation_hooks *hooks = call->e->hooks;
    const struct value *group = NULL;
    if (call->e->scope == SCOPE_MANAGEMENT_GROUP && hooks && hooks->scope_object)
        group = hooks->scope_object(call->e, TEXT("managementGroup"), call->error);
    struct text name = value_text(VALUE_FIND(group, "name"));
    if (!name.base && !call->error->message)
        call_fail(
            call,
            "Unable to evaluate template language function '%s': a management group is required at this "
            "scope." SEE,
            call->name, call->name);
    return name;
}

static const struct value *management_group_resource_id(struct call *call)
{
    struct named named;
    if (!read_named(call, 0, 1, &named))
        return NULL;
    struct text group = named.type == 1 ? call->arguments[0]->string : own_management_group(call);
    const struct text prefix[] = {TEXT("/providers/Microsoft.Management/managementGroups/"), group};
    return group.base ? provider_id(call, &named, prefix, 2) : NULL;
}

static const struct value *extension_resource_id(struct call *call)
{
    struct named named;
    if (!read_named(call, 1, 0, &named))
        return NULL;
    struct text base = call->arguments[0]->string;
    while (text_ends(base, "/"))
        base.length--;
    return provider_id(call, &named, &base, 1);
}

const struct function functions_resource[] = {
    {"extensionResourceId", 3, FUNCTION_MANY, ANYWHERE, false, extension_resource_id, NULL, NULL},
    {"managementGroupResourceId", 2, FUNCTION_MANY, ANYWHERE, false, management_group_resource_id, NULL,
     NULL},
    {"resourceId", 1, FUNCTION_MANY, ANYWHERE, false, resource_id, NULL, NULL},
    {"subscriptionResourceId", 2, FUNCTION_MANY, ANYWHERE, false, subscription_resource_id, NULL, NULL},
    {"tenantResourceId", 2, FUNCTION_MANY, ANYWHERE, false, tenant_resource_id, NULL, NULL},
    {0},
};
