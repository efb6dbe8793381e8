// If-Match and If-None-Match of a write (arm-core 1.7, the ETag matrix).
#include "arm/errors.h"
#include "arm/resource.h"

// Whether one of the header's entity tags is the resource's, or it is "*". Weak ones match nothing: a write
// compares strongly.
static bool names_it(struct text header, struct text etag)
{
    size_t start = 0;
    for (size_t i = 0; i <= header.length; i++) {
        if (i < header.length && header.base[i] != ',')
            continue;
        struct text one = text_trim(text_slice(header, start, i));
        if (text_is(one, "*") || (etag.base && text_equal(one, etag)))
            return true;
        start = i + 1;
    }
    return false;
}

bool arm_precondition(struct arm_call *call, bool exists, struct text etag)
{
    struct text match = http_header(call->request, "if-match", NULL);
    struct text none = http_header(call->request, "if-none-match", NULL);
    bool holds = !match.base || (exists && names_it(match, etag));
    if (none.base && exists && names_it(none, etag))
        holds = false;
    if (!holds)
        arm_fail(call, ARM_PRECONDITION_FAILED);
    return holds;
}
