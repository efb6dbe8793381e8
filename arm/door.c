// The door: every request of the tenant's and the operator's ARM host comes in here. The order of checks is
// decisions 12: who, throttle, api-version, subscription, route, served version, rights, group, registration,
// handler.
#include "arm/activity.h"
#include "arm/door.h"
#include "arm/door_parts.h"
#include "arm/locks.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "rbac/lane.h"

enum { SNAPSHOT_LIMIT_MS = 2000, BODY_LIMIT = 4 << 20, MEANWHILES = 16 };

static struct arm_call *call_of(struct http_exchange *exchange)
{
    return exchange->context;
}

static struct arm_call *call_new(struct http_exchange *exchange)
{
    struct door_call *door = ARENA_NEW(exchange->request.arena, struct door_call);
    door->exchange = exchange;
    door->call.arena = exchange->request.arena;
    door->call.request = &exchange->request;
    door->call.answer = &exchange->answer;
    exchange->context = door;
    return &door->call;
}

// For another run of the transaction, or another lane: what an earlier one left is forgotten.
static void call_begin(struct arm_call *call)
{
    call->failed = false;
    call->failure = NULL;
    call->caller = NULL;
    call->goes_on = NULL;
    call->group_id = 0;
    call->after = NULL;
    call->meanwhile = NULL;
    call->new_id = 0;
    ((struct door_call *)call)->look = NULL;
    ((struct door_call *)call)->seen = NULL;
    http_answer_reset(call->answer);
}

static void fail_diagnostic(struct arm_call *call, bool unavailable)
{
    struct text now = clock_compact(call->arena, clock_wall());
    const struct http_request *request = call->request;
    call->failed = false;
    if (unavailable) {
        arm_fail(call, ARM_SERVER_TIMEOUT, TEXT_ARG(now), TEXT_ARG(call->subscription_id),
                 request->request_id, request->correlation_id);
        call->failure->retry_after = 1;
    } else {
        arm_fail(call, ARM_INTERNAL_ERROR, TEXT_ARG(now), TEXT_ARG(call->subscription_id),
                 request->request_id, request->correlation_id);
    }
}

static bool may_operate(struct arm_call *call)
{
    const struct arm_operation *operation = call->operation;
    if (operation->flags & (ARM_ANONYMOUS | ARM_NO_DECISION))
        return true;
    if (arm_may(call, operation->action, call->scope) || (call->type->may_also && call->type->may_also(call)))
        return true;
    arm_fail(call, ARM_AUTHORIZATION_FAILED, call->caller->name, call->caller->object_id, operation->action,
             TEXT_ARG(call->scope));
    return false;
}

bool arm_may(const struct arm_call *call, const char *action, struct text scope)
{
    return rbac_may(call->snapshot, call->caller->object_id, action, scope);
}

static bool routed(struct arm_call *call)
{
    if (call->operation)
        return true;
    door_fail_route(call);
    return false;
}

// Every check from the token to the locks, in their order.
static bool admitted(struct arm_call *call)
{
    return door_authenticate(call) && door_throttle(call) && door_version_present(call) &&
           door_subscription(call) && routed(call) && door_version_served(call) && may_operate(call) &&
           door_subscription_writable(call) && door_group(call) && door_registration(call) &&
           door_locks(call) && door_body(call);
}

static bool is_write(const struct arm_call *call)
{
    if (call->operation->flags & ARM_READ_COUNT)
        return false;
    return (call->request->method & (HTTP_PUT | HTTP_PATCH | HTTP_POST | HTTP_DELETE)) != 0;
}

// A write decides again with the version of now, after the last statement that can wait
// (docs/architecture.md).
static void decide_again(struct arm_call *call)
{
    if (activity_record_at_commit(call))
        return;
    struct rbac_version now;
    bool read = activity_record(call, &now);
    // Who is about to raise the version locks it first: else writers overtake each other in turn.
    if (db_notes(call->tx))
        read = rbac_version_lock(call->tx, &now);
    if (!read || strcmp(now.stamp, call->version.stamp) == 0)
        return;
    if (call->operation->flags & ARM_NO_DECISION) { // the handler decided: it has to look again
        db_retry(call->tx);
        return;
    }
    const struct rbac_snapshot *snapshot = rbac_snapshot_wait(&now, SNAPSHOT_LIMIT_MS);
    if (!snapshot) {
        fail_diagnostic(call, true);
        return;
    }
    const struct rbac_snapshot *before = call->snapshot;
    call->snapshot = snapshot;
    if (door_authenticate(call) && may_operate(call) && door_subscription_writable(call))
        door_locks(call);
    call->version = *rbac_snapshot_version(snapshot);
    rbac_snapshot_release(before);
}

