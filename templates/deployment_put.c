// PUT and validate of a deployment (arm-templates 6.1-6.4): the request is read, its template made a plan,
// the plan looked through; then the record is written with its graph, and a job to run it.
#include "templates/deployment.h"
#include "templates/deployment_errors.h"
#include "templates/deployment_links.h"

#include "arm/inner.h"
#include "arm/resource.h"
#include "arm/resource_id.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/failpoint.h"

#include <stdio.h>

static const struct db_statement new_row = {
    "deployment_new",
    "select nextval('arm.deployment_id_seq'), " DEPLOYMENT_MICROSECONDS("clock_timestamp()")};
static const struct db_statement remove_row = {
    "deployment_replace",
    "delete from arm.deployment where id = $1 and (state not in ('Accepted', 'Running') or "
    "created_at < clock_timestamp() - $2::bigint * interval '1 day') returning id"};
static const struct db_statement insert = {
    "deployment_insert",
    "insert into arm.deployment (id, subscription_id, group_id, name, name_key, location, tags, state, mode, "
    "debug, "
    "sequence, correlation_id, template_hash, template_link, parameters, providers, dependencies, "
    "on_error_type, "
    "on_error_name, template, input, kept, parent_id, root_id, depth, job_id, created_at, changed_at, "
    "parameters_link, link, kept_sealed) "
    "overriding system value values ($1, $2::uuid, nullif($3::bigint, 0), $4, $5, $6, $7::json, 'Accepted', "
    "$8, $9, "
    "$10, $11, $12, $13::json, $14::json, $15::json, $16::json, $17, $18, $19, $20, $21::json, "
    "nullif($22::bigint, 0), nullif($23::bigint, 0), $24, $25::uuid, "
    "'epoch'::timestamptz + $26::bigint * interval '1 microsecond', "
    "'epoch'::timestamptz + $26::bigint * interval '1 microsecond', $27::json, $28, $29) "
    "on conflict do nothing returning id"};
static const struct db_statement hold_parent = {
    "deployment_hold_parent", "select d.id from arm.deployment d where d.id = $1 and d.state in ('Accepted', "
                              "'Running') for share"};
static const struct db_statement find_on_error = {
    "deployment_on_error",
    "select d.name, d.kept is null and d.kept_sealed is null from arm.deployment d where d.subscription_id = "
    "$1::uuid "
    "and coalesce(d.group_id, 0) = $2 and d.name_key <> $3 and d.state = 'Succeeded' "
    "and ($4::text is null or d.name_key = $4) order by d.changed_at desc, d.id desc limit 1"};

// ---- what is asked for

void deployment_fail_plan(struct arm_call *call, const struct plan_error *error)
{
    struct buffer b = buffer_new(call->arena);
    arm_fail(call, 400, error->code, FROM_GATEWAY, "%s", error->message);
    if (error->detail)
        arm_fail_detail(call, error->code, NULL, error->detail);
    if (strcmp(error->code, "InvalidTemplate") != 0)
        return;
    json_begin_array(&b);
    json_begin_object(&b);
    json_key_string(&b, "type", "TemplateViolation");
    json_key(&b, "info");
    json_begin_object(&b);
    json_key_int(&b, "lineNumber", error->line);
    json_key_int(&b, "linePosition", error->column);
    json_key_text(&b, "path", error->path.base ? error->path : TEXT(""));
    json_end_object(&b);
    json_end_object(&b);
    json_end_array(&b);
    call->failure->additional_info = buffer_done(&b);
}

bool deployment_name_check(struct arm_call *call, struct text name)
{
    size_t length = 0;
    bool sound = name.length > 0;
    for (size_t at = 0; sound && at < name.length; length++) {
        uint32_t c = text_next_character(name, &at);
        sound = resource_group_character(c);
    }
    // What every client takes out of a URL, and so could never ask for.
    sound = sound && !text_is(name, ".") && !text_is(name, "..");
    if (!sound || length > DEPLOYMENT_NAME_LIMIT)
        arm_fail(call, DEPLOYMENT_NAME_INVALID, TEXT_ARG(name));
    return !call->failed;
}

