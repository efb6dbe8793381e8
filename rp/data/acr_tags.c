// /acr/v1/<name>/_tags: list, one, attributes, untag.
#include "rp/data/acr.h"

#include "rp/data/manifests.h"

static void json_tag(struct buffer *out, const struct db_result *rows, size_t row)
{
    json_begin_object(out);
    json_key_text(out, "name", db_get(rows, row, TAG_NAME));
    json_key_text(out, "digest", db_get(rows, row, TAG_DIGEST));
    json_key_time(out, "createdTime", db_get_int(rows, row, TAG_CREATED));
    json_key_time(out, "lastUpdateTime", db_get_int(rows, row, TAG_UPDATED));
    json_key_bool(out, "signed", false);
    json_attributes(out, attributes_of(rows, row, TAG_ATTRIBUTES), false);
    json_end_object(out);
}

// The filter by digest; a value that is none matches nothing, so it is a mistake worth telling.
static bool read_digest_filter(struct registry_call *call, struct text *digest)
{
    struct reference reference;
    *digest = http_query(call->request, "digest");
    if (digest->length == 0) {
        *digest = TEXT_NONE;
        return true;
    }
    if (reference_parse(*digest, &reference) && reference.digest.base)
        return true;
    registry_fail(call, 400, "DIGEST_INVALID", detail_of(call, "digest", *digest),
                  "provided digest is not a sha256 or sha512 digest");
    return false;
}

void acr_tags_list(struct registry_call *call)
{
    struct page page;
    struct text digest;
    struct repository repository;
    if (!page_read(call, true, &page) || !read_digest_filter(call, &digest) ||
        !repository_read(call, &repository))
        return;
    const struct db_result *tags = tag_page(call, repository.id, &page, digest);
    size_t rows = page_rows(&page, tags);
    struct buffer out = buffer_new(call->arena);
    json_begin_object(&out);
    json_acr_head(call, &out);
    json_key(&out, "tags");
    json_begin_array(&out);
    for (size_t i = 0; i < rows; i++)
        json_tag(&out, tags, i);
    json_end_array(&out);
    json_end_object(&out);
    registry_reply_json(call, 200, buffer_done(&out));
    if (page_has_more(&page, tags)) {
        struct buffer extra = buffer_new(call->arena);
        if (digest.base) {
            buffer_string(&extra, "&digest=");
            buffer_text(&extra, digest);
        }
        buffer_char(&extra, '\0');
        page_link(call, &page, db_get(tags, rows - 1, TAG_NAME), db_get_int(tags, rows - 1, TAG_UPDATED),
                  extra.base);
    }
}

static const struct db_statement tag_get_statement = {
    "acr_tag_get",
    "select t.name, m.digest, " MICROSECONDS("t.created_at") ", " MICROSECONDS(
        "t.updated_at") ", " ATTRIBUTE_COLUMNS("t") " from acr.repository p join acr.tag t on "
                                                    "t.repository_id = p.id and t.name = $3"
                                                    " join acr.manifest m on m.id = t.manifest_id"
                                                    " where p.registry_id = $1 and p.name = $2 and "
                                                    "p.deleted_at is null"};

// The tag of the route; false after 404 for a name that no tag can have.
static bool read_tag(struct registry_call *call, struct text *tag)
{
    *tag = http_parameter(&call->route, "reference");
    if (tag_name_fault(*tag) == NULL)
        return true;
    fail_tag_unknown(call);
    return false;
}

void acr_tag_get(struct registry_call *call)
{
    struct text tag;
    if (!read_tag(call, &tag))
        return;
    const struct db_result *row = DB_RUN(call->tx, &tag_get_statement, db_int(call->registry.id),
                                         db_text(call->repository), db_text(tag));
    if (db_rows(row) == 0) {
        fail_tag_unknown(call); // also in an unknown repository (data-plane.md 2.3)
        return;
    }
    struct buffer out = buffer_new(call->arena);
    json_begin_object(&out);
    json_acr_head(call, &out);
    json_key(&out, "tag");
    json_tag(&out, row, 0);
    json_end_object(&out);
    registry_reply_json(call, 200, buffer_done(&out));
}

static const struct db_statement tag_update_statement = {
    "acr_tag_update",
    "update acr.tag set delete_enabled = coalesce($3::boolean, delete_enabled),"
    " write_enabled = coalesce($4::boolean, write_enabled), read_enabled = coalesce($5::boolean, "
    "read_enabled),"
    " list_enabled = coalesce($6::boolean, list_enabled) where repository_id = $1 and name = $2"};

void acr_tag_update(struct registry_call *call)
{
    struct attribute_changes changes;
    struct text tag;
    if (!attribute_changes_read(call, &changes) || !read_tag(call, &tag))
        return;
    int64_t repository = acr_begin_update(call);
    if (repository == 0) {
        fail_tag_unknown(call); // also in an unknown repository
        return;
    }
    DB_RUN(call->tx, &tag_update_statement, db_int(repository), db_text(tag), changes.delete_enabled,
           changes.write_enabled, changes.read_enabled, changes.list_enabled);
    acr_tag_get(call);
}

static void tag_unknown(struct registry_call *call, const struct reference *reference)
{
    (void)reference;
    fail_tag_unknown(call);
}

void acr_tag_delete(struct registry_call *call)
{
    struct reference reference = {0};
    if (read_tag(call, &reference.tag))
        manifest_untag(call, &reference, tag_unknown);
}
