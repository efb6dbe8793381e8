// Snapshots against a real database: following deltas gives what reading everything gives, after every
// change.
#include "changes.h"
#include "fixture.h"

#include "base/arena.h"
#include "base/clock.h"
#include "rbac/keys.h"
#include "rbac/roles.h"
#include "rbac/snapshot_data.h"
#include "support/rounds.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PRINCIPALS = 8, SCOPES = 12, ROLES = 4, ASSIGNMENTS = 60, LIMIT_MS = 5000 };
// The sanitizer of threads takes minutes for what others do in seconds.
#ifdef __SANITIZE_THREAD__
enum { MANY = 20000 };
#else
enum { MANY = 100000 };
#endif

static char principals[PRINCIPALS][37], assignments[ASSIGNMENTS][37], subscriptions[2][37],
    scopes[SCOPES][200];
static char roles[ROLES][37];
static unsigned state_of_random;

static unsigned any(unsigned below)
{
    state_of_random = state_of_random * 1664525 + 1013904223;
    return (state_of_random >> 8) % below;
}

static void make_universe(unsigned seed)
{
    state_of_random = seed;
    for (unsigned i = 0; i < PRINCIPALS; i++)
        snprintf(principals[i], 37, "aaaaaaaa-0000-4000-8000-%012u", i);
    for (unsigned i = 0; i < ASSIGNMENTS; i++)
        snprintf(assignments[i], 37, "bbbbbbbb-0000-4000-8000-%012u", i);
    for (unsigned i = 0; i < ROLES; i++)
        snprintf(roles[i], 37, "cccccccc-0000-4000-8000-%012u", i);
    for (unsigned i = 0; i < 2; i++)
        snprintf(subscriptions[i], 37, "dddddddd-0000-4000-8000-%012u", i);
    strcpy(scopes[0], "/");
    for (unsigned i = 1; i < SCOPES; i++) {
        int at = snprintf(scopes[i], sizeof scopes[i], "/subscriptions/%s", subscriptions[i % 2]);
        if (i > 2)
            at += snprintf(scopes[i] + at, sizeof scopes[i] - (size_t)at, "/resourceGroups/RG%u", i % 4);
        if (i > 6)
            snprintf(scopes[i] + at, sizeof scopes[i] - (size_t)at,
                     "/providers/Microsoft.ContainerRegistry/registries/my reg%u", i);
    }
}

static const char *const permissions[] = {
    "[{\"actions\":[\"*\"],\"notActions\":[]}]",
    "[{\"actions\":[\"*/read\"],\"notActions\":[]}]",
    "[{\"actions\":[\"*\"],\"notActions\":[\"*/write\"]}]",
    "[]",
};

static bool run_begin(struct db_transaction *tx, void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < ROLES; i++)
        put_role(tx, roles[i], permissions[i]);
    for (unsigned i = 0; i < PRINCIPALS; i++)
        add_principal(tx, principals[i], principals[i], true);
    return true;
}

// One to three random changes, in one transaction. The choice is made before: a transaction may run twice.
struct change {
    unsigned kind, principal, scope, assignment, role, permission;
};
static struct change random_change(void)
{
    return (struct change){any(24), any(PRINCIPALS), any(SCOPES), any(ASSIGNMENTS), any(ROLES), any(4)};
}

static bool run_change(struct db_transaction *tx, void *argument)
{
    const struct change *changes = argument;
    char upn[64];
    for (unsigned i = 0; i < 3; i++) {
        const struct change *c = &changes[i];
        const char *principal = principals[c->principal];
        snprintf(upn, sizeof upn, "%s-%u", principal, c->permission);
        if (c->kind < 10)
            add_assignment(tx, scopes[c->scope], assignments[c->assignment], principal, roles[c->role]);
        else if (c->kind < 14)
            remove_assignment(tx, scopes[c->scope], assignments[c->assignment]);
        else if (c->kind == 14 && c->scope > 0)
            assignments_delete_below(tx, text_of(scopes[c->scope]));
        else if (c->kind == 15)
            put_role(tx, roles[c->role], permissions[c->permission]);
        else if (c->kind == 16)
            add_principal(tx, principal, upn, c->permission > 0);
        else if (c->kind == 17)
            remove_principal(tx, principal);
        else if (c->kind == 18)
            add_subscription(tx, subscriptions[c->scope % 2]);
        else if (c->kind == 19 && c->permission == 0)
            rbac_keys_ensure(tx);
        else if (c->kind >= 20 && c->scope > 0 && c->permission > 0)
            put_lock(tx, scopes[c->scope], c->assignment % 2 ? "a" : "b", c->permission > 1);
        else if (c->kind >= 20)
            remove_lock(tx, scopes[c->scope], c->assignment % 2 ? "a" : "b");
    }
    return true;
}

