// GET …/listUsages: two rows, exact at every moment.
#include "rp/registry_resource.h"
#include "rp/types.h"

#include "base/arena.h"
#include "rp/data/content.h"
#include "rp/data/registry_row.h"

enum { WEBHOOK_LIMIT = 10 };

static const struct db_statement quota_statement = {
    "registry_quota",
    "select " REGISTRY_QUOTA " from acr.registry r join arm.resource e on e.id = r.id where r.id = $1"};

static void write_usage(struct buffer *out, const char *name, int64_t limit, int64_t value, const char *unit)
{
    json_begin_object(out);
    json_key_string(out, "name", name);
    json_key_int(out, "limit", limit);
    json_key_int(out, "currentValue", value);
    json_key_string(out, "unit", unit);
    json_end_object(out);
}

void registry_list_usages(struct arm_call *call)
{
    struct registry_resource registry;
    if (!registry_resource_of_path(call, ARM_LOCK_NONE, &registry))
        return;
    int64_t id = registry.envelope.id;
    const struct db_result *quota = DB_RUN(call->tx, &quota_statement, db_int(id));
    bool given = db_rows(quota) == 1 && !db_is_null(quota, 0, 0);
    struct buffer out = buffer_new(call->arena);
    json_begin_object(&out);
    json_key(&out, "value");
    json_begin_array(&out);
    write_usage(&out, "Size", given ? db_get_int(quota, 0, 0) : site()->config->registry_quota,
                usage_bytes(call->tx, id), "Bytes");
    write_usage(&out, "Webhooks", WEBHOOK_LIMIT, 0, "Count"); // the type is not registered: there are none
    json_end_array(&out);
    json_end_object(&out);
    arm_reply(call, 200, buffer_done(&out));
}
