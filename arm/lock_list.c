// GET …/providers/Microsoft.Authorization/locks: at, above and below a scope (arm-core 2.5); with the filter
// atScope() not below.
#include "arm/lock.h"
#include "arm/errors.h"
#include "arm/resource.h"

#include "base/arena.h"

// Both halves walk the key's index from the last row seen.
static const struct db_statement list_locks = {
    "lock_list",
    "select * from ("
    " (select " LOCK_COLUMNS " from arm.lock l"
    "  where l.scope_key in (select json_array_elements_text($1::json) collate \"C\")"
    "  and (l.scope_key, l.name_key) > ($5, $6) order by l.scope_key, l.name_key limit 2001)"
    " union all"
    " (select " LOCK_COLUMNS " from arm.lock l"
    "  where $2 and l.scope_key > $3 and l.scope_key < $4"
    "  and (l.scope_key, l.name_key) > ($5, $6) order by l.scope_key, l.name_key limit 2001)"
    ") u order by 2, 4 limit 2001",
};

static bool read_filter(struct arm_call *call, bool *below)
{
    struct authorization_term terms[AUTHORIZATION_TERMS];
    size_t count;
    if (!authorization_filter(call, terms, &count))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!text_is_nocase(terms[i].name, "atScope") || terms[i].value.base || terms[i].equals) {
            authorization_fail_filter(call, "supported is 'atScope()'");
            return false;
        }
    *below = count == 0;
    return true;
}

// The last row seen: "scope_key/name_key"; a name has no slash.
static bool read_position(struct arm_call *call, struct text position, struct text *scope, struct text *name)
{
    *scope = *name = TEXT("");
    if (!position.base)
        return true;
    ptrdiff_t slash = text_rfind(position, '/');
    if (slash < 0) {
        arm_fail(call, ARM_INVALID_SKIP_TOKEN);
        return false;
    }
    *scope = text_slice(position, 0, (size_t)slash);
    *name = text_slice(position, (size_t)slash + 1, position.length);
    return true;
}

static const struct db_result *read_page(struct arm_call *call, const struct authorization_scope *scope,
                                         bool below, struct text last_scope, struct text last_name)
{
    struct arena *arena = call->arena;
    struct db_value from = db_string(arena_printf(arena, "%.*s/", TEXT_ARG(scope->key)));
    struct db_value to = db_string(arena_printf(arena, "%.*s0", TEXT_ARG(scope->key))); // '0' follows '/'
    return DB_RUN(call->tx, &list_locks, db_text(authorization_ancestors(arena, scope->key)), db_bool(below),
                  from, to, db_text(last_scope), db_text(last_name));
}

static void write(struct buffer *json, struct arm_call *call, const struct db_result *rows, size_t row)
{
    lock_write(json, call, rows, row, db_get(rows, row, LOCK_SCOPE));
}

// Who may read here sees what is here, above and below; anybody else what they may read where it stands.
void lock_list(struct arm_call *call)
{
    struct authorization_scope scope;
    struct text position, last_scope, last_name;
    bool below;
    size_t top;
    if (!lock_scope_of(call, &scope) || !read_filter(call, &below) ||
        !arm_page_of_query(call, &top, &position) || !read_position(call, position, &last_scope, &last_name))
        return;
    const struct db_result *rows = read_page(call, &scope, below, last_scope, last_name);
    if (db_failed(call->tx))
        return;
    static const struct authorization_page page = {LOCK_SCOPE_KEY, LOCK_NAME_KEY, '/', write};
    authorization_reply_page(call, &page, scope.key, rows, top);
}
