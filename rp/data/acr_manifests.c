// /acr/v1/<name>/_manifests: list, one, attributes, delete.
#include "rp/data/acr.h"

#include "base/arena.h"
#include "rp/data/manifests.h"

enum {
    MANIFEST_ID,
    MANIFEST_DIGEST,
    MANIFEST_SIZE,
    MANIFEST_CREATED,
    MANIFEST_UPDATED,
    MANIFEST_ARCHITECTURE,
    MANIFEST_OS,
    MANIFEST_MEDIA_TYPE,
    MANIFEST_CONFIG_MEDIA_TYPE,
    MANIFEST_TAGS,           // separated by commas, which no tag has
    MANIFEST_LISTING_LENGTH, // of the content, where it lists manifests: 0 otherwise
    MANIFEST_ATTRIBUTES,
};
// A page ends where the manifests that list others, and the tags, pass this many bytes, but has one row at
// least: each of what they list is shown, and takes about as many bytes here as there.
enum { LISTING_BYTES = 4 << 20 };
#define MANIFEST_SELECT                                                                                      \
    "select m.id, m.digest, m.image_size, " MICROSECONDS("m.created_at") ", " MICROSECONDS(                  \
        "m.updated_at") ", m.architecture, m.os, m.media_type, m.config_media_type," /* All of them: what a  \
                                                                                        tag names must not   \
                                                                                        look as if none did  \
                                                                                        (S9). */             \
                        " (select string_agg(t.name, ',' order by t.name) from acr.tag t"                    \
                        "  where t.manifest_id = m.id), case when m.media_type in"                           \
                        "  ('application/vnd.oci.image.index.v1+json',"                                      \
                        "   'application/vnd.docker.distribution.manifest.list.v2+json')"                    \
                        "  then octet_length(m.content) else 0 end, " ATTRIBUTE_COLUMNS(                     \
                            "m") " from acr.manifest m"
// $1 repository, $2 digest and $3 time after which the page begins, $4 rows.
static const struct db_statement manifest_page_statements[PAGE_ORDERS] =
    PAGE_STATEMENTS("acr_manifest_page", MANIFEST_SELECT " where m.list_enabled", "m.repository_id = $1",
                    "m.repository_id + 0 = $1", "m.digest", "m.updated_at", "$2", "$3", "$4");
static const struct db_statement manifest_get_statement = {
    "acr_manifest_get", MANIFEST_SELECT " join acr.repository p on p.id = m.repository_id"
                                        " where p.registry_id = $1 and p.name = $2 and p.deleted_at is null"
                                        " and m.digest = $3"};
// The children of a page's indexes, in the page's order.
static const struct db_statement children_statement = {
    "acr_manifest_children",
    "select i.position, c.digest, c.architecture, c.os"
    " from unnest($1::bigint[]) with ordinality i (id, position)"
    " join acr.manifest_child c on c.manifest_id = i.id order by i.position, c.digest"};

static const struct db_result *find_children(struct registry_call *call, const struct db_result *rows,
                                             size_t count)
{
    struct buffer ids = buffer_new(call->arena);
    buffer_char(&ids, '{');
    for (size_t i = 0; i < count; i++)
        buffer_format(&ids, "%s%lld", i ? "," : "", (long long)db_get_int(rows, i, MANIFEST_ID));
    buffer_char(&ids, '}');
    return DB_RUN(call->tx, &children_statement, db_text(buffer_done(&ids)));
}

static void json_key_optional(struct buffer *out, const char *key, const struct db_result *rows, size_t row,
                              size_t column)
{
    if (!db_is_null(rows, row, column))
        json_key_text(out, key, db_get(rows, row, column));
}

// Absent where there are none, as the service has it.
static void json_tags(struct buffer *out, struct text names)
{
    if (names.length == 0)
        return;
    json_key(out, "tags");
    json_begin_array(out);
    while (names.length > 0) {
        ptrdiff_t comma = text_find(names, ',');
        size_t end = comma < 0 ? names.length : (size_t)comma;
        json_text(out, text_slice(names, 0, end));
        names = comma < 0 ? TEXT_NONE : text_slice(names, end + 1, names.length);
    }
    json_end_array(out);
}

// Writes the references of the row at `position` (from 1) and moves *next behind them.
static void json_references(struct buffer *out, const struct db_result *children, size_t position,
                            size_t *next)
{
    if (*next >= db_rows(children) || db_get_int(children, *next, 0) != (int64_t)position)
        return;
    json_key(out, "references");
    json_begin_array(out);
    for (; *next < db_rows(children) && db_get_int(children, *next, 0) == (int64_t)position; ++*next) {
        json_begin_object(out);
        json_key_text(out, "digest", db_get(children, *next, 1));
        json_key_optional(out, "architecture", children, *next, 2);
        json_key_optional(out, "os", children, *next, 3);
        json_end_object(out);
    }
    json_end_array(out);
}

