// The receiver over its socket, byte by byte as the edge talks to it.
#include "rp/data/receiver.h"

#include "base/clock.h"
#include "rp/upload_fixture.h"

#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

Suite *suite_receiver(void);

static struct arena *arena;
static struct receiver *receiver;
static const char *socket_path;

static void set_up(void)
{
    arena = arena_new();
    upload_fixture_enter();
    struct db_target target = upload_fixture_target();
    socket_path = arena_printf(arena, "%s/receiver.sock", registry_fixture_config()->state);
    receiver = receiver_start(socket_path, -1, &target);
    ck_assert_ptr_nonnull(receiver);
}

static void tear_down(void)
{
    receiver_stop(receiver, 2000);
    upload_fixture_leave();
    arena_free(arena);
}

static int connect_to(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
    int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(descriptor, (struct sockaddr *)&address, sizeof address), 0);
    return descriptor;
}

static bool put(int descriptor, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t count = send(descriptor, bytes, length, MSG_NOSIGNAL);
        if (count <= 0)
            return false;
        bytes += count;
        length -= (size_t)count;
    }
    return true;
}

static void head(int descriptor, const char *method, const char *target, const char *more)
{
    const char *bytes = arena_printf(arena,
                                     "%s %s HTTP/1.1\r\nHost: edge\r\n"
                                     "X-Azsacr-Host: registry1.azsacr.local.azurestack.external\r\n"
                                     "X-Azsacr-Port: 443\r\nX-Azsacr-Client: 127.0.0.1\r\n%s\r\n",
                                     method, target, more);
    ck_assert(put(descriptor, bytes, strlen(bytes)));
}

static const char *signed_in(const char *more)
{
    return arena_printf(arena, "Authorization: %s\r\n%s", upload_fixture_authorization(), more);
}

// One whole answer (or what came before the end of the connection).
static char *answer(int descriptor)
{
    char *bytes = arena_alloc(arena, 65536);
    size_t length = 0;
    for (;;) {
        struct pollfd wait = {.fd = descriptor, .events = POLLIN};
        ck_assert_msg(poll(&wait, 1, 10000) == 1, "no answer: %s", bytes);
        ssize_t count = recv(descriptor, bytes + length, 65535 - length, 0);
        if (count <= 0)
            return bytes;
        length += (size_t)count;
        bytes[length] = '\0';
        const char *end = strstr(bytes, "\r\n\r\n"), *stated = strcasestr(bytes, "\r\nContent-Length:");
        if (end != NULL &&
            (size_t)(end + 4 - bytes) + (stated ? strtoul(stated + 17, NULL, 10) : 0) <= length)
            return bytes;
    }
}

static int status_of(const char *bytes)
{
    return strncmp(bytes, "HTTP/1.1 ", 9) == 0 ? atoi(bytes + 9) : 0;
}

static const char *field(const char *bytes, const char *name)
{
    const char *at = strcasestr(bytes, arena_printf(arena, "\r\n%s: ", name));
    if (at == NULL)
        return "";
    at += strlen(name) + 4;
    return arena_strndup(arena, at, strcspn(at, "\r"));
}

START_TEST(a_session_over_one_connection)
{
    int connection = connect_to();
    struct stat status;
    ck_assert_int_eq(stat(socket_path, &status), 0);
    ck_assert_int_eq(status.st_mode & 0777, 0660);
    const char *location = session_new(arena, "wire/app");
    head(connection, "PATCH", location, signed_in("Content-Length: 5\r\n"));
    put(connection, "hello", 5);
    char *got = answer(connection);
    ck_assert_int_eq(status_of(got), 202);
    ck_assert_str_eq(field(got, "Range"), "0-4");
    ck_assert_str_eq(field(got, "Docker-Distribution-Api-Version"), "registry/2.0");
    ck_assert_str_eq(field(got, "Connection"), "");
    head(connection, "PATCH", field(got, "Location"), signed_in("Transfer-Encoding: chunked\r\n"));
    static const char chunks[] = "3\r\n wo\r\n3\r\nrld\r\n0\r\n\r\n";
    put(connection, chunks, sizeof chunks - 1);
    got = answer(connection);
    ck_assert_int_eq(status_of(got), 202);
    ck_assert_str_eq(field(got, "Range"), "0-10");
    location = field(got, "Location");
    head(connection, "GET", location, signed_in(""));
    got = answer(connection);
    ck_assert_int_eq(status_of(got), 204);
    ck_assert_str_eq(field(got, "Range"), "0-10");
    ck_assert_str_eq(field(got, "Content-Length"), "");
    head(connection, "PUT", with_digest(arena, location, TEXT("hello world")),
         signed_in("Content-Length: 0\r\n"));
    got = answer(connection);
    ck_assert_int_eq(status_of(got), 201);
    ck_assert_str_eq(field(got, "Docker-Content-Digest"), digest_text(arena, TEXT("hello world")).base);
    close(connection);
}
END_TEST

