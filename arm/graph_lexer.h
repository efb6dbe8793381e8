// Words of a query.
#pragma once
#include "arm/graph.h"

enum graph_token_kind { TOKEN_END, TOKEN_WORD, TOKEN_STRING, TOKEN_NUMBER, TOKEN_SYMBOL };
struct graph_token {
    enum graph_token_kind kind;
    struct text text;  // as written
    struct text value; // of a string
    size_t offset;
    bool glued; // nothing stands between it and the token before
};

struct graph_parser {
    struct arena *arena;
    struct text text;
    struct graph_token *tokens; // ended by TOKEN_END
    size_t at, depth;
    struct graph_schema schema; // of the rows that come into the stage being read
    struct graph_fault *fault;
    bool failed;
};
bool graph_lex(struct graph_parser *parser); // false after a fault

const struct graph_token *graph_peek(const struct graph_parser *parser, size_t ahead);
bool graph_take_symbol(struct graph_parser *parser, const char *symbol);
bool graph_take_word(struct graph_parser *parser, const char *word);
bool graph_expect(struct graph_parser *parser, const char *symbol); // fails when it is not there
// "The word 'join' at line 1, character 13 …": the first one stands.
void graph_fail(struct graph_parser *parser, const struct graph_token *token, const char *why);

// graph_expression.c; NULL after a fault.
struct graph_expression *graph_read_expression(struct graph_parser *parser);
struct graph_expression *graph_column_at(struct graph_parser *parser, size_t column);
