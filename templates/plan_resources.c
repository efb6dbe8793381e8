// From the resources of a template to nodes: loops expanded, conditions decided, names and types made whole,
// each with its id (arm-templates 3.4).
#include "templates/plan_state.h"

#include <inttypes.h>

// ---- the resources as written, parents before children ----
static size_t count_all(const struct template_resource *resources, size_t count)
{
    size_t all = count;
    for (size_t i = 0; i < count; i++)
        all += count_all(resources[i].children, resources[i].child_count);
    return all;
}

static void list_all(struct plan_state *state, const struct template_resource *resources, size_t count,
                     size_t parent)
{
    for (size_t i = 0; i < count; i++) {
        size_t own = state->source_count++;
        state->sources[own] = (struct plan_source){.resource = &resources[i], .copies = 1, .parent = parent};
        list_all(state, resources[i].children, resources[i].child_count, own);
    }
}

static struct plan_subject subject_as_written(const struct template_resource *resource)
{
    const struct value *place = resource->type ? resource->type : resource->node;
    struct text name = value_text(resource->name);
    return (struct plan_subject){SUBJECT_RESOURCE, name.base != NULL ? name : TEXT(""), place->line,
                                 place->column};
}

// ---- loops ----
static bool loop_number(struct plan_state *state, const struct plan_source *source,
                        const struct value *written, int64_t least, int64_t *number)
{
    const struct plan_subject subject = subject_as_written(source->resource);
    const struct value *value =
        plan_value(state, PLACE_RESOURCE_HEAD, state->outer_copy, written, false, &subject);
    if (value == NULL)
        return false;
    const struct value *node = source->resource->copy->node;
    if (value->kind == VALUE_INTEGER && value->integer >= least && value->integer <= TEMPLATE_COPIES) {
        *number = value->integer;
        return true;
    }
    if (least > 0)
        return plan_fail(
            state, written,
            "The template copy definition at line '%u' and column '%u' has an invalid batch size. The "
            "batch size must be a positive integer value and cannot exceed '%d'. Please see "
            "https://aka.ms/arm-copy for usage details.",
            node->line, node->column, TEMPLATE_COPIES);
    return plan_fail(
        state, written,
        "The template copy definition at line '%u' and column '%u' has an invalid copy count. The copy "
        "count must be a non-negative integer value and cannot exceed '%d'. Please see "
        "https://aka.ms/arm-copy for usage details.",
        node->line, node->column, TEMPLATE_COPIES);
}

static bool read_loop(struct plan_state *state, struct plan_source *source)
{
    const struct template_resource *resource = source->resource;
    const struct template_copy *copy = resource->copy;
    if (copy == NULL)
        return true;
    const struct plan_subject subject = subject_as_written(resource);
    if (resource->child_count > 0)
        return plan_fail(
            state, copy->node,
            "The template resource '%.*s' at line '%u' and column '%u' is not valid. A resource with copy "
            "cannot have nested resources. Please see https://aka.ms/arm-copy for usage details.",
            TEXT_ARG(subject.name), subject.line, subject.column);
    if (copy->name_value != NULL) {
        source->loop = plan_text(state, state->outer_copy, copy->name_value, "copy.name", &subject);
        if (source->loop.base == NULL)
            return false;
    } else
        source->loop = copy->name;
    source->batch = 1;
    if (copy->count != NULL && !loop_number(state, source, copy->count, 0, &source->copies))
        return false;
    if (copy->mode != NULL) {
        struct text mode = plan_text(state, state->outer_copy, copy->mode, "copy.mode", &subject);
        if (mode.base == NULL)
            return false;
        source->serial = text_is_nocase(mode, "serial");
        if (!source->serial && !text_is_nocase(mode, "parallel"))
            return plan_fail(
                state, copy->mode,
                "The template copy definition at line '%u' and column '%u' has an invalid mode '%.*s'. The "
                "mode must be 'parallel' or 'serial'. Please see https://aka.ms/arm-copy for usage "
                "details.",
                copy->node->line, copy->node->column, TEXT_ARG(mode));
    }
    return copy->batch_size == NULL || loop_number(state, source, copy->batch_size, 1, &source->batch);
}

