// The query options of a Graph request: $filter, $top, $skiptoken, $select; every other one is refused, not
// ignored.
#include "rbac/graph.h"

#include "base/arena.h"

enum { TOP_DEFAULT = 100, TOP_MOST = 999, FILTER_BYTES = 1024, SELECT_BYTES = 1024 };

struct reader {
    struct text rest;
};

static void skip_blanks(struct reader *reader)
{
    while (reader->rest.length > 0 && reader->rest.base[0] == ' ')
        reader->rest = text_slice(reader->rest, 1, reader->rest.length);
}

static bool take(struct reader *reader, char c)
{
    skip_blanks(reader);
    if (reader->rest.length == 0 || reader->rest.base[0] != c)
        return false;
    reader->rest = text_slice(reader->rest, 1, reader->rest.length);
    return true;
}

static struct text take_word(struct reader *reader)
{
    skip_blanks(reader);
    size_t n = 0;
    while (n < reader->rest.length &&
           ((reader->rest.base[n] >= 'a' && reader->rest.base[n] <= 'z') ||
            (reader->rest.base[n] >= 'A' && reader->rest.base[n] <= 'Z') ||
            (reader->rest.base[n] >= '0' && reader->rest.base[n] <= '9') || reader->rest.base[n] == '_'))
        n++;
    struct text word = text_slice(reader->rest, 0, n);
    reader->rest = text_slice(reader->rest, n, reader->rest.length);
    return word;
}

// 'it''s' is it's (OData 4.01, ABNF SQUOTE-in-string).
static bool take_string(struct arena *arena, struct reader *reader, struct text *value)
{
    if (!take(reader, '\''))
        return false;
    char *bytes = arena_alloc(arena, reader->rest.length + 1);
    size_t n = 0, i = 0;
    for (; i < reader->rest.length; i++) {
        if (reader->rest.base[i] != '\'') {
            bytes[n++] = reader->rest.base[i];
            continue;
        }
        if (i + 1 >= reader->rest.length || reader->rest.base[i + 1] != '\'')
            break;
        bytes[n++] = '\'';
        i++;
    }
    if (i >= reader->rest.length)
        return false;
    reader->rest = text_slice(reader->rest, i + 1, reader->rest.length);
    *value = (struct text){bytes, n};
    return true;
}

static bool take_equals(struct arena *arena, struct reader *reader, struct text *value)
{
    return text_is_nocase(take_word(reader), "eq") && take_string(arena, reader, value);
}

static bool take_any(struct arena *arena, struct reader *reader, struct text *value)
{
    if (!text_is_nocase(take_word(reader), "any") || !take(reader, '('))
        return false;
    struct text variable = take_word(reader);
    return variable.length > 0 && take(reader, ':') && text_equal(take_word(reader), variable) &&
           take_equals(arena, reader, value) && take(reader, ')');
}

bool graph_filter_parse(struct arena *arena, struct text text, struct graph_filter *filter)
{
    *filter = (struct graph_filter){.kind = GRAPH_ALL};
    if (text.length > FILTER_BYTES || (text.base && !text_is_utf8(text)))
        return false;
    struct reader reader = {text_trim(text.base ? text : TEXT(""))};
    if (reader.rest.length == 0)
        return true;
    filter->field = take_word(&reader);
    if (filter->field.length == 0)
        return false;
    if (text_is_nocase(filter->field, "startswith") && take(&reader, '(')) {
        filter->kind = GRAPH_STARTS;
        filter->field = take_word(&reader);
        if (!take(&reader, ',') || !take_string(arena, &reader, &filter->value) || !take(&reader, ')'))
            return false;
    } else if (take(&reader, '/')) {
        filter->kind = GRAPH_ANY;
        if (!take_any(arena, &reader, &filter->value))
            return false;
    } else {
        filter->kind = GRAPH_EQUAL;
        if (!take_equals(arena, &reader, &filter->value))
            return false;
    }
    skip_blanks(&reader);
    return reader.rest.length == 0;
}

static bool bad(struct service_call *call, const char *message)
{
    graph_error(call, 400, "BadRequest", "%s", message);
    return false;
}

static bool known_options(struct service_call *call)
{
    static const char *const known[] = {"$filter", "$top", "$skiptoken", "$select"};
    for (size_t i = 0; i < call->request->query_count; i++) {
        struct text name = call->request->query[i].name;
        if (!text_starts(name, "$"))
            continue; // not OData's: clients add what they like
        bool found = false;
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
            found = found || text_is_nocase(name, known[k]);
        if (!found)
            return graph_unsupported(call, arena_printf(call->arena, "the query option '%.*s' is not offered",
                                                        TEXT_ARG(name.length > 64 ? TEXT("given") : name)));
    }
    return true;
}

bool graph_query_read(struct service_call *call, struct graph_query *query)
{
    *query = (struct graph_query){.top = TOP_DEFAULT};
    if (!known_options(call))
        return false;
    if (!graph_filter_parse(call->arena, http_query(call->request, "$filter"), &query->filter))
        return bad(call, "Invalid filter clause.");
    struct text top = http_query(call->request, "$top");
    if (top.length > 0 && (!text_to_int64(top, &query->top) || query->top < 1 || query->top > TOP_MOST))
        return bad(call, "Invalid page size specified. It must be between 1 and 999 inclusive.");
    query->after = http_query(call->request, "$skiptoken");
    if (query->after.base && !uuid_is(query->after))
        return bad(call, "The skip token is not valid.");
    query->select = http_query(call->request, "$select");
    if (query->select.length > SELECT_BYTES)
        return bad(call, "The select clause is too long.");
    if (query->select.length == 0)
        query->select = TEXT_NONE;
    return true;
}
