// libFuzzer: two resource ids, parted by a line end. Equality and "within" keep their laws.
#include "arm/resource_id.h"

#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    struct text input = {(const char *)data, size}, second = TEXT("");
    ptrdiff_t end = text_find(input, '\n');
    if (end >= 0) {
        second = text_slice(input, (size_t)end + 1, input.length);
        input = text_slice(input, 0, (size_t)end);
    }
    struct resource_id id;
    if (resource_id_parse(arena, input, &id)) {
        if (!id.type.length || !id.name.length || !id.namespace_name.length)
            abort();
        if (!resource_id_equal(input, input) || !resource_id_within(input, input))
            abort();
    }
    if (resource_id_equal(input, second) != resource_id_equal(second, input))
        abort();
    resource_id_within(input, second);
    resource_group_name_valid(input);
    resource_name_valid(input);
    arena_free(arena);
    return 0;
}
