// The access decision (arm-core 3.1): some assignment at or above the scope whose role allows the action.
//
// No allocation and no walk over assignments: each whole-segment ancestor of the scope is one look-up in the
// snapshot's grants, so the cost follows the depth of the scope and not the number of assignments.
#include "rbac/snapshot_data.h"

#include "base/arena.h"

#include <jansson.h>
#include <string.h>

enum { PATTERN_LIMIT = 512 };

// Of a character that uuid_is let pass.
static unsigned hex_digit(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10) & 0xf;
}

bool uuid_bytes(struct text uuid, unsigned char bytes[16])
{
    if (!uuid_is(uuid))
        return false;
    size_t at = 0;
    for (size_t i = 0; i < uuid.length; i++) {
        if (uuid.base[i] == '-')
            continue;
        bytes[at++] = (unsigned char)(hex_digit(uuid.base[i]) << 4 | hex_digit(uuid.base[i + 1]));
        i++;
    }
    return true;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

// `*` is any run of bytes, '/' included. Going back to the last star only is enough for that.
bool action_matches(struct text pattern, const char *action)
{
    size_t p = 0, star = SIZE_MAX;
    const char *resume = NULL;
    while (*action) {
        if (p < pattern.length && pattern.base[p] == '*') {
            star = p++;
            resume = action;
        } else if (p < pattern.length && pattern.base[p] == lower(*action)) {
            p++;
            action++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            action = ++resume;
        } else
            return false;
    }
    while (p < pattern.length && pattern.base[p] == '*')
        p++;
    return p == pattern.length;
}

bool rbac_action_matches(struct text pattern, struct text action)
{
    char lowered[PATTERN_LIMIT], bytes[PATTERN_LIMIT + 1];
    if (pattern.length > PATTERN_LIMIT || action.length > PATTERN_LIMIT)
        return false;
    for (size_t i = 0; i < pattern.length; i++)
        lowered[i] = lower(pattern.base[i]);
    memcpy(bytes, action.base, action.length);
    bytes[action.length] = '\0';
    return action_matches((struct text){lowered, pattern.length}, bytes);
}

static bool any_matches(const struct text *patterns, size_t count, const char *action)
{
    for (size_t i = 0; i < count; i++)
        if (action_matches(patterns[i], action))
            return true;
    return false;
}

static bool role_allows(const struct role *role, const char *action)
{
    for (size_t i = 0; i < role->permission_count; i++) {
        const struct permission *permission = &role->permissions[i];
        if (any_matches(permission->actions, permission->action_count, action) &&
            !any_matches(permission->except, permission->except_count, action))
            return true;
    }
    return false;
}

// The strings of permissions[i].actions or .notActions, lower-cased; absent counts as empty.
static bool read_patterns(struct arena *arena, const json_t *permission, const char *name,
                          const struct text **patterns, size_t *count)
{
    const json_t *list = json_object_get(permission, name);
    *count = json_array_size(list);
    struct text *texts = ARENA_ARRAY(arena, struct text, *count + 1);
    for (size_t i = 0; i < *count; i++) {
        const json_t *value = json_array_get(list, i);
        struct text text = {json_string_value(value), json_string_length(value)};
        if (!text.base || text.length > PATTERN_LIMIT)
            return false;
        texts[i] = text_lower(arena, text);
    }
    *patterns = texts;
    return list == NULL || json_is_array(list);
}

struct role *role_compile(struct text id, struct text permissions)
{
    json_t *json = json_loadb(permissions.base, permissions.length, 0, NULL);
    struct arena *arena = arena_new();
    struct role *role = ARENA_NEW(arena, struct role);
    role->arena = arena;
    role->permission_count = json_array_size(json);
    role->permissions = ARENA_ARRAY(arena, struct permission, role->permission_count + 1);
    bool good = uuid_bytes(id, role->id) && json_is_array(json);
    for (size_t i = 0; good && i < role->permission_count; i++) {
        struct permission *permission = &role->permissions[i];
        const json_t *block = json_array_get(json, i);
        good = read_patterns(arena, block, "actions", &permission->actions, &permission->action_count) &&
               read_patterns(arena, block, "notActions", &permission->except, &permission->except_count);
    }
    json_decref(json);
    if (good)
        return role;
    arena_free(arena);
    return NULL;
}

void role_free(void *role)
{
    arena_free(((struct role *)role)->arena);
}

static const struct role *role_find(const struct shelf *roles, const unsigned char id[16])
{
    size_t low = 0, high = roles->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct role *role = roles->entries[middle];
        int order = memcmp(role->id, id, 16);
        if (order == 0)
            return role;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static struct text without_trailing_slash(struct text scope)
{
    while (scope.length > 1 && scope.base[scope.length - 1] == '/')
        scope.length--;
    return scope;
}

static bool grant_allows(const struct rbac_snapshot *snapshot, const struct grant_item *grant,
                         const char *action)
{
    for (unsigned i = 0; grant && i < grant->count; i++) {
        const struct role *role = role_find(snapshot->roles, grant->roles[i]);
        if (role && role_allows(role, action))
            return true;
    }
    return false;
}

// Calls `judge` for what the principal has at the root and at each whole-segment prefix of the scope.
static bool any_ancestor(const struct rbac_snapshot *snapshot, struct text object_id, struct text scope,
                         bool (*judge)(const struct rbac_snapshot *, const struct grant_item *, const char *),
                         const char *action)
{
    if (scope.length == 0 || scope.base[0] != '/')
        return false;
    if (judge(snapshot, snapshot_grant(snapshot, object_id, TEXT("/")), action))
        return true;
    for (size_t i = 1; i <= scope.length && scope.length > 1; i++)
        if (i == scope.length || scope.base[i] == '/')
            if (judge(snapshot, snapshot_grant(snapshot, object_id, text_slice(scope, 0, i)), action))
                return true;
    return false;
}

// Somebody the directory knows and lets in: a deleted or disabled principal's assignments count for nothing.
static bool is_active(const struct rbac_snapshot *snapshot, struct text object_id)
{
    const struct rbac_principal *principal = rbac_principal_by_id(snapshot, object_id);
    return principal && principal->enabled;
}

bool rbac_may(const struct rbac_snapshot *snapshot, const char *object_id, const char *action,
              struct text scope)
{
    struct text principal = text_of(object_id);
    return snapshot && object_id && is_active(snapshot, principal) &&
           any_ancestor(snapshot, principal, without_trailing_slash(scope), grant_allows, action);
}

static bool grant_exists(const struct rbac_snapshot *snapshot, const struct grant_item *grant,
                         const char *action)
{
    (void)snapshot, (void)action;
    return grant && grant->count > 0;
}

bool rbac_has_any(const struct rbac_snapshot *snapshot, const char *object_id, struct text scope)
{
    struct text principal = text_of(object_id);
    scope = without_trailing_slash(scope);
    if (!snapshot || !object_id || !is_active(snapshot, principal))
        return false;
    const struct grant_item *here = snapshot_grant(snapshot, principal, scope);
    return (here && here->below > 0) || any_ancestor(snapshot, principal, scope, grant_exists, NULL);
}
