// Comparing a resource with what a deployment would make of it.
#include "templates/what_if_diff.h"
#include "templates/reader.h"

#include <stdlib.h>

enum { PATH_LIMIT = 512 };

static const char *const everywhere[] = {"systemData", "etag", "properties.provisioningState", NULL};

static bool listed(what_if_read_only paths, struct text path)
{
    for (; paths && *paths; paths++)
        if (text_is_nocase(path, *paths))
            return true;
    return false;
}

// ---- snapshots

struct walk {
    struct arena *arena;
    what_if_read_only read_only;
    char path[PATH_LIMIT];
    size_t length;
};

// The path's length before; SIZE_MAX where it is too long to be anybody's.
static size_t enter(struct walk *walk, struct text name)
{
    size_t before = walk->length, point = before > 0;
    if (before + point + name.length > PATH_LIMIT)
        return SIZE_MAX;
    if (point)
        walk->path[walk->length++] = '.';
    memcpy(walk->path + walk->length, name.base, name.length);
    walk->length += name.length;
    return before;
}

static int by_name(const void *a, const void *b)
{
    return text_compare_nocase(((const struct value_member *)a)->name,
                               ((const struct value_member *)b)->name);
}

static const struct value *shown(struct walk *walk, const struct value *value);

// `extra`: a member besides, or NULL.
static const struct value *shown_members(struct walk *walk, const struct value *object,
                                         const struct value_member *extra)
{
    size_t count = 0;
    struct value_member *members = ARENA_ARRAY(walk->arena, struct value_member, object->object.count + 1);
    for (size_t i = 0; i < object->object.count; i++) {
        struct value_member m = object->object.members[i];
        size_t before = enter(walk, m.name);
        struct text path = {walk->path, walk->length};
        bool kept = m.value->kind != VALUE_NULL;
        if (before != SIZE_MAX) {
            kept = kept && !listed(everywhere, path) && !listed(walk->read_only, path);
            if (kept)
                m.value = shown(walk, m.value);
            walk->length = before;
        }
        if (kept)
            members[count++] = m;
    }
    if (extra)
        members[count++] = *extra;
    qsort(members, count, sizeof *members, by_name);
    return value_object(walk->arena, members, count);
}

// Items have the path of their array.
static const struct value *shown_items(struct walk *walk, const struct value *array)
{
    const struct value **items = ARENA_ARRAY(walk->arena, const struct value *, array->array.count + 1);
    for (size_t i = 0; i < array->array.count; i++)
        items[i] = shown(walk, array->array.items[i]);
    return value_array(walk->arena, items, array->array.count);
}

// As deep as the reader lets JSON be.
static const struct value *shown(struct walk *walk, const struct value *value)
{
    if (value->kind == VALUE_OBJECT)
        return shown_members(walk, value, NULL);
    return value->kind == VALUE_ARRAY ? shown_items(walk, value) : value;
}

static const struct value *without_empty_tags(struct arena *arena, const struct value *object)
{
    struct value_member *members = ARENA_ARRAY(arena, struct value_member, object->object.count + 1);
    size_t count = 0;
    for (size_t i = 0; i < object->object.count; i++) {
        const struct value_member *m = &object->object.members[i];
        bool empty = m->value->kind == VALUE_OBJECT && m->value->object.count == 0;
        if (!(empty && text_is_nocase(m->name, "tags")) && !text_is_nocase(m->name, "apiVersion"))
            members[count++] = *m;
    }
    return value_object(arena, members, count);
}

const struct value *what_if_snapshot(struct arena *arena, const struct value *resource,
                                     struct text api_version, what_if_read_only read_only)
{
    if (!value_is(resource, VALUE_OBJECT))
        return NULL;
    struct walk walk = {.arena = arena, .read_only = read_only};
    struct value_member version = {.name = TEXT("apiVersion"), .value = value_string(arena, api_version)};
    return shown_members(&walk, without_empty_tags(arena, resource), &version);
}

// ---- what differs

struct changes {
    struct arena *arena;
    const struct value **items;
    size_t count, capacity;
};

static void add(struct changes *changes, struct text path, const char *kind, const struct value *before,
                const struct value *after, const struct value *children)
{
    if (changes->count == changes->capacity) {
        size_t capacity = changes->capacity ? changes->capacity * 2 : 8;
        const struct value **items = ARENA_ARRAY(changes->arena, const struct value *, capacity);
        if (changes->count > 0)
            memcpy(items, changes->items, changes->count * sizeof(const struct value *));
        changes->items = items;
        changes->capacity = capacity;
    }
    struct value_member *members = ARENA_ARRAY(changes->arena, struct value_member, 5);
    size_t count = 0;
    members[count++] =
        (struct value_member){.name = TEXT("path"), .value = value_string(changes->arena, path)};
    members[count++] = (struct value_member){.name = TEXT("propertyChangeType"),
                                             .value = value_string(changes->arena, text_of(kind))};
    if (before)
        members[count++] = (struct value_member){.name = TEXT("before"), .value = before};
    if (after)
        members[count++] = (struct value_member){.name = TEXT("after"), .value = after};
    if (children)
        members[count++] = (struct value_member){.name = TEXT("children"), .value = children};
    changes->items[changes->count++] = value_object(changes->arena, members, count);
}

static const struct value *done(const struct changes *changes)
{
    return value_array(changes->arena, changes->items, changes->count);
}

static bool nothing(const struct value *value)
{
    if (!value || value->kind == VALUE_NULL)
        return true;
    return (value->kind == VALUE_OBJECT && value->object.count == 0) ||
           (value->kind == VALUE_ARRAY && value->array.count == 0);
}

