// A custom role as clients write it: members, patterns, assignable scopes and the right to each of them.
#include "arm/role_definition.h"
#include "arm/authorization_errors.h"
#include "arm/resource.h"

#include "base/arena.h"

#include <stdlib.h>

enum {
    NAME_LIMIT = 128,
    DESCRIPTION_LIMIT = 1024,
    PATTERN_LIMIT = 256,
    PATTERNS_LIMIT = 2000,
    SCOPES_LIMIT = 2000
};

static const char *const lists[] = {"actions", "notActions", "dataActions", "notDataActions"};

static struct text string_of(const json_t *value)
{
    return (struct text){json_string_value(value), json_string_length(value)};
}

// Letters, digits and the punctuation of "Microsoft.ContainerRegistry/registries/*".
static bool pattern_valid(struct text pattern)
{
    for (size_t i = 0; i < pattern.length; i++) {
        char c = pattern.base[i], l = (char)(c | 0x20);
        if (!((l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '/' || c == '*' ||
              c == '-' || c == '_' || c == '$'))
            return false;
    }
    return pattern.length > 0 && pattern.length <= PATTERN_LIMIT;
}

static bool copy_patterns(struct arm_call *call, const json_t *block, const char *name, struct buffer *json)
{
    const json_t *list = json_object_get(block, name);
    json_key(json, name);
    json_begin_array(json);
    if (list && !json_is_null(list) && (!json_is_array(list) || json_array_size(list) > PATTERNS_LIMIT)) {
        arm_fail_content(call, text_of(name), "System.String[]",
                         arena_printf(call->arena, "properties.permissions[0].%s", name));
        return false;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct text pattern = string_of(json_array_get(list, i));
        if (!pattern.base || !pattern_valid(pattern)) {
            arm_fail(call, ARM_INVALID_ACTION, TEXT_ARG(pattern));
            return false;
        }
        json_text(json, pattern);
    }
    json_end_array(json);
    return true;
}

static bool read_permissions(struct arm_call *call, const json_t *properties, struct text *permissions)
{
    const json_t *blocks = json_object_get(properties, "permissions");
    if (blocks && !json_is_null(blocks) && !json_is_array(blocks)) {
        arm_fail_content(call, TEXT("permissions"), "Permission[]", "properties.permissions");
        return false;
    }
    struct buffer json = buffer_new(call->arena);
    json_begin_array(&json);
    for (size_t i = 0; i < json_array_size(blocks); i++) {
        const json_t *block = json_array_get(blocks, i);
        if (!json_is_object(block)) {
            arm_fail_content(call, TEXT("permissions"), "Permission",
                             arena_printf(call->arena, "properties.permissions[%zu]", i));
            return false;
        }
        json_begin_object(&json);
        for (size_t l = 0; l < sizeof lists / sizeof lists[0]; l++)
            if (!copy_patterns(call, block, lists[l], &json))
                return false;
        json_end_object(&json);
    }
    json_end_array(&json);
    *permissions = buffer_done(&json);
    return true;
}

// A custom role stands in subscriptions, groups or on resources of the caller's tenant, never at the root.
static bool read_scopes(struct arm_call *call, const json_t *properties, struct text *scopes)
{
    const json_t *list = json_object_get(properties, "assignableScopes");
    if (json_array_size(list) == 0 || json_array_size(list) > SCOPES_LIMIT) {
        arm_fail(call, ARM_MISSING_ASSIGNABLE_SCOPES);
        return false;
    }
    struct buffer json = buffer_new(call->arena);
    json_begin_array(&json);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct authorization_scope scope;
        struct text given = string_of(json_array_get(list, i));
        const struct rbac_subscription *subscription = NULL;
        if (given.length > 0 && given.base[0] == '/' &&
            authorization_scope_parse(call->arena, given, &scope) && scope.subscription_id.base)
            subscription = rbac_subscription_by_id(call->snapshot, scope.subscription_id);
        if (!subscription || !text_is(text_of(subscription->tenant_id), call->caller->tenant_id)) {
            arm_fail(call, ARM_LINKED_INVALID_PROPERTY_ID, TEXT_ARG(given),
                     arena_printf(call->arena, "properties.assignableScopes[%zu]", i));
            return false;
        }
        json_text(&json, scope.path);
    }
    json_end_array(&json);
    *scopes = buffer_done(&json);
    return true;
}

static void drop(void *json)
{
    json_decref(json);
}

bool role_definition_may(struct arm_call *call, const char *action, struct text assignable_scopes)
{
    json_t *list = json_loadb(assignable_scopes.base, assignable_scopes.length, 0, NULL);
    arena_on_free(call->arena, drop, list);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct text scope = string_of(json_array_get(list, i));
        if (scope.base && arm_may(call, action, scope))
            continue;
        arm_fail(call, ARM_LINKED_AUTHORIZATION_FAILED, call->caller->name, call->caller->object_id, action,
                 TEXT_ARG(call->scope), action, TEXT_ARG(scope));
        return false;
    }
    return true;
}

bool role_definition_read(struct arm_call *call, const char *action, struct role_definition_body *body)
{
    json_t *properties;
    struct text type;
    if (!authorization_properties(call, &properties) ||
        !arm_body_text(call, properties, "roleName", "properties.roleName", &body->name) ||
        !arm_body_text(call, properties, "description", "properties.description", &body->description) ||
        !arm_body_text(call, properties, "type", "properties.type", &type))
        return false;
    bool wrapped = json_object_get(call->body, "properties") != NULL;
    // A flat body is the whole object as az read it, whose "type" is the resource's.
    if (type.length > 0 && !text_is_nocase(type, "CustomRole") &&
        (wrapped || !text_is_nocase(type, "Microsoft.Authorization/roleDefinitions")))
        arm_fail(call, ARM_INVALID_ROLE_DEFINITION_TYPE, TEXT_ARG(type));
    else if (text_trim(body->name).length == 0)
        arm_fail(call, ARM_ROLE_DEFINITION_NAME_MISSING);
    else if (body->name.length > NAME_LIMIT)
        arm_fail(call, ARM_ROLE_DEFINITION_NAME_TOO_LONG);
    else if (body->description.length > DESCRIPTION_LIMIT)
        arm_fail(call, ARM_DESCRIPTION_TOO_LONG);
    if (!body->description.base)
        body->description = TEXT("");
    return !call->failed && read_permissions(call, properties, &body->permissions) &&
           read_scopes(call, properties, &body->scopes) && role_definition_may(call, action, body->scopes);
}

void role_definition_write_permissions(struct buffer *json, const struct arm_call *call,
                                       struct text permissions)
{
    size_t shown = authorization_shape_of(call) == SHAPE_2015 ? 2 : 4; // data actions came later
    json_t *blocks = json_loadb(permissions.base, permissions.length, 0, NULL);
    json_begin_array(json);
    for (size_t i = 0; i < json_array_size(blocks); i++) {
        json_begin_object(json);
        for (size_t l = 0; l < shown; l++) {
            const json_t *list = json_object_get(json_array_get(blocks, i), lists[l]);
            json_key(json, lists[l]);
            json_begin_array(json);
            for (size_t p = 0; p < json_array_size(list); p++)
                json_text(json, string_of(json_array_get(list, p)));
            json_end_array(json);
        }
        json_end_object(json);
    }
    json_end_array(json);
    json_decref(blocks);
}
