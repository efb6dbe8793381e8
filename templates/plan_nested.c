// Nested and linked deployments (arm-templates 3.6): where they go to, what is sent, and their own plans.
#include "templates/plan_state.h"

#include "templates/content.h"
#include "templates/link.h"

bool plan_is_deployment(const struct plan_node *node)
{
    return text_is_nocase(node->type, "Microsoft.Resources/deployments");
}

static bool is_template(const struct value_member *member)
{
    return text_is_nocase(member->name, "template") && member->value->kind == VALUE_OBJECT;
}

static struct text scope_of(const struct value *properties)
{
    return value_text(VALUE_FIND(VALUE_FIND(properties, "expressionEvaluationOptions"), "scope"));
}

// Of the outer scope as far as can be seen before anything is evaluated: what says its scope is hardly ever
// an expression. In languageVersion 2.0 none is.
static bool is_outer(const struct plan_state *state, const struct value *properties)
{
    struct text scope = scope_of(properties);
    return !state->document->version_2 && !text_is_nocase(scope, "inner") && text_find(scope, '[') < 0 &&
           value_is(VALUE_FIND(properties, "template"), VALUE_OBJECT);
}

// The template's own calls are its plan's matter. In the outer scope nobody asks for parameters.
static const struct value *without_template(const struct plan_state *state, struct arena *arena,
                                            const struct value *properties)
{
    if (properties->kind != VALUE_OBJECT)
        return properties;
    struct value_member *members = ARENA_ARRAY(arena, struct value_member, properties->object.count + 1);
    size_t count = 0;
    bool outer = is_outer(state, properties);
    for (size_t i = 0; i < properties->object.count; i++) {
        const struct value_member *member = &properties->object.members[i];
        if (!is_template(member) && !(outer && text_is_nocase(member->name, "parameters")))
            members[count++] = *member;
    }
    return value_object(arena, members, count);
}

void calls_find_nested(struct plan_state *state, const struct value *properties, struct plan_calls *calls)
{
    calls_find(state, without_template(state, state->arena, properties), true, calls);
}

const struct value *nested_written(const struct plan_state *state, struct arena *arena,
                                   const struct template_resource *resource)
{
    return resource->properties ? without_template(state, arena, resource->properties)
                                : value_object(arena, NULL, 0);
}

const struct value *nested_request(struct arena *arena, const struct value *heads,
                                   const struct value *properties, const struct value *template)
{
    struct value_member *members = ARENA_ARRAY(arena, struct value_member, properties->object.count + 1);
    size_t count = 0;
    for (size_t i = 0; i < properties->object.count; i++)
        members[count++] = properties->object.members[i];
    if (template != NULL)
        members[count++] = (struct value_member){.name = TEXT("template"), .value = template};
    struct value_member *all = ARENA_ARRAY(arena, struct value_member, heads->object.count + 1);
    size_t heads_kept = 0;
    for (size_t i = 0; i < heads->object.count; i++) {
        if (heads->object.members[i].value->kind != VALUE_NULL)
            all[heads_kept++] = heads->object.members[i];
    }
    all[heads_kept++] =
        (struct value_member){.name = TEXT("properties"), .value = value_object(arena, members, count)};
    return value_object(arena, all, heads_kept);
}

static bool invalid(struct plan_state *state, const struct plan_node *node, const char *code,
                    const char *message)
{
    state->error->code = code;
    state->error->message = message;
    state->error->path = node->path;
    state->error->line = node->line;
    state->error->column = node->column;
    return false;
}

