// What the reader's two halves share: reader.c knows the structure, reader_token.c strings, numbers, names
// and blanks.
#pragma once
#include "templates/reader.h"

struct reader_step { // where in the document the reader stands
    const struct reader_step *outer;
    struct text name; // of the member; absent: the item `index`
    size_t index;
};

struct cursor {
    struct arena *arena;
    struct text text;
    size_t at;
    // Lines and columns are counted up to `mark` only: once over the whole text, however long its lines are.
    size_t mark;
    uint32_t line, column;
    const struct reader_step *step; // NULL: the whole document
    struct reader_error *error;
    bool failed;
};

static inline bool cursor_ends(const struct cursor *c)
{
    return c->at >= c->text.length;
}

// Moves the line and the column up to the byte before `to`.
void cursor_mark(struct cursor *c, size_t to);
// The first failure stands; its place is the byte at `c->at`. False, for "return".
bool cursor_fail(struct cursor *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
// The same with the character that stands there: "<what>: <character>."
bool cursor_unexpected(struct cursor *c, const char *what);

// Blanks, line ends and comments.
bool cursor_skip(struct cursor *c);
// At a quote of either kind; moves behind its pair.
bool cursor_string(struct cursor *c, struct text *string);
// A name without quotes.
bool cursor_name(struct cursor *c, struct text *name);
// At a digit, a sign or a point.
bool cursor_number(struct cursor *c, struct value *value);