static bool location_acceptable(struct arm_call *call, struct deployment_request *r)
{
    struct deployment *d = &r->deployment;
    struct text location = r->content->location;
    if (d->group.base) {
        if (location.base && location.length > 0)
            arm_fail(call, DEPLOYMENT_LOCATION_NOT_ALLOWED, TEXT_ARG(d->name));
        return !call->failed;
    }
    if (location.length == 0)
        arm_fail(call, DEPLOYMENT_LOCATION_MISSING, TEXT_ARG(d->name));
    else if (!arm_location_is_ours(location))
        arm_fail(call, DEPLOYMENT_LOCATION_NOT_AVAILABLE, TEXT_ARG(location), site()->config->region);
    d->location = text_of(site()->config->region);
    return !call->failed;
}

// Until the links that are awaited are fetched, this request can go no further.
static bool await_links(struct arm_call *call, const struct deployment_request *r)
{
    call->meanwhile = deployment_links_fetch;
    if (r->purpose)
        ((struct deployment_purpose *)(uintptr_t)r->purpose)->awaited = r->where->links;
    return false;
}

// The contents of its links are put in. What deployment() and the record show of them is without queries.
static bool follow_links(struct arm_call *call, struct deployment_request *r, struct content *content)
{
    struct deployment *d = &r->deployment;
    struct plan_error error = {0};
    struct linked linked;
    r->where = ARENA_NEW(call->arena, struct deployment_site);
    r->site_json = deployment_site_json(call, d->created_at);
    deployment_site_fill(r->where, d, deployment_json(call->arena, r->site_json),
                         VALUE_FIND(content->request, "properties"));
    deployment_site_use(&(struct deployment_view){call->tx, call->snapshot, call->caller->object_id});
    r->where->links = deployment_links_of_call(call);
    if (r->purpose) {
        deployment_links_look_at(r->where->links, r->purpose->links_root);
        r->where->plan.link = r->purpose->link;
    }
    switch (link_fill(call->arena, &r->where->plan, content, &linked, &error)) {
    case LINK_REFUSED:
        deployment_fail_plan(call, &error);
        return false;
    case LINK_AWAITED:
        return await_links(call, r);
    case LINK_THERE:
        break;
    }
    if (linked.template_link) {
        r->where->plan.link = linked.template_link;
        r->where->plan.template_link = linked.template_shown;
        d->template_link = value_to_json(call->arena, linked.template_shown);
    }
    if (linked.parameters_link)
        d->parameters_link = value_to_json(call->arena, linked.parameters_shown);
    r->link = r->where->plan.link;
    return true;
}

static bool read_tags(struct arm_call *call, const struct value *tags, struct text *json)
{
    if (!tags)
        return true;
    struct text text = value_to_json(call->arena, tags);
    json_t *parsed = json_loadb(text.base, text.length, 0, NULL); // NULL: a NUL character, in no text of ours
    bool sound = parsed && arm_tags_of_body(call, parsed, json);
    json_decref(parsed);
    if (!sound && !call->failed)
        arm_fail(call, DEPLOYMENT_TAGS_UNREADABLE);
    return sound;
}

static bool read_on_error(struct arm_call *call, struct deployment_request *r)
{
    struct deployment *d = &r->deployment;
    const struct content *content = r->content;
    if (content->on_error == ON_ERROR_NONE)
        return true;
    if (!d->group.base || r->purpose) {
        arm_fail(call, DEPLOYMENT_ON_ERROR_SCOPE);
        return false;
    }
    bool specific = content->on_error == ON_ERROR_SPECIFIC;
    struct text wanted = specific ? text_lower(call->arena, content->on_error_name) : TEXT_NONE;
    const struct db_result *rows =
        DB_RUN(call->tx, &find_on_error, db_text(d->subscription_id), db_int(d->group_id),
               db_text(text_lower(call->arena, d->name)), db_text(wanted));
    if (db_rows(rows) == 0)
        arm_fail(call, DEPLOYMENT_ON_ERROR_NONE, TEXT_ARG(d->name), TEXT_ARG(content->on_error_name),
                 specific ? " " : "");
    else if (db_get_bool(rows, 0, 1))
        arm_fail(call, DEPLOYMENT_ON_ERROR_SECURE, TEXT_ARG(db_get(rows, 0, 0)));
    d->on_error_type = specific ? TEXT("SpecificDeployment") : TEXT("LastSuccessful");
    d->on_error_name = text_copy(call->arena, db_get(rows, 0, 0));
    return !call->failed;
}

