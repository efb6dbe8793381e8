// What several routes change together: the usage mutex, repositories, the removal of a manifest.
#include "rp/data/content.h"

#include "base/arena.h"
#include "rp/data/retention.h"

// The lock is a statement of its own: under read committed a statement that locks and reads at once sees the
// rows as they were before it waited; later statements see what the one before us committed.
static const struct db_statement usage_lock_statement = {
    "content_usage_lock",
    "select registry_id from acr.registry_usage where registry_id = $1 for no key update"};
// Not made with the registry: most creates would pay for what few registries of a moment need.
static const struct db_statement usage_make_statement = {
    "content_usage_make", "insert into acr.registry_usage (registry_id) select r.id from acr.registry r"
                          " where r.id = $1 on conflict (registry_id) do nothing"};
static const struct db_statement usage_change_statement = {
    "content_usage_change",
    "update acr.registry_usage set live_bytes = live_bytes + $2::bigint"
    " where registry_id = $1 and ($2::bigint <= 0 or live_bytes + $2::bigint <= $3::bigint)"};
static const struct db_statement usage_bytes_statement = {
    "content_usage_bytes", "select live_bytes from acr.registry_usage where registry_id = $1"};

void usage_lock(struct db_transaction *tx, int64_t registry_id)
{
    if (db_rows(DB_RUN(tx, &usage_lock_statement, db_int(registry_id))) == 1 || db_failed(tx))
        return;
    DB_RUN(tx, &usage_make_statement, db_int(registry_id));
    DB_RUN(tx, &usage_lock_statement, db_int(registry_id));
}

bool usage_change(struct db_transaction *tx, int64_t registry_id, int64_t change, int64_t limit)
{
    if (change == 0)
        return true;
    const struct db_result *result =
        DB_RUN(tx, &usage_change_statement, db_int(registry_id), db_int(change), db_int(limit));
    // A statement that failed is the opener's to answer, not a full registry.
    return db_failed(tx) || db_affected(result) == 1;
}

int64_t usage_bytes(struct db_transaction *tx, int64_t registry_id)
{
    const struct db_result *result = DB_RUN(tx, &usage_bytes_statement, db_int(registry_id));
    return db_rows(result) == 1 ? db_get_int(result, 0, 0) : 0;
}

static const struct db_statement repository_find_statement = {
    "content_repository_find", "select id from acr.repository"
                               " where registry_id = $1 and name = $2 and deleted_at is null for key share"};
static const struct db_statement repository_create_statement = {
    "content_repository_create", "insert into acr.repository (registry_id, name) values ($1, $2)"
                                 " on conflict (registry_id, name) where deleted_at is null do nothing"
                                 " returning id"};

int64_t repository_find(struct db_transaction *tx, int64_t registry_id, struct text name, bool create)
{
    // Another's row that we waited for may have been rolled back or deleted meanwhile: look again.
    for (int turn = 0; turn < 3 && !db_failed(tx); turn++) {
        const struct db_result *found =
            DB_RUN(tx, &repository_find_statement, db_int(registry_id), db_text(name));
        if (db_rows(found) == 1)
            return db_get_int(found, 0, 0);
        if (!create)
            return 0;
        const struct db_result *made =
            DB_RUN(tx, &repository_create_statement, db_int(registry_id), db_text(name));
        if (db_rows(made) == 1)
            return db_get_int(made, 0, 0);
    }
    db_retry(tx);
    return 0;
}

static const struct db_statement manifest_frees_statement = {
    "content_manifest_frees",
    "select octet_length(m.content) + coalesce((select sum((select b.size from acr.blob b"
    "     where b.registry_id = f.registry_id and b.digest = f.digest)) from acr.manifest_ref f"
    "   where f.manifest_id = m.id and not exists (select 1 from acr.manifest_ref o"
    "     join acr.repository r on r.id = o.repository_id and r.deleted_at is null"
    "     where o.registry_id = f.registry_id and o.digest = f.digest and o.manifest_id <> m.id)), "
    "0)::bigint,"
    " m.repository_id"
    " from acr.manifest m where m.id = $1"};
static const struct db_statement manifest_tags_statement = {"content_manifest_tags",
                                                            "delete from acr.tag where manifest_id = $1"};
static const struct db_statement manifest_refs_statement = {
    "content_manifest_refs", "delete from acr.manifest_ref where manifest_id = $1"};
static const struct db_statement manifest_children_statement = {
    "content_manifest_children", "delete from acr.manifest_child where manifest_id = $1"};
static const struct db_statement manifest_delete_statement = {"content_manifest_delete",
                                                              "delete from acr.manifest where id = $1"};
static const struct db_statement repository_count_statement = {
    "content_repository_count",
    "update acr.repository set manifest_count = manifest_count - 1, tag_count = tag_count - $2::bigint,"
    " updated_at = clock_timestamp() where id = $1"};

int64_t manifest_weight(struct db_transaction *tx, int64_t manifest_id, int64_t *repository_id)
{
    const struct db_result *frees = DB_RUN(tx, &manifest_frees_statement, db_int(manifest_id));
    *repository_id = db_get_int(frees, 0, 1);
    return db_get_int(frees, 0, 0);
}

void manifest_remove(struct db_transaction *tx, int64_t registry_id, int64_t manifest_id)
{
    int64_t repository_id, bytes = manifest_weight(tx, manifest_id, &repository_id);
    if (repository_id == 0)
        return;
    size_t tags = 0;
    if (retention_ms() > 0) {
        tags = manifest_keep(tx, manifest_id);
    } else {
        tags = db_affected(DB_RUN(tx, &manifest_tags_statement, db_int(manifest_id)));
        DB_RUN(tx, &manifest_refs_statement, db_int(manifest_id));
        DB_RUN(tx, &manifest_children_statement, db_int(manifest_id));
        DB_RUN(tx, &manifest_delete_statement, db_int(manifest_id));
    }
    DB_RUN(tx, &repository_count_statement, db_int(repository_id), db_int((int64_t)tags));
    usage_change(tx, registry_id, -bytes, 0);
}
