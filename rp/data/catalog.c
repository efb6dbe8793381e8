// /v2/_catalog and /acr/v1/_catalog: the repositories that have manifests and may be listed.
#include "rp/data/content_route.h"

#define CATALOG_SELECT                                                                                       \
    "select p.name, " MICROSECONDS("p.updated_at") " from acr.repository p where p.deleted_at is null"       \
                                                   " and p.manifest_count > 0 and p.list_enabled"
// $1 registry, $2 name and $3 time after which the page begins, $4 rows.
static const struct db_statement catalog_statements[PAGE_ORDERS] =
    PAGE_STATEMENTS("catalog", CATALOG_SELECT, "p.registry_id = $1", "p.registry_id + 0 = $1", "p.name",
                    "p.updated_at", "$2", "$3", "$4");

static void handle_catalog(struct registry_call *call)
{
    struct page page;
    if (!page_read(call, true, &page))
        return;
    const struct db_result *names =
        DB_RUN(call->tx, &catalog_statements[page.order], db_int(call->registry.id), db_text(page.last),
               db_int(page.last_time), db_int(page.n + 1));
    size_t rows = page_rows(&page, names);
    struct buffer out = buffer_new(call->arena);
    json_begin_object(&out);
    json_key(&out, "repositories");
    json_begin_array(&out);
    for (size_t i = 0; i < rows; i++)
        json_text(&out, db_get(names, i, 0));
    json_end_array(&out);
    json_end_object(&out);
    registry_reply_json(call, 200, buffer_done(&out));
    if (page_has_more(&page, names))
        page_link(call, &page, db_get(names, rows - 1, 0), db_get_int(names, rows - 1, 1), NULL);
}

const struct registry_operation registry_catalog_operations[] = {
    {{HTTP_GET, "/v2/_catalog", "Catalog_List"}, ACCESS_CATALOG, NULL, handle_catalog},
    {{HTTP_GET, "/acr/v1/_catalog", "Catalog_ListAcr"}, ACCESS_CATALOG, NULL, handle_catalog},
    {{0, NULL, NULL}, ACCESS_NONE, NULL, NULL},
};
