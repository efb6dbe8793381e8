// POST /providers/Microsoft.ResourceGraph/resources (decisions 50): what portals ask their lists with.
// Request and answer as the published SDK (@azure/arm-resourcegraph) has them.
#include "arm/errors.h"
#include "arm/graph_run.h"
#include "arm/types.h"

#include "base/arena.h"

enum { TOP_LIMIT = 1000, SUBSCRIPTIONS_LIMIT = 1000, ANSWER_LIMIT = 16 << 20 };

struct graph_request {
    struct text query;
    struct text *subscriptions; // NULL: all that the caller may see
    size_t subscription_count;
    struct graph_page page;
    bool table;
};

static void refuse(struct arm_call *call, const char *word, const char *message)
{
    graph_fail_query(call, "InvalidRequest", word, message);
}

// An array's strings; false after a failure. *texts stays NULL when there are none.
static bool read_texts(struct arm_call *call, const char *name, struct text **texts, size_t *count)
{
    const json_t *array = json_object_get(call->body, name);
    if (!array || json_is_null(array) || json_array_size(array) == 0) {
        if (array && !json_is_null(array) && !json_is_array(array))
            refuse(call, name, arena_printf(call->arena, "'%s' is no list of strings.", name));
        return !call->failed;
    }
    *count = json_array_size(array);
    if (*count > SUBSCRIPTIONS_LIMIT) {
        refuse(call, name, arena_printf(call->arena, "'%s' has more than 1000 members.", name));
        return false;
    }
    *texts = ARENA_ARRAY(call->arena, struct text, *count);
    for (size_t i = 0; i < *count; i++) {
        const json_t *value = json_array_get(array, i);
        if (!json_is_string(value)) {
            refuse(call, name, arena_printf(call->arena, "'%s' is no list of strings.", name));
            return false;
        }
        (*texts)[i] = (struct text){json_string_value(value), json_string_length(value)};
    }
    return true;
}

static bool read_number(struct arm_call *call, const json_t *options, const char *name, int64_t least,
                        int64_t most, size_t *number)
{
    const json_t *value = json_object_get(options, name);
    if (!value || json_is_null(value))
        return true;
    if (!json_is_integer(value) || json_integer_value(value) < least || json_integer_value(value) > most) {
        refuse(call, name,
               arena_printf(call->arena, "'%s' is no number from %lld to %lld.", name, (long long)least,
                            (long long)most));
        return false;
    }
    *number = (size_t)json_integer_value(value);
    return true;
}

static bool read_string(struct arm_call *call, const json_t *object, const char *name, struct text *text)
{
    const json_t *value = json_object_get(object, name);
    *text = TEXT("");
    if (!value || json_is_null(value))
        return true;
    if (!json_is_string(value)) {
        refuse(call, name, arena_printf(call->arena, "'%s' is no string.", name));
        return false;
    }
    *text = (struct text){json_string_value(value), json_string_length(value)};
    return true;
}

static bool only(struct arm_call *call, const json_t *object, const char *const *known)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        size_t i = 0;
        while (known[i] && strcmp(key, known[i]) != 0)
            i++;
        if (known[i])
            continue;
        const char *word = arena_strndup(call->arena, key, strnlen(key, 100));
        refuse(call, word, arena_printf(call->arena, "'%s' is not supported.", word));
        return false;
    }
    return true;
}

static bool read_format(struct arm_call *call, const json_t *options, bool *table)
{
    struct text format;
    if (!read_string(call, options, "resultFormat", &format))
        return false;
    *table = text_is_nocase(format, "table");
    if (*table || format.length == 0 || text_is_nocase(format, "objectArray"))
        return true;
    refuse(call, "resultFormat", "'resultFormat' is neither 'objectArray' nor 'table'.");
    return false;
}