static void json_manifest(struct buffer *out, const struct db_result *rows, size_t row,
                          const struct db_result *children, size_t *next_child)
{
    json_begin_object(out);
    json_key_text(out, "digest", db_get(rows, row, MANIFEST_DIGEST));
    json_key_int(out, "imageSize", db_get_int(rows, row, MANIFEST_SIZE));
    json_key_time(out, "createdTime", db_get_int(rows, row, MANIFEST_CREATED));
    json_key_time(out, "lastUpdateTime", db_get_int(rows, row, MANIFEST_UPDATED));
    json_key_optional(out, "architecture", rows, row, MANIFEST_ARCHITECTURE);
    json_key_optional(out, "os", rows, row, MANIFEST_OS);
    json_key_text(out, "mediaType", db_get(rows, row, MANIFEST_MEDIA_TYPE));
    json_key_optional(out, "configMediaType", rows, row, MANIFEST_CONFIG_MEDIA_TYPE);
    json_tags(out, db_get(rows, row, MANIFEST_TAGS));
    json_attributes(out, attributes_of(rows, row, MANIFEST_ATTRIBUTES), false);
    json_references(out, children, row + 1, next_child);
    json_end_object(out);
}

// How many rows the page has.
static size_t bounded_rows(const struct page *page, const struct db_result *manifests)
{
    size_t rows = page_rows(page, manifests), count = 0;
    for (int64_t bytes = 0; count < rows && (count == 0 || bytes <= LISTING_BYTES); count++)
        bytes += db_get_int(manifests, count, MANIFEST_LISTING_LENGTH) +
                 (int64_t)db_get(manifests, count, MANIFEST_TAGS).length;
    return count;
}

void acr_manifests_list(struct registry_call *call)
{
    struct page page;
    struct repository repository;
    if (!page_read(call, true, &page) || !repository_read(call, &repository))
        return;
    const struct db_result *manifests =
        DB_RUN(call->tx, &manifest_page_statements[page.order], db_int(repository.id), db_text(page.last),
               db_int(page.last_time), db_int(page.n + 1));
    size_t rows = bounded_rows(&page, manifests), next_child = 0;
    const struct db_result *children = find_children(call, manifests, rows);
    struct buffer out = buffer_new(call->arena);
    json_begin_object(&out);
    json_acr_head(call, &out);
    json_key(&out, "manifests");
    json_begin_array(&out);
    for (size_t i = 0; i < rows; i++)
        json_manifest(&out, manifests, i, children, &next_child);
    json_end_array(&out);
    json_end_object(&out);
    registry_reply_json(call, 200, buffer_done(&out));
    if (rows > 0 && rows < db_rows(manifests))
        page_link(call, &page, db_get(manifests, rows - 1, MANIFEST_DIGEST),
                  db_get_int(manifests, rows - 1, MANIFEST_UPDATED), NULL);
}

// The digest of the route; false after 400, or 404 for what is no digest at all.
static bool read_digest(struct registry_call *call, struct reference *reference)
{
    if (!reference_read(call, reference))
        return false;
    if (reference->digest.base)
        return true;
    reference->digest = reference->tag;
    reference->tag = TEXT_NONE;
    fail_manifest_unknown(call, reference);
    return false;
}

void acr_manifest_get(struct registry_call *call)
{
    struct reference reference;
    if (!read_digest(call, &reference))
        return;
    const struct db_result *row = DB_RUN(call->tx, &manifest_get_statement, db_int(call->registry.id),
                                         db_text(call->repository), db_text(reference.digest));
    if (db_rows(row) == 0) {
        fail_manifest_unknown(call, &reference);
        return;
    }
    size_t next_child = 0;
    const struct db_result *children = find_children(call, row, 1);
    struct buffer out = buffer_new(call->arena);
    json_begin_object(&out);
    json_acr_head(call, &out);
    json_key(&out, "manifest");
    json_manifest(&out, row, 0, children, &next_child);
    json_end_object(&out);
    registry_reply_json(call, 200, buffer_done(&out));
}

static const struct db_statement manifest_update_statement = {
    "acr_manifest_update",
    "update acr.manifest set delete_enabled = coalesce($3::boolean, delete_enabled),"
    " write_enabled = coalesce($4::boolean, write_enabled), read_enabled = coalesce($5::boolean, "
    "read_enabled),"
    " list_enabled = coalesce($6::boolean, list_enabled) where repository_id = $1 and digest = $2"};

void acr_manifest_update(struct registry_call *call)
{
    struct attribute_changes changes;
    struct reference reference;
    if (!attribute_changes_read(call, &changes) || !read_digest(call, &reference))
        return;
    int64_t repository = acr_begin_update(call);
    if (repository == 0) {
        fail_manifest_unknown(call, &reference);
        return;
    }
    DB_RUN(call->tx, &manifest_update_statement, db_int(repository), db_text(reference.digest),
           changes.delete_enabled, changes.write_enabled, changes.read_enabled, changes.list_enabled);
    acr_manifest_get(call);
}

void acr_manifest_delete(struct registry_call *call)
{
    struct reference reference;
    if (read_digest(call, &reference))
        manifest_delete_by_digest(call, &reference);
}