// 20 digits, the newer the smaller (arm-templates 2.5).
static struct text sequence_of(struct arena *arena, int64_t now)
{
    int64_t ticks = now * 10 + INT64_C(621355968000000000) + clock_monotonic() % 10;
    return text_of(arena_printf(arena, "%020lld", (long long)(INT64_MAX - ticks)));
}

static bool begin(struct arm_call *call, struct deployment_request *r)
{
    struct deployment *d = &r->deployment;
    const struct db_result *rows = DB_RUN0(call->tx, &new_row);
    *r = (struct deployment_request){.purpose = arm_inner_purpose(call)};
    *d = (struct deployment){
        .id = db_get_int(rows, 0, 0),
        .created_at = db_get_int(rows, 0, 1),
        .changed_at = db_get_int(rows, 0, 1),
        .subscription_id = call->subscription_id,
        .group_id = call->group_id,
        .group = call->group_id ? call->group_stored : TEXT_NONE,
        .name = http_parameter(&call->route, "deployment"),
        .state = TEXT("Accepted"),
        .correlation_id = text_of(call->request->correlation_id),
        .parent_id = r->purpose ? r->purpose->parent_id : 0,
        .root_id = r->purpose ? r->purpose->root_id : 0,
        .depth = r->purpose ? r->purpose->depth : 0,
    };
    d->sequence = sequence_of(call->arena, d->created_at);
    if (d->depth > DEPLOYMENT_DEPTH)
        arm_fail(call, DEPLOYMENT_NESTED_DEPTH, TEXT_ARG(d->name), DEPLOYMENT_DEPTH);
    return !call->failed && !db_failed(call->tx) && deployment_name_check(call, d->name);
}

static bool read_content(struct arm_call *call, struct deployment_request *r)
{
    struct plan_error error = {0};
    struct deployment *d = &r->deployment;
    struct content *content = ARENA_NEW(call->arena, struct content);
    const struct content *read = content_read(call->arena, call->request->body, &error);
    if (!read) {
        deployment_fail_plan(call, &error);
        return false;
    }
    *content = *read;
    r->content = content;
    d->mode = r->content->complete ? TEXT("Complete") : TEXT("Incremental");
    d->debug = r->content->detail_level;
    return location_acceptable(call, r) && read_tags(call, content->tags, &d->tags) &&
           read_on_error(call, r) && follow_links(call, r, content);
}

static bool make_plan(struct arm_call *call, struct deployment_request *r)
{
    struct deployment *d = &r->deployment;
    struct plan_error error = {0};
    r->plan =
        plan_make(call->arena, &r->where->plan, r->content->template, r->content->parameters, NULL, &error);
    if (!r->plan) {
        deployment_fail_plan(call, &error);
        return false;
    }
    if (deployment_links_await(r->where->links))
        return await_links(call, r);
    d->template_hash = r->plan->template_hash;
    d->parameters = r->plan->parameters ? value_to_json(call->arena, r->plan->parameters) : TEXT_NONE;
    d->providers = value_to_json(call->arena, plan_providers(r->plan, call->arena));
    d->dependencies = value_to_json(call->arena, plan_dependencies(r->plan, call->arena));
    return true;
}

bool deployment_request_read(struct arm_call *call, struct deployment_request *r)
{
    if (!begin(call, r) || !read_content(call, r))
        return false;
    r->exists = deployment_find(call, r->deployment.name, &r->existing);
    return make_plan(call, r) && deployment_preflight(call, &r->deployment, r->plan, r->content->level);
}

