// Parting a plan: what has nothing to do with each other is tried in transactions of its own, so that none
// holds what others wait for longer than it must.
#include "templates/what_if.h"

#include <stdlib.h>

size_t *what_if_order(struct arena *arena, const struct plan *plan)
{
    size_t n = plan->node_count, done = 0, edges = 0;
    size_t *waits = ARENA_ARRAY(arena, size_t, n + 1), *order = ARENA_ARRAY(arena, size_t, n + 1);
    size_t *first = ARENA_ARRAY(arena, size_t, n + 2);
    for (size_t i = 0; i < n; i++) {
        waits[i] = plan->nodes[i].dependency_count;
        edges += waits[i];
        for (size_t d = 0; d < plan->nodes[i].dependency_count; d++)
            first[plan->nodes[i].dependencies[d].node + 1]++;
    }
    size_t *waiting = ARENA_ARRAY(arena, size_t, edges + 1), *end = ARENA_ARRAY(arena, size_t, n + 1);
    for (size_t i = 0; i < n; i++) {
        first[i + 1] += first[i];
        end[i] = first[i];
    }
    for (size_t i = 0; i < n; i++)
        for (size_t d = 0; d < plan->nodes[i].dependency_count; d++)
            waiting[end[plan->nodes[i].dependencies[d].node]++] = i;
    size_t ready = 0;
    for (size_t i = 0; i < n; i++)
        if (waits[i] == 0)
            order[ready++] = i;
    for (; done < ready; done++)
        for (size_t e = first[order[done]]; e < end[order[done]]; e++)
            if (--waits[waiting[e]] == 0)
                order[ready++] = waiting[e];
    return order; // plans have no cycles: ready is n
}

// ---- parts: a forest of nodes

static size_t root(size_t *parents, size_t node)
{
    while (parents[node] != node) {
        parents[node] = parents[parents[node]];
        node = parents[node];
    }
    return node;
}

static void join(size_t *parents, size_t a, size_t b)
{
    a = root(parents, a);
    b = root(parents, b);
    if (a < b)
        parents[b] = a;
    else
        parents[a] = b;
}

static size_t count_nodes(const struct plan *plan)
{
    size_t count = plan->node_count;
    for (size_t i = 0; i < plan->node_count; i++)
        if (plan->nodes[i].nested)
            count += count_nodes(plan->nodes[i].nested);
    return count;
}

static void add_ids(struct name_index *ids, const struct plan *plan, size_t outer)
{
    for (size_t i = 0; i < plan->node_count; i++) {
        size_t number = outer == SIZE_MAX ? i : outer;
        if (!plan->nodes[i].deployed)
            continue;
        name_index_add(ids, plan->nodes[i].id, number);
        if (plan->nodes[i].nested)
            add_ids(ids, plan->nodes[i].nested, number);
    }
}

// With every deployed resource that this one is or stands in: registry and webhook, lock and what it locks,
// group and what is in it.
static void join_above(size_t *parents, const struct name_index *ids, struct text id, size_t number)
{
    for (size_t end = id.length; end > 0; end--) {
        if (end < id.length && id.base[end] != '/')
            continue;
        const struct name_entry *found = name_index_find(ids, text_slice(id, 0, end));
        for (; found; found = name_index_next(found))
            join(parents, number, found->number);
    }
}

static void join_all(size_t *parents, const struct name_index *ids, const struct plan *plan, size_t outer)
{
    for (size_t i = 0; i < plan->node_count; i++) {
        size_t number = outer == SIZE_MAX ? i : outer;
        if (!plan->nodes[i].deployed)
            continue;
        join_above(parents, ids, plan->nodes[i].id, number);
        if (plan->nodes[i].nested)
            join_all(parents, ids, plan->nodes[i].nested, number);
    }
}

// A nested deployment whose plan is made when its turn comes may write anything.
static bool is_unknown(const struct plan *plan)
{
    for (size_t i = 0; i < plan->node_count; i++) {
        const struct plan_node *node = &plan->nodes[i];
        if (!node->deployed || !text_is_nocase(node->type, DEPLOYMENT_TYPE))
            continue;
        if (!node->nested || is_unknown(node->nested))
            return true;
    }
    return false;
}

size_t *what_if_parts(struct arena *arena, const struct plan *plan, size_t *count)
{
    size_t n = plan->node_count;
    size_t *parents = ARENA_ARRAY(arena, size_t, n + 1), *parts = ARENA_ARRAY(arena, size_t, n + 1);
    bool one = is_unknown(plan);
    for (size_t i = 0; i < n; i++)
        parents[i] = one ? 0 : i;
    for (size_t i = 0; i < n; i++)
        for (size_t d = 0; d < plan->nodes[i].dependency_count; d++)
            join(parents, i, plan->nodes[i].dependencies[d].node);
    if (!one) {
        struct name_index *ids = name_index_new(arena, count_nodes(plan));
        add_ids(ids, plan, SIZE_MAX);
        join_all(parents, ids, plan, SIZE_MAX);
    }
    *count = 0;
    for (size_t i = 0; i < n; i++) {
        size_t first = root(parents, i);
        parts[i] = first == i ? (*count)++ : parts[first];
    }
    return parts;
}
