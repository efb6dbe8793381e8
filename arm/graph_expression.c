// Reading expressions: or, and, not(), comparisons, members of dynamic columns, the few functions there are.
#include "arm/graph_lexer.h"

#include "base/arena.h"

#include <stdlib.h>

enum { DEPTH = 64, LIST = 1000 };

static struct graph_expression *node(struct graph_parser *p, enum graph_operator operator,
                                     enum graph_type type)
{
    struct graph_expression *e = ARENA_NEW(p->arena, struct graph_expression);
    e->operator= operator;
    e->type = type;
    return e;
}

static struct graph_expression *pair(struct graph_parser *p, enum graph_operator operator,
                                     struct graph_expression * left, struct graph_expression *right)
{
    struct graph_expression *e = node(p, operator, GRAPH_TYPE_BOOLEAN);
    e->left = left;
    e->right = right;
    e->columns = left->columns | (right ? right->columns : 0);
    return e;
}

struct graph_expression *graph_column_at(struct graph_parser *p, size_t column)
{
    struct graph_expression *e = node(p, GRAPH_COLUMN, p->schema.columns[column].type);
    e->column = column;
    e->name = p->schema.columns[column].name;
    e->columns = UINT64_C(1) << column;
    return e;
}

static struct graph_expression *literal(struct graph_parser *p, struct graph_value value,
                                        enum graph_type type)
{
    struct graph_expression *e = node(p, GRAPH_LITERAL, type);
    e->value = value;
    return e;
}

static bool number_of(struct text text, struct graph_value *value)
{
    int64_t whole;
    char digits[64];
    if (text_to_int64(text, &whole)) {
        *value = (struct graph_value){.kind = GRAPH_INTEGER, .integer = whole};
        return true;
    }
    if (text.length >= sizeof digits)
        return false;
    memcpy(digits, text.base, text.length);
    digits[text.length] = '\0';
    char *end;
    *value = (struct graph_value){.kind = GRAPH_REAL, .real = strtod(digits, &end)};
    return *end == '\0';
}

static struct graph_expression *read_number(struct graph_parser *p, bool negative)
{
    const struct graph_token *token = graph_peek(p, 0);
    struct graph_value value;
    if (token->kind != TOKEN_NUMBER || !number_of(token->text, &value)) {
        graph_fail(p, token, "a number is expected");
        return NULL;
    }
    p->at++;
    value.integer = negative ? -value.integer : value.integer;
    value.real = negative ? -value.real : value.real;
    return literal(p, value, value.kind == GRAPH_REAL ? GRAPH_TYPE_NUMBER : GRAPH_TYPE_INTEGER);
}

static const struct function {
    const char *name;
    enum graph_operator operator;
    bool negated;
    enum graph_type type;
} functions[] = {
    {"tolower", GRAPH_TO_LOWER, false, GRAPH_TYPE_STRING},
    {"toupper", GRAPH_TO_UPPER, false, GRAPH_TYPE_STRING},
    {"tostring", GRAPH_TO_STRING, false, GRAPH_TYPE_STRING},
    {"isempty", GRAPH_IS_EMPTY, false, GRAPH_TYPE_BOOLEAN},
    {"isnotempty", GRAPH_IS_EMPTY, true, GRAPH_TYPE_BOOLEAN},
    {"notempty", GRAPH_IS_EMPTY, true, GRAPH_TYPE_BOOLEAN},
    {"isnull", GRAPH_IS_NULL, false, GRAPH_TYPE_BOOLEAN},
    {"isnotnull", GRAPH_IS_NULL, true, GRAPH_TYPE_BOOLEAN},
    {"not", GRAPH_NOT, false, GRAPH_TYPE_BOOLEAN},
};

static const struct function *function_of(struct text name)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (text_is(name, functions[i].name))
            return &functions[i];
    return NULL;
}

static struct graph_expression *read_call(struct graph_parser *p)
{
    const struct graph_token *token = graph_peek(p, 0);
    const struct function *function = function_of(token->text);
    if (!function) {
        graph_fail(p, token, "this function is not supported here");
        return NULL;
    }
    p->at += 2;
    struct graph_expression *argument = graph_read_expression(p);
    if (!argument || !graph_expect(p, ")"))
        return NULL;
    struct graph_expression *e = pair(p, function->operator, argument, NULL);
    e->negated = function->negated;
    e->type = function->type;
    e->name = argument->name;
    return e;
}

