// Driving rows through a query's stages. Rows stream; what has to wait for the last of them (an order with a
// take, a summary, the page that is given out) keeps a bounded number. A page ends at a row's sort keys and
// tie, and the next begins behind them: what is created and deleted meanwhile moves no other row from one
// page to another.
#include "arm/graph_run.h"
#include "arm/errors.h"
#include "arm/graph_window.h"

#include "base/arena.h"
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>

enum { KEPT = 5000, GIVEN = INT32_MAX, MEMORY = 64 << 20, PATIENCE = 20 * 1000 * 1000 }; // microseconds

struct stage_state {
    struct graph_order order; // in force where the stage stands
    int64_t taken;
    struct graph_window *window;
    struct graph_groups *groups;
};

struct run {
    struct arm_call *call;
    struct graph_source *source;
    const struct graph_query *query;
    const struct graph_page *page;
    struct stage_state stages[GRAPH_STAGES + 1]; // the last: the result's
    // The page. `room`: how many rows it has at most; `given`: rows of the pages before.
    struct graph_row boundary; // tie absent on the first page
    size_t room, skipped;
    int64_t given, total, beyond; // beyond: rows behind the boundary (and behind what is skipped)
    bool total_known;
    struct graph_row **list; // in the order of the source
    size_t count, bytes;     // bytes: of the rows of the list
    struct arena *arena;
};

void graph_fail_query(struct arm_call *call, const char *code, const char *word, const char *message)
{
    if (call->failed)
        return;
    arm_fail(call, ARM_GRAPH_FAILED, TEXT_ARG(clock_iso7(call->arena, clock_wall())),
             call->request->correlation_id);
    arm_fail_detail(call, code, word, message);
}

static struct stage_state *final_of(struct run *r)
{
    return &r->stages[r->query->stage_count];
}

// A few long texts in many columns of many rows are more memory than there is, and more work.
bool graph_goes_on(struct graph_source *source, size_t bytes)
{
    if (bytes > MEMORY) {
        graph_fail_query(source->call, "InvalidQuery", "query",
                         "The query is invalid: its rows are larger than 64 MiB; project fewer or shorter "
                         "columns, or take fewer rows.");
    } else if (clock_monotonic() >= source->until) {
        graph_fail_query(
            source->call, "QueryTimeout", NULL,
            "The query took too long: conditions on type, subscriptionId, resourceGroup, name or id make it "
            "look at less.");
    }
    return !source->call->failed;
}

// ---- the page

static void keep(struct run *r, const struct graph_row *row)
{
    size_t cells = r->query->plain ? SOURCE_COLUMNS : r->query->schema.count;
    if (final_of(r)->window) {
        graph_goes_on(r->source, graph_window_add(final_of(r)->window, row, cells));
    } else if (r->count < r->room) {
        r->list[r->count] = graph_keep(row, cells, 0);
        r->bytes += r->list[r->count++]->size;
        graph_goes_on(r->source, r->bytes);
    }
}

// A row of the result; for plain queries with the cells that it had in the source.
static bool finish_row(struct run *r, const struct graph_row *row)
{
    bool ordered = final_of(r)->window != NULL;
    if (!ordered && r->query->limit >= 0 && r->total == r->query->limit && !r->total_known)
        return false;
    if (!r->total_known)
        r->total++;
    if (r->boundary.tie.base && graph_order_compare(&final_of(r)->order, row, &r->boundary) <= 0)
        return true;
    if (!ordered && r->skipped < r->page->skip) {
        r->skipped++;
        return true;
    }
    r->beyond++;
    keep(r, row);
    if (r->call->failed)
        return false;
    // Where the number of all is known already, one row more tells that there is another page.
    return ordered || !r->total_known || r->beyond <= (int64_t)r->room;
}

// ---- stages

static struct graph_value *project(const struct graph_stage *stage, uint64_t wanted, struct graph_row *row,
                                   struct arena *arena)
{
    struct graph_value *cells = ARENA_ARRAY(arena, struct graph_value, stage->count + 1);
    for (size_t i = 0; i < stage->count; i++)
        if (wanted >> i & 1)
            cells[i] = graph_evaluate(stage->expressions[i], row, arena);
    return cells;
}

