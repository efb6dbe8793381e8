// Keeping rows: each copy is one piece of the heap, so that what falls out of a window costs nothing any
// more.
#include "arm/graph_window.h"

#include "base/arena.h"
#include "base/buffer.h"

#include <stdlib.h>

enum { GROUPS = 10000, SLOTS = 32768 };

// ---- copies

static size_t text_size(const struct graph_value *value)
{
    return value->kind == GRAPH_STRING || value->kind == GRAPH_DYNAMIC ? value->text.length + 1 : 0;
}

static void copy_value(struct graph_value *to, const struct graph_value *from, char **bytes)
{
    *to = *from;
    to->json = NULL;
    if (from->kind != GRAPH_STRING && from->kind != GRAPH_DYNAMIC)
        return;
    if (from->text.length > 0)
        memcpy(*bytes, from->text.base, from->text.length);
    (*bytes)[from->text.length] = '\0';
    to->text.base = *bytes;
    *bytes += from->text.length + 1;
}

// An object that is known as parsed JSON only gets its text, in the arena.
static void settle(struct graph_value *values, size_t count, struct arena *arena)
{
    for (size_t i = 0; i < count; i++)
        if (values[i].kind == GRAPH_DYNAMIC && !values[i].text.base)
            values[i].text = graph_to_string(&values[i], arena);
}

struct graph_row *graph_keep(const struct graph_row *row, size_t cells, size_t keys)
{
    struct arena *arena = arena_new();
    keys = row->keys ? keys : 0;
    settle(row->cells, cells, arena);
    size_t size = row->tie.length + 1;
    for (size_t i = 0; i < cells; i++)
        size += text_size(&row->cells[i]);
    for (size_t i = 0; i < keys; i++)
        size += text_size(&row->keys[i]);
    size += sizeof(struct graph_row) + (cells + keys) * sizeof(struct graph_value);
    struct graph_row *kept = xmalloc(size);
    kept->size = size;
    kept->cells = (struct graph_value *)(kept + 1);
    kept->keys = keys > 0 ? kept->cells + cells : NULL;
    kept->id = row->id;
    char *bytes = (char *)(kept->cells + cells + keys);
    for (size_t i = 0; i < cells; i++)
        copy_value(&kept->cells[i], &row->cells[i], &bytes);
    for (size_t i = 0; i < keys; i++)
        copy_value(&kept->keys[i], &row->keys[i], &bytes);
    if (row->tie.length > 0)
        memcpy(bytes, row->tie.base, row->tie.length);
    kept->tie = (struct text){bytes, row->tie.length};
    arena_free(arena);
    return kept;
}

// ---- order

static int compare_key(const struct graph_key *key, const struct graph_value *a, const struct graph_value *b)
{
    bool null_a = a->kind == GRAPH_NULL, null_b = b->kind == GRAPH_NULL;
    if (null_a != null_b)
        return null_a == key->nulls_last ? 1 : -1;
    int order = graph_compare(a, b);
    return key->descending ? -order : order;
}

static int compare_ties(struct text a, struct text b)
{
    int order = memcmp(a.base, b.base, a.length < b.length ? a.length : b.length);
    return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

int graph_order_compare(const struct graph_order *order, const struct graph_row *a, const struct graph_row *b)
{
    for (size_t i = 0; i < order->count && a->keys && b->keys; i++) {
        int found = compare_key(&order->keys[i], &a->keys[i], &b->keys[i]);
        if (found != 0)
            return found;
    }
    return compare_ties(a->tie, b->tie);
}

// ---- windows: a heap whose top is the last of what is kept

struct graph_window {
    struct graph_order order;
    size_t limit, count, capacity, bytes;
    struct graph_row **rows;
};

struct graph_window *graph_window_new(const struct graph_order *order, size_t limit)
{
    struct graph_window *window = xcalloc(1, sizeof *window);
    window->order = *order;
    window->limit = limit;
    return window;
}

static void sift_up(struct graph_window *w, size_t at)
{
    while (at > 0) {
        size_t parent = (at - 1) / 2;
        if (graph_order_compare(&w->order, w->rows[parent], w->rows[at]) >= 0)
            return;
        struct graph_row *row = w->rows[parent];
        w->rows[parent] = w->rows[at];
        w->rows[at] = row;
        at = parent;
    }
}

static void sift_down(struct graph_window *w, size_t count)
{
    for (size_t at = 0;;) {
        size_t last = at, child = 2 * at + 1;
        for (size_t i = child; i < child + 2 && i < count; i++)
            if (graph_order_compare(&w->order, w->rows[i], w->rows[last]) > 0)
                last = i;
        if (last == at)
            return;
        struct graph_row *row = w->rows[last];
        w->rows[last] = w->rows[at];
        w->rows[at] = row;
        at = last;
    }
}

size_t graph_window_add(struct graph_window *w, const struct graph_row *row, size_t cells)
{
    if (w->limit == 0 || (w->count == w->limit && graph_order_compare(&w->order, row, w->rows[0]) >= 0))
        return w->bytes;
    struct graph_row *kept = graph_keep(row, cells, w->order.count);
    w->bytes += kept->size;
    if (w->count == w->limit) {
        w->bytes -= w->rows[0]->size;
        free(w->rows[0]);
        w->rows[0] = kept;
        sift_down(w, w->count);
        return w->bytes;
    }
    if (w->count == w->capacity) {
        w->capacity = w->capacity ? w->capacity * 2 : 64;
        w->rows = xrealloc(w->rows, w->capacity * sizeof(void *));
    }
    w->rows[w->count] = kept;
    sift_up(w, w->count++);
    return w->bytes;
}

struct graph_row **graph_window_rows(struct graph_window *w, size_t *count)
{
    *count = w->count;
    for (size_t left = w->count; left > 1; left--) { // heap sort
        struct graph_row *row = w->rows[0];
        w->rows[0] = w->rows[left - 1];
        w->rows[left - 1] = row;
        sift_down(w, left - 1);
    }
    return w->rows;
}

void graph_window_free(struct graph_window *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->count; i++)
        free(w->rows[i]);
    free(w->rows);
    free(w);
}

