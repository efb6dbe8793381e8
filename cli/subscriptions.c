// azsacrd subscription add | list | rename | disable | enable | remove: subscriptions as the operator sees
// them. Each answers JSON; what cannot be done says why and changes nothing.
#include "cli/change.h"
#include "cli/commands.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "cli/options.h"
#include "db/database.h"
#include "rbac/roles.h"
#include "rbac/directory.h"
#include "rbac/snapshot.h"

#include <stdio.h>
#include <string.h>

enum { NAME_LIMIT = 128, GROUPS_NAMED = 10 };

#define COLUMNS "s.subscription_id, s.display_name, s.state, s.operator"
enum { ID, NAME, STATE, OPERATOR };

static const struct db_statement insert = {
    "subscription_insert",
    "insert into arm.subscription as s (tenant_id, display_name) values ($1, $2) returning " COLUMNS,
};
static const struct db_statement operators = {
    "subscription_operators",
    "select value, case name when 'operator_user_id' then 'User' else 'ServicePrincipal' end from "
    "azsacr.setting"
    " where name in ('operator_user_id', 'operator_principal_id')",
};
static const struct db_statement list_all = {
    "subscription_list",
    "select " COLUMNS " from arm.subscription s order by s.created_at, s.subscription_id",
};
// Whoever creates a group holds the row against this (arm/resource_groups.c).
static const struct db_statement find = {
    "subscription_find",
    "select " COLUMNS ", exists (select from azsacr.setting v where v.name = 'subscription_id'"
    " and v.value = s.subscription_id::text) from arm.subscription s"
    " where s.subscription_id::text = lower($1) or s.display_name = $1"
    " order by s.subscription_id::text = lower($1) desc for update",
};
static const struct db_statement set_name = {
    "subscription_rename",
    "update arm.subscription as s set display_name = $2 where s.subscription_id = $1 returning " COLUMNS,
};
static const struct db_statement set_state = {
    "subscription_state",
    "update arm.subscription as s set state = $2 where s.subscription_id = $1 returning " COLUMNS,
};
static const struct db_statement groups_left = {
    "subscription_groups",
    "select g.name, count(*) over () from arm.resource_group g where g.subscription_id = $1"
    " order by g.name_key limit $2",
};
static const struct db_statement locks_left = {
    "subscription_locks",
    "select l.name from arm.lock l where l.scope_key = '/subscriptions/' || $1::text order by l.name_key",
};
static const struct db_statement remove_registrations = {
    "subscription_registrations_remove",
    "delete from arm.provider_registration where subscription_id = $1",
};
static const struct db_statement remove_row = {
    "subscription_remove",
    "delete from arm.subscription as s where s.subscription_id = $1 returning " COLUMNS,
};

struct request {
    struct change super;
    const char *verb, *name, *display_name; // the name may be an id
};

struct subscription {
    struct text id, name;
    bool enabled, operator_owned, first;
};

static void write(struct buffer *b, const struct db_result *rows, size_t i)
{
    json_begin_object(b);
    json_key_text(b, "subscriptionId", db_get(rows, i, ID));
    json_key_text(b, "displayName", db_get(rows, i, NAME));
    json_key_text(b, "state", db_get(rows, i, STATE));
    json_key_bool(b, "operator", db_get_bool(rows, i, OPERATOR));
    json_end_object(b);
}

static bool answer(struct request *r, const struct db_result *rows)
{
    if (db_rows(rows) == 0)
        return false;
    struct buffer b = buffer_new(r->super.arena);
    write(&b, rows, 0);
    r->super.json = buffer_done(&b);
    return true;
}

static bool list(struct request *r, struct db_transaction *tx)
{
    const struct db_result *rows = DB_RUN0(tx, &list_all);
    struct buffer b = buffer_new(r->super.arena);
    json_begin_array(&b);
    for (size_t i = 0; i < db_rows(rows); i++)
        write(&b, rows, i);
    json_end_array(&b);
    r->super.json = buffer_done(&b);
    return true;
}