static bool read_loops(struct plan_state *state)
{
    int64_t all = 0;
    size_t nodes = 0;
    for (size_t i = 0; i < state->source_count; i++) {
        struct plan_source *source = &state->sources[i];
        if (!read_loop(state, source))
            return false;
        source->count = (size_t)source->copies;
        nodes += source->count;
        all += source->resource->existing ? 0 : source->copies;
    }
    const struct value *resources = VALUE_FIND(state->document->root, "resources");
    if (all > TEMPLATE_RESOURCES)
        return plan_fail(state, resources,
                         "The number of template resources limit exceeded. Limit: '%d' and actual: '%" PRId64
                         "'. Please see https://aka.ms/arm-template/#resources for usage details.",
                         TEMPLATE_RESOURCES, all);
    if (!plan_spend(state, nodes * (sizeof(struct plan_node) + sizeof(struct plan_instance) + 1024)))
        return false;
    state->plan->nodes = ARENA_ARRAY(state->arena, struct plan_node, nodes + 1);
    state->instances = ARENA_ARRAY(state->arena, struct plan_instance, nodes + 1);
    return true;
}

// ---- one node ----
static bool decide(struct plan_state *state, const struct template_resource *resource,
                   const struct evaluation_copy *copy, const struct plan_subject *subject, bool *deployed)
{
    *deployed = !resource->existing;
    if (resource->condition == NULL)
        return true;
    const struct value *value =
        plan_value(state, PLACE_RESOURCE_HEAD, copy, resource->condition, false, subject);
    if (value == NULL)
        return false;
    if (value->kind != VALUE_BOOLEAN)
        return plan_fail(
            state, resource->condition,
            "The template resource '%.*s' at line '%u' and column '%u' is not valid. The condition "
            "property must be a Boolean, and it is of type '%s'. Please see "
            "https://aka.ms/arm-template/#resources for usage details.",
            TEXT_ARG(subject->name), subject->line, subject->column, value_kind_name(value->kind));
    *deployed = *deployed && value->boolean;
    return true;
}

// Whether a child's type is written whole: its first segment is a namespace.
static bool type_is_whole(struct text type)
{
    ptrdiff_t slash = text_find(type, '/');
    return slash > 0 && text_find(text_slice(type, 0, (size_t)slash), '.') > 0;
}

// Some published templates end a type with a slash.
static struct text without_slash(struct text type)
{
    while (type.length > 0 && type.base[type.length - 1] == '/')
        type.length--;
    return type;
}

static size_t slashes(struct text t)
{
    size_t count = 0;
    for (size_t i = 0; i < t.length; i++)
        count += t.base[i] == '/';
    return count;
}

// The effective type and name: a child's are put behind its parent's, unless they are whole already.
static void make_whole(struct plan_state *state, const struct plan_source *source, struct plan_node *node)
{
    if (source->parent == SIZE_MAX)
        return;
    const struct plan_node *parent = &state->plan->nodes[state->sources[source->parent].first];
    bool whole = type_is_whole(node->written_type);
    bool name_is_whole = whole && slashes(node->written_name) + 1 >= slashes(node->written_type);
    if (!whole)
        node->written_type = TEXT_JOIN(state->arena, parent->written_type, TEXT("/"), node->written_type);
    if (!name_is_whole)
        node->written_name = TEXT_JOIN(state->arena, parent->written_name, TEXT("/"), node->written_name);
}

