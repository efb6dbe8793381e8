// Taking resource ids apart, building them, comparing them.
#include "arm/resource_id.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/letters.h"

enum { PIECES = 40 };

static size_t split(struct text id, struct text *pieces)
{
    if (id.length == 0 || id.base[0] != '/')
        return 0;
    if (id.length > 1 && id.base[id.length - 1] == '/')
        id.length--;
    size_t count = 0, start = 1;
    for (size_t i = 1; i <= id.length; i++) {
        if (i < id.length && id.base[i] != '/')
            continue;
        if (i == start || count == PIECES)
            return 0;
        pieces[count++] = text_slice(id, start, i);
        start = i + 1;
    }
    return count;
}

static struct text joined(struct arena *arena, const struct text *pieces, size_t from, size_t to, size_t step)
{
    struct buffer b = buffer_new(arena);
    for (size_t i = from; i < to; i += step) {
        if (b.length > 0)
            buffer_char(&b, '/');
        buffer_text(&b, pieces[i]);
    }
    return buffer_done(&b);
}

bool resource_id_parse(struct arena *arena, struct text id, struct resource_id *parsed)
{
    struct text pieces[PIECES];
    *parsed = (struct resource_id){0};
    size_t count = split(id, pieces), at = 0;
    if (count >= 2 && text_is_nocase(pieces[0], "subscriptions")) {
        if (!uuid_is(pieces[1]))
            return false;
        parsed->subscription_id = text_lower(arena, pieces[1]);
        at = 2;
        if (count >= 4 && text_is_nocase(pieces[2], "resourceGroups")) {
            parsed->group = pieces[3];
            at = 4;
        }
    }
    size_t last = 0;
    for (size_t i = at; i + 1 < count; i += 2)
        if (text_is_nocase(pieces[i], "providers"))
            last = i;
    if (count < at + 4 || !text_is_nocase(pieces[at], "providers") || (count - last) % 2 != 0 ||
        count - last < 4)
        return false;
    if (last > at)
        parsed->parent = (struct text){id.base, (size_t)(pieces[last].base - id.base) - 1};
    parsed->namespace_name = pieces[last + 1];
    parsed->type = joined(arena, pieces, last + 2, count, 2);
    parsed->name = joined(arena, pieces, last + 3, count, 2);
    return true;
}

struct text resource_id_of_group(struct arena *arena, struct text subscription_id, struct text group)
{
    return TEXT_JOIN(arena, TEXT("/subscriptions/"), subscription_id, TEXT("/resourceGroups/"), group);
}

// The piece of a slash-separated text that starts at *at; moves *at behind it.
static struct text next_piece(struct text t, size_t *at)
{
    size_t start = *at, end = start;
    while (end < t.length && t.base[end] != '/')
        end++;
    *at = end + 1;
    return start <= t.length ? text_slice(t, start, end) : TEXT("");
}

struct text resource_id_build(struct arena *arena, struct text subscription_id, struct text group,
                              struct text type, struct text name)
{
    struct buffer b = buffer_new(arena);
    buffer_text(&b, resource_id_of_group(arena, subscription_id, group));
    size_t in_type = 0, in_name = 0;
    struct text namespace_name = next_piece(type, &in_type);
    buffer_string(&b, "/providers/");
    buffer_text(&b, namespace_name);
    while (in_type < type.length && in_name < name.length) {
        buffer_char(&b, '/');
        buffer_text(&b, next_piece(type, &in_type));
        buffer_char(&b, '/');
        buffer_text(&b, next_piece(name, &in_name));
    }
    return buffer_done(&b);
}

static struct text without_slash(struct text t)
{
    while (t.length > 0 && t.base[t.length - 1] == '/')
        t.length--;
    return t;
}

bool resource_id_equal(struct text a, struct text b)
{
    return text_equal_nocase(without_slash(a), without_slash(b));
}

bool resource_id_within(struct text id, struct text scope)
{
    scope = without_slash(scope);
    id = without_slash(id);
    if (id.length < scope.length || !text_equal_nocase(text_slice(id, 0, scope.length), scope))
        return false;
    return id.length == scope.length || id.base[scope.length] == '/';
}

bool resource_group_character(uint32_t character)
{
    return letter_or_digit(character) ||
           (character > 0 && character < 0x80 && strchr("-_().", (int)character));
}

bool resource_group_name_valid(struct text name)
{
    if (name.length == 0 || name.base[name.length - 1] == '.' || !text_is_utf8(name))
        return false;
    size_t characters = 0;
    for (size_t i = 0; i < name.length; characters++)
        if (!resource_group_character(text_next_character(name, &i)))
            return false;
    return characters <= RESOURCE_GROUP_NAME_LIMIT;
}

bool resource_name_valid(struct text name)
{
    if (name.length == 0 || name.length > 260 || !text_is_utf8(name))
        return false;
    for (size_t i = 0; i < name.length; i++) {
        unsigned char c = (unsigned char)name.base[i];
        if (c < 0x20 || c == 0x7f || strchr("<>%&:\\?/", c))
            return false;
    }
    return true;
}
