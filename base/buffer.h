// A growing run of bytes in an arena, and the one writer of JSON: compact, escaped, in the order written.
#pragma once
#include "base/text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct buffer {
    struct arena *arena;
    char *base;
    size_t length, capacity;
    bool comma; // JSON: a comma stands before the next member
};

struct buffer buffer_new(struct arena *arena);
void buffer_add(struct buffer *buffer, const void *bytes, size_t length);
void buffer_text(struct buffer *buffer, struct text t);
void buffer_string(struct buffer *buffer, const char *string);
void buffer_char(struct buffer *buffer, char c);
void buffer_format(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct text buffer_done(const struct buffer *buffer);

// JSON. Commas and colons are put by the writer. A key is written with json_key and followed by one value;
// the json_key_* forms write both. Strings must be UTF-8: what is not is replaced by U+FFFD.
void json_begin_object(struct buffer *buffer);
void json_end_object(struct buffer *buffer);
void json_begin_array(struct buffer *buffer);
void json_end_array(struct buffer *buffer);
void json_key(struct buffer *buffer, const char *key);
void json_key_of(struct buffer *buffer, struct text key);
void json_text(struct buffer *buffer, struct text value); // null when value.base is NULL
void json_int(struct buffer *buffer, int64_t value);
void json_bool(struct buffer *buffer, bool value);
void json_write_null(struct buffer *buffer);
void json_raw(struct buffer *buffer, struct text json); // one value that is JSON already
void json_key_text(struct buffer *buffer, const char *key, struct text value);
void json_key_string(struct buffer *buffer, const char *key, const char *value);
void json_key_int(struct buffer *buffer, const char *key, int64_t value);
void json_key_bool(struct buffer *buffer, const char *key, bool value);
void json_key_raw(struct buffer *buffer, const char *key, struct text json);
void json_key_format(struct buffer *buffer, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