static bool check_name(struct plan_state *state, const struct plan_source *source,
                       const struct plan_node *node, struct text name)
{
    const struct template_resource *resource = source->resource;
    if (name.length == 0)
        return plan_fail(
            state, resource->name ? resource->name : resource->node,
            "The template resource '' at line '%u' and column '%u' is not valid. The name property cannot "
            "be null or empty. Please see https://aka.ms/arm-template/#resources for usage details.",
            node->line, node->column);
    if (segments_fit(node->written_type, node->written_name))
        return true;
    return plan_fail(
        state, resource->type,
        "The template resource '%.*s' for type '%.*s' at line '%u' and column '%u' has incorrect segment "
        "lengths. A nested resource type must have identical number of segments as its resource name. A "
        "root resource type must have segment length one greater than its resource name. Please see "
        "https://aka.ms/arm-template/#resources for usage details.",
        TEXT_ARG(node->written_name), TEXT_ARG(node->written_type), node->line, node->column);
}

// decisions 54: what apiProfile gives to whom omits apiVersion; all profiles alike.
static struct text profile_version(struct text type)
{
    static const struct {
        const char *starts, *version;
    } known[] = {
        {"Microsoft.ContainerRegistry/", "2019-05-01"},
        {"Microsoft.Authorization/locks", "2016-09-01"},
        {"Microsoft.Authorization/", "2015-07-01"},
        {"Microsoft.Resources/", "2019-10-01"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (text_starts_nocase(type, known[i].starts))
            return text_of(known[i].version);
    }
    return TEXT_NONE;
}

static bool read_version(struct plan_state *state, const struct template_resource *resource,
                         const struct evaluation_copy *copy, const struct plan_subject *subject,
                         struct plan_node *node)
{
    if (resource->api_version != NULL) {
        node->api_version = plan_text(state, copy, resource->api_version, "apiVersion", subject);
        if (node->api_version.base == NULL || node->api_version.length > 0)
            return node->api_version.base != NULL;
    } else if (state->document->api_profile.base != NULL)
        node->api_version = profile_version(node->type);
    if (node->api_version.base != NULL && node->api_version.length > 0)
        return true;
    return plan_fail(
        state, resource->node,
        "The template resource '%.*s' at line '%u' and column '%u' is not valid. The api-version is "
        "missing%s. Please see https://aka.ms/arm-template/#resources for usage details.",
        TEXT_ARG(subject->name), subject->line, subject->column,
        state->document->api_profile.base != NULL ? ": the template's apiProfile has none for its type" : "");
}

// Where it goes to: the deployment's scope, or what `scope` (or of existing ones subscriptionId and
// resourceGroup) says. Deployments have their own rules (plan_nested.c).
static bool read_scope(struct plan_state *state, const struct plan_source *source,
                       const struct evaluation_copy *copy, const struct plan_subject *subject,
                       struct plan_node *node, struct text *scope_id)
{
    const struct template_resource *resource = source->resource;
    struct plan_target target = {.scope = state->target.scope,
                                 .subscription_id = state->target.subscription_id,
                                 .resource_group = state->target.resource_group,
                                 .management_group = state->target.management_group};
    struct text written = TEXT_NONE, subscription = TEXT_NONE, group = TEXT_NONE;
    if (resource->scope != NULL &&
        (written = plan_text(state, copy, resource->scope, "scope", subject)).base == NULL)
        return false;
    if (resource->subscription_id != NULL &&
        (subscription = plan_text(state, copy, resource->subscription_id, "subscriptionId", subject)).base ==
            NULL)
        return false;
    if (resource->resource_group != NULL &&
        (group = plan_text(state, copy, resource->resource_group, "resourceGroup", subject)).base == NULL)
        return false;
    bool deployment = text_is_nocase(node->written_type, "Microsoft.Resources/deployments");
    if ((subscription.length > 0 || group.length > 0) && !deployment && !resource->existing)
        return plan_fail(
            state, subscription.length > 0 ? resource->subscription_id : resource->resource_group,
            "The template resource '%.*s' at line '%u' and column '%u' is not valid. The properties "
            "subscriptionId and resourceGroup are only for resources of type "
            "'Microsoft.Resources/deployments'. Please see https://aka.ms/arm-template/#resources for "
            "usage details.",
            TEXT_ARG(subject->name), subject->line, subject->column);
    if (subscription.length > 0) {
        target.subscription_id = subscription;
        target.scope = group.length > 0 ? SCOPE_RESOURCE_GROUP : SCOPE_SUBSCRIPTION;
    } else if (group.length > 0 && target.scope <= SCOPE_SUBSCRIPTION)
        target.scope = SCOPE_RESOURCE_GROUP;
    else if (group.length > 0)
        return plan_fail(
            state, resource->resource_group,
            "The template resource '%.*s' at line '%u' and column '%u' is not valid. Its resourceGroup "
            "needs a subscriptionId. Please see https://aka.ms/arm-template/#resources for usage details.",
            TEXT_ARG(subject->name), subject->line, subject->column);
    if (group.length > 0)
        target.resource_group = group;
    *scope_id = target_id(state->arena, &target);
    if (written.length > 0)
        *scope_id = scope_resolve(state->arena, *scope_id, written);
    else if (source->parent != SIZE_MAX && resource->scope == NULL)
        *scope_id = state->instances[state->sources[source->parent].first].scope_id;
    if (deployment && !target_parse(state->arena, *scope_id, &target))
        return plan_fail(
            state, resource->scope,
            "The template resource '%.*s' at line '%u' and column '%u' is not valid. The scope '%.*s' is "
            "not one that a deployment can go to. Please see "
            "https://aka.ms/arm-template/#resources for usage details.",
            TEXT_ARG(subject->name), subject->line, subject->column,
            TEXT_ARG(written.length > 0 ? written : *scope_id));
    node->nested_scope = target.scope;
    node->nested_subscription_id = target.subscription_id;
    node->nested_resource_group = target.resource_group;
    node->nested_management_group = target.management_group;
    return true;
}

static struct evaluation_copy *loop_copy(struct plan_state *state, const struct plan_source *source,
                                         size_t index)
{
    if (source->resource->copy == NULL)
        return NULL;
    struct evaluation_copy *copy = ARENA_NEW(state->arena, struct evaluation_copy);
    *copy =
        (struct evaluation_copy){.name = source->loop, .index = (int64_t)index, .outer = state->outer_copy};
    return copy;
}

// Neither an id nor a version holds a control character: they go into URLs, logs and the database.
static bool without_controls(struct plan_state *state, const struct template_resource *resource,
                             const struct plan_node *node)
{
    const struct text parts[] = {node->id, node->written_type, node->api_version};
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++)
        for (size_t i = 0; i < parts[p].length; i++)
            if ((unsigned char)parts[p].base[i] < 0x20)
                return plan_fail(
                    state, resource->name ? resource->name : resource->node,
                    "The template resource at line '%u' and column '%u' is not valid. Its id holds a "
                    "control character. Please see https://aka.ms/arm-template/#resources for usage "
                    "details.",
                    node->line, node->column);
    return true;
}

