// Doing what a deployment would do, and undoing it: every resource's PUT in the order of the plan, as the
// caller's own request, then a GET of each; then the transaction is rolled back. Nested deployments are done
// in their place.
#include "templates/deployment_links.h"
#include "templates/deployment_run.h"
#include "templates/type_versions.h"
#include "templates/what_if.h"

#include "base/clock.h"

enum {
    HELD = 150 * 1000, // microseconds that a transaction is gone on with for the next part
    FAILURES = 50,     // after so many nothing more is tried
    TRIAL_DEPTH = DEPLOYMENT_DEPTH,
};

struct trial {
    struct what_if *w;
    struct db_transaction *tx;
    struct deployment_run run; // for its reads
    struct plan_run inner_reads, reads;
    struct arm_inner inner;
    const struct plan *root;
    const size_t *order, *parts;
    size_t part, part_count; // the next one, of how many
    // As it was when the transaction began: it may be run again.
    size_t first_resource, first_failure, first_part;
    const struct what_if_nested *first_nested;
};

// ---- failures

static void fail(struct trial *t, struct text error, struct text target)
{
    struct what_if *w = t->w;
    const struct value *read = deployment_json(w->arena, error);
    if (w->failure_count == w->failure_capacity) {
        size_t capacity = w->failure_capacity ? w->failure_capacity * 2 : 16;
        const struct value **failures = ARENA_ARRAY(w->arena, const struct value *, capacity);
        if (w->failure_count > 0)
            memcpy(failures, w->failures, w->failure_count * sizeof(const struct value *));
        w->failures = failures;
        w->failure_capacity = capacity;
    }
    if (read && !VALUE_FIND(read, "target")) {
        struct value_member *members = ARENA_ARRAY(w->arena, struct value_member, read->object.count + 1);
        memcpy(members, read->object.members, read->object.count * sizeof *members);
        members[read->object.count] =
            (struct value_member){.name = TEXT("target"), .value = value_string(w->arena, target)};
        read = value_object(w->arena, members, read->object.count + 1);
    }
    if (read)
        w->failures[w->failure_count++] = read;
}

static void fail_plan(struct trial *t, const struct plan_error *error, struct text target)
{
    fail(t, deployment_error_json(t->w->arena, error->code, error->message), target);
}

static bool tired(const struct trial *t)
{
    return db_failed(t->tx) || t->w->failure_count >= FAILURES;
}

// ---- requests

// Each in memory of its own: a deployment makes thousands.
static void request(struct trial *t, enum http_method method, struct text target, struct text body,
                    struct arena *arena, struct http_answer *answer)
{
    struct arm_inner inner = t->inner;
    struct arm_inner_request asked = {.method = method, .target = target, .body = body};
    const void *context = db_context(t->tx);
    inner.arena = arena;
    arm_inner_within(&inner, &asked, t->tx, answer);
    db_set_context(t->tx, context);
}

// A nested deployment may write what another wrote: that is in the same part, and so in this transaction.
static struct what_if_resource *resource_of(struct trial *t, const struct plan_node *node)
{
    struct what_if *w = t->w;
    for (size_t i = t->first_resource; i < w->count; i++)
        if (text_equal_nocase(w->resources[i].id, node->id))
            return &w->resources[i];
    return what_if_add(w, node->id, node->type, node->api_version);
}

static bool put_resource(struct trial *t, struct plan *plan, const struct plan_node *node)
{
    struct what_if *w = t->w;
    struct plan_error error = {0};
    struct type_failure wrong;
    struct http_answer answer = {0};
    if (!type_served(w->arena, node->type, node->api_version, node->location, &wrong)) {
        fail(t, deployment_error_json(w->arena, wrong.code, wrong.message), node->id);
        return false;
    }
    const struct value *body = plan_body(plan, node, &t->reads, w->arena, &error);
    if (!body) {
        fail_plan(t, &error, node->id);
        return false;
    }
    struct what_if_resource *r = resource_of(t, node);
    r->body = body;
    what_if_secrets_of_body(w, body);
    if (clock_monotonic() > w->deadline) {
        r->unsupported = WHAT_IF_TOO_MANY;
        return true;
    }
    struct arena *arena = arena_new();
    request(t, HTTP_PUT, type_target(arena, node->id, node->api_version), value_to_json(arena, body), arena,
            &answer);
    bool good = answer.status < 300;
    if (!good && !db_failed(t->tx))
        fail(t, text_copy(w->arena, deployment_error_of(arena, answer.status, answer.body)), node->id);
    arena_free(arena);
    return good;
}

// ---- nested deployments

static struct value_member member(const char *name, const struct value *value)
{
    return (struct value_member){.name = text_of(name), .value = value};
}