// ---- the place it goes to ----
// A group that this very deployment (or one around it) makes: as it will be.
static const struct value *planned_group(struct plan_state *state, struct text id)
{
    for (; state != NULL; state = state->parent) {
        const struct name_entry *found = state->ids ? name_index_find(state->ids, id) : NULL;
        const struct plan_node *node = found ? &state->plan->nodes[found->number] : NULL;
        if (node == NULL || !node->deployed ||
            !text_is_nocase(node->type, "Microsoft.Resources/resourceGroups"))
            continue;
        if (state->instances[found->number].heads == NULL && !body_heads(state, found->number))
            return NULL;
        const struct value *heads = state->instances[found->number].heads;
        struct arena *arena = state->arena;
        struct value_member *members = ARENA_ARRAY(arena, struct value_member, 6);
        struct value_member *properties = ARENA_NEW(arena, struct value_member);
        size_t count = 0;
        members[count++] = (struct value_member){.name = TEXT("id"), .value = value_string(arena, node->id)};
        members[count++] =
            (struct value_member){.name = TEXT("name"), .value = value_string(arena, node->name)};
        members[count++] = (struct value_member){
            .name = TEXT("type"), .value = value_string(arena, TEXT("Microsoft.Resources/resourceGroups"))};
        members[count++] = (struct value_member){
            .name = TEXT("location"),
            .value = value_string(arena, node->location.base != NULL ? node->location : TEXT(""))};
        if (VALUE_FIND(heads, "tags") != NULL)
            members[count++] =
                (struct value_member){.name = TEXT("tags"), .value = VALUE_FIND(heads, "tags")};
        *properties = (struct value_member){.name = TEXT("provisioningState"),
                                            .value = value_string(arena, TEXT("Succeeded"))};
        members[count++] =
            (struct value_member){.name = TEXT("properties"), .value = value_object(arena, properties, 1)};
        return value_object(arena, members, count);
    }
    return NULL;
}

static const struct value *ask(const struct plan_site *site, struct arena *arena, struct text subscription,
                               struct text group)
{
    return site->scope_object ? site->scope_object(site->context, arena, subscription, group) : NULL;
}

// NULL when the place cannot be described yet: its plan is made when it starts.
static const struct plan_site *site_of(struct plan_state *state, const struct plan_node *node)
{
    const struct plan_site *own = state->site;
    struct arena *arena = state->arena;
    struct plan_site *site = ARENA_NEW(arena, struct plan_site);
    *site = *own;
    site->scope = node->nested_scope;
    site->subscription_id = node->nested_subscription_id;
    site->resource_group = node->nested_resource_group;
    site->management_group = node->nested_management_group;
    site->location = node->nested_scope == SCOPE_RESOURCE_GROUP ? TEXT_NONE : node->location;
    site->deployment_name = node->name;
    site->mode = TEXT_NONE;
    site->debug_setting = NULL;
    site->template_link = NULL;
    if (site->scope > SCOPE_SUBSCRIPTION)
        return site;
    bool same =
        own->scope <= SCOPE_SUBSCRIPTION && text_equal_nocase(own->subscription_id, site->subscription_id);
    if (!same)
        site->subscription = ask(own, arena, site->subscription_id, TEXT_NONE);
    if (site->subscription == NULL)
        return NULL;
    if (site->scope != SCOPE_RESOURCE_GROUP)
        return site;
    if (same && own->scope == SCOPE_RESOURCE_GROUP &&
        text_equal_nocase(own->resource_group, site->resource_group))
        return site;
    struct plan_target target = {.scope = SCOPE_RESOURCE_GROUP,
                                 .subscription_id = site->subscription_id,
                                 .resource_group = site->resource_group};
    site->resource_group_object = planned_group(state, target_id(arena, &target));
    if (site->resource_group_object == NULL && state->error->code == NULL)
        site->resource_group_object = ask(own, arena, site->subscription_id, site->resource_group);
    return site->resource_group_object ? site : NULL;
}

static bool check_location(struct plan_state *state, const struct plan_node *node)
{
    bool group = node->nested_scope == SCOPE_RESOURCE_GROUP;
    if (!group && node->location.length == 0)
        return invalid(state, node, "InvalidDeployment",
                       arena_printf(state->arena,
                                    "The 'location' property must be specified for '%.*s'. Please see "
                                    "https://aka.ms/deploy-to-subscription for usage details.",
                                    TEXT_ARG(node->name)));
    if (group && node->location.length > 0)
        return invalid(
            state, node, "InvalidDeployment",
            arena_printf(state->arena,
                         "The 'location' property is not allowed for '%.*s' at resource group scope. Please "
                         "see https://aka.ms/deploy-to-subscription for usage details.",
                         TEXT_ARG(node->name)));
    return true;
}

// ---- what is sent ----
// An error of the links: where it is not of their contents, it is at the resource.
static void place_link_error(struct plan_state *state, const struct plan_node *node)
{
    struct plan_error *error = state->error;
    if (error->line != 0)
        return;
    error->path = node->path;
    error->line = node->line;
    error->column = node->column;
}

