// Reading a $filter into a tree: or binds less than and, parentheses group, property names and words in any
// case, quotes inside a value doubled. Depth, length and number of terms are bounded.
#include "arm/filter_tree.h"

#include "base/arena.h"

struct reader {
    struct arena *arena;
    struct text rest;
    bool tags_only;
    unsigned depth, terms;
    bool by_tag_and_value;
    const char *why;
};

// NULL, for whoever returns a node.
__attribute__((format(printf, 2, 3))) static struct filter_node *wrong(struct reader *r, const char *format,
                                                                       ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (!r->why)
        r->why = arena_vprintf(r->arena, format, arguments);
    va_end(arguments);
    return NULL;
}

static void skip_blanks(struct reader *r)
{
    while (r->rest.length > 0 && (r->rest.base[0] == ' ' || r->rest.base[0] == '\t'))
        r->rest = text_slice(r->rest, 1, r->rest.length);
}

static bool of_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '_' || c == '.';
}

// The next word, left where it is.
static struct text peek(struct reader *r)
{
    skip_blanks(r);
    size_t length = 0;
    while (length < r->rest.length && of_word(r->rest.base[length]))
        length++;
    return text_slice(r->rest, 0, length);
}

static struct text word(struct reader *r)
{
    struct text w = peek(r);
    r->rest = text_slice(r->rest, w.length, r->rest.length);
    return w;
}

static bool symbol(struct reader *r, char c)
{
    skip_blanks(r);
    if (r->rest.length == 0 || r->rest.base[0] != c)
        return false;
    r->rest = text_slice(r->rest, 1, r->rest.length);
    return true;
}

// What stands next, for a message: a word, or one character.
static struct text next_thing(struct reader *r)
{
    struct text w = peek(r);
    if (w.length > 0 || r->rest.length == 0)
        return w;
    size_t length = 1;
    while (length < r->rest.length && ((unsigned char)r->rest.base[length] & 0xc0) == 0x80)
        length++;
    return text_slice(r->rest, 0, length);
}

// 'it''s'
static bool literal(struct reader *r, struct text *value)
{
    if (!symbol(r, '\'')) {
        wrong(r, "a value in single quotes is expected before '%.*s'", TEXT_ARG(next_thing(r)));
        return false;
    }
    struct buffer b = buffer_new(r->arena);
    for (size_t i = 0; i < r->rest.length; i++) {
        char c = r->rest.base[i];
        if (c == '\'' && i + 1 < r->rest.length && r->rest.base[i + 1] == '\'') {
            i++;
        } else if (c == '\'') {
            r->rest = text_slice(r->rest, i + 1, r->rest.length);
            *value = b.length > 0 ? buffer_done(&b) : TEXT("");
            return true;
        }
        buffer_char(&b, c);
    }
    wrong(r, "the value '%.*s' has no closing quote", TEXT_ARG(r->rest));
    return false;
}

