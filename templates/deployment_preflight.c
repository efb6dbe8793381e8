// Before anything is made (arm-templates 6.3): every resource of the plan, nested ones too, is of a type and
// version that is served, in a subscription that is registered; the caller may write it; and its provider has
// nothing against its body. Nothing is changed or locked.
#include "templates/deployment.h"
#include "templates/deployment_errors.h"
#include "templates/type_versions.h"

#include "arm/inner.h"
#include "arm/provider.h"
#include "arm/resource_id.h"
#include "arm/types.h"
#include "base/arena.h"

enum { FAILURES_SHOWN = 50 };

static const struct db_statement group_find = {
    "deployment_group_find", "select g.id from arm.resource_group g where g.subscription_id = $1::uuid "
                             "and g.name_key = $2"};

struct known_group {
    struct text subscription_id, name;
    int64_t id; // 0: it is not there
    bool to_be_made;
    struct known_group *next;
};

struct subject { // a resource that is to be made
    const struct plan_node *node;
    const struct known_group *group;
    bool fresh;
};

struct preflight {
    struct arm_call *call;
    const struct deployment *deployment;
    struct known_group *groups;
    struct subject *subjects;
    size_t subject_count;
    struct buffer denied; // the sentences of rights that lack
    size_t denials;
    struct buffer details; // of bodies that were refused: a JSON array's members
    size_t refusals;
};

// ---- what it is

static bool split_type(struct text full, struct text *namespace_name, struct text *type)
{
    ptrdiff_t slash = text_find(full, '/');
    if (slash <= 0)
        return false;
    *namespace_name = text_slice(full, 0, (size_t)slash);
    *type = text_slice(full, (size_t)slash + 1, full.length);
    return true;
}

static void fail_of(struct arm_call *call, const struct type_failure *failure)
{
    arm_fail(call, failure->status, failure->code, FROM_GATEWAY, "%s", failure->message);
}

static bool known_types(struct preflight *p, const struct plan *plan)
{
    for (size_t i = 0; i < plan->node_count; i++) {
        const struct plan_node *node = &plan->nodes[i];
        struct type_failure failure;
        if (!node->deployed)
            continue;
        if (!type_served(p->call->arena, node->type, node->api_version, node->location, &failure)) {
            fail_of(p->call, &failure);
            return false;
        }
        if (node->nested && !known_types(p, node->nested))
            return false;
    }
    return true;
}

// ---- whether its subscription is registered

static struct text subscription_of(const struct preflight *p, const struct plan_node *node)
{
    struct resource_id id;
    if (resource_id_parse(p->call->arena, node->id, &id) && id.subscription_id.base)
        return id.subscription_id;
    return p->deployment->subscription_id;
}

static bool registered(struct preflight *p, const struct plan *plan)
{
    struct text last_subscription = TEXT_NONE, last_namespace = TEXT_NONE;
    for (size_t i = 0; i < plan->node_count; i++) {
        const struct plan_node *node = &plan->nodes[i];
        struct text namespace_name = TEXT_NONE, type, subscription = subscription_of(p, node);
        const char *canonical;
        if (!node->deployed)
            continue;
        if (node->nested && !registered(p, node->nested))
            return false;
        if (!split_type(node->type, &namespace_name, &type) ||
            !arm_namespace_known(namespace_name, &canonical) ||
            (text_equal_nocase(last_subscription, subscription) && text_is_nocase(last_namespace, canonical)))
            continue;
        // Of another subscription nothing is told to who may not deploy there: the rights are looked at
        // below.
        if (!text_equal_nocase(subscription, p->call->subscription_id) &&
            !arm_may(p->call, DEPLOYMENT_TYPE "/write", node->id))
            continue;
        struct arm_call asked = *p->call;
        asked.subscription_id = subscription;
        if (strcmp(registration_state(&asked, canonical), "Registered") != 0) {
            arm_fail(p->call, ARM_MISSING_REGISTRATION, canonical);
            arm_fail_detail(p->call, p->call->failure->code, canonical, p->call->failure->message);
            return false;
        }
        last_subscription = subscription;
        last_namespace = text_of(canonical);
    }
    return true;
}

// ---- rights and bodies

