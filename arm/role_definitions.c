// …/providers/Microsoft.Authorization/roleDefinitions[/{guid}] (arm-core 3.7): the built-in roles and custom
// ones.
#include "arm/role_definition.h"
#include "arm/authorization_errors.h"
#include "arm/resource.h"
#include "arm/resource_id.h"
#include "arm/role_assignment.h"
#include "arm/types.h"

#include "base/arena.h"
#include "base/clock.h"

#include <string.h>

enum { EXAMINED = 2000, CUSTOM_LIMIT = 5000 };

#define COLUMNS                                                                                              \
    "d.id::text, d.role_name, d.type, d.description, d.permissions::text, d.assignable_scopes::text,"        \
    " (extract(epoch from d.created_at) * 1000000)::bigint,"                                                 \
    " (extract(epoch from d.updated_at) * 1000000)::bigint, d.created_by, d.updated_by"
enum column { ID, NAME, TYPE, WORDS, PERMISSIONS, SCOPES, CREATED, UPDATED, CREATED_BY, UPDATED_BY };

static const struct db_statement get_definition = {
    "role_definition_get",
    "select " COLUMNS " from rbac.role_definition d where d.id = $1::uuid",
};
static const struct db_statement list_definitions = {
    "role_definition_list",
    "select " COLUMNS " from rbac.role_definition d"
    " where ($1::text is null or lower(d.role_name) = lower($1)) and ($2::text is null or d.type = $2)"
    " and d.id > $3::uuid order by d.id limit 2001",
};
static const struct db_statement lock_definition = {
    "role_definition_lock",
    "select d.type, d.assignable_scopes::text from rbac.role_definition d where d.id = $1::uuid for update",
};
static const struct db_statement find_namesake = {
    "role_definition_find_namesake",
    "select d.id from rbac.role_definition d where lower(d.role_name) = lower($1) and d.id <> $2::uuid limit "
    "1",
};
static const struct db_statement count_custom = {
    "role_definition_count_custom",
    "select count(*) from rbac.role_definition d where d.type = 'CustomRole'",
};
static const struct db_statement put_definition = {
    "role_definition_put",
    "insert into rbac.role_definition as d"
    " (id, role_name, type, description, permissions, assignable_scopes, created_by, updated_by)"
    " values ($1::uuid, $2, 'CustomRole', $3, $4::json, $5::json, $6, $6)"
    " on conflict (id) do update set role_name = excluded.role_name, description = excluded.description,"
    " permissions = excluded.permissions, assignable_scopes = excluded.assignable_scopes,"
    " updated_at = clock_timestamp(), updated_by = excluded.updated_by"
    " where d.type = 'CustomRole' returning " COLUMNS,
};
static const struct db_statement find_assignment = {
    "role_definition_find_assignment",
    "select a.id from rbac.role_assignment a where a.role_definition_id = $1::uuid limit 1",
};
static const struct db_statement delete_definition = {
    "role_definition_delete",
    "delete from rbac.role_definition d where d.id = $1::uuid returning " COLUMNS,
};

// How assignable scopes stand to a scope.
enum relation { UNRELATED, BELOW, COVERING };

static enum relation relation_of(struct text assignable_scopes, struct text key)
{
    enum relation relation = UNRELATED;
    json_t *list = json_loadb(assignable_scopes.base, assignable_scopes.length, 0, NULL);
    for (size_t i = 0; i < json_array_size(list) && relation != COVERING; i++) {
        const json_t *value = json_array_get(list, i);
        struct text scope = {json_string_value(value), json_string_length(value)};
        if (scope.base && resource_id_within(key, scope))
            relation = COVERING;
        else if (scope.base && resource_id_within(scope, key))
            relation = BELOW;
    }
    json_decref(list);
    return relation;
}

bool role_definition_covers(struct arena *arena, struct text type, struct text assignable_scopes,
                            struct text key)
{
    (void)arena;
    return text_is(type, "BuiltInRole") || relation_of(assignable_scopes, key) == COVERING;
}

