// The decision over snapshots made by hand: whole segments, wildcards, notActions, who counts.
#include "fixture.h"

#include "rbac/snapshot_data.h"

#include "base/arena.h"
#include "rbac/roles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALICE "aaaaaaaa-0000-4000-8000-000000000001"
#define BOB "bbbbbbbb-0000-4000-8000-000000000002"
#define SUB "/subscriptions/5ab00000-0000-4000-8000-000000000000"
#define REGISTRY SUB "/resourceGroups/rg1/providers/Microsoft.ContainerRegistry/registries/r"
#define PULL "Microsoft.ContainerRegistry/registries/pull/read"
#define CUSTOM "cccccccc-0000-4000-8000-000000000000"

static const struct {
    const char *id, *permissions;
} roles[] = {
    // In the order of their ids, as the database gives them.
    {ROLE_ACR_PULL, "[{\"actions\":[\"" PULL "\"],\"notActions\":[]}]"},
    {ROLE_OWNER, "[{\"actions\":[\"*\"],\"notActions\":[]}]"},
    {ROLE_READER, "[{\"actions\":[\"*/read\"],\"notActions\":[]}]"},
    {ROLE_CONTRIBUTOR, "[{\"actions\":[\"*\"],\"notActions\":[\"Microsoft.Authorization/*/Delete\","
                       "\"Microsoft.Authorization/*/Write\"]}]"},
    {CUSTOM, "[{\"actions\":[\"Microsoft.ContainerRegistry/*\"],\"notActions\":[\"*/delete\"]},"
             "{\"actions\":[\"*/webhooks/delete\"],\"notActions\":[]}]"},
};

static struct rbac_snapshot *snapshot_new(void)
{
    struct rbac_snapshot *snapshot = xcalloc(1, sizeof *snapshot);
    atomic_init(&snapshot->references, 1);
    snapshot->roles = shelf_new(sizeof roles / sizeof roles[0], role_free);
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        struct role *role = role_compile(text_of(roles[i].id), text_of(roles[i].permissions));
        ck_assert_ptr_nonnull(role);
        snapshot->roles->entries[snapshot->roles->count++] = role;
    }
    snapshot->keys = shelf_new(0, free);
    snapshot->subscriptions = shelf_new(0, free);
    static const char *const names[] = {"alice@x", "bob@x"};
    static const char *const ids[] = {ALICE, BOB};
    for (size_t i = 0; i < 2; i++) {
        struct rbac_principal principal = {
            .user = true, .enabled = true, .name = names[i], .display_name = "", .app_id = "", .stamp = 1};
        memcpy(principal.object_id, ids[i], 37);
        snapshot_put_principal(snapshot, &principal);
    }
    return snapshot;
}

static void grant(struct rbac_snapshot *snapshot, const char *principal, const char *role, const char *scope)
{
    struct arena *arena = arena_new();
    char id[37];
    uuid_random(id);
    snapshot_put_assignment(snapshot, text_lower(arena, text_of(scope)), text_of(id), text_of(principal),
                            text_of(role));
    arena_free(arena);
}