// "/subscriptions/{s}/resourceGroups/{g}", alone or with something behind it.
static bool parse_group(struct text id, struct resource_id *parsed)
{
    static const char subscriptions[] = "/subscriptions/", groups[] = "/resourceGroups/";
    struct text rest = id;
    *parsed = (struct resource_id){0};
    if (!text_starts_nocase(rest, subscriptions))
        return false;
    rest = text_slice(rest, sizeof subscriptions - 1, rest.length);
    ptrdiff_t slash = text_find(rest, '/');
    if (slash < 0 || !text_starts_nocase(text_slice(rest, (size_t)slash, rest.length), groups))
        return false;
    parsed->subscription_id = text_slice(rest, 0, (size_t)slash);
    rest = text_slice(rest, (size_t)slash + sizeof groups - 1, rest.length);
    slash = text_find(rest, '/');
    parsed->group = slash < 0 ? rest : text_slice(rest, 0, (size_t)slash);
    return uuid_is(parsed->subscription_id) && parsed->group.length > 0;
}

static struct known_group *find_group(struct preflight *p, const struct resource_id *id)
{
    struct arena *arena = p->call->arena;
    for (struct known_group *g = p->groups; g; g = g->next)
        if (text_equal_nocase(g->name, id->group) &&
            text_equal_nocase(g->subscription_id, id->subscription_id))
            return g;
    const struct db_result *rows =
        DB_RUN(p->call->tx, &group_find, db_text(id->subscription_id), db_text(text_lower(arena, id->group)));
    struct known_group *g = ARENA_NEW(arena, struct known_group);
    *g = (struct known_group){.subscription_id = id->subscription_id,
                              .name = id->group,
                              .id = db_rows(rows) > 0 ? db_get_int(rows, 0, 0) : 0,
                              .next = p->groups};
    p->groups = g;
    return g;
}

// What the plan itself makes is there when it is needed.
static void groups_to_be_made(struct preflight *p, const struct plan *plan)
{
    struct resource_id id;
    for (size_t i = 0; i < plan->node_count; i++) {
        const struct plan_node *node = &plan->nodes[i];
        if (!node->deployed)
            continue;
        if (text_is_nocase(node->type, "Microsoft.Resources/resourceGroups") && parse_group(node->id, &id))
            find_group(p, &id)->to_be_made = true;
        if (node->nested)
            groups_to_be_made(p, node->nested);
    }
}

static void note_denied(struct preflight *p, const struct plan_node *node, const char *action)
{
    const struct rbac_caller *caller = p->call->caller;
    if (p->denials++ >= FAILURES_SHOWN)
        return;
    buffer_format(
        &p->denied,
        "%sAuthorization failed for template resource '%.*s' of type '%.*s'. The client '%s' with object "
        "id '%s' does not have permission to perform action '%s' at scope '%.*s'.",
        p->denied.length > 0 ? ":" : "", TEXT_ARG(node->written_name), TEXT_ARG(node->written_type),
        caller->name, caller->object_id, action, TEXT_ARG(node->id));
}

static void note_refused(struct preflight *p, const struct plan_node *node, const struct arm_failure *failure)
{
    struct arm_failure detail = *failure;
    if (p->refusals++ >= FAILURES_SHOWN)
        return;
    detail.origin = FROM_GATEWAY; // the envelope without "status"
    if (!detail.target)
        detail.target = text_cstr(p->call->arena, node->id);
    struct text body = arm_failure_body(p->call->arena, &detail);
    json_raw(&p->details, text_slice(body, sizeof "{\"error\":" - 1, body.length - 1));
}

// The request that the node will be, as far as it is known: a body that a run makes is not.
static void rehearse(struct preflight *p, const struct subject *subject, struct arm_rehearsal *rehearsal)
{
    struct arena *arena = arena_new(); // hundreds of bodies, one at a time
    const struct plan_node *node = subject->node;
    struct text target = type_target(arena, node->id, node->api_version);
    bool body = node->body && !node->nested_content;
    struct arm_inner_request request = {
        .method = HTTP_PUT, .target = target, .body = body ? value_to_json(arena, node->body) : TEXT_NONE};
    arm_rehearse(p->call, &request, subject->group ? subject->group->id : 0, subject->fresh, rehearsal);
    arena_free(arena);
}

// What a nested deployment's own PUT would refuse, whatever its template: where it goes, its name, its
// properties.
static bool nested_sound(struct preflight *p, const struct plan_node *node)
{
    if (!text_is_nocase(node->type, DEPLOYMENT_TYPE))
        return true;
    struct arm_call asked = {.arena = p->call->arena};
    const struct value *properties = VALUE_FIND(node->nested_content, "properties");
    const struct value *on_error = VALUE_FIND(properties, "onErrorDeployment");
    if (node->nested_scope > SCOPE_SUBSCRIPTION)
        arm_fail(&asked, DEPLOYMENT_SCOPE_NOT_SUPPORTED,
                 node->nested_scope == SCOPE_MANAGEMENT_GROUP ? "management group" : "tenant");
    else if (deployment_name_check(&asked, node->name) && on_error && on_error->kind != VALUE_NULL)
        arm_fail(&asked, DEPLOYMENT_ON_ERROR_SCOPE);
    if (asked.failed)
        note_refused(p, node, asked.failure);
    return !asked.failed;
}

