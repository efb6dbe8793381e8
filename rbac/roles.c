// The roles that every cloud has, with the ids that the world knows (arm-core 3.6), and the end of
// assignments.
#include "rbac/roles.h"

#include "base/arena.h"
#include "rbac/snapshot.h"

#define REGISTRIES "Microsoft.ContainerRegistry/registries/"
#define BLOCK(actions, except, data)                                                                         \
    "[{\"actions\":[" actions "],\"notActions\":[" except "],\"dataActions\":[" data                         \
    "],\"notDataActions\":[]}]"

static const struct {
    const char *id, *name, *description, *permissions;
} builtin[] = {
    {ROLE_OWNER, "Owner",
     "Grants full access to manage all resources, including the ability to assign roles in Azure RBAC.",
     BLOCK("\"*\"", "", "")},
    {ROLE_CONTRIBUTOR, "Contributor",
     "Grants full access to manage all resources, but does not allow you to assign roles in Azure RBAC, "
     "manage "
     "assignments in Azure Blueprints, or share image galleries.",
     BLOCK("\"*\"",
           "\"Microsoft.Authorization/*/Delete\",\"Microsoft.Authorization/*/Write\","
           "\"Microsoft.Authorization/elevateAccess/Action\","
           "\"Microsoft.Blueprint/blueprintAssignments/write\","
           "\"Microsoft.Blueprint/blueprintAssignments/delete\","
           "\"Microsoft.Compute/galleries/share/action\"",
           "")},
    {ROLE_READER, "Reader", "View all resources, but does not allow you to make any changes.",
     BLOCK("\"*/read\"", "", "")},
    {"18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "User Access Administrator",
     "Lets you manage user access to Azure resources.",
     BLOCK("\"*/read\",\"Microsoft.Authorization/*\",\"Microsoft.Support/*\"", "", "")},
    {"f58310d9-a9f6-439a-9e8d-f62e7b41a168", "Role Based Access Control Administrator",
     "Manage access to Azure resources by assigning roles using Azure RBAC.",
     BLOCK("\"Microsoft.Authorization/roleAssignments/write\","
           "\"Microsoft.Authorization/roleAssignments/delete\",\"*/read\",\"Microsoft.Support/*\"",
           "", "")},
    {ROLE_ACR_PULL, "AcrPull", "acr pull", BLOCK("\"" REGISTRIES "pull/read\"", "", "")},
    {ROLE_ACR_PUSH, "AcrPush", "acr push",
     BLOCK("\"" REGISTRIES "pull/read\",\"" REGISTRIES "push/write\"", "", "")},
    {ROLE_ACR_DELETE, "AcrDelete", "acr delete", BLOCK("\"" REGISTRIES "artifacts/delete\"", "", "")},
    {"6cef56e8-d556-48e5-a04f-b8e64114680f", "AcrImageSigner", "acr image signer",
     BLOCK("\"" REGISTRIES "sign/write\"", "", "\"" REGISTRIES "trustedCollections/write\"")},
    {"cdda3590-29a3-44f6-95f2-9f980659eb04", "AcrQuarantineReader", "acr quarantine data reader",
     BLOCK("\"" REGISTRIES "quarantine/read\"", "", "\"" REGISTRIES "quarantinedArtifacts/read\"")},
    {"c8d4ff99-41c3-41a8-9f60-21dfdad59608", "AcrQuarantineWriter", "acr quarantine data writer",
     BLOCK("\"" REGISTRIES "quarantine/read\",\"" REGISTRIES "quarantine/write\"", "",
           "\"" REGISTRIES "quarantinedArtifacts/read\",\"" REGISTRIES "quarantinedArtifacts/write\"")},
    {"2efddaa5-3f1f-4df3-97df-af3f13818f4c", "Container Registry Repository Contributor",
     "Allows for read, write, and delete access to Azure Container Registry repositories, but excluding "
     "catalog "
     "listing.",
     BLOCK("", "",
           "\"" REGISTRIES "repositories/metadata/read\",\"" REGISTRIES "repositories/content/read\","
           "\"" REGISTRIES "repositories/metadata/write\",\"" REGISTRIES "repositories/content/write\","
           "\"" REGISTRIES "repositories/metadata/delete\",\"" REGISTRIES "repositories/content/delete\"")},
    {"b93aa761-3e63-49ed-ac28-beffa264f7ac", "Container Registry Repository Reader",
     "Allows for read access to Azure Container Registry repositories, but excluding catalog listing.",
     BLOCK("", "",
           "\"" REGISTRIES "repositories/metadata/read\",\"" REGISTRIES "repositories/content/read\"")},
    {"2a1e307c-b015-4ebd-883e-5b7698a07328", "Container Registry Repository Writer",
     "Allows for read and write access to Azure Container Registry repositories, but excluding catalog "
     "listing.",
     BLOCK("", "",
           "\"" REGISTRIES "repositories/metadata/read\",\"" REGISTRIES "repositories/content/read\","
           "\"" REGISTRIES "repositories/metadata/write\",\"" REGISTRIES "repositories/content/write\"")},
    {"bfdb9389-c9a5-478a-bb2f-ba9ca092c3c7", "Container Registry Repository Catalog Lister",
     "Allows for listing all repositories in an Azure Container Registry.",
     BLOCK("", "", "\"" REGISTRIES "catalog/read\"")},
};

