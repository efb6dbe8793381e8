// libFuzzer: arbitrary bytes as a deployment's request, a template and a parameters file: each is taken apart
// or refused with a whole sentence.
#include "templates/content.h"
#include "templates/hash.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_failure(const struct plan_error *error)
{
    if (!error->code || !error->message || !text_is_utf8(text_of(error->message)) || !error->path.base)
        abort();
}

static void walk(const struct template_resource *resources, size_t count, size_t *total)
{
    for (size_t i = 0; i < count; i++) {
        if (!resources[i].name || !resources[i].type || ++*total > TEMPLATE_RESOURCES)
            abort();
        walk(resources[i].children, resources[i].child_count, total);
    }
}

static void check_document(struct arena *arena, const struct value *template)
{
    struct plan_error error;
    const struct template_document *document = document_read(arena, template, "properties.template", &error);
    if (!document) {
        check_failure(&error);
        return;
    }
    size_t total = 0;
    walk(document->resources, document->resource_count, &total);
    for (size_t i = 0; i < document->parameter_count; i++) {
        template_type_name(document->parameters[i].type);
        if (document_parameter(document, document->parameters[i].name) != &document->parameters[i])
            abort();
    }
    template_hash(arena, template);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    struct text text = {(const char *)data, size};
    struct plan_error error;
    const struct content *content = content_read(arena, text, &error);
    if (content && content->template)
        check_document(arena, content->template);
    else if (!content)
        check_failure(&error);
    if (!content_parameter_file(arena, text, &error))
        check_failure(&error);
    arena_free(arena);
    return 0;
}
