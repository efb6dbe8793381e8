// Heads and targets as bytes: what is refused, and what the request then says.
#include "http/intake.h"

#include "base/arena.h"

#include <check.h>

static const struct {
    const char *head;
    bool edge;
    int status;
    const char *host, *authority;
} heads[] = {
    {"GET / HTTP/1.1\r\nHost: A.b.:8443\r\n\r\n", false, 0, "a.b", "a.b:8443"},
    {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", false, 0, "a", "a"},
    {"\r\nGET / HTTP/1.1\nHost:a\n\n", false, 0, "a", "a"},
    {"GET / HTTP/1.1\r\n\r\n", false, 400, "", ""},
    {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", false, 400, "", ""},
    {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", false, 400, "", ""},
    {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", false, 400, "", ""},
    {"GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n", false, 400, "", ""},
    {"GET / HTTP/1.1\r\nHost: \r\n\r\n", false, 400, "", ""},
    {"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", false, 0, "[::1]", "[::1]:80"},
    {"GET / HTTP/1.1\r\nHost: x\r\nX-Azsacr-Host: A.B\r\nX-Azsacr-Port: 8443\r\n\r\n", true, 0, "a.b",
     "a.b:8443"},
    {"GET / HTTP/1.1\r\nHost: x\r\nX-Azsacr-Host: a.b\r\nX-Azsacr-Port: :8443\r\n\r\n", true, 0, "a.b",
     "a.b:8443"},
    {"GET / HTTP/1.1\r\nHost: x\r\nX-Azsacr-Host: a.b\r\nX-Azsacr-Port: 443\r\n\r\n", true, 0, "a.b", "a.b"},
    {"GET / HTTP/1.1\r\nHost: x\r\nX-Azsacr-Host: a.b\r\nX-Azsacr-Port: 8443x\r\n\r\n", true, 400, "", ""},
    {"GET / HTTP/1.1\r\nHost: x:1\r\nX-Azsacr-Host: a.b\r\nX-Azsacr-Port: \r\n\r\n", true, 0, "a.b", "a.b"},
    {"GET / HTTP/1.1\r\nHost: x\r\nX-Azsacr-Host: a.b\r\nX-Azsacr-Port: 1\r\n\r\n", false, 0, "x", "x"},
    {"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", false, 400, "a", "a"},
    {"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", false, 400, "a",
     "a"},
    {"PUT / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", false, 400, "a", "a"},
    {"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n folded\r\n\r\n", false, 400, "", ""},
    {"GET / HTTP/1.1\r\nHost: a\r\nExpect: cake\r\n\r\n", false, 417, "a", "a"},
    {"GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n\r\n", false, 0, "a", "a"},
    {"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", false, 405, "a", "a"},
    {"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", false, 501, "a", "a"},
    {"get / HTTP/1.1\r\nHost: a\r\n\r\n", false, 501, "a", "a"},
    {"GET / x HTTP/1.1\r\nHost: a\r\n\r\n", false, 400, "", ""},
};

START_TEST(head)
{
    struct arena *arena = arena_new();
    struct http_request request = {.arena = arena};
    char *copy = arena_strdup(arena, heads[_i].head);
    size_t length = http_head_length(text_of(copy));
    ck_assert_uint_eq(length, strlen(copy));
    struct http_refusal refused = http_read_head(&request, copy, length, heads[_i].edge);
    ck_assert_int_eq(refused.status, heads[_i].status);
    ck_assert(text_is(request.host, heads[_i].host));
    ck_assert(text_is(request.authority, heads[_i].authority));
    arena_free(arena);
}
END_TEST

START_TEST(fields)
{
    struct arena *arena = arena_new();
    struct http_request request = {.arena = arena};
    char *copy = arena_strdup(
        arena, "GET /a?b HTTP/1.1\r\nHost: a\r\nX-Odd: \xff z \r\nX-Azsacr-Client: 1.2.3.4\r\n\r\n");
    ck_assert_int_eq(http_read_head(&request, copy, strlen(copy), false).status, 0);
    ck_assert(text_is(http_header(&request, "x-odd", NULL), "? z"));
    ck_assert_ptr_null(http_header(&request, "x-azsacr-client", NULL).base);
    ck_assert(text_is(request.method_text, "GET"));
    ck_assert(text_is(request.target, "/a?b"));
    ck_assert(text_is(request.client_address, ""));
    request = (struct http_request){.arena = arena};
    copy = arena_strdup(arena, "GET / HTTP/1.1\r\nHost: a\r\nX-Azsacr-Client: 1.2.3.4\r\n\r\n");
    ck_assert_int_eq(http_read_head(&request, copy, strlen(copy), true).status, 0);
    ck_assert(text_is(request.client_address, "1.2.3.4"));
    ck_assert_uint_eq(http_head_length(TEXT("GET / HTTP/1.1\r\nHost: a\r\n")), 0);
    arena_free(arena);
}
END_TEST

#define TEN_SEGMENTS "/a/a/a/a/a/a/a/a/a/a"
#define HUNDRED_SEGMENTS                                                                                     \
    TEN_SEGMENTS TEN_SEGMENTS TEN_SEGMENTS TEN_SEGMENTS TEN_SEGMENTS TEN_SEGMENTS TEN_SEGMENTS TEN_SEGMENTS  \
        TEN_SEGMENTS TEN_SEGMENTS
#define MOST_SEGMENTS HUNDRED_SEGMENTS TEN_SEGMENTS TEN_SEGMENTS TEN_SEGMENTS "/a/a/a/a/a"

static const struct {
    const char *target;
    bool fine;
    size_t segments;
    const char *last;
    size_t query;
} targets[] = {
    {"/", true, 1, "", 0},
    {"/a/b", true, 2, "b", 0},
    {"/a//b/", true, 4, "", 0},
    {"/a%2Fb?x=%20", true, 1, "a/b", 1},
    {"/a%252F", true, 1, "a%2F", 0},
    {"/a+b", true, 1, "a+b", 0},
    {"/a?x=1&y=2#z", true, 1, "a", 2},
    {"/\xc3\xa4", true, 1, "\xc3\xa4", 0},
    {"/a%", false, 0, NULL, 0},
    {"/a%2", false, 0, NULL, 0},
    {"/a%zz", false, 0, NULL, 0},
    {"/a%00", false, 0, NULL, 0},
    {"/%ff", false, 0, NULL, 0},
    {"/\xff", false, 0, NULL, 0},
    {"/?a=%", false, 0, NULL, 0},
    {"/?a=%ff", false, 0, NULL, 0},
    {"*", false, 0, NULL, 0},
    {"http://a/b", false, 0, NULL, 0},
    {"", false, 0, NULL, 0},
    {MOST_SEGMENTS "/z", true, 136, "z", 0},
    {MOST_SEGMENTS "/a/z", false, 0, NULL, 0},
};

START_TEST(target)
{
    struct arena *arena = arena_new();
    struct http_request request = {.arena = arena, .target = text_of(targets[_i].target)};
    http_read_target(&request);
    ck_assert_int_eq(request.malformed == NULL, targets[_i].fine);
    if (targets[_i].fine) {
        ck_assert_uint_eq(request.segment_count, targets[_i].segments);
        ck_assert(text_is(request.segments[request.segment_count - 1], targets[_i].last));
        ck_assert_uint_eq(request.query_count, targets[_i].query);
    }
    arena_free(arena);
}
END_TEST

static const struct {
    const char *given;
    bool taken;
} correlations[] = {
    {"abc-DEF-123", true},
    {"", false},
    {"a b", false},
    {"a\"", false},
    {"0123456789012345678901234567890123456789012345678901234567890123", true},
    {"01234567890123456789012345678901234567890123456789012345678901234", false},
};

START_TEST(correlation)
{
    struct http_field field = {TEXT("x-ms-correlation-request-id"), text_of(correlations[_i].given)};
    struct http_request request = {.headers = &field, .header_count = 1};
    http_read_ids(&request);
    ck_assert(uuid_is(text_of(request.request_id)));
    ck_assert_str_eq(request.correlation_id,
                     correlations[_i].taken ? correlations[_i].given : request.request_id);
}
END_TEST

Suite *suite_intake(void);
Suite *suite_intake(void)
{
    Suite *suite = suite_create("intake");
    TCase *tcase = tcase_create("intake");
    tcase_add_loop_test(tcase, head, 0, sizeof heads / sizeof heads[0]);
    tcase_add_test(tcase, fields);
    tcase_add_loop_test(tcase, target, 0, sizeof targets / sizeof targets[0]);
    tcase_add_loop_test(tcase, correlation, 0, sizeof correlations / sizeof correlations[0]);
    suite_add_tcase(suite, tcase);
    return suite;
}
