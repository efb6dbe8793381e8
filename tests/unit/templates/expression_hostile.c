// Expressions that would take all time or memory there is: each must end soon, with an error or a value that
// is not large (arm-templates 10; at most 1 s of CPU and 96 MiB).
#include "templates/language.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

Suite *suite_expression_hostile(void);

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

// `open` so often that the expression is as long, or as deep, as it may be; then `inside`; then `close`.
struct shape {
    const char *name, *open, *inside, *close;
    size_t depth;
};

static const struct shape shapes[] = {
    {"concat doubles", "concat(variables('x'),", "'x'", ")", 190},
    {"createArray in createArray", "createArray(", "1", ")", 150},
    {"createObject in createObject", "createObject('a',", "1", ")", 150},
    {"string of string", "string(createArray(", "'\"'", "))", 90},
    {"base64 of base64", "base64(", "string(range(0,10000))", ")", 100},
    {"uriComponent of uriComponent", "uriComponent(", "string(range(0,9000))", ")", 150},
    {"replace makes longer", "replace(", "'aaaaaaaaaaaaaaaa'", ",'a','aaaaaaaaaaaaaaaa')", 60},
    {"map in map", "map(range(0,10000),lambda('i',", "1", "))", 20},
    {"reduce in reduce", "reduce(range(0,10000),1,lambda('a','b',", "lambdaVariables('a')", "))", 20},
    {"filter in filter", "filter(range(0,10000),lambda('i',equals(1,length(", "createArray(1)", "))))", 20},
    {"sort in sort", "sort(range(0,10000),lambda('a','b',equals(1,first(", "createArray(1)", "))))", 20},
    {"format widths", "format('{0,999999}',", "1", ")", 100},
    {"format precision", "format('{0:D99999}{0:D99999}{0:D99999}',", "1", ")", 100},
    {"format precision of floats", "format('{0:F99999}',", "json('1e300')", ")", 1},
    {"padLeft", "padLeft(", "'a'", ",16)", 100},
    {"not", "not(", "true()", ")", 190},
    {"flatten", "flatten(createArray(", "range(0,10000)", "))", 90},
    {"dataUri", "dataUri(", "string(range(0,10000))", ")", 100},
    {"toUpper", "toUpper(", "string(range(0,10000))", ")", 190},
    {"items of items", "items(createObject('a',", "1", "))", 90},
};

static struct text shaped(struct arena *arena, const struct shape *shape)
{
    struct buffer b = buffer_new(arena);
    buffer_char(&b, '[');
    size_t room = EXPRESSION_LENGTH - strlen(shape->inside) - 2,
           each = strlen(shape->open) + strlen(shape->close);
    size_t depth = room / each < shape->depth ? room / each : shape->depth;
    for (size_t i = 0; i < depth; i++)
        buffer_string(&b, shape->open);
    buffer_string(&b, shape->inside);
    for (size_t i = 0; i < depth; i++)
        buffer_string(&b, shape->close);
    buffer_char(&b, ']');
    return buffer_done(&b);
}

static void must_end_soon(const char *name, struct text (*make)(struct arena *, const void *),
                          const void *what)
{
    struct language l;
    language_open(&l);
    double before = cpu_seconds();
    const struct value *at,
        *value = evaluate_value(&l.e, value_string(l.arena, make(l.arena, what)), true, &l.error, &at);
    double took = cpu_seconds() - before;
    ck_assert_msg(value || l.error.message, "%s", name);
    ck_assert_uint_eq(l.budget.depth, 0);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    // The sanitizers make everything several times slower and larger.
#ifdef __SANITIZE_ADDRESS__
    ck_assert_msg(took < 8, "%s took %.2f s", name, took);
#else
    ck_assert_msg(took < 1, "%s took %.2f s", name, took);
    ck_assert_msg(usage.ru_maxrss < 96 * 1024, "%s took %ld KiB", name, usage.ru_maxrss);
#endif
    if (getenv("AZSACR_HOSTILE"))
        printf("%-32s %.3f s %6ld KiB steps %zu bytes %zu: %s\n", name, took, usage.ru_maxrss,
               EVALUATION_STEPS - l.budget.steps, EVALUATION_BYTES - l.budget.bytes,
               value ? "a value" : l.error.message);
    language_close(&l);
}

static struct text make_shape(struct arena *arena, const void *what)
{
    return shaped(arena, what);
}

START_TEST(shapes_end_soon)
{
    must_end_soon(shapes[_i].name, make_shape, &shapes[_i]);
}
END_TEST

static struct text make_text(struct arena *arena, const void *what)
{
    (void)arena;
    return text_of(what);
}

