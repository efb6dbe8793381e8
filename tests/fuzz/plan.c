// libFuzzer: arbitrary bytes as a deployment's request: its plan is made or refused with a whole sentence,
// its nodes stand in an order, and its run with answers that are always the same ends.
#include "templates/link.h"
#include "templates/reader.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct value *read(struct arena *arena, const char *json)
{
    struct reader_error error;
    return reader_read(arena, text_of(json), NULL, &error);
}

static const struct value *place(void *context, struct arena *arena, struct text subscription_id,
                                 struct text group)
{
    (void)context;
    (void)subscription_id;
    if (text_is(group, "nowhere"))
        return NULL;
    return read(arena,
                "{id:'/subscriptions/s/resourceGroups/g',name:'g',location:'here',subscriptionId:'s'}");
}

static const struct value *get(void *context, struct arena *arena, struct text id, struct text api_version,
                               struct expression_error *error)
{
    (void)context;
    (void)api_version;
    if (id.length == 0 || id.base[0] != '/')
        abort();
    if (id.base[id.length - 1] == 'x') {
        error->message = "The Resource was not found.";
        return NULL;
    }
    return read(arena,
                "{id:'/x',location:'here',properties:{a:{b:[1,2]},loginServer:'l',outputs:{o:{value:1}}}}");
}

static const struct value *post(void *context, struct arena *arena, struct text id, struct text action,
                                struct text api_version, const struct value *body,
                                struct expression_error *error)
{
    (void)context;
    (void)id;
    (void)action;
    (void)api_version;
    (void)body;
    (void)error;
    return read(arena, "{username:'u',passwords:[{name:'password',value:'p'}]}");
}

// By how the path ends: there, on its way, or nowhere. What is there has a link itself.
static enum plan_linked linked(void *context, struct arena *arena, const struct link *link, bool parameters,
                               const struct value **content, struct plan_error *error)
{
    (void)context;
    (void)error;
    link_url(arena, link);
    if (text_ends(link->uri, "awaited"))
        return LINK_AWAITED;
    if (!text_ends(link->uri, "t"))
        return LINK_REFUSED;
    *content =
        read(arena, parameters ? "{parameters:{p:{value:'v'}}}"
                               : "{$schema:'https://schema.management.azure.com/schemas/2019-04-01/"
                                 "deploymentTemplate.json#',contentVersion:'1.0.0.0',parameters:{p:{type:"
                                 "'string',defaultValue:''}},resources:[{type:'Microsoft.Resources/"
                                 "deployments',apiVersion:'1',name:'n',properties:{mode:'Incremental',"
                                 "templateLink:{relativePath:\"[concat('./', parameters('p'))]\"}}}]}");
    return LINK_THERE;
}

static void check_failure(const struct plan_error *error)
{
    if (!error->code || !error->message || !text_is_utf8(text_of(error->message)))
        abort();
}

// Every node can be done once what it waits for is.
static void check_order(struct arena *arena, const struct plan *plan)
{
    bool *done = ARENA_ARRAY(arena, bool, plan->node_count + 1);
    size_t left = 0, before;
    for (size_t i = 0; i < plan->node_count; i++)
        left += plan->nodes[i].deployed;
    do {
        before = left;
        for (size_t i = 0; i < plan->node_count; i++) {
            const struct plan_node *node = &plan->nodes[i];
            bool ready = node->deployed && !done[i];
            for (size_t k = 0; ready && k < node->dependency_count; k++) {
                if (node->dependencies[k].node >= plan->node_count ||
                    !plan->nodes[node->dependencies[k].node].deployed)
                    abort();
                ready = done[node->dependencies[k].node];
            }
            left -= ready;
            done[i] = done[i] || ready;
        }
    } while (left < before);
    if (left > 0)
        abort();
}

static void run(struct arena *arena, struct plan *plan)
{
    static const struct plan_run answers = {.get = get, .post = post};
    check_order(arena, plan);
    for (size_t i = 0; i < plan->node_count; i++) {
        struct plan_node *node = &plan->nodes[i];
        struct plan_error error = {0};
        if (node->id.base == NULL || node->type.base == NULL || node->name.base == NULL ||
            node->api_version.length == 0)
            abort();
        if (node->deployed && plan_body(plan, node, &answers, arena, &error) == NULL)
            check_failure(&error);
        if (node->nested != NULL)
            run(arena, node->nested);
    }
    struct plan_output_error *errors;
    size_t count;
    if (plan_outputs(plan, &answers, arena, &errors, &count) == NULL && count == 0)
        abort();
    value_to_json(arena, plan_providers(plan, arena));
    value_to_json(arena, plan_dependencies(plan, arena));
    value_to_json(arena, plan_validated_resources(plan, arena));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    struct plan_error error = {0};
    const struct content *content = content_read(arena, (struct text){(const char *)data, size}, &error);
    if (content != NULL && content->template != NULL && content->parameters_link == NULL) {
        const bool group = content->location.base == NULL;
        const struct plan_site site = {
            .scope = group ? SCOPE_RESOURCE_GROUP : SCOPE_SUBSCRIPTION,
            .subscription_id = TEXT("s"),
            .resource_group = group ? TEXT("g") : TEXT_NONE,
            .location = content->location,
            .deployment_name = TEXT("d"),
            .resource_group_object = group ? place(NULL, arena, TEXT("s"), TEXT("g")) : NULL,
            .subscription = place(NULL, arena, TEXT("s"), TEXT_NONE),
            .tenant = read(arena, "{tenantId:'t'}"),
            .deployer = read(arena, "{objectId:'o'}"),
            .environment = read(arena, "{name:'e',suffixes:{acrLoginServer:'.x'}}"),
            .now = 1700000000000000,
            .scope_object = place,
            .linked = linked,
        };
        struct plan *plan = plan_make(arena, &site, content->template, content->parameters, NULL, &error);
        if (plan == NULL)
            check_failure(&error);
        else
            run(arena, plan);
    }
    arena_free(arena);
    return 0;
}
