// libFuzzer: arbitrary bytes as an urlencoded form. No decoded value holds a NUL.
#include "http/message.h"

#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    struct http_field *fields = NULL;
    size_t count = 0;
    if (http_parse_form(arena, (struct text){(const char *)data, size}, &fields, &count))
        for (size_t i = 0; i < count; i++)
            if (text_find(fields[i].name, '\0') >= 0 || text_find(fields[i].value, '\0') >= 0)
                abort();
    http_field_value(fields, count, "grant_type");
    arena_free(arena);
    return 0;
}
