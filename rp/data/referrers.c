// /v2/<name>/referrers/<digest> (OCI distribution 1.1): an index of the manifests whose subject is that
// digest.
#include "rp/data/content_route.h"

#include "base/arena.h"

enum {
    REFERRER_DIGEST,
    REFERRER_MEDIA_TYPE,
    REFERRER_SIZE,
    REFERRER_ARTIFACT_TYPE,
    REFERRER_ANNOTATIONS,
    REFERRER_FITS
};

// Annotations are a client's and may be long: a page ends where its bytes pass 2 MiB, but has one row at
// least. $1 repository, $2 subject, $3 artifact type or null, $4 digest after which the page begins, $5 rows.
static const struct db_statement referrers_statement = {
    "referrers_page",
    "select x.digest, x.media_type, x.size, x.artifact_type, case when x.fits then x.annotations end, x.fits "
    "from ("
    " select m.digest, m.media_type, octet_length(m.content) as size, m.artifact_type, m.annotations,"
    "   row_number() over page = 1 or sum(coalesce(octet_length(m.annotations::text), 0)) over page <= "
    "2097152 as fits"
    " from acr.manifest m where m.repository_id = $1 and m.subject = $2 and m.list_enabled"
    "   and ($3::text is null or m.artifact_type = $3) and m.digest > coalesce($4, '')"
    " window page as (order by m.digest rows unbounded preceding) order by m.digest limit $5) x order by "
    "x.digest"};

static void write_descriptor(struct buffer *out, const struct db_result *rows, size_t row)
{
    json_begin_object(out);
    json_key_text(out, "mediaType", db_get(rows, row, REFERRER_MEDIA_TYPE));
    json_key_text(out, "digest", db_get(rows, row, REFERRER_DIGEST));
    json_key_int(out, "size", db_get_int(rows, row, REFERRER_SIZE));
    if (!db_is_null(rows, row, REFERRER_ARTIFACT_TYPE))
        json_key_text(out, "artifactType", db_get(rows, row, REFERRER_ARTIFACT_TYPE));
    if (!db_is_null(rows, row, REFERRER_ANNOTATIONS))
        json_key_raw(out, "annotations", db_get(rows, row, REFERRER_ANNOTATIONS));
    json_end_object(out);
}

// An unknown repository has no referrers: 404 would tell clients that there is no such API (OCI
// distribution 1.1).
static const struct db_result *find_referrers(struct registry_call *call, struct text subject,
                                              struct text type, const struct page *page)
{
    static const struct db_statement repository_statement = {
        "referrers_repository",
        "select id from acr.repository where registry_id = $1 and name = $2 and deleted_at is null"};
    const struct db_result *found =
        DB_RUN(call->tx, &repository_statement, db_int(call->registry.id), db_text(call->repository));
    return DB_RUN(call->tx, &referrers_statement, db_int(db_rows(found) ? db_get_int(found, 0, 0) : 0),
                  db_text(subject), db_text(type), db_text(page->last), db_int(page->n + 1));
}

static bool read_request(struct registry_call *call, struct reference *subject, struct text *type,
                         struct page *page)
{
    if (!reference_read(call, subject) || !page_read(call, false, page))
        return false;
    *type = http_query(call->request, "artifactType");
    if (type->length == 0)
        *type = TEXT_NONE;
    if (subject->digest.base && text_is_utf8(*type))
        return true;
    if (subject->digest.base)
        registry_fail(call, 400, "BAD_REQUEST", TEXT_NONE, "artifactType must be UTF-8");
    else
        registry_fail(call, 400, "DIGEST_INVALID", detail_of(call, "digest", subject->tag),
                      "provided digest is not a sha256 or sha512 digest");
    return false;
}

static void handle_referrers(struct registry_call *call)
{
    struct reference subject;
    struct text type;
    struct page page;
    if (!read_request(call, &subject, &type, &page))
        return;
    const struct db_result *found = find_referrers(call, subject.digest, type, &page);
    size_t rows = page_rows(&page, found), count = 0;
    struct buffer out = buffer_new(call->arena);
    json_begin_object(&out);
    json_key_int(&out, "schemaVersion", 2);
    json_key_string(&out, "mediaType", "application/vnd.oci.image.index.v1+json");
    json_key(&out, "manifests");
    json_begin_array(&out);
    for (; count < rows && db_get_bool(found, count, REFERRER_FITS); count++)
        write_descriptor(&out, found, count);
    json_end_array(&out);
    json_end_object(&out);
    registry_reply(call, 200, "application/vnd.oci.image.index.v1+json", buffer_done(&out));
    if (type.base)
        http_set_header_string(call->answer, "OCI-Filters-Applied", "artifactType");
    if (count > 0 && count < db_rows(found)) { // none are asked for with n=0
        struct text escaped = text_percent_encode(call->arena, type);
        page_link(call, &page, db_get(found, count - 1, REFERRER_DIGEST), 0,
                  type.base ? arena_printf(call->arena, "&artifactType=%.*s", TEXT_ARG(escaped)) : NULL);
    }
}

const struct registry_operation registry_referrer_operations[] = {
    {{HTTP_GET, "/v2/{repository*}/referrers/{reference}", "Referrers_List"},
     ACCESS_PULL,
     NULL,
     handle_referrers},
    {{0, NULL, NULL}, ACCESS_NONE, NULL, NULL},
};
