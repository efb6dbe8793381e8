// Users, service principals and the applications behind them, as Microsoft Graph v1.0 shows them.
#include "rbac/graph.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/site.h"

#include <jansson.h>

// A macro and not a view: every statement reads the same columns.
#define COLUMNS                                                                                              \
    "p.object_id, p.kind, p.display_name, p.upn, p.app_id, p.enabled, "                                      \
    "(extract(epoch from p.created_at) * 1000000)::bigint, p.tenant_id, "                                    \
    "case p.kind when 'User' then '[]' else (select coalesce(json_agg(json_build_object("                    \
    "'customKeyIdentifier', null, 'displayName', null, 'endDateTime', "                                      \
    "to_char(s.expires_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), 'hint', null, 'keyId', "    \
    "s.id, "                                                                                                 \
    "'secretText', null, 'startDateTime', "                                                                  \
    "to_char(s.created_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')) order by s.created_at), "   \
    "'[]')::text "                                                                                           \
    "from rbac.secret s where s.object_id = p.object_id) end"

enum { OBJECT_ID, KIND, DISPLAY_NAME, UPN, APP_ID, ENABLED, CREATED_AT, TENANT_ID, SECRETS };

static const struct db_statement by_id = {
    "graph_by_id", "select " COLUMNS " from rbac.principal p where p.object_id = $1::uuid"};
static const struct db_statement by_upn = {
    "graph_by_upn",
    "select " COLUMNS " from rbac.principal p where lower(p.upn) = lower($1) and p.upn is not null"};
static const struct db_statement by_app = {
    "graph_by_app", "select " COLUMNS " from rbac.principal p where p.app_id = $1::uuid"};
static const struct db_statement by_ids = {
    "graph_by_ids",
    "select " COLUMNS " from rbac.principal p where p.object_id = any($1::uuid[]) order by p.object_id"};
static const struct db_statement page_all = {
    "graph_page", "select " COLUMNS " from rbac.principal p where p.kind = $1 "
                  "and ($2::uuid is null or p.object_id > $2::uuid) order by p.object_id limit $3"};
static const struct db_statement page_named = {
    "graph_page_named",
    "select " COLUMNS " from rbac.principal p where p.kind = $1 "
    "and ($2::uuid is null or p.object_id > $2::uuid) and lower(p.display_name) = lower($4) "
    "order by p.object_id limit $3"};
static const struct db_statement page_prefix = {
    "graph_page_prefix", "select " COLUMNS " from rbac.principal p where p.kind = $1 "
                         "and ($2::uuid is null or p.object_id > $2::uuid) "
                         "and starts_with(lower(p.display_name), lower($4)) order by p.object_id limit $3"};
static const struct db_statement page_upn_prefix = {
    "graph_page_upn_prefix", "select " COLUMNS " from rbac.principal p where p.kind = $1 "
                             "and ($2::uuid is null or p.object_id > $2::uuid) "
                             "and starts_with(lower(p.upn), lower($4)) order by p.object_id limit $3"};

// One kind of object: where it stands in URLs and how a row is shown.
struct shape {
    const char *set;  // "servicePrincipals"
    const char *type; // "#microsoft.graph.servicePrincipal"
    const char *kind; // rbac.principal.kind
    void (*write)(struct buffer *out, const struct db_result *rows, size_t row, struct text select);
};

static bool wanted(struct text select, const char *name)
{
    if (!select.base)
        return true;
    while (select.length > 0) {
        ptrdiff_t comma = text_find(select, ',');
        struct text one = comma < 0 ? select : text_slice(select, 0, (size_t)comma);
        if (text_is_nocase(text_trim(one), name))
            return true;
        select = comma < 0 ? TEXT("") : text_slice(select, (size_t)comma + 1, select.length);
    }
    return false;
}

static void put_text(struct buffer *out, struct text select, const char *name, struct text value)
{
    if (wanted(select, name))
        json_key_text(out, name, value);
}

static void put_raw(struct buffer *out, struct text select, const char *name, struct text json)
{
    if (wanted(select, name))
        json_key_raw(out, name, json);
}

