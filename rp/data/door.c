// The data plane's door: host, route, who, may, then the handler, on one of two lanes. The registry, the
// caller's rights and the act are decided at one version of the access data (docs/architecture.md).
#include "rp/data/access.h"
#include "rp/data/challenge.h"
#include "rp/data/registry_known.h"
#include "rp/data/registry_row.h"
#include "rp/data/reply.h"

#include "base/arena.h"
#include "rbac/lane.h"

enum { SNAPSHOT_WAIT_MS = 2000, ADMIT_VALUES = 4, NAME_SHORTEST = 5, NAME_LONGEST = 50 };

static struct http_router *router;

static const struct registry_operation *const tables[] = {
    registry_base_operations,        registry_oauth_operations,    registry_manifest_operations,
    registry_tag_operations,         registry_catalog_operations,  registry_usage_operations,
    registry_acr_operations,         registry_referrer_operations, registry_blob_operations,
    registry_not_offered_operations,
};
enum { TABLES = sizeof tables / sizeof tables[0], STATEMENT_LIMIT = 64 };

// A statement that several operations share is prepared once.
static void add_statement(const struct db_statement *statement)
{
    static const struct db_statement *added[STATEMENT_LIMIT];
    static size_t count;
    for (size_t i = 0; i < count; i++)
        if (added[i] == statement)
            return;
    if (count < STATEMENT_LIMIT)
        added[count++] = statement;
    lane_add_statement(statement);
}

static void add_read(const struct registry_read *read)
{
    for (; read; read = read->known) {
        add_statement(read->statement);
        if (read->many)
            add_statement(read->many);
    }
}

void registry_data_start(void)
{
    router = http_router_new(false);
    add_statement(&registry_find_statement);
    for (size_t t = 0; t < TABLES; t++)
        for (const struct registry_operation *operation = tables[t]; operation->http.path; operation++) {
            http_router_add(router, &operation->http);
            add_read(operation->read);
        }
}