static bool property_of(struct reader *r, struct text name, enum filter_property *property)
{
    static const struct {
        const char *name;
        enum filter_property property;
    } rows[] = {
        {"name", FILTER_NAME},           {"resourceType", FILTER_TYPE},
        {"resourceGroup", FILTER_GROUP}, {"location", FILTER_LOCATION},
        {"identity", FILTER_ABSENT},     {"identity/principalId", FILTER_ABSENT},
        {"plan", FILTER_ABSENT},         {"plan/publisher", FILTER_ABSENT},
        {"plan/product", FILTER_ABSENT}, {"plan/name", FILTER_ABSENT},
        {"plan/version", FILTER_ABSENT}, {"plan/promotionCode", FILTER_ABSENT},
        {"tagName", FILTER_TAG_NAME},    {"tagValue", FILTER_TAG_VALUE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (text_is_nocase(name, rows[i].name) && (!r->tags_only || rows[i].property >= FILTER_TAG_NAME)) {
            *property = rows[i].property;
            return true;
        }
    if (name.length == 0)
        wrong(r, "a property is expected before '%.*s'", TEXT_ARG(next_thing(r)));
    else if (r->tags_only)
        wrong(r, "the property '%.*s' is not supported here, only tagName and tagValue are", TEXT_ARG(name));
    else
        wrong(r, "the property '%.*s' is not supported", TEXT_ARG(name));
    return false;
}

static bool comma_or_close(struct reader *r, char c)
{
    if (symbol(r, c))
        return true;
    wrong(r,
          c == ',' ? "a comma is expected before '%.*s'" : "a closing parenthesis is expected before '%.*s'",
          TEXT_ARG(next_thing(r)));
    return false;
}

// startswith(tagName, 'x'), substringof('x', name)
static struct filter_node *function(struct reader *r, struct text name)
{
    bool starts = text_is_nocase(name, "startswith");
    if (!starts && !text_is_nocase(name, "substringof"))
        return wrong(r, "the function '%.*s' is not supported", TEXT_ARG(name));
    struct filter_node *node = ARENA_NEW(r->arena, struct filter_node);
    node->kind = starts ? NODE_TAG : NODE_COMPARE;
    node->operator= starts ? FILTER_STARTS : FILTER_CONTAINS;
    struct text property;
    if (starts) {
        property = word(r);
        if (!property_of(r, property, &node->property) || !comma_or_close(r, ',') ||
            !literal(r, &node->value))
            return NULL;
    } else {
        if (!literal(r, &node->value) || !comma_or_close(r, ','))
            return NULL;
        property = word(r);
        if (!property_of(r, property, &node->property))
            return NULL;
    }
    bool fits = starts ? node->property == FILTER_TAG_NAME
                       : node->property == FILTER_NAME || node->property == FILTER_GROUP;
    if (!fits)
        return wrong(r, "the property '%.*s' is not supported by this function", TEXT_ARG(property));
    return comma_or_close(r, ')') ? node : NULL;
}

static struct filter_node *comparison(struct reader *r, struct text name)
{
    struct filter_node *node = ARENA_NEW(r->arena, struct filter_node);
    if (!property_of(r, name, &node->property))
        return NULL;
    struct text verb = word(r);
    if (verb.length == 0)
        return wrong(r, "an operator is expected before '%.*s'", TEXT_ARG(next_thing(r)));
    if (text_is_nocase(verb, "ne") && node->property < FILTER_TAG_NAME)
        node->operator= FILTER_NOT_EQUAL;
    else if (!text_is_nocase(verb, "eq"))
        return wrong(r, "the operator '%.*s' is not supported", TEXT_ARG(verb));
    if (!literal(r, &node->value))
        return NULL;
    node->kind = node->property == FILTER_TAG_NAME    ? NODE_TAG
                 : node->property == FILTER_TAG_VALUE ? NODE_TAG_VALUE
                                                      : NODE_COMPARE;
    return node;
}

static struct filter_node *alternatives(struct reader *r);

static struct filter_node *primary(struct reader *r)
{
    if (r->terms++ == FILTER_TERMS)
        return wrong(r, "there are too many terms, from '%.*s' on", TEXT_ARG(next_thing(r)));
    if (symbol(r, '(')) {
        if (r->depth++ == FILTER_DEPTH)
            return wrong(r, "there are too many parentheses, from '%.*s' on", TEXT_ARG(next_thing(r)));
        struct filter_node *inside = alternatives(r);
        r->depth--;
        return inside && comma_or_close(r, ')') ? inside : NULL;
    }
    struct text first = word(r);
    return first.length > 0 && symbol(r, '(') ? function(r, first) : comparison(r, first);
}

static struct filter_node *unbound(struct reader *r)
{
    return wrong(r, "tagValue is used together with tagName, joined by 'and'");
}

// A value belongs to the nearest name before it that has none yet, else to the nearest behind it.
static bool bind(struct reader *r, struct filter_node **chain, size_t count, size_t at)
{
    struct filter_node *name = NULL;
    for (size_t i = at; i-- > 0 && !name;)
        if (chain[i] && chain[i]->kind == NODE_TAG && !chain[i]->has_tag_value)
            name = chain[i];
    for (size_t i = at + 1; i < count && !name; i++)
        if (chain[i] && chain[i]->kind == NODE_TAG && !chain[i]->has_tag_value)
            name = chain[i];
    if (!name) {
        unbound(r);
        return false;
    }
    name->has_tag_value = true;
    name->tag_value = chain[at]->value;
    r->by_tag_and_value |= name->operator== FILTER_EQUAL;
    chain[at] = NULL;
    return true;
}

static struct filter_node *join(struct reader *r, enum filter_node_kind kind, struct filter_node *left,
                                struct filter_node *right)
{
    struct filter_node *node = ARENA_NEW(r->arena, struct filter_node);
    *node = (struct filter_node){.kind = kind, .left = left, .right = right};
    return node;
}

static struct filter_node *conjunction(struct reader *r)
{
    struct filter_node *chain[FILTER_TERMS];
    size_t count = 0;
    do {
        struct filter_node *node = primary(r);
        if (!node)
            return NULL;
        chain[count++] = node; // every one took a term
    } while (text_is_nocase(peek(r), "and") && word(r).length > 0);
    if (count == 1)
        return chain[0]; // a lone value in parentheses may find its name outside
    struct filter_node *all = NULL;
    for (size_t i = 0; i < count; i++)
        if (chain[i]->kind == NODE_TAG_VALUE && !bind(r, chain, count, i))
            return NULL;
    for (size_t i = 0; i < count; i++)
        if (chain[i])
            all = all ? join(r, NODE_AND, all, chain[i]) : chain[i];
    return all;
}

static struct filter_node *alternatives(struct reader *r)
{
    struct filter_node *any = conjunction(r);
    while (any && text_is_nocase(peek(r), "or")) {
        word(r);
        struct filter_node *next = conjunction(r);
        if (!next)
            return NULL;
        if (any->kind == NODE_TAG_VALUE || next->kind == NODE_TAG_VALUE)
            return unbound(r);
        any = join(r, NODE_OR, any, next);
    }
    return any;
}

bool filter_parse(struct arena *arena, struct text expression, bool tags_only, struct filter *filter,
                  const char **why)
{
    struct reader r = {.arena = arena, .rest = text_trim(expression), .tags_only = tags_only};
    *filter = (struct filter){0};
    *why = NULL;
    if (r.rest.length == 0)
        return true;
    struct filter_node *root = NULL;
    if (r.rest.length > FILTER_LENGTH)
        r.why = "it is longer than 4096 bytes";
    else if (!text_is_utf8(r.rest) || memchr(r.rest.base, '\0', r.rest.length))
        r.why = "it has characters that are not allowed";
    else
        root = alternatives(&r);
    if (root && root->kind == NODE_TAG_VALUE)
        root = unbound(&r);
    skip_blanks(&r);
    if (root && r.rest.length > 0)
        root = wrong(&r, "'and' or 'or' is expected before '%.*s'", TEXT_ARG(next_thing(&r)));
    *why = r.why;
    filter->root = root;
    filter->terms = r.terms;
    filter->by_tag_and_value = r.by_tag_and_value;
    return root != NULL;
}
