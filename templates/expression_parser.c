// From the text of an expression to its tree.
#include "templates/expression_lexer.h"
#include "templates/function.h"

#include <errno.h>
#include <stdlib.h>

// What was read and does not have its list yet, innermost last.
struct stack {
    size_t count, room, size; // of an item
    char *items;
};

struct parser {
    struct expression_lexer lexer; // its token is the one to be looked at
    size_t depth;
    struct stack arguments, accessors;
};

static void stack_push(struct stack *stack, const void *item)
{
    if (stack->count == stack->room) {
        stack->room = stack->room ? stack->room * 2 : 32;
        stack->items = xrealloc(stack->items, stack->room * stack->size);
    }
    memcpy(stack->items + stack->size * stack->count++, item, stack->size);
}

// The items from `from` on, as a list of their own.
static const void *stack_pop(struct arena *arena, struct stack *stack, size_t from)
{
    size_t bytes = (stack->count - from) * stack->size;
    if (bytes == 0)
        return NULL;
    void *list = arena_reserve(arena, bytes);
    memcpy(list, stack->items + from * stack->size, bytes);
    stack->count = from;
    return list;
}

bool expression_is(struct text string, struct text *literal)
{
    *literal = string;
    if (string.length < 2 || string.base[0] != '[' || string.base[string.length - 1] != ']')
        return false;
    if (string.base[1] != '[')
        return true;
    *literal = text_slice(string, 1, string.length);
    return false;
}

static bool advance(struct parser *p)
{
    return expression_lexer_next(&p->lexer);
}

static bool fail_token(struct parser *p, enum expression_token_kind expected)
{
    return expression_lexer_fail(
        &p->lexer, p->lexer.position,
        arena_printf(p->lexer.arena,
                     "Unable to parse language expression '%.*s': expected token '%s' "
                     "and actual '%s'.",
                     TEXT_ARG(p->lexer.text), expression_token_name(expected),
                     expression_token_name(p->lexer.kind)));
}

// The token must be of this kind; then the next one is read.
static bool take(struct parser *p, enum expression_token_kind kind)
{
    return p->lexer.kind == kind ? advance(p) : fail_token(p, kind);
}

static const struct expression *parse_argument(struct parser *p);

static bool parse_number(struct parser *p, struct expression *node)
{
    char few[32], *digits = few;
    if (p->lexer.token.length < sizeof few)
        *(char *)mempcpy(few, p->lexer.token.base, p->lexer.token.length) = '\0';
    else
        digits = text_cstr(p->lexer.arena, p->lexer.token);
    errno = 0;
    if (p->lexer.kind == TOKEN_FLOAT)
        node->literal = (struct value){.kind = VALUE_FLOAT, .real = strtod(digits, NULL)};
    else
        node->literal = (struct value){.kind = VALUE_INTEGER, .integer = strtoll(digits, NULL, 10)};
    if (errno == 0 || p->lexer.kind == TOKEN_FLOAT)
        return advance(p);
    return expression_lexer_fail(
        &p->lexer, p->lexer.position,
        arena_printf(
            p->lexer.arena,
            "The language expression '%.*s' is not valid: the number '%.*s' at position '%zu' is too "
            "large.",
            TEXT_ARG(p->lexer.text), TEXT_ARG(p->lexer.token), p->lexer.position));
}

// "name" or "namespace.name": tokens may have blanks between them, the name has none.
static bool parse_name(struct parser *p, struct expression *node)
{
    node->name = p->lexer.token;
    if (!take(p, TOKEN_IDENTIFIER))
        return false;
    while (p->lexer.kind == TOKEN_DOT) {
        if (!advance(p))
            return false;
        node->name = TEXT_JOIN(p->lexer.arena, node->name, TEXT("."), p->lexer.token);
        if (!take(p, TOKEN_IDENTIFIER))
            return false;
    }
    return true;
}

static bool parse_arguments(struct parser *p, struct expression *node)
{
    size_t from = p->arguments.count;
    while (p->lexer.kind != TOKEN_RIGHT_PARENTHESIS || p->arguments.count > from) {
        const struct expression *argument = parse_argument(p);
        if (!argument)
            return false;
        stack_push(&p->arguments, &argument);
        node->needs_run |= argument->needs_run;
        if (p->lexer.kind != TOKEN_COMMA)
            break;
        if (!advance(p))
            return false;
    }
    node->argument_count = (uint16_t)(p->arguments.count - from);
    node->arguments = stack_pop(p->lexer.arena, &p->arguments, from);
    return take(p, TOKEN_RIGHT_PARENTHESIS);
}

// What can be answered by a run only: reference, references and list*.
static bool of_the_run(struct text name)
{
    const struct function *function = function_find(name);
    return function &&
           (text_is(text_of(function->name), "reference") || text_is(text_of(function->name), "references") ||
            text_is(text_of(function->name), "list*"));
}

