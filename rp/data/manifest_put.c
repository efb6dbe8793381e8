// PUT of a manifest: what can be judged of the bytes alone, the platform that its config tells, then the rows
// under the mutex (manifest_write.c).
#include "rp/data/manifests.h"

#include "base/arena.h"
#include "base/crypto.h"
#include "base/failpoint.h"
#include "rp/data/content.h"
#include "rp/data/manifest_write.h"
#include "rp/data/store.h"

enum { CONFIG_LIMIT = 4 << 20, TAGS_LIMIT = 50 };

static bool tag_is_good(struct registry_call *call, struct text tag)
{
    const char *why = tag_name_fault(tag);
    if (why)
        registry_fail(call, 400, "TAG_INVALID", TEXT_NONE, "%s", why);
    return why == NULL;
}

// The tags that a push sets: the path's, or, of a push by digest, those of its `tag` parameters (OCI
// distribution, after 1.1). False after a refusal.
static bool read_tags(struct registry_call *call, const struct reference *reference, struct push *push)
{
    const struct http_request *request = call->request;
    push->tags = ARENA_ARRAY(call->arena, struct text, TAGS_LIMIT);
    if (reference->tag.base)
        push->tags[push->tag_count++] = reference->tag;
    for (size_t i = 0; i < request->query_count; i++) {
        if (!text_is(request->query[i].name, "tag"))
            continue;
        if (reference->tag.base) {
            registry_fail(call, 400, "TAG_INVALID", TEXT_NONE,
                          "tag parameters belong to a push by digest; this one is by tag");
            return false;
        }
        if (push->tag_count == TAGS_LIMIT) {
            registry_fail(call, 414, "TAG_INVALID", TEXT_NONE, "a push sets at most %d tags", TAGS_LIMIT);
            return false;
        }
        push->tags[push->tag_count++] = request->query[i].value;
    }
    for (size_t i = 0; i < push->tag_count; i++)
        if (!tag_is_good(call, push->tags[i]))
            return false;
    return true;
}

// Names, grammar, digest. False after 400.
static bool read_request(struct registry_call *call, struct push *push)
{
    struct reference reference;
    const char *why;
    if (!reference_read(call, &reference) || !read_tags(call, &reference, push))
        return false;
    push->content = call->request->body;
    if (!manifest_parse(call->arena, http_header(call->request, "content-type", NULL), push->content,
                        &push->manifest, &why)) {
        registry_fail(call, 400, "MANIFEST_INVALID", TEXT_NONE, "manifest invalid: %s", why);
        return false;
    }
    enum digest_algorithm algorithm = DIGEST_SHA256;
    if (reference.digest.base)
        digest_parse(reference.digest, &algorithm);
    push->digest = digest_of(call->arena, algorithm, push->content);
    if (reference.digest.base && !text_equal(reference.digest, push->digest)) {
        registry_fail(call, 400, "DIGEST_INVALID", detail_of(call, "digest", push->digest),
                      "provided digest did not match uploaded content");
        return false;
    }
    return true;
}

// A config that this repository links, unless the manifest is here already and the platform with it.
static const struct db_statement config_file_statement = {
    "manifest_config_file",
    "select b.file::text, b.size from acr.blob_link l"
    " join acr.blob b on b.registry_id = l.registry_id and b.digest = l.digest"
    " where l.repository_id = $1 and l.digest = $2"
    " and not exists (select 1 from acr.manifest m where m.repository_id = $1 and m.digest = $3)"};

static enum store_fault read_config(struct arena *arena, const char *file, int64_t size, struct text *config)
{
    struct store_file *open;
    enum store_fault fault = store_open_published(file, &open);
    if (fault != STORE_OK)
        return fault;
    char *bytes = arena_alloc(arena, (size_t)size + 1);
    int64_t have = 0;
    for (ssize_t count = 1; have < size && count > 0; have += count > 0 ? count : 0)
        count = store_read(open, have, bytes + have, (size_t)(size - have));
    store_end(open);
    *config = (struct text){bytes, (size_t)have};
    return have == size ? STORE_OK : STORE_FAILED;
}

// Fills architecture and os, before the mutex: nobody waits for our file. False after a refusal.
static bool read_platform(struct registry_call *call, struct push *push)
{
    const struct manifest *manifest = &push->manifest;
    if (!manifest_config_has_platform(manifest->config_media_type))
        return true;
    const struct db_result *row = DB_RUN(call->tx, &config_file_statement, db_int(push->repository),
                                         db_text(manifest->config_digest), db_text(push->digest));
    if (db_rows(row) == 0 || db_get_int(row, 0, 1) > CONFIG_LIMIT)
        return true; // absence is judged under the mutex
    struct text config;
    switch (read_config(call->arena, db_get(row, 0, 0).base, db_get_int(row, 0, 1), &config)) {
    case STORE_OK:
        manifest_config_platform(call->arena, config, &push->architecture, &push->os);
        return true;
    case STORE_ABSENT: // pushed again, it is mended
        registry_fail(call, 404, "MANIFEST_BLOB_UNKNOWN", detail_of(call, "digest", manifest->config_digest),
                      "blob unknown to registry");
        return false;
    default:
        registry_fail(call, 503, "UNAVAILABLE", TEXT_NONE,
                      "the image's configuration cannot be read now; try again");
        http_set_header_string(call->answer, "Retry-After", "1");
        return false;
    }
}

// The first writes the manifest, the others find it there. False after a refusal: nothing is written then.
static bool write_tags(struct registry_call *call, struct push *push)
{
    if (push->tag_count == 0)
        return manifest_write(call, push);
    for (size_t i = 0; i < push->tag_count; i++) {
        push->tag = push->tags[i];
        if (!manifest_write(call, push))
            return false;
    }
    return true;
}

static void reply_pushed(struct registry_call *call, const struct push *push, bool by_digest)
{
    registry_reply_empty(call, 201);
    http_set_header_string(call->answer, "Location",
                           arena_printf(call->arena, "/v2/%.*s/manifests/%.*s", TEXT_ARG(call->repository),
                                        TEXT_ARG(push->digest)));
    http_set_header(call->answer, "Docker-Content-Digest", push->digest);
    if (push->manifest.subject.base)
        http_set_header(call->answer, "OCI-Subject", push->manifest.subject);
    if (!by_digest || push->tag_count == 0)
        return;
    struct buffer tags = buffer_new(call->arena);
    for (size_t i = 0; i < push->tag_count; i++)
        buffer_format(&tags, "%s%.*s", i == 0 ? "" : ", ", TEXT_ARG(push->tags[i]));
    http_set_header(call->answer, "OCI-Tag", buffer_done(&tags));
}

void manifest_put(struct registry_call *call)
{
    struct push push = {0};
    if (!read_request(call, &push))
        return;
    push.repository = repository_find(call->tx, call->registry.id, call->repository, true);
    if (push.repository == 0 || !read_platform(call, &push))
        return;
    failpoint("manifest.before_lock");
    usage_lock(call->tx, call->registry.id);
    failpoint("manifest.locked");
    if (!write_tags(call, &push))
        return;
    failpoint("manifest.before_commit");
    reply_pushed(call, &push, text_find(http_parameter(&call->route, "reference"), ':') >= 0);
}
