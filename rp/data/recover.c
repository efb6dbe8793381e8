// Bringing back what was deleted within the retention: manifests move out of their hidden repositories into
// the one of their name, under the registry's mutex, within its quota.
#include "rp/data/retention.h"

#include "base/arena.h"
#include "rp/data/content.h"
#include "rp/data/registry_row.h"

// Held against the registry's deletion.
static const struct db_statement registry_statement = {
    "recover_registry",
    "select r.id, " REGISTRY_QUOTA " from acr.registry r join arm.resource e on e.id = r.id"
    " where r.login_key = lower($1) for key share of r"};
// Whoever ends their retention at this moment is waited for.
static const struct db_statement hold_statement = {
    "recover_hold", "select id from acr.repository where registry_id = $1 and name = $2 and kept order by id"
                    " for update"};
// The wanted ones and what they list, the latest deletion first: of two of one digest that one comes back.
static const struct db_statement wanted_statement = {
    "recover_wanted",
    "with recursive k as materialized (select m.id, m.digest, p.deleted_at from acr.repository p"
    "  join acr.manifest m on m.repository_id = p.id where p.registry_id = $1 and p.name = $2 and p.kept),"
    " w (id, digest, deleted_at) as (select k.id, k.digest, k.deleted_at from k where $3::text is null"
    "   or k.digest = $3 or exists (select 1 from acr.tag t where t.manifest_id = k.id and t.name = $3)"
    "  union select k.id, k.digest, k.deleted_at from w"
    "   join acr.manifest_child c on c.manifest_id = w.id join k on k.digest = c.digest)"
    " select w.id from w order by w.deleted_at desc, w.id desc"};
static const struct db_statement present_statement = {
    "recover_present", "select o.id from acr.manifest m join acr.manifest o on o.repository_id = $2"
                       " and o.digest = m.digest where m.id = $1"};
static const struct db_statement tags_statement = {"recover_tags",
                                                   "select count(*) from acr.tag where manifest_id = $1"};
static const struct db_statement present_tags_statement = {
    "recover_present_tags",
    "update acr.tag t set repository_id = $2, manifest_id = $3 where t.manifest_id = $1"
    " and not exists (select 1 from acr.tag o where o.repository_id = $2 and o.name = t.name)"};
static const struct db_statement left_tags_statement = {
    "recover_left_tags", "delete from acr.tag where manifest_id = $1 and repository_id <> $2"};
static const struct db_statement counts_statement = {
    "recover_counts", "update acr.repository set manifest_count = manifest_count + $2::bigint,"
                      " tag_count = tag_count + $3::bigint, updated_at = clock_timestamp() where id = $1"};
static const struct db_statement emptied_statement = {
    "recover_emptied",
    "update acr.repository p set deleted_at = 'epoch' where p.registry_id = $1 and p.name = $2"
    " and p.kept and not exists (select 1 from acr.manifest m where m.repository_id = p.id)"};

struct restore {
    struct db_transaction *tx;
    int64_t registry, repository, quota;
    struct recovered did;
};

static int64_t tags_of(struct restore *r, int64_t manifest)
{
    const struct db_result *row = DB_RUN(r->tx, &tags_statement, db_int(manifest));
    return db_rows(row) == 1 ? db_get_int(row, 0, 0) : 0;
}

// One manifest; false where its bytes would pass the quota.
static bool restore_one(struct restore *r, int64_t manifest)
{
    int64_t had = tags_of(r, manifest), came;
    const struct db_result *present =
        DB_RUN(r->tx, &present_statement, db_int(manifest), db_int(r->repository));
    bool there = db_rows(present) == 1;
    if (there) {
        came = (int64_t)db_affected(DB_RUN(r->tx, &present_tags_statement, db_int(manifest),
                                           db_int(r->repository), db_int(db_get_int(present, 0, 0))));
        r->did.present++;
    } else {
        int64_t from, bytes = manifest_weight(r->tx, manifest, &from);
        if (!usage_change(r->tx, r->registry, bytes, r->quota))
            return false;
        came = (int64_t)manifest_move(r->tx, manifest, r->repository);
        DB_RUN(r->tx, &left_tags_statement, db_int(manifest), db_int(r->repository));
        r->did.bytes += bytes;
        r->did.manifests++;
    }
    r->did.tags += came;
    r->did.tags_taken += had - came;
    DB_RUN(r->tx, &counts_statement, db_int(r->repository), db_int(!there), db_int(came));
    return true;
}

struct recovered retention_restore(struct db_transaction *tx, struct arena *arena, struct text registry,
                                   struct text name, struct text reference, int64_t default_quota)
{
    struct restore r = {.tx = tx};
    const struct db_result *row = DB_RUN(tx, &registry_statement, db_text(registry));
    if (db_rows(row) == 0) {
        r.did.why = arena_printf(arena, "there is no registry '%.*s'", TEXT_ARG(registry));
        return r.did;
    }
    r.registry = db_get_int(row, 0, 0);
    r.quota = db_is_null(row, 0, 1) ? default_quota : db_get_int(row, 0, 1);
    DB_RUN(tx, &hold_statement, db_int(r.registry), db_text(name));
    r.repository = repository_find(tx, r.registry, name, true);
    usage_lock(tx, r.registry);
    const struct db_result *wanted =
        DB_RUN(tx, &wanted_statement, db_int(r.registry), db_text(name), db_text(reference));
    if (db_rows(wanted) == 0)
        r.did.why = "nothing that was deleted there is kept: see azsacrd recover list";
    for (size_t i = 0; i < db_rows(wanted) && r.did.why == NULL && !db_failed(tx); i++)
        if (!restore_one(&r, db_get_int(wanted, i, 0)))
            r.did.why = arena_printf(arena, "the registry's storage limit of %lld bytes would be passed",
                                     (long long)r.quota);
    // Nothing is left to recover there: the sweep hands them to the job that removes them.
    DB_RUN(tx, &emptied_statement, db_int(r.registry), db_text(name));
    return r.did;
}