static const char read_action[] = "Microsoft.Authorization/roleDefinitions/read";

// At the root everybody may read the built-in roles (Terraform and others look them up there), and custom
// ones by right.
static bool visible(const struct arm_call *call, const struct db_result *row, size_t at, struct text key,
                    bool below)
{
    if (text_is(db_get(row, at, TYPE), "BuiltInRole"))
        return true;
    if ((call->operation->flags & ARM_NO_DECISION) && !arm_may(call, read_action, key))
        return false;
    enum relation relation = relation_of(db_get(row, at, SCOPES), key);
    return relation == COVERING || (below && relation == BELOW);
}

static void write_definition(struct buffer *json, const struct arm_call *call, const struct db_result *row,
                             size_t at, bool created)
{
    json_begin_object(json);
    json_key(json, "properties");
    json_begin_object(json);
    json_key_text(json, "roleName", db_get(row, at, NAME));
    json_key_text(json, "type", db_get(row, at, TYPE));
    json_key_text(json, "description", db_get(row, at, WORDS));
    json_key_raw(json, "assignableScopes", db_get(row, at, SCOPES));
    json_key(json, "permissions");
    role_definition_write_permissions(json, call, db_get(row, at, PERMISSIONS));
    json_key_text(json, "createdOn", clock_iso7(json->arena, db_get_int(row, at, CREATED)));
    json_key_text(json, "updatedOn", clock_iso7(json->arena, db_get_int(row, at, UPDATED)));
    json_key_text(json, "createdBy", created ? TEXT_NONE : db_get(row, at, CREATED_BY));
    json_key_text(json, "updatedBy", db_get(row, at, UPDATED_BY));
    json_end_object(json);
    json_key(json, "id");
    authorization_definition_id(json, call->subscription_id, db_get(row, at, ID));
    json_key_string(json, "type", "Microsoft.Authorization/roleDefinitions");
    json_key_text(json, "name", db_get(row, at, ID));
    json_end_object(json);
}

static void reply_definition(struct arm_call *call, int status, const struct db_result *row, bool created)
{
    if (db_failed(call->tx))
        return;
    struct buffer json = buffer_new(call->arena);
    write_definition(&json, call, row, 0, created);
    arm_reply(call, status, buffer_done(&json));
}

static void fail_absent(struct arm_call *call, struct text id)
{
    arm_fail(call, ARM_ROLE_DEFINITION_DOES_NOT_EXIST(404), TEXT_ARG(id));
}

// {scope} and {definition} of the path; *id is absent when it is no GUID.
static bool read_path(struct arm_call *call, struct authorization_scope *scope, struct text *id)
{
    struct text name = http_parameter(&call->route, "definition");
    *id = uuid_is(name) ? text_lower(call->arena, name) : TEXT_NONE;
    return authorization_scope_of(call, scope);
}

static void get(struct arm_call *call)
{
    struct authorization_scope scope;
    struct text id;
    if (!read_path(call, &scope, &id))
        return;
    if (!id.base) {
        fail_absent(call, http_parameter(&call->route, "definition"));
        return;
    }
    const struct db_result *row = DB_RUN(call->tx, &get_definition, db_text(id));
    if (db_rows(row) == 0 || !visible(call, row, 0, scope.key, true))
        fail_absent(call, id);
    else
        reply_definition(call, 200, row, false);
}

struct definition_filter {
    struct text name, type;
    bool below;
};

