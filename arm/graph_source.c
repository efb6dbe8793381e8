// Walking arm.resource, arm.subscription and arm.resource_group in pieces of a thousand rows, by fixed
// statements: a query's conditions choose among them and give their values, they never become SQL. Whatever
// the pieces let through is judged again by the query itself.
#include "arm/graph_source.h"
#include "arm/errors.h"
#include "arm/resource_id.h"
#include "arm/types.h"

#include "base/arena.h"

#include <stdlib.h>

enum { PIECE = 1000, TYPES = 64 };

#define COLUMNS "r.id, g.name, r.type, r.name, r.location, r.tags, r.sku, r.state, r.name_key"
#define FROM " from arm.resource r join arm.resource_group g on g.id = r.group_id "
#define BEHIND "and (r.name_key, r.id) > ($3, $4::bigint) order by r.name_key, r.id limit $5"
enum { ID, GROUP, TYPE, NAME, LOCATION, TAGS, SKU, STATE, NAME_KEY };

static const struct db_statement of_subscription = {
    "graph_resources_subscription",
    "select " COLUMNS FROM "where r.subscription_id = $1::uuid and r.type_key = $2 " BEHIND};
static const struct db_statement of_group = {"graph_resources_group",
                                             "select " COLUMNS FROM
                                             "where r.group_id = $1::bigint and r.type_key = $2 " BEHIND};
static const struct db_statement of_name = {
    "graph_resources_name",
    "select " COLUMNS FROM
    "where r.subscription_id = $1::uuid and r.type_key = $2 and r.name_key = $6 " BEHIND};
static const struct db_statement group_find = {
    "graph_group_find",
    "select g.id from arm.resource_group g where g.subscription_id = $1::uuid and g.name_key = $2"};
static const struct db_statement subscription_get = {
    "graph_subscription",
    "select s.display_name, s.state from arm.subscription s where s.subscription_id = $1::uuid"};
static const struct db_statement groups_of = {
    "graph_groups", "select g.id, g.name, g.location, g.tags, g.managed_by, g.state, g.name_key "
                    "from arm.resource_group g where g.subscription_id = $1::uuid and g.name_key > $2 "
                    "order by g.name_key limit $3"};

struct walk {
    struct graph_source *source;
    struct arm_call *call;
    graph_row_taker *take;
    void *argument;
    struct text subscription;
    bool ended; // the taker wants no more, or the call failed
};

// ---- the order of rows: subscription, type, name, id

static struct text tie_of(struct arena *arena, struct text subscription, struct text type, struct text name,
                          int64_t id)
{
    return text_of(arena_printf(arena, "%.*s\x01%.*s\x01%.*s\x01%020lld", TEXT_ARG(subscription),
                                TEXT_ARG(type), TEXT_ARG(name), (long long)id));
}

struct place {
    struct text part[4]; // absent where the tie is
};

static struct place place_of(struct text tie)
{
    struct place place = {0};
    for (size_t i = 0; i < 4 && tie.base; i++) {
        ptrdiff_t end = text_find(tie, '\x01');
        place.part[i] = end < 0 ? tie : text_slice(tie, 0, (size_t)end);
        tie = end < 0 ? TEXT_NONE : text_slice(tie, (size_t)end + 1, tie.length);
    }
    return place;
}

static int compare(const void *a, const void *b)
{
    const struct text *x = a, *y = b;
    int order = memcmp(x->base, y->base, x->length < y->length ? x->length : y->length);
    return order != 0 ? order : (x->length > y->length) - (x->length < y->length);
}

// ---- which subscriptions

static bool asked_for(const struct text *asked, size_t count, const char *id)
{
    if (!asked)
        return true;
    for (size_t i = 0; i < count; i++)
        if (text_is_nocase(asked[i], id))
            return true;
    return false;
}