static bool run_version(struct db_transaction *tx, void *argument)
{
    return rbac_version_read(tx, argument);
}

static const struct rbac_snapshot *caught_up(void)
{
    struct rbac_version version;
    fixture_commit(run_version, &version);
    const struct rbac_snapshot *snapshot = rbac_snapshot_wait(&version, LIMIT_MS);
    ck_assert_ptr_nonnull(snapshot);
    return snapshot;
}

static bool run_build(struct db_transaction *tx, void *argument)
{
    struct rbac_snapshot **built = argument;
    return (*built = snapshot_load(tx, NULL)) != NULL;
}

static void same_grant(const struct rbac_snapshot *a, const struct rbac_snapshot *b, const char *principal,
                       const char *scope)
{
    const struct grant_item *x = snapshot_grant(a, text_of(principal), text_of(scope));
    const struct grant_item *y = snapshot_grant(b, text_of(principal), text_of(scope));
    ck_assert_msg((x == NULL) == (y == NULL), "%s at %s", principal, scope);
    if (x) {
        ck_assert_uint_eq(x->below, y->below);
        ck_assert_uint_eq(x->count, y->count);
    }
    static const char *const actions[] = {"A/b/read", "A/b/write", "A/b/go/action"};
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(rbac_may(a, principal, actions[i], text_of(scope)),
                         rbac_may(b, principal, actions[i], text_of(scope)));
    ck_assert_int_eq(rbac_has_any(a, principal, text_of(scope)), rbac_has_any(b, principal, text_of(scope)));
}

static void same_lock(const struct rbac_snapshot *a, const struct rbac_snapshot *b, const char *scope)
{
    const struct rbac_lock *x = rbac_lock_at(a, text_of(scope)), *y = rbac_lock_at(b, text_of(scope));
    ck_assert_msg((x == NULL) == (y == NULL), "%s", scope);
    if (x) {
        ck_assert_uint_eq(x->below, y->below);
        ck_assert_int_eq(x->read_only, y->read_only);
        ck_assert(text_equal(x->scope, y->scope));
    }
    long below = fixture_number("select count(distinct scope_key) from arm.lock"
                                " where starts_with(scope_key, lower('%s') || '/')",
                                scope);
    ck_assert_int_eq(x ? (long)x->below : 0, below);
    ck_assert_int_eq(x && x->scope.base,
                     fixture_number("select count(*) from arm.lock where scope_key = lower('%s')", scope) >
                         0);
}

// What PostgreSQL itself says: some assignment at the scope or at a whole-segment prefix of it.
static void same_as_sql(const struct rbac_snapshot *snapshot, const char *principal, const char *scope)
{
    long granted = fixture_number(
        "select count(*) from rbac.role_assignment a join rbac.principal p on p.object_id = a.principal_id"
        " where p.enabled and p.object_id = '%s' and (a.scope_key = '/' or a.scope_key = lower('%s')"
        " or starts_with(lower('%s'), a.scope_key || '/'))",
        principal, scope, scope);
    long below = fixture_number(
        "select count(*) from rbac.role_assignment a join rbac.principal p on p.object_id = a.principal_id"
        " where p.enabled and p.object_id = '%s' and starts_with(a.scope_key, lower('%s') || '/')",
        principal, strcmp(scope, "/") == 0 ? "" : scope);
    ck_assert_int_eq(rbac_has_any(snapshot, principal, text_of(scope)), granted + below > 0);
    if (granted == 0)
        ck_assert(!rbac_may(snapshot, principal, "A/b/read", text_of(scope)));
}

