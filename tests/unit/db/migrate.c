// Migrations: applied once, in order; what does not fit is refused with its name.
#include "fixture.h"

#include "base/arena.h"
#include "db/migrate.h"

#include <pthread.h>
#include <string.h>

static const struct db_migration one[] = {{9001, "9001_one", "create table m_one (a int)"}, {0, NULL, NULL}};

static void *migrate_again(void *result)
{
    struct arena *arena = arena_new();
    const char *why = NULL;
    *(bool *)result = db_migrate(fixture_conninfo(), arena, &why);
    arena_free(arena);
    return NULL;
}

START_TEST(twice)
{
    long before = fixture_number("select count(*) from public.azsacr_schema");
    ck_assert_int_gt(before, 0);
    bool first = false, second = false;
    pthread_t thread;
    pthread_create(&thread, NULL, migrate_again, &first);
    migrate_again(&second);
    pthread_join(thread, NULL);
    ck_assert(first && second);
    ck_assert_int_eq(fixture_number("select count(*) from public.azsacr_schema"), before);
}
END_TEST

START_TEST(unknown_newer)
{
    struct arena *arena = arena_new();
    const char *why = NULL;
    ck_assert(!db_migrate_with(fixture_conninfo(), one, arena, &why));
    ck_assert_ptr_nonnull(strstr(why, "0001_foundation"));
    arena_free(arena);
}
END_TEST

START_TEST(tampered)
{
    struct arena *arena = arena_new();
    const char *why = NULL;
    fixture_admin_sql("create database tampered owner azsacr");
    char conninfo[512];
    strcpy(conninfo, fixture_conninfo());
    strcpy(strstr(conninfo, "dbname="), "dbname=tampered");
    ck_assert_msg(db_migrate_with(conninfo, one, arena, &why), "%s", why);
    const struct db_migration changed[] = {{9001, "9001_one", "create table m_one (a bigint)"},
                                           {0, NULL, NULL}};
    ck_assert(!db_migrate_with(conninfo, changed, arena, &why));
    ck_assert_ptr_nonnull(strstr(why, "9001_one"));
    // One that fails leaves nothing of itself, and what came before it stays.
    const struct db_migration bad[] = {one[0],
                                       {9002, "9002_good", "create table m_two (a int)"},
                                       {9003, "9003_bad", "create table m_three (a int); select 1 / 0"},
                                       {0, NULL, NULL}};
    ck_assert(!db_migrate_with(conninfo, bad, arena, &why));
    ck_assert_ptr_nonnull(strstr(why, "9003_bad"));
    const struct db_migration mended[] = {
        bad[0], bad[1], {9003, "9003_bad", "create table m_three (a int)"}, {0, NULL, NULL}};
    ck_assert_msg(db_migrate_with(conninfo, mended, arena, &why), "%s", why);
    ck_assert(!db_migrate_with("host=/nowhere dbname=x", one, arena, &why));
    ck_assert(!db_migrate_with("no such keyword", one, arena, &why));
    fixture_admin_sql("drop database tampered");
    arena_free(arena);
}
END_TEST

Suite *suite_migrate(void)
{
    Suite *suite = suite_create("migrate");
    TCase *tests = tcase_create("migrate");
    tcase_add_test(tests, twice);
    tcase_add_test(tests, unknown_newer);
    tcase_add_test(tests, tampered);
    suite_add_tcase(suite, tests);
    return suite;
}
