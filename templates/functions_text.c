// Searching, cutting and putting together strings (arm-templates 5.4).
#include "templates/hash.h"
#include "templates/utf16.h"

static const struct value *done(struct call *call, struct text result)
{
    return result.base ? call_string(call, result) : NULL;
}

// T2 of the contract.
static bool is_string(struct call *call, size_t index)
{
    static const char *const expected[] = {"first parameter to be of type 'String'",
                                           "second parameter to be of type 'String'",
                                           "third parameter to be of type 'String'"};
    if (call->arguments[index]->kind == VALUE_STRING)
        return true;
    call_fail_type(call, expected[index], call->arguments[index]);
    return false;
}

// ---- searching without regard to case

// Both in upper case: of equal UTF-16 length with what they were.
static bool two_upper(struct call *call, struct text *a, struct text *b)
{
    const struct value *x = call->arguments[0], *y = call->arguments[1];
    if (x->kind != VALUE_STRING || y->kind != VALUE_STRING) {
        call_fail(
            call,
            "The template language function '%s' expects its parameters to be of type string and string. The "
            "provided value is of type '%s' and '%s'.",
            call->name, value_kind_name(x->kind), value_kind_name(y->kind));
        return false;
    }
    size_t length = x->string.length + y->string.length;
    if (!call_spend(call, 1 + length / 16, length * 2))
        return false;
    *a = invariant_upper(call->e->arena, x->string);
    *b = invariant_upper(call->e->arena, y->string);
    return true;
}

static struct text reversed(struct call *call, struct text t)
{
    char *bytes = call_bytes(call, t.length);
    for (size_t i = 0; bytes && i < t.length; i++)
        bytes[t.length - 1 - i] = t.base[i];
    return bytes ? (struct text){bytes, t.length} : TEXT_NONE;
}

// Units before the last occurrence: the first one of the reversed needle in the reversed text.
static const struct value *last_position(struct call *call, struct text text, struct text needle)
{
    struct text backwards = reversed(call, text), wanted = reversed(call, needle);
    if (!backwards.base || !wanted.base)
        return NULL;
    const char *found = memmem(backwards.base, backwards.length, wanted.base, wanted.length);
    if (!found)
        return call_integer(call, -1);
    size_t end = text.length - (size_t)(found - backwards.base);
    return call_integer(call, (int64_t)value_utf16_length(text_slice(text, 0, end - needle.length)));
}

static const struct value *index_in_array(struct call *call, bool last)
{
    const struct value *array = call->arguments[0];
    size_t count = array->array.count;
    for (size_t i = 0; i < count; i++) {
        size_t at = last ? count - 1 - i : i;
        if (call_equal(call, array->array.items[at], call->arguments[1]))
            return call_integer(call, (int64_t)at);
        if (call->error->message)
            return NULL;
    }
    return call_integer(call, -1);
}

static const struct value *index_of(struct call *call)
{
    struct text text, needle;
    if (call->arguments[0]->kind == VALUE_ARRAY)
        return index_in_array(call, false);
    if (!two_upper(call, &text, &needle))
        return NULL;
    const char *found =
        needle.length ? memmem(text.base, text.length, needle.base, needle.length) : text.base;
    if (!found && needle.length)
        return call_integer(call, -1);
    size_t before = needle.length ? (size_t)(found - text.base) : 0;
    return call_integer(call, (int64_t)value_utf16_length(text_slice(text, 0, before)));
}

static const struct value *last_index_of(struct call *call)
{
    struct text text, needle;
    if (call->arguments[0]->kind == VALUE_ARRAY)
        return index_in_array(call, true);
    if (!two_upper(call, &text, &needle))
        return NULL;
    if (needle.length == 0)
        return call_integer(call, (int64_t)value_utf16_length(text));
    return last_position(call, text, needle);
}

static const struct value *starts_with(struct call *call)
{
    struct text text, needle;
    if (!two_upper(call, &text, &needle))
        return NULL;
    return value_boolean(needle.length <= text.length &&
                         text_equal(text_slice(text, 0, needle.length), needle));
}

static const struct value *ends_with(struct call *call)
{
    struct text text, needle;
    if (!two_upper(call, &text, &needle))
        return NULL;
    return value_boolean(needle.length <= text.length &&
                         text_equal(text_slice(text, text.length - needle.length, text.length), needle));
}

// A pattern in which "*" is any run of characters: back to the last star when something does not fit.
static const struct value *like(struct call *call)
{
    struct text text, pattern;
    size_t t = 0, p = 0, star = SIZE_MAX, from = 0, steps = 0;
    if (!two_upper(call, &text, &pattern))
        return NULL;
    while (t < text.length) {
        if (++steps % 32 == 0 && !call_spend(call, 1, 0))
            return NULL;
        if (p < pattern.length && pattern.base[p] == '*') {
            star = p++;
            from = t;
        } else if (p < pattern.length && pattern.base[p] == text.base[t]) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++from;
        } else {
            return value_boolean(false);
        }
    }
    while (p < pattern.length && pattern.base[p] == '*')
        p++;
    return value_boolean(p == pattern.length);
}

