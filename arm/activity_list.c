// Microsoft.Insights: the activity log's list, newest first, and its categories (arm-core 2.7). A row is one
// operation; its two events stand where their times put them among those of other rows.
#include "arm/activity_row.h"
#include "arm/errors.h"
#include "arm/resource.h"
#include "arm/types.h"

#include "base/arena.h"
#include "base/clock.h"

#include <inttypes.h>
#include <stdlib.h>

#define ACTION "Microsoft.Insights/eventtypes/values/read"

enum {
    PAGE = 200,     // events, unless $top says less
    SCANNED = 5000, // rows that one page looks at
    SLACK = 64,     // rows that lie before a page and have their begin in it
};

// What was looked at (how many, and the oldest of them), then what fits of it. A row that ended after the
// upper bound may have begun before it: a request takes less than a minute.
static const struct db_statement list_statement = {
    "activity_list",
    "with scanned as materialized (select a.*, "
    "($6::text is null or lower(a.scope collate \"C\") = $6 or starts_with(lower(a.scope collate \"C\"), $6 "
    "|| '/')) "
    "and ($7::text is null or starts_with(lower(a.action collate \"C\"), $7 || '/')) "
    "and ($8::text is null or lower(a.correlation_id collate \"C\") = $8) "
    "and ($9::text is null or lower(a.caller collate \"C\") = $9 or a.object_id::text = $9 or a.app_id = $9) "
    "and ($10::text is null or lower(a.action collate \"C\") = $10) "
    "and ($11::text is null or a.operation_id::text = $11) "
    "and (not $12::boolean or a.ended and a.status >= 400) "
    "and ($13::text is null or case $13 when 'started' then a.started_at is not null "
    "when 'failed' then a.ended and a.status >= 400 when 'accepted' then a.ended and a.status = 202 "
    "else a.ended and a.status < 400 end) as hit "
    "from arm.activity a where a.log_id = $1::uuid "
    "and a.at >= 'epoch'::timestamptz + $2::bigint * interval '1 microsecond' "
    "and a.at <= 'epoch'::timestamptz + ($3::bigint + 60000000) * interval '1 microsecond' "
    "and ((a.at, a.id) <= ('epoch'::timestamptz + $3::bigint * interval '1 microsecond', $14::bigint) "
    "or (a.started_at, a.id) <= ('epoch'::timestamptz + $3::bigint * interval '1 microsecond', $14::bigint)) "
    "order by a.at desc, a.id desc limit $4) "
    "select e.count, (extract(epoch from e.at) * 1000000)::bigint, e.id, " ACTIVITY_COLUMNS " "
    "from (select count(*) over () as count, o.at, o.id from scanned o order by o.at, o.id limit 1) e "
    "left join (select h.* from scanned h where h.hit order by h.at desc, h.id desc limit $5) s on true "
    "order by s.at desc, s.id desc"};

// A place among the events, which are ordered by time, row, and begin before end.
struct place {
    int64_t time, id;
    enum activity_event_kind kind;
};

static int compare(const struct place *a, const struct place *b)
{
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    return (a->kind > b->kind) - (a->kind < b->kind);
}

static struct place place_of(const struct activity_event *event)
{
    return (struct place){event->time, event->id, event->kind};
}

struct listing {
    struct arm_call *call;
    struct activity_filter filter;
    uint64_t select;
    size_t top;
    struct place before; // events at and behind it were on earlier pages
    struct place rest;   // where the next page begins
    bool more;
    struct buffer values;
    size_t written;
    struct activity_event *pending; // begins whose turn comes, unordered
    size_t pending_count;
    struct text judged; // the scope judged last
    bool allowed;
};

// ---- asking

