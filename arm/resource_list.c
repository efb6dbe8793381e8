// Walking a list: chunks of rows behind the position, each row judged, until the page is full.
#include "arm/resource_list.h"

#include "arm/errors.h"
#include "arm/resource_ranges.h"
#include "base/arena.h"

// A page looks at no more rows than that: 100,000 are walked in 59 pages, whatever the filter lets through.
enum { EXAMINED = 1700, CHUNK = 256 };

struct position {
    struct text type, name; // keys
    int64_t group_id;
};

struct walk {
    struct arm_call *call;
    const struct resource_list *list;
    struct buffer *out;
    size_t top, written, examined;
    struct position last; // behind what was looked at
    bool more;            // something stands behind it
};

static bool read_position(struct arm_call *call, struct text text, struct position *position)
{
    *position = (struct position){.type = TEXT(""), .name = TEXT("")};
    if (!text.base)
        return true;
    json_t *json = json_loadb(text.base, text.length, JSON_REJECT_DUPLICATES, NULL);
    const char *type = json_string_value(json_array_get(json, 0)),
               *name = json_string_value(json_array_get(json, 1));
    bool sound = type && name && json_is_integer(json_array_get(json, 2)) && json_array_size(json) == 3;
    if (sound) {
        position->type = text_copy(call->arena, text_of(type));
        position->name = text_copy(call->arena, text_of(name));
        position->group_id = json_integer_value(json_array_get(json, 2));
    } else {
        arm_fail(call, ARM_INVALID_SKIP_TOKEN);
    }
    json_decref(json);
    return sound;
}

static struct text position_text(struct arena *arena, const struct position *position)
{
    struct buffer b = buffer_new(arena);
    json_begin_array(&b);
    json_text(&b, position->type);
    json_text(&b, position->name);
    json_int(&b, position->group_id);
    json_end_array(&b);
    return buffer_done(&b);
}

// By bytes, as the keys' collation has it.
static bool behind(struct text a, struct text b)
{
    int order = memcmp(a.base, b.base, a.length < b.length ? a.length : b.length);
    return order > 0 || (order == 0 && a.length > b.length);
}

static const struct db_result *run_chunk(struct walk *walk, struct text type, const struct resource_ranges *r,
                                         size_t limit)
{
    const struct resource_list *list = walk->list;
    struct arm_call *call = walk->call;
    bool begun = !behind(r->low, walk->last.name);
    struct db_value values[] = {db_text(call->subscription_id),
                                db_text(type),
                                db_text(begun || !r->everything ? walk->last.name : r->low),
                                db_int(begun || !r->everything ? walk->last.group_id : 0),
                                db_int((int64_t)limit),
                                db_text(r->everything ? r->high : r->json)};
    return db_run(call->tx, r->everything ? list->of_subscription : list->of_ranges, values, 6);
}

static bool shown(const struct walk *walk, const char *action, const struct db_result *rows, size_t row)
{
    const struct resource_list *list = walk->list;
    return (!list->fits || list->fits(list->context, rows, row)) &&
           arm_may(walk->call, action, list->id(list->context, rows, row));
}

// One chunk; *again when there may be another of this type. False when the page ends here.
static bool walk_chunk(struct walk *walk, struct text type, const struct resource_ranges *ranges, bool *again)
{
    size_t limit = walk->top - walk->written + 1;
    size_t left = walk->examined < EXAMINED ? EXAMINED - walk->examined : 0;
    if (left == 0) {
        walk->more = true;
        return false;
    }
    if (walk->examined > 0 && limit < CHUNK)
        limit = CHUNK; // rows of the chunk before were passed over
    if (limit > left)
        limit = left;
    const struct db_result *rows = run_chunk(walk, type, ranges, limit);
    *again = db_rows(rows) == limit;
    const char *action = arena_printf(walk->call->arena, "%.*s/read", TEXT_ARG(type));
    for (size_t i = 0; i < db_rows(rows); i++) {
        struct text name = db_get(rows, i, RESOURCE_LIST_NAME_KEY);
        int64_t group_id = db_get_int(rows, i, RESOURCE_LIST_GROUP_ID);
        if (walk->last.group_id == group_id && text_equal(walk->last.name, name))
            continue; // two of the caller's scopes cover it
        if (shown(walk, action, rows, i)) {
            if (walk->written == walk->top)
                walk->more = true;
            else
                walk->list->write(walk->list->context, walk->out, rows, i);
            walk->written += !walk->more;
        }
        if (walk->more)
            return false;
        walk->last.name = text_copy(walk->call->arena, name);
        walk->last.group_id = group_id;
    }
    walk->examined += db_rows(rows);
    return true;
}

static bool walk_type(struct walk *walk, struct text type)
{
    if (!text_equal(walk->last.type, type))
        walk->last = (struct position){.type = type, .name = TEXT("")};
    struct resource_ranges ranges;
    resource_ranges_find(walk->call, type, walk->list->group, walk->list->name, &ranges);
    if (!ranges.everything && !ranges.json.base)
        return true; // nothing that the caller may read
    bool again = true;
    while (again)
        if (!walk_chunk(walk, type, &ranges, &again))
            return false;
    return true;
}

void arm_resource_list(struct arm_call *call, const struct resource_list *list)
{
    struct buffer out = buffer_new(call->arena);
    struct walk walk = {.call = call, .list = list, .out = &out};
    struct text token;
    if (!arm_page_of_query(call, &walk.top, &token) || !read_position(call, token, &walk.last))
        return;
    struct text from = walk.last.type;
    json_begin_object(&out);
    json_key(&out, "value");
    json_begin_array(&out);
    for (size_t i = 0; i < list->type_count; i++)
        if (!behind(from, list->types[i]) && !walk_type(&walk, list->types[i]))
            break;
    json_end_array(&out);
    if (walk.more)
        json_key_string(&out, "nextLink", arm_next_link(call, position_text(call->arena, &walk.last)));
    json_end_object(&out);
    arm_reply(call, 200, buffer_done(&out));
}
