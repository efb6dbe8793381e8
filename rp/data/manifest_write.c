// A manifest's rows. The mutex is held by a statement before: what these statements read is what the last
// holder committed, so first references are counted once and exactly.
#include "rp/data/manifest_write.h"

#include "base/arena.h"
#include "rp/data/content.h"
#include "rp/data/event.h"
#include "rp/data/stamp.h"
#include "rp/data/upload.h"

// What the repository has at this digest and tag.
static const struct db_statement push_state_statement = {
    "manifest_push_state",
    "select p.write_enabled and coalesce(m.write_enabled, true) and coalesce(t.write_enabled, true)"
    "   and coalesce(o.write_enabled, true), m.id, t.manifest_id"
    " from acr.repository p left join acr.manifest m on m.repository_id = p.id and m.digest = $2"
    " left join acr.tag t on t.repository_id = p.id and t.name = $3 left join acr.manifest o on o.id = "
    "t.manifest_id"
    " where p.id = $1"};

// Sub-selects with a limit, so that each digest is a look-up by key in every table: an `exists` among the
// columns may be hashed, which reads all that the registry refers to. For each digest, in order: the blob's
// size where this repository links it, whether a live manifest of the registry refers to it already, and the
// size of the repository's manifest of that digest.
static const struct db_statement push_digests_statement = {
    "manifest_push_digests",
    "select (select b.size from acr.blob_link l join acr.blob b on b.registry_id = $2 and b.digest = l.digest"
    "   where l.repository_id = $1 and l.digest = d.digest and not b.lost),"
    " coalesce((select true from acr.manifest_ref f where f.registry_id = $2 and f.digest = d.digest"
    "   and (select p.deleted_at is null from acr.repository p where p.id = f.repository_id) limit 1), "
    "false),"
    " (select octet_length(m.content) from acr.manifest m where m.repository_id = $1 and m.digest = d.digest)"
    " from unnest($3::text[]) with ordinality d (digest, position) order by d.position"};

static const struct db_statement manifest_insert_statement = {
    "manifest_insert", "insert into acr.manifest (registry_id, repository_id, digest, media_type, "
                       "config_media_type, artifact_type,"
                       " subject, architecture, os, annotations, image_size, content)"
                       " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::json, $12, $11) returning id"};
static const struct db_statement refs_insert_statement = {
    "manifest_refs_insert", "insert into acr.manifest_ref (manifest_id, repository_id, registry_id, digest)"
                            " select $1::bigint, $2::bigint, $3::bigint, digest"
                            " from unnest($4::text[]) digest order by digest"};
// A child's platform is the one the index gives, else the child's own.
static const struct db_statement children_insert_statement = {
    "manifest_children_insert",
    "insert into acr.manifest_child (manifest_id, repository_id, digest, architecture, os)"
    " select $1::bigint, $2::bigint, d.digest, coalesce(d.architecture, m.architecture), coalesce(d.os, m.os)"
    " from unnest($3::text[], $4::text[], $5::text[]) d (digest, architecture, os)"
    " join acr.manifest m on m.repository_id = $2 and m.digest = d.digest"};
// The distinct blobs of an index and of all below it (decisions 15), each found by its key.
static const struct db_statement index_size_statement = {
    "manifest_index_size",
    "with recursive tree (id) as (select $1::bigint union select x.id from tree t cross join lateral"
    "  (select m.id from acr.manifest_child c"
    "   join acr.manifest m on m.repository_id = c.repository_id and m.digest = c.digest"
    "   where c.manifest_id = t.id offset 0) x)"
    " update acr.manifest set image_size = coalesce((select sum((select b.size from acr.blob b"
    "   where b.registry_id = $2 and b.digest = d.digest)) from (select distinct f.digest from tree t"
    "   cross join lateral (select r.digest from acr.manifest_ref r where r.manifest_id = t.id offset 0) f) "
    "d), 0)"
    " where id = $1"};