// As its record will be, for reference().
static void remember(struct trial *t, const struct plan_node *node, const struct plan *plan,
                     const struct value *outputs)
{
    struct arena *arena = t->w->arena;
    struct value_member *inside = ARENA_ARRAY(arena, struct value_member, 8);
    struct value_member *members = ARENA_ARRAY(arena, struct value_member, 8);
    size_t count = 0;
    struct what_if_nested *nested = ARENA_NEW(arena, struct what_if_nested);
    inside[count++] = member("templateHash", value_string(arena, plan->template_hash));
    if (plan->parameters)
        inside[count++] = member("parameters", plan->parameters);
    inside[count++] = member("mode", value_string(arena, TEXT("Incremental")));
    inside[count++] = member("provisioningState", value_string(arena, TEXT("Succeeded")));
    inside[count++] =
        member("correlationId", value_string(arena, text_of(t->w->call->request->correlation_id)));
    if (outputs)
        inside[count++] = member("outputs", outputs);
    const struct value *properties = value_object(arena, inside, count);
    count = 0;
    members[count++] = member("id", value_string(arena, node->id));
    members[count++] = member("name", value_string(arena, node->name));
    members[count++] = member("type", value_string(arena, TEXT(DEPLOYMENT_TYPE)));
    if (node->location.base)
        members[count++] = member("location", value_string(arena, node->location));
    members[count++] = member("properties", properties);
    *nested = (struct what_if_nested){node->id, value_object(arena, members, count), t->w->nested};
    t->w->nested = nested;
}

// Where it goes to, with what the scope functions answer there.
static struct plan_site *site_of(struct trial *t, const struct plan_node *node,
                                 const struct value *properties)
{
    struct arena *arena = t->w->arena;
    struct deployment_site *where = ARENA_NEW(arena, struct deployment_site);
    struct deployment d = {.subscription_id = node->nested_subscription_id,
                           .group = node->nested_resource_group,
                           .name = node->name,
                           .location = node->nested_resource_group.base ? TEXT_NONE : node->location,
                           .mode = TEXT("Incremental")};
    deployment_site_fill(where, &d, t->w->site, properties);
    struct plan_site *site = &where->plan;
    where->links = deployment_links_of_call(t->w->call);
    site->scope = node->nested_scope;
    if (d.group.base)
        site->resource_group_object = site->scope_object(site->context, arena, d.subscription_id, d.group);
    if (!text_equal_nocase(d.subscription_id, t->w->request.deployment.subscription_id))
        site->subscription = site->scope_object(site->context, arena, d.subscription_id, TEXT_NONE);
    return site;
}

// Of one whose parameters only a run knows.
static struct plan *make_nested(struct trial *t, struct plan *plan, const struct plan_node *node)
{
    struct arena *arena = t->w->arena;
    struct plan_error error = {0};
    const struct value *body = plan_body(plan, node, &t->reads, arena, &error);
    const struct content *read = body ? content_of(arena, body, &error) : NULL;
    struct plan *made = NULL;
    if (read) {
        struct linked linked;
        struct content content = *read;
        struct plan_site *site = site_of(t, node, VALUE_FIND(body, "properties"));
        site->link = plan_links_base(plan);
        enum plan_linked came = link_fill(arena, site, &content, &linked, &error);
        if (came == LINK_AWAITED) // it will be tried again
            return NULL;
        if (linked.template_shown) {
            site->link = linked.template_link;
            site->template_link = linked.template_shown;
        }
        if (came == LINK_THERE)
            made = plan_make(arena, site, content.template, content.parameters, NULL, &error);
    }
    if (!made)
        fail_plan(t, &error, node->id);
    return made;
}

static bool try_nodes(struct trial *t, struct plan *plan, const size_t *order, size_t part, unsigned depth);

static bool try_nested(struct trial *t, struct plan *plan, const struct plan_node *node, unsigned depth)
{
    struct arena *arena = t->w->arena;
    struct plan *nested = node->nested ? node->nested : make_nested(t, plan, node);
    struct plan_output_error *errors = NULL;
    const struct value *outputs = NULL;
    size_t error_count = 0;
    if (!nested || depth >= TRIAL_DEPTH)
        return false;
    what_if_secrets_of_plan(t->w, nested);
    what_if_note_existing(t->w, nested);
    if (!try_nodes(t, nested, what_if_order(arena, nested), SIZE_MAX, depth + 1))
        return false;
    if (nested->has_outputs)
        outputs = plan_outputs(nested, &t->reads, arena, &errors, &error_count);
    if (nested->has_outputs && !outputs && !db_failed(t->tx))
        fail(t,
             deployment_error_json(arena, "DeploymentOutputEvaluationFailed",
                                   error_count > 0 ? errors[0].message : "The outputs cannot be evaluated."),
             node->id);
    else
        remember(t, node, nested, outputs);
    return !nested->has_outputs || outputs;
}

// ---- nodes

static bool waits_for_failed(const struct plan_node *node, const bool *failed)
{
    for (size_t d = 0; d < node->dependency_count; d++)
        if (failed[node->dependencies[d].node])
            return true;
    return false;
}

