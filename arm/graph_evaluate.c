// What an expression is for a row.
#include "arm/graph.h"

#include "base/arena.h"

static void drop_json(void *json)
{
    json_decref(json);
}

static json_t *parsed(struct graph_value *value, struct arena *arena)
{
    if (!value->json && value->text.base) {
        value->json = json_loadb(value->text.base, value->text.length, 0, NULL);
        if (value->json)
            arena_on_free(arena, drop_json, value->json);
    }
    return value->json;
}

static struct graph_value member(const struct graph_expression *e, struct graph_row *row, struct arena *arena)
{
    struct graph_value whole = {.kind = GRAPH_NULL};
    json_t *json = NULL;
    if (e->left->operator== GRAPH_COLUMN) { // what is parsed for one condition serves the next
        struct graph_value *cell = &row->cells[e->left->column];
        json = cell->kind == GRAPH_DYNAMIC ? parsed(cell, arena) : NULL;
    } else {
        whole = graph_evaluate(e->left, row, arena);
        json = whole.kind == GRAPH_DYNAMIC ? parsed(&whole, arena) : NULL;
    }
    if (e->operator== GRAPH_ELEMENT)
        return graph_of_json(json_array_get(json, (size_t)e->value.integer));
    return graph_of_json(json_object_getn(json, e->name.base, e->name.length));
}

static bool ends(struct text text, struct text end, bool ignore_case)
{
    if (end.length > text.length)
        return false;
    struct text tail = text_slice(text, text.length - end.length, text.length);
    return ignore_case ? text_equal_nocase(tail, end) : text_equal(tail, end);
}

static bool starts(struct text text, struct text start, bool ignore_case)
{
    if (start.length > text.length)
        return false;
    struct text head = text_slice(text, 0, start.length);
    return ignore_case ? text_equal_nocase(head, start) : text_equal(head, start);
}

static bool text_operator(const struct graph_expression *e, struct text left, struct text right)
{
    switch (e->operator) {
    case GRAPH_CONTAINS:
        return graph_text_contains(left, right, e->ignore_case);
    case GRAPH_STARTS:
        return starts(left, right, e->ignore_case);
    case GRAPH_ENDS:
        return ends(left, right, e->ignore_case);
    default:
        return graph_text_has(left, right, e->ignore_case);
    }
}

static bool is_in(const struct graph_expression *e, struct graph_row *row, struct arena *arena)
{
    struct graph_value left = graph_evaluate(e->left, row, arena);
    for (size_t i = 0; i < e->argument_count; i++)
        if (graph_equal(&left, &e->arguments[i]->value, e->ignore_case, arena))
            return true;
    return false;
}

// Less, or more: what cannot be put in order is neither.
static bool in_order(const struct graph_expression *e, const struct graph_value *left,
                     const struct graph_value *right)
{
    if (left->kind == GRAPH_NULL || right->kind == GRAPH_NULL)
        return false;
    bool texts = left->kind == GRAPH_STRING;
    if (texts != (right->kind == GRAPH_STRING) || left->kind == GRAPH_DYNAMIC || right->kind == GRAPH_DYNAMIC)
        return false;
    int order = graph_compare(left, right);
    bool strict = e->operator== GRAPH_LESS ? order < 0 : order> 0;
    return strict || (e->ignore_case && order == 0); // "or equal"
}

static struct graph_value convert(const struct graph_expression *e, struct graph_row *row,
                                  struct arena *arena)
{
    struct graph_value left = graph_evaluate(e->left, row, arena);
    struct text text = graph_to_string(&left, arena);
    switch (e->operator) {
    case GRAPH_TO_LOWER:
        return graph_string(text_lower(arena, text));
    case GRAPH_TO_UPPER:
        return graph_string(text_upper(arena, text));
    case GRAPH_IS_EMPTY:
        return graph_boolean((text.length == 0) != e->negated);
    case GRAPH_IS_NULL:
        return graph_boolean((left.kind == GRAPH_NULL) != e->negated);
    default:
        return graph_string(text);
    }
}

static bool compares(const struct graph_expression *e, struct graph_row *row, struct arena *arena)
{
    struct graph_value left = graph_evaluate(e->left, row, arena),
                       right = graph_evaluate(e->right, row, arena);
    if (e->operator== GRAPH_EQUAL)
        return graph_equal(&left, &right, e->ignore_case, arena) != e->negated;
    if (e->operator== GRAPH_LESS || e->operator== GRAPH_MORE)
        return in_order(e, &left, &right);
    return text_operator(e, graph_to_string(&left, arena), graph_to_string(&right, arena)) != e->negated;
}

struct graph_value graph_evaluate(const struct graph_expression *e, struct graph_row *row,
                                  struct arena *arena)
{
    switch (e->operator) {
    case GRAPH_LITERAL:
        return e->value;
    case GRAPH_COLUMN:
        return row->cells[e->column];
    case GRAPH_MEMBER:
    case GRAPH_ELEMENT:
        return member(e, row, arena);
    case GRAPH_AND:
        return graph_boolean(graph_true(e->left, row, arena) && graph_true(e->right, row, arena));
    case GRAPH_OR:
        return graph_boolean(graph_true(e->left, row, arena) || graph_true(e->right, row, arena));
    case GRAPH_NOT:
        return graph_boolean(!graph_true(e->left, row, arena));
    case GRAPH_IN:
        return graph_boolean(is_in(e, row, arena) != e->negated);
    case GRAPH_TO_LOWER:
    case GRAPH_TO_UPPER:
    case GRAPH_TO_STRING:
    case GRAPH_IS_EMPTY:
    case GRAPH_IS_NULL:
        return convert(e, row, arena);
    default:
        return graph_boolean(compares(e, row, arena));
    }
}

bool graph_true(const struct graph_expression *condition, struct graph_row *row, struct arena *arena)
{
    struct graph_value value = graph_evaluate(condition, row, arena);
    return value.kind == GRAPH_BOOL && value.integer;
}