// The tag, the counts and the event. $2 tag or null, $3 the manifest, $4 manifests whose time this is too:
// the one that the tag left, and one that was here already. A repository without manifests is not there for
// users: with its first it begins anew, shown and readable.
static const struct db_statement pushed_statement = {
    "manifest_pushed",
    "with tagged as (insert into acr.tag (repository_id, name, manifest_id) select $1, $2, $3"
    "  where $2::text is not null on conflict (repository_id, name)"
    "  do update set manifest_id = excluded.manifest_id, updated_at = clock_timestamp()),"
    " touched as (update acr.manifest set updated_at = clock_timestamp() where id = any($4::bigint[])),"
    " event as (insert into acr.event (" EVENT_REQUEST_COLUMNS
    ", registry_id, repository, tag, digest, media_type, size, action)"
    "  select $5::uuid, $6, $7, $8, $9, $10, $2, $11, $12, $13, action"
    "  from " EVENT_ACTIONS(
        "push",
        "$14::text") " action)"
                     " update acr.repository set manifest_count = manifest_count + $15, tag_count = "
                     "tag_count + $16,"
                     " updated_at = clock_timestamp(),"
                     " created_at = case when manifest_count > 0 then created_at else clock_timestamp() end,"
                     " read_enabled = read_enabled or manifest_count = 0, list_enabled = list_enabled or "
                     "manifest_count = 0"
                     " where id = $1"};

// The rows a new manifest makes, as array literals of PostgreSQL.
struct references {
    struct buffer blobs;
    struct buffer children, architectures, systems;
    size_t blob_count, child_count;
    int64_t bytes;       // of blobs that nothing live referred to before
    int64_t image_bytes; // of all of them
};

static void array_add(struct buffer *array, struct text element)
{
    buffer_char(array, array->length == 0 ? '{' : ',');
    if (element.base == NULL) {
        buffer_string(array, "NULL");
        return;
    }
    buffer_char(array, '"');
    for (size_t i = 0; i < element.length; i++) {
        if (element.base[i] == '"' || element.base[i] == '\\')
            buffer_char(array, '\\');
        buffer_char(array, element.base[i]);
    }
    buffer_char(array, '"');
}

static struct db_value array_value(struct buffer *array)
{
    buffer_string(array, array->length == 0 ? "{}" : "}");
    return db_text(buffer_done(array));
}

static bool check_size(struct registry_call *call, const struct manifest_descriptor *descriptor, int64_t size)
{
    if (descriptor->size == size)
        return true;
    registry_fail(call, 400, "MANIFEST_INVALID", detail_of(call, "digest", descriptor->digest),
                  "manifest invalid: the size of %.*s is %lld, not %lld", TEXT_ARG(descriptor->digest),
                  (long long)size, (long long)descriptor->size);
    return false;
}

// Sorts one descriptor by what is here. False after a refusal.
static bool add_reference(struct registry_call *call, const struct manifest_descriptor *descriptor,
                          bool child, const struct db_result *found, size_t row,
                          struct references *references)
{
    if (child && !db_is_null(found, row, 2)) {
        if (!check_size(call, descriptor, db_get_int(found, row, 2)))
            return false;
        array_add(&references->children, descriptor->digest);
        array_add(&references->architectures, descriptor->architecture);
        array_add(&references->systems, descriptor->os);
        references->child_count++;
        return true;
    }
    if (db_is_null(found, row, 0)) {
        if (descriptor->foreign)
            return true;
        registry_fail(call, 404, "MANIFEST_BLOB_UNKNOWN", detail_of(call, "digest", descriptor->digest),
                      "blob unknown to registry");
        return false;
    }
    if (!check_size(call, descriptor, db_get_int(found, row, 0)))
        return false;
    array_add(&references->blobs, descriptor->digest);
    references->blob_count++;
    references->image_bytes += db_get_int(found, row, 0);
    if (!db_get_bool(found, row, 1))
        references->bytes += db_get_int(found, row, 0);
    return true;
}

static bool add_references(struct registry_call *call, const struct push *push,
                           const struct manifest_descriptor *list, size_t count, bool children,
                           struct references *references)
{
    if (count == 0)
        return true;
    struct buffer digests = buffer_new(call->arena);
    for (size_t i = 0; i < count; i++)
        array_add(&digests, list[i].digest);
    const struct db_result *found = DB_RUN(call->tx, &push_digests_statement, db_int(push->repository),
                                           db_int(call->registry.id), array_value(&digests));
    if (db_rows(found) != count)
        return false; // the statement failed
    for (size_t i = 0; i < count; i++)
        if (!add_reference(call, &list[i], children, found, i, references))
            return false;
    return true;
}

static int64_t insert_manifest(struct registry_call *call, const struct push *push, int64_t image_bytes)
{
    const struct manifest *manifest = &push->manifest;
    const struct db_result *made = DB_RUN(
        call->tx, &manifest_insert_statement, db_int(call->registry.id), db_int(push->repository),
        db_text(push->digest), db_text(manifest->media_type), db_text(manifest->config_media_type),
        db_text(manifest->artifact_type), db_text(manifest->subject), db_text(push->architecture),
        db_text(push->os), db_text(manifest->annotations), db_bytes(push->content), db_int(image_bytes));
    return db_rows(made) == 1 ? db_get_int(made, 0, 0) : 0;
}

