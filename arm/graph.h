// The query language of Resource Graph, as far as we speak it (docs/portal.md): from text to stages that rows
// go through. Knows nothing of the database: graph_source.c gives the rows, graph_run.c drives them.
#pragma once
#include "base/text.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buffer;

enum {
    GRAPH_COLUMNS = 64,     // of one stage; a set of them is the bits of a uint64_t
    GRAPH_STAGES = 32,      // of one query
    GRAPH_KEYS = 8,         // of one order
    GRAPH_QUERY = 16 * 1024 // bytes
};

// ---- values

enum graph_kind { GRAPH_NULL, GRAPH_BOOL, GRAPH_INTEGER, GRAPH_REAL, GRAPH_STRING, GRAPH_DYNAMIC };
struct graph_value {
    enum graph_kind kind;
    struct text
        text; // GRAPH_STRING; GRAPH_DYNAMIC: an object or array as JSON, absent when only `json` is set
    int64_t integer; // GRAPH_INTEGER and GRAPH_BOOL
    double real;
    json_t *json; // GRAPH_DYNAMIC once it was parsed; borrowed
};
struct graph_value graph_string(struct text text);
struct graph_value graph_boolean(bool value);
// Borrows from the JSON.
struct graph_value graph_of_json(json_t *json);
// As tostring() gives it; null is empty.
struct text graph_to_string(const struct graph_value *value, struct arena *arena);
void graph_write(struct buffer *json, const struct graph_value *value);
bool graph_equal(const struct graph_value *a, const struct graph_value *b, bool ignore_case,
                 struct arena *arena);
// Nulls first, then booleans, numbers, strings by their bytes, objects by their text.
int graph_compare(const struct graph_value *a, const struct graph_value *b);
bool graph_text_contains(struct text text, struct text part, bool ignore_case);
bool graph_text_has(struct text text, struct text term, bool ignore_case); // whole words

// ---- expressions

enum graph_operator {
    GRAPH_LITERAL,
    GRAPH_COLUMN,
    GRAPH_MEMBER,  // left.name, left['name']
    GRAPH_ELEMENT, // left[number]
    GRAPH_AND,
    GRAPH_OR,
    GRAPH_NOT,
    GRAPH_EQUAL,
    GRAPH_LESS,
    GRAPH_MORE,
    GRAPH_CONTAINS,
    GRAPH_STARTS,
    GRAPH_ENDS,
    GRAPH_HAS,
    GRAPH_IN, // left in (arguments)
    GRAPH_TO_LOWER,
    GRAPH_TO_UPPER,
    GRAPH_TO_STRING,
    GRAPH_IS_EMPTY,
    GRAPH_IS_NULL,
};
enum graph_type {
    GRAPH_TYPE_STRING,
    GRAPH_TYPE_INTEGER,
    GRAPH_TYPE_NUMBER,
    GRAPH_TYPE_BOOLEAN,
    GRAPH_TYPE_OBJECT
};

struct graph_expression {
    enum graph_operator operator;
    bool negated, ignore_case;
    enum graph_type type;
    struct text name;         // of a member; of what it is called when it has no alias
    size_t column;            // GRAPH_COLUMN
    struct graph_value value; // GRAPH_LITERAL, GRAPH_ELEMENT
    uint64_t columns;         // every column of the stage before that it looks at
    struct graph_expression *left, *right;
    struct graph_expression **arguments;
    size_t argument_count;
};

struct graph_row {
    struct graph_value *cells;
    struct graph_value *keys; // of the order in force; NULL without one
    struct text tie;          // its place in the order of the source, unlike any other's
    int64_t id;               // of the resource, 0: none
    size_t size;              // of a row that is kept: its bytes of the heap
};
// Parsed JSON of dynamic cells stays with the cell and lives as long as the arena.
struct graph_value graph_evaluate(const struct graph_expression *expression, struct graph_row *row,
                                  struct arena *arena);
bool graph_true(const struct graph_expression *condition, struct graph_row *row, struct arena *arena);

// ---- queries

enum graph_table { GRAPH_RESOURCES, GRAPH_CONTAINERS };
// The columns of both tables, in this order (decisions 50).
enum graph_source_column {
    COLUMN_ID,
    COLUMN_NAME,
    COLUMN_TYPE,
    COLUMN_TENANT,
    COLUMN_KIND,
    COLUMN_LOCATION,
    COLUMN_GROUP,
    COLUMN_SUBSCRIPTION,
    COLUMN_MANAGED_BY,
    COLUMN_SKU,
    COLUMN_PLAN,
    COLUMN_PROPERTIES,
    COLUMN_TAGS,
    COLUMN_IDENTITY,
    COLUMN_ZONES,
    COLUMN_EXTENDED_LOCATION,
    SOURCE_COLUMNS
};

struct graph_column {
    struct text name;
    enum graph_type type;
};
struct graph_schema {
    size_t count;
    struct graph_column columns[GRAPH_COLUMNS];
};

enum graph_verb { GRAPH_WHERE, GRAPH_PROJECT, GRAPH_ORDER, GRAPH_TAKE, GRAPH_SUMMARIZE };
struct graph_key {
    struct graph_expression *expression;
    bool descending, nulls_last;
};
struct graph_stage {
    enum graph_verb verb;
    struct graph_expression *condition; // WHERE
    struct graph_expression
        *expressions[GRAPH_COLUMNS]; // PROJECT: one a column; SUMMARIZE: what it groups by
    size_t count;
    struct graph_key keys[GRAPH_KEYS]; // ORDER
    size_t key_count;
    int64_t number; // TAKE
    bool counts;    // SUMMARIZE: the last column is the number of rows; without groups one row, always
    uint64_t live;  // PROJECT: columns that anything behind it looks at
    uint64_t whole; // the same when the rows are given out as they are
};
struct graph_query {
    enum graph_table table;
    struct graph_stage *stages;
    size_t stage_count;
    struct graph_schema schema; // of the result
    uint64_t live;              // columns of the source that decide which rows there are, and their order
    uint64_t whole;             // columns of the source that the result needs as well
    bool plain;                 // WHERE, PROJECT and ORDER only: a result row is a row of the source
    int64_t limit;              // of takes at the end, -1: none
};

// Why a query is none of ours, naming the word.
struct graph_fault {
    struct text word;
    const char *message;
};
struct graph_query *graph_parse(struct arena *arena, struct text text, struct graph_fault *fault);

// Of the conditions that every row of the result meets: a set of values that the column has one of, lower
// case. False when they say nothing of it.
enum { GRAPH_VALUES = 64 };
struct graph_values {
    struct text values[GRAPH_VALUES];
    size_t count;
};
bool graph_bounds(const struct graph_query *query, enum graph_source_column column, struct arena *arena,
                  struct graph_values *values);
