// Strings as the language counts them: in UTF-16 units, though they are kept as UTF-8.
#pragma once
#include "templates/function.h"

// The units [from, from + count), which are in the text. Half of a surrogate pair becomes U+FFFD. Absent
// after an error; a text of length 0 has a base.
struct text utf16_slice(struct call *call, struct text t, size_t from, size_t count);
// What is no UTF-8 becomes U+FFFD. NUL characters stay. Absent after an error.
struct text utf8_repair(struct call *call, struct text bytes);
// Length of the character at the beginning, 0 when that is none.
size_t utf8_character(struct text bytes);
// A character's bytes, at most four; their number.
size_t utf8_put(uint32_t character, char bytes[4]);
