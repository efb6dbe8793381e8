// Lines of the log: which of them name the request that the thread is at work for.
#include "base/log.h"

#include <check.h>
#include <string.h>
#include <unistd.h>

// What `write_lines` writes to the log.
static void captured(void (*write_lines)(void), char *lines, size_t size)
{
    int ends[2], kept = dup(STDERR_FILENO);
    ck_assert_int_eq(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    write_lines();
    dup2(kept, STDERR_FILENO);
    close(kept);
    ssize_t count = read(ends[0], lines, size - 1);
    close(ends[0]);
    lines[count > 0 ? count : 0] = '\0';
}

static void write_three(void)
{
    log_error("before");
    log_about("the-request");
    log_error("about", "key", "value", "absent", (const char *)NULL);
    log_about("");
    log_error("unknown");
    log_about(NULL);
    log_error("after");
}

START_TEST(lines_name_the_request)
{
    char lines[2000], *line[4], *rest = lines;
    captured(write_three, lines, sizeof lines);
    for (int i = 0; i < 4; i++)
        ck_assert_ptr_nonnull(line[i] = strsep(&rest, "\n"));
    ck_assert_ptr_nonnull(
        strstr(line[1], "\"event\":\"about\",\"key\":\"value\",\"correlation\":\"the-request\"}"));
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(strstr(line[i], "correlation") != NULL, i == 1);
}
END_TEST

Suite *suite_log(void);
Suite *suite_log(void)
{
    Suite *suite = suite_create("log");
    TCase *tcase = tcase_create("log");
    tcase_add_test(tcase, lines_name_the_request);
    suite_add_tcase(suite, tcase);
    return suite;
}
