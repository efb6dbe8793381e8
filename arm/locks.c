// …/providers/Microsoft.Authorization/locks/{name}: PUT, GET, DELETE at a subscription, a group, a resource
// and its children, and the type's table. The list is in lock_list.c, what locks hold back in lock_gate.c.
#include "arm/locks.h"
#include "arm/authorization_errors.h"
#include "arm/lock.h"
#include "arm/resource.h"
#include "arm/types.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/failpoint.h"

#include <string.h>

enum { NOTES_LIMIT = 512, OWNERS_LIMIT = 64, OWNER_LENGTH = 256 };

static const struct db_statement get_lock = {
    "lock_get",
    "select " LOCK_COLUMNS " from arm.lock l where l.scope_key = $1 and l.name_key = $2",
};
// The last column tells a new row: an updated one has an xmax.
static const struct db_statement put_lock = {
    "lock_put",
    "insert into arm.lock as l (scope, scope_key, name, name_key, level, notes, owners, created_by, "
    "changed_by)"
    " values ($1, $2, $3, $4, $5, $6, $7::json, $8::json, $8::json)"
    " on conflict (scope_key, name_key) do update set scope = excluded.scope, name = excluded.name,"
    " level = excluded.level, notes = excluded.notes, owners = excluded.owners,"
    " changed_at = clock_timestamp(), changed_by = excluded.changed_by"
    " returning " LOCK_COLUMNS ", l.xmax = 0",
};
enum { LOCK_IS_NEW = LOCK_CHANGED_BY_TYPE + 1 };
static const struct db_statement delete_lock = {
    "lock_delete",
    "delete from arm.lock l where l.scope_key = $1 and l.name_key = $2 returning l.id",
};

static void write_system_data(struct buffer *json, const struct db_result *row, size_t at)
{
    json_key(json, "systemData");
    json_begin_object(json);
    json_key_text(json, "createdBy", db_get(row, at, LOCK_CREATED_BY));
    json_key_text(json, "createdByType", db_get(row, at, LOCK_CREATED_BY_TYPE));
    json_key_text(json, "createdAt", clock_iso7(json->arena, db_get_int(row, at, LOCK_CREATED)));
    json_key_text(json, "lastModifiedBy", db_get(row, at, LOCK_CHANGED_BY));
    json_key_text(json, "lastModifiedByType", db_get(row, at, LOCK_CHANGED_BY_TYPE));
    json_key_text(json, "lastModifiedAt", clock_iso7(json->arena, db_get_int(row, at, LOCK_CHANGED)));
    json_end_object(json);
}

void lock_write(struct buffer *json, const struct arm_call *call, const struct db_result *row, size_t at,
                struct text scope)
{
    json_begin_object(json);
    json_key(json, "properties");
    json_begin_object(json);
    json_key_text(json, "level", db_get(row, at, LOCK_LEVEL));
    if (!db_is_null(row, at, LOCK_NOTES))
        json_key_text(json, "notes", db_get(row, at, LOCK_NOTES));
    if (!db_is_null(row, at, LOCK_OWNERS) && strcmp(call->api_version, "2016-09-01") >= 0)
        json_key_raw(json, "owners", db_get(row, at, LOCK_OWNERS));
    json_end_object(json);
    json_key_format(json, "id", "%.*s/providers/Microsoft.Authorization/locks/%.*s", TEXT_ARG(scope),
                    TEXT_ARG(db_get(row, at, LOCK_NAME)));
    json_key_string(json, "type", "Microsoft.Authorization/locks");
    json_key_text(json, "name", db_get(row, at, LOCK_NAME));
    if (strcmp(call->api_version, "2020-05-01") >= 0)
        write_system_data(json, row, at);
    json_end_object(json);
}

bool lock_scope_of(struct arm_call *call, struct authorization_scope *scope)
{
    if (!authorization_scope_of(call, scope))
        return false;
    if (!scope->subscription_id.base) // the root has no locks
        arm_fail(call, ARM_SCOPE_INVALID, TEXT_ARG(scope->path));
    return !call->failed;
}