// The host's first label, when a registry can have that name.
static struct text login_key_of(struct text host)
{
    ptrdiff_t dot = text_find(host, '.');
    struct text label = dot < 0 ? host : text_slice(host, 0, (size_t)dot);
    if (label.length < NAME_SHORTEST || label.length > NAME_LONGEST)
        return TEXT_NONE;
    for (size_t i = 0; i < label.length; i++) {
        char c = label.base[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9'))
            return TEXT_NONE;
    }
    return label;
}

static void fail_no_registry(struct registry_call *call)
{
    registry_fail(call, 404, "NAME_UNKNOWN", TEXT_NONE, "registry not found");
}

static void fail_busy(struct registry_call *call)
{
    registry_fail(call, 503, "UNAVAILABLE", TEXT_NONE, "the registry is busy; try again");
    // Never on the token service: sign-in libraries would keep the refusal (decisions 6).
    if (!text_starts(call->request->path, "/oauth2"))
        http_set_header_string(call->answer, "Retry-After", "1");
}

static bool is_write(const struct registry_call *call)
{
    return !(call->request->method & (HTTP_GET | HTTP_HEAD)) && call->operation->access != ACCESS_NONE;
}

// Who asks and whether they may what the route needs; true: go on to the handler. False with *wait set: not
// to be told on a loop. False else: refused.
static bool admit(struct registry_call *call, enum registry_access access, bool *wait)
{
    if (access == ACCESS_NONE)
        return true;
    enum registry_sign_in result = registry_sign_in(call);
    if (result == SIGN_IN_WAIT) {
        *wait = true;
        return false;
    }
    if (result != SIGN_IN_OK || !registry_may(call, access)) {
        registry_challenge_for(call, access);
        return false;
    }
    if (registry_writable(call, access))
        return true;
    registry_fail(call, 403, "DENIED", TEXT_NONE,
                  "the subscription of this registry is disabled: its images can be pulled, not changed");
    return false;
}

// ---- the work lane

// The version, a snapshot that is as new, and the registry that the host names, from the row of a deciding
// statement; false after a failure. The caller releases call->snapshot.
static bool take_registry(struct registry_call *call, const struct db_result *row)
{
    struct rbac_version version;
    if (!rbac_version_of(row, &version) ||
        !(call->snapshot = rbac_snapshot_wait(&version, SNAPSHOT_WAIT_MS))) {
        fail_busy(call);
        return false;
    }
    call->version = *rbac_snapshot_version(call->snapshot);
    db_set_context(call->tx, &call->version);
    if (registry_row_parse(call->arena, row, &call->registry))
        return true;
    fail_no_registry(call);
    return false;
}

// A write holds the registry's row, so that it cannot be deleted under it.
static bool find_registry(struct registry_call *call, bool hold)
{
    const struct db_statement *statement = hold ? &registry_hold_statement : &registry_find_statement;
    return take_registry(call, DB_RUN(call->tx, statement, db_text(login_key_of(call->request->host))));
}

enum again_column { AGAIN_ID = 2, AGAIN_ADMIN_ENABLED, AGAIN_PASSWORD_STAMP, AGAIN_PASSWORD2_STAMP };
// What a decision hangs on, once more: the version and the admin user's columns. Light,
// for it is run by every write.
static const struct db_statement registry_again = {
    "registry_again", "select " RBAC_VERSION_COLUMNS ", r.id, r.admin_enabled, r.password_stamp,"
                      " r.password2_stamp from rbac.version v left join acr.registry r on r.login_key = $1"};

static bool admin_still_stands(const struct registry_call *call, const struct db_result *row)
{
    if (call->identity.kind != IDENTITY_ADMIN)
        return true;
    bool same_password = call->identity.admin_password == 2
                             ? db_get_int(row, 0, AGAIN_PASSWORD2_STAMP) == call->registry.password2_stamp
                             : db_get_int(row, 0, AGAIN_PASSWORD_STAMP) == call->registry.password_stamp;
    return db_get_bool(row, 0, AGAIN_ADMIN_ENABLED) && same_password;
}

bool registry_still_admitted(struct registry_call *call)
{
    const struct db_result *row = DB_RUN(call->tx, &registry_again, db_text(call->registry.login_key));
    struct rbac_version version;
    bool same = rbac_version_of(row, &version) && strcmp(version.stamp, call->version.stamp) == 0 &&
                !db_is_null(row, 0, AGAIN_ID) && db_get_int(row, 0, AGAIN_ID) == call->registry.id &&
                admin_still_stands(call, row);
    if (!same)
        db_retry(call->tx);
    return same;
}

static void begin_run(struct registry_call *call, struct db_transaction *tx)
{
    http_answer_reset(call->answer);
    call->failed = false;
    call->identity = (struct registry_identity){.kind = IDENTITY_NONE};
    call->snapshot = NULL;
    call->tx = tx;
}

static void release_snapshot(struct registry_call *call)
{
    if (call->snapshot)
        rbac_snapshot_release(call->snapshot);
    call->snapshot = NULL;
}

static bool work_in(struct registry_call *call)
{
    bool wait = false;
    if (!find_registry(call, is_write(call)) || !admit(call, call->operation->access, &wait))
        return false;
    call->operation->handle(call);
    if (call->failed || db_failed(call->tx))
        return false;
    return !is_write(call) || registry_still_admitted(call);
}

static bool work_run(struct db_transaction *tx, void *argument)
{
    struct registry_call *call = argument;
    begin_run(call, tx);
    bool commit = work_in(call);
    release_snapshot(call);
    return commit;
}

static void work(struct http_exchange *exchange, struct db_connection *connection)
{
    struct registry_call *call = exchange->context;
    enum db_outcome outcome = db_transact(connection, work_run, call);
    call->tx = NULL;
    if (outcome == DB_COMMITTED || (outcome == DB_ROLLED_BACK && call->failed))
        return;
    call->failed = false;
    if (outcome == DB_UNAVAILABLE || outcome == DB_ROLLED_BACK)
        fail_busy(call); // away, or somebody else changed the rights under each of our runs
    else
        registry_fail(call, 500, "UNKNOWN", TEXT_NONE, "internal error; correlation id %s",
                      call->request->correlation_id);
}

const struct db_result *registry_admit_by(struct registry_call *call, enum registry_access access,
                                          const struct db_statement *statement, const struct db_value *values,
                                          size_t count)
{
    struct db_value all[ADMIT_VALUES] = {db_text(login_key_of(call->request->host))};
    begin_run(call, call->tx);
    const char *fault = call->repository.base ? repository_name_fault(call->repository) : NULL;
    if (fault) {
        registry_fail(call, 400, "NAME_INVALID", TEXT_NONE, "%s", fault);
        return NULL;
    }
    for (size_t i = 0; i < count && i + 1 < ADMIT_VALUES; i++)
        all[i + 1] = values[i];
    const struct db_result *row = db_run(call->tx, statement, all, count + 1);
    bool wait = false, admitted = take_registry(call, row) && admit(call, access, &wait);
    struct rbac_version read;
    if (admitted && rbac_version_of(row, &read) && strcmp(read.stamp, call->version.stamp) == 0)
        registry_remember(call);
    // An upload may last for hours; a snapshot must not.
    release_snapshot(call);
    return admitted ? row : NULL;
}

bool registry_admit(struct registry_call *call, enum registry_access access)
{
    bool writes = (access & (ACCESS_PUSH | ACCESS_DELETE | ACCESS_METADATA_WRITE)) != 0;
    const struct db_statement *statement = writes ? &registry_hold_statement : &registry_find_statement;
    return registry_admit_by(call, access, statement, NULL, 0) != NULL;
}

// ---- the read lane

static void busy(struct http_exchange *exchange)
{
    struct registry_call *call = exchange->context;
    call->failed = false;
    fail_busy(call);
}

// Fills the call from the row of a deciding statement; false after a failure, which is the answer.
static bool read_row(struct registry_call *call, const struct db_result *result,
                     const struct rbac_snapshot *snapshot)
{
    begin_run(call, NULL);
    call->snapshot = snapshot;
    call->version = *rbac_snapshot_version(snapshot);
    if (registry_row_parse(call->arena, result, &call->registry))
        return true;
    fail_no_registry(call);
    return false;
}

// The registry was recalled before the row was read. What differs by then is found out on the work lane.
static bool known_answer(struct http_exchange *exchange, const struct db_result *result,
                         const struct rbac_snapshot *snapshot)
{
    struct registry_call *call = exchange->context;
    bool wait = false, answered = false;
    begin_run(call, NULL);
    call->snapshot = snapshot;
    call->version = *rbac_snapshot_version(snapshot);
    if (!registry_is_as_recalled(call, result))
        registry_forget(call);
    else if (!admit(call, call->operation->access, &wait))
        answered = !wait;
    else {
        registry_reaffirm(call);
        answered = call->operation->read->known->answer(call, result);
    }
    call->snapshot = NULL; // the lane's
    return answered;
}

static bool read_answer(struct http_exchange *exchange, const struct db_result *result,
                        const struct rbac_snapshot *snapshot)
{
    struct registry_call *call = exchange->context;
    bool wait = false, answered;
    if (!read_row(call, result, snapshot))
        answered = true;
    else if (!admit(call, call->operation->access, &wait))
        answered = !wait;
    else
        answered = call->operation->read->answer(call, result);
    call->snapshot = NULL; // the lane's
    return answered;
}

// A request without credentials for a route of the work lane: its challenge costs no worker.
static bool challenge_answer(struct http_exchange *exchange, const struct db_result *result,
                             const struct rbac_snapshot *snapshot)
{
    struct registry_call *call = exchange->context;
    if (read_row(call, result, snapshot))
        registry_challenge(call);
    call->snapshot = NULL;
    return true;
}

// A number for the registry (FNV-1a): two that share one share their part of the workers, too.
static uint64_t owner_of(struct text login_key)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < login_key.length; i++)
        hash = (hash ^ (unsigned char)login_key.base[i]) * 0x100000001b3;
    return hash | 1;
}