static void compute_keys(const struct graph_stage *stage, struct graph_row *row, struct arena *arena)
{
    struct graph_value *keys = ARENA_ARRAY(arena, struct graph_value, stage->key_count);
    for (size_t i = 0; i < stage->key_count; i++) {
        keys[i] = graph_evaluate(stage->keys[i].expression, row, arena);
        if (keys[i].kind == GRAPH_DYNAMIC) // as a token will bring it back
            keys[i] = graph_string(graph_to_string(&keys[i], arena));
    }
    row->keys = keys;
}

static bool summarize(struct run *r, size_t at, struct graph_row *row, struct arena *arena)
{
    const struct graph_stage *stage = &r->query->stages[at];
    if (graph_groups_add(r->stages[at].groups, project(stage, UINT64_MAX, row, arena), stage->count, arena))
        return graph_goes_on(r->source, graph_groups_bytes(r->stages[at].groups));
    graph_fail_query(r->call, "InvalidQuery", stage->counts ? "summarize" : "distinct",
                     "The query is invalid: it makes more than 10000 groups.");
    return false;
}

static bool push(struct run *r, size_t at, struct graph_row row, struct arena *arena);

static bool take(struct run *r, size_t at, const struct graph_row *row, struct arena *arena)
{
    const struct graph_stage *stage = &r->query->stages[at];
    struct stage_state *state = &r->stages[at];
    if (state->window)
        return graph_goes_on(r->source, graph_window_add(state->window, row, stage->count));
    if (state->taken == stage->number)
        return false;
    state->taken++;
    return push(r, at + 1, *row, arena) && state->taken < stage->number;
}

// From stage `at` on; false when no more rows are wanted.
static bool push(struct run *r, size_t at, struct graph_row row, struct arena *arena)
{
    struct graph_value *origin = row.cells;
    for (; at < r->query->stage_count; at++) {
        const struct graph_stage *stage = &r->query->stages[at];
        switch (stage->verb) {
        case GRAPH_WHERE:
            if (!graph_true(stage->condition, &row, arena))
                return true;
            break;
        case GRAPH_PROJECT:
            row.cells = project(stage, stage->live, &row, arena);
            break;
        case GRAPH_ORDER:
            compute_keys(stage, &row, arena);
            break;
        case GRAPH_TAKE:
            return take(r, at, &row, arena);
        case GRAPH_SUMMARIZE:
            return summarize(r, at, &row, arena);
        }
    }
    if (r->query->plain)
        row.cells = origin;
    return finish_row(r, &row);
}

static bool source_row(void *argument, struct graph_row *row, struct arena *batch)
{
    struct run *r = argument;
    return push(r, r->source->stages_done, *row, batch) && graph_goes_on(r->source, arena_size(batch));
}

// What the stage kept goes on, once there are no more rows before it.
static void drain(struct run *r, size_t at)
{
    struct stage_state *state = &r->stages[at];
    const struct graph_stage *stage = &r->query->stages[at];
    struct graph_row **rows = NULL;
    size_t count = 0;
    struct graph_value zero = {.kind = GRAPH_INTEGER, .integer = 0};
    struct graph_row none = {.cells = &zero, .tie = TEXT("[]")}, *one = &none;
    if (state->window)
        rows = graph_window_rows(state->window, &count);
    else if (state->groups)
        rows = graph_groups_rows(state->groups, stage->counts, &count);
    if (state->groups && count == 0 && stage->counts && stage->count == 0) { // of no rows there are none
        rows = &one;
        count = 1;
    }
    for (size_t i = 0; i < count && graph_goes_on(r->source, 0); i++) {
        struct arena *arena = arena_new();
        bool more = push(r, at + 1, *rows[i], arena);
        for (size_t c = 0; c < GRAPH_COLUMNS && rows[i] != &none && c < stage->count; c++)
            rows[i]->cells[c].json = NULL; // was parsed in that arena
        arena_free(arena);
        if (!more)
            break;
    }
}

// ---- tokens: [fingerprint, rows given, total, tie, [keys]]

