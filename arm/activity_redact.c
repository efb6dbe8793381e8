// What a request's body loses before the activity log keeps it. A member is judged by its name, a value by
// its form; a template's parameters by their declared type.
#include "arm/activity.h"

#include "base/arena.h"

#include <string.h>

enum { BODY_LIMIT = 64 * 1024 };

#define HIDDEN "***"

// Parts of names, lower case: "adminPassword", "clientSecret", "storageAccountAccessKey", ….
static const char *const secret_parts[] = {
    "password",      "passwd",    "passphrase", "secret",           "token",         "credential",
    "accesskey",     "sharedkey", "accountkey", "apikey",           "privatekey",    "signingkey",
    "masterkey",     "keydata",   "pfx",        "connectionstring", "authorization", "protectedsettings",
    "customheaders", "cookie",    "signature",
};
// Whole names.
static const char *const secret_names[] = {"key", "key1", "key2", "primarykey", "secondarykey", "sas", "pwd"};

static bool name_is_secret(struct arena *arena, const char *name)
{
    struct text lower = text_lower(arena, text_of(name));
    for (size_t i = 0; i < sizeof secret_parts / sizeof *secret_parts; i++)
        if (text_search(lower, text_of(secret_parts[i])) >= 0)
            return true;
    for (size_t i = 0; i < sizeof secret_names / sizeof *secret_names; i++)
        if (text_is(lower, secret_names[i]))
            return true;
    return false;
}

static bool contains_nocase(struct arena *arena, struct text value, const char *needle)
{
    return text_search(text_lower(arena, value), text_of(needle)) >= 0;
}

// https://user:password@host/, …?sig=…, a bearer or basic credential, a token in three dotted parts, a key.
static bool value_is_secret(struct arena *arena, struct text value)
{
    ptrdiff_t scheme = text_search(value, TEXT("://"));
    if (scheme >= 0) {
        struct text rest = text_slice(value, (size_t)scheme + 3, value.length);
        ptrdiff_t at = text_find(rest, '@'), slash = text_find(rest, '/');
        if (at >= 0 && (slash < 0 || at < slash))
            return true;
        if (contains_nocase(arena, rest, "?sig=") || contains_nocase(arena, rest, "&sig=") ||
            contains_nocase(arena, rest, "?code=") || contains_nocase(arena, rest, "&code="))
            return true;
    }
    if (text_starts_nocase(value, "bearer ") || text_starts_nocase(value, "basic "))
        return true;
    if (text_search(value, TEXT("PRIVATE KEY-----")) >= 0)
        return true;
    return text_starts(value, "eyJ") && text_find(value, '.') > 0;
}

static void write_value(struct buffer *b, const json_t *value);

static void write_string(struct buffer *b, const json_t *value)
{
    struct text text = {json_string_value(value), json_string_length(value)};
    json_text(b, value_is_secret(b->arena, text) ? TEXT(HIDDEN) : text);
}

// A webhook's address is a secret from its path on: services give them out as such.
static void write_address(struct buffer *b, const json_t *value)
{
    struct text text = {json_string_value(value), json_string_length(value)};
    ptrdiff_t scheme = text_search(text, TEXT("://"));
    if (scheme < 0 || value_is_secret(b->arena, text)) {
        json_text(b, TEXT(HIDDEN));
        return;
    }
    struct text rest = text_slice(text, (size_t)scheme + 3, text.length);
    size_t host = 0;
    while (host < rest.length && !strchr("/?#", rest.base[host]))
        host++;
    struct text shown = text_slice(text, 0, (size_t)scheme + 3 + host);
    json_text(b, host < rest.length ? TEXT_JOIN(b->arena, shown, TEXT("/" HIDDEN)) : shown);
}

static bool type_is_plain(const json_t *declared)
{
    const char *type = json_string_value(json_object_get(declared, "type"));
    return type && !text_starts_nocase(text_of(type), "secure");
}

// A link to a template: its query may let anybody in who knows it.
static void write_link(struct buffer *b, const json_t *link)
{
    const char *name;
    const json_t *value;
    json_begin_object(b);
    json_object_foreach((json_t *)(uintptr_t)link, name, value)
    {
        struct text text = text_of(json_string_value(value));
        ptrdiff_t query = text.base ? text_find(text, '?') : -1;
        json_key(b, name);
        if (strcasecmp(name, "queryString") == 0)
            json_text(b, TEXT(HIDDEN));
        else if (query >= 0)
            json_text(b, TEXT_JOIN(b->arena, text_slice(text, 0, (size_t)query), TEXT("?" HIDDEN)));
        else
            write_value(b, value);
    }
    json_end_object(b);
}

