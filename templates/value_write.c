// Values as text: compact JSON with the numbers and escapes of a .NET writer (arm-templates 2.4).
#include "templates/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

// The fewest digits that read back as the same number: "d.ddde±x" by printf.
static void shortest(double real, char text[40])
{
    for (int digits = 0; digits < 17; digits++) {
        snprintf(text, 40, "%.*e", digits, real);
        if (strtod(text, NULL) == real)
            return;
    }
}

static size_t put(char out[40], size_t n, const char *bytes, size_t length)
{
    memcpy(out + n, bytes, length);
    return n + length;
}

static size_t put_plain(char out[40], size_t n, const char *digits, size_t count, int point)
{
    static const char zeros[] = "00000000000000000000";
    if (point <= 0) {
        n = put(out, n, "0.", 2);
        n = put(out, n, zeros, (size_t)-point);
        return put(out, n, digits, count);
    }
    if ((size_t)point >= count) {
        n = put(out, n, digits, count);
        return put(out, n, zeros, (size_t)point - count);
    }
    n = put(out, n, digits, (size_t)point);
    out[n++] = '.';
    return put(out, n, digits + point, count - (size_t)point);
}

static size_t put_scientific(char out[40], size_t n, const char *digits, size_t count, int exponent)
{
    out[n++] = digits[0];
    if (count > 1) {
        out[n++] = '.';
        n = put(out, n, digits + 1, count - 1);
    }
    return n + (size_t)snprintf(out + n, 40 - n, "E%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
}

struct text value_put_float(double real, char out[40])
{
    if (isnan(real))
        return TEXT("NaN");
    if (isinf(real))
        return real < 0 ? TEXT("-Infinity") : TEXT("Infinity");
    char text[40], digits[24] = "0";
    size_t count = 0, n = 0;
    shortest(fabs(real), text);
    char *e = strchr(text, 'e');
    for (const char *p = text; p < e; p++)
        if (*p != '.')
            digits[count++] = *p;
    while (count > 1 && digits[count - 1] == '0')
        count--;
    int exponent = atoi(e + 1);
    int most = count > 15 ? (int)count : 15; // more digits before the point than these: scientific
    if (signbit(real))
        out[n++] = '-';
    if (exponent + 1 > most || exponent < -4)
        n = put_scientific(out, n, digits, count, exponent);
    else if (real == 0)
        out[n++] = '0';
    else
        n = put_plain(out, n, digits, count, exponent + 1);
    out[n] = '\0';
    return (struct text){out, n};
}

static void write_float(struct buffer *out, double real, char quote)
{
    char digits[40];
    struct text text = value_put_float(real, digits);
    if (!isfinite(real)) {
        buffer_char(out, quote);
        buffer_text(out, text);
        buffer_char(out, quote);
        return;
    }
    buffer_text(out, text);
    if (text_find(text, '.') < 0 && text_find(text, 'E') < 0)
        buffer_string(out, ".0");
}

// What is escaped at `i`: how many bytes of the text it is; 0: nothing.
static size_t escape(struct text text, size_t i, char quote, char escaped[8])
{
    unsigned char c = (unsigned char)text.base[i];
    static const char letters[] = "btn\0fr"; // of 8, 9, 10, 12, 13
    if (c == (unsigned char)quote || c == '\\') {
        snprintf(escaped, 8, "\\%c", c);
    } else if (c >= 8 && c <= 13 && c != 11) {
        snprintf(escaped, 8, "\\%c", letters[c - 8]);
    } else if (c < 0x20) {
        snprintf(escaped, 8, "\\u%04x", c);
    } else if (c == 0xc2 && i + 1 < text.length && text.base[i + 1] == '\x85') {
        snprintf(escaped, 8, "\\u0085"); // line ends of Unicode: the .NET writer escapes these three
        return 2;
    } else if (c == 0xe2 && i + 2 < text.length && text.base[i + 1] == '\x80' &&
               (text.base[i + 2] == '\xa8' || text.base[i + 2] == '\xa9')) {
        snprintf(escaped, 8, "\\u%s", text.base[i + 2] == '\xa8' ? "2028" : "2029");
        return 3;
    } else {
        return 0;
    }
    return 1;
}

static void write_string(struct buffer *out, struct text text, char quote)
{
    char escaped[8];
    size_t done = 0;
    buffer_char(out, quote);
    for (size_t i = 0; i < text.length;) {
        size_t length = escape(text, i, quote, escaped);
        if (length == 0) {
            i++;
            continue;
        }
        buffer_add(out, text.base + done, i - done);
        buffer_string(out, escaped);
        i += length;
        done = i;
    }
    if (text.length > done)
        buffer_add(out, text.base + done, text.length - done);
    buffer_char(out, quote);
}

// A value without what it holds: an array's or object's opening.
static void write_head(struct buffer *out, const struct value *value, char quote)
{
    char digits[24];
    switch (value->kind) {
    case VALUE_NULL:
        buffer_string(out, "null");
        return;
    case VALUE_BOOLEAN:
        buffer_string(out, value->boolean ? "true" : "false");
        return;
    case VALUE_INTEGER:
        buffer_add(out, digits, text_put_int64(value->integer, digits));
        return;
    case VALUE_FLOAT:
        write_float(out, value->real, quote);
        return;
    case VALUE_STRING:
        write_string(out, value->string, quote);
        return;
    case VALUE_ARRAY:
        buffer_char(out, '[');
        return;
    case VALUE_OBJECT:
        buffer_char(out, '{');
        return;
    }
}

struct level { // an array or object that is being written
    const struct value *value;
    size_t next;
};
struct levels { // from the outermost inwards: no recursion, since expressions make values of any depth
    struct level *base;
    size_t depth, room;
};

static void enter(struct levels *levels, const struct value *value)
{
    if (value->kind != VALUE_ARRAY && value->kind != VALUE_OBJECT)
        return;
    if (levels->depth == levels->room) {
        levels->room = levels->room ? levels->room * 2 : 32;
        levels->base = xrealloc(levels->base, levels->room * sizeof *levels->base);
    }
    levels->base[levels->depth++] = (struct level){value, 0};
}

static size_t count_of(const struct value *value)
{
    return value->kind == VALUE_OBJECT ? value->object.count : value->array.count;
}

bool value_write_within(struct buffer *out, const struct value *value, char quote, size_t limit)
{
    struct levels levels = {NULL, 0, 0};
    size_t end = limit > SIZE_MAX - out->length ? SIZE_MAX : out->length + limit;
    while (out->length <= end) {
        if (value) {
            write_head(out, value, quote);
            enter(&levels, value);
        }
        if (levels.depth == 0)
            break;
        struct level *level = &levels.base[levels.depth - 1];
        bool object = level->value->kind == VALUE_OBJECT;
        size_t i = level->next++;
        value = NULL;
        if (i == count_of(level->value)) {
            buffer_char(out, object ? '}' : ']');
            levels.depth--;
            continue;
        }
        if (i > 0)
            buffer_char(out, ',');
        if (object) {
            write_string(out, level->value->object.members[i].name, quote);
            buffer_char(out, ':');
        }
        value = object ? level->value->object.members[i].value : level->value->array.items[i];
    }
    free(levels.base);
    return out->length <= end;
}

size_t value_weight(const struct value *value, size_t limit)
{
    struct levels levels = {NULL, 0, 0};
    size_t weight = 0;
    while (weight < limit) {
        if (value) {
            weight += 1 + value_text(value).length;
            enter(&levels, value);
        }
        if (levels.depth == 0)
            break;
        struct level *level = &levels.base[levels.depth - 1];
        size_t i = level->next++;
        value = NULL;
        if (i == count_of(level->value)) {
            levels.depth--;
        } else if (level->value->kind == VALUE_OBJECT) {
            weight += level->value->object.members[i].name.length;
            value = level->value->object.members[i].value;
        } else {
            value = level->value->array.items[i];
        }
    }
    free(levels.base);
    return weight < limit ? weight : limit;
}

void value_write(struct buffer *out, const struct value *value, char quote)
{
    value_write_within(out, value, quote, SIZE_MAX);
}

struct text value_to_json(struct arena *arena, const struct value *value)
{
    struct buffer out = buffer_new(arena);
    value_write(&out, value, '"');
    return buffer_done(&out);
}