static const char *const texts[] = {
    // A value that doubles with each round.
    "[reduce(range(0, 60), createArray(1), lambda('a', 'b', concat(lambdaVariables('a'), "
    "lambdaVariables('a'))))]",
    "[reduce(range(0, 60), 'x', lambda('a', 'b', concat(lambdaVariables('a'), lambdaVariables('a'))))]",
    // Small in memory, exponential when it is written or compared.
    "[string(reduce(range(0, 60), 1, lambda('a', 'b', createArray(lambdaVariables('a'), "
    "lambdaVariables('a')))))]",
    "[equals(reduce(range(0, 60), 1, lambda('a', 'b', createArray(lambdaVariables('a'), "
    "lambdaVariables('a')))), reduce(range(0, "
    "60), 1, lambda('a', 'b', createArray(lambdaVariables('a'), lambdaVariables('a')))))]",
    "[reduce(range(0, 60), createObject(), lambda('a', 'b', union(lambdaVariables('a'), "
    "createObject(string(lambdaVariables('b')), "
    "lambdaVariables('a')))))]",
    // Deep.
    "[reduce(range(0, 10000), 1, lambda('a', 'b', createArray(lambdaVariables('a'))))]",
    "[reduce(range(0, 10000), 1, lambda('a', 'b', createObject('a', lambdaVariables('a'))))]",
    // Quadratic.
    "[reduce(range(0, 10000), createArray(), lambda('a', 'b', concat(lambdaVariables('a'), "
    "createArray(1))))]",
    "[reduce(range(0, 10000), createObject(), lambda('a', 'b', union(lambdaVariables('a'), "
    "createObject(string(lambdaVariables('b')), "
    "1))))]",
    "[reduce(range(0, 10000), '', lambda('a', 'b', concat(lambdaVariables('a'), 'x')))]",
    "[length(map(range(0, 10000), lambda('i', contains(range(0, 10000), -1))))]",
    "[length(map(range(0, 10000), lambda('i', length(string(range(0, 10000))))))]",
    "[length(map(range(0, 10000), lambda('i', substring(string(range(0, 10000)), 40000))))]",
    "[toObject(range(0, 10000), lambda('i', string(lambdaVariables('i'))))]",
    "[groupBy(range(0, 10000), lambda('i', string(lambdaVariables('i'))))]",
    "[distinct(map(range(0, 10000), lambda('i', range(0, 1000))))]",
    "[length(map(createArray(toObject(range(0, 10000), lambda('i', "
    "concat('a_long_name_that_all_of_them_begin_with_', "
    "string(lambdaVariables('i')))))), lambda('o', map(range(0, 10000), lambda('i', "
    "lambdaVariables('o').a_long_name_that_all_of_them_begin_with_9999)))))]",
    "[like(string(range(0, 10000)), '*1*2*3*4*5*6*7*8*9*0*x*1*2*3*y')]",
    "[like(join(map(range(0, 10000), lambda('i', 'aaaaaaaaaa')), ''), "
    "'*aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab*')]",
    "[length(split(string(range(0, 10000)), map(range(0, 10000), lambda('i', concat('1', "
    "string(lambdaVariables('i')), 'x')))))]",
    "[length(indexOf(string(range(0, 10000)), string(range(0, 9999))))]",
    "[json(concat('[', join(map(range(0, 10000), lambda('i', '[[[[[[[[[[]]]]]]]]]]')), ','), ']'))]",
    "[length(map(range(0, 10000), lambda('i', json('[1,2,3,4,5,6,7,8,9,10]'))))]",
    "[length(map(range(0, 10000), lambda('i', format('{0:N50000}', 1))))]",
    "[length(map(range(0, 10000), lambda('i', guid(string(range(0, 10000))))))]",
    "[intersection(map(range(0, 10000), lambda('i', createArray(lambdaVariables('i')))), map(range(0, "
    "10000), lambda('i', "
    "createArray(lambdaVariables('i')))))]",
    "[items(toObject(range(0, 3000), lambda('i', string(lambdaVariables('i')))))]",
    "[length(map(range(0, 10000), lambda('i', uri('http://h/a/b/../../c', '../../../d'))))]",
    "[length(map(range(0, 10000), lambda('i', dateTimeAdd('2020-01-01', 'P1D', 'D'))))]",
};

START_TEST(texts_end_soon)
{
    must_end_soon(texts[_i], make_text, texts[_i]);
}
END_TEST

// Copies in copies: 800 to the power of their depth.
START_TEST(copies_end_soon)
{
    struct language l;
    struct expression_error error;
    const struct value *at;
    language_open(&l);
    const struct value *input = value_string(l.arena, TEXT("[copyIndex('a')]"));
    for (int i = 0; i < 4; i++) {
        struct value_member *copy = ARENA_ARRAY(l.arena, struct value_member, 3);
        copy[0] = (struct value_member){.name = TEXT("name"), .value = value_string(l.arena, TEXT("a"))};
        copy[1] = (struct value_member){.name = TEXT("count"), .value = value_integer(l.arena, 800)};
        copy[2] = (struct value_member){.name = TEXT("input"), .value = input};
        const struct value **items = ARENA_ARRAY(l.arena, const struct value *, 1);
        items[0] = value_object(l.arena, copy, 3);
        struct value_member *object = ARENA_NEW(l.arena, struct value_member);
        *object = (struct value_member){.name = TEXT("copy"), .value = value_array(l.arena, items, 1)};
        input = value_object(l.arena, object, 1);
    }
    double before = cpu_seconds();
    ck_assert_ptr_null(evaluate_value(&l.e, input, true, &error, &at));
    ck_assert_msg(cpu_seconds() - before < 8, "%.2f s", cpu_seconds() - before);
    ck_assert_ptr_nonnull(error.message);
    language_close(&l);
}
END_TEST

Suite *suite_expression_hostile(void)
{
    Suite *suite = suite_create("hostile expressions");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 60);
    tcase_add_loop_test(all, shapes_end_soon, 0, sizeof shapes / sizeof *shapes);
    tcase_add_loop_test(all, texts_end_soon, 0, sizeof texts / sizeof *texts);
    tcase_add_test(all, copies_end_soon);
    suite_add_tcase(suite, all);
    return suite;
}
