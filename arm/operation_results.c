// GET /subscriptions/{s}/operationresults/{token}: where a 202's Location points (arm-core 1.8 and 2.1). 202
// while the job is pending, then what the synchronous answer would have been.
#include "arm/errors.h"
#include "arm/group_delete.h"
#include "arm/types.h"

#include "base/arena.h"
#include "db/job.h"

const char *operation_result_path(struct arena *arena, struct text subscription_id, const char *job_id,
                                  const char *api_version)
{
    struct buffer b = buffer_new(arena);
    json_begin_object(&b);
    json_key_string(&b, "jobId", job_id);
    json_key_string(&b, "jobLocation", site()->config->region);
    json_end_object(&b);
    struct text token = text_base64url(arena, b.base, b.length);
    return arena_printf(arena, "/subscriptions/%.*s/operationresults/%.*s?api-version=%s",
                        TEXT_ARG(subscription_id), TEXT_ARG(token), api_version);
}

// The job that the token names; false when it is no token of ours.
static bool job_of_token(struct arm_call *call, struct text token, struct text *job)
{
    struct text json;
    if (token.length > 512 || !text_unbase64url(call->arena, token, &json))
        return false;
    json_t *object = json_loadb(json.base, json.length, JSON_REJECT_DUPLICATES, NULL);
    struct text id = text_of(json_string_value(json_object_get(object, "jobId")));
    bool sound = id.base && uuid_is(id);
    *job = sound ? text_copy(call->arena, id) : TEXT_NONE;
    json_decref(object);
    return sound;
}

// Who started it may ask, also when what gave him the right went with the group; others need some right
// there.
static bool may_ask(struct arm_call *call, const struct job_status *status)
{
    json_t *payload = json_loadb(status->payload.base, status->payload.length, 0, NULL);
    struct text starter = text_of(json_string_value(json_object_get(payload, "objectId")));
    bool own = starter.base && text_is(starter, call->caller->object_id);
    json_decref(payload);
    struct text scope =
        text_of(arena_printf(call->arena, "/subscriptions/%.*s", TEXT_ARG(call->subscription_id)));
    return own || rbac_has_any(call->snapshot, call->caller->object_id, scope);
}

static void fail_of_result(struct arm_call *call, struct text result)
{
    json_t *json = json_loadb(result.base ? result.base : "{}", result.base ? result.length : 2, 0, NULL);
    const char *code = json_string_value(json_object_get(json, "code"));
    const char *message = json_string_value(json_object_get(json, "message"));
    arm_fail(call, 409, arena_strdup(call->arena, code ? code : "Conflict"), FROM_GATEWAY, "%s",
             message ? message : "The operation failed.");
    json_decref(json);
}

static void operation_result_get(struct arm_call *call)
{
    struct text token = http_parameter(&call->route, "token"), id;
    struct job_status status;
    if (!job_of_token(call, token, &id) || !job_find(call->tx, id, &status) ||
        !text_equal_nocase(status.subscription, call->subscription_id) || !may_ask(call, &status)) {
        arm_fail(call, ARM_OPERATION_NOT_FOUND, TEXT_ARG(token));
        return;
    }
    if (text_is(status.state, "Succeeded")) {
        arm_reply_empty(call, 200);
    } else if (text_is(status.state, "Failed")) {
        fail_of_result(call, status.result);
    } else {
        http_set_header_string(
            call->answer, "Location",
            arm_url(call, operation_result_path(call->arena, call->subscription_id,
                                                text_cstr(call->arena, id), call->api_version)));
        http_set_header_string(call->answer, "Retry-After", "1");
        arm_reply_empty(call, 202);
    }
}

static const struct arm_operation operations[] = {
    {.http = {HTTP_GET, "/subscriptions/{subscription}/operationresults/{token}", "OperationResults_Get"},
     .action = "Microsoft.Resources/subscriptions/operationresults/read",
     .flags = ARM_NO_DECISION | ARM_GATEWAY,
     .handle = operation_result_get,
     .display = "Get Operation Result",
     .description = "Get the subscription operation results."},
    {.http = {0}},
};

const struct arm_type operation_results_type = {.namespace_name = "Microsoft.Resources",
                                                .name = "subscriptions/operationresults",
                                                .resource_display = "Operation Results",
                                                .versions = versions_resources,
                                                .arm_owned = true,
                                                .operations = operations};
