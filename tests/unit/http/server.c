// What the server answers, byte by byte: what HTTP libraries would hide.
#include "fixture.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *request;
    const char *expected[4];
    const char *never;
} wire[] = {
    {"GET /a/b%20c?x=%41 HTTP/1.1\r\nHost: HERE:81\r\n" CLOSE,
     {"HTTP/1.1 200 OK\r\n", "host=here authority=here:81 client= [a] [b c] x=A body=0", "Content-Length: 56",
      "Date: "},
     "Server:"},
    {"GET /a HTTP/1.1\r\nHost: x\r\nX-Azsacr-Host: r.wild.test\r\nX-Azsacr-Port: 8443\r\nX-Azsacr-Client: "
     "10.0.0.1\r\n" CLOSE,
     {"host=r.wild.test authority=r.wild.test:8443 client=10.0.0.1 [a]", NULL},
     NULL},
    {"HEAD /a HTTP/1.1\r\nHost: here\r\n" CLOSE, {"200 OK", "Content-Length: 43\r\n", NULL}, "host="},
    {"HEAD /blob HTTP/1.1\r\nHost: here\r\n" CLOSE, {"200 OK", "Content-Length: 123456\r\n", NULL}, NULL},
    {"PUT /a HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\n" CLOSE "abc", {"200 OK", "body=3", NULL}, NULL},
    {"PUT /a HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n" CLOSE
     "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
     {"200 OK", "body=5", NULL},
     NULL},
    {"PUT /a HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\nExpect: 100-continue\r\n" CLOSE "abc",
     {"HTTP/1.1 100 Continue\r\n", "200 OK", "body=3", NULL},
     NULL},
    {"GET /none HTTP/1.1\r\nHost: here\r\n" CLOSE, {"204 No Content", NULL}, "Content-Length"},
    {"GET /a%zz HTTP/1.1\r\nHost: here\r\n" CLOSE,
     {"400 Bad Request", "the path has a bad escape", NULL},
     NULL},
    {"GET /%ff HTTP/1.1\r\nHost: here\r\n" CLOSE, {"400 Bad Request", "the path is not UTF-8", NULL}, NULL},
    {"GET /?a=%f HTTP/1.1\r\nHost: here\r\n" CLOSE,
     {"400 Bad Request", "the query has a bad escape", NULL},
     NULL},
    {"OPTIONS * HTTP/1.1\r\nHost: here\r\n" CLOSE, {"400 Bad Request", "does not begin", NULL}, NULL},
    {"GET / HTTP/1.1\r\nHost: there\r\n" CLOSE, {"421 Misdirected", "{\"host\":\"there\"", NULL}, NULL},
    {"GET / HTTP/1.1\r\nHost: a.b.wild.test\r\n" CLOSE, {"421 Misdirected", NULL}, NULL},
    {"GET / HTTP/1.1\r\nHost: wild.test\r\n" CLOSE, {"421 Misdirected", NULL}, NULL},
    // From here on no request says close: the server does.
    {"GET / HTTP/1.1\r\n\r\n",
     {"400 Bad Request", "Host header is missing", "Connection: close", NULL},
     NULL},
    {"GET / HTTP/1.1\r\nHost: here\r\nHost: here\r\n\r\n",
     {"400 Bad Request", "more than one Host", NULL},
     NULL},
    {"PUT / HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\nContent-Length: 40\r\n\r\nabcGET /x "
     "HTTP/1.1\r\nHost: "
     "here\r\n\r\n",
     {"400 Bad Request", "\"host\":\"here\"", "Connection: close", NULL},
     "200 OK"},
    {"PUT / HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x "
     "HTTP/1.1\r\nHost: here\r\n\r\n",
     {"400 Bad Request", "Connection: close", NULL},
     "200 OK"},
    {"PUT / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nGET /x HTTP/1.1\r\nHost: "
     "here\r\n\r\n",
     {"400 Bad Request", "{\"host\":\"here\"", "application/json", NULL},
     "200 OK"},
    {"PUT / HTTP/1.1\r\nHost: here\r\nContent-Length: 65537\r\n\r\nabc",
     {"413 ", "{\"host\":\"here\",\"why\":\"the body of the request is too large\"}", "Connection: close",
      "application/json"},
     "text/plain"},
    {"PUT / HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\nExpect: cake\r\n\r\nabc",
     {"417 Expectation Failed", "{\"host\":\"here\"", "Connection: close", NULL},
     NULL},
    {"GET / HTTP/1.1\r\nHost: here\r\nExpect: cake\r\n\r\n", {"417 ", "{\"host\":\"here\"", NULL}, NULL},
    {"BREW / HTTP/1.1\r\nHost: here\r\n\r\n", {"501 ", "{\"host\":\"here\"", NULL}, NULL},
    {"TRACE / HTTP/1.1\r\nHost: here\r\n\r\n", {"405 ", "{\"host\":\"here\"", NULL}, NULL},
    {"GET / HTTP/1.1\r\nHost: here\r\nA: b\r\n folded\r\n\r\n", {"400 ", "{\"host\":", NULL}, NULL},
    {"nonsense\r\n\r\n", {"400 ", NULL}, NULL},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {"400 ", NULL}, NULL},
};

