// Reading a query: a table, then stages between bars. Each stage is bound to the columns that come into it,
// so that running it looks up no names.
#include "arm/graph_lexer.h"
#include "arm/graph_plan.h"

#include "base/arena.h"

static const struct graph_column source_columns[SOURCE_COLUMNS] = {
    [COLUMN_ID] = {TEXT("id"), GRAPH_TYPE_STRING},
    [COLUMN_NAME] = {TEXT("name"), GRAPH_TYPE_STRING},
    [COLUMN_TYPE] = {TEXT("type"), GRAPH_TYPE_STRING},
    [COLUMN_TENANT] = {TEXT("tenantId"), GRAPH_TYPE_STRING},
    [COLUMN_KIND] = {TEXT("kind"), GRAPH_TYPE_STRING},
    [COLUMN_LOCATION] = {TEXT("location"), GRAPH_TYPE_STRING},
    [COLUMN_GROUP] = {TEXT("resourceGroup"), GRAPH_TYPE_STRING},
    [COLUMN_SUBSCRIPTION] = {TEXT("subscriptionId"), GRAPH_TYPE_STRING},
    [COLUMN_MANAGED_BY] = {TEXT("managedBy"), GRAPH_TYPE_STRING},
    [COLUMN_SKU] = {TEXT("sku"), GRAPH_TYPE_OBJECT},
    [COLUMN_PLAN] = {TEXT("plan"), GRAPH_TYPE_OBJECT},
    [COLUMN_PROPERTIES] = {TEXT("properties"), GRAPH_TYPE_OBJECT},
    [COLUMN_TAGS] = {TEXT("tags"), GRAPH_TYPE_OBJECT},
    [COLUMN_IDENTITY] = {TEXT("identity"), GRAPH_TYPE_OBJECT},
    [COLUMN_ZONES] = {TEXT("zones"), GRAPH_TYPE_OBJECT},
    [COLUMN_EXTENDED_LOCATION] = {TEXT("extendedLocation"), GRAPH_TYPE_OBJECT},
};

static bool is_symbol(const struct graph_token *token, const char *symbol)
{
    return token->kind == TOKEN_SYMBOL && text_is(token->text, symbol);
}

static bool is_word(const struct graph_token *token, const char *word)
{
    return token->kind == TOKEN_WORD && text_is(token->text, word);
}

// ---- lists of named expressions

// What an expression without an alias is called: "properties.a" is properties_a.
static struct text name_of(struct graph_parser *p, const struct graph_expression *e, size_t index)
{
    if (e->operator== GRAPH_COLUMN)
        return e->name;
    if (e->operator== GRAPH_MEMBER || e->operator== GRAPH_ELEMENT)
        return TEXT_JOIN(p->arena, name_of(p, e->left, index), TEXT("_"), e->name);
    if (e->left &&
        (e->operator== GRAPH_TO_LOWER || e->operator== GRAPH_TO_UPPER || e->operator== GRAPH_TO_STRING))
        return name_of(p, e->left, index);
    return text_of(arena_printf(p->arena, "Column%zu", index + 1));
}

static ptrdiff_t find_column(const struct graph_schema *schema, struct text name)
{
    for (size_t i = 0; i < schema->count; i++)
        if (text_equal(schema->columns[i].name, name))
            return (ptrdiff_t)i;
    return -1;
}

// A column more, or the one of that name anew. A name that a list gives twice is refused.
static void put(struct graph_parser *p, struct graph_stage *stage, struct graph_schema *schema,
                struct text name, struct graph_expression *e, const struct graph_token *token, bool replace)
{
    ptrdiff_t at = find_column(schema, name);
    if (at >= 0 && !replace) {
        graph_fail(p, token, "a column of this name is there already");
        return;
    }
    if (at < 0 && schema->count == GRAPH_COLUMNS) {
        graph_fail(p, token, "there are too many columns");
        return;
    }
    size_t index = at >= 0 ? (size_t)at : schema->count++;
    schema->columns[index] = (struct graph_column){name, e->type};
    stage->expressions[index] = e;
}

