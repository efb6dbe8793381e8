// The directory store: sessions' locks, appending, cutting back, publishing, linking, removing, walking.
#include "rp/data/store.h"

#include "base/arena.h"
#include "base/clock.h"

#include <check.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

Suite *suite_store(void);

static struct arena *arena;
static char directory[] = "/tmp/azsacr-store-XXXXXX";
static const char one[] = "0a1b2c3d-0000-4000-8000-000000000001",
                  two[] = "0a1b2c3d-0000-4000-8000-000000000002";

static void set_up(void)
{
    const char *why = NULL;
    arena = arena_new();
    strcpy(directory + sizeof directory - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert(store_open(arena_printf(arena, "%s/store", directory), &why, arena));
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}

static void tear_down(void)
{
    nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    arena_free(arena);
}

static struct store_file *begin(const char *id)
{
    struct store_file *file;
    ck_assert_int_eq(store_begin(id, true, &file), STORE_OK);
    return file;
}

START_TEST(appends_and_reads_back)
{
    struct store_file *file = begin(one);
    char bytes[5];
    ck_assert_int_eq(store_append(file, "hello", 5), STORE_OK);
    ck_assert_int_eq(store_append(file, " world", 6), STORE_OK);
    ck_assert_int_eq(store_size(file), 11);
    ck_assert_int_eq(store_read(file, 6, bytes, 5), 5);
    ck_assert_mem_eq(bytes, "world", 5);
    ck_assert_int_eq(store_truncate(file, 5), STORE_OK);
    ck_assert_int_eq(store_append(file, "!", 1), STORE_OK);
    ck_assert_int_eq(store_sync(file), STORE_OK);
    store_end(file);
    int64_t size;
    ck_assert_int_eq(store_stat(one, &size), STORE_OK);
    ck_assert_int_eq(size, 6);
    ck_assert_int_eq(store_stat(two, &size), STORE_ABSENT);
    ck_assert_int_eq(store_begin(two, false, &file), STORE_ABSENT);
    ck_assert_ptr_null(file);
}
END_TEST

START_TEST(lets_the_edge_read)
{
    mode_t before = umask(077);
    store_end(begin(one));
    umask(before);
    struct stat status;
    ck_assert_int_eq(stat(arena_printf(arena, "%s/store/0a/%s", directory, one), &status), 0);
    ck_assert_int_eq(status.st_mode & 07777, 0640);
    ck_assert_int_eq(stat(arena_printf(arena, "%s/store/0a", directory), &status), 0);
    ck_assert_int_eq(status.st_mode & 07777, 02750);
    ck_assert(text_is(store_address(arena, one), "/_store/0a/0a1b2c3d-0000-4000-8000-000000000001"));
}
END_TEST

START_TEST(a_made_file_is_locked_before_it_has_a_name)
{
    struct store_file *file, *other;
    mode_t before = umask(077);
    ck_assert(store_make(one, &file));
    umask(before);
    ck_assert_int_eq(store_size(file), 0);
    ck_assert_int_eq(store_try(one, &other), STORE_BUSY);
    ck_assert(!store_make(one, &other));
    ck_assert_ptr_null(other);
    ck_assert_int_eq(store_append(file, "abc", 3), STORE_OK);
    ck_assert_int_eq(store_sync(file), STORE_OK);
    store_end(file);
    ck_assert(!store_make(one, &other)); // the name was given once
    struct stat status;
    ck_assert_int_eq(stat(arena_printf(arena, "%s/store/0a/%s", directory, one), &status), 0);
    ck_assert_int_eq(status.st_mode & 07777, 0640);
    ck_assert_int_eq(status.st_size, 3);
    ck_assert_int_eq(status.st_nlink, 1);
}
END_TEST

START_TEST(one_sync_of_a_directory_serves_what_was_named_before)
{
    struct store_file *file, *again;
    char first[37], second[37];
    store_new_id(first);
    store_new_id(second);
    ck_assert(uuid_is(text_of(first)) && uuid_is(text_of(second)));
    ck_assert_str_ne(first + 2, second + 2);
    ck_assert(store_make(first, &file));
    int64_t named_at = store_named_at(file);
    ck_assert_int_gt(named_at, 0);
    ck_assert_int_eq(store_sync(file), STORE_OK);
    ck_assert_int_eq(store_sync(file), STORE_OK);
    store_end(file);
    ck_assert_int_eq(store_try(first, &again), STORE_OK);
    ck_assert_int_eq(store_named_at(again), 0); // not known any more: synced all the same
    ck_assert_int_eq(store_sync(again), STORE_OK);
    // Where the directory cannot be synced, only what a sync served already goes on without.
    store_set_named_at(again, named_at);
    nftw(arena_printf(arena, "%s/store", directory), remove_one, 16, FTW_DEPTH | FTW_PHYS);
    ck_assert_int_eq(store_sync(again), STORE_OK);
    store_set_named_at(again, clock_monotonic());
    ck_assert_int_eq(store_sync(again), STORE_FAILED);
    store_set_named_at(again, 0);
    ck_assert_int_eq(store_sync(again), STORE_FAILED);
    store_end(again);
}
END_TEST

START_TEST(refuses_names_that_are_no_ids)
{
    static const char *const bad[] = {"", "..", "../../../../etc/passwd",
                                      "0A1B2C3D-0000-4000-8000-000000000001",
                                      "0a1b2c3d-0000-4000-8000-00000000000/"};
    struct store_file *file;
    int64_t size;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_int_eq(store_begin(bad[i], true, &file), STORE_ABSENT);
        ck_assert_int_eq(store_stat(bad[i], &size), STORE_ABSENT);
        ck_assert_ptr_null(store_address(arena, bad[i]).base);
    }
}
END_TEST

