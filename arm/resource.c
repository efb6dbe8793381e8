// Rows of arm.resource: found, made, changed and deleted for the types that have them.
#include "arm/resource.h"

#include "arm/errors.h"
#include "arm/provider.h"
#include "base/arena.h"
#include "rbac/roles.h"

#include <string.h>

#define MICROSECONDS(column) "(date_part('epoch', " column ") * 1000000)::bigint"
#define COLUMNS                                                                                              \
    "r.id, r.group_id, r.subscription_id, g.name, r.type, r.name, r.location, r.tags, r.sku, "               \
    "r.state, " MICROSECONDS("r.created_at") ", " MICROSECONDS(                                              \
        "r.changed_at") ", r.created_by, r.created_by_type, r.changed_by, r.changed_by_type"
#define FROM " from arm.resource r join arm.resource_group g on g.id = r.group_id "
#define FIND "select " COLUMNS FROM "where r.group_id = $1 and r.type_key = $2 and r.name_key = $3"

static const struct db_statement resource_find[] = {
    [ARM_LOCK_NONE] = {"arm_resource_find", FIND},
    [ARM_LOCK_KEY_SHARE] = {"arm_resource_find_key_share", FIND " for key share of r"},
    [ARM_LOCK_UPDATE] = {"arm_resource_find_update", FIND " for update of r"},
};

// Copies: a result lives only as long as the transaction, the answer longer.
static struct text column(struct arm_call *call, const struct db_result *result, size_t row, size_t at)
{
    struct text value = db_get(result, row, at);
    return value.base ? text_copy(call->arena, value) : TEXT_NONE;
}

static void read_row(struct arm_call *call, const struct db_result *result, size_t row,
                     struct arm_resource *r)
{
    *r = (struct arm_resource){
        .id = db_get_int(result, row, 0),
        .group_id = db_get_int(result, row, 1),
        .subscription_id = column(call, result, row, 2),
        .group = column(call, result, row, 3),
        .type = column(call, result, row, 4),
        .name = column(call, result, row, 5),
        .location = column(call, result, row, 6),
        .tags = column(call, result, row, 7),
        .sku = column(call, result, row, 8),
        .state = column(call, result, row, 9),
        .created_at = db_get_int(result, row, 10),
        .changed_at = db_get_int(result, row, 11),
        .created_by = {column(call, result, row, 12), column(call, result, row, 13)},
        .changed_by = {column(call, result, row, 14), column(call, result, row, 15)},
    };
    if (!r->tags.base)
        r->tags = TEXT("{}");
}

bool arm_resource_find(struct arm_call *call, const char *type, struct text name, enum arm_lock lock,
                       struct arm_resource *resource)
{
    const struct db_result *row =
        DB_RUN(call->tx, &resource_find[lock], db_int(call->group_id),
               db_text(text_lower(call->arena, text_of(type))), db_text(text_lower(call->arena, name)));
    if (db_rows(row) == 0)
        return false;
    read_row(call, row, 0, resource);
    return true;
}

// What a new row has unless it says otherwise, and where it stands.
static void complete(struct arm_call *call, struct arm_resource *resource)
{
    if (!resource->state.base)
        resource->state = TEXT("Succeeded");
    if (!resource->tags.base)
        resource->tags = TEXT("{}");
    resource->created_by = resource->changed_by = arm_author_of(call);
    resource->group_id = call->group_id;
    resource->group = call->group_stored;
    resource->subscription_id = call->subscription_id;
}

static const struct db_statement new_id = {
    "arm_resource_new_id", "select nextval('arm.resource_id_seq'), " MICROSECONDS(
                               "clock_timestamp()") ", " ARM_GROUP_SHARED("$1::bigint") "::text"};

bool arm_resource_new_id(struct arm_call *call)
{
    if (call->new_id != 0)
        return true;
    const struct db_result *row = DB_RUN(call->tx, &new_id, db_int(call->group_id));
    call->new_id = db_get_int(row, 0, 0);
    call->new_at = db_get_int(row, 0, 1);
    return call->new_id != 0;
}

void arm_resource_create_values(struct arm_call *call, struct arm_resource *resource,
                                struct db_value values[ARM_RESOURCE_CREATE_VALUES])
{
    complete(call, resource);
    resource->id = call->new_id;
    resource->created_at = resource->changed_at = call->new_at;
    const struct db_value all[ARM_RESOURCE_CREATE_VALUES] = {
        db_int(resource->id),
        db_int(resource->group_id),
        db_text(resource->subscription_id),
        db_text(resource->type),
        db_text(text_lower(call->arena, resource->type)),
        db_text(resource->name),
        db_text(text_lower(call->arena, resource->name)),
        db_text(resource->location),
        db_text(resource->tags),
        db_text(resource->sku),
        db_text(resource->state),
        db_int(resource->created_at),
        db_text(resource->created_by.name),
        db_text(resource->created_by.type),
        db_text(call->group_moved_by),
        db_text(call->group_stored),
        db_string(provider_registration_free(call->type->namespace_name) ? NULL : registration_initial()),
    };
    memcpy(values, all, sizeof all);
}

static const struct db_statement resource_update = {
    "arm_resource_update",
    "update arm.resource set name = $2, tags = $3::json, sku = $4, state = $5, "
    "changed_at = clock_timestamp(), changed_by = $6, changed_by_type = $7 where id = $1 "
    "returning " MICROSECONDS("changed_at")};

void arm_resource_update(struct arm_call *call, struct arm_resource *resource)
{
    resource->changed_by = arm_author_of(call);
    const struct db_result *row =
        DB_RUN(call->tx, &resource_update, db_int(resource->id), db_text(resource->name),
               db_text(resource->tags), db_text(resource->sku), db_text(resource->state),
               db_text(resource->changed_by.name), db_text(resource->changed_by.type));
    if (db_rows(row) > 0)
        resource->changed_at = db_get_int(row, 0, 0);
}

static const struct db_statement resource_delete = {"arm_resource_delete",
                                                    "delete from arm.resource where id = $1"};

void arm_resource_delete(struct arm_call *call, const struct arm_resource *resource)
{
    assignments_delete_below(call->tx, arm_resource_id(call->arena, resource));
    DB_RUN(call->tx, &resource_delete, db_int(resource->id));
}

struct text arm_resource_id(struct arena *arena, const struct arm_resource *resource)
{
    return resource_id_build(arena, resource->subscription_id, resource->group, resource->type,
                             resource->name);
}
