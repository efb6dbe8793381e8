// {scope}/providers/Microsoft.Resources/tags/default (arm-core 2.4): all tags of a subscription, a group or a
// resource at once. Who may write the target may write its tags.
#include "arm/authorization.h"
#include "arm/authorization_errors.h"
#include "arm/resource.h"
#include "arm/types.h"

#include "base/arena.h"

#include <string.h>

static const struct db_statement subscription_read = {
    "tags_subscription_read",
    "select s.tags from arm.subscription s where s.subscription_id = $1::uuid",
};
static const struct db_statement subscription_lock = {
    "tags_subscription_lock",
    "select s.tags from arm.subscription s where s.subscription_id = $1::uuid for no key update",
};
static const struct db_statement subscription_write = {
    "tags_subscription_write",
    "update arm.subscription set tags = $2::json where subscription_id = $1::uuid",
};
static const struct db_statement group_read = {
    "tags_group_read",
    "select g.tags, g.state from arm.resource_group g where g.id = $1",
};
static const struct db_statement group_lock = {
    "tags_group_lock",
    "select g.tags, g.state from arm.resource_group g where g.id = $1 for no key update",
};
static const struct db_statement group_write = {
    "tags_group_write",
    "update arm.resource_group set tags = $2::json, changed_at = clock_timestamp() where id = $1",
};

// What carries the tags.
struct tagged {
    enum { TAGS_OF_SUBSCRIPTION, TAGS_OF_GROUP, TAGS_OF_RESOURCE } kind;
    struct text id;   // as the answer's id begins
    struct text tags; // JSON; absent: none yet
    struct arm_resource resource;
};

static bool find_resource(struct arm_call *call, const struct authorization_scope *scope, bool to_write,
                          struct tagged *tagged)
{
    const char *type =
        arena_printf(call->arena, "%.*s/%.*s", TEXT_ARG(scope->namespace_name), TEXT_ARG(scope->type));
    tagged->kind = TAGS_OF_RESOURCE;
    if (!arm_resource_find(call, type, scope->name, to_write ? ARM_LOCK_UPDATE : ARM_LOCK_NONE,
                           &tagged->resource)) {
        arm_fail(call, ARM_RESOURCE_NOT_FOUND, type, TEXT_ARG(scope->name), TEXT_ARG(scope->group));
        return false;
    }
    tagged->id = arm_resource_id(call->arena, &tagged->resource);
    tagged->tags = tagged->resource.tags;
    return true;
}

static bool find_group(struct arm_call *call, bool to_write, struct tagged *tagged)
{
    const struct db_result *row =
        DB_RUN(call->tx, to_write ? &group_lock : &group_read, db_int(call->group_id));
    if (db_rows(row) == 0)
        arm_fail(call, ARM_RESOURCE_GROUP_NOT_FOUND, TEXT_ARG(call->group));
    else if (to_write && text_is(db_get(row, 0, 1), "Deleting"))
        arm_fail(call, ARM_RESOURCE_GROUP_BEING_DELETED, TEXT_ARG(call->group_stored));
    if (call->failed)
        return false;
    tagged->kind = TAGS_OF_GROUP;
    tagged->id = resource_id_of_group(call->arena, call->subscription_id, call->group_stored);
    tagged->tags = db_get(row, 0, 0);
    return true;
}

static bool find_subscription(struct arm_call *call, bool to_write, struct tagged *tagged)
{
    const struct db_result *row =
        DB_RUN(call->tx, to_write ? &subscription_lock : &subscription_read, db_text(call->subscription_id));
    if (db_rows(row) == 0) {
        arm_fail(call, ARM_SUBSCRIPTION_NOT_FOUND, TEXT_ARG(call->subscription_id));
        return false;
    }
    tagged->kind = TAGS_OF_SUBSCRIPTION;
    tagged->id = text_of(arena_printf(call->arena, "/subscriptions/%.*s", TEXT_ARG(call->subscription_id)));
    tagged->tags = db_get(row, 0, 0);
    return true;
}