// The scope in the URL's own casing (arm-core 1.1), without empty segments.
static struct text scope_as_written(struct arm_call *call)
{
    struct text path = http_parameter(&call->route, "scope");
    struct buffer written = buffer_new(call->arena);
    for (size_t i = 0; i < path.length; i++) {
        bool starts = i == 0 || path.base[i - 1] == '/';
        if (path.base[i] == '/')
            continue;
        if (starts)
            buffer_char(&written, '/');
        buffer_char(&written, path.base[i]);
    }
    return buffer_done(&written);
}

static bool read_path(struct arm_call *call, struct authorization_scope *scope, struct text *name)
{
    *name = http_parameter(&call->route, "lock");
    if (!lock_scope_of(call, scope))
        return false;
    if (!resource_name_valid(*name))
        arm_fail(call, ARM_LOCK_NAME_INVALID, TEXT_ARG(*name));
    return !call->failed;
}

static void reply_lock(struct arm_call *call, int status, const struct db_result *row)
{
    if (db_failed(call->tx) || db_rows(row) == 0)
        return;
    struct buffer json = buffer_new(call->arena);
    lock_write(&json, call, row, 0, scope_as_written(call));
    arm_reply(call, status, buffer_done(&json));
}

static void get(struct arm_call *call)
{
    struct authorization_scope scope;
    struct text name;
    if (!read_path(call, &scope, &name))
        return;
    const struct db_result *row =
        DB_RUN(call->tx, &get_lock, db_text(scope.key), db_text(text_lower(call->arena, name)));
    if (db_rows(row) == 0)
        arm_fail(call, ARM_LOCK_NOT_FOUND, TEXT_ARG(name));
    else
        reply_lock(call, 200, row);
}

struct lock_body {
    const char *level;
    struct text notes;  // absent: none
    struct text owners; // a JSON array; absent: none
};

static bool read_level(struct arm_call *call, json_t *properties, struct lock_body *body)
{
    static const char *const levels[] = {"CanNotDelete", "ReadOnly"};
    struct text level;
    if (!arm_body_text(call, properties, "level", "properties.level", &level))
        return false;
    body->level = NULL;
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (text_is_nocase(level, levels[i]))
            body->level = levels[i];
    if (level.length == 0 || text_is_nocase(level, "NotSpecified"))
        arm_fail(call, ARM_LOCK_LEVEL_NOT_SPECIFIED);
    else if (!body->level)
        arm_fail_content(call, level, "Microsoft.Authorization.LockLevel", "properties.level");
    return !call->failed;
}

// [{"applicationId":"…"}, …]; other members of an owner are not ours to keep.
static bool read_owners(struct arm_call *call, json_t *properties, struct lock_body *body)
{
    static const char path[] = "properties.owners";
    json_t *owners = json_object_get(properties, "owners"), *owner;
    body->owners = TEXT_NONE;
    if (!owners || json_is_null(owners) || (json_is_array(owners) && json_array_size(owners) == 0))
        return true;
    if (!json_is_array(owners) || json_array_size(owners) > OWNERS_LIMIT) {
        arm_fail_content(call, TEXT("owners"), "Microsoft.Authorization.LockOwner[]", path);
        return false;
    }
    struct buffer json = buffer_new(call->arena);
    size_t i;
    json_begin_array(&json);
    json_array_foreach(owners, i, owner)
    {
        struct text application;
        if (!json_is_object(owner)) {
            arm_fail_content(call, TEXT("owners"), "Microsoft.Authorization.LockOwner", path);
            return false;
        }
        if (!arm_body_text(call, owner, "applicationId", "properties.owners.applicationId", &application))
            return false;
        if (application.length > OWNER_LENGTH) {
            arm_fail_content(call, text_slice(application, 0, 36), "System.String",
                             "properties.owners.applicationId");
            return false;
        }
        json_begin_object(&json);
        if (application.base)
            json_key_text(&json, "applicationId", application);
        json_end_object(&json);
    }
    json_end_array(&json);
    body->owners = buffer_done(&json);
    return true;
}

static size_t characters(struct text t)
{
    size_t count = 0;
    for (size_t i = 0; i < t.length; i++)
        count += ((unsigned char)t.base[i] & 0xc0) != 0x80;
    return count;
}

