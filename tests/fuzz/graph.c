// libFuzzer: arbitrary bytes as a query of Resource Graph, and what was read of it over one row.
#include "arm/graph.h"
#include "arm/graph_window.h"

#include "base/arena.h"
#include "base/buffer.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(const struct graph_query *query, struct arena *arena)
{
    struct graph_value cells[SOURCE_COLUMNS] = {{0}}, keys[GRAPH_KEYS];
    struct graph_row row = {.cells = cells, .tie = TEXT("tie")};
    for (size_t i = 0; i < SOURCE_COLUMNS; i++)
        cells[i] = graph_string(TEXT("value of a column"));
    cells[COLUMN_TAGS] =
        (struct graph_value){.kind = GRAPH_DYNAMIC, .text = TEXT("{\"a\":[1,2.5,{\"b\":\"c\"}],\"t\":true}")};
    cells[COLUMN_PROPERTIES] =
        (struct graph_value){.kind = GRAPH_DYNAMIC, .text = TEXT("{\"x\":{\"y\":null}}")};
    cells[COLUMN_PLAN] = (struct graph_value){.kind = GRAPH_NULL};
    for (size_t i = 0; i < query->stage_count; i++) {
        const struct graph_stage *stage = &query->stages[i];
        struct graph_value *next = ARENA_ARRAY(arena, struct graph_value, GRAPH_COLUMNS + 1);
        if (stage->verb == GRAPH_WHERE)
            graph_true(stage->condition, &row, arena);
        for (size_t k = 0; k < stage->key_count; k++)
            keys[k] = graph_evaluate(stage->keys[k].expression, &row, arena);
        if (stage->key_count > 0) {
            struct graph_order order = {stage->keys, stage->key_count};
            row.keys = keys;
            graph_order_compare(&order, &row, &row);
            row.keys = NULL;
        }
        if (stage->verb != GRAPH_PROJECT && stage->verb != GRAPH_SUMMARIZE)
            continue;
        for (size_t c = 0; c < stage->count; c++)
            next[c] = graph_evaluate(stage->expressions[c], &row, arena);
        row.cells = next;
    }
    struct buffer b = buffer_new(arena);
    json_begin_array(&b);
    for (size_t c = 0; c < query->schema.count; c++)
        graph_write(&b, &row.cells[c]);
    json_end_array(&b);
    json_t *json = json_loadb(b.base, b.length, 0, NULL);
    if (!json)
        abort();
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    struct graph_fault fault = {TEXT_NONE, NULL};
    struct graph_values values;
    struct text text = {(const char *)data, size};
    struct graph_query *query = size > 0 && text_is_utf8(text) ? graph_parse(arena, text, &fault) : NULL;
    if (query) {
        if (query->schema.count > GRAPH_COLUMNS || query->stage_count > GRAPH_STAGES)
            abort();
        for (size_t c = 0; c < SOURCE_COLUMNS; c++)
            graph_bounds(query, (enum graph_source_column)c, arena, &values);
        run(query, arena);
    } else if (size > 0 && text_is_utf8(text) && (!fault.message || !text_is_utf8(fault.word))) {
        abort(); // the answer names the word
    }
    arena_free(arena);
    return 0;
}