static void compare(const struct rbac_snapshot *a, const struct rbac_snapshot *b)
{
    ck_assert_str_eq(a->version.stamp, b->version.stamp);
    ck_assert_int_eq(a->version.number, b->version.number);
    ck_assert_uint_eq(a->principals.count, b->principals.count);
    ck_assert_uint_eq(a->names.count, b->names.count);
    ck_assert_uint_eq(a->assignments.count, b->assignments.count);
    ck_assert_uint_eq(a->grants.count, b->grants.count);
    ck_assert_uint_eq(a->roles->count, b->roles->count);
    ck_assert_uint_eq(a->subscriptions->count, b->subscriptions->count);
    ck_assert_uint_eq(rbac_key_count(a), rbac_key_count(b));
    for (unsigned p = 0; p < PRINCIPALS; p++) {
        const struct rbac_principal *x = rbac_principal_by_id(a, text_of(principals[p]));
        const struct rbac_principal *y = rbac_principal_by_id(b, text_of(principals[p]));
        ck_assert((x == NULL) == (y == NULL));
        if (x) {
            ck_assert_str_eq(x->name, y->name);
            ck_assert_int_eq(x->enabled, y->enabled);
            ck_assert_int_eq(x->stamp, y->stamp);
            ck_assert_ptr_eq(rbac_principal_by_name(a, text_of(x->name)), x);
        }
        for (unsigned s = 0; s < SCOPES; s++)
            same_grant(a, b, principals[p], scopes[s]);
    }
    for (unsigned s = 0; s < SCOPES; s++)
        same_lock(a, b, scopes[s]);
}

START_TEST(follows_deltas)
{
    fixture_reset();
    make_universe((unsigned)_i * 7919 + 1);
    struct db_target target = fixture_target();
    rbac_snapshot_start(&target);
    fixture_commit(run_begin, NULL);
    for (int step = 0, steps = test_rounds(50, 150); step < steps; step++) {
        struct change changes[3] = {random_change(), random_change(), random_change()};
        fixture_commit(run_change, changes);
        if (any(3) == 0) // several versions behind
            continue;
        const struct rbac_snapshot *snapshot = caught_up();
        struct rbac_snapshot *built;
        fixture_commit(run_build, &built);
        compare(snapshot, built);
        same_as_sql(snapshot, principals[any(PRINCIPALS)], scopes[any(SCOPES)]);
        rbac_snapshot_release(built);
        rbac_snapshot_release(snapshot);
    }
    rbac_snapshot_stop();
}
END_TEST

// A chain that is broken (a failover, pruned deltas, an unknown kind) means reading everything.
START_TEST(rebuilds)
{
    static const char *const breaks[] = {
        "delete from rbac.delta",
        "update rbac.delta set prev = 'other'",
        "update rbac.delta set kind = 'novelty'",
        "update rbac.version set stamp = 'other'",
        "update rbac.version set number = 1, stamp = 'other'",
    };
    fixture_reset();
    make_universe(1);
    struct db_target target = fixture_target();
    rbac_snapshot_start(&target);
    fixture_commit(run_begin, NULL);
    rbac_snapshot_release(caught_up());
    struct change change[3] = {{.kind = 0}, {.kind = 19, .permission = 1}, {.kind = 19, .permission = 1}};
    fixture_commit(run_change, change);
    fixture_sql("%s", breaks[_i]);
    const struct rbac_snapshot *snapshot = caught_up();
    ck_assert_uint_eq(snapshot->assignments.count, 1);
    rbac_snapshot_release(snapshot);
    rbac_snapshot_stop();
}
END_TEST

static bool run_grant(struct db_transaction *tx, void *argument)
{
    (void)argument;
    add_assignment(tx, scopes[1], assignments[0], principals[0], roles[0]);
    return true;
}
static bool run_revoke(struct db_transaction *tx, void *argument)
{
    (void)argument;
    remove_assignment(tx, scopes[1], assignments[0]);
    return true;
}

// The next decision after a commit knows it, 200 times each way; try() never shows an older snapshot.
START_TEST(effective_at_once)
{
    fixture_reset();
    make_universe(1);
    struct db_target target = fixture_target();
    rbac_snapshot_start(&target);
    fixture_commit(run_begin, NULL);
    for (int i = 0, rounds = test_rounds(50, 200); i < rounds; i++) {
        fixture_commit(run_grant, NULL);
        const struct rbac_snapshot *snapshot = caught_up();
        ck_assert(rbac_may(snapshot, principals[0], "A/b/read", text_of(scopes[9])));
        rbac_snapshot_release(snapshot);
        fixture_commit(run_revoke, NULL);
        struct rbac_version version;
        fixture_commit(run_version, &version);
        snapshot = rbac_snapshot_try(&version);
        if (!snapshot)
            snapshot = rbac_snapshot_wait(&version, LIMIT_MS);
        ck_assert(!rbac_may(snapshot, principals[0], "A/b/read", text_of(scopes[9])));
        rbac_snapshot_release(snapshot);
    }
    rbac_snapshot_stop();
}
END_TEST