void graph_subscriptions(struct graph_source *source, const struct text *asked, size_t count)
{
    const struct arm_call *call = source->call;
    const struct rbac_snapshot *snapshot = call->snapshot;
    size_t all = rbac_subscription_count(snapshot), found = 0;
    struct text *ids = ARENA_ARRAY(call->arena, struct text, all + 1);
    bool operator_host = text_is(call->request->host, site()->config->host_admin);
    for (size_t i = 0; i < all; i++) {
        const struct rbac_subscription *s = rbac_subscription_at(snapshot, i);
        struct text scope = text_of(arena_printf(call->arena, "/subscriptions/%s", s->subscription_id));
        // The operator's own is seen from the operator's host only (decisions 53).
        if ((!s->operator_owned || operator_host) && strcmp(s->tenant_id, call->caller->tenant_id) == 0 &&
            asked_for(asked, count, s->subscription_id) &&
            rbac_has_any(snapshot, call->caller->object_id, scope))
            ids[found++] = text_copy(call->arena, text_of(s->subscription_id));
    }
    qsort(ids, found, sizeof *ids, compare);
    source->subscriptions = ids;
    source->subscription_count = found;
}

// ---- rows

static void no_cells(struct graph_value *cells)
{
    memset(cells, 0, SOURCE_COLUMNS * sizeof *cells); // GRAPH_NULL
    cells[COLUMN_KIND] = cells[COLUMN_MANAGED_BY] = cells[COLUMN_LOCATION] = cells[COLUMN_GROUP] =
        graph_string(TEXT(""));
}

static struct graph_value dynamic(struct text json)
{
    return (struct graph_value){.kind = json.base ? GRAPH_DYNAMIC : GRAPH_NULL, .text = json};
}

static struct text object_of(struct arena *arena, const char *first, struct text value, const char *second)
{
    struct buffer b = buffer_new(arena);
    json_begin_object(&b);
    json_key_text(&b, first, value);
    if (second)
        json_key_text(&b, second, value);
    json_end_object(&b);
    return buffer_done(&b);
}

// Whether the conditions at the start of the query hold, as far as they need no properties.
static bool meets(const struct walk *w, struct graph_row *row, struct arena *batch)
{
    const struct graph_query *query = w->source->query;
    for (size_t i = 0; i < w->source->stages_done; i++)
        if (!graph_true(query->stages[i].condition, row, batch))
            return false;
    return true;
}

static size_t stages_before_properties(const struct graph_query *query)
{
    size_t count = 0;
    while (count < query->stage_count && query->stages[count].verb == GRAPH_WHERE &&
           !(query->stages[count].condition->columns >> COLUMN_PROPERTIES & 1))
        count++;
    return count;
}

// ---- resources

static void resource_row(const struct walk *w, struct graph_row *row, const struct db_result *rows, size_t i,
                         struct text type_key, struct arena *batch)
{
    struct graph_value *cells = row->cells = ARENA_ARRAY(batch, struct graph_value, SOURCE_COLUMNS);
    struct text group = db_get(rows, i, GROUP), sku = db_get(rows, i, SKU);
    no_cells(cells);
    cells[COLUMN_ID] = graph_string(
        resource_id_build(batch, w->subscription, group, db_get(rows, i, TYPE), db_get(rows, i, NAME)));
    cells[COLUMN_NAME] = graph_string(db_get(rows, i, NAME));
    cells[COLUMN_TYPE] = graph_string(type_key);
    cells[COLUMN_TENANT] = graph_string(text_of(w->call->caller->tenant_id));
    cells[COLUMN_LOCATION] = graph_string(db_get(rows, i, LOCATION));
    cells[COLUMN_GROUP] = graph_string(group);
    cells[COLUMN_SUBSCRIPTION] = graph_string(w->subscription);
    cells[COLUMN_SKU] = dynamic(sku.base ? object_of(batch, "name", sku, "tier") : TEXT_NONE);
    cells[COLUMN_TAGS] = dynamic(db_get(rows, i, TAGS));
    row->id = db_get_int(rows, i, ID);
    row->tie = tie_of(batch, w->subscription, type_key, db_get(rows, i, NAME_KEY), row->id);
}

