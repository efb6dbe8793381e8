// The caller's scopes as ranges of names. A right below the list's own scope is found in the assignments of
// this transaction; a caller with more scopes than the limits is served by a scan that judges row by row.
#include "arm/resource_ranges.h"

#include "arm/resource_id.h"
#include "base/arena.h"

enum { SCOPES = 2000, WHOLE_GROUPS = 16 };
// No name is behind it: the last code point.
#define LAST_NAME TEXT("\xf4\x8f\xbf\xbf")

// '0' follows '/': what lies between is below the scope.
static const struct db_statement scopes_below = {
    "arm_scopes_below", "select distinct a.scope_key from rbac.role_assignment a "
                        "where a.principal_id = $1::uuid and a.scope_key > $2 and a.scope_key < $3 "
                        "order by a.scope_key limit $4::bigint"};

struct range {
    struct text group, low, high;
};

static int order_of(struct text a, struct text b)
{
    int order = memcmp(a.base, b.base, a.length < b.length ? a.length : b.length);
    return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

// What of the type lies at or below a scope (a key: lower case); false: nothing.
static bool range_of_scope(struct arena *arena, struct text scope, struct text type, struct range *range)
{
    static const size_t group_at =
        sizeof "/subscriptions/11111111-2222-3333-4444-555555555555/resourcegroups/" - 1;
    struct resource_id id;
    if (scope.length > group_at && text_find(text_slice(scope, group_at, scope.length), '/') < 0) {
        *range = (struct range){text_slice(scope, group_at, scope.length), TEXT(""), LAST_NAME};
        return true;
    }
    if (!resource_id_parse(arena, scope, &id) || id.parent.base || !id.group.base)
        return false;
    struct text of = TEXT_JOIN(arena, id.namespace_name, TEXT("/"), id.type);
    if (text_equal(of, type)) {
        *range = (struct range){id.group, id.name, id.name};
        return true;
    }
    // Children carry their parents' names in front of their own.
    if (!text_starts(type, text_cstr(arena, TEXT_JOIN(arena, of, TEXT("/")))))
        return false;
    *range =
        (struct range){id.group, TEXT_JOIN(arena, id.name, TEXT("/")), TEXT_JOIN(arena, id.name, TEXT("0"))};
    return true;
}

static void write_range(struct buffer *b, const struct range *range)
{
    json_begin_object(b);
    json_key_text(b, "group", range->group);
    json_key_text(b, "low", range->low);
    json_key_text(b, "high", range->high);
    json_end_object(b);
}

static void only(struct arena *arena, struct range range, struct resource_ranges *ranges)
{
    struct buffer b = buffer_new(arena);
    json_begin_array(&b);
    write_range(&b, &range);
    json_end_array(&b);
    ranges->json = buffer_done(&b);
}

// The rows' scopes that let the caller read, narrowed to the name; false when they are too many to be worth
// it.
static bool write_ranges(struct arm_call *call, const char *action, struct text type,
                         const struct db_result *rows, struct resource_ranges *ranges)
{
    struct buffer b = buffer_new(call->arena);
    size_t count = 0, whole = 0;
    json_begin_array(&b);
    for (size_t i = 0; i < db_rows(rows); i++) {
        struct text scope = db_get(rows, i, 0);
        struct range range;
        if (!arm_may(call, action, scope) || !range_of_scope(call->arena, scope, type, &range))
            continue;
        whole += range.low.length == 0;
        if (order_of(range.low, ranges->low) < 0)
            range.low = ranges->low;
        if (order_of(range.high, ranges->high) > 0)
            range.high = ranges->high;
        if (order_of(range.low, range.high) > 0)
            continue;
        write_range(&b, &range);
        count++;
    }
    json_end_array(&b);
    ranges->json = count > 0 ? buffer_done(&b) : TEXT_NONE;
    return whole <= WHOLE_GROUPS;
}

void resource_ranges_find(struct arm_call *call, struct text type, struct text group, struct text name,
                          struct resource_ranges *ranges)
{
    struct arena *arena = call->arena;
    const char *action = arena_printf(arena, "%.*s/read", TEXT_ARG(type));
    *ranges = (struct resource_ranges){.low = TEXT(""), .high = LAST_NAME};
    if (name.base)
        ranges->low = ranges->high = text_lower(arena, name);
    struct text top = TEXT_JOIN(arena, TEXT("/subscriptions/"), call->subscription_id);
    struct range all = {TEXT_NONE, ranges->low, ranges->high};
    if (group.base) {
        all.group = text_lower(arena, group);
        top = TEXT_JOIN(arena, top, TEXT("/resourcegroups/"), all.group);
    }
    const struct db_result *rows = NULL;
    if (!arm_may(call, action, top)) {
        struct text below = group.base ? top : TEXT_JOIN(arena, top, TEXT("/resourcegroups"));
        rows = DB_RUN(call->tx, &scopes_below, db_string(call->caller->object_id),
                      db_text(TEXT_JOIN(arena, below, TEXT("/"))),
                      db_text(TEXT_JOIN(arena, below, TEXT("0"))), db_int(SCOPES + 1));
        if (db_rows(rows) <= SCOPES && write_ranges(call, action, type, rows, ranges))
            return;
    }
    ranges->everything = !group.base;
    if (group.base)
        only(arena, all, ranges);
}
