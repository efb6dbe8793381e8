// azsacrd quota list | set | clear: how much a registry, the registries of a subscription and all of them
// together may take. What is set binds the next push (the stamp's within a second) and the next create;
// nothing that is there is removed. Each answers JSON.
#include "cli/change.h"
#include "cli/commands.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/site.h"
#include "cli/options.h"
#include "db/database.h"
#include "rp/data/stamp.h"
#include "rp/data/store.h"

#include <stdio.h>
#include <string.h>

// What applies to a registry: its own, else its subscription's, else the configured default ($1).
#define REGISTRY_SELECT                                                                                      \
    "select e.name, e.subscription_id, g.name, coalesce(r.quota_bytes, q.registry_bytes, $1::bigint),"       \
    " case when r.quota_bytes is not null then 'registry' when q.registry_bytes is not null then"            \
    " 'subscription' else 'default' end, coalesce(u.live_bytes, 0) from acr.registry r"                      \
    " join arm.resource e on e.id = r.id join arm.resource_group g on g.id = e.group_id"                     \
    " left join acr.registry_usage u on u.registry_id = r.id"                                                \
    " left join acr.subscription_quota q on q.subscription_id = e.subscription_id"
static const struct db_statement registries = {"quota_registries",
                                               REGISTRY_SELECT " order by e.subscription_id, r.login_key"};
static const struct db_statement registry_one = {"quota_registry",
                                                 REGISTRY_SELECT " where r.login_key = lower($2)"};
static const struct db_statement registry_set = {
    "quota_registry_set", "update acr.registry set quota_bytes = $2 where login_key = lower($1)"};

#define SUBSCRIPTION_SELECT                                                                                  \
    "select s.subscription_id, s.display_name, q.registries, q.registry_bytes,"                              \
    " (select count(*) from arm.resource e where e.subscription_id = s.subscription_id"                      \
    "   and e.type_key = 'microsoft.containerregistry/registries')"                                          \
    " from arm.subscription s left join acr.subscription_quota q on q.subscription_id = s.subscription_id"
static const struct db_statement subscriptions = {"quota_subscriptions", SUBSCRIPTION_SELECT
                                                  " order by s.created_at, s.subscription_id"};
static const struct db_statement subscription_one = {"quota_subscription",
                                                     SUBSCRIPTION_SELECT " where s.subscription_id = $1"};
// By id, or by a display name that only one has.
static const struct db_statement subscription_find = {
    "quota_subscription_find", "select s.subscription_id from arm.subscription s"
                               " where s.subscription_id::text = lower($1) or s.display_name = $1"
                               " order by s.subscription_id::text = lower($1) desc"};
// A null leaves what is there.
static const struct db_statement subscription_set = {
    "quota_subscription_set",
    "insert into acr.subscription_quota as q (subscription_id, registries, registry_bytes) values ($1, $2, "
    "$3)"
    " on conflict (subscription_id) do update set registries = coalesce(excluded.registries, q.registries),"
    " registry_bytes = coalesce(excluded.registry_bytes, q.registry_bytes)"};
static const struct db_statement subscription_clear = {
    "quota_subscription_clear", "delete from acr.subscription_quota where subscription_id = $1"};
static const struct db_statement stamp_set = {"quota_stamp_set",
                                              "update acr.stamp set maximum_bytes = $1 where \"only\""};

enum scope { SCOPE_NONE, SCOPE_REGISTRY, SCOPE_SUBSCRIPTION, SCOPE_STAMP };

struct request {
    struct change super;
    bool sets, clears; // neither: list
    enum scope scope;
    const char *name;
    struct db_value bytes, number; // null where not given
};

static void key_number(struct buffer *b, const char *key, const struct db_result *rows, size_t i,
                       size_t column)
{
    json_key(b, key);
    if (db_is_null(rows, i, column))
        json_write_null(b);
    else
        json_int(b, db_get_int(rows, i, column));
}

static void write_registry(struct buffer *b, const struct db_result *rows, size_t i)
{
    json_begin_object(b);
    json_key_text(b, "registry", db_get(rows, i, 0));
    json_key_text(b, "subscriptionId", db_get(rows, i, 1));
    json_key_text(b, "resourceGroup", db_get(rows, i, 2));
    json_key_int(b, "maximumBytes", db_get_int(rows, i, 3));
    json_key_text(b, "setFor", db_get(rows, i, 4));
    json_key_int(b, "usedBytes", db_get_int(rows, i, 5));
    json_end_object(b);
}

