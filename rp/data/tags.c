// /v2/<name>/tags/list, and the page of tags that /acr/v1 shows too.
#include "rp/data/content_route.h"

#define TAG_SELECT                                                                                           \
    "select t.name, (select m.digest from acr.manifest m where m.id = t.manifest_id)"                        \
    ", " MICROSECONDS("t.created_at") ", " MICROSECONDS("t.updated_at") ", " ATTRIBUTE_COLUMNS(              \
        "t") " from acr.tag t where t.list_enabled"
// $1 repository, $2 name and $3 time after which the page begins, $4 rows.
static const struct db_statement tag_page_statements[PAGE_ORDERS] =
    PAGE_STATEMENTS("tag_page", TAG_SELECT, "t.repository_id = $1", "t.repository_id + 0 = $1", "t.name",
                    "t.updated_at", "$2", "$3", "$4");
// $5 digest: those of one manifest are found by it.
#define OF_DIGEST                                                                                            \
    "t.manifest_id = (select m.id from acr.manifest m where m.repository_id = $1 and m.digest = $5)"
static const struct db_statement tag_page_of_digest_statements[PAGE_ORDERS] = PAGE_STATEMENTS(
    "tag_page_of_digest", TAG_SELECT, OF_DIGEST, OF_DIGEST, "t.name", "t.updated_at", "$2", "$3", "$4");

const struct db_result *tag_page(struct registry_call *call, int64_t repository, const struct page *page,
                                 struct text digest)
{
    struct db_value values[] = {db_int(repository), db_text(page->last), db_int(page->last_time),
                                db_int(page->n + 1), db_text(digest)};
    size_t count = sizeof values / sizeof *values;
    return digest.base ? db_run(call->tx, &tag_page_of_digest_statements[page->order], values, count)
                       : db_run(call->tx, &tag_page_statements[page->order], values, count - 1);
}

static void handle_list(struct registry_call *call)
{
    struct page page;
    struct repository repository;
    if (!page_read(call, true, &page) || !repository_read(call, &repository))
        return;
    const struct db_result *tags = tag_page(call, repository.id, &page, TEXT_NONE);
    size_t rows = page_rows(&page, tags);
    struct buffer out = buffer_new(call->arena);
    json_begin_object(&out);
    json_key_text(&out, "name", call->repository);
    json_key(&out, "tags");
    json_begin_array(&out);
    for (size_t i = 0; i < rows; i++)
        json_text(&out, db_get(tags, i, TAG_NAME));
    json_end_array(&out);
    json_end_object(&out);
    registry_reply_json(call, 200, buffer_done(&out));
    if (page_has_more(&page, tags))
        page_link(call, &page, db_get(tags, rows - 1, TAG_NAME), db_get_int(tags, rows - 1, TAG_UPDATED),
                  NULL);
}

const struct registry_operation registry_tag_operations[] = {
    {{HTTP_GET, "/v2/{repository*}/tags/list", "Tags_List"}, ACCESS_PULL, NULL, handle_list},
    {{0, NULL, NULL}, ACCESS_NONE, NULL, NULL},
};