struct writer {
    pthread_t thread;
    unsigned number;
    unsigned committed;
    struct rbac_version decided;
    struct db_connection *connection;
};

// What the door does: read the version, decide by its snapshot, act, and commit only if it is still that
// version.
static bool run_write(struct db_transaction *tx, void *argument)
{
    struct writer *writer = argument;
    if (!rbac_version_read(tx, &writer->decided))
        return false;
    const struct rbac_snapshot *snapshot = rbac_snapshot_wait(&writer->decided, LIMIT_MS);
    if (!snapshot)
        return false;
    writer->decided = *rbac_snapshot_version(snapshot);
    db_set_context(tx, &writer->decided);
    rbac_snapshot_release(snapshot);
    char id[37];
    uuid_random(id);
    char scope[64];
    snprintf(scope, sizeof scope, "/subscriptions/%u/resourceGroups/g%u", writer->number, writer->committed);
    add_assignment(tx, scope, id, principals[writer->number % PRINCIPALS], roles[0]);
    return true;
}

static void *write_many(void *argument)
{
    struct writer *writer = argument;
    struct db_target target = fixture_target();
    writer->connection = db_connection_new(&target);
    for (int i = 0; i < 40; i++)
        if (db_transact(writer->connection, run_write, writer) == DB_COMMITTED)
            writer->committed++;
    db_connection_free(writer->connection);
    return NULL;
}

START_TEST(concurrent_writers)
{
    enum { WRITERS = 4 };
    struct writer writers[WRITERS] = {0};
    fixture_reset();
    make_universe(1);
    struct db_target target = fixture_target();
    rbac_snapshot_start(&target);
    fixture_commit(run_begin, NULL);
    long before = fixture_number("select number from rbac.version");
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i].number = i;
        ck_assert_int_eq(pthread_create(&writers[i].thread, NULL, write_many, &writers[i]), 0);
    }
    unsigned committed = 0;
    for (unsigned i = 0; i < WRITERS; i++) {
        pthread_join(writers[i].thread, NULL);
        committed += writers[i].committed;
    }
    ck_assert_uint_gt(committed, 0);
    ck_assert_int_eq(fixture_number("select number from rbac.version"), before + (long)committed);
    ck_assert_int_eq(fixture_number("select count(*) from rbac.role_assignment"), (long)committed);
    // An unbroken chain, a version a commit.
    ck_assert_int_eq(
        fixture_number("select count(*) from rbac.delta d where d.number > %ld and not exists"
                       " (select from rbac.delta p where p.number = d.number - 1 and p.stamp = d.prev)",
                       before),
        0);
    const struct rbac_snapshot *snapshot = caught_up();
    struct rbac_snapshot *built;
    fixture_commit(run_build, &built);
    compare(snapshot, built);
    rbac_snapshot_release(built);
    rbac_snapshot_release(snapshot);
    rbac_snapshot_stop();
}
END_TEST

// A write that decided with a version that is gone does not commit as it is: it runs again.
static unsigned runs;
static bool run_stale(struct db_transaction *tx, void *argument)
{
    static struct rbac_version old;
    if (!rbac_version_read(tx, &old))
        return false;
    db_set_context(tx, &old);
    if (runs++ == 0)
        fixture_commit(run_grant, NULL); // somebody else, after we decided
    if (argument)
        return rbac_still_current(tx);
    remove_principal(tx, principals[7]);
    return true;
}

START_TEST(decides_again)
{
    fixture_reset();
    make_universe(1);
    struct db_target target = fixture_target();
    rbac_snapshot_start(&target);
    fixture_commit(run_begin, NULL);
    runs = 0;
    fixture_commit(run_stale, NULL);
    ck_assert_uint_eq(runs, 2);
    fixture_commit(run_revoke, NULL);
    runs = 0;
    fixture_commit(run_stale, &runs);
    ck_assert_uint_eq(runs, 2);
    rbac_snapshot_stop();
}
END_TEST

