// POST {scope}/providers/Microsoft.Authorization/checkAccess (decisions 49): what somebody may do at a scope,
// action by action, with the assignment that allows it.
#include "arm/authorization.h"
#include "arm/authorization_errors.h"
#include "arm/errors.h"
#include "arm/resource.h"
#include "arm/types.h"

#include "base/arena.h"

enum { ACTIONS_LIMIT = 500, ACTION_LIMIT = 512, SHOWN = 200 };

struct access_action {
    struct text id;
    bool data;
};
struct access_request {
    struct text object_id; // lower case
    struct text resource;  // what the decision is about, lower case
    struct access_action *actions;
    size_t count;
};

// ---- the body: names of members in any case, as the published clients differ in it

static struct text text_of_json(const json_t *value)
{
    return (struct text){json_string_value(value), json_string_length(value)};
}

static bool fail_value(struct arm_call *call, const json_t *value, const char *type, const char *path)
{
    struct text shown = json_is_string(value) ? text_of_json(value) : TEXT("");
    arm_fail_content(call, shown.length > SHOWN ? text_slice(shown, 0, SHOWN) : shown, type, path);
    return false;
}

// Nobody named is the caller. Groups are checked and count for nothing: the directory has none.
static bool read_subject(struct arm_call *call, struct access_request *request)
{
    const json_t *subject = arm_member_nocase(call->body, "Subject"),
                 *attributes = arm_member_nocase(subject, "Attributes");
    const json_t *object_id = arm_member_nocase(attributes, "ObjectId"),
                 *groups = arm_member_nocase(attributes, "Groups");
    request->object_id = text_of(call->caller->object_id);
    if (subject && !json_is_object(subject))
        return fail_value(call, subject, "System.Object", "Subject");
    if (attributes && !json_is_object(attributes))
        return fail_value(call, attributes, "System.Object", "Subject.Attributes");
    if (groups && !json_is_array(groups))
        return fail_value(call, groups, "System.String[]", "Subject.Attributes.Groups");
    for (size_t i = 0; i < json_array_size(groups); i++)
        if (!json_is_string(json_array_get(groups, i)) || !uuid_is(text_of_json(json_array_get(groups, i))))
            return fail_value(call, json_array_get(groups, i), "System.Guid", "Subject.Attributes.Groups");
    if (subject && !object_id) {
        arm_fail(call, ARM_ACCESS_REQUIRED, "Subject.Attributes.ObjectId");
        return false;
    }
    if (object_id && !(json_is_string(object_id) && uuid_is(text_of_json(object_id))))
        return fail_value(call, object_id, "System.Guid", "Subject.Attributes.ObjectId");
    if (object_id)
        request->object_id = text_lower(call->arena, text_of_json(object_id));
    return true;
}

static bool read_actions(struct arm_call *call, struct access_request *request)
{
    const json_t *actions = arm_member_nocase(call->body, "Actions");
    if (!json_is_array(actions) || json_array_size(actions) == 0) {
        arm_fail(call, ARM_ACCESS_REQUIRED, "Actions");
        return false;
    }
    request->count = json_array_size(actions);
    if (request->count > ACTIONS_LIMIT) {
        arm_fail(call, ARM_ACCESS_TOO_MANY, request->count);
        return false;
    }
    request->actions = ARENA_ARRAY(call->arena, struct access_action, request->count);
    for (size_t i = 0; i < request->count; i++) {
        const json_t *action = json_array_get(actions, i), *id = arm_member_nocase(action, "Id");
        const json_t *data = arm_member_nocase(action, "IsDataAction");
        if (!json_is_string(id) || json_string_length(id) == 0 || json_string_length(id) > ACTION_LIMIT)
            return fail_value(call, id, "System.String", arena_printf(call->arena, "Actions[%zu].Id", i));
        if (data && !json_is_boolean(data))
            return fail_value(call, data, "System.Boolean",
                              arena_printf(call->arena, "Actions[%zu].IsDataAction", i));
        request->actions[i] = (struct access_action){text_of_json(id), json_is_true(data)};
    }
    return true;
}

// Resource.Id, at or below the scope of the path; without one, that scope.
static bool read_resource(struct arm_call *call, struct access_request *request)
{
    struct authorization_scope scope, resource;
    const json_t *object = arm_member_nocase(call->body, "Resource"), *id = arm_member_nocase(object, "Id");
    if (!authorization_scope_of(call, &scope))
        return false;
    request->resource = scope.key;
    if (object && !json_is_object(object))
        return fail_value(call, object, "System.Object", "Resource");
    if (!id)
        return true;
    if (!json_is_string(id) || !authorization_scope_parse(call->arena, text_of_json(id), &resource))
        return fail_value(call, id, "ResourceId", "Resource.Id");
    if (!resource_id_within(resource.key, scope.key)) {
        arm_fail(call, ARM_ACCESS_ELSEWHERE, TEXT_ARG(resource.path), TEXT_ARG(scope.path));
        return false;
    }
    request->resource = resource.key;
    return true;
}

// ---- the decision

static const struct db_statement assignments_of = {
    "check_access_assignments",
    "select a.id::text, a.role_definition_id::text, a.principal_id::text, a.principal_type, a.scope, "
    "a.description,"
    " d.permissions::text from rbac.role_assignment a join rbac.role_definition d on d.id = "
    "a.role_definition_id"
    " where a.principal_id = $1::uuid and a.condition is null"
    " and a.scope_key in (select json_array_elements_text($2::json) collate \"C\")"
    " order by a.scope_key desc, a.id",
};
enum { ID, ROLE, PRINCIPAL, PRINCIPAL_TYPE, SCOPE, DESCRIPTION, PERMISSIONS };

