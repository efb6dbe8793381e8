// libFuzzer: arbitrary bytes as an Authorization header. A name never holds the colon that ends it.
#include "rp/data/access.h"

#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    struct text header = {(const char *)data, size}, name, password;
    registry_scheme_value(header, "Bearer");
    struct text value = registry_scheme_value(header, "Basic");
    if (value.base && registry_basic_decode(arena, value, &name, &password) &&
        (!name.base || !password.base || text_find(name, ':') >= 0 || name.length + password.length > size))
        abort();
    arena_free(arena);
    return 0;
}