static bool read_filter(struct arm_call *call, struct definition_filter *filter)
{
    struct authorization_term terms[AUTHORIZATION_TERMS];
    size_t count;
    *filter = (struct definition_filter){TEXT_NONE, TEXT_NONE, false};
    if (!authorization_filter(call, terms, &count))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct authorization_term *term = &terms[i];
        if (term->equals && text_is_nocase(term->name, "roleName"))
            filter->name = term->value;
        else if (term->equals && text_is_nocase(term->name, "type"))
            filter->type = text_is_nocase(term->value, "CustomRole")    ? TEXT("CustomRole")
                           : text_is_nocase(term->value, "BuiltInRole") ? TEXT("BuiltInRole")
                                                                        : term->value;
        else if (!term->equals && !term->value.base && text_is_nocase(term->name, "atScopeAndBelow"))
            filter->below = true;
        else if (term->equals || term->value.base || !text_is_nocase(term->name, "atScope")) {
            authorization_fail_filter(call, "supported are 'roleName eq '{value}'', 'type eq '{value}'' and "
                                            "'atScopeAndBelow()'");
            return false;
        }
    }
    return true;
}

static void list(struct arm_call *call)
{
    struct authorization_scope scope;
    struct definition_filter filter;
    struct text position;
    size_t top;
    if (!authorization_scope_of(call, &scope) || !read_filter(call, &filter) ||
        !arm_page_of_query(call, &top, &position))
        return;
    struct text after = uuid_is(position) ? position : TEXT("00000000-0000-0000-0000-000000000000");
    const struct db_result *rows =
        DB_RUN(call->tx, &list_definitions, db_text(filter.name), db_text(filter.type), db_text(after));
    if (db_failed(call->tx))
        return;
    struct buffer json = buffer_new(call->arena);
    size_t at = 0, shown = 0;
    json_begin_object(&json);
    json_key(&json, "value");
    json_begin_array(&json);
    for (; at < db_rows(rows) && at < EXAMINED && shown < top; at++)
        if (visible(call, rows, at, scope.key, filter.below)) {
            write_definition(&json, call, rows, at, false);
            shown++;
        }
    json_end_array(&json);
    if (at < db_rows(rows))
        json_key_string(&json, "nextLink", arm_next_link(call, db_get(rows, at - 1, ID)));
    json_end_object(&json);
    arm_reply(call, 200, buffer_done(&json));
}

static const char write_action[] = "Microsoft.Authorization/roleDefinitions/write";
static const char delete_action[] = "Microsoft.Authorization/roleDefinitions/delete";

// A role that exists may be changed by those only who may do so on every scope that it is assignable at.
static bool check_existing(struct arm_call *call, struct text id)
{
    const struct db_result *old = DB_RUN(call->tx, &lock_definition, db_text(id));
    if (db_rows(old) > 0) {
        if (text_is(db_get(old, 0, 0), "CustomRole"))
            return role_definition_may(call, write_action, db_get(old, 0, 1));
        arm_fail(call, ARM_ROLE_DEFINITION_EXISTS, TEXT_ARG(id));
        return false;
    }
    if (db_get_int(DB_RUN0(call->tx, &count_custom), 0, 0) >= CUSTOM_LIMIT) {
        arm_fail(call, ARM_ROLE_DEFINITION_LIMIT);
        return false;
    }
    return true;
}

static void put(struct arm_call *call)
{
    struct authorization_scope scope;
    struct role_definition_body body;
    struct text id;
    if (!read_path(call, &scope, &id))
        return;
    if (!id.base) {
        struct text name = http_parameter(&call->route, "definition");
        arm_fail(call, ARM_INVALID_ROLE_DEFINITION_ID, TEXT_ARG(name));
        return;
    }
    if (!role_definition_read(call, write_action, &body) || !check_existing(call, id))
        return;
    const struct db_result *row =
        DB_RUN(call->tx, &put_definition, db_text(id), db_text(body.name), db_text(body.description),
               db_text(body.permissions), db_text(body.scopes), db_string(call->caller->object_id));
    rbac_changed(call->tx, "definition", id);
    // Names are the directory's, without regard to case. Of two PUTs of one name at once the second waits for
    // the version, finds it moved and runs again.
    if (!rbac_version_hold(call->tx))
        return;
    if (db_rows(DB_RUN(call->tx, &find_namesake, db_text(body.name), db_text(id))) > 0)
        arm_fail(call, ARM_ROLE_DEFINITION_SAME_NAME);
    else if (db_rows(row) > 0)
        reply_definition(call, 201, row, true);
}

