// GET /subscriptions and /subscriptions/{id} (arm-core 2.2): those in which the caller has any assignment.
#include "arm/errors.h"
#include "arm/resource.h"
#include "arm/subscription.h"
#include "arm/types.h"

#include "base/arena.h"

static const struct db_statement subscription_list = {
    "arm_subscription_list",
    "select s.subscription_id, s.tenant_id, s.display_name, s.state, "
    "s.tags, (extract(epoch from s.created_at) * 1000000)::bigint "
    "from arm.subscription s where s.tenant_id = $1::uuid "
    "and ((extract(epoch from s.created_at) * 1000000)::bigint, s.subscription_id) > ($2, $3::uuid) "
    "and (not s.operator or $5) "
    "order by s.created_at, s.subscription_id limit $4"};
static const struct db_statement subscription_get = {
    "arm_subscription_get", "select s.subscription_id, s.tenant_id, s.display_name, s.state, s.tags "
                            "from arm.subscription s where s.subscription_id = $1::uuid"};

static struct text scope_of(const struct arm_call *call, struct text id)
{
    return text_of(arena_printf(call->arena, "/subscriptions/%.*s", TEXT_ARG(id)));
}

bool subscription_visible(const struct arm_call *call, struct text subscription_id)
{
    return rbac_has_any(call->snapshot, call->caller->object_id, scope_of(call, subscription_id));
}

bool subscription_look(struct arm_call *call, const char *action)
{
    if (subscription_visible(call, call->subscription_id) ||
        arm_may(call, action, scope_of(call, call->subscription_id)))
        return true;
    arm_fail(call, ARM_AUTHORIZATION_FAILED, call->caller->name, call->caller->object_id, action,
             TEXT_ARG(call->scope));
    return false;
}

static void write_policies(struct buffer *b)
{
    json_key(b, "subscriptionPolicies");
    json_begin_object(b);
    json_key_string(b, "locationPlacementId", "AzureStack");
    json_key_string(b, "quotaId", "AzureStack");
    json_key_string(b, "spendingLimit", "Off");
    json_end_object(b);
}

// The members that every version has, and tenantId, which Azure Stack Hub has at all of them.
// managedByTenants came with 2019-06-01, tags with 2019-11-01, and with them another order.
static void write_subscription(struct buffer *b, const struct arm_call *call, const struct db_result *rows,
                               size_t i)
{
    struct text id = db_get(rows, i, 0);
    bool newer = strcmp(call->api_version, "2019-06-01") >= 0;
    json_begin_object(b);
    json_key_format(b, "id", "/subscriptions/%.*s", TEXT_ARG(id));
    if (newer) {
        json_key_string(b, "authorizationSource", "RoleBased");
        json_key_raw(b, "managedByTenants", TEXT("[]"));
    }
    if (strcmp(call->api_version, "2019-11-01") >= 0)
        json_key_raw(b, "tags", db_is_null(rows, i, 4) ? TEXT("{}") : db_get(rows, i, 4));
    json_key_text(b, "subscriptionId", id);
    json_key_text(b, "tenantId", db_get(rows, i, 1));
    json_key_text(b, "displayName", db_get(rows, i, 2));
    json_key_text(b, "state", db_get(rows, i, 3));
    write_policies(b);
    if (!newer)
        json_key_string(b, "authorizationSource", "RoleBased");
    json_end_object(b);
}

// The operator's own subscription (decisions 53) is listed by the operator's host only: az takes the first of
// the list as the one that its commands are about.
static bool operator_host(const struct arm_call *call)
{
    return text_is(call->request->host, site()->config->host_admin);
}

// A page ends at "MICROSECONDS.ID" of its last subscription: when it was made, since the epoch.
static bool read_position(struct arm_call *call, struct text position, int64_t *created, struct text *id)
{
    *created = -1;
    *id = TEXT("00000000-0000-0000-0000-000000000000");
    if (!position.base)
        return true;
    ptrdiff_t dot = text_find(position, '.');
    if (dot >= 0) {
        *id = text_slice(position, (size_t)dot + 1, position.length);
        if (uuid_is(*id) && text_to_int64(text_slice(position, 0, (size_t)dot), created))
            return true;
    }
    arm_fail(call, ARM_INVALID_SKIP_TOKEN);
    return false;
}

// The oldest first, so that one added later never becomes the one that az takes.
static void subscriptions_list(struct arm_call *call)
{
    size_t top;
    struct text position;
    struct text id;
    int64_t created;
    if (!arm_page_of_query(call, &top, &position) || !read_position(call, position, &created, &id))
        return;
    const struct db_result *rows =
        DB_RUN(call->tx, &subscription_list, db_string(call->caller->tenant_id), db_int(created), db_text(id),
               db_int((int64_t)top), db_bool(operator_host(call)));
    struct buffer b = buffer_new(call->arena);
    json_begin_object(&b);
    json_key(&b, "value");
    json_begin_array(&b);
    for (size_t i = 0; i < db_rows(rows); i++)
        if (subscription_visible(call, db_get(rows, i, 0)))
            write_subscription(&b, call, rows, i);
    json_end_array(&b);
    if (db_rows(rows) == top) {
        struct text last = text_of(arena_printf(call->arena, "%.*s.%.*s", TEXT_ARG(db_get(rows, top - 1, 5)),
                                                TEXT_ARG(db_get(rows, top - 1, 0))));
        json_key_string(&b, "nextLink", arm_next_link(call, last));
    }
    json_end_object(&b);
    arm_reply(call, 200, buffer_done(&b));
}

static void subscription_show(struct arm_call *call)
{
    if (!subscription_look(call, "Microsoft.Resources/subscriptions/read"))
        return;
    const struct db_result *rows = DB_RUN(call->tx, &subscription_get, db_text(call->subscription_id));
    if (db_rows(rows) == 0) {
        arm_fail(call, ARM_SUBSCRIPTION_NOT_FOUND, TEXT_ARG(call->subscription_id));
        return;
    }
    struct buffer b = buffer_new(call->arena);
    write_subscription(&b, call, rows, 0);
    arm_reply(call, 200, buffer_done(&b));
}

static const struct arm_operation operations[] = {
    {.http = {HTTP_GET, "/subscriptions", "Subscriptions_List"},
     .action = "Microsoft.Resources/subscriptions/read",
     .flags = ARM_NO_DECISION | ARM_GATEWAY,
     .handle = subscriptions_list,
     .display = "Get Subscriptions",
     .description = "Gets the list of subscriptions."},
    {.http = {HTTP_GET, "/subscriptions/{subscription}", "Subscriptions_Get"},
     .action = "Microsoft.Resources/subscriptions/read",
     .flags = ARM_NO_DECISION | ARM_GATEWAY,
     .handle = subscription_show,
     .display = "Get Subscriptions",
     .description = "Gets the list of subscriptions."},
    {.http = {0}},
};

const struct arm_type subscriptions_type = {.namespace_name = "Microsoft.Resources",
                                            .name = "subscriptions",
                                            .resource_display = "Subscriptions",
                                            .versions = versions_subscriptions,
                                            .arm_owned = true,
                                            .operations = operations};
