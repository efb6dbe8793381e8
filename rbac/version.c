// The version of everything that decides: how a write raises it, how a write proves that it decided with the
// present one (design: the access decision, proven current).
#include "rbac/snapshot.h"
#include "rbac/version.h"

#include "base/arena.h"
#include "base/buffer.h"

#include <string.h>

static const struct db_statement version_read = {
    "rbac_version_read",
    "select " RBAC_VERSION_COLUMNS " from rbac.version v",
};

static const struct db_statement version_hold = {
    "rbac_version_hold",
    "select " RBAC_VERSION_COLUMNS " from rbac.version v for update",
};

// Version and deltas in one statement. Never a sequence: readers would see its new value before the data.
static const struct db_statement version_raise = {
    "rbac_version_raise",
    "with v as ("
    " update rbac.version set number = number + 1, prev = stamp, stamp = $1 returning number, stamp, prev"
    "), d as ("
    " insert into rbac.delta (number, stamp, prev, kind, key)"
    " select v.number, v.stamp, v.prev, n.kind, n.key"
    " from v, (select distinct kind, key from json_to_recordset($2::json) as j(kind text, key text)) n"
    " returning 1"
    ") select v.prev from v",
};

bool rbac_version_of(const struct db_result *result, struct rbac_version *version)
{
    if (db_rows(result) == 0)
        return false;
    version->number = db_get_int(result, 0, 0);
    struct text stamp = db_get(result, 0, 1);
    if (stamp.length >= sizeof version->stamp)
        return false;
    memcpy(version->stamp, stamp.base, stamp.length);
    version->stamp[stamp.length] = 0;
    return true;
}

bool rbac_version_read(struct db_transaction *tx, struct rbac_version *version)
{
    return rbac_version_of(DB_RUN0(tx, &version_read), version);
}

bool rbac_version_lock(struct db_transaction *tx, struct rbac_version *version)
{
    return rbac_version_of(DB_RUN0(tx, &version_hold), version);
}

// Whether that is the version that the writer decided with; asks for another run when not.
static bool is_decided_with(struct db_transaction *tx, const struct db_result *result)
{
    const struct rbac_version *decided = db_context(tx);
    struct rbac_version now;
    if (!rbac_version_of(result, &now))
        return false; // the statement failed, and with it the transaction
    if (!decided || strcmp(now.stamp, decided->stamp) == 0)
        return true;
    db_retry(tx);
    return false;
}

bool rbac_still_current(struct db_transaction *tx)
{
    return db_context(tx) == NULL || is_decided_with(tx, DB_RUN0(tx, &version_read));
}

static const struct db_statement version_proof = {"rbac_version_proof", "select " RBAC_PROOF("$1")};

const char *rbac_stamp_to_prove(const struct db_transaction *tx)
{
    const struct rbac_version *decided = db_context(tx);
    return decided && !db_notes(tx) ? decided->stamp : NULL;
}

bool rbac_prove_at_commit(struct db_transaction *tx)
{
    const char *stamp = rbac_stamp_to_prove(tx);
    return stamp && DB_DEFER(tx, &version_proof, db_string(stamp));
}

bool rbac_version_hold(struct db_transaction *tx)
{
    return is_decided_with(tx, DB_RUN0(tx, &version_hold));
}

void rbac_changed(struct db_transaction *tx, const char *kind, struct text key)
{
    db_note(tx, kind, text_cstr(db_arena(tx), key));
}

void rbac_raise_version(struct db_transaction *tx)
{
    struct buffer notes = buffer_new(db_arena(tx));
    json_begin_array(&notes);
    for (const struct db_note *note = db_notes(tx); note; note = note->next) {
        json_begin_object(&notes);
        json_key_string(&notes, "kind", note->kind);
        json_key_string(&notes, "key", note->key);
        json_end_object(&notes);
    }
    json_end_array(&notes);

    char stamp[37];
    uuid_random(stamp);
    const struct db_result *raised =
        DB_RUN(tx, &version_raise, db_string(stamp), db_text(buffer_done(&notes)));
    const struct rbac_version *decided = db_context(tx);
    if (db_rows(raised) == 1 && decided && !text_is(db_get(raised, 0, 0), decided->stamp))
        db_retry(tx);
}

void rbac_install_hook(void)
{
    db_set_commit_hook(rbac_raise_version);
}