static void write_subscription(struct buffer *b, const struct db_result *rows, size_t i)
{
    json_begin_object(b);
    json_key_text(b, "subscriptionId", db_get(rows, i, 0));
    json_key_text(b, "displayName", db_get(rows, i, 1));
    key_number(b, "maximumRegistries", rows, i, 2);
    json_key_int(b, "registries", db_get_int(rows, i, 4));
    key_number(b, "maximumBytesOfARegistry", rows, i, 3);
    json_end_object(b);
}

static bool write_stamp(struct buffer *b, struct db_transaction *tx)
{
    struct stamp_state state;
    if (!stamp_state_read(tx, &state))
        return false;
    bool low = store_low_water();
    int64_t stored = state.live + state.waiting + state.uploads;
    json_begin_object(b);
    json_key(b, "maximumBytes");
    if (state.maximum < 0)
        json_write_null(b);
    else
        json_int(b, state.maximum);
    json_key_int(b, "usedBytes", state.live);
    json_key_int(b, "waitingForManifestsBytes", state.waiting);
    json_key_int(b, "unfinishedUploadsBytes", state.uploads);
    json_key_bool(b, "belowLowWater", low);
    json_key_bool(b, "allowPush", !low && (state.maximum < 0 || stored < state.maximum));
    json_end_object(b);
    return true;
}

static bool list(struct request *r, struct db_transaction *tx)
{
    struct buffer b = buffer_new(r->super.arena);
    json_begin_object(&b);
    json_key(&b, "stamp");
    if (!write_stamp(&b, tx))
        return false;
    json_key_int(&b, "defaultBytesOfARegistry", r->super.config->registry_quota);
    const struct db_result *rows = DB_RUN0(tx, &subscriptions);
    json_key(&b, "subscriptions");
    json_begin_array(&b);
    for (size_t i = 0; i < db_rows(rows); i++)
        write_subscription(&b, rows, i);
    json_end_array(&b);
    rows = DB_RUN(tx, &registries, db_int(r->super.config->registry_quota));
    json_key(&b, "registries");
    json_begin_array(&b);
    for (size_t i = 0; i < db_rows(rows); i++)
        write_registry(&b, rows, i);
    json_end_array(&b);
    json_end_object(&b);
    r->super.json = buffer_done(&b);
    return true;
}

static bool change_registry(struct request *r, struct db_transaction *tx)
{
    if (db_affected(DB_RUN(tx, &registry_set, db_string(r->name), r->bytes)) == 0)
        return db_failed(tx) ? false : change_refuse(&r->super, "there is no registry '%s'", r->name);
    const struct db_result *rows =
        DB_RUN(tx, &registry_one, db_int(r->super.config->registry_quota), db_string(r->name));
    struct buffer b = buffer_new(r->super.arena);
    if (db_rows(rows) == 1)
        write_registry(&b, rows, 0);
    r->super.json = buffer_done(&b);
    return true;
}

static bool change_subscription(struct request *r, struct db_transaction *tx)
{
    const struct db_result *found = DB_RUN(tx, &subscription_find, db_string(r->name));
    if (db_rows(found) == 0)
        return db_failed(tx) ? false : change_refuse(&r->super, "there is no subscription '%s'", r->name);
    if (db_rows(found) > 1 && !text_is_nocase(db_get(found, 0, 0), r->name))
        return change_refuse(&r->super, "%zu subscriptions are called '%s': say which by its id",
                             db_rows(found), r->name);
    struct db_value id = db_text(db_get(found, 0, 0));
    if (r->sets)
        DB_RUN(tx, &subscription_set, id, r->number, r->bytes);
    else
        DB_RUN(tx, &subscription_clear, id);
    const struct db_result *rows = DB_RUN(tx, &subscription_one, id);
    struct buffer b = buffer_new(r->super.arena);
    if (db_rows(rows) == 1)
        write_subscription(&b, rows, 0);
    r->super.json = buffer_done(&b);
    return true;
}

