// Text: escaping, encodings, UUIDs.
#include "base/arena.h"
#include "base/text.h"

#include <check.h>

Suite *suite_text(void);

static const struct {
    const char *in, *out; // out NULL: refused
} escapes[] = {
    {"abc", "abc"}, {"a%2Fb", "a/b"}, {"%41", "A"},    {"%", NULL},
    {"%4", NULL},   {"%zz", NULL},    {"a%00b", NULL}, {"", ""},
    {"%%41", NULL}, {"%25", "%"},     {"a+b", "a+b"},  {"sha256%3Aab", "sha256:ab"},
};

START_TEST(percent_decoding)
{
    struct arena *arena = arena_new();
    struct text out;
    bool ok = text_percent_decode(arena, text_of(escapes[_i].in), false, &out);
    ck_assert_int_eq(ok, escapes[_i].out != NULL);
    if (ok)
        ck_assert_str_eq(out.base, escapes[_i].out);
    arena_free(arena);
}
END_TEST

START_TEST(base64_round_trip)
{
    struct arena *arena = arena_new();
    for (size_t n = 0; n < 20; n++) {
        struct text bytes = {"\0\xff\x10zyxwvutsrqponmlkjih", n}, back;
        ck_assert(text_unbase64(arena, text_base64(arena, bytes.base, n), &back));
        ck_assert(text_equal(bytes, back));
        ck_assert(text_unbase64url(arena, text_base64url(arena, bytes.base, n), &back));
        ck_assert(text_equal(bytes, back));
        ck_assert(text_unhex(arena, text_hex(arena, bytes.base, n), &back));
        ck_assert(text_equal(bytes, back));
    }
    struct text back;
    ck_assert(!text_unbase64url(arena, TEXT("YQ=="), &back));
    ck_assert(!text_unbase64url(arena, TEXT("YR"), &back)); // bits left over
    ck_assert(!text_unbase64(arena, TEXT("YQ"), &back));
    ck_assert(!text_unbase64(arena, TEXT("Y==="), &back));
    arena_free(arena);
}
END_TEST

START_TEST(utf8)
{
    ck_assert(text_is_utf8(TEXT("gr\xc3\xbc\xc3\x9f\xe2\x82\xac\xf0\x9f\x90\xb3")));
    ck_assert(!text_is_utf8(TEXT("\xc0\xaf")));
    ck_assert(!text_is_utf8(TEXT("\xed\xa0\x80")));
    ck_assert(!text_is_utf8(TEXT("\xe2\x82")));
    ck_assert(!text_is_utf8((struct text){"a\0b", 3}));
}
END_TEST

START_TEST(uuids)
{
    char a[37], b[37];
    uuid_random(a);
    uuid_random(b);
    ck_assert(uuid_is(text_of(a)));
    ck_assert_str_ne(a, b);
    ck_assert(uuid_is(TEXT("7F951DDA-4ed3-4680-a7ca-43fe172d538d")));
    ck_assert(!uuid_is(TEXT("7f951dda-4ed3-4680-a7ca-43fe172d538")));
    ck_assert(!uuid_is(TEXT("7f951dda-4ed3-4680-a7ca_43fe172d538d")));
}
END_TEST

START_TEST(numbers)
{
    int64_t n;
    ck_assert(text_to_int64(TEXT("0"), &n) && n == 0);
    ck_assert(text_to_int64(TEXT("107374182400"), &n) && n == 107374182400);
    ck_assert(!text_to_int64(TEXT(""), &n));
    ck_assert(!text_to_int64(TEXT("-1"), &n));
    ck_assert(!text_to_int64(TEXT("1 "), &n));
    ck_assert(!text_to_int64(TEXT("9999999999999999999"), &n));
}
END_TEST

Suite *suite_text(void)
{
    Suite *suite = suite_create("text");
    TCase *tcase = tcase_create("text");
    tcase_add_loop_test(tcase, percent_decoding, 0, sizeof escapes / sizeof escapes[0]);
    tcase_add_test(tcase, base64_round_trip);
    tcase_add_test(tcase, utf8);
    tcase_add_test(tcase, uuids);
    tcase_add_test(tcase, numbers);
    suite_add_tcase(suite, tcase);
    return suite;
}
