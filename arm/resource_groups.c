// Microsoft.Resources/resourceGroups (arm-core 2.1): PUT, PATCH, GET, HEAD, list, DELETE. The deletion itself
// is a job (group_delete.c).
#include "arm/errors.h"
#include "arm/filter.h"
#include "arm/group_delete.h"
#include "arm/resource.h"
#include "arm/types.h"

#include "base/arena.h"

#define ACTION(verb) "Microsoft.Resources/subscriptions/resourcegroups/" verb
#define COLUMNS "g.id, g.name, g.location, g.tags, g.managed_by, g.state, g.name_key"
enum { GROUPS_LIMIT = 980 }; // of one subscription
enum { MANAGED_BY_LIMIT = 2048 };
enum { ID, NAME, LOCATION, TAGS, MANAGED_BY, STATE, NAME_KEY };

static const struct db_statement group_get = {"arm_group_get",
                                              "select " COLUMNS " from arm.resource_group g "
                                              "where g.subscription_id = $1::uuid and g.name_key = $2"};
static const struct db_statement group_lock = {
    "arm_group_lock", "select " COLUMNS " from arm.resource_group g "
                      "where g.subscription_id = $1::uuid and g.name_key = $2 for no key update"};
static const struct db_statement group_insert = {
    "arm_group_insert",
    "insert into arm.resource_group as g (subscription_id, name, name_key, location, tags, managed_by) "
    "values ($1::uuid, $2, $3, $4, $5::json, $6) on conflict (subscription_id, name_key) do nothing "
    "returning " COLUMNS};
// The name's casing is that of the last PUT (arm-core 1.1).
static const struct db_statement group_update = {
    "arm_group_update", "update arm.resource_group as g set tags = $2::json, managed_by = $3, name = $4, "
                        "changed_at = clock_timestamp() where g.id = $1 returning " COLUMNS};
// Who creates a group holds its subscription: nobody removes that meanwhile, and groups are counted one after
// the other.
static const struct db_statement subscription_hold = {
    "arm_group_subscription_hold",
    "select 1 from arm.subscription s where s.subscription_id = $1::uuid for no key update"};
static const struct db_statement group_count = {
    "arm_group_count", "select count(*) from arm.resource_group g where g.subscription_id = $1::uuid"};
static const struct db_statement group_list = {
    "arm_group_list", "select " COLUMNS " from arm.resource_group g "
                      "where g.subscription_id = $1::uuid and g.name_key > $2 order by g.name_key limit $3"};

static const struct db_result *by_name(struct arm_call *call, const struct db_statement *statement)
{
    return DB_RUN(call->tx, statement, db_text(call->subscription_id),
                  db_text(text_lower(call->arena, call->group)));
}

static void write_group(struct buffer *b, const struct arm_call *call, const struct db_result *rows,
                        size_t row)
{
    json_begin_object(b);
    json_key_text(b, "id", resource_id_of_group(call->arena, call->subscription_id, db_get(rows, row, NAME)));
    json_key_text(b, "name", db_get(rows, row, NAME));
    if (strcmp(call->api_version, "2019-05-01") >= 0) // absent at 2018-02-01
        json_key_string(b, "type", "Microsoft.Resources/resourceGroups");
    if (!db_is_null(rows, row, MANAGED_BY))
        json_key_text(b, "managedBy", db_get(rows, row, MANAGED_BY));
    json_key_text(b, "location", db_get(rows, row, LOCATION));
    if (!db_is_null(rows, row, TAGS))
        json_key_raw(b, "tags", db_get(rows, row, TAGS));
    json_key(b, "properties");
    json_begin_object(b);
    json_key_text(b, "provisioningState", db_get(rows, row, STATE));
    json_end_object(b);
    json_end_object(b);
}

static void reply_group(struct arm_call *call, int status, const struct db_result *rows)
{
    if (db_rows(rows) == 0)
        return; // the statement failed
    struct buffer b = buffer_new(call->arena);
    write_group(&b, call, rows, 0);
    arm_reply(call, status, buffer_done(&b));
}

// The characters that a group's name may not have, each once.
static struct text bad_characters(struct arm_call *call)
{
    struct text name = call->group;
    struct buffer bad = buffer_new(call->arena);
    for (size_t at = 0; at < name.length;) {
        size_t start = at;
        uint32_t character = text_next_character(name, &at);
        struct text one = text_slice(name, start, at);
        if (!resource_group_character(character) && text_search(buffer_done(&bad), one) < 0)
            buffer_text(&bad, one);
    }
    return buffer_done(&bad);
}

static size_t characters(struct text t)
{
    size_t count = 0;
    for (size_t at = 0; at < t.length; count++)
        text_next_character(t, &at);
    return count;
}

