// What a dependsOn entry or the target of reference() names (arm-templates 6): a symbolic name, a full id, a
// relative one, a loop, or a bare name.
#include "templates/plan_state.h"

// "symbol[3]": the symbol and the number.
static bool indexed(struct text written, struct text *symbol, int64_t *index)
{
    ptrdiff_t open = text_find(written, '[');
    if (open <= 0 || written.base[written.length - 1] != ']')
        return false;
    *symbol = text_slice(written, 0, (size_t)open);
    return text_to_int64(text_slice(written, (size_t)open + 1, written.length - 1), index);
}

static enum plan_found of_source(const struct plan_state *state, size_t number, struct plan_range *range)
{
    const struct plan_source *source = &state->sources[number];
    *range = (struct plan_range){.first = source->first, .count = source->count};
    return source->resource->copy != NULL ? FOUND_MANY : FOUND_ONE;
}

static enum plan_found by_symbol(const struct plan_state *state, struct text written,
                                 struct plan_range *range)
{
    const struct name_entry *found = name_index_find(state->symbols, written);
    if (found != NULL)
        return of_source(state, found->number, range);
    struct text symbol;
    int64_t index = 0;
    if (!indexed(written, &symbol, &index) || (found = name_index_find(state->symbols, symbol)) == NULL)
        return FOUND_NONE;
    enum plan_found kind = of_source(state, found->number, range);
    if (kind != FOUND_MANY || (size_t)index >= range->count)
        return FOUND_NONE;
    range->first += (size_t)index;
    range->count = 1;
    return FOUND_ONE;
}

size_t plan_symbol(const struct plan_state *state, struct text written)
{
    struct text symbol = written;
    int64_t index = 0;
    const struct name_entry *found = name_index_find(state->symbols, written);
    if (found == NULL && indexed(written, &symbol, &index))
        found = name_index_find(state->symbols, symbol);
    return found != NULL ? found->number : SIZE_MAX;
}

// One that is written before one that is only read.
static enum plan_found by_id(const struct plan_state *state, struct text id, struct plan_range *range)
{
    const struct name_entry *found = name_index_find(state->ids, id), *best = found;
    for (; found != NULL && state->plan->nodes[best->number].existing; found = name_index_next(found))
        best = found;
    if (best == NULL)
        return FOUND_NONE;
    *range = (struct plan_range){.first = best->number, .count = 1};
    return FOUND_ONE;
}

// A whole name wins over the last segment of a longer one.
static enum plan_found by_name(const struct plan_state *state, struct text name, struct plan_range *range)
{
    size_t whole = 0, part = 0, whole_node = 0, part_node = 0;
    for (const struct name_entry *e = name_index_find(state->names, name); e != NULL && whole < 2;
         e = name_index_next(e)) {
        const struct plan_node *node = &state->plan->nodes[e->number];
        if (node->written_name.length == name.length) {
            whole += whole == 0 || !text_equal_nocase(node->id, state->plan->nodes[whole_node].id);
            whole_node = e->number;
        } else {
            part += part == 0 || !text_equal_nocase(node->id, state->plan->nodes[part_node].id);
            part_node = e->number;
        }
    }
    if (whole == 0 && part == 0)
        return FOUND_NONE;
    *range = (struct plan_range){.first = whole > 0 ? whole_node : part_node, .count = 1};
    return whole == 1 || (whole == 0 && part == 1) ? FOUND_ONE : FOUND_AMBIGUOUS;
}

static struct text without_slashes(struct text written)
{
    while (written.length > 1 && written.base[written.length - 1] == '/')
        written.length--;
    return written;
}

static struct text relative_id(const struct plan_state *state, struct arena *arena, struct text written)
{
    static const char group[] = "Microsoft.Resources/resourceGroups/";
    if (state->target.scope == SCOPE_SUBSCRIPTION && text_starts_nocase(written, group))
        return TEXT_JOIN(arena, state->scope_id, TEXT("/resourceGroups/"),
                         text_slice(written, sizeof group - 1, written.length));
    return TEXT_JOIN(arena, state->scope_id, TEXT("/providers/"), written);
}

enum plan_found plan_resolve(const struct plan_state *state, struct arena *arena, struct text written,
                             bool loops, struct plan_range *range)
{
    written = without_slashes(written);
    if (written.length == 0)
        return FOUND_NONE;
    enum plan_found found = state->document->symbolic ? by_symbol(state, written, range) : FOUND_NONE;
    if (found != FOUND_NONE)
        return found;
    if (written.base[0] == '/')
        return by_id(state, id_canonical(arena, written), range);
    const struct name_entry *loop = loops ? name_index_find(state->loops, written) : NULL;
    if (loop != NULL) {
        found = of_source(state, loop->number, range);
        range->more = name_index_next(loop);
        return found;
    }
    if (text_find(written, '/') > 0) {
        found = by_id(state, relative_id(state, arena, written), range);
        if (found != FOUND_NONE)
            return found;
    }
    return by_name(state, written, range);
}

struct text plan_outside_id(const struct plan_state *state, struct arena *arena, struct text written)
{
    written = without_slashes(written);
    if (written.length > 1 && written.base[0] == '/')
        return id_canonical(arena, written);
    ptrdiff_t slash = text_find(written, '/');
    if (slash <= 0 || text_find(text_slice(written, 0, (size_t)slash), '.') < 0)
        return TEXT_NONE;
    return relative_id(state, arena, written);
}

static struct text within_scope(const struct plan_state *state, struct text id)
{
    static const char providers[] = "/providers/";
    struct text scope = state->scope_id;
    if (id.length <= scope.length || !text_equal_nocase(text_slice(id, 0, scope.length), scope))
        return id;
    struct text rest = text_slice(id, scope.length, id.length);
    return text_starts_nocase(rest, providers) ? text_slice(rest, sizeof providers - 1, rest.length) : id;
}

struct text plan_undefined_name(const struct plan_state *state, struct text written)
{
    return within_scope(state, written);
}

struct text plan_short_id(const struct plan_state *state, const struct plan_node *node)
{
    return within_scope(state, node->id);
}