START_TEST(database_away)
{
    struct db_target target = {"host=/nonexistent dbname=x", "t", 1000};
    struct rbac_version version = {1, "x"};
    rbac_snapshot_start(&target);
    int64_t began = clock_monotonic();
    ck_assert_ptr_null(rbac_snapshot_try(&version));
    ck_assert_ptr_null(rbac_snapshot_wait(&version, 200));
    ck_assert_int_lt(clock_monotonic() - began, 1000000);
    rbac_snapshot_stop();
}
END_TEST

static bool run_builtin(struct db_transaction *tx, void *argument)
{
    (void)argument;
    roles_ensure_builtin(tx);
    return true;
}

START_TEST(builtin_roles)
{
    fixture_reset();
    make_universe(1);
    struct db_target target = fixture_target();
    rbac_snapshot_start(&target);
    fixture_commit(run_builtin, NULL);
    long number = fixture_number("select number from rbac.version");
    ck_assert_int_eq(fixture_number("select count(*) from rbac.role_definition"), 15);
    fixture_commit(run_builtin, NULL); // nothing new: no new version
    ck_assert_int_eq(fixture_number("select number from rbac.version"), number);
    fixture_sql("update rbac.role_definition set description = 'x' where id = '%s'", ROLE_OWNER);
    fixture_commit(run_builtin, NULL);
    ck_assert_int_eq(fixture_number("select number from rbac.version"), number + 1);
    const struct rbac_snapshot *snapshot = caught_up();
    ck_assert_uint_eq(snapshot->roles->count, 15);
    rbac_snapshot_release(snapshot);
    rbac_snapshot_stop();
}
END_TEST

static bool run_many(struct db_transaction *tx, void *argument)
{
    static const struct db_statement many = {
        "t_many",
        "insert into rbac.role_assignment"
        " (id, scope, scope_key, principal_id, principal_type, role_definition_id)"
        " select gen_random_uuid(), s, lower(s), $1::uuid, 'User', $2::uuid from (select '/subscriptions/a/"
        "resourceGroups/g' || n % 100 || '/providers/Microsoft.ContainerRegistry/registries/r' || n as s"
        " from generate_series($3::bigint, $3::bigint + 9999) n) x",
    };
    DB_RUN(tx, &many, db_string(principals[0]), db_string(roles[0]), db_int(*(int64_t *)argument));
    return true;
}

// One grant among very many is followed as any other. How long it takes is printed where AZSACR_TEST_LOG is
// set.
START_TEST(many_assignments)
{
    fixture_reset();
    make_universe(1);
    struct db_target target = fixture_target();
    fixture_commit(run_begin, NULL);
    for (int64_t first = 1; first < MANY; first += 10000)
        fixture_commit(run_many, &first);
    int64_t started = clock_monotonic();
    rbac_snapshot_start(&target);
    struct rbac_version version;
    fixture_commit(run_version, &version);
    const struct rbac_snapshot *snapshot = rbac_snapshot_wait(&version, 600000);
    int64_t loading = clock_monotonic() - started;
    ck_assert_ptr_nonnull(snapshot);
    ck_assert_uint_eq(snapshot->assignments.count, MANY);
    rbac_snapshot_release(snapshot);
    int64_t spent = 0;
    for (int i = 0; i < 20; i++) {
        fixture_commit(i % 2 ? run_revoke : run_grant, NULL);
        fixture_commit(run_version, &version);
        int64_t began = clock_monotonic();
        snapshot = rbac_snapshot_wait(&version, 600000);
        spent += clock_monotonic() - began;
        ck_assert_ptr_nonnull(snapshot);
        rbac_snapshot_release(snapshot);
    }
    if (getenv("AZSACR_TEST_LOG"))
        fprintf(stderr, "%d assignments load in %ld ms, one more takes %ld us\n", MANY,
                (long)(loading / 1000), (long)(spent / 20));
    rbac_snapshot_stop();
}
END_TEST

Suite *suite_snapshot(void)
{
    Suite *suite = suite_create("snapshot");
    TCase *test = tcase_create("snapshot");
    tcase_set_timeout(test, 120);
    tcase_add_loop_test(test, follows_deltas, 0, 4);
    tcase_add_loop_test(test, rebuilds, 0, 5);
    tcase_add_test(test, effective_at_once);
    tcase_add_test(test, concurrent_writers);
    tcase_add_test(test, decides_again);
    tcase_add_test(test, database_away);
    tcase_add_test(test, builtin_roles);
    tcase_add_test(test, many_assignments);
    suite_add_tcase(suite, test);
    return suite;
}