// Whether the site takes a new manifest: what it refers to was let in before, by its uploads. False after
// 405.
static bool site_takes(struct registry_call *call, int64_t bytes)
{
    if (store_low_water()) {
        upload_fail_disk(call);
        return false;
    }
    stamp_read(call->tx, stamp_room() < bytes);
    if (stamp_room() >= bytes)
        return true;
    fail_disallowed(call, arena_printf(call->arena,
                                       "The storage limit of all registries together, %lld bytes, would be "
                                       "passed",
                                       (long long)stamp_maximum()));
    return false;
}

// The new manifest's id; 0 after a refusal.
static int64_t write_new(struct registry_call *call, const struct push *push)
{
    const struct manifest *manifest = &push->manifest;
    struct references references = {.blobs = buffer_new(call->arena),
                                    .children = buffer_new(call->arena),
                                    .architectures = buffer_new(call->arena),
                                    .systems = buffer_new(call->arena)};
    if (!add_references(call, push, manifest->blobs, manifest->blob_count, false, &references) ||
        !add_references(call, push, manifest->children, manifest->child_count, true, &references))
        return 0;
    if (!site_takes(call, (int64_t)push->content.length))
        return 0;
    if (!usage_change(call->tx, call->registry.id, references.bytes + (int64_t)push->content.length,
                      call->registry.quota)) {
        fail_disallowed(call, arena_printf(call->arena,
                                           "The registry's storage limit of %lld bytes would be passed",
                                           (long long)call->registry.quota));
        return 0;
    }
    upload_limit_add(call->registry.id, (int64_t)push->content.length);
    int64_t id = insert_manifest(call, push, references.image_bytes);
    if (references.blob_count > 0)
        DB_RUN(call->tx, &refs_insert_statement, db_int(id), db_int(push->repository),
               db_int(call->registry.id), array_value(&references.blobs));
    if (references.child_count > 0) {
        DB_RUN(call->tx, &children_insert_statement, db_int(id), db_int(push->repository),
               array_value(&references.children), array_value(&references.architectures),
               array_value(&references.systems));
        DB_RUN(call->tx, &index_size_statement, db_int(id), db_int(call->registry.id));
    }
    return id;
}

struct pushed {
    int64_t manifest, tag_left; // 0: the tag is new, or there is none
    bool fresh, tag_fresh;
};

static void write_pushed(struct registry_call *call, const struct push *push, const struct pushed *pushed)
{
    struct event_request request = event_request_of(call);
    struct buffer touched = buffer_new(call->arena);
    buffer_char(&touched, '{');
    if (!pushed->fresh)
        buffer_format(&touched, "%lld", (long long)pushed->manifest);
    if (pushed->tag_left != 0 && pushed->tag_left != pushed->manifest)
        buffer_format(&touched, "%s%lld", pushed->fresh ? "" : ",", (long long)pushed->tag_left);
    buffer_char(&touched, '}');
    const struct db_value values[] = {
        db_int(push->repository),
        db_text(push->tag),
        db_int(pushed->manifest),
        db_text(buffer_done(&touched)),
        EVENT_REQUEST_VALUES(request),
        db_int(call->registry.id),
        db_text(call->repository),
        db_text(push->digest),
        db_text(push->manifest.media_type),
        db_int((int64_t)push->content.length),
        db_text(push->manifest.config_media_type),
        db_int(pushed->fresh),
        db_int(pushed->tag_fresh),
    };
    size_t count = sizeof values / sizeof *values;
    if (!db_defer(call->tx, &pushed_statement, values, count)) // nothing hangs on its rows
        db_run(call->tx, &pushed_statement, values, count);
}

bool manifest_write(struct registry_call *call, const struct push *push)
{
    const struct db_result *state = DB_RUN(call->tx, &push_state_statement, db_int(push->repository),
                                           db_text(push->digest), db_text(push->tag));
    if (db_rows(state) == 0)
        return false; // the statement failed
    if (!db_get_bool(state, 0, 0)) {
        fail_locked(call, push->repository, push->digest, push->tag, false);
        return false;
    }
    struct pushed pushed = {.fresh = db_is_null(state, 0, 1),
                            .manifest = db_get_int(state, 0, 1),
                            .tag_fresh = push->tag.base && db_is_null(state, 0, 2),
                            .tag_left = db_get_int(state, 0, 2)};
    if (pushed.fresh)
        pushed.manifest = write_new(call, push);
    if (pushed.manifest == 0)
        return false;
    write_pushed(call, push, &pushed);
    return !db_failed(call->tx);
}
