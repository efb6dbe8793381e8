// Reads a registry's envelope and settings.
#include "rp/registry_resource.h"

#include "arm/errors.h"
#include "base/arena.h"

enum column {
    COLUMN_ID,
    COLUMN_SUBSCRIPTION,
    COLUMN_GROUP,
    COLUMN_NAME,
    COLUMN_LOCATION,
    COLUMN_TAGS,
    COLUMN_SKU,
    COLUMN_STATE,
    COLUMN_CREATED,
    COLUMN_CHANGED,
    COLUMN_CREATED_BY,
    COLUMN_CREATED_BY_TYPE,
    COLUMN_CHANGED_BY,
    COLUMN_CHANGED_BY_TYPE,
    COLUMN_SETTINGS,
    COLUMN_END = COLUMN_SETTINGS + 6,
};
_Static_assert((int)COLUMN_END == (int)REGISTRY_RESOURCE_COLUMN_COUNT, "the columns and their reader differ");

static const struct db_statement settings_statement = {
    "registry_settings", "select r.admin_enabled, r.quarantine_status, r.trust_status, r.retention_days, "
                         "r.retention_status, " REGISTRY_MICROSECONDS(
                             "r.retention_updated_at") " from acr.registry r where r.id = $1"};

static struct registry_settings parse_settings(const struct db_result *result, size_t row, size_t from)
{
    return (struct registry_settings){
        .admin_enabled = db_get_bool(result, row, from),
        .quarantine_status = db_get(result, row, from + 1),
        .trust_status = db_get(result, row, from + 2),
        .retention_days = db_get_int(result, row, from + 3),
        .retention_status = db_get(result, row, from + 4),
        .retention_updated_at = db_get_int(result, row, from + 5),
    };
}

bool registry_resource_parse(const struct db_result *result, size_t row, size_t from,
                             struct registry_resource *registry)
{
    if (row >= db_rows(result) || db_is_null(result, row, from + COLUMN_ID) ||
        db_is_null(result, row, from + COLUMN_SETTINGS))
        return false;
    struct text tags = db_get(result, row, from + COLUMN_TAGS);
    registry->envelope = (struct arm_resource){
        .id = db_get_int(result, row, from + COLUMN_ID),
        .subscription_id = db_get(result, row, from + COLUMN_SUBSCRIPTION),
        .group = db_get(result, row, from + COLUMN_GROUP),
        .type = TEXT(REGISTRY_TYPE),
        .name = db_get(result, row, from + COLUMN_NAME),
        .location = db_get(result, row, from + COLUMN_LOCATION),
        .tags = tags.base ? tags : TEXT("{}"),
        .sku = db_get(result, row, from + COLUMN_SKU),
        .state = db_get(result, row, from + COLUMN_STATE),
        .created_at = db_get_int(result, row, from + COLUMN_CREATED),
        .changed_at = db_get_int(result, row, from + COLUMN_CHANGED),
        .created_by = {db_get(result, row, from + COLUMN_CREATED_BY),
                       db_get(result, row, from + COLUMN_CREATED_BY_TYPE)},
        .changed_by = {db_get(result, row, from + COLUMN_CHANGED_BY),
                       db_get(result, row, from + COLUMN_CHANGED_BY_TYPE)},
    };
    registry->settings = parse_settings(result, row, from + COLUMN_SETTINGS);
    return true;
}

bool registry_settings_read(struct arm_call *call, int64_t id, struct registry_settings *settings)
{
    const struct db_result *row = DB_RUN(call->tx, &settings_statement, db_int(id));
    if (db_rows(row) == 0)
        return false;
    *settings = parse_settings(row, 0, 0);
    return true;
}

bool registry_resource_of_path(struct arm_call *call, enum arm_lock lock, struct registry_resource *registry)
{
    struct text name = http_parameter(&call->route, "registryName");
    if (arm_resource_find(call, REGISTRY_TYPE, name, lock, &registry->envelope) &&
        registry_settings_read(call, registry->envelope.id, &registry->settings))
        return true;
    arm_fail(call, ARM_RESOURCE_NOT_FOUND, REGISTRY_TYPE, TEXT_ARG(name), TEXT_ARG(call->group));
    return false;
}

struct text registry_host_of(struct arena *arena, struct text name)
{
    return TEXT_JOIN(arena, text_lower(arena, name), text_of(site()->config->acr_suffix));
}

bool registry_name_well_formed(struct text name)
{
    if (name.length < 5 || name.length > 50)
        return false;
    for (size_t i = 0; i < name.length; i++) {
        char c = name.base[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9'))
            return false;
    }
    return true;
}

bool registry_name_reserved(struct text name)
{
    static const char *const reserved[] = {"microsoft", "azure", "windows"};
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
        if (text_is_nocase(name, reserved[i]))
            return true;
    return false;
}
