// The lenient JSON of request bodies, linked files and json() (arm-templates 1.1): comments, names without
// quotes, single quotes, raw line ends in strings, trailing commas, a byte order mark.
#pragma once
#include "templates/value.h"

struct reader_limits {
    size_t depth;  // 0: 128
    size_t values; // 0: 250,000
};
struct reader_error {
    const char
        *message; // "After parsing a value an unexpected character was encountered: …", no position in it
    struct text path; // "properties.template.resources[0].name"
    uint32_t line, column;
};
// The one value of a text; NULL and the error when it is none. Copies what it keeps into the arena. A member
// that comes twice with the same bytes: the last wins, at the first's place.
const struct value *reader_read(struct arena *arena, struct text text, const struct reader_limits *limits,
                                struct reader_error *error);
// A step of a path as error messages write it: ".name", or "['odd name']" where the name holds a character
// that would not be clear. No point before the first.
void reader_path_member(struct buffer *out, struct text name);
