#include "plan_case.h"

#include "templates/link.h"
#include "templates/reader.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static const char subscription[] = "10000000-0000-0000-0000-000000000001";

struct text case_template(struct arena *arena, const char *members)
{
    return text_of(arena_printf(
        arena,
        "{$schema:'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',"
        "contentVersion:'1.0.0.0',%s}",
        members));
}

const struct value *case_value(struct arena *arena, struct text text)
{
    struct reader_error error = {0};
    const struct value *value = reader_read(arena, text, NULL, &error);
    if (value == NULL)
        ck_abort_msg("%s at %u:%u in %s", error.message, error.line, error.column, text.base);
    return value;
}

static const struct value *object(struct arena *arena, const char *json)
{
    return case_value(arena, text_of(json));
}

static const struct value *scope_object(void *context, struct arena *arena, struct text subscription_id,
                                        struct text group)
{
    (void)context;
    if (text_is(group, "nowhere"))
        return NULL;
    if (group.base == NULL)
        return object(arena, arena_printf(arena, "{subscriptionId:'%.*s',id:'/subscriptions/%.*s'}",
                                          TEXT_ARG(subscription_id), TEXT_ARG(subscription_id)));
    return object(arena,
                  arena_printf(arena,
                               "{name:'%.*s',location:'there',id:'/subscriptions/%.*s/resourceGroups/%.*s'}",
                               TEXT_ARG(group), TEXT_ARG(subscription_id), TEXT_ARG(group)));
}

// "…/linked.json" is there, "…/awaited.json" not yet, "…/values.json" has parameters; all else is refused.
static enum plan_linked linked(void *context, struct arena *arena, const struct link *link, bool parameters,
                               const struct value **content, struct plan_error *error)
{
    (void)context;
    (void)error;
    if (text_ends(link->uri, "/awaited.json"))
        return LINK_AWAITED;
    if (parameters) {
        *content = object(arena, "{contentVersion:'1.0.0.0',parameters:{n:{value:'v'}}}");
        return text_ends(link->uri, "/values.json") ? LINK_THERE : LINK_REFUSED;
    }
    *content = case_value(
        arena, case_template(arena, text_ends(link->uri, "/further.json")
                                        ? "resources:[{type:'Microsoft.Resources/deployments',apiVersion:'1',"
                                          "name:'further',properties:{mode:'Incremental',templateLink:{"
                                          "relativePath:'../linked.json?a=b'},parameters:{n:{value:'f'}}}}]"
                                        : "parameters:{n:{type:'string'}},resources:[{type:'A.B/c',"
                                          "apiVersion:'1',name:\"[parameters('n')]\"}]"));
    return text_ends(link->uri, "/linked.json") || text_ends(link->uri, "/further.json") ? LINK_THERE
                                                                                         : LINK_REFUSED;
}

struct plan_site case_site(struct arena *arena, enum evaluation_scope scope)
{
    return (struct plan_site){
        .scope = scope,
        .subscription_id = text_of(subscription),
        .resource_group = scope == SCOPE_RESOURCE_GROUP ? TEXT("rg") : TEXT_NONE,
        .location = scope == SCOPE_RESOURCE_GROUP ? TEXT_NONE : TEXT("here"),
        .deployment_name = TEXT("main"),
        .resource_group_object =
            scope == SCOPE_RESOURCE_GROUP
                ? object(arena,
                         arena_printf(arena,
                                      "{name:'rg',location:'here',id:'/subscriptions/%s/resourceGroups/rg'}",
                                      subscription))
                : NULL,
        .subscription = object(arena, arena_printf(arena, "{subscriptionId:'%s',id:'/subscriptions/%s'}",
                                                   subscription, subscription)),
        .tenant = object(arena, "{tenantId:'t'}"),
        .deployer = object(arena, "{objectId:'o'}"),
        .environment = object(arena, "{suffixes:{acrLoginServer:'.azsacr.test'}}"),
        .now = 1700000000000000,
        .scope_object = scope_object,
        .linked = linked,
    };
}

struct plan *case_plan(struct arena *arena, enum evaluation_scope scope, const struct plan_case *c,
                       struct plan_error *error)
{
    struct plan_site *site = ARENA_NEW(arena, struct plan_site);
    *site = case_site(arena, scope);
    const struct value *parameters = c->parameters ? object(arena, c->parameters) : NULL;
    return plan_make(arena, site, case_value(arena, case_template(arena, c->template)), parameters, NULL,
                     error);
}

static void show_nodes(struct buffer *out, const struct plan *plan, const char *margin)
{
    static const char group[] = "/resourceGroups/rg/providers/";
    for (size_t i = 0; i < plan->node_count; i++) {
        const struct plan_node *node = &plan->nodes[i];
        struct text id = node->id;
        ptrdiff_t at = text_search(id, text_of(group));
        if (at >= 0)
            id = text_slice(id, (size_t)at + sizeof group - 1, id.length);
        else if (text_starts(id, "/subscriptions/10000000-0000-0000-0000-000000000001"))
            id = TEXT_JOIN(out->arena, TEXT("S"), text_slice(id, 51, id.length));
        buffer_format(out, "%s%s%.*s %.*s", out->length > 0 ? "\n" : "", margin, TEXT_ARG(id),
                      TEXT_ARG(node->api_version));
        for (size_t k = 0; k < node->dependency_count; k++)
            buffer_format(out, "%s%zu%s", k == 0 ? " <- " : ",", node->dependencies[k].node,
                          node->dependencies[k].implicit ? "*" : "");
        for (size_t k = 0; k < node->read_count; k++)
            buffer_format(out, " reads %.*s%s%.*s@%.*s", TEXT_ARG(node->reads[k].action),
                          node->reads[k].action.base ? ":" : "", TEXT_ARG(node->reads[k].name),
                          TEXT_ARG(node->reads[k].api_version));
        buffer_string(out, node->existing ? " existing" : !node->deployed ? " off" : "");
        if (node->deployed && node->body == NULL)
            buffer_string(out, " run");
        else if (node->deployed && node->nested == NULL && node->body->object.count > 0) {
            buffer_char(out, ' ');
            value_write(out, node->body, '\'');
        }
        if (node->nested != NULL)
            show_nodes(out, node->nested, arena_printf(out->arena, "%s  ", margin));
    }
}

struct text case_show(struct arena *arena, const struct plan *plan)
{
    struct buffer out = buffer_new(arena);
    show_nodes(&out, plan, "");
    return text_of(arena_strndup(arena, out.length > 0 ? out.base : "", out.length));
}

void case_check(enum evaluation_scope scope, const struct plan_case *c)
{
    struct arena *arena = arena_new();
    struct plan_error error = {0};
    const struct plan *plan = case_plan(arena, scope, c, &error);
    const char *got = plan ? case_show(arena, plan).base : arena_printf(arena, "!%s", error.message);
    if (strcmp(got, c->expected) != 0)
        ck_abort_msg("%s: %s\nexpected: %s\ngot:      %s", c->rule, c->template, c->expected, got);
    if (plan == NULL)
        ck_assert_ptr_nonnull(error.code);
    arena_free(arena);
}
