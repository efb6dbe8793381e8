// The pieces of Microsoft.Authorization: scopes, ids, bodies, filters.
#include "arm/authorization.h"
#include "arm/authorization_errors.h"
#include "arm/resource.h"
#include "arm/resource_id.h"

#include "base/arena.h"

#include <string.h>

// An index entry holds a scope; PostgreSQL's limit is 2,704 bytes.
enum { SCOPE_LIMIT = 1600, SCOPE_SEGMENTS = 40 };

static const struct db_statement lock_subscription = {
    "authorization_lock_subscription",
    "select s.subscription_id from arm.subscription s where s.subscription_id = $1::uuid for key share",
};
static const struct db_statement lock_group = {
    "authorization_lock_group",
    "select g.id, g.state from arm.resource_group g"
    " where g.subscription_id = $1::uuid and g.name_key = $2 for key share",
};
static const struct db_statement lock_resource = {
    "authorization_lock_resource",
    "select r.id from arm.resource r"
    " where r.group_id = $1 and r.type_key = $2 and r.name_key = $3 for key share",
};

static size_t split(struct text path, struct text segments[SCOPE_SEGMENTS])
{
    size_t count = 0, start = 0;
    for (size_t i = 0; i <= path.length; i++) {
        if (i < path.length && path.base[i] != '/')
            continue;
        if (i > start) {
            if (count == SCOPE_SEGMENTS)
                return SCOPE_SEGMENTS + 1;
            segments[count++] = text_slice(path, start, i);
        }
        start = i + 1;
    }
    return count;
}

static void add_segment(struct buffer *path, struct text segment)
{
    buffer_char(path, '/');
    buffer_text(path, segment);
}

// providers/{ns}/{type}/{name}[/{type}/{name}…] from segment `at`; its end, or 0. The last provider's parts
// stay in `scope`.
static size_t parse_provider(struct arena *arena, const struct text *segments, size_t count, size_t at,
                             struct buffer *path, struct authorization_scope *scope)
{
    if (count - at < 4 || !text_is_nocase(segments[at], "providers"))
        return 0;
    add_segment(path, TEXT("providers"));
    add_segment(path, segments[at + 1]);
    scope->namespace_name = segments[at + 1];
    struct buffer type = buffer_new(arena), name = buffer_new(arena);
    size_t i = at + 2;
    for (; i + 1 < count && !text_is_nocase(segments[i], "providers"); i += 2) {
        if (type.length > 0) {
            buffer_char(&type, '/');
            buffer_char(&name, '/');
        }
        if (!resource_name_valid(segments[i + 1]))
            return 0;
        buffer_text(&type, segments[i]);
        buffer_text(&name, segments[i + 1]);
        add_segment(path, segments[i]);
        add_segment(path, segments[i + 1]);
    }
    scope->type = buffer_done(&type);
    scope->name = buffer_done(&name);
    return i == at + 2 ? 0 : i;
}

bool authorization_scope_parse(struct arena *arena, struct text text, struct authorization_scope *scope)
{
    struct text segments[SCOPE_SEGMENTS];
    size_t count = text.length > SCOPE_LIMIT ? SCOPE_SEGMENTS + 1 : split(text, segments), at = 2;
    *scope = (struct authorization_scope){.path = TEXT("/"), .key = TEXT("/")};
    if (count == 0)
        return true;
    if (count > SCOPE_SEGMENTS || count < 2 || !text_is_nocase(segments[0], "subscriptions") ||
        !uuid_is(segments[1]))
        return false;
    struct buffer path = buffer_new(arena);
    add_segment(&path, TEXT("subscriptions"));
    add_segment(&path, segments[1]);
    scope->subscription_id = text_lower(arena, segments[1]);
    if (count >= 4 && text_is_nocase(segments[2], "resourceGroups")) {
        if (!resource_group_name_valid(segments[3]))
            return false;
        add_segment(&path, TEXT("resourceGroups"));
        add_segment(&path, segments[3]);
        scope->group = segments[3];
        at = 4;
    }
    while (at < count) {
        at = parse_provider(arena, segments, count, at, &path, scope);
        if (at == 0)
            return false;
    }
    scope->path = buffer_done(&path);
    scope->key = text_lower(arena, scope->path);
    return true;
}