// ---- putting together

static const struct value *join(struct call *call)
{
    const struct value *array = call->arguments[0];
    if (array->kind != VALUE_ARRAY)
        return call_fail_type(call, "first parameter to be of type 'Array'", array);
    if (!is_string(call, 1) ||
        !call_spend(call, array->array.count, (array->array.count + 1) * sizeof(struct text)))
        return NULL;
    struct text *parts = ARENA_ARRAY(call->e->arena, struct text, array->array.count + 1);
    for (size_t i = 0; i < array->array.count; i++) {
        parts[i] = call_text(call, array->array.items[i]);
        if (!parts[i].base)
            return NULL;
    }
    return done(call, call_join(call, parts, array->array.count, call->arguments[1]->string));
}

static const struct value *pad_left(struct call *call)
{
    enum { WIDEST = 16 };
    const struct value *value = call->arguments[0], *width = call->arguments[1];
    struct text padding = TEXT(" ");
    if (value->kind != VALUE_STRING && value->kind != VALUE_INTEGER)
        return call_fail(
            call,
            "Unable to evaluate template language function 'padLeft': the first parameter is invalid. The "
            "source string must be a String or integer type, while '%s' was provided.",
            value_kind_name(value->kind));
    if (width->kind != VALUE_INTEGER || width->integer < 1 || width->integer > WIDEST) {
        struct text shown = call_text(call, width);
        return shown.base
                   ? call_fail(
                         call,
                         "Unable to evaluate template language function 'padLeft': the second parameter is "
                         "invalid. Total width must be a positive integer value and not greater than '%d', "
                         "while '%.*s' was provided. The syntax is padLeft(string, totalWidth [, "
                         "paddingChar]).",
                         WIDEST, SHOWN(shown))
                   : NULL;
    }
    if (call->count == 3)
        padding = call_text(call, call->arguments[2]);
    if (padding.base &&
        (call->arguments[call->count - 1]->kind != VALUE_STRING || value_utf16_length(padding) != 1) &&
        call->count == 3)
        return call_fail(
            call,
            "Unable to evaluate template language function 'padLeft': the third parameter is invalid. The "
            "padding character must be a single character, while '%.*s' was provided.",
            SHOWN(padding));
    struct text text = padding.base ? call_text(call, value) : TEXT_NONE, parts[WIDEST + 1];
    size_t units = text.base ? value_utf16_length(text) : 0, count = 0;
    while (text.base && count + units < (size_t)width->integer)
        parts[count++] = padding;
    parts[count++] = text;
    return text.base ? done(call, call_join(call, parts, count, TEXT(""))) : NULL;
}

// The next place of `old` from `at` on, or NULL.
static const char *next_place(struct text text, size_t at, struct text old)
{
    if (old.length == 1)
        return memchr(text.base + at, old.base[0], text.length - at);
    return memmem(text.base + at, text.length - at, old.base, old.length);
}

static const struct value *replace(struct call *call)
{
    if (!is_string(call, 0) || !is_string(call, 1) || !is_string(call, 2))
        return NULL;
    struct text text = call->arguments[0]->string, old = call->arguments[1]->string,
                new = call->arguments[2]->string;
    if (old.length == 0)
        return call_fail(
            call, "The template language function 'replace' expects its second parameter to be a string "
                  "that is not empty.");
    if (!call_spend(call, 1 + text.length / 64, 0))
        return NULL;
    size_t found = 0, at = 0;
    const char *hit;
    for (; (hit = next_place(text, at, old)); found++)
        at = (size_t)(hit - text.base) + old.length;
    if (found == 0)
        return call->arguments[0];
    char *out = call_spend(call, found / 4, 0)
                    ? call_bytes(call, text.length - found * old.length + found * new.length)
                    : NULL;
    char *to = out;
    for (at = 0; out && found > 0; found--) {
        hit = next_place(text, at, old);
        to = mempcpy(to, text.base + at, (size_t)(hit - text.base) - at);
        to = mempcpy(to, new.base, new.length);
        at = (size_t)(hit - text.base) + old.length;
    }
    if (!out)
        return NULL;
    to = mempcpy(to, text.base + at, text.length - at);
    return call_string(call, (struct text){out, (size_t)(to - out)});
}

// ---- cutting

struct parts {
    struct call *call;
    const struct value **items;
    size_t count, room;
};

static bool parts_add(struct parts *p, struct text part)
{
    if (p->count == p->room) {
        size_t room = p->room ? p->room * 2 : 8;
        const struct value **items = call_items(p->call, room);
        if (!items)
            return false;
        if (p->count > 0)
            memcpy(items, p->items, p->count * sizeof(struct value *));
        p->items = items;
        p->room = room;
    }
    const struct value *string = call_string(p->call, part);
    if (string)
        p->items[p->count++] = string;
    return string;
}