static bool read_place(struct listing *l, struct text token)
{
    l->before = (struct place){INT64_MAX, INT64_MAX, ACTIVITY_END};
    if (!token.base)
        return true;
    int kind, end = 0;
    bool sound = sscanf(text_cstr(l->call->arena, token), "%" SCNd64 ".%" SCNd64 ".%d%n", &l->before.time,
                        &l->before.id, &kind, &end) == 3 &&
                 (size_t)end == token.length && (kind == ACTIVITY_BEGIN || kind == ACTIVITY_END) &&
                 l->before.time >= 0; // PostgreSQL's times have an end, too
    if (!sound) {
        arm_fail(l->call, ARM_INVALID_SKIP_TOKEN);
        return false;
    }
    l->before.kind = (enum activity_event_kind)kind;
    return true;
}

static bool ask(struct listing *l)
{
    struct arm_call *call = l->call;
    struct text token, expression = http_query(call->request, "$filter");
    struct text select = http_query(call->request, "$select");
    const char *why;
    if (!arm_page_of_query(call, &l->top, &token) || !read_place(l, token))
        return false;
    if (l->top > PAGE || http_query(call->request, "$top").length == 0)
        l->top = PAGE;
    if (!activity_filter_parse(call->arena, expression, &l->filter, &why)) {
        arm_fail(call, ARM_INVALID_FILTER, TEXT_ARG(expression), why);
        return false;
    }
    if (select.base && !activity_select_parse(select, &l->select)) {
        arm_fail(call, ARM_INVALID_SELECT, TEXT_ARG(select));
        return false;
    }
    int64_t oldest = clock_wall() - (int64_t)activity_days() * 86400 * 1000000;
    if (l->filter.from < oldest)
        l->filter.from = oldest;
    if (!l->filter.has_to)
        l->filter.to = clock_wall() + 60000000; // the database's clock may be ahead
    return true;
}

static struct text lower(const struct listing *l, struct text t)
{
    return t.base ? text_lower(l->call->arena, t) : TEXT_NONE;
}

// The group or the resource as the start of a scope; both given: the resource, and what is not in the group
// is no hit later on.
static struct text scope_of(const struct listing *l)
{
    struct arena *arena = l->call->arena;
    struct text resource = lower(l, l->filter.resource);
    while (resource.length > 1 && resource.base[resource.length - 1] == '/')
        resource.length--;
    if (resource.base)
        return resource;
    if (!l->filter.group.base)
        return TEXT_NONE;
    return TEXT_JOIN(arena, TEXT("/subscriptions/"), l->call->subscription_id, TEXT("/resourcegroups/"),
                     lower(l, l->filter.group));
}

static const struct db_result *look(struct listing *l)
{
    const struct activity_filter *f = &l->filter;
    bool first = f->to < l->before.time;
    int64_t to = first ? f->to : l->before.time, id = first ? INT64_MAX : l->before.id;
    struct text log = l->call->subscription_id;
    if (!log.base)
        log = text_of(l->call->caller->tenant_id);
    return DB_RUN(l->call->tx, &list_statement, db_text(log), db_int(f->from), db_int(to), db_int(SCANNED),
                  db_int((int64_t)l->top + SLACK), db_text(scope_of(l)),
                  db_text(lower(l, f->type.base ? f->type : f->provider)),
                  db_text(lower(l, f->correlation_id)), db_text(lower(l, f->caller)),
                  db_text(lower(l, f->operation_name)), db_text(lower(l, f->operation_id)),
                  db_bool(f->level.base && text_is_nocase(f->level, "Error")), db_text(lower(l, f->status)),
                  db_int(id));
}

// ---- answering

