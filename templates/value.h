// The values of the template language: JSON that remembers where it stood. Immutable once made, so that parts
// are shared freely; all of them live in one arena.
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "base/text.h"

enum value_kind {
    VALUE_NULL,
    VALUE_BOOLEAN,
    VALUE_INTEGER,
    VALUE_FLOAT,
    VALUE_STRING,
    VALUE_ARRAY,
    VALUE_OBJECT,
};

struct value_member {
    struct text name;
    uint32_t line, column; // of the name's last character; 0 where it comes from no text
    const struct value *value;
};

struct value {
    enum value_kind kind;
    uint32_t line,
        column; // arm-templates 1.1: 1-based, of the token's last character; 0 where it comes from no text
    // Of arrays and objects: how many stand in one another, and about how long it is as JSON in units of 16
    // bytes. Both stop at their largest.
    uint32_t depth : 8, size : 23;
    // A secret, or made of one; of arrays and objects: something in it is (templates/value_secret.h).
    uint32_t secret : 1;
    union {
        bool boolean;
        int64_t integer;
        double real;
        struct text string; // UTF-8; may hold NUL characters
        struct {
            const struct value *const *items;
            size_t count;
        } array;
        struct {
            const struct value_member *members; // in the order of the text; no two names are the same bytes
            size_t count;
        } object;
    };
};

const struct value *value_null(void);
const struct value *value_boolean(bool boolean);
const struct value *value_integer(struct arena *arena, int64_t integer);
const struct value *value_float(struct arena *arena, double real);
// Borrows the text's bytes.
const struct value *value_string(struct arena *arena, struct text string);
// Borrow their arrays.
const struct value *value_array(struct arena *arena, const struct value *const *items, size_t count);
const struct value *value_object(struct arena *arena, const struct value_member *members, size_t count);

// A member by its name in any (ASCII) case, NULL when absent or when `object` is none. The exact name is
// preferred.
const struct value *value_find(const struct value *object, struct text name);
const struct value_member *value_member_find(const struct value *object, struct text name);
#define VALUE_FIND(object, literal) value_find((object), TEXT(literal))
// The text of a string value, absent for any other kind and for NULL.
struct text value_text(const struct value *value);
bool value_is(const struct value *value, enum value_kind kind); // false for NULL

// Deep and strict in types, but an integer equals a float of the same value; the order of members does not
// count, strings and names compare byte for byte (arm-templates 4.3).
bool value_equal(const struct value *a, const struct value *b);
// The same with a bound: `*steps` goes down by one for each pair that is looked at; when it reaches 0 the
// answer is false and worth nothing. Expressions can build values whose tree is exponential in their memory.
bool value_equal_within(const struct value *a, const struct value *b, size_t *steps);
// How large the tree of a value is, about the bytes it would be written in; counted up to `limit` only.
size_t value_weight(const struct value *value, size_t limit);
// The same at once, from what value_array and value_object noted: in units of 16 bytes, rounded up, at most
// 2^23 - 1. Parts that stand twice count twice.
size_t value_size(const struct value *value);
// "String", "Integer", "Float", "Boolean", "Array", "Object", "Null".
const char *value_kind_name(enum value_kind kind);
// UTF-16 units, which is what the language counts strings in.
size_t value_utf16_length(struct text string);

// Compact JSON as a .NET writer gives it (arm-templates 2.4): integers plain, doubles shortest with ".0" when
// integral, escapes minimal. `quote` is '"', or '\'' inside format().
void value_write(struct buffer *out, const struct value *value, char quote);
// False when that takes more than `limit` bytes: the text is then cut somewhere.
bool value_write_within(struct buffer *out, const struct value *value, char quote, size_t limit);
// A double as .NET's "R" writes it ("1.5", "3", "1E+20"), in `out` or static; never with ".0".
struct text value_put_float(double real, char out[40]);
struct text value_to_json(struct arena *arena, const struct value *value);
