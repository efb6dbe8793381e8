// The generic lists /subscriptions/{s}/resources and …/resourceGroups/{g}/resources (arm-core 1.6, az-cli 4
// and 5): every tracked type's resources, filtered, with $expand.
#include "arm/errors.h"
#include "arm/filter.h"
#include "arm/move.h"
#include "arm/resource_list.h"
#include "arm/types.h"

#include "base/arena.h"
#include "base/clock.h"

#include <stdlib.h>

#define MICROSECONDS(column) "(date_part('epoch', " column ") * 1000000)::bigint"
#define COLUMNS                                                                                              \
    "g.name, e.type, e.name, e.location, e.tags, e.sku, e.state, " MICROSECONDS(                             \
        "e.created_at") ", " MICROSECONDS("e.changed_at")
enum { GROUP = RESOURCE_LIST_FIRST, TYPE, NAME, LOCATION, TAGS, SKU, STATE, CREATED, CHANGED };

static const struct db_statement of_subscription = {"arm_resources_subscription",
                                                    RESOURCE_LIST_OF_SUBSCRIPTION(COLUMNS, "")};
static const struct db_statement of_ranges = {"arm_resources_ranges", RESOURCE_LIST_OF_RANGES(COLUMNS, "")};

enum { TYPES = 64 };
enum { CREATED_TIME, CHANGED_TIME, PROVISIONING_STATE, EXPANSIONS };

struct query {
    const struct arm_call *call;
    struct filter filter;
    bool expand[EXPANSIONS];
    struct text types[TYPES]; // keys of those to be listed, sorted
    size_t type_count;
};

static bool expand_one(struct arm_call *call, struct text word, bool wanted[EXPANSIONS])
{
    static const char *const names[] = {"createdTime", "changedTime", "provisioningState"};
    for (size_t n = 0; n < EXPANSIONS; n++)
        if (text_is_nocase(word, names[n]))
            return wanted[n] = true;
    if (word.length > 0)
        arm_fail(call, ARM_INVALID_EXPAND, TEXT_ARG(word));
    return word.length == 0;
}

static bool read_expand(struct arm_call *call, bool wanted[EXPANSIONS])
{
    struct text expand = http_query(call->request, "$expand");
    size_t start = 0;
    for (size_t i = 0; expand.base && i <= expand.length; i++) {
        if (i < expand.length && expand.base[i] != ',')
            continue;
        if (!expand_one(call, text_trim(text_slice(expand, start, i)), wanted))
            return false;
        start = i + 1;
    }
    return true;
}

static int compare_keys(const void *a, const void *b)
{
    const struct text *x = a, *y = b;
    int order = memcmp(x->base, y->base, x->length < y->length ? x->length : y->length);
    return order != 0 ? order : (x->length > y->length) - (x->length < y->length);
}

// Every tracked type that the filter could let through.
static void find_types(struct arm_call *call, struct query *q)
{
    for (size_t i = 0; i < arm_type_count() && q->type_count < TYPES; i++) {
        const struct arm_type *type = arm_type_at(i);
        struct text name = text_of(arena_printf(call->arena, "%s/%s", type->namespace_name, type->name));
        if (type->tracked && filter_may_match_type(&q->filter, name))
            q->types[q->type_count++] = text_lower(call->arena, name);
    }
    qsort(q->types, q->type_count, sizeof *q->types, compare_keys);
}

// Of a filter that is refused: its beginning, so that the reason behind it is told too.
static struct text quoted(struct text expression)
{
    enum { QUOTED = 512 };
    size_t length = expression.length < QUOTED ? expression.length : QUOTED;
    while (length > 0 && length < expression.length &&
           ((unsigned char)expression.base[length] & 0xc0) == 0x80)
        length--;
    return text_slice(expression, 0, length);
}

static bool read_query(struct arm_call *call, struct query *q)
{
    struct text expression = http_query(call->request, "$filter");
    const char *why;
    *q = (struct query){.call = call};
    if (!filter_parse(call->arena, expression, false, &q->filter, &why)) {
        arm_fail(call, ARM_INVALID_FILTER, TEXT_ARG(quoted(expression)), why);
        return false;
    }
    return read_expand(call, q->expand);
}

static struct text id_of(const void *context, const struct db_result *rows, size_t i)
{
    const struct arm_call *call = ((const struct query *)context)->call;
    return resource_id_build(call->arena, call->subscription_id, db_get(rows, i, GROUP),
                             db_get(rows, i, TYPE), db_get(rows, i, NAME));
}

static bool fits(const void *context, const struct db_result *rows, size_t i)
{
    const struct query *q = context;
    struct filter_item item = {.name = db_get(rows, i, NAME),
                               .type = db_get(rows, i, TYPE),
                               .group = db_get(rows, i, GROUP),
                               .location = db_get(rows, i, LOCATION),
                               .tags = db_get(rows, i, TAGS)};
    return filter_matches(&q->filter, &item);
}

