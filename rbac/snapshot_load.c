// Reads a snapshot from the database: the rows that the deltas name, or all of them.
//
// Runs in one REPEATABLE READ READ ONLY transaction, so that version and rows are of one moment.
#include "rbac/snapshot_data.h"

#include "base/arena.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

enum { DELTA_LIMIT = 5000 }; // more than that: reading everything is no slower

static const struct db_statement isolate = {
    "rbac_snapshot_isolate",
    "set transaction isolation level repeatable read read only",
};
static const struct db_statement read_deltas = {
    "rbac_snapshot_deltas",
    "select number, stamp, prev, kind from rbac.delta where number > $1 order by number limit 5001",
};

#define PRINCIPAL_COLUMNS                                                                                    \
    "p.object_id::text, p.tenant_id::text, p.kind = 'User', p.enabled, coalesce(p.upn, p.app_id::text),"     \
    " p.display_name, coalesce(p.app_id::text, ''), p.stamp"
static const struct db_statement all_principals = {
    "rbac_snapshot_principals",
    "select ''::text, " PRINCIPAL_COLUMNS " from rbac.principal p",
};
static const struct db_statement changed_principals = {
    "rbac_snapshot_principals_changed",
    "select d.key, " PRINCIPAL_COLUMNS
    " from (select distinct key from rbac.delta where number > $1 and kind = 'principal') d"
    " left join rbac.principal p on p.object_id = d.key::uuid",
};

#define ASSIGNMENT_COLUMNS "a.scope_key, a.id::text, a.principal_id::text, a.role_definition_id::text"
static const struct db_statement all_assignments = {
    "rbac_snapshot_assignments",
    "select ''::text, " ASSIGNMENT_COLUMNS " from rbac.role_assignment a",
};
// A key is "scope_key id"; a scope may hold blanks, an id is always 36 bytes.
static const struct db_statement changed_assignments = {
    "rbac_snapshot_assignments_changed",
    "select d.key, " ASSIGNMENT_COLUMNS
    " from (select distinct key from rbac.delta where number > $1 and kind = 'assignment') d"
    " left join rbac.role_assignment a on a.scope_key = left(d.key, -37) and a.id = right(d.key, 36)::uuid",
};

#define LOCK_COLUMNS "min(l.scope), bool_or(l.level = 'ReadOnly')"
static const struct db_statement all_locks = {
    "rbac_snapshot_locks",
    "select l.scope_key, " LOCK_COLUMNS " from arm.lock l group by l.scope_key",
};
static const struct db_statement changed_locks = {
    "rbac_snapshot_locks_changed",
    "select d.key, c.* from (select distinct key from rbac.delta where number > $1 and kind = 'lock') d,"
    " lateral (select " LOCK_COLUMNS " from arm.lock l where l.scope_key = d.key) c",
};

static const struct db_statement all_roles = {
    "rbac_snapshot_roles",
    "select id::text, permissions::text from rbac.role_definition order by id",
};
static const struct db_statement all_keys = {
    "rbac_snapshot_keys",
    "select kid, use, sealed, retired_at is not null, (extract(epoch from created_at) * 1000000)::bigint"
    " from rbac.signing_key order by created_at desc, kid",
};
static const struct db_statement all_subscriptions = {
    "rbac_snapshot_subscriptions",
    "select subscription_id::text, tenant_id::text, state = 'Enabled', operator"
    " from arm.subscription order by subscription_id",
};

static void copy_id(char id[37], struct text value)
{
    size_t length = value.length < 36 ? value.length : 36;
    memcpy(id, value.base ? value.base : "", length);
    id[length] = 0;
}

// Rows of PRINCIPAL_COLUMNS behind the delta's key; a row without an object id is one that is gone.
static void take_principals(struct rbac_snapshot *snapshot, const struct db_result *rows)
{
    for (size_t i = 0; i < db_rows(rows); i++) {
        if (db_is_null(rows, i, 1)) {
            snapshot_drop_principal(snapshot, db_get(rows, i, 0));
            continue;
        }
        struct rbac_principal principal = {
            .user = db_get_bool(rows, i, 3),
            .enabled = db_get_bool(rows, i, 4),
            .name = db_get(rows, i, 5).base,
            .display_name = db_get(rows, i, 6).base,
            .app_id = db_get(rows, i, 7).base,
            .stamp = db_get_int(rows, i, 8),
        };
        copy_id(principal.object_id, db_get(rows, i, 1));
        copy_id(principal.tenant_id, db_get(rows, i, 2));
        snapshot_put_principal(snapshot, &principal);
    }
}

