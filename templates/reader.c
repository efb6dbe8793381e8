// The lenient JSON reader's structure: objects, arrays and what stands between them, within fixed bounds of
// depth and count (arm-templates 1.1). Failures are worded as those of the library that users know.
#include "templates/reader_cursor.h"

#include <stdio.h>
#include <stdlib.h>

enum { DEPTH = 128, VALUES = 250000, FEW = 16 };

struct reader {
    struct cursor cursor;
    size_t depth, depth_limit, value_count, value_limit;
    // Members (items have no name) of the objects and arrays that are open, the innermost last.
    struct value_member *open;
    size_t open_count, open_room;
};

static void put_step(struct buffer *out, const struct reader_step *step)
{
    if (step->name.base)
        reader_path_member(out, step->name);
    else
        buffer_format(out, "[%zu]", step->index);
}

// A path is for people: what is longer than any name should be is cut.
static struct text name_shown(struct text name)
{
    enum { SHOWN = 200 };
    if (name.length <= SHOWN)
        return name;
    size_t end = SHOWN;
    while (end > 0 && ((unsigned char)name.base[end] & 0xc0) == 0x80)
        end--; // no half characters
    return text_slice(name, 0, end);
}

void reader_path_member(struct buffer *out, struct text name)
{
    name = name_shown(name);
    bool odd = name.length == 0;
    for (size_t i = 0; i < name.length; i++)
        odd = odd || (unsigned char)name.base[i] < 0x20 || strchr(". '/\"[]()\\", name.base[i]);
    if (!odd) {
        if (out->length > 0)
            buffer_char(out, '.');
        buffer_text(out, name);
        return;
    }
    buffer_string(out, "['");
    for (size_t i = 0; i < name.length; i++) {
        if (name.base[i] == '\'' || name.base[i] == '\\')
            buffer_char(out, '\\');
        buffer_char(out, name.base[i]);
    }
    buffer_string(out, "']");
}

static struct text path_of(struct arena *arena, const struct reader_step *step)
{
    const struct reader_step **steps = NULL;
    size_t count = 0;
    for (const struct reader_step *s = step; s; s = s->outer)
        count++;
    steps = ARENA_ARRAY(arena, const struct reader_step *, count + 1);
    for (size_t i = count; step; step = step->outer)
        steps[--i] = step;
    struct buffer out = buffer_new(arena);
    for (size_t i = 0; i < count; i++)
        put_step(&out, steps[i]);
    return buffer_done(&out);
}

bool cursor_fail(struct cursor *c, const char *format, ...)
{
    if (c->failed)
        return false;
    c->failed = true;
    va_list arguments;
    va_start(arguments, format);
    c->error->message = arena_vprintf(c->arena, format, arguments);
    va_end(arguments);
    bool ends = cursor_ends(c);
    cursor_mark(c, ends ? c->text.length : c->at);
    c->error->line = c->line;
    c->error->column = c->column + (!ends && c->mark <= c->at);
    c->error->path = path_of(c->arena, c->step);
    return false;
}

bool cursor_unexpected(struct cursor *c, const char *what)
{
    size_t end = c->at;
    text_next_character(c->text, &end);
    const char *separator = what[strlen(what) - 1] == '\\' ? "" : ": ";
    return cursor_fail(c, "%s%s%.*s.", what, separator, (int)(end - c->at), c->text.base + c->at);
}

static void push(struct reader *r, struct value_member member)
{
    if (r->open_count == r->open_room) {
        r->open_room = r->open_room ? r->open_room * 2 : 256;
        r->open = xrealloc(r->open, r->open_room * sizeof *r->open);
    }
    r->open[r->open_count++] = member;
}

static const struct value *read_value(struct reader *r);

static int by_name_then_place(const void *a, const void *b)
{
    const struct value_member *x = *(const struct value_member *const *)a,
                              *y = *(const struct value_member *const *)b;
    size_t least = x->name.length < y->name.length ? x->name.length : y->name.length;
    int order = least ? memcmp(x->name.base, y->name.base, least) : 0;
    if (order == 0)
        order = (x->name.length > y->name.length) - (x->name.length < y->name.length);
    return order ? order : (x > y) - (x < y);
}

