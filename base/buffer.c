// The byte buffer and the JSON writer upon it.
#include "base/buffer.h"

#include "base/arena.h"

#include <string.h>

struct buffer buffer_new(struct arena *arena)
{
    return (struct buffer){.arena = arena};
}

static inline void reserve(struct buffer *b, size_t more)
{
    if (b->capacity - b->length > more)
        return;
    size_t capacity = b->capacity ? b->capacity * 2 : 512;
    while (capacity - b->length <= more)
        capacity *= 2;
    char *base = arena_reserve(b->arena, capacity);
    if (b->length > 0)
        memcpy(base, b->base, b->length);
    b->base = base;
    b->capacity = capacity;
}

void buffer_add(struct buffer *b, const void *bytes, size_t length)
{
    reserve(b, length);
    if (length > 0)
        memcpy(b->base + b->length, bytes, length);
    b->length += length;
    b->base[b->length] = '\0';
}

void buffer_text(struct buffer *b, struct text t)
{
    buffer_add(b, t.base, t.length);
}

void buffer_string(struct buffer *b, const char *string)
{
    buffer_add(b, string, strlen(string));
}

void buffer_char(struct buffer *b, char c)
{
    reserve(b, 1);
    b->base[b->length++] = c;
    b->base[b->length] = '\0';
}

void buffer_format(struct buffer *b, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    buffer_string(b, arena_vprintf(b->arena, format, arguments));
    va_end(arguments);
}

struct text buffer_done(const struct buffer *b)
{
    return (struct text){b->base ? b->base : "", b->length};
}

static void separate(struct buffer *b)
{
    if (b->comma)
        buffer_char(b, ',');
    b->comma = true;
}

static void open_with(struct buffer *b, char c)
{
    separate(b);
    buffer_char(b, c);
    b->comma = false;
}

static void close_with(struct buffer *b, char c)
{
    buffer_char(b, c);
    b->comma = true;
}

void json_begin_object(struct buffer *b)
{
    open_with(b, '{');
}

void json_end_object(struct buffer *b)
{
    close_with(b, '}');
}

void json_begin_array(struct buffer *b)
{
    open_with(b, '[');
}

void json_end_array(struct buffer *b)
{
    close_with(b, ']');
}

static void escaped(struct buffer *b, unsigned char c)
{
    static const char short_forms[] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r', ['"'] = '"', ['\\'] = '\\'};
    if (c < sizeof short_forms && short_forms[c])
        buffer_add(b, (char[]){'\\', short_forms[c]}, 2);
    else
        buffer_format(b, "\\u%04x", c);
}

// Whether a byte stands in a JSON string as it is, by itself.
static const bool stands[256] = {
    [0x20] = true, [0x21] = true, [0x23 ... 0x5b] = true, [0x5d ... 0x7f] = true};

static size_t plain_length(struct text t)
{
    size_t n = 0;
    while (n < t.length && stands[(unsigned char)t.base[n]])
        n++;
    return n;
}

static void quoted(struct buffer *b, struct text t)
{
    size_t start = 0, plain = plain_length(t);
    reserve(b, t.length + 3);
    buffer_char(b, '"');
    bool clean = plain == t.length || text_is_utf8(t);
    for (size_t i = plain; i < t.length; i++) {
        unsigned char c = (unsigned char)t.base[i];
        bool broken = !clean && c >= 0x80;
        if (c >= 0x20 && c != '"' && c != '\\' && !broken)
            continue;
        buffer_add(b, t.base + start, i - start);
        start = i + 1;
        if (broken)
            buffer_string(b, "\xef\xbf\xbd");
        else
            escaped(b, c);
    }
    buffer_add(b, t.base + start, t.length - start);
    buffer_char(b, '"');
}

void json_key_of(struct buffer *b, struct text key)
{
    separate(b);
    quoted(b, key);
    buffer_char(b, ':');
    b->comma = false;
}

void json_key(struct buffer *b, const char *key)
{
    json_key_of(b, text_of(key));
}

void json_text(struct buffer *b, struct text value)
{
    if (value.base == NULL) {
        json_write_null(b);
        return;
    }
    separate(b);
    quoted(b, value);
}

void json_int(struct buffer *b, int64_t value)
{
    char digits[24];
    separate(b);
    buffer_add(b, digits, text_put_int64(value, digits));
}

void json_bool(struct buffer *b, bool value)
{
    json_raw(b, value ? TEXT("true") : TEXT("false"));
}

void json_write_null(struct buffer *b)
{
    json_raw(b, TEXT("null"));
}

void json_raw(struct buffer *b, struct text json)
{
    separate(b);
    buffer_text(b, json);
}

void json_key_text(struct buffer *b, const char *key, struct text value)
{
    json_key(b, key);
    json_text(b, value);
}

void json_key_string(struct buffer *b, const char *key, const char *value)
{
    json_key_text(b, key, text_of(value));
}

void json_key_int(struct buffer *b, const char *key, int64_t value)
{
    json_key(b, key);
    json_int(b, value);
}

void json_key_bool(struct buffer *b, const char *key, bool value)
{
    json_key(b, key);
    json_bool(b, value);
}

void json_key_raw(struct buffer *b, const char *key, struct text json)
{
    json_key(b, key);
    json_raw(b, json);
}

void json_key_format(struct buffer *b, const char *key, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    json_key_string(b, key, arena_vprintf(b->arena, format, arguments));
    va_end(arguments);
}
