// What locks hold back: the door's check after the registration (decisions 12), and the same for jobs.
#include "arm/locks.h"
#include "arm/authorization.h"
#include "arm/errors.h"

#include "base/arena.h"

#include <string.h>

enum { NAMED_BELOW = 20 };

// Advisory locks cost no row and no write. Their first key says whose they are.
#define LOCKS_KEY ARM_LOCKS_KEY("$1")
static const struct db_statement enter = {
    "arm_locks_enter",
    "select " RBAC_VERSION_COLUMNS ", pg_advisory_xact_lock_shared(" LOCKS_KEY ")::text from rbac.version v",
};
static const struct db_statement hold = {
    "arm_locks_hold",
    "select pg_advisory_xact_lock_shared(" LOCKS_KEY ")::text",
};
static const struct db_statement alone = {
    "arm_locks_alone",
    "select pg_advisory_xact_lock(" LOCKS_KEY ")::text",
};
static const struct db_statement locked_below = {
    "arm_locks_below",
    "select min(l.scope) from arm.lock l where l.scope_key > $1 and l.scope_key < $2"
    " group by l.scope_key order by l.scope_key limit $3",
};
static const struct db_statement locked_around = {
    "arm_locks_around",
    "select min(l.scope) from arm.lock l"
    " where l.scope_key in (select json_array_elements_text($1::json) collate \"C\")"
    " or (l.scope_key > $2 and l.scope_key < $3)"
    " group by l.scope_key order by l.scope_key limit $4",
};

static const struct db_statement read_only_above = {
    "arm_locks_read_only_above",
    "select min(l.scope) from arm.lock l where l.level = 'ReadOnly'"
    " and l.scope_key in (select json_array_elements_text($1::json) collate \"C\")"
    " group by l.scope_key order by l.scope_key",
};

bool arm_locks_enter(struct db_transaction *tx, struct text subscription_id, struct rbac_version *version)
{
    if (!subscription_id.base)
        return rbac_version_read(tx, version);
    return rbac_version_of(DB_RUN(tx, &enter, db_text(subscription_id)), version);
}

void arm_locks_alone(struct db_transaction *tx, struct text subscription_id)
{
    DB_RUN(tx, &alone, db_text(subscription_id));
}

void arm_locks_hold(struct db_transaction *tx, struct text subscription_id)
{
    DB_RUN(tx, &hold, db_text(subscription_id));
}

// '0' follows '/': what lies between is below the scope, on whole segments.
static void bounds_below(struct arena *arena, struct text key, struct db_value *from, struct db_value *to)
{
    *from = db_string(arena_printf(arena, "%.*s/", TEXT_ARG(key)));
    *to = db_string(arena_printf(arena, "%.*s0", TEXT_ARG(key)));
}

static void add_scope(struct buffer *list, struct text scope)
{
    if (list->length > 0)
        buffer_char(list, ',');
    buffer_text(list, scope);
}

static void add_rows(struct buffer *list, const struct db_result *rows)
{
    for (size_t i = 0; i < db_rows(rows) && i < NAMED_BELOW; i++)
        add_scope(list, db_get(rows, i, 0));
    if (db_rows(rows) > NAMED_BELOW)
        buffer_string(list, ",...");
}

struct text arm_locks_message(struct arena *arena, struct text target, enum arm_lock_verb verb,
                              struct text locked)
{
    return text_of(arena_printf(arena, ARM_SCOPE_LOCKED_SENTENCE, TEXT_ARG(target),
                                verb == ARM_LOCK_DELETE ? "delete" : "write", TEXT_ARG(locked)));
}

bool arm_locks_allow(struct arm_call *call, struct text target, enum arm_lock_verb verb)
{
    if (!rbac_any_lock(call->snapshot))
        return true;
    struct buffer locked = buffer_new(call->arena);
    const struct rbac_lock *lock = NULL;
    for (size_t i = 1; i <= target.length; i++) {
        if (i < target.length && target.base[i] != '/')
            continue;
        lock = rbac_lock_at(call->snapshot, text_slice(target, 0, i));
        if (lock && lock->scope.base && (verb == ARM_LOCK_DELETE || lock->read_only))
            add_scope(&locked, lock->scope);
    }
    if (verb == ARM_LOCK_DELETE && lock && lock->below > 0) {
        struct db_value from, to;
        bounds_below(call->arena, text_lower(call->arena, target), &from, &to);
        add_rows(&locked, DB_RUN(call->tx, &locked_below, from, to, db_int(NAMED_BELOW + 1)));
    }
    if (locked.length == 0)
        return true;
    arm_fail(call, ARM_SCOPE_LOCKED, TEXT_ARG(target), verb == ARM_LOCK_DELETE ? "delete" : "write",
             TEXT_ARG(buffer_done(&locked)));
    return false;
}

bool arm_locks_matter(const struct arm_call *call)
{
    return call->subscription_id.base && call->operation && !call->trial &&
           !(call->request->method & (HTTP_GET | HTTP_HEAD)) &&
           (call->operation->flags & ARM_LOCKS_HOLD ||
            !(call->operation->flags & (ARM_READ_COUNT | ARM_LOCKS_OK)));
}

bool door_locks(struct arm_call *call)
{
    // A trial holds up nobody, but is told what would hold back what it tries.
    bool tried = call->trial && !(call->request->method & (HTTP_GET | HTTP_HEAD)) &&
                 !(call->operation->flags & (ARM_READ_COUNT | ARM_LOCKS_OK));
    if (!arm_locks_matter(call) && !tried)
        return true;
    return arm_locks_allow(call, call->scope,
                           call->request->method == HTTP_DELETE ? ARM_LOCK_DELETE : ARM_LOCK_WRITE);
}

struct text arm_locks_against_delete(struct db_transaction *tx, struct arena *arena,
                                     struct text subscription_id, struct text scope)
{
    DB_RUN(tx, &hold, db_text(text_lower(arena, subscription_id)));
    struct text key = text_lower(arena, scope);
    struct db_value from, to;
    bounds_below(arena, key, &from, &to);
    struct buffer locked = buffer_new(arena);
    add_rows(&locked, DB_RUN(tx, &locked_around, db_text(authorization_ancestors(arena, key)), from, to,
                             db_int(NAMED_BELOW + 1)));
    return locked.length > 0 ? buffer_done(&locked) : TEXT_NONE;
}

struct text arm_locks_against_write(struct db_transaction *tx, struct arena *arena,
                                    struct text subscription_id, struct text scope)
{
    arm_locks_hold(tx, text_lower(arena, subscription_id));
    struct text ancestors = authorization_ancestors(arena, text_lower(arena, scope));
    struct buffer locked = buffer_new(arena);
    add_rows(&locked, DB_RUN(tx, &read_only_above, db_text(ancestors)));
    return locked.length > 0 ? buffer_done(&locked) : TEXT_NONE;
}