static void *second(void *argument)
{
    struct store_file *file;
    enum store_fault *fault = argument;
    *fault = store_begin(one, false, &file);
    store_end(file);
    return NULL;
}

START_TEST(locks_a_session_against_other_threads)
{
    struct store_file *file = begin(one);
    enum store_fault fault = STORE_OK;
    pthread_t thread;
    pthread_create(&thread, NULL, second, &fault);
    pthread_join(thread, NULL);
    ck_assert_int_eq(fault, STORE_BUSY); // after its two seconds
    pthread_create(&thread, NULL, second, &fault);
    usleep(200000);
    store_end(file);
    pthread_join(thread, NULL);
    ck_assert_int_eq(fault, STORE_OK);
}
END_TEST

static void *waiter_of_removed(void *argument)
{
    return second(argument);
}

START_TEST(a_file_removed_while_waiting_is_absent)
{
    struct store_file *file = begin(one);
    enum store_fault fault = STORE_OK;
    pthread_t thread;
    pthread_create(&thread, NULL, waiter_of_removed, &fault);
    usleep(200000);
    ck_assert_int_eq(store_remove(one), STORE_OK);
    store_end(file);
    pthread_join(thread, NULL);
    ck_assert_int_eq(fault, STORE_ABSENT);
}
END_TEST

START_TEST(links_and_removes)
{
    struct store_file *file = begin(one);
    int64_t size;
    ck_assert_int_eq(store_append(file, "abc", 3), STORE_OK);
    store_end(file);
    ck_assert_int_eq(store_link(one, two), STORE_OK);
    ck_assert_int_eq(store_remove(one), STORE_OK);
    ck_assert_int_eq(store_remove(one), STORE_OK); // absent is well
    ck_assert_int_eq(store_stat(two, &size), STORE_OK);
    ck_assert_int_eq(size, 3);
    ck_assert_int_eq(store_link(one, "0a1b2c3d-0000-4000-8000-000000000003"), STORE_ABSENT);
}
END_TEST

static bool count(const char *id, int64_t size, void *argument)
{
    int64_t *sums = argument;
    ck_assert(uuid_is(text_of(id)));
    sums[0]++;
    sums[1] += size;
    return true;
}

START_TEST(walks_every_file)
{
    static const char *const ids[] = {"00112233-0000-4000-8000-000000000001",
                                      "00112233-0000-4000-8000-000000000002",
                                      "ff112233-0000-4000-8000-000000000003"};
    for (int i = 0; i < 3; i++) {
        struct store_file *file = begin(ids[i]);
        ck_assert_int_eq(store_append(file, "xy", 2), STORE_OK);
        store_end(file);
    }
    int64_t sums[2] = {0, 0};
    store_enumerate(count, sums);
    ck_assert_int_eq(sums[0], 3);
    ck_assert_int_eq(sums[1], 6);
}
END_TEST

START_TEST(a_long_stream_starts_write_back)
{
    enum { PIECE = 1 << 20, PIECES = 20 };
    struct store_file *file = begin(one);
    char *piece = xcalloc(1, PIECE);
    for (int i = 0; i < PIECES; i++)
        ck_assert_int_eq(store_append(file, piece, PIECE), STORE_OK);
    ck_assert_int_eq(store_size(file), (int64_t)PIECES * PIECE);
    ck_assert_int_eq(store_sync(file), STORE_OK);
    store_end(file);
    free(piece);
}
END_TEST

Suite *suite_store(void)
{
    Suite *suite = suite_create("store");
    TCase *tests = tcase_create("directory");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, appends_and_reads_back);
    tcase_add_test(tests, lets_the_edge_read);
    tcase_add_test(tests, a_made_file_is_locked_before_it_has_a_name);
    tcase_add_test(tests, one_sync_of_a_directory_serves_what_was_named_before);
    tcase_add_test(tests, refuses_names_that_are_no_ids);
    tcase_add_test(tests, locks_a_session_against_other_threads);
    tcase_add_test(tests, a_file_removed_while_waiting_is_absent);
    tcase_add_test(tests, links_and_removes);
    tcase_add_test(tests, walks_every_file);
    tcase_add_test(tests, a_long_stream_starts_write_back);
    suite_add_tcase(suite, tests);
    return suite;
}
