// Deleting so that it can be undone for a while: hidden repositories, and their end.
#include "rp/data/retention.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/site.h"
#include "db/job.h"
#include "rp/data/store.h"

static const int64_t day_ms = (int64_t)24 * 3600 * 1000;

int64_t retention_ms(void)
{
    return store_low_water() ? 0 : site()->config->deleted_retention * day_ms;
}

static void remove_by_job(struct db_transaction *tx, int64_t repository_id)
{
    struct buffer payload = buffer_new(db_arena(tx));
    json_begin_object(&payload);
    json_key_int(&payload, "repositoryId", repository_id);
    json_end_object(&payload);
    job_create(tx, "acr.repository.remove", NULL, buffer_done(&payload), 0);
}

static const struct db_statement retire_statement = {
    "retention_retire", "update acr.repository set deleted_at = clock_timestamp(), kept = $2 where id = $1"};

void repository_retire(struct db_transaction *tx, int64_t repository_id)
{
    bool kept = retention_ms() > 0;
    DB_RUN(tx, &retire_statement, db_int(repository_id), db_bool(kept));
    if (!kept)
        remove_by_job(tx, repository_id);
}

// Refers to the same blobs by links of its own, before the references move: foreign keys hold at every step.
static const struct db_statement keep_repository = {
    "retention_keep_repository",
    "insert into acr.repository (registry_id, name, manifest_count, created_at, updated_at, read_enabled,"
    " list_enabled, deleted_at, kept) select p.registry_id, p.name, 1, p.created_at, p.updated_at,"
    " p.read_enabled, p.list_enabled, clock_timestamp(), true"
    " from acr.manifest m join acr.repository p on p.id = m.repository_id where m.id = $1 returning id"};
static const struct db_statement move_links = {
    "retention_move_links", "insert into acr.blob_link (repository_id, registry_id, digest) select "
                            "$2::bigint, f.registry_id, f.digest"
                            " from acr.manifest_ref f where f.manifest_id = $1 order by f.digest"
                            " on conflict (repository_id, digest) do nothing"};
static const struct db_statement move_refs = {
    "retention_move_refs", "update acr.manifest_ref set repository_id = $2 where manifest_id = $1"};
static const struct db_statement move_children = {
    "retention_move_children", "update acr.manifest_child set repository_id = $2 where manifest_id = $1"};
static const struct db_statement move_manifest = {
    "retention_move_manifest",
    "update acr.manifest set repository_id = $2, updated_at = clock_timestamp() where id = $1"};
static const struct db_statement move_tags = {
    "retention_move_tags",
    "update acr.tag t set repository_id = $2 where t.manifest_id = $1"
    " and not exists (select 1 from acr.tag o where o.repository_id = $2 and o.name = t.name)"};

size_t manifest_move(struct db_transaction *tx, int64_t manifest_id, int64_t repository_id)
{
    struct db_value manifest = db_int(manifest_id), repository = db_int(repository_id);
    DB_RUN(tx, &move_links, manifest, repository);
    DB_RUN(tx, &move_refs, manifest, repository);
    DB_RUN(tx, &move_children, manifest, repository);
    DB_RUN(tx, &move_manifest, manifest, repository);
    return db_affected(DB_RUN(tx, &move_tags, manifest, repository));
}

size_t manifest_keep(struct db_transaction *tx, int64_t manifest_id)
{
    const struct db_result *made = DB_RUN(tx, &keep_repository, db_int(manifest_id));
    return db_rows(made) == 1 ? manifest_move(tx, manifest_id, db_get_int(made, 0, 0)) : 0;
}

static const struct db_statement due_statement = {
    "retention_due", "update acr.repository set kept = false where id in (select id from acr.repository"
                     " where kept and deleted_at <= now() - $1::bigint * interval '1 millisecond'"
                     " order by deleted_at limit $2 for update skip locked) returning id"};

size_t retention_end(struct db_transaction *tx, int64_t older_than_ms, int64_t limit)
{
    const struct db_result *due = DB_RUN(tx, &due_statement, db_int(older_than_ms), db_int(limit));
    for (size_t i = 0; i < db_rows(due); i++)
        remove_by_job(tx, db_get_int(due, i, 0));
    return db_rows(due);
}

// ---- recovering

static const struct db_statement list_statement = {
    "retention_list",
    "select coalesce(json_agg(json_build_object('registry', o.registry, 'repository', o.name, 'digest', "
    "o.digest,"
    " 'mediaType', o.media_type, 'tags', o.tags, 'imageSize', o.image_size,"
    " 'deletedTime', to_char(o.deleted_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'))"
    " order by o.deleted_at desc, o.registry, o.name, o.digest), '[]') from ("
    " select e.name as registry, p.name, m.digest, m.media_type, m.image_size, p.deleted_at,"
    " (select coalesce(json_agg(t.name order by t.name), '[]') from acr.tag t where t.manifest_id = m.id) as "
    "tags"
    " from acr.repository p join acr.registry r on r.id = p.registry_id join arm.resource e on e.id = r.id"
    " join acr.manifest m on m.repository_id = p.id"
    " where p.kept and ($1::text is null or r.login_key = lower($1)) and ($2::text is null or p.name = $2)) "
    "o"};

struct text retention_list(struct db_transaction *tx, struct arena *arena, struct text registry,
                           struct text name)
{
    const struct db_result *row = DB_RUN(tx, &list_statement, db_text(registry), db_text(name));
    return db_rows(row) == 1 ? text_copy(arena, db_get(row, 0, 0)) : TEXT("[]");
}
