// GET …/providers/Microsoft.Authorization/permissions: what the caller itself may do there, a block a role;
// and classicAdministrators, of which there are none.
#include "arm/role_definition.h"
#include "arm/types.h"

#include "base/arena.h"

static const struct db_statement list_permissions = {
    "permissions_list",
    "select d.permissions::text from rbac.role_definition d where d.id in"
    " (select a.role_definition_id from rbac.role_assignment a where a.principal_id = $1::uuid"
    "  and a.scope_key in (select json_array_elements_text($2::json) collate \"C\")) order by d.id",
};

static void list(struct arm_call *call)
{
    struct authorization_scope scope;
    if (!authorization_scope_of(call, &scope))
        return;
    const struct db_result *rows = DB_RUN(call->tx, &list_permissions, db_string(call->caller->object_id),
                                          db_text(authorization_ancestors(call->arena, scope.key)));
    struct buffer blocks = buffer_new(call->arena), json = buffer_new(call->arena);
    json_begin_object(&json);
    json_key(&json, "value");
    json_begin_array(&json);
    for (size_t i = 0; i < db_rows(rows); i++) {
        // "[{…},{…}]" of each role, joined into one list
        blocks = buffer_new(call->arena);
        role_definition_write_permissions(&blocks, call, db_get(rows, i, 0));
        struct text list_of_role = buffer_done(&blocks);
        if (list_of_role.length > 2)
            json_raw(&json, text_slice(list_of_role, 1, list_of_role.length - 1));
    }
    json_end_array(&json);
    json_key(&json, "nextLink");
    json_write_null(&json);
    json_end_object(&json);
    arm_reply(call, 200, buffer_done(&json));
}

static const struct arm_operation operations[] = {
    {
        .http = {HTTP_GET, "/{scope**}/providers/Microsoft.Authorization/permissions", "Permissions_List"},
        .action = "Microsoft.Authorization/permissions/read",
        .flags = ARM_GATEWAY | ARM_NO_DECISION, // everybody may know what they may do
        .handle = list,
        .display = "List permissions",
        .description = "Lists all the permissions the caller has at a given scope.",
    },
    {.handle = NULL},
};

const struct arm_type permissions_type = {
    .namespace_name = "Microsoft.Authorization",
    .name = "permissions",
    .resource_display = "Permission",
    .versions = versions_authorization,
    .arm_owned = true,
    .operations = operations,
};

static void list_none(struct arm_call *call)
{
    arm_reply(call, 200, TEXT("{\"value\":[]}"));
}

static const char *const classic_versions[] = {"2015-07-01", "2015-06-01", NULL};

static const struct arm_operation classic_operations[] = {
    {
        .http = {HTTP_GET,
                 "/subscriptions/{subscription}/providers/Microsoft.Authorization/classicAdministrators",
                 "ClassicAdministrators_List"},
        .action = "Microsoft.Authorization/classicAdministrators/read",
        .flags = ARM_GATEWAY,
        .handle = list_none,
        .display = "Get subscription administrators",
        .description = "Reads the administrators for the subscription.",
    },
    {.handle = NULL},
};

const struct arm_type classic_administrators_type = {
    .namespace_name = "Microsoft.Authorization",
    .name = "classicAdministrators",
    .resource_display = "Classic administrator",
    .versions = classic_versions,
    .arm_owned = true,
    .operations = classic_operations,
};
