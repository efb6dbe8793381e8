// Splitting, resolving and writing URIs.
#include "templates/uri_parts.h"

static size_t find_any(struct text t, size_t from, const char *signs)
{
    size_t at = from;
    while (at < t.length && !strchr(signs, t.base[at]))
        at++;
    return at;
}

// The scheme's length, 0 when there is none.
static size_t scheme_length(struct text t)
{
    size_t at = 0;
    for (; at < t.length && t.base[at] != ':'; at++) {
        char c = t.base[at], letter = (char)(c | 0x20);
        bool fits = letter >= 'a' && letter <= 'z';
        if (at > 0)
            fits = fits || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
        if (!fits)
            return 0;
    }
    return at < t.length ? at : 0;
}

bool uri_split(struct text text, struct uri_parts *parts)
{
    *parts = (struct uri_parts){0};
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.base[i] < ' ')
            return false;
    size_t at = scheme_length(text), end;
    if (at > 0)
        parts->scheme = text_slice(text, 0, at++);
    if (at + 1 < text.length && text.base[at] == '/' && text.base[at + 1] == '/') {
        end = find_any(text, at + 2, "/?#");
        parts->authority = text_slice(text, at + 2, end);
        at = end;
    }
    end = find_any(text, at, "?#");
    parts->path = text_slice(text, at, end);
    at = end;
    if (at < text.length && text.base[at] == '?') {
        end = find_any(text, at, "#");
        parts->query = text_slice(text, at + 1, end);
        at = end;
    }
    if (at < text.length)
        parts->fragment = text_slice(text, at + 1, text.length);
    return true;
}

bool uri_is_absolute(const struct uri_parts *parts)
{
    return parts->scheme.base && parts->authority.length > 0;
}

void uri_split_authority(struct text authority, struct text *host, struct text *port)
{
    ptrdiff_t at = text_rfind(authority, '@');
    if (at >= 0)
        authority = text_slice(authority, (size_t)at + 1, authority.length);
    ptrdiff_t colon = text_rfind(authority, ':');
    bool is_port = colon >= 0;
    for (size_t i = (size_t)(colon + 1); is_port && i < authority.length; i++)
        is_port = authority.base[i] >= '0' && authority.base[i] <= '9';
    *host = text_slice(authority, 0, is_port ? (size_t)colon : authority.length);
    *port = is_port ? text_slice(authority, (size_t)colon + 1, authority.length) : TEXT_NONE;
}

// RFC 3986 5.2.4, of a path that begins with a slash.
static struct text remove_dots(struct arena *arena, struct text path)
{
    char *out = arena_reserve(arena, path.length + 2);
    size_t length = 0;
    for (size_t at = 0; at < path.length;) {
        size_t end = find_any(path, at + 1, "/");
        struct text segment = text_slice(path, at, end);
        bool last = end >= path.length;
        at = end;
        if (text_is(segment, "/.") || text_is(segment, "/..")) {
            while (text_is(segment, "/..") && length > 0 && out[--length] != '/')
                continue;
            if (last)
                out[length++] = '/';
            continue;
        }
        memcpy(out + length, segment.base, segment.length);
        length += segment.length;
    }
    return (struct text){out, length};
}

// The base's path up to its last slash, then the relative one.
static struct text merge_paths(struct arena *arena, const struct uri_parts *base, struct text relative)
{
    ptrdiff_t slash = text_rfind(base->path, '/');
    struct text before = slash < 0 ? TEXT("/") : text_slice(base->path, 0, (size_t)slash + 1);
    return TEXT_JOIN(arena, before, relative);
}

struct uri_parts uri_resolve(struct arena *arena, const struct uri_parts *base,
                             const struct uri_parts *relative)
{
    struct uri_parts target = *relative;
    if (!relative->scheme.base) {
        target.scheme = base->scheme;
        if (!relative->authority.base) {
            target.authority = base->authority;
            if (relative->path.length == 0)
                target.path = base->path;
            else if (relative->path.base[0] != '/')
                target.path = merge_paths(arena, base, relative->path);
        }
    }
    if (target.path.length == 0 && target.authority.base)
        target.path = TEXT("/");
    if (target.path.length > 0 && target.path.base[0] == '/')
        target.path = remove_dots(arena, target.path);
    return target;
}

static void put_escaped(struct buffer *out, struct text part)
{
    for (size_t i = 0; i < part.length; i++) {
        if (part.base[i] == ' ')
            buffer_string(out, "%20");
        else
            buffer_char(out, part.base[i]);
    }
}

static void put_authority(struct arena *arena, struct buffer *out, const struct uri_parts *parts)
{
    struct text host, port;
    uri_split_authority(parts->authority, &host, &port);
    bool own = (text_is(port, "80") && text_is_nocase(parts->scheme, "http")) ||
               (text_is(port, "443") && text_is_nocase(parts->scheme, "https"));
    buffer_string(out, "//");
    buffer_text(out, text_slice(parts->authority, 0, (size_t)(host.base - parts->authority.base)));
    buffer_text(out, text_lower(arena, host));
    if (port.length > 0 && !own) {
        buffer_char(out, ':');
        buffer_text(out, port);
    }
}

struct text uri_write(struct arena *arena, struct uri_parts parts)
{
    struct buffer out = buffer_new(arena);
    buffer_text(&out, text_lower(arena, parts.scheme));
    buffer_char(&out, ':');
    if (parts.authority.base)
        put_authority(arena, &out, &parts);
    put_escaped(&out, parts.path);
    if (parts.query.base) {
        buffer_char(&out, '?');
        put_escaped(&out, parts.query);
    }
    if (parts.fragment.base) {
        buffer_char(&out, '#');
        put_escaped(&out, parts.fragment);
    }
    return buffer_done(&out);
}
