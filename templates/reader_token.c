// The reader's tokens: blanks and comments, strings of both quotes, bare names, numbers (arm-templates 1.1).
#include "templates/reader_cursor.h"

#include <math.h>
#include <stdlib.h>

enum { NUMBER_LENGTH = 400 };

void cursor_mark(struct cursor *c, size_t to)
{
    const unsigned char *p = (const unsigned char *)c->text.base;
    for (size_t i = c->mark; i < to; i++) {
        if (p[i] == '\r' || p[i] == '\n') {
            c->line += !(p[i] == '\n' && i > 0 && p[i - 1] == '\r');
            c->column = 0;
        } else {
            c->column += ((p[i] & 0xc0) != 0x80) + (p[i] >= 0xf0);
        }
    }
    if (to > c->mark)
        c->mark = to;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// Behind "/*".
static bool skip_to_star(struct cursor *c)
{
    while (c->at + 1 < c->text.length) {
        if (c->text.base[c->at] == '*' && c->text.base[c->at + 1] == '/') {
            c->at += 2;
            return true;
        }
        c->at++;
    }
    c->at = c->text.length;
    return cursor_fail(c, "Unexpected end while parsing comment.");
}

static bool skip_comment(struct cursor *c)
{
    c->at++;
    if (cursor_ends(c))
        return cursor_fail(c, "Unexpected end while parsing comment.");
    char kind = c->text.base[c->at];
    if (kind != '*' && kind != '/')
        return cursor_unexpected(c, "Error parsing comment. Expected: *, got");
    c->at++;
    if (kind == '*')
        return skip_to_star(c);
    while (!cursor_ends(c) && c->text.base[c->at] != '\n' && c->text.base[c->at] != '\r')
        c->at++;
    return true;
}

bool cursor_skip(struct cursor *c)
{
    while (!cursor_ends(c)) {
        if (is_blank(c->text.base[c->at]))
            c->at++;
        else if (c->text.base[c->at] != '/')
            break;
        else if (!skip_comment(c))
            return false;
    }
    return true;
}

static int hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Four digits at `at`; -1 when they are none.
static int32_t hex_unit(const struct cursor *c, size_t at)
{
    int32_t unit = 0;
    if (at + 4 > c->text.length)
        return -1;
    for (size_t i = at; i < at + 4; i++) {
        int digit = hex_of(c->text.base[i]);
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

static char *put_utf8(char *out, uint32_t character)
{
    if (character < 0x80) {
        *out++ = (char)character;
    } else if (character < 0x800) {
        *out++ = (char)(0xc0 | character >> 6);
        *out++ = (char)(0x80 | (character & 0x3f));
    } else if (character < 0x10000) {
        *out++ = (char)(0xe0 | character >> 12);
        *out++ = (char)(0x80 | (character >> 6 & 0x3f));
        *out++ = (char)(0x80 | (character & 0x3f));
    } else {
        *out++ = (char)(0xf0 | character >> 18);
        *out++ = (char)(0x80 | (character >> 12 & 0x3f));
        *out++ = (char)(0x80 | (character >> 6 & 0x3f));
        *out++ = (char)(0x80 | (character & 0x3f));
    }
    return out;
}

// Of what should be four digits four characters are shown.
static bool bad_unicode_escape(struct cursor *c)
{
    size_t end = c->at;
    for (int i = 0; i < 4 && end < c->text.length; i++)
        text_next_character(c->text, &end);
    return cursor_fail(c, "Invalid Unicode escape sequence: \\u%.*s.", (int)(end - c->at),
                       c->text.base + c->at);
}

// Behind "\u": one character, of two escapes where they are a pair. Half a pair alone is U+FFFD.
static bool unicode_escape(struct cursor *c, char **out)
{
    int32_t unit = hex_unit(c, c->at);
    if (unit < 0)
        return bad_unicode_escape(c);
    c->at += 4;
    uint32_t character = (uint32_t)unit;
    if (character >= 0xd800 && character < 0xdc00 && c->at + 1 < c->text.length &&
        c->text.base[c->at] == '\\' && c->text.base[c->at + 1] == 'u') {
        int32_t low = hex_unit(c, c->at + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            character = 0x10000 + ((character - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
            c->at += 6;
        }
    }
    if (character >= 0xd800 && character < 0xe000)
        character = 0xfffd;
    *out = put_utf8(*out, character);
    return true;
}

// Behind the backslash.
static bool escape(struct cursor *c, char **out)
{
    static const char from[] = "\"'\\/btnfr", to[] = "\"'\\/\b\t\n\f\r";
    if (cursor_ends(c))
        return true; // the string's end is missed by its loop
    char letter = c->text.base[c->at];
    if (letter == 'u') {
        c->at++;
        return unicode_escape(c, out);
    }
    const char *known = letter ? strchr(from, letter) : NULL;
    if (!known)
        return cursor_unexpected(c, "Bad JSON escape sequence: \\");
    c->at++;
    *(*out)++ = to[known - from];
    return true;
}

bool cursor_string(struct cursor *c, struct text *string)
{
    char quote = c->text.base[c->at++];
    size_t end = c->at;
    while (end < c->text.length && c->text.base[end] != quote)
        end += c->text.base[end] == '\\' ? 2 : 1;
    if (end >= c->text.length) {
        c->at = c->text.length;
        return cursor_fail(c, "Unterminated string. Expected delimiter: %c.", quote);
    }
    char *copy = arena_reserve(c->arena, end - c->at + 1), *out = copy;
    while (c->at < end) {
        const char *from = c->text.base + c->at, *slash = memchr(from, '\\', end - c->at);
        size_t plain = slash ? (size_t)(slash - from) : end - c->at;
        memcpy(out, from, plain);
        out += plain;
        c->at += plain;
        if (!slash)
            break;
        c->at++;
        if (!escape(c, &out))
            return false;
    }
    c->at = end + 1;
    *out = '\0';
    *string = (struct text){copy, (size_t)(out - copy)};
    return true;
}

static bool starts_name(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '$';
}

bool cursor_name(struct cursor *c, struct text *name)
{
    size_t from = c->at;
    if (!starts_name(c->text.base[from]))
        return cursor_unexpected(c, "Invalid property identifier character");
    while (!cursor_ends(c) &&
           (starts_name(c->text.base[c->at]) || (c->text.base[c->at] >= '0' && c->text.base[c->at] <= '9')))
        c->at++;
    *name = text_copy(c->arena, text_slice(c->text, from, c->at));
    return true;
}

static size_t digits(const char *p)
{
    size_t n = 0;
    while (p[n] >= '0' && p[n] <= '9')
        n++;
    return n;
}

// JSON's grammar of numbers, over a text that ends with a NUL.
static bool number_is(const char *p, bool *whole)
{
    p += *p == '-';
    size_t n = digits(p);
    if (n == 0 || (n > 1 && *p == '0'))
        return false;
    p += n;
    *whole = *p == '\0';
    if (*p == '.') {
        n = digits(++p);
        if (n == 0)
            return false;
        p += n;
    }
    if (*p == 'e' || *p == 'E') {
        p++;
        p += *p == '+' || *p == '-';
        n = digits(p);
        if (n == 0)
            return false;
        p += n;
    }
    return *p == '\0';
}

// An int64 of a whole number's text; false when it is larger.
static bool integer_of(const char *p, int64_t *integer)
{
    bool negative = *p == '-';
    int64_t n = 0;
    for (p += negative; *p; p++) {
        int digit = *p - '0';
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_sub_overflow(n, digit, &n))
            return false;
    }
    return !__builtin_mul_overflow(n, negative ? 1 : -1, integer);
}

static bool in_number(char c)
{
    return starts_name(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
}

bool cursor_number(struct cursor *c, struct value *value)
{
    size_t from = c->at;
    char number[NUMBER_LENGTH + 1];
    while (!cursor_ends(c) && in_number(c->text.base[c->at]))
        c->at++;
    struct text text = text_slice(c->text, from, c->at);
    bool whole = false;
    if (text.length <= NUMBER_LENGTH) {
        memcpy(number, text.base, text.length);
        number[text.length] = '\0';
        if (number_is(number, &whole)) {
            value->kind = VALUE_INTEGER;
            if (whole && integer_of(number, &value->integer))
                return true;
            value->kind = VALUE_FLOAT;
            value->real = strtod(number, NULL);
            if (isfinite(value->real))
                return true;
        }
    }
    c->at--; // the place of a token is its last character
    return cursor_fail(c, "Input string '%.*s' is not a valid number.",
                       (int)(text.length < 60 ? text.length : 60), text.base);
}