static bool parse_call(struct parser *p, struct expression *node)
{
    node->kind = EXPRESSION_CALL;
    if (!parse_name(p, node) || !take(p, TOKEN_LEFT_PARENTHESIS))
        return false;
    node->function = function_find(node->name);
    node->needs_run = of_the_run(node->name);
    return parse_arguments(p, node);
}

static bool parse_primary(struct parser *p, struct expression *node)
{
    node->position = (uint32_t)p->lexer.position + 1;
    switch (p->lexer.kind) {
    case TOKEN_STRING_LITERAL:
        node->literal = (struct value){.kind = VALUE_STRING, .string = p->lexer.token};
        return advance(p);
    case TOKEN_INTEGER:
    case TOKEN_FLOAT:
        return parse_number(p, node);
    default:
        return parse_call(p, node);
    }
}

static bool parse_accessor(struct parser *p, struct expression *node, struct expression_accessor *accessor)
{
    accessor->position = (uint32_t)p->lexer.position + 1;
    bool by_name = p->lexer.kind == TOKEN_DOT;
    if (!advance(p))
        return false;
    if (by_name) {
        accessor->name = p->lexer.token;
        return take(p, TOKEN_IDENTIFIER);
    }
    accessor->index = parse_argument(p);
    if (!accessor->index)
        return false;
    node->needs_run |= accessor->index->needs_run;
    return take(p, TOKEN_RIGHT_SQUARE_BRACKET);
}

static bool parse_accessors(struct parser *p, struct expression *node)
{
    size_t from = p->accessors.count;
    while (p->lexer.kind == TOKEN_DOT || p->lexer.kind == TOKEN_LEFT_SQUARE_BRACKET) {
        struct expression_accessor accessor = {0};
        if (!parse_accessor(p, node, &accessor))
            return false;
        stack_push(&p->accessors, &accessor);
    }
    node->accessor_count = (uint16_t)(p->accessors.count - from);
    node->accessors = stack_pop(p->lexer.arena, &p->accessors, from);
    return true;
}

static const struct expression *parse_argument(struct parser *p)
{
    if (p->depth == EXPRESSION_DEPTH) {
        expression_lexer_fail(&p->lexer, p->lexer.position,
                              arena_printf(p->lexer.arena,
                                           "The language expression is not valid: it is nested deeper than "
                                           "'%d' levels.",
                                           EXPRESSION_DEPTH));
        return NULL;
    }
    struct expression *node = ARENA_NEW(p->lexer.arena, struct expression);
    p->depth++;
    bool parsed = parse_primary(p, node) && parse_accessors(p, node);
    p->depth--;
    return parsed ? node : NULL;
}

static const struct expression *parse_whole(struct parser *p)
{
    if (!advance(p))
        return NULL;
    if (p->lexer.kind != TOKEN_IDENTIFIER) {
        fail_token(p, TOKEN_IDENTIFIER);
        return NULL;
    }
    const struct expression *root = parse_argument(p);
    if (!root || p->lexer.kind == TOKEN_END_OF_DATA)
        return root;
    fail_token(p, TOKEN_END_OF_DATA);
    return NULL;
}

const struct expression *expression_parse(struct arena *arena, struct text string,
                                          struct expression_error *error)
{
    size_t length = value_utf16_length(string);
    if (length > EXPRESSION_LENGTH) {
        *error = (struct expression_error){
            "InvalidTemplate",
            arena_printf(arena,
                         "The template language expression length limit exceeded. Limit: '%d' and actual: "
                         "'%zu'.",
                         EXPRESSION_LENGTH, length),
            0};
        return NULL;
    }
    struct parser p = {
        .lexer = {.arena = arena, .text = text_slice(string, 1, string.length - 1), .error = error},
        .arguments = {.size = sizeof(struct expression *)},
        .accessors = {.size = sizeof(struct expression_accessor)},
    };
    const struct expression *root = parse_whole(&p);
    free(p.arguments.items);
    free(p.accessors.items);
    return root;
}

bool expression_needs_run(const struct expression *expression)
{
    return expression->needs_run;
}

void expression_calls(const struct expression *expression,
                      void (*each)(void *context, const struct expression_call *call), void *context)
{
    if (expression->kind == EXPRESSION_CALL) {
        const struct expression_call call = {expression->name, expression->argument_count,
                                             expression->arguments, expression->position};
        each(context, &call);
        for (size_t i = 0; i < expression->argument_count; i++)
            expression_calls(expression->arguments[i], each, context);
    }
    for (size_t i = 0; i < expression->accessor_count; i++)
        if (expression->accessors[i].index)
            expression_calls(expression->accessors[i].index, each, context);
}
