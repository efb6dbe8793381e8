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

// $2 repository, $3 tag or null, $4 digest or null, $5 whether the content is wanted.
static const struct db_statement manifest_get_statement = {
    "manifest_get",
    "select " REGISTRY_COLUMNS
    ", p.id, p.read_enabled, t.read_enabled, m.read_enabled, m.digest, m.media_type,"
    " octet_length(m.content), case when $5::boolean then m.content end" REGISTRY_FROM
    " left join acr.repository p on p.registry_id = r.id and p.name = $2 and p.deleted_at is null"
    " left join acr.tag t on t.repository_id = p.id and t.name = $3"
    // A subquery with a limit: whatever the planner knows of a young table, this is a look-up by key.
    " left join lateral (select c.digest, c.media_type, c.content, c.read_enabled from acr.manifest c"
    "   where c.id = coalesce(t.manifest_id,"
    "     (select d.id from acr.manifest d where d.repository_id = p.id and d.digest = $4)) limit 1) m on "
    "true"};

static bool prepare_get(struct registry_call *call, struct db_value *values, size_t *count)
{
    struct reference reference;
    if (!reference_parse(http_parameter(&call->route, "reference"), &reference) ||
        (reference.tag.base && tag_name_fault(reference.tag) != NULL))
        return false; // the work lane words it
    values[0] = db_text(call->repository);
    values[1] = db_text(reference.tag);
    values[2] = db_text(reference.digest);
    values[3] = db_bool(call->request->method != HTTP_HEAD);
    *count = 4;
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
    struct db_value values[] = {db_text(call->registry.login_key), db_text(call->repository),
                                db_text(reference.tag), db_text(reference.digest),
                                db_bool(call->request->method != HTTP_HEAD)};
    answer_get(call, db_run(call->tx, &manifest_get_statement, values, sizeof values / sizeof *values));
}

static const struct registry_read read_get = {&manifest_get_statement, prepare_get, answer_get, NULL};

#define MANIFEST_PATH "/v2/{repository*}/manifests/{reference}"
const struct registry_operation registry_manifest_operations[] = {
    {{HTTP_GET, MANIFEST_PATH, "Manifests_Get"}, ACCESS_PULL, &read_get, handle_get},
    {{HTTP_PUT, MANIFEST_PATH, "Manifests_Put"}, ACCESS_PUSH, NULL, manifest_put},
    {{HTTP_DELETE, MANIFEST_PATH, "Manifests_Delete"}, ACCESS_DELETE, NULL, manifest_delete},
    {{0, NULL, NULL}, ACCESS_NONE, NULL, NULL},
};
