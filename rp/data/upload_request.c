// What a request on an upload session asks for: its kind, session, digest and range, read from path, query
// and headers alone.
#include "rp/data/upload.h"

#include "base/arena.h"
#include "base/clock.h"
#include "rp/data/reply.h"

static const struct registry_operation operations[] = {
    [UPLOAD_START] = {{HTTP_POST, "/v2/{repository*}/blobs/uploads/", "Uploads_Start"},
                      ACCESS_PUSH,
                      NULL,
                      NULL},
    [UPLOAD_WHOLE] = {{HTTP_POST, "/v2/{repository*}/blobs/uploads/", "Uploads_Whole"},
                      ACCESS_PUSH,
                      NULL,
                      NULL},
    [UPLOAD_APPEND] = {{HTTP_PATCH, "/v2/{repository*}/blobs/uploads/{upload}", "Uploads_Append"},
                       ACCESS_PUSH,
                       NULL,
                       NULL},
    [UPLOAD_CLOSE] = {{HTTP_PUT, "/v2/{repository*}/blobs/uploads/{upload}", "Uploads_Close"},
                      ACCESS_PUSH,
                      NULL,
                      NULL},
    [UPLOAD_STATUS] = {{HTTP_GET, "/v2/{repository*}/blobs/uploads/{upload}", "Uploads_Status"},
                       ACCESS_PUSH,
                       NULL,
                       NULL},
    [UPLOAD_CANCEL] = {{HTTP_DELETE, "/v2/{repository*}/blobs/uploads/{upload}", "Uploads_Cancel"},
                       ACCESS_PUSH,
                       NULL,
                       NULL},
};

void upload_set_place(struct upload *upload, int64_t size)
{
    struct registry_call *call = &upload->call;
    int64_t last = size > 0 ? size - 1 : 0;
    upload->state.rid = call->registry.rid;
    upload->state.repository = call->repository;
    if (upload->state.created == 0)
        upload->state.created = clock_wall();
    http_set_header(call->answer, "Location", upload_location(call->arena, &upload->state));
    http_set_header_string(call->answer, "Range", arena_printf(call->arena, "0-%lld", (long long)last));
    http_set_header_string(call->answer, "Docker-Upload-Uuid", upload->state.id);
}

static void fail_range(struct upload *upload)
{
    registry_fail(&upload->call, 416, "BLOB_UPLOAD_INVALID", TEXT_NONE,
                  "the range does not start at the upload's offset %lld", (long long)upload->start);
    upload_set_place(upload, upload->start);
}

// ".../blobs/uploads/" and ".../blobs/uploads/{id}"; the repository is what stands between. Without its last
// slash the first is the same. `id` is empty where there is none.
static bool read_path(struct upload *upload, struct text *id)
{
    const struct http_request *request = upload->call.request;
    size_t count = request->segment_count;
    bool slashless = count >= 4 && text_is(request->segments[count - 1], "uploads") &&
                     text_is(request->segments[count - 2], "blobs");
    *id = slashless ? TEXT("") : request->segments[count - 1];
    if (slashless)
        count++;
    if (count < 5 || !text_is(request->segments[0], "v2") ||
        !text_is(request->segments[count - 3], "blobs") || !text_is(request->segments[count - 2], "uploads"))
        return false;
    struct buffer name = buffer_new(upload->call.arena);
    for (size_t i = 1; i < count - 3; i++) {
        if (i > 1)
            buffer_char(&name, '/');
        buffer_text(&name, request->segments[i]);
    }
    upload->call.repository = buffer_done(&name);
    return true;
}

static bool read_kind(struct upload *upload, bool has_id)
{
    switch (upload->call.request->method) {
    case HTTP_POST:
        // A mount that names the digest once more has no bytes to go with it.
        upload->kind = http_query(upload->call.request, "digest").base &&
                               (upload->has_body || !http_query(upload->call.request, "mount").base)
                           ? UPLOAD_WHOLE
                           : UPLOAD_START;
        return !has_id;
    case HTTP_PATCH:
        upload->kind = UPLOAD_APPEND;
        return has_id;
    case HTTP_PUT:
        upload->kind = UPLOAD_CLOSE;
        return has_id;
    case HTTP_GET:
    case HTTP_HEAD:
        upload->kind = UPLOAD_STATUS;
        return has_id;
    case HTTP_DELETE:
        upload->kind = UPLOAD_CANCEL;
        return has_id;
    case HTTP_OPTIONS:
        break;
    }
    return false;
}

