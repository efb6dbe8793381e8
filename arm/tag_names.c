// /subscriptions/{s}/tagNames[/{name}[/tagValues/{value}]] (arm-core 2.4): the names and values that the
// subscription laid down or that its groups and resources carry, with how many do. Counted when asked: a
// count kept up to date would make every write of a common tag wait for the others.
#include "arm/errors.h"
#include "arm/resource.h"
#include "arm/types.h"

#include "base/arena.h"

// Every known (name, value, how many) of $1, names behind $2 or exactly $4, at most $3 names. A name by
// itself has no value. Laid down ones come first among equals: theirs is the casing that is shown.
#define KNOWN                                                                                                \
    "with used as ("                                                                                         \
    " select lower(e.key collate \"C\") as name_key, e.key as name, e.value, count(*) as n from ("           \
    "  select r.tags from arm.resource r where r.subscription_id = $1::uuid and r.tags is not null"          \
    "  union all"                                                                                            \
    "  select g.tags from arm.resource_group g where g.subscription_id = $1::uuid and g.tags is not null"    \
    " ) t, json_each_text(t.tags) e group by e.key, e.value"                                                 \
    "), known as ("                                                                                          \
    " select name_key, name, null::text as value, 0::bigint as n, true as laid_down"                         \
    "  from arm.tag_name where subscription_id = $1::uuid"                                                   \
    " union all select n.name_key, n.name, v.value, 0, true from arm.tag_name n"                             \
    "  join arm.tag_value v on v.name_id = n.id where n.subscription_id = $1::uuid"                          \
    " union all select name_key, name, value, n, false from used"                                            \
    "), page as ("                                                                                           \
    " select name_key from known where name_key > $2 collate \"C\" and ($4::text is null or name_key = $4)"  \
    " group by name_key order by name_key limit $3"                                                          \
    ") select k.name_key, k.name, k.value, k.n from known k join page p on p.name_key = k.name_key"          \
    " order by k.name_key collate \"C\", k.value collate \"C\" nulls first, k.laid_down desc, k.name"
enum { NAME_KEY, NAME, VALUE, COUNT };
enum { ID, ID_NAME }; // of a name by itself

static const struct db_statement known = {"tag_names_known", KNOWN};
static const struct db_statement name_put = {
    "tag_name_put",
    "insert into arm.tag_name (subscription_id, name, name_key) values ($1::uuid, $2, $3)"
    " on conflict do nothing returning name",
};
// Held, so that the name does not go while a value is added, nor a value come while the name goes.
static const struct db_statement name_hold = {
    "tag_name_hold",
    "select n.id, n.name from arm.tag_name n where n.subscription_id = $1::uuid and n.name_key = $2 for key "
    "share",
};
static const struct db_statement name_lock = {
    "tag_name_lock",
    "select n.id, n.name from arm.tag_name n where n.subscription_id = $1::uuid and n.name_key = $2 for "
    "update",
};
static const struct db_statement name_delete = {
    "tag_name_delete",
    "delete from arm.tag_name where id = $1",
};
static const struct db_statement value_exists = {
    "tag_value_exists",
    "select v.value from arm.tag_value v where v.name_id = $1 limit 1",
};
static const struct db_statement value_put = {
    "tag_value_put",
    "insert into arm.tag_value (name_id, value) values ($1, $2) on conflict do nothing returning value",
};
static const struct db_statement value_delete = {
    "tag_value_delete",
    "delete from arm.tag_value v using arm.tag_name n where n.subscription_id = $1::uuid and n.name_key = $2"
    " and v.name_id = n.id and v.value = $3 returning v.value",
};

static struct text name_of(struct arm_call *call)
{
    return http_parameter(&call->route, "name");
}

static struct text key_of(struct arm_call *call)
{
    return text_lower(call->arena, name_of(call));
}

static const struct db_result *known_of(struct arm_call *call, struct text after, size_t limit,
                                        struct text key)
{
    return DB_RUN(call->tx, &known, db_text(call->subscription_id), db_text(after), db_int((int64_t)limit),
                  db_text(key));
}

static void write_count(struct buffer *b, int64_t count)
{
    json_key(b, "count");
    json_begin_object(b);
    json_key_string(b, "type", "Total");
    json_key_int(b, "value", count);
    json_end_object(b);
}

