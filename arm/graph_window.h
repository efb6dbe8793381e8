// What is kept of rows that pass by: the first of an order, and the groups of a summary. Both are bounded.
#pragma once
#include "arm/graph.h"

struct graph_order {
    const struct graph_key *keys;
    size_t count;
};
// By the keys, then by the tie: two rows are never equal.
int graph_order_compare(const struct graph_order *order, const struct graph_row *a,
                        const struct graph_row *b);

// A copy that stands by itself, with `keys` keys where the row has any; free() ends it.
struct graph_row *graph_keep(const struct graph_row *row, size_t cells, size_t keys);

// The first `limit` rows of an order.
struct graph_window;
struct graph_window *graph_window_new(const struct graph_order *order, size_t limit);
// The bytes that it keeps now.
size_t graph_window_add(struct graph_window *window, const struct graph_row *row, size_t cells);
// In order. The rows stay the window's.
struct graph_row **graph_window_rows(struct graph_window *window, size_t *count);
void graph_window_free(struct graph_window *window);

// Rows that are alike, each once, with how often they came.
struct graph_groups;
struct graph_groups *graph_groups_new(void);
// False when there are too many already.
bool graph_groups_add(struct graph_groups *groups, const struct graph_value *cells, size_t count,
                      struct arena *arena);
size_t graph_groups_bytes(const struct graph_groups *groups);
// In a lasting order. `counts`: the number of rows is a cell behind the others. The rows stay the groups'.
struct graph_row **graph_groups_rows(struct graph_groups *groups, bool counts, size_t *count);
void graph_groups_free(struct graph_groups *groups);
