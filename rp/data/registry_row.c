// Reads the registry's columns of a deciding statement.
#include "rp/data/registry_row.h"

#include "base/arena.h"

const struct db_statement registry_find_statement = {"registry_find",
                                                     "select " REGISTRY_COLUMNS REGISTRY_FROM};
const struct db_statement registry_hold_statement = {"registry_hold",
                                                     "select " REGISTRY_PUSH_COLUMNS REGISTRY_FROM_HELD};

enum registry_column {
    ROW_ID = 2,
    ROW_RID,
    ROW_NAME,
    ROW_LOGIN_KEY,
    ROW_RESOURCE_ID,
    ROW_ADMIN_ENABLED,
    ROW_PASSWORD,
    ROW_PASSWORD2,
    ROW_PASSWORD_STAMP,
    ROW_PASSWORD2_STAMP,
    ROW_QUOTA,
    ROW_GROUP,
    ROW_END,
};
_Static_assert((int)ROW_END == (int)REGISTRY_COLUMN_COUNT, "REGISTRY_COLUMNS and its reader differ");

bool registry_row_parse(struct arena *arena, const struct db_result *result, struct registry *registry)
{
    if (db_rows(result) == 0 || db_is_null(result, 0, ROW_ID) || db_is_null(result, 0, ROW_RESOURCE_ID))
        return false;
    *registry = (struct registry){
        .id = db_get_int(result, 0, ROW_ID),
        .rid = text_copy(arena, db_get(result, 0, ROW_RID)),
        .name = text_copy(arena, db_get(result, 0, ROW_NAME)),
        .login_key = text_copy(arena, db_get(result, 0, ROW_LOGIN_KEY)),
        .resource_id = text_copy(arena, db_get(result, 0, ROW_RESOURCE_ID)),
        .admin_enabled = db_get_bool(result, 0, ROW_ADMIN_ENABLED),
        .password = db_get_bytes(result, 0, ROW_PASSWORD, arena),
        .password2 = db_get_bytes(result, 0, ROW_PASSWORD2, arena),
        .password_stamp = db_get_int(result, 0, ROW_PASSWORD_STAMP),
        .password2_stamp = db_get_int(result, 0, ROW_PASSWORD2_STAMP),
        .quota = db_is_null(result, 0, ROW_QUOTA) ? site()->config->registry_quota
                                                  : db_get_int(result, 0, ROW_QUOTA),
        .group_id = db_get_int(result, 0, ROW_GROUP),
    };
    return true;
}

struct text registry_login_server(struct arena *arena, struct text login_key)
{
    return text_of(arena_printf(arena, "%.*s%s", TEXT_ARG(login_key), site()->config->acr_suffix));
}