static void take_assignments(struct rbac_snapshot *snapshot, const struct db_result *rows)
{
    for (size_t i = 0; i < db_rows(rows); i++) {
        if (db_is_null(rows, i, 1))
            snapshot_drop_assignment(snapshot, db_get(rows, i, 0));
        else
            snapshot_put_assignment(snapshot, db_get(rows, i, 1), db_get(rows, i, 2), db_get(rows, i, 3),
                                    db_get(rows, i, 4));
    }
}

// Rows of LOCK_COLUMNS behind the scope; without a scope as written where the last lock is gone.
static void take_locks(struct rbac_snapshot *snapshot, const struct db_result *rows)
{
    for (size_t i = 0; i < db_rows(rows); i++) {
        if (db_is_null(rows, i, 1))
            snapshot_drop_lock(snapshot, db_get(rows, i, 0));
        else
            snapshot_put_lock(snapshot, db_get(rows, i, 0), db_get(rows, i, 1), db_get_bool(rows, i, 2));
    }
}

static void take_roles(struct rbac_snapshot *snapshot, struct db_transaction *tx)
{
    const struct db_result *rows = DB_RUN0(tx, &all_roles);
    struct shelf *shelf = shelf_new(db_rows(rows), role_free);
    for (size_t i = 0; i < db_rows(rows); i++) {
        struct role *role = role_compile(db_get(rows, i, 0), db_get(rows, i, 1));
        if (role)
            shelf->entries[shelf->count++] = role;
        else // it grants nothing
            log_error("rbac.role_unreadable", "id", db_get(rows, i, 0).base);
    }
    shelf_release(snapshot->roles);
    snapshot->roles = shelf;
}

static void free_key(void *key)
{
    rbac_key_free(key);
}

static void take_keys(struct rbac_snapshot *snapshot, struct db_transaction *tx)
{
    const struct db_result *rows = DB_RUN0(tx, &all_keys);
    struct shelf *shelf = shelf_new(db_rows(rows), free_key);
    for (size_t i = 0; i < db_rows(rows); i++) {
        struct rbac_key *key =
            rbac_key_open(db_get(rows, i, 0), db_get(rows, i, 1), db_get_bytes(rows, i, 2, db_arena(tx)),
                          db_get_bool(rows, i, 3), db_get_int(rows, i, 4));
        if (key)
            shelf->entries[shelf->count++] = key;
        else
            log_error("rbac.key_unreadable", "kid", db_get(rows, i, 0).base);
    }
    shelf_release(snapshot->keys);
    snapshot->keys = shelf;
}

static void take_subscriptions(struct rbac_snapshot *snapshot, struct db_transaction *tx)
{
    const struct db_result *rows = DB_RUN0(tx, &all_subscriptions);
    struct shelf *shelf = shelf_new(db_rows(rows), free);
    for (size_t i = 0; i < db_rows(rows); i++) {
        struct rbac_subscription *subscription = xcalloc(1, sizeof *subscription);
        copy_id(subscription->subscription_id, db_get(rows, i, 0));
        copy_id(subscription->tenant_id, db_get(rows, i, 1));
        subscription->enabled = db_get_bool(rows, i, 2);
        subscription->operator_owned = db_get_bool(rows, i, 3);
        shelf->entries[shelf->count++] = subscription;
    }
    shelf_release(snapshot->subscriptions);
    snapshot->subscriptions = shelf;
}

// What changed since a version, by kind.
struct changes {
    bool assignments, locks, principals, definitions, keys, subscriptions;
};