static const struct content *read_content(struct plan_state *state, const struct plan_node *node,
                                          const struct value *request)
{
    const struct content *content = content_of(state->arena, request, state->error);
    if (content == NULL) {
        static const char properties[] = "properties";
        struct text path = state->error->path;
        // Of the request as it stands in this template: what was evaluated has no place of its own.
        if (path.base != NULL && text_starts(path, properties))
            state->error->path = TEXT_JOIN(state->arena, node->path, TEXT("."), path);
        if (state->error->line == 0) {
            state->error->line = node->line;
            state->error->column = node->column;
        }
        return NULL;
    }
    if (content->complete) {
        plan_fail(state, VALUE_FIND(VALUE_FIND(node->source, "properties"), "mode"),
                  "The template resource '%.*s' at line '%u' and column '%u' is not valid. The mode "
                  "'Complete' is not "
                  "supported for nested deployments: it must be 'Incremental'. Please see "
                  "https://aka.ms/arm-template/#resources for usage details.",
                  TEXT_ARG(node->name), node->line, node->column);
        return NULL;
    }
    return content;
}

static struct text template_path(struct plan_state *state, const struct plan_node *node)
{
    return TEXT_JOIN(state->arena, node->path, TEXT(".properties.template"));
}

// The place of a template that came by a link.
static const struct plan_site *site_of_linked(struct plan_state *state, const struct plan_node *node,
                                              const struct linked *linked)
{
    const struct plan_site *place = site_of(state, node);
    if (place == NULL || linked->template_link == NULL)
        return place;
    struct plan_site *site = ARENA_NEW(state->arena, struct plan_site);
    *site = *place;
    site->link = linked->template_link;
    site->template_link = linked->template_shown;
    return site;
}

static bool build(struct plan_state *state, size_t number, const struct content *content,
                  const struct value *template, const struct linked *linked, const struct value *properties,
                  struct plan_dependency_list *list)
{
    struct plan_node *node = &state->plan->nodes[number];
    const struct plan_instance *instance = &state->instances[number];
    bool outer = !content->inner && content->template_link == NULL;
    const struct plan_site *site = site_of_linked(state, node, linked);
    if (site == NULL && state->error->code != NULL)
        return false;
    if (site == NULL && outer) { // it asks its own deployment: what is known of its place is enough
        struct plan_site *bare = ARENA_NEW(state->arena, struct plan_site);
        *bare = *state->site;
        bare->scope = node->nested_scope;
        bare->subscription_id = node->nested_subscription_id;
        bare->resource_group = node->nested_resource_group;
        bare->management_group = node->nested_management_group;
        site = bare;
    }
    const struct plan_inputs inputs = {
        .arena = state->arena,
        .site = site,
        .template = template,
        .parameters = content->parameters,
        .budget = state->budget,
        .depth = state->depth + 1,
        .path = template_path(state, node),
        .parent = state,
        .outer = outer ? state : NULL,
        .outer_copy = outer ? node->copy : NULL,
        .outer_reads = outer ? list : NULL,
        .error = state->error,
    };
    struct plan *nested = site != NULL ? plan_build(&inputs) : NULL;
    if (nested == NULL && (outer || state->error->code != NULL))
        return false;
    if (nested == NULL &&
        document_read(state->arena, template, template_path(state, node).base, state->error) == NULL)
        return false;
    node->nested = nested;
    if (outer && nested != NULL) {
        template = plan_literal(nested->state);
        if (template == NULL)
            return false;
        properties = plan_literal_properties(state->arena, properties);
    }
    if (content->template_link != NULL)
        template = NULL; // the link is sent
    node->nested_content = nested_request(state->arena, instance->heads, properties, template);
    node->body = node->nested_content;
    return true;
}