static void write_value(struct buffer *b, const struct arm_call *call, struct text name, struct text value,
                        int64_t count)
{
    json_begin_object(b);
    json_key_format(b, "id", "/subscriptions/%.*s/tagNames/%.*s/tagValues/%.*s",
                    TEXT_ARG(call->subscription_id), TEXT_ARG(name), TEXT_ARG(value));
    json_key_text(b, "tagValue", value);
    write_count(b, count);
    json_end_object(b);
}

// A row without a value is the name by itself; an empty value is one.
static bool same_value(const struct db_result *rows, size_t a, size_t b)
{
    return db_is_null(rows, a, VALUE) == db_is_null(rows, b, VALUE) &&
           text_equal(db_get(rows, a, VALUE), db_get(rows, b, VALUE));
}

// The rows of one name, or of one value of it, from `at`: where they end, and how many they count.
static size_t run_end(const struct db_result *rows, size_t at, bool of_value, int64_t *count)
{
    size_t first = at;
    *count = 0;
    for (; at < db_rows(rows) && text_equal(db_get(rows, at, NAME_KEY), db_get(rows, first, NAME_KEY)) &&
           (!of_value || same_value(rows, at, first));
         at++)
        *count += db_get_int(rows, at, COUNT);
    return at;
}

// The name whose rows begin at `at`; gives where they end.
static size_t write_name(struct buffer *b, const struct arm_call *call, const struct db_result *rows,
                         size_t at)
{
    int64_t count;
    size_t end = run_end(rows, at, false, &count);
    struct text name = db_get(rows, at, NAME);
    json_begin_object(b);
    json_key_format(b, "id", "/subscriptions/%.*s/tagNames/%.*s", TEXT_ARG(call->subscription_id),
                    TEXT_ARG(name));
    json_key_text(b, "tagName", name);
    write_count(b, count);
    json_key(b, "values");
    json_begin_array(b);
    while (at < end) {
        struct text value = db_get(rows, at, VALUE);
        size_t next = run_end(rows, at, true, &count);
        if (value.base)
            write_value(b, call, name, value, count);
        at = next;
    }
    json_end_array(b);
    json_end_object(b);
    return end;
}

static void list(struct arm_call *call)
{
    size_t top;
    struct text after;
    if (!arm_page_of_query(call, &top, &after))
        return;
    const struct db_result *rows = known_of(call, after.base ? after : TEXT(""), top + 1, TEXT_NONE);
    struct buffer b = buffer_new(call->arena);
    size_t at = 0;
    json_begin_object(&b);
    json_key(&b, "value");
    json_begin_array(&b);
    for (size_t shown = 0; at < db_rows(rows) && shown < top; shown++)
        at = write_name(&b, call, rows, at);
    json_end_array(&b);
    if (at < db_rows(rows))
        json_key_string(&b, "nextLink", arm_next_link(call, db_get(rows, at - 1, NAME_KEY)));
    json_end_object(&b);
    arm_reply(call, 200, buffer_done(&b));
}

// What Azure keeps for itself.
static bool reserved(struct text name)
{
    return text_starts_nocase(name, "microsoft") || text_starts_nocase(name, "azure") ||
           text_starts_nocase(name, "windows");
}

static void put_name(struct arm_call *call)
{
    struct text name = name_of(call);
    if (!arm_tag_check(call, name, TEXT("")))
        return;
    if (reserved(name)) {
        arm_fail(call, ARM_RESERVED_TAG_NAME, TEXT_ARG(name));
        return;
    }
    const struct db_result *made =
        DB_RUN(call->tx, &name_put, db_text(call->subscription_id), db_text(name), db_text(key_of(call)));
    const struct db_result *rows = known_of(call, TEXT(""), 1, key_of(call));
    if (db_rows(rows) == 0) { // deleted by somebody whom the insert waited for
        db_retry(call->tx);
        return;
    }
    struct buffer b = buffer_new(call->arena);
    write_name(&b, call, rows, 0);
    arm_reply(call, db_rows(made) > 0 ? 201 : 200, buffer_done(&b));
}

// How many groups and resources carry the name; with `value` absent, whatever its value.
static int64_t used(struct arm_call *call, struct text value)
{
    const struct db_result *rows = known_of(call, TEXT(""), 1, key_of(call));
    int64_t count = 0;
    for (size_t i = 0; i < db_rows(rows); i++)
        if (!value.base || text_equal(db_get(rows, i, VALUE), value))
            count += db_get_int(rows, i, COUNT);
    return count;
}

