// The rows of Resource Graph's tables, out of the database, and only those that the caller may read.
#pragma once
#include "arm/call.h"
#include "arm/graph.h"

struct graph_source {
    struct arm_call *call;
    const struct graph_query *query;
    const struct text *subscriptions; // lower case, in their order; each may be seen by the caller
    size_t subscription_count;
    struct text after; // the tie of the last row that is not wanted any more; absent: from the first
    // Stages at the start of the query whose conditions every row meets already.
    size_t stages_done;
    int64_t until; // monotonic microseconds: when to give up
};
// Asked between rows: false, the call failed, when it took too long or when what was made of rows, `bytes`,
// is too much (graph_run.c).
bool graph_goes_on(struct graph_source *source, size_t bytes);
// What the caller may see of the subscriptions asked for; none asked for (count 0, asked NULL): all.
void graph_subscriptions(struct graph_source *source, const struct text *asked, size_t count);

// Calls `row` for each row, in the order of ties, until it answers false. The row and what it borrows live as
// long as `batch`. False when the call failed.
typedef bool graph_row_taker(void *argument, struct graph_row *row, struct arena *batch);
bool graph_walk(struct graph_source *source, graph_row_taker *row, void *argument);

// Fills the properties of rows of `resources` that have none yet, a statement for each type.
void graph_fill_properties(struct arm_call *call, struct graph_row *const *rows, size_t count,
                           struct arena *arena);
