// Deleting a manifest by digest with its tags, and untagging: locks (decisions 13) and the protection of what
// a live index lists (decisions 28) are read under the mutex.
#include "rp/data/manifests.h"

#include "base/arena.h"
#include "rp/data/content.h"
#include "rp/data/event.h"

// One row: the manifest's id, and whether its repository, itself and all of its tags may be deleted.
static const struct db_statement manifest_state_statement = {
    "manifest_delete_state",
    "select m.id, p.delete_enabled and p.write_enabled and m.delete_enabled and m.write_enabled"
    "   and not exists (select 1 from acr.tag t where t.manifest_id = m.id"
    "                   and not (t.delete_enabled and t.write_enabled)), m.subject"
    " from acr.repository p join acr.manifest m on m.repository_id = p.id and m.digest = $2 where p.id = $1"};

// A tagged index that lists the digest, directly or through indexes that it lists.
static const struct db_statement manifest_parent_statement = {
    "manifest_delete_parent",
    "with recursive parent (id, digest) as ("
    " select m.id, m.digest from acr.manifest_child c join acr.manifest m on m.id = c.manifest_id"
    " where c.repository_id = $1 and c.digest = $2"
    " union select m.id, m.digest from parent p"
    " join acr.manifest_child c on c.repository_id = $1 and c.digest = p.digest"
    " join acr.manifest m on m.id = c.manifest_id)"
    " select digest from parent p where exists (select 1 from acr.tag t where t.manifest_id = p.id)"
    " order by digest limit 1"};
static const struct db_statement manifest_subject_statement = {
    "manifest_delete_subject", "select digest from acr.manifest where repository_id = $1 and digest = $2"};

// False after 405 that names what still needs the manifest.
static bool is_unprotected(struct registry_call *call, int64_t repository, struct text digest,
                           struct text subject)
{
    const char *protect = site()->config->protect;
    if (protect && strcmp(protect, "none") == 0)
        return true;
    const struct db_result *parent =
        DB_RUN(call->tx, &manifest_parent_statement, db_int(repository), db_text(digest));
    if (db_rows(parent) > 0) {
        fail_disallowed(call,
                        arena_printf(call->arena,
                                     "The manifest is listed by the tagged index %.*s; delete that first",
                                     TEXT_ARG(db_get(parent, 0, 0))));
        return false;
    }
    if (!protect || strcmp(protect, "children+referrers") != 0 || subject.base == NULL)
        return true;
    const struct db_result *alive =
        DB_RUN(call->tx, &manifest_subject_statement, db_int(repository), db_text(subject));
    if (db_rows(alive) > 0) {
        fail_disallowed(call, arena_printf(call->arena, "The manifest refers to %.*s, which is still there",
                                           TEXT_ARG(subject)));
        return false;
    }
    return true;
}

void manifest_delete_by_digest(struct registry_call *call, const struct reference *reference)
{
    int64_t repository = repository_find(call->tx, call->registry.id, call->repository, false);
    if (repository == 0) {
        fail_repository_unknown(call);
        return;
    }
    usage_lock(call->tx, call->registry.id);
    const struct db_result *state =
        DB_RUN(call->tx, &manifest_state_statement, db_int(repository), db_text(reference->digest));
    if (db_rows(state) == 0) {
        fail_manifest_unknown(call, reference);
        return;
    }
    if (!db_get_bool(state, 0, 1)) {
        fail_locked(call, repository, reference->digest, TEXT_NONE, true);
        return;
    }
    if (!is_unprotected(call, repository, reference->digest, db_get(state, 0, 2)))
        return;
    struct event_request request = event_request_of(call);
    event_manifest_deleted(call->tx, db_get_int(state, 0, 0), &request);
    manifest_remove(call->tx, call->registry.id, db_get_int(state, 0, 0));
    registry_reply_empty(call, 202);
}

static const struct db_statement tag_state_statement = {
    "manifest_untag_state",
    "select m.id, p.delete_enabled and p.write_enabled and t.delete_enabled and t.write_enabled and "
    "m.delete_enabled"
    "   and m.write_enabled from acr.repository p join acr.tag t on t.repository_id = p.id and t.name = $2"
    " join acr.manifest m on m.id = t.manifest_id where p.id = $1"};
// The manifest's time tells since when nothing names it.
static const struct db_statement untag_statement = {
    "manifest_untag", "with gone as (delete from acr.tag where repository_id = $1 and name = $2),"
                      " touched as (update acr.manifest set updated_at = clock_timestamp() where id = $3)"
                      " update acr.repository set tag_count = tag_count - 1, updated_at = clock_timestamp()"
                      " where id = $1"};

void manifest_untag(struct registry_call *call, const struct reference *reference,
                    void (*unknown)(struct registry_call *call, const struct reference *reference))
{
    int64_t repository = repository_find(call->tx, call->registry.id, call->repository, false);
    if (repository == 0) {
        unknown(call, reference);
        return;
    }
    if (tag_name_fault(reference->tag) != NULL) {
        unknown(call, reference);
        return;
    }
    usage_lock(call->tx, call->registry.id);
    const struct db_result *state =
        DB_RUN(call->tx, &tag_state_statement, db_int(repository), db_text(reference->tag));
    if (db_rows(state) == 0) {
        unknown(call, reference);
        return;
    }
    if (!db_get_bool(state, 0, 1)) {
        fail_locked(call, repository, TEXT_NONE, reference->tag, true);
        return;
    }
    struct event_request request = event_request_of(call);
    event_untagged(call->tx, db_get_int(state, 0, 0), reference->tag, &request);
    DB_RUN(call->tx, &untag_statement, db_int(repository), db_text(reference->tag),
           db_int(db_get_int(state, 0, 0)));
    registry_reply_empty(call, 202);
}

void manifest_delete(struct registry_call *call)
{
    struct reference reference;
    if (!reference_read(call, &reference))
        return;
    if (reference.digest.base)
        manifest_delete_by_digest(call, &reference);
    else
        manifest_untag(call, &reference, fail_manifest_unknown);
}
