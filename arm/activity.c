// Recording a write: its row, made from the call, in the write's own transaction.
#include "arm/activity_row.h"
#include "arm/door_parts.h"
#include "arm/types.h"

#include "base/arena.h"
#include "base/clock.h"

#include <string.h>

enum {
    CLIENT_REQUEST_LIMIT = 128,
    ADDRESS_LIMIT = 64,
    SCOPE_LIMIT = 4096,
    MESSAGE_LIMIT = 1024,
    ANSWER_LIMIT = 16384
};

// Times are the database's, so that replicas agree: the call tells how long ago it began. The version is read
// or proven in the same round trip; the insert waits for nobody.
#define INSERT                                                                                               \
    "with recorded as (insert into arm.activity (log_id, at, started_at, ended, operation_id, "              \
    "correlation_id, client_request_id, client_address, caller, object_id, app_id, is_user, method, "        \
    "action, scope, status, request_body, response_body) values ($1::uuid, statement_timestamp(), "          \
    "statement_timestamp() - $2::bigint * interval '1 microsecond', $3, $4::uuid, $5, $6, $7, $8, "          \
    "$9::uuid, $10, $11, $12, $13, $14, $15::smallint, $16, $17)) "
enum { INSERT_VALUES = 17 };
static const struct db_statement insert = {"activity_insert",
                                           INSERT "select " RBAC_VERSION_COLUMNS " from rbac.version v"};
static const struct db_statement insert_proven = {"activity_insert_proven",
                                                  INSERT "select " RBAC_PROOF("$18")};

bool activity_concerns(const struct arm_call *call)
{
    if (!call->operation || (call->operation->flags & (ARM_READ_COUNT | ARM_ANONYMOUS)))
        return false;
    return (call->request->method & (HTTP_PUT | HTTP_PATCH | HTTP_POST | HTTP_DELETE)) != 0;
}

// Operations whose action comes from the URL ({namespace}/register/action) have none in their table.
static struct text action_of(const struct arm_call *call)
{
    struct text namespace_name, type;
    if (call->operation->action)
        return text_of(call->operation->action);
    if (!door_path_type(call->arena, call->request, &namespace_name, &type))
        return TEXT_NONE;
    const char *canonical = NULL;
    if (arm_namespace_known(namespace_name, &canonical))
        namespace_name = text_of(canonical);
    return TEXT_JOIN(call->arena, namespace_name, TEXT("/"), type, TEXT("/action"));
}

// The log is a subscription's, or the tenant's. One that is not there has none.
static struct text log_of(const struct arm_call *call)
{
    if (!call->subscription_id.base)
        return text_of(call->caller->tenant_id);
    if (!call->snapshot)
        return TEXT_NONE;
    const struct rbac_subscription *subscription =
        rbac_subscription_by_id(call->snapshot, call->subscription_id);
    if (!subscription || strcmp(subscription->tenant_id, call->caller->tenant_id) != 0)
        return TEXT_NONE;
    return call->subscription_id;
}

// At most `limit` bytes, whole characters, nothing that PostgreSQL refuses.
static struct text bounded(struct text value, size_t limit)
{
    if (!value.base || !text_is_utf8(value))
        return TEXT_NONE;
    if (value.length > limit) {
        value.length = limit;
        while (value.length > 0 && ((unsigned char)value.base[value.length] & 0xc0) == 0x80)
            value.length--;
    }
    return value;
}

// What a refusal said. A 400 may quote what was sent, which may be a secret in the wrong place.
static void put_failure(const struct arm_call *call, struct activity_row *row)
{
    const struct arm_failure *failure = call->failure;
    row->status = failure->status;
    row->code = text_of(failure->code);
    if (failure->status != 400)
        row->message = bounded(text_of(failure->message), MESSAGE_LIMIT);
}

// Clients that list changes of rights read who lost one from the answer: its object is gone by then.
static struct text answer_of(const struct arm_call *call)
{
    struct text body = call->answer->body;
    bool shown = !call->failed && call->type && body.length > 0 && body.length <= ANSWER_LIMIT &&
                 strcmp(call->type->namespace_name, "Microsoft.Authorization") == 0;
    return shown ? body : TEXT_NONE;
}

bool activity_row_of(const struct arm_call *call, struct activity_row *row)
{
    const struct http_request *request = call->request;
    if (!call->caller || !call->operation)
        return false;
    *row = (struct activity_row){
        .log_id = log_of(call),
        .operation_id = text_of(call->goes_on && !call->failed ? call->goes_on : request->request_id),
        .ended = call->failed || !call->goes_on,
        .correlation_id = text_of(request->correlation_id),
        .client_request_id =
            bounded(http_header(request, "x-ms-client-request-id", NULL), CLIENT_REQUEST_LIMIT),
        .client_address = bounded(request->client_address, ADDRESS_LIMIT),
        .caller = text_of(call->caller->name),
        .object_id = text_of(call->caller->object_id),
        .app_id = call->caller->app_id && *call->caller->app_id ? text_of(call->caller->app_id) : TEXT_NONE,
        .is_user = call->caller->user,
        .method = text_of(http_method_name(request->method)),
        .action = action_of(call),
        .scope = bounded(call->scope, SCOPE_LIMIT),
        .status = call->answer->status,
        .request_body = ((const struct door_call *)call)->confidential
                            ? TEXT_NONE
                            : activity_redact(call->arena, call->body),
        .response_body = answer_of(call),
    };
    if (call->failed)
        put_failure(call, row);
    return row->log_id.base && row->action.base && row->scope.base;
}

static void insert_values(const struct arm_call *call, const struct activity_row *row,
                          struct db_value values[INSERT_VALUES])
{
    int64_t elapsed = clock_monotonic() - call->request->started;
    const struct db_value all[INSERT_VALUES] = {
        db_text(row->log_id),         db_int(elapsed > 0 ? elapsed : 0),
        db_bool(row->ended),          db_text(row->operation_id),
        db_text(row->correlation_id), db_text(row->client_request_id),
        db_text(row->client_address), db_text(row->caller),
        db_text(row->object_id),      db_text(row->app_id),
        db_bool(row->is_user),        db_text(row->method),
        db_text(row->action),         db_text(row->scope),
        db_int(row->status),          db_text(row->request_body),
        db_text(row->response_body),
    };
    memcpy(values, all, sizeof all);
}

bool activity_record(struct arm_call *call, struct rbac_version *now)
{
    struct activity_row row;
    struct db_value values[INSERT_VALUES];
    if (!activity_row_of(call, &row))
        return rbac_version_read(call->tx, now);
    insert_values(call, &row, values);
    return rbac_version_of(db_run(call->tx, &insert, values, INSERT_VALUES), now);
}

bool activity_record_at_commit(struct arm_call *call)
{
    struct activity_row row;
    struct db_value values[INSERT_VALUES + 1];
    const char *stamp = rbac_stamp_to_prove(call->tx);
    if (!stamp)
        return false;
    if (!activity_row_of(call, &row))
        return rbac_prove_at_commit(call->tx);
    insert_values(call, &row, values);
    values[INSERT_VALUES] = db_string(stamp);
    return db_defer(call->tx, &insert_proven, values, INSERT_VALUES + 1);
}