static const struct {
    const char *role, *at, *action, *scope;
    bool may;
} cases[] = {
    // Whole segments, any case, trailing slash.
    {ROLE_READER, SUB "/resourceGroups/rg1", "X/y/read", SUB "/resourceGroups/rg1", true},
    {ROLE_READER, SUB "/resourceGroups/rg1", "X/y/read", SUB "/resourceGroups/rg10", false},
    {ROLE_READER, SUB "/resourceGroups/rg10", "X/y/read", SUB "/resourceGroups/rg1", false},
    {ROLE_READER, SUB "/resourceGroups/rg1", "X/y/read", SUB "/resourcegroups/RG1/", true},
    {ROLE_READER, SUB "/resourceGroups/rg1", "X/y/read", REGISTRY, true},
    {ROLE_READER, SUB "/resourceGroups/rg1", "X/y/read", SUB, false},
    {ROLE_READER, SUB, "X/y/read", REGISTRY, true},
    {ROLE_READER, "/", "X/y/read", REGISTRY, true},
    {ROLE_READER, "/", "X/y/read", "/", true},
    {ROLE_READER, SUB, "X/y/read", "/", false},
    {ROLE_READER, SUB, "X/y/read", "", false},
    {ROLE_READER, SUB, "X/y/read", "subscriptions/5ab00000-0000-4000-8000-000000000000", false},
    {ROLE_READER, REGISTRY, "X/y/read", REGISTRY "2", false},
    {ROLE_READER, REGISTRY, "X/y/read", REGISTRY "/webhooks/w", true},
    {ROLE_READER, REGISTRY, "X/y/read", REGISTRY "/providers/Microsoft.Authorization/roleAssignments/1",
     true},
    // Actions.
    {ROLE_READER, SUB, "Microsoft.ContainerRegistry/registries/write", REGISTRY, false},
    {ROLE_READER, SUB, PULL, REGISTRY, true},
    {ROLE_ACR_PULL, REGISTRY, PULL, REGISTRY, true},
    {ROLE_ACR_PULL, REGISTRY, "microsoft.containerregistry/REGISTRIES/pull/READ", REGISTRY, true},
    {ROLE_ACR_PULL, REGISTRY, "Microsoft.ContainerRegistry/registries/read", REGISTRY, false},
    {ROLE_ACR_PULL, REGISTRY, "Microsoft.ContainerRegistry/registries/push/write", REGISTRY, false},
    {ROLE_OWNER, SUB, "Microsoft.Authorization/roleAssignments/write", REGISTRY, true},
    {ROLE_CONTRIBUTOR, SUB, "Microsoft.Authorization/roleAssignments/write", REGISTRY, false},
    {ROLE_CONTRIBUTOR, SUB, "microsoft.authorization/roleassignments/delete", REGISTRY, false},
    {ROLE_CONTRIBUTOR, SUB, "Microsoft.Authorization/roleAssignments/read", REGISTRY, true},
    {ROLE_CONTRIBUTOR, SUB, "Microsoft.ContainerRegistry/registries/delete", REGISTRY, true},
    // notActions take away from their own block only.
    {CUSTOM, SUB, "Microsoft.ContainerRegistry/registries/delete", REGISTRY, false},
    {CUSTOM, SUB, "Microsoft.ContainerRegistry/registries/webhooks/delete", REGISTRY, true},
    {CUSTOM, SUB, "Microsoft.ContainerRegistry/registries/write", REGISTRY, true},
    {CUSTOM, SUB, "Microsoft.Resources/tags/write", REGISTRY, false},
    // A role nobody knows grants nothing.
    {"dddddddd-0000-4000-8000-000000000000", SUB, PULL, REGISTRY, false},
};

START_TEST(decides)
{
    struct rbac_snapshot *snapshot = snapshot_new();
    grant(snapshot, ALICE, cases[_i].role, cases[_i].at);
    ck_assert_int_eq(rbac_may(snapshot, ALICE, cases[_i].action, text_of(cases[_i].scope)), cases[_i].may);
    ck_assert(!rbac_may(snapshot, BOB, cases[_i].action, text_of(cases[_i].scope)));
    ck_assert(!rbac_may(snapshot, CUSTOM, cases[_i].action, text_of(cases[_i].scope)));
    snapshot_free(snapshot);
}
END_TEST

// notActions of one role do not bind another: the union of what each grants.
START_TEST(adds_roles)
{
    struct rbac_snapshot *snapshot = snapshot_new();
    grant(snapshot, ALICE, ROLE_CONTRIBUTOR, SUB);
    grant(snapshot, ALICE, ROLE_OWNER, SUB "/resourceGroups/rg1");
    ck_assert(rbac_may(snapshot, ALICE, "Microsoft.Authorization/roleAssignments/write", text_of(REGISTRY)));
    ck_assert(!rbac_may(snapshot, ALICE, "Microsoft.Authorization/roleAssignments/write", text_of(SUB)));
    snapshot_free(snapshot);
}
END_TEST

START_TEST(ignores_disabled)
{
    struct rbac_snapshot *snapshot = snapshot_new();
    grant(snapshot, ALICE, ROLE_OWNER, "/");
    ck_assert(rbac_may(snapshot, ALICE, PULL, text_of(REGISTRY)));
    struct rbac_principal principal = *rbac_principal_by_name(snapshot, TEXT("ALICE@X"));
    principal.enabled = false;
    principal.name = "alice@y";
    principal.display_name = principal.app_id = "";
    snapshot_put_principal(snapshot, &principal);
    ck_assert(!rbac_may(snapshot, ALICE, PULL, text_of(REGISTRY)));
    ck_assert(!rbac_has_any(snapshot, ALICE, text_of(SUB)));
    ck_assert_ptr_null(rbac_principal_by_name(snapshot, TEXT("alice@x")));
    ck_assert_ptr_nonnull(rbac_principal_by_name(snapshot, TEXT("alice@y")));
    snapshot_drop_principal(snapshot, text_of(ALICE));
    ck_assert(!rbac_may(snapshot, ALICE, PULL, text_of(REGISTRY)));
    snapshot_free(snapshot);
}
END_TEST