static bool find(struct arm_call *call, bool to_write, struct tagged *tagged)
{
    struct authorization_scope scope;
    *tagged = (struct tagged){0};
    if (!authorization_scope_of(call, &scope))
        return false;
    if (scope.group.base && scope.namespace_name.base)
        return find_resource(call, &scope, to_write, tagged);
    if (scope.group.base)
        return find_group(call, to_write, tagged);
    if (scope.subscription_id.base && !scope.namespace_name.base)
        return find_subscription(call, to_write, tagged);
    arm_fail(call, ARM_SCOPE_INVALID, TEXT_ARG(scope.path));
    return false;
}

static void reply_tags(struct arm_call *call, const struct tagged *tagged)
{
    struct buffer b = buffer_new(call->arena);
    json_begin_object(&b);
    json_key_format(&b, "id", "%.*s/providers/Microsoft.Resources/tags/default", TEXT_ARG(tagged->id));
    json_key_string(&b, "name", "default");
    json_key_string(&b, "type", "Microsoft.Resources/tags");
    json_key(&b, "properties");
    json_begin_object(&b);
    json_key_raw(&b, "tags", tagged->tags.base ? tagged->tags : TEXT("{}"));
    json_end_object(&b);
    json_end_object(&b);
    arm_reply(call, 200, buffer_done(&b));
}

static void write_tags(struct arm_call *call, struct tagged *tagged, struct text tags)
{
    tagged->tags = tags;
    if (tagged->kind == TAGS_OF_RESOURCE) {
        tagged->resource.tags = tags;
        arm_resource_update(call, &tagged->resource);
    } else if (tagged->kind == TAGS_OF_GROUP) {
        DB_RUN(call->tx, &group_write, db_int(call->group_id), db_text(tags));
    } else {
        DB_RUN(call->tx, &subscription_write, db_text(call->subscription_id), db_text(tags));
    }
}

static void get(struct arm_call *call)
{
    struct tagged tagged;
    if (find(call, false, &tagged))
        reply_tags(call, &tagged);
}

// body.properties.tags, an object or NULL. False after a failure.
static bool tags_of_body(struct arm_call *call, json_t **tags)
{
    json_t *properties;
    if (!arm_body_object(call, call->body, "properties", "properties", &properties))
        return false;
    *tags = NULL;
    if (!properties) {
        arm_fail_content(call, TEXT("properties"), "Microsoft.Resources.Tags", "properties");
        return false;
    }
    return arm_body_object(call, properties, "tags", "properties.tags", tags);
}

static void put(struct arm_call *call)
{
    struct tagged tagged;
    struct text written;
    json_t *tags;
    if (!tags_of_body(call, &tags) || !arm_tags_of_body(call, tags, &written) || !find(call, true, &tagged))
        return;
    write_tags(call, &tagged, written);
    reply_tags(call, &tagged);
}

// The name in `tags` that is the same but for its case, or NULL.
static const char *same_name(json_t *tags, const char *name)
{
    const char *other;
    json_t *value;
    json_object_foreach(tags, other, value)
    {
        if (text_equal_nocase(text_of(other), text_of(name)))
            return other;
    }
    return NULL;
}

// Names that are there keep their casing and their place (arm-core 1.1).
static void merge(json_t *stored, json_t *given)
{
    const char *name;
    json_t *value;
    json_object_foreach(given, name, value)
    {
        const char *there = same_name(stored, name);
        json_object_set(stored, there ? there : name, value);
    }
}

// By name, and where a value is given, only with that value.
static bool take_away(struct arm_call *call, json_t *stored, json_t *given)
{
    const char *name;
    json_t *value;
    json_object_foreach(given, name, value)
    {
        if (!json_is_string(value) && !json_is_null(value)) {
            arm_fail_content(call, text_of(name), "System.String", "properties.tags");
            return false;
        }
        const char *there = same_name(stored, name);
        if (there && (json_string_length(value) == 0 || json_equal(json_object_get(stored, there), value)))
            json_object_del(stored, text_cstr(call->arena, text_of(there)));
    }
    return true;
}

static bool known_operation(struct arm_call *call, struct text *operation)
{
    if (!arm_body_text(call, call->body, "operation", "operation", operation))
        return false;
    static const char *const names[] = {"Merge", "Replace", "Delete"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_is_nocase(*operation, names[i])) {
            *operation = text_of(names[i]);
            return true;
        }
    arm_fail_content(call, operation->base ? *operation : TEXT("null"),
                     "Microsoft.Resources.TagsPatchOperation", "operation");
    return false;
}