static void write_member(struct buffer *b, const char *name, const json_t *value)
{
    if (json_is_object(value) &&
        (strcasecmp(name, "templateLink") == 0 || strcasecmp(name, "parametersLink") == 0)) {
        write_link(b, value);
        return;
    }
    if (!json_is_boolean(value) && !json_is_null(value) && name_is_secret(b->arena, name))
        json_text(b, TEXT(HIDDEN));
    else if (json_is_string(value) && strcasecmp(name, "serviceUri") == 0)
        write_address(b, value);
    else
        write_value(b, value);
}

// `declared` are the template's parameters, or NULL when the template is elsewhere: then every value is
// hidden. A parameter that is a reference to a vault names no secret itself.
static void write_parameters(struct buffer *b, const json_t *parameters, const json_t *declared)
{
    const char *name;
    const json_t *value;
    json_begin_object(b);
    json_object_foreach((json_t *)parameters, name, value)
    {
        json_key(b, name);
        if (type_is_plain(json_object_get(declared, name)))
            write_member(b, name, value);
        else
            json_text(b, TEXT(HIDDEN));
    }
    json_end_object(b);
}

// The declarations in a template: what is secure loses its default.
static void write_declarations(struct buffer *b, const json_t *declarations)
{
    const char *name, *member;
    const json_t *declared, *value;
    json_begin_object(b);
    json_object_foreach((json_t *)declarations, name, declared)
    {
        json_key(b, name);
        json_begin_object(b);
        json_object_foreach((json_t *)declared, member, value)
        {
            bool fallback = strcasecmp(member, "defaultValue") == 0;
            json_key(b, member);
            if (fallback && (!type_is_plain(declared) || name_is_secret(b->arena, name)))
                json_text(b, TEXT(HIDDEN));
            else
                write_value(b, value);
        }
        json_end_object(b);
    }
    json_end_object(b);
}

// {"name": "password", "value": "…"}
static bool names_a_secret(struct arena *arena, const json_t *object)
{
    const char *name;
    const json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        if (json_is_string(value) && (strcasecmp(name, "name") == 0 || strcasecmp(name, "key") == 0) &&
            name_is_secret(arena, json_string_value(value)))
            return true;
    }
    return false;
}

static void write_object(struct buffer *b, const json_t *object)
{
    const char *name;
    const json_t *value;
    const json_t *template = json_object_get(object, "template");
    bool deployment = template || json_object_get(object, "templateLink");
    bool is_template = json_object_get(object, "$schema") && json_object_get(object, "resources");
    bool names_secret = names_a_secret(b->arena, object);
    json_begin_object(b);
    json_object_foreach((json_t *)object, name, value)
    {
        json_key(b, name);
        if (deployment && json_is_object(value) && strcmp(name, "parameters") == 0)
            write_parameters(b, value, json_object_get(template, "parameters"));
        else if (is_template && json_is_object(value) && strcmp(name, "parameters") == 0)
            write_declarations(b, value);
        else if (names_secret && strcasecmp(name, "value") == 0)
            json_text(b, TEXT(HIDDEN));
        else
            write_member(b, name, value);
    }
    json_end_object(b);
}

static void write_value(struct buffer *b, const json_t *value)
{
    size_t i;
    const json_t *item;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        write_object(b, value);
        break;
    case JSON_ARRAY:
        json_begin_array(b);
        json_array_foreach(value, i, item)
        {
            write_value(b, item);
        }
        json_end_array(b);
        break;
    case JSON_STRING:
        write_string(b, value);
        break;
    case JSON_INTEGER:
        json_int(b, json_integer_value(value));
        break;
    case JSON_REAL:
        json_raw(b, text_of(arena_printf(b->arena, "%.17g", json_real_value(value))));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        json_bool(b, json_is_true(value));
        break;
    case JSON_NULL:
        json_write_null(b);
        break;
    }
}

struct text activity_redact(struct arena *arena, const json_t *body)
{
    if (!body)
        return TEXT_NONE;
    struct buffer b = buffer_new(arena);
    write_value(&b, body);
    if (b.length <= BODY_LIMIT)
        return buffer_done(&b);
    return text_of(arena_printf(arena, "{\"bodyTooLarge\":%zu}", b.length));
}