static void go_read(struct http_exchange *exchange, struct registry_call *call, struct text login_key)
{
    struct lane_read read = {.values = {db_text(login_key)},
                             .count = 1,
                             .otherwise = work,
                             .busy = busy,
                             .owner = owner_of(login_key)};
    const struct registry_read *lane = call->operation->read;
    size_t count = 0;
    if (call->operation->access != ACCESS_NONE && !http_header(call->request, "authorization", NULL).base) {
        read.statement = &registry_find_statement;
        read.answer = challenge_answer;
    } else if (lane && lane->prepare(call, read.values + 1, &count)) {
        bool known = lane->known && registry_recall(call);
        read.statement = known ? lane->known->statement : lane->statement;
        read.many = known ? lane->known->many : lane->many;
        read.count += count;
        read.answer = known ? known_answer : read_answer;
    } else {
        lane_work_of(read.owner, exchange, work, busy);
        return;
    }
    lane_read(exchange, &read);
}

// ---- the door

// A path that no operation can have: an empty segment other than the last, or a dot segment.
static bool path_is_odd(const struct http_request *request)
{
    for (size_t i = 0; i < request->segment_count; i++) {
        struct text segment = request->segments[i];
        if (text_is(segment, ".") || text_is(segment, "..") ||
            (segment.length == 0 && i + 1 < request->segment_count))
            return true;
    }
    return false;
}

