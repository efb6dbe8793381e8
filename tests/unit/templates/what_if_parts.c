// Which resources of a plan a what-if must try together (arm-templates 7.4 what-if).
#include "templates/what_if.h"

#include <check.h>

Suite *suite_what_if_parts(void);

#define GROUP "/subscriptions/s/resourceGroups/g"
#define REGISTRY(name) GROUP "/providers/Microsoft.ContainerRegistry/registries/" name
#define DEPLOYMENT(name) GROUP "/providers/Microsoft.Resources/deployments/" name

static struct plan_node node(const char *id)
{
    return (struct plan_node){.id = text_of(id), .type = TEXT("N/t"), .deployed = true};
}

static struct plan_node deployment(const char *id, struct plan *nested)
{
    struct plan_node made = node(id);
    made.type = TEXT("microsoft.resources/Deployments");
    made.nested = nested;
    return made;
}

static void depend(struct plan_node *on, struct plan_dependency *dependency, size_t other)
{
    dependency->node = other;
    on->dependencies = dependency;
    on->dependency_count = 1;
}

static void check_parts(const struct plan *plan, size_t count, const size_t *wanted)
{
    struct arena *arena = arena_new();
    size_t found;
    const size_t *parts = what_if_parts(arena, plan, &found);
    ck_assert_uint_eq(found, count);
    for (size_t i = 0; i < plan->node_count; i++)
        ck_assert_msg(parts[i] == wanted[i], "node %zu is in part %zu and not in %zu", i, parts[i],
                      wanted[i]);
    arena_free(arena);
}

START_TEST(what_has_nothing_in_common_is_apart)
{
    struct plan_dependency d[2] = {{0}};
    struct plan_node nodes[] = {
        node(REGISTRY("a")),
        node(REGISTRY("b")),
        node("/subscriptions/S/resourcegroups/G/PROVIDERS/microsoft.containerregistry/registries/A/providers/"
             "X/locks/l"),
        node(REGISTRY("ab")),
        node(REGISTRY("c")),
        node(REGISTRY("d")),
    };
    depend(&nodes[4], &d[0], 1);
    depend(&nodes[5], &d[1], 4);
    struct plan plan = {.nodes = nodes, .node_count = 6};
    check_parts(&plan, 3, (const size_t[]){0, 1, 0, 2, 1, 1});
}
END_TEST

START_TEST(a_group_holds_what_is_in_it)
{
    struct plan_node inside[] = {node(REGISTRY("a")), node(REGISTRY("b"))};
    struct plan nested = {.nodes = inside, .node_count = 2};
    struct plan_node nodes[] = {node("/subscriptions/s/resourceGroups/other"),
                                deployment(DEPLOYMENT("n"), &nested), node(GROUP),
                                node(REGISTRY("b/replications/r"))};
    struct plan plan = {.nodes = nodes, .node_count = 4};
    check_parts(&plan, 2, (const size_t[]){0, 1, 1, 1});
}
END_TEST

START_TEST(the_same_twice_is_together)
{
    struct plan_node first[] = {node(REGISTRY("a"))}, second[] = {node(REGISTRY("A"))};
    struct plan one = {.nodes = first, .node_count = 1}, two = {.nodes = second, .node_count = 1};
    struct plan_node nodes[] = {deployment(DEPLOYMENT("n"), &one), node(REGISTRY("b")),
                                deployment(DEPLOYMENT("m"), &two)};
    struct plan plan = {.nodes = nodes, .node_count = 3};
    check_parts(&plan, 2, (const size_t[]){0, 1, 0});
}
END_TEST

START_TEST(what_only_the_run_knows_may_be_anything)
{
    struct plan_node inside[] = {deployment(DEPLOYMENT("deeper"), NULL)};
    struct plan nested = {.nodes = inside, .node_count = 1};
    struct plan_node nodes[] = {node(REGISTRY("a")), node(REGISTRY("b")),
                                deployment(DEPLOYMENT("n"), &nested)};
    struct plan plan = {.nodes = nodes, .node_count = 3};
    check_parts(&plan, 1, (const size_t[]){0, 0, 0});
    nodes[2].deployed = false; // its condition said no
    check_parts(&plan, 3, (const size_t[]){0, 1, 2});
    struct plan none = {0};
    check_parts(&none, 0, NULL);
}
END_TEST

START_TEST(an_order_respects_dependencies)
{
    enum { COUNT = 50 };
    struct arena *arena = arena_new();
    struct plan_node nodes[COUNT];
    struct plan_dependency d[COUNT][2];
    for (size_t i = 0; i < COUNT; i++) { // each waits for the two behind it
        nodes[i] = node(arena_printf(arena, REGISTRY("r%zu"), i));
        d[i][0] = (struct plan_dependency){.node = i + 1};
        d[i][1] = (struct plan_dependency){.node = i + 2};
        nodes[i].dependencies = d[i];
        nodes[i].dependency_count = i + 2 < COUNT ? 2 : i + 1 < COUNT ? 1 : 0;
    }
    struct plan plan = {.nodes = nodes, .node_count = COUNT};
    const size_t *order = what_if_order(arena, &plan);
    for (size_t i = 0; i < COUNT; i++)
        ck_assert_uint_eq(order[i], COUNT - 1 - i);
    arena_free(arena);
}
END_TEST

Suite *suite_what_if_parts(void)
{
    Suite *suite = suite_create("what_if_parts");
    TCase *cases = tcase_create("what_if_parts");
    tcase_add_test(cases, what_has_nothing_in_common_is_apart);
    tcase_add_test(cases, a_group_holds_what_is_in_it);
    tcase_add_test(cases, the_same_twice_is_together);
    tcase_add_test(cases, what_only_the_run_knows_may_be_anything);
    tcase_add_test(cases, an_order_respects_dependencies);
    suite_add_tcase(suite, cases);
    return suite;
}