// Which of the scopes above would count: there are no management groups, and our tables have no assignments
// in them.
static bool read_scopes(struct arm_call *call, const json_t *options)
{
    static const char *const filters[] = {"AtScopeAndBelow", "AtScopeAndAbove", "AtScopeExact",
                                          "AtScopeAboveAndBelow"};
    const json_t *partial = json_object_get(options, "allowPartialScopes");
    struct text filter;
    if (partial && !json_is_boolean(partial) && !json_is_null(partial)) {
        refuse(call, "allowPartialScopes", "'allowPartialScopes' is neither true nor false.");
        return false;
    }
    if (!read_string(call, options, "authorizationScopeFilter", &filter))
        return false;
    bool known = filter.length == 0;
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++)
        known = known || text_is_nocase(filter, filters[i]);
    if (!known)
        refuse(call, "authorizationScopeFilter", "'authorizationScopeFilter' is none of the known filters.");
    return known;
}

static bool read_options(struct arm_call *call, struct graph_request *request)
{
    static const char *const known[] = {
        "$skipToken", "$top", "$skip", "resultFormat", "allowPartialScopes", "authorizationScopeFilter",
        NULL};
    const json_t *options = json_object_get(call->body, "options");
    request->page.top = TOP_LIMIT;
    if (!options || json_is_null(options))
        return true;
    if (!json_is_object(options)) {
        refuse(call, "options", "'options' is no object.");
        return false;
    }
    struct text token;
    if (!only(call, options, known) ||
        !read_number(call, options, "$top", 1, TOP_LIMIT, &request->page.top) ||
        !read_number(call, options, "$skip", 0, INT32_MAX, &request->page.skip) ||
        !read_string(call, options, "$skipToken", &token) || !read_format(call, options, &request->table) ||
        !read_scopes(call, options))
        return false;
    // Portals send an empty token and $skip 0 with everything; a number of rows to skip counts from the
    // first.
    request->page.token = token.length > 0 && request->page.skip == 0 ? token : TEXT_NONE;
    return true;
}

static bool read_request(struct arm_call *call, struct graph_request *request)
{
    static const char *const known[] = {"subscriptions", "managementGroups", "query",
                                        "options",       "facets",           NULL};
    struct text *groups = NULL;
    size_t group_count = 0;
    *request = (struct graph_request){0};
    if (!only(call, call->body, known) || !read_string(call, call->body, "query", &request->query) ||
        !read_texts(call, "subscriptions", &request->subscriptions, &request->subscription_count) ||
        !read_texts(call, "managementGroups", &groups, &group_count) || !read_options(call, request))
        return false;
    if (json_array_size(json_object_get(call->body, "facets")) > 0)
        refuse(call, "facets", "Facets are not supported: ask with 'summarize count() by' instead.");
    else if (groups)
        refuse(call, "managementGroups",
               "There are no management groups here: name subscriptions, or none for all.");
    else if (request->query.length == 0)
        graph_fail_query(call, "InvalidQuery", "query", "The query is invalid: it is empty.");
    for (size_t i = 0; i < request->subscription_count && !call->failed; i++)
        if (!uuid_is(request->subscriptions[i]))
            refuse(call, "subscriptions", "'subscriptions' has a member that is no subscription's id.");
    return !call->failed;
}

static uint64_t mix(uint64_t hash, struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        hash = (hash ^ (unsigned char)text.base[i]) * 1099511628211u;
    return (hash ^ 0xff) * 1099511628211u;
}

static uint64_t fingerprint_of(const struct graph_request *request)
{
    uint64_t hash = mix(14695981039346656037u, request->query);
    for (size_t i = 0; i < request->subscription_count; i++)
        hash = mix(hash, request->subscriptions[i]);
    return hash;
}

// ---- the answer

static bool short_enough(struct arm_call *call, const struct buffer *b)
{
    if (b->length > ANSWER_LIMIT)
        graph_fail_query(call, "ResponsePayloadTooLarge", NULL,
                         "The answer has exceeded the limit of 16777216 bytes: query less data at a time, by "
                         "$top and $skipToken, or project fewer columns.");
    return !call->failed;
}