static bool run_once(struct arm_call *call, struct db_transaction *tx)
{
    call_begin(call);
    call->tx = tx;
    if (!door_look(call))
        return false;
    if (call->snapshot)
        rbac_snapshot_release(call->snapshot);
    call->snapshot = rbac_snapshot_wait(&call->version, SNAPSHOT_LIMIT_MS);
    if (!call->snapshot) {
        fail_diagnostic(call, true);
        return false;
    }
    call->version = *rbac_snapshot_version(call->snapshot);
    db_set_context(tx, &call->version);
    if (!admitted(call))
        return false;
    call->operation->handle(call);
    if (call->meanwhile)
        return false;
    if (!call->failed && is_write(call) && !call->trial) {
        decide_again(call);
        failpoint("arm.decided");
    }
    return !call->failed;
}

static bool run(struct db_transaction *tx, void *argument)
{
    struct arm_call *call = argument;
    bool done = run_once(call, tx);
    // Who is refused is refused for what is, not for what was taken for granted.
    if (!done && ((struct door_call *)call)->seen)
        db_retry(tx);
    return done;
}

static void finish(struct arm_call *call)
{
    if (call->failed)
        door_answer_failure(call);
    else
        door_finish_headers(call);
}

// Once more, as often as something has to be done in between. Nothing is held meanwhile.
static enum db_outcome run_to_the_end(struct arm_call *call, struct db_connection *connection)
{
    enum db_outcome outcome = db_transact(connection, run, call);
    for (int i = 0; i < MEANWHILES && outcome == DB_ROLLED_BACK && !call->failed && call->meanwhile; i++) {
        if (call->snapshot)
            rbac_snapshot_release(call->snapshot);
        call->snapshot = NULL;
        call->tx = NULL;
        if (!call->meanwhile(call))
            break;
        outcome = db_transact(connection, run, call);
    }
    return outcome;
}

static void work(struct http_exchange *exchange, struct db_connection *connection)
{
    struct arm_call *call = call_of(exchange);
    enum db_outcome outcome = run_to_the_end(call, connection);
    if (outcome == DB_UNAVAILABLE || (outcome == DB_ROLLED_BACK && !call->failed)) {
        fail_diagnostic(call, true);
    } else if (outcome == DB_FAILED || (!call->failed && call->answer->status == 0)) {
        log_error("arm.failed", "request", exchange->request.request_id, "operation",
                  call->operation ? call->operation->http.name : NULL);
        fail_diagnostic(call, false);
    }
    call->tx = NULL;
    if (!call->failed && call->after)
        call->after(call, connection);
    finish(call);
    activity_record_refusal(call);
    if (call->snapshot)
        rbac_snapshot_release(call->snapshot);
    call->snapshot = NULL;
}

// In somebody's transaction: what is refused leaves no trace there, or nothing is left of the whole.
static void work_within(struct arm_call *call, struct db_transaction *tx, bool hopeful)
{
    const void *context = db_context(tx);
    if (!hopeful)
        db_savepoint(tx);
    bool done = run(tx, call);
    if (done && call->answer->status != 0 && !call->after) {
        if (!hopeful)
            db_release_savepoint(tx);
    } else {
        if (hopeful) {
            db_retry(tx);
        } else {
            db_rollback_to_savepoint(tx);
            db_release_savepoint(tx); // it would stay open
        }
        db_set_context(tx, context);
        // What goes on in transactions of its own, or between two, may come again by itself.
        if (!call->failed)
            fail_diagnostic(call, call->after != NULL || call->meanwhile != NULL);
    }
    finish(call);
    if (!call->trial && !call->meanwhile)
        activity_record_refusal(call);
    if (call->snapshot)
        rbac_snapshot_release(call->snapshot);
    call->snapshot = NULL;
    call->tx = NULL;
}

static void busy(struct http_exchange *exchange)
{
    struct arm_call *call = call_of(exchange);
    fail_diagnostic(call, true);
    finish(call);
}

// The read lane's decision, on the loop: whatever is not plainly allowed goes to the work lane, which words
// it.
static bool answer_read(struct http_exchange *exchange, const struct db_result *result,
                        const struct rbac_snapshot *snapshot)
{
    struct arm_call *call = call_of(exchange);
    call_begin(call);
    call->snapshot = snapshot;
    bool answered = door_authenticate(call) && door_throttle(call) && door_subscription(call) &&
                    may_operate(call) && call->operation->read->answer(call, result) && !call->failed;
    call->snapshot = NULL;
    if (answered)
        finish(call);
    return answered;
}

