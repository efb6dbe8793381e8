// What role_assignments.c and role_assignment_list.c share: the columns of a row and its form.
#pragma once
#include "arm/authorization.h"

#define ROLE_ASSIGNMENT_COLUMNS                                                                              \
    "a.id::text, a.scope, a.scope_key, a.principal_id::text, a.principal_type, a.role_definition_id::text,"  \
    " a.description, a.condition, a.condition_version,"                                                      \
    " (extract(epoch from a.created_at) * 1000000)::bigint,"                                                 \
    " (extract(epoch from a.updated_at) * 1000000)::bigint, a.created_by, a.updated_by"
enum role_assignment_column {
    ASSIGNMENT_ID,
    ASSIGNMENT_SCOPE,
    ASSIGNMENT_SCOPE_KEY,
    ASSIGNMENT_PRINCIPAL,
    ASSIGNMENT_PRINCIPAL_TYPE,
    ASSIGNMENT_ROLE,
    ASSIGNMENT_DESCRIPTION,
    ASSIGNMENT_CONDITION,
    ASSIGNMENT_CONDITION_VERSION,
    ASSIGNMENT_CREATED,
    ASSIGNMENT_UPDATED,
    ASSIGNMENT_CREATED_BY,
    ASSIGNMENT_UPDATED_BY,
};

// One row in the form of the call's api-version. `created`: an answer to a PUT, whose createdBy is null.
void role_assignment_write(struct buffer *json, const struct arm_call *call, const struct db_result *row,
                           size_t at, bool created);
void role_assignment_list(struct arm_call *call);

// role_definitions.c: whether a role of that type and those assignable scopes (JSON) may be assigned there.
bool role_definition_covers(struct arena *arena, struct text type, struct text assignable_scopes,
                            struct text key);