static struct text write_token(struct run *r, uint64_t fingerprint, const struct graph_row *last)
{
    struct buffer b = buffer_new(r->arena);
    json_begin_array(&b);
    json_text(&b, text_of(arena_printf(r->arena, "%016llx", (unsigned long long)fingerprint)));
    json_int(&b, r->given + (int64_t)r->count);
    json_int(&b, r->total);
    json_text(&b, text_base64(r->arena, last->tie.base, last->tie.length));
    json_begin_array(&b);
    for (size_t i = 0; last->keys && i < final_of(r)->order.count; i++)
        graph_write(&b, &last->keys[i]);
    json_end_array(&b);
    json_end_array(&b);
    return text_base64url(r->arena, b.base, b.length);
}

static void drop_json(void *json)
{
    json_decref(json);
}

static bool read_token(struct run *r, uint64_t fingerprint)
{
    struct text text = TEXT_NONE;
    if (r->page->token.length > 32768 || !text_unbase64url(r->arena, r->page->token, &text))
        return false;
    json_t *json = json_loadb(text.base, text.length, 0, NULL);
    if (!json)
        return false;
    arena_on_free(r->arena, drop_json, json);
    const json_t *given = json_array_get(json, 1), *total = json_array_get(json, 2),
                 *keys = json_array_get(json, 4);
    const char *mark = json_string_value(json_array_get(json, 0)),
               *tie = json_string_value(json_array_get(json, 3));
    char wanted[17];
    snprintf(wanted, sizeof wanted, "%016llx", (unsigned long long)fingerprint);
    if (!mark || strcmp(mark, wanted) != 0 || !tie || !json_is_integer(given) || !json_is_integer(total) ||
        json_array_size(keys) != final_of(r)->order.count ||
        !text_unbase64(r->arena, text_of(tie), &r->boundary.tie) || !text_is_utf8(r->boundary.tie) ||
        json_integer_value(given) < 0 || json_integer_value(given) > GIVEN)
        return false;
    r->given = json_integer_value(given);
    if (json_array_size(keys) > 0)
        r->boundary.keys = ARENA_ARRAY(r->arena, struct graph_value, json_array_size(keys));
    for (size_t i = 0; i < json_array_size(keys); i++)
        r->boundary.keys[i] = graph_of_json(json_array_get(keys, i));
    // In the order of the source the rows before need not be looked at again, so they are not counted anew.
    if (r->query->plain && final_of(r)->order.count == 0) {
        r->total_known = true;
        r->total = json_integer_value(total);
        r->source->after = r->boundary.tie;
    }
    return true;
}

// ---- begin and end

// The columns that come out of the stages before: what a window has to keep.
static size_t width_at(const struct graph_query *query, size_t at)
{
    while (at-- > 0) {
        const struct graph_stage *stage = &query->stages[at];
        if (stage->verb == GRAPH_PROJECT)
            return stage->count;
        if (stage->verb == GRAPH_SUMMARIZE)
            return stage->count + stage->counts;
    }
    return SOURCE_COLUMNS;
}

static void too_many(struct run *r, const char *word)
{
    graph_fail_query(
        r->call, "InvalidQuery", word,
        "The query is invalid: of sorted rows at most 5000 can be taken or skipped; $skipToken leads on.");
}

static bool begin_stages(struct run *r)
{
    struct graph_order order = {NULL, 0};
    for (size_t i = 0; i <= r->query->stage_count; i++) {
        struct graph_stage *stage = &r->query->stages[i];
        r->stages[i].order = order;
        if (i == r->query->stage_count)
            break;
        if (stage->verb == GRAPH_ORDER)
            order = (struct graph_order){stage->keys, stage->key_count};
        if (stage->verb == GRAPH_SUMMARIZE) {
            r->stages[i].groups = graph_groups_new();
            order = (struct graph_order){NULL, 0};
        }
        if (stage->verb == GRAPH_TAKE && order.count > 0) {
            if (stage->number > KEPT)
                too_many(r, "take");
            stage->count = width_at(r->query, i);
            r->stages[i].window = graph_window_new(&order, (size_t)stage->number);
        }
    }
    return !r->call->failed;
}

static bool begin(struct run *r, uint64_t fingerprint)
{
    if (!begin_stages(r))
        return false;
    if (r->page->token.base && !read_token(r, fingerprint)) {
        graph_fail_query(r->call, "InvalidSkipToken", "$skipToken",
                         "The $skipToken is not one of this query, its subscriptions and its order.");
        return false;
    }
    size_t skip = r->page->token.base ? 0 : r->page->skip;
    int64_t left = r->query->limit < 0 ? INT64_MAX : r->query->limit - r->given - (int64_t)skip;
    r->room = left <= 0 ? 0 : left < (int64_t)r->page->top ? (size_t)left : r->page->top;
    if (final_of(r)->order.count > 0) {
        if (skip > KEPT)
            too_many(r, "$skip");
        final_of(r)->window = graph_window_new(&final_of(r)->order, skip + r->room);
    } else {
        r->list = xcalloc(r->room + 1, sizeof(void *));
    }
    return !r->call->failed;
}