static bool try_read_lane(struct arm_call *call, struct lane_read *read)
{
    const struct arm_operation *operation = call->operation;
    if (!operation || operation->lane != ARM_READ || !(call->request->method & (HTTP_GET | HTTP_HEAD)))
        return false;
    if (!door_version_present(call) || !door_version_served(call) || !uuid_is(call->subscription_id))
        return false;
    *read = (struct lane_read){.statement = operation->read->statement,
                               .many = operation->read->many,
                               .answer = answer_read,
                               .otherwise = work,
                               .busy = busy};
    return operation->read->prepare(call, read->values, &read->count);
}

static void answer_anonymous(struct arm_call *call)
{
    if (call->request->method & (HTTP_GET | HTTP_HEAD))
        call->operation->handle(call);
    finish(call);
    http_finish(((struct door_call *)call)->exchange);
}

// False: the request is answered, for its path says nothing.
static bool read_request(struct arm_call *call)
{
    http_answer_reset(call->answer);
    if (call->request->malformed)
        arm_fail(call, ARM_BAD_REQUEST, call->request->malformed);
    else if (call->request->body.length > BODY_LIMIT)
        arm_fail(call, ARM_REQUEST_TOO_LARGE);
    else if (!door_part_segments(&((struct door_call *)call)->exchange->request))
        arm_fail(call, ARM_BAD_REQUEST, "the path has escaped slashes that part it into what is no path");
    if (call->failed || !door_read_path(call)) {
        finish(call);
        return false;
    }
    door_route(call);
    return true;
}

// A request of our own, without loop and client (inner.c): all of it here and now. Inside `tx` unless NULL,
// behind a savepoint; else in a transaction of its own.
void door_perform(struct http_exchange *exchange, const struct door_inner *inner,
                  struct db_connection *connection, struct db_transaction *tx)
{
    struct arm_call *call = call_new(exchange);
    ((struct door_call *)call)->on_behalf_of = inner->caller;
    ((struct door_call *)call)->throttled = inner->counted;
    ((struct door_call *)call)->purpose = inner->purpose;
    ((struct door_call *)call)->confidential = inner->confidential;
    call->trial = inner->trial && tx;
    if (!read_request(call))
        return;
    if (call->operation && (call->operation->flags & ARM_ANONYMOUS)) {
        if (call->request->method & (HTTP_GET | HTTP_HEAD))
            call->operation->handle(call);
        finish(call);
    } else if (!tx) {
        work(exchange, connection);
    } else {
        work_within(call, tx, inner->hopeful && db_may_defer(tx));
    }
}

struct arm_call *door_rehearse(struct http_exchange *exchange, const struct arm_call *outer, int64_t group_id,
                               bool fresh)
{
    struct arm_call *call = call_new(exchange);
    call->caller = outer->caller;
    call->snapshot = outer->snapshot;
    call->version = outer->version;
    call->tx = outer->tx;
    if (!read_request(call))
        return call;
    call->group_id = group_id;
    call->group_stored = call->group;
    call->new_id = fresh ? -1 : 0; // known not to be there; the id is for nobody
    if (door_version_present(call) && door_subscription(call) && routed(call) && door_version_served(call) &&
        may_operate(call) && door_subscription_writable(call) && call->request->body.length > 0 &&
        door_body(call) && call->type->validate)
        call->type->validate(call);
    return call;
}

void arm_dispatch(struct http_exchange *exchange)
{
    struct arm_call *call = call_new(exchange);
    if (!read_request(call)) {
        http_finish(exchange);
        return;
    }
    struct lane_read read;
    if (call->operation && (call->operation->flags & ARM_ANONYMOUS)) {
        answer_anonymous(call);
        return;
    }
    if (door_throttled_early(call)) {
        finish(call);
        http_finish(exchange);
        return;
    }
    if (try_read_lane(call, &read))
        lane_read(exchange, &read);
    else
        lane_work(exchange, work, busy);
}

static void fail_method(struct arm_call *call)
{
    enum { SHOWN = 32 };
    struct text method = call->request->method_text;
    if (method.length > SHOWN || !text_is_utf8(method))
        method = TEXT("");
    arm_fail(call, ARM_METHOD_NOT_SUPPORTED, text_cstr(call->arena, method));
    call->failure->allow = "GET,HEAD,PUT,POST,PATCH,DELETE";
}

void arm_refuse(struct http_exchange *exchange, int status, const char *why)
{
    struct arm_call *call = call_new(exchange);
    http_answer_reset(call->answer);
    if (status == 413)
        arm_fail(call, ARM_REQUEST_TOO_LARGE);
    else if (status == 421)
        arm_fail(call, ARM_MISDIRECTED, TEXT_ARG(exchange->request.host));
    else if (status == 405 || status == 501) // a verb that nothing here has
        fail_method(call);
    else if (status == 503)
        fail_diagnostic(call, true);
    else
        arm_fail(call, ARM_REFUSED(status), why);
    finish(call);
}
