// Blobs: HEAD and GET on the read lane (the edge sends the file), DELETE, and the POST that begins an upload
// or mounts.
#include "rp/data/registry_row.h"
#include "rp/data/content.h"
#include "rp/data/content_route.h"
#include "rp/data/registry_known.h"
#include "rp/data/store.h"
#include "rp/data/upload.h"
#include "rp/data/upload_reserve.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"

// A promise that a blob exists holds for 10 minutes (sweep.c); whoever was told so less than this ago needs
// no new one.
#define PROMISE_SECONDS "300"
#define PROMISE_SECONDS_LOW_WATER "60"

enum blob_column {
    BLOB_SIZE = REGISTRY_COLUMN_COUNT,
    BLOB_FILE,
    BLOB_READ_ENABLED,
    BLOB_PROMISED, // and that not long ago
};

// The repository, the digest and how many seconds a promise is good for, of a query or of each of several.
#define BLOB_COLUMNS(seconds)                                                                                \
    "select " REGISTRY_COLUMNS ", b.size, b.file, p.read_enabled,"                                           \
    " b.promised and b.touched > now() - make_interval(secs => " seconds "::bigint)"
#define BLOB_JOINS(repository, digest_text)                                                                  \
    " left join acr.repository p on p.registry_id = r.id and p.name = " repository                           \
    " and p.deleted_at is null"                                                                              \
    " left join acr.blob_link l on l.repository_id = p.id and l.digest = " digest_text                       \
    " left join acr.blob b on b.registry_id = l.registry_id and b.digest = l.digest and not b.lost"
static const struct db_statement blob_get = {"blob_get",
                                             BLOB_COLUMNS("$4") REGISTRY_FROM BLOB_JOINS("$2", "$3")};
static const struct db_statement blob_get_many = {
    "blob_get_many",
    BLOB_COLUMNS("k.seconds") ", k.ordinal from rbac.version v cross join"
                              " unnest($1::text[], $2::text[], $3::text[], $4::text[]) with ordinality k"
                              " (login_key, repository, digest, seconds, ordinal)" REGISTRY_OF("k.login_key")
                                  BLOB_JOINS("k.repository", "k.digest")};
static const struct db_statement blob_promise = {
    "blob_promise", "update acr.blob set touched = clock_timestamp(), promised = true"
                    " where registry_id = $1 and digest = $2 and not lost returning size"};

static void fail_unknown(struct registry_call *call)
{
    registry_fail(call, 404, "BLOB_UNKNOWN", TEXT_NONE, "blob unknown to registry");
}

static struct text digest_of_path(const struct registry_call *call)
{
    enum digest_algorithm algorithm;
    struct text digest = http_parameter(&call->route, "digest");
    return digest.base && digest_parse(digest, &algorithm) ? digest : TEXT_NONE;
}

static bool require_digest(struct registry_call *call, struct text *digest)
{
    *digest = digest_of_path(call);
    if (digest->base)
        return true;
    registry_fail(call, 400, "DIGEST_INVALID", TEXT_NONE, "provided digest is malformed");
    return false;
}

static struct db_value promise_seconds(void)
{
    return db_string(store_low_water() ? PROMISE_SECONDS_LOW_WATER : PROMISE_SECONDS);
}

static bool prepare(struct registry_call *call, struct db_value *values, size_t *count)
{
    struct text digest = digest_of_path(call);
    if (!digest.base)
        return false;
    values[0] = db_text(call->repository);
    values[1] = db_text(digest);
    values[2] = promise_seconds();
    *count = 3;
    return true;
}

static bool known_already(const struct http_request *request, struct text etag)
{
    struct text known = http_header(request, "if-none-match", NULL);
    return known.base && (text_is(known, "*") || text_search(known, etag) >= 0);
}

