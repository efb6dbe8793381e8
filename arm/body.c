// Request bodies: JSON objects only, duplicates refused, at most 64 deep (decisions 47); and reading their
// members.
#include "arm/door_parts.h"
#include "arm/resource.h"

#include "base/arena.h"

enum { DEPTH_LIMIT = 64 };

static bool media_type_is_json(struct text value)
{
    ptrdiff_t parameters = text_find(value, ';');
    struct text type = text_trim(parameters < 0 ? value : text_slice(value, 0, (size_t)parameters));
    if (text_is_nocase(type, "application/json") || text_is_nocase(type, "text/json"))
        return true;
    return type.length > 17 && text_starts_nocase(type, "application/") &&
           text_is_nocase(text_slice(type, type.length - 5, type.length), "+json");
}

// The byte at which objects and arrays nest too deep, or -1. Strings are skipped; what is no JSON the parser
// finds.
static ptrdiff_t too_deep(struct text body)
{
    int depth = 0;
    bool string = false;
    for (size_t i = 0; i < body.length; i++) {
        char c = body.base[i];
        if (string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                string = false;
        } else if (c == '"') {
            string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > DEPTH_LIMIT)
                return (ptrdiff_t)i;
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return -1;
}

static void fail_at(struct arm_call *call, const char *what, int line, int position)
{
    arm_fail(call, ARM_INVALID_CONTENT, what, "", line, position);
}

static void drop_json(void *json)
{
    json_decref(json);
}

static bool parse(struct arm_call *call, struct text body)
{
    if (body.length >= 3 && memcmp(body.base, "\xef\xbb\xbf", 3) == 0) // a byte order mark
        body = text_slice(body, 3, body.length);
    ptrdiff_t deep = too_deep(body);
    if (deep >= 0) {
        int line = 1, position = 0;
        for (ptrdiff_t i = 0; i < deep; i++) {
            position++;
            if (body.base[i] == '\n') {
                line++;
                position = 0;
            }
        }
        fail_at(call, "The reader's maximum depth of 64 has been exceeded", line, position);
        return false;
    }
    json_error_t error;
    json_t *json = json_loadb(body.base, body.length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!json) {
        fail_at(call, error.text, error.line > 0 ? error.line : 1, error.column > 0 ? error.column : 0);
        return false;
    }
    arena_on_free(call->arena, drop_json, json);
    if (!json_is_object(json)) {
        fail_at(call, "A JSON object is required", 1, 0);
        return false;
    }
    call->body = json;
    return true;
}

bool door_body(struct arm_call *call)
{
    struct text body = call->request->body;
    if (!(call->request->method & (HTTP_PUT | HTTP_POST | HTTP_PATCH)))
        return true;
    if (body.length == 0) {
        if (call->operation->flags & ARM_NEEDS_BODY)
            arm_fail(call, ARM_CONTENT_MISSING);
        return !call->failed;
    }
    struct text content_type = http_header(call->request, "content-type", NULL);
    if (!media_type_is_json(content_type)) {
        arm_fail(call, ARM_UNSUPPORTED_MEDIA_TYPE, TEXT_ARG(content_type));
        return false;
    }
    if (call->operation->flags & ARM_RAW_BODY)
        return true;
    return call->body != NULL || parse(call, body);
}

void arm_fail_content(struct arm_call *call, struct text value, const char *type, const char *path)
{
    if (value.length > 200)
        value.length = 200;
    arm_fail(call, ARM_INVALID_CONTENT,
             arena_printf(call->arena, "Error converting value \"%.*s\" to type '%s'", TEXT_ARG(value), type),
             path, 1, 0);
}

// The value as the failure shows it.
static struct text shown(struct arm_call *call, const json_t *value)
{
    if (json_is_string(value))
        return (struct text){json_string_value(value), json_string_length(value)};
    char *dump = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    if (!dump)
        return TEXT("");
    struct text copy = text_copy(call->arena, text_of(dump));
    free(dump);
    return copy;
}

// 1: there; 0: absent or null.
static int member_of(const json_t *object, const char *member, json_t **value)
{
    *value = json_object_get(object, member);
    return *value && !json_is_null(*value);
}

bool arm_body_text(struct arm_call *call, const json_t *object, const char *member, const char *path,
                   struct text *value)
{
    json_t *json;
    *value = TEXT_NONE;
    if (!member_of(object, member, &json))
        return true;
    if (!json_is_string(json)) {
        arm_fail_content(call, shown(call, json), "System.String", path);
        return false;
    }
    *value = (struct text){json_string_value(json), json_string_length(json)};
    return true;
}

bool arm_body_bool(struct arm_call *call, const json_t *object, const char *member, const char *path,
                   bool *value)
{
    json_t *json;
    if (!member_of(object, member, &json))
        return true;
    if (json_is_string(json) && text_is_nocase(text_of(json_string_value(json)), "true"))
        *value = true; // templates hand booleans over as strings
    else if (json_is_string(json) && text_is_nocase(text_of(json_string_value(json)), "false"))
        *value = false;
    else if (json_is_boolean(json))
        *value = json_is_true(json);
    else {
        arm_fail_content(call, shown(call, json), "System.Boolean", path);
        return false;
    }
    return true;
}

bool arm_body_int(struct arm_call *call, const json_t *object, const char *member, const char *path,
                  int64_t *value)
{
    json_t *json;
    if (!member_of(object, member, &json))
        return true;
    if (!json_is_integer(json)) {
        arm_fail_content(call, shown(call, json), "System.Int64", path);
        return false;
    }
    *value = json_integer_value(json);
    return true;
}

bool arm_body_object(struct arm_call *call, const json_t *object, const char *member, const char *path,
                     json_t **value)
{
    if (!member_of(object, member, value)) {
        *value = NULL;
        return true;
    }
    if (!json_is_object(*value)) {
        arm_fail_content(call, shown(call, *value), "System.Object", path);
        return false;
    }
    return true;
}

json_t *arm_member_nocase(const json_t *object, const char *name)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if (text_is_nocase(text_of(key), name))
            return json_is_null(value) ? NULL : value;
    }
    return NULL;
}