static struct graph_expression *read_column(struct graph_parser *p)
{
    const struct graph_token *token = graph_peek(p, 0);
    for (size_t i = 0; i < p->schema.count; i++)
        if (text_equal(p->schema.columns[i].name, token->text)) {
            p->at++;
            return graph_column_at(p, i);
        }
    graph_fail(p, token, "there is no column of this name");
    return NULL;
}

static struct graph_expression *member_of(struct graph_parser *p, struct graph_expression *whole,
                                          enum graph_operator operator, struct text name)
{
    struct graph_expression *e = node(p, operator, GRAPH_TYPE_OBJECT);
    e->left = whole;
    e->columns = whole->columns;
    e->name = name;
    return e;
}

// .name, ['name'] and [number] behind an expression.
static struct graph_expression *read_members(struct graph_parser *p, struct graph_expression *e)
{
    for (size_t count = 0; e; count++) {
        const struct graph_token *token = graph_peek(p, 0), *next = graph_peek(p, 1);
        bool dot = token->kind == TOKEN_SYMBOL && text_is(token->text, ".");
        if (!dot && !(token->kind == TOKEN_SYMBOL && text_is(token->text, "[")))
            return e;
        if (e->type != GRAPH_TYPE_OBJECT || e->operator== GRAPH_LITERAL || count == DEPTH) {
            graph_fail(p, token, "only dynamic columns (properties, tags, sku, …) have members");
            return NULL;
        }
        if (dot && next->kind == TOKEN_WORD) {
            e = member_of(p, e, GRAPH_MEMBER, next->text);
            p->at += 2;
        } else if (!dot && next->kind == TOKEN_STRING) {
            e = member_of(p, e, GRAPH_MEMBER, next->value);
            p->at += 2;
        } else if (!dot && next->kind == TOKEN_NUMBER) {
            struct graph_value index;
            if (!number_of(next->text, &index) || index.kind != GRAPH_INTEGER) {
                graph_fail(p, next, "a whole number is expected");
                return NULL;
            }
            e = member_of(p, e, GRAPH_ELEMENT, next->text);
            e->value = index;
            p->at += 2;
        } else {
            graph_fail(p, next, "a member's name is expected");
            return NULL;
        }
        if (!dot && !graph_expect(p, "]"))
            return NULL;
    }
    return e;
}

static struct graph_expression *read_primary(struct graph_parser *p)
{
    const struct graph_token *token = graph_peek(p, 0);
    if (token->kind == TOKEN_STRING) {
        p->at++;
        return literal(p, graph_string(token->value), GRAPH_TYPE_STRING);
    }
    if (token->kind == TOKEN_NUMBER)
        return read_number(p, false);
    if (graph_take_symbol(p, "-"))
        return read_number(p, true);
    if (graph_take_symbol(p, "(")) {
        struct graph_expression *inner = graph_read_expression(p);
        return inner && graph_expect(p, ")") ? read_members(p, inner) : NULL;
    }
    if (token->kind != TOKEN_WORD) {
        graph_fail(p, token, "a column, a value or a function is expected");
        return NULL;
    }
    const struct graph_token *next = graph_peek(p, 1);
    if (next->kind == TOKEN_SYMBOL && text_is(next->text, "("))
        return read_call(p);
    if (text_is(token->text, "true") || text_is(token->text, "false")) {
        p->at++;
        return literal(p, graph_boolean(text_is(token->text, "true")), GRAPH_TYPE_BOOLEAN);
    }
    return read_members(p, read_column(p));
}

static bool is_literal(const struct graph_expression *e)
{
    return e && e->operator== GRAPH_LITERAL;
}

// "('a', 'b')" behind in.
static struct graph_expression *read_list(struct graph_parser *p, struct graph_expression *left)
{
    struct graph_expression *e = pair(p, GRAPH_IN, left, NULL);
    e->arguments = ARENA_ARRAY(p->arena, struct graph_expression *, LIST);
    if (!graph_expect(p, "("))
        return NULL;
    if (graph_take_symbol(p, ")"))
        return e;
    do {
        const struct graph_token *token = graph_peek(p, 0);
        struct graph_expression *value = read_primary(p);
        if (value && !is_literal(value))
            graph_fail(p, token, "a list has values only");
        if (e->argument_count == LIST)
            graph_fail(p, token, "the list is too long");
        if (p->failed)
            return NULL;
        e->arguments[e->argument_count++] = value;
    } while (graph_take_symbol(p, ","));
    return graph_expect(p, ")") ? e : NULL;
}