// The rows of the page, as they were kept.
static struct graph_row **page_rows(struct run *r, size_t *count)
{
    if (!final_of(r)->window) {
        *count = r->count;
        return r->list;
    }
    struct graph_row **rows = graph_window_rows(final_of(r)->window, count);
    size_t skip = r->page->token.base ? 0 : r->page->skip;
    r->skipped = skip < *count ? skip : *count;
    *count -= r->skipped;
    return rows + r->skipped;
}

// Source rows become rows of the result: their properties, then the projections.
static void complete(struct run *r, struct graph_row **rows, size_t count)
{
    const struct graph_query *query = r->query;
    if (query->table == GRAPH_RESOURCES && (query->whole & ~query->live) >> COLUMN_PROPERTIES & 1)
        graph_fill_properties(r->call, rows, count, r->arena);
    size_t before = arena_size(r->arena);
    for (size_t i = 0; i < count && graph_goes_on(r->source, arena_size(r->arena) - before); i++)
        for (size_t s = 0; s < query->stage_count; s++)
            if (query->stages[s].verb == GRAPH_PROJECT)
                rows[i]->cells = project(&query->stages[s], query->stages[s].whole, rows[i], r->arena);
}

static void end(struct run *r, uint64_t fingerprint, struct graph_result *result)
{
    size_t count;
    struct graph_row **rows = page_rows(r, &count);
    r->count = count;
    if (r->query->limit >= 0 && r->total > r->query->limit)
        r->total = r->query->limit;
    if (!r->page->token.base)
        r->given = (int64_t)r->skipped;
    bool more =
        r->beyond > (int64_t)count + (final_of(r)->window && !r->page->token.base ? (int64_t)r->skipped : 0);
    more = more && count > 0 && (r->query->limit < 0 || r->given + (int64_t)count < r->query->limit);
    result->token = more ? write_token(r, fingerprint, rows[count - 1]) : TEXT_NONE;
    result->total = r->total;
    result->count = count;
    result->rows = ARENA_ARRAY(r->arena, struct graph_row *, count + 1);
    for (size_t i = 0; i < count; i++) { // kept ones end with the run
        size_t cells = r->query->plain ? SOURCE_COLUMNS : r->query->schema.count;
        result->rows[i] = ARENA_NEW(r->arena, struct graph_row);
        *result->rows[i] = *rows[i];
        result->rows[i]->cells = ARENA_ARRAY(r->arena, struct graph_value, cells + 1);
        for (size_t c = 0; c < cells; c++) {
            result->rows[i]->cells[c] = rows[i]->cells[c];
            if (rows[i]->cells[c].text.base)
                result->rows[i]->cells[c].text = text_copy(r->arena, rows[i]->cells[c].text);
        }
    }
    if (r->query->plain)
        complete(r, result->rows, count);
}

static void release(struct run *r)
{
    for (size_t i = 0; i <= r->query->stage_count; i++) {
        graph_window_free(r->stages[i].window);
        graph_groups_free(r->stages[i].groups);
    }
    for (size_t i = 0; r->list && i < r->room; i++)
        free(r->list[i]);
    free(r->list);
}

bool graph_run(struct graph_source *source, const struct graph_page *page, uint64_t fingerprint,
               struct graph_result *result)
{
    struct run *r = ARENA_NEW(source->call->arena, struct run);
    *r = (struct run){.call = source->call,
                      .source = source,
                      .query = source->query,
                      .page = page,
                      .arena = source->call->arena};
    source->until = clock_monotonic() + PATIENCE;
    if (begin(r, fingerprint) && graph_walk(source, source_row, r)) {
        for (size_t i = 0; i < r->query->stage_count && !r->call->failed; i++)
            drain(r, i);
        if (!r->call->failed)
            end(r, fingerprint, result);
    }
    release(r);
    return !source->call->failed;
}