static void write_objects(struct arm_call *call, struct buffer *b, const struct graph_schema *schema,
                          const struct graph_result *result)
{
    json_begin_array(b);
    for (size_t i = 0; i < result->count && short_enough(call, b); i++) {
        json_begin_object(b);
        for (size_t c = 0; c < schema->count; c++) {
            json_key_of(b, schema->columns[c].name);
            graph_write(b, &result->rows[i]->cells[c]);
        }
        json_end_object(b);
    }
    json_end_array(b);
}

static void write_table(struct arm_call *call, struct buffer *b, const struct graph_schema *schema,
                        const struct graph_result *result)
{
    static const char *const types[] = {"string", "integer", "number", "boolean", "object"};
    json_begin_object(b);
    json_key(b, "columns");
    json_begin_array(b);
    for (size_t c = 0; c < schema->count; c++) {
        json_begin_object(b);
        json_key_text(b, "name", schema->columns[c].name);
        json_key_string(b, "type", types[schema->columns[c].type]);
        json_end_object(b);
    }
    json_end_array(b);
    json_key(b, "rows");
    json_begin_array(b);
    for (size_t i = 0; i < result->count && short_enough(call, b); i++) {
        json_begin_array(b);
        for (size_t c = 0; c < schema->count; c++)
            graph_write(b, &result->rows[i]->cells[c]);
        json_end_array(b);
    }
    json_end_array(b);
    json_end_object(b);
}

static void reply(struct arm_call *call, const struct graph_request *request, const struct graph_query *query,
                  const struct graph_result *result)
{
    struct buffer b = buffer_new(call->arena);
    json_begin_object(&b);
    json_key_int(&b, "totalRecords", result->total);
    json_key_int(&b, "count", (int64_t)result->count);
    json_key(&b, "data");
    if (request->table)
        write_table(call, &b, &query->schema, result);
    else
        write_objects(call, &b, &query->schema, result);
    json_key_raw(&b, "facets", TEXT("[]"));
    json_key_string(&b, "resultTruncated", result->token.base ? "true" : "false");
    if (result->token.base)
        json_key_text(&b, "$skipToken", result->token);
    json_end_object(&b);
    if (short_enough(call, &b))
        arm_reply(call, 200, buffer_done(&b));
}

static void resources_query(struct arm_call *call)
{
    struct graph_request request;
    struct graph_fault fault;
    struct graph_result result = {0};
    if (!read_request(call, &request))
        return;
    struct graph_query *query = graph_parse(call->arena, request.query, &fault);
    if (!query) {
        graph_fail_query(call, "InvalidQuery", text_cstr(call->arena, fault.word), fault.message);
        return;
    }
    struct graph_source source = {.call = call, .query = query};
    graph_subscriptions(&source, request.subscriptions, request.subscription_count);
    if (graph_run(&source, &request.page, fingerprint_of(&request), &result))
        reply(call, &request, query, &result);
}

static const struct arm_operation operations[] = {
    {.http = {HTTP_POST, "/providers/Microsoft.ResourceGraph/resources", "ResourceGraph_Resources"},
     .action = "Microsoft.ResourceGraph/resources/read",
     .flags = ARM_NO_DECISION | ARM_GATEWAY | ARM_READ_COUNT | ARM_NEEDS_BODY,
     .handle = resources_query,
     .display = "Query Resources",
     .description = "Submits a query on resources within specified subscriptions."},
    {.http = {0}},
};

// Of 2021-03-01 and later (decisions 50).
static const char *const versions[] = {"2024-04-01", "2022-10-01", "2021-06-01-preview", "2021-03-01", NULL};

const struct arm_type resource_graph_type = {.namespace_name = "Microsoft.ResourceGraph",
                                             .name = "resources",
                                             .resource_display = "Resources",
                                             .versions = versions,
                                             .arm_owned = true,
                                             .operations = operations};