// Somebody must be able to use it: the operator's accounts own it, as they own the first one.
static bool add(struct request *r, struct db_transaction *tx)
{
    const struct db_result *made =
        DB_RUN(tx, &insert, db_string(r->super.config->tenant_id), db_string(r->name));
    if (!answer(r, made))
        return false;
    struct text id = db_get(made, 0, ID);
    rbac_changed(tx, "subscription", id);
    struct text scope = text_of(arena_printf(r->super.arena, "/subscriptions/%.*s", TEXT_ARG(id)));
    const struct db_result *owners = DB_RUN0(tx, &operators);
    for (size_t i = 0; i < db_rows(owners); i++)
        directory_assign(tx, db_get(owners, i, 0).base, db_get(owners, i, 1).base, ROLE_OWNER, scope);
    return true;
}

// By id, or by a display name that only one has.
static bool find_one(struct request *r, struct db_transaction *tx, struct subscription *s)
{
    const struct db_result *rows = DB_RUN(tx, &find, db_string(r->name));
    if (db_failed(tx))
        return false;
    if (db_rows(rows) == 0)
        return change_refuse(&r->super, "there is no subscription '%s'", r->name);
    if (db_rows(rows) > 1 && !text_is_nocase(db_get(rows, 0, ID), r->name))
        return change_refuse(&r->super, "%zu subscriptions are called '%s': say which by its id",
                             db_rows(rows), r->name);
    *s = (struct subscription){.id = text_copy(r->super.arena, db_get(rows, 0, ID)),
                               .name = text_copy(r->super.arena, db_get(rows, 0, NAME)),
                               .enabled = text_is(db_get(rows, 0, STATE), "Enabled"),
                               .operator_owned = db_get_bool(rows, 0, OPERATOR),
                               .first = db_get_bool(rows, 0, OPERATOR + 1)};
    return true;
}

static bool switch_state(struct request *r, struct db_transaction *tx, const struct subscription *s,
                         bool enabled)
{
    if (s->operator_owned)
        return change_refuse(&r->super,
                             "the operator's own subscription is always enabled: its plane runs under it");
    rbac_changed(tx, "subscription", s->id);
    return answer(r, DB_RUN(tx, &set_state, db_text(s->id), db_string(enabled ? "Enabled" : "Disabled")));
}

// What is in it belongs to somebody: it has to be deleted by name first.
static bool no_groups_left(struct request *r, struct db_transaction *tx, const struct subscription *s)
{
    const struct db_result *rows = DB_RUN(tx, &groups_left, db_text(s->id), db_int(GROUPS_NAMED));
    if (db_rows(rows) == 0)
        return !db_failed(tx);
    struct buffer names = buffer_new(r->super.arena);
    for (size_t i = 0; i < db_rows(rows); i++)
        buffer_format(&names, "%s%.*s", i ? ", " : "", TEXT_ARG(db_get(rows, i, 0)));
    int64_t count = db_get_int(rows, 0, 1);
    if (count > GROUPS_NAMED)
        buffer_string(&names, ", …");
    const char *enable_first = s->enabled ? "" : " (a disabled subscription has to be enabled for that)";
    return change_refuse(&r->super, "'%.*s' still has %lld resource group%s: %.*s; delete %s first%s",
                         TEXT_ARG(s->name), (long long)count, count == 1 ? "" : "s",
                         TEXT_ARG(buffer_done(&names)), count == 1 ? "it" : "them", enable_first);
}

// A lock says that what it stands at must not go; also to the operator.
static bool no_locks_left(struct request *r, struct db_transaction *tx, const struct subscription *s)
{
    const struct db_result *rows = DB_RUN(tx, &locks_left, db_text(s->id));
    if (db_rows(rows) == 0)
        return !db_failed(tx);
    return change_refuse(&r->super, "'%.*s' is locked by '%.*s'; delete its locks first", TEXT_ARG(s->name),
                         TEXT_ARG(db_get(rows, 0, 0)));
}