// What HEAD and GET have in common; true: the answer is complete (304).
static bool reply_head(struct registry_call *call, struct text digest)
{
    struct text etag = text_of(arena_printf(call->arena, "\"%.*s\"", TEXT_ARG(digest)));
    bool known = known_already(call->request, etag);
    registry_reply(call, known ? 304 : 200, known ? NULL : "application/octet-stream", TEXT(""));
    http_set_header(call->answer, "Docker-Content-Digest", digest);
    http_set_header(call->answer, "ETag", etag);
    http_set_header_string(call->answer, "Cache-Control", "max-age=31536000");
    return known;
}

static void reply_head_only(struct registry_call *call, struct text digest, int64_t size)
{
    if (reply_head(call, digest))
        return;
    call->answer->head_length = size;
    http_set_header_string(call->answer, "Accept-Ranges",
                           "bytes"); // the edge says so itself when it sends the file
}

// The row still names the file that the edge could not send: bytes are missing, and somebody must know.
static void fail_lost(struct registry_call *call, struct text digest, struct text file, int64_t size)
{
    log_error("store.blob_lost", "registry", text_cstr(call->arena, call->registry.name), "digest",
              text_cstr(call->arena, digest), "file", text_cstr(call->arena, file), "size", log_number(size));
    registry_fail(call, 500, "UNKNOWN", TEXT_NONE, "internal error; correlation id %s",
                  call->request->correlation_id);
}

// The edge sends the file. One that it cannot send, it asks about once more, naming it: meanwhile another
// file may hold the blob.
static void reply_file(struct registry_call *call, struct text digest, struct text file, int64_t size)
{
    struct text address = store_address(call->arena, text_cstr(call->arena, file));
    if (text_equal(address, http_header(call->request, "x-azsacr-lost", NULL)))
        fail_lost(call, digest, file, size);
    else if (!reply_head(call, digest))
        http_set_header(call->answer, "X-Accel-Redirect", address);
}

static bool readable(const struct db_result *row)
{
    return db_rows(row) == 1 && !db_is_null(row, 0, BLOB_SIZE) && db_get_bool(row, 0, BLOB_READ_ENABLED);
}

static bool answer_get(struct registry_call *call, const struct db_result *row)
{
    if (!readable(row))
        return false;
    struct text digest = text_copy(call->arena, digest_of_path(call));
    reply_file(call, digest, db_get(row, 0, BLOB_FILE), db_get_int(row, 0, BLOB_SIZE));
    return true;
}

// A HEAD says "exists" to somebody who may be about to push a manifest: that is a promise, written down
// first.
static bool answer_head(struct registry_call *call, const struct db_result *row)
{
    if (!readable(row) || !db_get_bool(row, 0, BLOB_PROMISED))
        return false;
    reply_head_only(call, text_copy(call->arena, digest_of_path(call)), db_get_int(row, 0, BLOB_SIZE));
    return true;
}

// The row on the work lane; false after a refusal.
static bool find(struct registry_call *call, struct text *digest, const struct db_result **row)
{
    if (!require_digest(call, digest))
        return false;
    *row = DB_RUN(call->tx, &blob_get, db_text(call->registry.login_key), db_text(call->repository),
                  db_text(*digest), promise_seconds());
    if (readable(*row))
        return true;
    if (db_rows(*row) == 1 && !db_is_null(*row, 0, BLOB_SIZE))
        fail_repository_locked(call, "readEnabled");
    else
        fail_unknown(call);
    return false;
}

static void handle_get(struct registry_call *call)
{
    struct text digest;
    const struct db_result *row;
    if (find(call, &digest, &row))
        reply_file(call, digest, db_get(row, 0, BLOB_FILE), db_get_int(row, 0, BLOB_SIZE));
}

static void handle_head(struct registry_call *call)
{
    struct text digest;
    const struct db_result *row;
    if (!find(call, &digest, &row))
        return;
    const struct db_result *kept =
        DB_RUN(call->tx, &blob_promise, db_int(call->registry.id), db_text(digest));
    if (db_rows(kept) == 0) // swept meanwhile
        fail_unknown(call);
    else
        reply_head_only(call, digest, db_get_int(kept, 0, 0));
}

