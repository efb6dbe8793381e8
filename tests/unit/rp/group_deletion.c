// The steps of a group's deletion with a type that refuses: what is tried again, in which order, and how it
// ends. (Over the wire: tests/wire/test_groups.py.)
#include "arm/asynchronous.h"
#include "arm/group_delete.h"
#include "arm/resource.h"
#include "base/arena.h"
#include "registry_fixture.h"

#include <stdlib.h>
#include <string.h>

Suite *suite_group_deletion(void);

static struct db_connection *connection;
static char deleted[512]; // the scopes' last segments, in the order of deletion
static int refusals;      // of "b" that are still to come
static const char *const refused = "b";

static const char *last_segment(struct text scope)
{
    static char name[64];
    ptrdiff_t slash = text_rfind(scope, '/');
    snprintf(name, sizeof name, "%.*s", TEXT_ARG(text_slice(scope, (size_t)slash + 1, scope.length)));
    return name;
}

static const char *refuse(struct db_transaction *tx, int64_t resource_id, struct text scope)
{
    (void)tx, (void)resource_id;
    return strcmp(last_segment(scope), refused) == 0 && refusals-- > 0 ? "It is in use." : NULL;
}

static void delete_row(struct db_transaction *tx, int64_t resource_id, struct text scope)
{
    (void)tx, (void)resource_id;
    strcat(deleted, last_segment(scope));
}

static const struct arm_type parrots = {.namespace_name = "Test.Parrots",
                                        .name = "parrots",
                                        .tracked = true,
                                        .delete_row = delete_row,
                                        .delete_refusal = refuse};
static const struct arm_type feathers = {.namespace_name = "Test.Parrots",
                                         .name = "parrots/feathers",
                                         .tracked = true,
                                         .delete_row = delete_row,
                                         .delete_refusal = refuse};

static void set_up(void)
{
    static bool registered;
    if (!registered) {
        arm_register_type(&parrots);
        arm_register_type(&feathers);
    }
    registered = true;
    deleted[0] = '\0';
    refusals = 0;
    connection = registry_fixture_connect();
    registry_fixture_sql("delete from arm.resource where type_key like 'test.%%'");
    registry_fixture_sql("delete from arm.resource_group where name_key = 'cage'");
    registry_fixture_sql(
        "insert into arm.resource_group (subscription_id, name, name_key, location, state) "
        "select subscription_id, 'cage', 'cage', 'local', 'Deleting' from arm.subscription limit 1");
}

static void tear_down(void)
{
    db_connection_free(connection);
}

static void add(const char *type, const char *name)
{
    registry_fixture_sql(
        "insert into arm.resource (group_id, subscription_id, type, type_key, name, name_key, location) "
        "select id, subscription_id, '%s', lower('%s'), '%s', '%s', 'local' from arm.resource_group "
        "where name_key = 'cage'",
        type, type, name, name);
}

struct run {
    struct arena *arena;
    struct job job;
    struct job_step step;
    enum job_verdict verdict;
};

static bool run_step(struct db_transaction *tx, void *argument)
{
    struct run *run = argument;
    run->step = (struct job_step){.job = &run->job, .arena = run->arena};
    run->verdict = group_delete_step(tx, &run->step);
    run->job.result = text_copy(run->arena, run->step.result);
    return true;
}

// Until it ends; how many steps that took.
static int run_all(struct run *run)
{
    int steps = 0;
    run->arena = arena_new();
    run->job = (struct job){.id = "00000000-0000-0000-0000-0000000000aa", .kind = GROUP_DELETE_JOB};
    long group = registry_fixture_number("select id from arm.resource_group where name_key = 'cage'");
    run->job.payload = text_of(arena_printf(run->arena, "{\"group\":\"%ld\"}", group));
    do {
        ck_assert_int_lt(++steps, 50);
        ck_assert_int_eq(db_transact(connection, run_step, run), DB_COMMITTED);
    } while (run->verdict == JOB_AGAIN || run->verdict == JOB_WAIT);
    return steps;
}

static bool result_has(const struct run *run, const char *what)
{
    return text_search(run->job.result, text_of(what)) >= 0;
}

START_TEST(children_go_first)
{
    struct run run;
    add("Test.Parrots/parrots", "a");
    add("Test.Parrots/parrots/feathers", "a/x");
    add("Test.Parrots/parrots", "c");
    run_all(&run);
    ck_assert_int_eq(run.verdict, JOB_DONE);
    ck_assert_str_eq(deleted, "xca"); // by type and name, from the last
    ck_assert(result_has(&run, "\"httpStatus\":200"));
    ck_assert_int_eq(
        registry_fixture_number("select count(*) from arm.resource_group where name_key = 'cage'"), 0);
    arena_free(run.arena);
}
END_TEST

START_TEST(refused_is_tried_again_while_others_go)
{
    struct run run;
    refusals = 3;
    for (int i = 0; i < 45; i++) { // three steps a pass
        char name[16];
        snprintf(name, sizeof name, "p%02d", i);
        add("Test.Parrots/parrots", i == 44 ? refused : name);
    }
    run_all(&run);
    // Refused in the first pass, with the others going; in two more without progress; then it goes.
    ck_assert_int_eq(run.verdict, JOB_DONE);
    ck_assert_int_lt(refusals, 0);
    ck_assert_int_eq(
        registry_fixture_number("select count(*) from arm.resource_group where name_key = 'cage'"), 0);
    arena_free(run.arena);
}
END_TEST