// The rows of a piece that the conditions and the caller's rights let through.
static size_t select_rows(const struct walk *w, const struct db_result *rows, struct text type_key,
                          struct graph_row **chosen, struct arena *batch)
{
    size_t count = 0;
    for (size_t i = 0; i < db_rows(rows) && graph_goes_on(w->source, arena_size(batch)); i++) {
        struct graph_row *row = ARENA_NEW(batch, struct graph_row);
        resource_row(w, row, rows, i, type_key, batch);
        if (!meets(w, row, batch))
            continue;
        const char *action = arena_printf(batch, "%.*s/read", TEXT_ARG(db_get(rows, i, TYPE)));
        if (arm_may(w->call, action, row->cells[COLUMN_ID].text))
            chosen[count++] = row;
    }
    return count;
}

static const struct arm_type *type_of_key(struct text key)
{
    ptrdiff_t slash = text_find(key, '/');
    return slash < 0 ? NULL
                     : arm_type_find(text_slice(key, 0, (size_t)slash),
                                     text_slice(key, (size_t)slash + 1, key.length));
}

void graph_fill_properties(struct arm_call *call, struct graph_row *const *rows, size_t count,
                           struct arena *arena)
{
    int64_t *ids = ARENA_ARRAY(arena, int64_t, count + 1);
    size_t *places = ARENA_ARRAY(arena, size_t, count + 1);
    bool *done = ARENA_ARRAY(arena, bool, count + 1);
    for (size_t first = 0; first < count; first++) {
        if (done[first] || rows[first]->id == 0)
            continue;
        struct text key = rows[first]->cells[COLUMN_TYPE].text;
        const struct arm_type *type = type_of_key(key);
        size_t n = 0;
        for (size_t i = first; i < count; i++)
            if (!done[i] && text_equal(rows[i]->cells[COLUMN_TYPE].text, key)) {
                done[i] = true;
                places[n] = i;
                ids[n++] = rows[i]->id;
            }
        struct text *properties = ARENA_ARRAY(arena, struct text, n);
        if (type && type->properties_of)
            type->properties_of(call->tx, arena, ids, n, properties);
        for (size_t i = 0; i < n; i++)
            rows[places[i]]->cells[COLUMN_PROPERTIES] =
                dynamic(properties[i].base ? properties[i] : TEXT("{\"provisioningState\":\"Succeeded\"}"));
    }
}

static void give(struct walk *w, struct graph_row **rows, size_t count, struct arena *batch)
{
    if ((w->source->query->live >> COLUMN_PROPERTIES & 1) && w->source->query->table == GRAPH_RESOURCES)
        graph_fill_properties(w->call, rows, count, batch);
    for (size_t i = 0; i < count && !w->ended; i++)
        w->ended = !w->take(w->argument, rows[i], batch) || w->call->failed;
}

// All pieces of one statement, from behind (name, id) on.
static void walk_pieces(struct walk *w, const struct db_statement *statement, struct db_value where,
                        struct text type_key, struct text name, struct text from_name, int64_t from_id)
{
    struct arena *names = arena_new();
    for (bool more = true; more && !w->ended && graph_goes_on(w->source, 0);) {
        struct arena *batch = arena_new();
        struct db_value values[] = {where,           db_text(type_key), db_text(from_name),
                                    db_int(from_id), db_int(PIECE),     db_text(name)};
        const struct db_result *rows = db_run(w->call->tx, statement, values, name.base ? 6 : 5);
        struct graph_row **chosen = ARENA_ARRAY(batch, struct graph_row *, PIECE);
        give(w, chosen, select_rows(w, rows, type_key, chosen, batch), batch);
        more = db_rows(rows) == PIECE;
        if (more) {
            from_id = db_get_int(rows, PIECE - 1, ID);
            from_name = text_copy(names, db_get(rows, PIECE - 1, NAME_KEY));
        }
        db_done(rows);
        arena_free(batch);
    }
    arena_free(names);
}