bool authorization_scope_of(struct arm_call *call, struct authorization_scope *scope)
{
    struct text path = http_parameter(&call->route, "scope");
    if (path.base == NULL)
        path = TEXT("");
    if (authorization_scope_parse(call->arena, path, scope))
        return true;
    arm_fail(call, ARM_SCOPE_INVALID, TEXT_ARG(path));
    return false;
}

static struct text type_key(struct arena *arena, const struct authorization_scope *scope, struct text type)
{
    return text_lower(
        arena, text_of(arena_printf(arena, "%.*s/%.*s", TEXT_ARG(scope->namespace_name), TEXT_ARG(type))));
}

// The resource itself; for a child that has no row of its own in arm.resource, the nearest parent that has
// one.
static bool lock_nearest(struct arm_call *call, const struct authorization_scope *scope, int64_t group)
{
    struct text type = scope->type, name = scope->name;
    for (;;) {
        const struct db_result *found =
            DB_RUN(call->tx, &lock_resource, db_int(group), db_text(type_key(call->arena, scope, type)),
                   db_text(text_lower(call->arena, name)));
        if (db_rows(found) > 0)
            return true;
        const struct arm_type *known = arm_type_find(scope->namespace_name, type);
        ptrdiff_t type_end = text_rfind(type, '/'), name_end = text_rfind(name, '/');
        if ((known && known->tracked) || type_end < 0 || name_end < 0)
            break;
        type = text_slice(type, 0, (size_t)type_end);
        name = text_slice(name, 0, (size_t)name_end);
    }
    const char *full =
        arena_printf(call->arena, "%.*s/%.*s", TEXT_ARG(scope->namespace_name), TEXT_ARG(scope->type));
    arm_fail(call, ARM_RESOURCE_NOT_FOUND, full, TEXT_ARG(scope->name), TEXT_ARG(scope->group));
    return false;
}

bool authorization_scope_lock(struct arm_call *call, const struct authorization_scope *scope)
{
    if (scope->subscription_id.base == NULL)
        return true;
    struct db_value subscription = db_text(scope->subscription_id);
    if (db_rows(DB_RUN(call->tx, &lock_subscription, subscription)) == 0) {
        arm_fail(call, ARM_SUBSCRIPTION_NOT_FOUND, TEXT_ARG(scope->subscription_id));
        return false;
    }
    if (scope->group.base == NULL && scope->namespace_name.base == NULL)
        return true;
    if (scope->group.base == NULL) { // we have no resources outside groups
        arm_fail(call, ARM_SCOPE_INVALID, TEXT_ARG(scope->path));
        return false;
    }
    const struct db_result *group =
        DB_RUN(call->tx, &lock_group, subscription, db_text(text_lower(call->arena, scope->group)));
    if (db_rows(group) == 0) {
        arm_fail(call, ARM_RESOURCE_GROUP_NOT_FOUND, TEXT_ARG(scope->group));
        return false;
    }
    if (text_is(db_get(group, 0, 1), "Deleting")) {
        arm_fail(call, ARM_RESOURCE_GROUP_BEING_DELETED, TEXT_ARG(scope->group));
        return false;
    }
    return scope->namespace_name.base == NULL || lock_nearest(call, scope, db_get_int(group, 0, 0));
}

struct text authorization_ancestors(struct arena *arena, struct text key)
{
    struct buffer json = buffer_new(arena);
    json_begin_array(&json);
    json_text(&json, TEXT("/"));
    for (size_t i = 1; i <= key.length && key.length > 1; i++)
        if (i == key.length || key.base[i] == '/')
            json_text(&json, text_slice(key, 0, i));
    json_end_array(&json);
    return buffer_done(&json);
}

