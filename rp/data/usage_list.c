// /acr/v1/_usage, an extension of ours: where a registry's bytes are. For each repository what only its
// images need, and so what its deletion would free, and what it shares with others.
#include "rp/data/content.h"
#include "rp/data/content_route.h"
#include "rp/data/registry_row.h"

// A page ends where its repositories have so many manifests: what it costs is bounded, however large one is.
enum { MANIFESTS_A_PAGE = 20000 };

// $1 registry, $2 name after which the page begins, $3 rows, $4 manifests. A blob is shared where another
// live repository's manifest refers to it: found by the links to it, of which a repository has one, however
// many of its manifests refer to it. All of it in one statement, which sees one moment.
static const struct db_statement usage_statement = {
    "usage_list",
    "with listed as materialized (select p.id, p.name, p.manifest_count from acr.repository p"
    "  where p.registry_id = $1 and p.deleted_at is null and p.manifest_count > 0 and p.list_enabled"
    "  and p.name > coalesce($2::text, '') order by p.name limit $3::bigint + 1),"
    " page as (select l.*, sum(l.manifest_count) over (order by l.name) - l.manifest_count as before,"
    "  row_number() over (order by l.name) as place from listed l)"
    " select p.name, p.manifest_count, m.bytes, b.own, b.shared, (select count(*) from listed)"
    " from page p cross join lateral (select coalesce(sum(octet_length(m.content)), 0)::bigint as bytes"
    "  from acr.manifest m where m.repository_id = p.id) m"
    " cross join lateral (select coalesce(sum(b.size) filter (where not s.shared), 0)::bigint as own,"
    "  coalesce(sum(b.size) filter (where s.shared), 0)::bigint as shared"
    "  from (select distinct f.digest from acr.manifest_ref f where f.repository_id = p.id) d"
    "  join acr.blob b on b.registry_id = $1 and b.digest = d.digest"
    "  cross join lateral (select exists (select 1 from acr.blob_link l join acr.repository o"
    "    on o.id = l.repository_id and o.deleted_at is null"
    "    where l.registry_id = $1 and l.digest = d.digest and l.repository_id <> p.id and exists"
    "    (select 1 from acr.manifest_ref f where f.repository_id = l.repository_id and f.digest = l.digest))"
    "    as shared) s) b"
    " where p.place <= $3::bigint and p.before < $4::bigint order by p.name"};
static const struct db_statement quota_statement = {
    "usage_quota", "select " REGISTRY_QUOTA ", coalesce((select u.live_bytes from acr.registry_usage u"
                   " where u.registry_id = r.id), 0) from acr.registry r join arm.resource e on e.id = r.id"
                   " where r.id = $1"};

static void write_repository(struct buffer *out, const struct db_result *rows, size_t i)
{
    int64_t manifests = db_get_int(rows, i, 2), own = db_get_int(rows, i, 3), shared = db_get_int(rows, i, 4);
    json_begin_object(out);
    json_key_text(out, "name", db_get(rows, i, 0));
    json_key_int(out, "manifestCount", db_get_int(rows, i, 1));
    json_key_int(out, "manifestBytes", manifests);
    json_key_int(out, "uniqueBytes", own + manifests);
    json_key_int(out, "sharedBytes", shared);
    json_key_int(out, "totalBytes", own + manifests + shared);
    json_end_object(out);
}

static void handle_usage(struct registry_call *call)
{
    struct page page;
    if (!page_read(call, false, &page))
        return;
    const struct db_result *quota = DB_RUN(call->tx, &quota_statement, db_int(call->registry.id));
    const struct db_result *rows = DB_RUN(call->tx, &usage_statement, db_int(call->registry.id),
                                          db_text(page.last), db_int(page.n), db_int(MANIFESTS_A_PAGE));
    struct buffer out = buffer_new(call->arena);
    json_begin_object(&out);
    json_key_text(&out, "registry", registry_login_server(call->arena, call->registry.login_key));
    json_key_int(&out, "size", db_get_int(quota, 0, 1));
    json_key_int(&out, "limit",
                 db_rows(quota) == 0 || db_is_null(quota, 0, 0) ? site()->config->registry_quota
                                                                : db_get_int(quota, 0, 0));
    json_key(&out, "repositories");
    json_begin_array(&out);
    for (size_t i = 0; i < db_rows(rows); i++)
        write_repository(&out, rows, i);
    json_end_array(&out);
    json_end_object(&out);
    registry_reply_json(call, 200, buffer_done(&out));
    size_t last = db_rows(rows);
    if (last > 0 && db_get_int(rows, 0, 5) > (int64_t)last)
        page_link(call, &page, db_get(rows, last - 1, 0), 0, NULL);
}

const struct registry_operation registry_usage_operations[] = {
    {{HTTP_GET, "/acr/v1/_usage", "Usage_List"}, ACCESS_CATALOG, NULL, handle_usage},
    {{0, NULL, NULL}, ACCESS_NONE, NULL, NULL},
};