// The parts of a notary server's paths (".../_trust/tuf/root.json"): no repository's name has such a
// component.
static bool asks_for_trust(const struct http_request *request)
{
    for (size_t i = 0; i < request->segment_count; i++)
        if (text_is(request->segments[i], "_trust"))
            return true;
    return false;
}

static void fail_no_route(struct registry_call *call)
{
    // Docker with content trust asks before each pull and push, and wants a quick no (decisions 33).
    if (call->route.allowed == 0 && asks_for_trust(call->request)) {
        registry_fail(call, 404, "NOT_FOUND", TEXT_NONE, "content trust is not supported by this registry");
        return;
    }
    // The exchange is known to answer 404 rather than 405 (data-plane.md 1.3).
    if (call->route.allowed == 0 || text_is(call->request->path, "/oauth2/exchange")) {
        registry_fail(call, 404, "NOT_FOUND", TEXT_NONE, "the requested resource does not exist");
        return;
    }
    registry_fail(call, 405, "UNSUPPORTED", TEXT_NONE, "the operation is unsupported");
    http_set_header(call->answer, "Allow", http_allow(call->arena, call->route.allowed));
}

// Everything that can be said without the database; true: the operation is found.
static bool find_operation(struct registry_call *call)
{
    const struct http_request *request = call->request;
    if (request->malformed) {
        registry_fail(call, 400, "NAME_INVALID", TEXT_NONE, "%s", request->malformed);
        return false;
    }
    if (!login_key_of(request->host).base) {
        fail_no_registry(call);
        return false;
    }
    if (path_is_odd(request)) {
        registry_fail(call, 400, "NAME_INVALID", TEXT_NONE, "invalid path: an empty or a dot segment");
        return false;
    }
    http_router_find(router, request, &call->route);
    call->operation = (const struct registry_operation *)call->route.operation;
    if (!call->operation) {
        fail_no_route(call);
        return false;
    }
    call->repository = http_parameter(&call->route, "repository");
    const char *fault = call->repository.base ? repository_name_fault(call->repository) : NULL;
    if (fault)
        registry_fail(call, 400, "NAME_INVALID", TEXT_NONE, "%s", fault);
    return !fault;
}

void registry_dispatch(struct http_exchange *exchange)
{
    struct registry_call *call = ARENA_NEW(exchange->request.arena, struct registry_call);
    call->arena = exchange->request.arena;
    call->request = &exchange->request;
    call->answer = &exchange->answer;
    exchange->context = call;
    if (find_operation(call))
        go_read(exchange, call, login_key_of(exchange->request.host));
    else
        http_finish(exchange);
}

void registry_refuse(struct http_exchange *exchange, int status, const char *why)
{
    struct registry_call call = {
        .arena = exchange->request.arena, .request = &exchange->request, .answer = &exchange->answer};
    const char *code = status == 400                    ? "NAME_INVALID"
                       : status == 413                  ? "SIZE_INVALID"
                       : status == 404 || status == 421 ? "NAME_UNKNOWN"
                       : status == 429                  ? "TOOMANYREQUESTS"
                       : status >= 500                  ? "UNAVAILABLE"
                                                        : "UNSUPPORTED";
    if (status == 413 && text_search(exchange->request.path, TEXT("/manifests/")) >= 0) {
        status = 400;
        code = "MANIFEST_INVALID";
    }
    registry_fail(&call, status, code, TEXT_NONE, "%s", why);
}
