// Answers: bodies, and the headers that every ARM answer carries (arm-core 1.4, decisions 6 and 7).
#include "arm/door_parts.h"

#include "base/arena.h"
#include "base/clock.h"

#include <stdio.h>

void arm_reply(struct arm_call *call, int status, struct text json)
{
    call->answer->status = status;
    call->answer->body = json;
}

void arm_reply_empty(struct arm_call *call, int status)
{
    call->answer->status = status;
    call->answer->body = TEXT("");
}

const char *arm_url(const struct arm_call *call, const char *path_and_query)
{
    return arena_printf(call->arena, "https://%.*s%s", TEXT_ARG(call->request->authority), path_and_query);
}

static void common_headers(struct arm_call *call)
{
    const struct http_request *request = call->request;
    struct http_answer *answer = call->answer;
    http_set_header_string(answer, "Cache-Control", "no-cache");
    http_set_header_string(answer, "Pragma", "no-cache");
    http_set_header_string(answer, "Expires", "-1");
    http_set_header_string(answer, "Strict-Transport-Security", "max-age=31536000; includeSubDomains");
    http_set_header_string(answer, "X-Content-Type-Options", "nosniff");
    http_set_header_string(answer, "x-ms-request-id", request->request_id);
    http_set_header_string(answer, "x-ms-correlation-request-id", request->correlation_id);
    const struct config *config = site()->config;
    struct text region = text_upper(call->arena, text_of(config->region));
    struct text now = clock_compact(call->arena, clock_wall());
    http_set_header(answer, "x-ms-routing-request-id",
                    TEXT_JOIN(call->arena, region, TEXT(":"), now, TEXT(":"), text_of(request->request_id)));
    if (text_is_nocase(http_header(request, "x-ms-return-client-request-id", NULL), "true")) {
        struct text id = http_header(request, "x-ms-client-request-id", NULL);
        if (id.base && id.length > 0 && id.length <= 256)
            http_set_header(answer, "x-ms-client-request-id", id);
    }
}

static void rate_header(struct arm_call *call)
{
    static const char *const names[2][3] = {
        {"x-ms-ratelimit-remaining-tenant-reads", "x-ms-ratelimit-remaining-tenant-writes",
         "x-ms-ratelimit-remaining-tenant-deletes"},
        {"x-ms-ratelimit-remaining-subscription-reads", "x-ms-ratelimit-remaining-subscription-writes",
         "x-ms-ratelimit-remaining-subscription-deletes"},
    };
    static const char *const global_names[3] = {"x-ms-ratelimit-remaining-subscription-global-reads",
                                                "x-ms-ratelimit-remaining-subscription-global-writes",
                                                "x-ms-ratelimit-remaining-subscription-global-deletes"};
    const struct door_call *door = (const struct door_call *)call;
    if (!door->throttled)
        return;
    bool subscription = call->subscription_id.base != NULL;
    enum throttle_kind kind = door_throttle_kind(call);
    http_set_header_string(call->answer, names[subscription][kind],
                           arena_printf(call->arena, "%u", door->count.remaining));
    if (subscription && site()->config->throttle_global > 0)
        http_set_header_string(call->answer, global_names[kind],
                               arena_printf(call->arena, "%u", door->count.global_remaining));
}

// HEAD of a resource says whether it exists: 204 (arm-core 1.7). HEAD of anything else has the headers of its
// GET.
static void answer_existence(struct arm_call *call)
{
    bool asked = call->request->method == HTTP_HEAD && call->answer->status == 200 && call->type &&
                 call->type->tracked && door_is_item(call->request);
    if (asked)
        arm_reply_empty(call, 204);
}

void door_finish_headers(struct arm_call *call)
{
    struct http_answer *answer = call->answer;
    answer_existence(call);
    common_headers(call);
    if (answer->body.length > 0) {
        http_set_header_string(answer, "Content-Type", "application/json; charset=utf-8");
        if (call->request->method & (HTTP_GET | HTTP_HEAD))
            http_set_header_string(answer, "Vary", "Accept-Encoding");
    }
    if (answer->status < 400)
        rate_header(call);
}

void door_answer_failure(struct arm_call *call)
{
    const struct arm_failure *failure = call->failure;
    struct http_answer *answer = call->answer;
    http_answer_reset(answer);
    answer->status = failure->status;
    answer->body = arm_failure_body(call->arena, failure);
    if (failure->origin == FROM_GATEWAY)
        http_set_header_string(answer, "x-ms-failure-cause", "gateway");
    if (failure->challenge)
        http_set_header_string(answer, "WWW-Authenticate", failure->challenge);
    if (failure->allow)
        http_set_header_string(answer, "Allow", failure->allow);
    if (failure->retry_after > 0)
        http_set_header_string(answer, "Retry-After", arena_printf(call->arena, "%u", failure->retry_after));
    door_finish_headers(call);
}