START_TEST(a_refusal_from_the_headers_stops_the_body)
{
    const char *location = session_new(arena, "wire");
    int connection = connect_to();
    head(connection, "PATCH", location, "Content-Length: 1000000000\r\n");
    char *got = answer(connection);
    ck_assert_int_eq(status_of(got), 401);
    ck_assert_ptr_nonnull(strstr(field(got, "WWW-Authenticate"), "scope=\"repository:wire:pull,push\""));
    ck_assert_str_eq(field(got, "Connection"), "close");
    close(connection);
    // Without a body the connection lives on.
    connection = connect_to();
    head(connection, "GET", location, "");
    got = answer(connection);
    ck_assert_int_eq(status_of(got), 401);
    head(connection, "GET", location, signed_in(""));
    ck_assert_int_eq(status_of(answer(connection)), 204);
    close(connection);
}
END_TEST

START_TEST(a_refusal_in_mid_body_reaches_the_client)
{
    enum { PIECE = 1 << 16 };
    registry_fixture_sql("update acr.registry set quota_bytes = 1000000 where id = 1");
    const char *location = session_new(arena, "wire");
    int connection = connect_to();
    head(connection, "PATCH", location, signed_in("Transfer-Encoding: chunked\r\n"));
    char *piece = arena_alloc(arena, PIECE + 16);
    memset(piece, 'x', PIECE + 16);
    memcpy(piece, "10000\r\n", 7);
    memcpy(piece + 7 + PIECE, "\r\n", 2);
    struct pollfd wait = {.fd = connection, .events = POLLIN};
    int sent = 0;
    while (sent < 400 && poll(&wait, 1, 0) == 0 && put(connection, piece, PIECE + 9))
        sent++;
    char *got = answer(connection);
    ck_assert_int_eq(status_of(got), 405);
    ck_assert_ptr_nonnull(strstr(got, "REGISTRY_DISALLOWED_OPERATION"));
    ck_assert_ptr_nonnull(strstr(got, "1000000"));
    ck_assert_int_lt(sent, 400);
    put(connection, piece, PIECE + 9); // what still comes is dropped, without harm
    put(connection, "0\r\n\r\n", 5);
    close(connection);
    struct sent *status = send_text("GET", location, NULL, NULL);
    ck_assert_str_eq(sent_header(status, "Range"), "0-0");
    sent_free(status);
    registry_fixture_sql("update acr.registry set quota_bytes = null where id = 1");
}
END_TEST

// Until the session has that range: what was sent has reached the file.
static void wait_for_range(const char *location, const char *range)
{
    bool there = false;
    for (int i = 0; i < 500 && !there; i++) {
        struct sent *status = send_text("GET", location, NULL, NULL);
        there = strcmp(sent_header(status, "Range"), range) == 0;
        sent_free(status);
        usleep(10000);
    }
    ck_assert(there);
}

START_TEST(a_client_that_vanishes_leaves_what_it_sent)
{
    const char *location = session_new(arena, "wire");
    int connection = connect_to();
    head(connection, "PATCH", location, signed_in("Content-Length: 100\r\n"));
    put(connection, "abcdef", 6);
    wait_for_range(location, "0-5");
    close(connection);
    usleep(200000);
    struct sent *closed = send_text("PUT", with_digest(arena, location, TEXT("abcdefghi")), "6-8", "ghi");
    ck_assert_int_eq(closed->answer.status, 201);
    sent_free(closed);
}
END_TEST