// The links of a deployment whose parameters only a run knows: so that what they lead to is there when it
// starts, and is known to be a template.
static bool look_ahead(struct plan_state *state, size_t number, const struct value *written)
{
    struct plan_node *node = &state->plan->nodes[number];
    const struct plan_subject subject = {SUBJECT_RESOURCE, node->written_name, node->line, node->column};
    static const char *const names[] = {"templateLink", "parametersLink"};
    for (size_t i = 0; i < 2; i++) {
        const struct value *link = value_find(written, text_of(names[i]));
        struct plan_calls calls = {0};
        struct linked linked;
        if (!value_is(link, VALUE_OBJECT))
            continue;
        calls_find(state, link, true, &calls);
        if (calls.run || calls.parse.code != NULL)
            continue;
        link = plan_value(state, PLACE_RESOURCE_BODY, node->copy, link, true, &subject);
        if (link == NULL)
            return false;
        struct content content = {.template_link = i == 0 ? link : NULL,
                                  .parameters_link = i == 0 ? NULL : link};
        if (!value_is(link, VALUE_OBJECT)) // said when it is sent
            continue;
        if (link_fill(state->arena, state->site, &content, &linked, state->error) == LINK_REFUSED) {
            place_link_error(state, node);
            return false;
        }
        if (content.template != NULL && document_read(state->arena, content.template,
                                                      template_path(state, node).base, state->error) == NULL)
            return false;
    }
    return true;
}

// False, failed: languageVersion 2.0 has only the inner scope, which is its default.
static bool scope_allowed(struct plan_state *state, const struct plan_node *node,
                          const struct value *properties)
{
    if (!state->document->version_2 || !text_is_nocase(scope_of(properties), "outer"))
        return true;
    return plan_fail(
        state,
        VALUE_FIND(VALUE_FIND(VALUE_FIND(node->source, "properties"), "expressionEvaluationOptions"),
                   "scope"),
        "The template resource '%.*s' at line '%u' and column '%u' is not valid. The expression "
        "evaluation scope 'outer' is not supported by languageVersion '2.0': it must be 'inner'. "
        "Please see https://aka.ms/arm-template/#resources for usage details.",
        TEXT_ARG(node->name), node->line, node->column);
}

bool plan_nest(struct plan_state *state, size_t number, struct plan_dependency_list *list)
{
    struct plan_node *node = &state->plan->nodes[number];
    struct plan_instance *instance = &state->instances[number];
    const struct plan_subject subject = {SUBJECT_RESOURCE, node->written_name, node->line, node->column};
    const struct template_resource *resource = instance->resource;
    if (state->depth >= PLAN_NESTED_DEPTH)
        return plan_fail(state, resource->node,
                         "The nested deployment '%.*s' stands too deep: the limit is '%d' levels. Please see "
                         "https://aka.ms/arm-template/#resources for usage details.",
                         TEXT_ARG(node->name), PLAN_NESTED_DEPTH);
    if (!body_heads(state, number) || !check_location(state, node))
        return false;
    const struct value *written = nested_written(state, state->arena, resource);
    const struct value *template = VALUE_FIND(resource->properties, "template");
    if (!value_is(template, VALUE_OBJECT))
        template = NULL;
    if (!scope_allowed(state, node, written))
        return false;
    if (state->sources[instance->source].calls.run) {
        if (is_outer(state, resource->properties))
            return plan_fail(
                state, state->sources[instance->source].calls.at,
                "The nested deployment '%.*s' is of the outer scope: only its template may hold what the "
                "run answers. Please see https://aka.ms/arm-template/#resources for usage details.",
                TEXT_ARG(node->name));
        if (template != NULL &&
            document_read(state->arena, template, template_path(state, node).base, state->error) == NULL)
            return false;
        return body_check_known(state, number, written) && look_ahead(state, number, written);
    }
    const struct value *properties =
        plan_value(state, PLACE_RESOURCE_BODY, node->copy, written, true, &subject);
    if (properties == NULL || !scope_allowed(state, node, properties))
        return false;
    const struct value *request = nested_request(state->arena, instance->heads, properties, template);
    const struct content *read = read_content(state, node, request);
    if (read == NULL)
        return false;
    struct content content = *read;
    content.inner = content.inner || state->document->version_2;
    struct linked linked;
    if (!content.inner && content.template_link == NULL)
        content.parameters_link = NULL; // nobody asks for them (arm-templates 3.6)
    switch (link_fill(state->arena, state->site, &content, &linked, state->error)) {
    case LINK_REFUSED:
        place_link_error(state, node);
        return false;
    case LINK_AWAITED:
        node->nested_content =
            nested_request(state->arena, instance->heads, properties, template ? template : content.template);
        node->body = node->nested_content;
        return true;
    case LINK_THERE:
        break;
    }
    return build(state, number, &content,
                 content.template_link != NULL || template == NULL ? content.template : template, &linked,
                 properties, list);
}
