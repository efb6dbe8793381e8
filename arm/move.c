// POST …/resourceGroups/{g}/moveResources and …/validateMoveResources (arm-core 2.6): reads what is asked,
// decides about the rights on both sides, checks, and makes the job.
#include "arm/move.h"

#include "arm/asynchronous.h"
#include "arm/locks.h"
#include "arm/move_errors.h"
#include "arm/resource.h"
#include "arm/types.h"

#include "base/arena.h"

#define MOVE_ACTION "Microsoft.Resources/subscriptions/resourceGroups/moveResources/action"
#define GROUP_WRITE "Microsoft.Resources/subscriptions/resourceGroups/write"

struct asked {
    struct text target_subscription, target_group; // as written
    size_t count;
    struct resource_id resources[MOVE_LIMIT];
    struct text ids[MOVE_LIMIT]; // canonical, of the source
};

static struct text canonical_id(struct arm_call *call, struct text subscription, struct text group,
                                const struct resource_id *id)
{
    struct text type = TEXT_JOIN(call->arena, id->namespace_name, TEXT("/"), id->type);
    return resource_id_build(call->arena, subscription, group, type, id->name);
}

// "/subscriptions/{s}/resourceGroups/{g}"
static bool read_target(struct arm_call *call, struct asked *asked)
{
    struct text id;
    if (!arm_body_text(call, call->body, "targetResourceGroup", "targetResourceGroup", &id))
        return false;
    if (id.length == 0) {
        arm_fail(call, ARM_MOVE_MEMBER_REQUIRED, "targetResourceGroup");
        return false;
    }
    struct text pieces[4];
    size_t count = 0, start = 0;
    for (size_t i = 0; i <= id.length; i++) {
        if (i < id.length && id.base[i] != '/')
            continue;
        if (i > start && count++ < 4)
            pieces[count - 1] = text_slice(id, start, i);
        start = i + 1;
    }
    if (id.base[0] != '/' || count != 4 || !text_is_nocase(pieces[0], "subscriptions") ||
        !uuid_is(pieces[1]) || !text_is_nocase(pieces[2], "resourceGroups") ||
        !resource_group_name_valid(pieces[3])) {
        arm_fail(call, ARM_MOVE_INVALID_ID, TEXT_ARG(id), "targetResourceGroup");
        return false;
    }
    asked->target_subscription = text_lower(call->arena, pieces[1]);
    asked->target_group = text_copy(call->arena, pieces[3]);
    if (!text_equal(asked->target_subscription, call->subscription_id) ||
        !text_equal_nocase(asked->target_group, call->group))
        return true;
    arm_fail(call, ARM_MOVE_SAME_GROUP, TEXT_ARG(call->group));
    return false;
}

static bool read_resource(struct arm_call *call, struct text text, struct asked *asked)
{
    struct resource_id *id = &asked->resources[asked->count];
    const char *path = arena_printf(call->arena, "resources[%zu]", asked->count);
    if (!resource_id_parse(call->arena, text, id) || !id->subscription_id.base)
        arm_fail(call, ARM_MOVE_INVALID_ID, TEXT_ARG(text), path);
    else if (!text_equal(id->subscription_id, call->subscription_id) || !id->group.base ||
             !text_equal_nocase(id->group, call->group))
        arm_fail(call, ARM_MOVE_OUTSIDE, TEXT_ARG(text), TEXT_ARG(call->group));
    else if (id->parent.base)
        arm_fail(call, ARM_MOVE_TYPE, TEXT_ARG(id->namespace_name), TEXT_ARG(id->type));
    else if (text_find(id->type, '/') >= 0)
        arm_fail(call, ARM_MOVE_CHILD, TEXT_ARG(text));
    else {
        const struct arm_type *type = arm_type_find(id->namespace_name, id->type);
        if (!type || !type->movable)
            arm_fail(call, ARM_MOVE_TYPE, TEXT_ARG(id->namespace_name), TEXT_ARG(id->type));
        else
            asked->ids[asked->count] = canonical_id(call, call->subscription_id, call->group, id);
    }
    return !call->failed;
}

