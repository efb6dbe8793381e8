// /acr/v1/<name>: a repository's attributes, their change, and its deletion in one transaction.
#include "rp/data/acr.h"

#include "rp/data/content.h"
#include "rp/data/event.h"
#include "rp/data/retention.h"

// A repository without manifests is not there for users: an upload that led to nothing made it.
static bool read_shown(struct registry_call *call, struct repository *repository)
{
    if (!repository_read(call, repository))
        return false;
    if (repository->manifest_count > 0)
        return true;
    fail_repository_unknown(call);
    return false;
}

void acr_repository_get(struct registry_call *call)
{
    struct repository repository;
    if (!read_shown(call, &repository))
        return;
    struct buffer out = buffer_new(call->arena);
    json_begin_object(&out);
    json_acr_head(call, &out);
    json_key_time(&out, "createdTime", repository.created_at);
    json_key_time(&out, "lastUpdateTime", repository.updated_at);
    json_key_int(&out, "manifestCount", repository.manifest_count);
    json_key_int(&out, "tagCount", repository.tag_count);
    json_attributes(&out, repository.attributes, true);
    json_end_object(&out);
    registry_reply_json(call, 200, buffer_done(&out));
}

static const struct db_statement repository_update_statement = {
    "acr_repository_update",
    "update acr.repository set delete_enabled = coalesce($2::boolean, delete_enabled),"
    " write_enabled = coalesce($3::boolean, write_enabled), read_enabled = coalesce($4::boolean, "
    "read_enabled),"
    " list_enabled = coalesce($5::boolean, list_enabled) where id = $1"};

void acr_repository_update(struct registry_call *call)
{
    struct attribute_changes changes;
    if (!attribute_changes_read(call, &changes))
        return;
    int64_t repository = acr_begin_update(call);
    if (repository == 0) {
        fail_repository_unknown(call);
        return;
    }
    DB_RUN(call->tx, &repository_update_statement, db_int(repository), changes.delete_enabled,
           changes.write_enabled, changes.read_enabled, changes.list_enabled);
    acr_repository_get(call);
}

// Nobody holds the row for key share any longer: every push into it has ended, and none begins.
static const struct db_statement repository_take_statement = {
    "acr_repository_take",
    "select id from acr.repository"
    " where registry_id = $1 and name = $2 and deleted_at is null and manifest_count > 0"
    " for update"};
// Everything in it must be free of locks (decisions 13).
static const struct db_statement repository_free_statement = {
    "acr_repository_free", "select p.delete_enabled and p.write_enabled"
                           " and not exists (select 1 from acr.manifest m where m.repository_id = p.id"
                           "                 and not (m.delete_enabled and m.write_enabled))"
                           " and not exists (select 1 from acr.tag t where t.repository_id = p.id"
                           "                 and not (t.delete_enabled and t.write_enabled))"
                           " from acr.repository p where p.id = $1"};
static const struct db_statement repository_manifests_statement = {
    "acr_repository_manifests",
    "select digest, octet_length(content) from acr.manifest where repository_id = $1 order by digest"};
static const struct db_statement repository_tags_statement = {
    "acr_repository_tags", "select name from acr.tag where repository_id = $1 order by name"};
// Blobs that no live manifest outside of it refers to.
static const struct db_statement repository_frees_statement = {
    "acr_repository_frees", "select coalesce(sum(b.size), 0)::bigint"
                            " from (select distinct digest from acr.manifest_ref where repository_id = $1) d"
                            " join acr.blob b on b.registry_id = $2 and b.digest = d.digest"
                            " where not exists (select 1 from acr.manifest_ref f"
                            "   join acr.repository p on p.id = f.repository_id and p.deleted_at is null"
                            "   where f.registry_id = $2 and f.digest = d.digest and f.repository_id <> $1)"};

static void json_names(struct buffer *out, const char *key, const struct db_result *rows)
{
    json_key(out, key);
    json_begin_array(out);
    for (size_t i = 0; i < db_rows(rows); i++)
        json_text(out, db_get(rows, i, 0));
    json_end_array(out);
}

static void delete_rows(struct registry_call *call, int64_t repository)
{
    const struct db_result *manifests = DB_RUN(call->tx, &repository_manifests_statement, db_int(repository));
    const struct db_result *tags = DB_RUN(call->tx, &repository_tags_statement, db_int(repository));
    const struct db_result *blobs =
        DB_RUN(call->tx, &repository_frees_statement, db_int(repository), db_int(call->registry.id));
    int64_t bytes = db_rows(blobs) ? db_get_int(blobs, 0, 0) : 0;
    for (size_t i = 0; i < db_rows(manifests); i++)
        bytes += db_get_int(manifests, i, 1);
    struct event_request request = event_request_of(call);
    event_repository_deleted(call->tx, repository, &request);
    repository_retire(call->tx, repository);
    usage_change(call->tx, call->registry.id, -bytes, 0);

    struct buffer out = buffer_new(call->arena);
    json_begin_object(&out);
    json_names(&out, "manifestsDeleted", manifests);
    json_names(&out, "tagsDeleted", tags);
    json_end_object(&out);
    registry_reply_json(call, 202, buffer_done(&out));
}

void acr_repository_delete(struct registry_call *call)
{
    const struct db_result *taken =
        DB_RUN(call->tx, &repository_take_statement, db_int(call->registry.id), db_text(call->repository));
    if (db_rows(taken) == 0) {
        fail_repository_unknown(call);
        return;
    }
    int64_t repository = db_get_int(taken, 0, 0);
    usage_lock(call->tx, call->registry.id);
    const struct db_result *lock_free = DB_RUN(call->tx, &repository_free_statement, db_int(repository));
    if (db_rows(lock_free) == 1 && !db_get_bool(lock_free, 0, 0)) {
        fail_locked(call, repository, TEXT_NONE, TEXT_NONE, true);
        return;
    }
    delete_rows(call, repository);
}
