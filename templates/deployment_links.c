// Following links: what is known of each address, and the fetching of what is not.
#include "templates/deployment_links.h"
#include "templates/deployment_errors.h"
#include "templates/link_fetch.h"
#include "templates/reader.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/failpoint.h"

enum {
    LINKS = 64,                   // of a deployment and all that are nested in it
    BYTES = 4 * 1024 * 1024,      // of all their contents
    REQUEST_LIMIT = 30 * 1000000, // microseconds that a request asks others for
    STEP_LIMIT = 15 * 1000000,    // and a step
};

static const struct db_statement kept = {
    "deployment_link_get",
    "select l.content, l.error from arm.deployment_link l where l.root_id = $1 and l.key = $2"};
static const struct db_statement keep = {
    "deployment_link_keep",
    "insert into arm.deployment_link (root_id, key, content, error) values ($1, $2, $3, $4::json) "
    "on conflict do nothing"};
static const struct db_statement totals = {
    "deployment_link_totals",
    "select count(*), coalesce(sum(octet_length(l.content)), 0) from arm.deployment_link l where l.root_id = "
    "$1"};
static const struct db_statement is_active = {
    "deployment_link_wanted",
    "select d.id from arm.deployment d where d.id = $1 and d.state in ('Accepted', 'Running') for key share"};

struct entry {
    struct text url, key, name; // name: without query
    bool parameters, awaited;
    struct text file; // as it came; absent: not there
    const struct value *content;
    const struct plan_error *error;
    struct entry *next;
};

struct deployment_links {
    struct arena *arena;
    int64_t root;     // whose rows are looked at; 0: nobody's
    int64_t deadline; // of all fetching for a request; 0: not begun
    struct entry *first;
    size_t count, bytes, awaited;
};

static const char attached; // to a call's arena

struct deployment_links *deployment_links_of(struct arena *arena, int64_t root)
{
    struct deployment_links *links = ARENA_NEW(arena, struct deployment_links);
    links->arena = arena;
    links->root = root;
    return links;
}

struct deployment_links *deployment_links_of_call(struct arm_call *call)
{
    void **place = arena_attachment(call->arena, &attached);
    if (!*place)
        *place = deployment_links_of(call->arena, 0);
    return *place;
}

void deployment_links_look_at(struct deployment_links *links, int64_t root)
{
    links->root = root;
}

bool deployment_links_await(const struct deployment_links *links)
{
    return links->awaited > 0;
}

// ---- what is known

static struct text key_of(struct arena *arena, struct text url)
{
    unsigned char hash[32];
    crypto_sha256(url, hash);
    return text_hex(arena, hash, sizeof hash);
}

static const char *place(struct arena *arena, struct text key)
{
    return arena_printf(arena, "arm.deployment_link/%.*s", TEXT_ARG(key));
}

static void fail_entry(struct deployment_links *links, struct entry *e, const char *why)
{
    struct plan_error *error = ARENA_NEW(links->arena, struct plan_error);
    link_fail(links->arena, e->name, e->parameters, why, error);
    link_log(error->tracking, e->name, why);
    e->error = error;
}

static void read_file(struct deployment_links *links, struct entry *e)
{
    struct reader_error wrong;
    e->content = reader_read(links->arena, e->file, NULL, &wrong);
    if (value_is(e->content, VALUE_OBJECT))
        return;
    struct plan_error *error = ARENA_NEW(links->arena, struct plan_error);
    *error = (struct plan_error){
        .code = "InvalidTemplate",
        .message = e->content
                       ? "Deployment template parse failed: 'The content is no JSON object.'."
                       : arena_printf(links->arena,
                                      "Deployment template parse failed: '%s. Path '%.*s', line %u, position "
                                      "%u.'.",
                                      wrong.message, TEXT_ARG(wrong.path), wrong.line, wrong.column),
        .path = TEXT(""),
        .detail = arena_printf(links->arena, "The content came from '%.*s'.", TEXT_ARG(e->name)),
    };
    e->error = error;
}