// Gives a row only where something was new: json has no equality, its text has.
static const struct db_statement ensure = {
    "rbac_role_ensure",
    "insert into rbac.role_definition as d (id, role_name, type, description, permissions, assignable_scopes)"
    " values ($1::uuid, $2, 'BuiltInRole', $3, $4::json, '[\"/\"]'::json)"
    " on conflict (id) do update set role_name = excluded.role_name, type = excluded.type,"
    " description = excluded.description, permissions = excluded.permissions,"
    " assignable_scopes = excluded.assignable_scopes, updated_at = clock_timestamp()"
    " where (d.role_name, d.type, d.description, d.permissions::text, d.assignable_scopes::text) is distinct "
    "from"
    " (excluded.role_name, excluded.type, excluded.description, excluded.permissions::text,"
    " excluded.assignable_scopes::text) returning id",
};

// '0' follows '/': what lies between is below the scope, on whole segments.
static const struct db_statement delete_below = {
    "rbac_assignments_delete_below",
    "with a as ("
    " delete from rbac.role_assignment"
    " where scope_key = $1 or (scope_key > $2 and scope_key < $3) returning scope_key, id::text"
    "), l as ("
    " delete from arm.lock where scope_key = $1 or (scope_key > $2 and scope_key < $3) returning scope_key"
    ") select a.scope_key, a.id from a union all select l.scope_key, null from l",
};

void roles_ensure_builtin(struct db_transaction *tx)
{
    for (size_t i = 0; i < sizeof builtin / sizeof builtin[0]; i++) {
        const struct db_result *changed =
            DB_RUN(tx, &ensure, db_string(builtin[i].id), db_string(builtin[i].name),
                   db_string(builtin[i].description), db_string(builtin[i].permissions));
        if (db_rows(changed) > 0)
            rbac_changed(tx, "definition", text_of(builtin[i].id));
    }
}

void assignments_delete_below(struct db_transaction *tx, struct text scope)
{
    struct arena *arena = db_arena(tx);
    struct text key = text_lower(arena, scope);
    while (key.length > 0 && key.base[key.length - 1] == '/')
        key.length--;
    const char *below = arena_printf(arena, "%.*s/", TEXT_ARG(key));
    const char *beyond = arena_printf(arena, "%.*s0", TEXT_ARG(key));
    const struct db_result *gone = DB_RUN(tx, &delete_below, key.length ? db_text(key) : db_string("/"),
                                          db_string(below), db_string(beyond));
    for (size_t i = 0; i < db_rows(gone); i++) {
        struct text scope_key = db_get(gone, i, 0), id = db_get(gone, i, 1);
        if (id.base)
            rbac_changed(tx, "assignment",
                         text_of(arena_printf(arena, "%.*s %.*s", TEXT_ARG(scope_key), TEXT_ARG(id))));
        else
            rbac_changed(tx, "lock", scope_key);
    }
}
