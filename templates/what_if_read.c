// How resources are shown: as the caller's own GETs answer, and what else is in the groups that a deployment
// writes to.
#include "templates/reader.h"
#include "templates/type_versions.h"
#include "templates/what_if.h"

#include "arm/resource_id.h"
#include "arm/types.h"
#include "base/clock.h"

// Beyond so many that are only to be ignored, they are shown as lists show them, without their properties.
enum { OTHERS_READ = 200 };
#define LIST_VERSION "2021-04-01"

struct what_if_resource *what_if_add(struct what_if *w, struct text id, struct text type,
                                     struct text api_version)
{
    if (w->count == w->capacity) {
        size_t capacity = w->capacity ? w->capacity * 2 : 64;
        struct what_if_resource *more = ARENA_ARRAY(w->arena, struct what_if_resource, capacity);
        if (w->count > 0)
            memcpy(more, w->resources, w->count * sizeof *more);
        w->resources = more;
        w->capacity = capacity;
    }
    struct what_if_resource *r = &w->resources[w->count++];
    *r = (struct what_if_resource){.id = id, .type = type, .api_version = api_version};
    return r;
}

const struct value *what_if_get(const struct arm_inner *inner, struct db_transaction *tx, struct arena *arena,
                                struct text target, int *status)
{
    struct arena *own = arena_new();
    struct arm_inner asking = *inner;
    struct arm_inner_request request = {.method = HTTP_GET, .target = target};
    struct http_answer answer = {0};
    struct reader_error error;
    const void *context = db_context(tx);
    asking.arena = own;
    arm_inner_within(&asking, &request, tx, &answer);
    db_set_context(tx, context);
    *status = answer.status;
    const struct value *read = answer.status == 200 ? reader_read(arena, answer.body, NULL, &error) : NULL;
    arena_free(own);
    return read;
}

struct reading {
    struct what_if *w;
    struct arm_inner inner;
    size_t first;
    struct text subscription_id, group; // of the others
    bool complete;
};

static struct reading reading_of(struct what_if *w)
{
    struct reading reading = {.w = w, .inner = arm_inner_of(w->call)};
    reading.inner.counted = true;
    return reading;
}

// ---- what the deployment writes, as it is now

static bool read_before(struct db_transaction *tx, void *argument)
{
    struct reading *reading = argument;
    struct what_if *w = reading->w;
    for (size_t i = reading->first; i < w->count && !db_failed(tx); i++) {
        struct what_if_resource *r = &w->resources[i];
        int status;
        if (r->unsupported)
            continue;
        r->before =
            what_if_get(&reading->inner, tx, w->arena, type_target(w->arena, r->id, r->api_version), &status);
        if (status == 403)
            r->unsupported = WHAT_IF_UNREADABLE;
    }
    return true;
}

enum db_outcome what_if_read_before(struct what_if *w, size_t first)
{
    struct reading reading = reading_of(w);
    reading.first = first;
    return db_transact(w->connection, read_before, &reading);
}

// ---- what it does not write

static struct text version_of(struct text full)
{
    ptrdiff_t slash = text_find(full, '/');
    const struct arm_type *type = slash < 0 ? NULL
                                            : arm_type_find(text_slice(full, 0, (size_t)slash),
                                                            text_slice(full, (size_t)slash + 1, full.length));
    return text_of(type ? type->versions[0] : LIST_VERSION);
}

static struct name_index *ids_of(const struct what_if *w)
{
    struct name_index *ids = name_index_new(w->arena, w->count);
    for (size_t i = 0; i < w->count; i++)
        name_index_add(ids, w->resources[i].id, i);
    return ids;
}

void what_if_note_existing(struct what_if *w, const struct plan *plan)
{
    for (size_t i = 0; i < plan->node_count; i++) {
        if (!plan->nodes[i].existing)
            continue;
        if (!w->existing)
            w->existing = name_index_new(w->arena, plan->node_count);
        name_index_add(w->existing, plan->nodes[i].id, i);
    }
}