static const struct comparison {
    const char *word;
    enum graph_operator operator;
    bool negated, ignore_case; // of < and >: "or equal"
} comparisons[] = {
    {"==", GRAPH_EQUAL, false, false},
    {"!=", GRAPH_EQUAL, true, false},
    {"=~", GRAPH_EQUAL, false, true},
    {"!~", GRAPH_EQUAL, true, true},
    {"<", GRAPH_LESS, false, false},
    {"<=", GRAPH_LESS, false, true},
    {">", GRAPH_MORE, false, false},
    {">=", GRAPH_MORE, false, true},
    {"contains", GRAPH_CONTAINS, false, true},
    {"contains_cs", GRAPH_CONTAINS, false, false},
    {"startswith", GRAPH_STARTS, false, true},
    {"startswith_cs", GRAPH_STARTS, false, false},
    {"endswith", GRAPH_ENDS, false, true},
    {"endswith_cs", GRAPH_ENDS, false, false},
    {"has", GRAPH_HAS, false, true},
    {"has_cs", GRAPH_HAS, false, false},
    {"in", GRAPH_IN, false, false},
};

static const struct comparison *comparison_of(const struct graph_token *token)
{
    for (size_t i = 0; i < sizeof comparisons / sizeof *comparisons; i++)
        if (token->kind != TOKEN_STRING && text_is(token->text, comparisons[i].word))
            return &comparisons[i];
    return NULL;
}

// The comparison that stands here, "!" before and "~" behind it included; none: NULL, and nothing is taken.
static const struct comparison *take_comparison(struct graph_parser *p, bool *negated, bool *tilde)
{
    const struct graph_token *token = graph_peek(p, 0), *next = graph_peek(p, 1);
    *negated = token->kind == TOKEN_SYMBOL && text_is(token->text, "!");
    if (*negated && next->kind == TOKEN_WORD && next->glued)
        token = next;
    const struct comparison *found = comparison_of(token);
    if (!found || (*negated && token != next))
        return NULL;
    p->at += *negated ? 2 : 1;
    *tilde = false;
    if (found->operator== GRAPH_IN && graph_peek(p, 0)->glued && graph_take_symbol(p, "~"))
        *tilde = true;
    return found;
}

static struct graph_expression *read_comparison(struct graph_parser *p)
{
    struct graph_expression *left = read_primary(p);
    bool negated, tilde;
    const struct comparison *comparison = left ? take_comparison(p, &negated, &tilde) : NULL;
    if (!comparison)
        return left;
    struct graph_expression *e;
    if (comparison->operator== GRAPH_IN) {
        e = read_list(p, left);
    } else {
        struct graph_expression *right = read_primary(p);
        e = right ? pair(p, comparison->operator, left, right) : NULL;
    }
    if (e) {
        e->negated = comparison->negated != negated;
        e->ignore_case = comparison->ignore_case || tilde;
    }
    return e;
}

static struct graph_expression *read_chain(struct graph_parser *p, const char *word,
                                           enum graph_operator operator,
                                           struct graph_expression * (*read)(struct graph_parser *))
{
    struct graph_expression *left = read(p);
    for (size_t count = 0; left && graph_take_word(p, word); count++) {
        struct graph_expression *right = read(p);
        if (count == 500)
            graph_fail(p, graph_peek(p, 0), "the condition is too long");
        left = right && !p->failed ? pair(p, operator, left, right) : NULL;
    }
    return left;
}

static struct graph_expression *read_and(struct graph_parser *p)
{
    return read_chain(p, "and", GRAPH_AND, read_comparison);
}

struct graph_expression *graph_read_expression(struct graph_parser *p)
{
    if (p->depth == DEPTH) {
        graph_fail(p, graph_peek(p, 0), "the expression is nested too deep");
        return NULL;
    }
    p->depth++;
    struct graph_expression *e = read_chain(p, "or", GRAPH_OR, read_and);
    p->depth--;
    return e;
}
