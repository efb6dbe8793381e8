// Pages over tracked resources that the caller may read, in the order of type, name and group: what every
// list of them is made of.
//
// Whoever may read at the list's own scope is served from the index in its order. Whose rights begin below it
// and are few is served by look-ups of just those scopes, so that three resources among a hundred thousand
// are found at once. Any other caller's page looks at a bounded number of rows, and may be short or empty
// with a nextLink.
#pragma once
#include "arm/resource.h"

// The statements of one list: rows of `e` (arm.resource) and `g` (its group), with the position first.
enum { RESOURCE_LIST_NAME_KEY, RESOURCE_LIST_GROUP_ID, RESOURCE_LIST_FIRST };
#define RESOURCE_LIST_ROW                                                                                    \
    "x.id, x.group_id, x.subscription_id, x.type, x.name, x.name_key, x.location, x.tags, x.sku, x.state, "  \
    "x.created_at, x.changed_at, x.created_by, x.created_by_type, x.changed_by, x.changed_by_type"
#define RESOURCE_LIST_ORDER " order by x.name_key, x.group_id limit $5::bigint"
#define RESOURCE_LIST_SHOWN(columns, joins)                                                                  \
    ") e join arm.resource_group g on g.id = e.group_id " joins " order by e.name_key, e.group_id"
// One type of a subscription, behind ($3, $4) and up to the name $6. The lower bound is one comparison: of
// two the index may take the wrong one to start from, and read everything before the position.
#define RESOURCE_LIST_OF_SUBSCRIPTION(columns, joins)                                                        \
    "select e.name_key, e.group_id, " columns " from (select " RESOURCE_LIST_ROW                             \
    " from arm.resource x where x.subscription_id = $1::uuid and x.type_key = $2 and x.name_key <= $6 "      \
    "and (x.name_key, x.group_id) > ($3, $4::bigint)" RESOURCE_LIST_ORDER                                    \
    RESOURCE_LIST_SHOWN(columns, joins)
// The same of groups: $6 is an array of {"group","low","high"}.
#define RESOURCE_LIST_OF_RANGES(columns, joins)                                                              \
    "select e.name_key, e.group_id, " columns " from (select " RESOURCE_LIST_ROW                             \
    " from json_to_recordset($6::json) as s(\"group\" text, low text, high text) "                           \
    "join arm.resource_group h on h.subscription_id = $1::uuid and h.name_key = s.\"group\" "                \
    "cross join lateral (select " RESOURCE_LIST_ROW " from arm.resource x where x.group_id = h.id "          \
    "and x.type_key = $2 and x.name_key <= s.high and (x.name_key, x.group_id) > "                           \
    "(greatest(s.low collate \"C\", $3::text), case when $3::text >= s.low collate \"C\" then $4::bigint "   \
    "else 0 end)" RESOURCE_LIST_ORDER ") x" RESOURCE_LIST_ORDER                                              \
    RESOURCE_LIST_SHOWN(columns, joins)

struct resource_list {
    const struct db_statement *of_subscription, *of_ranges;
    const struct text *types; // keys: "microsoft.containerregistry/registries", in their order
    size_t type_count;
    struct text group, name; // only this group, only of this name; TEXT_NONE: any
    // Whether the filter lets a row through, and its JSON. The right to read it is judged here.
    bool (*fits)(const void *context, const struct db_result *rows, size_t row);
    void (*write)(const void *context, struct buffer *out, const struct db_result *rows, size_t row);
    // The row's id.
    struct text (*id)(const void *context, const struct db_result *rows, size_t row);
    const void *context;
};
// Answers 200 with a page, or 400 for $top or $skiptoken.
void arm_resource_list(struct arm_call *call, const struct resource_list *list);