static bool any_matches(const json_t *patterns, struct text action)
{
    for (size_t i = 0; i < json_array_size(patterns); i++)
        if (rbac_action_matches(text_of_json(json_array_get(patterns, i)), action))
            return true;
    return false;
}

static bool role_allows(const json_t *permissions, const struct access_action *action)
{
    const char *allow = action->data ? "dataActions" : "actions",
               *except = action->data ? "notDataActions" : "notActions";
    for (size_t i = 0; i < json_array_size(permissions); i++) {
        const json_t *block = json_array_get(permissions, i);
        if (any_matches(json_object_get(block, allow), action->id) &&
            !any_matches(json_object_get(block, except), action->id))
            return true;
    }
    return false;
}

// The row that allows it, or their number.
static size_t allowing_row(const struct db_result *rows, json_t *const *permissions,
                           const struct access_action *action)
{
    size_t i = 0;
    while (i < db_rows(rows) && !role_allows(permissions[i], action))
        i++;
    return i;
}

static void write_assignment(struct buffer *b, const struct db_result *rows, size_t i)
{
    json_begin_object(b);
    json_key_text(b, "id", db_get(rows, i, ID));
    json_key_text(b, "roleDefinitionId", db_get(rows, i, ROLE));
    json_key_text(b, "principalId", db_get(rows, i, PRINCIPAL));
    json_key_text(b, "principalType", db_get(rows, i, PRINCIPAL_TYPE));
    json_key_text(b, "scope", db_get(rows, i, SCOPE));
    json_key_text(b, "condition", TEXT_NONE);
    json_key_text(b, "conditionVersion", TEXT_NONE);
    json_key_bool(b, "canDelegate", false);
    json_key_text(b, "delegatedManagedIdentityResourceId", TEXT_NONE);
    json_key_text(b, "description", db_get(rows, i, DESCRIPTION));
    json_end_object(b);
}

static void write_decision(struct buffer *b, const struct access_action *action, const struct db_result *rows,
                           size_t row)
{
    bool allowed = row < db_rows(rows);
    json_begin_object(b);
    json_key_text(b, "actionId", action->id);
    json_key_string(b, "accessDecision", allowed ? "Allowed" : "NotAllowed");
    json_key_bool(b, "isDataAction", action->data);
    json_key(b, "roleAssignment");
    if (allowed)
        write_assignment(b, rows, row);
    else
        json_write_null(b);
    json_key_text(b, "denyAssignment", TEXT_NONE);
    // A grant or a revocation holds for the very next request: an answer is good for none later.
    json_key_int(b, "timeToLiveInMs", 0);
    json_end_object(b);
}

static void drop_json(void *json)
{
    json_decref(json);
}

static void decide(struct arm_call *call, const struct access_request *request)
{
    const struct db_result *rows = DB_RUN(call->tx, &assignments_of, db_text(request->object_id),
                                          db_text(authorization_ancestors(call->arena, request->resource)));
    json_t **permissions = ARENA_ARRAY(call->arena, json_t *, db_rows(rows) + 1);
    for (size_t i = 0; i < db_rows(rows); i++) {
        struct text text = db_get(rows, i, PERMISSIONS);
        permissions[i] = json_loadb(text.base, text.length, 0, NULL);
        arena_on_free(call->arena, drop_json, permissions[i]);
    }
    const struct rbac_principal *principal = rbac_principal_by_id(call->snapshot, request->object_id);
    bool known = principal && principal->enabled; // nobody else may do anything
    struct buffer b = buffer_new(call->arena);
    json_begin_array(&b);
    for (size_t i = 0; i < request->count; i++) {
        size_t row = known ? allowing_row(rows, permissions, &request->actions[i]) : db_rows(rows);
        write_decision(&b, &request->actions[i], rows, row);
    }
    json_end_array(&b);
    arm_reply(call, 200, buffer_done(&b));
}

static void check_access(struct arm_call *call)
{
    static const char action[] = "Microsoft.Authorization/roleAssignments/read";
    struct access_request request = {0};
    if (!read_subject(call, &request) || !read_actions(call, &request) || !read_resource(call, &request))
        return;
    if (!text_is(request.object_id, call->caller->object_id) && !arm_may(call, action, request.resource)) {
        arm_fail(call, ARM_AUTHORIZATION_FAILED, call->caller->name, call->caller->object_id, action,
                 TEXT_ARG(request.resource));
        return;
    }
    decide(call, &request);
}

static const struct arm_operation operations[] = {
    {.http = {HTTP_POST, "/{scope**}/providers/Microsoft.Authorization/checkAccess", "Access_Check"},
     .action = "Microsoft.Authorization/checkAccess/action",
     .flags =
         ARM_GATEWAY | ARM_NO_DECISION | ARM_READ_COUNT | ARM_NEEDS_BODY | ARM_DELETING_OK | ARM_LOCKS_OK,
     .handle = check_access,
     .display = "Check access",
     .description = "Checks what a principal may do at a scope."},
    {.http = {0}},
};

const struct arm_type check_access_type = {.namespace_name = "Microsoft.Authorization",
                                           .name = "checkAccess",
                                           .resource_display = "Access check",
                                           .versions = versions_authorization,
                                           .arm_owned = true,
                                           .operations = operations};