// ---- DELETE (decisions 44)

static const struct db_statement blob_locks = {
    "blob_locks", "select write_enabled, delete_enabled from acr.repository where id = $1"};
static const struct db_statement blob_linked = {
    "blob_linked", "select 1 from acr.blob_link where repository_id = $1 and digest = $2"};
static const struct db_statement blob_user = {
    "blob_user", "select m.digest from acr.manifest_ref f join acr.manifest m on m.id = f.manifest_id"
                 " where f.repository_id = $1 and f.digest = $2 limit 1"};
// The blob before its link, as a publish has it.
static const struct db_statement blob_lock = {
    "blob_lock", "select file from acr.blob where registry_id = $1 and digest = $2 for update"};
static const struct db_statement blob_unlink = {
    "blob_unlink", "delete from acr.blob_link where repository_id = $1 and digest = $2"};
static const struct db_statement blob_release = {
    "blob_release",
    "with g as (delete from acr.blob b where b.registry_id = $1 and b.digest = $2 and not b.referenced"
    " and not exists (select 1 from acr.blob_link l"
    " where l.registry_id = b.registry_id and l.digest = b.digest) returning b.file, b.size)"
    " insert into acr.garbage (file, size) select file, size from g"};

static void delete_linked(struct registry_call *call, int64_t repository, struct text digest)
{
    const struct db_result *user = DB_RUN(call->tx, &blob_user, db_int(repository), db_text(digest));
    if (db_rows(user) > 0) {
        fail_disallowed(call, arena_printf(call->arena, "The blob is referred to by the manifest %.*s",
                                           TEXT_ARG(db_get(user, 0, 0))));
        return;
    }
    DB_RUN(call->tx, &blob_lock, db_int(call->registry.id), db_text(digest));
    DB_RUN(call->tx, &blob_unlink, db_int(repository), db_text(digest));
    DB_RUN(call->tx, &blob_release, db_int(call->registry.id), db_text(digest));
    registry_reply_empty(call, 202);
    http_set_header(call->answer, "Docker-Content-Digest", digest);
}

static void handle_delete(struct registry_call *call)
{
    struct text digest;
    if (!require_digest(call, &digest))
        return;
    int64_t repository = repository_find(call->tx, call->registry.id, call->repository, false);
    if (repository == 0) {
        fail_unknown(call);
        return;
    }
    usage_lock(call->tx, call->registry.id);
    const struct db_result *locks = DB_RUN(call->tx, &blob_locks, db_int(repository));
    if (db_rows(DB_RUN(call->tx, &blob_linked, db_int(repository), db_text(digest))) == 0)
        fail_unknown(call);
    else if (db_rows(locks) == 1 && !(db_get_bool(locks, 0, 0) && db_get_bool(locks, 0, 1)))
        fail_repository_locked(call, db_get_bool(locks, 0, 0) ? "deleteEnabled" : "writeEnabled");
    else
        delete_linked(call, repository, digest);
}

// ---- POST of uploads

// $2 digest, $3 the names of the repositories that may lend it, or null for any. Those whose reads are locked
// lend nothing.
static const struct db_statement mount_source = {
    "mount_source", "select 1 from acr.blob_link l join acr.repository p on p.id = l.repository_id"
                    " join acr.blob b on b.registry_id = l.registry_id and b.digest = l.digest and not b.lost"
                    " where l.registry_id = $1 and l.digest = $2 and p.deleted_at is null and p.read_enabled"
                    " and ($3::json is null or p.name in (select json_array_elements_text($3::json)))"
                    " limit 1"};
static const struct db_statement mount_link = {
    "mount_link", "insert into acr.blob_link (repository_id, registry_id, digest) values ($1, $2, $3)"
                  " on conflict (repository_id, digest) do nothing"};
