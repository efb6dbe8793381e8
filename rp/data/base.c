// GET /v2/: whether this is a registry, and whether the credentials are good (OCI distribution 1.1, end-1).
#include "rp/data/registry_row.h"

static bool no_values(struct registry_call *call, struct db_value *values, size_t *count)
{
    (void)call, (void)values, (void)count;
    return true;
}

static void get_base(struct registry_call *call)
{
    registry_reply_json(call, 200, TEXT("{}"));
}

static bool read_base(struct registry_call *call, const struct db_result *result)
{
    (void)result;
    get_base(call);
    return true;
}

static const struct registry_read base_lane = {
    .statement = &registry_find_statement, .prepare = no_values, .answer = read_base};

const struct registry_operation registry_base_operations[] = {
    {{HTTP_GET, "/v2/", "Base_Get"}, ACCESS_BASE, &base_lane, get_base},
    {{HTTP_GET, "/v2", "Base_GetWithoutSlash"}, ACCESS_BASE, &base_lane, get_base},
    {{0, NULL, NULL}, ACCESS_NONE, NULL, NULL},
};