static void write_item(const void *context, struct buffer *b, const struct db_result *rows, size_t i)
{
    const struct query *q = context;
    struct arena *arena = q->call->arena;
    json_begin_object(b);
    json_key_text(b, "id", id_of(context, rows, i));
    json_key_text(b, "name", db_get(rows, i, NAME));
    json_key_text(b, "type", db_get(rows, i, TYPE));
    if (!db_is_null(rows, i, SKU)) {
        json_key(b, "sku");
        json_begin_object(b);
        json_key_text(b, "name", db_get(rows, i, SKU));
        json_key_text(b, "tier", db_get(rows, i, SKU));
        json_end_object(b);
    }
    json_key_text(b, "location", db_get(rows, i, LOCATION));
    if (q->expand[CREATED_TIME])
        json_key_text(b, "createdTime", clock_iso7(arena, db_get_int(rows, i, CREATED)));
    if (q->expand[CHANGED_TIME])
        json_key_text(b, "changedTime", clock_iso7(arena, db_get_int(rows, i, CHANGED)));
    if (q->expand[PROVISIONING_STATE])
        json_key_text(b, "provisioningState", db_get(rows, i, STATE));
    if (!q->filter.by_tag_and_value)
        json_key_raw(b, "tags", db_is_null(rows, i, TAGS) ? TEXT("{}") : db_get(rows, i, TAGS));
    json_end_object(b);
}

// az in the hybrid profile crashes when it finds the registry by this list before a data-plane command, and
// works when it does not (az-cli 6.2): these commands are told that there is none. Only at 2019-10-01
// (decisions 23).
static bool hidden_from_hybrid_az(const struct arm_call *call, const struct filter *filter)
{
    static const char *const groups[] = {"acr repository ", "acr manifest ", "acr helm "};
    if (!site()->config->hybrid_shim || strcmp(call->api_version, "2019-10-01") != 0 || call->group.base ||
        filter->terms != 1 ||
        !text_is_nocase(filter_equal(filter, FILTER_TYPE), "Microsoft.ContainerRegistry/registries"))
        return false;
    struct text command = text_trim(http_header(call->request, "commandname", NULL));
    if (!command.base || text_is(command, "acr login"))
        return command.base != NULL;
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (text_starts(command, groups[i]))
            return true;
    return false;
}

static void resources_list(struct arm_call *call)
{
    struct query q;
    if (!read_query(call, &q))
        return;
    if (hidden_from_hybrid_az(call, &q.filter)) {
        arm_reply(call, 200, TEXT("{\"value\":[]}"));
        return;
    }
    find_types(call, &q);
    struct resource_list list = {
        .of_subscription = &of_subscription,
        .of_ranges = &of_ranges,
        .types = q.types,
        .type_count = q.type_count,
        .group = call->group.base ? call->group : filter_equal(&q.filter, FILTER_GROUP),
        .name = filter_equal(&q.filter, FILTER_NAME),
        .fits = fits,
        .write = write_item,
        .id = id_of,
        .context = &q,
    };
    arm_resource_list(call, &list);
}

static const struct arm_operation subscription_operations[] = {
    {.http = {HTTP_GET, "/subscriptions/{subscription}/resources", "Resources_List"},
     .action = "Microsoft.Resources/subscriptions/resources/read",
     .flags = ARM_NO_DECISION | ARM_GATEWAY,
     .handle = resources_list,
     .display = "Get Subscription Resources",
     .description = "Gets resources of a subscription."},
    {.http = {0}},
};
static const struct arm_operation group_operations[] = {
    {.http = {HTTP_GET, "/subscriptions/{subscription}/resourceGroups/{group}/resources",
              "Resources_ListByResourceGroup"},
     .action = "Microsoft.Resources/subscriptions/resourcegroups/resources/read",
     .flags = ARM_NO_DECISION | ARM_GATEWAY,
     .handle = resources_list,
     .display = "Get Resource Group Resources",
     .description = "Gets the resources for the resource group."},
    {.http = {HTTP_POST, "/subscriptions/{subscription}/resourceGroups/{group}/moveResources",
              "Resources_MoveResources"},
     .action = "Microsoft.Resources/subscriptions/resourceGroups/moveResources/action",
     .flags = ARM_NEEDS_BODY | ARM_GATEWAY,
     .handle = move_resources,
     .display = "Move Resource Group Resources",
     .description = "Moves resources from one resource group to another."},
    {.http = {HTTP_POST, "/subscriptions/{subscription}/resourceGroups/{group}/validateMoveResources",
              "Resources_ValidateMoveResources"},
     .action = "Microsoft.Resources/subscriptions/resourceGroups/validateMoveResources/action",
     .flags = ARM_NEEDS_BODY | ARM_GATEWAY,
     .handle = move_validate,
     .display = "Validate Move Resource Group Resources",
     .description = "Validates whether resources can be moved from one resource group to another."},
    {.http = {0}},
};

const struct arm_type subscription_resources_type = {.namespace_name = "Microsoft.Resources",
                                                     .name = "subscriptions/resources",
                                                     .resource_display = "Resources",
                                                     .versions = versions_resources,
                                                     .arm_owned = true,
                                                     .operations = subscription_operations};
const struct arm_type group_resources_type = {.namespace_name = "Microsoft.Resources",
                                              .name = "subscriptions/resourcegroups/resources",
                                              .resource_display = "Resources",
                                              .versions = versions_resources,
                                              .arm_owned = true,
                                              .operations = group_operations};