static void drop_json(void *json)
{
    json_decref(json);
}

static json_t *stored_tags(struct arm_call *call, const struct tagged *tagged)
{
    json_t *tags = tagged->tags.base ? json_loadb(tagged->tags.base, tagged->tags.length, 0, NULL) : NULL;
    if (!json_is_object(tags)) {
        json_decref(tags);
        tags = json_object();
    }
    arena_on_free(call->arena, drop_json, tags);
    return tags;
}

static void patch(struct arm_call *call)
{
    struct tagged tagged;
    struct text operation, written = TEXT_NONE;
    json_t *given;
    if (!known_operation(call, &operation) || !tags_of_body(call, &given))
        return;
    bool removes = text_is(operation, "Delete");
    // What is given has to be sound by itself before it meets what is stored.
    if ((!removes && !arm_tags_of_body(call, given, &written)) || !find(call, true, &tagged))
        return;
    if (!text_is(operation, "Replace")) {
        json_t *stored = stored_tags(call, &tagged);
        if (given && !removes)
            merge(stored, given);
        else if (given && !take_away(call, stored, given))
            return;
        if (!arm_tags_of_body(call, stored, &written))
            return;
    }
    write_tags(call, &tagged, written);
    reply_tags(call, &tagged);
}

static void remove_tags(struct arm_call *call)
{
    struct tagged tagged;
    if (!find(call, true, &tagged))
        return;
    write_tags(call, &tagged, TEXT("{}"));
    arm_reply_empty(call, 200);
}

// The target's own right counts as well: "write on the target" (arm-core 2.4).
static bool may_target(const struct arm_call *call)
{
    struct authorization_scope scope;
    struct text path = http_parameter(&call->route, "scope");
    if (!authorization_scope_parse(call->arena, path.base ? path : TEXT(""), &scope))
        return false;
    const char *type = scope.group.base ? "Microsoft.Resources/subscriptions/resourceGroups"
                                        : "Microsoft.Resources/subscriptions";
    if (scope.namespace_name.base)
        type = arena_printf(call->arena, "%.*s/%.*s", TEXT_ARG(scope.namespace_name), TEXT_ARG(scope.type));
    bool reads = (call->request->method & (HTTP_GET | HTTP_HEAD)) != 0;
    return arm_may(call, arena_printf(call->arena, "%s/%s", type, reads ? "read" : "write"), scope.path);
}

#define TAGS "/{scope**}/providers/Microsoft.Resources/tags/default"

static const struct arm_operation operations[] = {
    {.http = {HTTP_GET, TAGS, "Tags_GetAtScope"},
     .action = "Microsoft.Resources/tags/read",
     .flags = ARM_GATEWAY,
     .handle = get,
     .display = "Get tags",
     .description = "Gets all the tags on a resource."},
    {.http = {HTTP_PUT, TAGS, "Tags_CreateOrUpdateAtScope"},
     .action = "Microsoft.Resources/tags/write",
     .flags = ARM_NEEDS_BODY | ARM_GATEWAY,
     .handle = put,
     .display = "Update tags",
     .description =
         "Updates the tags on a resource by replacing or merging existing tags with a new set of tags, "
         "or removing existing tags."},
    {.http = {HTTP_PATCH, TAGS, "Tags_UpdateAtScope"},
     .action = "Microsoft.Resources/tags/write",
     .flags = ARM_NEEDS_BODY | ARM_GATEWAY,
     .handle = patch},
    {.http = {HTTP_DELETE, TAGS, "Tags_DeleteAtScope"},
     .action = "Microsoft.Resources/tags/delete",
     .flags = ARM_GATEWAY,
     .handle = remove_tags,
     .display = "Delete tags",
     .description = "Removes all the tags on a resource."},
    {.http = {0}},
};

const struct arm_type tags_type = {.namespace_name = "Microsoft.Resources",
                                   .name = "tags",
                                   .resource_display = "Tags",
                                   .versions = versions_resources,
                                   .arm_owned = true,
                                   .may_also = may_target,
                                   .operations = operations};
