// Making a request of our own look to the door like one that came from outside.
#include "arm/inner.h"
#include "arm/door_parts.h"
#include "http/intake.h"

#include "base/arena.h"
#include "base/clock.h"

#include <stdio.h>

enum { TARGET_LIMIT = 16 * 1024, OWN_HEADERS = 3 };

struct arm_inner arm_inner_of(const struct arm_call *call)
{
    const struct http_request *request = call->request;
    return (struct arm_inner){
        .arena = call->arena,
        .host = request->host,
        .authority = request->authority,
        .client_address = request->client_address,
        .correlation_id = request->correlation_id,
        .authorization = http_header(request, "authorization", NULL),
        .caller = ((const struct door_call *)call)->on_behalf_of,
    };
}

// What a client's library would have escaped: blanks and what is not ASCII. Absent for what no URL may have.
static struct text escaped(struct arena *arena, struct text target)
{
    struct buffer b = buffer_new(arena);
    if (target.length > TARGET_LIMIT)
        return TEXT_NONE;
    for (size_t i = 0; i < target.length; i++) {
        unsigned char c = (unsigned char)target.base[i];
        if (c < 0x20 || c == 0x7f)
            return TEXT_NONE;
        if (c == 0x20 || c > 0x7f)
            buffer_format(&b, "%%%02X", c);
        else
            buffer_char(&b, (char)c);
    }
    return buffer_done(&b);
}

static void add_headers(struct http_request *request, const struct arm_inner *inner,
                        const struct arm_inner_request *asked)
{
    struct http_field *headers =
        ARENA_ARRAY(inner->arena, struct http_field, asked->header_count + OWN_HEADERS);
    size_t count = 0;
    if (inner->authorization.base)
        headers[count++] = (struct http_field){TEXT("authorization"), inner->authorization};
    if (asked->body.length > 0)
        headers[count++] = (struct http_field){TEXT("content-type"), TEXT("application/json")};
    for (size_t i = 0; i < asked->header_count; i++)
        headers[count++] = asked->headers[i];
    request->headers = headers;
    request->header_count = count;
}

static struct http_exchange *exchange_of(const struct arm_inner *inner, const struct arm_inner_request *asked)
{
    struct http_exchange *exchange = ARENA_NEW(inner->arena, struct http_exchange);
    struct http_request *request = &exchange->request;
    struct text target = escaped(inner->arena, asked->target);
    request->arena = inner->arena;
    request->method = asked->method;
    request->method_text = text_of(http_method_name(asked->method));
    request->host = inner->host;
    request->authority = inner->authority;
    request->client_address = inner->client_address;
    request->started = clock_monotonic();
    request->body = asked->body.base ? asked->body : TEXT("");
    add_headers(request, inner, asked);
    uuid_random(request->request_id);
    snprintf(request->correlation_id, sizeof request->correlation_id, "%s", inner->correlation_id);
    request->target = target.base ? target : TEXT("/");
    http_read_target(request);
    if (!target.base)
        request->malformed = "the URL is too long or has control characters";
    return exchange;
}

const void *arm_inner_purpose(const struct arm_call *call)
{
    return ((const struct door_call *)call)->purpose;
}

static struct door_inner door_inner_of(const struct arm_inner *inner)
{
    return (struct door_inner){.caller = inner->caller,
                               .counted = inner->counted,
                               .trial = inner->trial,
                               .confidential = inner->confidential,
                               .hopeful = inner->hopeful,
                               .purpose = inner->purpose};
}

void arm_inner_run(const struct arm_inner *inner, const struct arm_inner_request *request,
                   struct db_connection *connection, struct http_answer *answer)
{
    struct http_exchange *exchange = exchange_of(inner, request);
    struct door_inner how = door_inner_of(inner);
    door_perform(exchange, &how, connection, NULL);
    *answer = exchange->answer;
}

void arm_inner_within(const struct arm_inner *inner, const struct arm_inner_request *request,
                      struct db_transaction *tx, struct http_answer *answer)
{
    struct http_exchange *exchange = exchange_of(inner, request);
    struct door_inner how = door_inner_of(inner);
    door_perform(exchange, &how, NULL, tx);
    *answer = exchange->answer;
}

static const char *kept(struct arena *arena, const char *text)
{
    return text ? arena_strdup(arena, text) : NULL;
}

static struct arm_failure *kept_failure(struct arena *arena, const struct arm_failure *failure)
{
    struct arm_failure *copy = ARENA_NEW(arena, struct arm_failure);
    struct arm_failure_detail **end = &copy->details;
    *copy = (struct arm_failure){.status = failure->status,
                                 .code = kept(arena, failure->code),
                                 .message = kept(arena, failure->message),
                                 .target = kept(arena, failure->target),
                                 .origin = failure->origin};
    for (const struct arm_failure_detail *d = failure->details; d; d = d->next) {
        *end = ARENA_NEW(arena, struct arm_failure_detail);
        **end = (struct arm_failure_detail){.code = kept(arena, d->code),
                                            .target = kept(arena, d->target),
                                            .message = kept(arena, d->message)};
        end = &(*end)->next;
    }
    return copy;
}

// In an arena of its own: hundreds may be rehearsed for one request.
void arm_rehearse(struct arm_call *call, const struct arm_inner_request *request, int64_t group_id,
                  bool fresh, struct arm_rehearsal *rehearsal)
{
    struct arm_inner inner = arm_inner_of(call);
    inner.arena = arena_new();
    struct arm_call *rehearsed = door_rehearse(exchange_of(&inner, request), call, group_id, fresh);
    rehearsal->failure = rehearsed->failed ? kept_failure(call->arena, rehearsed->failure) : NULL;
    rehearsal->action = rehearsed->operation ? rehearsed->operation->action : NULL;
    arena_free(inner.arena);
}
