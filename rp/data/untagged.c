// Deletes manifests that no tag has named for longer than the operator's retention. It walks by id, a few at
// a time, since what has no tag today may be one of a million children of indexes, which stay.
#include "rp/data/untagged.h"

#include "base/arena.h"
#include "rp/data/content.h"
#include "rp/data/event.h"

enum { WALK = 500 };

#define UNTAGGED_SINCE(manifest, milliseconds)                                                               \
    manifest ".updated_at < clock_timestamp() - " milliseconds "::bigint * interval '1 millisecond'"         \
             " and not exists (select 1 from acr.tag t where t.manifest_id = " manifest ".id)"
static const struct db_statement walk_statement = {
    "untagged_walk",
    "select w.id, w.registry_id, " UNTAGGED_SINCE(
        "w", "$3") " from (select m.id, m.registry_id, m.updated_at from acr.manifest m where m.id > $1"
                   " order by m.id limit $2) w order by w.id"};
static const struct db_statement hold_statement = {
    "untagged_hold", "select p.id from acr.manifest m join acr.repository p on p.id = m.repository_id"
                     " where m.id = $1 and p.deleted_at is null for key share of p"};
// Under the mutex. Neither what an index lists nor what refers to a manifest that is there: platforms and
// signatures never have tags.
static const struct db_statement due_statement = {
    "untagged_due",
    "select m.id from acr.manifest m join acr.repository p on p.id = m.repository_id and p.deleted_at is null"
    " where m.id = $1 and " UNTAGGED_SINCE(
        "m", "$2") " and m.delete_enabled and m.write_enabled and p.delete_enabled and p.write_enabled"
                   " and not exists (select 1 from acr.manifest_child c"
                   "                 where c.repository_id = m.repository_id and c.digest = m.digest)"
                   " and not exists (select 1 from acr.manifest s"
                   "                 where s.repository_id = m.repository_id and s.digest = m.subject)"};

struct walk {
    int64_t older_than_ms, after;
    struct {
        int64_t manifest, registry;
    } due[WALK];
    size_t due_count, at;
    bool more;
};

static bool look(struct db_transaction *tx, void *argument)
{
    struct walk *walk = argument;
    const struct db_result *rows =
        DB_RUN(tx, &walk_statement, db_int(walk->after), db_int(WALK), db_int(walk->older_than_ms));
    walk->due_count = 0;
    for (size_t i = 0; i < db_rows(rows); i++)
        if (db_get_bool(rows, i, 2)) {
            walk->due[walk->due_count].manifest = db_get_int(rows, i, 0);
            walk->due[walk->due_count++].registry = db_get_int(rows, i, 1);
        }
    walk->more = db_rows(rows) == WALK;
    if (walk->more)
        walk->after = db_get_int(rows, WALK - 1, 0);
    return true;
}

static bool remove_one(struct db_transaction *tx, void *argument)
{
    const struct walk *walk = argument;
    int64_t manifest = walk->due[walk->at].manifest, registry = walk->due[walk->at].registry;
    if (db_rows(DB_RUN(tx, &hold_statement, db_int(manifest))) == 0)
        return true;
    usage_lock(tx, registry);
    if (db_rows(DB_RUN(tx, &due_statement, db_int(manifest), db_int(walk->older_than_ms))) == 0)
        return true;
    event_manifest_deleted(tx, manifest, &(struct event_request){.method = TEXT_NONE});
    manifest_remove(tx, registry, manifest);
    return true;
}

bool untagged_walk(struct db_connection *connection, int64_t older_than_ms, int64_t *after)
{
    struct walk walk = {.older_than_ms = older_than_ms, .after = *after};
    if (db_transact(connection, look, &walk) != DB_COMMITTED)
        return true; // later, from here
    // One that cannot be removed now is met again in the next walk.
    for (walk.at = 0; walk.at < walk.due_count; walk.at++)
        db_transact(connection, remove_one, &walk);
    *after = walk.more ? walk.after : 0;
    return walk.more;
}