static const struct db_statement start_writable = {
    "upload_start_writable", "select write_enabled from acr.repository where registry_id = $1 and name = $2"
                             " and deleted_at is null"};

// The repositories that the caller may pull from, of those that the request means: a JSON array, or absent
// for every one of the registry. Without `from` a token lends from what it was made for only.
static struct text mount_sources(const struct registry_call *call, struct text from)
{
    const struct registry_identity *identity = &call->identity;
    if (from.length == 0 && !identity->narrows)
        return TEXT_NONE;
    struct buffer names = buffer_new(call->arena);
    json_begin_array(&names);
    if (from.length > 0) {
        if (!repository_name_fault(from) && registry_may_in(call, from, ACCESS_PULL))
            json_text(&names, from);
    } else {
        for (size_t i = 0; i < identity->grant_count; i++)
            if (text_is(identity->grants[i].type, "repository") &&
                registry_may_in(call, identity->grants[i].name, ACCESS_PULL))
                json_text(&names, identity->grants[i].name);
    }
    json_end_array(&names);
    return buffer_done(&names);
}

// True: mounted, the answer is filled. False: an upload instead, or a failure.
static bool mount(struct registry_call *call, struct text digest)
{
    // Whoever may not pull there learns nothing: an upload begins, as if the blob were not there (decisions
    // 32).
    struct text sources = mount_sources(call, http_query(call->request, "from"));
    if (db_rows(DB_RUN(call->tx, &mount_source, db_int(call->registry.id), db_text(digest),
                       db_text(sources))) == 0)
        return false;
    int64_t repository = repository_find(call->tx, call->registry.id, call->repository, true);
    if (repository == 0)
        return false;
    if (db_rows(DB_RUN(call->tx, &blob_promise, db_int(call->registry.id), db_text(digest))) == 0)
        return false; // swept between the look and the lock
    DB_RUN(call->tx, &mount_link, db_int(repository), db_int(call->registry.id), db_text(digest));
    upload_reply_created(call, digest);
    return true;
}

static void begin_upload(struct registry_call *call)
{
    struct upload_state state = {
        .rid = call->registry.rid, .repository = call->repository, .created = clock_wall()};
    if (!upload_reserve_grant(http_header(call->request, "authorization", NULL), state.id))
        store_new_id(state.id);
    registry_reply_empty(call, 202);
    http_set_header(call->answer, "Location", upload_location(call->arena, &state));
    http_set_header_string(call->answer, "Range", "0-0");
    http_set_header(call->answer, "Docker-Upload-Uuid", text_of(arena_strdup(call->arena, state.id)));
}

void upload_start(struct registry_call *call)
{
    struct text digest = http_query(call->request, "mount");
    enum digest_algorithm algorithm;
    const struct db_result *writable =
        DB_RUN(call->tx, &start_writable, db_int(call->registry.id), db_text(call->repository));
    if (db_rows(writable) == 1 && !db_get_bool(writable, 0, 0)) {
        fail_repository_locked(call, "writeEnabled");
        return;
    }
    if (digest.base && !digest_parse(digest, &algorithm)) {
        registry_fail(call, 400, "DIGEST_INVALID", TEXT_NONE, "provided digest is malformed");
        return;
    }
    if (digest.base && mount(call, digest))
        return;
    struct upload_limit *limit = upload_limit_read(call->tx, call->registry.id, call->registry.quota, 1);
    if (upload_limit_room(limit) <= 0)
        upload_fail_quota(call, limit);
    else if (upload_limit_crowded(limit))
        upload_fail_crowded(call);
    else if (store_low_water())
        upload_fail_disk(call);
    else {
        upload_commit_lightly(call->tx); // a session without a body has no row
        begin_upload(call);
    }
}

// The read lane: nothing is mounted, and the limit was read a moment ago; every refusal is the work lane's.
#define START_REPOSITORY(name)                                                                               \
    " left join acr.repository p on p.registry_id = r.id and p.name = " name " and p.deleted_at is null"
