// GET …/providers/Microsoft.Authorization/roleAssignments and its filters (arm-core 3.8).
#include "arm/role_assignment.h"
#include "arm/resource.h"

#include "base/arena.h"

#include <string.h>

// By scope: the scope and what is above it, and, where $2 is set, what lies between $3 and $4, which is below
// it. Both halves walk the key's index from the last row seen.
static const struct db_statement list_by_scope = {
    "role_assignment_list_by_scope",
    "select * from ("
    " (select " ROLE_ASSIGNMENT_COLUMNS " from rbac.role_assignment a"
    "  where a.scope_key in (select json_array_elements_text($1::json) collate \"C\")"
    "  and (a.scope_key, a.id) > ($5, $6::uuid) order by a.scope_key, a.id limit 2001)"
    " union all"
    " (select " ROLE_ASSIGNMENT_COLUMNS " from rbac.role_assignment a"
    "  where $2 and a.scope_key > $3 and a.scope_key < $4"
    "  and (a.scope_key, a.id) > ($5, $6::uuid) order by a.scope_key, a.id limit 2001)"
    ") u order by 3, 1 limit 2001",
};
// By principal, at, above and (where $3 is set) below the scope.
static const struct db_statement list_by_principal = {
    "role_assignment_list_by_principal",
    "select " ROLE_ASSIGNMENT_COLUMNS " from rbac.role_assignment a"
    " where a.principal_id = $1::uuid"
    " and (a.scope_key in (select json_array_elements_text($2::json) collate \"C\")"
    "  or ($3 and a.scope_key > $4 and a.scope_key < $5))"
    " and (a.scope_key, a.id) > ($6, $7::uuid) order by a.scope_key, a.id limit 2001",
};

struct assignment_filter {
    bool at_scope;
    struct text principal; // absent: any
};

static const char supported[] =
    "supported are 'atScope()', 'principalId eq '{value}'', 'assignedTo('{value}')' and "
    "'atScope() and assignedTo('{value}')'";

static bool read_filter(struct arm_call *call, struct assignment_filter *filter)
{
    struct authorization_term terms[AUTHORIZATION_TERMS];
    size_t count;
    bool direct = false;
    *filter = (struct assignment_filter){.principal = TEXT_NONE};
    if (!authorization_filter(call, terms, &count))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct authorization_term *term = &terms[i];
        if (text_is_nocase(term->name, "atScope") && !term->value.base && !filter->at_scope) {
            filter->at_scope = true;
            continue;
        }
        bool by_id = text_is_nocase(term->name, "principalId") && term->equals;
        bool assigned = text_is_nocase(term->name, "assignedTo") && !term->equals;
        if ((!by_id && !assigned) || filter->principal.base || !uuid_is(term->value)) {
            authorization_fail_filter(call, supported);
            return false;
        }
        direct = by_id;
        filter->principal = text_lower(call->arena, term->value);
    }
    if (direct && filter->at_scope)
        authorization_fail_filter(call, supported);
    return !call->failed;
}

// The last row seen: "scope_key id".
static bool read_position(struct arm_call *call, struct text position, struct text *scope_key,
                          struct text *id)
{
    *scope_key = TEXT("");
    *id = TEXT("00000000-0000-0000-0000-000000000000");
    if (!position.base)
        return true;
    if (position.length < 38 || !uuid_is(text_slice(position, position.length - 36, position.length))) {
        authorization_fail_filter(call, "its $skiptoken is none of ours");
        return false;
    }
    *scope_key = text_slice(position, 0, position.length - 37);
    *id = text_slice(position, position.length - 36, position.length);
    return true;
}

static const struct db_result *read_page(struct arm_call *call, const struct authorization_scope *scope,
                                         const struct assignment_filter *filter, struct text last_scope,
                                         struct text last_id)
{
    struct arena *arena = call->arena;
    struct text stem = text_is(scope->key, "/") ? TEXT("") : scope->key;
    struct db_value ancestors = db_text(authorization_ancestors(arena, scope->key));
    struct db_value below = db_bool(!filter->at_scope);
    struct db_value from = db_string(arena_printf(arena, "%.*s/", TEXT_ARG(stem)));
    struct db_value to = db_string(arena_printf(arena, "%.*s0", TEXT_ARG(stem))); // '0' follows '/'
    if (filter->principal.base)
        return DB_RUN(call->tx, &list_by_principal, db_text(filter->principal), ancestors, below, from, to,
                      db_text(last_scope), db_text(last_id));
    return DB_RUN(call->tx, &list_by_scope, ancestors, below, from, to, db_text(last_scope),
                  db_text(last_id));
}

static void write(struct buffer *json, struct arm_call *call, const struct db_result *rows, size_t row)
{
    role_assignment_write(json, call, rows, row, false);
}

// Who may read here sees what is here, above and below; anybody else what they may read where it stands.
void role_assignment_list(struct arm_call *call)
{
    struct authorization_scope scope;
    struct assignment_filter filter;
    struct text position, last_scope, last_id;
    size_t top;
    if (!authorization_scope_of(call, &scope) || !read_filter(call, &filter) ||
        !arm_page_of_query(call, &top, &position) || !read_position(call, position, &last_scope, &last_id))
        return;
    const struct db_result *rows = read_page(call, &scope, &filter, last_scope, last_id);
    if (db_failed(call->tx))
        return;
    static const struct authorization_page page = {ASSIGNMENT_SCOPE_KEY, ASSIGNMENT_ID, ' ', write};
    authorization_reply_page(call, &page, scope.key, rows, top);
}