static void put_created(struct buffer *out, struct text select, const struct db_result *rows, size_t row)
{
    int64_t created = db_get_int(rows, row, CREATED_AT) / 1000000 * 1000000;
    put_text(out, select, "createdDateTime", clock_iso(out->arena, created, "Z"));
}

static void write_user(struct buffer *out, const struct db_result *rows, size_t row, struct text select)
{
    put_text(out, select, "id", db_get(rows, row, OBJECT_ID));
    put_text(out, select, "userPrincipalName", db_get(rows, row, UPN));
    put_text(out, select, "displayName", db_get(rows, row, DISPLAY_NAME));
    if (wanted(select, "accountEnabled"))
        json_key_bool(out, "accountEnabled", db_get_bool(rows, row, ENABLED));
    put_text(out, select, "givenName", TEXT_NONE);
    put_text(out, select, "surname", TEXT_NONE);
    put_text(out, select, "mail", TEXT_NONE);
    put_text(out, select, "jobTitle", TEXT_NONE);
    put_text(out, select, "mobilePhone", TEXT_NONE);
    put_text(out, select, "officeLocation", TEXT_NONE);
    put_text(out, select, "preferredLanguage", TEXT_NONE);
    put_raw(out, select, "businessPhones", TEXT("[]"));
    put_created(out, select, rows, row);
}

static void write_service_principal(struct buffer *out, const struct db_result *rows, size_t row,
                                    struct text select)
{
    struct text app_id = db_get(rows, row, APP_ID);
    put_text(out, select, "id", db_get(rows, row, OBJECT_ID));
    put_text(out, select, "appId", app_id);
    put_text(out, select, "displayName", db_get(rows, row, DISPLAY_NAME));
    put_text(out, select, "appDisplayName", db_get(rows, row, DISPLAY_NAME));
    if (wanted(select, "accountEnabled"))
        json_key_bool(out, "accountEnabled", db_get_bool(rows, row, ENABLED));
    put_text(out, select, "appOwnerOrganizationId", db_get(rows, row, TENANT_ID));
    put_text(out, select, "servicePrincipalType", TEXT("Application"));
    put_text(out, select, "signInAudience", TEXT("AzureADMyOrg"));
    if (wanted(select, "servicePrincipalNames")) {
        json_key(out, "servicePrincipalNames");
        json_begin_array(out);
        json_text(out, app_id);
        json_end_array(out);
    }
    put_raw(out, select, "tags", TEXT("[]"));
    put_raw(out, select, "appRoles", TEXT("[]"));
    put_raw(out, select, "oauth2PermissionScopes", TEXT("[]"));
    put_raw(out, select, "keyCredentials", TEXT("[]"));
    put_raw(out, select, "passwordCredentials", db_get(rows, row, SECRETS));
    put_created(out, select, rows, row);
}

// An application is its service principal seen from the other side; its app id serves as its object id, so
// that it is never taken for the service principal.
static void write_application(struct buffer *out, const struct db_result *rows, size_t row,
                              struct text select)
{
    struct text app_id = db_get(rows, row, APP_ID);
    put_text(out, select, "id", app_id);
    put_text(out, select, "appId", app_id);
    put_text(out, select, "displayName", db_get(rows, row, DISPLAY_NAME));
    put_text(out, select, "signInAudience", TEXT("AzureADMyOrg"));
    put_text(out, select, "publisherDomain", text_of(site()->config->domain));
    put_raw(out, select, "identifierUris", TEXT("[]"));
    put_raw(out, select, "tags", TEXT("[]"));
    put_raw(out, select, "appRoles", TEXT("[]"));
    put_raw(out, select, "keyCredentials", TEXT("[]"));
    put_raw(out, select, "passwordCredentials", db_get(rows, row, SECRETS));
    put_created(out, select, rows, row);
}

static const struct shape user_shape = {"users", "#microsoft.graph.user", "User", write_user};
static const struct shape service_principal_shape = {"servicePrincipals", "#microsoft.graph.servicePrincipal",
                                                     "ServicePrincipal", write_service_principal};
static const struct shape application_shape = {"applications", "#microsoft.graph.application",
                                               "ServicePrincipal", write_application};

