// …/providers/Microsoft.Authorization/roleAssignments/{guid}: PUT, GET, DELETE at every scope, and the type's
// table. The list is in role_assignment_list.c.
#include "arm/role_assignment.h"
#include "arm/authorization_errors.h"
#include "arm/resource.h"
#include "arm/types.h"
#include "rbac/roles.h"

#include "base/arena.h"
#include "base/clock.h"

#include <string.h>

enum { DESCRIPTION_LIMIT = 1024 };

static const struct db_statement get_assignment = {
    "role_assignment_get",
    "select " ROLE_ASSIGNMENT_COLUMNS
    " from rbac.role_assignment a where a.scope_key = $1 and a.id = $2::uuid",
};
static const struct db_statement find_definition = {
    "role_assignment_find_definition",
    "select d.type, d.assignable_scopes::text from rbac.role_definition d where d.id = $1::uuid for key "
    "share",
};
// Locked, so that who deletes the principal sees this assignment or we see the principal gone.
static const struct db_statement find_principal = {
    "role_assignment_find_principal",
    "select p.kind from rbac.principal p where p.object_id = $1::uuid and p.tenant_id = $2::uuid for key "
    "share",
};
static const struct db_statement insert_assignment = {
    "role_assignment_insert",
    "insert into rbac.role_assignment as a"
    " (id, scope, scope_key, principal_id, principal_type, role_definition_id, description, created_by, "
    "updated_by)"
    " values ($1::uuid, $2, $3, $4::uuid, $5, $6::uuid, $7, $8, $8)"
    " on conflict do nothing returning " ROLE_ASSIGNMENT_COLUMNS,
};
static const struct db_statement find_same_id = {
    "role_assignment_find_same_id",
    "select a.scope_key, a.principal_id::text, a.role_definition_id::text"
    " from rbac.role_assignment a where a.id = $1::uuid",
};
// Same content: only the description can be new, and absent leaves it.
static const struct db_statement update_assignment = {
    "role_assignment_update",
    "update rbac.role_assignment a set description = coalesce($3, a.description),"
    " updated_at = case when $3 is null or $3 is not distinct from a.description then a.updated_at"
    " else clock_timestamp() end,"
    " updated_by = case when $3 is null or $3 is not distinct from a.description then a.updated_by else $4 "
    "end"
    " where a.scope_key = $1 and a.id = $2::uuid returning " ROLE_ASSIGNMENT_COLUMNS,
};
static const struct db_statement delete_assignment = {
    "role_assignment_delete",
    "delete from rbac.role_assignment a where a.scope_key = $1 and a.id = $2::uuid"
    " returning " ROLE_ASSIGNMENT_COLUMNS,
};
// Owners that remain: at the subscription itself or above it, of principals that exist and are enabled.
static const struct db_statement other_owner = {
    "role_assignment_other_owner",
    "select a.id::text from rbac.role_assignment a"
    " join rbac.principal p on p.object_id = a.principal_id and p.enabled"
    " where a.scope_key in ($1, '/') and a.role_definition_id = $2::uuid and a.id <> $3::uuid limit 1",
};

void role_assignment_write(struct buffer *json, const struct arm_call *call, const struct db_result *row,
                           size_t at, bool created)
{
    enum authorization_shape shape = authorization_shape_of(call);
    struct text scope = db_get(row, at, ASSIGNMENT_SCOPE), id = db_get(row, at, ASSIGNMENT_ID);
    struct authorization_scope parsed;
    struct text subscription = call->subscription_id;
    if (!subscription.base && authorization_scope_parse(json->arena, scope, &parsed))
        subscription = parsed.subscription_id;

    json_begin_object(json);
    json_key(json, "properties");
    json_begin_object(json);
    json_key(json, "roleDefinitionId");
    authorization_definition_id(json, subscription, db_get(row, at, ASSIGNMENT_ROLE));
    json_key_text(json, "principalId", db_get(row, at, ASSIGNMENT_PRINCIPAL));
    if (shape != SHAPE_2015)
        json_key_text(json, "principalType", db_get(row, at, ASSIGNMENT_PRINCIPAL_TYPE));
    if (shape == SHAPE_2018)
        json_key_bool(json, "canDelegate", false);
    json_key_text(json, "scope", scope);
    if (shape == SHAPE_2020) {
        json_key_text(json, "condition", db_get(row, at, ASSIGNMENT_CONDITION));
        json_key_text(json, "conditionVersion", db_get(row, at, ASSIGNMENT_CONDITION_VERSION));
    }
    json_key_text(json, "createdOn", clock_iso7(json->arena, db_get_int(row, at, ASSIGNMENT_CREATED)));
    json_key_text(json, "updatedOn", clock_iso7(json->arena, db_get_int(row, at, ASSIGNMENT_UPDATED)));
    json_key_text(json, "createdBy", created ? TEXT_NONE : db_get(row, at, ASSIGNMENT_CREATED_BY));
    json_key_text(json, "updatedBy", db_get(row, at, ASSIGNMENT_UPDATED_BY));
    if (shape == SHAPE_2020) {
        json_key_text(json, "delegatedManagedIdentityResourceId", TEXT_NONE);
        json_key_text(json, "description", db_get(row, at, ASSIGNMENT_DESCRIPTION));
    }
    json_end_object(json);
    json_key_format(json, "id", "%.*s/providers/Microsoft.Authorization/roleAssignments/%.*s",
                    text_is(scope, "/") ? 0 : (int)scope.length, scope.base, TEXT_ARG(id));
    json_key_string(json, "type", "Microsoft.Authorization/roleAssignments");
    json_key_text(json, "name", id);
    json_end_object(json);
}

