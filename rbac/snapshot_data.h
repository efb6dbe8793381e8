// What a snapshot is made of; known to rbac/snapshot*.c and rbac/decision.c only.
#pragma once
#include "rbac/keys.h"
#include "rbac/map.h"
#include "rbac/snapshot.h"

struct principal_item { // key: object id
    struct map_item item;
    struct rbac_principal principal;
};
struct name_item { // key: upn or app id
    struct map_item item;
    char object_id[37];
};
struct assignment_item { // key: "scope_key id"
    struct map_item item;
    struct text scope; // within the key
    char principal_id[37];
    unsigned char role[16];
};
// What one principal has at one scope, and how many of its assignments stand below it. Ancestors are kept at
// every second segment ("/", subscription, group, …), which is where scopes are. Key: principal's object id,
// scope.
struct grant_item {
    struct map_item item;
    unsigned below;
    unsigned count;
    unsigned char roles[][16];
};

// A locked scope, or one with locked scopes below it. Key: scope.
struct lock_item {
    struct map_item item;
    struct rbac_lock lock;
};

// A list that snapshots share whole; few, and made anew when one of its rows changes.
struct shelf {
    atomic_uint references;
    size_t count;
    void (*dispose)(void *);
    void *entries[];
};

struct permission {
    size_t action_count, except_count;
    const struct text *actions, *except; // lower case; "*" is any run of bytes
};
struct role {
    unsigned char id[16];
    size_t permission_count;
    struct permission *permissions;
    struct arena *arena; // of all of the above, itself included
};

struct rbac_snapshot {
    atomic_uint references;
    struct rbac_version version;
    struct map principals, names, assignments, grants, locks;
    struct shelf *roles;         // struct role *, by id
    struct shelf *keys;          // struct rbac_key *, newest first
    struct shelf *subscriptions; // struct rbac_subscription *, by id
};

// snapshot_load.c. Inside a transaction: the snapshot of the version it sees, advanced from `from` where the
// deltas are known, built anew otherwise; `from` itself, held once more, when nothing changed. NULL when it
// failed.
struct rbac_snapshot *snapshot_load(struct db_transaction *tx, struct rbac_snapshot *from);
// snapshot_rows.c. One row more, or one row gone.
void snapshot_put_principal(struct rbac_snapshot *snapshot, const struct rbac_principal *principal);
void snapshot_drop_principal(struct rbac_snapshot *snapshot, struct text object_id);
void snapshot_put_assignment(struct rbac_snapshot *snapshot, struct text scope_key, struct text id,
                             struct text principal_id, struct text role_definition_id);
void snapshot_drop_assignment(struct rbac_snapshot *snapshot, struct text key);
const struct grant_item *snapshot_grant(const struct rbac_snapshot *snapshot, struct text object_id,
                                        struct text scope);
// snapshot_locks.c. What is locked at a scope now, or nothing any more.
void snapshot_put_lock(struct rbac_snapshot *snapshot, struct text scope_key, struct text scope,
                       bool read_only);
void snapshot_drop_lock(struct rbac_snapshot *snapshot, struct text scope_key);
// Empty, with room for that many; its entries are disposed of with it.
struct shelf *shelf_new(size_t room, void (*dispose)(void *));
struct shelf *shelf_hold(struct shelf *shelf);
void shelf_release(struct shelf *shelf);
void snapshot_free(struct rbac_snapshot *snapshot);

// decision.c
bool uuid_bytes(struct text uuid, unsigned char bytes[16]);
// NULL when `permissions` (rbac.role_definition's JSON) is not what it should be.
struct role *role_compile(struct text id, struct text permissions);
void role_free(void *role);
bool action_matches(struct text pattern, const char *action);