static void fail_method(struct registry_call *call, bool has_id)
{
    registry_fail(call, 405, "UNSUPPORTED", TEXT_NONE, "the operation is unsupported");
    http_set_header_string(call->answer, "Allow", has_id ? "DELETE,GET,HEAD,PATCH,PUT" : "POST");
}

bool upload_read_route(struct upload *upload)
{
    struct registry_call *call = &upload->call;
    const struct http_request *request = call->request;
    if (request->malformed) {
        registry_fail(call, 400, "NAME_INVALID", TEXT_NONE, "%s", request->malformed);
        return false;
    }
    struct text id;
    if (!read_path(upload, &id)) {
        registry_fail(call, 404, "NOT_FOUND", TEXT_NONE, "the requested resource does not exist");
        return false;
    }
    const char *fault = repository_name_fault(call->repository);
    if (fault) {
        registry_fail(call, 400, "NAME_INVALID", TEXT_NONE, "%s", fault);
        return false;
    }
    if (!read_kind(upload, id.length > 0)) {
        fail_method(call, id.length > 0);
        return false;
    }
    call->operation = &operations[upload->kind];
    call->route.operation = &call->operation->http;
    return true;
}

// Names the session: a new one for a POST, else that of the path with what its `_state` says.
bool upload_read_session(struct upload *upload)
{
    struct registry_call *call = &upload->call;
    if (upload->kind == UPLOAD_WHOLE || upload->kind == UPLOAD_START) {
        store_new_id(upload->state.id);
        upload->state.created = clock_wall();
        return true;
    }
    struct text id = call->request->segments[call->request->segment_count - 1];
    struct text sealed = http_query(call->request, "_state");
    if (!uuid_is(id) || !text_equal(id, text_lower(call->arena, id)))
        return false;
    if (sealed.base && !upload_state_open(call->arena, text_cstr(call->arena, id), sealed, &upload->state))
        return false;
    upload->state_given = sealed.base != NULL;
    memcpy(upload->state.id, id.base, id.length);
    return true;
}

bool upload_read_digest(struct upload *upload)
{
    if (upload->kind != UPLOAD_CLOSE && upload->kind != UPLOAD_WHOLE)
        return true;
    upload->digest = http_query(upload->call.request, "digest");
    if (upload->digest.base && digest_parse(upload->digest, &upload->algorithm))
        return true;
    registry_fail(&upload->call, 400, "DIGEST_INVALID", TEXT_NONE, "%s",
                  upload->digest.base ? "the digest is malformed or of an algorithm that is not supported"
                                      : "the digest parameter is missing");
    return false;
}

// "<start>-<end>" as OCI says; "bytes <start>-<end>/<size>" as HTTP does.
bool upload_read_range(struct upload *upload)
{
    struct registry_call *call = &upload->call;
    bool doubled = false;
    struct text range = http_header(call->request, "content-range", &doubled);
    upload->range_from = upload->range_to = -1;
    if (!range.base || (upload->kind != UPLOAD_APPEND && upload->kind != UPLOAD_CLOSE))
        return true;
    if (text_starts_nocase(range, "bytes"))
        range = text_trim(text_slice(range, 5, range.length));
    ptrdiff_t slash = text_find(range, '/');
    if (slash >= 0)
        range = text_slice(range, 0, (size_t)slash);
    ptrdiff_t dash = text_find(range, '-');
    if (doubled || dash < 0 || !text_to_int64(text_slice(range, 0, (size_t)dash), &upload->range_from) ||
        !text_to_int64(text_slice(range, (size_t)dash + 1, range.length), &upload->range_to)) {
        registry_fail(call, 400, "BLOB_UPLOAD_INVALID", TEXT_NONE, "the Content-Range is malformed");
        return false;
    }
    return true;
}

// The range against the session's offset and the stated length. An empty body may say "0-0" or nothing.
bool upload_range_fits(struct upload *upload)
{
    if (upload->range_from < 0 || (!upload->has_body && upload->range_from <= upload->start))
        return true;
    if (upload->range_from != upload->start || upload->range_to < upload->range_from) {
        fail_range(upload);
        return false;
    }
    int64_t length = upload->range_to - upload->range_from + 1;
    if (upload->length >= 0 && upload->length != length) {
        registry_fail(&upload->call, 400, "SIZE_INVALID", TEXT_NONE,
                      "the Content-Range names %lld bytes, the Content-Length %lld", (long long)length,
                      (long long)upload->length);
        return false;
    }
    return true;
}
