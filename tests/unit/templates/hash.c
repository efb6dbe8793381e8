// The hashes of the language, by every vector there is (arm-templates 2.1-2.4).
#include "templates/hash.h"
#include "templates/reader.h"

#include <check.h>

Suite *suite_hash(void);

static const struct {
    struct text joined;
    const char *unique, *guid;
} names[] = {
    {TEXT("snap-crackle-pop"), "byghxckddilkc", NULL},                   // arm-templates 2.2
    {TEXT("foo-bar-baz"), NULL, "2ed86837-7c7c-5eaa-9864-dd077fd19b0d"}, // arm-templates 2.3
};

START_TEST(names_by_hash)
{
    struct arena *arena = arena_new();
    if (names[_i].unique)
        ck_assert_str_eq(hash_unique_string(arena, names[_i].joined).base, names[_i].unique);
    if (names[_i].guid)
        ck_assert_str_eq(hash_guid(arena, names[_i].joined).base, names[_i].guid);
    ck_assert_uint_eq(hash_unique_string(arena, names[_i].joined).length, 13);
    arena_free(arena);
}
END_TEST

static const struct {
    const char *template, *hash;
} templates[] = {
    // arm-templates 2.4
    {"{\"$schema\":\"https://schema.management.azure.com/schemas/2015-01-01/deploymentParameters.json#\","
     "\"contentVersion\":\"1.0.0.0\",\"resources\":[]}",
     "3965660584125802942"},
    {"{ // spaces, comments and case do not count\n $SCHEMA : "
     "'HTTPS://schema.management.azure.com/schemas/2015-01-01/deploymentparameters.json#',\n"
     "\"contentversion\":\"1.0.0.0\",\"resources\":[],}",
     "3965660584125802942"},
    {"{\"$schema\":\"https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#\","
     "\"contentVersion\":\"1.0.0.0\",\"resources\":[],\"outputs\":{\"result\":{\"type\":\"Int\",\"value\":"
     "\"[first(intersection(createArray('aaa'), createArray('bbb')))]\"}}}",
     "5244381047673507689"},
    {"{\"$schema\":\"http://schemas.management.azure.com/deploymentTemplate?api-version=2014-04-01-preview\","
     "\"contentVersion\":\"1.0.0.0\",\"parameters\":{\"string\":{\"type\":\"string\"}},\"variables\":{"
     "\"string\":\"string\",\"int\":42,\"bool\":true,\"array\":[1,2,3,4],\"object\":{\"object\":{"
     "\"vmSize\":\"Large\",\"location\":\"West US\"}}},\"resources\":[],\"outputs\":{\"string\":{"
     "\"type\":\"string\",\"value\":\"myvalue\"}}}",
     "695440707931307747"},
};

START_TEST(template_hashes) // arm-templates 2.4
{
    struct arena *arena = arena_new();
    struct reader_error error;
    const struct value *root = reader_read(arena, text_of(templates[_i].template), NULL, &error);
    ck_assert_ptr_nonnull(root);
    ck_assert_str_eq(template_hash(arena, root).base, templates[_i].hash);
    arena_free(arena);
}
END_TEST

START_TEST(order_counts) // arm-templates 2.4
{
    struct arena *arena = arena_new();
    struct reader_error error;
    const struct value *a = reader_read(arena, TEXT("{a:1,b:2}"), NULL, &error),
                       *b = reader_read(arena, TEXT("{b:2,a:1}"), NULL, &error);
    ck_assert_str_ne(template_hash(arena, a).base, template_hash(arena, b).base);
    const struct value *literals =
        reader_read(arena, TEXT("[true,null,'a\\nb',1.0,'\xc3\xbc\xc3\x9f']"), NULL, &error);
    ck_assert_str_eq(template_minified(arena, literals).base,
                     "[TRUE,NULL,\"A\\NB\",1.0,\"\xc3\x9c\xc3\x9f\"]");
    arena_free(arena);
}
END_TEST

START_TEST(every_tail) // no byte of a tail is lost: texts that differ in one byte differ in their hash
{
    char bytes[24];
    memset(bytes, 'a', sizeof bytes);
    for (size_t length = 1; length <= sizeof bytes; length++)
        for (size_t i = 0; i < length; i++) {
            uint64_t before = murmur64((struct text){bytes, length});
            bytes[i] = 'b';
            ck_assert(murmur64((struct text){bytes, length}) != before);
            bytes[i] = 'a';
        }
    ck_assert_uint_eq(murmur64(TEXT("")), 0);
}
END_TEST

static const struct {
    const char *in, *upper, *lower;
} cases[] = {
    {"aZ9", "AZ9", "az9"},
    {"\xc3\xa4\xc3\x96\xc3\x9f", "\xc3\x84\xc3\x96\xc3\x9f", "\xc3\xa4\xc3\xb6\xc3\x9f"},
    {"\xc4\xb1", "\xc4\xb1", "\xc4\xb1"},                         // dotless i stays
    {"\xd0\xb6\xce\xa9", "\xd0\x96\xce\xa9", "\xd0\xb6\xcf\x89"}, // Cyrillic, Greek
    {"\xf0\x9f\x90\xb3", "\xf0\x9f\x90\xb3", "\xf0\x9f\x90\xb3"},
};

START_TEST(invariant_case)
{
    struct arena *arena = arena_new();
    ck_assert_str_eq(invariant_upper(arena, text_of(cases[_i].in)).base, cases[_i].upper);
    ck_assert_str_eq(invariant_lower(arena, text_of(cases[_i].in)).base, cases[_i].lower);
    arena_free(arena);
}
END_TEST

Suite *suite_hash(void)
{
    Suite *suite = suite_create("hash");
    TCase *all = tcase_create("hash");
    tcase_add_loop_test(all, names_by_hash, 0, sizeof names / sizeof *names);
    tcase_add_loop_test(all, template_hashes, 0, sizeof templates / sizeof *templates);
    tcase_add_test(all, order_counts);
    tcase_add_test(all, every_tail);
    tcase_add_loop_test(all, invariant_case, 0, sizeof cases / sizeof *cases);
    suite_add_tcase(suite, all);
    return suite;
}