static bool make_node(struct plan_state *state, size_t source_number, size_t index)
{
    const struct plan_source *source = &state->sources[source_number];
    const struct template_resource *resource = source->resource;
    size_t number = source->first + index;
    struct plan_node *node = &state->plan->nodes[number];
    struct plan_instance *instance = &state->instances[number];
    instance->resource = resource;
    instance->source = source_number;
    instance->copy = loop_copy(state, source, index);
    instance->loop_index = index;
    const struct evaluation_copy *copy = instance->copy ? instance->copy : state->outer_copy;
    struct plan_subject subject = subject_as_written(resource);
    node->source = resource->node;
    node->copy = copy;
    node->path = resource->path;
    node->line = subject.line;
    node->column = subject.column;
    node->existing = resource->existing;
    node->symbol = resource->symbol;
    if (resource->symbol.base != NULL && resource->copy != NULL)
        node->symbol = text_of(arena_printf(state->arena, "%.*s[%zu]", TEXT_ARG(resource->symbol), index));
    if (!decide(state, resource, copy, &subject, &node->deployed))
        return false;
    struct text name = resource->name ? plan_text(state, copy, resource->name, "name", &subject) : TEXT("");
    if (name.base == NULL)
        return false;
    subject.name = name;
    node->written_name = name;
    if (resource->type != NULL)
        node->written_type = plan_text(state, copy, resource->type, "type", &subject);
    if (node->written_type.base == NULL)
        return resource->type == NULL ? plan_fail(state, resource->node,
                                                  "The template resource '%.*s' has no type.", TEXT_ARG(name))
                                      : false;
    node->written_type = without_slash(node->written_type);
    make_whole(state, source, node);
    if (!check_name(state, source, node, name) ||
        !read_scope(state, source, copy, &subject, node, &instance->scope_id))
        return false;
    node_identify(state->arena, instance->scope_id, node);
    return read_version(state, resource, copy, &subject, node) && without_controls(state, resource, node);
}

