// Before a query runs: which columns it looks at, whether a row of its result is a row of its source, and
// which values of type, group, subscription and name its conditions leave.
#include "arm/graph_plan.h"
#include "arm/resource_id.h"

#include "base/arena.h"

static uint64_t all_of(size_t count)
{
    return count >= 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
}

// Columns that come into the stage and are looked at, when those of `out` are looked at behind it.
static uint64_t through(const struct graph_stage *stage, uint64_t out)
{
    uint64_t in = 0;
    switch (stage->verb) {
    case GRAPH_WHERE:
        return out | stage->condition->columns;
    case GRAPH_ORDER:
        for (size_t i = 0; i < stage->key_count; i++)
            out |= stage->keys[i].expression->columns;
        return out;
    case GRAPH_TAKE:
        return out;
    case GRAPH_PROJECT:
        for (size_t i = 0; i < stage->count; i++)
            if (out >> i & 1)
                in |= stage->expressions[i]->columns;
        return in;
    case GRAPH_SUMMARIZE:
        for (size_t i = 0; i < stage->count; i++)
            in |= stage->expressions[i]->columns;
    }
    return in;
}

// Takes that only projections follow bound the result; they are no stages any more.
static void drop_last_takes(struct graph_query *query)
{
    for (size_t i = query->stage_count; i-- > 0;) {
        struct graph_stage *stage = &query->stages[i];
        if (stage->verb == GRAPH_PROJECT)
            continue;
        if (stage->verb != GRAPH_TAKE)
            return;
        if (query->limit < 0 || stage->number < query->limit)
            query->limit = stage->number;
        memmove(stage, stage + 1, (--query->stage_count - i) * sizeof *stage);
    }
}

void graph_plan(struct graph_query *query)
{
    drop_last_takes(query);
    query->plain = true;
    for (size_t i = 0; i < query->stage_count; i++)
        query->plain =
            query->plain && query->stages[i].verb != GRAPH_TAKE && query->stages[i].verb != GRAPH_SUMMARIZE;
    uint64_t whole = all_of(query->schema.count), live = query->plain ? 0 : whole;
    for (size_t i = query->stage_count; i-- > 0;) {
        query->stages[i].live = live;
        query->stages[i].whole = whole;
        live = through(&query->stages[i], live);
        whole = through(&query->stages[i], whole);
    }
    query->live = live;
    query->whole = whole;
}

// ---- bounds

static const struct graph_expression *bare(const struct graph_expression *e)
{
    while (e->operator== GRAPH_TO_LOWER || e->operator== GRAPH_TO_STRING)
        e = e->left;
    return e;
}

static bool is_column(const struct graph_expression *e, size_t column)
{
    e = bare(e);
    return e->operator== GRAPH_COLUMN && e->column == column;
}

static bool add(struct graph_values *values, const struct graph_expression *literal, struct arena *arena)
{
    if (literal->operator!= GRAPH_LITERAL || literal->value.kind != GRAPH_STRING ||
        values->count == GRAPH_VALUES)
        return false;
    struct text text = text_lower(arena, literal->value.text);
    for (size_t i = 0; i < values->count; i++)
        if (text_equal(values->values[i], text))
            return true;
    values->values[values->count++] = text;
    return true;
}

// Adds the values that the column may have where the condition holds; false when it may have any.
static bool bound(const struct graph_expression *e, size_t column, struct graph_values *values,
                  struct arena *arena)
{
    struct graph_values before = *values;
    switch (e->operator) {
    case GRAPH_EQUAL:
        if (e->negated)
            return false;
        if (is_column(e->left, column))
            return add(values, e->right, arena);
        return is_column(e->right, column) && add(values, e->left, arena);
    case GRAPH_IN:
        if (e->negated || !is_column(e->left, column))
            return false;
        for (size_t i = 0; i < e->argument_count; i++)
            if (!add(values, e->arguments[i], arena))
                return false;
        return true;
    case GRAPH_AND:
        if (bound(e->left, column, values, arena))
            return true;
        *values = before;
        return bound(e->right, column, values, arena);
    case GRAPH_OR:
        return bound(e->left, column, values, arena) && bound(e->right, column, values, arena);
    default:
        return false;
    }
}

static struct text part_of_id(struct text id, enum graph_source_column column, struct arena *arena)
{
    struct resource_id parsed;
    if (!resource_id_parse(arena, id, &parsed) || parsed.parent.base)
        return TEXT_NONE;
    switch (column) {
    case COLUMN_SUBSCRIPTION:
        return parsed.subscription_id;
    case COLUMN_GROUP:
        return parsed.group;
    case COLUMN_NAME:
        return parsed.name;
    case COLUMN_TYPE:
        return TEXT_JOIN(arena, parsed.namespace_name, TEXT("/"), parsed.type);
    default:
        return TEXT_NONE;
    }
}

// What the ids of a condition say of the column; false when one of them says nothing.
static bool bound_by_id(const struct graph_expression *e, enum graph_source_column column,
                        struct graph_values *values, struct arena *arena)
{
    struct graph_values ids = {.count = 0};
    if (!bound(e, COLUMN_ID, &ids, arena))
        return false;
    for (size_t i = 0; i < ids.count; i++) {
        struct text part = part_of_id(ids.values[i], column, arena);
        if (!part.base)
            return false;
        values->values[values->count++] = part;
    }
    return true;
}

bool graph_bounds(const struct graph_query *query, enum graph_source_column column, struct arena *arena,
                  struct graph_values *values)
{
    // Conditions before the first stage that makes columns anew.
    for (size_t i = 0; i < query->stage_count; i++) {
        const struct graph_stage *stage = &query->stages[i];
        if (stage->verb != GRAPH_WHERE && stage->verb != GRAPH_ORDER)
            return false;
        if (stage->verb == GRAPH_ORDER)
            continue;
        values->count = 0;
        if (bound(stage->condition, column, values, arena))
            return true;
        values->count = 0;
        if (query->table == GRAPH_RESOURCES && bound_by_id(stage->condition, column, values, arena))
            return true;
    }
    return false;
}