static bool name_acceptable(struct arm_call *call)
{
    struct text name = call->group;
    if (resource_group_name_valid(name))
        return true;
    struct text bad = bad_characters(call);
    if (bad.length > 0)
        arm_fail(call, ARM_INVALID_RESOURCE_GROUP, TEXT_ARG(name), text_cstr(call->arena, bad));
    else if (name.base[name.length - 1] == '.')
        arm_fail(call, ARM_RESOURCE_GROUP_NAME_ENDS_WITH_PERIOD, TEXT_ARG(name));
    else
        arm_fail(call, ARM_RESOURCE_GROUP_NAME_LENGTH, TEXT_ARG(name), characters(name));
    return false;
}

struct group_body {
    struct text location; // as given; absent: none
    struct text tags;     // absent: not given
    struct text managed_by;
    bool has_managed_by;
};

static bool read_body(struct arm_call *call, struct group_body *body)
{
    json_t *tags = json_object_get(call->body, "tags");
    *body = (struct group_body){0};
    if (!arm_body_text(call, call->body, "location", "location", &body->location) ||
        !arm_body_text(call, call->body, "managedBy", "managedBy", &body->managed_by))
        return false;
    if (body->managed_by.length > MANAGED_BY_LIMIT) { // the id of a resource
        arm_fail_content(call, text_slice(body->managed_by, 0, 36), "System.String", "managedBy");
        return false;
    }
    body->has_managed_by = json_object_get(call->body, "managedBy") != NULL;
    return !tags || json_is_null(tags) || arm_tags_of_body(call, tags, &body->tags);
}

static bool location_acceptable(struct arm_call *call, struct text location, const struct db_result *existing)
{
    if (location.length == 0) {
        arm_fail(call, ARM_LOCATION_REQUIRED);
    } else if (!arm_location_is_ours(location)) {
        if (db_rows(existing) > 0)
            arm_fail(call, ARM_INVALID_RESOURCE_GROUP_LOCATION, TEXT_ARG(location),
                     TEXT_ARG(db_get(existing, 0, LOCATION)));
        else
            arm_fail(call, ARM_LOCATION_NOT_AVAILABLE_FOR_GROUP, TEXT_ARG(location), site()->config->region);
    }
    return !call->failed;
}

static bool being_deleted(struct arm_call *call, const struct db_result *existing)
{
    if (db_rows(existing) == 0 || !text_is(db_get(existing, 0, STATE), "Deleting"))
        return false;
    arm_fail(call, ARM_RESOURCE_GROUP_BEING_DELETED, TEXT_ARG(db_get(existing, 0, NAME)));
    return true;
}

static bool room_for_one(struct arm_call *call)
{
    if (!call->trial && db_rows(DB_RUN(call->tx, &subscription_hold, db_text(call->subscription_id))) == 0) {
        db_retry(call->tx); // removed meanwhile
        return false;
    }
    const struct db_result *rows = DB_RUN(call->tx, &group_count, db_text(call->subscription_id));
    int64_t count = db_rows(rows) > 0 ? db_get_int(rows, 0, 0) : 0;
    if (count < GROUPS_LIMIT)
        return true;
    arm_fail(call, ARM_RESOURCE_GROUP_QUOTA, TEXT_ARG(call->group), GROUPS_LIMIT, (long long)count);
    return false;
}

static void group_validate(struct arm_call *call)
{
    struct group_body body;
    const struct db_result *existing = by_name(call, &group_get);
    if (name_acceptable(call) && !being_deleted(call, existing) && read_body(call, &body))
        location_acceptable(call, body.location, existing);
}

static void group_put(struct arm_call *call)
{
    struct group_body body;
    if (!name_acceptable(call))
        return;
    const struct db_result *existing = by_name(call, &group_lock);
    if (being_deleted(call, existing) || !read_body(call, &body) ||
        !location_acceptable(call, body.location, existing))
        return;
    if (db_rows(existing) > 0) {
        reply_group(call, 200,
                    DB_RUN(call->tx, &group_update, db_int(db_get_int(existing, 0, ID)), db_text(body.tags),
                           db_text(body.managed_by), db_text(call->group)));
        return;
    }
    if (!room_for_one(call))
        return;
    const struct db_result *made =
        DB_RUN(call->tx, &group_insert, db_text(call->subscription_id), db_text(call->group),
               db_text(text_lower(call->arena, call->group)), db_string(site()->config->region),
               db_text(body.tags), db_text(body.managed_by));
    if (db_rows(made) == 0 && !db_failed(call->tx))
        db_retry(call->tx); // somebody made it meanwhile
    reply_group(call, 201, made);
}