// Those of one part, or all (SIZE_MAX). False: one of them failed.
static bool try_nodes(struct trial *t, struct plan *plan, const size_t *order, size_t part, unsigned depth)
{
    bool *failed = ARENA_ARRAY(t->w->arena, bool, plan->node_count + 1), sound = true;
    for (size_t i = 0; i < plan->node_count && !tired(t); i++) {
        const struct plan_node *node = &plan->nodes[order[i]];
        if (!node->deployed || node->existing || (part != SIZE_MAX && t->parts[order[i]] != part))
            continue;
        bool nested = text_is_nocase(node->type, DEPLOYMENT_TYPE);
        if (waits_for_failed(node, failed))
            failed[order[i]] = true;
        else if (nested)
            failed[order[i]] = !try_nested(t, plan, node, depth);
        else
            failed[order[i]] = !put_resource(t, plan, node);
        sound = sound && !failed[order[i]];
    }
    return sound && !tired(t);
}

// ---- reads of the run

static const struct value *get(void *context, struct arena *arena, struct text id, struct text api_version,
                               struct expression_error *error)
{
    struct trial *t = context;
    for (const struct what_if_nested *n = t->w->nested; n; n = n->next)
        if (text_equal_nocase(n->id, id))
            return n->record;
    const void *before = db_context(t->tx);
    const struct value *answered = t->inner_reads.get(t->inner_reads.context, arena, id, api_version, error);
    db_set_context(t->tx, before);
    return answered;
}

static const struct value *post(void *context, struct arena *arena, struct text id, struct text action,
                                struct text api_version, const struct value *body,
                                struct expression_error *error)
{
    struct trial *t = context;
    const void *before = db_context(t->tx);
    const struct value *answered =
        t->inner_reads.post(t->inner_reads.context, arena, id, action, api_version, body, error);
    db_set_context(t->tx, before);
    return answered ? what_if_secrets_of_answer(t->w, answered) : NULL;
}

// ---- transactions

static void read_after(struct trial *t)
{
    struct what_if *w = t->w;
    for (size_t i = t->first_resource; i < w->count && !db_failed(t->tx); i++) {
        struct what_if_resource *r = &w->resources[i];
        int status;
        if (r->unsupported)
            continue;
        r->after =
            what_if_get(&t->inner, t->tx, w->arena, type_target(w->arena, r->id, r->api_version), &status);
        if (!r->after && status == 403)
            r->unsupported = WHAT_IF_UNREADABLE;
    }
}

static void begin(struct trial *t, struct db_transaction *tx)
{
    struct what_if *w = t->w;
    t->tx = tx;
    w->count = t->first_resource;
    w->failure_count = t->first_failure;
    w->nested = t->first_nested;
    t->part = t->first_part;
    t->run = (struct deployment_run){.tx = tx, .arena = w->arena, .inner = t->inner};
    t->inner_reads = deployment_run_reads(&t->run);
    t->reads = (struct plan_run){.context = t, .get = get, .post = post};
    deployment_site_use(&(struct deployment_view){tx, w->call->snapshot, w->call->caller->object_id});
}

// Always rolled back.
static bool run(struct db_transaction *tx, void *argument)
{
    struct trial *t = argument;
    int64_t started = clock_monotonic();
    begin(t, tx);
    do
        try_nodes(t, (struct plan *)(uintptr_t)t->root, t->order, t->part, 0);
    while (++t->part < t->part_count && !tired(t) && clock_monotonic() - started < HELD);
    if (t->w->failure_count == 0)
        read_after(t);
    return false;
}

enum db_outcome what_if_try(struct what_if *w)
{
    struct trial *t = ARENA_NEW(w->arena, struct trial);
    enum db_outcome outcome = DB_ROLLED_BACK;
    t->w = w;
    t->root = w->request.plan;
    t->inner = arm_inner_of(w->call);
    t->inner.counted = t->inner.trial = true;
    t->order = what_if_order(w->arena, t->root);
    t->parts = what_if_parts(w->arena, t->root, &t->part_count);
    what_if_secrets_of_plan(w, t->root);
    what_if_note_existing(w, t->root);
    while (t->part < t->part_count && w->failure_count < FAILURES && outcome == DB_ROLLED_BACK) {
        t->first_resource = w->count;
        t->first_failure = w->failure_count;
        t->first_part = t->part;
        t->first_nested = w->nested;
        // Rolled back because run() says so: what failed would be told otherwise.
        outcome = db_transact(w->connection, run, t);
        if (outcome == DB_ROLLED_BACK && w->failure_count == 0 &&
            (outcome = what_if_read_before(w, t->first_resource)) == DB_COMMITTED)
            outcome = DB_ROLLED_BACK;
    }
    return outcome == DB_ROLLED_BACK ? DB_COMMITTED : outcome;
}