static bool answer_one(struct service_call *call, const struct shape *shape, const struct db_result *rows,
                       struct text id)
{
    struct graph_query query;
    if (!graph_query_read(call, &query))
        return false;
    if (db_rows(rows) != 1 || !text_is(db_get(rows, 0, KIND), shape->kind))
        return graph_not_found(call, id);
    struct buffer out = buffer_new(call->arena);
    json_begin_object(&out);
    json_key_format(&out, "@odata.context", "%s/v1.0/$metadata#%s/$entity", site()->config->url_graph,
                    shape->set);
    shape->write(&out, rows, 0, query.select);
    json_end_object(&out);
    graph_json(call, buffer_done(&out));
    return true;
}

static void write_next_link(struct service_call *call, struct buffer *out, const struct shape *shape,
                            const struct graph_query *query, struct text last)
{
    struct buffer link = buffer_new(call->arena);
    buffer_format(&link, "%s/v1.0/%s?$top=%lld&$skiptoken=%.*s", site()->config->url_graph, shape->set,
                  (long long)query->top, TEXT_ARG(last));
    struct text filter = http_query(call->request, "$filter");
    if (filter.length > 0) {
        buffer_string(&link, "&$filter=");
        buffer_text(&link, text_percent_encode(call->arena, filter));
    }
    if (query->select.base) {
        buffer_string(&link, "&$select=");
        buffer_text(&link, text_percent_encode(call->arena, query->select));
    }
    json_key_text(out, "@odata.nextLink", buffer_done(&link));
}

// `rows` may hold one more than asked for, which tells that there is another page; NULL: an empty list.
static bool answer_list(struct service_call *call, const struct shape *shape, const struct graph_query *query,
                        const struct db_result *rows)
{
    size_t found = rows ? db_rows(rows) : 0, shown = found > (size_t)query->top ? (size_t)query->top : found;
    struct buffer out = buffer_new(call->arena);
    json_begin_object(&out);
    json_key_format(&out, "@odata.context", "%s/v1.0/$metadata#%s", site()->config->url_graph, shape->set);
    if (found > shown)
        write_next_link(call, &out, shape, query, db_get(rows, shown - 1, OBJECT_ID));
    json_key(&out, "value");
    json_begin_array(&out);
    for (size_t row = 0; row < shown; row++) {
        if (!text_is(db_get(rows, row, KIND), shape->kind))
            continue; // found by an id that is another kind's
        json_begin_object(&out);
        shape->write(&out, rows, row, query->select);
        json_end_object(&out);
    }
    json_end_array(&out);
    json_end_object(&out);
    graph_json(call, buffer_done(&out));
    return true;
}

static bool answer_page(struct service_call *call, const struct shape *shape, const struct graph_query *query,
                        const struct db_statement *statement)
{
    struct db_value kind = db_string(shape->kind), after = db_text(query->after),
                    limit = db_int(query->top + 1);
    const struct db_result *rows =
        query->filter.kind == GRAPH_ALL
            ? DB_RUN(call->tx, statement, kind, after, limit)
            : DB_RUN(call->tx, statement, kind, after, limit, db_text(query->filter.value));
    return answer_list(call, shape, query, rows);
}

static bool answer_by_uuid(struct service_call *call, const struct shape *shape,
                           const struct graph_query *query, const struct db_statement *statement)
{
    if (!uuid_is(query->filter.value))
        return answer_list(call, shape, query, NULL);
    return answer_list(call, shape, query, DB_RUN(call->tx, statement, db_text(query->filter.value)));
}

static bool is_field(const struct graph_query *query, int kind, const char *field)
{
    return (int)query->filter.kind == kind && text_is_nocase(query->filter.field, field);
}

// What every kind can be asked: everything, or by display name. 0 or 1: answered; -1: another filter.
static int answer_common(struct service_call *call, const struct shape *shape,
                         const struct graph_query *query)
{
    if (query->filter.kind == GRAPH_ALL)
        return answer_page(call, shape, query, &page_all);
    if (is_field(query, GRAPH_EQUAL, "displayName"))
        return answer_page(call, shape, query, &page_named);
    if (is_field(query, GRAPH_STARTS, "displayName"))
        return answer_page(call, shape, query, &page_prefix);
    return -1;
}

static bool unsupported_filter(struct service_call *call)
{
    return graph_unsupported(call, "the property of the filter clause cannot be searched");
}

