// libFuzzer: arbitrary bytes as a $filter, and whatever it reads against one item.
#include "arm/filter.h"

#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct filter_item item = {TEXT("name"), TEXT("Microsoft.ContainerRegistry/registries"),
                                            TEXT("group"), TEXT("local"), TEXT("{\"a\":\"b\"}")};
    if (size == 0)
        return 0;
    struct arena *arena = arena_new();
    struct text expression = {(const char *)data + 1, size - 1};
    struct filter filter = {.terms = 0};
    const char *why = NULL;
    if (filter_parse(arena, expression, data[0] & 1, &filter, &why)) {
        if (filter.terms > FILTER_TERMS)
            abort();
        filter_matches(&filter, &item);
        filter_equal(&filter, FILTER_TYPE);
    } else if (!why) {
        abort();
    }
    arena_free(arena);
    return 0;
}