static void walk_type(struct walk *w, struct text type_key, struct place from)
{
    struct arena *arena = w->call->arena;
    const struct graph_query *query = w->source->query;
    struct graph_values names, groups;
    struct text name = TEXT("");
    int64_t id = 0;
    if (from.part[1].base && text_equal(from.part[1], type_key)) {
        name = from.part[2];
        text_to_int64(from.part[3], &id);
    }
    if (graph_bounds(query, COLUMN_NAME, arena, &names)) {
        qsort(names.values, names.count, sizeof *names.values, compare);
        for (size_t i = 0; i < names.count && !w->ended; i++)
            if (compare(&names.values[i], &name) >= 0)
                walk_pieces(w, &of_name, db_text(w->subscription), type_key, names.values[i], name, id);
        return;
    }
    if (graph_bounds(query, COLUMN_GROUP, arena, &groups) && groups.count == 1) {
        const struct db_result *row =
            DB_RUN(w->call->tx, &group_find, db_text(w->subscription), db_text(groups.values[0]));
        if (db_rows(row) > 0)
            walk_pieces(w, &of_group, db_int(db_get_int(row, 0, 0)), type_key, TEXT_NONE, name, id);
        return;
    }
    walk_pieces(w, &of_subscription, db_text(w->subscription), type_key, TEXT_NONE, name, id);
}

static bool among(const struct graph_values *values, struct text value)
{
    for (size_t i = 0; i < values->count; i++)
        if (text_equal_nocase(values->values[i], value))
            return true;
    return false;
}

static void walk_resources(struct walk *w, struct place from)
{
    struct text keys[TYPES];
    struct graph_values wanted;
    size_t count = 0;
    bool bounded = graph_bounds(w->source->query, COLUMN_TYPE, w->call->arena, &wanted);
    for (size_t i = 0; i < arm_type_count() && count < TYPES; i++) {
        const struct arm_type *type = arm_type_at(i);
        if (!type->tracked)
            continue;
        struct text name = text_of(arena_printf(w->call->arena, "%s/%s", type->namespace_name, type->name));
        struct text key = text_lower(w->call->arena, name);
        if ((!bounded || among(&wanted, key)) && (!from.part[1].base || compare(&key, &from.part[1]) >= 0))
            keys[count++] = key;
    }
    qsort(keys, count, sizeof *keys, compare);
    for (size_t i = 0; i < count && !w->ended; i++)
        walk_type(w, keys[i], from);
}

// ---- subscriptions and groups

#define SUBSCRIPTION_KEY TEXT("microsoft.resources/subscriptions")
#define GROUP_KEY TEXT("microsoft.resources/subscriptions/resourcegroups")

static void container_cells(const struct walk *w, struct graph_row *row, struct text type, struct text id,
                            struct text name)
{
    no_cells(row->cells);
    row->cells[COLUMN_ID] = graph_string(id);
    row->cells[COLUMN_NAME] = graph_string(name);
    row->cells[COLUMN_TYPE] = graph_string(type);
    row->cells[COLUMN_TENANT] = graph_string(text_of(w->call->caller->tenant_id));
    row->cells[COLUMN_SUBSCRIPTION] = graph_string(w->subscription);
}

static struct text subscription_properties(struct arena *arena, struct text state)
{
    struct buffer b = buffer_new(arena);
    json_begin_object(&b);
    json_key_text(&b, "state", state);
    json_key_raw(
        &b, "subscriptionPolicies",
        TEXT(
            "{\"locationPlacementId\":\"AzureStack\",\"quotaId\":\"AzureStack\",\"spendingLimit\":\"Off\"}"));
    json_end_object(&b);
    return buffer_done(&b);
}

static void walk_subscription(struct walk *w)
{
    struct arena *batch = arena_new();
    const struct db_result *rows = DB_RUN(w->call->tx, &subscription_get, db_text(w->subscription));
    struct graph_value cells[SOURCE_COLUMNS];
    struct graph_row row = {.cells = cells}, *chosen = &row;
    if (db_rows(rows) > 0) {
        struct text id = TEXT_JOIN(batch, TEXT("/subscriptions/"), w->subscription);
        container_cells(w, &row, SUBSCRIPTION_KEY, id, db_get(rows, 0, 0));
        cells[COLUMN_PROPERTIES] = dynamic(subscription_properties(batch, db_get(rows, 0, 1)));
        row.tie = tie_of(batch, w->subscription, SUBSCRIPTION_KEY, TEXT(""), 0);
        give(w, &chosen, meets(w, &row, batch), batch);
    }
    db_done(rows);
    arena_free(batch);
}