// ---- validate

void deployment_validate(struct arm_call *call)
{
    struct deployment_request r;
    if (!deployment_request_read(call, &r))
        return;
    deployment_groom(call);
    r.deployment.state = TEXT("Succeeded");
    arm_reply(call, 200,
              deployment_record(call, &r.deployment,
                                value_to_json(call->arena, plan_validated_resources(r.plan, call->arena))));
}

// ---- PUT

static bool replaceable(struct arm_call *call, const struct deployment_request *r)
{
    const struct deployment *old = &r->existing;
    int64_t week = (int64_t)DEPLOYMENT_EXPIRES_DAYS * 86400 * 1000000;
    if (!r->exists || !deployment_active(old) || old->created_at + week < r->deployment.created_at)
        return true;
    arm_fail(call, DEPLOYMENT_ACTIVE, TEXT_ARG(deployment_id_of(call->arena, old)),
             TEXT_ARG(clock_american(call->arena, old->created_at)), TEXT_ARG(old->correlation_id),
             TEXT_ARG(clock_american(call->arena, old->created_at + week)));
    return false;
}

// What the run needs beside the template: sealed, and gone when it is over.
static struct text input_of(struct arena *arena, const struct arm_call *call,
                            const struct deployment_request *r)
{
    struct buffer b = buffer_new(arena);
    const struct value *properties = VALUE_FIND(r->content->request, "properties");
    const struct value *debug = VALUE_FIND(properties, "debugSetting");
    json_begin_object(&b);
    json_key_raw(&b, "site", r->site_json);
    json_key(&b, "properties");
    json_begin_object(&b);
    if (debug)
        json_key_raw(&b, "debugSetting", value_to_json(arena, debug));
    json_end_object(&b);
    if (r->content->parameters)
        json_key_raw(&b, "parameters", value_to_json(arena, r->content->parameters));
    if (r->link)
        json_key_raw(&b, "link", value_to_json(arena, link_written(arena, r->link)));
    if (r->plan->bound)
        json_key_raw(&b, "bound", value_to_json(arena, r->plan->bound));
    json_key_bool(&b, "hasOutputs", r->plan->has_outputs);
    deployment_write_made(&b, r->plan);
    json_key(&b, "caller");
    rbac_caller_write(&b, call->caller);
    json_key_text(&b, "host", call->request->host);
    json_key_text(&b, "authority", call->request->authority);
    json_key_text(&b, "client",
                  call->request->client_address.base ? call->request->client_address : TEXT(""));
    json_end_object(&b);
    return deployment_sealed(arena, r->deployment.id, "input", buffer_done(&b));
}

// {"p":{"value":…}} of all parameters, for an onErrorDeployment of later. *secret: it is to be sealed.
static struct text kept_of(struct arena *arena, const struct plan *plan, bool *secret)
{
    struct buffer b = buffer_new(arena);
    *secret = false;
    json_begin_object(&b);
    for (size_t i = 0; plan->parameters && i < plan->parameters->object.count; i++) {
        const struct value_member *m = &plan->parameters->object.members[i];
        const struct value *value = value_find(plan->bound, m->name);
        if (!value || value->kind == VALUE_NULL)
            continue;
        *secret = *secret || deployment_parameter_secret(m, plan->bound);
        json_key_of(&b, m->name);
        json_begin_object(&b);
        json_key_raw(&b, "value", value_to_json(arena, value));
        json_end_object(&b);
    }
    json_end_object(&b);
    return buffer_done(&b);
}

