// URIs (arm-templates 5.4 uri, uriComponent, parseUri …; RFC 3986).
#include "templates/uri_parts.h"
#include "templates/utf16.h"

static const struct value *done(struct call *call, struct text result)
{
    return result.base ? call_string(call, result) : NULL;
}

static bool is_string(struct call *call, size_t index, const char *expected)
{
    if (call->arguments[index]->kind == VALUE_STRING)
        return true;
    call_fail_type(call, expected, call->arguments[index]);
    return false;
}

// ---- uri()

static const struct value *uri(struct call *call)
{
    struct uri_parts base, relative;
    if (!is_string(call, 0, "first parameter to be of type 'String'") ||
        !is_string(call, 1, "second parameter to be of type 'String'"))
        return NULL;
    struct text a = call->arguments[0]->string, b = call->arguments[1]->string;
    if (!call_spend(call, 1 + (a.length + b.length) / 8, (a.length + b.length) * 6 + 1200))
        return NULL;
    if (!uri_split(a, &base) || !uri_is_absolute(&base))
        return call_fail(
            call,
            "The template language function 'uri' expects its first argument to be a uri string. The "
            "provided value is '%.*s'. Please see https://aka.ms/arm-function-datauri for usage details.",
            SHOWN(a));
    if (!uri_split(b, &relative))
        return call_fail(
            call,
            "The template language function 'uri' expects its second argument to be a uri string. The "
            "provided value is '%.*s'. Please see https://aka.ms/arm-function-datauri for usage details.",
            SHOWN(b));
    return done(call, uri_write(call->e->arena, uri_resolve(call->e->arena, &base, &relative)));
}

// ---- parts in percent-encoding

static const struct value *uri_component(struct call *call)
{
    if (!is_string(call, 0, "parameter to be of type 'String'"))
        return NULL;
    struct text text = call->arguments[0]->string;
    if (!call_spend(call, 1 + text.length / 16, text.length * 3 + 16))
        return NULL;
    return call_string(call, text_percent_encode(call->e->arena, text));
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The byte that "%XX" at the beginning stands for, or -1.
static int escape_at(struct text t, size_t at)
{
    if (at + 2 >= t.length || t.base[at] != '%')
        return -1;
    int high = hex(t.base[at + 1]), low = hex(t.base[at + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

// A character that the escapes at `at` make together; 0 when they make none and so stay as they are.
static size_t escaped_character(struct text t, size_t at, char bytes[4])
{
    size_t count = 0;
    for (int byte; count < 4 && (byte = escape_at(t, at + 3 * count)) >= 0; count++)
        bytes[count] = (char)byte;
    return utf8_character((struct text){bytes, count});
}

static const struct value *uri_component_to_string(struct call *call)
{
    if (!is_string(call, 0, "parameter to be of type 'String'"))
        return NULL;
    struct text text = call->arguments[0]->string;
    char *out = call_bytes(call, text.length), *to = out, bytes[4];
    if (!out || !call_spend(call, text.length / 16, 0))
        return NULL;
    for (size_t at = 0; at < text.length;) {
        size_t length = escaped_character(text, at, bytes);
        to = length ? mempcpy(to, bytes, length) : mempcpy(to, text.base + at, 1);
        at += length ? 3 * length : 1;
    }
    return call_string(call, (struct text){out, (size_t)(to - out)});
}

// ---- parseUri() and buildUri()

static bool add_member(struct call *call, struct value_member *members, size_t *count, const char *name,
                       struct text text)
{
    if (!text.base)
        return true;
    const struct value *string = call_string(call, text);
    members[(*count)++] = (struct value_member){.name = text_of(name), .value = string};
    return string;
}

static const struct value *parse_uri(struct call *call)
{
    struct uri_parts parts;
    if (!is_string(call, 0, "parameter to be of type 'String'"))
        return NULL;
    struct text text = call->arguments[0]->string;
    if (!call_spend(call, 1 + text.length / 16, text.length * 2 + 64))
        return NULL;
    if (!uri_split(text, &parts) || !uri_is_absolute(&parts))
        return call_fail(
            call,
            "The template language function 'parseUri' expects its parameter to be an absolute uri "
            "string. The provided value is '%.*s'.",
            SHOWN(text));
    struct text host, port;
    int64_t number = 0;
    uri_split_authority(parts.authority, &host, &port);
    struct value_member *members = call_members(call, 5);
    size_t count = 0;
    if (!members || !add_member(call, members, &count, "scheme", text_lower(call->e->arena, parts.scheme)) ||
        !add_member(call, members, &count, "host", text_lower(call->e->arena, host)))
        return NULL;
    if (text_to_int64(port, &number)) {
        const struct value *value = call_integer(call, number);
        members[count++] = (struct value_member){.name = TEXT("port"), .value = value};
        if (!value)
            return NULL;
    }
    struct text path = parts.path.length > 0 ? parts.path : TEXT("/");
    struct text query = parts.query.base ? TEXT_JOIN(call->e->arena, TEXT("?"), parts.query) : TEXT_NONE;
    if (!add_member(call, members, &count, "path", path) ||
        !add_member(call, members, &count, "query", query))
        return NULL;
    return call_object(call, members, count);
}

// A member that is a string or not there; false and the error when it is something else.
static bool read_member(struct call *call, const char *name, bool required, struct text *text)
{
    const struct value *value = value_find(call->arguments[0], text_of(name));
    *text = value_text(value);
    if (text->base || (!required && (!value || value->kind == VALUE_NULL)))
        return true;
    call_fail(
        call,
        "The template language function 'buildUri' expects its parameter to have a property '%s' of type "
        "'String'.",
        name);
    return false;
}

static const struct value *build_uri(struct call *call)
{
    struct text scheme, host, path, query;
    char digits[24] = "";
    size_t length = 0;
    if (call->arguments[0]->kind != VALUE_OBJECT)
        return call_fail_type(call, "parameter to be of type 'Object'", call->arguments[0]);
    if (!read_member(call, "scheme", true, &scheme) || !read_member(call, "host", true, &host) ||
        !read_member(call, "path", false, &path) || !read_member(call, "query", false, &query))
        return NULL;
    const struct value *port = VALUE_FIND(call->arguments[0], "port");
    if (port && port->kind != VALUE_NULL) {
        if (port->kind != VALUE_INTEGER || port->integer < 0 || port->integer > 65535)
            return call_fail(
                call, "The template language function 'buildUri' expects its parameter's property 'port' "
                      "to be an integer between '0' and '65535'.");
        length = text_put_int64(port->integer, digits);
    }
    bool slash = path.length > 0 && path.base[0] == '/', question = query.length > 0 && query.base[0] == '?';
    const struct text parts[] = {scheme,
                                 TEXT("://"),
                                 host,
                                 length ? TEXT(":") : TEXT(""),
                                 {digits, length},
                                 slash ? TEXT("") : TEXT("/"),
                                 path,
                                 question || query.length == 0 ? TEXT("") : TEXT("?"),
                                 query};
    return done(call, call_join(call, parts, sizeof parts / sizeof *parts, TEXT("")));
}

const struct function functions_uri[] = {
    {"buildUri", 1, 1, ANYWHERE, false, build_uri, NULL, NULL},
    {"parseUri", 1, 1, ANYWHERE, false, parse_uri, NULL, NULL},
    {"uri", 2, 2, ANYWHERE, false, uri, NULL, NULL},
    {"uriComponent", 1, 1, ANYWHERE, false, uri_component, NULL, NULL},
    {"uriComponentToString", 1, 1, ANYWHERE, false, uri_component_to_string, NULL, NULL},
    {0},
};