static bool group_row(const struct walk *w, struct graph_row *row, const struct db_result *rows, size_t i,
                      struct arena *batch)
{
    struct text id = resource_id_of_group(batch, w->subscription, db_get(rows, i, 1));
    row->cells = ARENA_ARRAY(batch, struct graph_value, SOURCE_COLUMNS);
    container_cells(w, row, GROUP_KEY, id, db_get(rows, i, 1));
    row->cells[COLUMN_GROUP] = row->cells[COLUMN_NAME];
    row->cells[COLUMN_LOCATION] = graph_string(db_get(rows, i, 2));
    row->cells[COLUMN_TAGS] = dynamic(db_get(rows, i, 3));
    row->cells[COLUMN_MANAGED_BY] = graph_string(db_get(rows, i, 4));
    row->cells[COLUMN_PROPERTIES] = dynamic(object_of(batch, "provisioningState", db_get(rows, i, 5), NULL));
    row->tie = tie_of(batch, w->subscription, GROUP_KEY, db_get(rows, i, 6), db_get_int(rows, i, 0));
    return meets(w, row, batch) &&
           arm_may(w->call, "Microsoft.Resources/subscriptions/resourceGroups/read", id);
}

static void walk_groups(struct walk *w, struct text from_name)
{
    struct arena *names = arena_new();
    for (bool more = true; more && !w->ended && graph_goes_on(w->source, 0);) {
        struct arena *batch = arena_new();
        const struct db_result *rows =
            DB_RUN(w->call->tx, &groups_of, db_text(w->subscription), db_text(from_name), db_int(PIECE));
        for (size_t i = 0; i < db_rows(rows) && !w->ended && graph_goes_on(w->source, arena_size(batch));
             i++) {
            struct graph_row row = {0}, *chosen = &row;
            give(w, &chosen, group_row(w, &row, rows, i, batch), batch);
        }
        more = db_rows(rows) == PIECE;
        if (more)
            from_name = text_copy(names, db_get(rows, PIECE - 1, 6));
        db_done(rows);
        arena_free(batch);
    }
    arena_free(names);
}

static void walk_containers(struct walk *w, struct place from)
{
    struct graph_values wanted;
    bool bounded = graph_bounds(w->source->query, COLUMN_TYPE, w->call->arena, &wanted);
    bool at_groups = from.part[1].base && text_equal(from.part[1], GROUP_KEY);
    if ((!bounded || among(&wanted, SUBSCRIPTION_KEY)) && !from.part[1].base)
        walk_subscription(w);
    if (!w->ended && (!bounded || among(&wanted, GROUP_KEY)))
        walk_groups(w, at_groups ? from.part[2] : TEXT(""));
}

bool graph_walk(struct graph_source *source, graph_row_taker *row, void *argument)
{
    struct walk w = {.source = source, .call = source->call, .take = row, .argument = argument};
    struct place from = place_of(source->after);
    struct graph_values wanted;
    bool bounded = graph_bounds(source->query, COLUMN_SUBSCRIPTION, w.call->arena, &wanted);
    source->stages_done = stages_before_properties(source->query);
    for (size_t i = 0; i < source->subscription_count && !w.ended; i++) {
        w.subscription = source->subscriptions[i];
        int order = from.part[0].base ? compare(&w.subscription, &from.part[0]) : 1;
        if (order < 0 || (bounded && !among(&wanted, w.subscription)))
            continue;
        struct place here = order == 0 ? from : (struct place){0};
        if (source->query->table == GRAPH_RESOURCES)
            walk_resources(&w, here);
        else
            walk_containers(&w, here);
    }
    return !w.call->failed;
}