// What the statement cannot tell of a row, because its two events differ.
static bool fits(const struct listing *l, const struct activity_event *event)
{
    const struct activity_filter *f = &l->filter;
    struct text action = db_get(event->rows, event->row, ACTIVITY_ACTION);
    if (event->time < f->from || event->time > f->to)
        return false;
    if (f->status.base && !text_is_nocase(f->status, activity_status_of(event)))
        return false;
    if (f->level.base && !text_is_nocase(f->level, activity_level_of(event)))
        return false;
    if (f->type.base && !text_equal_nocase(f->type, activity_type_of(event)))
        return false;
    ptrdiff_t slash = text_find(action, '/');
    if (f->provider.base &&
        !text_equal_nocase(f->provider, text_slice(action, 0, slash < 0 ? 0 : (size_t)slash)))
        return false;
    if (f->group.base && !text_equal_nocase(f->group, activity_group_of(event)))
        return false;
    if (f->category.base && !text_is_nocase(f->category, "Administrative"))
        return false;
    return !f->channels.base || text_search(lower(l, f->channels), TEXT("operation")) >= 0;
}

static bool may_read(struct listing *l, const struct activity_event *event)
{
    struct text scope = db_get(event->rows, event->row, ACTIVITY_SCOPE);
    if (!l->judged.base || !text_equal(scope, l->judged)) {
        l->judged = scope;
        l->allowed = arm_may(l->call, ACTION, scope);
    }
    return l->allowed;
}

// False when the page is full: the event begins the next one.
static bool write_event(struct listing *l, const struct activity_event *event)
{
    struct place place = place_of(event);
    if (compare(&place, &l->before) >= 0 || !fits(l, event) || !may_read(l, event))
        return true;
    if (l->written == l->top) {
        l->more = true;
        return false;
    }
    activity_write_event(&l->values, l->call, event, l->select);
    l->written++;
    l->rest = place;
    return true;
}

// The begins that come before `limit` (NULL: all), newest first.
static bool write_pending(struct listing *l, const struct place *limit)
{
    while (l->pending_count > 0) {
        size_t newest = 0;
        for (size_t i = 1; i < l->pending_count; i++) {
            struct place a = place_of(&l->pending[i]), b = place_of(&l->pending[newest]);
            if (compare(&a, &b) > 0)
                newest = i;
        }
        struct activity_event event = l->pending[newest];
        struct place place = place_of(&event);
        if (limit && compare(&place, limit) < 0)
            return true;
        l->pending[newest] = l->pending[--l->pending_count];
        if (!write_event(l, &event))
            return false;
    }
    return true;
}

static bool write_row(struct listing *l, const struct db_result *rows, size_t row)
{
    struct activity_event event = {.kind = ACTIVITY_END,
                                   .id = db_get_int(rows, row, ACTIVITY_ID),
                                   .time = db_get_int(rows, row, ACTIVITY_AT),
                                   .submitted = db_get_int(rows, row, ACTIVITY_AT),
                                   .rows = rows,
                                   .row = row};
    struct place place = place_of(&event);
    if (!write_pending(l, &place))
        return false;
    if (!db_is_null(rows, row, ACTIVITY_STARTED)) {
        struct activity_event begin = event;
        begin.kind = ACTIVITY_BEGIN;
        begin.time = db_get_int(rows, row, ACTIVITY_STARTED);
        l->pending[l->pending_count++] = begin;
    }
    return !db_get_bool(rows, row, ACTIVITY_ENDED) || write_event(l, &event);
}

// Up to where everything was looked at; false: to the end.
static bool looked_until(const struct listing *l, const struct db_result *rows, struct place *edge)
{
    size_t count = db_rows(rows);
    if (count == l->top + SLACK) {
        *edge = (struct place){db_get_int(rows, count - 1, ACTIVITY_AT),
                               db_get_int(rows, count - 1, ACTIVITY_ID), ACTIVITY_END};
        return true;
    }
    *edge = (struct place){db_get_int(rows, 0, 1), db_get_int(rows, 0, 2), ACTIVITY_END};
    return db_get_int(rows, 0, 0) == SCANNED;
}

