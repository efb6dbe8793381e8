// /v2/<name>/manifests/<reference>: the routes, and GET and HEAD on the read lane. PUT is in manifest_put.c,
// DELETE in manifest_delete.c.
#include "rp/data/manifests.h"

#include "base/arena.h"
#include "rp/data/registry_row.h"

enum {
    GET_REPOSITORY = REGISTRY_COLUMN_COUNT,
    GET_REPOSITORY_READABLE,
    GET_TAG_READABLE,
    GET_MANIFEST_READABLE,
    GET_DIGEST,
    GET_MEDIA_TYPE,
    GET_LENGTH,
    GET_CONTENT,
};
enum { GET_VALUES = 4 };

// The repository, the tag and the digest (one of them is ""), and whether the content is wanted, of a query
// or of each of several at once.
#define GET_COLUMNS(wanted)                                                                                  \
    "select " REGISTRY_COLUMNS ", p.id, p.read_enabled, t.read_enabled, m.read_enabled, m.digest,"           \
    " m.media_type, octet_length(m.content), case when " wanted "::boolean then m.content end"
// A subquery with a limit: whatever the planner knows of a young table, this is a look-up by key.
#define GET_JOINS(repository, tag_name, digest_text)                                                         \
    " left join acr.repository p on p.registry_id = r.id and p.name = " repository                           \
    " and p.deleted_at is null"                                                                              \
    " left join acr.tag t on t.repository_id = p.id and t.name = " tag_name                                  \
    " left join lateral (select c.digest, c.media_type, c.content, c.read_enabled from acr.manifest c"       \
    " where c.id = coalesce(t.manifest_id, (select d.id from acr.manifest d"                                 \
    " where d.repository_id = p.id and d.digest = " digest_text ")) limit 1) m on true"
static const struct db_statement manifest_get_statement = {
    "manifest_get", GET_COLUMNS("$5") REGISTRY_FROM GET_JOINS("$2", "$3", "$4")};
static const struct db_statement manifest_get_many_statement = {
    "manifest_get_many",
    GET_COLUMNS(
        "k.wanted") ", k.ordinal from rbac.version v cross join"
                    " unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])"
                    " with ordinality k (login_key, repository, tag, digest, wanted, ordinal)" REGISTRY_OF(
                        "k.login_key") GET_JOINS("k.repository", "k.tag", "k.digest")};

static struct db_value text_or_empty(struct text text)
{
    return db_text(text.base ? text : TEXT(""));
}

static void get_values(const struct registry_call *call, const struct reference *reference,
                       struct db_value values[GET_VALUES])
{
    values[0] = db_text(call->repository);
    values[1] = text_or_empty(reference->tag);
    values[2] = text_or_empty(reference->digest);
    values[3] = db_string(call->request->method != HTTP_HEAD ? "true" : "false");
}

static bool prepare_get(struct registry_call *call, struct db_value *values, size_t *count)
{
    struct reference reference;
    if (!reference_parse(http_parameter(&call->route, "reference"), &reference) ||
        (reference.tag.base && tag_name_fault(reference.tag) != NULL))
        return false; // the work lane words it
    get_values(call, &reference, values);
    *count = GET_VALUES;
    return true;
}

// If-None-Match: "*", or a list of entity tags of which one is ours; weak comparison, as for any GET.
static bool is_known_to_client(const struct registry_call *call, struct text entity_tag)
{
    struct text list = http_header(call->request, "if-none-match", NULL);
    while (list.length > 0) {
        ptrdiff_t comma = text_find(list, ',');
        size_t end = comma < 0 ? list.length : (size_t)comma;
        struct text one = text_trim(text_slice(list, 0, end));
        if (text_starts(one, "W/"))
            one = text_slice(one, 2, one.length);
        if (text_is(one, "*") || text_equal(one, entity_tag))
            return true;
        list = comma < 0 ? TEXT_NONE : text_slice(list, end + 1, list.length);
    }
    return false;
}

static void reply_manifest(struct registry_call *call, const struct db_result *result)
{
    struct text digest = text_copy(call->arena, db_get(result, 0, GET_DIGEST));
    struct text entity_tag = text_of(arena_printf(call->arena, "\"%s\"", digest.base));
    if (is_known_to_client(call, entity_tag)) {
        registry_reply_empty(call, 304);
    } else {
        struct text media_type = text_copy(call->arena, db_get(result, 0, GET_MEDIA_TYPE));
        // The stored bytes and type, whatever Accept says: they are what the digest is of.
        registry_reply(call, 200, media_type.base, db_get_bytes(result, 0, GET_CONTENT, call->arena));
        if (call->request->method == HTTP_HEAD)
            call->answer->head_length = db_get_int(result, 0, GET_LENGTH);
    }
    http_set_header(call->answer, "Docker-Content-Digest", digest);
    http_set_header(call->answer, "ETag", entity_tag);
}

static bool answer_get(struct registry_call *call, const struct db_result *result)
{
    struct reference reference;
    if (!reference_read(call, &reference))
        return true;
    if (db_is_null(result, 0, GET_REPOSITORY))
        fail_repository_unknown(call);
    else if (db_is_null(result, 0, GET_DIGEST))
        fail_manifest_unknown(call, &reference);
    else if (!db_get_bool(result, 0, GET_REPOSITORY_READABLE))
        fail_disallowed(call, locked_because(call, "repository", call->repository, "readEnabled"));
    else if (!db_get_bool(result, 0, GET_MANIFEST_READABLE))
        fail_disallowed(call, locked_because(call, "manifest", db_get(result, 0, GET_DIGEST), "readEnabled"));
    else if (reference.tag.base && !db_get_bool(result, 0, GET_TAG_READABLE))
        fail_disallowed(call, locked_because(call, "tag", reference.tag, "readEnabled"));
    else
        reply_manifest(call, result);
    return true;
}

static void handle_get(struct registry_call *call)
{
    struct reference reference;
    if (!reference_read(call, &reference))
        return;
    if (reference.tag.base && tag_name_fault(reference.tag) != NULL) {
        // A name that no tag can have: that it is absent is known without asking.
        fail_manifest_unknown(call, &reference);
        return;
    }
    struct db_value values[1 + GET_VALUES] = {db_text(call->registry.login_key)};
    get_values(call, &reference, values + 1);
    answer_get(call, db_run(call->tx, &manifest_get_statement, values, 1 + GET_VALUES));
}

static const struct registry_read read_get = {.statement = &manifest_get_statement,
                                              .prepare = prepare_get,
                                              .answer = answer_get,
                                              .many = &manifest_get_many_statement};

#define MANIFEST_PATH "/v2/{repository*}/manifests/{reference}"
const struct registry_operation registry_manifest_operations[] = {
    {{HTTP_GET, MANIFEST_PATH, "Manifests_Get"}, ACCESS_PULL, &read_get, handle_get},
    {{HTTP_PUT, MANIFEST_PATH, "Manifests_Put"}, ACCESS_PUSH, NULL, manifest_put},
    {{HTTP_DELETE, MANIFEST_PATH, "Manifests_Delete"}, ACCESS_DELETE, NULL, manifest_delete},
    {{0, NULL, NULL}, ACCESS_NONE, NULL, NULL},
};