bool graph_users(struct service_call *call)
{
    struct graph_query query;
    if (!graph_query_read(call, &query))
        return false;
    int answered = answer_common(call, &user_shape, &query);
    if (answered >= 0)
        return answered;
    if (is_field(&query, GRAPH_EQUAL, "userPrincipalName"))
        return answer_list(call, &user_shape, &query, DB_RUN(call->tx, &by_upn, db_text(query.filter.value)));
    if (is_field(&query, GRAPH_STARTS, "userPrincipalName"))
        return answer_page(call, &user_shape, &query, &page_upn_prefix);
    if (is_field(&query, GRAPH_EQUAL, "id"))
        return answer_by_uuid(call, &user_shape, &query, &by_id);
    if (is_field(&query, GRAPH_EQUAL, "mail") || is_field(&query, GRAPH_STARTS, "mail"))
        return answer_list(call, &user_shape, &query, NULL); // nobody has an address here
    return unsupported_filter(call);
}

bool graph_user(struct service_call *call)
{
    struct text id = http_parameter(&call->route, "id");
    if (id.length > 256 || !text_is_utf8(id))
        return graph_not_found(call, TEXT("given"));
    return answer_one(call, &user_shape, DB_RUN(call->tx, uuid_is(id) ? &by_id : &by_upn, db_text(id)), id);
}

bool graph_me(struct service_call *call)
{
    const struct rbac_caller *caller = graph_caller(call);
    if (caller->user)
        return answer_one(call, &user_shape, DB_RUN(call->tx, &by_id, db_string(caller->object_id)),
                          text_of(caller->object_id));
    graph_error(call, 400, "BadRequest", "/me request is only valid with delegated authentication flow.");
    return false;
}

bool graph_service_principals(struct service_call *call)
{
    struct graph_query query;
    if (!graph_query_read(call, &query))
        return false;
    int answered = answer_common(call, &service_principal_shape, &query);
    if (answered >= 0)
        return answered;
    if (is_field(&query, GRAPH_ANY, "servicePrincipalNames") || is_field(&query, GRAPH_EQUAL, "appId"))
        return answer_by_uuid(call, &service_principal_shape, &query, &by_app);
    if (is_field(&query, GRAPH_EQUAL, "id"))
        return answer_by_uuid(call, &service_principal_shape, &query, &by_id);
    return unsupported_filter(call);
}

static bool by_uuid_segment(struct service_call *call, const struct shape *shape,
                            const struct db_statement *statement)
{
    struct text id = http_parameter(&call->route, "id");
    if (!uuid_is(id))
        return graph_not_found(call, text_is_utf8(id) ? id : TEXT("given"));
    return answer_one(call, shape, DB_RUN(call->tx, statement, db_text(id)), id);
}

bool graph_service_principal(struct service_call *call)
{
    return by_uuid_segment(call, &service_principal_shape, &by_id);
}

bool graph_applications(struct service_call *call)
{
    struct graph_query query;
    if (!graph_query_read(call, &query))
        return false;
    int answered = answer_common(call, &application_shape, &query);
    if (answered >= 0)
        return answered;
    if (is_field(&query, GRAPH_EQUAL, "appId") || is_field(&query, GRAPH_EQUAL, "id"))
        return answer_by_uuid(call, &application_shape, &query, &by_app);
    if (is_field(&query, GRAPH_ANY, "identifierUris"))
        return answer_list(call, &application_shape, &query, NULL); // no application has any
    return unsupported_filter(call);
}

bool graph_application(struct service_call *call)
{
    return by_uuid_segment(call, &application_shape, &by_app);
}

static const struct shape *shape_of(const struct db_result *rows, size_t row)
{
    return text_is(db_get(rows, row, KIND), "User") ? &user_shape : &service_principal_shape;
}