static bool is_delimiters(const struct value *value)
{
    if (value->kind == VALUE_STRING)
        return true;
    for (size_t i = 0; value->kind == VALUE_ARRAY && i < value->array.count; i++)
        if (value->array.items[i]->kind != VALUE_STRING)
            return false;
    return value->kind == VALUE_ARRAY;
}

// Length of the first delimiter that stands at `at`, 0 when none does.
static size_t delimiter_at(struct call *call, struct text text, size_t at,
                           const struct value *const *delimiters, size_t count)
{
    if (!call_spend(call, count / 4, 0))
        return 0;
    for (size_t i = 0; i < count; i++) {
        struct text d = delimiters[i]->string;
        if (d.length == 0 || d.length > text.length - at || d.base[0] != text.base[at])
            continue;
        if (!call_spend(call, 1 + d.length / 64, 0))
            return 0;
        if (memcmp(text.base + at, d.base, d.length) == 0)
            return d.length;
    }
    return 0;
}

static const struct value *split(struct call *call)
{
    const struct value *value = call->arguments[1];
    if (!is_string(call, 0))
        return NULL;
    if (!is_delimiters(value))
        return call_fail_type(call, "second parameter to be of type 'String or Array of Strings'", value);
    bool one = value->kind == VALUE_STRING;
    const struct value *const *delimiters = one ? &call->arguments[1] : value->array.items;
    struct text text = call->arguments[0]->string;
    struct parts parts = {.call = call};
    size_t from = 0;
    if (!call_spend(call, 1 + text.length / 8, 0))
        return NULL;
    for (size_t at = 0; at < text.length;) {
        size_t length = delimiter_at(call, text, at, delimiters, one ? 1 : value->array.count);
        if (call->error->message || (length > 0 && !parts_add(&parts, text_slice(text, from, at))))
            return NULL;
        at += length ? length : 1;
        from = length ? at : from;
    }
    if (!parts_add(&parts, text_slice(text, from, text.length)))
        return NULL;
    return call_array(call, parts.items, parts.count);
}

static const struct value *substring(struct call *call)
{
    if (!is_string(call, 0))
        return NULL;
    struct text text = call->arguments[0]->string;
    if (call->arguments[1]->kind != VALUE_INTEGER)
        return call_fail_type(call, "second parameter to be of type 'Integer'", call->arguments[1]);
    if (call->count == 3 && call->arguments[2]->kind != VALUE_INTEGER)
        return call_fail_type(call, "third parameter to be of type 'Integer'", call->arguments[2]);
    if (!call_spend(call, 1 + text.length / 64, 0))
        return NULL;
    int64_t length = (int64_t)value_utf16_length(text), index = call->arguments[1]->integer;
    int64_t count = call->count == 3 ? call->arguments[2]->integer : length - index;
#define SUBSTRING "Unable to evaluate the template language function 'substring'. "
    if (index < 0)
        return call_fail(call, SUBSTRING "The index parameter cannot be less than zero. The index: '%lld'.",
                         (long long)index);
    if (index > length)
        return call_fail(call,
                         SUBSTRING
                         "The index parameter cannot be larger than the length of the string. The index "
                         "parameter: '%lld', the length of the string parameter: '%lld'.",
                         (long long)index, (long long)length);
    if (count < 0)
        return call_fail(
            call, SUBSTRING "The length parameter cannot be less than zero. The length parameter: '%lld'.",
            (long long)count);
    if (count > length - index)
        return call_fail(call,
                         SUBSTRING
                         "The index and length parameters must refer to a location within the string. The "
                         "index parameter: '%lld', the length parameter: '%lld', the length of the string "
                         "parameter: '%lld'.",
                         (long long)index, (long long)count, (long long)length);
    return done(call, utf16_slice(call, text, (size_t)index, (size_t)count));
}

const struct function functions_text[] = {
    {"endsWith", 2, 2, ANYWHERE, false, ends_with, NULL, NULL},
    {"indexOf", 2, 2, ANYWHERE, false, index_of, NULL, NULL},
    {"join", 2, 2, ANYWHERE, false, join, NULL, NULL},
    {"lastIndexOf", 2, 2, ANYWHERE, false, last_index_of, NULL, NULL},
    {"like", 2, 2, ANYWHERE, false, like, NULL, NULL},
    {"padLeft", 2, 3, ANYWHERE, false, pad_left, NULL, NULL},
    {"replace", 3, 3, ANYWHERE, false, replace,
     "The template language function 'replace' expects exactly '3' parameters.", NULL},
    {"split", 2, 2, ANYWHERE, false, split,
     "The template language function 'split' expects exactly '2' parameters.", NULL},
    {"startsWith", 2, 2, ANYWHERE, false, starts_with, NULL, NULL},
    {"substring", 2, 3, ANYWHERE, false, substring,
     "The template language function 'substring' expects at least two parameters and up to three parameters: "
     "a "
     "string, a start index and optionally a length.",
     NULL},
    {0},
};