static void reply_assignment(struct arm_call *call, int status, const struct db_result *row, bool created)
{
    if (db_failed(call->tx))
        return;
    struct buffer json = buffer_new(call->arena);
    role_assignment_write(&json, call, row, 0, created);
    arm_reply(call, status, buffer_done(&json));
}

// Scope and GUID of the path.
static bool read_path(struct arm_call *call, struct authorization_scope *scope, struct text *id)
{
    struct text name = http_parameter(&call->route, "assignment");
    if (!authorization_scope_of(call, scope))
        return false;
    if (!uuid_is(name)) {
        arm_fail(call, ARM_INVALID_ROLE_ASSIGNMENT_ID, TEXT_ARG(name));
        return false;
    }
    *id = text_lower(call->arena, name);
    return true;
}

static void get(struct arm_call *call)
{
    struct authorization_scope scope;
    struct text id;
    if (!read_path(call, &scope, &id))
        return;
    const struct db_result *row = DB_RUN(call->tx, &get_assignment, db_text(scope.key), db_text(id));
    if (db_rows(row) == 0)
        arm_fail(call, ARM_ROLE_ASSIGNMENT_NOT_FOUND, TEXT_ARG(id));
    else
        reply_assignment(call, 200, row, false);
}

struct assignment_body {
    struct text role;           // GUID, lower case
    struct text principal_id;   // lower case
    struct text principal_type; // as the catalogue spells it; absent: not given
    struct text description;    // absent: not given
};

static bool read_role_id(struct arm_call *call, struct text given, struct text *role)
{
    static const char infix[] = "/providers/microsoft.authorization/roledefinitions/";
    struct text lower = text_lower(call->arena, given);
    ptrdiff_t at = text_search(lower, text_of(infix));
    struct text id = at < 0 ? TEXT("") : text_slice(lower, (size_t)at + sizeof infix - 1, lower.length);
    if (!uuid_is(id)) {
        arm_fail(call, ARM_INVALID_ROLE_DEFINITION_ID, TEXT_ARG(given));
        return false;
    }
    *role = id;
    return true;
}

static bool read_principal_type(struct arm_call *call, struct text given, struct text *type)
{
    static const char *const types[] = {"User", "Group", "ServicePrincipal", "ForeignGroup", "Device"};
    *type = TEXT_NONE;
    if (!given.base)
        return true;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (text_is_nocase(given, types[i])) {
            *type = text_of(types[i]);
            return true;
        }
    arm_fail(call, ARM_INVALID_PRINCIPAL_TYPE, TEXT_ARG(given));
    return false;
}

// What we could only store and not enforce is refused: a condition that nobody evaluates would grant more
// than its author meant.
static bool refuse_unsupported(struct arm_call *call, const json_t *properties)
{
    static const char *const members[] = {"condition", "conditionVersion",
                                          "delegatedManagedIdentityResourceId"};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        struct text value;
        if (!arm_body_text(call, properties, members[i], members[i], &value))
            return false;
        if (value.length > 0) {
            arm_fail(call, ARM_ASSIGNMENT_MEMBER_NOT_SUPPORTED, members[i]);
            return false;
        }
    }
    bool delegate = false;
    if (!arm_body_bool(call, properties, "canDelegate", "properties.canDelegate", &delegate))
        return false;
    if (delegate)
        arm_fail(call, ARM_ASSIGNMENT_MEMBER_NOT_SUPPORTED, "canDelegate");
    return !delegate;
}