bool graph_directory_object(struct service_call *call)
{
    struct text id = http_parameter(&call->route, "id");
    struct graph_query query;
    if (!graph_query_read(call, &query))
        return false;
    if (!uuid_is(id))
        return graph_not_found(call, text_is_utf8(id) ? id : TEXT("given"));
    const struct db_result *rows = DB_RUN(call->tx, &by_id, db_text(id));
    if (db_rows(rows) != 1)
        return graph_not_found(call, id);
    struct buffer out = buffer_new(call->arena);
    json_begin_object(&out);
    json_key_format(&out, "@odata.context", "%s/v1.0/$metadata#directoryObjects/$entity",
                    site()->config->url_graph);
    json_key_string(&out, "@odata.type", shape_of(rows, 0)->type);
    shape_of(rows, 0)->write(&out, rows, 0, query.select);
    json_end_object(&out);
    graph_json(call, buffer_done(&out));
    return true;
}

struct get_by_ids {
    struct text ids; // "{uuid,uuid}", an array as PostgreSQL reads it
    bool users, service_principals;
};

static bool read_ids(struct service_call *call, const json_t *ids, struct get_by_ids *wanted_ids)
{
    struct buffer list = buffer_new(call->arena);
    size_t index;
    const json_t *one;
    buffer_char(&list, '{');
    json_array_foreach(ids, index, one)
    {
        struct text id = {json_string_value(one), json_string_length(one)};
        if (!json_is_string(one) || !uuid_is(id))
            return false;
        if (index > 0)
            buffer_char(&list, ',');
        buffer_text(&list, id);
    }
    buffer_char(&list, '}');
    wanted_ids->ids = buffer_done(&list);
    return json_is_array(ids) && json_array_size(ids) >= 1 && json_array_size(ids) <= 1000;
}

static bool read_types(const json_t *types, struct get_by_ids *wanted_ids)
{
    wanted_ids->users = wanted_ids->service_principals = !types || json_is_null(types);
    if (wanted_ids->users)
        return true;
    size_t index;
    const json_t *one;
    json_array_foreach(types, index, one)
    {
        if (!json_is_string(one))
            return false;
        struct text type = {json_string_value(one), json_string_length(one)};
        bool any = text_is_nocase(type, "directoryObject");
        wanted_ids->users |= any || text_is_nocase(type, "user");
        wanted_ids->service_principals |= any || text_is_nocase(type, "servicePrincipal");
    }
    // An empty list means every type.
    if (json_is_array(types) && json_array_size(types) == 0)
        wanted_ids->users = wanted_ids->service_principals = true;
    return json_is_array(types);
}

static void free_json(void *tree)
{
    json_decref(tree);
}

static bool read_get_by_ids(struct service_call *call, struct get_by_ids *wanted_ids)
{
    struct text body = call->request->body;
    json_t *tree = body.length > 0 ? json_loadb(body.base, body.length, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (tree)
        arena_on_free(call->arena, free_json, tree);
    if (!json_is_object(tree)) {
        graph_error(call, 400, "BadRequest", "Unable to read JSON request payload.");
        return false;
    }
    if (!read_ids(call, json_object_get(tree, "ids"), wanted_ids)) {
        graph_error(call, 400, "Request_BadRequest",
                    "The property 'ids' must be an array of 1 to 1000 object ids.");
        return false;
    }
    if (!read_types(json_object_get(tree, "types"), wanted_ids)) {
        graph_error(call, 400, "Request_BadRequest", "The property 'types' must be an array of type names.");
        return false;
    }
    return true;
}

bool graph_get_by_ids(struct service_call *call)
{
    struct get_by_ids wanted_ids;
    struct graph_query query;
    if (!graph_query_read(call, &query) || !read_get_by_ids(call, &wanted_ids))
        return false;
    const struct db_result *rows = DB_RUN(call->tx, &by_ids, db_text(wanted_ids.ids));
    struct buffer out = buffer_new(call->arena);
    json_begin_object(&out);
    json_key_format(&out, "@odata.context", "%s/v1.0/$metadata#directoryObjects", site()->config->url_graph);
    json_key(&out, "value");
    json_begin_array(&out);
    for (size_t row = 0; row < db_rows(rows); row++) {
        const struct shape *shape = shape_of(rows, row);
        if (shape == &user_shape ? !wanted_ids.users : !wanted_ids.service_principals)
            continue;
        json_begin_object(&out);
        json_key_string(&out, "@odata.type", shape->type);
        shape->write(&out, rows, row, query.select);
        json_end_object(&out);
    }
    json_end_array(&out);
    json_end_object(&out);
    graph_json(call, buffer_done(&out));
    return true;
}
