// Paging (arm-core 1.6): $top, the opaque $skiptoken, nextLink.
#include "arm/errors.h"
#include "arm/resource.h"

#include "base/arena.h"

enum { TOP_DEFAULT = 1000 };

bool arm_page_of_query(struct arm_call *call, size_t *top, struct text *position)
{
    *top = TOP_DEFAULT;
    *position = TEXT_NONE;
    struct text asked = http_query(call->request, "$top");
    int64_t number;
    if (asked.length > 0) {
        if (!text_to_int64(asked, &number) || number < 1) {
            arm_fail(call, ARM_INVALID_TOP, TEXT_ARG(asked));
            return false;
        }
        *top = number < TOP_DEFAULT ? (size_t)number : TOP_DEFAULT;
    }
    struct text token = http_query(call->request, "$skiptoken"); // its name in any case
    if (token.length == 0)
        return true;
    if (token.length > 4096 || !text_unbase64url(call->arena, token, position) || !text_is_utf8(*position)) {
        arm_fail(call, ARM_INVALID_SKIP_TOKEN);
        return false;
    }
    return true;
}

const char *arm_next_link(struct arm_call *call, struct text position)
{
    const struct http_request *request = call->request;
    struct buffer b = buffer_new(call->arena);
    buffer_text(&b, request->path);
    char separator = '?';
    for (size_t i = 0; i < request->query_count; i++) {
        const struct http_field *q = &request->query[i];
        if (text_is_nocase(q->name, "$skiptoken"))
            continue;
        buffer_char(&b, separator);
        bool dollar = q->name.length > 0 && q->name.base[0] == '$'; // "$filter" stays readable
        if (dollar)
            buffer_char(&b, '$');
        buffer_text(&b, text_percent_encode(call->arena, text_slice(q->name, dollar, q->name.length)));
        buffer_char(&b, '=');
        buffer_text(&b, text_percent_encode(call->arena, q->value));
        separator = '&';
    }
    buffer_format(&b, "%c$skiptoken=", separator);
    buffer_text(&b, text_base64url(call->arena, position.base, position.length));
    return arm_url(call, buffer_done(&b).base);
}
