// The properties of many registries at once, as queries over all resources want them.
#include "rp/registry_resource.h"
#include "rp/types.h"

#include "base/arena.h"

#include <string.h>

// By an array: of a list in JSON the planner thinks that it may be anything, and reads every registry for it.
static const struct db_statement of_ids = {
    "registry_properties",
    "select " REGISTRY_RESOURCE_COLUMNS " from arm.resource e join arm.resource_group g on g.id = e.group_id "
    "join acr.registry r on r.id = e.id where e.id = any($1::bigint[]) order by e.id"};

// Of the stable ones.
static const char *newest_version(void)
{
    const char *const *versions = registry_versions_oldest_first(), *newest = versions[0];
    for (; *versions; versions++)
        if (!strchr(*versions, 'p')) // "-preview"
            newest = *versions;
    return newest;
}

// The row with that id, or their number: rows are in the order of ids.
static size_t row_of(const struct db_result *rows, int64_t id)
{
    size_t low = 0, high = db_rows(rows);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (db_get_int(rows, middle, 0) < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < db_rows(rows) && db_get_int(rows, low, 0) == id ? low : db_rows(rows);
}

void registry_properties_of(struct db_transaction *tx, struct arena *arena, const int64_t *ids, size_t count,
                            struct text *properties)
{
    struct buffer list = buffer_new(arena);
    for (size_t i = 0; i < count; i++)
        buffer_format(&list, "%c%lld", i == 0 ? '{' : ',', (long long)ids[i]);
    buffer_string(&list, count > 0 ? "}" : "{}");
    const struct db_result *rows = DB_RUN(tx, &of_ids, db_text(buffer_done(&list)));
    for (size_t i = 0; i < count; i++) {
        struct registry_resource registry;
        properties[i] = TEXT_NONE;
        if (registry_resource_parse(rows, row_of(rows, ids[i]), 0, &registry))
            properties[i] = registry_properties_json(arena, newest_version(), &registry);
    }
    db_done(rows);
}
