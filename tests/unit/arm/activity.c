// What the activity log leaves out of a body, and its $filter (arm-core 2.7).
#include "fixture.h"

#include "arm/activity_row.h"

static struct text redacted(struct arena *arena, const char *json)
{
    json_error_t error;
    json_t *body = json_loads(json, 0, &error);
    ck_assert_msg(body != NULL, "%s", error.text);
    struct text text = activity_redact(arena, body);
    json_decref(body);
    return text;
}

START_TEST(secrets)
{
    static const struct {
        const char *given, *kept;
    } rows[] = {
        {"{\"location\":\"local\",\"tags\":{\"a\":\"b\"},\"n\":1,\"f\":1.5,\"t\":true,\"z\":null,\"l\":[1]}",
         "{\"location\":\"local\",\"tags\":{\"a\":\"b\"},\"n\":1,\"f\":1.5,\"t\":true,\"z\":null,\"l\":[1]}"},
        {"{\"name\":\"password\"}", "{\"name\":\"password\"}"}, // regenerateCredential
        {"{\"adminPassword\":\"x\"}", "{\"adminPassword\":\"***\"}"},
        {"{\"a\":[{\"clientSecret\":{\"deep\":1}}]}", "{\"a\":[{\"clientSecret\":\"***\"}]}"},
        {"{\"PROTECTEDSETTINGS\":{\"a\":1},\"accessToken\":7}",
         "{\"PROTECTEDSETTINGS\":\"***\",\"accessToken\":\"***\"}"},
        {"{\"passwordEnabled\":false,\"password\":null}", "{\"passwordEnabled\":false,\"password\":null}"},
        {"{\"a\":\"Bearer abc\",\"b\":\"basic YQ==\",\"c\":\"eyJh.b.c\"}",
         "{\"a\":\"***\",\"b\":\"***\",\"c\":\"***\"}"},
        {"{\"u\":\"https://me:pw@host/x\",\"v\":\"https://host/x?a=1&Sig=abc\",\"w\":\"https://host/x@y\"}",
         "{\"u\":\"***\",\"v\":\"***\",\"w\":\"https://host/x@y\"}"},
        {"{\"properties\":{\"serviceUri\":\"https://hooks.test/services/T1/"
         "B2\",\"customHeaders\":{\"X\":\"y\"}}}",
         "{\"properties\":{\"serviceUri\":\"https://hooks.test/***\",\"customHeaders\":\"***\"}}"},
        {"{\"serviceUri\":\"https://hooks.test\"}", "{\"serviceUri\":\"https://hooks.test\"}"},
        {"{\"source\":{\"credentials\":{\"username\":\"u\",\"password\":\"p\"}}}",
         "{\"source\":{\"credentials\":\"***\"}}"},
        // A deployment: plain parameters stay, secure ones and those nobody declared go.
        {"{\"properties\":{\"template\":{\"$schema\":\"s\",\"parameters\":{\"a\":{\"type\":\"string\"},"
         "\"b\":{\"type\":\"SecureString\",\"defaultValue\":\"d\"}},\"resources\":[]},"
         "\"parameters\":{\"a\":{\"value\":\"1\"},\"b\":{\"value\":\"2\"},\"c\":{\"value\":\"3\"}}}}",
         "{\"properties\":{\"template\":{\"$schema\":\"s\",\"parameters\":{\"a\":{\"type\":\"string\"},"
         "\"b\":{\"type\":\"SecureString\",\"defaultValue\":\"***\"}},\"resources\":[]},"
         "\"parameters\":{\"a\":{\"value\":\"1\"},\"b\":\"***\",\"c\":\"***\"}}}"},
        {"{\"templateLink\":{\"uri\":\"https://x/t\"},\"parameters\":{\"a\":{\"value\":\"1\"}}}",
         "{\"templateLink\":{\"uri\":\"https://x/t\"},\"parameters\":{\"a\":\"***\"}}"},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_text(redacted(arena, rows[i].given), rows[i].kept);
    ck_assert(activity_redact(arena, NULL).base == NULL);
    arena_free(arena);
}
END_TEST

START_TEST(large_bodies)
{
    struct arena *arena = arena_new();
    char *body = arena_printf(arena, "{\"a\":\"%070000d\"}", 0);
    assert_text(redacted(arena, body), "{\"bodyTooLarge\":70008}");
    arena_free(arena);
}
END_TEST

START_TEST(times)
{
    static const struct {
        const char *text;
        int64_t microseconds; // -1: refused
    } rows[] = {
        {"1970-01-02", INT64_C(86400000000)},
        {"1970-01-01T00:00:01", 1000000},
        {"1970-01-01 00:00:01.5", 1500000},
        {"1970-01-01T00:00:00.1234567Z", 123456},
        {"1970-01-01T02:00:00+02:00", 0},
        {"1970-01-01T02:00:00 02:00", 0},
        {"1970-01-01T00:00:00-0100", INT64_C(3600000000)},
        {"1970-01-01T00:01Z", 60000000},
        {"", -1},
        {"1970", -1},
        {"1970-13-01", -1},
        {"1970-01-01T", -1},
        {"1970-01-01T00:00:00.", -1},
        {"1970-01-01T00:00:00x", -1},
        {"1970-01-01T00:00:00+9", -1},
        {"yesterday at noon", -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t time = -1;
        bool sound = activity_time_parse(text_of(rows[i].text), &time);
        ck_assert_msg(sound == (rows[i].microseconds >= 0), "%s", rows[i].text);
        if (sound)
            ck_assert_int_eq(time, rows[i].microseconds);
    }
}
END_TEST

START_TEST(filters)
{
    struct arena *arena = arena_new();
    struct activity_filter f;
    const char *why;
    ck_assert(activity_filter_parse(
        arena,
        TEXT(
            "resourceProvider eq Microsoft.Authorization and eventTimestamp ge 1970-01-01T00:00:01Z and "
            "eventTimestamp le 1970-01-01 00:00:02+00:00 and caller eq 'it''s' and resourceId eq '/a and b'"),
        &f, &why));
    assert_text(f.provider, "Microsoft.Authorization");
    assert_text(f.caller, "it's");
    assert_text(f.resource, "/a and b");
    ck_assert_int_eq(f.from, 1000000);
    ck_assert_int_eq(f.to, 2000000);
    ck_assert(activity_filter_parse(arena,
                                    TEXT("eventtimestamp GT datetime'1970-01-01T00:00:01' AND "
                                         "status EQ ''"),
                                    &f, &why));
    ck_assert_int_eq(f.from, 1000001);
    ck_assert_uint_eq(f.status.length, 0);
    ck_assert(!activity_filter_parse(arena, TEXT_NONE, &f, &why));
    ck_assert(!activity_filter_parse(arena, TEXT("and"), &f, &why));
    ck_assert(!activity_filter_parse(arena, TEXT("'"), &f, &why));
    ck_assert(!activity_filter_parse(arena, TEXT("eventTimestamp ge '1970-01-01"), &f, &why));
    uint64_t select;
    ck_assert(activity_select_parse(TEXT(" caller , STATUS"), &select));
    ck_assert(select != 0 && (select & (select - 1)) != 0);
    ck_assert(activity_select_parse(TEXT(""), &select) && select == 0);
    ck_assert(!activity_select_parse(TEXT("caller,,status"), &select));
    ck_assert(!activity_select_parse(TEXT("nothing"), &select));
    arena_free(arena);
}
END_TEST

Suite *suite_activity(void);
Suite *suite_activity(void)
{
    Suite *suite = suite_create("activity");
    TCase *tests = tcase_create("log");
    tcase_add_test(tests, secrets);
    tcase_add_test(tests, large_bodies);
    tcase_add_test(tests, times);
    tcase_add_test(tests, filters);
    suite_add_tcase(suite, tests);
    return suite;
}