static struct text error_json(struct arena *arena, const struct plan_error *error)
{
    struct buffer b = buffer_new(arena);
    json_begin_object(&b);
    json_key_string(&b, "code", error->code);
    json_key_string(&b, "message", error->message);
    if (error->detail)
        json_key_string(&b, "detail", error->detail);
    json_end_object(&b);
    return buffer_done(&b);
}

static void read_row(struct deployment_links *links, struct db_transaction *tx, struct entry *e)
{
    const struct db_result *row = DB_RUN(tx, &kept, db_int(links->root), db_text(e->key));
    struct text plain;
    e->awaited = db_rows(row) == 0;
    if (e->awaited)
        return;
    if (!db_is_null(row, 0, 0)) {
        struct text sealed = db_get_bytes(row, 0, 0, links->arena);
        if (master_key_open(site()->master_key, links->arena, "deployment", place(links->arena, e->key),
                            sealed, &plain)) {
            e->file = plain;
            read_file(links, e);
        } else {
            e->awaited = true; // another key's: as if it had not been fetched
        }
        return;
    }
    const struct value *stored = deployment_json(links->arena, text_copy(links->arena, db_get(row, 0, 1)));
    struct plan_error *error = ARENA_NEW(links->arena, struct plan_error);
    struct text detail = value_text(VALUE_FIND(stored, "detail"));
    *error =
        (struct plan_error){.code = text_cstr(links->arena, value_text(VALUE_FIND(stored, "code"))),
                            .message = text_cstr(links->arena, value_text(VALUE_FIND(stored, "message"))),
                            .detail = detail.base ? text_cstr(links->arena, detail) : NULL};
    e->error = error;
}

static struct entry *entry_of(struct deployment_links *links, struct db_transaction *tx,
                              const struct link *link, bool parameters)
{
    struct text url = link_url(links->arena, link);
    for (struct entry *e = links->first; e; e = e->next)
        if (text_equal(e->url, url))
            return e;
    struct entry *e = ARENA_NEW(links->arena, struct entry);
    *e = (struct entry){.url = text_copy(links->arena, url),
                        .key = key_of(links->arena, url),
                        .name = text_copy(links->arena, link->uri),
                        .parameters = parameters,
                        .awaited = true,
                        .next = links->first};
    if (links->root != 0)
        read_row(links, tx, e);
    if (e->awaited && ++links->count > LINKS) {
        e->awaited = false;
        fail_entry(links, e, arena_printf(links->arena, "a deployment has at most %d links", LINKS));
    }
    links->awaited += e->awaited;
    links->first = e;
    return e;
}

enum plan_linked deployment_links_find(void *context, struct arena *arena, const struct link *link,
                                       bool parameters, const struct value **content,
                                       struct plan_error *error)
{
    struct deployment_site *where = context;
    (void)arena;
    if (!where->links)
        return LINK_REFUSED;
    const struct entry *e = entry_of(where->links, deployment_site_transaction(), link, parameters);
    if (e->awaited)
        return LINK_AWAITED;
    if (e->error) {
        *error = *e->error;
        return LINK_REFUSED;
    }
    *content = e->content;
    return LINK_THERE;
}

void deployment_links_keep(struct db_transaction *tx, const struct deployment_links *links, int64_t root)
{
    for (const struct entry *e = links->first; e; e = e->next) {
        if (!e->file.base)
            continue;
        struct arena *arena = arena_new();
        struct text sealed =
            master_key_seal(site()->master_key, arena, "deployment", place(arena, e->key), e->file);
        DB_RUN(tx, &keep, db_int(root), db_text(e->key), db_bytes(sealed), db_null());
        arena_free(arena);
    }
}

// ---- fetching

static void fetch(struct deployment_links *links, struct entry *e)
{
    const char *why = NULL;
    if (links->bytes < BYTES)
        why = link_fetch(links->arena, e->url, BYTES - links->bytes, links->deadline, &e->file);
    else
        why = "the contents of a deployment's links have at most 4 MiB together";
    e->awaited = false;
    links->awaited--;
    if (why) {
        e->file = TEXT_NONE;
        fail_entry(links, e, why);
        return;
    }
    links->bytes += e->file.length;
    read_file(links, e);
}

