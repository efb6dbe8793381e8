// Text with a length: borrowed bytes that need no NUL, and what is done with them everywhere.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct arena;

struct text {
    const char *base; // NULL only when absent
    size_t length;
};

#define TEXT(literal) ((struct text){"" literal, sizeof(literal) - 1})
#define TEXT_NONE ((struct text){NULL, 0})
// For "%.*s" in printf formats.
#define TEXT_ARG(t) (int)(t).length, (t).base ? (t).base : ""

static inline struct text text_of(const char *string)
{
    return (struct text){string, string ? strlen(string) : 0};
}

static inline struct text text_slice(struct text t, size_t from, size_t to)
{
    return (struct text){t.base + from, to - from};
}

bool text_equal(struct text a, struct text b);
bool text_is(struct text a, const char *b);
// ASCII letters compare without regard to case.
bool text_equal_nocase(struct text a, struct text b);
bool text_is_nocase(struct text a, const char *b);
// The order of the bytes of both, ASCII letters as if they were lower-case: negative, 0 or positive.
int text_compare_nocase(struct text a, struct text b);
bool text_starts(struct text t, const char *prefix);
bool text_starts_nocase(struct text t, const char *prefix);
bool text_ends(struct text t, const char *suffix);
// Index of the first `c`, or -1.
ptrdiff_t text_find(struct text t, char c);
ptrdiff_t text_rfind(struct text t, char c);
// Index of the first occurrence of `needle`, or -1.
ptrdiff_t text_search(struct text t, struct text needle);
// Without the blanks and tabs at both ends.
struct text text_trim(struct text t);

// Copies into an arena; the copy ends with a NUL behind its length.
struct text text_copy(struct arena *arena, struct text t);
char *text_cstr(struct arena *arena, struct text t);
struct text text_lower(struct arena *arena, struct text t);
struct text text_upper(struct arena *arena, struct text t);

// Percent-decoding, once. False on a bad escape or a NUL (%00). '+' becomes a blank only where `form` is set.
bool text_percent_decode(struct arena *arena, struct text t, bool form, struct text *decoded);
// Escapes everything but RFC 3986's unreserved characters.
struct text text_percent_encode(struct arena *arena, struct text t);
// Well-formed UTF-8 without NUL.
bool text_is_utf8(struct text t);
// The character at *at of well-formed UTF-8, and *at moved behind it.
uint32_t text_next_character(struct text t, size_t *at);

// The parts, one behind the other; NUL-ended.
struct text text_join(struct arena *arena, const struct text *parts, size_t count);
#define TEXT_JOIN(arena, ...)                                                                                \
    text_join((arena), (const struct text[]){__VA_ARGS__},                                                   \
              sizeof((const struct text[]){__VA_ARGS__}) / sizeof(struct text))

// Writes a number's digits and a NUL; their count.
size_t text_put_int64(int64_t number, char digits[24]);
// A whole decimal number of at most 18 digits, no sign, no blanks; else false.
bool text_to_int64(struct text t, int64_t *number);

// Encodings. base64url has no padding and is read strictly; base64 is read with its padding.
struct text text_hex(struct arena *arena, const void *bytes, size_t length);
bool text_unhex(struct arena *arena, struct text t, struct text *bytes);
struct text text_base64(struct arena *arena, const void *bytes, size_t length);
struct text text_base64url(struct arena *arena, const void *bytes, size_t length);
bool text_unbase64(struct arena *arena, struct text t, struct text *bytes);
bool text_unbase64url(struct arena *arena, struct text t, struct text *bytes);

// UUIDs: "8-4-4-4-12" lower-case hex and a NUL, 37 bytes.
void uuid_random(char uuid[37]);
// Any case accepted.
bool uuid_is(struct text t);