static bool read_body(struct arm_call *call, struct text id, struct assignment_body *body)
{
    json_t *properties;
    struct text role, principal, type;
    if (!authorization_properties(call, &properties) ||
        !arm_body_text(call, properties, "roleDefinitionId", "properties.roleDefinitionId", &role) ||
        !arm_body_text(call, properties, "principalId", "properties.principalId", &principal) ||
        !arm_body_text(call, properties, "principalType", "properties.principalType", &type) ||
        !arm_body_text(call, properties, "description", "properties.description", &body->description) ||
        !refuse_unsupported(call, properties))
        return false;
    if (role.length == 0 || principal.length == 0) {
        arm_fail(call, ARM_ROLE_ASSIGNMENT_MEMBER_MISSING, TEXT_ARG(id),
                 role.length == 0 ? "roleDefinitionId" : "principalId");
        return false;
    }
    if (!uuid_is(principal)) {
        arm_fail(call, ARM_INVALID_PRINCIPAL_ID, TEXT_ARG(principal));
        return false;
    }
    if (body->description.length > DESCRIPTION_LIMIT) {
        arm_fail(call, ARM_DESCRIPTION_TOO_LONG);
        return false;
    }
    body->principal_id = text_lower(call->arena, principal);
    return read_role_id(call, role, &body->role) && read_principal_type(call, type, &body->principal_type);
}

static struct text without_hyphens(struct arena *arena, struct text uuid)
{
    struct buffer digits = buffer_new(arena);
    for (size_t i = 0; i < uuid.length; i++)
        if (uuid.base[i] != '-')
            buffer_char(&digits, uuid.base[i]);
    return buffer_done(&digits);
}

// The role exists and may be assigned at this scope. One that may not is not told apart from none.
static bool check_role(struct arm_call *call, const struct authorization_scope *scope, struct text role)
{
    const struct db_result *row = DB_RUN(call->tx, &find_definition, db_text(role));
    if (db_rows(row) > 0 &&
        role_definition_covers(call->arena, db_get(row, 0, 0), db_get(row, 0, 1), scope->key))
        return true;
    arm_fail(call, ARM_ROLE_DEFINITION_DOES_NOT_EXIST(400), TEXT_ARG(without_hyphens(call->arena, role)));
    return false;
}

// The principal's type is the directory's. One that the directory lacks is taken only with its type given.
static bool check_principal(struct arm_call *call, struct assignment_body *body)
{
    const struct db_result *row =
        DB_RUN(call->tx, &find_principal, db_text(body->principal_id), db_string(call->caller->tenant_id));
    struct text given = body->principal_type;
    if (db_rows(row) == 0) {
        if (!given.base)
            arm_fail(call, ARM_PRINCIPAL_NOT_FOUND,
                     TEXT_ARG(without_hyphens(call->arena, body->principal_id)), call->caller->tenant_id);
        return given.base != NULL;
    }
    struct text kind = text_copy(call->arena, db_get(row, 0, 0));
    if (given.base && !text_equal(given, kind)) {
        arm_fail(call, ARM_UNMATCHED_PRINCIPAL_TYPE, TEXT_ARG(body->principal_id), TEXT_ARG(kind),
                 TEXT_ARG(given));
        return false;
    }
    body->principal_type = kind;
    return true;
}

static void note(struct arm_call *call, struct text scope_key, struct text id)
{
    rbac_changed(call->tx, "assignment",
                 text_of(arena_printf(call->arena, "%.*s %.*s", TEXT_ARG(scope_key), TEXT_ARG(id))));
}

// The insert met a row: the same assignment again is a success (templates redeploy), anything else a refusal
// (decisions 10).
static void repeat(struct arm_call *call, const struct authorization_scope *scope, struct text id,
                   const struct assignment_body *body)
{
    const struct db_result *same = DB_RUN(call->tx, &find_same_id, db_text(id));
    if (db_rows(same) == 0) {
        arm_fail(call, ARM_ROLE_ASSIGNMENT_EXISTS);
        return;
    }
    if (!text_equal(db_get(same, 0, 0), scope->key) || !text_equal(db_get(same, 0, 1), body->principal_id) ||
        !text_equal(db_get(same, 0, 2), body->role)) {
        arm_fail(call, ARM_ROLE_ASSIGNMENT_UPDATE_NOT_PERMITTED);
        return;
    }
    const struct db_result *row = DB_RUN(call->tx, &update_assignment, db_text(scope->key), db_text(id),
                                         db_text(body->description), db_string(call->caller->object_id));
    if (db_rows(row) == 0)
        db_retry(call->tx); // deleted meanwhile
    else
        reply_assignment(call, 201, row, true);
}

