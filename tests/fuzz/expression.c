// libFuzzer: arbitrary text as an expression: parsed to a tree whose calls can be walked, or refused in
// words.
#include "templates/expression.h"

#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at(void *context, const struct expression_call *call)
{
    size_t *total = context;
    if (call->name.length == 0 || (call->argument_count > 0 && !call->arguments))
        abort();
    ++*total;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text text = {(const char *)data, size}, literal;
    if (size == 0 || !text_is_utf8(text))
        return 0;
    struct arena *arena = arena_new();
    struct expression_error error = {0};
    if (expression_is(text, &literal)) {
        const struct expression *expression = expression_parse(arena, text, &error);
        size_t calls = 0;
        if (expression)
            expression_calls(expression, look_at, &calls);
        else if (!error.code || !error.message || !text_is_utf8(text_of(error.message)) ||
                 error.position > size)
            abort();
        if (expression && (calls == 0 || calls > size))
            abort();
    } else if (literal.length > size) {
        abort();
    }
    arena_free(arena);
    return 0;
}