static bool read_body(struct arm_call *call, struct lock_body *body)
{
    json_t *properties;
    if (!authorization_properties(call, &properties) || !read_level(call, properties, body) ||
        !arm_body_text(call, properties, "notes", "properties.notes", &body->notes) ||
        !read_owners(call, properties, body))
        return false;
    if (characters(body->notes) > NOTES_LIMIT)
        arm_fail(call, ARM_LOCK_NOTES_TOO_LONG);
    return !call->failed;
}

static struct text caller_json(struct arm_call *call)
{
    struct buffer json = buffer_new(call->arena);
    json_begin_object(&json);
    json_key_string(&json, "name", call->caller->name);
    json_key_string(&json, "type", call->caller->user ? "User" : "Application");
    json_end_object(&json);
    return buffer_done(&json);
}

static void validate(struct arm_call *call)
{
    struct authorization_scope scope;
    struct lock_body body;
    struct text name;
    if (read_path(call, &scope, &name))
        read_body(call, &body);
}

static void put(struct arm_call *call)
{
    struct authorization_scope scope;
    struct lock_body body;
    struct text name;
    if (!read_path(call, &scope, &name) || !read_body(call, &body))
        return;
    if (!call->trial)
        arm_locks_alone(call->tx, call->subscription_id);
    if (!authorization_scope_lock(call, &scope))
        return;
    const struct db_result *row =
        DB_RUN(call->tx, &put_lock, db_text(scope_as_written(call)), db_text(scope.key), db_text(name),
               db_text(text_lower(call->arena, name)), db_string(body.level), db_text(body.notes),
               db_text(body.owners), db_text(caller_json(call)));
    rbac_changed(call->tx, "lock", scope.key);
    failpoint("lock.before_commit");
    reply_lock(call, db_rows(row) > 0 && db_get_bool(row, 0, LOCK_IS_NEW) ? 201 : 200, row);
}

static void remove_lock(struct arm_call *call)
{
    struct authorization_scope scope;
    struct text name;
    if (!read_path(call, &scope, &name))
        return;
    const struct db_result *row =
        DB_RUN(call->tx, &delete_lock, db_text(scope.key), db_text(text_lower(call->arena, name)));
    if (db_rows(row) > 0)
        rbac_changed(call->tx, "lock", scope.key);
    arm_reply_empty(call, db_rows(row) > 0 ? 200 : 204);
}

#define COLLECTION "/{scope**}/providers/Microsoft.Authorization/locks"

static const struct arm_operation operations[] = {
    {
        .http = {HTTP_GET, COLLECTION, "ManagementLocks_ListByScope"},
        .action = "Microsoft.Authorization/locks/read",
        .flags = ARM_GATEWAY | ARM_NO_DECISION,
        .handle = lock_list,
        .display = "Get locks",
        .description = "Gets locks at the specified scope.",
    },
    {
        .http = {HTTP_GET, COLLECTION "/{lock}", "ManagementLocks_GetByScope"},
        .action = "Microsoft.Authorization/locks/read",
        .flags = ARM_GATEWAY,
        .handle = get,
        .display = "Get locks",
        .description = "Gets locks at the specified scope.",
    },
    {
        .http = {HTTP_PUT, COLLECTION "/{lock}", "ManagementLocks_CreateOrUpdateByScope"},
        .action = "Microsoft.Authorization/locks/write",
        .flags = ARM_GATEWAY | ARM_NEEDS_BODY | ARM_LOCKS_OK,
        .handle = put,
        .display = "Add locks",
        .description = "Add locks at the specified scope.",
    },
    {
        .http = {HTTP_DELETE, COLLECTION "/{lock}", "ManagementLocks_DeleteByScope"},
        .action = "Microsoft.Authorization/locks/delete",
        .flags = ARM_GATEWAY | ARM_DELETING_OK | ARM_LOCKS_OK,
        .handle = remove_lock,
        .display = "Delete locks",
        .description = "Delete locks at the specified scope.",
    },
    {.handle = NULL},
};

static const char *const versions[] = {"2020-05-01", "2017-04-01", "2016-09-01", "2015-01-01", NULL};

const struct arm_type locks_type = {
    .namespace_name = "Microsoft.Authorization",
    .name = "locks",
    .resource_display = "Management lock",
    .versions = versions,
    .arm_owned = true,
    .validate = validate,
    .operations = operations,
};
