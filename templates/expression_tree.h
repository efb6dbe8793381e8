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

// Large templates have very many: kept small.
struct expression {
    uint8_t kind;   // enum expression_kind
    bool needs_run; // it, or something inside it
    uint16_t argument_count, accessor_count;
    uint32_t position;
    // In the order they are written; a list, so that a long chain is no depth.
    const struct expression_accessor *accessors;
    union {
        struct value literal;
        struct { // a call
            struct text name;
            const struct function *function; // NULL: the user's, or unknown
            const struct expression *const *arguments;
        };
    };
};
enum expression_kind { EXPRESSION_LITERAL, EXPRESSION_CALL };
