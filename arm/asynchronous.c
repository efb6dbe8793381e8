// Asynchronous operations: made, pointed at, and what their jobs leave.
#include "arm/asynchronous.h"

#include "base/arena.h"

const char *arm_operation_start(struct arm_call *call, const char *kind, struct text payload)
{
    const struct job_origin origin = {call->caller->object_id, call->scope};
    call->goes_on =
        job_create_for(call->tx, kind, text_cstr(call->arena, call->subscription_id), &origin, payload, 0);
    return call->goes_on;
}

static const char *location_path(struct arm_call *call, const char *job_id)
{
    struct buffer b = buffer_new(call->arena);
    json_begin_object(&b);
    json_key_string(&b, "jobId", job_id);
    json_key_string(&b, "jobLocation", site()->config->region);
    json_end_object(&b);
    struct text token = text_base64url(call->arena, b.base, b.length);
    return arena_printf(call->arena, "/subscriptions/%.*s/operationresults/%.*s?api-version=%s",
                        TEXT_ARG(call->subscription_id), TEXT_ARG(token), call->api_version);
}

static const char *status_path(struct arm_call *call, const char *job_id)
{
    return arena_printf(call->arena,
                        "/subscriptions/%.*s/providers/%s/locations/%s/operationStatuses/%s?api-version=%s",
                        TEXT_ARG(call->subscription_id), call->type->namespace_name, site()->config->region,
                        job_id, call->api_version);
}

void arm_poll_headers(struct arm_call *call, const char *job_id, unsigned urls)
{
    if (urls & ARM_BY_STATUS)
        http_set_header_string(call->answer, "Azure-AsyncOperation",
                               arm_url(call, status_path(call, job_id)));
    if (urls & ARM_BY_LOCATION)
        http_set_header_string(call->answer, "Location", arm_url(call, location_path(call, job_id)));
}

const char *arm_accept(struct arm_call *call, const char *kind, struct text payload, unsigned urls)
{
    const char *job_id = arm_operation_start(call, kind, payload);
    if (db_failed(call->tx))
        return "";
    arm_poll_headers(call, job_id, urls);
    arm_reply_empty(call, 202);
    return job_id;
}

struct text arm_job_progress(struct arena *arena, unsigned percent, struct text notes)
{
    struct buffer b = buffer_new(arena);
    json_begin_object(&b);
    json_key_int(&b, "percentComplete", percent < 100 ? percent : 100);
    if (notes.base)
        json_key_raw(&b, "notes", notes);
    json_end_object(&b);
    return buffer_done(&b);
}

json_t *arm_job_notes(const struct job *job)
{
    if (!job->result.base)
        return NULL;
    json_t *result = json_loadb(job->result.base, job->result.length, JSON_REJECT_DUPLICATES, NULL);
    json_t *notes = json_incref(json_object_get(result, "notes"));
    json_decref(result);
    return notes;
}

struct text arm_job_answer(struct arena *arena, int status, struct text body)
{
    struct buffer b = buffer_new(arena);
    json_begin_object(&b);
    json_key_int(&b, "httpStatus", status);
    if (body.base && body.length > 0)
        json_key_raw(&b, "body", body);
    json_end_object(&b);
    return buffer_done(&b);
}

struct text arm_job_failure(struct arena *arena, const struct arm_failure *failure)
{
    struct buffer b = buffer_new(arena);
    struct arm_failure plain = *failure;
    plain.origin = FROM_GATEWAY; // the envelope without "status"; whose it was stands beside it
    struct text body = arm_failure_body(arena, &plain);
    json_begin_object(&b);
    json_key_int(&b, "httpStatus", failure->status);
    json_key_bool(&b, "provider", failure->origin == FROM_PROVIDER);
    // {"error":{…}}: its one member becomes ours
    buffer_char(&b, ',');
    buffer_text(&b, text_slice(body, 1, body.length));
    return buffer_done(&b);
}