START_TEST(what_blocks_is_told_and_the_group_given_back)
{
    struct run run;
    refusals = 1000;
    add("Test.Parrots/parrots", "a");
    add("Test.Parrots/parrots", refused);
    add("Test.Parrots/parrots/feathers", "a/x");
    run_all(&run);
    ck_assert_int_eq(run.verdict, JOB_REFUSED);
    ck_assert_str_eq(deleted, "xa");
    ck_assert(result_has(&run, "\"httpStatus\":409"));
    ck_assert(result_has(&run, "\"code\":\"ResourceGroupDeletionBlocked\""));
    ck_assert(result_has(&run, "identifiers 'Test.Parrots/parrots/b' could not be deleted"));
    ck_assert(result_has(&run, "\"message\":\"It is in use.\""));
    ck_assert_int_eq(registry_fixture_number(
                         "select 1 from arm.resource_group where name_key = 'cage' and state = 'Succeeded'"),
                     1);
    arena_free(run.arena);
}
END_TEST

START_TEST(a_parent_stays_while_its_child_does)
{
    struct run run;
    refusals = 1000;
    add("Test.Parrots/parrots", "a");
    add("Test.Parrots/parrots/feathers", "a/b"); // refused by its last segment
    run_all(&run);
    ck_assert_int_eq(run.verdict, JOB_REFUSED);
    ck_assert_str_eq(deleted, "");
    ck_assert(result_has(&run, "NestedResourcesExist"));
    arena_free(run.arena);
}
END_TEST

static const struct db_statement impatient = {"test_impatient",
                                              "select set_config('lock_timeout', '50ms', true)"};
static const struct db_statement cage_share = {
    "test_cage_share",
    "select " ARM_GROUP_SHARED("g.id") "::text from arm.resource_group g where g.name_key = 'cage'"};
static const struct db_statement cage_state = {
    "test_cage_state", "update arm.resource_group set state = 'Succeeded' where name_key = 'cage'"};
static const struct db_statement cage_move = {
    "test_cage_move", "update arm.resource_group set moved_by = gen_random_uuid() where name_key = 'cage'"};
static const struct db_statement cage_tags = {
    "test_cage_tags", "update arm.resource_group set tags = '{}' where name_key = 'cage'"};
static const struct db_statement cage_remove = {"test_cage_remove",
                                                "delete from arm.resource_group where name_key = 'cage'"};
static const struct db_statement registry_resource_remove = {
    "test_resource_remove", "delete from arm.resource where id in (select id from acr.registry)"};

static bool run_impatiently(struct db_transaction *tx, void *statement)
{
    DB_RUN0(tx, &impatient);
    DB_RUN0(tx, (const struct db_statement *)statement);
    return true;
}

static enum db_outcome outcome_of(const struct db_statement *statement)
{
    return db_transact(connection, run_impatiently, (void *)(uintptr_t)statement);
}

static bool change_while_one_creates(struct db_transaction *tx, void *argument)
{
    (void)argument;
    ck_assert_uint_eq(db_rows(DB_RUN0(tx, &cage_share)), 1);
    ck_assert_int_eq(outcome_of(&cage_state), DB_UNAVAILABLE);
    ck_assert_int_eq(outcome_of(&cage_move), DB_UNAVAILABLE);
    ck_assert_int_eq(outcome_of(&cage_remove), DB_UNAVAILABLE);
    ck_assert_int_eq(outcome_of(&cage_tags), DB_COMMITTED);
    return true;
}

// What the database itself guarantees, whichever release writes (migration 0013).
START_TEST(creators_are_waited_for)
{
    struct db_connection *creator = registry_fixture_connect();
    ck_assert_int_eq(db_transact(creator, change_while_one_creates, NULL), DB_COMMITTED);
    db_connection_free(creator);
    ck_assert_int_eq(outcome_of(&cage_state), DB_COMMITTED);
}
END_TEST

START_TEST(nothing_goes_before_what_is_in_it)
{
    add("Test.Parrots/parrots", "a");
    ck_assert_int_eq(outcome_of(&cage_remove), DB_FAILED);
    ck_assert_int_eq(outcome_of(&registry_resource_remove), DB_FAILED);
    registry_fixture_sql("delete from arm.resource where type_key like 'test.%%'");
    ck_assert_int_eq(outcome_of(&cage_remove), DB_COMMITTED);
}
END_TEST

Suite *suite_group_deletion(void)
{
    Suite *suite = suite_create("group_deletion");
    TCase *tests = tcase_create("steps");
    tcase_set_timeout(tests, 60);
    tcase_add_unchecked_fixture(tests, registry_fixture_start, registry_fixture_stop);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, children_go_first);
    tcase_add_test(tests, refused_is_tried_again_while_others_go);
    tcase_add_test(tests, what_blocks_is_told_and_the_group_given_back);
    tcase_add_test(tests, a_parent_stays_while_its_child_does);
    tcase_add_test(tests, creators_are_waited_for);
    tcase_add_test(tests, nothing_goes_before_what_is_in_it);
    suite_add_tcase(suite, tests);
    return suite;
}
