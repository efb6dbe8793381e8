// libFuzzer: arbitrary bytes as lenient JSON. What is read is written and read again: it is the same value.
#include "templates/reader.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_failure(const struct reader_error *error)
{
    if (!error->message || error->message[strlen(error->message) - 1] != '.' || error->line == 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    struct reader_error error = {.message = NULL};
    const struct value *value = reader_read(arena, (struct text){(const char *)data, size}, NULL, &error);
    if (!value) {
        check_failure(&error);
    } else {
        struct text json = value_to_json(arena, value);
        const struct value *again = reader_read(arena, json, NULL, &error);
        if (!again || !value_equal(value, again) || !text_equal(json, value_to_json(arena, again)))
            abort();
        if (value->depth > 128 || value_weight(value, SIZE_MAX) == 0)
            abort();
    }
    arena_free(arena);
    return 0;
}