static void examine(struct preflight *p, const struct subject *subject)
{
    if (!nested_sound(p, subject->node))
        return;
    struct arm_rehearsal rehearsal = {0};
    const struct known_group *group = subject->group;
    rehearse(p, subject, &rehearsal);
    if (rehearsal.failure && strcmp(rehearsal.failure->code, "AuthorizationFailed") == 0 &&
        rehearsal.action) {
        note_denied(p, subject->node, rehearsal.action);
        return;
    }
    bool nowhere = rehearsal.failure && strcmp(rehearsal.failure->code, "SubscriptionNotFound") == 0;
    if (group && group->id == 0 && !group->to_be_made && !nowhere) {
        struct arm_call missing = {.arena = p->call->arena};
        arm_fail(&missing, ARM_RESOURCE_GROUP_NOT_FOUND, TEXT_ARG(group->name));
        note_refused(p, subject->node, missing.failure);
    } else if (rehearsal.failure) {
        note_refused(p, subject->node, rehearsal.failure);
    }
}

// Everything that is deployed, nested ones behind what they are nested in.
static void collect(struct preflight *p, const struct plan *plan)
{
    struct resource_id id;
    for (size_t i = 0; i < plan->node_count; i++) {
        const struct plan_node *node = &plan->nodes[i];
        if (!node->deployed)
            continue;
        p->subjects[p->subject_count++] =
            (struct subject){.node = node, .group = parse_group(node->id, &id) ? find_group(p, &id) : NULL};
        if (node->nested)
            collect(p, node->nested);
    }
}

// One look for all of a type, where the type has one.
static void foresee(struct preflight *p, const struct arm_type *type)
{
    struct arm_prospect *prospects = ARENA_ARRAY(p->call->arena, struct arm_prospect, p->subject_count);
    struct subject **asked = ARENA_ARRAY(p->call->arena, struct subject *, p->subject_count);
    size_t count = 0;
    for (size_t i = 0; i < p->subject_count; i++) {
        struct subject *subject = &p->subjects[i];
        if (!subject->group || type_found(subject->node->type) != type)
            continue;
        prospects[count] = (struct arm_prospect){.group_id = subject->group->id, .name = subject->node->name};
        asked[count++] = subject;
    }
    if (count > 0)
        type->foresee(p->call->tx, prospects, count);
    for (size_t i = 0; i < count; i++)
        asked[i]->fresh = prospects[i].fresh;
}

static void examine_all(struct preflight *p, const struct plan *plan)
{
    p->subjects = ARENA_ARRAY(p->call->arena, struct subject, plan_count(plan) + 1);
    collect(p, plan);
    for (size_t i = 0; i < arm_type_count(); i++)
        if (arm_type_at(i)->foresee)
            foresee(p, arm_type_at(i));
    json_begin_array(&p->details);
    for (size_t i = 0; i < p->subject_count; i++)
        examine(p, &p->subjects[i]);
    json_end_array(&p->details);
}

bool deployment_preflight(struct arm_call *call, const struct deployment *deployment, const struct plan *plan,
                          enum content_level level)
{
    struct preflight p = {.call = call,
                          .deployment = deployment,
                          .denied = buffer_new(call->arena),
                          .details = buffer_new(call->arena)};
    if (level == LEVEL_TEMPLATE)
        return true;
    if (!known_types(&p, plan) || !registered(&p, plan))
        return false;
    groups_to_be_made(&p, plan);
    examine_all(&p, plan);
    if (level == LEVEL_PROVIDER_NO_RBAC)
        p.denials = 0;
    if (p.denials > 1)
        arm_fail(call, DEPLOYMENT_NOT_AUTHORIZED_SEVERAL, text_cstr(call->arena, buffer_done(&p.denied)));
    else if (p.denials == 1)
        arm_fail(call, DEPLOYMENT_NOT_AUTHORIZED, text_cstr(call->arena, buffer_done(&p.denied)));
    if (p.refusals > 0) {
        char id[37];
        uuid_random(id);
        arm_fail(call, DEPLOYMENT_NOT_VALID, TEXT_ARG(deployment->name), id);
        if (strcmp(call->failure->code, "InvalidTemplateDeployment") == 0)
            call->failure->details_json = buffer_done(&p.details);
    }
    return !call->failed;
}