// ---- the names by which others find it ----
static bool enter(struct plan_state *state, size_t number)
{
    const struct plan_node *node = &state->plan->nodes[number];
    const struct name_entry *same = name_index_find(state->ids, node->id);
    for (; same != NULL && !node->existing; same = name_index_next(same)) {
        if (state->plan->nodes[same->number].existing)
            continue;
        struct text shown = plan_short_id(state, node);
        return plan_fail(
            state, state->instances[number].resource->type,
            "The resource '%.*s' at line '%u' and column '%u' is defined multiple times in a template. "
            "Please see https://aka.ms/arm-template/#resources for usage details.",
            TEXT_ARG(shown), node->line, node->column);
    }
    name_index_add(state->ids, node->id, number);
    name_index_add(state->names, node->written_name, number);
    ptrdiff_t slash = text_rfind(node->written_name, '/');
    if (slash >= 0)
        name_index_add(state->names,
                       text_slice(node->written_name, (size_t)slash + 1, node->written_name.length), number);
    return true;
}

bool plan_expand_source(struct plan_state *state, size_t number)
{
    struct plan_source *source = &state->sources[number];
    if (source->made == BOUND)
        return true;
    if (source->made == BINDING) {
        const struct plan_subject subject = subject_as_written(source->resource);
        const struct expression_error error = {
            .message = "Circular dependency detected in template language expression."};
        plan_fail_expression(state, &subject, &error, source->resource->type);
        return false;
    }
    source->made = BINDING;
    if (source->parent != SIZE_MAX && !plan_expand_source(state, source->parent))
        return false;
    for (size_t i = 0; i < source->count; i++) {
        if (!make_node(state, number, i) || !enter(state, source->first + i))
            return false;
    }
    source->made = BOUND;
    return true;
}

bool plan_expand(struct plan_state *state)
{
    const struct template_document *document = state->document;
    size_t count = count_all(document->resources, document->resource_count), nodes = 0;
    state->sources = ARENA_ARRAY(state->arena, struct plan_source, count + 1);
    list_all(state, document->resources, document->resource_count, SIZE_MAX);
    if (!read_loops(state))
        return false;
    state->loops = name_index_new(state->arena, count);
    state->symbols = name_index_new(state->arena, count);
    for (size_t i = 0; i < count; i++) {
        struct plan_source *source = &state->sources[i];
        source->first = nodes;
        nodes += source->count;
        if (source->resource->copy != NULL && source->loop.base != NULL)
            name_index_add(state->loops, source->loop, i);
        if (source->resource->symbol.base != NULL)
            name_index_add(state->symbols, source->resource->symbol, i);
    }
    state->plan->node_count = nodes;
    state->ids = name_index_new(state->arena, nodes);
    state->names = name_index_new(state->arena, nodes);
    for (size_t i = 0; i < count; i++) {
        if (!plan_expand_source(state, i))
            return false;
    }
    return true;
}