// "[alias =] expression".
static bool read_item(struct graph_parser *p, struct graph_stage *stage, struct graph_schema *schema,
                      bool replace)
{
    const struct graph_token *token = graph_peek(p, 0);
    bool alias = token->kind == TOKEN_WORD && is_symbol(graph_peek(p, 1), "=");
    if (alias)
        p->at += 2;
    struct graph_expression *e = graph_read_expression(p);
    if (e)
        put(p, stage, schema, alias ? token->text : name_of(p, e, schema->count), e, token, replace);
    return !p->failed;
}

static void keep_all(struct graph_parser *p, struct graph_stage *stage)
{
    for (size_t i = 0; i < p->schema.count; i++)
        stage->expressions[i] = graph_column_at(p, i);
}

// ---- stages

static void read_where(struct graph_parser *p, struct graph_stage *stage)
{
    stage->verb = GRAPH_WHERE;
    stage->condition = graph_read_expression(p);
}

static void read_project(struct graph_parser *p, struct graph_stage *stage)
{
    struct graph_schema schema = {0};
    stage->verb = GRAPH_PROJECT;
    do {
        if (!read_item(p, stage, &schema, false))
            return;
    } while (graph_take_symbol(p, ","));
    stage->count = schema.count;
    p->schema = schema;
}

static void read_extend(struct graph_parser *p, struct graph_stage *stage)
{
    struct graph_schema schema = p->schema;
    stage->verb = GRAPH_PROJECT;
    keep_all(p, stage);
    do {
        if (!read_item(p, stage, &schema, true))
            return;
    } while (graph_take_symbol(p, ","));
    stage->count = schema.count;
    p->schema = schema;
}

static void read_project_away(struct graph_parser *p, struct graph_stage *stage)
{
    bool away[GRAPH_COLUMNS] = {false};
    stage->verb = GRAPH_PROJECT;
    do {
        const struct graph_token *token = graph_peek(p, 0);
        ptrdiff_t at = token->kind == TOKEN_WORD ? find_column(&p->schema, token->text) : -1;
        if (at < 0) {
            graph_fail(p, token, "there is no column of this name");
            return;
        }
        away[at] = true;
        p->at++;
    } while (graph_take_symbol(p, ","));
    struct graph_schema schema = {0};
    for (size_t i = 0; i < p->schema.count; i++) {
        if (away[i])
            continue;
        stage->expressions[schema.count] = graph_column_at(p, i);
        schema.columns[schema.count++] = p->schema.columns[i];
    }
    stage->count = schema.count;
    p->schema = schema;
}

// "expression [asc|desc] [nulls first|last]": descending unless it says otherwise.
static bool read_key(struct graph_parser *p, struct graph_stage *stage)
{
    if (stage->key_count == GRAPH_KEYS) {
        graph_fail(p, graph_peek(p, 0), "there are too many columns to sort by");
        return false;
    }
    struct graph_key *key = &stage->keys[stage->key_count++];
    key->expression = graph_read_expression(p);
    if (!key->expression)
        return false;
    key->descending = !graph_take_word(p, "asc");
    if (key->descending)
        graph_take_word(p, "desc");
    key->nulls_last = key->descending;
    if (!graph_take_word(p, "nulls"))
        return true;
    key->nulls_last = graph_take_word(p, "last");
    if (!key->nulls_last && !graph_take_word(p, "first"))
        graph_fail(p, graph_peek(p, 0), "'first' or 'last' is expected");
    return !p->failed;
}

static void expect_by(struct graph_parser *p)
{
    if (!graph_take_word(p, "by"))
        graph_fail(p, graph_peek(p, 0), "'by' is expected");
}