static bool remove_one(struct request *r, struct db_transaction *tx, const struct subscription *s)
{
    if (s->operator_owned)
        return change_refuse(&r->super, "the operator's own subscription cannot be removed");
    if (s->first)
        return change_refuse(
            &r->super,
            "the first subscription cannot be removed: endpoints.json names it; disable it instead");
    if (!no_groups_left(r, tx, s) || !no_locks_left(r, tx, s))
        return false;
    assignments_delete_below(tx,
                             text_of(arena_printf(r->super.arena, "/subscriptions/%.*s", TEXT_ARG(s->id))));
    DB_RUN(tx, &remove_registrations, db_text(s->id));
    rbac_changed(tx, "subscription", s->id);
    return answer(r, DB_RUN(tx, &remove_row, db_text(s->id)));
}

static bool act(struct db_transaction *tx, void *argument)
{
    struct request *r = argument;
    struct subscription s = {.id = TEXT_NONE};
    if (strcmp(r->verb, "list") == 0)
        return list(r, tx);
    if (strcmp(r->verb, "add") == 0)
        return add(r, tx);
    if (!find_one(r, tx, &s))
        return false;
    if (strcmp(r->verb, "rename") == 0) {
        rbac_changed(tx, "subscription", s.id);
        return answer(r, DB_RUN(tx, &set_name, db_text(s.id), db_string(r->display_name)));
    }
    if (strcmp(r->verb, "remove") == 0)
        return remove_one(r, tx, &s);
    return switch_state(r, tx, &s, strcmp(r->verb, "enable") == 0);
}

// It is shown to people and stands in lists: no control characters, and not longer than a line.
static bool name_sound(const char *name)
{
    struct text t = text_of(name);
    if (t.length == 0 || t.length > NAME_LIMIT || !text_is_utf8(t))
        return false;
    for (size_t i = 0; i < t.length; i++)
        if ((unsigned char)t.base[i] < 0x20 || t.base[i] == 0x7f)
            return false;
    return text_trim(t).length == t.length;
}

static const struct verb {
    const char *name;
    int words; // that follow it
} verbs[] = {{"list", 0}, {"add", 1}, {"rename", 2}, {"disable", 1}, {"enable", 1}, {"remove", 1}};

static bool command_sound(int count, char **words)
{
    for (size_t i = 0; count > 0 && i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(words[0], verbs[i].name) == 0)
            return count == verbs[i].words + 1;
    return false;
}

static const char usage[] = "list\n"
                            "add NAME\n"
                            "rename SUBSCRIPTION NAME\n"
                            "disable SUBSCRIPTION           read-only from the next request on; pulls go on\n"
                            "enable SUBSCRIPTION\n"
                            "remove SUBSCRIPTION            one without resource groups\n"
                            "(SUBSCRIPTION is an id, or a name that only one has)";

int command_subscription(int argc, char **argv)
{
    struct option options[] = {{"state", false, "the state directory", NULL}, {NULL, false, NULL, NULL}};
    int left = options_parse("subscription", usage, argc, argv, options);
    if (left < 0)
        return 2;
    if (!command_sound(left, argv)) {
        options_usage(stderr, "subscription", usage);
        return 2;
    }
    struct request r = {.super.arena = arena_new(),
                        .verb = argv[0],
                        .name = left > 1 ? argv[1] : NULL,
                        .display_name = left > 2 ? argv[2] : NULL};
    const char *given = strcmp(r.verb, "add") == 0 ? r.name : r.display_name;
    int status = 2;
    if (given != NULL && !name_sound(given))
        fprintf(stderr,
                "azsacrd: a name has 1 to %d bytes of UTF-8, no control characters, no blanks at its ends\n",
                NAME_LIMIT);
    else
        status = change_run(&r.super, options[0].value, NULL, act);
    arena_free(r.super.arena);
    return status;
}