static void write_rows(struct listing *l, const struct db_result *rows)
{
    size_t count = db_rows(rows);
    if (count == 0)
        return;
    l->pending = ARENA_ARRAY(l->call->arena, struct activity_event, count);
    for (size_t i = 0; i < count && !db_is_null(rows, i, ACTIVITY_ID); i++)
        if (!write_row(l, rows, i))
            return;
    struct place edge;
    bool cut = looked_until(l, rows, &edge);
    if (!write_pending(l, cut ? &edge : NULL) || !cut)
        return;
    l->more = true;
    l->rest = compare(&edge, &l->before) < 0 ? edge : l->before;
}

// The log's word has a capital T.
static const char *next_link(struct listing *l)
{
    struct text token = text_of(arena_printf(l->call->arena, "%" PRId64 ".%" PRId64 ".%d", l->rest.time,
                                             l->rest.id, (int)l->rest.kind));
    char *link = arena_strdup(l->call->arena, arm_next_link(l->call, token)), *name = NULL;
    for (char *at = link; (at = strstr(at, "$skiptoken=")) != NULL; at++)
        name = at; // the last: it is put at the end
    if (name)
        name[5] = 'T';
    return link;
}

static void values_list(struct arm_call *call)
{
    struct listing l = {.call = call, .values = buffer_new(call->arena)};
    if (!ask(&l))
        return;
    json_begin_array(&l.values);
    write_rows(&l, look(&l));
    json_end_array(&l.values);
    struct buffer b = buffer_new(call->arena);
    json_begin_object(&b);
    if (l.more)
        json_key_string(&b, "nextLink", next_link(&l)); // before value
    json_key_raw(&b, "value", buffer_done(&l.values));
    json_end_object(&b);
    arm_reply(call, 200, buffer_done(&b));
}

static void categories_list(struct arm_call *call)
{
    static const char *const names[] = {"Administrative", "Security", "ServiceHealth", "Alert",
                                        "Recommendation", "Policy",   "Autoscale",     "ResourceHealth"};
    struct buffer b = buffer_new(call->arena);
    json_begin_object(&b);
    json_key(&b, "value");
    json_begin_array(&b);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        json_begin_object(&b);
        json_key_string(&b, "value", names[i]);
        json_key_string(&b, "localizedValue", names[i]);
        json_end_object(&b);
    }
    json_end_array(&b);
    json_end_object(&b);
    arm_reply(call, 200, buffer_done(&b));
}

// ---- the types

static const char *const versions[] = {"2015-04-01", "2014-04-01", NULL};

static const struct arm_operation operations[] = {
    {.http = {HTTP_GET,
              "/subscriptions/{subscription}/providers/Microsoft.Insights/eventtypes/management/values",
              "ActivityLogs_List"},
     .action = ACTION,
     .flags = ARM_NO_DECISION | ARM_GATEWAY, // each event by what the caller may read
     .handle = values_list,
     .display = "Read events",
     .description = "Read Activity Log events"},
    {.http = {HTTP_GET, "/providers/Microsoft.Insights/eventtypes/management/values",
              "TenantActivityLogs_List"},
     .action = ACTION,
     .flags = ARM_NO_DECISION | ARM_GATEWAY,
     .handle = values_list},
    {.http = {0}},
};
static const struct arm_operation category_operations[] = {
    {.http = {HTTP_GET, "/providers/Microsoft.Insights/eventcategories", "EventCategories_List"},
     .action = "Microsoft.Insights/eventCategories/read",
     .flags = ARM_NO_DECISION | ARM_GATEWAY,
     .handle = categories_list,
     .display = "Read event categories",
     .description = "Read the categories of Activity Log events"},
    {.http = {0}},
};

const struct arm_type activity_log_type = {.namespace_name = "Microsoft.Insights",
                                           .name = "eventtypes",
                                           .resource_display = "Activity Log Events",
                                           .versions = versions,
                                           .arm_owned = true,
                                           .operations = operations};
const struct arm_type event_categories_type = {.namespace_name = "Microsoft.Insights",
                                               .name = "eventCategories",
                                               .resource_display = "Event Categories",
                                               .versions = versions,
                                               .arm_owned = true,
                                               .operations = category_operations};