// Of members with one name the first keeps its place and takes the last one's value. How many are left.
static size_t without_duplicates(struct value_member *members, size_t count)
{
    const struct value_member **sorted = xmalloc((count + 1) * sizeof(const struct value_member *));
    bool *gone = xcalloc(count + 1, sizeof *gone);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &members[i];
    qsort(sorted, count, sizeof(const struct value_member *), by_name_then_place);
    for (size_t i = 0, first = 0; i < count; i++) {
        if (!text_equal(sorted[i]->name, sorted[first]->name))
            first = i;
        if (i > first) {
            gone[sorted[i] - members] = true;
            members[sorted[first] - members] = *sorted[i];
        }
    }
    size_t left = 0;
    for (size_t i = 0; i < count; i++)
        if (!gone[i])
            members[left++] = members[i];
    free(sorted);
    free(gone);
    return left;
}

static size_t unique(struct value_member *members, size_t count)
{
    if (count > FEW)
        return without_duplicates(members, count);
    for (size_t i = 1; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (text_equal(members[i].name, members[j].name))
                return without_duplicates(members, count);
    return count;
}

// One "name: value".
static bool read_member(struct reader *r, struct reader_step *step)
{
    struct cursor *c = &r->cursor;
    struct value_member member = {.name = TEXT_NONE};
    char first = c->text.base[c->at];
    if (first == '"' || first == '\'' ? !cursor_string(c, &member.name) : !cursor_name(c, &member.name))
        return false;
    cursor_mark(c, c->at);
    member.line = c->line;
    member.column = c->column;
    step->name = member.name;
    c->step = step;
    if (!cursor_skip(c))
        return false;
    if (cursor_ends(c))
        return cursor_fail(c, "Unexpected end when deserializing object.");
    if (c->text.base[c->at] != ':')
        return cursor_unexpected(c, "Invalid character after parsing property name. Expected ':' but got");
    c->at++;
    member.value = read_value(r);
    push(r, member);
    return member.value != NULL;
}

// What follows a value inside: a comma, or the end. A comma may stand before the end.
static bool read_separator(struct reader *r, char end, const char *kind)
{
    struct cursor *c = &r->cursor;
    if (!cursor_skip(c))
        return false;
    if (cursor_ends(c))
        return cursor_fail(c, "Unexpected end when deserializing %s.", kind);
    if (c->text.base[c->at] == end)
        return true;
    if (c->text.base[c->at] != ',')
        return cursor_unexpected(c, "After parsing a value an unexpected character was encountered");
    c->at++;
    if (!cursor_skip(c))
        return false;
    return !cursor_ends(c) || cursor_fail(c, "Unexpected end when deserializing %s.", kind);
}

static bool read_inside(struct reader *r, bool object, const char *kind)
{
    struct cursor *c = &r->cursor;
    const struct reader_step *outer = c->step;
    char end = object ? '}' : ']';
    c->at++;
    if (!cursor_skip(c))
        return false;
    if (cursor_ends(c))
        return cursor_fail(c, "Unexpected end when deserializing %s.", kind);
    for (size_t i = 0; c->text.base[c->at] != end; i++) {
        struct reader_step step = {.outer = outer, .name = TEXT_NONE, .index = i};
        if (object) {
            if (!read_member(r, &step))
                return false;
        } else {
            c->step = &step;
            struct value_member item = {.name = TEXT_NONE, .value = read_value(r)};
            if (!item.value)
                return false;
            push(r, item);
        }
        bool goes_on = read_separator(r, end, kind);
        c->step = outer;
        if (!goes_on)
            return false;
    }
    c->at++;
    return true;
}

// What was pushed from `from` on, as the object or array that it belongs to, at the place of its bracket.
static void close_container(struct reader *r, struct value *value, bool object, size_t from)
{
    struct arena *arena = r->cursor.arena;
    size_t count = r->open_count - from;
    uint32_t line = value->line, column = value->column;
    r->open_count = from;
    if (object) {
        struct value_member *members = NULL;
        if (count > 0) {
            count = unique(r->open + from, count);
            members = arena_reserve(arena, count * sizeof *members);
            memcpy(members, r->open + from, count * sizeof *members);
        }
        *value = *value_object(arena, members, count);
    } else {
        const struct value **items = arena_reserve(arena, count * sizeof(const struct value *));
        for (size_t i = 0; i < count; i++)
            items[i] = r->open[from + i].value;
        *value = *value_array(arena, items, count);
    }
    value->line = line;
    value->column = column;
}

static bool read_container(struct reader *r, struct value *value, bool object)
{
    size_t from = r->open_count;
    if (++r->depth > r->depth_limit)
        return cursor_fail(&r->cursor, "The reader's MaxDepth of %zu has been exceeded.", r->depth_limit);
    if (!read_inside(r, object, object ? "object" : "array"))
        return false;
    r->depth--;
    close_container(r, value, object, from);
    return true;
}

static bool read_literal(struct cursor *c, struct value *value)
{
    static const struct {
        const char *word;
        enum value_kind kind;
        bool boolean;
    } literals[] = {
        {"true", VALUE_BOOLEAN, true}, {"false", VALUE_BOOLEAN, false}, {"null", VALUE_NULL, false}};
    for (size_t i = 0; i < sizeof literals / sizeof *literals; i++) {
        size_t length = strlen(literals[i].word);
        if (text_starts(text_slice(c->text, c->at, c->text.length), literals[i].word)) {
            c->at += length;
            value->kind = literals[i].kind;
            if (value->kind == VALUE_BOOLEAN)
                value->boolean = literals[i].boolean;
            return true;
        }
    }
    return cursor_unexpected(c, "Unexpected character encountered while parsing value");
}

static bool read_kind(struct reader *r, struct value *value)
{
    struct cursor *c = &r->cursor;
    char first = c->text.base[c->at];
    if (first == '{' || first == '[') {
        cursor_mark(c, c->at + 1); // their place is the bracket's
        value->line = c->line;
        value->column = c->column;
        return read_container(r, value, first == '{');
    }
    bool read;
    if (first == '"' || first == '\'') {
        value->kind = VALUE_STRING;
        read = cursor_string(c, &value->string);
    } else if ((first >= '0' && first <= '9') || first == '-') {
        read = cursor_number(c, value);
    } else {
        read = read_literal(c, value);
    }
    if (!read)
        return false;
    cursor_mark(c, c->at);
    value->line = c->line;
    value->column = c->column;
    return true;
}

static const struct value *read_value(struct reader *r)
{
    struct cursor *c = &r->cursor;
    if (!cursor_skip(c))
        return NULL;
    if (cursor_ends(c)) {
        cursor_fail(c, "Unexpected end when reading JSON.");
        return NULL;
    }
    if (++r->value_count > r->value_limit) {
        cursor_fail(c, "The number of values exceeds the limit of %zu.", r->value_limit);
        return NULL;
    }
    struct value *value = ARENA_NEW(c->arena, struct value);
    return read_kind(r, value) ? value : NULL;
}

// Well-formed UTF-8 from end to end, or the failure at the byte that is not.
static bool check_encoding(struct cursor *c)
{
    if (text_is_utf8(c->text))
        return true;
    size_t i = 0;
    for (size_t n = 1; i < c->text.length && n <= 4;) {
        if (i + n <= c->text.length && text_is_utf8(text_slice(c->text, i, i + n))) {
            i += n;
            n = 1;
        } else {
            n++;
        }
    }
    c->at = i;
    return cursor_fail(c, "The byte 0x%02x is not allowed in UTF-8 text here.",
                       (unsigned char)c->text.base[i]);
}

const struct value *reader_read(struct arena *arena, struct text text, const struct reader_limits *limits,
                                struct reader_error *error)
{
    if (text.length >= 3 && memcmp(text.base, "\xef\xbb\xbf", 3) == 0) // a byte order mark
        text = text_slice(text, 3, text.length);
    struct reader r = {
        .cursor = {.arena = arena, .text = text, .line = 1, .error = error},
        .depth_limit = limits && limits->depth ? limits->depth : DEPTH,
        .value_limit = limits && limits->values ? limits->values : VALUES,
    };
    const struct value *value = check_encoding(&r.cursor) ? read_value(&r) : NULL;
    if (value && cursor_skip(&r.cursor) && !cursor_ends(&r.cursor))
        cursor_unexpected(&r.cursor, "Additional text encountered after finished reading JSON content");
    free(r.open);
    return r.cursor.failed ? NULL : value;
}