static bool read_resources(struct arm_call *call, struct asked *asked)
{
    const json_t *list = json_object_get(call->body, "resources"), *element;
    size_t count = json_array_size(list), i;
    if (!list || json_is_null(list) || (json_is_array(list) && count == 0)) {
        arm_fail(call, ARM_MOVE_MEMBER_REQUIRED, "resources");
        return false;
    }
    if (!json_is_array(list)) {
        arm_fail_content(call, TEXT("resources"), "Array", "resources");
        return false;
    }
    if (count > MOVE_LIMIT) {
        arm_fail(call, ARM_MOVE_TOO_MANY, count);
        return false;
    }
    json_array_foreach(list, i, element)
    {
        struct text id = {json_string_value(element), json_string_length(element)};
        if (!id.base)
            arm_fail_content(call, TEXT("resources"), "String",
                             arena_printf(call->arena, "resources[%zu]", i));
        if (call->failed || !read_resource(call, text_copy(call->arena, id), asked))
            return false;
        asked->count++;
    }
    return true;
}

// ---- rights

static bool may_take(struct arm_call *call, const struct asked *asked, size_t i)
{
    const struct resource_id *id = &asked->resources[i];
    for (const char *const *verb = (const char *const[]){"write", "delete", NULL}; *verb; verb++) {
        const char *action = arena_printf(call->arena, "%.*s/%.*s/%s", TEXT_ARG(id->namespace_name),
                                          TEXT_ARG(id->type), *verb);
        if (arm_may(call, action, asked->ids[i]))
            continue;
        arm_fail(call, ARM_AUTHORIZATION_FAILED, call->caller->name, call->caller->object_id, action,
                 TEXT_ARG(asked->ids[i]));
        return false;
    }
    return true;
}

static bool may_put(struct arm_call *call, const char *action, struct text scope)
{
    if (arm_may(call, action, scope))
        return true;
    arm_fail(call, ARM_LINKED_AUTHORIZATION_FAILED, call->caller->name, call->caller->object_id, MOVE_ACTION,
             TEXT_ARG(call->scope), action, TEXT_ARG(scope));
    return false;
}

// Before existence: who may not look does not learn what is there.
static bool may_move(struct arm_call *call, const struct asked *asked)
{
    for (size_t i = 0; i < asked->count; i++)
        if (!may_take(call, asked, i))
            return false;
    struct text group = resource_id_of_group(call->arena, asked->target_subscription, asked->target_group);
    if (!may_put(call, GROUP_WRITE, group))
        return false;
    for (size_t i = 0; i < asked->count; i++) {
        const struct resource_id *id = &asked->resources[i];
        const char *action =
            arena_printf(call->arena, "%.*s/%.*s/write", TEXT_ARG(id->namespace_name), TEXT_ARG(id->type));
        if (!may_put(call, action, canonical_id(call, asked->target_subscription, asked->target_group, id)))
            return false;
    }
    return true;
}

static bool target_subscription_sound(struct arm_call *call, const struct asked *asked)
{
    struct text id = asked->target_subscription;
    const struct rbac_subscription *subscription = rbac_subscription_by_id(call->snapshot, id);
    if (!subscription)
        arm_fail(call, ARM_SUBSCRIPTION_NOT_FOUND, TEXT_ARG(id));
    else if (strcmp(subscription->tenant_id, call->caller->tenant_id) != 0)
        may_put(call, GROUP_WRITE, TEXT("")); // no scope of this tenant
    else if (!subscription->enabled)
        arm_fail(call, ARM_SUBSCRIPTION_DISABLED, TEXT_ARG(id));
    return !call->failed;
}

// ---- what is stored

static const struct db_statement find_target = {
    "arm_move_target",
    "select g.id from arm.resource_group g where g.subscription_id = $1::uuid and g.name_key = $2"};
static const struct db_statement find_resources = {
    "arm_move_find",
    "select s.ordinal, r.id from json_to_recordset($2::json) as s(ordinal integer, type text, "
    "name text) join arm.resource r on r.group_id = $1 and r.type_key = s.type "
    "and r.name_key = s.name order by s.ordinal"};
static const struct db_statement mark_groups = {
    "arm_move_mark", "update arm.resource_group set moved_by = $3::uuid where id in ($1, $2)"};

static struct text keys_of(struct arm_call *call, const struct asked *asked)
{
    struct buffer b = buffer_new(call->arena);
    json_begin_array(&b);
    for (size_t i = 0; i < asked->count; i++) {
        const struct resource_id *id = &asked->resources[i];
        json_begin_object(&b);
        json_key_int(&b, "ordinal", (int64_t)i);
        json_key_text(
            &b, "type",
            text_lower(call->arena, TEXT_JOIN(call->arena, id->namespace_name, TEXT("/"), id->type)));
        json_key_text(&b, "name", text_lower(call->arena, id->name));
        json_end_object(&b);
    }
    json_end_array(&b);
    return buffer_done(&b);
}