// Tokens and scope maps stay, whatever the mode (arm-templates 6.6).
static bool stays(const struct reading *reading, struct text id, struct text type)
{
    return !reading->complete || (reading->w->existing && name_index_find(reading->w->existing, id)) ||
           text_ends(text_lower(reading->w->arena, type), "/tokens") ||
           text_ends(text_lower(reading->w->arena, type), "/scopemaps");
}

static void add_other(struct reading *reading, struct db_transaction *tx, const struct value *item)
{
    struct what_if *w = reading->w;
    struct text id = value_text(VALUE_FIND(item, "id")), type = value_text(VALUE_FIND(item, "type"));
    struct what_if_resource *r = what_if_add(w, id, type, version_of(type));
    const struct value *whole = NULL;
    bool kept = stays(reading, id, type);
    int status;
    r->other = true;
    if ((!kept || w->count - reading->first <= OTHERS_READ) && clock_monotonic() < w->deadline)
        whole =
            what_if_get(&reading->inner, tx, w->arena, type_target(w->arena, id, r->api_version), &status);
    r->before = whole ? whole : item;
    r->after = kept ? r->before : NULL;
}

// A page after the other: the link to the next is absolute, and on our own host.
static struct text next_of(const struct value *page)
{
    struct text link = value_text(VALUE_FIND(page, "nextLink"));
    ptrdiff_t at = link.base ? text_search(link, TEXT("/subscriptions/")) : -1;
    return at < 0 ? TEXT_NONE : text_slice(link, (size_t)at, link.length);
}

static bool read_group(struct db_transaction *tx, void *argument)
{
    struct reading *reading = argument;
    struct what_if *w = reading->w;
    struct name_index *ids;
    struct text group = resource_id_of_group(w->arena, reading->subscription_id, reading->group);
    struct text target = TEXT_JOIN(
        w->arena, type_target(w->arena, TEXT_JOIN(w->arena, group, TEXT("/resources")), TEXT(LIST_VERSION)),
        TEXT("&$top=1000"));
    w->count = reading->first;
    ids = ids_of(w);
    while (target.base && !db_failed(tx)) {
        int status;
        const struct value *page = what_if_get(&reading->inner, tx, w->arena, target, &status);
        const struct value *items = VALUE_FIND(page, "value");
        for (size_t i = 0; items && items->kind == VALUE_ARRAY && i < items->array.count && !db_failed(tx);
             i++)
            if (!name_index_find(ids, value_text(VALUE_FIND(items->array.items[i], "id"))))
                add_other(reading, tx, items->array.items[i]);
        target = next_of(page);
    }
    return true;
}

static enum db_outcome read_others_of(struct what_if *w, struct text subscription_id, struct text group,
                                      bool complete)
{
    struct reading reading = reading_of(w);
    reading.first = w->count;
    reading.subscription_id = subscription_id;
    reading.group = group;
    reading.complete = complete;
    return db_transact(w->connection, read_group, &reading);
}

enum db_outcome what_if_read_others(struct what_if *w)
{
    const struct deployment *d = &w->request.deployment;
    struct name_index *groups = name_index_new(w->arena, 16);
    enum db_outcome outcome = DB_COMMITTED;
    size_t written = w->count;
    if (d->group.base) {
        name_index_add(groups, resource_id_of_group(w->arena, d->subscription_id, d->group), 0);
        outcome = read_others_of(w, d->subscription_id, d->group, text_is(d->mode, "Complete"));
    }
    // Groups that nested deployments go to, which are never Complete.
    for (size_t i = 0; i < written && outcome == DB_COMMITTED; i++) {
        struct resource_id id;
        if (!resource_id_parse(w->arena, w->resources[i].id, &id) || !id.group.base || !id.type.base)
            continue;
        struct text group = resource_id_of_group(w->arena, id.subscription_id, id.group);
        if (name_index_find(groups, group))
            continue;
        name_index_add(groups, group, 0);
        outcome = read_others_of(w, id.subscription_id, id.group, false);
    }
    return outcome;
}