static void group_patch(struct arm_call *call)
{
    struct group_body body;
    const struct db_result *existing = by_name(call, &group_lock);
    if (db_rows(existing) == 0) {
        arm_fail(call, ARM_RESOURCE_GROUP_NOT_FOUND, TEXT_ARG(call->group));
        return;
    }
    if (being_deleted(call, existing) || !read_body(call, &body) ||
        (body.location.base && !location_acceptable(call, body.location, existing)))
        return;
    reply_group(call, 200,
                DB_RUN(call->tx, &group_update, db_int(db_get_int(existing, 0, ID)),
                       db_text(body.tags.base ? body.tags : db_get(existing, 0, TAGS)),
                       db_text(body.has_managed_by ? body.managed_by : db_get(existing, 0, MANAGED_BY)),
                       db_text(db_get(existing, 0, NAME))));
}

static void group_show(struct arm_call *call)
{
    const struct db_result *rows = by_name(call, &group_get);
    if (db_rows(rows) == 0)
        arm_fail(call, ARM_RESOURCE_GROUP_NOT_FOUND, TEXT_ARG(call->group));
    else
        reply_group(call, 200, rows);
}

static void group_exists(struct arm_call *call)
{
    if (db_rows(by_name(call, &group_get)) == 0)
        arm_fail(call, ARM_RESOURCE_GROUP_NOT_FOUND, TEXT_ARG(call->group));
    else
        arm_reply_empty(call, 204);
}

static bool shown(struct arm_call *call, const struct db_result *rows, size_t row,
                  const struct filter *filter)
{
    struct filter_item item = {.name = db_get(rows, row, NAME),
                               .location = db_get(rows, row, LOCATION),
                               .tags = db_get(rows, row, TAGS)};
    struct text scope = resource_id_of_group(call->arena, call->subscription_id, item.name);
    return filter_matches(filter, &item) && arm_may(call, ACTION("read"), scope);
}

static void groups_list(struct arm_call *call)
{
    size_t top;
    struct text after;
    struct filter filter;
    const char *why;
    struct text expression = http_query(call->request, "$filter");
    if (!arm_page_of_query(call, &top, &after))
        return;
    if (!filter_parse(call->arena, expression, true, &filter, &why)) {
        arm_fail(call, ARM_INVALID_FILTER, TEXT_ARG(expression), why);
        return;
    }
    const struct db_result *rows = DB_RUN(call->tx, &group_list, db_text(call->subscription_id),
                                          db_text(after.base ? after : TEXT("")), db_int((int64_t)top));
    struct buffer b = buffer_new(call->arena);
    json_begin_object(&b);
    json_key(&b, "value");
    json_begin_array(&b);
    for (size_t i = 0; i < db_rows(rows); i++)
        if (shown(call, rows, i, &filter))
            write_group(&b, call, rows, i);
    json_end_array(&b);
    if (db_rows(rows) == top)
        json_key_string(&b, "nextLink", arm_next_link(call, db_get(rows, top - 1, NAME_KEY)));
    json_end_object(&b);
    arm_reply(call, 200, buffer_done(&b));
}

#define GROUP "/subscriptions/{subscription}/resourceGroups/{group}"
static const struct arm_operation operations[] = {
    {.http = {HTTP_GET, "/subscriptions/{subscription}/resourceGroups", "ResourceGroups_List"},
     .action = ACTION("read"),
     .flags = ARM_NO_DECISION | ARM_GATEWAY,
     .handle = groups_list,
     .display = "Get Resource Group",
     .description = "Gets or lists resource groups."},
    {.http = {HTTP_GET, GROUP, "ResourceGroups_Get"},
     .action = ACTION("read"),
     .flags = ARM_NO_GROUP_CHECK | ARM_GATEWAY,
     .handle = group_show},
    {.http = {HTTP_HEAD, GROUP, "ResourceGroups_CheckExistence"},
     .action = ACTION("read"),
     .flags = ARM_NO_GROUP_CHECK | ARM_GATEWAY,
     .handle = group_exists},
    {.http = {HTTP_PUT, GROUP, "ResourceGroups_CreateOrUpdate"},
     .action = ACTION("write"),
     .flags = ARM_NO_GROUP_CHECK | ARM_NEEDS_BODY | ARM_GATEWAY,
     .handle = group_put,
     .display = "Create Resource Group",
     .description = "Creates or updates a resource group."},
    {.http = {HTTP_PATCH, GROUP, "ResourceGroups_Update"},
     .action = ACTION("write"),
     .flags = ARM_NO_GROUP_CHECK | ARM_NEEDS_BODY | ARM_GATEWAY,
     .handle = group_patch},
    {.http = {HTTP_DELETE, GROUP, "ResourceGroups_Delete"},
     .action = ACTION("delete"),
     .flags = ARM_NO_GROUP_CHECK | ARM_GATEWAY,
     .handle = group_delete,
     .display = "Delete Resource Group",
     .description = "Deletes a resource group and all its resources."},
    {.http = {0}},
};

const struct arm_type resource_groups_type = {.namespace_name = "Microsoft.Resources",
                                              .name = "resourceGroups",
                                              .resource_display = "Resource Groups",
                                              .versions = versions_resources,
                                              .arm_owned = true,
                                              .validate = group_validate,
                                              .operations = operations};