// The scope and the role may be made by what asks beforehand; principals are not.
static void validate(struct arm_call *call)
{
    struct authorization_scope scope;
    struct assignment_body body;
    struct text id;
    if (read_path(call, &scope, &id) && read_body(call, id, &body))
        check_principal(call, &body);
}

static void put(struct arm_call *call)
{
    struct authorization_scope scope;
    struct assignment_body body;
    struct text id;
    if (!read_path(call, &scope, &id) || !read_body(call, id, &body) ||
        !authorization_scope_lock(call, &scope) || !check_role(call, &scope, body.role) ||
        !check_principal(call, &body))
        return;
    const struct db_result *row =
        DB_RUN(call->tx, &insert_assignment, db_text(id), db_text(scope.path), db_text(scope.key),
               db_text(body.principal_id), db_text(body.principal_type), db_text(body.role),
               db_text(body.description), db_string(call->caller->object_id));
    if (db_failed(call->tx))
        return;
    if (db_rows(row) == 0) {
        repeat(call, &scope, id, &body);
        return;
    }
    note(call, scope.key, id);
    reply_assignment(call, 201, row, true);
}

static bool is_subscription(const struct authorization_scope *scope)
{
    return scope->subscription_id.base && !scope->group.base && !scope->namespace_name.base;
}

// Two that delete the last two at once: the second waits for the version, finds it moved, runs again and is
// the last.
static bool is_last_owner(struct arm_call *call, const struct authorization_scope *scope, struct text role,
                          struct text id)
{
    if (!is_subscription(scope) || !text_is(role, ROLE_OWNER) || !rbac_version_hold(call->tx))
        return false;
    const struct db_result *other =
        DB_RUN(call->tx, &other_owner, db_text(scope->key), db_string(ROLE_OWNER), db_text(id));
    return !db_failed(call->tx) && db_rows(other) == 0;
}

static void remove_assignment(struct arm_call *call)
{
    struct authorization_scope scope;
    struct text id;
    if (!read_path(call, &scope, &id))
        return;
    const struct db_result *row = DB_RUN(call->tx, &delete_assignment, db_text(scope.key), db_text(id));
    if (db_failed(call->tx))
        return;
    if (db_rows(row) == 0) {
        arm_reply_empty(call, 204);
        return;
    }
    if (is_last_owner(call, &scope, db_get(row, 0, ASSIGNMENT_ROLE), id)) {
        arm_fail(call, ARM_LAST_OWNER);
        return;
    }
    note(call, scope.key, id);
    reply_assignment(call, 200, row, false);
}

#define COLLECTION "/{scope**}/providers/Microsoft.Authorization/roleAssignments"

static const struct arm_operation operations[] = {
    {
        .http = {HTTP_GET, COLLECTION, "RoleAssignments_List"},
        .action = "Microsoft.Authorization/roleAssignments/read",
        .flags = ARM_GATEWAY | ARM_NO_DECISION,
        .handle = role_assignment_list,
        .display = "Get information about a role assignment.",
        .description = "Get information about a role assignment.",
    },
    {
        .http = {HTTP_GET, COLLECTION "/{assignment}", "RoleAssignments_Get"},
        .action = "Microsoft.Authorization/roleAssignments/read",
        .flags = ARM_GATEWAY,
        .handle = get,
        .display = "Get information about a role assignment.",
        .description = "Get information about a role assignment.",
    },
    {
        .http = {HTTP_PUT, COLLECTION "/{assignment}", "RoleAssignments_Create"},
        .action = "Microsoft.Authorization/roleAssignments/write",
        .flags = ARM_GATEWAY | ARM_NEEDS_BODY | ARM_UNREGISTERED_OK,
        .handle = put,
        .display = "Create role assignment",
        .description = "Create a role assignment at the specified scope.",
    },
    {
        .http = {HTTP_DELETE, COLLECTION "/{assignment}", "RoleAssignments_Delete"},
        .action = "Microsoft.Authorization/roleAssignments/delete",
        .flags = ARM_GATEWAY | ARM_UNREGISTERED_OK | ARM_DELETING_OK,
        .handle = remove_assignment,
        .display = "Delete role assignment",
        .description = "Delete a role assignment at the specified scope.",
    },
    {.handle = NULL},
};

static const char *const read_only[] = {"properties.scope",     "properties.createdOn",
                                        "properties.updatedOn", "properties.createdBy",
                                        "properties.updatedBy", NULL};

const struct arm_type role_assignments_type = {
    .namespace_name = "Microsoft.Authorization",
    .name = "roleAssignments",
    .resource_display = "Role assignment",
    .versions = versions_authorization,
    .arm_owned = true,
    .validate = validate,
    .read_only = read_only,
    .operations = operations,
};
