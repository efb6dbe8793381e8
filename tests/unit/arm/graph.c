// Queries of Resource Graph: what is read of them, what of the source they leave, and values that are kept.
#include "arm/graph.h"
#include "arm/graph_window.h"
#include "fixture.h"

#include <stdlib.h>

static struct arena *arena;

static void set_up(void)
{
    arena = arena_new();
}

static void tear_down(void)
{
    arena_free(arena);
}

static struct graph_query *parse(const char *text)
{
    struct graph_fault fault;
    struct graph_query *query = graph_parse(arena, text_of(text), &fault);
    ck_assert_msg(query != NULL, "%s: %s", text, query ? "" : fault.message);
    return query;
}

// The values that a query leaves of a column, with commas between; "*": any.
static const char *bounds(const char *text, enum graph_source_column column)
{
    struct graph_values values;
    if (!graph_bounds(parse(text), column, arena, &values))
        return "*";
    const char *joined = "";
    for (size_t i = 0; i < values.count; i++)
        joined = arena_printf(arena, "%s%s%.*s", joined, i ? "," : "", TEXT_ARG(values.values[i]));
    return joined;
}

// Conditions become fixed statements' values only where every row must meet them.
START_TEST(bounds_of_columns)
{
    static const struct {
        const char *query, *types;
    } cases[] = {
        {"resources", "*"},
        {"resources | where type == 'a.b/c'", "a.b/c"},
        {"resources | where 'A.B/C' =~ type", "a.b/c"},
        {"resources | where tolower(type) == 'a.b/c'", "a.b/c"},
        {"resources | where type in~ ('A.b/c', 'd.e/f', 'a.B/c')", "a.b/c,d.e/f"},
        {"resources | where type =~ 'a' or type =~ 'b'", "a,b"},
        {"resources | where type =~ 'a' or name =~ 'b'", "*"},
        {"resources | where name =~ 'x' and type =~ 'a'", "a"},
        {"resources | where name =~ 'x' | where type =~ 'a'", "a"},
        {"resources | order by name | where type =~ 'a'", "a"},
        {"resources | where not(type =~ 'a')", "*"},
        {"resources | where type !~ 'a'", "*"},
        {"resources | where type !in ('a')", "*"},
        {"resources | where type contains 'a'", "*"},
        {"resources | extend type = name | where type =~ 'a'", "*"},
        {"resources | take 5 | where type =~ 'a'", "*"},
        {"resources | where type in ()", ""},
    };
    ck_assert_str_eq(bounds(cases[_i].query, COLUMN_TYPE), cases[_i].types);
}
END_TEST

START_TEST(bounds_of_ids)
{
    static const char query[] =
        "resources | where id =~ '/subscriptions/00000000-0000-0000-0000-00000000000A/resourceGroups/G/"
        "providers/Microsoft.ContainerRegistry/registries/R'";
    ck_assert_str_eq(bounds(query, COLUMN_SUBSCRIPTION), "00000000-0000-0000-0000-00000000000a");
    ck_assert_str_eq(bounds(query, COLUMN_GROUP), "g");
    ck_assert_str_eq(bounds(query, COLUMN_NAME), "r");
    ck_assert_str_eq(bounds(query, COLUMN_TYPE), "microsoft.containerregistry/registries");
    ck_assert_str_eq(bounds("resources | where id =~ 'no id'", COLUMN_NAME), "*");
}
END_TEST

// Columns that decide which rows there are, and those that only the rows given out need.
START_TEST(columns_that_are_needed)
{
    uint64_t properties = UINT64_C(1) << COLUMN_PROPERTIES;
    struct graph_query *query = parse("resources | where name == 'x' | order by location");
    ck_assert(query->plain && !(query->live & properties) && (query->whole & properties));
    query = parse("resources | project name");
    ck_assert(query->plain && !(query->whole & properties));
    query = parse("resources | extend p = properties.a | where p == 'x' | project name");
    ck_assert(query->plain && (query->live & properties));
    query = parse("resources | summarize count() by type");
    ck_assert(!query->plain && query->live == UINT64_C(1) << COLUMN_TYPE);
}
END_TEST

START_TEST(last_takes_bound_the_result)
{
    struct graph_query *query = parse("resources | take 9 | project name | limit 7");
    ck_assert_int_eq(query->limit, 7);
    ck_assert(query->plain);
    ck_assert_uint_eq(query->stage_count, 1);
    query = parse("resources | take 9 | where name == 'x'");
    ck_assert_int_eq(query->limit, -1);
    ck_assert(!query->plain);
}
END_TEST

START_TEST(whole_words)
{
    ck_assert(graph_text_has(TEXT("a-b.cd"), TEXT("CD"), true));
    ck_assert(!graph_text_has(TEXT("a-b.cd"), TEXT("CD"), false));
    ck_assert(!graph_text_has(TEXT("abc"), TEXT("b"), true));
    ck_assert(graph_text_has(TEXT("x/abc/y"), TEXT("abc/y"), true));
    ck_assert(graph_text_contains(TEXT("abc"), TEXT(""), true));
}
END_TEST

// A window keeps the first of an order whatever the order in which rows come.
START_TEST(a_window_keeps_the_first)
{
    struct graph_key key = {.expression = NULL, .descending = _i == 1};
    struct graph_order order = {&key, 1};
    struct graph_window *window = graph_window_new(&order, 10);
    for (int64_t i = 0; i < 1000; i++) {
        struct graph_value number = {.kind = GRAPH_INTEGER, .integer = i * 617 % 1000};
        struct graph_value cell = graph_string(text_of(arena_printf(arena, "row %d", (int)number.integer)));
        struct graph_row row = {.cells = &cell, .keys = &number, .tie = cell.text};
        graph_window_add(window, &row, 1);
    }
    size_t count;
    struct graph_row **rows = graph_window_rows(window, &count);
    ck_assert_uint_eq(count, 10);
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(rows[i]->keys[0].integer, _i == 1 ? 999 - (int64_t)i : (int64_t)i);
        ck_assert(text_equal(rows[i]->cells[0].text, rows[i]->tie));
    }
    graph_window_free(window);
}
END_TEST

START_TEST(groups_count_and_end)
{
    struct graph_groups *groups = graph_groups_new();
    for (int i = 0; i < 30000; i++) {
        struct graph_value cell = graph_string(text_of(arena_printf(arena, "%d", i % 10000)));
        ck_assert(graph_groups_add(groups, &cell, 1, arena));
    }
    struct graph_value one_more = graph_string(TEXT("more"));
    ck_assert(!graph_groups_add(groups, &one_more, 1, arena));
    size_t count;
    struct graph_row **rows = graph_groups_rows(groups, true, &count);
    ck_assert_uint_eq(count, 10000);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(rows[i]->cells[1].integer, 3);
    graph_groups_free(groups);
}
END_TEST

Suite *suite_graph(void);
Suite *suite_graph(void)
{
    Suite *suite = suite_create("graph");
    TCase *tcase = tcase_create("graph");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, bounds_of_columns, 0, 17);
    tcase_add_test(tcase, bounds_of_ids);
    tcase_add_test(tcase, columns_that_are_needed);
    tcase_add_test(tcase, last_takes_bound_the_result);
    tcase_add_test(tcase, whole_words);
    tcase_add_loop_test(tcase, a_window_keeps_the_first, 0, 2);
    tcase_add_test(tcase, groups_count_and_end);
    suite_add_tcase(suite, tcase);
    return suite;
}
