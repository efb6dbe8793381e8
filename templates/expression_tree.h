// A parsed expression as evaluation sees it; private to what is below expression.h.
#pragma once
#include "templates/expression.h"

struct function;

// ".name" or "[index]" behind a call.
struct expression_accessor {
    struct text name;               // absent: by index
    const struct expression *index; // NULL: by name
    uint32_t position;
};

struct expression {
    enum { EXPRESSION_LITERAL, EXPRESSION_CALL } kind;
    bool needs_run; // it, or something inside it
    uint32_t position;
    const struct value *literal;
    // Of a call.
    struct text name;
    const struct function *function; // NULL: the user's, or unknown
    const struct expression *const *arguments;
    size_t argument_count;
    // In the order they are written; a list, so that a long chain is no depth.
    const struct expression_accessor *accessors;
    size_t accessor_count;
};