// Whether the deltas lead from `from` to `to` without a gap. After a failover numbers may repeat: only the
// chain of stamps counts. A kind we do not know means a newer release is writing: read everything.
static bool read_chain(struct db_transaction *tx, const struct rbac_version *from,
                       const struct rbac_version *to, struct changes *changes)
{
    const struct db_result *rows = DB_RUN(tx, &read_deltas, db_int(from->number));
    if (db_rows(rows) == 0 || db_rows(rows) > DELTA_LIMIT)
        return false;
    struct rbac_version at = *from;
    for (size_t i = 0; i < db_rows(rows); i++) {
        int64_t number = db_get_int(rows, i, 0);
        struct text stamp = db_get(rows, i, 1), kind = db_get(rows, i, 3);
        if (number != at.number) { // the first row of the next version
            if (number != at.number + 1 || !text_is(db_get(rows, i, 2), at.stamp))
                return false;
            at.number = number;
            copy_id(at.stamp, stamp);
        } else if (!text_is(stamp, at.stamp))
            return false;
        if (text_is(kind, "assignment"))
            changes->assignments = true;
        else if (text_is(kind, "lock"))
            changes->locks = true;
        else if (text_is(kind, "principal"))
            changes->principals = true;
        else if (text_is(kind, "definition"))
            changes->definitions = true;
        else if (text_is(kind, "key"))
            changes->keys = true;
        else if (text_is(kind, "subscription"))
            changes->subscriptions = true;
        else
            return false;
    }
    return at.number == to->number && strcmp(at.stamp, to->stamp) == 0;
}

static struct rbac_snapshot *advance(struct db_transaction *tx, const struct rbac_snapshot *from,
                                     const struct changes *changes)
{
    struct rbac_snapshot *snapshot = xcalloc(1, sizeof *snapshot);
    map_share(&snapshot->principals, &from->principals);
    map_share(&snapshot->names, &from->names);
    map_share(&snapshot->assignments, &from->assignments);
    map_share(&snapshot->grants, &from->grants);
    map_share(&snapshot->locks, &from->locks);
    snapshot->roles = shelf_hold(from->roles);
    snapshot->keys = shelf_hold(from->keys);
    snapshot->subscriptions = shelf_hold(from->subscriptions);

    struct db_value since = db_int(from->version.number);
    if (changes->principals)
        take_principals(snapshot, DB_RUN(tx, &changed_principals, since));
    if (changes->assignments)
        take_assignments(snapshot, DB_RUN(tx, &changed_assignments, since));
    if (changes->locks)
        take_locks(snapshot, DB_RUN(tx, &changed_locks, since));
    if (changes->definitions)
        take_roles(snapshot, tx);
    if (changes->keys)
        take_keys(snapshot, tx);
    if (changes->subscriptions)
        take_subscriptions(snapshot, tx);
    return snapshot;
}

static struct rbac_snapshot *build(struct db_transaction *tx)
{
    struct rbac_snapshot *snapshot = xcalloc(1, sizeof *snapshot);
    take_principals(snapshot, DB_RUN0(tx, &all_principals));
    take_assignments(snapshot, DB_RUN0(tx, &all_assignments));
    take_locks(snapshot, DB_RUN0(tx, &all_locks));
    take_roles(snapshot, tx);
    take_keys(snapshot, tx);
    take_subscriptions(snapshot, tx);
    return snapshot;
}

struct rbac_snapshot *snapshot_load(struct db_transaction *tx, struct rbac_snapshot *from)
{
    struct rbac_version version;
    struct changes changes = {0};
    DB_RUN0(tx, &isolate);
    if (!rbac_version_read(tx, &version))
        return NULL;
    if (from && strcmp(from->version.stamp, version.stamp) == 0) {
        atomic_fetch_add_explicit(&from->references, 1, memory_order_relaxed);
        return from;
    }
    bool known = from && read_chain(tx, &from->version, &version, &changes);
    struct rbac_snapshot *snapshot = known ? advance(tx, from, &changes) : build(tx);
    atomic_init(&snapshot->references, 1);
    snapshot->version = version;
    if (!db_failed(tx))
        return snapshot;
    rbac_snapshot_release(snapshot);
    return NULL;
}