// ---- groups

struct group {
    uint64_t hash;
    struct graph_row *row; // with a cell more than it groups by, for the number
    int64_t count;
    size_t cells;
};
struct graph_groups {
    struct group *groups;
    size_t count, capacity, bytes;
    uint32_t slots[SLOTS]; // index + 1
    struct graph_row **rows;
};

struct graph_groups *graph_groups_new(void)
{
    return xcalloc(1, sizeof(struct graph_groups));
}

static uint64_t hash_of(struct text text)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < text.length; i++)
        h = (h ^ (unsigned char)text.base[i]) * 1099511628211u;
    return h;
}

bool graph_groups_add(struct graph_groups *g, const struct graph_value *cells, size_t count,
                      struct arena *arena)
{
    struct buffer b = buffer_new(arena);
    json_begin_array(&b);
    for (size_t i = 0; i < count; i++)
        graph_write(&b, &cells[i]);
    json_end_array(&b);
    struct text key = buffer_done(&b);
    uint64_t hash = hash_of(key);
    size_t slot = (size_t)(hash ^ hash >> 32) % SLOTS;
    for (; g->slots[slot]; slot = (slot + 1) % SLOTS) {
        struct group *found = &g->groups[g->slots[slot] - 1];
        if (found->hash == hash && text_equal(found->row->tie, key)) {
            found->count++;
            return true;
        }
    }
    if (g->count == GROUPS)
        return false;
    if (g->count == g->capacity) {
        g->capacity = g->capacity ? g->capacity * 2 : 64;
        g->groups = xrealloc(g->groups, g->capacity * sizeof *g->groups);
    }
    struct graph_value *copy = ARENA_ARRAY(arena, struct graph_value, count + 1);
    memcpy(copy, cells, count * sizeof *cells);
    struct graph_row row = {.cells = copy, .tie = key};
    g->groups[g->count] = (struct group){hash, graph_keep(&row, count + 1, 0), 1, count};
    g->bytes += g->groups[g->count].row->size;
    g->slots[slot] = (uint32_t)++g->count;
    return true;
}

size_t graph_groups_bytes(const struct graph_groups *g)
{
    return g->bytes;
}

static int compare_rows(const void *a, const void *b)
{
    const struct graph_row *const *x = a, *const *y = b;
    return compare_ties((*x)->tie, (*y)->tie);
}

struct graph_row **graph_groups_rows(struct graph_groups *g, bool counts, size_t *count)
{
    free(g->rows);
    g->rows = xcalloc(g->count + 1, sizeof(void *));
    for (size_t i = 0; i < g->count; i++) {
        g->rows[i] = g->groups[i].row;
        if (counts)
            g->rows[i]->cells[g->groups[i].cells] =
                (struct graph_value){.kind = GRAPH_INTEGER, .integer = g->groups[i].count};
    }
    qsort(g->rows, g->count, sizeof(void *), compare_rows);
    *count = g->count;
    return g->rows;
}

void graph_groups_free(struct graph_groups *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < g->count; i++)
        free(g->groups[i].row);
    free(g->groups);
    free(g->rows);
    free(g);
}
