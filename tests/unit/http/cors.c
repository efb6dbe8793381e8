// Which origins may read answers, and preflights.
#include "base/arena.h"
#include "http/cors.h"

#include <check.h>

Suite *suite_cors(void);

static const char *const origins[] = {"https://portal.example.com", "https://other.example.com:8443", NULL};
static struct arena *arena;
static struct http_request request;
static struct http_answer answer;
static struct http_field headers[4];

static void set_up(void)
{
    arena = arena_new();
    request = (struct http_request){.arena = arena, .method = HTTP_GET, .headers = headers};
    http_answer_reset(&answer);
}

static void tear_down(void)
{
    arena_free(arena);
}

static void send(const char *name, const char *value)
{
    headers[request.header_count++] = (struct http_field){text_of(name), text_of(value)};
}

static const char *got(const char *name)
{
    for (size_t i = 0; i < answer.header_count; i++)
        if (text_is_nocase(answer.headers[i].name, name))
            return text_cstr(arena, answer.headers[i].value);
    return "";
}

START_TEST(an_origin_of_the_list_is_echoed)
{
    send("origin", "https://other.example.com:8443");
    http_set_header_string(&answer, "Vary", "Accept-Encoding");
    http_allow_origin(origins, &request, &answer);
    ck_assert_str_eq(got("Access-Control-Allow-Origin"), "https://other.example.com:8443");
    ck_assert_str_eq(got("Vary"), "Accept-Encoding, Origin");
    ck_assert_ptr_nonnull(strstr(got("Access-Control-Expose-Headers"), "Location"));
    ck_assert_str_eq(got("Access-Control-Allow-Credentials"), "");
}
END_TEST

START_TEST(what_a_host_exposes_stays)
{
    send("origin", "https://portal.example.com");
    http_set_header_string(&answer, "Access-Control-Expose-Headers", "Link");
    http_allow_origin(origins, &request, &answer);
    ck_assert_str_eq(got("Access-Control-Expose-Headers"), "Link");
}
END_TEST

START_TEST(others_get_nothing)
{
    static const char *const strangers[] = {
        "https://portal.example.com.evil.org", "http://portal.example.com",   "null", "*",
        "https://PORTAL.example.com",          "https://portal.example.com/", ""};
    send("origin", strangers[_i]);
    send("access-control-request-method", "PUT");
    request.method = HTTP_OPTIONS;
    ck_assert(!http_preflight(origins, &request, &answer));
    http_allow_origin(origins, &request, &answer);
    ck_assert_str_eq(got("Access-Control-Allow-Origin"), "");
    ck_assert_str_eq(got("Vary"), "Origin");
}
END_TEST

START_TEST(two_origins_are_none)
{
    send("origin", "https://portal.example.com");
    send("origin", "https://portal.example.com");
    http_allow_origin(origins, &request, &answer);
    ck_assert_str_eq(got("Access-Control-Allow-Origin"), "");
}
END_TEST

START_TEST(without_an_origin_nothing_changes)
{
    http_allow_origin(origins, &request, &answer);
    ck_assert_uint_eq(answer.header_count, 0);
    send("origin", "https://portal.example.com");
    http_allow_origin(NULL, &request, &answer);
    ck_assert_str_eq(got("Access-Control-Allow-Origin"), "");
}
END_TEST

START_TEST(preflights)
{
    send("origin", "https://portal.example.com");
    request.method = HTTP_OPTIONS;
    ck_assert(!http_preflight(origins, &request, &answer)); // a plain OPTIONS
    send("access-control-request-method", "PUT");
    ck_assert(http_preflight(origins, &request, &answer));
    ck_assert_int_eq(answer.status, 204);
    ck_assert_str_eq(got("Access-Control-Allow-Headers"), "Authorization, Content-Type");
    send("access-control-request-headers", "authorization,x-ms-thing");
    ck_assert(http_preflight(origins, &request, &answer));
    ck_assert_str_eq(got("Access-Control-Allow-Headers"), "authorization,x-ms-thing");
    headers[2].value = TEXT("a\"b");
    ck_assert(http_preflight(origins, &request, &answer));
    ck_assert_str_eq(got("Access-Control-Allow-Headers"), "Authorization, Content-Type");
    request.method = HTTP_GET;
    ck_assert(!http_preflight(origins, &request, &answer));
}
END_TEST

Suite *suite_cors(void)
{
    Suite *suite = suite_create("cors");
    TCase *tcase = tcase_create("cors");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, an_origin_of_the_list_is_echoed);
    tcase_add_test(tcase, what_a_host_exposes_stays);
    tcase_add_loop_test(tcase, others_get_nothing, 0, 7);
    tcase_add_test(tcase, two_origins_are_none);
    tcase_add_test(tcase, without_an_origin_nothing_changes);
    tcase_add_test(tcase, preflights);
    suite_add_tcase(suite, tcase);
    return suite;
}