static bool change_stamp(struct request *r, struct db_transaction *tx)
{
    DB_RUN(tx, &stamp_set, r->bytes);
    struct buffer b = buffer_new(r->super.arena);
    bool written = write_stamp(&b, tx);
    r->super.json = buffer_done(&b);
    return written;
}

static bool act(struct db_transaction *tx, void *argument)
{
    struct request *r = argument;
    switch (r->scope) {
    case SCOPE_NONE:
        return list(r, tx);
    case SCOPE_REGISTRY:
        return change_registry(r, tx);
    case SCOPE_SUBSCRIPTION:
        return change_subscription(r, tx);
    case SCOPE_STAMP:
        return change_stamp(r, tx);
    }
    return false;
}

// Only for whether the disk is short: the answer says whether pushes are taken.
static void open_store(struct change *change)
{
    const char *why = NULL;
    if (!store_open(change->config->store, &why, change->arena))
        fprintf(stderr, "azsacrd: %s\n", why);
}

static const char usage[] =
    "list\n"
    "set registry NAME SIZE                        bytes, or with K, M, G, T\n"
    "set subscription SUBSCRIPTION [--registries COUNT] [--size SIZE]\n"
    "set stamp SIZE                                all registries of the site together\n"
    "clear registry NAME                           the subscription's holds again, or the default\n"
    "clear subscription SUBSCRIPTION\n"
    "clear stamp                                   as much as the store holds\n"
    "(SUBSCRIPTION is an id, or a name that only one has; --size is what each of its registries may take)";

// False: printed what is wrong.
static bool read_size(struct request *r, const char *given)
{
    int64_t bytes;
    if (given == NULL)
        return true;
    if (!config_size(text_of(given), &bytes)) {
        fprintf(stderr, "azsacrd: '%s' is no size: bytes, or a number with K, M, G or T\n", given);
        return false;
    }
    r->bytes = db_int(bytes);
    return true;
}

static bool read_number(struct request *r, const char *given)
{
    int64_t number;
    if (given == NULL)
        return true;
    if (!text_to_int64(text_of(given), &number)) {
        fprintf(stderr, "azsacrd: '%s' is no number of registries\n", given);
        return false;
    }
    r->number = db_int(number);
    return true;
}

// The words that stand; false where they are not as the usage says.
static bool read_words(struct request *r, int count, char **words, const char *registries_flag,
                       const char **size)
{
    if (count == 1)
        return strcmp(words[0], "list") == 0 && registries_flag == NULL && *size == NULL;
    r->sets = count > 1 && strcmp(words[0], "set") == 0;
    r->clears = count > 1 && strcmp(words[0], "clear") == 0;
    if (!r->sets && !r->clears)
        return false;
    bool stamp = strcmp(words[1], "stamp") == 0, subscription = strcmp(words[1], "subscription") == 0;
    r->scope = stamp ? SCOPE_STAMP : subscription ? SCOPE_SUBSCRIPTION : SCOPE_REGISTRY;
    if (r->scope == SCOPE_REGISTRY && strcmp(words[1], "registry") != 0)
        return false;
    int place = stamp ? 2 : 3; // where the size stands
    r->name = stamp || count < 3 ? NULL : words[2];
    if (subscription && r->sets)
        return count == 3 && (registries_flag != NULL || *size != NULL);
    if (registries_flag != NULL || *size != NULL)
        return false;
    if (r->sets && count == place + 1)
        *size = words[place];
    return count == place + (r->sets ? 1 : 0);
}

int command_quota(int argc, char **argv)
{
    struct option options[] = {
        {"state", false, "the state directory", NULL},
        {"registries", false, "how many registries the subscription may have", NULL},
        {"size", false, "what each registry of the subscription may take", NULL},
        {NULL, false, NULL, NULL},
    };
    int left = options_parse("quota", usage, argc, argv, options);
    if (left < 0)
        return 2;
    struct request r = {.super.arena = arena_new(), .bytes = db_null(), .number = db_null()};
    const char *size = options[2].value;
    int status = 2;
    if (!read_words(&r, left, argv, options[1].value, &size))
        options_usage(stderr, "quota", usage);
    else if (read_size(&r, size) && read_number(&r, options[1].value))
        status = change_run(&r.super, options[0].value, open_store, act);
    arena_free(r.super.arena);
    return status;
}
