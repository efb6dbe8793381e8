// libFuzzer: arbitrary bytes as the head of a request, from the edge and from elsewhere, then its target and
// ids.
#include "http/intake.h"

#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inspect(const struct http_request *request)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (text_find(request->headers[i].value, '\n') >= 0 ||
            text_find(request->headers[i].value, '\0') >= 0)
            abort();
    for (size_t i = 0; i < request->query_count; i++)
        if (text_find(request->query[i].value, '\0') >= 0)
            abort();
    if (request->segment_count > HTTP_SEGMENTS || strlen(request->request_id) != 36)
        abort();
    http_query(request, "api-version");
    http_header(request, "authorization", NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct arena *arena = arena_new();
    struct text bytes = {(const char *)data + 1, size - 1};
    size_t length = http_head_length(bytes);
    if (length > bytes.length)
        abort();
    // As the fence does: only a whole head is read, a copy of it.
    if (length > 0 && length <= HTTP_HEAD_LIMIT) {
        struct http_request request = {.arena = arena};
        char *head = arena_alloc(arena, length);
        memcpy(head, bytes.base, length);
        struct http_refusal refusal = http_read_head(&request, head, length, data[0] & 1);
        if (refusal.status != 0 && (refusal.status < 400 || refusal.status > 599))
            abort();
        http_read_ids(&request);
        http_read_target(&request);
        if (refusal.status == 0)
            inspect(&request);
    }
    arena_free(arena);
    return 0;
}
