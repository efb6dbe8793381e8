// The tokens of an expression (arm-templates 4.2).
#pragma once
#include "templates/expression.h"

enum expression_token_kind {
    TOKEN_END_OF_DATA,
    TOKEN_IDENTIFIER,
    TOKEN_STRING_LITERAL,
    TOKEN_INTEGER,
    TOKEN_FLOAT,
    TOKEN_LEFT_PARENTHESIS,
    TOKEN_RIGHT_PARENTHESIS,
    TOKEN_LEFT_SQUARE_BRACKET,
    TOKEN_RIGHT_SQUARE_BRACKET,
    TOKEN_COMMA,
    TOKEN_DOT,
};

struct expression_lexer {
    struct arena *arena;
    struct text text; // without the brackets
    size_t at;
    struct expression_error *error;
    // The token that was read last.
    enum expression_token_kind kind;
    struct text token; // of a string literal: its value
    size_t position;
};

// False and the error when there is no token.
bool expression_lexer_next(struct expression_lexer *lexer);
const char *expression_token_name(enum expression_token_kind kind);
// Fills the lexer's error about this byte of the text; always false.
bool expression_lexer_fail(struct expression_lexer *lexer, size_t position, const char *message);