void authorization_definition_id(struct buffer *json, struct text subscription_id, struct text definition)
{
    json_text(json, text_of(arena_printf(json->arena,
                                         "%s%.*s/providers/Microsoft.Authorization/roleDefinitions/%.*s",
                                         subscription_id.base ? "/subscriptions/" : "",
                                         TEXT_ARG(subscription_id), TEXT_ARG(definition))));
}

bool authorization_properties(struct arm_call *call, json_t **properties)
{
    if (!arm_body_object(call, call->body, "properties", "properties", properties))
        return false;
    if (*properties == NULL)
        *properties = call->body;
    return true;
}

enum authorization_shape authorization_shape_of(const struct arm_call *call)
{
    if (strncmp(call->api_version, "2018", 4) < 0)
        return SHAPE_2015;
    return strncmp(call->api_version, "2020", 4) < 0 ? SHAPE_2018 : SHAPE_2020;
}

void authorization_fail_filter(struct arm_call *call, const char *why)
{
    arm_fail(call, ARM_INVALID_FILTER, TEXT_ARG(http_query(call->request, "$filter")), why);
}

static void skip_blanks(struct text *rest)
{
    while (rest->length > 0 && (rest->base[0] == ' ' || rest->base[0] == '\t'))
        *rest = text_slice(*rest, 1, rest->length);
}

static struct text take_word(struct text *rest)
{
    size_t length = 0;
    while (length < rest->length &&
           ((rest->base[length] | 0x20) >= 'a' && (rest->base[length] | 0x20) <= 'z'))
        length++;
    struct text word = text_slice(*rest, 0, length);
    *rest = text_slice(*rest, length, rest->length);
    return word;
}

static bool take_byte(struct text *rest, char c)
{
    skip_blanks(rest);
    if (rest->length == 0 || rest->base[0] != c)
        return false;
    *rest = text_slice(*rest, 1, rest->length);
    return true;
}

// 'it''s' is it's.
static bool take_quoted(struct arena *arena, struct text *rest, struct text *value)
{
    if (!take_byte(rest, '\''))
        return false;
    struct buffer text = buffer_new(arena);
    for (size_t i = 0; i < rest->length; i++) {
        if (rest->base[i] != '\'') {
            buffer_char(&text, rest->base[i]);
            continue;
        }
        if (i + 1 < rest->length && rest->base[i + 1] == '\'') {
            buffer_char(&text, '\'');
            i++;
            continue;
        }
        *rest = text_slice(*rest, i + 1, rest->length);
        *value = text.length ? buffer_done(&text) : TEXT("");
        return true;
    }
    return false;
}

static bool take_term(struct arena *arena, struct text *rest, struct authorization_term *term)
{
    *term = (struct authorization_term){.value = TEXT_NONE};
    skip_blanks(rest);
    term->name = take_word(rest);
    if (term->name.length == 0)
        return false;
    if (take_byte(rest, '('))
        return take_byte(rest, ')') || (take_quoted(arena, rest, &term->value) && take_byte(rest, ')'));
    skip_blanks(rest);
    term->equals = text_is_nocase(take_word(rest), "eq");
    return term->equals && take_quoted(arena, rest, &term->value);
}

bool authorization_filter(struct arm_call *call, struct authorization_term terms[AUTHORIZATION_TERMS],
                          size_t *count)
{
    struct text rest = text_trim(http_query(call->request, "$filter"));
    *count = 0;
    while (rest.length > 0) {
        if (*count == AUTHORIZATION_TERMS || !take_term(call->arena, &rest, &terms[*count])) {
            authorization_fail_filter(call, "it cannot be read");
            return false;
        }
        ++*count;
        skip_blanks(&rest);
        if (rest.length > 0 && (!text_is_nocase(take_word(&rest), "and") || text_trim(rest).length == 0)) {
            authorization_fail_filter(call, "terms are joined by 'and'");
            return false;
        }
    }
    return true;
}