static void read_order(struct graph_parser *p, struct graph_stage *stage)
{
    stage->verb = GRAPH_ORDER;
    expect_by(p);
    while (!p->failed && read_key(p, stage) && graph_take_symbol(p, ","))
        ;
}

static void read_take(struct graph_parser *p, struct graph_stage *stage)
{
    const struct graph_token *token = graph_peek(p, 0);
    stage->verb = GRAPH_TAKE;
    if (token->kind != TOKEN_NUMBER || !text_to_int64(token->text, &stage->number))
        graph_fail(p, token, "a whole number is expected");
    else
        p->at++;
}

static void read_count(struct graph_parser *p, struct graph_stage *stage)
{
    stage->verb = GRAPH_SUMMARIZE;
    stage->counts = true;
    p->schema = (struct graph_schema){.count = 1, .columns = {{TEXT("Count"), GRAPH_TYPE_INTEGER}}};
}

static void read_distinct(struct graph_parser *p, struct graph_stage *stage)
{
    struct graph_schema schema = {0};
    stage->verb = GRAPH_SUMMARIZE;
    if (graph_take_symbol(p, "*")) {
        keep_all(p, stage);
        stage->count = p->schema.count;
        return;
    }
    do {
        if (!read_item(p, stage, &schema, false))
            return;
    } while (graph_take_symbol(p, ","));
    stage->count = schema.count;
    p->schema = schema;
}

// "[alias =] count()"; the alias.
static struct text read_aggregate(struct graph_parser *p)
{
    const struct graph_token *token = graph_peek(p, 0);
    struct text name = TEXT("count_");
    if (token->kind == TOKEN_WORD && is_symbol(graph_peek(p, 1), "=")) {
        name = token->text;
        p->at += 2;
        token = graph_peek(p, 0);
    }
    if (!graph_take_word(p, "count"))
        graph_fail(p, token, "only count() is supported in summarize");
    else if (graph_expect(p, "("))
        graph_expect(p, ")");
    return name;
}

static void read_summarize(struct graph_parser *p, struct graph_stage *stage)
{
    struct graph_schema schema = {0};
    struct text count = TEXT_NONE;
    const struct graph_token *first = graph_peek(p, 0);
    stage->verb = GRAPH_SUMMARIZE;
    if (!is_word(first, "by")) {
        count = read_aggregate(p);
        if (is_symbol(graph_peek(p, 0), ","))
            graph_fail(p, graph_peek(p, 0), "only one count() is supported in summarize");
    }
    if (!p->failed && (graph_take_word(p, "by") || !count.base))
        do {
            if (!read_item(p, stage, &schema, false))
                return;
        } while (graph_take_symbol(p, ","));
    stage->count = schema.count;
    stage->counts = count.base != NULL;
    if (count.base && !p->failed) {
        struct graph_stage unused;
        struct graph_expression integer = {.type = GRAPH_TYPE_INTEGER};
        put(p, &unused, &schema, count, &integer, first, false);
    }
    p->schema = schema;
}

static const struct verb {
    const char *word, *second; // "project" "-away"
    void (*read)(struct graph_parser *p, struct graph_stage *stage);
} verbs[] = {
    {"where", NULL, read_where},         {"project", "away", read_project_away},
    {"project", NULL, read_project},     {"extend", NULL, read_extend},
    {"order", NULL, read_order},         {"sort", NULL, read_order},
    {"take", NULL, read_take},           {"limit", NULL, read_take},
    {"count", NULL, read_count},         {"distinct", NULL, read_distinct},
    {"summarize", NULL, read_summarize},
};

static const struct verb *verb_at(struct graph_parser *p)
{
    const struct graph_token *token = graph_peek(p, 0), *dash = graph_peek(p, 1), *second = graph_peek(p, 2);
    bool dashed = is_symbol(dash, "-") && dash->glued && second->kind == TOKEN_WORD && second->glued;
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        const struct verb *v = &verbs[i];
        if (is_word(token, v->word) && dashed == (v->second != NULL) &&
            (!dashed || is_word(second, v->second)))
            return v;
    }
    return NULL;
}