START_TEST(malformed_requests)
{
    static const struct {
        const char *method, *target, *more;
        int status;
    } rows[] = {
        {"PATCH", "/v2/a/../b/blobs/uploads/x", "Content-Length: 1\r\n", 400},
        {"PATCH", "/v2/a/%2e%2e/blobs/uploads/x", "Content-Length: 1\r\n", 400},
        {"PATCH", "/v2/a/%zz/blobs/uploads/x", "Content-Length: 1\r\n", 400},
        {"PATCH", "/v2//a/blobs/uploads/x", "Content-Length: 1\r\n", 400},
        {"PATCH", "/v2/a/blobs/uploads/x?_state=%f", "Content-Length: 1\r\n", 400},
        {"PATCH", "/v2/blobs/uploads/x", "Content-Length: 1\r\n", 404},
        {"PATCH", "/v2/a/blobs/uploads/", "Content-Length: 1\r\n", 405},
        {"PUT", "/v2/a/blobs/uploads/x?digest=nonsense", "Content-Length: 1\r\n", 400},
        {"OPTIONS", "/v2/a/blobs/uploads/x", "", 405},
        {"PROPFIND", "/v2/a/blobs/uploads/x", "", 501},
        {"GET", "/v2/a/blobs/uploads/0a1b2c3d-0000-4000-8000-000000000001", "", 401},
        {"GET", "/", "", 404},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int connection = connect_to();
        head(connection, rows[i].method, rows[i].target, rows[i].more);
        char *got = answer(connection);
        ck_assert_msg(status_of(got) == rows[i].status, "%s %s: %s", rows[i].method, rows[i].target, got);
        ck_assert_ptr_nonnull(strstr(got, "\"errors\":["));
        close(connection);
    }
    int connection = connect_to();
    char *long_target = arena_alloc(arena, 100001);
    memset(long_target, 'a', 100000);
    long_target[0] = '/';
    head(connection, "GET", long_target, "");
    ck_assert_int_ge(status_of(answer(connection)), 400);
    close(connection);
}
END_TEST

static void *hold_open(void *argument)
{
    int connection = *(int *)argument;
    usleep(400000);
    put(connection, "f", 1);
    return NULL;
}

START_TEST(a_stop_waits_for_uploads)
{
    const char *location = session_new(arena, "wire");
    int connection = connect_to();
    head(connection, "PATCH", location, signed_in("Content-Length: 6\r\n"));
    put(connection, "abcde", 5);
    wait_for_range(location, "0-4");
    pthread_t thread;
    pthread_create(&thread, NULL, hold_open, &connection);
    receiver_stop(receiver, 5000);
    receiver = NULL;
    pthread_join(thread, NULL);
    ck_assert_int_eq(status_of(answer(connection)), 202);
    close(connection);
}
END_TEST

START_TEST(a_busy_session_is_refused)
{
    const char *location = session_new(arena, "wire");
    int first = connect_to(), second = connect_to();
    head(first, "PATCH", location, signed_in("Content-Length: 6\r\n"));
    put(first, "abc", 3);
    wait_for_range(location, "0-2");
    int64_t began = clock_monotonic();
    head(second, "PATCH", location, signed_in("Content-Length: 3\r\n"));
    put(second, "xyz", 3);
    ck_assert_int_eq(status_of(answer(second)), 409);
    ck_assert_int_ge(clock_monotonic() - began, 1900000);
    put(first, "def", 3);
    ck_assert_int_eq(status_of(answer(first)), 202);
    close(first);
    close(second);
}
END_TEST

Suite *suite_receiver(void)
{
    Suite *suite = suite_create("receiver");
    TCase *tests = tcase_create("socket");
    tcase_set_timeout(tests, 60);
    tcase_add_unchecked_fixture(tests, upload_fixture_start, upload_fixture_stop);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_session_over_one_connection);
    tcase_add_test(tests, a_refusal_from_the_headers_stops_the_body);
    tcase_add_test(tests, a_refusal_in_mid_body_reaches_the_client);
    tcase_add_test(tests, a_client_that_vanishes_leaves_what_it_sent);
    tcase_add_test(tests, malformed_requests);
    tcase_add_test(tests, a_busy_session_is_refused);
    tcase_add_test(tests, a_stop_waits_for_uploads);
    suite_add_tcase(suite, tests);
    return suite;
}
