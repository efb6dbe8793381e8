// What the routes of manifests, tags, the catalog and /acr/v1 share: references, refusals, attributes.
#include "rp/data/content_route.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "rp/data/reply.h"

#include <jansson.h>

bool reference_parse(struct text text, struct reference *reference)
{
    enum digest_algorithm algorithm;
    *reference = (struct reference){0};
    if (text_find(text, ':') < 0) {
        reference->tag = text;
        return true;
    }
    reference->digest = text;
    return digest_parse(text, &algorithm);
}

bool reference_read(struct registry_call *call, struct reference *reference)
{
    struct text text = http_parameter(&call->route, "reference");
    if (reference_parse(text, reference))
        return true;
    registry_fail(call, 400, "DIGEST_INVALID", detail_of(call, "digest", text),
                  "provided digest is not a sha256 or sha512 digest");
    return false;
}

struct text detail_of(struct registry_call *call, const char *key, struct text value)
{
    struct buffer out = buffer_new(call->arena);
    json_begin_object(&out);
    json_key_text(&out, key, value);
    json_end_object(&out);
    return buffer_done(&out);
}

void fail_disallowed(struct registry_call *call, const char *why)
{
    registry_fail(call, 405, "REGISTRY_DISALLOWED_OPERATION", TEXT("{}"), "%s%s%s", REGISTRY_DISALLOWED,
                  why ? ". " : "", why ? why : "");
}

void fail_repository_unknown(struct registry_call *call)
{
    registry_fail(call, 404, "NAME_UNKNOWN", detail_of(call, "name", call->repository),
                  "repository name not known to registry");
}

static const struct db_statement repository_read_statement = {
    "content_repository_read",
    "select p.id, " MICROSECONDS("p.created_at") ", " MICROSECONDS(
        "p.updated_at") ", p.manifest_count, p.tag_count, " ATTRIBUTE_COLUMNS("p") " from acr.repository p "
                                                                                   "where p.registry_id = $1 "
                                                                                   "and p.name = $2 and "
                                                                                   "p.deleted_at is null"};

bool repository_read(struct registry_call *call, struct repository *repository)
{
    const struct db_result *row =
        DB_RUN(call->tx, &repository_read_statement, db_int(call->registry.id), db_text(call->repository));
    if (db_rows(row) == 0) {
        fail_repository_unknown(call);
        return false;
    }
    *repository = (struct repository){db_get_int(row, 0, 0), db_get_int(row, 0, 1), db_get_int(row, 0, 2),
                                      db_get_int(row, 0, 3), db_get_int(row, 0, 4), attributes_of(row, 0, 5)};
    return true;
}

void fail_tag_unknown(struct registry_call *call)
{
    registry_fail(call, 404, "TAG_UNKNOWN", TEXT_NONE, "the specified tag does not exist");
}

void fail_manifest_unknown(struct registry_call *call, const struct reference *reference)
{
    if (reference->tag.base) {
        registry_fail(call, 404, "MANIFEST_UNKNOWN", detail_of(call, "Tag", reference->tag),
                      "manifest tagged by \"%.*s\" is not found", TEXT_ARG(reference->tag));
        return;
    }
    struct buffer out = buffer_new(call->arena);
    json_begin_object(&out);
    json_key_text(&out, "Name", call->repository);
    json_key_text(&out, "Revision", reference->digest);
    json_end_object(&out);
    registry_fail(call, 404, "MANIFEST_UNKNOWN", buffer_done(&out), "manifest unknown");
}

struct attributes attributes_of(const struct db_result *result, size_t row, size_t column)
{
    return (struct attributes){db_get_bool(result, row, column), db_get_bool(result, row, column + 1),
                               db_get_bool(result, row, column + 2), db_get_bool(result, row, column + 3)};
}

void json_attributes(struct buffer *out, struct attributes attributes, bool repository)
{
    json_key(out, "changeableAttributes");
    json_begin_object(out);
    json_key_bool(out, "deleteEnabled", attributes.delete_enabled);
    json_key_bool(out, "writeEnabled", attributes.write_enabled);
    json_key_bool(out, "readEnabled", attributes.read_enabled);
    json_key_bool(out, "listEnabled", attributes.list_enabled);
    if (repository)
        json_key_bool(out, "teleportEnabled", false);
    json_end_object(out);
}

static bool read_attribute(struct registry_call *call, const char *key, const json_t *value,
                           struct attribute_changes *changes)
{
    struct {
        const char *name;
        struct db_value *change;
    } const known[] = {
        {"deleteEnabled", &changes->delete_enabled},
        {"writeEnabled", &changes->write_enabled},
        {"readEnabled", &changes->read_enabled},
        {"listEnabled", &changes->list_enabled},
    };
    if (!json_is_boolean(value)) {
        registry_fail(call, 400, "BAD_REQUEST", TEXT_NONE, "invalid request body: %s must be true or false",
                      key);
        return false;
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(key, known[i].name) == 0) {
            *known[i].change = db_bool(json_is_true(value));
            return true;
        }
    // Teleportation is not offered; what GET shows may be sent back.
    if (strcmp(key, "teleportEnabled") == 0 && json_is_false(value))
        return true;
    registry_fail(call, 400, "BAD_REQUEST", TEXT_NONE,
                  "invalid request body: %s is not a changeable attribute", key);
    return false;
}

bool attribute_changes_read(struct registry_call *call, struct attribute_changes *changes)
{
    struct text body = call->request->body;
    *changes = (struct attribute_changes){0};
    // Flat by its nature: a deeper body is refused before it is read into a tree.
    json_t *root = body.length > 0 && body.length <= 64 * 1024
                       ? json_loadb(body.base, body.length, JSON_REJECT_DUPLICATES, NULL)
                       : NULL;
    bool good = json_is_object(root);
    if (!good)
        registry_fail(call, 400, "BAD_REQUEST", TEXT_NONE, "invalid request body: a JSON object is expected");
    const char *key;
    json_t *value;
    json_object_foreach(root, key, value)
    {
        good = good && read_attribute(call, key, value, changes);
    }
    json_decref(root);
    return good;
}

void json_key_time(struct buffer *out, const char *key, int64_t microseconds)
{
    json_key_text(out, key, clock_iso(out->arena, microseconds, "Z"));
}
