// Lists of registries, of a subscription or of a group, each row filtered by registries/read. Keyset pages in
// the order of names; a page examines at most 2,000 rows and may be short with a nextLink.
#include "rp/registry_resource.h"
#include "rp/types.h"

#include "arm/errors.h"
#include "base/arena.h"

enum { EXAMINED_LIMIT = 2000 };

static const struct db_statement list_subscription = {
    "registry_list_subscription",
    "select " REGISTRY_RESOURCE_COLUMNS ", e.name_key from arm.resource e "
    "join arm.resource_group g on g.id = e.group_id join acr.registry r on r.id = e.id "
    "where e.subscription_id = $1::uuid and e.type_key = '" REGISTRY_TYPE_KEY "' "
    "and (e.name_key, e.id) > ($2, $3) order by e.name_key, e.id limit $4"};
static const struct db_statement list_group = {
    "registry_list_group",
    "select " REGISTRY_RESOURCE_COLUMNS ", e.name_key from arm.resource e "
    "join arm.resource_group g on g.id = e.group_id join acr.registry r on r.id = e.id "
    "where e.group_id = $1 and e.type_key = '" REGISTRY_TYPE_KEY "' "
    "and (e.name_key, e.id) > ($2, $3) order by e.name_key, e.id limit $4"};

struct position {
    struct text name_key;
    int64_t id;
};

// "name.id", as our own nextLink wrote it.
static bool read_position(struct arm_call *call, struct text text, struct position *position)
{
    *position = (struct position){TEXT(""), 0};
    if (text.length == 0)
        return true;
    ptrdiff_t dot = text_find(text, '.');
    if (dot > 0 && registry_name_well_formed(text_slice(text, 0, (size_t)dot)) &&
        text_to_int64(text_slice(text, (size_t)dot + 1, text.length), &position->id)) {
        position->name_key = text_slice(text, 0, (size_t)dot);
        return true;
    }
    arm_fail(call, ARM_INVALID_SKIP_TOKEN);
    return false;
}

// Writes the rows that the caller may read, at most `top`; the index behind the last row looked at.
static size_t write_rows(struct arm_call *call, const struct db_result *rows, size_t top, struct buffer *out)
{
    size_t row = 0;
    for (size_t written = 0; row < db_rows(rows) && written < top; row++) {
        struct registry_resource registry;
        if (!registry_resource_parse(rows, row, 0, &registry) ||
            !arm_may(call, "Microsoft.ContainerRegistry/registries/read",
                     arm_resource_id(call->arena, &registry.envelope)))
            continue;
        registry_write(out, call->api_version, &registry);
        written++;
    }
    return row;
}

static void list(struct arm_call *call, const struct db_statement *statement, struct db_value where)
{
    size_t top;
    struct text token;
    struct position position;
    if (!arm_page_of_query(call, &top, &token) || !read_position(call, token, &position))
        return;
    const struct db_result *rows = DB_RUN(call->tx, statement, where, db_text(position.name_key),
                                          db_int(position.id), db_int(EXAMINED_LIMIT + 1));
    struct buffer out = buffer_new(call->arena);
    json_begin_object(&out);
    json_key(&out, "value");
    json_begin_array(&out);
    size_t end = write_rows(call, rows, top, &out);
    json_end_array(&out);
    if (end > 0 && end < db_rows(rows)) {
        struct text next = text_of(arena_printf(
            call->arena, "%.*s.%lld", TEXT_ARG(db_get(rows, end - 1, REGISTRY_RESOURCE_COLUMN_COUNT)),
            (long long)db_get_int(rows, end - 1, 0)));
        json_key_string(&out, "nextLink", arm_next_link(call, next));
    }
    json_end_object(&out);
    arm_reply(call, 200, buffer_done(&out));
}

void registry_list_in_subscription(struct arm_call *call)
{
    list(call, &list_subscription, db_text(call->subscription_id));
    if (!call->failed)
        http_set_header_string(call->answer, "x-ms-original-request-ids", call->request->request_id);
}

void registry_list_in_group(struct arm_call *call)
{
    list(call, &list_group, db_int(call->group_id));
}