static void fail_absent(struct arm_call *call, const struct resource_id *id)
{
    arm_fail(call, ARM_RESOURCE_NOT_FOUND,
             arena_printf(call->arena, "%.*s/%.*s", TEXT_ARG(id->namespace_name), TEXT_ARG(id->type)),
             TEXT_ARG(id->name), TEXT_ARG(call->group));
}

static int compare_ids(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static bool find_rows(struct arm_call *call, const struct asked *asked, struct move *move)
{
    const struct db_result *rows =
        DB_RUN(call->tx, &find_resources, db_int(call->group_id), db_text(keys_of(call, asked)));
    int64_t *ids = ARENA_ARRAY(call->arena, int64_t, asked->count + 1);
    struct buffer b = buffer_new(call->arena);
    json_begin_array(&b);
    for (size_t i = 0; i < asked->count; i++) {
        if (i >= db_rows(rows) || db_get_int(rows, i, 0) != (int64_t)i) {
            fail_absent(call, &asked->resources[i]);
            return false;
        }
        ids[i] = db_get_int(rows, i, 1);
        json_text(&b, db_get(rows, i, 1));
    }
    json_end_array(&b);
    move->resources = buffer_done(&b);
    move->count = asked->count;
    qsort(ids, asked->count, sizeof *ids, compare_ids);
    for (size_t i = 1; i < asked->count; i++)
        if (ids[i] == ids[i - 1])
            arm_fail(call, ARM_MOVE_TWICE, TEXT_ARG(asked->ids[i]));
    return !call->failed;
}

static bool find_groups(struct arm_call *call, const struct asked *asked, struct move *move)
{
    const struct db_result *target = DB_RUN(call->tx, &find_target, db_text(asked->target_subscription),
                                            db_text(text_lower(call->arena, asked->target_group)));
    move->source.id = call->group_id;
    move->target.id = db_rows(target) > 0 ? db_get_int(target, 0, 0) : 0;
    if (move->target.id == 0 || !move_lock_groups(call->tx, call->arena, move)) {
        if (db_rows(target) > 0 && move->source.id == 0)
            arm_fail(call, ARM_RESOURCE_GROUP_NOT_FOUND, TEXT_ARG(call->group));
        else
            arm_fail(call, ARM_MOVE_TARGET_MISSING, TEXT_ARG(asked->target_group));
    }
    return !call->failed;
}

static bool locks_allow(struct arm_call *call, const struct asked *asked)
{
    for (size_t i = 0; i < asked->count; i++)
        if (!arm_locks_allow(call, asked->ids[i], ARM_LOCK_DELETE))
            return false;
    return arm_locks_allow(call,
                           resource_id_of_group(call->arena, asked->target_subscription, asked->target_group),
                           ARM_LOCK_WRITE);
}

static struct text payload_of(struct arm_call *call, const struct move *move)
{
    struct buffer b = buffer_new(call->arena);
    json_begin_object(&b);
    json_key_int(&b, "source", move->source.id);
    json_key_int(&b, "target", move->target.id);
    json_key_bool(&b, "validate", move->only_validate);
    json_key_raw(&b, "resources", move->resources);
    json_end_object(&b);
    return buffer_done(&b);
}

static void start(struct arm_call *call, bool only_validate)
{
    struct asked *asked = ARENA_NEW(call->arena, struct asked);
    struct move move = {.only_validate = only_validate};
    if (!read_resources(call, asked) || !read_target(call, asked) || !may_move(call, asked) ||
        !target_subscription_sound(call, asked) || !find_groups(call, asked, &move) ||
        !find_rows(call, asked, &move))
        return;
    // A validation says so at its end (arm-core 2.6).
    if (!only_validate && (!move_none_in_progress(call, &move.source, NULL) ||
                           !move_none_in_progress(call, &move.target, NULL) || !locks_allow(call, asked) ||
                           !move_acceptable(call, &move)))
        return;
    const char *job = arm_accept(call, MOVE_JOB, payload_of(call, &move), ARM_BY_LOCATION);
    if (!only_validate)
        DB_RUN(call->tx, &mark_groups, db_int(move.source.id), db_int(move.target.id), db_string(job));
    rbac_still_current(call->tx); // the rights of the other scopes
}

void move_resources(struct arm_call *call)
{
    start(call, false);
}

void move_validate(struct arm_call *call)
{
    start(call, true);
}
