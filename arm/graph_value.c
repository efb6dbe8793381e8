// Values of a query: what they are as text and as JSON, and how they compare.
#include "arm/graph.h"

#include "base/arena.h"
#include "base/buffer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct graph_value graph_string(struct text text)
{
    return (struct graph_value){.kind = GRAPH_STRING, .text = text.base ? text : TEXT("")};
}

struct graph_value graph_boolean(bool value)
{
    return (struct graph_value){.kind = GRAPH_BOOL, .integer = value};
}

struct graph_value graph_of_json(json_t *json)
{
    struct graph_value value = {.kind = GRAPH_NULL};
    if (json_is_string(json)) {
        value = graph_string((struct text){json_string_value(json), json_string_length(json)});
    } else if (json_is_integer(json)) {
        value = (struct graph_value){.kind = GRAPH_INTEGER, .integer = json_integer_value(json)};
    } else if (json_is_real(json)) {
        value = (struct graph_value){.kind = GRAPH_REAL, .real = json_real_value(json)};
    } else if (json_is_boolean(json)) {
        value = graph_boolean(json_is_true(json));
    } else if (json_is_object(json) || json_is_array(json)) {
        value.kind = GRAPH_DYNAMIC;
        value.json = json;
    }
    return value;
}

static struct text dynamic_text(const struct graph_value *value, struct arena *arena)
{
    if (value->text.base)
        return value->text;
    char *dump = json_dumps(value->json, JSON_COMPACT | JSON_ENCODE_ANY);
    if (!dump)
        return TEXT("");
    struct text text = text_copy(arena, text_of(dump));
    free(dump);
    return text;
}

struct text graph_to_string(const struct graph_value *value, struct arena *arena)
{
    switch (value->kind) {
    case GRAPH_NULL:
        return TEXT("");
    case GRAPH_BOOL:
        return value->integer ? TEXT("true") : TEXT("false");
    case GRAPH_INTEGER:
        return text_of(arena_printf(arena, "%lld", (long long)value->integer));
    case GRAPH_REAL:
        return text_of(arena_printf(arena, "%.15g", value->real));
    case GRAPH_STRING:
        return value->text;
    case GRAPH_DYNAMIC:
        break;
    }
    return dynamic_text(value, arena);
}

void graph_write(struct buffer *json, const struct graph_value *value)
{
    switch (value->kind) {
    case GRAPH_NULL:
        json_write_null(json);
        break;
    case GRAPH_BOOL:
        json_bool(json, value->integer != 0);
        break;
    case GRAPH_INTEGER:
        json_int(json, value->integer);
        break;
    case GRAPH_REAL:
        json_raw(json, text_of(arena_printf(json->arena, "%.17g", isfinite(value->real) ? value->real : 0)));
        break;
    case GRAPH_STRING:
        json_text(json, value->text);
        break;
    case GRAPH_DYNAMIC:
        json_raw(json, dynamic_text(value, json->arena));
        break;
    }
}

static bool is_number(const struct graph_value *value)
{
    return value->kind == GRAPH_INTEGER || value->kind == GRAPH_REAL;
}

static double number_of(const struct graph_value *value)
{
    return value->kind == GRAPH_REAL ? value->real : (double)value->integer;
}

static int compare_numbers(const struct graph_value *a, const struct graph_value *b)
{
    if (a->kind == GRAPH_REAL || b->kind == GRAPH_REAL) {
        double x = number_of(a), y = number_of(b);
        return (x > y) - (x < y);
    }
    return (a->integer > b->integer) - (a->integer < b->integer);
}

static int compare_texts(struct text a, struct text b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    int order = shorter > 0 ? memcmp(a.base, b.base, shorter) : 0;
    return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

// A text is compared with what the other one is as text: a missing member of `tags` is empty.
bool graph_equal(const struct graph_value *a, const struct graph_value *b, bool ignore_case,
                 struct arena *arena)
{
    if (is_number(a) && is_number(b))
        return compare_numbers(a, b) == 0;
    if (a->kind != GRAPH_STRING && b->kind != GRAPH_STRING &&
        (a->kind == GRAPH_NULL || b->kind == GRAPH_NULL))
        return false;
    struct text x = graph_to_string(a, arena), y = graph_to_string(b, arena);
    return ignore_case ? text_equal_nocase(x, y) : text_equal(x, y);
}

static int rank(const struct graph_value *value)
{
    static const int ranks[] = {[GRAPH_NULL] = 0, [GRAPH_BOOL] = 1,   [GRAPH_INTEGER] = 2,
                                [GRAPH_REAL] = 2, [GRAPH_STRING] = 3, [GRAPH_DYNAMIC] = 4};
    return ranks[value->kind];
}

int graph_compare(const struct graph_value *a, const struct graph_value *b)
{
    if (rank(a) != rank(b))
        return rank(a) - rank(b);
    switch (a->kind) {
    case GRAPH_NULL:
        return 0;
    case GRAPH_BOOL:
    case GRAPH_INTEGER:
    case GRAPH_REAL:
        return compare_numbers(a, b);
    case GRAPH_STRING:
        return compare_texts(a->text, b->text);
    case GRAPH_DYNAMIC:
        break;
    }
    struct arena *arena = arena_new();
    int order = compare_texts(dynamic_text(a, arena), dynamic_text(b, arena));
    arena_free(arena);
    return order;
}

static bool is_at(struct text text, size_t at, struct text part, bool ignore_case)
{
    struct text piece = text_slice(text, at, at + part.length);
    return ignore_case ? text_equal_nocase(piece, part) : text_equal(piece, part);
}

bool graph_text_contains(struct text text, struct text part, bool ignore_case)
{
    for (size_t i = 0; i + part.length <= text.length; i++)
        if (is_at(text, i, part, ignore_case))
            return true;
    return false;
}

static bool is_of_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (unsigned char)c >= 0x80;
}

bool graph_text_has(struct text text, struct text term, bool ignore_case)
{
    for (size_t i = 0; i + term.length <= text.length; i++) {
        size_t end = i + term.length;
        bool bounded =
            (i == 0 || !is_of_word(text.base[i - 1]) || term.length == 0 || !is_of_word(term.base[0])) &&
            (end == text.length || !is_of_word(text.base[end]) || term.length == 0 ||
             !is_of_word(term.base[term.length - 1]));
        if (bounded && is_at(text, i, term, ignore_case))
            return true;
    }
    return false;
}