bool deployment_links_fetch(struct arm_call *call)
{
    struct deployment_links *links = deployment_links_of_call(call);
    if (links->deadline == 0)
        links->deadline = clock_monotonic() + REQUEST_LIMIT;
    if (!link_fetch_begin())
        return false;
    for (struct entry *e = links->first; e; e = e->next)
        if (e->awaited)
            fetch(links, e);
    link_fetch_end();
    return true;
}

// ---- what a step found missing

static _Thread_local struct {
    struct deployment_links *links; // NULL: nothing
    int64_t root;
    char job_id[37];
} postponed;

void deployment_links_postpone(const struct deployment_links *links, int64_t root, struct text job_id)
{
    struct arena *arena = arena_new();
    struct deployment_links *own = deployment_links_of(arena, 0);
    for (const struct entry *e = links->first; e; e = e->next) {
        if (!e->awaited)
            continue;
        struct entry *copy = ARENA_NEW(arena, struct entry);
        *copy = (struct entry){.url = text_copy(arena, e->url),
                               .key = text_copy(arena, e->key),
                               .name = text_copy(arena, e->name),
                               .parameters = e->parameters,
                               .awaited = true,
                               .next = own->first};
        own->first = copy;
        own->awaited++;
    }
    if (postponed.links)
        arena_free(postponed.links->arena);
    postponed.links = own;
    postponed.root = root;
    memcpy(postponed.job_id, text_cstr(arena, job_id), job_id.length < 36 ? job_id.length : 36);
    postponed.job_id[job_id.length < 36 ? job_id.length : 36] = '\0';
}

static bool count_kept(struct db_transaction *tx, void *argument)
{
    struct deployment_links *links = argument;
    const struct db_result *row = DB_RUN(tx, &totals, db_int(postponed.root));
    links->count = (size_t)db_get_int(row, 0, 0);
    links->bytes = (size_t)db_get_int(row, 0, 1);
    return true;
}

static bool store(struct db_transaction *tx, void *argument)
{
    struct deployment_links *links = argument;
    if (db_rows(DB_RUN(tx, &is_active, db_int(postponed.root))) == 0)
        return true;
    deployment_links_keep(tx, links, postponed.root);
    for (const struct entry *e = links->first; e; e = e->next)
        if (e->error && !e->file.base)
            DB_RUN(tx, &keep, db_int(postponed.root), db_text(e->key), db_null(),
                   db_text(error_json(db_arena(tx), e->error)));
    job_wake(tx, postponed.job_id);
    return true;
}

void deployment_links_meanwhile(struct db_connection *connection, bool committed)
{
    struct deployment_links *links = postponed.links;
    if (!links)
        return;
    postponed.links = NULL;
    // Otherwise the step is run again by itself and asks for them again.
    if (committed && db_transact(connection, count_kept, links) == DB_COMMITTED && link_fetch_begin()) {
        links->deadline = clock_monotonic() + STEP_LIMIT;
        for (struct entry *e = links->first; e; e = e->next) {
            if (links->count++ < LINKS) {
                fetch(links, e);
            } else {
                e->awaited = false;
                fail_entry(links, e, arena_printf(links->arena, "a deployment has at most %d links", LINKS));
            }
        }
        link_fetch_end();
        failpoint("deployment.linked");
        db_transact(connection, store, links);
    }
    arena_free(links->arena);
}

// ---- a link's sealed form

struct text deployment_link_sealed(struct arena *arena, int64_t id, const struct link *link)
{
    if (!link)
        return TEXT_NONE;
    return deployment_sealed(arena, id, "link", value_to_json(arena, link_written(arena, link)));
}

const struct link *deployment_link_opened(struct arena *arena, int64_t id, struct text sealed)
{
    const struct value *written = deployment_opened(arena, id, "link", sealed);
    struct link *link = ARENA_NEW(arena, struct link);
    const char *why;
    return written && link_read(arena, written, NULL, link, &why) ? link : NULL;
}
