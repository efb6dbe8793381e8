// Failing a call, and the two forms of an error's body.
#include "arm/errors.h"

#include "base/arena.h"

enum { MESSAGE_LIMIT = 4096 };

// A message may quote what the client sent, which may be megabytes: it is cut at a character's start.
static void bound(char *message)
{
    size_t length = strlen(message);
    if (length <= MESSAGE_LIMIT)
        return;
    length = MESSAGE_LIMIT;
    while (length > 0 && ((unsigned char)message[length] & 0xc0) == 0x80)
        length--;
    message[length] = '\0';
}

void arm_fail(struct arm_call *call, int status, const char *code, enum arm_origin origin, const char *format,
              ...)
{
    if (call->failed)
        return;
    struct arm_failure *failure = ARENA_NEW(call->arena, struct arm_failure);
    va_list arguments;
    va_start(arguments, format);
    char *message = arena_vprintf(call->arena, format, arguments);
    va_end(arguments);
    bound(message);
    failure->message = message;
    failure->status = status;
    failure->code = code;
    failure->origin = origin;
    call->failure = failure;
    call->failed = true;
}

void arm_fail_target(struct arm_call *call, const char *target)
{
    if (call->failure)
        call->failure->target = target;
}

void arm_fail_detail(struct arm_call *call, const char *code, const char *target, const char *message)
{
    if (!call->failure)
        return;
    struct arm_failure_detail *detail = ARENA_NEW(call->arena, struct arm_failure_detail);
    *detail = (struct arm_failure_detail){.code = code, .target = target, .message = message};
    struct arm_failure_detail **end = &call->failure->details;
    while (*end)
        end = &(*end)->next;
    *end = detail;
}

static void write_details(struct buffer *b, const struct arm_failure *failure)
{
    json_key(b, "details");
    json_begin_array(b);
    for (const struct arm_failure_detail *d = failure->details; d; d = d->next) {
        json_begin_object(b);
        json_key_string(b, "code", d->code);
        if (d->target)
            json_key_string(b, "target", d->target);
        json_key_string(b, "message", d->message);
        json_end_object(b);
    }
    json_end_array(b);
}

struct text arm_failure_body(struct arena *arena, const struct arm_failure *failure)
{
    struct buffer b = buffer_new(arena);
    json_begin_object(&b);
    json_key(&b, "error");
    json_begin_object(&b);
    json_key_string(&b, "code", failure->code);
    json_key_string(&b, "message", failure->message);
    if (failure->target)
        json_key_string(&b, "target", failure->target);
    if (failure->details_json.base)
        json_key_raw(&b, "details", failure->details_json);
    else if (failure->details)
        write_details(&b, failure);
    if (failure->additional_info.base)
        json_key_raw(&b, "additionalInfo", failure->additional_info);
    json_end_object(&b);
    if (failure->origin == FROM_PROVIDER)
        json_key_string(&b, "status", "Failed");
    json_end_object(&b);
    return buffer_done(&b);
}
