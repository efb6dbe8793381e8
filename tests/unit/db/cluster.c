// The private cluster: prepared twice it is left as it is, and a half-made one is made anew.
#include "fixture.h"

#include "base/arena.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

START_TEST(twice)
{
    struct arena *arena = arena_new();
    const char *why = NULL;
    ck_assert_int_gt(cluster_postmaster(fixture_config()), 0);
    ck_assert_msg(cluster_prepare(fixture_config(), arena, &why), "%s", why);
    ck_assert_msg(cluster_create_database(fixture_config(), arena, &why), "%s", why);
    ck_assert(cluster_ready(fixture_config()));
    ck_assert_int_eq(fixture_number("select count(*) from pg_database where datname = 'azsacr'"), 1);
    ck_assert_int_eq(
        fixture_number("select 1 where current_setting('data_checksums') = 'on' and "
                       "current_setting('listen_addresses') = '' and current_setting('jit') = 'off'"),
        1);
    arena_free(arena);
}
END_TEST

START_TEST(half_made)
{
    struct arena *arena = arena_new();
    char *directory = arena_strdup(arena, "/tmp/azsacr-unit-half-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    struct config config = {.state = directory, .runtime = arena_printf(arena, "%s/it's run", directory)};
    const char *half = arena_printf(arena, "%s/pgdata.new", directory);
    ck_assert_int_eq(mkdir(half, 0700), 0);
    int fd = open(arena_printf(arena, "%s/PG_VERSION", half), O_CREAT | O_WRONLY, 0600);
    ck_assert_int_ge(fd, 0);
    close(fd);
    const char *why = NULL;
    ck_assert_msg(cluster_prepare(&config, arena, &why), "%s", why);
    ck_assert_int_ne(access(half, F_OK), 0);
    ck_assert_int_eq(access(arena_printf(arena, "%s/pgdata/PG_VERSION", directory), F_OK), 0);
    // The operator's own settings have their file from the start, and keep what is in it.
    const char *local = arena_printf(arena, "%s/pgdata/local.conf", directory);
    fd = open(local, O_WRONLY | O_TRUNC);
    ck_assert_int_eq(write(fd, "jit = on\n", 9), 9);
    close(fd);
    ck_assert_msg(cluster_prepare(&config, arena, &why), "%s", why);
    struct stat st;
    ck_assert_int_eq(stat(local, &st), 0);
    ck_assert_int_eq(st.st_size, 9);
    ck_assert_int_eq(cluster_postmaster(&config), 0);
    ck_assert(!cluster_ready(&config));
    ck_assert(!cluster_create_database(&config, arena, &why));
    ck_assert_int_eq(system(arena_printf(arena, "rm -rf '%s'", directory)), 0);
    arena_free(arena);
}
END_TEST

Suite *suite_cluster(void)
{
    Suite *suite = suite_create("cluster");
    TCase *tests = tcase_create("cluster");
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, twice);
    tcase_add_test(tests, half_made);
    suite_add_tcase(suite, tests);
    return suite;
}
