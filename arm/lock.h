// What locks.c and lock_list.c share: the columns of a row and its form.
#pragma once
#include "arm/authorization.h"

#define LOCK_COLUMNS                                                                                         \
    "l.scope, l.scope_key, l.name, l.name_key, l.level, l.notes, l.owners::text,"                            \
    " (extract(epoch from l.created_at) * 1000000)::bigint,"                                                 \
    " (extract(epoch from l.changed_at) * 1000000)::bigint, l.created_by->>'name', l.created_by->>'type',"   \
    " l.changed_by->>'name', l.changed_by->>'type'"
enum lock_column {
    LOCK_SCOPE,
    LOCK_SCOPE_KEY,
    LOCK_NAME,
    LOCK_NAME_KEY,
    LOCK_LEVEL,
    LOCK_NOTES,
    LOCK_OWNERS,
    LOCK_CREATED,
    LOCK_CHANGED,
    LOCK_CREATED_BY,
    LOCK_CREATED_BY_TYPE,
    LOCK_CHANGED_BY,
    LOCK_CHANGED_BY_TYPE,
};

// One row in the form of the call's api-version. `scope` is what its id begins with.
void lock_write(struct buffer *json, const struct arm_call *call, const struct db_result *row, size_t at,
                struct text scope);
// {scope} of the route, which has to lie in a subscription. False after a failure.
bool lock_scope_of(struct arm_call *call, struct authorization_scope *scope);
void lock_list(struct arm_call *call);
