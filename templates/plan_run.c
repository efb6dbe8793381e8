// Bodies that need the run: reference(), references() and list*() answered by GET and POST
// (arm-templates 5.8).
#include "templates/plan_state.h"

// Where a name leads to: a node of the plan, or a full id outside of it.
struct read_target {
    struct text id, api_version;
    const struct plan_node *node; // NULL: outside
};

static const struct plan_context *context_of(const struct evaluation *e)
{
    return e->hooks->context;
}

static bool find_target(struct evaluation *e, struct text written, struct text api_version,
                        struct read_target *target, struct expression_error *error)
{
    const struct plan_state *state = context_of(e)->state;
    struct plan_range range;
    *target = (struct read_target){.api_version = api_version};
    if (plan_resolve(state, e->arena, written, false, &range) == FOUND_ONE) {
        target->node = &state->plan->nodes[range.first];
        target->id = target->node->id;
        if (api_version.length == 0)
            target->api_version = target->node->api_version;
        return true;
    }
    target->id = plan_outside_id(state, e->arena, written);
    if (target->id.base != NULL && api_version.length > 0)
        return true;
    error->message = arena_printf(e->arena,
                                  "The resource '%.*s' is not defined in the template. Please see "
                                  "https://aka.ms/arm-template for usage "
                                  "details.",
                                  TEXT_ARG(plan_undefined_name(state, written)));
    return false;
}

struct object {
    struct value_member members[20];
    size_t count;
};

static void put(struct object *object, const char *name, const struct value *value)
{
    if (value != NULL)
        object->members[object->count++] = (struct value_member){.name = text_of(name), .value = value};
}

static const struct value *text_value(struct arena *arena, struct text text)
{
    return text.base != NULL ? value_string(arena, text) : NULL;
}

// reference(…, 'Full').
static const struct value *full_of(struct evaluation *e, const struct read_target *target,
                                   const struct value *resource)
{
    struct arena *arena = e->arena;
    struct object out = {.count = 0};
    static const char *const shown[] = {"location", "sku",   "tags",      "kind",      "plan",
                                        "identity", "zones", "managedBy", "properties"};
    struct plan_target place = {0};
    struct text type, name, id = target->id;
    put(&out, "apiVersion", text_value(arena, target->api_version));
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        put(&out, shown[i], value_find(resource, text_of(shown[i])));
    // The place is what stands before "/providers/", or a group itself.
    struct text providers = TEXT("/providers/");
    ptrdiff_t at = text_search(id, providers);
    struct text scope = at >= 0 ? text_slice(id, 0, (size_t)at) : id;
    if (target_parse(arena, scope, &place)) {
        put(&out, "subscriptionId", text_value(arena, place.subscription_id));
        put(&out, "resourceGroupName", text_value(arena, place.resource_group));
    }
    plan_id_parts(arena, id, &type, &name);
    struct text relative = at >= 0 ? text_slice(id, (size_t)at + providers.length, id.length)
                                   : TEXT_JOIN(arena, type, TEXT("/"), name);
    put(&out, "resourceId", text_value(arena, relative));
    put(&out, "referenceApiVersion", text_value(arena, target->api_version));
    put(&out, "condition", value_boolean(target->node == NULL || target->node->deployed));
    put(&out, "isConditionTrue", value_boolean(target->node == NULL || target->node->deployed));
    put(&out, "isTemplateResource", value_boolean(target->node != NULL && !target->node->existing));
    put(&out, "isAction", value_boolean(false));
    put(&out, "provisioningOperation", value_string(arena, TEXT("Read")));
    struct value_member *members = ARENA_ARRAY(arena, struct value_member, out.count);
    memcpy(members, out.members, out.count * sizeof *members);
    return value_object(arena, members, out.count);
}