static struct text below(struct arena *arena, struct text path, struct text name)
{
    struct buffer b = buffer_new(arena);
    buffer_text(&b, path);
    reader_path_member(&b, name);
    return buffer_done(&b);
}

static bool tells_who(struct text name)
{
    return text_is_nocase(name, "id") || text_is_nocase(name, "name") || text_is_nocase(name, "type") ||
           text_is_nocase(name, "apiVersion");
}

static void compare(struct changes *changes, struct text path, const struct value *before,
                    const struct value *after);

// Either may be absent. `root`: of a resource itself.
static void compare_members(struct changes *changes, struct text path, const struct value *before,
                            const struct value *after, bool root)
{
    for (size_t i = 0; before && before->kind == VALUE_OBJECT && i < before->object.count; i++) {
        const struct value_member *m = &before->object.members[i];
        if (!root || !tells_who(m->name))
            compare(changes, below(changes->arena, path, m->name), m->value, value_find(after, m->name));
    }
    for (size_t i = 0; after && after->kind == VALUE_OBJECT && i < after->object.count; i++) {
        const struct value_member *m = &after->object.members[i];
        if ((!root || !tells_who(m->name)) && !value_find(before, m->name))
            compare(changes, below(changes->arena, path, m->name), NULL, m->value);
    }
}

static void compare_item(struct changes *changes, struct text index, const struct value *before,
                         const struct value *after)
{
    if (!value_is(before, VALUE_OBJECT) || !value_is(after, VALUE_OBJECT)) {
        compare(changes, index, before, after);
        return;
    }
    struct changes inside = {.arena = changes->arena};
    compare_members(&inside, TEXT(""), before, after, false);
    if (inside.count > 0)
        add(changes, index, "Modify", NULL, NULL, done(&inside));
}

static void compare_items(struct changes *changes, struct text path, const struct value *before,
                          const struct value *after)
{
    struct changes inside = {.arena = changes->arena};
    size_t old = before->array.count, new = after->array.count;
    for (size_t i = 0; i < old || i < new; i++) {
        struct text index = text_of(arena_printf(changes->arena, "%zu", i));
        if (i >= new)
            add(&inside, index, "Delete", before->array.items[i], NULL, NULL);
        else if (i >= old)
            add(&inside, index, "Create", NULL, after->array.items[i], NULL);
        else
            compare_item(&inside, index, before->array.items[i], after->array.items[i]);
    }
    if (inside.count > 0)
        add(changes, path, "Array", NULL, NULL, done(&inside));
}

static bool object_or_nothing(const struct value *value)
{
    return !value || nothing(value) || value->kind == VALUE_OBJECT;
}

static void compare(struct changes *changes, struct text path, const struct value *before,
                    const struct value *after)
{
    if ((nothing(before) && nothing(after)) || (before && after && value_equal(before, after)))
        return;
    if (object_or_nothing(before) && object_or_nothing(after))
        compare_members(changes, path, before, after, false);
    else if (before && after && before->kind == VALUE_ARRAY && after->kind == VALUE_ARRAY)
        compare_items(changes, path, before, after);
    else if (nothing(before))
        add(changes, path, "Create", NULL, after, NULL);
    else if (nothing(after))
        add(changes, path, "Delete", before, NULL, NULL);
    else
        add(changes, path, "Modify", before, after, NULL);
}

const struct value *what_if_delta(struct arena *arena, const struct value *before, const struct value *after)
{
    struct changes changes = {.arena = arena};
    compare_members(&changes, TEXT(""), before, after, true);
    return done(&changes);
}

// ---- what is said in vain

static const struct value *at_path(const struct value *value, struct text path)
{
    while (value && path.length > 0) {
        ptrdiff_t point = text_find(path, '.');
        size_t end = point < 0 ? path.length : (size_t)point;
        value = value_find(value, text_slice(path, 0, end));
        path = text_slice(path, point < 0 ? path.length : end + 1, path.length);
    }
    return value;
}

static bool same(const struct value *said, const struct value *is)
{
    return is && (value_equal(said, is) || (said->kind == VALUE_STRING && is->kind == VALUE_STRING &&
                                            text_equal_nocase(said->string, is->string)));
}

static void add_vain(struct changes *changes, what_if_read_only paths, const struct value *body,
                     const struct value *resource)
{
    for (; paths && *paths; paths++) {
        const struct value *said = at_path(body, text_of(*paths));
        if (!nothing(said) && !same(said, at_path(resource, text_of(*paths))))
            add(changes, text_of(*paths), "NoEffect", NULL, said, NULL);
    }
}

const struct value *what_if_no_effect(struct arena *arena, const struct value *body,
                                      const struct value *resource, what_if_read_only read_only)
{
    struct changes changes = {.arena = arena};
    add_vain(&changes, everywhere, body, resource);
    add_vain(&changes, read_only, body, resource);
    return done(&changes);
}

const struct value *what_if_joined(struct arena *arena, const struct value *first, const struct value *second)
{
    size_t count = first->array.count + second->array.count;
    const struct value **items = ARENA_ARRAY(arena, const struct value *, count + 1);
    if (second->array.count == 0)
        return first;
    if (first->array.count > 0)
        memcpy(items, first->array.items, first->array.count * sizeof(const struct value *));
    memcpy(items + first->array.count, second->array.items,
           second->array.count * sizeof(const struct value *));
    return value_array(arena, items, count);
}