static void insert_row(struct arm_call *call, const struct deployment_request *r)
{
    struct arena *arena = arena_new(); // the template's texts are large, and for this statement only
    const struct deployment *d = &r->deployment;
    struct text template = value_to_json(arena, r->plan->template);
    bool secret;
    struct text values = kept_of(arena, r->plan, &secret);
    const struct db_result *made = DB_RUN(
        call->tx, &insert, db_int(d->id), db_text(d->subscription_id), db_int(d->group_id), db_text(d->name),
        db_text(text_lower(arena, d->name)), db_text(d->location), db_text(d->tags), db_text(d->mode),
        db_text(d->debug), db_text(d->sequence), db_text(d->correlation_id), db_text(d->template_hash),
        db_text(d->template_link), db_text(d->parameters), db_text(d->providers), db_text(d->dependencies),
        db_text(d->on_error_type), db_text(d->on_error_name),
        db_bytes(deployment_sealed(arena, d->id, "template", template)), db_bytes(input_of(arena, call, r)),
        db_text(secret ? TEXT_NONE : values), db_int(d->parent_id), db_int(d->root_id ? d->root_id : d->id),
        db_int(d->depth), db_text(d->job_id), db_int(d->created_at), db_text(d->parameters_link),
        db_bytes(deployment_link_sealed(arena, d->id, r->link)),
        db_bytes(secret ? deployment_sealed(arena, d->id, "kept", values) : TEXT_NONE));
    if (d->parent_id == 0)
        deployment_links_keep(call->tx, r->where->links, d->id);
    arena_free(arena);
    if (db_rows(made) == 0 && !db_failed(call->tx))
        db_retry(call->tx); // somebody made one of that name meanwhile
}

static void make_job(struct arm_call *call, struct deployment_request *r)
{
    struct deployment *d = &r->deployment;
    struct job_origin origin = {call->caller->object_id, deployment_id_of(call->arena, d)};
    struct text payload = text_of(arena_printf(call->arena, "{\"deployment\":\"%lld\"}", (long long)d->id));
    const char *id = job_create_in_turn(call->tx, DEPLOYMENT_JOB, text_cstr(call->arena, d->subscription_id),
                                        &origin, payload, r->purpose ? r->purpose->like_job : NULL);
    call->goes_on = arena_strdup(call->arena, id);
    d->job_id = text_of(call->goes_on);
}

static void point_at_status(struct arm_call *call, const struct deployment *d)
{
    struct text path = call->request->path;
    while (path.length > 1 && path.base[path.length - 1] == '/')
        path.length--;
    const char *url = arena_printf(call->arena, "%.*s/operationStatuses/%.*s?api-version=%s", TEXT_ARG(path),
                                   TEXT_ARG(d->sequence), call->api_version);
    http_set_header_string(call->answer, "Azure-AsyncOperation", arm_url(call, url));
}

// What it is nested in still runs, and is not canceled before this one is there to be canceled with it.
static bool still_wanted(struct arm_call *call, const struct deployment_request *r)
{
    if (r->deployment.parent_id == 0)
        return true;
    const struct db_result *parent = DB_RUN(call->tx, &hold_parent, db_int(r->deployment.parent_id));
    if (db_rows(parent) == 0 && !db_failed(call->tx))
        arm_fail(call, DEPLOYMENT_PARENT_OVER, TEXT_ARG(r->deployment.name));
    return !call->failed && !db_failed(call->tx);
}

void deployment_put(struct arm_call *call)
{
    struct deployment_request r;
    if (!deployment_request_read(call, &r) || !replaceable(call, &r) || !still_wanted(call, &r))
        return;
    if (r.exists &&
        db_rows(DB_RUN(call->tx, &remove_row, db_int(r.existing.id), db_int(DEPLOYMENT_EXPIRES_DAYS))) == 0) {
        db_retry(call->tx); // it went, or became active, meanwhile
        return;
    }
    if (!deployment_room(call, &r.deployment))
        return;
    make_job(call, &r);
    insert_row(call, &r);
    deployment_operations_make(call, &r.deployment, r.plan);
    if (db_failed(call->tx))
        return;
    if (r.purpose)
        ((struct deployment_purpose *)(uintptr_t)r.purpose)->made = r.deployment.id;
    failpoint("deployment.accepted");
    point_at_status(call, &r.deployment);
    arm_reply(call, r.exists ? 200 : 201, deployment_record(call, &r.deployment, TEXT_NONE));
}