static const struct value *read_target(struct evaluation *e, const struct read_target *target, bool full,
                                       struct expression_error *error)
{
    const struct plan_run *run = context_of(e)->run;
    const struct value *resource = run->get(run->context, e->arena, target->id, target->api_version, error);
    if (resource == NULL || full)
        return resource ? full_of(e, target, resource) : NULL;
    const struct value *properties = VALUE_FIND(resource, "properties");
    return properties ? properties : value_object(e->arena, NULL, 0);
}

static const struct value *hook_reference(struct evaluation *e, struct text written, struct text api_version,
                                          bool full, struct expression_error *error)
{
    struct read_target target;
    return find_target(e, written, api_version, &target, error) ? read_target(e, &target, full, error) : NULL;
}

static const struct value *hook_references(struct evaluation *e, struct text loop, bool full,
                                           struct expression_error *error)
{
    const struct plan_state *state = context_of(e)->state;
    struct plan_range range;
    if (!state->document->symbolic || plan_resolve(state, e->arena, loop, false, &range) != FOUND_MANY) {
        error->message = arena_printf(e->arena,
                                      "The resource '%.*s' is not defined in the template. Please see "
                                      "https://aka.ms/arm-template for usage "
                                      "details.",
                                      TEXT_ARG(loop));
        return NULL;
    }
    const struct value **items = ARENA_ARRAY(e->arena, const struct value *, range.count + 1);
    size_t count = 0;
    for (size_t i = range.first; i < range.first + range.count; i++) {
        const struct plan_node *node = &state->plan->nodes[i];
        if (!node->deployed && !node->existing)
            continue;
        const struct read_target target = {node->id, node->api_version, node};
        items[count] = read_target(e, &target, full, error);
        if (items[count++] == NULL)
            return NULL;
    }
    return value_array(e->arena, items, count);
}

static const struct value *hook_list(struct evaluation *e, struct text operation, struct text written,
                                     struct text api_version, const struct value *body,
                                     struct expression_error *error)
{
    const struct plan_run *run = context_of(e)->run;
    struct read_target target;
    if (!find_target(e, written, api_version, &target, error))
        return NULL;
    return run->post(run->context, e->arena, target.id, operation, target.api_version, body, error);
}

void plan_run_hooks(struct evaluation_hooks *hooks)
{
    hooks->reference = hook_reference;
    hooks->references = hook_references;
    hooks->list = hook_list;
}

const struct value *plan_body(struct plan *plan, const struct plan_node *node, const struct plan_run *run,
                              struct arena *arena, struct plan_error *error)
{
    if (node->body != NULL)
        return node->body;
    struct plan_state *state = plan->state;
    const struct plan_instance *instance = &state->instances[node - plan->nodes];
    struct evaluation_budget budget = {.steps = EVALUATION_STEPS, .bytes = EVALUATION_BYTES};
    struct plan_context context;
    plan_context_begin(&context, state, run);
    struct evaluation e = plan_evaluation(&context, arena, PLACE_RESOURCE_BODY, node->copy, &budget);
    struct expression_error failure = {.code = NULL};
    bool deployment = plan_is_deployment(node);
    const struct value *written =
        deployment ? nested_written(state, arena, instance->resource) : instance->resource->properties;
    const struct value *at = written;
    const struct value *properties = evaluate_value(&e, written, true, &failure, &at);
    if (properties == NULL) {
        *error = (struct plan_error){
            .code = failure.code ? failure.code : "InvalidTemplate",
            .message = arena_printf(arena,
                                    "Unable to process template language expressions for resource '%.*s' at "
                                    "line '%u' and column '%u'. "
                                    "'%s'",
                                    TEXT_ARG(node->id), node->line, node->column,
                                    failure.message ? failure.message : ""),
            .path = node->path,
            .line = at ? at->line : 0,
            .column = at ? at->column : 0,
        };
        return NULL;
    }
    if (!deployment)
        return body_assemble(arena, instance->heads, properties);
    const struct value *template = VALUE_FIND(instance->resource->properties, "template");
    return nested_request(arena, instance->heads, properties,
                          value_is(template, VALUE_OBJECT) ? template : NULL);
}