START_TEST(on_the_wire)
{
    char *answer = ask(wire[_i].request);
    for (size_t i = 0; i < 4 && wire[_i].expected[i] != NULL; i++)
        expect(answer, wire[_i].expected[i]);
    if (wire[_i].never != NULL)
        ck_assert_msg(strstr(answer, wire[_i].never) == NULL, "'%s' in: %s", wire[_i].never, answer);
}
END_TEST

START_TEST(pipelining)
{
    char *answer = ask("GET /1 HTTP/1.1\r\nHost: here\r\n\r\n"
                       "PUT /2 HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\nxy"
                       "HEAD /3 HTTP/1.1\r\nHost: here\r\n\r\n"
                       "GET /none HTTP/1.1\r\nHost: here\r\n\r\n"
                       "GET /same HTTP/1.1\r\nHost: here\r\n\r\n"
                       "GET /later HTTP/1.1\r\nHost: here\r\n\r\n"
                       "GET /later HTTP/1.1\r\nHost: nobody\r\n\r\n"
                       "GET /6 HTTP/1.1\r\nHost: here\r\n" CLOSE);
    ck_assert_uint_eq(times(answer, "HTTP/1.1 "), 8);
    ck_assert_uint_eq(times(answer, "HTTP/1.1 200 OK"), 5);
    const char *order[] = {"[1]", "[2] body=2", "204", "304", "[later]", "421", "[6]"};
    const char *p = answer;
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        p = strstr(p, order[i]);
        ck_assert_msg(p != NULL, "%s out of order in %s", order[i], answer);
    }
}
END_TEST

START_TEST(long_answer)
{
    char *answer = ask("GET /long HTTP/1.1\r\nHost: here\r\n\r\nGET /after HTTP/1.1\r\nHost: here\r\n" CLOSE);
    expect(answer, "Content-Length: 1000000\r\n");
    expect(answer + 1000000, "[after]");
}
END_TEST

START_TEST(large_head)
{
    char *request = arena_alloc(arena, 100000);
    char *filler = arena_alloc(arena, 40001);
    memset(filler, 'a', 40000);
    snprintf(request, 100000, "GET / HTTP/1.1\r\nHost: here\r\nX: %s\r\n\r\n", filler);
    char *answer = ask(request);
    expect(answer, "431 ");
    expect(answer, "{\"host\":\"here\"");
    filler[32000] = '\0';
    snprintf(request, 100000, "GET / HTTP/1.1\r\nHost: here\r\nX: %s\r\n" CLOSE, filler);
    expect(ask(request), "200 OK");
}
END_TEST

START_TEST(large_body)
{
    int fd = dial(0);
    say(fd, "PUT / HTTP/1.1\r\nHost: here\r\nContent-Length: 65536\r\n" CLOSE);
    char *body = arena_alloc(arena, 65537);
    memset(body, 'a', 65536);
    say(fd, body);
    expect(read_all(fd), "body=65536");
    close(fd);
}
END_TEST

START_TEST(large_chunk)
{
    int fd = dial(0);
    say(fd, "PUT / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\n");
    char *body = arena_alloc(arena, 0x20001);
    memset(body, 'a', 0x20000);
    say(fd, body);
    char *answer = read_all(fd);
    expect(answer, "413 ");
    expect(answer, "{\"host\":\"here\"");
    expect(answer, "Connection: close");
    close(fd);
}
END_TEST

START_TEST(loops_and_rights)
{
    for (size_t i = 0; i < 2; i++) {
        char path[128];
        struct stat st;
        snprintf(path, sizeof path, "%s/http-%zu.sock", directory, i);
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_int_eq(st.st_mode & 0777, 0660);
        int fd = dial(i);
        say(fd, "GET / HTTP/1.1\r\nHost: here\r\n" CLOSE);
        expect(read_all(fd), "200 OK");
        close(fd);
    }
}
END_TEST

Suite *suite_server(void);
Suite *suite_server(void)
{
    Suite *suite = suite_create("server");
    TCase *tcase = tcase_create("wire");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, on_the_wire, 0, sizeof wire / sizeof wire[0]);
    tcase_add_test(tcase, pipelining);
    tcase_add_test(tcase, long_answer);
    tcase_add_test(tcase, large_head);
    tcase_add_test(tcase, large_body);
    tcase_add_test(tcase, large_chunk);
    tcase_add_test(tcase, loops_and_rights);
    suite_add_tcase(suite, tcase);
    return suite;
}