// The word of an operator that we do not have, "mv-expand" and "project-rename" whole.
static void fail_verb(struct graph_parser *p)
{
    struct graph_token token = *graph_peek(p, 0);
    const struct graph_token *next = graph_peek(p, 1);
    size_t ahead = 1;
    while (token.kind == TOKEN_WORD && next->glued &&
           (next->kind == TOKEN_WORD || (next->kind == TOKEN_SYMBOL && text_is(next->text, "-")))) {
        token.text.length = next->offset + next->text.length - token.offset;
        next = graph_peek(p, ++ahead);
    }
    graph_fail(p, &token,
               token.kind == TOKEN_WORD ? "this operator is not supported here" : "an operator is expected");
}

static void read_top(struct graph_parser *p, struct graph_query *query)
{
    struct graph_stage *order = &query->stages[query->stage_count], *take = order + 1;
    p->at++;
    read_take(p, take);
    if (!p->failed)
        expect_by(p);
    order->verb = GRAPH_ORDER;
    if (!p->failed)
        read_key(p, order);
    query->stage_count += 2;
}

static void read_stage(struct graph_parser *p, struct graph_query *query)
{
    if (query->stage_count + 2 > GRAPH_STAGES) {
        graph_fail(p, graph_peek(p, 0), "the query has too many stages");
        return;
    }
    if (is_word(graph_peek(p, 0), "top")) {
        read_top(p, query);
        return;
    }
    const struct verb *verb = verb_at(p);
    if (!verb) {
        fail_verb(p);
        return;
    }
    p->at += verb->second ? 3 : 1;
    verb->read(p, &query->stages[query->stage_count++]);
}

// The table, and the bar behind it. Old clients leave it out: `resources` is meant.
static bool read_table(struct graph_parser *p, struct graph_query *query)
{
    const struct graph_token *token = graph_peek(p, 0);
    if (token->kind == TOKEN_WORD && text_is_nocase(token->text, "resources"))
        query->table = GRAPH_RESOURCES;
    else if (token->kind == TOKEN_WORD && text_is_nocase(token->text, "resourcecontainers"))
        query->table = GRAPH_CONTAINERS;
    else if (verb_at(p) || is_word(token, "top"))
        return true;
    else {
        graph_fail(p, token, "the tables are 'resources' and 'resourcecontainers'");
        return false;
    }
    p->at++;
    return graph_take_symbol(p, "|");
}

static void read_query(struct graph_parser *p, struct graph_query *query)
{
    bool more = read_table(p, query);
    while (more && !p->failed) {
        read_stage(p, query);
        more = !p->failed && graph_take_symbol(p, "|");
    }
    graph_take_symbol(p, ";");
    if (!p->failed && graph_peek(p, 0)->kind != TOKEN_END)
        graph_fail(p, graph_peek(p, 0), "this is not expected here");
}

struct graph_query *graph_parse(struct arena *arena, struct text text, struct graph_fault *fault)
{
    struct graph_parser p = {.arena = arena, .text = text, .fault = fault};
    struct graph_query *query = ARENA_NEW(arena, struct graph_query);
    if (text.length > GRAPH_QUERY) {
        *fault = (struct graph_fault){TEXT(""), "The query is invalid: it is longer than 16384 bytes."};
        return NULL;
    }
    p.schema.count = SOURCE_COLUMNS;
    memcpy(p.schema.columns, source_columns, sizeof source_columns);
    query->stages = ARENA_ARRAY(arena, struct graph_stage, GRAPH_STAGES);
    query->limit = -1;
    if (!graph_lex(&p))
        return NULL;
    read_query(&p, query);
    if (p.failed)
        return NULL;
    query->schema = p.schema;
    graph_plan(query);
    return query;
}