static void delete_name(struct arm_call *call)
{
    const struct db_result *name =
        DB_RUN(call->tx, &name_lock, db_text(call->subscription_id), db_text(key_of(call)));
    if (db_rows(name) == 0) {
        arm_reply_empty(call, 204);
        return;
    }
    struct db_value id = db_int(db_get_int(name, 0, ID));
    int64_t count = used(call, TEXT_NONE);
    if (count > 0)
        arm_fail(call, ARM_TAG_NAME_IN_USE, TEXT_ARG(name_of(call)), (long long)count);
    else if (db_rows(DB_RUN(call->tx, &value_exists, id)) > 0)
        arm_fail(call, ARM_TAG_NAME_HAS_VALUES, TEXT_ARG(name_of(call)));
    if (call->failed)
        return;
    DB_RUN(call->tx, &name_delete, id);
    arm_reply_empty(call, 200);
}

static struct text value_of(struct arm_call *call)
{
    return http_parameter(&call->route, "value");
}

static void put_value(struct arm_call *call)
{
    struct text value = value_of(call);
    if (!arm_tag_check(call, name_of(call), value))
        return;
    const struct db_result *name =
        DB_RUN(call->tx, &name_hold, db_text(call->subscription_id), db_text(key_of(call)));
    if (db_rows(name) == 0) {
        arm_fail(call, ARM_TAG_NAME_NOT_FOUND, TEXT_ARG(name_of(call)));
        return;
    }
    const struct db_result *made =
        DB_RUN(call->tx, &value_put, db_int(db_get_int(name, 0, ID)), db_text(value));
    struct buffer b = buffer_new(call->arena);
    write_value(&b, call, db_get(name, 0, ID_NAME), value, used(call, value));
    arm_reply(call, db_rows(made) > 0 ? 201 : 200, buffer_done(&b));
}

static void delete_value(struct arm_call *call)
{
    struct text value = value_of(call);
    int64_t count = used(call, value);
    if (count > 0) {
        arm_fail(call, ARM_TAG_VALUE_IN_USE, TEXT_ARG(value), TEXT_ARG(name_of(call)), (long long)count);
        return;
    }
    const struct db_result *gone = DB_RUN(call->tx, &value_delete, db_text(call->subscription_id),
                                          db_text(key_of(call)), db_text(value));
    arm_reply_empty(call, db_rows(gone) > 0 ? 200 : 204);
}

#define NAMES "/subscriptions/{subscription}/tagNames"
#define ACTION(rest) "Microsoft.Resources/subscriptions/tagNames/" rest
static const struct arm_operation operations[] = {
    {.http = {HTTP_GET, NAMES, "Tags_List"},
     .action = ACTION("read"),
     .flags = ARM_GATEWAY,
     .handle = list,
     .display = "Get subscription tags",
     .description = "Gets or lists subscription tags."},
    {.http = {HTTP_PUT, NAMES "/{name}", "Tags_CreateOrUpdate"},
     .action = ACTION("write"),
     .flags = ARM_GATEWAY,
     .handle = put_name,
     .display = "Add subscription tag",
     .description = "Adds a subscription tag."},
    {.http = {HTTP_DELETE, NAMES "/{name}", "Tags_Delete"},
     .action = ACTION("delete"),
     .flags = ARM_GATEWAY,
     .handle = delete_name,
     .display = "Delete subscription tag",
     .description = "Deletes a subscription tag."},
    {.http = {HTTP_PUT, NAMES "/{name}/tagValues/{value}", "Tags_CreateOrUpdateValue"},
     .action = ACTION("tagValues/write"),
     .flags = ARM_GATEWAY,
     .handle = put_value,
     .display = "Add subscription tag value",
     .description = "Adds a subscription tag value."},
    {.http = {HTTP_DELETE, NAMES "/{name}/tagValues/{value}", "Tags_DeleteValue"},
     .action = ACTION("tagValues/delete"),
     .flags = ARM_GATEWAY,
     .handle = delete_value,
     .display = "Delete subscription tag value",
     .description = "Deletes a subscription tag value."},
    {.http = {0}},
};

const struct arm_type tag_names_type = {.namespace_name = "Microsoft.Resources",
                                        .name = "subscriptions/tagNames",
                                        .resource_display = "Subscription tags",
                                        .versions = versions_resources,
                                        .arm_owned = true,
                                        .operations = operations};
