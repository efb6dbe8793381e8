// A deployment's record as JSON, its members in the recorded order (arm-templates 7.1).
#include "templates/deployment.h"

#include "base/arena.h"
#include "base/clock.h"

#include <stdio.h>

enum { SECOND = 1000000 };

struct text deployment_duration(struct arena *arena, int64_t microseconds)
{
    int64_t left = microseconds > 0 ? microseconds : 0;
    int64_t days = left / (INT64_C(86400) * SECOND), hours = left / (INT64_C(3600) * SECOND) % 24;
    int64_t minutes = left / (INT64_C(60) * SECOND) % 60, seconds = left / SECOND % 60;
    struct buffer b = buffer_new(arena);
    buffer_char(&b, 'P');
    if (days > 0)
        buffer_format(&b, "%lldD", (long long)days);
    if (days > 0 && left % (INT64_C(86400) * SECOND) == 0)
        return buffer_done(&b);
    buffer_char(&b, 'T');
    if (hours > 0)
        buffer_format(&b, "%lldH", (long long)hours);
    if (minutes > 0)
        buffer_format(&b, "%lldM", (long long)minutes);
    if (left % (INT64_C(60) * SECOND) == 0 && left > 0)
        return buffer_done(&b);
    char fraction[8];
    size_t length = (size_t)snprintf(fraction, sizeof fraction, "%06d", (int)(left % SECOND));
    while (length > 0 && fraction[length - 1] == '0')
        length--;
    buffer_format(&b, "%lld%s%.*sS", (long long)seconds, length > 0 ? "." : "", (int)length, fraction);
    return buffer_done(&b);
}

static void write_on_error(struct buffer *b, const struct deployment *d)
{
    if (!d->on_error_type.base)
        return;
    json_key(b, "onErrorDeployment");
    json_begin_object(b);
    json_key_text(b, "type", d->on_error_type);
    json_key_text(b, "deploymentName", d->on_error_name);
    if (d->on_error_state.base)
        json_key_text(b, "provisioningState", d->on_error_state);
    json_end_object(b);
}

static void write_raw(struct buffer *b, const char *key, struct text json)
{
    if (json.base)
        json_key_raw(b, key, json);
}

static void write_debug(struct buffer *b, const struct deployment *d)
{
    if (!d->debug.base)
        return;
    json_key(b, "debugSetting");
    json_begin_object(b);
    json_key_text(b, "detailLevel", d->debug);
    json_end_object(b);
}

static void write_properties(struct buffer *b, struct arena *arena, const struct deployment *d,
                             struct text validated)
{
    bool only_checked = validated.base != NULL;
    json_begin_object(b);
    write_raw(b, "templateLink", d->template_link);
    json_key_text(b, "templateHash", d->template_hash);
    write_raw(b, "parametersLink", d->parameters_link);
    write_raw(b, "parameters", d->parameters);
    json_key_text(b, "mode", d->mode);
    write_debug(b, d);
    json_key_text(b, "provisioningState", d->state);
    json_key_text(b, "timestamp",
                  only_checked ? TEXT("0001-01-01T00:00:00Z") : clock_iso(arena, d->changed_at, "Z"));
    json_key_text(b, "duration",
                  only_checked ? TEXT("PT0S") : deployment_duration(arena, d->changed_at - d->created_at));
    json_key_text(b, "correlationId", d->correlation_id);
    write_raw(b, "providers", d->providers);
    write_raw(b, "dependencies", d->dependencies);
    write_on_error(b, d);
    write_raw(b, "outputs", d->outputs);
    write_raw(b, "outputResources", d->output_resources);
    write_raw(b, "error", d->error);
    write_raw(b, "validatedResources", validated);
    json_end_object(b);
}

void deployment_write(struct buffer *b, struct arena *arena, const char *api_version,
                      const struct deployment *d, struct text validated)
{
    json_begin_object(b);
    json_key_text(b, "id", deployment_id_of(arena, d));
    json_key_text(b, "name", d->name);
    if (strcmp(api_version, "2019-07-01") >= 0)
        json_key_string(b, "type", DEPLOYMENT_TYPE);
    if (d->location.base)
        json_key_text(b, "location", d->location);
    write_raw(b, "tags", d->tags);
    json_key(b, "properties");
    write_properties(b, arena, d, validated);
    json_end_object(b);
}

struct text deployment_record(struct arm_call *call, const struct deployment *deployment,
                              struct text validated)
{
    struct buffer b = buffer_new(call->arena);
    deployment_write(&b, call->arena, call->api_version, deployment, validated);
    return buffer_done(&b);
}