static const struct db_statement start_decide = {"upload_start_decide",
                                                 "select " REGISTRY_PUSH_COLUMNS
                                                 ", p.write_enabled" REGISTRY_FROM START_REPOSITORY("$2")};
static const struct db_statement start_decide_many = {
    "upload_start_decide_many",
    "select " REGISTRY_PUSH_COLUMNS ", p.write_enabled, k.ordinal from rbac.version v cross join"
    " unnest($1::text[], $2::text[]) with ordinality k (login_key, repository, ordinal)" REGISTRY_OF(
        "k.login_key") START_REPOSITORY("k.repository")};

static bool start_prepare(struct registry_call *call, struct db_value *values, size_t *count)
{
    if (http_query(call->request, "mount").base)
        return false;
    values[0] = db_text(call->repository);
    *count = 1;
    return true;
}

static const struct db_statement start_known = {
    "upload_start_known",
    "select " REGISTRY_KNOWN_COLUMNS ", p.write_enabled from rbac.version v" REGISTRY_KNOWN_OF("$1")
        START_REPOSITORY("$2")};
static const struct db_statement start_known_many = {
    "upload_start_known_many",
    "select " REGISTRY_KNOWN_COLUMNS ", p.write_enabled, k.ordinal from rbac.version v cross join"
    " unnest($1::text[], $2::text[]) with ordinality k (login_key, repository, ordinal)" REGISTRY_KNOWN_OF(
        "k.login_key") START_REPOSITORY("k.repository")};

static bool start_where(struct registry_call *call, const struct db_result *row, size_t write_enabled)
{
    if (!db_is_null(row, 0, write_enabled) && !db_get_bool(row, 0, write_enabled))
        return false;
    struct upload_limit *limit = upload_limit_known(call->registry.id, call->registry.quota);
    if (limit == NULL || upload_limit_room(limit) <= 0 || store_low_water() || upload_limit_is_due(limit))
        return false;
    begin_upload(call);
    return true;
}

static bool start_answer(struct registry_call *call, const struct db_result *row)
{
    registry_remember(call); // its bytes, or its next upload, are about to follow
    return start_where(call, row, REGISTRY_COLUMN_COUNT);
}

static bool start_known_answer(struct registry_call *call, const struct db_result *row)
{
    return start_where(call, row, REGISTRY_KNOWN_COLUMN_COUNT);
}

static const struct registry_read read_get = {
    .statement = &blob_get, .prepare = prepare, .answer = answer_get, .many = &blob_get_many};
static const struct registry_read read_head = {
    .statement = &blob_get, .prepare = prepare, .answer = answer_head, .many = &blob_get_many};
static const struct registry_read read_start_known = {
    .statement = &start_known, .answer = start_known_answer, .many = &start_known_many};
static const struct registry_read read_start = {.statement = &start_decide,
                                                .prepare = start_prepare,
                                                .answer = start_answer,
                                                .many = &start_decide_many,
                                                .known = &read_start_known};

const struct registry_operation registry_blob_operations[] = {
    {{HTTP_GET, "/v2/{repository*}/blobs/{digest}", "Blobs_Get"}, ACCESS_PULL, &read_get, handle_get},
    {{HTTP_HEAD, "/v2/{repository*}/blobs/{digest}", "Blobs_Head"}, ACCESS_PULL, &read_head, handle_head},
    {{HTTP_DELETE, "/v2/{repository*}/blobs/{digest}", "Blobs_Delete"}, ACCESS_DELETE, NULL, handle_delete},
    {{HTTP_POST, "/v2/{repository*}/blobs/uploads/", "Uploads_Start"},
     ACCESS_PUSH,
     &read_start,
     upload_start},
    {{HTTP_POST, "/v2/{repository*}/blobs/uploads", "Uploads_StartWithoutSlash"},
     ACCESS_PUSH,
     &read_start,
     upload_start},
    {{0}, ACCESS_NONE, NULL, NULL},
};