START_TEST(has_any)
{
    struct rbac_snapshot *snapshot = snapshot_new();
    ck_assert(!rbac_has_any(snapshot, ALICE, text_of(SUB)));
    grant(snapshot, ALICE, ROLE_ACR_PULL, REGISTRY);
    ck_assert(rbac_has_any(snapshot, ALICE, text_of("/")));
    ck_assert(rbac_has_any(snapshot, ALICE, text_of(SUB)));
    ck_assert(rbac_has_any(snapshot, ALICE, text_of(SUB "/resourceGroups/RG1")));
    ck_assert(rbac_has_any(snapshot, ALICE, text_of(REGISTRY)));
    ck_assert(rbac_has_any(snapshot, ALICE, text_of(REGISTRY "/webhooks/w")));
    ck_assert(!rbac_has_any(snapshot, ALICE, text_of(SUB "/resourceGroups/rg10")));
    ck_assert(!rbac_has_any(snapshot, ALICE, text_of("/subscriptions/5ab00000-0000-4000-8000-000000000001")));
    ck_assert(!rbac_has_any(snapshot, BOB, text_of(SUB)));
    snapshot_free(snapshot);
}
END_TEST

START_TEST(matches_patterns)
{
    static const struct {
        const char *pattern, *action;
        bool matches;
    } patterns[] = {
        {"*", "", true},
        {"*", "a/b", true},
        {"", "", true},
        {"", "a", false},
        {"a*b*c", "aXbXbXc", true},
        {"a*b*c", "aXbXbX", false},
        {"*/read", "a/b/READ", true},
        {"*/read", "a/reader", false},
        {"*/read", "read", false},
        {"a/*/b", "a/x/y/b", true},
        {"a/*/b", "a/b", false},
        {"**a", "xa", true},
        {"a?c", "abc", false},
        {"*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
    };
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
        ck_assert_msg(action_matches(text_of(patterns[i].pattern), patterns[i].action) == patterns[i].matches,
                      "%s ~ %s", patterns[i].pattern, patterns[i].action);
}
END_TEST

START_TEST(refuses_bad_definitions)
{
    static const char *const bad[] = {"", "{}", "[{\"actions\":\"*\"}]", "[{\"actions\":[1]}]", "[", "null"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_ptr_null(role_compile(text_of(CUSTOM), text_of(bad[i])));
    ck_assert_ptr_null(role_compile(text_of("x"), text_of("[]")));
}
END_TEST

// A change of a copy leaves the original as it was.
START_TEST(shares_maps)
{
    struct rbac_snapshot *snapshot = snapshot_new(), copy = {0};
    for (int i = 0; i < 500; i++) {
        char scope[64];
        snprintf(scope, sizeof scope, "/subscriptions/s/resourceGroups/g%d", i);
        grant(snapshot, ALICE, ROLE_READER, scope);
    }
    map_share(&copy.assignments, &snapshot->assignments);
    map_share(&copy.grants, &snapshot->grants);
    grant(&copy, ALICE, ROLE_OWNER, "/subscriptions/s/resourceGroups/g7");
    ck_assert_uint_eq(copy.assignments.count, snapshot->assignments.count + 1);
    ck_assert_uint_eq(snapshot_grant(&copy, TEXT(ALICE), TEXT("/subscriptions/s/resourceGroups/G7"))->count,
                      2);
    ck_assert_uint_eq(
        snapshot_grant(snapshot, TEXT(ALICE), TEXT("/subscriptions/s/resourceGroups/G7"))->count, 1);
    ck_assert_uint_eq(snapshot_grant(&copy, TEXT(ALICE), TEXT("/subscriptions/s"))->below, 501);
    ck_assert_uint_eq(snapshot_grant(snapshot, TEXT(ALICE), TEXT("/subscriptions/s"))->below, 500);
    map_clear(&copy.assignments);
    map_clear(&copy.grants);
    ck_assert(rbac_may(snapshot, ALICE, PULL, text_of("/subscriptions/s/resourceGroups/g499/x")));
    snapshot_free(snapshot);
}
END_TEST

Suite *suite_decision(void)
{
    Suite *suite = suite_create("decision");
    TCase *test = tcase_create("decision");
    tcase_add_loop_test(test, decides, 0, sizeof cases / sizeof cases[0]);
    tcase_add_test(test, adds_roles);
    tcase_add_test(test, ignores_disabled);
    tcase_add_test(test, has_any);
    tcase_add_test(test, matches_patterns);
    tcase_add_test(test, refuses_bad_definitions);
    tcase_add_test(test, shares_maps);
    suite_add_tcase(suite, test);
    return suite;
}