static void remove_definition(struct arm_call *call)
{
    struct authorization_scope scope;
    struct text id;
    if (!read_path(call, &scope, &id))
        return;
    const struct db_result *old = id.base ? DB_RUN(call->tx, &lock_definition, db_text(id)) : NULL;
    if (!old || db_rows(old) == 0) {
        arm_reply_empty(call, 204);
        return;
    }
    if (!text_is(db_get(old, 0, 0), "CustomRole")) {
        arm_fail(call, ARM_ROLE_DEFINITION_EXISTS, TEXT_ARG(id));
        return;
    }
    if (!role_definition_may(call, delete_action, db_get(old, 0, 1)))
        return;
    if (db_rows(DB_RUN(call->tx, &find_assignment, db_text(id))) > 0) {
        arm_fail(call, ARM_ROLE_DEFINITION_HAS_ASSIGNMENTS);
        return;
    }
    const struct db_result *row = DB_RUN(call->tx, &delete_definition, db_text(id));
    rbac_changed(call->tx, "definition", id);
    if (rbac_version_hold(call->tx)) // the rights on its scopes are for this handler to decide again
        reply_definition(call, 200, row, false);
}

#define AT_ROOT "/providers/Microsoft.Authorization/roleDefinitions"
#define COLLECTION "/{scope**}" AT_ROOT

static const struct arm_operation operations[] = {
    {
        .http = {HTTP_GET, AT_ROOT, "RoleDefinitions_ListAtRoot"},
        .action = read_action,
        .flags = ARM_GATEWAY | ARM_NO_DECISION,
        .handle = list,
        .display = "Get role definition",
        .description = "Get information about a role definition.",
    },
    {
        .http = {HTTP_GET, AT_ROOT "/{definition}", "RoleDefinitions_GetAtRoot"},
        .action = read_action,
        .flags = ARM_GATEWAY | ARM_NO_DECISION,
        .handle = get,
        .display = "Get role definition",
        .description = "Get information about a role definition.",
    },
    {
        .http = {HTTP_GET, COLLECTION, "RoleDefinitions_List"},
        .action = read_action,
        .flags = ARM_GATEWAY,
        .handle = list,
        .display = "Get role definition",
        .description = "Get information about a role definition.",
    },
    {
        .http = {HTTP_GET, COLLECTION "/{definition}", "RoleDefinitions_Get"},
        .action = read_action,
        .flags = ARM_GATEWAY,
        .handle = get,
        .display = "Get role definition",
        .description = "Get information about a role definition.",
    },
    {
        .http = {HTTP_PUT, COLLECTION "/{definition}", "RoleDefinitions_CreateOrUpdate"},
        .action = write_action,
        .flags = ARM_GATEWAY | ARM_NEEDS_BODY | ARM_UNREGISTERED_OK,
        .handle = put,
        .display = "Create or update custom role definition",
        .description =
            "Create or update a custom role definition with specified permissions and assignable scopes.",
    },
    {
        .http = {HTTP_DELETE, COLLECTION "/{definition}", "RoleDefinitions_Delete"},
        .action = delete_action,
        .flags = ARM_GATEWAY | ARM_UNREGISTERED_OK | ARM_DELETING_OK,
        .handle = remove_definition,
        .display = "Delete custom role definition",
        .description = "Delete the specified custom role definition.",
    },
    {.handle = NULL},
};

static const char *const read_only[] = {"properties.createdOn", "properties.updatedOn",
                                        "properties.createdBy", "properties.updatedBy", NULL};

const struct arm_type role_definitions_type = {
    .namespace_name = "Microsoft.Authorization",
    .name = "roleDefinitions",
    .resource_display = "Role definition",
    .versions = versions_authorization,
    .arm_owned = true,
    .read_only = read_only,
    .operations = operations,
};
