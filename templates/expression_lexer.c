// Cutting an expression into tokens.
#include "templates/expression_lexer.h"

#include "base/letters.h"

const char *expression_token_name(enum expression_token_kind kind)
{
    static const char *const names[] = {
        [TOKEN_END_OF_DATA] = "EndOfData",
        [TOKEN_IDENTIFIER] = "Identifier",
        [TOKEN_STRING_LITERAL] = "StringLiteral",
        [TOKEN_INTEGER] = "Integer",
        [TOKEN_FLOAT] = "Float",
        [TOKEN_LEFT_PARENTHESIS] = "LeftParenthesis",
        [TOKEN_RIGHT_PARENTHESIS] = "RightParenthesis",
        [TOKEN_LEFT_SQUARE_BRACKET] = "LeftSquareBracket",
        [TOKEN_RIGHT_SQUARE_BRACKET] = "RightSquareBracket",
        [TOKEN_COMMA] = "Comma",
        [TOKEN_DOT] = "Dot",
    };
    return names[kind];
}

bool expression_lexer_fail(struct expression_lexer *lexer, size_t position, const char *message)
{
    *lexer->error = (struct expression_error){"InvalidTemplate", message, (uint32_t)position + 1};
    return false;
}

// Positions of messages count UTF-16 units, as everything of the language does.
static bool fail_character(struct expression_lexer *lexer, size_t position)
{
    struct text t = lexer->text;
    size_t end = position;
    text_next_character(t, &end);
    struct text character = text_slice(t, position, end);
    return expression_lexer_fail(
        lexer, position,
        arena_printf(lexer->arena,
                     "The language expression '%.*s' is not valid: the string character '%.*s' at position "
                     "'%zu' is not expected.",
                     TEXT_ARG(t), TEXT_ARG(character), value_utf16_length(text_slice(t, 0, position))));
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// The end of the letters, digits, "_" and "$" from `at` on.
static size_t identifier_end(struct text t, size_t at)
{
    while (at < t.length) {
        size_t next = at;
        uint32_t c = text_next_character(t, &next);
        if (c != '_' && c != '$' && !letter_or_digit(c))
            break;
        at = next;
    }
    return at;
}

static bool read_string(struct expression_lexer *lexer)
{
    struct text t = lexer->text;
    size_t at = lexer->at + 1, quotes = 0;
    for (;; at++) {
        if (at >= t.length)
            return fail_character(lexer, lexer->at);
        if (t.base[at] != '\'')
            continue;
        if (at + 1 >= t.length || t.base[at + 1] != '\'')
            break;
        quotes++;
        at++;
    }
    struct text raw = text_slice(t, lexer->at + 1, at);
    lexer->at = at + 1;
    lexer->kind = TOKEN_STRING_LITERAL;
    lexer->token = raw;
    if (quotes == 0)
        return true;
    char *bytes = arena_reserve(lexer->arena, raw.length);
    size_t length = 0;
    for (size_t i = 0; i < raw.length; i++) {
        bytes[length++] = raw.base[i];
        i += raw.base[i] == '\'';
    }
    lexer->token = (struct text){bytes, length};
    return true;
}

static void read_number(struct expression_lexer *lexer)
{
    struct text t = lexer->text;
    size_t at = lexer->at + 1;
    while (at < t.length && is_digit(t.base[at]))
        at++;
    lexer->kind = TOKEN_INTEGER;
    if (at + 1 < t.length && t.base[at] == '.' && is_digit(t.base[at + 1])) {
        for (at++; at < t.length && is_digit(t.base[at]);)
            at++;
        lexer->kind = TOKEN_FLOAT;
    }
    lexer->token = text_slice(t, lexer->at, at);
    lexer->at = at;
}

static bool read_sign(struct expression_lexer *lexer)
{
    static const char signs[] = "()[],.";
    static const enum expression_token_kind kinds[] = {TOKEN_LEFT_PARENTHESIS,
                                                       TOKEN_RIGHT_PARENTHESIS,
                                                       TOKEN_LEFT_SQUARE_BRACKET,
                                                       TOKEN_RIGHT_SQUARE_BRACKET,
                                                       TOKEN_COMMA,
                                                       TOKEN_DOT};
    const char *sign = memchr(signs, lexer->text.base[lexer->at], sizeof signs - 1);
    if (!sign)
        return false;
    lexer->kind = kinds[sign - signs];
    lexer->token = text_slice(lexer->text, lexer->at, lexer->at + 1);
    lexer->at++;
    return true;
}

bool expression_lexer_next(struct expression_lexer *lexer)
{
    struct text t = lexer->text;
    while (lexer->at < t.length && is_blank(t.base[lexer->at]))
        lexer->at++;
    lexer->position = lexer->at;
    lexer->token = TEXT("");
    if (lexer->at >= t.length) {
        lexer->kind = TOKEN_END_OF_DATA;
        return true;
    }
    char c = t.base[lexer->at];
    if (c == '\'')
        return read_string(lexer);
    if (is_digit(c) || (c == '-' && lexer->at + 1 < t.length && is_digit(t.base[lexer->at + 1]))) {
        read_number(lexer);
        return true;
    }
    if (read_sign(lexer))
        return true;
    size_t end = identifier_end(t, lexer->at);
    if (end == lexer->at)
        return fail_character(lexer, lexer->at);
    lexer->kind = TOKEN_IDENTIFIER;
    lexer->token = text_slice(t, lexer->at, end);
    lexer->at = end;
    return true;
}
