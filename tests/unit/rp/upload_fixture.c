// Requests on upload sessions, without a wire.
#include "rp/upload_fixture.h"

#include "base/site.h"
#include "http/intake.h"
#include "rbac/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct arena *arena;
static struct site the_site;
static struct db_pool *pool;
static const char *authorization;
static _Atomic bool chunked;

struct db_target upload_fixture_target(void)
{
    return (struct db_target){registry_fixture_config()->database, "azsacr test", 10000};
}

static void seal_password(void)
{
    struct text sealed = master_key_seal(the_site.master_key, arena, "registry-password",
                                         "acr.registry/1/password", TEXT("secret"));
    registry_fixture_sql("update acr.registry set admin_enabled = true, password = '\\x%s' where id = 1",
                         text_hex(arena, sealed.base, sealed.length).base);
    struct text pair = TEXT("Registry1:secret");
    authorization = arena_printf(arena, "Basic %s", text_base64(arena, pair.base, pair.length).base);
}

void upload_fixture_start(void)
{
    const char *why = NULL;
    registry_fixture_start();
    arena = arena_new();
    struct config *config = registry_fixture_config();
    config->receiver_connections = 4;
    config->receiver_threads = 50;
    config->store_grace = 60;
    the_site.config = config;
    the_site.master_key =
        master_key_load(arena_printf(arena, "%s/master.key", config->state), true, arena, &why);
    ck_assert_msg(the_site.master_key != NULL, "%s", why);
    site_set(&the_site);
    seal_password();
}

void upload_fixture_stop(void)
{
    registry_fixture_stop();
    master_key_free((struct master_key *)the_site.master_key);
    arena_free(arena);
}

void upload_fixture_enter(void)
{
    struct db_target target = upload_fixture_target();
    registry_fixture_clear();
    rbac_snapshot_start(&target);
    pool = db_pool_new(&target, 4);
    chunked = false;
}

void upload_fixture_leave(void)
{
    db_pool_free(pool);
    rbac_snapshot_stop();
}

void upload_fixture_chunked(bool wanted)
{
    chunked = wanted;
}

struct db_pool *upload_fixture_pool(void)
{
    return pool;
}

const char *upload_fixture_authorization(void)
{
    return authorization;
}

static struct sent *begin(const char *method, const char *target, const char *range, struct text body,
                          bool *taken)
{
    struct arena *own = arena_new();
    struct sent *sent = ARENA_NEW(own, struct sent);
    sent->arena = sent->request.arena = own;
    char *head =
        arena_printf(own,
                     "%s %s HTTP/1.1\r\nHost: edge\r\n"
                     "X-Azsacr-Host: registry1.azsacr.local.azurestack.external\r\n"
                     "X-Azsacr-Port: 443\r\nX-Azsacr-Client: 127.0.0.1\r\nAuthorization: %s\r\n%s%s%s\r\n",
                     method, target, authorization, range ? "Content-Range: " : "", range ? range : "",
                     range ? "\r\n" : "");
    struct http_refusal refusal = http_read_head(&sent->request, head, strlen(head), true);
    ck_assert_msg(refusal.status == 0, "%s", refusal.why);
    http_read_ids(&sent->request);
    http_read_target(&sent->request);
    http_answer_reset(&sent->answer);
    *taken = upload_begin(&sent->upload, pool, &sent->request, &sent->answer,
                          chunked     ? UPLOAD_LENGTH_UNKNOWN
                          : body.base ? (int64_t)body.length
                                      : 0,
                          body.base && body.length > 0);
    return sent;
}

struct sent *send_pieces(const char *method, const char *target, const char *range, struct text body,
                         size_t piece)
{
    bool taken;
    struct sent *sent = begin(method, target, range, body, &taken);
    for (size_t at = 0; taken && at < body.length; at += piece) {
        size_t length = body.length - at < piece ? body.length - at : piece;
        taken = upload_take(&sent->upload, body.base + at, length);
    }
    if (taken)
        upload_finish(&sent->upload);
    upload_abandon(&sent->upload);
    ck_assert_int_ne(sent->answer.status, 0);
    return sent;
}

struct sent *send_text(const char *method, const char *target, const char *range, const char *body)
{
    return send_pieces(method, target, range, text_of(body), 3);
}

void send_and_vanish(const char *method, const char *target, struct text body)
{
    bool taken;
    struct text more = body;
    more.length++; // it said that more would come
    struct sent *sent = begin(method, target, NULL, more, &taken);
    ck_assert(taken);
    ck_assert(upload_take(&sent->upload, body.base, body.length));
    upload_abandon(&sent->upload);
    sent_free(sent);
}

const char *sent_header(const struct sent *sent, const char *name)
{
    for (size_t i = 0; i < sent->answer.header_count; i++)
        if (text_is_nocase(sent->answer.headers[i].name, name))
            return text_cstr(sent->arena, sent->answer.headers[i].value);
    return "";
}

void sent_free(struct sent *sent)
{
    arena_free(sent->arena);
}

const char *session_new(struct arena *into, const char *repository)
{
    struct sent *sent =
        send_text("POST", arena_printf(into, "/v2/%s/blobs/uploads/", repository), NULL, NULL);
    ck_assert_int_eq(sent->answer.status, 202);
    ck_assert_str_eq(sent_header(sent, "Range"), "0-0");
    const char *location = arena_strdup(into, sent_header(sent, "Location"));
    sent_free(sent);
    return location;
}

struct text digest_text(struct arena *into, struct text bytes)
{
    return digest_of(into, DIGEST_SHA256, bytes);
}

const char *with_digest(struct arena *into, const char *location, struct text bytes)
{
    return arena_printf(into, "%s&digest=%.*s", location, TEXT_ARG(digest_text(into, bytes)));
}

const char *sent_expect(struct arena *own, int status, const char *header, const char *method,
                        const char *target, const char *range, const char *body)
{
    struct sent *sent = send_text(method, target, range, body);
    ck_assert_msg(sent->answer.status == status, "%s %s: %d, not %d: %.*s", method, target,
                  sent->answer.status, status, TEXT_ARG(sent->answer.body));
    const char *value = arena_strdup(own, header ? sent_header(sent, header) : "");
    sent_free(sent);
    return value;
}

const char *session_id_of(struct arena *own, const char *location)
{
    return arena_strndup(own, strstr(location, "/uploads/") + strlen("/uploads/"), 36);
}

static const struct store_driver *used = &store_directory;

void upload_fixture_run_on(const struct store_driver *driver)
{
    used = driver;
    store_use(driver);
}

struct store_driver *upload_fixture_changed_store(void)
{
    static struct store_driver changed;
    changed = *used;
    store_use(&changed);
    return &changed;
}
